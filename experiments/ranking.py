"""Portfolios in their order, when they pay back and how far ahead they are quarter by quarter.

Arms are ranked by the first headline indicator alone, never by a composite; the baseline keeps its
place in the order, so that a portfolio below it is seen to be below it.
Source: METHODS C.1 to C.3.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from experiments.analysis import SAME, Cube, differences, direction, holm, paired, verdict
from sim import scorecard

PAYBACK_KPI = "net_present_value"
CELLS = ("mean", "low", "high", "better", "n", "p", "p_holm", "verdict")


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
    middle = float(np.quantile(found, 0.5, method="lower"))
    return middle, float(np.isfinite(found).mean())


def over_time(cube: Cube, baseline: str, kpi: str) -> pd.DataFrame:
    """Return an indicator minus the baseline's, per arm and quarter.

    Columns: arm, quarter, mean, p10 and p90 (the middle 80 % of replications, widened to the mean).
    """
    frames = []
    for arm in cube.arms:
        gap = cube.difference(arm, baseline, kpi)
        p10, p90 = scorecard.band(gap)
        frames.append(pd.DataFrame({
            "arm": arm, "quarter": np.arange(cube.quarters + 1), "mean": scorecard.mean(gap),
            "p10": p10, "p90": p90,
        }))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def ranking(
    cube: Cube,
    baseline: str,
    headline: Sequence[str],
    costs: Mapping[str, tuple[float, float]] | None = None,
    worth: Mapping[str, float] | None = None,
    table: pd.DataFrame | None = None,
    theirs: Collection[str] = (),
) -> pd.DataFrame:
    """Rank all arms by the mean difference on the first headline indicator at the horizon.

    Arms without a value come last, and before them those that are a competitor's to choose
    (`theirs`), which have neither rank nor payback. Columns: rank, arm, payback_quarter,
    payback_share, planned_cost, realised_cost, from_first (the verdict on the difference from the
    first-ranked arm, Holm over the others) and, per headline indicator, `<kpi>.mean`, `.low`,
    `.high`, `.better`, `.n`, `.p`, `.p_holm` and `.verdict`. `worth` is the smallest difference
    worth having per indicator; `table` saves working out `differences` again; `costs` are planned
    and realised, per arm.
    """
    if table is None:
        table = differences(cube, baseline, headline, worth)
    cells = {(row["arm"], row["kpi"]): row for row in table.to_dict("records")}
    records = []
    for arm in cube.arms:
        median, share = payback_summary(cube, arm, baseline)
        planned, realised = (costs or {}).get(arm, (np.nan, np.nan))
        record: dict[str, Any] = {
            "arm": arm, "payback_quarter": median, "payback_share": share,
            "planned_cost": planned, "realised_cost": realised,
        }  # fmt: skip
        if arm == baseline or arm in theirs:
            record |= {"payback_quarter": np.nan, "payback_share": np.nan}
        for kpi in headline:
            record |= _headline_cells(cells.get((arm, kpi)), kpi)
        records.append(record)
    frame = pd.DataFrame(records)
    first = headline[0]
    better = (direction(first) * frame[f"{first}.mean"]).to_numpy()
    order = np.lexsort((-better, frame["arm"].isin(theirs), np.isnan(better)))
    frame = frame.iloc[order].reset_index(drop=True)
    ours = ~frame["arm"].isin(theirs)
    frame.insert(0, "rank", ours.cumsum().astype("Int64").where(ours))
    frame["from_first"] = _from_first(cube, list(frame["arm"]), first, (worth or {}).get(first, 0))
    return frame


def _headline_cells(row: Mapping[str, Any] | None, kpi: str) -> dict[str, Any]:
    """Return an arm's cells of one indicator; the baseline, which has no row, differs by 0."""
    if row is None:
        values: tuple[Any, ...] = (0.0, 0.0, 0.0, np.nan, 0, np.nan, np.nan, SAME)
    else:
        values = tuple(row["share_better" if name == "better" else name] for name in CELLS)
    return {f"{kpi}.{name}": value for name, value in zip(CELLS, values, strict=True)}


def _from_first(cube: Cube, order: Sequence[str], kpi: str, worth: float) -> list[str]:
    samples = [
        paired(cube.difference(arm, order[0], kpi)[:, -1], direction(kpi)) for arm in order[1:]
    ]
    adjusted = holm([sample.p for sample in samples])
    return ["first", *(verdict(s, p, worth) for s, p in zip(samples, adjusted, strict=True))]
