"""How a listener's speakers are chosen: (listener, step) of every tie.

Each listener's luck is its own, addressed by its id; loops over listeners are compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import ndtri

from sim.arcs import Arcs, Draws
from sim.compiled import kernel
from sim.draws import four, share_of

DENSE = 8  # from one in so many speakers chosen, race instead of drawing again
# What a draw decides; for ties inside a group, INSIDE more.
COUNT, PICK, FAR, PROMINENCE, ELSEWHERE, INSIDE = range(6)

Chosen = tuple[np.ndarray, np.ndarray]
Chooser = Callable[[Arcs, float, Draws, int], Chosen]


def nearest(arcs: Arcs, degree: float, draws: Draws, purpose: int, far_share: float) -> Chosen:
    """Choose the nearest on both sides; each is replaced by a farther one with `far_share`."""
    u = draws.uniform(arcs.ids, purpose + COUNT, columns=2)
    count = _whole(np.minimum(degree, arcs.others), u[:, 0])
    right = (count + (u[:, 1] < 0.5)) // 2
    room = arcs.others - count
    column = np.arange(int(count.max(initial=0)))
    near = column < count[:, None]
    moved = near & (draws.table(arcs.ids, purpose + PICK, len(column)) < far_share)
    moved &= np.cumsum(moved, axis=1) <= room[:, None]
    who, far = _subsets(room, moved.sum(axis=1), arcs.ids, draws, purpose + FAR)
    listener, index = np.nonzero(near & ~moved)
    step = np.where(
        index < right[listener], index, arcs.others[listener] - 1 - index + right[listener]
    )
    return np.concatenate([listener, who]), np.concatenate([step, far + right[who]])


def anybody(arcs: Arcs, degree: float, draws: Draws, purpose: int) -> Chosen:
    """Choose a binomial number of speakers, each alike."""
    u = draws.uniform(arcs.ids, purpose + COUNT, columns=1)[:, 0]
    return _subsets(arcs.others, _binomial(arcs.others, degree, u), arcs.ids, draws, purpose + PICK)


def so_many(arcs: Arcs, degree: float, draws: Draws, purpose: int) -> Chosen:
    """Choose just `degree` speakers, each alike."""
    u = draws.uniform(arcs.ids, purpose + COUNT, columns=1)[:, 0]
    count = _whole(np.minimum(degree, arcs.others), u)
    return _subsets(arcs.others, count, arcs.ids, draws, purpose + PICK)


def prominent(
    arcs: Arcs, degree: float, draws: Draws, purpose: int, prominence: np.ndarray
) -> Chosen:
    """Choose speakers in proportion to prominence, one after the other, none twice."""
    u = draws.uniform(arcs.ids, purpose + COUNT, columns=1)[:, 0]
    count = np.minimum(_whole(degree * prominence[arcs.hearing], u), arcs.others)
    # Whole numbers: running sums are exact, wherever on the circle they begin.
    weight = np.rint(prominence[arcs.heard] * 2**20).astype(np.int64)
    dense = DENSE * count > arcs.others
    raced = _race(arcs, np.flatnonzero(dense), count, weight, draws, purpose + PICK)
    drawn = _redraw(arcs, np.where(dense, 0, count), weight, draws, purpose + PICK)
    listener, speaker = (np.concatenate(pair) for pair in zip(raced, drawn, strict=True))
    return listener, arcs.steps(listener, speaker)


def counted(count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return 0, 0, 0, 1, 1, ... with each index `count` times, and the running number in each."""
    index = np.repeat(np.arange(len(count)), count)
    return index, np.arange(len(index)) - np.repeat(np.cumsum(count) - count, count)


def _redraw(
    arcs: Arcs, count: np.ndarray, weight: np.ndarray, draws: Draws, purpose: int
) -> Chosen:
    """Draw speakers in proportion to weight, again until each has `count` different ones."""
    share = np.concatenate([[0], np.cumsum(weight)])
    # Where to begin looking for a number: the last share not above the start of its bucket.
    bucket = int(share[-1]) // len(share) + 1
    guide = np.searchsorted(share, np.arange(len(share)) * bucket, side="right") - 1
    speaker = np.empty(int(count.sum()), np.int64)
    _draw_again(
        draws.key,
        purpose,
        arcs.ids,
        count,
        arcs.first,
        arcs.size,
        arcs.own,
        share,
        guide,
        bucket,
        speaker,
    )
    return np.repeat(np.arange(len(count)), count), speaker


@kernel
def _draw_again(
    key: Any,
    purpose: Any,
    ids: Any,
    count: Any,
    first: Any,
    size: Any,
    own: Any,
    share: Any,
    guide: Any,
    bucket: Any,
    speaker: Any,
) -> None:
    taken = np.full(len(share), -1, np.int64)  # the last listener who chose a speaker
    at = 0
    for i in range(len(ids)):
        low, mine = share[first[i]], 0
        if own[i] >= 0:
            mine = share[own[i] + 1] - share[own[i]]
        total = share[first[i] + size[i]] - low - mine
        left, used = count[i], 0
        while left > 0:
            rounds = left
            for j in range(rounds):
                if j % 4 == 0:
                    drawn = four(key, ids[i], purpose, used + j // 4)
                spot = low + np.int64(share_of(drawn[j % 4]) * total)
                if own[i] >= 0 and spot >= share[own[i]]:
                    spot += mine
                chosen = guide[spot // bucket]
                while share[chosen + 1] <= spot:
                    chosen += 1
                if taken[chosen] != i:
                    taken[chosen] = i
                    speaker[at] = chosen
                    at += 1
                    left -= 1
            used += (rounds + 3) // 4


def _race(
    arcs: Arcs, who: np.ndarray, count: np.ndarray, weight: np.ndarray, draws: Draws, purpose: int
) -> Chosen:
    """Choose likewise where most are chosen: the first `count` of exponential clocks to ring.

    Efraimidis & Spirakis (2006).
    """
    index, number = counted(arcs.size[who])
    speaker = arcs.first[who][index] + number
    other = speaker != arcs.own[who][index]
    index, number, speaker = index[other], number[other], speaker[other]
    u = draws.uniform(arcs.ids[who][index], purpose, number, columns=1)[:, 0]
    order = np.lexsort((-np.log(u) / weight[speaker], index))
    rank = counted(np.bincount(index, minlength=len(who)))[1]
    won = order[rank < count[who][index]]
    return who[index[won]], speaker[won]


def _subsets(
    size: np.ndarray, count: np.ndarray, ids: np.ndarray, draws: Draws, purpose: int
) -> Chosen:
    """Choose `count` different numbers below `size`, all subsets alike (Floyd; Bentley 1987)."""
    number = np.empty(int(count.sum()), np.int64)
    _draw_subsets(draws.key, purpose, ids, size, count, int(size.max(initial=0)), number)
    return np.repeat(np.arange(len(count)), count), number


@kernel
def _draw_subsets(
    key: Any, purpose: Any, ids: Any, size: Any, count: Any, most: Any, number: Any
) -> None:
    taken = np.full(most, -1, np.int64)  # the last listener who chose a number
    at = 0
    for i in range(len(ids)):
        for j in range(count[i]):
            if j % 4 == 0:
                drawn = four(key, ids[i], purpose, j // 4)
            top = size[i] - count[i] + j
            chosen = np.int64(share_of(drawn[j % 4]) * (top + 1))
            if taken[chosen] == i:
                chosen = top
            taken[chosen] = i
            number[at] = chosen
            at += 1


def _binomial(size: np.ndarray, mean: float, u: np.ndarray) -> np.ndarray:
    """Return the binomial numbers of `size` trials with this mean at quantile u."""
    share = np.minimum(1.0, mean / np.maximum(size, 1))
    often = share > 0.5
    rare = np.where(often, 1 - share, share)
    if (rare * size).max(initial=0) > 500:
        spread = np.sqrt(size * rare * (1 - rare))
        found = np.rint(size * rare + spread * ndtri(u)).astype(np.int64).clip(0, size)
    else:
        found = np.zeros(len(size), np.int64)
        term = np.exp(size * np.log1p(-rare))
        missing = u - term
        for k in range(1, int(size.max(initial=0)) + 1):
            more = (missing > 0) & (k <= size)
            if not more.any():
                break
            found += more
            term = term * (size - k + 1).clip(0) / k * rare / (1 - rare)
            missing -= term
    return np.where(often, size - found, found)


def _whole(degree: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Round to a neighbouring whole number, right on average."""
    return np.floor(degree + u).astype(np.int64)
