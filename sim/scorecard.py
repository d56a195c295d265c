"""The Balanced Scorecard: what was aimed at, what came out, how sure that is, per quarter.

Status follows goal/red-flag scoring: the goal turns an indicator green (score 6.7 of 10), the red
flag turns it red (3.3), and between the two it is amber. The goal ramps up linearly from its
reference (today's value, or the baseline's of the same quarter) until the quarter it is due; the
red flag follows at a constant distance. The baseline has a light of its own, because a goal that
it meets as well says nothing about a portfolio. What cannot be defined is grey, never zero. Who
prefers it can have the other convention, target and variance: green at the target, amber within a
share of it, red beyond; the red flag then has no say. The
Influence Scorecard is a view of the same rows: those that have a flow, whatever department's silo
they came from.
Source: Kaplan & Norton (2004); goal/red-flag scoring as in current scorecard software.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sim import kpis
from sim.catalogue import COUNTED
from sim.checks import check_fields, nearest, require_one_of
from sim.fields import number, word

GREEN, AMBER, RED, NO_DATA, NO_TARGET = "green", "amber", "red", "no data", "no target"
STATUSES = (GREEN, AMBER, RED, NO_DATA, NO_TARGET)
BASES = ("value", "change", "relative")
REFERENCES = ("opening", "baseline")
GOAL_RED_FLAG, TARGET_VARIANCE = "goal_red_flag", "target_variance"
STATUS_RULES = (GOAL_RED_FLAG, TARGET_VARIANCE)
TRUTH, READING = "truth", "reading"
GOAL_SCORE, RED_SCORE = 20 / 3, 10 / 3
DEAD_BAND = 0.02
BAND = (0.1, 0.9)
NOBODY = "nobody"


@dataclass(frozen=True)
class Target:
    """What one indicator shall reach, by when, and where alarm begins."""

    kpi: str = word("indicator, see sim/kpis.py")
    objective: str = word("what is aimed at, in words")
    basis: str = word("how goal and red flag are meant: value, change or relative")
    goal: float = number(-1e15, 1e15, "the basis's", "turns the light green")
    red_flag: float = number(-1e15, 1e15, "the basis's", "turns the light red")
    against: str = word("what change and relative refer to: opening or baseline")
    by: int = number(1, 80, "quarters", "when the goal is due; a straight ramp until then")
    weight: float = number(0, 100, "-", "weight in the perspective's mean score")
    worth: float = number(
        0, 1e15, "the basis's", "smallest difference worth having; a share of its value if relative"
    )

    def __post_init__(self) -> None:
        """Check names, ranges and that the goal is better than the red flag."""
        if self.kpi not in kpis.INDEX:
            raise KeyError(f"unknown indicator {self.kpi!r}{nearest(self.kpi, kpis.INDEX)}")
        require_one_of(f"targets.{self.kpi}.basis", self.basis, BASES)
        require_one_of(f"targets.{self.kpi}.against", self.against, REFERENCES)
        check_fields(self)
        if self._direction * (self.goal - self.red_flag) <= 0:
            side = "above" if self._direction > 0 else "below"
            raise ValueError(
                f"targets.{self.kpi}: goal={self.goal:g} must lie {side} red_flag={self.red_flag:g}"
            )

    @property
    def _direction(self) -> int:
        return kpis.TABLE[kpis.INDEX[self.kpi]].direction

    def worth_having(self, value: float) -> float:
        """Return the smallest difference worth having in the indicator's unit, at a value of it."""
        return self.worth * abs(value) if self.basis == "relative" else self.worth

    def path(self, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return goal and red flag per quarter.

        Parameters
        ----------
        reference : float array (..., quarters + 1)
            Today's value repeated, or the baseline's value of each quarter; NaN where undefined.

        A red flag that is not worse than the goal, once the goal is kept possible, is NaN.
        """
        due = np.minimum(np.arange(reference.shape[-1]) / self.by, 1.0)
        full, alarm = self._level(self.goal, reference), self._level(self.red_flag, reference)
        full = self._possible(full)
        alarm = np.where(self._direction * (full - alarm) > 0, alarm, np.nan)
        goal = reference + due * (full - reference)
        if self.basis == "value":
            goal = np.where(np.isnan(reference), full, goal)
        return goal, goal - (full - alarm)

    def _possible(self, goal: np.ndarray) -> np.ndarray:
        """Keep a goal within what its unit allows: nobody answers 105 % of complaints."""
        unit = kpis.TABLE[kpis.INDEX[self.kpi]].unit
        if unit == "-1..1":
            return np.clip(goal, -1.0, 1.0)
        if unit == "weeks":
            return np.maximum(goal, 0.0)
        if not unit.startswith(("share", "probability")):
            return goal
        return np.minimum(goal, 1.0) if self._direction > 0 else np.maximum(goal, 0.0)

    def _level(self, level: float, reference: np.ndarray) -> np.ndarray:
        """Return what a level means; relative 1.1 adds a tenth of the size, also below 0."""
        if self.basis == "value":
            return np.full(reference.shape, level)
        if self.basis == "change":
            return reference + level
        size = np.where(reference == 0, np.nan, np.abs(reference))
        return reference + (level - 1) * size


@dataclass(frozen=True)
class Board:
    """The scorecard's targets, and how it gives lights and raises alarm."""

    targets: tuple[Target, ...] = word("what the indicators shall reach")
    status: str = word("how lights are given: goal_red_flag or target_variance")
    variance: float = number(0, 1, "share of the target", "amber within it, if target_variance")
    lights: str = word("what the lights show first: truth or reading")
    neglected_after: int = number(
        1, 80, "quarters", "unsensed and unserved for so long, a flow is neglected"
    )
    ready_from: float = number(
        0, 1, "share", "a funded mechanism whose bundle is less ready than this is a gap"
    )
    labels: Mapping[str, str] = word(
        "what this market calls an indicator, by its name in the tables; others keep the usual name"
    )
    nouns: Mapping[str, str] = word(
        "whom this market counts in units instead of a customer and customers"
    )

    def __post_init__(self) -> None:
        """Check names and ranges."""
        for name, allowed in (("labels", kpis.INDEX), ("nouns", COUNTED)):
            for key, text in getattr(self, name).items():
                require_one_of(f"scorecard.{name}", key, allowed)
                if not text.strip():
                    raise ValueError(f"scorecard.{name}.{key} is empty: it must be a name")
        require_one_of("scorecard.status", self.status, STATUS_RULES)
        require_one_of("scorecard.lights", self.lights, (TRUTH, READING))
        check_fields(self)

    @property
    def tolerance(self) -> float | None:
        """The variance where it decides on lights; None under goals and red flags."""
        return self.variance if self.status == TARGET_VARIANCE else None

    @cached_property
    def indicators(self) -> tuple[kpis.Kpi, ...]:
        """All indicators, in the order of `sim.kpis.TABLE`, as this market names them."""
        return tuple(
            replace(
                kpi,
                label=self.labels.get(kpi.key, kpi.label),
                unit="/".join(self.nouns.get(part, part) for part in kpi.unit.split("/")),
            )
            for kpi in kpis.TABLE
        )


@dataclass(frozen=True)
class Row:
    """One indicator at one quarter's close.

    Attributes
    ----------
    quarter : int
        0 is the opening state.
    kpi : sim.kpis.Kpi
        Label, perspective, unit, owner department, flow.
    objective : str
        Empty without target.
    target, red_flag, actual, low, high, baseline : float
        In the indicator's unit; `actual` and `baseline` are means over replications, `low` and
        `high` the band that holds the middle 80 % of them and their mean. NaN where undefined.
    score : float
        0 to 10; the goal is 6.7, the red flag 3.3. NaN without data or target.
    status, baseline_status : str
        One of STATUSES: of the portfolio shown, and of the baseline under the same target.
    trend : int or None
        1 rose, -1 fell, 0 within the dead band since the quarter before; None unknown.
    probability : float
        Share of replications at or beyond the target. NaN without target or data.
    n : int
        Replications with a value.
    weight : float
        Weight in the perspective's mean score.
    """

    quarter: int
    kpi: kpis.Kpi
    objective: str
    target: float
    red_flag: float
    actual: float
    low: float
    high: float
    baseline: float
    score: float
    status: str
    baseline_status: str
    trend: int | None
    probability: float
    n: int
    weight: float

    @property
    def improving(self) -> bool | None:
        """Whether the trend is for the better; None if steady or unknown."""
        return None if not self.trend else self.trend * self.kpi.direction > 0


def scorecard(
    values: np.ndarray,
    baseline: np.ndarray,
    targets: Iterable[Target],
    tolerance: float | None = None,
    reference: np.ndarray | None = None,
    indicators: Sequence[kpis.Kpi] | None = None,
) -> tuple[Row, ...]:
    """Return one row per quarter and indicator, in the order of `sim.kpis.TABLE`.

    Parameters
    ----------
    values, baseline : float arrays (replications, quarters + 1, len(kpis.TABLE))
        Of the portfolio shown and of the baseline, on the same luck; NaN where undefined or
        missing. Targets refer to the baseline: at the opening (or the first quarter that has a
        value, for indicators that count over a quarter), or quarter by quarter. Lights compare
        means; the chance to meet a goal compares each replication with its own baseline, because
        levels differ from one replication to the next by more than most portfolios change.
    targets : iterable of Target
        At most one per indicator.
    tolerance : float, optional
        Share of the target within which a miss is amber, by target and variance; by default lights
        follow goals and red flags.
    reference : float array as `baseline`, optional
        What targets refer to, if not to `baseline`: the truth, where readings are shown.
    indicators : sequence of sim.kpis.Kpi, optional
        `sim.kpis.TABLE` as this market names it, see `Board.indicators`.
    """
    reference = baseline if reference is None else reference
    by_kpi: dict[str, Target] = {}
    for target in targets:
        if target.kpi in by_kpi:
            raise ValueError(f"targets: {target.kpi!r} has two targets; give one")
        by_kpi[target.kpi] = target
    found: list[Row] = []
    for index, kpi in enumerate(indicators or kpis.TABLE):
        found += _rows(
            kpi,
            values[:, :, index],
            baseline[:, :, index],
            by_kpi.get(kpi.key),
            tolerance,
            reference[:, :, index],
        )
    return tuple(sorted(found, key=lambda row: (row.quarter, kpis.INDEX[row.kpi.key])))


def _rows(
    kpi: kpis.Kpi,
    values: np.ndarray,
    baseline: np.ndarray,
    target: Target | None,
    tolerance: float | None,
    reference: np.ndarray,
) -> list[Row]:
    actual, as_is = mean(values), mean(baseline)
    low, high = band(values)
    goal, red = _aims(target, mean(reference))
    own_goal, _ = _aims(target, reference)
    met = _share_at_or_beyond(values, own_goal, kpi.direction)
    counted = (~np.isnan(values)).sum(axis=0)
    rows = []

    def light(value: float, points: float, aim: float) -> str:
        if tolerance is None:
            return _status(value, points, target)
        return _status_within(value, aim, target, tolerance)

    for q in range(values.shape[1]):
        points = score(actual[q], goal[q], red[q])
        rows.append(
            Row(
                quarter=q,
                kpi=kpi,
                objective=target.objective if target else "",
                target=float(goal[q]),
                red_flag=float(red[q]),
                actual=float(actual[q]),
                low=float(low[q]),
                high=float(high[q]),
                baseline=float(as_is[q]),
                score=points,
                status=light(actual[q], points, goal[q]),
                baseline_status=light(as_is[q], score(as_is[q], goal[q], red[q]), goal[q]),
                trend=trend(actual[q - 1], actual[q], abs(goal[q] - red[q])) if q else None,
                probability=float(met[q]),
                n=int(counted[q]),
                weight=target.weight if target else 0.0,
            )
        )
    return rows


def _aims(target: Target | None, as_is: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return goal and red flag per quarter, as `as_is` is shaped; NaN without target."""
    if target is None:
        nothing = np.full(as_is.shape, np.nan)
        return nothing, nothing
    if target.against == "baseline":
        return target.path(as_is)
    first = np.expand_dims((~np.isnan(as_is)).argmax(axis=-1), -1)
    return target.path(np.repeat(np.take_along_axis(as_is, first, -1), as_is.shape[-1], axis=-1))


def mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis of what is defined, NaN where nothing is."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=0)
    total = np.where(defined, values, 0.0).sum(axis=0)
    result: np.ndarray = np.divide(
        total, count, out=np.full(total.shape, np.nan), where=count > 0, dtype=np.float64
    )
    return result


def band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the band of the middle 80 % over the first axis, widened to the mean.

    A few extreme replications can pull the mean out of the middle; a reader who sees it outside
    its own band would take that for an error. NaN where nothing is defined.
    """
    ordered = np.sort(values, axis=0)  # NaN come last
    last = (~np.isnan(values)).sum(axis=0) - 1
    middle = mean(values)
    ends = []
    for share in BAND:
        place = np.maximum(share * last, 0.0)
        lower = np.floor(place).astype(np.int64)
        upper = np.minimum(lower + 1, np.maximum(last, 0))
        below = np.take_along_axis(ordered, lower[None], axis=0)[0]
        above = np.take_along_axis(ordered, upper[None], axis=0)[0]
        ends.append(below + (place - lower) * (above - below))
    return np.minimum(ends[0], middle), np.maximum(ends[1], middle)


def score(actual: float, goal: float, red_flag: float) -> float:
    """Return the goal/red-flag score, 0 to 10; NaN where anything is undefined.

    The goal scores 6.7, the red flag 3.3, straight between and beyond; a goal below its red flag
    means that lower is better.
    """
    if math.isnan(actual) or math.isnan(goal) or math.isnan(red_flag) or goal == red_flag:
        return float("nan")
    points = RED_SCORE + (GOAL_SCORE - RED_SCORE) * (actual - red_flag) / (goal - red_flag)
    return float(min(max(points, 0.0), 10.0))


def trend(before: float, now: float, span: float) -> int | None:
    """Return 1, -1 or 0 (moved less than 2 % of the span from red flag to goal).

    Without target the dead band is 2 % of the value's own size before.
    """
    if math.isnan(before) or math.isnan(now):
        return None
    width = DEAD_BAND * (abs(before) if math.isnan(span) else span)
    return (1 if now > before else -1) if abs(now - before) > width else 0


def _status(actual: float, points: float, target: Target | None) -> str:
    if math.isnan(actual):
        return NO_DATA
    if target is None:
        return NO_TARGET
    if math.isnan(points):
        return NO_DATA
    # The tolerance keeps a goal met exactly from turning amber by rounding.
    if points >= GOAL_SCORE - 1e-9:
        return GREEN
    return RED if points <= RED_SCORE + 1e-9 else AMBER


def _status_within(actual: float, aim: float, target: Target | None, tolerance: float) -> str:
    """Return the light by target and variance: amber as far short as that share of the target."""
    if target is None or math.isnan(actual):
        return NO_TARGET if target is None and not math.isnan(actual) else NO_DATA
    if math.isnan(aim):
        return NO_DATA
    ahead = kpis.TABLE[kpis.INDEX[target.kpi]].direction * (actual - aim)
    slack = 1e-12 * max(abs(aim), 1.0)
    if ahead >= -slack:
        return GREEN
    return AMBER if ahead >= -tolerance * abs(aim) - slack else RED


def _share_at_or_beyond(values: np.ndarray, goal: np.ndarray, direction: int) -> np.ndarray:
    """Return the share of replications at or beyond their goal; NaN without goal or values."""
    slack = 1e-12 * np.maximum(np.abs(goal), 1.0)
    known = ~np.isnan(values) & ~np.isnan(goal)
    return mean(np.where(known, direction * (values - goal) >= -slack, np.nan))


def at(rows: Iterable[Row], quarter: int) -> tuple[Row, ...]:
    """Return the rows of one quarter."""
    return tuple(row for row in rows if row.quarter == quarter)


def by_perspective(rows: Iterable[Row]) -> dict[str, tuple[Row, ...]]:
    """Group rows by the four perspectives, in their order: the Balanced Scorecard."""
    return _group(rows, kpis.PERSPECTIVES, lambda row: row.kpi.perspective)


def by_flow_and_audience(rows: Iterable[Row]) -> dict[tuple[int, str], tuple[Row, ...]]:
    """Group the rows that have a flow by flow and audience; '' is everybody, a row may stand twice.

    This is the Influence Scorecard's matrix: six flows by stakeholders.
    """
    found: dict[tuple[int, str], tuple[Row, ...]] = {}
    for row in rows:
        if row.kpi.flow is not None:
            for word_ in row.kpi.audience or ("",):
                place = (row.kpi.flow, word_)
                found[place] = (*found.get(place, ()), row)
    return found


def influence_view(rows: Iterable[Row]) -> dict[int, tuple[Row, ...]]:
    """Group the rows that have a flow by flow 1 to 6: the Influence Scorecard, without silos."""
    return _group(rows, range(1, 7), lambda row: row.kpi.flow)


def silo_view(rows: Iterable[Row], departments: Mapping[str, str]) -> dict[str, tuple[Row, ...]]:
    """Group rows by the department whose silo they come from, by name; rows of nobody come last.

    Parameters
    ----------
    departments : mapping
        Who runs here what the list of indicators gives to an owner; an owner that is not in it has
        no department, and its rows stand under `NOBODY`.
    """

    def home(row: Row) -> str:
        return departments.get(row.kpi.owner, NOBODY)

    listed = tuple(rows)
    found = {home(row) for row in listed}
    last = [NOBODY] if NOBODY in found else []
    return _group(listed, [*sorted(found - {NOBODY}), *last], home)


def _group(rows: Iterable[Row], keys: Iterable[Any], key_of: Any) -> dict[Any, tuple[Row, ...]]:
    listed = tuple(rows)
    return {key: tuple(row for row in listed if key_of(row) == key) for key in keys}


def mean_score(rows: Iterable[Row]) -> float:
    """Return the weighted mean score of rows that have one; NaN if none has."""
    scored = [(row.score, row.weight) for row in rows if not np.isnan(row.score)]
    total = sum(weight for _, weight in scored)
    return sum(points * weight for points, weight in scored) / total if total else float("nan")


def count(rows: Sequence[Row]) -> dict[str, int]:
    """Return how many rows have each status."""
    return {status: sum(row.status == status for row in rows) for status in STATUSES}
