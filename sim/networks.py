"""Who hears whom: generators of ties by name, and ties as compressed rows.

A tie is one-way: its target hears its source. Each layer links its listeners to its speakers along
a circle on which every stakeholder has a place, drawn once and shared by all layers: who is near in
one layer is near in the others (multiplexity; Granovetter 1973). All luck is addressed by id and
everything is worked out in the order of places, so the order in which stakeholders or firms are
stored cannot matter. What a layer keeps within a group (`homophily`) is drawn on the
group's own arc, the rest on the whole circle, or for `blocks` among the other groups only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from sim import rng
from sim.checks import nearest
from sim.scenario import Layer

CHUNK = 32_768  # listeners at a time, so that their draws stay in the cache
MOST_TIES = 200_000_000
DENSE = 8  # from one in so many speakers chosen, race instead of drawing again
HUB_LIMIT = 30.0  # largest degree of `heavy_tail`, as a multiple of the smallest; assumption
UNIT = 32_767  # integer weight of the strongest tie of a row
# What a draw decides; for ties inside a group, INSIDE more.
COUNT, PICK, FAR, PROMINENCE, ELSEWHERE, INSIDE = range(6)


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

    def uniform(self, ids: np.ndarray, purpose: int, number: npt.ArrayLike = 0) -> np.ndarray:
        """Return float64 (..., 4) strictly inside (0, 1), in steps of 2^-32."""
        drawn = rng.words(
            self.seed,
            self.replication,
            rng.Stream.NETWORK,
            ids,
            week=purpose,
            block=number,
            slot=self.slot,
        )
        return (drawn + 0.5) * 2.0**-32

    def table(self, ids: np.ndarray, purpose: int, columns: int) -> np.ndarray:
        """Return float64 (n, columns) likewise, one row per id."""
        drawn = self.uniform(ids[:, None], purpose, np.arange(-(-columns // 4)))
        return drawn.reshape(len(ids), -1)[:, :columns]


def layer_ties(layer: Layer, members: Members, draws: Draws) -> Ties:
    """Return a layer's ties: no self ties, no pair twice; KeyError for an unknown generator."""
    if layer.generator not in GENERATORS:
        raise KeyError(
            f"layers.{layer.key}.generator={layer.generator!r} is unknown"
            f"{nearest(layer.generator, GENERATORS)}"
        )
    if layer.homophily > 0 and (layer.group == "none" or layer.generator in WITHOUT_GROUPS):
        raise ValueError(
            f"layers.{layer.key}.homophily={layer.homophily:g} has nothing to keep "
            f"to: with generator {layer.generator!r} and group {layer.group!r} it "
            "must be 0"
        )
    return GENERATORS[layer.generator](layer, members, draws)


def place_of(ids: np.ndarray, seed: int, replication: int) -> np.ndarray:
    """Return each stakeholder's place on the circle, uint64."""
    drawn = rng.words(seed, replication, rng.Stream.NETWORK, ids).astype(np.uint64)
    return (drawn[:, 0] << np.uint64(32)) | drawn[:, 1]


# ---- generators ---------------------------------------------------------------------------------


def ring(layer: Layer, members: Members, draws: Draws) -> Ties:
    """Hear the `degree` nearest on the circle, half on each side."""
    return small_world(replace(layer, spread=0.0), members, draws)


def small_world(layer: Layer, members: Members, draws: Draws) -> Ties:
    """Hear the nearest on the circle, a share `spread` of them replaced by far ones.

    Watts & Strogatz (1998). A far tie goes to somebody who is not among the nearest and is one-way.
    """
    if layer.spread > 1:
        raise ValueError(
            f"layers.{layer.key}.spread={layer.spread:g} must lie in [0, 1] with "
            "generator 'small_world': it is the share of far ties"
        )
    crowd = _elsewhere(members, draws) if layer.homophily > 0 else members
    return _portions(layer, members, crowd, draws, partial(_nearest, far_share=layer.spread))


def random(layer: Layer, members: Members, draws: Draws) -> Ties:
    """Hear anybody alike: a binomial number, `degree` on average (Erdos & Renyi 1959)."""
    return _portions(layer, members, members, draws, _anybody)


def heavy_tail(layer: Layer, members: Members, draws: Draws) -> Ties:
    """Hear, and be heard, in proportion to a Pareto-distributed prominence.

    The density of prominence falls with power `spread` (> 1; 2 to 3 in observed networks, Barabasi
    & Albert 1999) and ends at `HUB_LIMIT` times the least.
    """
    if layer.spread <= 1:
        raise ValueError(
            f"layers.{layer.key}.spread={layer.spread:g} must be above 1 with "
            "generator 'heavy_tail': it is the exponent of the tail (2 to 3 observed)"
        )
    a = layer.spread - 1
    top = math.log(HUB_LIMIT) if a == 1 else (HUB_LIMIT ** (1 - a) - 1) / (1 - a)
    mean = a * top / (1 - HUB_LIMIT**-a)
    u = draws.uniform(members.ids, PROMINENCE)[:, 0]
    prominence = (1 - u * (1 - HUB_LIMIT**-a)) ** (-1 / a) / mean
    return _portions(layer, members, members, draws, partial(_prominent, prominence=prominence))


def blocks(layer: Layer, members: Members, draws: Draws) -> Ties:
    """Hear a share `homophily` within one's own group, all the others outside it.

    Stochastic block model (Holland, Laskey & Leinhardt 1983) with binomial numbers.
    """
    if layer.group == "none":
        raise ValueError(
            f"layers.{layer.key}.group='none': generator 'blocks' needs groups, type "
            "or department; use 'random' without"
        )
    inside, outside = _arcs(members, members.group), _beyond(members)
    return _joined(
        [
            *_in_chunks(inside, layer.degree * layer.homophily, _anybody, draws, INSIDE),
            *_in_chunks(outside, layer.degree * (1 - layer.homophily), _anybody, draws, 0),
        ],
        members,
    )


def broadcast(layer: Layer, members: Members, draws: Draws) -> Ties:
    """Hear `degree` of the speakers, each speaker alike: few speakers, a large audience."""
    return _portions(layer, members, members, draws, _so_many)


def complete(layer: Layer, members: Members, draws: Draws) -> Ties:
    """Hear every speaker of one's pool, with weights that make `degree` in sum (each at most 1).

    With degree 1 this is Bass (1969): everybody hears the mean of all others.
    """
    arcs = _arcs(members, members.pool)
    total = int(arcs.others.sum())
    if total > MOST_TIES:
        raise ValueError(
            f"layers.{layer.key}: a complete layer of {len(arcs.hearing)} listeners "
            f"has {total} ties, more than {MOST_TIES}; use generator 'random'"
        )
    listener, step = _counted(arcs.others)
    weight = np.minimum(1.0, layer.degree / np.maximum(arcs.others, 1)).astype(np.float32)
    return arcs.ties(listener, step)._replace(weight=weight[listener])


Generator = Callable[[Layer, Members, Draws], Ties]

GENERATORS: dict[str, Generator] = {
    "ring": ring,
    "small_world": small_world,
    "random": random,
    "heavy_tail": heavy_tail,
    "blocks": blocks,
    "broadcast": broadcast,
    "complete": complete,
}

WITHOUT_GROUPS = ("broadcast", "complete")


# ---- arcs: whom a listener may hear -------------------------------------------------------------


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


def _arcs(members: Members, code: np.ndarray) -> Arcs:
    """Arrange speakers by place within each code; listeners may hear all others of their code."""
    heard, hearing, first, size = _segments(members, code, code)
    n = len(members.rows)
    after = np.searchsorted(code[heard] * n + heard, code[hearing] * n + hearing, side="right")
    begin = np.where(after - first < size, after - first, 0)
    speaks = members.speaks[hearing]
    return Arcs(
        members, heard, hearing, first, size, begin, size - speaks, np.where(speaks, after - 1, -1)
    )


def _beyond(members: Members) -> Arcs:
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
    heard = heard[np.argsort(order[heard], kind="stable")]
    hearing = np.flatnonzero(members.hears)
    first = np.searchsorted(code[heard], code[hearing])
    return heard, hearing, first, np.searchsorted(code[heard], code[hearing], "right") - first


def _portions(
    layer: Layer, members: Members, crowd: Members, draws: Draws, choose: Chooser
) -> Ties:
    """Choose the share `homophily` within one's own group, the rest from the pool's crowd."""
    found: list[Ties] = []
    if layer.homophily > 0:
        found += _in_chunks(
            _arcs(members, members.group), layer.degree * layer.homophily, choose, draws, INSIDE
        )
    if layer.homophily < 1:
        found += _in_chunks(
            _arcs(crowd, crowd.pool), layer.degree * (1 - layer.homophily), choose, draws, 0
        )
    ties = _joined(found, members)
    if 0 < layer.homophily < 1:  # both portions may have chosen the same speaker
        width = int(members.rows.max(initial=0)) + 1
        pairs = _distinct(ties.target.astype(np.int64) * width + ties.source)
        ties = Ties((pairs // width).astype(np.int32), (pairs % width).astype(np.int32))
    return ties


def _elsewhere(members: Members, draws: Draws) -> Members:
    """Return members on another circle, where neighbours are others than those in one's group."""
    order = np.argsort(draws.uniform(members.ids, ELSEWHERE)[:, 0], kind="stable")
    return Members(*(getattr(members, field.name)[order] for field in fields(members)))


def _in_chunks(
    arcs: Arcs, degree: float, choose: Chooser, draws: Draws, purpose: int
) -> Iterator[Ties]:
    for start in range(0, len(arcs.hearing), CHUNK):
        part = arcs.part(slice(start, start + CHUNK))
        yield part.ties(*choose(part, degree, draws, purpose))


def _joined(found: list[Ties], members: Members) -> Ties:
    none = members.rows[:0]
    return Ties(
        np.concatenate([none, *(ties.target for ties in found)]),
        np.concatenate([none, *(ties.source for ties in found)]),
    )


# ---- how a listener's speakers are chosen: (listener, step) of every tie ------------------------

Chosen = tuple[np.ndarray, np.ndarray]
Chooser = Callable[[Arcs, float, Draws, int], Chosen]


def _nearest(arcs: Arcs, degree: float, draws: Draws, purpose: int, far_share: float) -> Chosen:
    """Choose the nearest on both sides; each is replaced by a farther one with `far_share`."""
    u = draws.uniform(arcs.ids, purpose + COUNT)
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


def _anybody(arcs: Arcs, degree: float, draws: Draws, purpose: int) -> Chosen:
    u = draws.uniform(arcs.ids, purpose + COUNT)[:, 0]
    return _subsets(arcs.others, _binomial(arcs.others, degree, u), arcs.ids, draws, purpose + PICK)


def _so_many(arcs: Arcs, degree: float, draws: Draws, purpose: int) -> Chosen:
    u = draws.uniform(arcs.ids, purpose + COUNT)[:, 0]
    count = _whole(np.minimum(degree, arcs.others), u)
    return _subsets(arcs.others, count, arcs.ids, draws, purpose + PICK)


def _prominent(
    arcs: Arcs, degree: float, draws: Draws, purpose: int, prominence: np.ndarray
) -> Chosen:
    """Choose speakers in proportion to prominence, one after the other, none twice."""
    u = draws.uniform(arcs.ids, purpose + COUNT)[:, 0]
    count = np.minimum(_whole(degree * prominence[arcs.hearing], u), arcs.others)
    # Whole numbers: running sums are exact, wherever on the circle they begin.
    weight = np.rint(prominence[arcs.heard] * 2**20).astype(np.int64)
    dense = DENSE * count > arcs.others
    raced = _race(arcs, np.flatnonzero(dense), count, weight, draws, purpose + PICK)
    drawn = _redraw(arcs, np.where(dense, 0, count), weight, draws, purpose + PICK)
    listener, speaker = (np.concatenate(pair) for pair in zip(raced, drawn, strict=True))
    return listener, arcs.steps(listener, speaker)


def _redraw(
    arcs: Arcs, count: np.ndarray, weight: np.ndarray, draws: Draws, purpose: int
) -> Chosen:
    """Draw speakers in proportion to weight, again until each has `count` different ones."""
    share = np.concatenate([[0], np.cumsum(weight)])
    n, low, spoken = len(share), share[arcs.first], arcs.own >= 0
    mine = np.where(spoken, share[arcs.own + 1] - share[arcs.own], 0)
    total = share[arcs.first + arcs.size] - low - mine
    short, used = count, np.zeros_like(count)
    found, pairs = [], np.empty(0, np.int64)
    while short.any():
        blocks_of = -(-short // 4)
        who, block = _counted(blocks_of)
        u = draws.uniform(arcs.ids[who], purpose, used[who] + block)
        needed = 4 * block[:, None] + np.arange(4) < short[who, None]
        who, u = np.repeat(who, needed.sum(axis=1)), u[needed]
        at = low[who] + (u * total[who]).astype(np.int64)
        at += mine[who] * (spoken[who] & (at >= share[arcs.own[who]]))
        speaker = np.searchsorted(share, at, side="right") - 1
        pairs = _distinct(np.concatenate([pairs, who * n + speaker]))
        listener, used = pairs // n, used + blocks_of
        short = np.where(short > 0, count - np.bincount(listener, minlength=len(count)), 0)
        found.append(pairs[short[listener] == 0])
        pairs = pairs[short[listener] > 0]
    every = np.concatenate([pairs, *found])
    return every // n, every % n


def _race(
    arcs: Arcs, who: np.ndarray, count: np.ndarray, weight: np.ndarray, draws: Draws, purpose: int
) -> Chosen:
    """Choose likewise where most are chosen: the first `count` of exponential clocks to ring.

    Efraimidis & Spirakis (2006).
    """
    index, number = _counted(arcs.size[who])
    speaker = arcs.first[who][index] + number
    other = speaker != arcs.own[who][index]
    index, number, speaker = index[other], number[other], speaker[other]
    u = draws.uniform(arcs.ids[who][index], purpose, number)[:, 0]
    order = np.lexsort((-np.log(u) / weight[speaker], index))
    rank = _counted(np.bincount(index, minlength=len(who)))[1]
    won = order[rank < count[who][index]]
    return who[index[won]], speaker[won]


def _subsets(
    size: np.ndarray, count: np.ndarray, ids: np.ndarray, draws: Draws, purpose: int
) -> Chosen:
    """Choose `count` different numbers below `size`, all subsets alike (Floyd; Bentley 1987)."""
    order = np.argsort(-count, kind="stable")
    left, most = count[order], int(count.max(initial=0))
    chosen = np.full((most, len(count)), -1, np.int64)
    for column in range(most):
        active = int(np.searchsorted(-left, -column))
        who = order[:active]
        if column % 4 == 0:
            u = draws.uniform(ids[who], purpose, column // 4)
        top = size[who] - left[:active] + column
        pick = (u[:active, column % 4] * (top + 1)).astype(np.int64)
        taken = (chosen[:column, :active] == pick).any(axis=0)
        chosen[column, :active] = np.where(taken, top, pick)
    column_of, index = np.nonzero(chosen >= 0)
    return order[index], chosen[column_of, index]


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


def _distinct(keys: np.ndarray) -> np.ndarray:
    """Return keys sorted, each once (faster than np.unique)."""
    keys = np.sort(keys)
    return keys[np.append(keys[1:] != keys[:-1], True)[: len(keys)]]


def _counted(count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return 0, 0, 0, 1, 1, ... with each index `count` times, and the running number in each."""
    index = np.repeat(np.arange(len(count)), count)
    return index, np.arange(len(index)) - np.repeat(np.cumsum(count) - count, count)


# ---- ties as compressed rows --------------------------------------------------------------------


class Adjacency(NamedTuple):
    """Ties by receiver, named and typed as in `sim.state.World`."""

    indptr: np.ndarray
    indices: np.ndarray
    contact: np.ndarray
    evidence: np.ndarray
    contact_scale: np.ndarray
    evidence_scale: np.ndarray
    layer: np.ndarray


def assemble(
    n: int,
    ties: Sequence[Ties],
    contact: Sequence[float],
    persuasion: Sequence[float],
    rank: np.ndarray,
) -> Adjacency:
    """Sort the ties of all layers into rows by target; within a row by source, then by layer.

    Parameters
    ----------
    n : int
        Number of stakeholders.
    ties : one per layer
        A tie's contact is the layer's contact x the size of its weight; its evidence is contact x
        persuasion, below zero where the weight is.
    contact, persuasion : one per layer
        As in `sim.scenario.Layer`.
    rank : int array (n,)
        Order of stakeholders that follows from their ids alone.
    """
    indptr = np.zeros(n + 1, np.int64)
    for layer in ties:
        indptr[1:] += np.bincount(layer.target, minlength=n)
    np.cumsum(indptr, out=indptr)
    m = int(indptr[-1])
    found = Adjacency(
        indptr,
        np.empty(m, np.int32),
        np.empty(m, np.int16),
        np.empty(m, np.int16),
        np.zeros(n, np.float32),
        np.zeros(n, np.float32),
        np.empty(m, np.int8),
    )
    for low in range(0, n, CHUNK):
        _fill(found, low, min(low + CHUNK, n), ties, contact, persuasion, rank)
    return found


def _fill(
    found: Adjacency,
    low: int,
    high: int,
    ties: Sequence[Ties],
    contact: Sequence[float],
    persuasion: Sequence[float],
    rank: np.ndarray,
) -> None:
    """Write the rows from low to high; rows in chunks keep the memory small."""
    targets, sources, weights, numbers = [], [], [], []
    for number, layer in enumerate(ties):
        mine = np.flatnonzero((layer.target >= low) & (layer.target < high))
        targets.append(layer.target[mine] - low)
        sources.append(layer.source[mine])
        numbers.append(np.full(len(mine), number, np.int8))
        weights.append(
            np.ones(len(mine), np.float32) if layer.weight is None else layer.weight[mine]
        )
    target, source = np.concatenate(targets), np.concatenate(sources)
    by_source = _sorted_by(rank[source], len(rank), np.arange(len(source)))
    order = _sorted_by(target, high - low, by_source)
    weight, number_of = np.concatenate(weights)[order], np.concatenate(numbers)[order]
    evidence = weight * np.multiply(contact, persuasion, dtype=np.float32)[number_of]
    indptr = found.indptr[low : high + 1] - found.indptr[low]
    entries = slice(found.indptr[low], found.indptr[high])
    found.indices[entries], found.layer[entries] = source[order], number_of
    found.contact[entries], found.contact_scale[low:high] = _integer_weights(
        np.abs(weight) * np.asarray(contact, np.float32)[number_of], indptr
    )
    found.evidence[entries], found.evidence_scale[low:high] = _integer_weights(evidence, indptr)


def _sorted_by(key: np.ndarray, n: int, order: np.ndarray) -> np.ndarray:
    """Sort stably by a whole-number key below n, 16 bits at a time (numpy's radix sort)."""
    for shift in range(0, max(1, (n - 1).bit_length()), 16):
        digit = (key[order] >> shift).astype(np.uint16)
        order = order[np.argsort(digit, kind="stable")]
    return order


def _integer_weights(weight: np.ndarray, indptr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return int16 weights relative to the largest of each row, and the rows' float32 scales."""
    length = np.diff(indptr)
    largest = np.zeros(len(length), np.float32)
    filled = length > 0
    if filled.any():
        largest[filled] = np.maximum.reduceat(np.abs(weight), indptr[:-1][filled])
    scale = largest / np.float32(UNIT)
    unit = np.repeat(np.where(scale > 0, scale, 1), length)
    whole = np.rint(weight / unit).astype(np.int16)
    lost = (whole == 0) & (weight != 0)
    whole[lost] = np.sign(weight[lost]).astype(np.int16)
    return whole, scale
