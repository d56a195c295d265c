"""What all figures share: palette, captions, panels with scales, and how they are saved.

The same colour stands for an arm and for a flow everywhere, and a unit on every axis. Colours are
colour-blind safe (Okabe & Ito 2008; Tol 2021) and never the only sign: labels stand beside the
lines, letters in the lights. Figures never run a model; they draw tables.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.notation import Shown
from experiments.sheet import INK, PAPER, SOFT, Sheet
from sim import scorecard
from sim.flows import COLORS, Flow

WIDTH = 1400.0
BASELINE_COLOR = "#5b6775"
GRID, STRIPE = "#e3e8ec", "#f4f6f8"
ARM_COLORS = ("#332288", "#117733", "#882255", "#44AA99", "#CC6677", "#999933", "#AA4499",
              "#4477AA", "#A0743C", "#6F7A2A", "#7A4FA3", "#2F6F7E")  # fmt: skip
STATUS_COLORS = {
    scorecard.GREEN: "#0b7a5c", scorecard.AMBER: "#f2c14e", scorecard.RED: "#c8500a",
    scorecard.NO_DATA: "#c9cfd6", scorecard.NO_TARGET: "#eef1f4",
}  # fmt: skip
STATUS_INKS = {scorecard.GREEN: PAPER, scorecard.RED: PAPER}
# Letter sizes, in hundredths of an inch.
TITLE, HEAD, TEXT, NOTE = 22.0, 16.5, 15.5, 14.5
LINE = 20.0
# Letters of DejaVu Sans are about this wide on average, as a share of their size.
LETTER = 0.6


@dataclass(frozen=True)
class Cast:
    """Who is compared with whom, and what they are called.

    Attributes
    ----------
    order : tuple of str
        Arms from first to last, without the baseline.
    labels, colors : mapping
        Name and colour of every arm.
    baseline : str
        Key of the arm everything is compared with.
    currency : str
        What money is counted in.
    names, units : mapping
        What each indicator is called and counted in.
    """

    order: tuple[str, ...]
    labels: Mapping[str, str]
    colors: Mapping[str, str]
    baseline: str
    currency: str
    names: Mapping[str, str]
    units: Mapping[str, str]

    @property
    def against(self) -> str:
        """The baseline's name in quotation marks."""
        return f"“{self.labels[self.baseline]}”"


@dataclass(frozen=True)
class Panel:
    """A rectangle of a sheet with a scale for each axis; `low` and `high` are (x, y)."""

    sheet: Sheet
    left: float
    top: float
    width: float
    height: float
    low: tuple[float, float]
    high: tuple[float, float]

    def x(self, value: float) -> float:
        """Return where a value stands from left to right."""
        return self.left + (value - self.low[0]) / (self.high[0] - self.low[0]) * self.width

    def y(self, value: float) -> float:
        """Return where a value stands from top to bottom."""
        share = (value - self.low[1]) / (self.high[1] - self.low[1])
        return self.top + (1 - share) * self.height

    def path(self, xs: Sequence[float], ys: Sequence[float]) -> list[tuple[float, float]]:
        """Return the points of a curve, without those that have no value."""
        return [(self.x(a), self.y(b)) for a, b in zip(xs, ys, strict=True) if math.isfinite(b)]

    def columns(self, values: Sequence[float], texts: Sequence[str] = ()) -> None:
        """Draw upright grid lines, with a tick's text below each where given."""
        bottom = self.top + self.height
        for place, value in enumerate(values):
            x = self.x(value)
            self.sheet.line([(x, self.top), (x, bottom)], GRID)
            if texts:
                self.sheet.write(x, bottom + 12, texts[place], NOTE, SOFT, anchor="middle")

    def scale(self, unit: str, most: int = 5) -> None:
        """Draw grid lines at round numbers, as many as their texts leave room for, and the unit."""
        tried = [ticks(self.low[0], self.high[0], count) for count in range(most, 1, -1)]
        fitting = [marked for marked in tried if len(marked) > 1 and self._apart(marked)]
        marked = fitting[0] if fitting else max(reversed(tried), key=len)
        texts = tick_texts(marked)
        if not fitting:  # too long for any: name the ends alone
            texts[1:-1] = [""] * len(texts[1:-1])
        self.columns(marked, texts)
        self.sheet.write(self.left + self.width / 2, self.top + self.height + 33, unit, NOTE, SOFT,
                         anchor="middle")  # fmt: skip

    def _apart(self, marked: Sequence[float]) -> bool:
        longest = max(map(len, tick_texts(marked)))
        return self.x(marked[1]) - self.x(marked[0]) >= LETTER * NOTE * longest + 8

    def zero(self, upright: bool) -> None:
        """Draw the line of no difference."""
        if upright:
            points = [(self.x(0), self.top), (self.x(0), self.top + self.height)]
        else:
            points = [(self.left, self.y(0)), (self.left + self.width, self.y(0))]
        self.sheet.line(points, BASELINE_COLOR, 1.8)


def arm_colors(arms: Sequence[str], baseline: str) -> dict[str, str]:
    """Return one colour per arm, by its place in the study; the baseline is grey."""
    others = [arm for arm in arms if arm != baseline]
    colors = {arm: ARM_COLORS[i % len(ARM_COLORS)] for i, arm in enumerate(others)}
    return colors | {baseline: BASELINE_COLOR}


def page(height: float, title: str, subtitle: str, width: float = WIDTH) -> tuple[Sheet, float]:
    """Return a sheet with a title and lines of explanation, and where the room below begins.

    `height` is that room's; the sheet is as much higher as the captions need.
    """
    lines = [
        line
        for part in subtitle.split("\n")
        for line in wrap(part, int(width / (0.97 * LETTER * TEXT)))
    ]
    begin = 40.0 + LINE * len(lines) + 8
    sheet = Sheet(width, begin + height)
    sheet.write(14, 24, title, TITLE, bold=True)
    for place, line in enumerate(lines):
        sheet.write(14, 52 + LINE * place, line, TEXT, SOFT)
    return sheet, begin


def span(values: np.ndarray, look: Shown, room: float) -> tuple[float, float]:
    """Return the ends of an axis that holds all values and 0, with a share of room at either end.

    Where nothing differs from 0 by as much as is shown, a scale of dust would say otherwise: the
    axis then holds one unit of the last digit on either side.
    """
    shown = np.round(values * look.factor, look.decimals)
    low = min(float(np.nanmin(shown, initial=0.0)), 0.0)
    high = max(float(np.nanmax(shown, initial=0.0)), 0.0)
    if low == high:
        low, high = -(10.0**-look.decimals), 10.0**-look.decimals
    return low - room * (high - low), high + room * (high - low)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers from low to high, about `most` of them, 0 among them if in range."""
    if not high > low:
        return [low]
    rough = (high - low) / max(most - 1, 1)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]


def tick_texts(values: Sequence[float]) -> list[str]:
    """Return ticks as text, all with the decimals that the finest needs."""
    decimals = next(
        (d for d in range(5) if all(abs(round(v, d) - v) < 1e-6 * max(1, abs(v)) for v in values)),
        5,
    )
    look = Shown(1, decimals, "")
    return [look.text(value) for value in values]


def badge(sheet: Sheet, x: float, y: float, flow: int, radius: float = 10.5) -> None:
    """Draw a flow's number in its colour."""
    sheet.circle(x, y, radius, COLORS[Flow(flow)], PAPER, 1.8)
    sheet.write(x, y, str(flow), 1.3 * radius, PAPER, bold=True, anchor="middle")


def light(sheet: Sheet, x: float, y: float, width: float, height: float, status: str) -> None:
    """Draw a status light from its upper left corner: the colour; its letter is for the caller."""
    sheet.box(x, y, width, height, STATUS_COLORS[status], radius=4)


def letter_ink(status: str) -> str:
    """Return the colour in which a light's letter is written."""
    return STATUS_INKS.get(status, INK)


def save(sheet: Sheet, stem: Path) -> tuple[Path, Path]:
    """Write `stem`.png and `stem`.svg and return their paths."""
    from experiments import raster  # matplotlib's renderer is slow to import, and only PNG needs it

    png, vector = stem.with_suffix(".png"), stem.with_suffix(".svg")
    raster.save(sheet, png)
    vector.write_text(sheet.svg(), encoding="utf-8")
    return png, vector


def wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of at most `width` letters."""
    return textwrap.wrap(text, width) or [""]
