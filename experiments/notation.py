"""How numbers, lights and lists are written: alike in the terminal, in figures and on the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sim import scorecard

LETTERS = {
    scorecard.GREEN: "G", scorecard.AMBER: "A", scorecard.RED: "R", scorecard.NO_DATA: "?",
    scorecard.NO_TARGET: "–",
}  # fmt: skip
# What the question mark says, in the scorecard and on the strategy map alike.
NO_DATA_MEANS = "no data: not measured, or not defined in that quarter"
PERSPECTIVES = {
    "financial": "Financial", "customer": "Stakeholders", "internal": "Internal processes",
    "learning": "Learning and growth",
}  # fmt: skip
SCALE = "on a scale from \u22121 to 1"
MEASURE_UNITS = {
    "salience": "probability",
    "attitude": SCALE,
    "expectation": "on a scale from 0 to 1",
    "trust": "share",
    "satisfaction": SCALE,
    "tied": "share of the type",
    "positive_voices": "voices per head and quarter",
    "negative_voices": "voices per head and quarter",
}
ARROWS = {1: "↑", 0: "→", -1: "↓", None: ""}
MOST_DECIMALS = 4


@dataclass(frozen=True)
class Shown:
    """How an indicator's numbers are shown: times `factor`, with `decimals`, in `unit`."""

    factor: float
    decimals: int
    unit: str

    def text(self, value: float, signed: bool = False) -> str:
        """Return the number without its unit; an en dash where there is none."""
        if value is None or not math.isfinite(value):
            return "–"
        number = round(value * self.factor, self.decimals) + 0.0
        sign = "+" if signed and number > 0 else ""
        return f"{sign}{number:,.{self.decimals}f}".replace("-", "\u2212")

    def amount(self, value: float, signed: bool = False) -> str:
        """Return the number with its unit, as a sentence has it."""
        unit = self.unit.replace("% points", "percentage points")
        return f"{self.text(value, signed)} {unit}"


def shown(unit: str, currency: str, size: float = 0.0, change: bool = False) -> Shown:
    """Return how an indicator of that unit is shown; `size` is the largest number to come.

    Shares are shown in percent and their changes in percentage points (% points); money counted in
    thousands turns to millions where that is shorter.
    """
    unit, slash, each = unit.partition("/")
    per = f" per {each}" if slash else ""
    if unit == "currency":
        return money(currency, size, per)
    if unit in ("share", "probability"):
        decimals = _decimals(100 * size, 1) if change else 1
        return Shown(100, decimals, f"{'% points' if change else '%'}{per}")
    if unit == "-1..1":
        return Shown(1, _decimals(size, 2) if change else 2, SCALE)
    return Shown(1, _decimals(size, 1) if change else 1, unit + per)


def money(currency: str, size: float, per: str = "") -> Shown:
    """Return how money is shown, given the largest amount to come."""
    if currency.startswith("thousand ") and size >= 1_000:
        decimals = 1 if size >= 10_000 else 2
        return Shown(1e-3, decimals, currency.replace("thousand", "million", 1) + per)
    decimals = 0 if size >= 100 else 1 if size >= 1 else 3
    return Shown(1, decimals, currency + per)


def percent(share: float) -> str:
    """Return a share as a whole percentage; an en dash where there is none."""
    return "–" if math.isnan(share) else f"{100 * share:.0f}\u00a0%"


def listed(words: Sequence[str]) -> str:
    """Return words as an enumeration: a, b and c."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def flows_named(numbers: Sequence[int]) -> str:
    """Return flows as a sentence names them: flow 4; flows 4 and 6."""
    return f"flow{'s' if len(numbers) > 1 else ''} {listed([str(number) for number in numbers])}"


def _decimals(size: float, least: int) -> int:
    """Return decimals that leave the largest number two digits; `least` if it would still be 0."""
    if not size >= 0.5 * 10.0**-MOST_DECIMALS:
        return least
    return max(least, min(MOST_DECIMALS, 1 - math.floor(math.log10(size))))
