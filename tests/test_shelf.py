"""The shelf of mechanisms: it is whole, everybody can fund it, and each moves what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np
import pytest
from scipy import stats

from experiments import designs
from experiments.settings import load, shipped_dir
from experiments.settings_files import read_yaml
from sim import kpis, levers
from sim.engine import Run, simulate
from sim.flows import open_gates
from sim.mechanisms import Acceptability, Mechanism
from sim.opening import owner_of
from sim.organization import Programme
from sim.plans import Arm, Plan
from sim.population import build_world
from sim.scenario import Scenario

SCENARIOS = ("attenzi", "village", "association")
FILES = {
    file.stem: read_yaml(file).content for file in (shipped_dir() / "mechanism").glob("*.yaml")
}
KEYS = sorted(FILES)
LEVEL = 4.0  # effort relative to running: enough to overdo
LANES = 16
SEEDS = (1, 2, 3)  # in so small a village, conquest of complainers may meet nobody on some luck


@lru_cache
def market(name: str, *overrides: str) -> Scenario:
    """A shipped scenario whose organization has no budget to mind."""
    made = load([f"scenario={name}", *overrides]).scenario
    firm = made.firms[0]
    rich = replace(firm, policy=replace(firm.policy, budget=1e9))
    return replace(made, firms=(rich, *made.firms[1:]))


def funded(scenario: Scenario, key: str | None, level: float = LEVEL) -> Arm:
    """Return the arm that spends on one mechanism all the time."""
    plan = Plan.nothing(len(scenario.mechanisms), scenario.quarters)
    if key is not None:
        row = scenario.mechanism(key)
        plan.effort[row] = level * scenario.mechanisms[row].running
    name = key or "as_is"
    return Arm(name, name, plan, open_gates(len(scenario.firms)))


# ---- whole --------------------------------------------------------------------------------------


def test_the_catalogue_has_every_mechanism_once() -> None:
    codes = [content["code"] for content in FILES.values()]
    assert len(set(codes)) == len(codes)
    catalogue = {f"M{i:02d}" for i in range(1, 37)} | {"M23x"}
    assert catalogue <= set(codes)
    assert {code for code in codes if code not in catalogue} == {"X1", "X2", "X3", "X4", "X5"}


@pytest.mark.parametrize("key", KEYS)
def test_a_mechanism_says_what_is_done_through_which_flow_and_when_it_disappoints(key: str) -> None:
    text = FILES[key]["description"]
    assert 150 < len(text) < 700
    assert re.search(r"[Ff]lows? [1-6]|six flows", text)
    assert "disappoint" in text


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_firm_can_fund_every_mechanism(name: str) -> None:
    made = load([f"scenario={name}"])
    scenario = made.scenario
    assert [m.key for m in scenario.mechanisms] == KEYS
    for firm in scenario.firms:
        for mechanism in scenario.mechanisms:
            assert owner_of(firm.departments, mechanism.owner) >= 0
    all_of_them = {m.key: Programme(m.running, 0.5) for m in scenario.mechanisms}
    everywhere = replace(
        scenario,
        quarters=1,
        firms=tuple(
            replace(f, programmes=all_of_them, policy=replace(f.policy, budget=1e9))
            for f in scenario.firms
        ),
    )
    run = Run(everywhere, [funded(everywhere, None)], 1, 0, build_world(everywhere, 1, 0))
    assert (run.firms.output > 0).all()
    for key in KEYS:
        item = designs.Item(key, 1.0)
        plan = designs.plan_of(designs.Portfolio(key, key, key, (item,)), scenario,
                               made.study.planned_cost)  # fmt: skip
        cost = designs.planned_present_value(plan, scenario)
        assert cost == pytest.approx(made.study.planned_cost, rel=1e-6)


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_the_default_question_compares_never_breaches_and_has_no_volume(name: str) -> None:
    """So its results are those of before there were breaches, and planned cost is paid cost."""
    made = load([f"scenario={name}"])
    used = {item.mechanism for portfolio in made.study.portfolios for item in portfolio.items}
    used |= {key for firm in made.scenario.firms for key in firm.programmes}
    mechanisms = {m.key: m for m in made.scenario.mechanisms}
    assert all(mechanisms[key].volume == mechanisms[key].acceptability.breach == 0 for key in used)


def test_every_flow_can_be_sensed_and_every_sensing_lever_is_moved() -> None:
    moved = {effect.lever for m in market("attenzi").mechanisms for effect in m.moves}
    assert moved == set(levers.INDEX)


# ---- each alone in the village ------------------------------------------------------------------


@dataclass(frozen=True)
class Alone:
    """Lever values (lever, type) and output by mechanism; people and offering on all luck."""

    lever: dict[str, np.ndarray]
    truth: dict[str, list[np.ndarray]]
    output: dict[str, float]


@lru_cache
def bare() -> Scenario:
    """The village for eight quarters; the organization does nothing by itself."""
    scenario = market("village", "quarters=8")
    return replace(scenario, firms=(replace(scenario.firms[0], programmes={}), *scenario.firms[1:]))


@pytest.fixture(scope="module")
def alone() -> Alone:
    scenario = bare()
    arms = [funded(scenario, key) for key in (None, *KEYS)]
    blocks = [arms[start : start + LANES] for start in range(0, len(arms), LANES)]
    found = Alone({}, {arm.key: [] for arm in arms}, {})
    for seed, some in product(SEEDS, blocks):
        run = Run(scenario, some, seed, 0, build_world(scenario, seed, 0))
        for _ in range(scenario.quarters):
            run.advance_quarter()
        state = run.firms
        for lane, arm in enumerate(some):
            found.lever[arm.key] = state.lever[:, 0, :, lane].copy()
            found.truth[arm.key] += [
                x[..., lane].copy() for x in (run.state.people, state.offering, state.delivered)
            ]
            if arm.key != "as_is":
                found.output[arm.key] = float(state.output[0, scenario.mechanism(arm.key), lane])
    return found


def seen_alone(mechanism: Mechanism) -> bool:
    """Whether all it moves is what management sees, its speed of learning or its permission."""
    silent = {"learning", "permission"}
    return all(levers.lever(e.lever).law == "sensing" or e.lever in silent for e in mechanism.moves)


@pytest.mark.parametrize("key", KEYS)
def test_a_mechanism_alone_moves_its_levers_and_nothing_else(key: str, alone: Alone) -> None:
    scenario = bare()
    mechanism = scenario.mechanisms[scenario.mechanism(key)]
    before, after = alone.lever["as_is"], alone.lever[key]
    output = alone.output[key]
    assert 0.1 < output < 0.6
    wanted = before.copy()
    effects = [e for e in mechanism.moves if output > e.above]
    for cut in (False, True):
        for e in effects:
            if (e.by < 0) != cut:
                continue
            row = levers.lever(e.lever)
            to = [not e.to or kind.key in e.to for kind in scenario.stakeholders]
            moved = e.by * (output - e.above) / (1 - e.above)
            old = wanted[levers.INDEX[e.lever], to]
            new = old * (1 + moved) if cut else old + moved * (1 - old if row.share else 1.0)
            assert (new != old).all(), f"{e.lever} has nothing to cut"
            wanted[levers.INDEX[e.lever], to] = new
    assert after == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("key", KEYS)
def test_a_mechanism_alone_changes_the_world(key: str, alone: Alone) -> None:
    one, other = alone.truth["as_is"], alone.truth[key]
    scenario = bare()
    if not seen_alone(scenario.mechanisms[scenario.mechanism(key)]):
        assert any(not np.array_equal(a, b) for a, b in zip(one, other, strict=True))


# ---- what backfires -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Gap:
    """Differences between two arms on the same luck, one per replication."""

    by: dict[str, np.ndarray]

    def interval(self, name: str) -> tuple[float, float]:
        gap = self.by[name]
        half = stats.t.ppf(0.975, len(gap) - 1) * gap.std(ddof=1) / np.sqrt(len(gap))
        return float(gap.mean() - half), float(gap.mean() + half)

    def hurts(self, name: str) -> bool:
        return self.interval(name)[1] < 0


def gap(one: tuple[Scenario, Arm], other: tuple[Scenario, Arm], replications: int = 10) -> Gap:
    """Return one arm minus another at the horizon: indicators, and trust and attitude by type."""
    rows = []
    for replication in range(replications):
        a, b = (simulate(s, [arm], 1, replication) for s, arm in (one, other))
        row = {row.key: a.kpi[-1, i, 0] - b.kpi[-1, i, 0] for i, row in enumerate(kpis.TABLE)}
        for name in ("trust", "attitude"):
            at = kpis.MEASURES.index(name)
            for k, kind in enumerate(one[0].stakeholders):
                row[f"{name} of {kind.key}"] = (
                    a.measures[-1, at, k, 0, 0] - b.measures[-1, at, k, 0, 0]
                )
        rows.append(row)
    return Gap({name: np.array([row[name] for row in rows]) for name in rows[0]})


def without_harm(scenario: Scenario, key: str) -> Scenario:
    """Return the market in which a mechanism has no side effects and never breaches."""
    at = scenario.mechanism(key)
    clean = replace(scenario.mechanisms[at], side_effects=(), acceptability=Acceptability("none"))
    return replace(
        scenario, mechanisms=(*scenario.mechanisms[:at], clean, *scenario.mechanisms[at + 1 :])
    )


@pytest.fixture(scope="module")
def village_8() -> Scenario:
    return market("village", "quarters=8")


def test_capturing_every_meeting_costs_trust_and_engagement_and_with_them_service(
    village_8: Scenario,
) -> None:
    found = gap(
        (village_8, funded(village_8, "meeting_capture", 2.0)), (village_8, funded(village_8, None))
    )
    for name in (
        "trust of employees",
        "attitude of employees",
        "engagement",
        "satisfaction",
        "net_present_value",
    ):
        assert found.hurts(name), name


def test_overpaid_referral_costs_talk_and_belief(village_8: Scenario) -> None:
    much, some = (funded(village_8, "referral_programme", level) for level in (6.0, 0.7))
    overdone = gap((village_8, much), (village_8, some))
    harm = gap((village_8, much), (without_harm(village_8, "referral_programme"), much))
    for found in (overdone, harm):
        for name in ("attitude of households", "salience"):
            assert found.hurts(name), name
    assert overdone.hurts("net_present_value")


@pytest.mark.parametrize("key", ["influencer_outreach", "review_invitations"])
def test_spin_that_comes_out_costs_trust(key: str, village_8: Scenario) -> None:
    arm = funded(village_8, key)
    harm = gap((village_8, arm), (without_harm(village_8, key), arm))
    for name in ("trust of households", "trust of neighbours", "attitude of households"):
        assert harm.hurts(name), name
    assert gap((village_8, arm), (village_8, funded(village_8, None))).hurts("trust")


def test_promotions_too_many_win_less_than_some(village_8: Scenario) -> None:
    much, some = (funded(village_8, "pricing_promotion", level) for level in (6.0, 0.7))
    found = gap((village_8, much), (village_8, some))
    for name in ("market_share", "net_present_value"):
        assert found.hurts(name), name


def test_data_governance_prevents_breaches(village_8: Scenario) -> None:
    """Both arms invite reviews; asking first saves a share of what comes out."""
    both = funded(village_8, "review_invitations")
    row = village_8.mechanism("data_governance")
    governed = replace(both.plan, effort=both.plan.effort.copy())
    governed.effort[row] = LEVEL * village_8.mechanisms[row].running
    found = gap((village_8, replace(both, plan=governed)), (village_8, both))
    assert found.interval("trust of neighbours")[0] > 0


def test_joining_departments_dips_before_it_gains() -> None:
    """Fast service, run by the same department, does less while people change places."""
    scenario = market("village", "quarters=8")
    arms = [funded(scenario, None), funded(scenario, "joint_influence_team", 2.0)]
    run = Run(scenario, arms, 1, 0, build_world(scenario, 1, 0))
    service, capacity = scenario.mechanism("fast_service"), []
    dipped = []
    for _ in range(scenario.quarters):
        run.advance_quarter()
        dipped.append(run.firms.output[0, service, 1] / run.firms.output[0, service, 0])
        total = run.firms.lever[levers.INDEX["ticket_capacity"], 0, 0]
        capacity.append(total[1] - total[0])
    assert dipped[0] < 0.85
    assert dipped == sorted(dipped)
    assert dipped[-1] > 0.97
    assert capacity[0] < capacity[-1]
    assert capacity[-1] > 0
