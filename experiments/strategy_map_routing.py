"""Where the boxes and lines of a strategy map run, without drawing them.

Lines run like those of an underground map: straight up or down from a box to a track in the gap
between two rows, along it, and straight on to the next box. Ports, corridors and tracks are each
given to one line only, so that lines cross but never run on top of one another nor under a box.
Units are hundredths of an inch; y counts upwards, like the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from sim.strategy_map import RANKS, RIVALS, Link, StrategyMap

WIDTH = 1400.0
LEFT, RIGHT = 152.0, 1205.0
RIVALS_LEFT, RIVALS_RIGHT = 1252.0, 1380.0
BOX, GUTTER, WIDEST = 80.0, 20.0, 190.0
TRACK = 19.0
# All verticals stand on a grid: ports on tops, ports on bottoms and corridors each have their own
# third of it, so that two verticals never share an x.
GRID = 4.5
# Nearer than this, two verticals are hard to tell apart.
APART = 12.0
ROUNDS = 3


class CrowdedMapError(ValueError):
    """A map has more links in one place than can be drawn apart."""


@dataclass
class Box:
    """A place on the map; `row` counts from the bottom."""

    key: str
    row: int
    left: float
    right: float

    @property
    def middle(self) -> float:
        """Its middle from left to right."""
        return (self.left + self.right) / 2


@dataclass
class Segment:
    """One line's way through one gap: down or up from (start, end), each fixed to a side."""

    gap: int
    start_low: bool
    end_low: bool
    start: float = 0.0
    end: float = 0.0
    track: int = -1

    @property
    def span(self) -> tuple[float, float]:
        """Its left and right end on the track."""
        return min(self.start, self.end), max(self.start, self.end)


@dataclass
class End:
    """Where a segment docks at a box: one of `places`, in the order of what it `aims` at."""

    segment: Segment
    is_start: bool
    aims: float
    places: list[float] = field(default_factory=list)

    @property
    def x(self) -> float:
        """Where it docks."""
        return self.segment.start if self.is_start else self.segment.end

    @x.setter
    def x(self, value: float) -> None:
        if self.is_start:
            self.segment.start = value
        else:
            self.segment.end = value


@dataclass
class Edge:
    """One link and its way through the gaps."""

    link: Link
    segments: list[Segment] = field(default_factory=list)


# The ends that dock at one side of a box, by its key and whether it is the top side.
Docks = dict[tuple[str, bool], list[End]]


def lay_out(
    strategy_map: StrategyMap,
) -> tuple[dict[str, Box], list[Edge], dict[int, int]]:
    """Return boxes by key, edges with their ways, and the number of tracks per gap.

    Raises
    ------
    CrowdedMapError
        If links cannot be drawn apart.
    """
    boxes = _place(strategy_map)
    edges, docks = _route(strategy_map, boxes)
    return boxes, edges, _assign_tracks(edges, docks)


def track_y(segment: Segment, bottoms: Mapping[int, float]) -> float:
    """Return the height of a segment's track, given the bottom of each row."""
    if segment.gap < 0:
        return bottoms[0] - 20 - TRACK * (segment.track + 1)
    return bottoms[segment.gap] + BOX + 14 + TRACK * (segment.track + 0.7)


def gap_height(tracks: int) -> float:
    """Return how high a gap with so many tracks is."""
    return TRACK * (tracks + 1) + 22 if tracks else 12.0


def corners(edge: Edge, bottoms: Mapping[int, float]) -> list[tuple[float, float]]:
    """Return the corners of an edge, from its tail to its head."""
    points: list[tuple[float, float]] = []
    for segment in edge.segments:
        y = track_y(segment, bottoms)
        low = bottoms[segment.gap] + BOX if segment.gap >= 0 else 0.0
        high = bottoms[segment.gap + 1] if segment.gap + 1 in bottoms else 0.0
        if segment is edge.segments[0]:
            points.append((segment.start, low if segment.start_low else high))
        points += [(segment.start, y), (segment.end, y)]
        if segment is edge.segments[-1]:
            points.append((segment.end, low if segment.end_low else high))
    return points


def _place(strategy_map: StrategyMap) -> dict[str, Box]:
    """Spread each row's objectives evenly over the width; the rivals stand beside stakeholders."""
    boxes = {}
    for perspective, row in RANKS.items():
        group = strategy_map.row(perspective)
        if not group:
            continue
        pitch = (RIGHT - LEFT + GUTTER) / len(group)
        width = min(pitch - GUTTER, WIDEST)
        for place, objective in enumerate(group):
            middle = LEFT - GUTTER / 2 + pitch * (place + 0.5)
            boxes[objective.key] = Box(objective.key, row, middle - width / 2, middle + width / 2)
    if any(RIVALS in (link.tail, link.head) for link in strategy_map.links):
        boxes[RIVALS] = Box(RIVALS, RANKS["customer"], RIVALS_LEFT, RIVALS_RIGHT)
    return boxes


def _route(strategy_map: StrategyMap, boxes: Mapping[str, Box]) -> tuple[list[Edge], Docks]:
    """Give every edge its segments, and every end of a segment an x that is its own."""
    edges = [Edge(link) for link in strategy_map.links]
    docks: Docks = {}
    corridors = _Corridors(boxes)
    for edge in edges:
        tail, head = boxes[edge.link.tail], boxes[edge.link.head]
        edge.segments = _segments(edge.link, tail, head)
        first, last = edge.segments[0], edge.segments[-1]
        # A loop's two ends both aim at their own box: start left of the middle, end right of it.
        docks.setdefault((tail.key, first.start_low), []).append(
            End(first, True, head.middle - 0.1)
        )
        docks.setdefault((head.key, last.end_low), []).append(End(last, False, tail.middle + 0.1))
        for before, after in pairwise(edge.segments):
            row = max(before.gap, after.gap)
            before.end = after.start = corridors.take(row, tail, head, edge.link.feedback)
    _dock(docks, boxes)
    return edges, docks


def _segments(link: Link, tail: Box, head: Box) -> list[Segment]:
    """Return the gaps an edge passes; gap g lies above row g, gap -1 below the lowest."""
    if tail.row == head.row:
        # Peers and money meet above their row; dealings with rivals and within processes below.
        above = link.flow not in (4, 6) and tail.row >= RANKS["customer"]
        return [Segment(tail.row if above else tail.row - 1, above, above)]
    if tail.row < head.row:
        return [Segment(gap, True, False) for gap in range(tail.row, head.row)]
    return [Segment(gap, False, True) for gap in range(tail.row - 1, head.row - 1, -1)]


class _Corridors:
    """The ways through a row, between its boxes."""

    def __init__(self, boxes: Mapping[str, Box]) -> None:
        self.boxes = boxes
        self.used: set[tuple[int, float]] = set()

    def take(self, row: int, tail: Box, head: Box, feedback: bool) -> float:
        """Return an x in `row` that no other edge passes; feedback keeps to the left margin."""
        group = sorted((b for b in self.boxes.values() if b.row == row), key=lambda b: b.left)
        middles = [LEFT - 16.0]
        if not feedback:
            middles += [(a.right + b.left) / 2 for a, b in pairwise(group)]
        choices = [_slot(middle + 6 * side, 2) for middle in middles for side in (0, 1, -1)]
        free = [x for x in choices if (row, x) not in self.used]
        if not free:
            raise CrowdedMapError(
                f"too many links pass the row of {group[0].key if group else row!r}: shorten some"
            )
        best = min(free, key=lambda x: abs(x - tail.middle) + abs(x - head.middle))
        self.used.add((row, best))
        return best


def _slot(x: float, kind: int) -> float:
    """Return the nearest place on the grid for a kind: 0 tops, 1 bottoms, 2 corridors."""
    return (3 * round((x / GRID - kind) / 3) + kind) * GRID


def _dock(docks: Docks, boxes: Mapping[str, Box]) -> None:
    """Spread the ends that dock at one side of a box evenly, in the order of where they lead."""
    for (key, top), ends in docks.items():
        box = boxes[key]
        kind = 0 if top else 1
        places = []
        x = _slot(box.left + 14, kind)
        while x <= box.right - 12:
            places.append(x)
            x += 3 * GRID
        if len(ends) > len(places):
            raise CrowdedMapError(
                f"objective {key!r} has {len(ends)} links on one side; at most {len(places)} can "
                "be drawn apart: merge links or split the objective"
            )
        ends.sort(key=lambda end: end.aims)
        for place, end in enumerate(ends):
            end.x = places[int((place + 0.5) / len(ends) * len(places))]
            end.places = places


def _assign_tracks(edges: list[Edge], docks: Docks) -> dict[int, int]:
    """Give each segment a track of its own stretch; return the number of tracks per gap."""
    found = {}
    gaps: dict[int, list[Segment]] = {}
    for edge in edges:
        for segment in edge.segments:
            gaps.setdefault(segment.gap, []).append(segment)
    for gap, segments in gaps.items():
        judge = _Judge(segments)
        for _ in range(ROUNDS):
            found[gap] = _color(segments)
            _untangle(judge, found[gap])
            for ends in docks.values():
                _move_ends([end for end in ends if end.segment.gap == gap], judge)
        _untangle(judge, found[gap])
    return found


def _color(segments: list[Segment]) -> int:
    """Let segments share a track where their stretches keep apart."""
    tracks: list[list[tuple[float, float]]] = []
    for segment in sorted(segments, key=lambda s: (s.span[0], s.span[1])):
        low, high = segment.span
        for number, taken in enumerate(tracks):
            if all(high + 16 < a or low - 16 > b for a, b in taken):
                segment.track = number
                taken.append((low, high))
                break
        else:
            segment.track = len(tracks)
            tracks.append([(low, high)])
    return len(tracks)


def _untangle(judge: _Judge, tracks: int) -> None:
    """Swap tracks as long as that makes the gap easier to read."""
    best = judge.tangle()
    improved = True
    while improved:
        improved = False
        for a in range(tracks):
            for b in range(a + 1, tracks):
                _swap(judge.segments, a, b)
                tangle = judge.tangle()
                if tangle < best:
                    best, improved = tangle, True
                else:
                    _swap(judge.segments, a, b)


def _swap(segments: list[Segment], a: int, b: int) -> None:
    for segment in segments:
        segment.track = {a: b, b: a}.get(segment.track, segment.track)


def _move_ends(ends: list[End], judge: _Judge) -> None:
    """Move the ends at one side of a box to free places where that makes the gap easier to read."""
    best = judge.tangle()
    for end in ends:
        for place in end.places:
            if any(place == other.x for other in ends):
                continue
            before, end.x = end.x, place
            tangle = judge.tangle()
            if tangle < best:
                best = tangle
            else:
                end.x = before


class _Judge:
    """Says how hard a gap is to read; what no move changes is worked out once."""

    def __init__(self, segments: list[Segment]) -> None:
        self.segments = segments
        n = len(segments)
        self.owner = np.tile(np.arange(n), 2)
        self.low = np.array([s.start_low for s in segments] + [s.end_low for s in segments])
        pairs = np.triu(np.ones((2 * n, 2 * n), dtype=bool), 1)
        alike = self.low[:, None] == self.low
        same = self.owner[:, None] == self.owner
        self.strangers = pairs & ~same
        self.beside_always = self.strangers & alike
        self.own_unlike, self.own_alike = pairs & same & ~alike, pairs & same & alike
        self.foreign = self.owner[:, None] != np.arange(n)
        self.upper = np.triu(np.ones((n, n), dtype=bool), 1)
        self.known: dict[tuple[float, ...], float] = {}

    def tangle(self) -> float:
        """Return crossings, crowding and lines on top of one another, weighed; less is better."""
        starts, ends = [s.start for s in self.segments], [s.end for s in self.segments]
        tracks = [s.track for s in self.segments]
        state = (*starts, *ends, *tracks)
        if state not in self.known:
            self.known[state] = self._weigh(np.array(starts + ends), np.array(tracks))
        return self.known[state]

    def _weigh(self, x: np.ndarray, track: np.ndarray) -> float:
        n, low = len(track), self.low
        left, right = np.minimum(x[:n], x[n:]), np.maximum(x[:n], x[n:])
        own = track[self.owner]
        over = (left < x[:, None]) & (x[:, None] < right) & self.foreign
        crossings = over & np.where(low[:, None], track < own[:, None], track > own[:, None])
        apart = np.abs(x[:, None] - x)
        near = apart < APART
        # A vertical from below covers the tracks up to its own, one from above those from its own.
        meet = np.where(low[:, None], own[:, None] >= own, own[:, None] <= own)
        beside = near & (self.beside_always | (self.strangers & meet))
        crowded = self.beside_always & (apart < 1.8 * APART)
        # A short step sideways looks like a slip.
        slips = self.own_unlike & (apart > 0) & (apart < 20)
        pinched = self.own_alike & (apart < 30)
        shared = (left[:, None] < right + 16) & (left < right[:, None] + 16)
        merged = self.upper & shared & (track[:, None] == track)
        return float(
            np.count_nonzero(crossings)
            + 6 * np.count_nonzero(beside)
            + 0.7 * np.count_nonzero(crowded)
            + 0.5 * np.count_nonzero(slips)
            + 2 * np.count_nonzero(pinched)
            + 50 * np.count_nonzero(merged)
        )
