"""The whole model under changes whose effect is known, and what must be conserved (VALIDATION B6).

M3, M4, M9 and M10 (firms, rows, threads, the same luck) are in test_engine.py, M2 in test_rules.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import handmade
import numpy as np
import pytest
import village
from handmade import advanced, arm, attitude, bits, differing, field, satisfaction, started, still
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.engine import Run
from sim.firms import ARRIVED, HEARD, LEFT, RESOLVED, VOICES, FirmState
from sim.laws.peer import attitude as moved
from sim.population import build_world
from sim.scenario import Arm, Physics, Programme, Scenario
from sim.state import (
    ADDS,
    ATTITUDE,
    BROKEN,
    EXPECTATION,
    FIRM_FIELDS,
    KEPT,
    LOSSES,
    PROVIDER,
    SALIENCE,
    TICKET,
    World,
)

pytestmark = pytest.mark.validation
SPEAK = handmade.EVERYBODY_SPEAKS
VALENCE = st.floats(-1, 1)
RATE = st.floats(0, 3)


def eventful(quarters: int = 2) -> Scenario:
    """Return a village where every mechanism runs and much happens."""
    programmes = {m.key: Programme(effort=13.0, maturity=0.6) for m in village.MECHANISMS}
    market = village.scenario(quarters=quarters)
    return replace(
        market,
        firms=tuple(
            replace(f, programmes=programmes, levers={"coverage": 0.3, "conquest": 0.5})
            for f in market.firms
        ),
        stakeholders=(village.kind(count=100, voice=6.0, opportunity=0.3), village.employees()),
    )


# ---- M1: nothing but forgetting -----------------------------------------------------------------


def test_m1_with_all_gates_shut_and_no_experience_only_forgetting_is_left() -> None:
    market = eventful()
    silent = tuple(replace(k, experience=0.0) for k in market.stakeholders)
    market = replace(market, stakeholders=silent)
    people = build_world(market, 1, 0)
    run = advanced(market, people, village.arm(market, gates=np.zeros((3, 2))))
    for f in range(2):
        assert np.array_equal(attitude(run, f), people.opening_attitude[:, f])
        assert field(run, SALIENCE, f) == pytest.approx(0.5 * np.exp(-0.075 * 26), abs=1e-6)
        assert (field(run, EXPECTATION, f) == np.float32(0.6)).all()
    assert run.counts[:2].sum() > 0, "they talk, and nobody is moved"


# ---- M5, M6: conservation and bounds ------------------------------------------------------------


def test_m5_customers_voices_tickets_and_money_are_conserved() -> None:
    market = eventful(3)
    people = build_world(market, 2, 0)
    run = Run(market, (village.arm(market), village.arm(market, "more", mining=30.0)), 2, 0, people)
    for _ in range(3):
        tied, cash = run.firms.tied.copy(), run.firms.cash.copy()
        waiting = run.firms.waiting.copy()
        run.advance_quarter()
        total = run.firms.quarter
        assert np.array_equal(run.firms.tied - tied, run.counts[ADDS] - run.counts[LOSSES])
        for lane in range(2):
            counted = np.stack(
                [
                    np.bincount(people.kind[run.state.marks[:, PROVIDER, lane] == f], minlength=2)
                    for f in range(2)
                ]
            )
            assert np.array_equal(counted, run.firms.tied[:, :, lane])
            # Open tickets of those who have not left are exactly the tickets people hold.
            held = (run.state.marks[:, TICKET, lane] > 0).sum()
            assert held <= run.firms.waiting[:, lane].sum()
        gone = total[RESOLVED] + total[LEFT] + total[9]
        assert np.array_equal(run.firms.waiting, waiting + total[ARRIVED] - gone)
        assert np.array_equal(total[VOICES], run.counts[:2].sum(axis=(0, 2)))
        assert (total[HEARD] <= total[VOICES]).all()
        assert run.firms.cash - cash == pytest.approx(total[1] - total[5])


NARROW = {"complementarity": (-20.0, 1.0), "trust_prior": (0.1, 20.0), "price_weight": (0.0, 5.0)}


def anywhere(seed: int, n: int) -> list[dict[str, float]]:
    """Return n draws of all coefficients anywhere in their declared ranges, often at an end."""
    rng = np.random.default_rng(seed)
    draws: list[dict[str, float]] = []
    for _ in range(n):
        chosen: dict[str, float] = {}
        for item in fields(Physics):
            if "low" not in item.metadata:
                continue
            low, high = NARROW.get(item.name, (item.metadata["low"], item.metadata["high"]))
            share = rng.choice([0.0, 1.0, rng.uniform(), rng.uniform() ** 4])
            value = low + (high - low) * share
            chosen[item.name] = round(value) if item.type == "int" else float(value)
        draws.append(chosen)
    return draws


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=6)
@example(0)
def test_m6_states_stay_in_their_ranges_whatever_the_coefficients(seed: int) -> None:
    market = eventful(1)
    people = build_world(market, 1, 0)
    lanes = [
        village.arm(market, f"draw{i}", physics=physics)
        for i, physics in enumerate(anywhere(seed, 4))
    ]
    run = advanced(market, people, *lanes, seed=seed)
    ulp = 4 * np.finfo(np.float32).eps
    for f in range(2):
        o = f * FIRM_FIELDS
        salience, expectation = (run.state.people[:, o + w] for w in (SALIENCE, EXPECTATION))
        kept, broken = (run.state.people[:, o + w] for w in (KEPT, BROKEN))
        assert (np.abs(run.state.people[:, o + ATTITUDE]) <= 1 + ulp).all()
        assert ((salience >= -ulp) & (salience <= 1 + ulp)).all()
        assert ((expectation >= -ulp) & (expectation <= 1 + ulp)).all()
        prior = np.array([a.physics["trust_prior"] for a in lanes])
        assert (kept >= prior * (1 - 20 * ulp)).all()
        assert (broken >= prior * (1 - 20 * ulp)).all()
    assert (np.abs(run.state.people[:, -1]) <= 1 + ulp).all()
    state = run.firms
    for array in (
        state.ready,
        state.maturity,
        state.output,
        state.quality,
        state.execution,
        state.fit,
        state.delivered,
    ):
        assert ((array >= 0) & (array <= 1 + 1e-12)).all()
    for name, array in bits(run).items():
        if name not in ("kpi", "measures", "insight"):
            assert np.isfinite(array).all(), name


# ---- M11: what must rise or fall ----------------------------------------------------------------


def with_levers(market: Scenario, **given: float) -> Scenario:
    """Return the market with levers of firm 0 changed."""
    first = market.firms[0]
    return replace(
        market, firms=(replace(first, levers={**first.levers, **given}), *market.firms[1:])
    )


def test_m11_more_money_on_a_mechanism_gives_more_output_every_week() -> None:
    market = still(2, 1)
    market = replace(market, mechanisms=tuple(replace(m, dip=0.0) for m in market.mechanisms))
    lanes = [
        village.arm(market, f"spend{money}", advertising=money) for money in (0.0, 5.0, 13.0, 40.0)
    ]
    run = started(market, handmade.world(2, 1), *lanes)
    run.quarter = 1
    run.plan_quarter()
    for week in range(13):
        run.advance_week(opens=week == 0)
        assert (np.diff(run.firms.output[0, 0]) > 0).all()
        assert run.firms.output[0, 0, 0] == 0


def test_m11_more_impressions_bring_the_firm_to_every_mind() -> None:
    market = replace(
        village.scenario(quarters=1), physics=replace(village.PHYSICS, talk_hazard=0.0)
    )
    people = build_world(market, 1, 0)
    minds = [
        field(
            advanced(with_levers(market, impressions=a), people, village.arm(market), weeks=8),
            SALIENCE,
        )
        for a in (0.0, 1.0, 3.0)
    ]
    assert (minds[0] < minds[1]).all()
    assert (minds[1] < minds[2]).all()


def test_m11_more_coverage_leaves_less_doubt_about_needs() -> None:
    market = eventful(1)
    market = replace(market, firms=tuple(replace(f, programmes={}) for f in market.firms))
    people = build_world(market, 1, 0)
    doubt = [
        advanced(with_levers(market, coverage=c), people, village.arm(market)).firms.variance[
            0, 0, 0
        ]
        for c in (0.0, 0.1, 0.5, 1.0)
    ]
    assert doubt == sorted(doubt, reverse=True)
    assert len(set(doubt)) == 4


def test_m11_dearer_leaving_keeps_more_customers() -> None:
    market = eventful(2)
    people = build_world(market, 1, 0)
    lanes = [
        village.arm(market, f"psi{psi:g}", physics={"switching_cost": psi})
        for psi in (0.0, 1.5, 3.0, 5.0)
    ]
    run = Run(market, lanes, 1, 0, people)
    lost = np.zeros(4)
    for _ in range(2):
        run.advance_quarter()
        lost += run.counts[LOSSES].sum(axis=(0, 1))
    assert (np.diff(lost) < 0).all()


def test_m11_heavier_bad_word_lowers_every_attitude_where_it_is_heard() -> None:
    rng = np.random.default_rng(4)
    n = 40
    ties = rng.uniform(0.0, 0.3, (n, n)) * (1 - np.eye(n))
    people = handmade.world(n, 1, evidence=ties, opening_attitude=rng.uniform(-0.9, 0.9, (n, 1)))
    market = still(n, 1, peer_persuasion=1.0, **SPEAK)
    run = advanced(
        market,
        people,
        arm(market),
        arm(market, "two", negativity=2.0),
        arm(market, "half", negativity=0.5),
        weeks=1,
    )
    assert (attitude(run, lane=1) < attitude(run)).all()
    assert (attitude(run, lane=2) > attitude(run)).all()


def test_m11_losses_that_loom_larger_lower_every_satisfaction() -> None:
    market = still(200, 1, satisfaction_rate=0.5, performance_noise=1.0)
    market = replace(market, stakeholders=(replace(market.stakeholders[0], experience=50.0),))
    people = handmade.world(200, 1, tied=np.zeros(200))
    run = advanced(
        market, people, arm(market, loss_aversion=1.0), arm(market, "more", loss_aversion=2.5)
    )
    assert (satisfaction(run, 1) <= satisfaction(run, 0)).all()
    assert (satisfaction(run, 1) < satisfaction(run, 0)).mean() > 0.9


# ---- M14: diminishing returns -------------------------------------------------------------------


def test_m14_a_budget_split_over_two_alike_mechanisms_buys_no_less() -> None:
    effect = village.Effect("impressions", (), 3.0)
    twins = tuple(village.mechanism(f"ads{i}", effect, half_life=1000.0, dip=0.0) for i in range(2))
    bought = []
    for share in (1.0, 0.5):
        programmes = {
            f"ads{i}": Programme(effort=26.0 * s, maturity=0.8)
            for i, s in enumerate((share, 1 - share))
        }
        market = replace(
            still(2, 1), mechanisms=twins, firms=(village.firm(programmes=programmes),)
        )
        run = advanced(market, handmade.world(2, 1), weeks=1)
        bought.append(float(run.firms.lever[0, 0, 0, 0]))
    assert bought[1] > 1.2 * bought[0] > 0


# ---- M15: money is counted in any unit ----------------------------------------------------------


def in_unit(market: Scenario, c: float) -> Scenario:
    """Return the market with every amount of money multiplied by c."""
    firms = tuple(
        replace(
            f,
            fixed_cost=c * f.fixed_cost,
            fixed_income=c * f.fixed_income,
            ticket_cost=c * f.ticket_cost,
            referral_reward=c * f.referral_reward,
            capital={
                k: replace(v, stock=c * v.stock, investment=c * v.investment)
                for k, v in f.capital.items()
            },
            programmes={k: replace(v, effort=c * v.effort) for k, v in f.programmes.items()},
            policy=replace(f.policy, budget=c * f.policy.budget),
        )
        for f in market.firms
    )
    return replace(
        market,
        firms=firms,
        mechanisms=tuple(
            replace(m, setup=c * m.setup, running=c * m.running) for m in market.mechanisms
        ),
        stakeholders=tuple(replace(k, price=c * k.price) for k in market.stakeholders),
        finance=replace(market.finance, start_cash=c * market.finance.start_cash),
    )


MONEY = {
    "stock",
    "building",
    "depreciated",
    "invested",
    "effort",
    "investment",
    "due",
    "cash",
    "worth",
    "spending",
    "value",
}
MONEY_SUMS = [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("c", [8.0, 3.0])
def test_m15_counting_money_in_another_unit_changes_money_only(c: float) -> None:
    market = eventful(2)
    market = replace(
        market,
        firms=(
            replace(market.firms[0], policy=replace(market.firms[0].policy, budget=250.0)),
            market.firms[1],
        ),
    )
    dear = in_unit(market, c)
    people = build_world(market, 1, 0)
    mine = bits(advanced(market, people, village.arm(market, listening=20.0)))
    theirs = bits(advanced(dear, people, village.arm(dear, listening=c * 20.0)))
    for name, array in mine.items():
        other = theirs[name]
        if name == "kpi":
            continue
        if name == "quarter":
            assert other[MONEY_SUMS] == pytest.approx(c * array[MONEY_SUMS], rel=1e-9)
            array, other = (np.delete(x, MONEY_SUMS, axis=0) for x in (array, other))
        if name in MONEY:
            assert other == pytest.approx(c * array, rel=1e-9), name
        elif c == 8.0:
            assert np.array_equal(array, other, equal_nan=array.dtype.kind == "f"), name
        else:
            assert other == pytest.approx(array, rel=1e-6, abs=1e-6, nan_ok=True), name


# ---- M16: a run can be left and taken up --------------------------------------------------------


def taken_up(run: Run, make: Callable[[], Run]) -> Run:
    """Return another run with everything that changes in a run copied from it."""
    other = make()
    for name in ("people", "marks", "message", "spoken", "complaint"):
        getattr(other.state, name)[:] = getattr(run.state, name)
    for mine, theirs in zip(other.firms, run.firms, strict=True):
        mine[:] = theirs
    for name in ("rows", "since", "ends"):
        setattr(other.queue, name, getattr(run.queue, name).copy())
    other.week, other.quarter = run.week, run.quarter
    other.seen, other.churn = list(run.seen), list(run.churn)
    other.rows = tuple(list(rows) for rows in run.rows)
    return other


@pytest.mark.parametrize("design", [None, "joined"])
def test_m16_a_run_taken_up_from_its_state_goes_on_bit_by_bit(design: str | None) -> None:
    market = eventful(3)
    people = build_world(market, 1, 0)
    arm = village.arm(market, service=20.0)
    if design is not None:
        arm = replace(arm, design=village.joined(design))

    def make() -> Run:
        return Run(market, (arm,), 1, 0, people)

    whole, first = make(), make()
    for _ in range(3):
        whole.advance_quarter()
    first.advance_quarter()
    second = taken_up(first, make)
    for _ in range(2):
        second.advance_quarter()
    assert differing(bits(whole), bits(second)) == []


# ---- M17: a firm nobody knows -------------------------------------------------------------------


def test_m17_a_firm_that_is_in_nobodys_mind_changes_nothing() -> None:
    market = eventful(2)
    people = build_world(market, 1, 0)
    unknown = village.firm("zz", programmes={}, levers={"coverage": 0.0})
    larger = replace(market, firms=(*market.firms, unknown))
    wider = replace(
        people,
        opening_attitude=np.ascontiguousarray(np.pad(people.opening_attitude, ((0, 0), (0, 1)))),
        routing=(*people.routing, people.routing[0]),
    )
    two = advanced(market, people, village.arm(market))
    run = started(larger, wider, village.arm(larger))
    run.state.people[:, 2 * FIRM_FIELDS + SALIENCE] = 0.0
    for _ in range(2):
        run.advance_quarter()
    assert np.array_equal(two.state.marks, run.state.marks)
    assert np.array_equal(two.state.people[:, :-1], run.state.people[:, : 2 * FIRM_FIELDS])
    assert np.array_equal(two.state.people[:, -1], run.state.people[:, -1])
    for name in FirmState._fields:
        axis = 1 if name in ("lever", "quarter") else 0
        shown = np.take(getattr(run.firms, name), [0, 1], axis)
        assert np.array_equal(getattr(two.firms, name), shown), name


# ---- M18: without a bound and without signs -----------------------------------------------------


def test_m18_a_confidence_that_hears_everybody_is_the_unbounded_path_to_the_bit() -> None:
    market = eventful(1)
    people = build_world(market, 1, 0)
    alone = bits(advanced(market, people, village.arm(market)))
    beside = bits(
        advanced(
            market,
            people,
            village.arm(market),
            village.arm(market, "bounded", physics={"confidence": 0.3}),
        )
    )
    first = {name: array[..., :1] for name, array in beside.items()}
    assert differing(alone, first) == []
    assert not np.array_equal(beside["people"][..., 0], beside["people"][..., 1])


# ---- M20: every change is accounted for ---------------------------------------------------------


@given(VALENCE, VALENCE, RATE, RATE, VALENCE, RATE, VALENCE, RATE, VALENCE)
def test_m20_the_flows_shares_of_a_change_of_attitude_add_up_to_it(
    x: float,
    opening: float,
    anchor: float,
    heard: float,
    said: float,
    claimed: float,
    claim: float,
    lived: float,
    satisfied: float,
) -> None:
    """A flow's share is what is left when all others point to where one already is."""

    def change(target: float, say: float, claims: float, felt: float) -> float:
        return moved(x, target, anchor, heard, heard * say, claimed, claims, lived, felt) - x

    whole = change(opening, said, claim, satisfied)
    shares = (
        change(opening, x, x, x),
        change(x, said, x, x),
        change(x, x, claim, x),
        change(x, x, x, satisfied),
    )
    assert sum(shares) == pytest.approx(whole, abs=1e-13)


def test_m20_two_kinds_of_evidence_met_in_one_week_add_up_through_the_engine() -> None:
    """Claims (rate .4 to .8) and a peer (rate .6 to -.5) at once: x = (.32 - .3)(1 - e^-1)."""
    ties = np.array([[0, 0.6], [0, 0]])
    market = still(2, 1, peer_persuasion=1.0, claim_persuasion=0.1, **SPEAK)
    firm = village.firm(programmes={}, claim=0.8, levers={"impressions": 4.0})
    people: World = handmade.world(2, 1, evidence=ties, opening_attitude=[[0.0], [-0.5]])
    run = advanced(replace(market, firms=(firm,)), people, weeks=1)
    assert attitude(run)[0] == pytest.approx(0.02 * 0.6321205588, abs=2e-5)
    assert isinstance(run.arms[0], Arm)
