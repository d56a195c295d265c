"""A sheet of paper to draw on: shapes and words in one list, written as SVG and as PNG alike.

A drawing is made once and then only written down, so that both forms show the same and nothing is
laid out twice. Units are hundredths of an inch; x runs to the right, y down. In SVG words stay
words: they can be searched, copied and read aloud, and they are small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Self

INK, SOFT, FAINT, PAPER = "#1d2733", "#55616e", "#d5dbe1", "#ffffff"
FONTS = "'DejaVu Sans', Verdana, 'Segoe UI', Arial, sans-serif"
# From the middle of a letter down to its base line, as a share of its size.
BASE = 0.36
ANCHORS = {"left": "start", "middle": "middle", "right": "end"}
# Bézier handles that make a quarter of a circle.
ROUND = 4 / 3 * (math.sqrt(2) - 1)

# A path: an SVG command letter (M, L, Q, C or Z) and its points.
Step = tuple[str, tuple[tuple[float, float], ...]]


@dataclass(frozen=True)
class Shape:
    """A path, filled or stroked or both; empty text for none."""

    steps: tuple[Step, ...]
    fill: str
    stroke: str
    width: float
    dash: tuple[float, ...]
    opacity: float
    round_ends: bool


@dataclass(frozen=True)
class Words:
    """One line of text; y is the middle of its letters."""

    x: float
    y: float
    text: str
    size: float
    color: str
    bold: bool
    anchor: str


@dataclass
class Sheet:
    """What is drawn, in the order of drawing; words lie on top of all shapes."""

    width: float
    height: float
    shapes: list[Shape] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)

    def path(
        self,
        steps: Sequence[Step],
        fill: str = "",
        stroke: str = "",
        width: float = 1.0,
        dash: Sequence[float] = (),
        opacity: float = 1.0,
        round_ends: bool = False,
    ) -> Self:
        """Draw a path."""
        self.shapes.append(
            Shape(tuple(steps), fill, stroke, width, tuple(dash), opacity, round_ends)
        )
        return self

    def line(
        self,
        points: Sequence[tuple[float, float]],
        color: str,
        width: float = 1.0,
        dash: Sequence[float] = (),
        round_ends: bool = False,
    ) -> Self:
        """Draw straight lines from point to point."""
        return self.path(
            _through(points), stroke=color, width=width, dash=dash, round_ends=round_ends
        )

    def polygon(
        self,
        points: Sequence[tuple[float, float]],
        fill: str,
        stroke: str = "",
        width: float = 1.0,
        opacity: float = 1.0,
    ) -> Self:
        """Draw a closed shape."""
        return self.path([*_through(points), ("Z", ())], fill, stroke, width, opacity=opacity)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str = "",
        stroke: str = "",
        line: float = 1.0,
        radius: float = 0.0,
    ) -> Self:
        """Draw a rectangle from its upper left corner, with round corners if a radius is given."""
        right, bottom, r = x + width, y + height, radius
        if r <= 0:
            return self.polygon([(x, y), (right, y), (right, bottom), (x, bottom)],
                                fill, stroke, line)  # fmt: skip
        steps: list[Step] = [
            ("M", ((x + r, y),)),
            ("L", ((right - r, y),)), ("Q", ((right, y), (right, y + r))),
            ("L", ((right, bottom - r),)), ("Q", ((right, bottom), (right - r, bottom))),
            ("L", ((x + r, bottom),)), ("Q", ((x, bottom), (x, bottom - r))),
            ("L", ((x, y + r),)), ("Q", ((x, y), (x + r, y))), ("Z", ()),
        ]  # fmt: skip
        return self.path(steps, fill, stroke, line)

    def circle(
        self, x: float, y: float, radius: float, fill: str, stroke: str = "", line: float = 1.0
    ) -> Self:
        """Draw a circle."""
        r, h = radius, ROUND * radius
        steps: list[Step] = [
            ("M", ((x + r, y),)),
            ("C", ((x + r, y + h), (x + h, y + r), (x, y + r))),
            ("C", ((x - h, y + r), (x - r, y + h), (x - r, y))),
            ("C", ((x - r, y - h), (x - h, y - r), (x, y - r))),
            ("C", ((x + h, y - r), (x + r, y - h), (x + r, y))), ("Z", ()),
        ]  # fmt: skip
        return self.path(steps, fill, stroke, line)

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 14.0,
        color: str = INK,
        bold: bool = False,
        anchor: str = "left",
        leading: float = 1.25,
    ) -> Self:
        """Write text whose lines, broken at newlines, stand around the middle y."""
        lines = text.split("\n")
        top = y - (len(lines) - 1) / 2 * leading * size
        for place, line in enumerate(lines):
            if line:
                self.words.append(
                    Words(x, top + place * leading * size, line, size, color, bold, anchor)
                )
        return self

    def svg(self) -> str:
        """Return the drawing as SVG, the same bytes for the same drawing."""
        width, height = _short(self.width), _short(self.height)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="{FONTS}">'
            f'<path fill="{PAPER}" d="M0 0H{width}V{height}H0Z"/>'
            f"{''.join(map(_shape_svg, self.shapes))}{''.join(map(_words_svg, self.words))}</svg>"
        )

    def _repr_svg_(self) -> str:
        """Show the drawing in a notebook."""
        return self.svg()


def _through(points: Sequence[tuple[float, float]]) -> list[Step]:
    return [("L" if place else "M", (point,)) for place, point in enumerate(points)]


def _short(number: float) -> str:
    """Return a number with at most one decimal."""
    text = f"{number:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _shape_svg(shape: Shape) -> str:
    route = "".join(
        name + " ".join(f"{_short(x)} {_short(y)}" for x, y in points)
        for name, points in shape.steps
    )
    look = f' fill="{shape.fill or "none"}"'
    if shape.opacity < 1:
        look += f' fill-opacity="{shape.opacity:g}"'
    if shape.stroke:
        look += f' stroke="{shape.stroke}" stroke-width="{shape.width:g}"'
        if shape.dash:
            look += f' stroke-dasharray="{" ".join(f"{d:g}" for d in shape.dash)}"'
        if shape.round_ends:
            look += ' stroke-linecap="round"'
    return f'<path{look} d="{route}"/>'


def _words_svg(words: Words) -> str:
    bold = ' font-weight="bold"' if words.bold else ""
    anchor = "" if words.anchor == "left" else f' text-anchor="{ANCHORS[words.anchor]}"'
    return (
        f'<text x="{_short(words.x)}" y="{_short(words.y + BASE * words.size)}" '
        f'font-size="{words.size:g}" fill="{words.color}"{bold}{anchor}>'
        f"{escape(words.text)}</text>"
    )
