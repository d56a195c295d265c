"""The engine: bits depend on nothing they should not, and the week goes by hand on a village."""

from __future__ import annotations

from dataclasses import fields, replace

import handmade
import numpy as np
import pytest
import village
from handmade import advanced, attitude, bits, differing, field, satisfaction, started, still

from sim import kpis
from sim.engine import History, Run, pad, simulate
from sim.flows import Flow, muted, open_gates
from sim.mechanisms import Acceptability, Effect
from sim.organization import Policy, Programme
from sim.plans import Arm, Plan
from sim.population import build_world
from sim.scenario import Scenario
from sim.state import (
    ARRIVED,
    BREACHES,
    EXPECTATION,
    GRIEVANCE,
    KEPT,
    OFFER,
    PROVIDER,
    QUARTER,
    QUIET,
    RESOLVED,
    SALIENCE,
    TENURE,
    TICKET,
    World,
)

LN2 = 0.6931471805599453
SPEAK = handmade.EVERYBODY_SPEAKS


def busy() -> Scenario:
    """Return three firms that use every mechanism and every policy, with much talk and grief."""
    market = village.scenario(quarters=3)
    everything = {
        key: Programme(effort=13.0, maturity=0.6)
        for key in ("advertising", "service", "referral", "rebuttal", "mining")
    }
    shares = {"ours": 0.3, "theirs": 0.3, "others": 0.2}
    firms = (
        village.firm(policy=Policy("proportional", 1.5, 1, 90.0), programmes=everything, claim=0.6),
        village.firm(
            "theirs",
            policy=Policy("reactive", 3.0, 1, 1e9),
            programmes=everything,
            price=1.2,
            levers={"coverage": 0.3, "referral": 0.6},
        ),
        village.firm(
            "others",
            policy=Policy("imitator", 0.7, 1, 1e9),
            appeal=0.4,
            levers={"impressions": 1.0, "discount": 0.1, "conquest": 1.0},
        ),
    )
    people = (
        village.kind(count=90, tied=shares, opportunity=0.3, voice=8.0),
        village.kind(
            "employees", 30, customer=False, opportunity=0.0, units=0.0, tied=shares, voice=4.0
        ),
    )
    physics = replace(
        market.physics,
        confidence=1.2,
        negativity=1.4,
        goodwill_weight=0.3,
        anchor=0.05,
        experience_persuasion=0.3,
    )
    mechanisms = tuple(
        replace(
            m,
            volume=8.0,
            reach="tied",
            side_effects=(Effect("strain", (), 0.1, 0.05), Effect("price_erosion", (), 0.1)),
            acceptability=Acceptability("spin", breach=4.0, trust_cost=0.1, delay=1 + i % 3),
        )
        for i, m in enumerate(market.mechanisms)
    )
    return replace(market, firms=firms, stakeholders=people, physics=physics, mechanisms=mechanisms)


def arms(market: Scenario, n: int) -> list[Arm]:
    """Return n arms that differ in plans, gates and coefficients."""
    made = []
    for i in range(n):
        gates = (
            muted(Flow(1 + i % 6), len(market.firms)) if i % 2 else open_gates(len(market.firms))
        )
        made.append(
            village.arm(
                market,
                f"arm{i}",
                gates=gates,
                physics={"anchor": 0.01 * i, "confidence": 2.0 - 0.1 * i},
                **{village.MECHANISMS[i % 6].key: 5.0 + i},
            )
        )
    return made


HISTORY = [f.name for f in fields(History)]


def same(one: History, other: History) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in HISTORY
    )


@pytest.fixture(scope="module")
def market() -> Scenario:
    return busy()


@pytest.fixture(scope="module")
def world(market: Scenario) -> World:
    return build_world(market, 3, 0)


# ---- what bits must not depend on ---------------------------------------------------------------


def test_the_busy_market_is_busy(market: Scenario, world: World) -> None:
    """Otherwise the tests of sameness below would compare silence with silence."""
    run = Run(market, arms(market, 1), 3, 0, world)
    total = np.zeros((len(QUARTER), 3))
    offers = grievances = 0
    for _ in range(3):
        run.advance_quarter()
        total += run.firms.quarter[..., 0]
        offers += int((run.state.marks[:, OFFER, 0] > 0).sum())
        grievances += int((run.state.marks[:, GRIEVANCE, 0] > 0).sum())
    assert (total[ARRIVED] > 0).all()
    assert (total[RESOLVED] > 0).all()
    assert (total[BREACHES] > 0).all()
    assert (run.firms.volume.sum(axis=1) > 0).all()
    assert (run.firms.worn > 0).any()
    assert offers > 0
    assert grievances > 0
    assert run.counts[4].sum() > 0, "referred customers"
    assert (run.counts[2].sum(axis=(1, 2)) > 0).all(), "every firm wins somebody"
    assert (run.firms.engagement != 0).all()
    assert set(world.tied) == {-1, 0, 1, 2}


@pytest.mark.parametrize("lanes", [1, 4])
def test_lanes_per_pass_change_no_bit(market: Scenario, world: World, lanes: int) -> None:
    five = arms(market, 5)
    assert same(
        simulate(market, five, 3, world=world, lanes=16),
        simulate(market, five, 3, world=world, lanes=lanes),
    )


def test_threads_change_no_bit(market: Scenario, world: World) -> None:
    four = arms(market, 4)
    alone = bits(advanced(market, world, *four))
    assert differing(alone, bits(advanced(market, world, *four, threads=3))) == []


def test_the_order_of_arms_changes_no_bit(market: Scenario, world: World) -> None:
    four = arms(market, 4)
    forth = simulate(market, four, 3, world=world, lanes=4)
    back = simulate(market, four[::-1], 3, world=world, lanes=4)
    assert same(
        forth,
        History(*(getattr(back, name)[..., ::-1] for name in HISTORY)),
    )


@pytest.mark.parametrize("shuffle_ties", [False, True])
def test_the_order_of_rows_and_ties_changes_no_bit(
    market: Scenario, world: World, shuffle_ties: bool
) -> None:
    rng = np.random.default_rng(1)
    order = rng.permutation(world.n_stakeholders)
    moved = village.reordered(world, order, rng if shuffle_ties else None)
    here, there = (bits(advanced(market, w, *arms(market, 4))) for w in (world, moved))
    for name in ("people", "marks"):
        here[name] = here[name][order]
    assert differing(here, there) == []


@pytest.mark.parametrize("order", [[1, 0, 2], [2, 0, 1], [2, 1, 0]])
def test_firms_are_exchangeable(market: Scenario, world: World, order: list[int]) -> None:
    """Everything per firm moves with it: key, gates, policy, programmes, ties to employees."""
    gates = np.array([[1.0, 0.5, 0.0], [0.2, 1.0, 0.9], [0.7, 1.0, 0.4]])
    there = replace(market, firms=tuple(market.firms[f] for f in order))
    ours = advanced(market, world, village.arm(market, gates=gates))
    theirs = advanced(
        there, village.permuted(world, order), village.arm(there, gates=gates[:, order])
    )
    place = np.array([*np.argsort(order), -1])
    assert np.array_equal(place[ours.state.marks[:, PROVIDER]], theirs.state.marks[:, PROVIDER])
    for which in (TENURE, QUIET, GRIEVANCE, TICKET):
        assert np.array_equal(ours.state.marks[:, which], theirs.state.marks[:, which])
    assert np.array_equal(satisfaction(ours), satisfaction(theirs))
    for now, before in enumerate(order):
        for which in (SALIENCE, 1, EXPECTATION, KEPT, 4):
            assert np.array_equal(field(ours, which, before), field(theirs, which, now))
    mine, other = bits(ours), bits(theirs)
    for name, axis in {
        n: 1 if n in ("lever", "quarter") else 0 for n in type(ours.firms)._fields
    }.items():
        assert np.array_equal(np.take(mine[name], order, axis), other[name]), name
    assert np.array_equal(mine["measures"][:, :, :, order], other["measures"], equal_nan=True)


def test_what_is_put_beside_grief_about_several_rivals_adds_up_in_any_order_of_firms() -> None:
    """Sums of fractions round by their order: it must be that of the firms' keys."""
    n, rng = 60, np.random.default_rng(5)
    ties = rng.uniform(0.01, 0.4, (n, n)) * (1 - np.eye(n))
    market = still(n, 4, peer_persuasion=1.0, **handmade.EVERYBODY_SPEAKS)
    firms = tuple(
        replace(firm, claim=0.8, levers={"comparison": 0.3 + 0.13 * f})
        for f, firm in enumerate(market.firms)
    )
    market = replace(market, firms=firms)
    people = handmade.world(
        n, 4, evidence=ties, opening_attitude=rng.uniform(-0.9, 0.3, (n, 4)).astype(np.float32)
    )
    order = [2, 0, 3, 1]
    there = replace(market, firms=tuple(firms[f] for f in order))
    ours, theirs = (
        advanced(m, w, weeks=1)
        for m, w in ((market, people), (there, village.permuted(people, order)))
    )
    for now, before in enumerate(order):
        assert np.array_equal(attitude(ours, before), attitude(theirs, now))


def test_indicators_are_exchangeable_as_well(market: Scenario, world: World) -> None:
    """What firm 0 reads of itself is what it reads as firm 2 when it stands there."""
    order = [2, 1, 0]
    there = replace(market, firms=tuple(market.firms[f] for f in order))
    seen: list[np.ndarray] = []
    real = kpis.indicators

    def as_firm(firm: int) -> list[np.ndarray]:
        seen.clear()
        kpis.indicators = lambda close: seen.append(real(close, firm)) or real(close)  # type: ignore[assignment, func-returns-value]
        try:
            if firm:
                advanced(there, village.permuted(world, order), village.arm(there))
            else:
                advanced(market, world, village.arm(market))
        finally:
            kpis.indicators = real
        return list(seen)

    assert np.array_equal(np.stack(as_firm(0)), np.stack(as_firm(2)), equal_nan=True)


def test_padding_lanes_and_other_arms_leave_an_arm_alone(market: Scenario, world: World) -> None:
    five = arms(market, 5)
    together = bits(advanced(market, world, *five))
    alone = bits(advanced(market, world, five[3]))
    picked = {name: array[..., 3:4] for name, array in together.items()}
    assert differing(alone, picked) == []
    assert [a.key for a in pad(five)[:5]] == [a.key for a in five]


def test_the_same_luck_gives_exactly_no_difference(market: Scenario, world: World) -> None:
    null = arms(market, 1)[0]
    twice = simulate(market, [null, replace(null, key="again")], 3, world=world, lanes=4)
    for name in HISTORY:
        array = getattr(twice, name)
        assert np.array_equal(array[..., 0], array[..., 1], equal_nan=True)


def test_other_luck_gives_another_history(market: Scenario, world: World) -> None:
    arm = arms(market, 1)
    first = simulate(market, arm, 3, 0, world=world, lanes=1)
    assert not same(first, simulate(market, arm, 4, 0, world=world, lanes=1))
    assert not same(first, simulate(market, arm, 3, 1, world=world, lanes=1))
    assert same(first, simulate(market, arm, 3, 0, world=world, lanes=1))


def test_a_built_world_is_the_default_world(market: Scenario, world: World) -> None:
    arm = arms(market, 1)
    assert same(simulate(market, arm, 3, world=world, lanes=1), simulate(market, arm, 3, lanes=1))


def test_luck_differs_from_week_to_week() -> None:
    """Everybody experiences once a week: the same luck each week would repeat the surprise."""
    market = still(400, 1, performance_noise=1.0, satisfaction_rate=1.0, disconfirmation=0.0)
    market = replace(market, stakeholders=(replace(market.stakeholders[0], experience=50.0),))
    run = started(market, handmade.world(400, 1, tied=np.zeros(400)))
    run.advance_week(opens=True)
    first = satisfaction(run).copy()
    run.advance_week(opens=False)
    assert abs(np.corrcoef(first, satisfaction(run))[0, 1]) < 4 / 20


def test_appending_people_and_firms_changes_nobody_elses_luck() -> None:
    """Choices among alike firms are luck alone: the first fifty keep theirs."""
    short = advanced(still(50, 2), handmade.world(50, 2, opportunity=np.full(50, 0.3)))
    long = advanced(still(80, 2), handmade.world(80, 2, opportunity=np.full(80, 0.3)))
    assert np.array_equal(short.state.marks, long.state.marks[:50])


# ---- doors --------------------------------------------------------------------------------------


def test_arms_must_differ_in_key_and_be_there(market: Scenario, world: World) -> None:
    arm = arms(market, 1)[0]
    with pytest.raises(ValueError, match="different keys"):
        simulate(market, [arm, arm], 1, world=world)
    with pytest.raises(ValueError, match="different keys"):
        simulate(market, [], 1, world=world)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_is_a_32_bit_number(market: Scenario, world: World, seed: int) -> None:
    with pytest.raises(ValueError, match="seed"):
        simulate(market, arms(market, 1), seed, world=world)


def test_histories_have_the_shapes_they_promise(market: Scenario, world: World) -> None:
    history = simulate(market, arms(market, 3), 2**32 - 1, world=world, lanes=4)
    assert history.kpi.shape == (4, len(kpis.TABLE), 3)
    assert history.measures.shape == (4, len(kpis.MEASURES), 2, 3, 3)
    assert history.spending.shape == (3, 9, 3)
    assert history.spending_worth.shape == history.spending.shape
    assert history.afforded.shape == (3, 3, 3)
    assert history.reading.shape == history.kpi.shape
    shares = history.measures[:, kpis.MEASURES.index("tied"), 0]
    assert (shares.sum(axis=1) <= 1).all()


# ---- the warm-up -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def warmed(market: Scenario, world: World) -> Run:
    """Return a run of four arms after a warm-up of two quarters, before the first quarter."""
    settled = replace(market, warm_up=2)
    lanes = [replace(arm, physics={}) for arm in arms(market, 4)]
    return Run(settled, lanes, 3, 0, world)


def test_arms_open_alike_because_plans_and_muted_flows_wait_for_the_first_quarter(
    warmed: Run,
) -> None:
    for name, array in bits(warmed).items():
        if name not in (
            "spending", "spending_worth", "afforded", "reorganization", "managed", "board_cut",
        ):  # fmt: skip
            first = array[..., :1]
            assert np.array_equal(np.broadcast_to(first, array.shape), array, equal_nan=True), name
    warmed_gates = np.stack([arm.gates for arm in warmed.arms], axis=-1)
    assert np.array_equal(warmed.given.gates, warmed_gates)
    assert (warmed_gates == 0).any()


def test_a_warm_up_is_lived_but_not_counted(warmed: Run, market: Scenario) -> None:
    assert (warmed.week, warmed.quarter) == (26, 0)
    assert (warmed.firms.worth == 0).all()
    assert (warmed.firms.cash == market.finance.start_cash).all()
    opening = warmed.rows[0][0]
    assert len(warmed.rows[0]) == 1
    assert (opening[kpis.INDEX["net_present_value"]] == 0).all()
    assert np.isfinite(opening[kpis.INDEX["retention"]]).all()
    assert warmed.counts.sum() > 0


def test_after_a_warm_up_money_is_discounted_from_the_first_quarter_on() -> None:
    """A firm that earns 1 a week and nothing else: 13 weeks from now, however long it warmed up."""
    worth = []
    for warm_up in (0, 3):
        market = replace(still(2, 1), warm_up=warm_up)
        firm = village.firm(programmes={}, fixed_income=1.0, fixed_cost=0.0)
        capital = {k: replace(c, investment=0.0) for k, c in firm.capital.items()}
        market = replace(market, firms=(replace(firm, capital=capital),))
        run = advanced(market, handmade.world(2, 1))
        worth.append(float(run.firms.worth[0, 0]))
        assert run.firms.cash[0, 0] == pytest.approx(113.0)
    assert worth[0] == worth[1] == pytest.approx(sum(1.1 ** (-w / 52) for w in range(1, 14)))


def test_lanes_and_order_change_no_bit_after_a_warm_up(market: Scenario, world: World) -> None:
    settled = replace(market, warm_up=1, quarters=1)
    five = arms(market, 5)
    cut = [replace(a, plan=Plan(a.plan.effort[:, :1], a.plan.investment[:, :1])) for a in five]
    wide = simulate(settled, cut, 3, world=world, lanes=16)
    assert same(wide, simulate(settled, cut, 3, world=world, lanes=1))
