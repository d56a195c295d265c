"""The week of stakeholders and firms, worked out by hand on a village of three or so."""

from __future__ import annotations

from dataclasses import replace

import handmade
import numpy as np
import pytest
import village
from handmade import advanced, attitude, field, satisfaction, started, still

from sim import kpis
from sim.engine import Run, simulate
from sim.flows import Law, open_gates
from sim.organization import Programme
from sim.plans import Arm, Plan
from sim.scenario import Scenario
from sim.state import (
    ABANDONED,
    ADDS,
    ARRIVED,
    BROKEN,
    CLAIM_RATE,
    COMPLAINT_CHANCE,
    CONQUEST,
    DRIVES,
    EXPECTATION,
    EXPERIENCE_CHANCE,
    GRIEVANCE,
    HEARD,
    IMPRESSION_HAZARD,
    KEPT,
    LEFT,
    LOSSES,
    MESSAGE_HAZARD,
    NEGATIVE,
    OFFER,
    OFFER_HAZARD,
    PEER_RATE,
    PROMISE_RATE,
    PROVIDER,
    QUIET,
    REFERRED,
    RESOLVED,
    SALIENCE,
    TENURE,
    TICKET,
)

LN2 = 0.6931471805599453
SPEAK = handmade.EVERYBODY_SPEAKS


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


def test_a_bad_word_from_beyond_the_bound_of_confidence_weighs_nothing_either() -> None:
    """Carl at -.6 is too far for Anna at 0: a negativity of 3 finds nothing of his to weigh."""
    ties = hearing((0, 1, LN2), (0, 2, LN2))
    people = handmade.world(3, 1, evidence=ties, opening_attitude=[[0.0], [0.4], [-0.6]])
    market = still(peer_persuasion=1.0, confidence=0.5, negativity=3.0, **SPEAK)
    assert attitude(advanced(market, people, weeks=1))[0] == pytest.approx(0.2, abs=3e-5)


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


def test_what_one_lives_tells_of_ones_own_provider_alone() -> None:
    """Anna lives firm 0, Ben firm 1, Carl nothing: each feels what is lived, of whom it is lived.

    Satisfied by tanh(1 x .5) = .462117; attitude half way from .5 to there, salience 1 - .5 e^-.4.
    """
    market = certain_experience(
        satisfaction_rate=1.0,
        disconfirmation=0.0,
        performance_effect=1.0,
        experience_persuasion=LN2,
        salience_per_experience=0.4,
    )
    firms = tuple(replace(market.firms[0], key=f"firm{f}") for f in range(2))
    people = handmade.world(3, 2, tied=[0, 1, -1], opening_attitude=np.full((3, 2), 0.5))
    run = started(replace(market, firms=firms), people)
    for firm in range(2):
        field(run, SALIENCE, firm)[:] = 0.5
    run.advance_week(opens=True)
    lived = (0.5 + 0.4621171573) / 2
    assert attitude(run, 0) == pytest.approx([lived, 0.5, 0.5], abs=1e-6)
    assert attitude(run, 1) == pytest.approx([0.5, lived, 0.5], abs=1e-6)
    in_mind = 1 - 0.5 * np.exp(-0.4)
    assert field(run, SALIENCE, 0) == pytest.approx([in_mind, 0.5, 0.5], abs=1e-6)
    assert field(run, SALIENCE, 1) == pytest.approx([0.5, in_mind, 0.5], abs=1e-6)


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


def test_a_bad_word_about_a_rival_is_no_grievance_and_no_complaint() -> None:
    """Anna is glad of firm 0 and speaks badly of firm 1; Ben is unhappy with firm 0 itself."""
    disliked = [[0.0, -0.8], [0.0, -0.8], [0.0, 0.0]]
    people = handmade.world(3, 2, tied=[0, 0, -1], opening_attitude=disliked)
    run = started(complaining(3), people)
    run.state.people[:, -1] = [[0.6], [-0.6], [0.0]]
    run.advance_week(opens=True)
    assert run.counts[NEGATIVE, 1, 0, 0] == 2
    assert (run.state.marks[:, GRIEVANCE, 0] > 0).tolist() == [False, True, False]
    assert run.firms.quarter[ARRIVED, :, 0].tolist() == [1, 0]


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
    run.state.marks[:2, TICKET] = 0
    run.advance_week(opens=False)
    run.advance_week(opens=False)
    assert run.firms.quarter[LEFT, 0, 0] == 3
    assert run.firms.quarter[ABANDONED, 0, 0] == 3


def referring(keys: tuple[str, str]) -> dict[str, int]:
    """Return who wins when two firms alike make everybody a referral offer in the same week.

    Everybody is with a third firm, whose customers the offers are for.
    """
    n = 40
    market = still(n, 3, referral_offer=10.0, **SPEAK)
    firms = tuple(village.firm(key, programmes={}, levers={"referral": 1.0}) for key in keys)
    third = village.firm("third", programmes={}, appeal=-3.0)
    everybody = np.ones((n, n)) - np.eye(n)
    people = handmade.world(
        n,
        3,
        contact=everybody,
        evidence=everybody,
        tied=np.full(n, 2),
        opening_attitude=np.full((n, 3), 0.9),
        opportunity=np.full(n, 50.0),
    )
    run = advanced(replace(market, firms=(*firms, third)), people, weeks=1)
    chosen = run.state.marks[:, PROVIDER, 0]
    return {key: int((chosen == f).sum()) for f, key in enumerate(keys)}


def test_two_referral_offers_in_one_week_do_not_favour_the_firm_listed_last() -> None:
    assert referring(("a", "b")) == referring(("b", "a"))


def test_of_two_offers_alike_either_is_the_stronger_as_often() -> None:
    """Forty people hear both firms' offers: each firm wins twenty, give or take four sd of 3.2."""
    won = referring(("a", "b"))
    assert won["a"] == pytest.approx(20, abs=13)
    assert won["a"] + won["b"] == 40


def test_an_offer_is_taken_as_often_as_its_contact_says() -> None:
    """Four hundred hear one promoter at a contact of ln 2: half take the offer, within 4 sd."""
    n = 401
    market = still(n, 2, referral_offer=1.0, **SPEAK)
    firms = (
        village.firm("firm0", programmes={}, levers={"referral": 1.0}),
        village.firm("firm1", programmes={}),
    )
    ties = np.zeros((n, n))
    ties[:-1, -1] = LN2
    people = handmade.world(n, 2, contact=ties, evidence=ties, tied=[1] * (n - 1) + [0])
    run = started(replace(market, firms=firms), people)
    run.state.people[-1, -1] = 0.9
    run.advance_week(opens=True)
    taken = (run.state.marks[:-1, OFFER, 0] != 0).sum()
    assert taken == pytest.approx(200, abs=40)


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
    """Two customers buy 3 units at 2 x .9, which is 10.8, less a tenth: 9.72.

    Half of the list price is cost; 1 fixed, 13 / 13 spent. Profit 9.72 - 5.4 + .4 - 1 - 1 = 2.72 a
    week, and 260 / 13 = 20 are invested in each capital.
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
    assert run.firms.quarter[:, 0, 0][:6] == pytest.approx([10.12, 2.72, 9.72, 4.32, 1.0, 60.0])
    assert run.firms.cash[0, 0] == pytest.approx(100 + 2.72 - 60)
    assert run.firms.worth[0, 0] == pytest.approx(-57.28 * 1.1 ** (-1 / 52))


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


# ---- luck differs from week to week, of every kind ----------------------------------------------


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Return the correlation of who did something in one week and in another."""
    return float(np.corrcoef(one.astype(float), other.astype(float))[0, 1])


def test_who_speaks_differs_from_week_to_week_and_from_firm_to_firm() -> None:
    n = 900
    market = still(n, 2, talk_hazard=1.0, talk_base=LN2)
    run = started(market, handmade.world(n, 2, voice=np.ones(n)))
    weeks = []
    for week in range(2):
        run.advance_week(opens=week == 0)
        weeks.append(run.state.spoken[:, 0].copy())
    ours, theirs = weeks[0] & 1, (weeks[0] >> 1) & 1
    assert ours.mean() == pytest.approx(0.5, abs=4 / 60)
    assert abs(agreement(ours, weeks[1] & 1)) < 4 / 30
    assert abs(agreement(ours, theirs)) < 4 / 30


def test_who_chooses_and_what_differs_from_week_to_week() -> None:
    n = 900
    run = started(still(n, 1), handmade.world(n, 1, opportunity=np.full(n, LN2)))
    joined = []
    for week in range(2):
        run.state.marks[:, PROVIDER] = -1
        run.advance_week(opens=week == 0)
        joined.append(run.state.marks[:, PROVIDER, 0] == 0)
    assert joined[0].mean() == pytest.approx(0.25, abs=4 * 0.0144)
    assert abs(agreement(joined[0], joined[1])) < 4 / 30
    run = started(still(n, 2, none_utility=-10.0), handmade.world(n, 2, opportunity=np.full(n, 50)))
    taken = []
    for week in range(3):
        run.advance_week(opens=week == 0)
        taken.append(run.state.marks[:, PROVIDER, 0] == 0)
    assert abs(agreement(taken[1], taken[2])) < 4 / 30


def test_who_has_an_occasion_differs_from_week_to_week() -> None:
    """A firm everybody would take: joined are exactly those with an occasion."""
    n = 900
    market = still(n, 1)
    market = replace(market, firms=(village.firm(programmes={}, appeal=10.0),))
    run = started(market, handmade.world(n, 1, opportunity=np.full(n, LN2)))
    joined = []
    for week in range(2):
        run.state.marks[:, PROVIDER] = -1
        run.advance_week(opens=week == 0)
        joined.append(run.state.marks[:, PROVIDER, 0] == 0)
    assert abs(agreement(joined[0], joined[1])) < 4 / 30


def test_who_complains_and_who_lives_something_differ_from_week_to_week() -> None:
    n = 900
    market = still(n, 1, satisfaction_rate=0.0, expectation_rate=0.5, patience=0, **SPEAK)
    firm = village.firm(
        programmes={}, levers={"complaint_ease": 0.5, "ticket_capacity": 1e6, "recovery": 0.0}
    )
    market = replace(
        market,
        firms=(firm,),
        physics=replace(market.physics, recovery_quiet=0),
        stakeholders=(replace(market.stakeholders[0], experience=LN2),),
    )
    run = started(market, handmade.world(n, 1, tied=np.zeros(n)))
    run.state.people[:, -1] = -0.5
    lived, complained = [], []
    for week in range(2):
        before = field(run, EXPECTATION).copy()
        resolved = run.state.marks[:, QUIET, 0].copy()
        run.advance_week(opens=week == 0)
        lived.append(field(run, EXPECTATION) != before)
        complained.append(run.state.marks[:, QUIET, 0] != resolved)
    for pair in (lived, complained):
        assert pair[0].mean() == pytest.approx(0.5, abs=4 / 60)
        assert abs(agreement(*pair)) < 4 / 30


def test_what_a_firm_hears_differs_from_week_to_week_and_from_firm_to_firm() -> None:
    """Half of sixteen voices each week, and errors of their own."""
    market = still(16, 2, need_uncertainty=1.0, **SPEAK)
    firms = tuple(
        village.firm(f"firm{f}", programmes={}, levers={"coverage": 0.5}) for f in range(2)
    )
    run = started(replace(market, firms=firms), handmade.world(16, 2))
    heard, estimate = [np.zeros(2)], [np.zeros(2)]
    for week in range(12):
        run.advance_week(opens=week == 0)
        heard.append(run.firms.quarter[HEARD, :, 0].copy())
        estimate.append(run.firms.estimate[:, 0, 0, 0].copy())
    counts, steps = np.diff(heard, axis=0), np.diff(estimate, axis=0)
    assert counts.mean() == pytest.approx(8, abs=4 * 2 / np.sqrt(24))
    assert all(len(np.unique(counts[:, f])) > 2 for f in range(2))
    assert not np.array_equal(counts[:, 0], counts[:, 1])
    assert (np.diff(np.sign(steps), axis=0) != 0).any(axis=0).all()


def test_what_a_firm_mishears_differs_from_week_to_week() -> None:
    """All sixteen are heard every week and mean the same: the estimate errs to either side."""
    market = still(16, 1, need_uncertainty=1.0, **SPEAK)
    market = replace(market, firms=(village.firm(programmes={}, levers={"coverage": 1.0}),))
    run = started(market, handmade.world(16, 1))
    estimates = []
    for week in range(12):
        run.advance_week(opens=week == 0)
        estimates.append(run.firms.estimate[0, 0, :, 0].copy())
    steps = np.diff(estimates, axis=0)
    assert (steps > 0).any(axis=0).all()
    assert (steps < 0).any(axis=0).all()


# ---- more of hearing ----------------------------------------------------------------------------


def test_contact_makes_salient_and_evidence_persuades() -> None:
    """Ben by contact .5 and evidence ln 2: mind 1 - e^-.5, attitude half way; Carl is silent.

    Carl's tie has most contact and least evidence, so that the two weigh Ben's tie differently.
    """
    market = still(peer_persuasion=1.0, salience_per_message=1.0, **SPEAK)
    people = handmade.world(
        3,
        1,
        contact=hearing((0, 1, 0.5), (0, 2, 2.0)),
        evidence=hearing((0, 1, LN2), (0, 2, LN2 / 4)),
        opening_attitude=[[0.0], [0.8], [0.0]],
    )
    run = started(market, people)
    run.state.people[[0, 2], SALIENCE] = 0.0
    run.advance_week(opens=True)
    assert field(run, SALIENCE)[0] == pytest.approx(0.3934693403, abs=2e-5)
    assert attitude(run)[0] == pytest.approx(0.4, abs=3e-5)


def test_what_one_hears_is_gone_when_the_next_one_listens() -> None:
    """Anna hears grief, Ben hears nobody, Carl hears joy: each only their own."""
    ties = np.zeros((5, 5))
    ties[0, 3] = ties[2, 4] = LN2
    people = handmade.world(
        5, 1, evidence=ties, opening_attitude=[[0.0], [0.0], [0.0], [-0.8], [0.6]]
    )
    run = advanced(still(5, peer_persuasion=1.0, **SPEAK), people, weeks=1)
    assert attitude(run)[:3] == pytest.approx([-0.4, 0.0, 0.3], abs=3e-5)


def test_comparison_works_at_the_strength_of_talk_about_the_rival_and_on_grief_only() -> None:
    """Grief at evidence .25 ln 2, talk about firm 1 at contact 2, twice compared: ln 2 to .8.

    Carl praises firm 1 as loudly, which changes nothing for firm 0.
    """
    ties = hearing((0, 1, LN2 / 4), (0, 2, LN2 / 4))
    market = still(3, 2, peer_persuasion=1.0, **SPEAK)
    firms = (
        village.firm("firm0", programmes={}, claim=0.8, levers={"comparison": 2.0}),
        village.firm("firm1", programmes={}, levers={"contact": 2.0}),
    )
    people = handmade.world(3, 2, evidence=ties, opening_attitude=[[0, 0], [0, -0.9], [0, 0.9]])
    run = started(replace(market, firms=firms), people)
    run.state.people[1:, SALIENCE] = 0.0
    run.advance_week(opens=True)
    assert attitude(run)[0] == pytest.approx(0.4, abs=2e-5)


# ---- more of referral, grievance and moving -----------------------------------------------------


def offered(valence: float = 0.9, weeks: int = 1, **changes: object) -> Run:
    """Return a run in which Anna has heard Ben, who feels so about firm 0 that refers."""
    market = still(3, 2, referral_offer=10.0, referral_weeks=2, **SPEAK)
    firms = (
        village.firm("firm0", programmes={}, appeal=-3.0, levers={"referral": 1.0}),
        village.firm("firm1", programmes={}),
    )
    ties = hearing((0, 1, 50.0))
    given = {"tied": [1, 0, 1], "opportunity": [0, 0, 0]}
    people = handmade.world(3, 2, contact=ties, evidence=ties, **{**given, **changes})
    run = started(replace(market, firms=firms), people)
    run.state.people[:, -1] = [[0.0], [valence], [0.0]]
    for week in range(weeks):
        run.advance_week(opens=week == 0)
        run.state.people[1, SALIENCE] = 0.0
    return run


def choose_now(run: Run) -> None:
    """Give Anna an occasion and live a week."""
    run.facts.chooses[0] = 1.0
    run.advance_week(opens=False)


def test_only_promoters_make_referral_offers() -> None:
    assert offered(0.6).state.marks[:, OFFER, 0].tolist() == [65536 + 1 + 2, 0, 0]
    assert offered(0.4).state.marks[:, OFFER, 0].tolist() == [0, 0, 0]


def test_an_offer_lives_as_long_as_said_and_is_used_up_by_moving() -> None:
    """Heard in week 1, alive through week 3."""
    in_time, late = offered(weeks=2), offered(weeks=3)
    choose_now(in_time)
    choose_now(late)
    assert in_time.state.marks[0, PROVIDER, 0] == 0
    assert late.state.marks[0, PROVIDER, 0] != 0
    assert in_time.state.marks[0, OFFER, 0] == 0


def test_only_those_who_came_by_an_offer_are_referred_and_rewarded() -> None:
    """Anna comes by the offer; Carl, who heard nobody, just comes."""
    market = still(3, 2, referral_offer=10.0, **SPEAK)
    firms = (
        village.firm(
            "firm0",
            programmes={},
            appeal=10.0,
            levers={"referral": 1.0},
            referral_reward=7.0,
            fixed_cost=0.0,
            variable_cost=1.0,
        ),
        village.firm("firm1", programmes={}),
    )
    ties = hearing((0, 1, 50.0))
    people = handmade.world(3, 2, contact=ties, evidence=ties, tied=[1, 0, 1])
    run = started(replace(market, firms=firms), people)
    run.state.people[:, -1] = [[0.0], [0.9], [0.0]]
    run.facts.chooses[: run.world.n_stakeholders] = 1.0
    run.advance_quarter()
    assert run.counts[ADDS, 0, 0, 0] == 2
    assert run.counts[REFERRED, 0, 0, 0] == 1
    assert run.firms.quarter[1, 0, 0] == pytest.approx(-7.0)


def test_an_offer_of_ones_own_provider_does_not_hold_one() -> None:
    """Anna is with firm 0 already: its offer is worth nothing to her and she leaves."""
    run = offered(tied=[0, 0, 1])
    assert run.state.marks[0, OFFER, 0] > 0
    choose_now(run)
    assert run.state.marks[0, PROVIDER, 0] != 0


def test_an_offer_is_worth_nothing_to_one_who_has_no_provider_to_leave() -> None:
    run = offered(tied=[-1, 0, 1])
    assert run.state.marks[0, OFFER, 0] > 0
    choose_now(run)
    assert run.state.marks[0, PROVIDER, 0] != 0


def test_a_grievance_is_forgotten_after_its_weeks() -> None:
    """Voiced in week 1 and remembered for 2: conquest works in week 3 and no more in week 4."""
    for quiet_weeks, conquered in ((1, True), (2, False)):
        market = complaining(3)
        firms = (market.firms[0], replace(market.firms[1], levers={"conquest": 20.0}))
        market = replace(
            market,
            firms=firms,
            physics=replace(market.physics, switching_cost=10.0, grievance_weeks=2, patience=52),
        )
        run = started(market, handmade.world(3, 2, tied=[0, 0, 0]))
        run.state.people[:, -1] = -0.6
        run.advance_week(opens=True)
        run.state.people[:, SALIENCE] = 1.0
        run.state.people[:, -1] = 0.6
        for _ in range(quiet_weeks):
            run.advance_week(opens=False)
        assert (run.state.marks[:, GRIEVANCE, 0] == 3).all()
        choose_now(run)
        assert (run.state.marks[0, PROVIDER, 0] == 1) == conquered


def test_who_moves_leaves_ticket_grievance_quiet_and_offer_behind() -> None:
    market = still(3, 2)
    firms = (
        village.firm("firm0", programmes={}, appeal=-10.0),
        village.firm("firm1", programmes={}, appeal=10.0),
    )
    people = handmade.world(3, 2, tied=[0, 0, 1], opportunity=[50, 0, 0])
    run = started(replace(market, firms=firms), people)
    for which in (QUIET, GRIEVANCE, TICKET, OFFER):
        run.state.marks[:, which] = 9
    run.advance_week(opens=True)
    for which in (QUIET, GRIEVANCE, TICKET, OFFER):
        assert run.state.marks[:, which, 0].tolist() == [0, 9, 9]


def test_who_leaves_for_nobody_feels_nothing() -> None:
    market = still(3, 1)
    market = replace(market, firms=(village.firm(programmes={}, appeal=-10.0),))
    people = handmade.world(3, 1, tied=[0, 0, -1], opportunity=[50, 0, 50])
    run = started(market, people)
    run.state.people[:, -1] = -0.9
    run.advance_week(opens=True)
    assert run.state.marks[:, PROVIDER, 0].tolist() == [-1, 0, -1]
    assert satisfaction(run) == pytest.approx([0.0, -0.9, -0.9])


def test_staying_without_a_provider_and_with_one_cost_nothing_to_those_who_do_not() -> None:
    """None is worth 10 only to those who have none; loyalty 10 binds only to one's own."""
    market = still(3, 2, none_utility=10.0, switching_cost=10.0)
    people = handmade.world(3, 2, tied=[-1, 0, 1], opportunity=[50, 50, 50])
    for weeks in range(1, 9):
        run = advanced(market, people, weeks=weeks)
        assert run.state.marks[:, PROVIDER, 0].tolist() == [-1, 0, 1]


# ---- employees ----------------------------------------------------------------------------------


def test_engagement_is_the_mean_attitude_of_a_firms_own_staff() -> None:
    """Anna and Ben work for firm 0, Carl for firm 1; Dora is tied to firm 0 only."""
    people = handmade.world(
        4,
        2,
        tied=[0, 0, 1, 0],
        department=[0, 1, 0, -1],
        opening_attitude=[[0.8, 0.1], [-0.2, 0.1], [0.5, -0.6], [0.9, 0.9]],
    )
    run = advanced(still(4, 2), people, weeks=1)
    assert run.firms.engagement[:, 0] == pytest.approx([0.3, -0.6], abs=5e-4)


def test_engaged_staff_and_skills_execute_better_and_waiting_complaints_press() -> None:
    """Logit .1 + 2 x .5 + 3 x .4 - 4 x 6 / (6 + 2) = -.7."""
    market = still(2, 1, human_effect=2.0, engagement_effect=3.0, backlog_effect=4.0)
    firm = village.firm(programmes={}, execution=0.1)
    firm = replace(
        firm,
        capital={k: replace(c, depreciation=0.0, investment=0.0) for k, c in firm.capital.items()},
    )
    run = started(replace(market, firms=(firm,)), handmade.world(2, 1))
    run.firms.engagement[:], run.firms.waiting[:], run.firms.capacity[:] = 0.4, 6.0, 2.0
    run.advance_week(opens=True)
    assert run.firms.execution[0, 0, 0] == pytest.approx(0.3318122278, abs=1e-9)
    assert run.firms.quality[0, 0, 0] == run.firms.execution[0, 0, 0]


def test_quality_is_execution_times_fit() -> None:
    run = started(still(2, 1), handmade.world(2, 1))
    run.firms.offering[:] = [[[[1.0], [1.0]]]]
    run.advance_week(opens=True)
    assert run.firms.fit[0, 0, 0] == pytest.approx(0.3678794412)
    assert run.firms.quality[0, 0, 0] == pytest.approx(0.3678794412 * run.firms.execution[0, 0, 0])


# ---- gates, plane by plane ----------------------------------------------------------------------

GATED = {
    Law.OUTBOUND: (IMPRESSION_HAZARD, CLAIM_RATE, PROMISE_RATE),
    Law.PEER: (MESSAGE_HAZARD, PEER_RATE, OFFER_HAZARD),
    Law.INBOUND: (COMPLAINT_CHANCE,),
}


@pytest.mark.parametrize("law", list(Law))
@pytest.mark.parametrize("firm", [0, 1])
def test_a_gate_scales_the_rates_of_its_law_and_firm_and_nothing_else(law: Law, firm: int) -> None:
    market = village.scenario()
    market = replace(
        market,
        firms=tuple(replace(f, levers={"conquest": 1.0, "comparison": 1.0}) for f in market.firms),
    )
    gates = open_gates(2)
    gates[law, firm] = 0.25
    run = started(
        market, handmade.world(3, 2), village.arm(market), village.arm(market, "gated", gates=gates)
    )
    run.advance_week(opens=True)
    open_, gated = run.drive[..., 0], run.drive[..., 1]
    for plane in range(len(DRIVES) - 1):
        for f in range(2):
            ratio = 0.25 if plane in GATED[law] and f == firm else 1.0
            assert gated[plane, f] == pytest.approx(ratio * open_[plane, f], rel=1e-6)
            assert (
                (open_[plane, f] != 0).any() or plane not in GATED[law] or (plane == OFFER_HAZARD)
            )
    for f in range(2):
        rival = 1 - f
        ratio = 0.25 if law == Law.INBOUND and rival == firm else 1.0
        assert gated[CONQUEST + f, rival] == pytest.approx(ratio * open_[CONQUEST + f, rival])
        assert (open_[CONQUEST + f, rival] == 1.0).all()


def test_experience_is_gated_only_where_it_counts_as_influence() -> None:
    market = village.scenario()
    gates = np.zeros((3, 2))
    run = started(
        market,
        handmade.world(3, 2),
        village.arm(market, gates=gates),
        village.arm(market, "counted", gates=gates, physics={"experience_in_flow": 1.0}),
    )
    run.advance_week(opens=True)
    chance = run.drive[EXPERIENCE_CHANCE, 0, 0, :2]
    assert chance == pytest.approx([0.6321205588, 0.0])


@pytest.mark.parametrize(
    ("closed", "voices"),
    [
        ((), 32),
        (((Law.INBOUND, 0),), 16),
        (((Law.INBOUND, 1),), 16),
        (((Law.INBOUND, 0), (Law.INBOUND, 1)), 0),
    ],
)
def test_a_firm_that_mines_hears_voices_about_its_rival_through_the_rivals_gate(
    closed: tuple[tuple[Law, int], ...], voices: int
) -> None:
    """Opening variance 1 and voices of variance 1: after n voices 1 / (1 + n)."""
    market = still(16, 2, need_uncertainty=1.0, voice_noise=1.0, hearing_noise=0.0, **SPEAK)
    firms = (
        village.firm("firm0", programmes={}, levers={"coverage": 1.0, "mining": 1.0}),
        village.firm("firm1", programmes={}, levers={"coverage": 0.0}),
    )
    market = replace(market, firms=firms)
    gates = open_gates(2)
    for law, firm in closed:
        gates[law, firm] = 0.0
    run = advanced(market, handmade.world(16, 2), village.arm(market, gates=gates), weeks=1)
    assert run.firms.variance[0, 0, 0] == pytest.approx(1 / (1 + voices))
    assert run.firms.variance[1, 0, 0] == 1.0


# ---- more of money and service ------------------------------------------------------------------


def test_investment_of_the_plan_is_the_organizations_alone() -> None:
    market = still(2, 2)
    plan = Plan(np.zeros((6, 1)), np.full((3, 1), 26.0))
    run = started(market, handmade.world(2, 2), Arm("more", "more", plan, open_gates(2)))
    run.advance_quarter()
    assert run.firms.investment[:, :, 0].tolist() == [[126.0] * 3, [100.0] * 3]


def test_units_grow_with_the_market_and_tickets_cost() -> None:
    """One customer buys 1 in a market that grows 21 % a year: in week 26 1.1; a ticket costs 3."""
    market = still(1, 1, quarters=3, **SPEAK)
    market = replace(market, finance=replace(market.finance, market_growth=0.21))
    firm = village.firm(
        programmes={},
        variable_cost=0.0,
        fixed_cost=0.0,
        ticket_cost=3.0,
        levers={"complaint_ease": 1.0, "ticket_capacity": 1000.0},
    )
    run = started(replace(market, firms=(firm,)), handmade.world(1, 1, tied=[0]))
    run.week = 25
    run.state.people[:, -1] = -0.9
    run.advance_week(opens=False)
    assert run.firms.quarter[2, 0, 0] == pytest.approx(1.1)
    assert run.firms.quarter[1, 0, 0] == pytest.approx(1.1 - 3.0)


def test_capacity_follows_the_tied_by_type() -> None:
    """Two of one type at 250 a thousand: half a ticket a week; the lever of types counts apart."""
    market = still(2, 1)
    other = replace(market.stakeholders[0], key="others", label="x")
    capacity = village.mechanism("desk", village.Effect("ticket_capacity", ("others",), 500.0))
    market = replace(
        market,
        stakeholders=(*market.stakeholders, other),
        mechanisms=(capacity,),
        firms=(
            village.firm(
                programmes={"desk": Programme(effort=13.0, maturity=1.0)},
                levers={"ticket_capacity": 250.0},
            ),
        ),
    )
    run = advanced(market, handmade.world(4, 1, kind=[0, 0, 1, 1], tied=[0, 0, 0, 0]), weeks=1)
    output = float(run.firms.output[0, 0, 0])
    assert output > 0.2
    assert run.firms.capacity[0, 0] == pytest.approx(0.5 + 0.5 + output)


def test_unused_capacity_is_not_saved_up() -> None:
    """Ten weeks of capacity one without complaints, then three at once: one a week is served."""
    market = complaining(3, ticket_capacity=1000 / 3, recovery=0.0)
    market = replace(market, physics=replace(market.physics, patience=9, recovery_quiet=40))
    run = started(market, handmade.world(3, 2, tied=[0, 0, 0]))
    run.state.people[:, -1] = 0.5
    for week in range(10):
        run.advance_week(opens=week == 0)
    run.state.people[:, -1] = -0.5
    served = []
    for _ in range(3):
        run.advance_week(opens=False)
        served.append(int(run.firms.quarter[RESOLVED, 0, 0]))
    assert served == [1, 2, 3]


def test_complaints_of_one_week_queue_by_luck_not_by_row() -> None:
    """Who is served first of twelve, week after week: not always the first row."""
    n = 12
    first = []
    for seed in range(12):
        market = complaining(n, ticket_capacity=1000 / n, recovery=1.0)
        run = started(market, handmade.world(n, 2, tied=np.zeros(n)), seed=seed)
        run.state.people[:, -1] = -0.5
        run.advance_week(opens=True)
        first.append(int(satisfaction(run).argmax()))
    assert len(set(first)) > 4


def test_learning_counts_new_practice_only() -> None:
    """An unfunded mechanism of the same department that decays gives no bonus to the others."""
    programmes = {"service": Programme(effort=13.0, maturity=1.0)}
    fading = {**programmes, "advertising": Programme(effort=0.0, maturity=0.9)}
    outputs = []
    for given in (programmes, fading):
        market = still(2, 1, maturity_decay=0.2)
        market = replace(market, firms=(village.firm(programmes=given),))
        run = advanced(market, handmade.world(2, 1), weeks=1)
        outputs.append(float(run.firms.output[0, market.mechanism("service"), 0]))
    assert outputs[0] == outputs[1] > 0


def test_of_two_firms_liked_alike_the_first_by_key_is_preferred() -> None:
    for keys in (("a", "b"), ("b", "a")):
        market = still(3, 2)
        market = replace(market, firms=tuple(village.firm(k, programmes={}) for k in keys))
        run = started(market, handmade.world(3, 2))
        preferred = run.rows[0][0][kpis.INDEX["preference"], 0]
        assert preferred == (1.0 if keys[0] == "a" else 0.0)


def test_losses_are_counted_where_they_happen() -> None:
    market = still(3, 2)
    firms = (
        village.firm("firm0", programmes={}, appeal=-10.0),
        village.firm("firm1", programmes={}, appeal=10.0),
    )
    people = handmade.world(3, 2, tied=[0, 0, -1], opportunity=[50, 50, 50])
    run = started(replace(market, firms=firms), people)
    run.advance_quarter()
    assert run.counts[LOSSES, :, 0, 0].tolist() == [2, 0]
    assert run.counts[ADDS, :, 0, 0].tolist() == [0, 3]
    assert (field(run, BROKEN) == 2.0).all()


def test_learning_in_one_department_leaves_the_other_departments_alone() -> None:
    """Listening is learnt at the back: the front's service gives what it gave."""
    programmes = {
        key: Programme(effort=13.0, maturity=0.999999999) for key in ("service", "advertising")
    }
    market = replace(still(2, 1), firms=(village.firm(programmes=programmes),))
    learning = village.arm(market, "learn", listening=13.0)
    run = advanced(market, handmade.world(2, 1), village.arm(market), learning, weeks=1)
    assert (run.firms.output[0, :2, 0] > 0.2).all()
    assert np.array_equal(run.firms.output[0, :2, 0], run.firms.output[0, :2, 1])
