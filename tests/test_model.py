"""The Mesa face: windows on a run, the bits of `simulate`."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, replace

import mesa
import numpy as np
import pytest

import sim
from sim import InfluenceModel, kpis, simulate
from sim.agents import Competitor, Department, Organization, Stakeholder
from sim.laws.capability import readiness
from sim.state import ATTITUDE, FIRM_FIELDS, OFFER, PROVIDER, TICKET
from tests import village

SEED = 7


@pytest.fixture
def model() -> InfluenceModel:
    return InfluenceModel(village.scenario(), seed=SEED)


def row_of(model: InfluenceModel, kind: str, firm: int | None = 0) -> int:
    """Row of the first stakeholder of a type who is tied to a firm."""
    tied = -1 if firm is None else firm
    return next(
        i for i, s in enumerate(model.stakeholders) if s.kind == kind and s._marks[PROVIDER] == tied
    )


def test_the_model_has_the_bits_of_simulate() -> None:
    market = village.scenario()
    arm = village.arm(market, "advertise", advertising=40.0, listening=20.0)
    model = InfluenceModel(market, arm, seed=SEED, replication=3)
    model.run_model()
    expected = simulate(market, [arm], SEED, 3)
    for field in fields(expected):
        mine, theirs = getattr(model.history, field.name), getattr(expected, field.name)
        assert mine.shape == theirs.shape
        assert mine.tobytes() == theirs.tobytes(), field.name


def test_looking_through_every_window_changes_no_bit() -> None:
    market = village.scenario(quarters=2)
    model = InfluenceModel(market, seed=SEED)
    while model.running:
        for agent in model.agents:
            for name in dir(type(agent)):
                if not name.startswith("_") and name not in ("remove", "create_agents", "model"):
                    getattr(agent, name)
        model.step()
    expected = simulate(market, [village.arm(market)], SEED)
    assert model.history.kpi.tobytes() == expected.kpi.tobytes()


def test_without_an_arm_todays_programmes_go_on(model: InfluenceModel) -> None:
    model.step()
    assert model.organization.effort == {"advertising": 13.0, "service": 6.5} | {
        m.key: 0.0 for m in village.MECHANISMS if m.key not in ("advertising", "service")
    }


def test_the_seed_is_needed() -> None:
    with pytest.raises(TypeError, match="seed"):
        InfluenceModel(village.scenario())  # type: ignore[call-arg]


def test_a_step_is_a_quarter_and_the_last_one_stops_the_model(model: InfluenceModel) -> None:
    seen = []
    while model.running:
        model.step()
        seen.append((model.quarter, model.engine.week))
    assert seen == [(1, 13), (2, 26), (3, 39), (4, 52)]
    with pytest.raises(ValueError, match="quarter=4: the scenario ends here"):
        model.step()


def test_before_the_first_step_the_history_holds_the_opening(model: InfluenceModel) -> None:
    assert model.history.kpi.shape == (1, len(kpis.TABLE), 1)
    assert [model.history.spending.shape, model.history.afforded.shape] == [(0, 9, 1), (0, 2, 1)]


def test_the_data_collector_holds_every_indicator_of_every_close(model: InfluenceModel) -> None:
    model.run_model()
    table = model.datacollector.get_model_vars_dataframe()
    assert list(table.columns) == ["quarter", *(kpi.key for kpi in kpis.TABLE)]
    assert list(table["quarter"]) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(table.to_numpy()[:, 1:], model.history.kpi[..., 0])


def test_no_window_is_built_before_it_is_asked_for(model: InfluenceModel) -> None:
    model.step()
    assert model.engine is not None
    assert len(model._all_agents) == 0
    first = model.stakeholders[3]
    assert list(model._all_agents) == [first]
    assert model.stakeholders[3] is first
    assert model.stakeholders[3 - len(model.stakeholders)] is first


def test_asking_for_all_agents_builds_a_window_on_each(model: InfluenceModel) -> None:
    by_type = {kind: len(agents) for kind, agents in model.agents_by_type.items()}
    assert by_type == {Organization: 1, Competitor: 1, Department: 4, Stakeholder: 80}
    assert len(model.agents) == 86
    assert set(model.agent_types) == set(by_type)
    assert all(isinstance(agent, mesa.Agent) for agent in model.agents)


def test_windows_show_what_the_world_says(model: InfluenceModel) -> None:
    world = model.world
    for row in (0, 33, 79):
        seen = model.stakeholders[row]
        assert seen.id == int(world.ids[row])
        assert seen.kind == model.market.stakeholders[world.kind[row]].key
        assert seen.voice == world.voice[row]
        assert seen.opportunity == world.opportunity[row]
        assert list(seen.opening_attitude) == list(world.opening_attitude[row])
        assert list(seen.hears) == list(world.indices[world.indptr[row] : world.indptr[row + 1]])
        tied = int(world.tied[row])
        assert seen.provider == (None if tied < 0 else tied)
    for firm in (model.organization, *model.competitors):
        for number, department in enumerate(firm.departments):
            assert department.key == village.DEPARTMENTS[number].key
            assert list(department.leads_to.values()) == list(world.routing[firm.number][number])
            for member in department.members:
                assert model.stakeholders[member].department == department.key
    assert [d.mechanisms for d in model.departments] == [
        ("advertising", "service", "referral", "rebuttal", "mining"),
        ("listening",),
    ]


def test_what_is_written_into_a_window_stands_in_the_state(model: InfluenceModel) -> None:
    seen = model.stakeholders[3]
    seen.attitude[0] = 0.4
    seen.attitude["theirs"] = -0.25
    seen.salience = [0.125, 0.75]
    seen.expectation[:] = 0.5
    seen.kept[1] = 6.0
    fields_ = model.state.people[3, :-1, 0].reshape(2, FIRM_FIELDS)
    np.testing.assert_array_equal(
        fields_,
        np.array([[0.125, 0.4, 0.5, 2.0, 2.0], [0.75, -0.25, 0.5, 6.0, 2.0]], np.float32),
    )
    assert list(seen.trust) == [0.5, 0.75]
    assert list(seen.attitude) == [np.float32(0.4), -0.25]


def test_the_kernels_see_an_intervention() -> None:
    """By hand: only the anchor acts on someone alone, x + (1 - exp(-r)) (x0 - x) a week."""
    quiet = replace(
        village.PHYSICS, claim_persuasion=0.0, peer_persuasion=0.0, experience_persuasion=0.0
    )
    model = InfluenceModel(village.scenario(physics=quiet), seed=SEED)
    seen = model.stakeholders[3]
    opening = float(seen.opening_attitude[0])
    seen.attitude[0] = 0.4
    model.step()
    expected = opening + np.exp(-13 * 0.02) * (0.4 - opening)
    assert seen.attitude[0] == pytest.approx(expected, abs=1e-6)
    assert model.stakeholders[4].attitude[0] == pytest.approx(
        float(model.stakeholders[4].opening_attitude[0]), abs=1e-6
    )


def test_an_intervention_moves_others_through_their_ties() -> None:
    untouched = InfluenceModel(village.scenario(), seed=SEED)
    model = InfluenceModel(village.scenario(), seed=SEED)
    for seen in model.stakeholders[:20]:
        seen.attitude[0] = 1.0
        seen.salience[0] = 1.0
    model.step()
    untouched.step()
    changed = model.state.people[:, ATTITUDE, 0] != untouched.state.people[:, ATTITUDE, 0]
    assert changed[20:].any()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("attitude", 1.5, r"attitude\[0\]=1.5 is out of range: it must lie in \[-1, 1\]"),
        ("attitude", float("nan"), r"attitude\[0\]=nan is out of range"),
        ("attitude", "warm", r"attitude\[0\]='warm' must be a number"),
        ("salience", -0.1, r"salience\[0\]=-0.1 is out of range: it must lie in \[0, 1\]"),
        ("expectation", 1.1, r"it must lie in \[0, 1\]"),
        ("kept", 1.9, r"kept\[0\]=1.9 is out of range: it must lie in \[2, 1e\+06\]"),
        ("broken", float("inf"), r"broken\[0\]=inf is out of range"),
    ],
)
def test_a_number_out_of_range_is_refused(
    model: InfluenceModel, name: str, value: object, message: str
) -> None:
    before = model.state.people.copy()
    with pytest.raises(ValueError, match=message):
        getattr(model.stakeholders[3], name)[0] = value
    np.testing.assert_array_equal(model.state.people, before)


def test_a_place_or_name_that_is_not_there_is_refused(model: InfluenceModel) -> None:
    seen = model.stakeholders[3]
    with pytest.raises(IndexError, match=r"attitude\[2\]: there are 2"):
        seen.attitude[2] = 0.1
    with pytest.raises(KeyError, match="did you mean 'theirs'"):
        seen.attitude["their"] = 0.1
    with pytest.raises(IndexError, match=r"stakeholders\[80\]: there are 80"):
        model.stakeholders[80]


def test_what_an_array_of_a_window_is_given_does_not_pass_the_check(model: InfluenceModel) -> None:
    np.asarray(model.stakeholders[3].attitude)[0] = 9.0
    model.stakeholders[3].attitude[:][0] = 9.0
    assert abs(model.state.people[3, ATTITUDE, 0]) <= 1.0


def test_what_follows_from_other_numbers_cannot_be_written(model: InfluenceModel) -> None:
    seen = model.stakeholders[3]
    for name in ("trust", "id", "kind", "voice", "tenure", "hears"):
        with pytest.raises(AttributeError):
            setattr(seen, name, 0)


def test_a_moved_customer_counts_at_the_new_provider(model: InfluenceModel) -> None:
    seen = model.stakeholders[row_of(model, "customers", 0)]
    seen.attitude[1] = 0.375
    seen._marks[[TICKET, OFFER]] = 5, 9
    before = model.organization.customers, model.competitors[0].customers
    seen.provider = "theirs"
    after = model.organization.customers, model.competitors[0].customers
    assert after == (before[0] - 1, before[1] + 1)
    assert (seen.provider, seen.tenure, seen.satisfaction, seen.complaining) == (1, 0, 0.375, False)
    seen.provider = None
    assert model.competitors[0].customers == before[1]
    assert (seen.provider, seen.satisfaction) == (None, 0.0)
    model.step()
    tied = np.bincount(model.state.marks[:60, PROVIDER, 0] + 1, minlength=3)[1:]
    assert [f.customers for f in (model.organization, *model.competitors)] == list(tied)


def test_a_tie_that_cannot_be_is_refused(model: InfluenceModel) -> None:
    customer = model.stakeholders[row_of(model, "customers", None)]
    employee = model.stakeholders[row_of(model, "employees", 0)]
    with pytest.raises(ValueError, match="provider=2 is no firm: 0 to 1"):
        customer.provider = 2
    with pytest.raises(KeyError, match="did you mean 'ours'"):
        customer.provider = "our"
    with pytest.raises(ValueError, match="no customer, is fixed"):
        employee.provider = 1
    with pytest.raises(ValueError, match="tied to no firm"):
        customer.satisfaction = 0.2
    with pytest.raises(ValueError, match=r"satisfaction=2 is out of range"):
        employee.satisfaction = 2


def test_a_firms_windows_write_through(model: InfluenceModel) -> None:
    firm = model.organization
    firm.cash = 250.0
    firm.maturity["listening"] = 0.5
    firm.capital["human"] = 3000.0
    state, given = model.engine.firms, model.engine.given
    assert state.cash[0, 0] == 250.0
    assert state.maturity[0, 2, 0] == 0.5
    assert state.stock[0, 0, 0] == 3000.0
    assert firm.readiness["human"] == readiness(3000.0, given.reference[0, 0])
    with pytest.raises(ValueError, match=r"maturity\['listening'\]=2 is out of range"):
        firm.maturity["listening"] = 2
    with pytest.raises(ValueError, match=r"capital\['human'\]=-1 is out of range"):
        firm.capital["human"] = -1
    with pytest.raises(ValueError, match="cash=inf must be a finite number"):
        firm.cash = float("inf")


def test_nobody_leaves_the_market_by_closing_a_window(model: InfluenceModel) -> None:
    for agent in (model.stakeholders[0], model.organization, model.departments[0]):
        with pytest.raises(ValueError, match="cannot be removed"):
            agent.remove()


def test_the_engine_alone_brings_no_mesa() -> None:
    code = "import sys, sim; sim.simulate; print('mesa' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
    assert sim.InfluenceModel is InfluenceModel
