"""Whom a listener may hear: speakers arranged on arcs of the circle, counted in steps from oneself.

Every stakeholder has a place on a circle, drawn once and shared by all layers. A listener's own arc
(its pool, its group, or its pool but for its group) is a run of speakers in the order of places.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim import draws, rng


class Ties(NamedTuple):
    """Ties of one layer: rows of the world (the target hears the source) and, if any, weights.

    target, source: int32 (m,); weight: float32 (m,), size in (0, 1], below zero for a tie of
    negative sign, or None where all are 1.
    """

    target: np.ndarray
    source: np.ndarray
    weight: np.ndarray | None = None


@dataclass(frozen=True)
class Members:
    """Those who live on a layer, in the order of their places on the circle.

    Attributes
    ----------
    rows : int32 (n,)
        Rows of the world.
    ids : uint64 (n,)
        Stable identities.
    hears, speaks : bool (n,)
        Part in the layer.
    pool : int64 (n,), >= 0
        Nobody hears anybody of another pool (firms, in a layer inside firms).
    group : int64 (n,), >= 0
        What homophily keeps to; a group lies within one pool.
    """

    rows: np.ndarray
    ids: np.ndarray
    hears: np.ndarray
    speaks: np.ndarray
    pool: np.ndarray
    group: np.ndarray


@dataclass(frozen=True)
class Draws:
    """Luck of one layer, addressed by id, by what it decides and by number."""

    seed: int
    replication: int
    slot: int

    @property
    def key(self) -> draws.Key:
        """Key of the generator."""
        return draws.key_of(self.seed, self.replication, rng.Stream.NETWORK, self.slot)

    def uniform(
        self, ids: np.ndarray, purpose: int, number: npt.ArrayLike = 0, columns: int = 4
    ) -> np.ndarray:
        """Return float64 (..., columns) strictly inside (0, 1), in steps of 2^-32."""
        return draws.shares(self.key, ids, purpose, number, columns)

    def table(self, ids: np.ndarray, purpose: int, columns: int) -> np.ndarray:
        """Return float64 (n, columns) likewise, one row per id."""
        drawn = self.uniform(ids[:, None], purpose, np.arange(-(-columns // 4)))
        return drawn.reshape(len(ids), -1)[:, :columns]


@dataclass(frozen=True)
class Arcs:
    """The speakers each listener may hear, counted in steps around the circle from its own place.

    Step 0 is the next speaker, step `others` - 1 the one before; a listener never meets itself.

    Attributes
    ----------
    members : Members
        Whose numbers `hearing` and `heard` are.
    heard : int64 (s,)
        The speakers, arc by arc.
    hearing : int64 (l,)
        The listeners.
    first, size, begin, others : int64 (l,)
        Start and length of the listener's arc, offset of its step 0, and number of steps.
    own : int64 (l,)
        The listener's own number among the speakers, or -1.
    """

    members: Members
    heard: np.ndarray
    hearing: np.ndarray
    first: np.ndarray
    size: np.ndarray
    begin: np.ndarray
    others: np.ndarray
    own: np.ndarray

    @property
    def ids(self) -> np.ndarray:
        """Ids of the listeners."""
        return self.members.ids[self.hearing]

    def part(self, some: slice) -> Arcs:
        """Return the arcs of some listeners."""
        return replace(
            self,
            **{
                name: getattr(self, name)[some]
                for name in ("hearing", "first", "size", "begin", "others", "own")
            },
        )

    def ties(self, listener: np.ndarray, step: np.ndarray) -> Ties:
        """Return the ties of listeners (by number) with the speakers that many steps away."""
        spot = self.begin[listener] + step
        spot -= self.size[listener] * (spot >= self.size[listener])
        rows = self.members.rows
        return Ties(rows[self.hearing[listener]], rows[self.heard[self.first[listener] + spot]])

    def steps(self, listener: np.ndarray, speaker: np.ndarray) -> np.ndarray:
        """Return how many steps away a speaker (by number) is."""
        step = speaker - self.first[listener] - self.begin[listener]
        return step + self.size[listener] * (step < 0)


def arcs_of(members: Members, code: np.ndarray) -> Arcs:
    """Arrange speakers by place within each code; listeners may hear all others of their code."""
    heard, hearing, first, size = _segments(members, code, code)
    after = _speakers_up_to(members, code)[hearing]
    begin = np.where(after - first < size, after - first, 0)
    speaks = members.speaks[hearing]
    return Arcs(
        members, heard, hearing, first, size, begin, size - speaks, np.where(speaks, after - 1, -1)
    )


def arcs_beyond(members: Members) -> Arcs:
    """Arrange speakers so that listeners may hear those of their pool outside their own group."""
    label = members.pool * (int(members.group.max(initial=0)) + 1) + members.group
    heard, hearing, own_first, own_size = _segments(members, label, label)
    _, _, first, size = _segments(members, members.pool, label)
    begin = own_first + own_size - first
    return Arcs(
        members,
        heard,
        hearing,
        first,
        size,
        np.where(begin < size, begin, 0),
        size - own_size,
        np.full(len(hearing), -1),
    )


def _segments(members: Members, code: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return speakers sorted by `order`, listeners, and where each listener's code lies in them."""
    heard = np.flatnonzero(members.speaks)
    heard = heard[_sorted_by(order[heard])]
    hearing = np.flatnonzero(members.hears)
    size = np.bincount(code[heard], minlength=int(code.max(initial=0)) + 1)
    first = np.cumsum(size) - size
    return heard, hearing, first[code[hearing]], size[code[hearing]]


def _speakers_up_to(members: Members, code: np.ndarray) -> np.ndarray:
    """Count, for each member, the speakers sorted by code and place up to and with itself."""
    order = _sorted_by(code)
    count = np.empty(len(order), np.int64)
    count[order] = np.cumsum(members.speaks[order])
    return count


def _sorted_by(code: np.ndarray) -> np.ndarray:
    """Sort stably by a whole number; small ones in linear time (numpy's radix sort)."""
    small = len(code) == 0 or int(code.max()) < 1 << 16
    return np.argsort(code.astype(np.uint16) if small else code, kind="stable")
