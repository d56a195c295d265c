"""From tables to judgements: each arm minus the baseline of the same replication.

Replications are the blocks: arms of one replication share their luck, so that only differences
within a replication are averaged, with the paired t interval; levels of arms are never compared as
if they were independent. The verdict is per indicator: Holm's correction over the arms, a majority
of replications that agrees, and a size that management calls worth having.
Source: METHODS C.1 to C.3; Holm (1979); Schuirmann (1987) on what is too small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from experiments.gaps import without_dust
from sim import kpis
from sim.checks import nearest

BETTER, WORSE, SAME, ONE_RUN = "better", "worse", "cannot be told apart", "one replication"
SMALL, NO_VALUE = "no difference worth having", "no value"
BY_LUCK, SPLIT = "some of many do so by luck", "replications disagree"
LEVEL = 0.05


@dataclass(frozen=True)
class Cube:
    """The scorecard table as one array, so that missing runs are visible as NaN.

    Attributes
    ----------
    arms : tuple of str
        Keys, in the order asked for.
    replications : tuple of int
        Every replication that any arm has.
    values : float64 array (arm, replication, quarter 0..Q, len(sim.kpis.TABLE))
        NaN where a run is missing or an indicator undefined.
    """

    arms: tuple[str, ...]
    replications: tuple[int, ...]
    values: np.ndarray

    @property
    def quarters(self) -> int:
        """The horizon, in quarters."""
        return int(self.values.shape[2]) - 1

    def arm(self, key: str) -> np.ndarray:
        """Return (replication, quarter, indicator) of one arm; KeyError names the nearest."""
        if key not in self.arms:
            raise KeyError(f"unknown arm {key!r}{nearest(key, self.arms)}")
        block: np.ndarray = self.values[self.arms.index(key)]
        return block

    def of(self, key: str, kpi: str) -> np.ndarray:
        """Return (replication, quarter) of one arm and indicator."""
        if kpi not in kpis.INDEX:
            raise KeyError(f"unknown indicator {kpi!r}{nearest(kpi, kpis.INDEX)}")
        block: np.ndarray = self.arm(key)[:, :, kpis.INDEX[kpi]]
        return block

    def difference(self, key: str, other: str, kpi: str) -> np.ndarray:
        """Return arm minus other, (replication, quarter), within each replication."""
        return without_dust(self.of(key, kpi), self.of(other, kpi))


def cube_of(scorecard: pd.DataFrame, arms: Sequence[str], column: str = "value") -> Cube:
    """Arrange the tidy table (arm, replication, quarter, kpi, value) as a cube.

    `column` is value, the truth, or reading, what management sees.

    Raises
    ------
    ValueError
        If a cell has two values, or the table names an arm or indicator nobody asked for.
    """
    if scorecard.empty:
        raise ValueError("the scorecard table has no rows: no run has finished")
    places = [_places(scorecard, "arm", arms)]
    replications = tuple(int(r) for r in np.sort(scorecard["replication"].unique()))
    places.append(np.searchsorted(replications, scorecard["replication"].to_numpy()))
    places.append(scorecard["quarter"].to_numpy(dtype=np.int64))
    places.append(_places(scorecard, "kpi", list(kpis.INDEX)))
    shape = (len(arms), len(replications), int(places[2].max()) + 1, len(kpis.TABLE))
    flat = np.ravel_multi_index(places, shape)
    if np.bincount(flat).max() > 1:
        raise ValueError(
            "the scorecard table has two values for one arm, replication, quarter and indicator"
        )
    values = np.full(shape, np.nan)
    values.ravel()[flat] = scorecard[column].to_numpy(dtype=np.float64)
    return Cube(tuple(arms), replications, values)


def _places(scorecard: pd.DataFrame, column: str, allowed: Sequence[str]) -> np.ndarray:
    """Return each row's place in `allowed`, by the name in a column."""
    codes, names = pd.factorize(scorecard[column])
    for name in names:
        if name not in allowed:
            raise ValueError(f"scorecard.{column}={name!r} is unknown{nearest(name, allowed)}")
    found: np.ndarray = np.array([allowed.index(name) for name in names])[codes]
    return found


@dataclass(frozen=True)
class Paired:
    """What a sample of paired differences says.

    Attributes
    ----------
    n : int
        Pairs with a value on both sides.
    mean, low, high : float
        Mean and 95 % paired t interval; the interval is NaN for fewer than two pairs.
    mcse : float
        Monte Carlo standard error of the mean.
    better, worse : float
        Shares of pairs strictly better and strictly worse.
    p : float
        Two-sided paired t test; NaN for fewer than two pairs.
    direction : int
        1 where higher is better, -1 where lower is.
    """

    n: int
    mean: float
    low: float
    high: float
    mcse: float
    better: float
    worse: float
    p: float
    direction: int = 1

    @property
    def gain(self) -> float:
        """The mean difference in the better direction."""
        return self.direction * self.mean


def paired(differences: np.ndarray, direction: int = 1) -> Paired:
    """Summarize paired differences; `direction` -1 where lower is better."""
    seen = np.asarray(differences, dtype=np.float64)
    seen = seen[~np.isnan(seen)]
    n = int(seen.size)
    nan = float("nan")
    if n == 0:
        return Paired(0, nan, nan, nan, nan, nan, nan, nan, direction)
    middle = float(seen.mean())
    better, worse = float(np.mean(direction * seen > 0)), float(np.mean(direction * seen < 0))
    if n == 1:
        return Paired(1, middle, nan, nan, nan, better, worse, nan, direction)
    error = float(seen.std(ddof=1) / np.sqrt(n))
    half = float(special.stdtrit(n - 1, 1 - LEVEL / 2)) * error
    if error > 0:
        p = float(2 * special.stdtr(n - 1, -abs(middle) / error))
    else:
        p = 1.0 if middle == 0 else 0.0
    return Paired(n, middle, middle - half, middle + half, error, better, worse, p, direction)


def summarize(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Average `value` over replications within `keys`.

    Columns: the keys, n, mean, low, high (95 % t interval; NaN for fewer than two).
    """
    found = table.groupby(list(keys), sort=False)["value"].agg(["count", "mean", "std"])
    n = found["count"].to_numpy(dtype=np.float64)
    factor = special.stdtrit(np.maximum(n - 1, 1), 1 - LEVEL / 2) / np.sqrt(np.maximum(n, 1))
    half = np.where(n > 1, factor * found["std"].to_numpy(), np.nan)
    frame = pd.DataFrame(
        {
            "n": found["count"],
            "mean": found["mean"],
            "low": found["mean"] - half,
            "high": found["mean"] + half,
        }
    )
    return frame.reset_index()


def holm(p: Sequence[float]) -> np.ndarray:
    """Return Holm's step-down adjusted p values; NaN stays NaN and does not count."""
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    order = [i for i in np.argsort(values, kind="stable") if not np.isnan(values[i])]
    highest = 0.0
    for step, i in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - step) * values[i]))
        adjusted[i] = highest
    return adjusted


def verdict(sample: Paired, adjusted: float, worth: float = 0.0) -> str:
    """Return better, worse, no difference worth having, cannot be told apart, or that none can be.

    Better and worse need three things: the adjusted p below 5 %, more pairs that agree with the
    mean's sign than contradict it, and a mean of at least `worth`. No difference worth having is
    said where the first two are there without the third, or where the whole interval lies within
    `worth` of 0.
    """
    if sample.n == 0:
        return NO_VALUE
    if sample.n == 1:
        return ONE_RUN if sample.mean != 0 else SAME
    within = -worth < sample.low and sample.high < worth
    agree = sample.better - sample.worse if sample.gain > 0 else sample.worse - sample.better
    told = adjusted < LEVEL and agree > 0
    if within or (told and abs(sample.mean) < worth):
        return SMALL
    if not told:
        return SAME
    return BETTER if sample.gain > 0 else WORSE


def why_not_told(row: Mapping[Any, Any]) -> str:
    """Return why an arm is not told apart although its own interval excludes 0; empty if it is.

    Either because the interval is of one comparison and the verdict is corrected for all of an
    indicator (BY_LUCK), or because as many replications contradict the mean's sign as agree with it
    (SPLIT). `row` has low, high, p_holm and verdict of `differences`.
    """
    if row["verdict"] != SAME or not (row["low"] > 0 or row["high"] < 0):
        return ""
    return SPLIT if row["p_holm"] < LEVEL else BY_LUCK


def differences(
    cube: Cube, baseline: str, headline: Sequence[str], worth: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Return each arm minus the baseline at the horizon, per headline indicator.

    Columns: arm, kpi, quarter, n, of (replications), mean, low, high, mcse, share_better,
    share_worse, p, p_holm (over the arms of one indicator), verdict. `worth` is the smallest
    difference worth having per indicator; 0 where it names none.
    """
    others = [arm for arm in cube.arms if arm != baseline]
    records = []
    for kpi in headline:
        samples = [
            paired(cube.difference(arm, baseline, kpi)[:, -1], direction(kpi)) for arm in others
        ]
        adjusted = holm([sample.p for sample in samples])
        least = (worth or {}).get(kpi, 0.0)
        for arm, sample, p_holm in zip(others, samples, adjusted, strict=True):
            records.append({
                "arm": arm, "kpi": kpi, "quarter": cube.quarters, "n": sample.n,
                "of": len(cube.replications), "mean": sample.mean, "low": sample.low,
                "high": sample.high, "mcse": sample.mcse, "share_better": sample.better,
                "share_worse": sample.worse, "p": sample.p, "p_holm": float(p_holm),
                "verdict": verdict(sample, p_holm, least),
            })  # fmt: skip
    return pd.DataFrame(records, columns=DIFFERENCE_COLUMNS)


DIFFERENCE_COLUMNS = [
    "arm", "kpi", "quarter", "n", "of", "mean", "low", "high", "mcse", "share_better",
    "share_worse", "p", "p_holm", "verdict",
]  # fmt: skip


def direction(kpi: str) -> int:
    """Return 1 where more of an indicator is better, -1 where less is."""
    return kpis.TABLE[kpis.INDEX[kpi]].direction


def replications_needed(sample: Paired, comparisons: int = 1, power: float = 0.8) -> float:
    """Return how many paired replications would tell this difference from 0.

    By the t test at 80 % power, with the level of 5 % divided among the comparisons, as for the
    first step of Holm's correction: always more than did not suffice to reject.
    """
    if sample.n < 2 or sample.mean == 0:
        return float("nan")
    ratio = sample.mcse * np.sqrt(sample.n) / sample.mean
    sure = 1 - LEVEL / (2 * max(comparisons, 1))
    count = max(2.0, np.ceil(((special.ndtri(sure) + special.ndtri(power)) * ratio) ** 2))
    # Student's t asks for a few more than the normal distribution, the more the fewer there are.
    while True:
        reach = special.stdtrit(count - 1, sure) + special.stdtrit(count - 1, power)
        needed = np.ceil((reach * ratio) ** 2)
        if needed <= count or not np.isfinite(needed):
            return float(max(count, needed))
        count = count + 1
