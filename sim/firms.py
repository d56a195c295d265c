"""The firms' week, compiled: capability before the stakeholders' passes, listening and money after.

Arrays are float64 with lanes last; every firm runs the same lines. Sums over rivals run in the
order of the firms' keys, so that numbering the firms otherwise changes no bit (MODEL R7).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from sim import levers
from sim.compiled import kernel
from sim.lanes import law, lowest_bit
from sim.laws import capability, choice, conduct, experience, finance, inbound, outbound
from sim.laws.relax import logistic
from sim.rng import Stream, threefry
from sim.state import (
    ABANDONED,
    ARRIVED,
    BAD_NEWS,
    BAD_WORD,
    BASE_UTILITY,
    BREACH,
    BREACHES,
    CLAIM,
    CLAIM_RATE,
    COMPARISON,
    COMPLAINT_CHANCE,
    CONQUEST,
    CONTRIBUTION,
    EXPERIENCE_CHANCE,
    FIRM_FIELDS,
    GOOD_NEWS,
    GOOD_WORD,
    HEARD,
    IMPRESSION_HAZARD,
    INVESTMENT,
    LEFT,
    MECHANISMS,
    MESSAGE_HAZARD,
    OFFER_CHANCE,
    OFFER_HAZARD,
    PEER_RATE,
    PROFIT,
    PROMISE,
    PROMISE_RATE,
    PROVIDER,
    QUALITY_LOGIT,
    QUIET,
    RESOLVED,
    REVENUE,
    SALES,
    SWITCHING,
    TALK,
    TICKET,
    UNANSWERED,
    VALUE,
    VOICES,
    WAITED,
)

DIMENSIONS = 2
WEEKS = 13
PERSON = int(Stream.PERSON)
SURE = 1e-6
N_LEVERS = len(levers.TABLE)
SHARES = np.array([row.share for row in levers.TABLE])
LOWEST = np.array([row.low for row in levers.TABLE])
HIGHEST = np.array([row.high for row in levers.TABLE])
_at = levers.INDEX
IMPRESSIONS, CREDIBILITY, HONESTY, REBUTTAL = (
    _at["impressions"],
    _at["credibility"],
    _at["honesty"],
    _at["rebuttal"],
)
TALK_RATE, CONTACT, REFERRAL = _at["talk_rate"], _at["contact"], _at["referral"]
ISSUE_RESPONSE, COMPARE = _at["issue_response"], _at["comparison"]
COVERAGE, MINING, ABSORPTION = _at["coverage"], _at["mining"], _at["absorption"]
ADAPTATION, CAPACITY, EASE = _at["adaptation_rate"], _at["ticket_capacity"], _at["complaint_ease"]
RECOVERY, CONQUER, QUALITY = _at["recovery"], _at["conquest"], _at["quality"]
LOYALTY, DISCOUNT, LEARNING = _at["loyalty"], _at["discount"], _at["learning"]
ROUTING, CRISIS_RESPONSE = _at["routing"], _at["crisis_response"]
STRAIN, PRICE_EROSION, PERMISSION = _at["strain"], _at["price_erosion"], _at["permission"]
BAD, GOOD = 0, 1  # news about a firm
NEVER = -1e9  # utils; of a firm that is not there


class Physics64(NamedTuple):
    """Coefficients of the laws that firms' weeks read, float64 (L,) each."""

    goodwill_decay: np.ndarray
    salience_per_impression: np.ndarray
    salience_per_message: np.ndarray
    claim_persuasion: np.ndarray
    peer_persuasion: np.ndarray
    talk_hazard: np.ndarray
    claim_expectation: np.ndarray
    price_weight: np.ndarray
    goodwill_weight: np.ndarray
    switching_cost: np.ndarray
    need_drift: np.ndarray
    need_tolerance: np.ndarray
    voice_noise: np.ndarray
    hearing_noise: np.ndarray
    self_selection: np.ndarray
    recovery_quiet: np.ndarray
    patience: np.ndarray
    abandonment: np.ndarray
    complementarity: np.ndarray
    maturity_decay: np.ndarray
    human_effect: np.ndarray
    engagement_effect: np.ndarray
    backlog_effect: np.ndarray
    experience_in_flow: np.ndarray


class Outside(NamedTuple):
    """What comes from outside this week, written by sim/shocks.py: F firms, K types."""

    present: np.ndarray  # (F,) 1 if the firm is there, else 0
    quality: np.ndarray  # (F, K) logit that delivered quality lacks
    price: np.ndarray  # (F,) factor
    cost: np.ndarray  # (F,) currency, paid this week
    news: np.ndarray  # (2, F, K) evidence of bad and of good news, 1/week
    valence: np.ndarray  # (2, F, K) what they say, attitude
    hazard: np.ndarray  # (F, K) of coming to mind, 1/week
    units: np.ndarray  # (K,) factor
    need: np.ndarray  # (K, DIMENSIONS) how far needs have jumped


class Given(NamedTuple):
    """What firms are given: F firms, M mechanisms, K types, E effects, L lanes."""

    now: Outside
    order: np.ndarray  # int64 (F,): firms in the order of their keys
    gates: np.ndarray  # (3, F, L)
    lever_default: np.ndarray  # (N_LEVERS, F)
    shift: np.ndarray  # (N_LEVERS, F, K, L): how far nudges shift levers this quarter
    effect_mechanism: np.ndarray  # int64 (E,)
    effect_lever: np.ndarray  # int64 (E,)
    effect_by: np.ndarray  # (E,)
    effect_above: np.ndarray  # (E,) share of full output
    effect_to: np.ndarray  # bool (E, K)
    owner: np.ndarray  # int64 (F, M, L): department that runs a mechanism
    settling: np.ndarray  # (F, L) weeks to half of a new structure; 0 where none is introduced
    unsettled: np.ndarray  # (F, D, L) weeks of output that departments lose while it settles
    needs: np.ndarray  # (M, 3)
    running: np.ndarray  # (M,)
    setup: np.ndarray  # (M,)
    half_life: np.ndarray  # (M,)
    form: np.ndarray  # int64 (M,)
    dip: np.ndarray  # (M,)
    volume: np.ndarray  # (M,) currency per week and stakeholder reached at full output
    reached: np.ndarray  # (M, K) stakeholders, whoever they are tied to
    reached_tied: np.ndarray  # bool (M, K): types of which those tied are reached
    breach: np.ndarray  # (M,) 1/quarter at full output
    breach_cost: np.ndarray  # (M,) pseudo-counts
    breach_delay: np.ndarray  # int64 (M,) weeks
    breach_to: np.ndarray  # bool (M, K)
    depreciation: np.ndarray  # (F, 3) 1/week
    build_rate: np.ndarray  # (F, 3) 1/week
    reference: np.ndarray  # (F, 3)
    firm: np.ndarray  # (F, 10): see FIRM_NUMBERS
    experience: np.ndarray  # (K,) 1/week
    price: np.ndarray  # (K,)
    units: np.ndarray  # (K,)
    growth: float
    cost_growth: float
    discount: float


FIRM_NUMBERS = (
    "appeal",
    "price",
    "execution",
    "claim",
    "claim_quality",
    "variable_cost",
    "fixed_cost",
    "fixed_income",
    "ticket_cost",
    "referral_reward",
)
(
    APPEAL,
    PRICE,
    EXECUTION,
    CLAIMS,
    CLAIM_QUALITY,
    VARIABLE_COST,
    FIXED_COST,
    FIXED_INCOME,
    TICKET_COST,
    REFERRAL_REWARD,
) = range(len(FIRM_NUMBERS))


class FirmState(NamedTuple):
    """Quantities of firms in every lane, float64 unless said."""

    stock: np.ndarray  # (F, 3, L) currency
    building: np.ndarray  # (F, 3, 3, L) currency
    depreciated: np.ndarray  # (F, 3, L) currency so far
    invested: np.ndarray  # (F, 3, L) currency so far
    ready: np.ndarray  # (F, 3, L) share
    maturity: np.ndarray  # (F, M, L) share
    opened: np.ndarray  # (F, M, L) 1 once set up
    effort: np.ndarray  # (F, M, L) currency per quarter
    investment: np.ndarray  # (F, 3, L) currency per quarter
    due: np.ndarray  # (F, M, L) set-up charged this quarter
    reorganization: np.ndarray  # (F, L) cost of a new structure charged this quarter
    settled: np.ndarray  # (F, L) share of a new structure that has settled
    output: np.ndarray  # (F, M, L) share
    lever: np.ndarray  # (N_LEVERS, F, K, L)
    goodwill: np.ndarray  # (F, K, L) impressions per capita
    quality: np.ndarray  # (F, K, L) delivered quality
    execution: np.ndarray  # (F, K, L)
    fit: np.ndarray  # (F, K, L)
    offering: np.ndarray  # (F, K, DIMENSIONS, L)
    estimate: np.ndarray  # (F, K, DIMENSIONS, L)
    way: np.ndarray  # (F, K, DIMENSIONS, 3, L) insight under way
    variance: np.ndarray  # (F, K, L)
    delivered: np.ndarray  # (F, L) share of insight that reaches action
    delay: np.ndarray  # (F, L) weeks
    engagement: np.ndarray  # (F, L) attitude
    waiting: np.ndarray  # (F, L) open complaints
    capacity: np.ndarray  # (F, L) tickets per week
    credit: np.ndarray  # (F, L) capacity carried over, below one ticket
    tied: np.ndarray  # (F, K, L) stakeholders
    cash: np.ndarray  # (F, L)
    worth: np.ndarray  # (F, L) discounted (profit - investment) so far
    quarter: np.ndarray  # (len(QUARTER), F, L) sums of the quarter
    volume: np.ndarray  # (F, M, L) currency, volume cost of the quarter so far
    worn: np.ndarray  # (F, K, L) share of price that people are used to not paying
    known: np.ndarray  # (F, K, D, L) pseudo-counts of breaches known now, next week ... in D - 1


@kernel
def capability_week(given: Any, physics: Any, state: Any, walk: Any, drive: Any) -> None:
    """Capital, maturity, outputs, levers and what stakeholders will meet (MODEL stages 1 to 3).

    `walk` is float64 (K, DIMENSIONS), the standard random walk of needs up to this week; `drive` is
    written, float32 (DRIVES - 1 + F planes, F, K, L).
    """
    n_firms, n_mechanisms, lanes = state.maturity.shape
    n_kinds = state.goodwill.shape[1]
    changed = np.zeros((given.unsettled.shape[1], lanes))
    for f in range(n_firms):
        if given.now.present[f] == 0.0:
            continue
        changed[:] = 0.0
        for lane in range(lanes):
            capital_week(given, state, f, lane)
            settle(given, state, changed, f, lane)
            for m in range(n_mechanisms):
                level = capability.effort_level(state.effort[f, m, lane], given.running[m])
                before = state.maturity[f, m, lane]
                if level <= 0.0 and before <= 0.0:
                    continue
                after = capability.mature(
                    before,
                    given.form[m],
                    level,
                    given.half_life[m],
                    physics.maturity_decay[lane],
                    state.lever[LEARNING, f, 0, lane],
                )
                state.maturity[f, m, lane] = after
                if after > before:
                    changed[given.owner[f, m, lane], lane] += given.dip[m] * (after - before)
        for m in range(n_mechanisms):
            for lane in range(lanes):
                level = capability.effort_level(state.effort[f, m, lane], given.running[m])
                if level <= 0.0:
                    state.output[f, m, lane] = 0.0
                    continue
                ready = capability.bundle(
                    state.ready[f, 0, lane],
                    state.ready[f, 1, lane],
                    state.ready[f, 2, lane],
                    given.needs[m, 0],
                    given.needs[m, 1],
                    given.needs[m, 2],
                    physics.complementarity[lane],
                )
                state.output[f, m, lane] = capability.output(
                    state.maturity[f, m, lane], ready, level
                ) * capability.dip(changed[given.owner[f, m, lane], lane], 1.0)
        move_levers(given, state, f)
    for f in range(n_firms):
        for k in range(n_kinds):
            for lane in range(lanes):
                quality_week(given, physics, state, walk, f, k, lane)
    for f in range(n_firms):
        for k in range(n_kinds):
            for lane in range(lanes):
                drive_week(given, physics, state, drive, f, k, lane)


@law
def capital_week(given: Any, state: Any, f: Any, lane: Any) -> None:
    """Build, depreciate and rate the three capitals of a firm in a lane; nothing is lost."""
    for c in range(3):
        inflow = state.investment[f, c, lane] / WEEKS
        state.invested[f, c, lane] += inflow
        for stage in range(capability.STAGES):
            state.building[f, c, stage, lane], inflow = capability.build(
                state.building[f, c, stage, lane], inflow, given.build_rate[f, c]
            )
        state.stock[f, c, lane], lost = capability.wear(
            state.stock[f, c, lane], inflow, given.depreciation[f, c]
        )
        state.depreciated[f, c, lane] += lost
        state.ready[f, c, lane] = capability.readiness(
            state.stock[f, c, lane], given.reference[f, c]
        )


@law
def settle(given: Any, state: Any, changed: Any, f: Any, lane: Any) -> None:
    """Let a new structure settle as a practice does, and note what that costs its departments."""
    if given.settling[f, lane] <= 0.0:
        return
    before = state.settled[f, lane]
    after = capability.mature(
        before, capability.EXPONENTIAL, 1.0, given.settling[f, lane], 0.0, 1.0
    )
    state.settled[f, lane] = after
    for department in range(given.unsettled.shape[1]):
        changed[department, lane] += given.unsettled[f, department, lane] * (after - before)


@law
def move_levers(given: Any, state: Any, f: Any) -> None:
    """Set a firm's levers from defaults, its mechanisms' outputs and nudges (levers.py)."""
    n_kinds, lanes = state.lever.shape[2], state.lever.shape[3]
    for v in range(N_LEVERS):
        for k in range(n_kinds):
            for lane in range(lanes):
                state.lever[v, f, k, lane] = given.lever_default[v, f]
    for cut in range(2):
        for e in range(len(given.effect_by)):
            by = given.effect_by[e]
            if (by < 0.0) != (cut == 1):
                continue
            m, v = given.effect_mechanism[e], given.effect_lever[e]
            for k in range(n_kinds):
                if given.effect_to[e, k]:
                    for lane in range(lanes):
                        moved = by * capability.beyond(
                            state.output[f, m, lane], given.effect_above[e]
                        )
                        value = state.lever[v, f, k, lane]
                        if cut == 1:
                            state.lever[v, f, k, lane] = value * (1.0 + moved)
                        elif SHARES[v]:
                            state.lever[v, f, k, lane] = value + (1.0 - value) * moved
                        else:
                            state.lever[v, f, k, lane] = value + moved
    for v in range(N_LEVERS):
        for k in range(n_kinds):
            for lane in range(lanes):
                shift = given.shift[v, f, k, lane]
                if shift != 0.0:
                    value = state.lever[v, f, k, lane] + shift
                    state.lever[v, f, k, lane] = min(max(value, LOWEST[v]), HIGHEST[v])


@law
def quality_week(
    given: Any, physics: Any, state: Any, walk: Any, f: Any, k: Any, lane: Any
) -> None:
    """Delivered quality: how well service is executed times how well the offering fits needs."""
    waiting, capacity = state.waiting[f, lane], state.capacity[f, lane]
    pressure = waiting / (waiting + capacity) if waiting > 0.0 else 0.0
    executed = logistic(
        experience.execution(
            state.ready[f, 0, lane],
            state.engagement[f, lane],
            pressure,
            given.firm[f, EXECUTION]
            + state.lever[QUALITY, f, k, lane]
            - state.lever[STRAIN, f, k, lane]
            - given.now.quality[f, k],
            physics.human_effect[lane],
            physics.engagement_effect[lane],
            physics.backlog_effect[lane],
        )
    )
    distance = 0.0
    for d in range(DIMENSIONS):
        gap = state.offering[f, k, d, lane] - (
            physics.need_drift[lane] * walk[k, d] + given.now.need[k, d]
        )
        distance += gap * gap
    state.execution[f, k, lane] = executed
    state.fit[f, k, lane] = experience.fit(distance, physics.need_tolerance[lane])
    state.quality[f, k, lane] = executed * state.fit[f, k, lane]


@law
def drive_week(given: Any, physics: Any, state: Any, drive: Any, f: Any, k: Any, lane: Any) -> None:
    """Write what stakeholders of a type will meet of a firm this week."""
    lever = state.lever[:, f, k, lane]
    n_firms = state.lever.shape[1]
    now = given.now
    if now.present[f] == 0.0:
        drive[:CONQUEST, f, k, lane] = 0.0
        drive[CONQUEST + f, :, k, lane] = 0.0
        drive[BASE_UTILITY, f, k, lane] = NEVER
        return
    out, talk, into = given.gates[0, f, lane], given.gates[1, f, lane], given.gates[2, f, lane]
    impressions = lever[IMPRESSIONS]
    state.goodwill[f, k, lane] = outbound.goodwill(
        state.goodwill[f, k, lane], out * impressions, physics.goodwill_decay[lane]
    )
    unrebutted = 1.0
    for r in range(n_firms):
        rival = given.order[r]
        if rival != f:
            unrebutted *= 1.0 - now.present[rival] * state.lever[REBUTTAL, rival, k, lane]
    quality = min(max(state.quality[f, k, lane], SURE), 1.0 - SURE)
    promised = given.firm[f, CLAIM_QUALITY]
    lived = given.experience[k] * (out if physics.experience_in_flow[lane] > 0.0 else 1.0)
    paid = given.firm[f, PRICE] * now.price[f] * (1.0 - lever[DISCOUNT])
    state.worn[f, k, lane] = choice.reference_price(state.worn[f, k, lane], lever[PRICE_EROSION])
    felt = max(paid, SURE) / max(1.0 - state.worn[f, k, lane], SURE)
    cost = physics.price_weight[lane] * math.log(felt) if given.price[k] > 0.0 else 0.0
    drive[IMPRESSION_HAZARD, f, k, lane] = (
        out * physics.salience_per_impression[lane] * impressions + now.hazard[f, k]
    )
    claimed = out * physics.claim_persuasion[lane] * impressions * lever[CREDIBILITY] * unrebutted
    drive[CLAIM_RATE, f, k, lane] = claimed
    drive[CLAIM, f, k, lane] = given.firm[f, CLAIMS]
    drive[BAD_NEWS, f, k, lane] = now.news[BAD, f, k] * (1.0 - lever[CRISIS_RESPONSE])
    drive[BAD_WORD, f, k, lane] = now.valence[BAD, f, k]
    drive[GOOD_NEWS, f, k, lane] = now.news[GOOD, f, k]
    drive[GOOD_WORD, f, k, lane] = now.valence[GOOD, f, k]
    drive[PROMISE_RATE, f, k, lane] = out * physics.claim_expectation[lane] * impressions
    drive[PROMISE, f, k, lane] = promised + lever[HONESTY] * (quality - promised)
    drive[QUALITY_LOGIT, f, k, lane] = math.log(quality / (1.0 - quality))
    drive[EXPERIENCE_CHANCE, f, k, lane] = 1.0 - math.exp(-lived)
    drive[TALK, f, k, lane] = physics.talk_hazard[lane] * lever[TALK_RATE]
    drive[MESSAGE_HAZARD, f, k, lane] = talk * physics.salience_per_message[lane] * lever[CONTACT]
    drive[PEER_RATE, f, k, lane] = talk * physics.peer_persuasion[lane] * lever[CONTACT]
    drive[UNANSWERED, f, k, lane] = 1.0 - lever[ISSUE_RESPONSE]
    drive[COMPARISON, f, k, lane] = lever[COMPARE]
    drive[OFFER_CHANCE, f, k, lane] = lever[REFERRAL]
    drive[OFFER_HAZARD, f, k, lane] = talk * lever[CONTACT]
    drive[BASE_UTILITY, f, k, lane] = (
        given.firm[f, APPEAL]
        - cost
        + physics.goodwill_weight[lane] * math.log(1.0 + state.goodwill[f, k, lane])
    )
    drive[SWITCHING, f, k, lane] = physics.switching_cost[lane] + lever[LOYALTY]
    drive[COMPLAINT_CHANCE, f, k, lane] = into * lever[EASE]
    for c in range(n_firms):
        drive[CONQUEST + f, c, k, lane] = given.gates[2, c, lane] * lever[CONQUER]


@kernel
def conduct_week(given: Any, physics: Any, state: Any, luck: Any, drive: Any) -> None:
    """Breaches happen, and those that become known this week reach stakeholders (laws.conduct).

    `luck` is float64 (F, M), uniforms shared by all lanes; writes the plane `breach` of `drive`.
    Like experience, conduct is no flow unless `experience_in_flow` says so (MODEL R6).
    """
    n_firms, n_kinds, n_weeks, lanes = state.known.shape
    for f in range(n_firms):
        for m in range(len(given.breach)):
            if given.breach[m] <= 0.0:
                continue
            for lane in range(lanes):
                likely = conduct.breach_chance(
                    given.breach[m], state.output[f, m, lane], state.lever[PERMISSION, f, 0, lane]
                )
                if likely > luck[f, m]:
                    state.quarter[BREACHES, f, lane] += 1
                    for k in range(n_kinds):
                        if given.breach_to[m, k]:
                            state.known[f, k, given.breach_delay[m], lane] += given.breach_cost[m]
        for k in range(n_kinds):
            for lane in range(lanes):
                counted = physics.experience_in_flow[lane] > 0.0
                gate = given.gates[0, f, lane] if counted else 1.0
                drive[BREACH, f, k, lane] = gate * state.known[f, k, 0, lane]
                for week in range(1, n_weeks):
                    state.known[f, k, week - 1, lane] = state.known[f, k, week, lane]
                state.known[f, k, n_weeks - 1, lane] = 0.0


@kernel
def listening_week(
    given: Any, physics: Any, state: Any, walk: Any, voices: Any, luck: Any, noise: Any
) -> None:
    """Firms hear voices, learn needs and move their offering (MODEL stage 7a).

    `voices` is int64 (F, K, L) of the week; `luck` float64 (F, F, K), uniforms for hearing voices
    about firm c; `noise` float64 (F, K, DIMENSIONS), standard normal.
    """
    n_firms, n_kinds, lanes = voices.shape
    for f in range(n_firms):
        for k in range(n_kinds):
            for lane in range(lanes):
                if given.now.present[f] == 0.0:
                    keep_pace(given, physics, state, walk, f, k, lane)
                    continue
                own = inbound.heard(
                    voices[f, k, lane],
                    given.gates[2, f, lane] * state.lever[COVERAGE, f, k, lane],
                    luck[f, f, k],
                )
                total = own
                mining = state.lever[MINING, f, k, lane]
                if mining > 0.0:
                    for r in range(n_firms):
                        c = given.order[r]
                        if c != f:
                            total += inbound.heard(
                                voices[c, k, lane], given.gates[2, c, lane] * mining, luck[f, c, k]
                            )
                state.quarter[HEARD, f, lane] += own
                state.quarter[VOICES, f, lane] += voices[f, k, lane]
                drift = physics.need_drift[lane]
                spread = physics.voice_noise[lane] ** 2 + physics.hearing_noise[lane] ** 2
                before = state.variance[f, k, lane] + drift * drift
                weight = inbound.gain(before, spread, total)
                state.variance[f, k, lane] = inbound.posterior(before, weight)
                rate = state.lever[ADAPTATION, f, k, lane]
                absorbed = state.lever[ABSORPTION, f, k, lane]
                for d in range(DIMENSIONS):
                    guess = state.estimate[f, k, d, lane]
                    if total > 0:
                        said = (
                            drift * walk[k, d]
                            + given.now.need[k, d]
                            + math.sqrt(spread / total) * noise[f, k, d]
                            + physics.self_selection[lane]
                        )
                        guess += weight * (said - guess)
                        state.estimate[f, k, d, lane] = guess
                    way = state.way[f, k, d]
                    way[0, lane], way[1, lane], way[2, lane] = inbound.pass_on(
                        way[0, lane], way[1, lane], way[2, lane], guess, state.delay[f, lane]
                    )
                    state.offering[f, k, d, lane] = inbound.adapt(
                        state.offering[f, k, d, lane],
                        way[2, lane],
                        rate,
                        state.delivered[f, lane],
                        absorbed,
                    )


@law
def keep_pace(given: Any, physics: Any, state: Any, walk: Any, f: Any, k: Any, lane: Any) -> None:
    """Let a firm that is not there yet prepare an offering that fits when it enters."""
    for d in range(DIMENSIONS):
        need = physics.need_drift[lane] * walk[k, d] + given.now.need[k, d]
        state.estimate[f, k, d, lane] = need
        state.offering[f, k, d, lane] = need
        for stage in range(3):
            state.way[f, k, d, stage, lane] = need


@law
def place(steps: Any, i: Any, field: Any, lane: Any) -> Any:
    """Return where a stakeholder's number in a lane stands in a flat table."""
    return i * steps[0] + field * steps[1] + lane * steps[2]


@kernel
def arrivals(complaint: Any, marks: Any, steps: Any, n_firms: Any, lanes: Any) -> Any:
    """Count this week's complaints by firm and lane, int64 (F, L)."""
    count = np.zeros((n_firms, lanes), np.int64)
    n_passes, n = complaint.shape
    for number in range(n_passes):
        for i in range(n):
            bits = np.int64(complaint[number, i])
            while bits != 0:
                lane = number + lowest_bit(bits)
                bits &= bits - 1
                firm = marks[place(steps, i, PROVIDER, lane)]
                if firm >= 0:
                    count[firm, lane] += 1
    return count


@kernel
def service_week(
    physics: Any,
    state: Any,
    week: Any,
    key: Any,
    ids: Any,
    kind: Any,
    complaint: Any,
    marks: Any,
    mark_steps: Any,
    people: Any,
    people_steps: Any,
    rows: Any,
    since: Any,
    ends: Any,
) -> None:
    """Queue this week's complaints and serve the queues (MODEL A.10b), first come first served.

    `complaint` has a row per pass; the passes that run over people have one lane each. A queue is
    rows[f, lane, begin:end] with begin and end in `ends` and the weeks in `since`; complaints of
    one week queue in the order of a draw keyed by id, so that numbering cannot matter.
    """
    n_firms, lanes = state.waiting.shape
    n_passes, n = complaint.shape
    stop = ends[:, :, 1].copy()
    for number in range(n_passes):
        for i in range(n):
            bits = np.int64(complaint[number, i])
            while bits != 0:
                lane = number + lowest_bit(bits)
                bits &= bits - 1
                firm = marks[place(mark_steps, i, PROVIDER, lane)]
                ticket = place(mark_steps, i, TICKET, lane)
                if firm >= 0 and marks[ticket] == 0:
                    marks[ticket] = week + 1
                    rows[firm, lane, stop[firm, lane]] = i
                    since[firm, lane, stop[firm, lane]] = week
                    stop[firm, lane] += 1
    for f in range(n_firms):
        for lane in range(lanes):
            begin = ends[f, lane, 1]
            new = rows[f, lane, begin : stop[f, lane]]
            luck = np.empty(len(new), np.uint64)
            for j in range(len(new)):
                ident = ids[new[j]]
                low = np.uint32(ident & np.uint64(0xFFFFFFFF))
                word = threefry(
                    low,
                    np.uint32(ident >> np.uint64(32)),
                    np.uint32(week),
                    np.uint32(2),
                    np.uint32(key[0]),
                    np.uint32(key[1]),
                    np.uint32(PERSON),
                    np.uint32(0),
                )[0]
                luck[j] = (np.uint64(word) << np.uint64(32)) | np.uint64(low)
            rows[f, lane, begin : stop[f, lane]] = new[np.argsort(luck)]
            state.quarter[ARRIVED, f, lane] += len(new)
            ends[f, lane, 1] = stop[f, lane]
            serve(
                physics,
                state,
                week,
                kind,
                marks,
                mark_steps,
                people,
                people_steps,
                rows,
                since,
                ends,
                f,
                lane,
            )


@law
def serve(
    physics: Any,
    state: Any,
    week: Any,
    kind: Any,
    marks: Any,
    mark_steps: Any,
    people: Any,
    people_steps: Any,
    rows: Any,
    since: Any,
    ends: Any,
    f: Any,
    lane: Any,
) -> None:
    """Work through one queue: drop who left, abandon who waited too long, resolve the rest."""
    n_firms, n_kinds = state.tied.shape[:2]
    capacity = 0.0
    for k in range(n_kinds):
        capacity += state.lever[CAPACITY, f, k, lane] * state.tied[f, k, lane] / 1000.0
    credit = state.credit[f, lane] + capacity
    head = ends[f, lane, 0]
    while head < ends[f, lane, 1]:
        i = rows[f, lane, head]
        opened = since[f, lane, head]
        ticket = place(mark_steps, i, TICKET, lane)
        feeling = place(people_steps, i, FIRM_FIELDS * n_firms, lane)
        if marks[ticket] != opened + 1 or marks[place(mark_steps, i, PROVIDER, lane)] != f:
            state.quarter[LEFT, f, lane] += 1
        elif week - opened >= physics.patience[lane] and week > opened:
            people[feeling] += np.float32(physics.abandonment[lane]) * (
                np.float32(-1.0) - people[feeling]
            )
            marks[ticket] = 0
            state.quarter[ABANDONED, f, lane] += 1
        elif credit >= 1.0:
            people[feeling] += np.float32(state.lever[RECOVERY, f, kind[i], lane]) * (
                np.float32(1.0) - people[feeling]
            )
            marks[ticket] = 0
            marks[place(mark_steps, i, QUIET, lane)] = week + 1 + int(physics.recovery_quiet[lane])
            state.quarter[RESOLVED, f, lane] += 1
            credit -= 1.0
        else:
            break
        state.quarter[WAITED, f, lane] += week - opened
        head += 1
    ends[f, lane, 0] = head
    state.waiting[f, lane] = ends[f, lane, 1] - head
    state.capacity[f, lane] = capacity
    state.credit[f, lane] = credit - math.floor(credit)


@law
def volume_week(given: Any, state: Any, f: Any, m: Any, lane: Any) -> Any:
    """Return what a week's activity of a mechanism costs a firm, by whom it reaches today."""
    reached = 0.0
    for k in range(state.tied.shape[1]):
        reached += state.tied[f, k, lane] if given.reached_tied[m, k] else given.reached[m, k]
    return finance.volume(given.volume[m], reached, state.output[f, m, lane])


@kernel
def finance_week(given: Any, state: Any, week: Any, opens: Any, counts: Any, resolved: Any) -> None:
    """Book the week's money of every firm (MODEL A.11).

    `opens` marks the first week of a quarter, in which set-up and reorganizing are charged;
    `counts` int64 (3, F, K, L) are new, lost and referred stakeholders; `resolved` float64 (F, L)
    complaints handled.
    """
    n_firms, n_mechanisms, lanes = state.maturity.shape
    n_kinds = state.tied.shape[1]
    today = finance.discount(week, given.discount)
    grown = finance.growth(week, given.growth)
    dearer = finance.growth(week, given.cost_growth)
    for f in range(n_firms):
        if given.now.present[f] == 0.0:
            continue
        for lane in range(lanes):
            sales = 0.0
            listed = 0.0
            rewards = 0.0
            for k in range(n_kinds):
                state.tied[f, k, lane] += counts[0, f, k, lane] - counts[1, f, k, lane]
                rewards += counts[2, f, k, lane] * given.firm[f, REFERRAL_REWARD]
                price = given.price[k] * given.firm[f, PRICE]
                paid = price * given.now.price[f] * (1.0 - state.lever[DISCOUNT, f, k, lane])
                bought = state.tied[f, k, lane] * given.units[k] * given.now.units[k] * grown
                sales += bought * paid
                listed += bought * price
            spent = 0.0
            for m in range(n_mechanisms):
                spent += state.effort[f, m, lane] / WEEKS
                if opens:
                    spent += state.due[f, m, lane]
                if given.volume[m] > 0.0:
                    activity = volume_week(given, state, f, m, lane)
                    state.volume[f, m, lane] += activity
                    spent += activity
            if opens:
                spent += state.reorganization[f, lane]
            invested = 0.0
            for c in range(3):
                invested += state.investment[f, c, lane] / WEEKS
            contribution = sales - listed * given.firm[f, VARIABLE_COST]
            profit = (
                contribution
                + given.firm[f, FIXED_INCOME]
                - spent
                - resolved[f, lane] * given.firm[f, TICKET_COST]
                - rewards
                - dearer * given.firm[f, FIXED_COST]
                - given.now.cost[f]
            )
            state.cash[f, lane] += profit - invested
            state.worth[f, lane] += (profit - invested) * today
            state.quarter[REVENUE, f, lane] += sales + given.firm[f, FIXED_INCOME]
            state.quarter[SALES, f, lane] += sales
            state.quarter[CONTRIBUTION, f, lane] += contribution
            state.quarter[PROFIT, f, lane] += profit
            state.quarter[MECHANISMS, f, lane] += spent
            state.quarter[INVESTMENT, f, lane] += invested
            state.quarter[VALUE, f, lane] += (profit - invested) * today
