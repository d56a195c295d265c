"""From tables to judgements: each arm minus the baseline of the same replication.

Replications are the blocks: arms of one replication share their luck, so that only differences
within a replication are averaged, with the paired t interval; levels of arms are never compared as
if they were independent. The verdict is per indicator: Holm's correction over the arms, and a
majority of replications that agrees. Arms are ranked by the first headline indicator alone, never
by a composite.
Source: METHODS C.1 to C.3; Holm (1979).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from sim import kpis
from sim.checks import nearest

BETTER, WORSE, SAME, ONE_RUN = "better", "worse", "cannot be told apart", "one replication"
NO_VALUE = "no value"
LEVEL = 0.05
PAYBACK_KPI = "net_present_value"


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
        block: np.ndarray = self.of(key, kpi) - self.of(other, kpi)
        return block


def cube_of(scorecard: pd.DataFrame, arms: Sequence[str]) -> Cube:
    """Arrange the tidy table (arm, replication, quarter, kpi, value) as a cube.

    Raises
    ------
    ValueError
        If a cell has two values, or the table names an arm or indicator nobody asked for.
    """
    if scorecard.empty:
        raise ValueError("the scorecard table has no rows: no run has finished")
    for column, allowed in (("arm", list(arms)), ("kpi", list(kpis.INDEX))):
        for name in scorecard[column].unique():
            if name not in allowed:
                raise ValueError(f"scorecard.{column}={name!r} is unknown{nearest(name, allowed)}")
    if scorecard.duplicated(["arm", "replication", "quarter", "kpi"]).any():
        raise ValueError(
            "the scorecard table has two values for one arm, replication, quarter and indicator"
        )
    replications = tuple(int(r) for r in np.sort(scorecard["replication"].unique()))
    quarters = int(scorecard["quarter"].max())
    values = np.full((len(arms), len(replications), quarters + 1, len(kpis.TABLE)), np.nan)
    arm_at = {key: i for i, key in enumerate(arms)}
    values[
        scorecard["arm"].map(arm_at).to_numpy(dtype=np.int64),
        np.searchsorted(replications, scorecard["replication"].to_numpy()),
        scorecard["quarter"].to_numpy(dtype=np.int64),
        scorecard["kpi"].map(kpis.INDEX).to_numpy(dtype=np.int64),
    ] = scorecard["value"].to_numpy(dtype=np.float64)
    return Cube(tuple(arms), replications, values)


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
    p, p_sign : float
        Two-sided paired t and sign test; NaN for fewer than two pairs.
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
    p_sign: float
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
        return Paired(0, nan, nan, nan, nan, nan, nan, nan, nan, direction)
    middle = float(seen.mean())
    better, worse = float(np.mean(direction * seen > 0)), float(np.mean(direction * seen < 0))
    if n == 1:
        return Paired(1, middle, nan, nan, nan, better, worse, nan, nan, direction)
    error = float(seen.std(ddof=1) / np.sqrt(n))
    half = float(special.stdtrit(n - 1, 1 - LEVEL / 2)) * error
    if error > 0:
        p = float(2 * special.stdtr(n - 1, -abs(middle) / error))
    else:
        p = 1.0 if middle == 0 else 0.0
    wins, losses = round(better * n), round(worse * n)
    sign = min(1.0, 2 * float(special.bdtr(min(wins, losses), wins + losses, 0.5)))
    low, high = middle - half, middle + half
    return Paired(n, middle, low, high, error, better, worse, p, sign, direction)


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


def verdict(sample: Paired, adjusted: float) -> str:
    """Return better, worse, cannot be told apart, one replication or no value.

    Better and worse need both: the adjusted p below 5 %, and more pairs that agree with the
    mean's sign than contradict it.
    """
    if sample.n == 0:
        return NO_VALUE
    if sample.n == 1:
        return ONE_RUN if sample.mean != 0 else SAME
    if not adjusted < LEVEL:
        return SAME
    if sample.gain > 0 and sample.better > 0.5:
        return BETTER
    return WORSE if sample.gain < 0 and sample.worse > 0.5 else SAME


def differences(
    cube: Cube, baseline: str, headline: Sequence[str], quarters: Sequence[int] | None = None
) -> pd.DataFrame:
    """Return each arm minus the baseline, per headline indicator and quarter.

    Columns: arm, kpi, quarter, n, of (replications), mean, low, high, mcse, share_better,
    share_worse, p, p_holm (over the arms of one indicator and quarter), p_sign, verdict.
    """
    chosen = [cube.quarters] if quarters is None else list(quarters)
    others = [arm for arm in cube.arms if arm != baseline]
    records = []
    for kpi in headline:
        gaps = [cube.difference(arm, baseline, kpi) for arm in others]
        for quarter in chosen:
            samples = [paired(gap[:, quarter], _direction(kpi)) for gap in gaps]
            adjusted = holm([sample.p for sample in samples])
            for arm, sample, p_holm in zip(others, samples, adjusted, strict=True):
                records.append(_record(arm, kpi, quarter, sample, p_holm, len(cube.replications)))
    return pd.DataFrame(records, columns=DIFFERENCE_COLUMNS)


DIFFERENCE_COLUMNS = [
    "arm", "kpi", "quarter", "n", "of", "mean", "low", "high", "mcse", "share_better",
    "share_worse", "p", "p_holm", "p_sign", "verdict",
]  # fmt: skip


def _direction(kpi: str) -> int:
    return kpis.TABLE[kpis.INDEX[kpi]].direction


def _record(
    arm: str, kpi: str, quarter: int, sample: Paired, p_holm: float, of: int
) -> dict[str, Any]:
    return {
        "arm": arm, "kpi": kpi, "quarter": quarter, "n": sample.n, "of": of,
        "mean": sample.mean, "low": sample.low, "high": sample.high, "mcse": sample.mcse,
        "share_better": sample.better, "share_worse": sample.worse, "p": sample.p,
        "p_holm": float(p_holm), "p_sign": sample.p_sign, "verdict": verdict(sample, p_holm),
    }  # fmt: skip


def payback(differences_to_date: np.ndarray) -> np.ndarray:
    """Return the quarter from which the cumulative difference is, and stays, at least 0.

    Parameters
    ----------
    differences_to_date : float array (replication, quarter 0..Q)
        Cumulative discounted value minus the baseline's. Quarter 0 does not count.

    Returns
    -------
    float array (replication,)
        Quarter 1..Q; infinite where it does not pay back within the horizon; NaN without values.
    """
    closes = differences_to_date[:, 1:]
    quarters = closes.shape[1]
    # Reversed running minimum: is everything from here to the horizon at least 0?
    lowest_from = np.minimum.accumulate(closes[:, ::-1], axis=1)[:, ::-1]
    stays = lowest_from >= 0
    first = np.where(stays.any(axis=1), stays.argmax(axis=1) + 1.0, np.inf)
    missing = np.isnan(closes).any(axis=1) if quarters else np.ones(len(closes), dtype=bool)
    result: np.ndarray = np.where(missing, np.nan, first)
    return result


def payback_summary(cube: Cube, arm: str, baseline: str) -> tuple[float, float]:
    """Return the median quarter of payback (infinite if most never do) and the share that do."""
    found = payback(cube.difference(arm, baseline, PAYBACK_KPI))
    found = found[~np.isnan(found)]
    if not found.size:
        return float("nan"), float("nan")
    middle = float(np.quantile(found, 0.5, method="higher"))
    return middle, float(np.isfinite(found).mean())


def value_over_time(cube: Cube, baseline: str) -> pd.DataFrame:
    """Return the cumulative discounted value minus the baseline's, per arm and quarter.

    Columns: arm, quarter, mean, low, high (95 % paired t interval), p10, p90 (over replications).
    """
    records = []
    for arm in cube.arms:
        gap = cube.difference(arm, baseline, PAYBACK_KPI)
        for quarter in range(cube.quarters + 1):
            seen = gap[~np.isnan(gap[:, quarter]), quarter]
            sample = paired(seen)
            p10, p90 = np.quantile(seen, (0.1, 0.9)) if seen.size else (np.nan, np.nan)
            records.append((arm, quarter, sample.mean, sample.low, sample.high, p10, p90))
    return pd.DataFrame(records, columns=["arm", "quarter", "mean", "low", "high", "p10", "p90"])


def ranking(
    cube: Cube,
    baseline: str,
    headline: Sequence[str],
    costs: Mapping[str, tuple[float, float]] | None = None,
    table: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Rank all arms by the mean difference on the first headline indicator at the horizon.

    The baseline keeps its place in the order with a difference of 0; arms without a value come
    last. Columns: rank, arm, payback_quarter, payback_share, planned_cost, realised_cost,
    share_first (replications in which the arm beats every other), from_first (better, worse or
    cannot be told apart from the first-ranked arm, Holm over the others) and, per headline
    indicator, `<kpi>.mean`, `.low`, `.high`, `.better`, `.n` and `.verdict`. `table` saves working
    out `differences` at the horizon again; `costs` are planned and realised, per arm.
    """
    if table is None:
        table = differences(cube, baseline, headline)
    first_kpi = headline[0]
    records = []
    for arm in cube.arms:
        median, share = payback_summary(cube, arm, baseline)
        planned, realised = (costs or {}).get(arm, (np.nan, np.nan))
        record: dict[str, Any] = {
            "arm": arm, "payback_quarter": median, "payback_share": share,
            "planned_cost": planned, "realised_cost": realised,
        }  # fmt: skip
        if arm == baseline:
            record |= {"payback_quarter": np.nan, "payback_share": np.nan}
        for kpi in headline:
            record |= _headline_cells(table, arm, kpi, arm == baseline)
        records.append(record)
    frame = pd.DataFrame(records)
    order = (-_direction(first_kpi) * frame[f"{first_kpi}.mean"]).fillna(np.inf)
    frame = frame.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)
    frame.insert(0, "rank", np.arange(1, len(frame) + 1))
    frame["share_first"] = [_share_first(cube, arm, first_kpi) for arm in frame["arm"]]
    frame["from_first"] = _from_first(cube, list(frame["arm"]), first_kpi)
    return frame


def _headline_cells(table: pd.DataFrame, arm: str, kpi: str, baseline: bool) -> dict[str, Any]:
    if baseline:
        values: tuple[Any, ...] = (0.0, 0.0, 0.0, np.nan, 0, SAME)
    else:
        found = table[(table["arm"] == arm) & (table["kpi"] == kpi)].iloc[0]
        values = tuple(found[c] for c in ("mean", "low", "high", "share_better", "n", "verdict"))
    names = ("mean", "low", "high", "better", "n", "verdict")
    return {f"{kpi}.{name}": value for name, value in zip(names, values, strict=True)}


def _share_first(cube: Cube, arm: str, kpi: str) -> float:
    """Return the share of complete replications in which the arm beats every other strictly."""
    ends = _direction(kpi) * cube.values[:, :, -1, kpis.INDEX[kpi]]
    complete = ~np.isnan(ends).any(axis=0)
    if not complete.any():
        return float("nan")
    own = cube.arms.index(arm)
    others = np.delete(ends, own, axis=0)[:, complete]
    if not len(others):
        return 1.0
    return float(np.mean(ends[own, complete] > others.max(axis=0)))


def _from_first(cube: Cube, order: Sequence[str], kpi: str) -> list[str]:
    first = order[0]
    samples = [
        paired(cube.difference(arm, first, kpi)[:, -1], _direction(kpi)) for arm in order[1:]
    ]
    adjusted = holm([sample.p for sample in samples])
    words = [verdict(sample, p) for sample, p in zip(samples, adjusted, strict=True)]
    return ["first", *words]


def replications_needed(sample: Paired, power: float = 0.8) -> float:
    """Return how many paired replications would tell this difference from 0 (5 %, 80 % power)."""
    if sample.n < 2 or sample.mean == 0:
        return float("nan")
    spread = sample.mcse * np.sqrt(sample.n)
    reach = special.ndtri(1 - LEVEL / 2) + special.ndtri(power)
    return float(np.ceil((reach * spread / sample.mean) ** 2))
