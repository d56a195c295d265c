"""Complaints are queued, resolved or abandoned (MODEL A.10b)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sim.compiled import kernel
from sim.firms import CAPACITY, PERSON, RECOVERY
from sim.lanes import law, lowest_bit
from sim.rng import threefry
from sim.state import (
    ABANDONED,
    ARRIVED,
    FIRM_FIELDS,
    LEFT,
    PROVIDER,
    QUIET,
    RESOLVED,
    TICKET,
    WAITED,
)


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
