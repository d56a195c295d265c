"""How strong the links of a strategy map are in the simulation: what pushes of their tails did.

Strength is the head's response divided by the tail's, each the mean over the quarters from the
nudge on of (nudged arm - arm without the nudge) on the same luck, in the direction that is better.
The 95 % interval of this ratio of paired means is Fieller's: it is exact for normal responses and
has no end where the tail itself cannot be told from unmoved. That a strength differs from 0 is the
paired t test of the head's response; Holm's correction is over all links that were tried.
Sources: Fieller (1954); Holm (1979); METHODS C.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from experiments.analysis import LEVEL, direction, holm, paired
from experiments.gaps import without_dust
from experiments.journal import Runs
from experiments.links import Trial, in_words
from experiments.store import columns_of
from sim import kpis
from sim.strategy_map import RIVALS

SUPPORTED, OPPOSITE, ABSENT = "supported", "opposite", "not supported"
UNTRIED, GIVEN = "not tried", "by definition"
VERDICTS = (SUPPORTED, OPPOSITE, ABSENT, UNTRIED, GIVEN)
UNMOVED = "the nudge did not move the tail"
NO_VALUE = "an indicator has no value here"
ONE_RUN = "one replication gives no interval"
SD, NUDGE = "sd", "nudge"


@dataclass(frozen=True)
class Ratio:
    """A ratio of two paired means with its 95 % interval; NaN without one."""

    value: float
    low: float
    high: float
    n: int


def ratio(heads: np.ndarray, tails: np.ndarray) -> Ratio:
    """Return mean(heads) / mean(tails) over pairs with Fieller's 95 % interval.

    The interval is NaN where it has no end, that is where the mean of the tails cannot be told
    from 0 at this level, and where there are fewer than two pairs.
    """
    seen = ~(np.isnan(heads) | np.isnan(tails))
    y, x = heads[seen], tails[seen]
    n, nan = len(y), float("nan")
    if n == 0 or x.mean() == 0.0:
        return Ratio(nan, nan, nan, n)
    top, bottom = float(y.mean()), float(x.mean())
    if n == 1:
        return Ratio(top / bottom, nan, nan, n)
    (vyy, vxy), (_, vxx) = np.cov(y, x) / n
    t2 = float(special.stdtrit(n - 1, 1 - LEVEL / 2)) ** 2
    # Ends solve (top - r bottom)^2 = t^2 (vyy - 2 r vxy + r^2 vxx).
    a = bottom**2 - t2 * vxx
    if a <= 0.0:
        return Ratio(top / bottom, nan, nan, n)
    b, c = top * bottom - t2 * vxy, top**2 - t2 * vyy
    half = float(np.sqrt(max(b * b - a * c, 0.0)))
    return Ratio(top / bottom, float((b - half) / a), float((b + half) / a), n)


def values_of(runs: Runs, replications: int) -> dict[str, np.ndarray]:
    """Return each arm's indicators, float64 (replications, Q + 1, indicators); NaN where failed."""
    found: dict[str, np.ndarray] = {}
    for (arm, replication), (unit, place) in runs.index().items():
        kpi = unit.kpi[:, :, place]
        block = found.setdefault(arm, np.full((replications, *kpi.shape), np.nan))
        if not unit.errors[place]:
            block[replication] = kpi
    return found


def links_table(
    trials: Sequence[Trial], values: Mapping[str, np.ndarray], baseline: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables `links` (one row per link) and `link_quarters` (one per link and quarter).

    `values` are those of `values_of`.
    """
    rows, quarters = [], []
    for trial in trials:
        row, lines = _measured(trial, values, baseline)
        rows.append(row)
        quarters += lines
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = p
        if not row["verdict"]:
            row["verdict"] = _verdict(row)
    return (
        pd.DataFrame(rows, columns=columns_of("links")),
        pd.DataFrame(quarters, columns=columns_of("link_quarters")),
    )


def _verdict(row: Mapping[str, Any]) -> str:
    told = row["p_holm"] < LEVEL and (row["low"] > 0 or row["high"] < 0)
    if not told:
        return ABSENT
    return SUPPORTED if row["strength"] * row["sign"] > 0 else OPPOSITE


def _measured(
    trial: Trial, values: Mapping[str, np.ndarray], baseline: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    link, nan = trial.link, float("nan")
    row: dict[str, Any] = dict.fromkeys(columns_of("links"), nan)
    row |= {
        "link": trial.name, "tail": link.tail, "head": link.head, "tail_kpi": trial.tail,
        "head_kpi": trial.head, "flow": link.flow, "sign": link.sign, "drawn_lag": link.lag,
        "nudge": in_words(trial.nudge) if trial.nudge else "", "n": 0, "tail_unit": "",
        "verdict": "", "why": trial.why,
    }  # fmt: skip
    if trial.by_definition or not trial.nudge:
        return row | {"verdict": GIVEN if trial.by_definition else UNTRIED}, []
    tails, heads = _responses(trial, values, baseline)
    start = trial.nudge.quarter
    tail, head = _mean_of(tails, heads, start)
    found, sample = ratio(head, tail), paired(head)
    row |= {"n": found.n, "tail_response": _mean(tail), "head_response": _mean(head)}
    if not found.n:
        return row | {"verdict": UNTRIED, "why": NO_VALUE}, []
    lines = _by_quarter(trial, tails, heads, start)
    if np.isnan(found.low):
        return row | {"verdict": UNTRIED, "why": ONE_RUN if found.n == 1 else UNMOVED}, lines
    unit, tail_size = _size(values[baseline], trial.tail, start), float(abs(np.nanmean(tail)))
    row |= {"strength": found.value, "low": found.low, "high": found.high, "p": sample.p}
    row["tail_unit"] = SD if unit > 0 else NUDGE
    spread = _size(values[baseline], trial.head, start)
    scale = (unit if unit > 0 else tail_size) / spread if spread > 0 else nan
    scale = 0.0 if spread == 0 and found.value == 0 else scale
    if trial.link.tail == trial.link.head:
        scale = 1.0
    for name in ("strength", "low", "high"):
        row[f"standardized_{name}"] = row[name] * scale
    return row | _timing(lines), lines


def _responses(
    trial: Trial, values: Mapping[str, np.ndarray], baseline: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return (tails, heads), each (replications, Q + 1), in the direction that is better."""
    link = trial.link

    def response(indicator: str, end: str, arm: str, base: str) -> np.ndarray:
        at = kpis.INDEX[indicator]
        sign = 1 if end == RIVALS else direction(indicator)
        return sign * without_dust(values[arm][:, :, at], values[base][:, :, at])

    tails = response(trial.tail, link.tail, trial.pushed, baseline)
    heads = response(trial.head, link.head, trial.pushed, baseline)
    if not trial.without:
        return tails, heads
    base, pushed = trial.without
    muted = response(trial.head, link.head, pushed, base)
    return muted if link.tail == link.head else tails, heads - muted


def _mean_of(tails: np.ndarray, heads: np.ndarray, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Average over the quarters from `start` on that have both values; NaN where none has."""
    tail, head = tails[:, start:], heads[:, start:]
    both = ~(np.isnan(tail) | np.isnan(head))
    n = both.sum(axis=1)

    def mean(part: np.ndarray) -> np.ndarray:
        total = np.where(both, part, 0.0).sum(axis=1)
        return np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0)

    return mean(tail), mean(head)


def _mean(sample: np.ndarray) -> float:
    seen = sample[~np.isnan(sample)]
    return float(seen.mean()) if seen.size else float("nan")


def _size(base: np.ndarray, indicator: str, start: int) -> float:
    """Return the standard deviation between replications, its square averaged over quarters.

    Of the arm without a nudge; 0 where no two replications differ, as for what stands in a plan.
    """
    levels = base[:, start:, kpis.INDEX[indicator]]
    levels = levels[~np.isnan(levels).any(axis=1)]
    if len(levels) < 2:
        return 0.0
    spread = float(np.sqrt(levels.var(axis=0, ddof=1).mean()))
    return spread if spread > 1e-9 * float(np.abs(levels).max()) else 0.0


def _by_quarter(
    trial: Trial, tails: np.ndarray, heads: np.ndarray, start: int
) -> list[dict[str, Any]]:
    """Return one row per quarter from the nudge on; the tail's response is that so far, averaged.

    A head answers to what its tail has been, and a tail may be back where it was.
    """
    lines = []
    for quarter in range(start, tails.shape[1]):
        tail, _ = _mean_of(tails[:, : quarter + 1], tails[:, : quarter + 1], start)
        head = heads[:, quarter]
        found, sample = ratio(head, tail), paired(head)
        lines.append({
            "link": trial.name, "quarter": quarter, "after": quarter - start, "n": sample.n,
            "tail_response": _mean(tail), "head_response": sample.mean,
            "head_low": sample.low, "head_high": sample.high,
            "strength": found.value, "low": found.low, "high": found.high,
        })  # fmt: skip
    return lines


def _timing(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return when the head's response is largest and when it can first be told from 0."""
    size = np.array([line["head_response"] for line in lines], float)
    low = np.array([line["head_low"] for line in lines], float)
    high = np.array([line["head_high"] for line in lines], float)
    nan = float("nan")
    told = np.flatnonzero((low > 0) | (high < 0))
    moved = np.isfinite(size) & (size != 0)
    return {
        "lag": int(np.nanargmax(np.abs(size))) if moved.any() else nan,
        "first": int(told[0]) if told.size else nan,
    }
