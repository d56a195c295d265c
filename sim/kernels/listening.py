"""What a vector hears: the messages of those that its stakeholders are tied to, as exact integers.

Most are silent most weeks, so silence is passed over as early as can be: first all ties of a block
whose speaker is silent, without a branch, then all firms that a speaker does not speak of.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.kernels.shared import HEARD
from sim.lanes import law, lowest_bit, select
from sim.memory import add_at, either, field_step, row_step, said_at, whole, whole_at


@law
def find_speaking(begin: Any, end: Any, indices: Any, spoken: Any, speaking: Any) -> Any:
    """Write the ties begin..end-1 whose speaker speaks into `speaking`; return how many."""
    n = 0
    for t in range(begin, end):
        speaking[n] = t
        n += spoken[np.uint32(indices[t])] != 0
    return n


def _lane_of_tie(across: Any, width: Any, indptr: Any, i: Any, t: Any) -> Any:
    lane = 0
    half = len(width) // 2
    while half > 0:
        lane += half if indptr[i + lane + half] <= t else 0
        half //= 2
    return lane


# Which of the listeners from row i on, one per lane, a tie belongs to.
lane_of_tie = either(lambda across, width, indptr, i, t: 0, _lane_of_tie)


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
    silent = whole(across, width, 0)
    for at in range(begin, end):
        t = speaking[at]
        j = np.int64(indices[t])
        says = np.int64(spoken[j])
        firms |= says
        lane = lane_of_tie(across, width, indptr, i, t)
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
            bad = said < 0
            h = f * HEARD * lanes
            add_at(across, width, heard, h, lane, select(heeded, touch, silent))
            if bounded:
                gap = said - whole_at(across, width, opinion, f * lanes, lane)
                near = gap <= whole_at(across, width, radius, 0, lane)
                near = near & (gap >= 0 - whole_at(across, width, radius, 0, lane))
                heeded = heeded & near
                bad = bad & near
            product = (said * w + 16384) >> 15
            add_at(across, width, heard, h + lanes, lane, select(heeded, size, silent))
            add_at(across, width, heard, h + 2 * lanes, lane, select(bad, size, silent))
            add_at(across, width, heard, h + 3 * lanes, lane, select(heeded, product, silent))
            add_at(across, width, heard, h + 4 * lanes, lane, select(bad, product, silent))
            add_at(
                across, width, heard, h + 5 * lanes, lane, select((word & 1) != 0, touch, silent)
            )
    return firms
