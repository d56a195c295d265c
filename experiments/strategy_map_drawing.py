"""The strategy map as a picture: four rows, causes and effects, six flows as coloured edges.

Edges run like the lines of an underground map: straight up or down from a box to a track in the gap
between two rows, along it, and straight on to the next box. Ports, corridors and tracks are each
given to one edge only, so that lines cross but never run on top of one another nor under a box.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Polygon, Rectangle
from matplotlib.path import Path

from experiments import figures
from sim import scorecard
from sim.flows import COLORS, Flow
from sim.strategy_map import RANKS, RIVALS, Link, StrategyMap

WIDTH = 1400.0
LEFT, RIGHT = 152.0, 1205.0
RIVALS_LEFT, RIVALS_RIGHT = 1252.0, 1380.0
BOX, GUTTER, WIDEST = 80.0, 20.0, 190.0
TRACK = 19.0
CAUSE = "#66727f"
DASHED = (0, (4, 2.5))
HEADER, LEGEND = 92.0, 74.0


@dataclass
class _Box:
    """A place on the map, in pixels; `row` counts from the bottom."""

    key: str
    row: int
    left: float
    right: float

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


@dataclass
class _Segment:
    """One edge's way through one gap: down or up from (start, end), each fixed to a side."""

    gap: int
    start_low: bool
    end_low: bool
    start: float = 0.0
    end: float = 0.0
    track: int = -1

    @property
    def span(self) -> tuple[float, float]:
        return min(self.start, self.end), max(self.start, self.end)


@dataclass
class _End:
    """Where a segment docks at a box: one of `places`, in the order of what it `aims` at."""

    segment: _Segment
    is_start: bool
    aims: float
    places: list[float] = field(default_factory=list)

    @property
    def x(self) -> float:
        return self.segment.start if self.is_start else self.segment.end

    @x.setter
    def x(self, value: float) -> None:
        if self.is_start:
            self.segment.start = value
        else:
            self.segment.end = value


@dataclass
class _Edge:
    """One link and its way through the gaps."""

    link: Link
    segments: list[_Segment] = field(default_factory=list)


def draw(
    strategy_map: StrategyMap,
    status: Mapping[str, str],
    readings: Mapping[str, str],
    title: str,
    subtitle: str,
    unsensed: Collection[int] = (),
) -> Figure:
    """Draw the map.

    Parameters
    ----------
    strategy_map : StrategyMap
        What to draw.
    status : mapping
        Light per objective, one of `sim.scorecard.STATUSES`.
    readings : mapping
        A few words per objective under its name, such as the indicator's value and trend.
    title, subtitle : str
        Above the map.
    unsensed : collection of int
        Flows that nobody senses; drawn dashed.
    """
    boxes = _place(strategy_map)
    edges, docks = _route(strategy_map, boxes)
    tracks = _assign_tracks(edges, docks)
    bottoms, total = _rows(tracks)
    figure = figures.blank(WIDTH / 100, total / 100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(0, total)
    axes.axis("off")
    for perspective, row in RANKS.items():
        _draw_row(axes, perspective, bottoms[row])
    for number, edge in enumerate(sorted(edges, key=lambda e: (e.link.flow > 0, e.link.flow))):
        _draw_edge(axes, edge, bottoms, 3 + number * 0.01, edge.link.flow in unsensed)
    _draw_badges(axes, edges, bottoms)
    for box in boxes.values():
        if box.key == RIVALS:
            _draw_rivals(axes, box, bottoms[box.row])
        else:
            label = strategy_map.objective(box.key).label
            _draw_box(
                axes,
                box,
                bottoms[box.row],
                label,
                readings.get(box.key, ""),
                status.get(box.key, scorecard.NO_DATA),
            )
    _legend(axes)
    figures.caption(figure, title, subtitle)
    return figure


def _place(strategy_map: StrategyMap) -> dict[str, _Box]:
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
            boxes[objective.key] = _Box(objective.key, row, middle - width / 2, middle + width / 2)
    if any(RIVALS in (link.tail, link.head) for link in strategy_map.links):
        boxes[RIVALS] = _Box(RIVALS, RANKS["customer"], RIVALS_LEFT, RIVALS_RIGHT)
    return boxes


def _route(strategy_map: StrategyMap, boxes: Mapping[str, _Box]) -> tuple[list[_Edge], _Docks]:
    """Give every edge its segments, and every end of a segment an x that is its own."""
    edges = [_Edge(link) for link in strategy_map.links]
    docks: _Docks = {}
    corridors = _Corridors(boxes)
    for edge in edges:
        tail, head = boxes[edge.link.tail], boxes[edge.link.head]
        edge.segments = _segments(edge.link, tail, head)
        first, last = edge.segments[0], edge.segments[-1]
        # A loop's two ends both aim at their own box: start left of the middle, end right of it.
        docks.setdefault((tail.key, first.start_low), []).append(
            _End(first, True, head.middle - 0.1)
        )
        docks.setdefault((head.key, last.end_low), []).append(_End(last, False, tail.middle + 0.1))
        for before, after in pairwise(edge.segments):
            row = max(before.gap, after.gap)
            before.end = after.start = corridors.take(row, tail, head, edge.link.feedback)
    _dock(docks, boxes)
    return edges, docks


def _segments(link: Link, tail: _Box, head: _Box) -> list[_Segment]:
    """Return the gaps an edge passes; gap g lies above row g, gap -1 below the lowest."""
    if tail.row == head.row:
        # Peers and money meet above their row; dealings with rivals and within processes below.
        above = link.flow not in (4, 6) and tail.row >= RANKS["customer"]
        return [_Segment(tail.row if above else tail.row - 1, above, above)]
    if tail.row < head.row:
        return [_Segment(gap, True, False) for gap in range(tail.row, head.row)]
    return [_Segment(gap, False, True) for gap in range(tail.row - 1, head.row - 1, -1)]


class _Corridors:
    """The ways through a row, between its boxes."""

    def __init__(self, boxes: Mapping[str, _Box]) -> None:
        self.boxes = boxes
        self.taken: dict[int, int] = {}
        self.used: set[tuple[int, float]] = set()

    def take(self, row: int, tail: _Box, head: _Box, feedback: bool) -> float:
        """Return an x in `row` that no other edge passes; feedback keeps to the left margin."""
        group = sorted((b for b in self.boxes.values() if b.row == row), key=lambda b: b.left)
        middles = [LEFT - 16.0]
        if not feedback:
            middles += [(a.right + b.left) / 2 for a, b in pairwise(group)]
        choices = [_slot(middle + 6 * side, 2) for middle in middles for side in (0, 1, -1)]
        free = [x for x in choices if (row, x) not in self.used]
        if not free:
            raise ValueError(
                f"too many links pass the row of {group[0].key if group else row!r}: shorten some"
            )
        best = min(free, key=lambda x: abs(x - tail.middle) + abs(x - head.middle))
        self.used.add((row, best))
        return best


# All verticals stand on a grid of 4.5 px: ports on tops, ports on bottoms and corridors each have
# their own third of it, so that two verticals never share an x.
GRID = 4.5
# Nearer than this, two verticals are hard to tell apart.
APART = 12.0
ROUNDS = 3


def _slot(x: float, kind: int) -> float:
    """Return the nearest place on the grid for a kind: 0 tops, 1 bottoms, 2 corridors."""
    return (3 * round((x / GRID - kind) / 3) + kind) * GRID


# The ends that dock at one side of a box, by its key and whether it is the top side.
_Docks = dict[tuple[str, bool], list[_End]]


def _dock(docks: _Docks, boxes: Mapping[str, _Box]) -> None:
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
            raise ValueError(
                f"objective {key!r} has {len(ends)} links on one side; at most {len(places)} can "
                "be drawn apart: merge links or split the objective"
            )
        ends.sort(key=lambda end: end.aims)
        for place, end in enumerate(ends):
            end.x = places[int((place + 0.5) / len(ends) * len(places))]
            end.places = places


def _assign_tracks(edges: list[_Edge], docks: _Docks) -> dict[int, int]:
    """Give each segment a track of its own stretch; return the number of tracks per gap."""
    found = {}
    gaps: dict[int, list[_Segment]] = {}
    for edge in edges:
        for segment in edge.segments:
            gaps.setdefault(segment.gap, []).append(segment)
    for gap, segments in gaps.items():
        for _ in range(ROUNDS):
            found[gap] = _color(segments)
            _untangle(segments, found[gap])
            for ends in docks.values():
                _move_ends([end for end in ends if end.segment.gap == gap], segments)
        _untangle(segments, found[gap])
    return found


def _color(segments: list[_Segment]) -> int:
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


def _untangle(segments: list[_Segment], tracks: int) -> None:
    """Swap tracks as long as that makes the gap easier to read."""
    best = _tangle(segments)
    improved = True
    while improved:
        improved = False
        for a in range(tracks):
            for b in range(a + 1, tracks):
                _swap(segments, a, b)
                tangle = _tangle(segments)
                if tangle < best:
                    best, improved = tangle, True
                else:
                    _swap(segments, a, b)


def _swap(segments: list[_Segment], a: int, b: int) -> None:
    for segment in segments:
        segment.track = {a: b, b: a}.get(segment.track, segment.track)


def _move_ends(ends: list[_End], segments: list[_Segment]) -> None:
    """Move the ends at one side of a box to free places where that makes the gap easier to read."""
    best = _tangle(segments)
    for end in ends:
        for place in end.places:
            if any(place == other.x for other in ends):
                continue
            before, end.x = end.x, place
            tangle = _tangle(segments)
            if tangle < best:
                best = tangle
            else:
                end.x = before


def _tangle(segments: list[_Segment]) -> float:
    """Return how hard a gap is to read: crossings, crowding, lines on top of one another."""
    n = len(segments)
    owner = np.tile(np.arange(n), 2)
    x = np.array([s.start for s in segments] + [s.end for s in segments])
    low = np.array([s.start_low for s in segments] + [s.end_low for s in segments])
    track = np.array([s.track for s in segments])
    left, right = np.minimum(x[:n], x[n:]), np.maximum(x[:n], x[n:])
    own = track[owner]

    over = (left < x[:, None]) & (x[:, None] < right) & (owner[:, None] != np.arange(n))
    crossings = over & np.where(low[:, None], track < own[:, None], track > own[:, None])

    apart = np.abs(x[:, None] - x)
    pairs = np.triu(np.ones((2 * n, 2 * n), dtype=bool), 1)
    strangers = pairs & (owner[:, None] != owner)
    # A vertical from below covers the tracks up to its own, one from above those from its own.
    meet = np.where(low[:, None], own[:, None] >= own, own[:, None] <= own)
    beside = strangers & (apart < APART) & ((low[:, None] == low) | meet)
    crowded = strangers & (apart < 1.8 * APART) & (low[:, None] == low)
    # A short step sideways looks like a slip.
    same = pairs & (owner[:, None] == owner)
    slips = same & (0 < apart) & (apart < 20) & (low[:, None] != low)
    pinched = same & (apart < 30) & (low[:, None] == low)

    shared = (left[:, None] < right + 16) & (left < right[:, None] + 16)
    merged = np.triu(shared & (track[:, None] == track), 1)
    return float(
        crossings.sum()
        + 6 * beside.sum()
        + 0.7 * crowded.sum()
        + 0.5 * slips.sum()
        + 2 * pinched.sum()
        + 50 * merged.sum()
    )


def _rows(tracks: Mapping[int, int]) -> tuple[dict[int, float], float]:
    """Return the bottom of each row and the height of the drawing."""
    bottoms, y = {}, LEGEND + _gap_height(tracks.get(-1, 0))
    for row in sorted(RANKS.values()):
        bottoms[row] = y
        y += BOX + _gap_height(tracks.get(row, 0))
    return bottoms, y + HEADER


def _gap_height(tracks: int) -> float:
    return TRACK * (tracks + 1) + 22 if tracks else 12.0


def _track_y(segment: _Segment, bottoms: Mapping[int, float]) -> float:
    base = bottoms[0] if segment.gap < 0 else bottoms[segment.gap] + BOX
    if segment.gap < 0:
        return base - 20 - TRACK * (segment.track + 1)
    return base + 14 + TRACK * (segment.track + 0.7)


def _points(edge: _Edge, bottoms: Mapping[int, float]) -> list[tuple[float, float]]:
    """Return the corners of an edge, from its tail to its head."""
    points: list[tuple[float, float]] = []
    for segment in edge.segments:
        y = _track_y(segment, bottoms)
        low = bottoms[segment.gap] + BOX if segment.gap >= 0 else 0.0
        high = bottoms[segment.gap + 1] if segment.gap + 1 in bottoms else 0.0
        if segment is edge.segments[0]:
            points.append((segment.start, low if segment.start_low else high))
        points += [(segment.start, y), (segment.end, y)]
        if segment is edge.segments[-1]:
            points.append((segment.end, low if segment.end_low else high))
    return points


def _draw_edge(
    axes: Axes, edge: _Edge, bottoms: Mapping[int, float], zorder: float, unsensed: bool
) -> None:
    link = edge.link
    color = COLORS[Flow(link.flow)] if link.flow else CAUSE
    width = 3.0 if link.flow else 1.5
    points = _points(edge, bottoms)
    (_, y0), (x1, y1) = points[-2], points[-1]
    towards = 1 if y1 > y0 else -1
    tip = 11 if link.flow else 9
    points[-1] = (x1, y1 - towards * tip)
    path = _rounded(points, 8)
    style = DASHED if link.feedback or unsensed else "solid"
    axes.add_patch(
        PathPatch(path, fc="none", ec="white", lw=width + 3.2, zorder=zorder, capstyle="butt")
    )
    axes.add_patch(
        PathPatch(
            path,
            fc="none",
            ec=color,
            lw=width,
            zorder=zorder + 0.005,
            linestyle=style,
            capstyle="butt",
        )
    )
    half = 6.0 if link.flow else 4.6
    axes.add_patch(Polygon(
        [(x1 - half, y1 - towards * tip), (x1 + half, y1 - towards * tip), (x1, y1)],
        fc=color if link.sign > 0 else "white", ec=color, lw=1.4, zorder=6, joinstyle="miter",
    ))  # fmt: skip


def _rounded(points: list[tuple[float, float]], radius: float) -> Path:
    """Return a path through the corners, each rounded."""
    clean = [points[0]]
    for point in points[1:]:
        if point != clean[-1]:
            clean.append(point)
    corners = np.array(clean)
    vertices, codes = [corners[0]], [int(Path.MOVETO)]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        into, out = corner - before, after - corner
        reach = min(radius, np.abs(into).sum() / 2, np.abs(out).sum() / 2)
        vertices += [
            corner - into / np.abs(into).sum() * reach,
            corner,
            corner + out / np.abs(out).sum() * reach,
        ]
        codes += [int(Path.LINETO), int(Path.CURVE3), int(Path.CURVE3)]
    return Path([*vertices, corners[-1]], [*codes, int(Path.LINETO)])


def _draw_badges(axes: Axes, edges: list[_Edge], bottoms: Mapping[int, float]) -> None:
    """Put each flow's number on its track, where the fewest other lines pass."""
    verticals: dict[int, list[float]] = {}
    for edge in edges:
        for segment in edge.segments:
            verticals.setdefault(segment.gap, []).extend((segment.start, segment.end))
    for edge in edges:
        if not edge.link.flow:
            continue
        segment = max(edge.segments, key=lambda s: s.span[1] - s.span[0])
        low, high = segment.span
        choices = np.linspace(low + 4, high - 4, 41) if high - low > 24 else [(low + high) / 2]
        crossing = np.array(verticals[segment.gap])

        def room(x: float, near: np.ndarray = crossing, mid: float = (low + high) / 2) -> float:
            return min(float(np.abs(near - x).min()), 16.0) - 0.004 * abs(x - mid)

        x = max(choices, key=room)
        y = _track_y(segment, bottoms)
        _badge(axes, float(x), y, edge.link.flow)


def _draw_row(axes: Axes, perspective: str, bottom: float) -> None:
    axes.add_patch(Rectangle((0, bottom - 9), WIDTH, BOX + 18, fc="#f1f4f7", ec="none", zorder=0))
    axes.text(
        16,
        bottom + BOX / 2,
        figures.wrap(figures.PERSPECTIVE_LABELS[perspective], 12),
        fontsize=11,
        fontweight="bold",
        color=figures.INK,
        va="center",
        zorder=1,
    )


def _draw_box(axes: Axes, box: _Box, bottom: float, label: str, reading: str, status: str) -> None:
    color = figures.STATUS_COLORS[status]
    axes.add_patch(
        FancyBboxPatch(
            (box.left, bottom),
            box.right - box.left,
            BOX,
            boxstyle="round,pad=0,rounding_size=7",
            fc="white",
            ec="#8894a1",
            lw=1.1,
            zorder=10,
        )
    )
    axes.add_patch(
        FancyBboxPatch(
            (box.left + 5, bottom + 6),
            19,
            BOX - 12,
            lw=0,
            fc=color,
            boxstyle="round,pad=0,rounding_size=4",
            zorder=11,
        )
    )
    axes.text(
        box.left + 14.5,
        bottom + BOX / 2,
        figures.STATUS_LETTERS[status],
        ha="center",
        va="center",
        fontsize=10.5,
        fontweight="bold",
        zorder=12,
        color=figures.STATUS_INKS.get(status, figures.INK),
    )
    left, right = box.left + 30, box.right - 5
    # DejaVu Sans at 9.6 pt is about 7.1 px wide a letter at 100 px per inch.
    lines = textwrap.wrap(label, max(8, int((right - left) / 7.1)))
    middle = bottom + BOX / 2 + (9 if reading else 0)
    axes.text(
        (left + right) / 2,
        middle,
        "\n".join(lines),
        ha="center",
        va="center",
        fontsize=9.6 if len(lines) <= 3 else 8.2,
        color=figures.INK,
        zorder=12,
        linespacing=1.1,
    )
    if reading:
        axes.text(
            (left + right) / 2,
            bottom + 11,
            reading,
            ha="center",
            va="center",
            fontsize=8.8,
            color=figures.SOFT,
            zorder=12,
        )


def _draw_rivals(axes: Axes, box: _Box, bottom: float) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (box.left, bottom),
            box.right - box.left,
            BOX,
            boxstyle="round,pad=0,rounding_size=22",
            fc="#39434f",
            ec="#39434f",
            zorder=10,
        )
    )
    axes.text(
        box.middle,
        bottom + BOX / 2,
        "Rivals",
        ha="center",
        va="center",
        fontsize=12.5,
        fontweight="bold",
        color="white",
        zorder=12,
    )


def _legend(axes: Axes) -> None:
    for place, flow in enumerate(Flow):
        x, y = (24, 328, 606)[place // 2], LEGEND - 26 - 24 * (place % 2)
        axes.plot([x, x + 34], [y, y], color=COLORS[flow], lw=3, zorder=5)
        _badge(axes, x + 17, y, int(flow))
        axes.text(x + 44, y, flow.label, va="center", fontsize=9.4, color=figures.INK)
    for place, (style, name) in enumerate(
        (("solid", "cause and effect"), (DASHED, "feedback, or not sensed"))
    ):
        y = LEGEND - 26 - 24 * place
        axes.plot([972, 1006], [y, y], color=CAUSE, lw=1.5, linestyle=style)
        axes.text(1016, y, name, va="center", fontsize=9.4, color=figures.INK)
    for place, (fill, name) in enumerate(
        ((CAUSE, "more leads to more"), ("white", "more leads to less"))
    ):
        y = LEGEND - 26 - 24 * place
        axes.add_patch(
            Polygon([(1198, y - 5), (1198, y + 5), (1208, y)], fc=fill, ec=CAUSE, lw=1.3)
        )
        axes.text(1216, y, name, va="center", fontsize=9.4, color=figures.INK)


def _badge(axes: Axes, x: float, y: float, flow: int) -> None:
    axes.add_patch(Circle((x, y), 8.8, fc=COLORS[Flow(flow)], ec="white", lw=1.6, zorder=8))
    axes.text(
        x,
        y - 0.6,
        str(flow),
        ha="center",
        va="center",
        fontsize=9,
        fontweight="bold",
        color="white",
        zorder=9,
    )
