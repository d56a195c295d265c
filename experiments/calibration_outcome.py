"""What a calibration came to: the fit, what it is judged by on fresh luck, tidy tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.analysis import Paired, paired
from experiments.calibration import Calibration, Parameter, Target
from experiments.calibration_fit import Fit, moved
from experiments.calibration_measures import MEASURES
from sim.physics import Physics

START, FITTED = "start", "fitted"
MET, CLOSE, MISSED = "met", "met, not surely", "missed"
FAR = 0.5  # halves of its range; a target farther off than that is worth a closer look


@dataclass(frozen=True)
class Favour:
    """A point that meets one target better, at the others' cost."""

    target: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Outcome:
    """A finished calibration.

    Attributes
    ----------
    today, rounded : tuple of float
        Each parameter as it is set in the market, and as fitted in few digits.
    beside : mapping
        Coefficients of the market's physics that were not fitted and are not the shipped defaults.
    judged : float64 (2 + favours, fresh, targets)
        Every target's measure on luck that was not fitted on: at the start, at the rounded fit, and
        at the points that favour a target.
    """

    name: str
    calibration: Calibration
    fit: Fit
    today: tuple[float, ...]
    rounded: tuple[float, ...]
    favours: tuple[Favour, ...]
    judged: np.ndarray
    beside: Mapping[str, float | int | bool]

    def sample(self, point: int, target: Target) -> Paired:
        """Return mean and interval of a measure at a judged point."""
        return paired(self.judged[point, :, self.calibration.targets.index(target)])

    def miss(self, point: int, target: Target) -> float:
        """Return how far a target is missed at a judged point, in halves of its range."""
        return (self.sample(point, target).mean - target.value) / target.scale

    def misfit(self, point: int) -> float:
        """Return the sum of squared misses at a judged point: what was fitted, on fresh luck."""
        return sum((t.weight * self.miss(point, t)) ** 2 for t in self.calibration.fitted)

    def far(self) -> list[Target]:
        """Return the targets that count and lie far from their aim at the fit, farthest first."""
        missed = {t: abs(t.weight * self.miss(1, t)) for t in self.calibration.fitted}
        return sorted((t for t in missed if missed[t] > FAR), key=lambda t: -missed[t])

    def verdict(self, point: int, target: Target) -> str:
        """Say whether a target is met at a judged point."""
        found = self.sample(point, target)
        if target.low <= found.low and found.high <= target.high:
            return MET
        return CLOSE if target.low <= found.mean <= target.high else MISSED


def rounded(value: float, parameter: Parameter, digits: int) -> float:
    """Return a value in so many significant digits, still within its bounds."""
    return min(max(float(f"{value:.{digits}g}"), parameter.low), parameter.high)


def tables(outcome: Outcome) -> dict[str, pd.DataFrame]:
    """Return everything as tidy tables by file name."""
    asked, fit = outcome.calibration, outcome.fit
    keys = [p.key for p in asked.parameters]
    points = [START, FITTED, *(f"favour_{f.target}" for f in outcome.favours)]
    judged = [
        (points[i], t.key, MEASURES[t.key].unit, t.value, t.low, t.high, t.weight, found.n,
         found.mean, found.low, found.high, outcome.miss(i, t), outcome.verdict(i, t), t.source)
        for i in range(len(points)) for t in asked.targets
        for found in [outcome.sample(i, t)]
    ]  # fmt: skip
    values = [
        [p.start for p in asked.parameters],
        outcome.rounded,
        *(f.values for f in outcome.favours),
    ]
    return {
        "parameters.csv": pd.DataFrame(
            {
                "parameter": keys,
                "unit": [unit_of(p.key) for p in asked.parameters],
                "low": [p.low for p in asked.parameters],
                "high": [p.high for p in asked.parameters],
                "start": [p.start for p in asked.parameters],
                "today": outcome.today,
                "fitted": fit.values,
                "rounded": outcome.rounded,
                "moved": [moved(p, v) for p, v in zip(asked.parameters, outcome.rounded,
                                                      strict=True)],
                "by_factor": [p.by_factor for p in asked.parameters],
                "error_by_luck": fit.by_luck,
                "error_by_range": fit.by_range,
                "fixed": fit.fixed,
                "at_bound": fit.at_bound,
            }
        ),
        "targets.csv": pd.DataFrame(
            judged,
            columns=["point", "target", "unit", "value", "range_low", "range_high", "weight", "n",
                     "mean", "low", "high", "miss", "verdict", "source"],
        ),
        "points.csv": pd.DataFrame(
            [(point, key, value) for point, row in zip(points, values, strict=True)
             for key, value in zip(keys, row, strict=True)],
            columns=["point", "parameter", "value"],
        ),
        "slopes.csv": pd.DataFrame(
            [(t.key, key, fit.slopes[i, j]) for i, t in enumerate(asked.fitted)
             for j, key in enumerate(keys)],
            columns=["target", "parameter", "slope"],
        ),
        "directions.csv": pd.DataFrame(
            [(i + 1, fit.strength[i], key, fit.directions[i, j])
             for i in range(len(fit.strength)) for j, key in enumerate(keys)],
            columns=["direction", "strength", "parameter", "loading"],
        ),
        "rounds.csv": pd.DataFrame(
            [(i + 1, r.misfit, *r.values, *r.measures) for i, r in enumerate(fit.rounds)],
            columns=["round", "misfit", *keys, *(f"measured_{t.key}" for t in asked.fitted)],
        ),
    }  # fmt: skip


def unit_of(key: str) -> str:
    """Return the unit of a coefficient."""
    return str(Physics.__dataclass_fields__[key].metadata.get("unit", "-"))
