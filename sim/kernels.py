"""The stakeholders' week in two compiled passes, and what is counted at a quarter's close.

`meet` is what happens to each stakeholder alone (promises, experience, voice); `hear` is what they
hear of each other, the one relaxation of salience and attitude, and choice; every stakeholder of a
pass reads what the pass before left (MODEL R4), so rows may be split among threads at will. Both
are written for vectors of any number of lanes; draws are made once per stakeholder for all lanes.
Every sum is of integers, so that order and numbering cannot matter.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from sim.lanes import (
    as_mask,
    exp,
    fill,
    fill_int,
    kernel,
    law,
    load,
    load_int,
    load_short,
    select,
    store,
    store_int,
    store_short,
    to_float,
    to_int,
    width_of,
)
from sim.laws import choice, experience, outbound, peer
from sim.laws.relax import threshold
from sim.rng import Stream, normal_of, threefry, uniform_of
from sim.scenario import Physics
from sim.state import (
    ADDS,
    ATTITUDE,
    BASE_UTILITY,
    BREACH,
    BROKEN,
    CLAIM,
    CLAIM_RATE,
    COMPARISON,
    COMPLAINT_CHANCE,
    CONQUEST,
    COUNTS,
    ENGAGEMENT_SCALE,
    EXPECTATION,
    EXPERIENCE_CHANCE,
    FIRM_FIELDS,
    GRIEVANCE,
    IMPRESSION_HAZARD,
    INT_FIELDS,
    KEPT,
    LOSSES,
    MESSAGE_HAZARD,
    NEGATIVE,
    OFFER,
    OFFER_CHANCE,
    OFFER_HAZARD,
    PEER_RATE,
    POSITIVE,
    PROMISE,
    PROMISE_RATE,
    PROVIDER,
    QUALITY_LOGIT,
    QUIET,
    REFERRED,
    SALIENCE,
    SUM_SCALE,
    SUMS,
    SWITCHING,
    TALK,
    TENURE,
    TICKET,
    UNANSWERED,
)

COEFFICIENTS = tuple(f.name for f in fields(Physics))
_at = COEFFICIENTS.index
BLOCK = 16
WIDE = width_of(BLOCK)
PERSON, FIRM, RECOMMEND = int(Stream.PERSON), int(Stream.FIRM), int(Stream.RECOMMEND)
TIE = 65536
HEARD = 6
TURN = 32768.0 / 32766.0
N_COUNTS, N_SUMS = len(COUNTS), len(SUMS)
FLUSH = 512

SALIENCE_DECAY, SALIENCE_PER_EXPERIENCE = _at("salience_decay"), _at("salience_per_experience")
ANCHOR, EXPERIENCE_PERSUASION = _at("anchor"), _at("experience_persuasion")
CONFIDENCE, NEGATIVITY = _at("confidence"), _at("negativity")
TALK_BASE, TALK_POSITIVE, TALK_NEGATIVE = (
    _at("talk_base"),
    _at("talk_positive"),
    _at("talk_negative"),
)
TALK_UNTIED, NOISE, SATISFACTION_RATE = (
    _at("talk_untied"),
    _at("performance_noise"),
    _at("satisfaction_rate"),
)
DISCONFIRMATION, PERFORMANCE_EFFECT = _at("disconfirmation"), _at("performance_effect")
LOSS_AVERSION, EXPECTATION_RATE = _at("loss_aversion"), _at("expectation_rate")
TRUST_GAIN, TRUST_LOSS = _at("trust_gain"), _at("trust_loss")
TRUST_DECAY, TRUST_PRIOR = _at("trust_decay"), _at("trust_prior")
ATTITUDE_WEIGHT, EXPECTATION_WEIGHT = _at("attitude_weight"), _at("expectation_weight")
REFERENCE, NONE_UTILITY = _at("expectation_reference"), _at("none_utility")
OFFER_VALUE, OFFER_WEEKS = _at("referral_offer"), _at("referral_weeks")
GRIEVANCE_WEEKS = _at("grievance_weeks")
RECOMMEND_BASE, RECOMMEND_SATISFACTION = _at("recommend_base"), _at("recommend_satisfaction")
RECOMMEND_ATTITUDE, RECOMMEND_NOISE = _at("recommend_attitude"), _at("recommend_noise")


@law
def draw(
    low: Any, high: Any, i: Any, week: Any, block: Any, key: Any, stream: Any, slot: Any
) -> Any:
    """Return four words for each of 16 stakeholders from row i on."""
    return threefry(
        load_int(WIDE, low, i),
        load_int(WIDE, high, i),
        fill_int(WIDE, week),
        fill_int(WIDE, block),
        fill_int(WIDE, key[0]),
        fill_int(WIDE, key[1]),
        fill_int(WIDE, stream),
        fill_int(WIDE, slot),
    )


@kernel
def meet(
    width: Any,
    first: Any,
    last: Any,
    week: Any,
    key: Any,
    slots: Any,
    low: Any,
    high: Any,
    kind: Any,
    voice: Any,
    people: Any,
    marks: Any,
    message: Any,
    spoken: Any,
    complaint: Any,
    drive: Any,
    physics: Any,
    counts: Any,
    n_kinds: Any,
) -> None:
    """Promises, experience and voice of stakeholders first..last-1 (MODEL A.3, stages 3 to 5).

    Writes expectation, trust, satisfaction, messages, grievances, complaints and counts of voices.
    """
    lanes = len(width)
    n_firms = len(slots)
    n_fields = FIRM_FIELDS * n_firms + 1
    plane = n_firms * n_kinds * lanes
    draws = np.empty((3 + 2 * n_firms) * BLOCK, np.float32)
    remembered = exp(-load(width, physics, TRUST_DECAY * lanes))
    for start in range(first, last, BLOCK):
        a, b, c, _ = draw(low, high, start, week, 0, key, PERSON, 0)
        store(draws, 0, uniform_of(a))
        store(draws, BLOCK, normal_of(uniform_of(b)))
        store(draws, 2 * BLOCK, uniform_of(c))
        for f in range(n_firms):
            a, b, _, _ = draw(low, high, start, week, 0, key, FIRM, slots[f])
            store(draws, (3 + 2 * f) * BLOCK, threshold(uniform_of(a)))
            store(draws, (4 + 2 * f) * BLOCK, uniform_of(b))
        for i in range(start, min(start + BLOCK, last)):
            at = i - start
            row = i * n_fields * lanes
            mark = i * INT_FIELDS * lanes
            k = kind[i]
            provider = load_int(width, marks, mark + PROVIDER * lanes)
            satisfied = load(width, people, row + FIRM_FIELDS * n_firms * lanes)
            expected = fill(width, 0.5)
            promised = fill(width, 0.5)
            quality = fill(width, 0.0)
            happens = fill(width, 0.0)
            for f in range(n_firms):
                o = row + f * FIRM_FIELDS * lanes
                p = (f * n_kinds + k) * lanes
                trusted = outbound.trust(
                    load(width, people, o + KEPT * lanes), load(width, people, o + BROKEN * lanes)
                )
                promise = load(width, drive, PROMISE * plane + p)
                e = outbound.expectation(
                    load(width, people, o + EXPECTATION * lanes),
                    promise,
                    load(width, drive, PROMISE_RATE * plane + p),
                    trusted,
                )
                store(people, o + EXPECTATION * lanes, e)
                tied = provider == f
                expected = select(tied, e, expected)
                promised = select(tied, promise, promised)
                quality = select(tied, load(width, drive, QUALITY_LOGIT * plane + p), quality)
                happens = select(tied, load(width, drive, EXPERIENCE_CHANCE * plane + p), happens)
            lived = happens > draws[at]
            done = experience.performance(
                quality, load(width, physics, NOISE * lanes), draws[BLOCK + at]
            )
            surprise = done - expected
            target = experience.satisfaction_target(
                done,
                surprise,
                load(width, physics, DISCONFIRMATION * lanes),
                load(width, physics, LOSS_AVERSION * lanes),
                load(width, physics, PERFORMANCE_EFFECT * lanes),
            )
            satisfied = select(
                lived,
                experience.toward(
                    satisfied, target, load(width, physics, SATISFACTION_RATE * lanes)
                ),
                satisfied,
            )
            store(people, row + FIRM_FIELDS * n_firms * lanes, satisfied)
            learnt = expected + load(width, physics, EXPECTATION_RATE * lanes) * surprise
            gap = done - promised
            won = select(lived & (gap > 0.0), load(width, physics, TRUST_GAIN * lanes) * gap, 0.0)
            lost = select(
                lived & (gap < 0.0), load(width, physics, TRUST_LOSS * lanes) * (0.0 - gap), 0.0
            )
            prior = load(width, physics, TRUST_PRIOR * lanes)
            quiet = load_int(width, marks, mark + QUIET * lanes) > week
            waiting = load_int(width, marks, mark + TICKET * lanes) != 0
            grievance = load_int(width, marks, mark + GRIEVANCE * lanes)
            until = to_int(load(width, physics, GRIEVANCE_WEEKS * lanes)) + week
            complains = 0
            spoke = 0
            talkative = voice[i]
            for f in range(n_firms):
                o = row + f * FIRM_FIELDS * lanes
                p = (f * n_kinds + k) * lanes
                tied = provider == f
                here = tied & lived
                e = load(width, people, o + EXPECTATION * lanes)
                store(people, o + EXPECTATION * lanes, select(here, learnt, e))
                store(
                    people,
                    o + KEPT * lanes,
                    experience.promises(
                        load(width, people, o + KEPT * lanes),
                        prior,
                        remembered,
                        select(here, won, 0.0),
                    ),
                )
                store(
                    people,
                    o + BROKEN * lanes,
                    experience.promises(
                        load(width, people, o + BROKEN * lanes),
                        prior,
                        remembered,
                        select(here, lost, 0.0) + load(width, drive, BREACH * plane + p),
                    ),
                )
                valence = select(tied, satisfied, load(width, people, o + ATTITUDE * lanes))
                rate = load(width, drive, TALK * plane + p) * talkative
                rate = rate * select(tied, 1.0, load(width, physics, TALK_UNTIED * lanes))
                hazard = peer.talk_hazard(
                    rate,
                    load(width, people, o + SALIENCE * lanes),
                    valence,
                    load(width, physics, TALK_BASE * lanes),
                    load(width, physics, TALK_POSITIVE * lanes),
                    load(width, physics, TALK_NEGATIVE * lanes),
                )
                speaks = (hazard > draws[(3 + 2 * f) * BLOCK + at]) & ~(tied & quiet)
                offers = (valence >= peer.PROMOTER) & (
                    load(width, drive, OFFER_CHANCE * plane + p) > draws[(4 + 2 * f) * BLOCK + at]
                )
                said = peer.encode(valence) + select(offers, fill_int(width, 1), 0)
                glad = valence >= 0.0
                if as_mask(speaks) != 0:
                    spoke |= 1 << f
                    store_short(message, (i * n_firms + f) * lanes, select(speaks, said, 0))
                    v = POSITIVE * plane + p
                    store_int(
                        counts,
                        v,
                        load_int(width, counts, v) + select(speaks & glad, fill_int(width, 1), 0),
                    )
                    v = NEGATIVE * plane + p
                    store_int(
                        counts,
                        v,
                        load_int(width, counts, v) + select(speaks & ~glad, fill_int(width, 1), 0),
                    )
                unhappy = speaks & tied & ~glad
                grievance = select(unhappy, until, grievance)
                complains |= as_mask(
                    unhappy
                    & ~waiting
                    & (load(width, drive, COMPLAINT_CHANCE * plane + p) > draws[2 * BLOCK + at])
                )
            store_int(marks, mark + GRIEVANCE * lanes, grievance)
            complaint[i] = complains
            spoken[i] = spoke


@law
def listen(
    width: Any,
    begin: Any,
    end: Any,
    n_firms: Any,
    indices: Any,
    contact: Any,
    evidence: Any,
    spoken: Any,
    message: Any,
    opinion: Any,
    physics: Any,
    bounded: Any,
    heard: Any,
) -> Any:
    """Add what a row of ties says about each firm to `heard`, as exact integers.

    `heard` int32 (F, 6, L): contact and evidence of messages, evidence of negative ones, evidence x
    valence, the same of negative ones, and contact of referral offers. Most are silent most weeks,
    so silence is passed over by one bit per firm. Returns the firms heard of, one bit each.
    """
    lanes = len(width)
    firms = np.int64(0)
    for t in range(begin, end):
        j = np.int64(indices[t])
        says = np.int64(spoken[j])
        if says == 0:
            continue
        firms |= says
        w = np.int32(evidence[t])
        size = abs(w)
        c = np.int32(contact[t])
        for f in range(n_firms):
            if (says >> f) & 1 == 0:
                continue
            word = load_short(width, message, (j * n_firms + f) * lanes)
            said = word & -2
            heeded = said != 0
            bad = said < 0
            h = f * HEARD * lanes
            store_int(heard, h, load_int(width, heard, h) + select(heeded, fill_int(width, c), 0))
            if bounded:
                gap = said - load_int(width, opinion, f * lanes)
                radius = to_int(load(width, physics, CONFIDENCE * lanes) * 32766.0)
                near = (gap <= radius) & (gap >= 0 - radius)
                heeded = heeded & near
                bad = bad & near
            product = (said * w + 16384) >> 15
            h += lanes
            store_int(
                heard, h, load_int(width, heard, h) + select(heeded, fill_int(width, size), 0)
            )
            h += lanes
            store_int(heard, h, load_int(width, heard, h) + select(bad, fill_int(width, size), 0))
            h += lanes
            store_int(heard, h, load_int(width, heard, h) + select(heeded, product, 0))
            h += lanes
            store_int(heard, h, load_int(width, heard, h) + select(bad, product, 0))
            h += lanes
            store_int(
                heard, h, load_int(width, heard, h) + select((word & 1) != 0, fill_int(width, c), 0)
            )
    return firms


@kernel
def hear(
    width: Any,
    first: Any,
    last: Any,
    week: Any,
    key: Any,
    slots: Any,
    order: Any,
    low: Any,
    high: Any,
    kind: Any,
    chooses: Any,
    opening: Any,
    works: Any,
    indptr: Any,
    indices: Any,
    contact: Any,
    evidence: Any,
    contact_scale: Any,
    evidence_scale: Any,
    people: Any,
    marks: Any,
    message: Any,
    spoken: Any,
    complaint: Any,
    drive: Any,
    physics: Any,
    counts: Any,
    engagement: Any,
    n_kinds: Any,
    bounded: Any,
) -> None:
    """Relax salience and attitude by all that was met and heard; choose (MODEL stages 6 and 8)."""
    lanes = len(width)
    n_firms = len(slots)
    n_fields = FIRM_FIELDS * n_firms + 1
    plane = n_firms * n_kinds * lanes
    draws = np.empty((3 + 2 * n_firms) * BLOCK, np.float32)
    heard = np.zeros(HEARD * n_firms * lanes, np.float32)
    sums = np.zeros(HEARD * n_firms * lanes, np.int32)
    opinion = np.zeros(n_firms * lanes, np.int32)
    stale = np.int64(0)
    compares = drive[COMPARISON * plane : (COMPARISON + 1) * plane].any()
    for start in range(first, last, BLOCK):
        a, _, _, d = draw(low, high, start, week, 0, key, PERSON, 0)
        store(draws, 0, uniform_of(a))
        store(draws, BLOCK, uniform_of(d))
        a, _, _, _ = draw(low, high, start, week, 1, key, PERSON, 0)
        store(draws, 2 * BLOCK, choice.gumbel(uniform_of(a)))
        for f in range(n_firms):
            _, _, c, d = draw(low, high, start, week, 0, key, FIRM, slots[f])
            store(draws, (3 + 2 * f) * BLOCK, choice.gumbel(uniform_of(c)))
            store(draws, (4 + 2 * f) * BLOCK, threshold(uniform_of(d)))
        for i in range(start, min(start + BLOCK, last)):
            at = i - start
            row = i * n_fields * lanes
            mark = i * INT_FIELDS * lanes
            k = kind[i]
            provider = load_int(width, marks, mark + PROVIDER * lanes)
            satisfied = load(width, people, row + FIRM_FIELDS * n_firms * lanes)
            offer = load_int(width, marks, mark + OFFER * lanes)
            if bounded:
                for f in range(n_firms):
                    x = load(width, people, row + (f * FIRM_FIELDS + ATTITUDE) * lanes)
                    store_int(opinion, f * lanes, peer.encode(x))
            firms = listen(
                width,
                indptr[i],
                indptr[i + 1],
                n_firms,
                indices,
                contact,
                evidence,
                spoken,
                message,
                opinion,
                physics,
                bounded,
                sums,
            )
            strongest = fill(width, 1.0)
            for r in range(n_firms):
                f = order[r]
                if (firms | stale) >> f & 1 == 0:
                    continue
                h = f * HEARD * lanes
                scale = evidence_scale[i]
                store(heard, h, to_float(load_int(width, sums, h)) * contact_scale[i])
                for s in range(1, 3):
                    v = h + s * lanes
                    store(heard, v, to_float(load_int(width, sums, v)) * scale)
                for s in range(3, 5):
                    v = h + s * lanes
                    store(heard, v, to_float(load_int(width, sums, v)) * (scale * TURN))
                offers = load_int(width, sums, h + 5 * lanes)
                if as_mask(offers != 0) != 0:
                    p = (f * n_kinds + k) * lanes
                    hazard = to_float(offers) * contact_scale[i]
                    hazard = hazard * load(width, drive, OFFER_HAZARD * plane + p)
                    strength = hazard / draws[(4 + 2 * f) * BLOCK + at]
                    weeks = to_int(load(width, physics, OFFER_WEEKS * lanes))
                    live = fill_int(width, (f + 1) * TIE + week) + weeks
                    offer = select(strength > strongest, live, offer)
                    strongest = select(strength > strongest, strength, strongest)
                for s in range(HEARD):
                    store_int(sums, h + s * lanes, fill_int(width, 0))
            stale = firms
            negativity = load(width, physics, NEGATIVITY * lanes)
            anchor = load(width, physics, ANCHOR * lanes)
            for f in range(n_firms):
                o = row + f * FIRM_FIELDS * lanes
                h = f * HEARD * lanes
                p = (f * n_kinds + k) * lanes
                lived = (provider == f) & (
                    load(width, drive, EXPERIENCE_CHANCE * plane + p) > draws[at]
                )
                hazard = (
                    load(width, drive, IMPRESSION_HAZARD * plane + p)
                    + load(width, drive, MESSAGE_HAZARD * plane + p) * load(width, heard, h)
                    + select(lived, load(width, physics, SALIENCE_PER_EXPERIENCE * lanes), 0.0)
                )
                store(
                    people,
                    o + SALIENCE * lanes,
                    outbound.salience(
                        load(width, people, o + SALIENCE * lanes),
                        hazard,
                        load(width, physics, SALIENCE_DECAY * lanes),
                    ),
                )
                trusted = outbound.trust(
                    load(width, people, o + KEPT * lanes), load(width, people, o + BROKEN * lanes)
                )
                claimed = outbound.claim_evidence(
                    load(width, drive, CLAIM_RATE * plane + p), trusted
                )
                for r in range(n_firms if compares else 0):
                    rival = order[r]
                    if rival != f:
                        q = (rival * n_kinds + k) * lanes
                        claimed = claimed + (
                            load(width, drive, COMPARISON * plane + p)
                            * load(width, drive, PEER_RATE * plane + q)
                            * load(width, heard, (rival * HEARD + 2) * lanes)
                        )
                extra = negativity * load(width, drive, UNANSWERED * plane + p) - 1.0
                rate = load(width, drive, PEER_RATE * plane + p)
                told = rate * (
                    load(width, heard, h + lanes) + extra * load(width, heard, h + 2 * lanes)
                )
                told_sum = rate * (
                    load(width, heard, h + 3 * lanes) + extra * load(width, heard, h + 4 * lanes)
                )
                store(
                    people,
                    o + ATTITUDE * lanes,
                    peer.attitude(
                        load(width, people, o + ATTITUDE * lanes),
                        fill(width, opening[i * n_firms + f]),
                        anchor,
                        told,
                        told_sum,
                        claimed,
                        load(width, drive, CLAIM * plane + p),
                        select(lived, load(width, physics, EXPERIENCE_PERSUASION * lanes), 0.0),
                        satisfied,
                    ),
                )
            if works[i] >= 0:
                g = works[i] * lanes
                x = load(width, people, row + (works[i] * FIRM_FIELDS + ATTITUDE) * lanes)
                store_int(
                    engagement, g, load_int(width, engagement, g) + to_int(x * ENGAGEMENT_SCALE)
                )
            tenure = load_int(width, marks, mark + TENURE * lanes) + 1
            if draws[BLOCK + at] < chooses[i]:
                best = load(width, physics, NONE_UTILITY * lanes)
                best = select(provider == -1, best, 0.0) + draws[2 * BLOCK + at]
                chosen = fill_int(width, -1)
                grieved = load_int(width, marks, mark + GRIEVANCE * lanes) >= week
                for r in range(n_firms):
                    f = order[r]
                    o = row + f * FIRM_FIELDS * lanes
                    p = (f * n_kinds + k) * lanes
                    value = choice.utility(
                        load(width, drive, BASE_UTILITY * plane + p),
                        load(width, people, o + SALIENCE * lanes),
                        load(width, people, o + ATTITUDE * lanes),
                        load(width, people, o + EXPECTATION * lanes),
                        load(width, physics, REFERENCE * lanes),
                        load(width, physics, ATTITUDE_WEIGHT * lanes),
                        load(width, physics, EXPECTATION_WEIGHT * lanes),
                    )
                    tied = provider == f
                    live = ((offer >> 16) == f + 1) & ((offer & 65535) >= week)
                    value = value + select(tied, load(width, drive, SWITCHING * plane + p), 0.0)
                    value = value + select(
                        live & ~tied & (provider != -1),
                        load(width, physics, OFFER_VALUE * lanes),
                        0.0,
                    )
                    for c in range(n_firms):
                        if c != f:
                            pull = (f * n_firms + c) * n_kinds + k
                            value = value + select(
                                grieved & (provider == c),
                                load(width, drive, (CONQUEST * n_firms * n_kinds + pull) * lanes),
                                0.0,
                            )
                    value = value + draws[(3 + 2 * f) * BLOCK + at]
                    better = value > best
                    best = select(better, value, best)
                    chosen = select(better, fill_int(width, f), chosen)
                moved = chosen != provider
                if as_mask(moved) != 0:
                    complaint[i] &= ~np.uint32(as_mask(moved))
                    for f in range(n_firms):
                        p = (f * n_kinds + k) * lanes
                        came = moved & (chosen == f)
                        left = moved & (provider == f)
                        asked = came & ((offer >> 16) == f + 1) & ((offer & 65535) >= week)
                        satisfied = select(
                            came,
                            load(width, people, row + (f * FIRM_FIELDS + ATTITUDE) * lanes),
                            satisfied,
                        )
                        v = ADDS * plane + p
                        store_int(
                            counts,
                            v,
                            load_int(width, counts, v) + select(came, fill_int(width, 1), 0),
                        )
                        v = LOSSES * plane + p
                        store_int(
                            counts,
                            v,
                            load_int(width, counts, v) + select(left, fill_int(width, 1), 0),
                        )
                        v = REFERRED * plane + p
                        store_int(
                            counts,
                            v,
                            load_int(width, counts, v) + select(asked, fill_int(width, 1), 0),
                        )
                    gone = moved & (chosen == -1)
                    satisfied = select(gone, 0.0, satisfied)
                    store(people, row + FIRM_FIELDS * n_firms * lanes, satisfied)
                    store_int(marks, mark + PROVIDER * lanes, chosen)
                    tenure = select(moved, 0, tenure)
                    for field in (QUIET, GRIEVANCE, TICKET):
                        v = mark + field * lanes
                        store_int(marks, v, select(moved, 0, load_int(width, marks, v)))
                    offer = select(moved, 0, offer)
            store_int(marks, mark + TENURE * lanes, tenure)
            store_int(marks, mark + OFFER * lanes, offer)


@kernel
def close(
    width: Any,
    week: Any,
    key: Any,
    order: Any,
    low: Any,
    high: Any,
    kind: Any,
    people: Any,
    marks: Any,
    physics: Any,
    n_kinds: Any,
    sums: Any,
) -> None:
    """Sum state over stakeholders by firm and type, in fixed point of 2^-20 (exact, any order)."""
    lanes = len(width)
    n_firms = len(order)
    n_fields = FIRM_FIELDS * n_firms + 1
    plane = n_firms * n_kinds * lanes
    part = np.zeros(N_SUMS * plane, np.int32)
    draws = np.empty(BLOCK, np.float32)
    n = len(kind)
    for start in range(0, n, BLOCK):
        a, _, _, _ = draw(low, high, start, week, 0, key, RECOMMEND, 0)
        store(draws, 0, normal_of(uniform_of(a)))
        for i in range(start, min(start + BLOCK, n)):
            row = i * n_fields * lanes
            k = kind[i]
            provider = load_int(width, marks, i * INT_FIELDS * lanes + PROVIDER * lanes)
            satisfied = load(width, people, row + FIRM_FIELDS * n_firms * lanes)
            best = fill(width, -2.0)
            liked = fill_int(width, -1)
            for r in range(n_firms):
                f = order[r]
                x = load(width, people, row + (f * FIRM_FIELDS + ATTITUDE) * lanes)
                better = x > best
                best = select(better, x, best)
                liked = select(better, fill_int(width, f), liked)
            for f in range(n_firms):
                o = row + f * FIRM_FIELDS * lanes
                p = (f * n_kinds + k) * lanes
                tied = provider == f
                x = load(width, people, o + ATTITUDE * lanes)
                one = fill(width, 1.0)
                says = (
                    load(width, physics, RECOMMEND_BASE * lanes)
                    + load(width, physics, RECOMMEND_SATISFACTION * lanes) * satisfied
                    + load(width, physics, RECOMMEND_ATTITUDE * lanes) * x
                    + load(width, physics, RECOMMEND_NOISE * lanes) * draws[i - start]
                )
                values = (
                    load(width, people, o + SALIENCE * lanes),
                    x,
                    load(width, people, o + EXPECTATION * lanes),
                    outbound.trust(
                        load(width, people, o + KEPT * lanes),
                        load(width, people, o + BROKEN * lanes),
                    ),
                    select(tied, satisfied, 0.0),
                    select(tied, one, 0.0),
                    select(liked == f, one, 0.0),
                    select(tied & (says >= 8.5), one, 0.0),
                    select(tied & (says < 6.5), one, 0.0),
                )
                for s in range(N_SUMS):
                    v = s * plane + p
                    store_int(part, v, load_int(width, part, v) + to_int(values[s] * SUM_SCALE))
        if (start // BLOCK) % (FLUSH // BLOCK) == 0 or start + BLOCK >= n:
            for s in range(len(part)):
                sums[s] += part[s]
                part[s] = 0
