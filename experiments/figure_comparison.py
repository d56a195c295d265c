"""What each portfolio changes at the end, and how it got there quarter by quarter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from experiments.analysis import BETTER, SAME, SMALL, SPLIT, WORSE, why_not_told
from experiments.figures import (
    GRID,
    HEAD,
    LETTER,
    LINE,
    NOTE,
    STRIPE,
    TEXT,
    WIDTH,
    Cast,
    Panel,
    page,
    span,
    tick_texts,
    ticks,
    wrap,
)
from experiments.notation import Shown, shown
from experiments.ranking import PAYBACK_KPI
from experiments.sheet import FAINT, INK, PAPER, SOFT, Sheet

NAMES_END, ROW = 330.0, 40.0
# What a mark says, by its kind; only those that occur are explained.
TOLD, SOLE, DIVIDED, SAME_MARK, TINY, NONE = "told", "sole", "divided", "same", "tiny", "none"
BAND_COLOR = "#dfe5ea"
BEYOND = 0.5  # of the range of all means: how far bands are shown beyond it


def comparison(table: pd.DataFrame, cast: Cast, worth: Mapping[str, float]) -> Sheet:
    """Draw each arm's difference from the baseline with its interval, a panel per indicator.

    Parameters
    ----------
    table : DataFrame
        `analysis.differences`.
    worth : mapping
        Smallest difference worth having per indicator, drawn as a grey band.
    """
    headline = list(dict.fromkeys(table["kpi"]))
    n, of = int(table["n"].max()), int(table["of"].max())
    luck = f"{n} replications" if n == of else f"{n} of {of} replications"
    said = f"Mean paired difference over {luck} on the same luck. Each line is the 95 % interval "
    said += "of that one comparison."
    if n < 2:
        said = "Paired difference in one replication: without a second there is no interval."
    kinds = {_kind(row) for row in table.to_dict("records")}
    notes = [note for note in _explained(cast, any(worth.values())) if note[0] in kinds]
    width = max(WIDTH, NAMES_END + 190 * len(headline))
    step = (width - NAMES_END - 14) / len(headline)
    heads = {
        kpi: wrap(cast.names[kpi], int((step - 22) / (0.93 * LETTER * HEAD))) for kpi in headline
    }
    above = 25 * len(notes) + 14 + LINE * max(len(lines) for lines in heads.values())
    sheet, top = page(
        above + ROW * len(cast.order) + 52,
        f"What each portfolio changes by quarter {int(table['quarter'].iloc[0])}, compared with "
        f"{cast.against}",
        said,
        width,
    )
    for place, (kind, text) in enumerate(notes):
        _mark(sheet, 26, top + 10 + 25 * place, kind, SOFT)
        sheet.write(44, top + 10 + 25 * place, text, NOTE, SOFT)
    top += above
    _name_arms(sheet, top, cast)
    for place, kpi in enumerate(headline):
        rows = table[table["kpi"] == kpi].set_index("arm").loc[list(cast.order)]
        left, lines = NAMES_END + 16 + step * place, heads[kpi]
        sheet.write(left, top - 8 - LINE * len(lines) / 2, "\n".join(lines), HEAD)
        _comparison_panel(sheet, left, top, step - 22, rows, kpi, cast, worth.get(kpi, 0.0))
    return sheet


def _name_arms(sheet: Sheet, top: float, cast: Cast) -> None:
    for place, arm in enumerate(cast.order):
        if place % 2 == 0:
            sheet.box(NAMES_END + 10, top + ROW * place, sheet.width - NAMES_END - 24, ROW, STRIPE)
        lines = wrap(cast.labels[arm], 34)
        sheet.write(NAMES_END, top + ROW * (place + 0.5), "\n".join(lines),
                    HEAD if len(lines) == 1 else NOTE, anchor="right")  # fmt: skip


def _explained(cast: Cast, banded: bool) -> list[tuple[str, str]]:
    """Return the kinds of marks and what they say."""
    count = len(cast.order)
    small = "smaller than what is worth having" + (" (grey band)" if banded else "")
    return [
        (TOLD, f"told apart from {cast.against}"),
        (SOLE, f"cannot be told apart: its own interval excludes 0, but of {count} comparisons "
               "some do so by luck, and after correcting for that it is not sure"),
        (DIVIDED, "cannot be told apart: its own interval excludes 0, but a few large replications "
                  "carry it, and at least as many contradict its sign as agree"),
        (NONE, "no verdict from fewer than two replications"),
        (SAME_MARK, f"cannot be told apart from {cast.against}"),
        (TINY, f"no difference worth having: {small}"),
    ]  # fmt: skip


def _kind(row: Mapping[Any, Any]) -> str:
    if row["verdict"] in (BETTER, WORSE):
        return TOLD
    if row["verdict"] == SMALL:
        return TINY
    if row["verdict"] != SAME:
        return NONE
    why = why_not_told(row)
    return (DIVIDED if why == SPLIT else SOLE) if why else SAME_MARK


def _mark(sheet: Sheet, x: float, y: float, kind: str, color: str) -> None:
    if kind == TINY:
        sheet.box(x - 5, y - 5, 10, 10, PAPER, color, 2.4)
        return
    if kind == NONE:
        sheet.polygon([(x - 7, y), (x, y - 7), (x + 7, y), (x, y + 7)], PAPER, color, 2.2)
        return
    sheet.circle(x, y, 6.6, color if kind == TOLD else PAPER, color, 2.6)
    if kind == DIVIDED:
        sheet.line([(x - 6, y), (x + 6, y)], color, 2.6)
    if kind == SOLE:
        sheet.circle(x, y, 2.6, color)


def _comparison_panel(
    sheet: Sheet,
    left: float,
    top: float,
    width: float,
    rows: pd.DataFrame,
    kpi: str,
    cast: Cast,
    worth: float,
) -> None:
    seen = rows[["mean", "low", "high"]].to_numpy(dtype=float)
    look = _look(kpi, cast, seen)
    low, high = span(seen, look, 0.08)
    plot = Panel(sheet, left, top, width - 66, ROW * len(rows), (low, 0), (high, 1))
    if worth:
        ends = np.clip([-worth * look.factor, worth * look.factor], low, high)
        sheet.box(plot.x(ends[0]), top, plot.x(ends[1]) - plot.x(ends[0]), plot.height, BAND_COLOR)
    plot.scale(look.unit)
    plot.zero(upright=True)
    for place, (arm, row) in enumerate(rows.iterrows()):
        y, color = top + ROW * (place + 0.5), cast.colors[str(arm)]
        _comparison_row(plot, y, left + width, row, color, look)


def _comparison_row(
    plot: Panel, y: float, right: float, row: pd.Series, color: str, look: Shown
) -> None:
    sheet, kind = plot.sheet, _kind(row)
    if not math.isfinite(row["mean"]):
        sheet.write(right, y, "–", TEXT, SOFT, anchor="right")
        return
    if math.isfinite(row["low"]):
        low, high = (plot.x(row[name] * look.factor) for name in ("low", "high"))
        sheet.line([(low, y), (high, y)], color, 3.4, round_ends=True)
    _mark(sheet, plot.x(row["mean"] * look.factor), y, kind, color)
    told = kind == TOLD
    sheet.write(right, y, look.text(row["mean"], signed=True), TEXT, INK if told else SOFT, told,
                "right")  # fmt: skip


def _look(kpi: str, cast: Cast, seen: np.ndarray) -> Shown:
    largest = float(np.nanmax(np.abs(seen), initial=0.0))
    return shown(cast.units[kpi], cast.currency, largest, change=True)


def over_time(
    table: pd.DataFrame, cast: Cast, kpi: str, payback: Mapping[str, float] | None
) -> Sheet:
    """Draw an indicator minus the baseline's per quarter, one small panel per arm.

    Parameters
    ----------
    table : DataFrame
        `ranking.over_time`.
    payback : mapping or None
        Median quarter of payback per arm (infinite or NaN where it does not pay back); None where
        the indicator is no money to date.
    """
    columns = min(4, max(1, len(cast.order)))
    lines = math.ceil(len(cast.order) / columns)
    tall, wide = 205.0, (WIDTH - 90) / columns
    seen = table[table["arm"].isin(cast.order)]
    values = seen[["mean", "p10", "p90"]].to_numpy(dtype=float)
    look = _look(kpi, cast, values)
    low, high, is_cut = _reach(values, look)
    sheet, top = page(
        tall * lines + 30,
        f"{cast.names[kpi]} quarter by quarter, compared with {cast.against}",
        _time_caption(kpi, look, cast, payback is not None)
        + " Bands that reach beyond the scale are cut off." * is_cut,
    )
    paths = {str(arm): rows.sort_values("quarter") for arm, rows in seen.groupby("arm")}
    last = int(seen["quarter"].max())
    levels, ceiling = ticks(low, high, 8), high
    high += 0.22 * (high - low)  # room for the words above the lines
    for place, arm in enumerate(cast.order):
        left, head = 84 + wide * (place % columns), top + 32 + tall * (place // columns)
        plot = Panel(sheet, left, head, wide - 40, tall - 62, (0, low), (last, high))
        _frame(plot, last, levels, place % columns == 0, place + columns >= len(cast.order))
        for other in cast.order:
            rows = paths[other]
            sheet.line(plot.path(rows["quarter"], rows["mean"] * look.factor), FAINT, 1.3)
        late = payback[arm] if payback else math.nan
        _own_path(plot, ceiling, paths[arm], cast.colors[arm], look, late)
        label = cast.labels[arm]
        sheet.write(left, head - 14, label if len(label) <= 36 else f"{label[:35]}…", HEAD)
    sheet.write(WIDTH / 2, sheet.height - 12, "quarter", TEXT, SOFT, anchor="middle")
    return sheet


def _time_caption(kpi: str, look: Shown, cast: Cast, with_payback: bool) -> str:
    said = "discounted profit less investment so far, " if kpi == PAYBACK_KPI else ""
    diamond = " Diamond: median quarter from which it has paid back and stays ahead."
    return (
        f"In {look.unit}: {said}minus that of {cast.against} in the same replication. Line: mean; "
        "band: the middle 80 % of replications; grey: the other portfolios."
        f"{diamond if with_payback else ''}"
    )


def _reach(values: np.ndarray, look: Shown) -> tuple[float, float, bool]:
    """Return the ends of the upright scale and whether a band reaches beyond.

    One wide band must not press all means together: the scale reaches beyond them by no more than
    their own range. `values` are mean, p10 and p90.
    """
    low, high = span(values, look, 0.08)
    least, most = span(values[:, :1], look, 0.08)
    room = BEYOND * (most - least)
    ends = max(low, least - room), min(high, most + room)
    return *ends, ends != (low, high)


def _frame(plot: Panel, last: int, levels: Sequence[float], with_y: bool, with_x: bool) -> None:
    marked = [q for q in range(last + 1) if q % max(1, math.ceil(last / 6)) == 0]
    plot.columns(marked, [str(q) for q in marked] if with_x else ())
    for value, text in zip(levels, tick_texts(levels), strict=True):
        y = plot.y(value)
        plot.sheet.line([(plot.left, y), (plot.left + plot.width, y)], GRID)
        if with_y:
            plot.sheet.write(plot.left - 8, y, text, NOTE, SOFT, anchor="right")
    plot.zero(upright=False)


def _within(plot: Panel, ceiling: float, xs: pd.Series, ys: pd.Series) -> list[tuple[float, float]]:
    """Return the points of a curve, cut off at the floor of the scale and at the ceiling."""
    known = ys.notna().to_numpy()
    if not known.any():
        return []
    fine = np.linspace(xs[known].min(), xs[known].max(), 20 * int(np.ptp(xs[known])) + 1)
    values = np.interp(fine, xs[known], ys[known]).clip(plot.low[1], ceiling)
    return plot.path(list(fine), list(values))


def _own_path(
    plot: Panel, ceiling: float, rows: pd.DataFrame, color: str, look: Shown, late: float
) -> None:
    """Draw an arm's mean, its band up to the ceiling, where it ends and when it pays back."""
    sheet = plot.sheet
    low, high = (
        _within(plot, ceiling, rows["quarter"], rows[end] * look.factor) for end in ("p10", "p90")
    )
    if low:
        sheet.polygon([*low, *reversed(high)], color, opacity=0.2)
        sheet.line(plot.path(rows["quarter"], rows["mean"] * look.factor), color, 3.2)
    said = look.text(rows["mean"].iloc[-1], signed=True)
    if math.isfinite(late):
        said += f", pays back in quarter {late:.0f}"
        x, y = plot.x(late), plot.y(0)
        sheet.polygon([(x - 7, y), (x, y - 7), (x + 7, y), (x, y + 7)], color, PAPER, 1.4)
    elif not math.isnan(late):
        said += ", not paid back"
    sheet.write(plot.left + 6, plot.top + 10, said, NOTE)
