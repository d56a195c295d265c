"""What came out of a calibration: tables, lines for a terminal, a page, a file of physics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.analysis import Paired, paired
from experiments.calibration import Calibration, Parameter, Target
from experiments.calibration_fit import WEAK, Fit
from experiments.calibration_measures import MEASURES
from experiments.notation import listed, percent
from sim.scenario import Physics

START, FITTED = "start", "fitted"
MET, CLOSE, MISSED = "met", "met, not surely", "missed"
SHOWN_LOADING = 0.3  # of a direction of length 1
MOST_ERROR = float(np.log(100.0))  # in the fitted scale; wider intervals say nothing
Z = 1.959963984540054  # of the normal distribution, 95 %


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

    def sample(self, point: int, target: Target) -> Paired:
        """Return mean and interval of a measure at a judged point."""
        return paired(self.judged[point, :, self.calibration.targets.index(target)])

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
         found.mean, found.low, found.high, outcome.verdict(i, t), t.source)
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
                "unit": [_unit(p) for p in asked.parameters],
                "low": [p.low for p in asked.parameters],
                "high": [p.high for p in asked.parameters],
                "start": [p.start for p in asked.parameters],
                "today": outcome.today,
                "fitted": fit.values,
                "rounded": outcome.rounded,
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
                     "mean", "low", "high", "verdict", "source"],
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


def physics_yaml(outcome: Outcome, command: str) -> str:
    """Return a file of the group physics with the fitted values."""
    lines = [
        f"# Fitted by `{command}`.",
        "defaults:",
        "  - defaults",
        "  - _self_",
        *(
            f"{p.key}: {value:g}  # {_unit(p)}; fitted, {error_text(outcome, i)}"
            for i, (p, value) in enumerate(
                zip(outcome.calibration.parameters, outcome.rounded, strict=True)
            )
        ),
    ]
    return "\n".join(lines) + "\n"


def lines(outcome: Outcome) -> list[str]:
    """Return what a terminal shows."""
    parts = [
        f"{outcome.calibration.label}: {fit_in_words(outcome)}",
        "",
        *_columns(parameter_rows(outcome)),
        "",
        *_columns(target_rows(outcome)),
        "",
        *(f"- {text}" for text in (*met_in_words(outcome), *fixed_in_words(outcome))),
    ]
    return parts


def page(outcome: Outcome) -> str:
    """Return the whole calibration as a page in markdown."""
    asked = outcome.calibration
    notes = [
        f"**{MEASURES[t.key].label}**: {MEASURES[t.key].meaning}. Target: {t.source}."
        for t in asked.targets
    ]
    favoured = (
        ["## What one target would cost the others", "", FAVOURED, "",
         *_markdown(favour_rows(outcome)), ""]
        if outcome.favours else []
    )  # fmt: skip
    parts = [
        f"# Calibration: {asked.label[:1].lower()}{asked.label[1:]}",
        "",
        f"<!-- Generated by: influence calibrate {outcome.name} --markdown -->",
        "",
        f"What is fitted, to what and on which market stands in "
        f"`configs/calibration/{outcome.name}.yaml`.",
        "",
        fit_in_words(outcome),
        "",
        "## Parameters",
        "",
        ERRORS,
        "",
        *_markdown(parameter_rows(outcome)),
        "",
        "## Targets",
        "",
        f"Achieved values are means over {asked.fresh} replications that were not fitted on, with "
        "their 95 % interval.\nTargets marked *looked at* do not count in the fit.",
        "",
        *_markdown(target_rows(outcome)),
        "",
        *(f"- {text}" for text in met_in_words(outcome)),
        "",
        *favoured,
        "## What the targets fix",
        "",
        DIRECTIONS,
        "",
        *_markdown(direction_rows(outcome)),
        "",
        *(f"- {text}" for text in fixed_in_words(outcome)),
        "",
        "## What is measured",
        "",
        *(f"- {text}" for text in notes),
    ]
    return "\n".join(parts) + "\n"


ERRORS = """“By luck” is how far luck alone could have moved the fit. “By ranges” is how far a
parameter may lie if each target were known to half its range, and the parameter beforehand to half
the way between its bounds. Both are 95 % intervals from the slopes at the fit. “Fixed by targets”
is the share of the variance between the bounds that the targets take away: what they do not fix
stays near its start. “Today” is what the settings hold."""
DIRECTIONS = """Each direction is a joint change of parameters (logarithms of those that are above
0, else shares of the way between the bounds). Its strength says by how many halves of their ranges
the targets move together for a step of one along it."""
FAVOURED = """From the slopes at the fit: the point at which one target counts ten times as much,
measured on the same fresh luck."""


def fit_in_words(outcome: Outcome) -> str:
    """Say how the fit went."""
    asked, fit = outcome.calibration, outcome.fit
    first, last = fit.rounds[0].misfit, float((fit.off**2).sum())
    ended = "came to rest" if fit.settled else "was stopped before it came to rest"
    return (
        f"{len(asked.parameters)} parameters fitted to {len(asked.fitted)} targets on "
        f"{asked.replications} replications (seed {asked.seed}); the fit {ended} after "
        f"{len(fit.rounds)} rounds; the sum of squared misses, in halves of ranges, fell from "
        f"{first:.2f} to {last:.2f}."
    )


def parameter_rows(outcome: Outcome) -> list[list[str]]:
    """Return the table of parameters, its head first."""
    fit = outcome.fit
    rows = [["parameter", "unit", "bounds", "start", "today", "fitted", "by luck", "by ranges",
             "fixed by targets"]]  # fmt: skip
    for i, p in enumerate(outcome.calibration.parameters):
        fitted = f"{outcome.rounded[i]:g}" + (" (at its bound)" if fit.at_bound[i] else "")
        rows.append(
            [p.key, _unit(p), f"{p.low:g} to {p.high:g}", f"{p.start:g}",
             f"{outcome.today[i]:g}", fitted,
             _around(p, fit.values[i], fit.by_luck[i]),
             _around(p, fit.values[i], fit.by_range[i]), percent(fit.fixed[i])]
        )  # fmt: skip
    return rows


def target_rows(outcome: Outcome) -> list[list[str]]:
    """Return the table of targets, its head first."""
    rows = [["target", "unit", "aim", "range", "at the start", "achieved", "verdict"]]
    for t in outcome.calibration.targets:
        verdict = outcome.verdict(1, t) + ("" if t.weight else " (looked at)")
        rows.append(
            [MEASURES[t.key].label, MEASURES[t.key].unit, f"{t.value:g}",
             f"{t.low:g} to {t.high:g}", f"{outcome.sample(0, t).mean:.3f}",
             _interval(outcome.sample(1, t)), verdict]
        )  # fmt: skip
    return rows


def favour_rows(outcome: Outcome) -> list[list[str]]:
    """Return what comes of favouring single targets, the head first."""
    rows = [["target", *(f"favouring {_name(f.target)}" for f in outcome.favours), "as fitted"]]
    for t in outcome.calibration.targets:
        cells = [
            f"{outcome.sample(place, t).mean:.3f} ({outcome.verdict(place, t)})"
            for place in [*range(2, 2 + len(outcome.favours)), 1]
        ]
        rows.append([MEASURES[t.key].label, *cells])
    for i, p in enumerate(outcome.calibration.parameters):
        cells = [f"{f.values[i]:.3g}" for f in outcome.favours]
        rows.append([f"`{p.key}`", *cells, f"{outcome.rounded[i]:g}"])
    return rows


def direction_rows(outcome: Outcome) -> list[list[str]]:
    """Return the directions, strongest first, the head before them."""
    rows = [["strength", "direction"]]
    for strength, direction in zip(outcome.fit.strength, outcome.fit.directions, strict=True):
        rows.append([f"{strength:.2f}", _direction(outcome.calibration.parameters, direction)])
    return rows


def met_in_words(outcome: Outcome) -> list[str]:
    """Say which targets are met and what could not be met at once."""
    asked = outcome.calibration
    said = []
    for weighed, who in ((True, "targets that count in the fit"), (False, "that are looked at")):
        these = [t for t in asked.targets if bool(t.weight) == weighed]
        missed = [t for t in these if outcome.verdict(1, t) == MISSED]
        if these:
            said.append(f"Of {len(these)} {who}, {len(these) - len(missed)} lie in their range.")
        for t in missed:
            found = outcome.sample(1, t)
            side = "below" if found.mean < t.low else "above"
            said.append(
                f"Missed: {_name(t.key)} comes to {_interval(found)}, {side} {t.low:g} to "
                f"{t.high:g}."
            )
    for place, favour in enumerate(outcome.favours, start=2):
        target = next(t for t in asked.targets if t.key == favour.target)
        said.append(f"{_favoured(outcome, target)} {_price(outcome, place, target)}")
    return said


def _favoured(outcome: Outcome, target: Target) -> str:
    """Say where a target ended that could be favoured."""
    name = MEASURES[target.key].label
    return f"{name} ended at {outcome.sample(1, target).mean:.3g} for an aim of {target.value:g}:"


def _price(outcome: Outcome, place: int, target: Target) -> str:
    """Say what favouring a target brings and what it costs, as far as fresh luck shows it."""
    there, here = (outcome.sample(i, target).mean for i in (place, 1))
    if abs(there - target.value) >= abs(here - target.value):
        return "following the slopes brings it no nearer."
    lost = [
        f"{_name(t.key)} ({outcome.sample(place, t).mean:.3g}, range {t.low:g} to {t.high:g})"
        for t in outcome.calibration.targets
        if outcome.verdict(place, t) == MISSED != outcome.verdict(1, t)
    ]
    if lost:
        return f"bringing it to {there:.3g} puts {listed(lost)} out of range."
    return f"bringing it to {there:.3g} leaves in their range all that are met."


def fixed_in_words(outcome: Outcome) -> list[str]:
    """Say what the targets leave open: parameters at bounds, weak directions, targets not used."""
    asked, fit = outcome.calibration, outcome.fit
    said = []
    bound = [p.key for p, at in zip(asked.parameters, fit.at_bound, strict=True) if at]
    if bound:
        said.append(f"At a bound, so that the bound and not a target decides: {listed(bound)}.")
    weak = [d for s, d in zip(fit.strength, fit.directions, strict=True) if s < WEAK]
    for direction in weak:
        said.append(
            "Hardly fixed by any target, and so left near its start: "
            f"{_direction(asked.parameters, direction)}."
        )
    spare = len(asked.parameters) - len(asked.fitted)
    if spare > 0:
        said.append(f"There are {spare} more parameters than targets: so many stay undecided.")
    if not bound and not weak and spare <= 0:
        said.append("The targets fix every parameter: no bound is touched, no direction is weak.")
    return said


def error_text(outcome: Outcome, place: int) -> str:
    """Return how surely a parameter is fitted, in words."""
    parameter, fit = outcome.calibration.parameters[place], outcome.fit
    if fit.at_bound[place]:
        return "at its bound"
    interval = _around(parameter, fit.values[place], fit.by_luck[place])
    return f"{interval} by luck"


def _around(parameter: Parameter, value: float, error: float) -> str:
    """Return the 95 % interval of a parameter from its error in the fitted scale."""
    if not math.isfinite(error):
        return "–"
    if Z * error > MOST_ERROR:
        return "not fixed"
    if parameter.by_factor:
        low, high = value * math.exp(-Z * error), value * math.exp(Z * error)
    else:
        wide = Z * error * (parameter.high - parameter.low)
        low, high = value - wide, value + wide
    return f"{low:.2g} to {high:.2g}"


def _direction(parameters: Sequence[Parameter], direction: np.ndarray) -> str:
    order = np.argsort(-np.abs(direction), kind="stable")
    shown = [i for i in order if abs(direction[i]) >= SHOWN_LOADING]
    return ", ".join(f"{direction[i]:+.2f} {parameters[i].key}" for i in shown)


def _interval(found: Paired) -> str:
    return f"{found.mean:.3f} ({found.low:.3f} to {found.high:.3f})"


def _name(key: str) -> str:
    label = MEASURES[key].label
    return label[:1].lower() + label[1:]


def _unit(parameter: Parameter) -> str:
    return str(Physics.__dataclass_fields__[parameter.key].metadata["unit"])


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(f"{cell:{w}}" for cell, w in zip(row, widths, strict=True)).rstrip()
            for row in rows]  # fmt: skip


def _markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return [head, "|" + "---|" * len(rows[0]), *body]
