"""Who hears whom: generators of ties, by name.

A tie is one-way: its target hears its source. Each layer links its listeners to its speakers along
a circle on which every stakeholder has a place, drawn once and shared by all layers: who is near in
one layer is near in the others (multiplexity; Granovetter 1973). All luck is addressed by id and
everything is worked out in the order of places, so the order in which stakeholders or firms are
stored cannot matter. What a layer keeps within a group (`homophily`) is drawn on the
group's own arc, the rest on the whole circle, or for `blocks` among the other groups only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import partial

import numpy as np

from sim import choosers, draws, rng
from sim.arcs import Arcs, Draws, Members, Ties, arcs_beyond, arcs_of
from sim.choosers import ELSEWHERE, INSIDE, PROMINENCE, Chooser, counted
from sim.stakeholders import Layer

CHUNK = 32_768  # listeners at a time, so that their draws stay in the cache
MOST_TIES = 200_000_000
HUB_LIMIT = 30.0  # largest degree of `heavy_tail`, as a multiple of the smallest; assumption


def layer_ties(layer: Layer, members: Members, luck: Draws) -> Ties:
    """Return a layer's ties: no self ties, no pair twice."""
    return GENERATORS[layer.generator](layer, members, luck)


def place_of(ids: np.ndarray, seed: int, replication: int) -> np.ndarray:
    """Return each stakeholder's place on the circle, uint64."""
    return draws.long_words(draws.key_of(seed, replication, rng.Stream.NETWORK), ids)


def ring(layer: Layer, members: Members, luck: Draws) -> Ties:
    """Hear the `degree` nearest on the circle, half on each side."""
    return small_world(replace(layer, spread=0.0), members, luck)


def small_world(layer: Layer, members: Members, luck: Draws) -> Ties:
    """Hear the nearest on the circle, a share `spread` of them replaced by far ones.

    Watts & Strogatz (1998). A far tie goes to somebody who is not among the nearest and is one-way.
    """
    crowd = _elsewhere(members, luck) if layer.homophily > 0 else members
    return _portions(layer, members, crowd, luck, partial(choosers.nearest, far_share=layer.spread))


def random(layer: Layer, members: Members, luck: Draws) -> Ties:
    """Hear anybody alike: a binomial number, `degree` on average (Erdos & Renyi 1959)."""
    return _portions(layer, members, members, luck, choosers.anybody)


def heavy_tail(layer: Layer, members: Members, luck: Draws) -> Ties:
    """Hear, and be heard, in proportion to a Pareto-distributed prominence.

    The density of prominence falls with power `spread` (> 1; 2 to 3 in observed networks, Barabasi
    & Albert 1999) and ends at `HUB_LIMIT` times the least.
    """
    a = layer.spread - 1
    top = math.log(HUB_LIMIT) if a == 1 else (HUB_LIMIT ** (1 - a) - 1) / (1 - a)
    mean = a * top / (1 - HUB_LIMIT**-a)
    u = luck.uniform(members.ids, PROMINENCE, columns=1)[:, 0]
    prominence = (1 - u * (1 - HUB_LIMIT**-a)) ** (-1 / a) / mean
    return _portions(
        layer, members, members, luck, partial(choosers.prominent, prominence=prominence)
    )


def blocks(layer: Layer, members: Members, luck: Draws) -> Ties:
    """Hear a share `homophily` within one's own group, all the others outside it.

    Stochastic block model (Holland, Laskey & Leinhardt 1983) with binomial numbers.
    """
    inside, outside = arcs_of(members, members.group), arcs_beyond(members)
    return _joined(
        [
            *_in_chunks(inside, layer.degree * layer.homophily, choosers.anybody, luck, INSIDE),
            *_in_chunks(outside, layer.degree * (1 - layer.homophily), choosers.anybody, luck, 0),
        ],
        members,
    )


def broadcast(layer: Layer, members: Members, luck: Draws) -> Ties:
    """Hear `degree` of the speakers, each speaker alike: few speakers, a large audience."""
    return _portions(layer, members, members, luck, choosers.so_many)


def complete(layer: Layer, members: Members, luck: Draws) -> Ties:
    """Hear every speaker of one's pool, with weights that make `degree` in sum (each at most 1).

    With degree 1 this is Bass (1969): everybody hears the mean of all others.
    """
    arcs = arcs_of(members, members.pool)
    total = int(arcs.others.sum())
    if total > MOST_TIES:
        raise ValueError(
            f"layers.{layer.key}: a complete layer of {len(arcs.hearing)} listeners "
            f"has {total} ties, more than {MOST_TIES}; use generator 'random'"
        )
    listener, step = counted(arcs.others)
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


def _portions(layer: Layer, members: Members, crowd: Members, luck: Draws, choose: Chooser) -> Ties:
    """Choose the share `homophily` within one's own group, the rest from the pool's crowd."""
    found: list[Ties] = []
    if layer.homophily > 0:
        found += _in_chunks(
            arcs_of(members, members.group), layer.degree * layer.homophily, choose, luck, INSIDE
        )
    if layer.homophily < 1:
        found += _in_chunks(
            arcs_of(crowd, crowd.pool), layer.degree * (1 - layer.homophily), choose, luck, 0
        )
    ties = _joined(found, members)
    if 0 < layer.homophily < 1:  # both portions may have chosen the same speaker
        width = int(members.rows.max(initial=0)) + 1
        pairs = _distinct(ties.target.astype(np.int64) * width + ties.source)
        ties = Ties((pairs // width).astype(np.int32), (pairs % width).astype(np.int32))
    return ties


def _elsewhere(members: Members, luck: Draws) -> Members:
    """Return members on another circle, where neighbours are others than those in one's group."""
    order = np.argsort(luck.uniform(members.ids, ELSEWHERE, columns=1)[:, 0], kind="stable")
    return Members(*(getattr(members, field.name)[order] for field in fields(members)))


def _in_chunks(
    arcs: Arcs, degree: float, choose: Chooser, luck: Draws, purpose: int
) -> Iterator[Ties]:
    for start in range(0, len(arcs.hearing), CHUNK):
        part = arcs.part(slice(start, start + CHUNK))
        yield part.ties(*choose(part, degree, luck, purpose))


def _joined(found: list[Ties], members: Members) -> Ties:
    none = members.rows[:0]
    return Ties(
        np.concatenate([none, *(ties.target for ties in found)]),
        np.concatenate([none, *(ties.source for ties in found)]),
    )


def _distinct(keys: np.ndarray) -> np.ndarray:
    """Return keys sorted, each once (faster than np.unique)."""
    keys = np.sort(keys)
    return keys[np.append(keys[1:] != keys[:-1], True)[: len(keys)]]
