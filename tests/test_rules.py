"""The design rules R1 to R8 of the model, each by at least one test that can fail."""

from __future__ import annotations

from dataclasses import fields, replace

import handmade
import numpy as np
import pytest
import village
from handmade import advanced, arm, attitude, bits, differing, field, satisfaction, started, still

from sim import levers
from sim.engine import Run
from sim.fields import WEEKS_PER_QUARTER
from sim.firms import HONESTY, IMPRESSIONS
from sim.flows import Flow, Law, flow_of, muted, open_gates
from sim.mechanisms import Acceptability
from sim.organization import Policy, Programme
from sim.outside import Shock
from sim.physics import Physics
from sim.population import build_world
from sim.scenario import Scenario
from sim.state import ARRIVED, ATTITUDE, FIRM_FIELDS, HEARD, MECHANISMS, PROVIDER, SALIENCE

LN2 = 0.6931471805599453
SPEAK = handmade.EVERYBODY_SPEAKS
FLOWS = list(Flow)


# ---- R1: one primitive --------------------------------------------------------------------------


def test_r1_a_still_world_changes_no_bit() -> None:
    """Every rate is 0: whatever the states are, they keep every bit for a quarter."""
    rng = np.random.default_rng(1)
    n = 40
    ties = rng.uniform(0, 1, (n, n)) * (rng.uniform(size=(n, n)) < 0.2)
    people = handmade.world(
        n,
        2,
        contact=ties,
        evidence=ties,
        tied=rng.integers(-1, 2, n),
        opening_attitude=rng.uniform(-1, 1, (n, 2)),
    )
    market = still(n, 2, **SPEAK)
    market = replace(
        market, firms=tuple(replace(f, levers={"complaint_ease": 0.0}) for f in market.firms)
    )
    run = started(market, people)
    for f in range(2):
        run.state.people[:, f * FIRM_FIELDS + SALIENCE, 0] = rng.uniform(0, 1, n)
        run.state.people[:, f * FIRM_FIELDS + 2, 0] = rng.uniform(0, 1, n)
        run.state.people[:, f * FIRM_FIELDS + 3 : f * FIRM_FIELDS + 5, 0] = rng.uniform(
            2, 9, (n, 2)
        )
    run.state.people[:, -1] = rng.uniform(-1, 1, (n, 1))
    before = run.state.people.copy()
    run.advance_quarter()
    assert run.counts[:2].sum() == 2 * 13 * n, "everybody spoke all the time"
    moved = np.abs(run.state.people - before).max(axis=(0, 2))
    kept_or_broken = [3, 4, 8, 9]
    assert (np.delete(moved, kept_or_broken) == 0).all()
    assert (moved[kept_or_broken] < 2e-5).all(), "prior + (count - prior) rounds"


def test_r1_where_attitudes_settle_does_not_depend_on_the_length_of_the_week() -> None:
    """Half the rates, as in half a week: anchor, claims and talk balance at the same place."""
    ties = np.array([[0, 1.0, 0.5], [0.7, 0, 0.2], [0.1, 0.4, 0]])
    people = handmade.world(3, 1, evidence=ties, opening_attitude=[[0.9], [-0.5], [0.1]])
    market = still(3, 1, quarters=12, **SPEAK)
    market = replace(market, firms=(village.firm(programmes={}, levers={"impressions": 1.0}),))
    lanes = [
        arm(
            market,
            f"week{part}",
            anchor=0.2 * part,
            claim_persuasion=0.3 * part,
            peer_persuasion=0.6 * part,
        )
        for part in (1.0, 0.5, 0.25)
    ]
    run = advanced(market, people, *lanes)
    assert attitude(run, lane=0) != pytest.approx([0.9, -0.5, 0.1], abs=0.05)
    for lane in (1, 2):
        assert attitude(run, lane=lane) == pytest.approx(attitude(run), abs=2 * 2.0**-14)


# ---- R2: one conversion -------------------------------------------------------------------------


def test_r2_independent_causes_add_their_hazards() -> None:
    """An advertisement, a message and an experience: 1 - (1 - p)(1 - q)(1 - r) from salience 0."""
    ties = np.array([[0, 1.0], [0, 0]])
    market = still(
        2,
        1,
        salience_per_impression=0.2,
        salience_per_message=0.3,
        salience_per_experience=0.5,
        **SPEAK,
    )
    kind = replace(market.stakeholders[0], experience=50.0)
    firm = village.firm(programmes={}, levers={"impressions": 1.0})
    market = replace(market, stakeholders=(kind,), firms=(firm,))
    run = started(market, handmade.world(2, 1, contact=ties, evidence=ties, tied=[0, -1]))
    run.state.people[0, SALIENCE] = 0.0
    run.advance_week(opens=True)
    p, q, r = 0.1812692469, 0.2591817793, 0.3934693403
    assert field(run, SALIENCE)[0] == pytest.approx(1 - (1 - p) * (1 - q) * (1 - r), abs=1e-6)


def test_r2_an_opportunity_of_rate_log_two_comes_in_half_of_the_weeks() -> None:
    n = 20_000
    people = handmade.world(n, 1, opportunity=np.full(n, LN2))
    market = still(n, 1)
    market = replace(market, firms=(village.firm(programmes={}, appeal=10.0),))
    run = advanced(market, people, weeks=1)
    assert (run.state.marks[:, PROVIDER, 0] == 0).mean() == pytest.approx(0.5, abs=4 * 0.0036)


# ---- R3: noise lives on events ------------------------------------------------------------------


def test_r3_noise_without_events_changes_no_bit() -> None:
    n = 30
    market = still(n, 1, satisfaction_rate=0.5, expectation_rate=0.5, trust_gain=1.0)
    people = handmade.world(n, 1, tied=np.zeros(n))
    lanes = [arm(market, f"noise{noise:g}", performance_noise=noise) for noise in (0.0, 1.0, 5.0)]
    run = advanced(market, people, *lanes)
    for lane in (1, 2):
        assert np.array_equal(run.state.people[..., 0], run.state.people[..., lane])


def test_r3_surprises_come_as_often_as_experiences_do() -> None:
    """At rate ln 2 half of the people live something in a week, each its own."""
    n = 20_000
    market = still(n, 1, satisfaction_rate=1.0, performance_noise=1.0)
    market = replace(market, stakeholders=(replace(market.stakeholders[0], experience=LN2),))
    run = advanced(market, handmade.world(n, 1, tied=np.zeros(n)), weeks=1)
    lived = satisfaction(run) != 0
    assert lived.mean() == pytest.approx(0.5, abs=4 * 0.0036)
    assert len(np.unique(satisfaction(run)[lived])) > 0.98 * lived.sum()


# ---- R4: synchronous stages ---------------------------------------------------------------------


def test_r4_a_chain_of_hearers_passes_on_one_step_a_week() -> None:
    """Each hears the one before: what the first says needs three weeks to the fourth."""
    ties = np.diag([50.0, 50.0, 50.0], -1)
    people = handmade.world(4, 1, evidence=ties, opening_attitude=[[1.0], [0], [0], [0]])
    market = still(4, 1, peer_persuasion=1.0, **SPEAK)
    for weeks, reached in ((1, [1, 1, 0, 0]), (2, [1, 1, 1, 0]), (3, [1, 1, 1, 1])):
        run = advanced(market, people, weeks=weeks)
        assert attitude(run) == pytest.approx(reached, abs=3e-4)


# ---- R5: stateless randomness -------------------------------------------------------------------


def test_r5_what_one_does_changes_nobody_elses_luck() -> None:
    """Nobody hears anybody: another's attitude and provider leave all others bit by bit alone."""
    market = replace(
        village.scenario(),
        physics=replace(
            village.PHYSICS,
            engagement_effect=0.0,
            backlog_effect=0.0,
            need_drift=0.0,
            disconfirmation=1.0,
        ),
    )
    n = 60
    rng = np.random.default_rng(2)
    given = {
        "tied": rng.integers(-1, 2, n),
        "opportunity": np.full(n, 0.2),
        "opening_attitude": rng.uniform(-0.5, 0.5, (n, 2)),
        "voice": np.ones(n),
    }
    quiet = replace(
        market,
        firms=tuple(
            replace(f, levers={"ticket_capacity": 0.0, "coverage": 0.0, "complaint_ease": 0.0})
            for f in market.firms
        ),
    )
    one = advanced(quiet, handmade.world(n, 2, **given), village.arm(quiet))
    given["opening_attitude"] = given["opening_attitude"].copy()
    given["opening_attitude"][0] = [-1.0, 1.0]
    given["tied"] = given["tied"].copy()
    given["tied"][0] = (given["tied"][0] + 2) % 3 - 1
    other = advanced(quiet, handmade.world(n, 2, **given), village.arm(quiet))
    assert not np.array_equal(one.state.people[0], other.state.people[0])
    assert np.array_equal(one.state.people[1:], other.state.people[1:])
    assert np.array_equal(one.state.marks[1:], other.state.marks[1:])


# ---- R6: gates ----------------------------------------------------------------------------------


def test_r6_flows_are_laws_times_firms() -> None:
    assert [(int(f), f.law, f.about_us) for f in FLOWS] == [
        (1, Law.OUTBOUND, True),
        (2, Law.PEER, True),
        (3, Law.INBOUND, True),
        (4, Law.OUTBOUND, False),
        (5, Law.PEER, False),
        (6, Law.INBOUND, False),
    ]
    for flow in FLOWS:
        gates = muted(flow, 3)
        closed = [tuple(map(int, x)) for x in np.argwhere(gates == 0)]
        firms = [0] if flow.about_us else [1, 2]
        assert closed == [(int(flow.law), f) for f in firms]
        assert {flow_of(Law(law), f) for law, f in closed} == {flow}


def lively() -> tuple[Scenario, Run]:
    """Return a market in which each of two firms uses every flow, after one week, per muted flow.

    Lane 0 has all gates open, lane f flow f muted.
    """
    market = still(
        60,
        2,
        peer_persuasion=1.0,
        salience_per_impression=0.1,
        claim_persuasion=0.1,
        salience_per_message=0.5,
        claim_expectation=0.1,
        need_drift=0.1,
        **SPEAK,
    )
    firms = tuple(
        village.firm(
            f"firm{f}",
            programmes={},
            levers={"impressions": 2.0, "coverage": 0.5, "complaint_ease": 1.0, "mining": 0.5},
        )
        for f in range(2)
    )
    market = replace(
        market, firms=firms, stakeholders=(replace(market.stakeholders[0], salience=0.3),)
    )
    rng = np.random.default_rng(3)
    ties = rng.uniform(0, 0.3, (60, 60)) * (1 - np.eye(60))
    people = handmade.world(
        60,
        2,
        contact=ties,
        evidence=ties,
        tied=rng.integers(0, 2, 60),
        opening_attitude=rng.uniform(-0.9, 0.9, (60, 2)),
    )
    lanes = [arm(market, "open"), *(arm(market, f"mute{f}", gates=muted(f, 2)) for f in FLOWS)]
    run = started(market, people, *lanes)
    run.state.people[:, -1] = -0.5
    run.quarter = 1
    run.advance_week(opens=True)
    return market, run


def test_r6_each_muted_flow_silences_its_own_law_about_its_own_firm_and_no_other() -> None:
    """One week: goodwill is outbound, what peers do to attitude is peer, what is heard inbound."""
    _, run = lively()
    state = run.firms
    for f in range(2):
        for lane in range(7):
            about_us = f == 0
            open_ = {law: lane != flow_of(law, f) for law in Law}
            assert (state.goodwill[f, 0, lane] > 0) == open_[Law.OUTBOUND]
            assert (state.quarter[HEARD, f, lane] > 0) == open_[Law.INBOUND]
            assert (state.quarter[ARRIVED, f, lane] > 0) == open_[Law.INBOUND], about_us
            moved = (
                run.state.people[:, f * FIRM_FIELDS + ATTITUDE, lane]
                - (run.world.opening_attitude[:, f])
            )
            raised = run.state.people[:, f * FIRM_FIELDS + 2, lane] > np.float32(0.6)
            assert raised.any() == open_[Law.OUTBOUND]
            if not open_[Law.PEER]:
                # Claims alone: everybody moves up by the same share of the way to the claim.
                share = moved / (0.5 - run.world.opening_attitude[:, f])
                assert share == pytest.approx(1 - np.exp(-0.2), abs=1e-4)
            else:
                assert moved.std() > 0.1


def test_r6_a_muted_flow_leaves_the_other_firm_alone_for_a_week() -> None:
    _, run = lively()
    for lane, flow in enumerate(FLOWS, start=1):
        other = 1 if flow.about_us else 0
        ours = slice(other * FIRM_FIELDS, (other + 1) * FIRM_FIELDS)
        assert np.array_equal(run.state.people[:, ours, lane], run.state.people[:, ours, 0])
        assert np.array_equal(run.firms.goodwill[other, :, lane], run.firms.goodwill[other, :, 0])
        assert run.firms.quarter[HEARD, other, lane] == run.firms.quarter[HEARD, other, 0]


def test_r6_every_flow_in_use_changes_the_firm_it_is_about_for_the_worse_or_better() -> None:
    market = village.scenario(quarters=2)
    people = build_world(market, 1, 0)
    open_ = village.arm(market, listening=20.0, service=20.0)
    for flow in FLOWS:
        twin = replace(open_, key="twin", gates=muted(flow, 2))
        run = advanced(market, people, open_, twin)
        changed = not np.array_equal(run.state.people[..., 0], run.state.people[..., 1])
        assert changed, f"muting flow {flow} changes nothing"


UNUSED = {
    Flow.OURS_TO_STAKEHOLDERS: (0, {"impressions": 0.0}),
    Flow.PEERS_ABOUT_US: (0, {"talk_rate": 0.0}),
    Flow.STAKEHOLDERS_TO_US: (0, {"coverage": 0.0, "complaint_ease": 0.0}),
    Flow.RIVALS_TO_STAKEHOLDERS: (1, {"impressions": 0.0}),
    Flow.PEERS_ABOUT_RIVALS: (1, {"talk_rate": 0.0}),
    Flow.STAKEHOLDERS_TO_RIVALS: (1, {"coverage": 0.0, "complaint_ease": 0.0}),
}


@pytest.mark.parametrize("flow", FLOWS)
def test_r6_muting_a_flow_nobody_uses_changes_no_bit(flow: Flow) -> None:
    market = village.scenario(quarters=2)
    firm, unused = UNUSED[flow]
    firms = list(market.firms)
    programmes = {"service": Programme(effort=6.5, maturity=0.5)}
    firms[firm] = replace(firms[firm], levers=unused, programmes=programmes)
    market = replace(market, firms=tuple(firms))
    people = build_world(market, 1, 0)
    twin = village.arm(market, "twin", gates=muted(flow, 2))
    run = advanced(market, people, village.arm(market), twin)
    both = bits(run)
    assert (
        differing({n: a[..., 0] for n, a in both.items()}, {n: a[..., 1] for n, a in both.items()})
        == []
    )
    in_use = village.scenario(quarters=2)
    used = advanced(in_use, people, village.arm(in_use), twin)
    assert not np.array_equal(used.state.people[..., 0], used.state.people[..., 1])


@pytest.mark.parametrize("law", list(Law))
def test_r6_a_half_open_gate_halves_the_rate(law: Law) -> None:
    """Outbound: goodwill. Peer: salience hazard of a message. Inbound: voices heard."""
    n = 2000
    market = still(n, 1, salience_per_message=2 * LN2, **SPEAK)
    firm = village.firm(
        programmes={}, levers={"impressions": 2.0, "coverage": 1.0, "complaint_ease": 1.0}
    )
    market = replace(market, firms=(firm,))
    ties = np.zeros((n, n))
    ties[0, 1] = 1.0
    people = handmade.world(n, 1, contact=ties, evidence=ties, tied=np.zeros(n))
    gates = open_gates(1)
    gates[law] = 0.5
    run = started(market, people, arm(market), arm(market, "half", gates=gates))
    run.state.people[:, -1] = -0.5
    run.state.people[0, SALIENCE] = 0.0
    run.advance_week(opens=True)
    goodwill = run.firms.goodwill[0, 0]
    heard = run.firms.quarter[HEARD, 0]
    arrived = run.firms.quarter[ARRIVED, 0]
    mind = run.state.people[0, SALIENCE]
    whole = (2.0, 0.75, n - 1, n - 1)
    assert (goodwill[0], mind[0], heard[0], arrived[0]) == pytest.approx(whole, abs=1e-5)
    expected = {
        Law.OUTBOUND: (1.0, 0.75, n - 1, n - 1),
        Law.PEER: (2.0, 0.5, n - 1, n - 1),
        Law.INBOUND: (2.0, 0.75, n / 2, n / 2),
    }[law]
    assert (goodwill[1], mind[1]) == pytest.approx(expected[:2], abs=1e-5)
    assert (heard[1], arrived[1]) == pytest.approx(expected[2:], abs=4 * 22.4)


def test_r6_experience_is_physics_unless_it_is_said_to_be_influence() -> None:
    market = village.scenario(quarters=1)
    market = replace(market, firms=tuple(replace(f, programmes={}) for f in market.firms))
    people = build_world(market, 1, 0)
    mute = muted(Flow.OURS_TO_STAKEHOLDERS, 2)
    counted = {"experience_in_flow": 1.0}
    run = advanced(
        market,
        people,
        village.arm(market),
        village.arm(market, "muted", gates=mute),
        village.arm(market, "counted", physics=counted),
        village.arm(market, "counted_muted", gates=mute, physics=counted),
    )
    open_, closed, counted_open, counted_closed = np.moveaxis(run.state.people, -1, 0)
    assert np.array_equal(open_, closed)
    assert np.array_equal(open_, counted_open)
    assert not np.array_equal(counted_open, counted_closed)


# ---- R7: organizations are exchangeable ---------------------------------------------------------


def test_r7_two_firms_alike_that_trade_places_trade_results() -> None:
    market = village.scenario(quarters=2)
    market = replace(
        market,
        firms=(
            replace(
                market.firms[0],
                policy=Policy("reactive", 2.0, 1, 60.0),
                levers={"sensing_4": 0.5},
            ),
            replace(market.firms[1], price=1.1, levers={"referral": 0.4}),
        ),
    )
    there = replace(market, firms=market.firms[::-1])
    ours = advanced(market, build_world(market, 5, 0), village.arm(market), seed=5)
    theirs = advanced(there, build_world(there, 5, 0), village.arm(there), seed=5)
    for which in range(FIRM_FIELDS):
        for f in range(2):
            assert np.array_equal(field(ours, which, f), field(theirs, which, 1 - f))
    assert np.array_equal(satisfaction(ours), satisfaction(theirs))
    for name, array in zip(ours.firms._fields, ours.firms, strict=True):
        axis = 1 if name in ("lever", "quarter") else 0
        assert np.array_equal(np.flip(array, axis), getattr(theirs.firms, name)), name


# ---- R8: units ----------------------------------------------------------------------------------


def test_r8_money_per_quarter_is_spent_in_thirteen_weeks() -> None:
    assert WEEKS_PER_QUARTER == 13
    market = still(2, 1, quarters=1)
    programmes = {"advertising": Programme(effort=26.0, maturity=0.5)}
    market = replace(market, firms=(village.firm(programmes=programmes),))
    run = advanced(market, handmade.world(2, 1), weeks=1)
    assert run.firms.quarter[MECHANISMS, 0, 0] == pytest.approx(2.0)
    assert run.firms.invested[0, :, 0] == pytest.approx(100 / 13)


def test_r8_capital_wears_per_year() -> None:
    """Half a year at ln 4 a year halves a stock nobody adds to."""
    market = still(2, 1, quarters=2)
    firm = village.firm(programmes={})
    firm = replace(
        firm,
        capital={
            key: replace(c, investment=0.0, depreciation=2 * LN2) for key, c in firm.capital.items()
        },
    )
    run = advanced(replace(market, firms=(firm,)), handmade.world(2, 1))
    assert run.firms.stock[0, :, 0] == pytest.approx(500.0)


# ---- what is declared is used -------------------------------------------------------------------

OTHER = {
    "confidence": 0.4,
    "complementarity": 0.5,
    "none_utility": 1.0,
    "self_selection": 0.7,
    "referral_weeks": 1.0,
    "patience": 1.0,
    "recovery_quiet": 1.0,
    "grievance_weeks": 0.0,
    "goodwill_weight": 0.4,
}


def other_value(physics: Physics, name: str) -> float:
    """Return an allowed value that differs from the given one; whole where that is whole."""
    value = getattr(physics, name)
    other = OTHER.get(name, 1.3 * value + 0.01)
    return int(other) if isinstance(value, int) else other


def test_every_coefficient_that_an_arm_may_change_changes_something() -> None:
    """Otherwise it would be accepted and then ignored."""
    market = village.scenario(quarters=3)
    programmes = {
        key: Programme(effort=13.0, maturity=0.6)
        for key in ("advertising", "listening", "referral", "rebuttal", "mining")
    }
    levers_of = (
        {"conquest": 1.0, "ticket_capacity": 20.0},
        {"conquest": 1.0, "ticket_capacity": 0.0},
    )
    market = replace(
        market,
        firms=tuple(
            replace(f, programmes=programmes, price=price, levers=given)
            for f, price, given in zip(market.firms, (1.0, 2.0), levers_of, strict=True)
        ),
        stakeholders=(
            village.kind(count=150, voice=6.0, opportunity=0.3, tied={"ours": 0.4, "theirs": 0.3}),
            village.employees(),
        ),
        physics=replace(market.physics, referral_offer=3.0, goodwill_weight=0.1),
        shocks=(Shock("bad", "crisis", "organization", 1, 1, 5, 0.1, 1.0, valence=-0.8),),
    )
    names = [f.name for f in fields(Physics) if f.name != "experience_in_flow"]
    people = build_world(market, 1, 0)
    silent = []
    for start in range(0, len(names), 15):
        some = names[start : start + 15]
        lanes = [
            village.arm(
                market,
                name,
                physics={name: other_value(market.physics, name)},
            )
            for name in some
        ]
        both = bits(advanced(market, people, village.arm(market), *lanes))
        silent += [
            name
            for lane, name in enumerate(some, start=1)
            if all(
                np.array_equal(a[..., 0], a[..., lane], equal_nan=a.dtype.kind == "f")
                for a in both.values()
            )
        ]
    assert silent == []


MOVED = {
    "impressions": 1.0,
    "credibility": 2.0,
    "honesty": 0.5,
    "rebuttal": 0.5,
    "talk_rate": 2.0,
    "contact": 2.0,
    "referral": 0.7,
    "issue_response": 0.5,
    "comparison": 1.0,
    "coverage": 0.8,
    "mining": 0.6,
    "routing": 0.5,
    "absorption": 0.9,
    "adaptation_rate": 0.3,
    "ticket_capacity": 50.0,
    "complaint_ease": 0.9,
    "recovery": 0.9,
    "conquest": 2.0,
    "quality": 1.0,
    "loyalty": 1.0,
    "discount": 0.3,
    "learning": 2.0,
    "strain": 1.0,
    "price_erosion": 0.3,
    "permission": 0.9,
    "crisis_response": 0.5,
}
OFTEN = Acceptability("privacy", breach=20.0, trust_cost=0.5, delay=1)
CRISIS = Shock("crisis", "crisis", "all", 1, 1, None, 0.1, 1.0, valence=-0.5)


# What management sees is no part of the world; tests/test_mechanisms.py sees that it changes none,
# tests/test_governance.py that a board reads the lever of patience.
@pytest.mark.parametrize(
    "key", [row.key for row in levers.TABLE if row.law not in ("sensing", "governance")]
)
def test_every_lever_changes_something(key: str) -> None:
    market = village.scenario(quarters=2)
    market = replace(
        market,
        mechanisms=tuple(replace(m, acceptability=OFTEN) for m in market.mechanisms),
        stakeholders=(village.kind(count=120, voice=6.0, opportunity=0.3), village.employees()),
        shocks=(CRISIS,) if key == "crisis_response" else (),
    )
    people = build_world(market, 1, 0)
    ours = replace(market.firms[0], levers={key: MOVED[key]})
    moved = replace(market, firms=(ours, market.firms[1]))
    one, other = (bits(advanced(m, people, village.arm(m))) for m in (market, moved))
    changed = set(differing(one, other)) - {"lever"}
    assert changed != set()
    if levers.lever(key).law == "sensing":  # what is read, and what is said about reading, alone
        assert "reading" in changed
        assert changed <= {"reading", "kpi"}


@pytest.mark.parametrize("key", [row.key for row in levers.TABLE])
def test_a_mechanism_moves_a_lever_from_its_default_by_its_output(key: str) -> None:
    """Output .5 x .5 x (1 - e^-1) = .158; open levers add by x output, shares close their gap."""
    row = levers.lever(key)
    by = 0.5
    mechanism = village.mechanism("mover", village.Effect(key, (), by), half_life=1000.0, dip=0.0)
    market = replace(still(2, 1, complementarity=1.0), mechanisms=(mechanism,))
    programmes = {"mover": Programme(effort=13.0, maturity=0.5)}
    market = replace(market, firms=(village.firm(programmes=programmes),))
    run = advanced(market, handmade.world(2, 1), weeks=1)
    output = float(run.firms.output[0, 0, 0])
    assert output == pytest.approx(0.158, abs=0.002)
    moved = 0.5 * output
    expected = 1 - (1 - row.default) * (1 - moved) if row.share else row.default + moved
    assert run.firms.lever[levers.INDEX[key], 0, 0, 0] == pytest.approx(expected, rel=1e-12)


def test_a_reduction_multiplies_and_mechanisms_combine() -> None:
    """Two share levers close the gap one after the other; a cut takes its share of the whole."""
    effects = [village.Effect("coverage", (), 0.5), village.Effect("talk_rate", (), -0.5)]
    mechanisms = tuple(
        village.mechanism(f"m{i}", *effects, half_life=1000.0, dip=0.0) for i in range(2)
    )
    market = replace(still(2, 1, complementarity=1.0), mechanisms=mechanisms)
    programmes = {f"m{i}": Programme(effort=13.0, maturity=0.5) for i in range(2)}
    market = replace(market, firms=(village.firm(programmes=programmes),))
    run = advanced(market, handmade.world(2, 1), weeks=1)
    y = float(run.firms.output[0, 0, 0])
    lever = run.firms.lever[:, 0, 0, 0]
    assert lever[levers.INDEX["coverage"]] == pytest.approx(1 - 0.95 * (1 - y / 2) ** 2)
    assert lever[levers.INDEX["talk_rate"]] == pytest.approx((1 - y / 2) ** 2)


def test_an_effect_reaches_only_the_types_it_names() -> None:
    mechanism = village.mechanism("mover", village.Effect("impressions", ("employees",), 3.0))
    programmes = {"mover": Programme(effort=13.0, maturity=0.5)}
    market = village.scenario(
        mechanisms=(mechanism,),
        firms=tuple(village.firm(key, programmes=programmes) for key in ("ours", "theirs")),
    )
    run = advanced(market, build_world(market, 1, 0), village.arm(market), weeks=1)
    assert (run.firms.lever[IMPRESSIONS, :, 0] == 0).all()
    assert (run.firms.lever[IMPRESSIONS, :, 1] > 0).all()


def test_spending_nothing_leaves_every_lever_at_its_default_exactly() -> None:
    market = village.scenario(quarters=1)
    market = replace(
        market,
        firms=tuple(
            replace(f, programmes={"advertising": Programme(effort=0.0, maturity=0.9)})
            for f in market.firms
        ),
    )
    run = advanced(market, build_world(market, 1, 0), village.arm(market))
    for i, row in enumerate(levers.TABLE):
        assert (run.firms.lever[i] == row.default).all(), row.key
    assert (run.firms.lever[HONESTY] == 0).all()
