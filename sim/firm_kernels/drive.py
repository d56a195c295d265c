"""What stakeholders will meet of firms this week: quality, promises, breaches (MODEL stage 3)."""

from __future__ import annotations

import math
from typing import Any

from sim.compiled import kernel
from sim.firms import (
    APPEAL,
    BAD,
    CLAIM_QUALITY,
    CLAIMS,
    COMPARE,
    CONQUER,
    CONTACT,
    CREDIBILITY,
    CRISIS_RESPONSE,
    DIMENSIONS,
    DISCOUNT,
    EASE,
    EXECUTION,
    GOOD,
    HONESTY,
    IMPRESSIONS,
    ISSUE_RESPONSE,
    LOYALTY,
    NEVER,
    PERMISSION,
    PRICE,
    PRICE_EROSION,
    QUALITY,
    REBUTTAL,
    REFERRAL,
    STRAIN,
    SURE,
    TALK_RATE,
)
from sim.lanes import law
from sim.laws import choice, conduct, experience, outbound
from sim.laws.relax import logistic
from sim.state import (
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
    EXPERIENCE_CHANCE,
    GOOD_NEWS,
    GOOD_WORD,
    IMPRESSION_HAZARD,
    MESSAGE_HAZARD,
    OFFER_CHANCE,
    OFFER_HAZARD,
    PEER_RATE,
    PROMISE,
    PROMISE_RATE,
    QUALITY_LOGIT,
    SWITCHING,
    TALK,
    UNANSWERED,
)


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
