"""The strategy map as a picture: four rows, causes and effects, six flows as coloured lines."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from experiments.figures import LETTER, STATUS_COLORS, badge, letter_ink, light, page, wrap
from experiments.notation import LETTERS, PERSPECTIVES
from experiments.sheet import PAPER, SOFT, Sheet, Step
from experiments.strategy_map_routing import (
    BOX,
    WIDTH,
    Box,
    Edge,
    corners,
    gap_height,
    lay_out,
    track_y,
)
from sim import scorecard
from sim.flows import COLORS, Flow
from sim.strategy_map import RANKS, RIVALS, Link, StrategyMap

CAUSE = "#66727f"
PALE = "#b3bcc6"
DOTS: tuple[float, ...] = (2.0, 5.0)
DASHES = (6.0, 4.0)
UNSENSED: tuple[float, ...] = (3.0, 7.0)
RIM = 1.4
STRIP = 4.5  # height of the lights of the quarters in a box
EDGE, ROW, SLATE = "#8894a1", "#f1f4f7", "#39434f"
LEGEND = 100.0
KEY = 13.2
LIGHTS = (
    (scorecard.GREEN, "at or beyond its goal"),
    (scorecard.AMBER, "between goal and red flag"),
    (scorecard.RED, "at or beyond the red flag"),
    (scorecard.NO_TARGET, "measured, but no target is set"),
    (scorecard.NO_DATA, "no data, for the reason in the box"),
)


@dataclass(frozen=True)
class Stroke:
    """How one line is drawn in place of the usual: pale and dotted, or with a width and a label."""

    width: float
    label: str = ""
    pale: bool = False


def draw(
    strategy_map: StrategyMap,
    status: Mapping[str, str],
    readings: Mapping[str, str],
    title: str,
    subtitle: str,
    unsensed: Collection[int] = (),
    strokes: Mapping[Link, Stroke] | None = None,
    course: Mapping[str, Sequence[str]] | None = None,
) -> Sheet:
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
        Flows that nothing senses; their lines are dashed.
    strokes : mapping, optional
        How each link is drawn, in place of one width for all; lights then say nothing.
    course : mapping, optional
        Light per quarter of each objective, drawn as a strip along the bottom of its box.

    Raises
    ------
    CrowdedMapError
        If links cannot be drawn apart.
    """
    boxes, edges, tracks = lay_out(strategy_map)
    bottoms, total = _rows(tracks)
    sheet, top = page(total + LEGEND, title, subtitle, WIDTH)
    # Rows count upwards, a sheet downwards.
    base = top + total
    _draw_rows(sheet, bottoms, base)
    turned = _Turned(sheet, bottoms, base, unsensed, strokes or {})
    for edge in sorted(edges, key=lambda e: (e.link.flow > 0, e.link.flow)):
        turned.edge(edge)
    turned.badges(edges)
    turned.labels(edges)
    for box in boxes.values():
        y = base - bottoms[box.row] - BOX
        if box.key == RIVALS:
            sheet.box(box.left, y, box.right - box.left, BOX, SLATE, radius=22)
            sheet.write(box.middle, y + BOX / 2, "Rivals", 18, PAPER, bold=True, anchor="middle")
        else:
            label = strategy_map.objective(box.key).label
            lights = (course or {}).get(box.key, ())
            _draw_box(sheet, box, y, label, readings.get(box.key, ""), status[box.key], lights)
    used = {light for lights in (course or {}).values() for light in lights} | {*status.values()}
    _legend(sheet, base + 22, set() if strokes else used, unsensed)
    if strokes:
        _stroke_legend(sheet, base + 22 + 2 * 24 + 6)
    return sheet


def _draw_rows(sheet: Sheet, bottoms: Mapping[int, float], base: float) -> None:
    for perspective, row in RANKS.items():
        y = base - bottoms[row] - BOX
        sheet.box(0, y - 9, WIDTH, BOX + 18, ROW)
        words = "\n".join(wrap(PERSPECTIVES[perspective], 12))
        sheet.write(16, y + BOX / 2, words, 15.5, bold=True)


def _rows(tracks: Mapping[int, int]) -> tuple[dict[int, float], float]:
    """Return the bottom of each row and the height of all, counted upwards."""
    bottoms, y = {}, gap_height(tracks.get(-1, 0))
    for row in sorted(RANKS.values()):
        bottoms[row] = y
        y += BOX + gap_height(tracks.get(row, 0))
    return bottoms, y


class _Turned:
    """Draws lines given upwards on a sheet that counts downwards."""

    def __init__(
        self,
        sheet: Sheet,
        bottoms: Mapping[int, float],
        base: float,
        unsensed: Collection[int],
        strokes: Mapping[Link, Stroke],
    ) -> None:
        self.sheet, self.bottoms, self.base = sheet, bottoms, base
        self.unsensed, self.strokes = unsensed, strokes

    def edge(self, edge: Edge) -> None:
        """Draw a line with a hair of white beside it, so that what it crosses passes under it.

        The hair is thin: a wide one would cut what passes under into pieces that look like dashes.
        """
        flow = edge.link.flow
        color = COLORS[Flow(flow)] if flow else CAUSE
        width, tip, half = (4.2, 11.0, 6.0) if flow else (2.1, 9.0, 4.6)
        stroke = self.strokes.get(edge.link)
        if stroke is not None:
            width = stroke.width
            color = PALE if stroke.pale else color
        points = [(x, self.base - y) for x, y in corners(edge, self.bottoms)]
        (x, y), towards = points[-1], 1 if points[-1][1] > points[-2][1] else -1
        points[-1] = (x, y - towards * tip)
        steps = _rounded(points, 8)
        self.sheet.path(steps, stroke=PAPER, width=width + RIM)
        dash: tuple[float, ...] = DASHES if edge.link.feedback else ()
        if flow and flow in self.unsensed:
            dash = UNSENSED
        if stroke is not None:
            dash = DOTS if stroke.pale else dash
        self.sheet.path(steps, stroke=color, width=width, dash=dash)
        self.sheet.polygon(
            [(x - half, y - towards * tip), (x + half, y - towards * tip), (x, y)],
            color if edge.link.sign > 0 else PAPER, color, 1.9,
        )  # fmt: skip

    def badges(self, edges: Sequence[Edge]) -> None:
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
            middle = (low + high) / 2
            choices = np.linspace(low + 4, high - 4, 41) if high - low > 24 else np.array([middle])
            gaps = np.abs(np.array(verticals[segment.gap]) - choices[:, None]).min(axis=1)
            room = np.minimum(gaps, 16.0) - 0.004 * np.abs(choices - middle)
            x, y = float(choices[room.argmax()]), self.base - track_y(segment, self.bottoms)
            badge(self.sheet, x, y, edge.link.flow, 9.5)

    def labels(self, edges: Sequence[Edge]) -> None:
        """Write each stroke's label beside the head of its line, on a scrap of paper."""
        for edge in edges:
            stroke = self.strokes.get(edge.link)
            if stroke is None or not stroke.label:
                continue
            (x, y), before = corners(edge, self.bottoms)[-1], corners(edge, self.bottoms)[-2]
            towards = 1 if y > before[1] else -1
            middle, width = self.base - y + towards * 17, LETTER * 9.5 * len(stroke.label) + 3
            self.sheet.box(x - width / 2, middle - 5.5, width, 11, PAPER)
            self.sheet.write(x, middle, stroke.label, 9.5, anchor="middle")


def _rounded(points: Sequence[tuple[float, float]], radius: float) -> list[Step]:
    """Return a path through the corners, each rounded."""
    clean = [points[0]]
    clean += [after for before, after in pairwise(points) if after != before]
    steps: list[Step] = [("M", (clean[0],))]
    for before, corner, after in zip(clean, clean[1:], clean[2:], strict=False):
        into, out = math.dist(before, corner), math.dist(corner, after)
        reach = min(radius, into / 2, out / 2)
        start = _along(corner, before, reach / into)
        steps += [("L", (start,)), ("Q", (corner, _along(corner, after, reach / out)))]
    return [*steps, ("L", (clean[-1],))]


def _along(
    start: tuple[float, float], end: tuple[float, float], share: float
) -> tuple[float, float]:
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def _draw_box(
    sheet: Sheet,
    box: Box,
    y: float,
    label: str,
    reading: str,
    status: str,
    course: Sequence[str],
) -> None:
    width, strip = box.right - box.left, STRIP if course else 0.0
    sheet.box(box.left, y, width, BOX, PAPER, EDGE, 1.5, radius=7)
    light(sheet, box.left + 5, y + 6, 20, BOX - 12, status)
    sheet.write(box.left + 15, y + BOX / 2, LETTERS[status], 14.5, letter_ink(status), True,
                "middle")  # fmt: skip
    middle, room = (box.left + 30 + box.right - 5) / 2, width - 37
    size = 13.3
    lines = wrap(label, max(8, int(room / (0.93 * LETTER * size))))
    if len(lines) > 3:
        size = 11.2
        lines = wrap(label, max(8, int(room / (0.93 * LETTER * size))))
    sheet.write(middle, y + BOX / 2 - (9 if reading else 0) - strip / 2, "\n".join(lines), size,
                anchor="middle", leading=1.12)  # fmt: skip
    sheet.write(middle, y + BOX - 11 - strip, reading, 12, SOFT, anchor="middle")
    left, each = box.left + 30, (width - 37) / max(1, len(course))
    for quarter, past in enumerate(course):
        x = left + quarter * each
        sheet.box(x, y + BOX - STRIP - 3, each - 1, STRIP, STATUS_COLORS[past])


def _legend(sheet: Sheet, top: float, used: set[str], unsensed: Collection[int]) -> None:
    _line_legend(sheet, top, unsensed)
    left, middle = 24.0, top + 2 * 24 + 6
    for status, name in LIGHTS:
        if status in used:
            light(sheet, left, middle - 10, 20, 20, status)
            sheet.write(left + 10, middle, LETTERS[status], KEY, letter_ink(status), True, "middle")
            sheet.write(left + 28, middle, name, KEY)
            left += 52 + LETTER * KEY * len(name)


def _stroke_legend(sheet: Sheet, middle: float) -> None:
    for x, width, dash, color, name in (
        (24, 1.6, (), CAUSE, "weak"),
        (130, 7.0, (), CAUSE, "strong: standard deviations of the head per one of the tail"),
        (660, 2.1, DOTS, PALE, "not supported, or not tried"),
    ):
        sheet.line([(x, middle), (x + 34, middle)], color, width, dash)
        sheet.write(x + 44, middle, name, KEY)
    marks = "q3 largest after 3 quarters; ! against its sign; def by definition"
    sheet.write(890, middle, marks, KEY)


def _line_legend(sheet: Sheet, top: float, unsensed: Collection[int]) -> None:
    for place, flow in enumerate(Flow):
        x, y = (24, 328, 606)[place // 2], top + 24 * (place % 2)
        pattern = UNSENSED if int(flow) in unsensed else ()
        sheet.line([(x, y), (x + 34, y)], COLORS[flow], 4.2, pattern)
        badge(sheet, x + 17, y, int(flow), 9.5)
        sheet.write(x + 44, y, flow.label, KEY)
    for place, (dash, name) in enumerate((((), "cause and effect"), (DASHES, "feedback"))):
        y = top + 24 * place
        sheet.line([(992, y), (1026, y)], CAUSE, 2.1, dash)
        sheet.write(1036, y, name, KEY)
    for place, (fill, name) in enumerate(
        ((CAUSE, "more leads to more"), (PAPER, "more leads to less"))
    ):
        y = top + 24 * place
        sheet.polygon([(1198, y - 5), (1198, y + 5), (1208, y)], fill, CAUSE, 1.8)
        sheet.write(1218, y, name, KEY)
