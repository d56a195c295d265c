"""What a vector hears: the messages of those that its stakeholders are tied to, as exact integers.

Most are silent most weeks, so silence is passed over as early as can be: first all ties of a block
whose speaker is silent, without a branch, then all firms that a speaker does not speak of.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.kernels.shared import HEARD
from sim.lanes import law, lowest_bit, select
from sim.memory import (
    add_at,
    either,
    field_step,
    fill_int,
    prefetch,
    row_step,
    said_at,
    whole,
    whole_at,
)
from sim.state import BLOCK

PLACE = np.uint32(BLOCK - 1)
SHIFT = np.uint32(BLOCK.bit_length() - 1)


@law
def find_speaking(
    begin: Any, end: Any, indices: Any, speakers: Any, speaking: Any, first: Any
) -> Any:
    """Write the ties begin..end-1 whose speaker speaks into `speaking` from `first` on.

    Returns where they end. `speakers` has a bit for each of a block: so few bytes that they stay
    near the processor.
    """
    n = np.uint64(first)
    for t in range(begin, end):
        j = np.uint32(indices[np.uint64(t)])
        speaking[n] = t
        n += np.uint64((np.uint32(speakers[j >> SHIFT]) >> (j & PLACE)) & np.uint32(1))
    return np.int64(n)


@law
def fetch_speaking(
    across: Any,
    width: Any,
    speaking: Any,
    begin: Any,
    end: Any,
    n_firms: Any,
    indices: Any,
    contact: Any,
    evidence: Any,
    spoken: Any,
    message: Any,
) -> None:
    """Ask for what ties `speaking[begin:end]` will say, which lies anywhere in memory."""
    for at in range(begin, end):
        t = np.uint64(speaking[at])
        j = np.int64(indices[t])
        prefetch(contact, t)
        prefetch(evidence, t)
        prefetch(spoken, j)
        for f in range(n_firms):
            o = j * row_step(across, width, n_firms) + f * field_step(across, width)
            prefetch(message, o)


def _lane_of_tie(across: Any, width: Any, indptr: Any, i: Any, t: Any) -> Any:
    lane: Any = 0
    half = len(width) // 2
    while half > 0:
        lane += half * np.int64(indptr[np.uint64(i + lane + half)] <= t)
        half //= 2
    return lane


# Which of the listeners from row i on, one per lane, a tie belongs to; found without a branch, as
# no processor could guess it.
lane_of_tie = either(lambda across, width, indptr, i, t: 0, _lane_of_tie)

# A listener's number where something is true, else 0.
where = either(
    lambda across, width, truth, x: select(truth, x, fill_int(width, 0)),
    lambda across, width, truth, x: x & -np.int64(truth),
)


@law
def listen(
    across: Any,
    width: Any,
    i: Any,
    speaking: Any,
    begin: Any,
    end: Any,
    n_firms: Any,
    indptr: Any,
    indices: Any,
    contact: Any,
    evidence: Any,
    spoken: Any,
    message: Any,
    opinion: Any,
    radius: Any,
    bounded: Any,
    heard: Any,
) -> Any:
    """Add what ties `speaking[begin:end]` say to what the vector from row i on has heard.

    `heard` int32 (F, 6, L): contact and evidence of messages, evidence of negative ones, evidence x
    valence, the same of negative ones, and contact of referral offers. Returns the firms heard of,
    one bit each.
    """
    lanes = len(width)
    firms = np.int64(0)
    for at in range(begin, end):
        t = np.uint64(speaking[at])
        j = np.int64(indices[t])
        says = np.int64(spoken[np.uint64(j)])
        firms |= says
        lane = lane_of_tie(across, width, indptr, i, np.int64(t))
        w = np.int64(evidence[t])
        size = whole(across, width, abs(w))
        touch = whole(across, width, contact[t])
        while says != 0:
            f = lowest_bit(says)
            says &= says - 1
            word = said_at(
                across,
                width,
                message,
                j * row_step(across, width, n_firms) + f * field_step(across, width),
            )
            said = word & -2
            heeded = said != 0
            offers = (word & 1) != 0
            bad = said < 0
            h = f * HEARD * lanes
            add_at(across, width, heard, h, lane, where(across, width, heeded, touch))
            if bounded:
                gap = said - whole_at(across, width, opinion, f * lanes, lane)
                near = gap <= whole_at(across, width, radius, 0, lane)
                near = near & (gap >= 0 - whole_at(across, width, radius, 0, lane))
                heeded = heeded & near
                bad = bad & near
            product = (said * w + 16384) >> 15
            add_at(across, width, heard, h + lanes, lane, where(across, width, heeded, size))
            add_at(across, width, heard, h + 2 * lanes, lane, where(across, width, bad, size))
            add_at(across, width, heard, h + 3 * lanes, lane, where(across, width, heeded, product))
            add_at(across, width, heard, h + 4 * lanes, lane, where(across, width, bad, product))
            add_at(across, width, heard, h + 5 * lanes, lane, where(across, width, offers, touch))
    return firms
