"""What stakeholders hear of each other, the one relaxation, and choice (MODEL stages 6 and 8)."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.compiled import kernel
from sim.kernels.by_type import add_up, book, look_up, met_by, type_at, types_change, types_in
from sim.kernels.choosing import best_firm, move
from sim.kernels.listening import fetch_speaking, find_speaking, listen
from sim.kernels.shared import (
    ANCHOR,
    CONFIDENCE,
    EXPERIENCE_PERSUASION,
    FIRM,
    HEARD,
    N_COUNTS,
    NEGATIVITY,
    NEWS_DOUBT,
    OFFER_WEEKS,
    PERSON,
    SALIENCE_DECAY,
    SALIENCE_PER_EXPERIENCE,
    TIE,
    TURN,
    WIDE,
    draw,
    last_block,
)
from sim.lanes import as_mask, law, select, to_float, to_int
from sim.laws import choice, news, outbound, peer
from sim.laws.relax import threshold
from sim.memory import (
    fetch_ahead,
    field_step,
    fill,
    fill_int,
    load,
    load_int,
    own,
    own_int,
    people_in,
    row_step,
    scratch,
    store,
    store_int,
    vectors_of,
)
from sim.rng import uniform_of
from sim.state import (
    ATTITUDE,
    BAD_NEWS,
    BAD_WORD,
    BLOCK,
    BROKEN,
    CLAIM,
    CLAIM_RATE,
    COMPARISON,
    CONQUEST,
    ENGAGEMENT_SCALE,
    EXPERIENCE_CHANCE,
    FIRM_FIELDS,
    GOOD_NEWS,
    GOOD_WORD,
    GRIEVANCE,
    IMPRESSION_HAZARD,
    INT_FIELDS,
    KEPT,
    MESSAGE_HAZARD,
    OFFER,
    OFFER_HAZARD,
    PEER_RATE,
    PROVIDER,
    SALIENCE,
    TENURE,
    UNANSWERED,
)


@kernel
def hear(
    width: Any,
    across: Any,
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
    speakers: Any,
    complaint: Any,
    drive: Any,
    physics: Any,
    counts: Any,
    engagement: Any,
    n_kinds: Any,
    most_ties: Any,
    bounded: Any,
) -> None:
    """Relax salience and attitude of stakeholders first..last-1 by all they met and heard; choose.

    `first` begins a block; no block has more than `most_ties` ties.
    """
    lanes = len(width)
    n_firms = len(slots)
    n_fields = FIRM_FIELDS * n_firms + 1
    n_types = types_in(across, n_kinds)
    plane = n_firms * n_types * lanes
    step = field_step(across, width)
    draws = scratch((2 + n_firms) * BLOCK, np.float32)
    luck = scratch((1 + n_firms) * BLOCK, np.float32)
    heard = scratch(HEARD * n_firms * lanes, np.float32)
    sums = scratch(HEARD * n_firms * lanes, np.int32)
    opinion = scratch(n_firms * lanes, np.int32)
    radius = scratch(lanes, np.int32)
    engaged = scratch(n_firms * lanes, np.int32)
    counted = scratch(N_COUNTS * plane, np.int32)
    room = most_ties + 1
    speaking = np.empty(2 * room, np.int64)
    met = met_by(across, width, drive, n_kinds)
    store_int(radius, 0, to_int(load(width, physics, CONFIDENCE * lanes) * 32766.0))
    stale = np.int64(0)
    size = len(drive) // (CONQUEST + n_firms)
    compares = drive[COMPARISON * size : (COMPARISON + 1) * size].any()
    reports = drive[BAD_NEWS * size : (GOOD_WORD + 1) * size].any()
    following = 0
    found = find_speaking(
        indptr[first], indptr[first + BLOCK], indices, speakers, speaking, following
    )
    for start in range(first, last, BLOCK):
        changes = start > first and types_change(across, width, kind, start)
        if changes:
            book(across, width, counts, counted, kind, start - BLOCK, n_kinds)
        if changes or start == first:
            look_up(across, width, met, drive, kind, start, n_kinds)
        a, _, _, d = draw(low, high, start, week, 0, key, PERSON, 0)
        store(draws, 0, uniform_of(a))
        store(draws, BLOCK, uniform_of(d))
        if as_mask(uniform_of(d) < load(WIDE, chooses, start)) != 0:
            draw_choice(low, high, start, week, key, slots, luck)
        drawn = np.int64(0)
        begin, end = following, found
        if start + BLOCK < last:
            # Two halves of `speaking` in turn: what the next block will hear is asked for now.
            following = room - following
            found = find_speaking(
                indptr[start + BLOCK],
                indptr[start + 2 * BLOCK],
                indices,
                speakers,
                speaking,
                following,
            )
            fetch_speaking(
                across,
                width,
                speaking,
                following,
                found,
                n_firms,
                indices,
                contact,
                evidence,
                spoken,
                message,
            )
        for unit in range(vectors_of(across, min(BLOCK, last - start))):
            at = unit * people_in(across, width)
            i = start + at
            row = i * row_step(across, width, n_fields)
            mark = i * row_step(across, width, INT_FIELDS)
            k = type_at(across, kind, i)
            fetch_ahead(across, width, people, row, n_fields)
            fetch_ahead(across, width, marks, mark, INT_FIELDS)
            fetch_ahead(across, width, opening, i, n_firms)
            provider = load_int(width, marks, mark + PROVIDER * step)
            satisfied = load(width, people, row + FIRM_FIELDS * n_firms * step)
            if bounded:
                for f in range(n_firms):
                    x = load(width, people, row + (f * FIRM_FIELDS + ATTITUDE) * step)
                    store_int(opinion, f * lanes, peer.encode(x))
            until = indptr[i + people_in(across, width)]
            own_end = begin
            while own_end < end and speaking[own_end] < until:
                own_end += 1
            firms = listen(
                across,
                width,
                i,
                speaking,
                begin,
                own_end,
                n_firms,
                indptr,
                indices,
                contact,
                evidence,
                spoken,
                message,
                opinion,
                radius,
                bounded,
                sums,
            )
            begin = own_end
            touches = own(across, width, contact_scale, i)
            weighs = own(across, width, evidence_scale, i)
            strongest = fill(width, 1.0)
            for r in range(n_firms):
                f = order[r]
                if (firms | stale) >> f & 1 == 0:
                    continue
                offers = weigh(width, f * HEARD * lanes, touches, weighs, sums, heard)
                if as_mask(offers != 0) == 0:
                    continue
                if drawn >> f & 1 == 0:
                    drawn |= np.int64(1) << f
                    _, _, _, d = draw(low, high, start, week, 0, key, FIRM, slots[f])
                    store(draws, (2 + f) * BLOCK, threshold(uniform_of(d)))
                hazard = to_float(offers) * touches
                hazard = hazard * load(width, met, OFFER_HAZARD * plane + (f * n_types + k) * lanes)
                strength = hazard / own(across, width, draws, (2 + f) * BLOCK + at)
                weeks = to_int(load(width, physics, OFFER_WEEKS * lanes))
                live = fill_int(width, (f + 1) * TIE + week) + weeks
                v = mark + OFFER * step
                taken = select(strength > strongest, live, load_int(width, marks, v))
                store_int(marks, v, taken)
                strongest = select(strength > strongest, strength, strongest)
            stale = firms
            for f in range(n_firms):
                p = (f * n_types + k) * lanes
                lived = (provider == f) & (
                    load(width, met, EXPERIENCE_CHANCE * plane + p) > own(across, width, draws, at)
                )
                o = row + f * FIRM_FIELDS * step
                trusted = outbound.trust(
                    load(width, people, o + KEPT * step), load(width, people, o + BROKEN * step)
                )
                claimed = claims(
                    width,
                    f,
                    order,
                    trusted,
                    met,
                    k,
                    n_types,
                    heard,
                    compares,
                )
                relax(
                    across,
                    width,
                    o,
                    people,
                    own(across, width, opening, f * across.rows + i),
                    met,
                    plane,
                    p,
                    heard,
                    f * HEARD * lanes,
                    claimed,
                    lived,
                    satisfied,
                    trusted,
                    reports,
                    physics,
                )
            inside = own_int(across, width, works, i)
            if as_mask(inside >= 0) != 0:
                for f in range(n_firms):
                    x = load(width, people, row + (f * FIRM_FIELDS + ATTITUDE) * step)
                    felt = select(inside == f, to_int(x * ENGAGEMENT_SCALE), 0)
                    store_int(engaged, f * lanes, load_int(width, engaged, f * lanes) + felt)
            v = mark + TENURE * step
            store_int(marks, v, load_int(width, marks, v) + 1)
            occasion = own(across, width, draws, BLOCK + at) < own(across, width, chooses, i)
            if as_mask(occasion) != 0:
                offer = load_int(width, marks, mark + OFFER * step)
                chosen = best_firm(
                    across,
                    width,
                    week,
                    order,
                    people,
                    row,
                    provider,
                    offer,
                    load_int(width, marks, mark + GRIEVANCE * step),
                    met,
                    k,
                    n_types,
                    physics,
                    luck,
                    at,
                )
                moved = occasion & (chosen != provider)
                if as_mask(moved) != 0:
                    move(
                        across,
                        width,
                        week,
                        i,
                        n_firms,
                        people,
                        row,
                        marks,
                        mark,
                        complaint,
                        moved,
                        provider,
                        chosen,
                        offer,
                        counted,
                        k,
                        n_types,
                    )
    book(across, width, counts, counted, kind, last_block(first, last), n_kinds)
    add_up(across, width, engagement, engaged)


@law
def draw_choice(
    low: Any, high: Any, start: Any, week: Any, key: Any, slots: Any, luck: Any
) -> None:
    """Write a block's Gumbel numbers: of staying without provider, then of each firm."""
    a, _, _, _ = draw(low, high, start, week, 1, key, PERSON, 0)
    store(luck, 0, choice.gumbel(uniform_of(a)))
    for f in range(len(slots)):
        _, _, c, _ = draw(low, high, start, week, 0, key, FIRM, slots[f])
        store(luck, (1 + f) * BLOCK, choice.gumbel(uniform_of(c)))


@law
def weigh(width: Any, h: Any, touches: Any, weighs: Any, sums: Any, heard: Any) -> Any:
    """Turn the sums about a firm into what was heard, at their true weights; empty the sums.

    Returns the contact of referral offers, still a whole number.
    """
    lanes = len(width)
    offers = load_int(width, sums, h + 5 * lanes)
    store(heard, h, to_float(load_int(width, sums, h)) * touches)
    for s in range(1, 3):
        v = h + s * lanes
        store(heard, v, to_float(load_int(width, sums, v)) * weighs)
    for s in range(3, 5):
        v = h + s * lanes
        store(heard, v, to_float(load_int(width, sums, v)) * (weighs * TURN))
    for s in range(HEARD):
        store_int(sums, h + s * lanes, fill_int(width, 0))
    return offers


@law
def claims(
    width: Any,
    f: Any,
    order: Any,
    trusted: Any,
    met: Any,
    k: Any,
    n_types: Any,
    heard: Any,
    compares: Any,
) -> Any:
    """Return the evidence of a firm's claims, those included with which it turns on its rivals."""
    lanes = len(width)
    n_firms = len(order)
    plane = n_firms * n_types * lanes
    p = (f * n_types + k) * lanes
    claimed = outbound.claim_evidence(load(width, met, CLAIM_RATE * plane + p), trusted)
    for r in range(n_firms if compares else 0):
        rival = order[r]
        if rival != f:
            q = (rival * n_types + k) * lanes
            claimed = claimed + (
                load(width, met, COMPARISON * plane + p)
                * load(width, met, PEER_RATE * plane + q)
                * load(width, heard, (rival * HEARD + 2) * lanes)
            )
    return claimed


@law
def relax(
    across: Any,
    width: Any,
    o: Any,
    people: Any,
    opening: Any,
    met: Any,
    plane: Any,
    p: Any,
    heard: Any,
    h: Any,
    claimed: Any,
    lived: Any,
    satisfied: Any,
    trusted: Any,
    reports: Any,
    physics: Any,
) -> None:
    """Move salience of and attitude to one firm by all evidence of the week at once."""
    lanes = len(width)
    step = field_step(across, width)
    hazard = (
        load(width, met, IMPRESSION_HAZARD * plane + p)
        + load(width, met, MESSAGE_HAZARD * plane + p) * load(width, heard, h)
        + select(lived, load(width, physics, SALIENCE_PER_EXPERIENCE * lanes), 0.0)
    )
    decay = load(width, physics, SALIENCE_DECAY * lanes)
    in_mind = load(width, people, o + SALIENCE * step)
    store(people, o + SALIENCE * step, outbound.salience(in_mind, hazard, decay))
    rate = load(width, met, PEER_RATE * plane + p)
    extra = (
        load(width, physics, NEGATIVITY * lanes) * load(width, met, UNANSWERED * plane + p) - 1.0
    )
    told = rate * (load(width, heard, h + lanes) + extra * load(width, heard, h + 2 * lanes))
    told_sum = rate * (
        load(width, heard, h + 3 * lanes) + extra * load(width, heard, h + 4 * lanes)
    )
    if reports:
        bad = news.believed(
            load(width, met, BAD_NEWS * plane + p),
            trusted,
            load(width, physics, NEWS_DOUBT * lanes),
        )
        good = load(width, met, GOOD_NEWS * plane + p)
        told = told + (bad + good)
        told_sum = told_sum + (
            bad * load(width, met, BAD_WORD * plane + p)
            + good * load(width, met, GOOD_WORD * plane + p)
        )
    moved = peer.attitude(
        load(width, people, o + ATTITUDE * step),
        opening,
        load(width, physics, ANCHOR * lanes),
        told,
        told_sum,
        claimed,
        load(width, met, CLAIM * plane + p),
        select(lived, load(width, physics, EXPERIENCE_PERSUASION * lanes), 0.0),
        satisfied,
    )
    store(people, o + ATTITUDE * step, moved)
