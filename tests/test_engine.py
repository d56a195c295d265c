"""The engine: bits depend on nothing they should not, and the week goes by hand on a village."""

from __future__ import annotations

from dataclasses import replace

import handmade
import numpy as np
import pytest
import village
from handmade import LOUD, advanced, attitude, bits, differing, field, satisfaction, started, still

from sim import kpis
from sim.engine import History, Run, pad, simulate
from sim.firms import ABANDONED, ARRIVED, LEFT, RESOLVED
from sim.flows import Flow, muted, open_gates
from sim.population import build_world
from sim.scenario import Arm, Plan, Policy, Programme, Scenario
from sim.state import (
    EXPECTATION,
    GRIEVANCE,
    KEPT,
    OFFER,
    PROVIDER,
    QUIET,
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
    return replace(market, firms=firms, stakeholders=people, physics=physics)


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


def same(one: History, other: History) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
        for name in ("kpi", "measures", "spending", "value", "scaled")
    )


def permuted(world: World, order: list[int]) -> World:
    """Return the world with firm order[i] at place i, and nothing else changed."""
    place = np.empty(len(order) + 1, np.int32)
    place[order] = np.arange(len(order))
    place[-1] = -1
    return replace(
        world,
        tied=place[world.tied],
        opening_attitude=np.ascontiguousarray(world.opening_attitude[:, order]),
        routing=tuple(world.routing[f] for f in order),
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
    total = np.zeros((14, 3))
    offers = grievances = 0
    for _ in range(3):
        run.advance_quarter()
        total += run.firms.quarter[..., 0]
        offers += int((run.state.marks[:, OFFER, 0] > 0).sum())
        grievances += int((run.state.marks[:, GRIEVANCE, 0] > 0).sum())
    assert (total[ARRIVED] > 0).all()
    assert (total[RESOLVED] > 0).all()
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
        History(
            *(
                getattr(back, name)[..., ::-1]
                for name in ("kpi", "measures", "spending", "value", "scaled")
            )
        ),
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
    theirs = advanced(there, permuted(world, order), village.arm(there, gates=gates[:, order]))
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
                advanced(there, permuted(world, order), village.arm(there))
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
    for name in ("kpi", "measures", "spending", "value"):
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
    assert history.value.shape == history.scaled.shape == (3, 3)
    shares = history.measures[:, kpis.MEASURES.index("tied"), 0]
    assert (shares.sum(axis=1) <= 1).all()


# ---- a village of three, by hand ----------------------------------------------------------------

THREE = np.zeros((3, 3))


def hearing(*pairs: tuple[int, int, float]) -> np.ndarray:
    """Return weights (3, 3) from (who hears, whom, how much)."""
    weight = THREE.copy()
    for i, j, w in pairs:
        weight[i, j] = w
    return weight


def test_attitude_moves_to_the_mean_of_those_heard_worked_out_by_hand() -> None:
    """Anna hears Ben (.8) twice as much as Carl (-.4): half way from 0 to .4, and Ben and Carl

    hear nobody.
    """
    ties = hearing((0, 1, 2 * LN2 / 3), (0, 2, LN2 / 3))
    people = handmade.world(3, 1, evidence=ties, opening_attitude=[[0.0], [0.8], [-0.4]])
    run = advanced(still(peer_persuasion=1.0, **SPEAK), people, weeks=1)
    assert attitude(run) == pytest.approx([0.2, 0.8, -0.4], abs=3e-5)
    assert attitude(run)[1:].tolist() == [np.float32(0.8), np.float32(-0.4)]


def test_everybody_reads_what_was_true_before_anybody_moved() -> None:
    """Anna and Ben hear each other and nobody else: they meet in the middle, both, at once."""
    ties = hearing((0, 1, LN2), (1, 0, LN2))
    people = handmade.world(3, 1, evidence=ties, opening_attitude=[[0.5], [-0.5], [0.0]])
    run = advanced(still(peer_persuasion=1.0, **SPEAK), people, weeks=1)
    assert attitude(run)[:2] == pytest.approx([0.0, 0.0], abs=3e-5)


def test_a_tie_of_negative_sign_pulls_to_the_opposite() -> None:
    ties = hearing((0, 1, -LN2))
    people = handmade.world(3, 1, evidence=ties, opening_attitude=[[0.0], [0.6], [0.0]])
    run = advanced(still(peer_persuasion=1.0, **SPEAK), people, weeks=1)
    assert attitude(run)[0] == pytest.approx(-0.3, abs=3e-5)


def test_only_those_within_the_bound_of_confidence_are_heeded() -> None:
    """Carl at -.6 is too far for Anna at 0 with confidence .5, Ben at .4 is not."""
    ties = hearing((0, 1, LN2), (0, 2, LN2))
    people = handmade.world(3, 1, evidence=ties, opening_attitude=[[0.0], [0.4], [-0.6]])
    run = advanced(still(peer_persuasion=1.0, confidence=0.5, **SPEAK), people, weeks=1)
    assert attitude(run)[0] == pytest.approx(0.2, abs=3e-5)


def test_negative_word_of_mouth_weighs_as_much_more_as_said() -> None:
    """Ben .6 with ln 2, Carl -.6 with thrice that: mean -.3 at rate 4 ln 2, from 0: -.28125."""
    ties = hearing((0, 1, LN2), (0, 2, LN2))
    people = handmade.world(3, 1, evidence=ties, opening_attitude=[[0.0], [0.6], [-0.6]])
    run = advanced(still(peer_persuasion=1.0, negativity=3.0, **SPEAK), people, weeks=1)
    assert attitude(run)[0] == pytest.approx(-0.28125, abs=3e-5)


def test_a_message_makes_a_firm_salient_whatever_it_says() -> None:
    """Anna hears two messages at contact .5 and salience .9 per message: hazard .9 from .5."""
    ties = hearing((0, 1, 0.5), (0, 2, 0.5))
    market = still(salience_per_message=0.9, **SPEAK)
    people = handmade.world(
        3, 1, contact=ties, evidence=ties, opening_attitude=[[0.0], [0.6], [-0.6]]
    )
    run = started(market, people)
    run.state.people[:, SALIENCE] = 0.5
    run.advance_week(opens=True)
    assert field(run, SALIENCE)[0] == pytest.approx(0.7967151701, abs=3e-6)
    assert field(run, SALIENCE)[1:].tolist() == [0.5, 0.5]


def test_salience_fades_and_advertising_brings_it_back_by_hand() -> None:
    """Hazard .02 x 3 against decay .04 from 0: .6 (1 - e^-.1)."""
    market = still(salience_per_impression=0.02, salience_decay=0.04)
    market = replace(
        market,
        firms=(village.firm(programmes={}, levers={"impressions": 3.0}),),
        stakeholders=(replace(market.stakeholders[0], salience=0.0),),
    )
    run = advanced(market, handmade.world(3, 1), weeks=1)
    assert field(run, SALIENCE) == pytest.approx(0.0570975492, abs=1e-7)


def test_a_claim_moves_attitude_by_impressions_persuasion_and_trust() -> None:
    """Evidence .1 x 2 x 2 x trust: .4 at trust 1/2 and .6 at 3/4, to a claim of .8 from 0."""
    market = still(claim_persuasion=0.1)
    levers = {"impressions": 2.0, "credibility": 2.0}
    market = replace(market, firms=(village.firm(programmes={}, claim=0.8, levers=levers),))
    run = started(market, handmade.world(3, 1))
    run.state.people[2, KEPT] = 6.0
    run.advance_week(opens=True)
    assert attitude(run) == pytest.approx([0.2637439632, 0.2637439632, 0.3609506911], abs=1e-6)


def test_rivals_rebut_a_claim() -> None:
    """Half of the evidence .4 is neutralized by one rival, half of the rest by the other."""
    market = still(3, 3, claim_persuasion=0.1)
    rebut = {"rebuttal": 0.5}
    firms = (
        village.firm("firm0", programmes={}, claim=0.8, levers={"impressions": 4.0}),
        village.firm("firm1", programmes={}, levers=rebut),
        village.firm("firm2", programmes={}, levers=rebut),
    )
    run = advanced(replace(market, firms=firms), handmade.world(3, 3), weeks=1)
    assert attitude(run) == pytest.approx(0.8 * 0.0951625820, abs=1e-6)
    assert (attitude(run, 1) == 0).all()


def test_a_promise_raises_expectation_and_honesty_pulls_it_to_what_is_delivered() -> None:
    """Rate ln 2 from .6: half way to .9; with half honesty half way to the middle of .9 and q."""
    market = still(claim_expectation=LN2 / 2)
    said = {"impressions": 2.0}
    run = advanced(
        replace(market, firms=(village.firm(programmes={}, claim_quality=0.9, levers=said),)),
        handmade.world(3, 1),
        weeks=1,
    )
    assert field(run, EXPECTATION) == pytest.approx(0.75, abs=1e-6)
    honest = advanced(
        replace(
            market,
            firms=(
                village.firm(programmes={}, claim_quality=0.9, levers={**said, "honesty": 0.5}),
            ),
        ),
        handmade.world(3, 1),
        weeks=1,
    )
    delivered = float(honest.firms.quality[0, 0, 0])
    assert 0.5 < delivered < 0.8
    assert field(honest, EXPECTATION) == pytest.approx(0.3 + (0.9 + delivered) / 4, abs=1e-6)


def certain_experience(**physics: float) -> Scenario:
    """Return a market where everybody tied experiences the firm every week, without noise."""
    market = still(performance_noise=0.0, human_effect=0.0, engagement_effect=0.0, **physics)
    sure = replace(market.stakeholders[0], experience=50.0)
    firm = village.firm(programmes={}, execution=1.0986122886681098, claim_quality=0.65)
    return replace(market, stakeholders=(sure,), firms=(firm,))


def test_an_experience_by_hand() -> None:
    """Delivered .75, expected .6, promised .65: surprise .15, kept promise .1.

    Satisfaction .5 tanh(2 x .15 + 1 x .5) = .332018; expectation .6 + .2 x .15 = .63; kept 2.05;
    attitude half way from 0 to the satisfaction. Carl is not tied: nothing happens to him.
    """
    market = certain_experience(
        satisfaction_rate=0.5,
        disconfirmation=2.0,
        performance_effect=1.0,
        expectation_rate=0.2,
        trust_gain=0.5,
        experience_persuasion=LN2,
    )
    run = advanced(market, handmade.world(3, 1, tied=[0, 0, -1]), weeks=1)
    assert satisfaction(run) == pytest.approx([0.3320183851, 0.3320183851, 0.0], abs=1e-6)
    assert field(run, EXPECTATION) == pytest.approx([0.63, 0.63, 0.6], abs=1e-6)
    assert field(run, KEPT) == pytest.approx([2.05, 2.05, 2.0], abs=1e-6)
    assert attitude(run) == pytest.approx([0.1660091926, 0.1660091926, 0.0], abs=1e-6)


def test_a_disappointment_by_hand() -> None:
    """Delivered .75 and expected .95: surprise -.2 counts 1.5 fold; promised .95 breaks by .2."""
    market = certain_experience(
        satisfaction_rate=1.0,
        disconfirmation=2.0,
        performance_effect=0.0,
        loss_aversion=1.5,
        expectation_rate=0.0,
        trust_loss=0.5,
        expectation_reference=0.95,
    )
    market = replace(market, firms=(replace(market.firms[0], claim_quality=0.95),))
    run = advanced(market, handmade.world(3, 1, tied=[0, 0, -1]), weeks=1)
    assert satisfaction(run) == pytest.approx([-0.5370495670, -0.5370495670, 0.0], abs=1e-6)
    assert field(run, 4) == pytest.approx([2.1, 2.1, 2.0], abs=1e-6)
    assert field(run, KEPT).tolist() == [2.0, 2.0, 2.0]


def test_those_tied_speak_of_their_satisfaction_and_the_others_of_their_attitude() -> None:
    ties = hearing((0, 1, LN2), (2, 0, LN2))
    people = handmade.world(
        3, 1, evidence=ties, tied=[-1, 0, -1], opening_attitude=[[0.2], [0.9], [0.0]]
    )
    run = started(still(peer_persuasion=1.0, **SPEAK), people)
    run.state.people[1, -1] = -0.6
    run.advance_week(opens=True)
    assert attitude(run) == pytest.approx([-0.2, 0.9, 0.1], abs=4e-5)


def test_voices_are_counted_by_sign_type_and_firm() -> None:
    people = handmade.world(3, 2, opening_attitude=[[0.4, -0.3], [-0.2, 0.5], [0.3, 0.0]])
    run = advanced(still(3, 2, **SPEAK), people, weeks=2)
    assert run.counts[0, :, 0, 0].tolist() == [4, 4]
    assert run.counts[1, :, 0, 0].tolist() == [2, 2]


def test_talk_follows_its_hazard() -> None:
    """Hazard 1 x .5 x (.2 + .4 x .5): of 4000 people 1 - e^-.2 = .1813 speak of either firm."""
    n = 4000
    market = still(
        n, 2, talk_hazard=0.5, talk_base=0.2, talk_positive=0.5, talk_negative=1.0, talk_untied=0.5
    )
    people = handmade.world(
        n,
        2,
        voice=np.full(n, 2.0),
        opening_attitude=np.full((n, 2), 0.4),
        tied=np.where(np.arange(n) < 2000, 0, -1),
    )
    run = started(market, people)
    run.state.people[:, -1] = 0.4
    run.state.people[:, SALIENCE] = 0.5
    run.advance_week(opens=True)
    spoke = (run.state.spoken >> 0) & 1
    assert spoke[:2000].mean() == pytest.approx(0.1812692469, abs=4 * 0.0086)
    assert spoke[2000:].mean() == pytest.approx(0.0951625820, abs=4 * 0.0066)


def test_a_rival_gains_where_grief_about_it_is_heard_and_compared() -> None:
    """Anna hears grief about firm 1 with evidence .5 ln 2; firm 0 puts twice that beside: ln 2."""
    ties = hearing((0, 1, LN2 / 2))
    market = still(3, 2, peer_persuasion=1.0, **SPEAK)
    firms = (
        village.firm("firm0", programmes={}, claim=0.8, levers={"comparison": 2.0}),
        village.firm("firm1", programmes={}),
    )
    people = handmade.world(3, 2, evidence=ties, opening_attitude=[[0, 0], [0, -0.9], [0, 0]])
    run = started(replace(market, firms=firms), people)
    run.state.people[1, SALIENCE] = 0.0
    run.advance_week(opens=True)
    assert attitude(run, 0) == pytest.approx([0.4, 0.0, 0.0], abs=1e-5)


def test_an_answered_grievance_counts_less_where_it_is_heard() -> None:
    """Half of ln 2 x 2 is answered: Anna moves half way from 0 to -.8."""
    ties = hearing((0, 1, 2 * LN2))
    market = still(peer_persuasion=1.0, **SPEAK)
    firm = village.firm(programmes={}, levers={"issue_response": 0.5})
    people = handmade.world(3, 1, evidence=ties, opening_attitude=[[0.0], [-0.8], [0.0]])
    run = advanced(replace(market, firms=(firm,)), people, weeks=1)
    assert attitude(run)[0] == pytest.approx(-0.4, abs=3e-5)


def test_a_new_customer_is_as_satisfied_as_it_felt_and_a_leaver_feels_nothing() -> None:
    market = still(3, 2)
    firms = (
        village.firm("firm0", programmes={}, appeal=-10.0),
        village.firm("firm1", programmes={}, appeal=10.0),
    )
    people = handmade.world(
        3,
        2,
        tied=[0, -1, 0],
        opportunity=[50, 50, 0],
        opening_attitude=[[0.1, 0.7], [0.1, -0.2], [0.1, 0.5]],
    )
    run = started(replace(market, firms=firms), people)
    run.state.people[:, -1] = -0.9
    run.advance_week(opens=True)
    assert run.state.marks[:, PROVIDER, 0].tolist() == [1, 1, 0]
    assert satisfaction(run) == pytest.approx([0.7, -0.2, -0.9])
    assert run.state.marks[:, TENURE, 0].tolist() == [0, 0, 1]
    assert run.counts[0].sum() == 0
    assert run.firms.tied[:, 0, 0].tolist() == [1, 2]


def complaining(n: int, **levers: float) -> Scenario:
    """Return a market where everybody unhappy speaks and complains every week."""
    market = still(n, 2, patience=2, abandonment=0.5, recovery_quiet=2, **SPEAK)
    firms = tuple(
        village.firm(
            f"firm{f}",
            programmes={},
            levers={"complaint_ease": 1.0, "ticket_capacity": 0.0, **levers},
        )
        for f in range(2)
    )
    return replace(market, firms=firms)


def test_a_complaint_is_resolved_makes_good_and_quiets() -> None:
    """Capacity one a week: one of three is served, S = -.6 + .25 x 1.6 = -.2, and quiet for two."""
    market = complaining(3, ticket_capacity=1000 / 3, recovery=0.25)
    run = started(market, handmade.world(3, 2, tied=[0, 0, 0]))
    run.state.people[:, -1] = -0.6
    run.advance_week(opens=True)
    assert run.firms.quarter[ARRIVED, :, 0].tolist() == [3, 0]
    assert run.firms.quarter[RESOLVED, :, 0].tolist() == [1, 0]
    assert run.firms.waiting[:, 0].tolist() == [2, 0]
    served = int(satisfaction(run).argmax())
    assert np.sort(satisfaction(run)) == pytest.approx([-0.6, -0.6, -0.2])
    for quiet in (True, True, False):
        run.advance_week(opens=False)
        assert bool((run.state.spoken[served] >> 0) & 1) == (not quiet)


def test_a_complaint_nobody_answers_is_abandoned_after_the_patience() -> None:
    """No capacity, patience two weeks: S = -.6 + .5 x (-.4) = -.8, and then it complains again."""
    run = started(complaining(3), handmade.world(3, 2, tied=[0, 0, -1]))
    run.state.people[:, -1] = -0.6
    waiting = []
    for week in range(3):
        run.advance_week(opens=week == 0)
        waiting.append(int(run.firms.waiting[0, 0]))
    assert waiting == [2, 2, 0]
    assert satisfaction(run)[:2] == pytest.approx([-0.8, -0.8])
    assert run.firms.quarter[ABANDONED, 0, 0] == 2
    run.advance_week(opens=False)
    assert run.firms.quarter[ARRIVED, 0, 0] == 4


def test_a_complaint_is_addressed_to_the_firm_it_is_about() -> None:
    """Forty complain about firm 0 and leave for firm 1 the same week: not firm 1's complaints."""
    market = complaining(40)
    firms = (replace(market.firms[0], appeal=-10.0), replace(market.firms[1], appeal=10.0))
    people = handmade.world(40, 2, tied=np.zeros(40), opportunity=np.full(40, 50.0))
    run = started(replace(market, firms=firms), people)
    run.state.people[:, -1] = -0.8
    run.advance_week(opens=True)
    assert (run.state.marks[:, PROVIDER, 0] == 1).all()
    assert run.firms.quarter[ARRIVED, 1, 0] == 0
    assert run.firms.waiting[1, 0] == 0


def test_a_complaint_of_one_who_leaves_is_dropped() -> None:
    market = complaining(6)
    people = handmade.world(6, 2, tied=np.zeros(6))
    run = started(market, people)
    run.state.people[:, -1] = -0.6
    run.advance_week(opens=True)
    run.state.marks[:3, PROVIDER] = 1
    run.state.marks[:3, TICKET] = 0
    run.advance_week(opens=False)
    run.advance_week(opens=False)
    assert run.firms.quarter[LEFT, 0, 0] == 3
    assert run.firms.quarter[ABANDONED, 0, 0] == 3


def referring(keys: tuple[str, str]) -> dict[str, int]:
    """Return who wins when two firms alike make everybody a referral offer in the same week."""
    n = 40
    market = still(n, 2, referral_offer=10.0, **SPEAK)
    firms = tuple(village.firm(key, programmes={}, levers={"referral": 1.0}) for key in keys)
    everybody = np.ones((n, n)) - np.eye(n)
    people = handmade.world(
        n,
        2,
        contact=everybody,
        evidence=everybody,
        opening_attitude=np.full((n, 2), 0.9),
        opportunity=np.full(n, 50.0),
    )
    run = advanced(replace(market, firms=firms), people, weeks=1)
    chosen = run.state.marks[:, PROVIDER, 0]
    return {key: int((chosen == f).sum()) for f, key in enumerate(keys)}


def test_two_referral_offers_in_one_week_do_not_favour_the_firm_listed_last() -> None:
    assert referring(("a", "b")) == referring(("b", "a"))


def test_a_referral_offer_wins_a_customer_and_is_credited() -> None:
    """Anna hears promoter Ben of firm 0 with certainty; the offer is worth ten utils."""
    market = still(3, 2, referral_offer=10.0, **SPEAK)
    firms = (
        village.firm("firm0", programmes={}, levers={"referral": 1.0}),
        village.firm("firm1", programmes={}),
    )
    ties = hearing((0, 1, 50.0))
    people = handmade.world(
        3,
        2,
        contact=ties,
        evidence=ties,
        tied=[1, 0, 1],
        opening_attitude=[[0, 0], [0, 0], [0, 0]],
        opportunity=[50, 0, 50],
    )
    run = started(replace(market, firms=firms), people)
    run.state.people[:, -1] = [[0.0], [0.9], [0.0]]
    run.state.people[2, SALIENCE] = 0.0
    run.advance_week(opens=True)
    assert run.state.marks[:2, PROVIDER, 0].tolist() == [0, 0]
    assert run.counts.shape[0] == 5
    assert run.firms.cash[0, 0] < run.firms.cash[1, 0] + 10


def test_conquest_pulls_those_who_have_lately_voiced_a_grievance() -> None:
    market = complaining(3)
    firms = (market.firms[0], replace(market.firms[1], levers={"conquest": 20.0}))
    people = handmade.world(3, 2, tied=[0, 0, 0], opportunity=[50, 50, 50])
    run = started(
        replace(market, firms=firms, physics=replace(market.physics, switching_cost=10.0)), people
    )
    run.state.people[:, -1] = [[-0.6], [0.6], [-0.6]]
    run.advance_week(opens=True)
    assert run.state.marks[:, PROVIDER, 0].tolist() == [1, 0, 1]


def test_price_cuts_win_customers_in_proportion() -> None:
    """Half price and weight 2: utility 2 ln 2 against 0 and none without appeal: 4 : 1 : 1."""
    n = 6000
    market = still(n, 2, price_weight=2.0)
    firms = (
        village.firm("firm0", programmes={}, levers={"discount": 0.5}),
        village.firm("firm1", programmes={}),
    )
    run = advanced(
        replace(market, firms=firms), handmade.world(n, 2, opportunity=np.full(n, 50.0)), weeks=1
    )
    shares = np.bincount(run.state.marks[:, PROVIDER, 0] + 1) / n
    assert shares == pytest.approx([1 / 6, 4 / 6, 1 / 6], abs=0.025)


def test_money_by_hand() -> None:
    """Two customers buy 3 units at 2 x .9 less a tenth: 9.72; half is cost; 1 fixed, 13 / 13 spent.

    Profit 9.72 x .5 + .4 - 1 - 1 = 3.26 a week, and 260 / 13 = 20 are invested in each capital.
    """
    market = still(2, 1)
    firm = village.firm(
        price=0.9,
        levers={"discount": 0.1},
        fixed_income=0.4,
        programmes={"listening": Programme(effort=13.0, maturity=0.5)},
    )
    firm = replace(
        firm, capital={key: replace(value, investment=260.0) for key, value in firm.capital.items()}
    )
    kind = replace(market.stakeholders[0], price=2.0, units=3.0)
    market = replace(
        market,
        stakeholders=(kind,),
        firms=(firm,),
        finance=replace(market.finance, market_growth=0.0),
    )
    run = advanced(market, handmade.world(2, 1, tied=[0, 0]), weeks=1)
    assert run.firms.quarter[:, 0, 0][:6] == pytest.approx([10.12, 3.26, 9.72, 4.86, 1.0, 60.0])
    assert run.firms.cash[0, 0] == pytest.approx(100 + 3.26 - 60)
    assert run.firms.worth[0, 0] == pytest.approx(-56.74 * 1.1 ** (-1 / 52))


def test_a_set_up_is_charged_once() -> None:
    market = still(2, 1, quarters=3)
    run = started(market, handmade.world(2, 1), village.arm(market, service=13.0))
    spent = []
    for _ in range(3):
        run.advance_quarter()
        spent.append(float(run.firms.quarter[4, 0, 0]))
    assert spent == pytest.approx([23.0, 13.0, 13.0])


def test_a_plan_adds_to_today_quarter_by_quarter() -> None:
    market = still(2, 1, quarters=2)
    market = replace(market, firms=(village.firm(),))
    plan = Plan(np.zeros((6, 2)), np.zeros((3, 2)))
    plan.effort[0] = [7.0, 3.0]
    plan.investment[2] = [0.0, 50.0]
    history = simulate(
        market,
        [Arm("planned", "planned", plan, open_gates(1))],
        1,
        world=handmade.world(2, 1),
        lanes=1,
    )
    assert history.spending[:, 0, 0] == pytest.approx([20.0, 16.0])
    assert history.spending[:, 1, 0] == pytest.approx([6.5, 6.5])
    assert history.spending[:, 6:, 0].tolist() == [[100.0, 100.0, 100.0], [100.0, 100.0, 150.0]]
    assert LOUD > 0
