"""Governance: rules worked out by hand, and what an organization does with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import village

from sim import governance as rules
from sim import kpis, levers
from sim.engine import History, simulate
from sim.managing import Reports, within
from sim.plans import Arm, Plan
from sim.population import build_world
from sim.scenario import Scenario
from sim.scorecard import Target
from sim.state import World
from sim.steering import Governance, Patience

NEVER = Patience(after=1, tolerance=0.0, cut=0.0)
NAMES = History.__dataclass_fields__


def rule(**changes: object) -> Governance:
    """A governance that changes nothing but what is given."""
    plain = Governance(
        key="rule", label="Rule", description="A rule.", loop="none", cadence=1, step=0.0,
        indicators=(), headline="", doubt=0.0, error=1.0, memory=1.0, maturity=1.0, late=0.0,
        noise=0.0, unacted=0.0, shown=(), drift=0.0, board=NEVER,
    )  # fmt: skip
    return replace(plain, **changes)


def target(kpi: str, goal: float, red_flag: float, by: int = 4) -> Target:
    return Target(kpi, "aim", "change", goal, red_flag, "opening", by, 1.0, 0.0)


GOALS = (
    target("complaints_resolved", 0.9, -0.1),
    target("listening_coverage", 0.9, -0.1),
    target("salience", -0.9, -1.0),
    target("market_share", 0.4, -0.1),
)
SINGLE = rule(loop="single", step=0.5)
DOUBLE = rule(loop="double", step=0.5, headline="market_share", doubt=1.0, error=0.1, memory=0.9)
DRIFT = rule(shown=("salience",), drift=0.3)
BOARD = rule(board=Patience(after=1, tolerance=0.0, cut=0.4))
RULES = {"single": SINGLE, "double": DOUBLE, "drift": DRIFT, "board": BOARD}


# ---- the rules by hand --------------------------------------------------------------------------


def test_a_shortfall_is_the_way_from_goal_to_red_flag_in_either_direction() -> None:
    goal, red = np.array([10.0, 10.0, 10.0, 2.0, 2.0]), np.array([6.0, 6.0, 6.0, 4.0, 4.0])
    reading = np.array([11.0, 9.0, 1.0, 3.0, 1.0])
    assert rules.shortfall(goal, red, reading).tolist() == [0.0, 0.25, 1.0, 0.5, 0.0]


def test_what_is_not_read_or_has_no_red_flag_asks_for_nothing() -> None:
    nan = float("nan")
    gaps = rules.shortfall(np.array([1.0, 1.0, 1.0]), np.array([0.0, nan, 1.0]),
                           np.array([nan, 0.0, 0.0]))  # fmt: skip
    assert gaps.tolist() == [0.0, 0.0, 0.0]


def test_remedies_go_where_weighted_shortfalls_are() -> None:
    """Two indicators short by .5 (weight 1) and 1 (weight 2): .5 : 2.5 : 0."""
    aims = np.array([[True, False], [True, True], [False, False]])
    shares = rules.remedies(np.array([0.5, 1.0]), np.array([1.0, 2.0]), aims)
    assert shares == pytest.approx([0.5 / 3, 2.5 / 3, 0.0])
    assert rules.remedies(np.zeros(2), np.ones(2), aims).tolist() == [0.0, 0.0, 0.0]


def test_learning_is_bayes_rule_where_nothing_is_forgotten() -> None:
    """Prior N(1, 4), one observation 3 = 1 x b with variance 4: posterior N(2, 2)."""
    belief, doubt = rules.learn(np.array([1.0]), np.array([[4.0]]), np.array([1.0]), 3.0, 2.0, 1.0)
    assert belief.tolist() == [2.0]
    assert doubt.tolist() == [[2.0]]


def test_forgetting_gives_the_last_evidence_more_weight() -> None:
    """With memory .5: k = 4 / (.5 x 4 + 4) = 2/3, belief 1 + 2/3 x 2, doubt (4 - 8/3) / .5."""
    belief, doubt = rules.learn(np.array([1.0]), np.array([[4.0]]), np.array([1.0]), 3.0, 2.0, 0.5)
    assert belief == pytest.approx([1 + 4 / 3])
    assert doubt == pytest.approx(np.array([[8 / 3]]))


def test_learning_quarter_by_quarter_finds_what_least_squares_finds_at_once() -> None:
    rng = np.random.default_rng(3)
    causes, noise = rng.uniform(0, 1, (30, 3)), rng.normal(0, 0.1, 30)
    changes = causes @ [2.0, -1.0, 0.5] + noise
    belief, doubt = np.ones(3), np.eye(3) * 1e8
    for cause, change in zip(causes, changes, strict=True):
        belief, doubt = rules.learn(belief, doubt, cause, float(change), 0.1, 1.0)
    assert belief == pytest.approx(np.linalg.lstsq(causes, changes, rcond=None)[0], abs=1e-5)


def test_estimates_all_alike_leave_the_plan_and_losses_get_nothing() -> None:
    planned = np.array([30.0, 10.0, 60.0])
    assert rules.reweighted(planned, np.full(3, 0.7)) == pytest.approx([30.0, 10.0, 60.0])
    assert rules.reweighted(planned, np.array([1.0, 3.0, 0.0])) == pytest.approx([50.0, 50.0, 0.0])
    assert rules.reweighted(planned, np.zeros(3)) is planned


def test_what_money_is_worth_goes_a_step_to_the_gain() -> None:
    assert rules.worth_now(np.ones(3), np.array([3.0, 1.0, -5.0]), 0.5).tolist() == [2.0, 1.0, 0.5]


def test_moving_money_keeps_the_sum_and_returns_what_is_not_allowed() -> None:
    planned, moved = np.array([60.0, 40.0, 0.0]), np.array([0.0, 0.1, 0.2])
    everywhere = rules.managed(planned, moved, np.ones(3, bool))
    assert everywhere == pytest.approx([42.0, 38.0, 20.0])
    assert rules.managed(planned, moved, planned > 0) == pytest.approx([54.0, 46.0, 0.0])


def test_effort_drifts_to_what_moves_the_indicators_shown() -> None:
    effort = np.array([60.0, 40.0, 0.0])
    assert rules.drifted(effort, np.array([0.0, 1.0, 3.0]), 0.2) == pytest.approx([48, 37, 15])
    assert rules.drifted(effort, np.zeros(3), 0.2) is effort


def test_a_board_counts_quarters_below_and_forgives_at_once() -> None:
    below = 0
    counts = []
    for margin in (0.046, 0.044, 0.04, float("nan"), 0.046, 0.01):
        below = rules.quarters_below(below, margin, 0.05, 0.005)
        counts.append(below)
    assert counts == [0, 1, 2, 2, 0, 1]
    assert [rules.board_cut(n, 2, 0.5, 0.0) for n in counts] == [0, 0, 0.5, 0.5, 0, 0]
    assert rules.board_cut(2, 2, 0.5, 0.6) == pytest.approx(0.2)


def test_every_lever_is_believed_to_move_indicators_that_there_are() -> None:
    assert set(rules.AIMS) == set(levers.INDEX)
    assert {kpi for aims in rules.AIMS.values() for kpi in aims} <= set(kpis.INDEX)


def test_a_mechanism_aims_by_effects_that_raise_a_lever() -> None:
    lowers = village.mechanism("lowers", village.Effect("impressions", (), -0.5))
    found = rules.aims_at([*village.MECHANISMS[:2], lowers], ["salience", "complaints_resolved"])
    assert found.tolist() == [[True, False], [False, True], [False, False]]


def test_effort_that_would_cost_more_than_planned_is_scaled_until_it_does_not() -> None:
    """The second mechanism's activity costs as much as its effort: 20 planned, 30 wished, 2/3."""
    planned = np.array([[20.0, 20.0], [0.0, 0.0]])
    effort = np.array([[10.0, 20.0], [10.0, 0.0]])
    found = within(planned, effort, lambda e: np.array([[0.0], [1.0]]) * e)
    assert found[:, 1].tolist() == [20.0, 0.0]
    assert found[:, 0] == pytest.approx([20 / 3, 20 / 3], rel=1e-5)
    assert found[0, 0] + 2 * found[1, 0] <= 20.0


# ---- in a market --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def market() -> Scenario:
    active = tuple(
        replace(m, volume=30.0) if m.key == "listening" else m for m in village.MECHANISMS
    )
    return village.scenario(quarters=6, warm_up=1, mechanisms=active)


@pytest.fixture(scope="module")
def world(market: Scenario) -> World:
    return build_world(market, 3, 0)


def busy(market: Scenario, key: str, governance: Governance | None) -> Arm:
    plan = village.plan(market, listening=20.0, service=30.0, referral=10.0)
    plan.effort[market.mechanism("referral"), :2] = 0.0
    plan = Plan(plan.effort, np.full((3, market.quarters), 4.0))
    return replace(village.arm(market, key), plan=plan, governance=governance, goals=GOALS)


def six(market: Scenario) -> list[Arm]:
    return [busy(market, "plain", None)] + [busy(market, key, r) for key, r in RULES.items()]


@pytest.fixture(scope="module")
def beside(market: Scenario, world: World) -> History:
    return simulate(market, six(market), 3, world=world)


def same(one: History, other: History) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in NAMES
    )


def lane(history: History, i: int) -> History:
    return History(*(getattr(history, name)[..., i : i + 1] for name in NAMES))


def test_a_plan_carried_out_as_it_stands_keeps_every_bit(
    market: Scenario, world: World, beside: History
) -> None:
    ruled = simulate(market, [busy(market, "plain", rule())], 3, world=world)
    assert same(ruled, lane(beside, 0))
    plan = six(market)[0].plan
    assert np.array_equal(ruled.managed[..., 0].T, np.concatenate([plan.effort, plan.investment]))


def test_order_and_lanes_change_no_bit(market: Scenario, world: World, beside: History) -> None:
    for lanes in (1, 4):
        back = simulate(market, six(market)[::-1], 3, world=world, lanes=lanes)
        turned = History(*(getattr(back, name)[..., ::-1] for name in NAMES))
        assert same(turned, beside)


def test_threads_change_no_bit(market: Scenario, world: World, beside: History) -> None:
    assert same(simulate(market, six(market), 3, world=world, threads=3), beside)


def test_where_competitors_stand_changes_no_bit(market: Scenario) -> None:
    """Governance is the organization's: rivals in another order leave all that it does."""
    firms = (*market.firms, village.firm("third"))
    forth = replace(market, firms=firms)
    back = replace(market, firms=(firms[0], firms[2], firms[1]))
    people = build_world(forth, 3, 0)
    one = simulate(forth, [busy(forth, k, r) for k, r in RULES.items()], 3, world=people)
    moved = village.permuted(people, [0, 2, 1])
    other = simulate(back, [busy(back, k, r) for k, r in RULES.items()], 3, world=moved)
    for name in ("kpi", "managed", "board_cut", "spending", "reading"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True), name


@pytest.mark.parametrize("key", RULES)
def test_each_rule_moves_money_and_none_adds_any(
    market: Scenario, beside: History, key: str
) -> None:
    """Before the first quarter is over nothing can be read; money finds what is planned or open."""
    i = 1 + list(RULES).index(key)
    planned, managed = (beside.managed[..., lane].sum(axis=1) for lane in (0, i))
    assert not np.array_equal(beside.managed[..., i], beside.managed[..., 0])
    assert (managed <= planned * (1 + 1e-9)).all()
    assert (beside.managed >= 0).all()
    assert not np.array_equal(beside.kpi[..., i], beside.kpi[..., 0], equal_nan=True)
    assert (beside.managed[:2, market.mechanism("referral"), i] == 0).all()
    assert (beside.managed[:, market.mechanism("mining"), i] == 0).all()


def test_single_loop_funds_what_reads_below_target(market: Scenario, beside: History) -> None:
    """Complaints and coverage are far from their goals, salience is not: half of 50 moves."""
    managed = beside.managed[..., 1]
    rows = [market.mechanism(key) for key in ("advertising", "service", "listening")]
    assert managed[0, rows].tolist() == [0.0, 30.0, 20.0]
    assert managed[1:, rows[0]].tolist() == [0.0] * 5
    assert (managed[2:, market.mechanism("referral")] < 10.0).all()


def test_reviews_are_held_at_the_cadence(market: Scenario, world: World) -> None:
    yearly = rule(loop="single", step=0.5, cadence=4)
    managed = simulate(market, [busy(market, "yearly", yearly)], 3, world=world).managed[..., 0]
    plain = six(market)[0].plan.effort.T
    assert np.array_equal(managed[:4, :6], plain[:4])
    assert not np.array_equal(managed[4, :6], plain[4])


def test_a_scorecard_that_is_not_lived_does_half_of_what_it_decides(
    market: Scenario, world: World, beside: History
) -> None:
    half = replace(SINGLE, maturity=0.5, late=0.0, noise=0.0, unacted=1.0)
    found = simulate(market, [busy(market, "half", half)], 3, world=world).managed
    plain, single = beside.managed[..., 0], beside.managed[..., 1]
    service = market.mechanism("service")  # the sum is fitted to what listening's activity costs
    moved = (found[1, :, 0] / found[1, :, 0].sum() - plain[1] / plain[1].sum())[service]
    whole = (single[1] / single[1].sum() - plain[1] / plain[1].sum())[service]
    assert moved == pytest.approx(whole / 2, rel=0.02)


def test_a_scorecard_that_is_not_lived_reports_late_and_blurred() -> None:
    """At maturity .25, 2 quarters late: 1.5 quarters; a share of .5 blurred by .75 x .4 x .5 xi."""
    reports = Reports((3, 0), 7, quarters=4)
    readings = [np.full((len(kpis.TABLE), 2), value) for value in (0.1, 0.3, 0.5, 0.7)]
    late = replace(SINGLE, maturity=0.25, late=2.0)
    assert reports.of(readings, 1, late) == pytest.approx(np.full(len(kpis.TABLE), 0.4))
    assert reports.of(readings[:1], 1, late) == pytest.approx(np.full(len(kpis.TABLE), 0.1))
    assert reports.of(readings, 1, SINGLE) == pytest.approx(np.full(len(kpis.TABLE), 0.7))
    blurred = reports.of(readings[:3], 0, replace(SINGLE, maturity=0.25, noise=0.4))
    row = kpis.INDEX["market_share"]
    assert blurred[row] == pytest.approx(
        np.clip(0.5 + 0.75 * 0.4 * 0.5 * reports.luck[2, row], 0, 1)
    )
    assert abs(reports.luck).max() < 5
    assert abs(reports.luck.mean()) < 0.2


def test_noisy_reports_change_decisions_on_luck_that_arms_share(
    market: Scenario, world: World
) -> None:
    noisy = replace(SINGLE, maturity=0.0, noise=0.5)
    found = simulate(
        market, [busy(market, key, noisy) for key in ("one", "other")], 3, world=world
    ).managed
    exact = simulate(market, [busy(market, "one", SINGLE)], 3, world=world).managed
    assert np.array_equal(found[..., 0], found[..., 1])
    assert not np.array_equal(found[..., 0], exact[..., 0])


def test_double_loop_leaves_the_plan_where_it_has_no_doubt(
    market: Scenario, world: World, beside: History
) -> None:
    sure = replace(DOUBLE, doubt=0.0)
    managed = simulate(market, [busy(market, "sure", sure)], 3, world=world).managed[..., 0]
    assert managed == pytest.approx(beside.managed[..., 0])
    assert beside.managed[3:, :6, 2] != pytest.approx(beside.managed[3:, :6, 0], rel=0.01)


def test_a_board_cuts_effort_and_investment_alike_and_dialogue_averts_its_share(
    market: Scenario, world: World, beside: History
) -> None:
    i = 1 + list(RULES).index("board")
    cut = beside.board_cut[:, i]
    assert set(cut.tolist()) == {0.0, 0.4}
    assert cut[0] == 0.0
    kept = 1 - cut[:, None]
    assert beside.managed[..., i] == pytest.approx(kept * beside.managed[..., 0])
    assert ((beside.afforded[:, 0, i] < 1) == (cut > 0)).all()
    assert beside.spending_worth[..., i].sum() < beside.spending_worth[..., 0].sum()
    told = replace(market, firms=(replace(market.firms[0], levers={"patience": 0.75}),
                                  market.firms[1]))  # fmt: skip
    averted = simulate(told, [busy(told, "board", BOARD)], 3, world=world)
    assert set(averted.board_cut[:, 0].round(12).tolist()) == {0.0, 0.1}


def test_patience_changes_nothing_where_no_board_cuts(
    market: Scenario, world: World, beside: History
) -> None:
    told = replace(market, firms=(replace(market.firms[0], levers={"patience": 0.75}),
                                  market.firms[1]))  # fmt: skip
    again = simulate(told, six(told)[:4], 3, world=world)
    for i in range(4):
        assert same(lane(again, i), lane(beside, i))


def test_a_copy_of_a_run_goes_on_to_the_same_bits(market: Scenario, world: World) -> None:
    from sim.engine import Run

    run = Run(market, six(market), 3, 0, world)
    for _ in range(3):
        run.advance_quarter()
    copy = run.copy()
    for each in (run, copy):
        for _ in range(3):
            each.advance_quarter()
        each.stop()
    for one, other in zip(run.rows, copy.rows, strict=True):
        assert np.array_equal(np.stack(one), np.stack(other), equal_nan=True)


# ---- at the door --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"loop": "treble"}, "loop='treble' is unknown"),
        ({"step": 0.5}, "step=0.5 is not read by loop 'none'.*single, double.*must be 0"),
        ({"loop": "single", "headline": "trust"}, "headline='trust' is not read by loop 'single'"),
        ({"maturity": 0.5}, "nobody reads reports: it must be 1"),
        ({"loop": "single", "late": 1.0}, "late=1 is not read at maturity 1"),
        ({"drift": 0.2}, "go together"),
        ({"shown": ("trust",)}, "go together"),
        ({"loop": "single", "cadence": 0}, "out of range"),
    ],
)
def test_what_would_not_be_read_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        rule(**changes)


def test_a_board_that_never_cuts_is_given_nothing_to_read() -> None:
    with pytest.raises(ValueError, match=r"after=2.*not read"):
        Patience(after=2, tolerance=0.0, cut=0.0)


@pytest.mark.parametrize(
    ("governance", "said"),
    [
        (replace(SINGLE, indicators=("trust",)), "indicators.*'trust' is unknown.*allowed: compl"),
        (replace(DOUBLE, headline="market_shar"), "headline.*did you mean 'market_share'"),
        (rule(shown=("salienc",), drift=0.1), "shown='salienc' is unknown; did you mean 'salience"),
    ],
)
def test_a_governance_that_reads_what_is_not_there_is_refused(
    market: Scenario, world: World, governance: Governance, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        simulate(market, [busy(market, "arm", governance)], 3, world=world)
