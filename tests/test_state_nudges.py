"""A nudge shifts what stakeholders hold of a firm, of all of them or of some that are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import handmade
import numpy as np
import pytest
import village

from sim import lookup, rng
from sim.engine import MOST_LANES, Run, simulate
from sim.plans import Arm, Nudge
from sim.population import build_world
from sim.reaching import PULL_SCALE
from sim.scenario import Scenario
from sim.state import (
    ATTITUDE,
    BROKEN,
    EXPECTATION,
    KEPT,
    PEER_RATE,
    SALIENCE,
    World,
)
from sim.trace import Witness

SEED = 7
PLACES = {"salience": SALIENCE, "attitude": ATTITUDE, "expectation": EXPECTATION}


def nudged(market: Scenario, *nudges: Nudge, key: str = "nudged") -> Arm:
    return replace(village.arm(market, key), nudges=nudges)


def pushed(*nudges: Nudge, quarters: int = 1, **physics: float) -> Run:
    """Return a run of a market of three in which nothing but the nudges happens."""
    market = handmade.still(n_firms=2, quarters=quarters, **physics)
    people = handmade.world(3, tied=[0, 1, -1])
    return handmade.advanced(market, people, nudged(market, *nudges), seed=SEED)


def trust(run: Run, firm: int = 0) -> np.ndarray:
    kept = handmade.field(run, KEPT, firm)
    return np.asarray(kept / (kept + handmade.field(run, BROKEN, firm)))


@pytest.mark.parametrize(
    ("state", "by", "before", "after"),
    [
        ("salience", -0.25, 1.0, 0.75),
        ("salience", 0.5, 1.0, 1.0),
        ("attitude", 0.25, 0.0, 0.25),
        ("attitude", -1.5, 0.0, -1.0),
        ("expectation", 0.125, 0.6, 0.725),
        ("expectation", -0.75, 0.6, 0.0),
    ],
)
def test_a_state_is_shifted_by_so_much_and_stays_within_its_range(
    state: str, by: float, before: float, after: float
) -> None:
    run = pushed(Nudge(by, state=state))
    field = PLACES[state]
    assert handmade.field(run, field).tolist() == pytest.approx([after] * 3, abs=1e-6)
    assert handmade.field(run, field, firm=1).tolist() == pytest.approx([before] * 3, abs=1e-6)


@pytest.mark.parametrize(("by", "kept"), [(0.25, 3.0), (-0.25, 1.0), (0.75, 4.0), (-0.75, 0.0)])
def test_trust_is_shifted_and_rests_on_as_much_evidence_as_before(by: float, kept: float) -> None:
    """Opening: two promises kept and two broken, trust one half."""
    run = pushed(Nudge(by, state="trust", firm="rivals"))
    assert handmade.field(run, KEPT, 1).tolist() == [kept] * 3
    assert handmade.field(run, BROKEN, 1).tolist() == [4.0 - kept] * 3
    assert trust(run).tolist() == [0.5] * 3


def test_trust_that_was_taken_comes_back_as_evidence_is_forgotten() -> None:
    run = pushed(Nudge(-0.5, state="trust", once=True), quarters=2, trust_decay=0.02)
    left = np.exp(-0.02 * 26)
    assert handmade.field(run, KEPT)[0] == pytest.approx(2 - 2 * left, rel=1e-5)
    assert handmade.field(run, BROKEN)[0] == pytest.approx(2 + 2 * left, rel=1e-5)


def test_only_those_tied_to_the_firm_are_more_satisfied_with_it() -> None:
    run = pushed(Nudge(0.5, state="satisfaction"), Nudge(-0.25, state="satisfaction", firm="firm1"))
    assert handmade.satisfaction(run).tolist() == [0.5, -0.25, 0.0]


def test_a_shift_comes_every_quarter_from_its_own_on_or_once() -> None:
    lasting = Nudge(0.25, state="attitude", quarter=2)
    kept, once = (pushed(n, quarters=4) for n in (lasting, replace(lasting, once=True)))
    assert handmade.attitude(kept).tolist() == [0.75] * 3
    assert handmade.attitude(once).tolist() == [0.25] * 3


def test_shifts_of_the_same_add_up_before_the_range_ends_them() -> None:
    run = pushed(Nudge(1.5, state="attitude"), Nudge(-1.0, state="attitude"))
    assert handmade.attitude(run).tolist() == [0.5] * 3


def test_nudges_reach_the_types_they_name() -> None:
    market = village.scenario(quarters=1)
    nudge = Nudge(0.5, state="attitude", to=("employees",))
    run = Run(market, [nudged(market, nudge)], SEED, 0, build_world(market, SEED, 0))
    run.advance_quarter()
    (shift,) = run.shifted
    assert shift.rows.tolist() == np.flatnonzero(run.world.kind == 1).tolist()


def test_of_a_firm_that_has_not_entered_nobody_holds_anything() -> None:
    from experiments.settings import load

    market = load(["scenario=village", "shocks=new_entrant"]).scenario
    arm = replace(village.arm(market), nudges=(Nudge(0.5, state="salience", firm="rivals"),))
    run = Run(market, [arm], SEED, 0, build_world(market, SEED, 0))
    entry = next(shock for shock in market.shocks if shock.kind == "new_entrant").quarter
    firms = []
    for _ in range(entry):
        run.advance_quarter()
        firms.append(sorted(shift.firm for shift in run.shifted))
    newcomer = len(market.firms) - 1
    assert all(newcomer not in each for each in firms[: entry - 1])
    assert newcomer in firms[-1]


# ---- whom ----------------------------------------------------------------------------------------


def hub(n: int = 6) -> np.ndarray:
    """Return who hears whom: all hear 0 but 0, 5 and 4 hear 1, 5 hears 2."""
    hears = np.zeros((n, n))
    hears[1:, 0] = 0.5
    hears[[4, 5], 1] = 0.5
    hears[5, 2] = 0.5
    return hears


def reached(run: Run, nudge: Nudge, lane: int = 0) -> list[int]:
    return [int(row) for row in run.reaching.rows(nudge, 0, lane, run.facts.ids)]


def test_reach_is_how_many_hear_somebody_and_equals_are_ranked_by_id() -> None:
    people = handmade.world(6, 1, evidence=hub())
    run = handmade.started(handmade.still(6), people)
    by_id = sorted((3, 4, 5), key=lambda row: int(people.ids[row]))
    for n in range(1, 7):
        nudge = Nudge(0.1, state="attitude", whom="reach", share=n / 6)
        assert reached(run, nudge) == sorted([0, 1, 2, *by_id][:n])


def test_a_tie_in_several_layers_or_parts_is_one_hearer() -> None:
    people = handmade.world(6, 1, evidence=hub())
    twice = np.repeat(np.arange(len(people.indices)), 1 + 2 * (people.indices == 2))
    people = replace(
        people,
        indptr=np.concatenate([people.indptr[:-1], [len(twice)]]),
        **{name: getattr(people, name)[twice]
           for name in ("indices", "contact", "evidence", "layer")},
    )  # fmt: skip
    run = handmade.started(handmade.still(6), people)
    assert run.reaching.heard_by.tolist() == [5, 2, 1, 0, 0, 0]


def test_chance_draws_by_id_and_again_in_another_replication() -> None:
    people = handmade.world(200, 1)
    nudge = Nudge(0.1, state="attitude", whom="chance", share=0.1)
    market = handmade.still(200)
    runs = [Run(market, [handmade.arm(market)], SEED, r, people) for r in (0, 1)]
    found = [reached(run, nudge) for run in runs]
    drawn = rng.uniform(SEED, 0, rng.Stream.NUDGE, people.ids)[:, 0]
    assert found[0] == sorted(np.argsort(drawn)[:20].tolist())
    assert found[0] != found[1]
    more = reached(runs[0], replace(nudge, share=0.5))
    assert set(found[0]) < set(more)
    assert len(more) == 100


def test_at_least_one_is_reached_and_nobody_where_there_is_none() -> None:
    market = handmade.still(3)
    nobody = village.kind("few", 0, tied={})
    market = replace(market, stakeholders=(*market.stakeholders, nobody))
    run = handmade.started(market, handmade.world(3, 1))
    nudge = Nudge(0.1, state="attitude", whom="reach", share=0.01)
    assert len(reached(run, nudge)) == 1
    assert reached(run, replace(nudge, to=("few",))) == []


def talkative(**changes: object) -> Scenario:
    """Return six who all speak about the firm every week, a quarter of it before the first."""
    market = handmade.still(6, peer_persuasion=0.2, **handmade.EVERYBODY_SPEAKS)
    return replace(market, warm_up=1, **changes)


def heated(opening: Sequence[float]) -> World:
    return handmade.world(6, 1, evidence=hub(), opening_attitude=np.array(opening)[:, None])


@pytest.mark.parametrize(
    ("tie", "negativity", "opening"), [(0.5, 1.0, 0.5), (0.5, 2.0, 0.5), (-0.5, 1.0, 0.25)]
)
def test_traced_is_the_pull_of_what_is_said_worked_out_by_hand(
    tie: float, negativity: float, opening: float
) -> None:
    """Only 5 hears anybody: 2, who thinks ill of the firm; a tie below zero turns that round."""
    market = talkative()
    market = replace(market, physics=replace(market.physics, negativity=negativity))
    hears = np.zeros((6, 6))
    hears[5, 2] = tie
    attitude = np.array([[0.0], [0.0], [-0.5], [0.0], [0.0], [opening]])
    alone = handmade.world(6, 1, evidence=hears, opening_attitude=attitude)
    nudge = Nudge(0.1, state="attitude", whom="traced", share=1 / 6)
    run = handmade.started(market, alone, nudged(market, nudge))
    rate = float(run.drive[PEER_RATE, 0, 0, 0]) * 0.5 * negativity
    goal = -0.5 * np.sign(tie)
    gaps = (opening - goal) * np.exp(-rate * np.arange(14))  # the hearer comes closer every week
    assert handmade.attitude(run)[5] == pytest.approx(goal + gaps[13], rel=1e-3)
    (moved,) = run.reaching.moved.values()
    pull = float(np.abs(rate * gaps[:13]).sum())
    assert moved[2] / PULL_SCALE == pytest.approx(pull, rel=1e-3)
    assert (moved[[0, 1, 3, 4, 5]] == 0).all()
    assert reached(run, nudge) == [2]


def test_who_is_heard_by_most_and_says_nothing_new_is_not_whose_words_move() -> None:
    """The first is heard by four, whom only the second, heard by two, can bring to think else."""
    hears = hub()
    hears[1, 0] = hears[5, 2] = 0.0
    attitude = np.array([[0.3], [-0.9], [0.3], [0.3], [0.3], [0.3]])
    market = talkative()
    people = handmade.world(6, 1, evidence=hears, opening_attitude=attitude)
    by = {
        whom: Nudge(0.1, state="attitude", whom=whom, share=1 / 6) for whom in ("reach", "traced")
    }
    run = handmade.started(market, people, nudged(market, by["traced"]))
    assert reached(run, by["reach"]) == [0]
    assert reached(run, by["traced"]) == [1]


def test_a_voice_that_is_not_heeded_or_not_open_moves_nobody() -> None:
    """Nobody hears those who think otherwise by more than a tenth."""
    people = heated([0, 0, -0.5, 0, 0, 0.5])
    nudge = Nudge(0.1, state="attitude", whom="traced", share=1 / 6)
    market = talkative()
    narrow = replace(market, physics=replace(market.physics, confidence=0.1))
    free, bound = (handmade.started(m, people, nudged(m, nudge)) for m in (market, narrow))
    (moved,), (none,) = free.reaching.moved.values(), bound.reaching.moved.values()
    assert moved[2] > 0
    assert none[2] == 0


def test_nothing_is_counted_where_no_arm_asks() -> None:
    market = talkative()
    run = handmade.started(market, heated([0.0] * 6), handmade.arm(market))
    assert run.reaching.moved == {}


def test_arms_that_live_by_other_laws_are_traced_each_by_its_own() -> None:
    market, people = talkative(), heated([0, 0.2, -0.5, 0, 0, 0.5])
    nudge = Nudge(0.1, state="attitude", whom="traced", share=0.5)
    arms = [
        replace(handmade.arm(market, "a"), nudges=(nudge,)),
        replace(handmade.arm(market, "b", peer_persuasion=0.4), nudges=(nudge,)),
    ]
    together = handmade.started(market, people, *arms)
    assert len(together.reaching.moved) == 2
    for lane, arm in enumerate(arms):
        alone = handmade.started(market, people, arm)
        laws = alone.reaching.laws[0]
        assert np.array_equal(
            alone.reaching.moved[0, laws],
            together.reaching.moved[0, together.reaching.laws[lane]],
        )


def test_who_comes_while_words_are_counted_begins_with_none() -> None:
    market, people = talkative(), heated([0.2, 0, -0.5, 0, 0, 0.5])
    nudge = Nudge(0.1, state="attitude", whom="traced", share=0.5)
    run = handmade.started(market, people, nudged(market, nudge))
    (moved,) = run.reaching.moved.values()
    before, ids = moved.copy(), run.facts.ids.copy()
    assert before[2] > 0
    ids[2] += np.uint64(1)
    run.reaching.trace(run.state, ids, np.zeros_like(run.drive), run.coefficients)
    assert moved[2] == 0
    assert np.array_equal(np.delete(moved, 2), np.delete(before, 2))


def test_newcomers_do_not_inherit_whose_words_moved() -> None:
    market = village.scenario(
        warm_up=1, quarters=2, stakeholders=(village.kind(turnover=2.0), village.employees())
    )
    nudge = Nudge(0.1, state="attitude", whom="traced", share=0.1)
    run = Run(market, [nudged(market, nudge)], SEED, 0, build_world(market, SEED, 0))
    (moved,) = run.reaching.moved.values()
    first = run.reaching.ids
    run.advance_quarter()
    gone = np.flatnonzero((run.facts.ids != first) & (moved > 0))
    assert gone.size
    everybody = replace(nudge, share=float(np.mean(moved > 0)))
    assert not set(gone) & set(reached(run, everybody))


# ---- whatever the order --------------------------------------------------------------------------


def lively(**changes: object) -> Scenario:
    return village.scenario(
        quarters=2,
        warm_up=1,
        stakeholders=(
            village.kind(count=203, turnover=0.5, tied={"ours": 0.3, "theirs": 0.3, "else": 0.2}),
            village.employees(62),
        ),
        firms=(village.firm(), village.firm("theirs"), village.firm("else")),
        physics=replace(village.PHYSICS, talk_hazard=1.0),
        **changes,
    )


def all_kinds(market: Scenario) -> list[Arm]:
    """Return an arm per choice of whom and per state."""
    chosen = [
        Nudge(0.5, state="attitude", whom=whom, share=0.1, once=True, firm=firm)
        for whom in ("chance", "reach", "traced")
        for firm in ("organization", "theirs")
    ]
    plain = [
        Nudge(0.2, state=state, to=("customers",))
        for state in ("salience", "expectation", "trust", "satisfaction")
    ]
    return [village.arm(market)] + [
        nudged(market, nudge, key=f"arm {j}") for j, nudge in enumerate([*chosen, *plain])
    ]


def test_arms_differ_and_nudges_leave_the_others_alone() -> None:
    market = lively()
    arms = all_kinds(market)
    together = simulate(market, arms, SEED)
    alone = simulate(market, arms[:1], SEED)
    assert np.array_equal(alone.kpi[..., 0], together.kpi[..., 0], equal_nan=True)
    seen = {together.kpi[..., j].tobytes() for j in range(len(arms))}
    assert len(seen) == len(arms)
    nothing = [nudged(market, replace(n, by=0.0)) for arm in arms for n in arm.nudges]
    for arm in nothing[2:8]:
        assert np.array_equal(simulate(market, [arm], SEED).kpi, alone.kpi, equal_nan=True), (
            arm.nudges
        )


def test_threads_lanes_layouts_and_the_order_of_rows_change_no_bit() -> None:
    market = lively()
    arms = all_kinds(market)
    world = build_world(market, SEED, 0)
    order = np.random.default_rng(2).permutation(world.n_stakeholders)
    moved = village.reordered(world, order, np.random.default_rng(3))
    whole = simulate(market, arms, SEED, world=world, lanes=MOST_LANES)
    for other in (
        simulate(market, arms, SEED, world=world, threads=3),
        simulate(market, arms, SEED, world=world, lanes=1),
        simulate(market, arms, SEED, world=world, lanes=3),
        simulate(market, arms, SEED, world=moved),
    ):
        assert np.array_equal(whole.kpi, other.kpi, equal_nan=True)
        assert np.array_equal(whole.measures, other.measures, equal_nan=True)


def test_rivals_that_trade_places_change_nothing() -> None:
    market = lively()
    ours, theirs, other = market.firms
    there = replace(market, firms=(ours, other, theirs))
    here = simulate(market, all_kinds(market), SEED)
    swapped = simulate(there, all_kinds(there), SEED)
    assert np.array_equal(here.kpi, swapped.kpi, equal_nan=True)


def test_a_copy_goes_on_to_the_same_bits() -> None:
    market = lively()
    nudge = Nudge(0.3, state="attitude", whom="traced", share=0.2)
    run = Run(market, [nudged(market, nudge)], SEED, 0, build_world(market, SEED, 0))
    second = run.copy()
    for going in (run, second):
        for _ in range(2):
            going.advance_quarter()
    assert handmade.differing(handmade.bits(run), handmade.bits(second)) == []
    assert run.reaching.moved is not second.reaching.moved


def test_a_nudged_life_is_retraced() -> None:
    market = lively()
    nudges = (Nudge(0.4, state="attitude"), Nudge(0.2, state="trust"))
    world = build_world(market, SEED, 0)
    witness = Witness(5, (0, 1))
    run = Run(
        market,
        [village.arm(market), nudged(market, *nudges)],
        SEED,
        0,
        world,
        observer=witness,
    )
    opening = lookup.person(run.state, 5, 1)
    run.advance_quarter()
    plain, pushed = (life[0].before for life in witness.lives)
    assert np.array_equal(plain.attitude, opening.attitude)
    gained = pushed.attitude - opening.attitude
    assert gained.tolist() == pytest.approx([0.4, 0.0, 0.0], abs=1e-6)
    assert pushed.kept[0] > plain.kept[0]
    assert pushed.kept[0] + pushed.broken[0] == pytest.approx(plain.kept[0] + plain.broken[0])


# ---- at the door ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"state": "atitude"}, "did you mean 'attitude'"),
        ({"state": "attitude", "lever": "quality"}, "one lever, one capital or one state"),
        ({"state": "attitude", "capital": "human"}, "one lever, one capital or one state"),
        ({"state": "attitude", "whom": "reech", "share": 0.1}, "did you mean 'reach'"),
        ({"state": "attitude", "share": 0.1}, "no meaning where whom is all"),
        ({"state": "attitude", "whom": "reach", "share": 0.0}, "above 0"),
        ({"state": "attitude", "whom": "reach", "share": 1.5}, "share=1.5"),
        ({"state": "attitude", "by": 2.5}, r"by=2.5 .*\[-2, 2\]"),
        ({"state": "trust", "by": -1.5}, r"by=-1.5 .*\[-1, 1\]"),
        ({"lever": "quality", "whom": "reach"}, "whom='reach' has no meaning"),
        ({"capital": "human", "share": 0.5}, "share=0.5 has no meaning"),
    ],
)
def test_a_state_nudge_that_makes_no_sense_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Nudge(**{"by": 0.5, **given})  # type: ignore[arg-type]


def test_words_cannot_be_traced_without_a_warm_up() -> None:
    market = village.scenario()
    arm = nudged(market, Nudge(0.5, state="attitude", whom="traced", share=0.1))
    with pytest.raises(ValueError, match=r"nudges\[0\] of arm 'nudged'.*warm_up to 1"):
        simulate(market, [arm], SEED)
