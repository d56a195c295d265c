"""What is counted at a quarter's close."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.compiled import kernel
from sim.kernels.by_type import book, type_at, types_change, types_in
from sim.kernels.shared import (
    N_SUMS,
    RECOMMEND,
    RECOMMEND_ATTITUDE,
    RECOMMEND_BASE,
    RECOMMEND_NOISE,
    RECOMMEND_SATISFACTION,
    draw,
    last_block,
)
from sim.lanes import select, to_int
from sim.laws import outbound
from sim.memory import (
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
from sim.rng import normal_of, uniform_of
from sim.state import (
    ATTITUDE,
    BLOCK,
    BROKEN,
    EXPECTATION,
    FIRM_FIELDS,
    INT_FIELDS,
    KEPT,
    PROVIDER,
    SALIENCE,
    SUM_SCALE,
)

FLUSH = 512  # stakeholders whose sums 32 bits hold


@kernel
def close(
    width: Any,
    across: Any,
    n: Any,
    week: Any,
    key: Any,
    order: Any,
    low: Any,
    high: Any,
    kind: Any,
    present: Any,
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
    n_types = types_in(across, n_kinds)
    plane = n_firms * n_types * lanes
    step = field_step(across, width)
    part = scratch(N_SUMS * plane, np.int32)
    draws = scratch(BLOCK, np.float32)
    for start in range(0, n, BLOCK):
        if start > 0 and (types_change(across, width, kind, start) or start % FLUSH == 0):
            book(across, width, sums, part, kind, start - BLOCK, n_kinds)
        a, _, _, _ = draw(low, high, start, week, 0, key, RECOMMEND, 0)
        store(draws, 0, normal_of(uniform_of(a)))
        for unit in range(vectors_of(across, min(BLOCK, n - start))):
            at = unit * people_in(across, width)
            i = start + at
            row = i * row_step(across, width, n_fields)
            k = type_at(across, kind, i)
            counts = own_int(across, width, present, i) != 0
            mark = i * row_step(across, width, INT_FIELDS)
            provider = load_int(width, marks, mark + PROVIDER * step)
            satisfied = load(width, people, row + FIRM_FIELDS * n_firms * step)
            best = fill(width, -2.0)
            liked = fill_int(width, -1)
            for r in range(n_firms):
                f = order[r]
                x = load(width, people, row + (f * FIRM_FIELDS + ATTITUDE) * step)
                better = x > best
                best = select(better, x, best)
                liked = select(better, fill_int(width, f), liked)
            for f in range(n_firms):
                o = row + f * FIRM_FIELDS * step
                p = (f * n_types + k) * lanes
                tied = provider == f
                x = load(width, people, o + ATTITUDE * step)
                one = fill(width, 1.0)
                says = (
                    load(width, physics, RECOMMEND_BASE * lanes)
                    + load(width, physics, RECOMMEND_SATISFACTION * lanes) * satisfied
                    + load(width, physics, RECOMMEND_ATTITUDE * lanes) * x
                    + load(width, physics, RECOMMEND_NOISE * lanes) * own(across, width, draws, at)
                )
                values = (
                    load(width, people, o + SALIENCE * step),
                    x,
                    load(width, people, o + EXPECTATION * step),
                    outbound.trust(
                        load(width, people, o + KEPT * step),
                        load(width, people, o + BROKEN * step),
                    ),
                    select(tied, satisfied, 0.0),
                    select(tied, one, 0.0),
                    select(liked == f, one, 0.0),
                    select(tied & (says >= 8.5), one, 0.0),
                    select(tied & (says < 6.5), one, 0.0),
                )
                for s in range(N_SUMS):
                    v = s * plane + p
                    whole = select(counts, to_int(values[s] * SUM_SCALE), 0)
                    store_int(part, v, load_int(width, part, v) + whole)
    book(across, width, sums, part, kind, last_block(0, n), n_kinds)
