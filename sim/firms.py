"""The firms' week, compiled: capability before the stakeholders' passes, listening and money after.

Arrays are float64 with lanes last; every firm runs the same lines. Sums over rivals run in the order
of the firms' keys, so that numbering the firms otherwise changes no bit (MODEL R7).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from sim import levers
from sim.lanes import kernel, law
from sim.laws import capability, experience, finance, inbound, outbound
from sim.laws.relax import logistic
from sim.rng import Stream, threefry
from sim.state import (BASE_UTILITY, CLAIM, CLAIM_RATE, COMPARISON, COMPLAINT_CHANCE, CONQUEST,
                       EXPERIENCE_CHANCE, IMPRESSION_HAZARD, INT_FIELDS, MESSAGE_HAZARD,
                       OFFER_CHANCE, OFFER_HAZARD, PEER_RATE, PROMISE, PROMISE_RATE, PROVIDER,
                       QUALITY_LOGIT, QUIET, SWITCHING, TALK, TICKET, UNANSWERED)

DIMENSIONS = 2
WEEKS = 13
PERSON = int(Stream.PERSON)
SURE = 1e-6
N_LEVERS = len(levers.TABLE)
SHARES = np.array([row.share for row in levers.TABLE])
_at = levers.INDEX
IMPRESSIONS, CREDIBILITY, HONESTY, REBUTTAL = (_at["impressions"], _at["credibility"],
                                               _at["honesty"], _at["rebuttal"])
TALK_RATE, CONTACT, REFERRAL = _at["talk_rate"], _at["contact"], _at["referral"]
ISSUE_RESPONSE, COMPARE = _at["issue_response"], _at["comparison"]
COVERAGE, MINING, ABSORPTION = _at["coverage"], _at["mining"], _at["absorption"]
ADAPTATION, CAPACITY, EASE = _at["adaptation_rate"], _at["ticket_capacity"], _at["complaint_ease"]
RECOVERY, CONQUER, QUALITY = _at["recovery"], _at["conquest"], _at["quality"]
LOYALTY, DISCOUNT, LEARNING = _at["loyalty"], _at["discount"], _at["learning"]
ROUTING = _at["routing"]


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


class Given(NamedTuple):
    """What firms are given: F firms, M mechanisms, K types, E effects, L lanes."""

    order: np.ndarray  # int64 (F,): firms in the order of their keys
    gates: np.ndarray  # (3, F, L)
    lever_default: np.ndarray  # (N_LEVERS, F)
    effect_mechanism: np.ndarray  # int64 (E,)
    effect_lever: np.ndarray  # int64 (E,)
    effect_by: np.ndarray  # (E,)
    effect_to: np.ndarray  # bool (E, K)
    owner: np.ndarray  # int64 (F, M): department that runs a mechanism
    needs: np.ndarray  # (M, 3)
    running: np.ndarray  # (M,)
    setup: np.ndarray  # (M,)
    half_life: np.ndarray  # (M,)
    form: np.ndarray  # int64 (M,)
    dip: np.ndarray  # (M,)
    depreciation: np.ndarray  # (F, 3) 1/week
    build_rate: np.ndarray  # (F, 3) 1/week
    reference: np.ndarray  # (F, 3)
    firm: np.ndarray  # (F, 10): see FIRM_NUMBERS
    experience: np.ndarray  # (K,) 1/week
    price: np.ndarray  # (K,)
    units: np.ndarray  # (K,)
    growth: float
    discount: float
    experience_in_flow: bool


FIRM_NUMBERS = ("appeal", "price", "execution", "claim", "claim_quality", "variable_cost",
                "fixed_cost", "fixed_income", "ticket_cost", "referral_reward")
(APPEAL, PRICE, EXECUTION, CLAIMS, CLAIM_QUALITY, VARIABLE_COST, FIXED_COST, FIXED_INCOME,
 TICKET_COST, REFERRAL_REWARD) = range(len(FIRM_NUMBERS))


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


QUARTER = ("revenue", "profit", "sales", "contribution", "mechanisms", "investment", "value",
           "arrived", "resolved", "abandoned", "left", "heard", "voices", "waited")
(REVENUE, PROFIT, SALES, CONTRIBUTION, MECHANISMS, INVESTMENT, VALUE, ARRIVED, RESOLVED, ABANDONED,
 LEFT, HEARD, VOICES, WAITED) = range(len(QUARTER))


@kernel
def capability_week(given: Any, physics: Any, state: Any, walk: Any, drive: Any) -> None:
    """Capital, maturity, outputs, levers and what stakeholders will meet (MODEL stages 1 to 3).

    `walk` is float64 (K, DIMENSIONS), the standard random walk of needs up to this week; `drive` is
    written, float32 (DRIVES - 1 + F planes, F, K, L).
    """
    n_firms, n_mechanisms, lanes = state.maturity.shape
    n_kinds = state.goodwill.shape[1]
    changed = np.zeros((given.owner.max() + 1, lanes))
    for f in range(n_firms):
        changed[:] = 0.0
        for l in range(lanes):
            capital_week(given, state, f, l)
            for m in range(n_mechanisms):
                level = capability.effort_level(state.effort[f, m, l], given.running[m])
                before = state.maturity[f, m, l]
                if level <= 0.0 and before <= 0.0:
                    continue
                after = capability.mature(before, given.form[m], level, given.half_life[m],
                                          physics.maturity_decay[l], state.lever[LEARNING, f, 0, l])
                state.maturity[f, m, l] = after
                if after > before:
                    changed[given.owner[f, m], l] += given.dip[m] * (after - before)
        for m in range(n_mechanisms):
            for l in range(lanes):
                level = capability.effort_level(state.effort[f, m, l], given.running[m])
                if level <= 0.0:
                    state.output[f, m, l] = 0.0
                    continue
                ready = capability.bundle(
                    state.ready[f, 0, l], state.ready[f, 1, l], state.ready[f, 2, l],
                    given.needs[m, 0], given.needs[m, 1], given.needs[m, 2],
                    physics.complementarity[l])
                state.output[f, m, l] = (
                    capability.output(state.maturity[f, m, l], ready, level)
                    * capability.dip(changed[given.owner[f, m], l], 1.0))
        move_levers(given, state, f)
    for f in range(n_firms):
        for k in range(n_kinds):
            for l in range(lanes):
                quality_week(given, physics, state, walk, f, k, l)
    for f in range(n_firms):
        for k in range(n_kinds):
            for l in range(lanes):
                drive_week(given, physics, state, drive, f, k, l)


@law
def capital_week(given: Any, state: Any, f: Any, l: Any) -> None:
    """Build, depreciate and rate the three capitals of a firm in a lane; nothing is lost."""
    for c in range(3):
        inflow = state.investment[f, c, l] / WEEKS
        state.invested[f, c, l] += inflow
        for stage in range(capability.STAGES):
            state.building[f, c, stage, l], inflow = capability.build(
                state.building[f, c, stage, l], inflow, given.build_rate[f, c])
        lost = state.stock[f, c, l] * (1.0 - math.exp(-given.depreciation[f, c]))
        state.depreciated[f, c, l] += lost
        state.stock[f, c, l] += inflow - lost
        state.ready[f, c, l] = capability.readiness(state.stock[f, c, l], given.reference[f, c])


@law
def move_levers(given: Any, state: Any, f: Any) -> None:
    """Set every lever of a firm from its default and the outputs of its mechanisms (levers.py)."""
    n_kinds, lanes = state.lever.shape[2], state.lever.shape[3]
    for v in range(N_LEVERS):
        for k in range(n_kinds):
            for l in range(lanes):
                state.lever[v, f, k, l] = given.lever_default[v, f]
    for cut in range(2):
        for e in range(len(given.effect_by)):
            by = given.effect_by[e]
            if (by < 0.0) != (cut == 1):
                continue
            m, v = given.effect_mechanism[e], given.effect_lever[e]
            for k in range(n_kinds):
                if given.effect_to[e, k]:
                    for l in range(lanes):
                        moved = by * state.output[f, m, l]
                        value = state.lever[v, f, k, l]
                        if cut == 1:
                            state.lever[v, f, k, l] = value * (1.0 + moved)
                        elif SHARES[v]:
                            state.lever[v, f, k, l] = value + (1.0 - value) * moved
                        else:
                            state.lever[v, f, k, l] = value + moved


@law
def quality_week(given: Any, physics: Any, state: Any, walk: Any, f: Any, k: Any, l: Any) -> None:
    """Delivered quality: how well service is executed times how well the offering fits needs."""
    waiting, capacity = state.waiting[f, l], state.capacity[f, l]
    pressure = waiting / (waiting + capacity) if waiting > 0.0 else 0.0
    executed = logistic(experience.execution(
        state.ready[f, 0, l], state.engagement[f, l], pressure,
        given.firm[f, EXECUTION] + state.lever[QUALITY, f, k, l], physics.human_effect[l],
        physics.engagement_effect[l], physics.backlog_effect[l]))
    distance = 0.0
    for d in range(DIMENSIONS):
        gap = state.offering[f, k, d, l] - physics.need_drift[l] * walk[k, d]
        distance += gap * gap
    state.execution[f, k, l] = executed
    state.fit[f, k, l] = experience.fit(distance, physics.need_tolerance[l])
    state.quality[f, k, l] = executed * state.fit[f, k, l]


@law
def drive_week(given: Any, physics: Any, state: Any, drive: Any, f: Any, k: Any, l: Any) -> None:
    """Write what stakeholders of a type will meet of a firm this week."""
    lever = state.lever[:, f, k, l]
    n_firms = state.lever.shape[1]
    out, talk, into = given.gates[0, f, l], given.gates[1, f, l], given.gates[2, f, l]
    impressions = lever[IMPRESSIONS]
    state.goodwill[f, k, l] = outbound.goodwill(state.goodwill[f, k, l], out * impressions,
                                                physics.goodwill_decay[l])
    unrebutted = 1.0
    for r in range(n_firms):
        rival = given.order[r]
        if rival != f:
            unrebutted *= 1.0 - state.lever[REBUTTAL, rival, k, l]
    quality = min(max(state.quality[f, k, l], SURE), 1.0 - SURE)
    promised = given.firm[f, CLAIM_QUALITY]
    lived = given.experience[k] * (out if given.experience_in_flow else 1.0)
    paid = given.firm[f, PRICE] * (1.0 - lever[DISCOUNT])
    cost = physics.price_weight[l] * math.log(max(paid, SURE)) if given.price[k] > 0.0 else 0.0
    drive[IMPRESSION_HAZARD, f, k, l] = out * physics.salience_per_impression[l] * impressions
    drive[CLAIM_RATE, f, k, l] = (out * physics.claim_persuasion[l] * impressions
                                  * lever[CREDIBILITY] * unrebutted)
    drive[CLAIM, f, k, l] = given.firm[f, CLAIMS]
    drive[PROMISE_RATE, f, k, l] = out * physics.claim_expectation[l] * impressions
    drive[PROMISE, f, k, l] = promised + lever[HONESTY] * (quality - promised)
    drive[QUALITY_LOGIT, f, k, l] = math.log(quality / (1.0 - quality))
    drive[EXPERIENCE_CHANCE, f, k, l] = 1.0 - math.exp(-lived)
    drive[TALK, f, k, l] = physics.talk_hazard[l] * lever[TALK_RATE]
    drive[MESSAGE_HAZARD, f, k, l] = talk * physics.salience_per_message[l] * lever[CONTACT]
    drive[PEER_RATE, f, k, l] = talk * physics.peer_persuasion[l] * lever[CONTACT]
    drive[UNANSWERED, f, k, l] = 1.0 - lever[ISSUE_RESPONSE]
    drive[COMPARISON, f, k, l] = lever[COMPARE]
    drive[OFFER_CHANCE, f, k, l] = lever[REFERRAL]
    drive[OFFER_HAZARD, f, k, l] = talk * lever[CONTACT]
    drive[BASE_UTILITY, f, k, l] = (given.firm[f, APPEAL] - cost + physics.goodwill_weight[l]
                                    * math.log(1.0 + state.goodwill[f, k, l]))
    drive[SWITCHING, f, k, l] = physics.switching_cost[l] + lever[LOYALTY]
    drive[COMPLAINT_CHANCE, f, k, l] = into * lever[EASE]
    for c in range(n_firms):
        drive[CONQUEST + f, c, k, l] = given.gates[2, c, l] * lever[CONQUER]


@kernel
def listening_week(given: Any, physics: Any, state: Any, walk: Any, voices: Any, luck: Any,
                   noise: Any) -> None:
    """Firms hear voices, learn needs and move their offering (MODEL stage 7a).

    `voices` is int64 (F, K, L) of the week; `luck` float64 (F, F, K), uniforms for hearing voices
    about firm c; `noise` float64 (F, K, DIMENSIONS), standard normal.
    """
    n_firms, n_kinds, lanes = voices.shape
    for f in range(n_firms):
        for k in range(n_kinds):
            for l in range(lanes):
                own = inbound.heard(voices[f, k, l],
                                    given.gates[2, f, l] * state.lever[COVERAGE, f, k, l],
                                    luck[f, f, k])
                total = own
                mining = state.lever[MINING, f, k, l]
                if mining > 0.0:
                    for r in range(n_firms):
                        c = given.order[r]
                        if c != f:
                            total += inbound.heard(voices[c, k, l],
                                                   given.gates[2, c, l] * mining, luck[f, c, k])
                state.quarter[HEARD, f, l] += own
                state.quarter[VOICES, f, l] += voices[f, k, l]
                drift = physics.need_drift[l]
                spread = physics.voice_noise[l] ** 2 + physics.hearing_noise[l] ** 2
                before = state.variance[f, k, l] + drift * drift
                weight = inbound.gain(before, spread, total)
                state.variance[f, k, l] = inbound.posterior(before, weight)
                rate = state.lever[ADAPTATION, f, k, l]
                absorbed = state.lever[ABSORPTION, f, k, l]
                for d in range(DIMENSIONS):
                    guess = state.estimate[f, k, d, l]
                    if total > 0:
                        said = (drift * walk[k, d] + math.sqrt(spread / total) * noise[f, k, d]
                                + physics.self_selection[l])
                        guess += weight * (said - guess)
                        state.estimate[f, k, d, l] = guess
                    way = state.way[f, k, d]
                    way[0, l], way[1, l], way[2, l] = inbound.pass_on(
                        way[0, l], way[1, l], way[2, l], guess, state.delay[f, l])
                    state.offering[f, k, d, l] = inbound.adapt(
                        state.offering[f, k, d, l], way[2, l], rate, state.delivered[f, l],
                        absorbed)


@kernel
def arrivals(complaint: Any, marks: Any, n_firms: Any, lanes: Any) -> Any:
    """Count this week's complaints by firm and lane, int64 (F, L)."""
    count = np.zeros((n_firms, lanes), np.int64)
    for i in range(len(complaint)):
        if complaint[i]:
            for l in range(lanes):
                firm = marks[(i * INT_FIELDS + PROVIDER) * lanes + l]
                if (complaint[i] >> l) & 1 and firm >= 0:
                    count[firm, l] += 1
    return count


@kernel
def service_week(physics: Any, state: Any, week: Any, key: Any, ids: Any, kind: Any,
                 complaint: Any, marks: Any, people: Any, rows: Any, since: Any, ends: Any) -> None:
    """Queue this week's complaints and serve the queues (MODEL A.10b), first come first served.

    A queue (firm, lane) is rows[f, l, ends[f, l, 0]:ends[f, l, 1]] with the weeks in `since`;
    complaints of one week queue in the order of a draw keyed by id, so that numbering cannot matter.
    """
    n_firms, lanes = state.waiting.shape
    stop = ends[:, :, 1].copy()
    for i in range(len(complaint)):
        if complaint[i]:
            for l in range(lanes):
                at = i * INT_FIELDS * lanes + l
                firm = marks[at + PROVIDER * lanes]
                if (complaint[i] >> l) & 1 and firm >= 0 and marks[at + TICKET * lanes] == 0:
                    marks[at + TICKET * lanes] = week + 1
                    rows[firm, l, stop[firm, l]] = i
                    since[firm, l, stop[firm, l]] = week
                    stop[firm, l] += 1
    for f in range(n_firms):
        for l in range(lanes):
            begin = ends[f, l, 1]
            new = rows[f, l, begin:stop[f, l]]
            luck = np.empty(len(new), np.uint64)
            for j in range(len(new)):
                ident = ids[new[j]]
                low = np.uint32(ident & np.uint64(0xFFFFFFFF))
                word = threefry(low, np.uint32(ident >> np.uint64(32)), np.uint32(week),
                                np.uint32(2), np.uint32(key[0]), np.uint32(key[1]),
                                np.uint32(PERSON), np.uint32(0))[0]
                luck[j] = (np.uint64(word) << np.uint64(32)) | np.uint64(low)
            rows[f, l, begin:stop[f, l]] = new[np.argsort(luck)]
            state.quarter[ARRIVED, f, l] += len(new)
            ends[f, l, 1] = stop[f, l]
            serve(physics, state, week, kind, marks, people, rows, since, ends, f, l)


@law
def serve(physics: Any, state: Any, week: Any, kind: Any, marks: Any, people: Any, rows: Any,
          since: Any, ends: Any, f: Any, l: Any) -> None:
    """Work through one queue: drop who left, abandon who waited too long, resolve the rest."""
    n_firms, lanes = state.waiting.shape
    n_kinds = state.tied.shape[1]
    width = len(people) // (len(kind) * lanes)
    capacity = 0.0
    for k in range(n_kinds):
        capacity += state.lever[CAPACITY, f, k, l] * state.tied[f, k, l] / 1000.0
    credit = state.credit[f, l] + capacity
    head = ends[f, l, 0]
    while head < ends[f, l, 1]:
        i = rows[f, l, head]
        opened = since[f, l, head]
        at = i * INT_FIELDS * lanes + l
        feeling = (i * width + width - 1) * lanes + l
        if marks[at + TICKET * lanes] != opened + 1 or marks[at + PROVIDER * lanes] != f:
            state.quarter[LEFT, f, l] += 1
        elif week - opened >= physics.patience[l] and week > opened:
            people[feeling] += np.float32(physics.abandonment[l]) * (
                np.float32(-1.0) - people[feeling])
            marks[at + TICKET * lanes] = 0
            state.quarter[ABANDONED, f, l] += 1
        elif credit >= 1.0:
            people[feeling] += np.float32(state.lever[RECOVERY, f, kind[i], l]) * (
                np.float32(1.0) - people[feeling])
            marks[at + TICKET * lanes] = 0
            marks[at + QUIET * lanes] = week + 1 + int(physics.recovery_quiet[l])
            state.quarter[RESOLVED, f, l] += 1
            credit -= 1.0
        else:
            break
        state.quarter[WAITED, f, l] += week - opened
        head += 1
    ends[f, l, 0] = head
    state.waiting[f, l] = ends[f, l, 1] - head
    state.capacity[f, l] = capacity
    state.credit[f, l] = credit - math.floor(credit)


@kernel
def finance_week(given: Any, state: Any, week: Any, opens: Any, counts: Any,
                 resolved: Any) -> None:
    """Book the week's money of every firm (MODEL A.11).

    `opens` marks the first week of a quarter, in which set-up is charged; `counts` int64 (3, F, K, L)
    are new, lost and referred stakeholders; `resolved` float64 (F, L) complaints handled.
    """
    n_firms, n_mechanisms, lanes = state.maturity.shape
    n_kinds = state.tied.shape[1]
    today = finance.discount(week, given.discount)
    grown = finance.growth(week, given.growth)
    for f in range(n_firms):
        for l in range(lanes):
            sales = 0.0
            rewards = 0.0
            for k in range(n_kinds):
                state.tied[f, k, l] += counts[0, f, k, l] - counts[1, f, k, l]
                rewards += counts[2, f, k, l] * given.firm[f, REFERRAL_REWARD]
                paid = given.price[k] * given.firm[f, PRICE] * (1.0 - state.lever[DISCOUNT, f, k, l])
                sales += state.tied[f, k, l] * paid * given.units[k] * grown
            spent = 0.0
            for m in range(n_mechanisms):
                spent += state.effort[f, m, l] / WEEKS
                if opens:
                    spent += state.due[f, m, l]
            invested = 0.0
            for c in range(3):
                invested += state.investment[f, c, l] / WEEKS
            contribution = sales * (1.0 - given.firm[f, VARIABLE_COST])
            profit = (contribution + given.firm[f, FIXED_INCOME] - spent
                      - resolved[f, l] * given.firm[f, TICKET_COST] - rewards
                      - given.firm[f, FIXED_COST])
            state.cash[f, l] += profit - invested
            state.worth[f, l] += (profit - invested) * today
            state.quarter[REVENUE, f, l] += sales + given.firm[f, FIXED_INCOME]
            state.quarter[SALES, f, l] += sales
            state.quarter[CONTRIBUTION, f, l] += contribution
            state.quarter[PROFIT, f, l] += profit
            state.quarter[MECHANISMS, f, l] += spent
            state.quarter[INVESTMENT, f, l] += invested
            state.quarter[VALUE, f, l] += (profit - invested) * today
