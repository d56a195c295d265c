"""What happens to each stakeholder alone: promises, experience, voice (MODEL stages 3 to 5)."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.compiled import kernel
from sim.kernels.by_type import book, look_up, met_by, type_at, types_change, types_in
from sim.kernels.shared import (
    DISCONFIRMATION,
    EXPECTATION_RATE,
    FIRM,
    GRIEVANCE_WEEKS,
    LOSS_AVERSION,
    N_COUNTS,
    NOISE,
    PERFORMANCE_EFFECT,
    PERSON,
    SATISFACTION_RATE,
    TALK_BASE,
    TALK_NEGATIVE,
    TALK_POSITIVE,
    TALK_UNTIED,
    TRUST_DECAY,
    TRUST_GAIN,
    TRUST_LOSS,
    TRUST_PRIOR,
    count,
    draw,
    last_block,
)
from sim.lanes import as_mask, exp, select, to_int
from sim.laws import experience, outbound, peer
from sim.laws.relax import threshold
from sim.memory import (
    fetch_ahead,
    field_step,
    fill,
    fill_int,
    keep_bits,
    keep_truths,
    load,
    load_int,
    own,
    people_in,
    row_step,
    scratch,
    store,
    store_int,
    store_short,
    vectors_of,
    who_of,
)
from sim.rng import normal_of, uniform_of
from sim.state import (
    ATTITUDE,
    BLOCK,
    BREACH,
    BROKEN,
    COMPLAINT_CHANCE,
    EXPECTATION,
    EXPERIENCE_CHANCE,
    FIRM_FIELDS,
    GRIEVANCE,
    INT_FIELDS,
    KEPT,
    NEGATIVE,
    OFFER_CHANCE,
    POSITIVE,
    PROMISE,
    PROMISE_RATE,
    PROVIDER,
    QUALITY_LOGIT,
    QUIET,
    SALIENCE,
    TALK,
    TICKET,
)


@kernel
def meet(
    width: Any,
    across: Any,
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
    speakers: Any,
    complaint: Any,
    drive: Any,
    physics: Any,
    counts: Any,
    n_kinds: Any,
) -> None:
    """Let stakeholders first..last-1 meet firms and speak; `first` begins a block.

    Writes expectation, trust, satisfaction, messages, grievances, complaints and counts of voices.
    """
    lanes = len(width)
    n_firms = len(slots)
    n_fields = FIRM_FIELDS * n_firms + 1
    n_types = types_in(across, n_kinds)
    plane = n_firms * n_types * lanes
    step = field_step(across, width)
    satisfaction = FIRM_FIELDS * n_firms * step
    draws = scratch((3 + 2 * n_firms) * BLOCK, np.float32)
    counted = scratch(N_COUNTS * plane, np.int32)
    met = met_by(across, width, drive, n_kinds)
    remembered = exp(-load(width, physics, TRUST_DECAY * lanes))
    for start in range(first, last, BLOCK):
        changes = start > first and types_change(across, width, kind, start)
        if changes:
            book(across, width, counts, counted, kind, start - BLOCK, n_kinds)
        if changes or start == first:
            look_up(across, width, met, drive, kind, start, n_kinds)
        a, b, c, _ = draw(low, high, start, week, 0, key, PERSON, 0)
        store(draws, 0, uniform_of(a))
        store(draws, BLOCK, normal_of(uniform_of(b)))
        store(draws, 2 * BLOCK, uniform_of(c))
        for f in range(n_firms):
            a, b, _, _ = draw(low, high, start, week, 0, key, FIRM, slots[f])
            store(draws, (3 + 2 * f) * BLOCK, threshold(uniform_of(a)))
            store(draws, (4 + 2 * f) * BLOCK, uniform_of(b))
        talk = 0
        for unit in range(vectors_of(across, min(BLOCK, last - start))):
            at = unit * people_in(across, width)
            i = start + at
            row = i * row_step(across, width, n_fields)
            mark = i * row_step(across, width, INT_FIELDS)
            said_row = i * row_step(across, width, n_firms)
            k = type_at(across, kind, i)
            fetch_ahead(across, width, people, row, n_fields)
            fetch_ahead(across, width, marks, mark, INT_FIELDS)
            provider = load_int(width, marks, mark + PROVIDER * step)
            satisfied = load(width, people, row + satisfaction)
            expected = fill(width, 0.5)
            promised = fill(width, 0.5)
            quality = fill(width, 0.0)
            happens = fill(width, 0.0)
            for f in range(n_firms):
                o = row + f * FIRM_FIELDS * step
                p = (f * n_types + k) * lanes
                trusted = outbound.trust(
                    load(width, people, o + KEPT * step), load(width, people, o + BROKEN * step)
                )
                promise = load(width, met, PROMISE * plane + p)
                e = outbound.expectation(
                    load(width, people, o + EXPECTATION * step),
                    promise,
                    load(width, met, PROMISE_RATE * plane + p),
                    trusted,
                )
                store(people, o + EXPECTATION * step, e)
                tied = provider == f
                expected = select(tied, e, expected)
                promised = select(tied, promise, promised)
                quality = select(tied, load(width, met, QUALITY_LOGIT * plane + p), quality)
                happens = select(tied, load(width, met, EXPERIENCE_CHANCE * plane + p), happens)
            lived = happens > own(across, width, draws, at)
            won = fill(width, 0.0)
            lost = fill(width, 0.0)
            if as_mask(lived) != 0:
                done = experience.performance(
                    quality,
                    load(width, physics, NOISE * lanes),
                    own(across, width, draws, BLOCK + at),
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
                store(people, row + satisfaction, satisfied)
                learnt = expected + load(width, physics, EXPECTATION_RATE * lanes) * surprise
                for f in range(n_firms):
                    o = row + (f * FIRM_FIELDS + EXPECTATION) * step
                    here = lived & (provider == f)
                    store(people, o, select(here, learnt, load(width, people, o)))
                gap = done - promised
                won = select(
                    lived & (gap > 0.0), load(width, physics, TRUST_GAIN * lanes) * gap, 0.0
                )
                lost = select(
                    lived & (gap < 0.0), load(width, physics, TRUST_LOSS * lanes) * (0.0 - gap), 0.0
                )
            prior = load(width, physics, TRUST_PRIOR * lanes)
            quiet = load_int(width, marks, mark + QUIET * step) > week
            waiting = load_int(width, marks, mark + TICKET * step) != 0
            grievance = load_int(width, marks, mark + GRIEVANCE * step)
            until = to_int(load(width, physics, GRIEVANCE_WEEKS * lanes)) + week
            spoke = fill_int(width, 0)
            complains = spoke != 0
            talkative = own(across, width, voice, i)
            for f in range(n_firms):
                o = row + f * FIRM_FIELDS * step
                p = (f * n_types + k) * lanes
                tied = provider == f
                store(
                    people,
                    o + KEPT * step,
                    experience.promises(
                        load(width, people, o + KEPT * step),
                        prior,
                        remembered,
                        select(tied, won, 0.0),
                    ),
                )
                store(
                    people,
                    o + BROKEN * step,
                    experience.promises(
                        load(width, people, o + BROKEN * step),
                        prior,
                        remembered,
                        select(tied, lost, 0.0) + load(width, met, BREACH * plane + p),
                    ),
                )
                valence = select(tied, satisfied, load(width, people, o + ATTITUDE * step))
                rate = load(width, met, TALK * plane + p) * talkative
                rate = rate * select(tied, 1.0, load(width, physics, TALK_UNTIED * lanes))
                hazard = peer.talk_hazard(
                    rate,
                    load(width, people, o + SALIENCE * step),
                    valence,
                    load(width, physics, TALK_BASE * lanes),
                    load(width, physics, TALK_POSITIVE * lanes),
                    load(width, physics, TALK_NEGATIVE * lanes),
                )
                speaks = hazard > own(across, width, draws, (3 + 2 * f) * BLOCK + at)
                speaks = speaks & ~(tied & quiet)
                if as_mask(speaks) == 0:
                    continue
                offers = (valence >= peer.PROMOTER) & (
                    load(width, met, OFFER_CHANCE * plane + p)
                    > own(across, width, draws, (4 + 2 * f) * BLOCK + at)
                )
                said = peer.encode(valence) + select(offers, fill_int(width, 1), 0)
                glad = valence >= 0.0
                spoke = spoke | select(speaks, fill_int(width, 1 << f), 0)
                store_short(message, said_row + f * step, select(speaks, said, 0))
                count(width, counted, POSITIVE * plane + p, speaks & glad)
                count(width, counted, NEGATIVE * plane + p, speaks & ~glad)
                unhappy = speaks & tied & ~glad
                grievance = select(unhappy, until, grievance)
                complains = complains | (
                    unhappy
                    & ~waiting
                    & (
                        load(width, met, COMPLAINT_CHANCE * plane + p)
                        > own(across, width, draws, 2 * BLOCK + at)
                    )
                )
            speakers_here = who_of(across, spoke != 0)
            if speakers_here != 0:
                talk |= speakers_here << at
                store_int(marks, mark + GRIEVANCE * step, grievance)
            keep_truths(across, width, complaint, i, complains)
            keep_bits(across, width, spoken, i, spoke)
        speakers[start // BLOCK] = talk
    book(across, width, counts, counted, kind, last_block(first, last), n_kinds)
