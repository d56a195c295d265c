"""What must rise and what must fall, on random settings (VALIDATION B6, M11 and M14).

Where nothing feeds back (one week, or speakers and choices frozen) the order holds person by person
on the same luck. Churn over a longer time holds only in sum, and is asked of a known market.
"""

from __future__ import annotations

from dataclasses import replace

import handmade
import numpy as np
import pytest
import village
from anywhere import SEEDS, market_of
from handmade import advanced, arm, attitude, field, satisfaction, started, still
from hypothesis import given, settings
from hypothesis import strategies as st
from test_metamorphic import eventful

from sim.engine import Run
from sim.organization import Programme
from sim.plans import Arm, Plan
from sim.population import build_world
from sim.scenario import Scenario
from sim.state import LOSSES, PROVIDER, SALIENCE, VOICES, World

pytestmark = pytest.mark.validation
SPEAK = handmade.EVERYBODY_SPEAKS
FEW = settings(max_examples=15)


def with_levers(market: Scenario, **given: float) -> Scenario:
    """Return the market with levers of firm 0 changed."""
    first = market.firms[0]
    return replace(
        market, firms=(replace(first, levers={**first.levers, **given}), *market.firms[1:])
    )


@given(SEEDS)
@FEW
def test_m11_more_money_on_a_mechanism_gives_more_output_every_week(seed: int) -> None:
    """Any mechanism, any law of maturity, nothing lost to learning it."""
    rng = np.random.default_rng(seed)
    market = market_of(seed)
    first = replace(market.firms[0], programmes={}, policy=village.firm().policy)
    market = replace(
        market,
        firms=(first,),
        mechanisms=tuple(replace(m, dip=0.0) for m in market.mechanisms),
        stakeholders=tuple(replace(k, tied={}) for k in market.stakeholders),
        physics=replace(market.physics, complementarity=float(rng.uniform(-5, 1))),
    )
    which = int(rng.integers(len(market.mechanisms)))
    money = np.cumsum([0.0, *rng.uniform(1, 20, 3)])
    lanes = []
    for spent in money:
        effort = np.zeros((len(market.mechanisms), 1))
        effort[which] = spent
        lanes.append(Arm(f"spend{spent}", "x", Plan(effort, np.zeros((3, 1))), np.ones((3, 1)), {}))
    run = started(market, build_world(market, seed, 0), *lanes)
    run.quarter = 1
    run.plan_quarter()
    for week in range(13):
        run.advance_week(opens=week == 0)
        assert (np.diff(run.firms.output[0, which]) > 0).all()
        assert run.firms.output[0, which, 0] == 0


@given(SEEDS)
@FEW
def test_m11_more_impressions_bring_the_firm_to_every_mind(seed: int) -> None:
    market = market_of(seed)
    physics = replace(
        market.physics,
        talk_hazard=0.0,
        salience_per_impression=0.05,
        salience_decay=min(market.physics.salience_decay, 0.2),
        salience_per_experience=0.5,
    )
    market = replace(market, physics=physics)
    kinds = tuple(replace(k, opportunity=0.0, salience=0.5) for k in market.stakeholders)
    market = replace(market, stakeholders=kinds)
    people = build_world(market, seed, 0)
    minds = [
        field(
            advanced(with_levers(market, impressions=a), people, village.arm(market), weeks=6),
            SALIENCE,
        )
        for a in (0.0, 1.0, 3.0)
    ]
    assert (minds[0] < minds[1]).all()
    assert (minds[1] < minds[2]).all()


@given(st.integers(2, 60), st.lists(st.floats(0, 1), min_size=4, max_size=4, unique=True), SEEDS)
@FEW
def test_m11_more_coverage_leaves_no_more_doubt_about_needs(
    n: int, coverages: list[float], seed: int
) -> None:
    """Speakers and luck alike: one hears at least as many, every week."""
    market = still(n, 1, need_drift=0.1, **SPEAK)
    people = handmade.world(n, 1)
    doubt = []
    for c in (0.0, *sorted(coverages), 1.0):
        run = started(with_levers(market, coverage=c), people, seed=seed)
        weekly = []
        for week in range(6):
            run.advance_week(opens=week == 0)
            weekly.append(run.firms.variance[0, 0, 0])
        assert run.firms.quarter[VOICES, 0, 0] == 6 * n
        doubt.append(weekly)
    assert (np.diff(doubt, axis=0) <= 0).all()
    assert np.less(doubt[-1], doubt[0]).all()


def choosing(seed: int, **physics: float) -> tuple[Scenario, World]:
    """Return a market of random appeal, attitudes and providers in which all choose each week."""
    rng = np.random.default_rng(seed)
    n, n_firms = 300, int(rng.integers(1, 4))
    market = still(n, n_firms, **physics)
    firms = tuple(replace(f, appeal=float(rng.uniform(-1, 1))) for f in market.firms)
    people = handmade.world(
        n,
        n_firms,
        opportunity=np.full(n, 50.0),
        opening_attitude=rng.uniform(-1, 1, (n, n_firms)),
        tied=rng.integers(-1, n_firms, n),
    )
    return replace(market, firms=firms), people


@given(SEEDS, st.floats(0, 3), st.floats(0.05, 3))
@FEW
def test_m11_dearer_leaving_keeps_whoever_would_have_stayed(
    seed: int, cost: float, more: float
) -> None:
    market, people = choosing(seed)
    run = advanced(
        market,
        people,
        arm(market, switching_cost=cost),
        arm(market, "dear", switching_cost=cost + more),
        weeks=1,
    )
    stayed, stays = (run.state.marks[:, PROVIDER, :2] == people.tied[:, None]).T
    tied = people.tied >= 0
    assert (stays | ~stayed)[tied].all()
    assert run.counts[LOSSES, ..., 1].sum() <= run.counts[LOSSES, ..., 0].sum()
    if more > 1:
        assert stays[tied].sum() > stayed[tied].sum()


def test_m11_dearer_leaving_loses_fewer_customers_in_half_a_year() -> None:
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


@given(SEEDS, st.floats(0.1, 3), st.floats(0.05, 2))
@FEW
def test_m11_a_higher_price_wins_nobody_and_loses_some(
    seed: int, weight: float, dearer: float
) -> None:
    market, people = choosing(seed, price_weight=weight)
    ours = market.firms[0]
    dear = replace(market, firms=(replace(ours, price=1.0 + dearer), *market.firms[1:]))
    before, after = (
        advanced(m, people, weeks=1).state.marks[:, PROVIDER, 0] for m in (market, dear)
    )
    changed = before != after
    assert (before[changed] == 0).all()
    if weight * np.log1p(dearer) > 0.3:
        assert changed.any()


@given(SEEDS)
@FEW
def test_m11_heavier_bad_word_lowers_all_whom_talk_does_not_lift(seed: int) -> None:
    """Whoever thinks worse than what is heard on the whole is lifted faster, so not everybody."""
    rng = np.random.default_rng(seed)
    n = 40
    ties = rng.uniform(0.0, 0.3, (n, n)) * (1 - np.eye(n))
    opening = rng.uniform(-0.9, 0.9, n).astype(np.float32)
    people = handmade.world(n, 1, evidence=ties, opening_attitude=opening[:, None])
    market = still(n, 1, peer_persuasion=rng.uniform(0.1, 2), anchor=rng.uniform(0, 1), **SPEAK)
    weights = np.cumsum(rng.uniform(0.2, 1.2, 4))
    lanes = [arm(market, f"weight{w:g}", negativity=float(w)) for w in weights]
    run = advanced(market, people, *lanes, weeks=1)
    for lane in range(3):
        fell = attitude(run, lane=lane) <= opening
        assert fell.sum() > n / 4
        assert (attitude(run, lane=lane + 1) < attitude(run, lane=lane))[fell].all()


@given(SEEDS)
@FEW
def test_m11_losses_that_loom_larger_lower_every_satisfaction(seed: int) -> None:
    rng = np.random.default_rng(seed)
    market = still(
        100,
        1,
        satisfaction_rate=rng.uniform(0.05, 1),
        performance_noise=rng.uniform(0.5, 2),
        disconfirmation=rng.uniform(0.2, 3),
        performance_effect=rng.uniform(0, 2),
        expectation_rate=rng.uniform(0, 1),
    )
    market = replace(market, stakeholders=(replace(market.stakeholders[0], experience=50.0),))
    people = handmade.world(100, 1, tied=np.zeros(100))
    lanes = (arm(market, loss_aversion=1.0), arm(market, "more", loss_aversion=2.5))
    run = advanced(market, people, *lanes, seed=seed)
    assert (satisfaction(run, 1) <= satisfaction(run, 0)).all()
    assert (satisfaction(run, 1) < satisfaction(run, 0)).mean() > 0.9


@given(st.floats(1, 200), st.floats(0.05, 1))
@FEW
def test_m14_a_budget_split_over_two_alike_mechanisms_buys_no_less(
    money: float, maturity: float
) -> None:
    """Output is strictly concave in money, so more, but for money that is next to nothing."""
    effect = village.Effect("impressions", (), 3.0)
    twins = tuple(village.mechanism(f"ads{i}", effect, half_life=1000.0, dip=0.0) for i in range(2))
    bought = []
    for share in (1.0, 0.5):
        programmes = {
            f"ads{i}": Programme(effort=money * s, maturity=maturity)
            for i, s in enumerate((share, 1 - share))
        }
        market = replace(
            still(2, 1, maturity_decay=0.0),
            mechanisms=twins,
            firms=(village.firm(programmes=programmes),),
        )
        run = advanced(market, handmade.world(2, 1), weeks=1)
        bought.append(float(run.firms.lever[0, 0, 0, 0]))
    assert bought[1] > bought[0] > 0
    if money > 13:
        assert bought[1] > 1.2 * bought[0]
