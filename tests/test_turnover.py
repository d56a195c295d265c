"""Who leaves and who comes: in which weeks, as whom, and what becomes of firms and of luck."""

from __future__ import annotations

from dataclasses import replace

import handmade
import numpy as np
import pytest
import village
from handmade import bits, differing, field, satisfaction, started
from test_across import lively
from test_story import three
from test_trace import lived

from experiments.story import name_of, row_of, tell
from experiments.story_words import paragraph
from sim.engine import Run, simulate
from sim.flows import Flow, muted
from sim.outside import Season
from sim.population import build_world, traits_of
from sim.scenario import Scenario
from sim.state import (
    ATTITUDE,
    BROKEN,
    EXPECTATION,
    FIRM_FIELDS,
    KEPT,
    LOSSES,
    OFFER,
    PROVIDER,
    SALIENCE,
    TENURE,
    TICKET,
)
from sim.turnover import newcomers, successors

SEED = 7


def restless(turnover: float = 2.0, **changes: object) -> Scenario:
    """Return the lively village, of which everybody leaves sooner or later."""
    market = lively()
    kinds = tuple(replace(kind, turnover=turnover) for kind in market.stakeholders)
    return replace(market, stakeholders=kinds, **changes)


def lived_through(market: Scenario, seed: int = SEED, **plans: float) -> Run:
    run = Run(market, [village.arm(market, **plans)], seed, 0, build_world(market, seed, 0))
    for _ in range(market.quarters):
        run.advance_quarter()
    return run


# ---- who, and when ------------------------------------------------------------------------------


def test_where_nobody_leaves_nobody_comes() -> None:
    market = lively()
    come = newcomers(market, build_world(market, SEED, 0), SEED, 0)
    assert not len(come.row)


def test_people_leave_at_the_rate_of_their_type() -> None:
    """Of 4,000 places, 1 - exp(-rate) change hands within a year; a week is rounded up."""
    market = village.scenario(
        quarters=4,
        stakeholders=(village.kind(count=4000, turnover=0.4), village.employees(50)),
        warm_up=0,
    )
    world = build_world(market, SEED, 0)
    come = newcomers(market, world, SEED, 0)
    assert (world.kind[come.row] == 0).all()
    first = np.unique(come.row, return_index=True)[1]
    share = len(first) / 4000
    # Who leaves within the last week comes at the beginning of the next one.
    expected = 1 - np.exp(-0.4 * 51 / 52)
    assert share == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 4000))
    early = (come.week[first] <= 27).sum() / 4000
    assert early == pytest.approx(1 - np.exp(-0.2), abs=4 * np.sqrt(0.18 * 0.82 / 4000))
    per_place = len(come.row) / 4000
    assert per_place == pytest.approx(0.4 * 51 / 52, abs=4 * np.sqrt(0.4 / 4000))


def test_everybody_who_comes_has_an_id_of_their_own_whatever_the_seed() -> None:
    market = restless()
    world = build_world(market, SEED, 0)
    come = newcomers(market, world, SEED, 0)
    assert len(come.row) > world.n_stakeholders / 2
    everybody = np.concatenate([world.ids, come.ids])
    assert len(np.unique(everybody)) == len(everybody)
    other = newcomers(market, build_world(market, 8, 3), 8, 3)
    assert len(np.intersect1d(come.ids, other.ids)) > len(come.ids) / 2
    again = [successors(world.ids[:5], n) for n in (1, 2)]
    assert np.isin(again[0], come.ids).any()
    assert not np.intersect1d(*again).size


def test_a_higher_rate_lets_the_same_people_leave_sooner() -> None:
    market = restless(0.5)
    world = build_world(market, SEED, 0)
    slow, fast = (newcomers(restless(rate), world, SEED, 0) for rate in (0.5, 1.5))
    for row in np.unique(slow.row):
        assert fast.week[fast.row == row].min() <= slow.week[slow.row == row].min()


def test_they_come_in_the_order_of_weeks_and_leave_the_world_as_it_was() -> None:
    market = restless()
    world = build_world(market, SEED, 0)
    ids = world.ids.copy()
    come = newcomers(market, world, SEED, 0)
    assert (np.diff(come.week) >= 0).all()
    run = lived_through(market)
    assert np.array_equal(world.ids, ids)
    assert np.array_equal(run.facts.ids, come.ids_after(run.week, ids))
    assert not np.array_equal(run.facts.ids, ids)
    half = [come.of(week) for week in range(1, run.week + 1)]
    assert sum(len(part.row) for part in half) == len(come.row)


# ---- as whom ------------------------------------------------------------------------------------


def test_who_comes_knows_only_what_newcomers_know() -> None:
    """The week is lived by hand up to the arrival; who looks for a provider finds none worth it."""
    still = village.scenario(
        stakeholders=(
            village.kind(count=50, turnover=1.5, experience=0.0, opportunity=0.0),
            replace(village.employees(40), turnover=1.5, experience=0.0),
        ),
        physics=replace(
            village.PHYSICS,
            **{**handmade.STILL, "switching_cost": 3.2, "none_utility": 10.0},
        ),
        firms=(village.firm(programmes={}), village.firm("theirs", programmes={})),
    )
    world = build_world(still, SEED, 0)
    run = started(still, world)
    come = run.newcomers.of(run.week + 1)
    while not (run.facts.customer[world.kind[come.row]].any() and
               (world.department[come.row] >= 0).any()):  # fmt: skip
        run.advance_week(opens=False)
        come = run.newcomers.of(run.week + 1)
    stay = np.setdiff1d(np.arange(world.n_stakeholders), come.row)
    run.state.people[:] = 0.75
    run.state.marks[:, PROVIDER] = 1
    run.state.marks[:, TENURE] = 9
    run.state.marks[:, OFFER] = 65536 + 500
    run.advance_week(opens=False)
    rows, kinds = come.row, world.kind[come.row]
    traits = traits_of(still, come.ids, kinds, SEED, 0)
    salience = np.array([kind.salience for kind in still.stakeholders], np.float32)
    tied = np.where(kinds == 0, -1, world.tied[rows])
    assert np.array_equal(run.state.marks[rows, PROVIDER, 0], tied)
    assert np.array_equal(run.state.marks[rows, TENURE, 0], np.ones(len(rows)))
    assert not run.state.marks[rows][:, [TICKET, OFFER], 0].any()
    for f in range(2):
        about = {which: field(run, which, f)[rows] for which in range(FIRM_FIELDS)}
        assert about[ATTITUDE] == pytest.approx(traits.opening_attitude[:, f], abs=1e-6)
        assert about[SALIENCE] == pytest.approx(salience[kinds], abs=1e-6)
        assert about[EXPECTATION] == pytest.approx([0.6] * len(rows), abs=1e-6)
        assert about[KEPT] == pytest.approx([2.0] * len(rows))
        assert about[BROKEN] == pytest.approx([2.0] * len(rows))
    assert not satisfaction(run)[rows].any()
    assert (satisfaction(run)[stay] == 0.75).all()
    assert (run.state.marks[stay, TENURE, 0] == 10).all()
    assert np.array_equal(run.facts.voice[rows], traits.voice)
    assert np.array_equal(run.facts.opportunity[rows], traits.opportunity)
    lost = run.counts[LOSSES, 1, 0, 0]
    assert lost >= (kinds == 0).sum()


def test_ties_are_counted_as_they_are_and_the_books_agree() -> None:
    run = lived_through(restless())
    kinds, customer = run.world.kind, run.facts.customer
    provider = run.state.marks[:, PROVIDER, 0]
    for f in range(2):
        tied = np.bincount(kinds[provider == f], minlength=len(customer))
        assert np.array_equal(run.firms.tied[f, :, 0], tied)
    assert np.array_equal(provider[~customer[kinds]], run.world.tied[~customer[kinds]])


def test_newcomers_choose_at_once_as_strangers_to_all_firms_do() -> None:
    """Two firms alike and none, all of value 0 to strangers who have both in mind: thirds.

    Nobody else ever chooses: of those who have come, a third is with each and a third with none.
    """
    people = village.kind(
        count=6000, turnover=1.0, opportunity=0.0, spread=0.0, salience=1.0, attitude_sd=0.0,
        experience=0.0, tied={"ours": 1.0},
    )  # fmt: skip
    firms = tuple(village.firm(key, programmes={}) for key in ("ours", "theirs"))
    market = village.scenario(quarters=4, stakeholders=(people,), layers=(), firms=firms)
    still = {**handmade.STILL, "expectation_reference": 0.6, "switching_cost": 3.0}
    market = replace(market, physics=replace(market.physics, **still))
    run = lived_through(market)
    come = np.unique(run.newcomers.row)
    assert len(come) > 3000
    provider = run.state.marks[:, PROVIDER, 0]
    for chosen in (-1, 0, 1):
        share = (provider[come] == chosen).mean()
        assert share == pytest.approx(1 / 3, abs=4 * np.sqrt(2 / 9 / len(come)))
    stayed = np.setdiff1d(np.arange(6000), come)
    assert (provider[stayed] == 0).all()


def test_a_market_in_a_season_retraces_as_well() -> None:
    """Occasions of a season are those that the run had, not those of an even year."""
    market = restless(1.0, season=Season(0.5, 0.9, 5))
    world = build_world(market, SEED, 0)
    _, weeks = lived(market, world, range(0, 40), lanes=(0,), arm=village.arm(market))
    assert any(week.occasion is not None and week.moved for week in weeks)


# ---- luck, layouts, checkpoints -----------------------------------------------------------------


def test_the_same_people_leave_in_every_arm_and_twin() -> None:
    market = restless()
    arms = [
        village.arm(market, "one"),
        village.arm(market, "two", service=200.0, gates=muted(Flow.PEERS_ABOUT_US, 2)),
    ]
    world = build_world(market, SEED, 0)
    together = simulate(market, arms, SEED, world=world)
    for j, arm in enumerate(arms):
        alone = simulate(market, [arm], SEED, world=world)
        assert np.array_equal(alone.kpi[..., 0], together.kpi[..., j], equal_nan=True)
        assert np.array_equal(alone.measures[..., 0], together.measures[..., j], equal_nan=True)
    assert not np.array_equal(together.kpi[..., 0], together.kpi[..., 1], equal_nan=True)


@pytest.mark.parametrize("n_arms", [1, 3, 16])
def test_threads_lanes_and_the_order_of_rows_change_no_bit(n_arms: int) -> None:
    market = restless()
    world = build_world(market, SEED, 0)
    order = np.random.default_rng(2).permutation(world.n_stakeholders)
    moved = village.reordered(world, order)
    arms = [village.arm(market, f"arm {j}", service=20.0 * j) for j in range(n_arms)]
    whole = simulate(market, arms, SEED, world=world)
    for other in (
        simulate(market, arms, SEED, world=world, threads=3),
        simulate(market, arms, SEED, world=world, lanes=1),
        simulate(market, arms, SEED, world=moved),
    ):
        assert np.array_equal(whole.kpi, other.kpi, equal_nan=True)
        assert np.array_equal(whole.measures, other.measures, equal_nan=True)


def test_two_firms_alike_that_trade_places_trade_results() -> None:
    market = restless(quarters=2)
    there = replace(market, firms=market.firms[::-1])
    ours, theirs = lived_through(market), lived_through(there)
    for which in range(FIRM_FIELDS):
        for f in range(2):
            assert np.array_equal(field(ours, which, f), field(theirs, which, 1 - f))
    assert np.array_equal(satisfaction(ours), satisfaction(theirs))


def test_a_copy_goes_on_by_itself_to_the_same_bits() -> None:
    market = restless()
    run = started(market, build_world(market, SEED, 0))
    run.advance_quarter()
    copy = run.copy()
    for _ in range(market.quarters - 1):
        run.advance_quarter()
    ids = copy.facts.ids.copy()
    assert not np.array_equal(ids, run.facts.ids)
    for _ in range(market.quarters - 1):
        copy.advance_quarter()
    assert differing(bits(run), bits(copy)) == []


def test_staying_for_ever_is_what_the_model_did_before_anybody_could_leave() -> None:
    """A rate so low that nobody leaves before the horizon changes no bit."""
    market = lively()
    kinds = tuple(replace(kind, turnover=1e-9) for kind in market.stakeholders)
    nearly = replace(market, stakeholders=kinds)
    assert differing(bits(lived_through(market)), bits(lived_through(nearly))) == []


# ---- whoever looks on ---------------------------------------------------------------------------


def test_every_week_of_a_place_that_changes_hands_is_retraced() -> None:
    market = restless(3.0)
    world = build_world(market, SEED, 0)
    _, weeks = lived(market, world, range(0, 60), lanes=(0,), arm=village.arm(market, service=90.0))
    came = [week for week in weeks if week.came]
    assert len(came) > 20
    assert len({week.ident for week in weeks}) == 60 + len(came)


def test_a_story_is_that_of_the_one_who_is_there_at_the_close() -> None:
    plot = three(0.0, -0.4, 0.0, -0.8)
    market = replace(
        plot.scenario,
        quarters=3,
        warm_up=0,
        stakeholders=(replace(plot.scenario.stakeholders[0], turnover=2.0),),
    )
    come = newcomers(market, plot.world, plot.seed, plot.replication)
    row = int(come.row[0])
    arms = [replace(arm, plan=village.arm(market).plan) for arm in (plot.arm, plot.twin)]
    plot = replace(plot, scenario=market, quarter=3, arm=arms[0], twin=arms[1])
    story = tell(plot, row)
    last = come.week[come.row == row].max()
    assert story.lives[0][0].number == last
    assert len(story.lives[0]) == len(story.lives[1]) == 39 - last + 1
    name = name_of(market, row, story.ident)
    assert story.ident != plot.world.ids[row]
    assert row_of(plot, name) == row
    assert row_of(plot, f"{int(plot.world.ids[row]):016x}") is None
    assert paragraph(story).startswith(f"{name} ({market.stakeholders[0].label.lower()}) comes in")


def test_windows_show_who_is_there_now() -> None:
    mesa = pytest.importorskip("mesa")
    from sim import InfluenceModel

    market = restless()
    model = InfluenceModel(market, seed=SEED)
    assert isinstance(model, mesa.Model)
    before = [one.id for one in model.stakeholders]
    for _ in range(2):
        model.step()
    after = [one.id for one in model.stakeholders]
    changed = np.flatnonzero(np.array(before) != np.array(after))
    assert len(changed)
    world = build_world(market, SEED, 0)
    row = int(changed[0])
    traits = traits_of(market, np.array([after[row]], np.uint64), world.kind[[row]], SEED, 0)
    seen = model.stakeholders[row]
    assert seen.voice == traits.voice[0]
    assert np.array_equal(seen.opening_attitude, traits.opening_attitude[0])


@pytest.mark.parametrize("rate", [-0.1, 11.0, float("nan")])
def test_a_rate_that_makes_no_sense_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="turnover"):
        village.kind(turnover=rate)
