"""What each of the six flows does: to every stakeholder type, and to an indicator."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from experiments.figures import (
    HEAD,
    LETTER,
    NOTE,
    STRIPE,
    TEXT,
    WIDTH,
    Cast,
    Panel,
    badge,
    page,
    span,
    wrap,
)
from experiments.notation import MEASURE_UNITS, MOST_DECIMALS, Shown, shown
from experiments.sheet import FAINT, INK, PAPER, SOFT, Sheet
from sim.flows import Flow

CELL, BAR = 40.0, 62.0
LABELS_END = 300.0
# From white to the strongest: orange for more, purple for less (after Brewer's PuOr, colour-blind
# safe), never so dark that black letters would not stand out.
MORE, LESS = (230, 140, 40), (153, 142, 195)
REST = "remainder"
RIMMED = 24.0


def influence_matrix(
    summary: pd.DataFrame,
    arms: Sequence[str],
    cast: Cast,
    kinds: Mapping[str, str],
    measure: str,
    quarter: int,
) -> Sheet:
    """Draw the influence of each flow on each stakeholder type, one matrix per arm.

    Parameters
    ----------
    summary : DataFrame
        Columns arm, flow, kind, measure, mean, low, high of one quarter.
    arms : sequence of str
        One or two arms that have twins.
    """
    rows = summary[(summary["measure"] == measure) & summary["kind"].isin(list(kinds))]
    grids = {arm: _grid(rows[rows["arm"] == arm], kinds) for arm in arms}
    reach = max((np.nanmax(np.abs(grid[0]), initial=0.0) for grid in grids.values()), default=0.0)
    decimals = max(0, min(MOST_DECIMALS, 1 - math.floor(math.log10(reach)))) if reach else 0
    said = f"mean over replications ({MEASURE_UNITS[measure]}). In brackets: the 95 % interval "
    said += "includes 0"
    if _is_single(rows):
        said = f"in one replication ({MEASURE_UNITS[measure]}), which is no more than a hint"
    sheet, top = page(
        150 + CELL * len(kinds),
        f"Who is moved by which flow: {measure.replace('_', ' ')} towards our organization, "
        f"quarter {quarter}",
        f"Run minus its twin with that flow muted, {said}.",
    )
    _name_cells(sheet, top, kinds)
    top += 124
    wide = (WIDTH - 20 - LABELS_END) / len(arms) - 24
    for place, arm in enumerate(arms):
        left = LABELS_END + (wide + 24) * place
        sheet.write(left, top - 52, cast.labels[arm], HEAD, bold=True)
        _cells(sheet, left, top, wide / len(Flow), grids[arm], reach or 1.0, decimals)
    return sheet


def _name_cells(sheet: Sheet, top: float, kinds: Mapping[str, str]) -> None:
    for place, flow in enumerate(Flow):
        x, y = 24 + 460 * (place // 2), top + 14 + 27 * (place % 2)
        badge(sheet, x, y, int(flow))
        sheet.write(x + 19, y, flow.label, TEXT)
    for place, label in enumerate(kinds.values()):
        lines = wrap(label, 28)
        sheet.write(LABELS_END - 14, top + 124 + CELL * (place + 0.5), "\n".join(lines),
                    HEAD if len(lines) == 1 else NOTE, anchor="right")  # fmt: skip


def _cells(
    sheet: Sheet,
    left: float,
    top: float,
    width: float,
    grid: tuple[np.ndarray, np.ndarray],
    reach: float,
    decimals: int,
) -> None:
    look = Shown(1, decimals, "")
    for place, flow in enumerate(Flow):
        badge(sheet, left + width * (place + 0.5), top - 20, int(flow))
    for (i, j), value in np.ndenumerate(grid[0]):
        x, y = left + width * j, top + CELL * i
        share = 0.0 if math.isnan(value) else value / reach
        sheet.box(x + 1, y + 1, width - 2, CELL - 2, _tint(share))
        nothing = not math.isnan(value) and round(float(value), decimals) == 0
        text = "0" if nothing else look.text(float(value), signed=True)
        if not nothing and not grid[1][i, j] and not math.isnan(value):
            text = f"({text})"
        ink = SOFT if nothing else INK
        sheet.write(x + width / 2, y + CELL / 2, text, TEXT, ink, anchor="middle")


def _tint(share: float) -> str:
    """Return the colour of a cell; `share` of the strongest, -1 to 1."""
    strong, weight = (MORE if share > 0 else LESS), min(abs(share), 1.0)
    mixed = (round(248 + weight * (part - 248)) for part in strong)
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _grid(rows: pd.DataFrame, kinds: Mapping[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Return means (kind, flow) and whether the interval excludes 0."""
    mean = np.full((len(kinds), len(Flow)), np.nan)
    told = np.zeros(mean.shape, dtype=bool)
    lines = {kind: i for i, kind in enumerate(kinds)}
    for row in rows.itertuples():
        place = lines[row.kind], int(row.flow) - 1
        mean[place] = row.mean
        told[place] = row.low > 0 or row.high < 0 or row.n < 2
    return mean, told


def flow_contributions(
    summary: pd.DataFrame,
    arms: Sequence[str],
    cast: Cast,
    kpi: str,
    quarter: int,
    parts: pd.DataFrame,
) -> Sheet:
    """Draw what each flow contributed to an indicator, and its part in the difference of two arms.

    Parameters
    ----------
    summary : DataFrame
        Columns arm, flow, kind, measure, mean, low, high of one quarter; kind "" is used.
    parts : DataFrame
        Columns part ("1" to "6", "remainder"), mean, low, high; may be empty.
    """
    name = cast.names[kpi]
    rows = summary[(summary["kind"] == "") & (summary["measure"] == kpi)]
    split = len(arms) > 1 and not parts.empty
    said = "one replication, no interval" if _is_single(rows) else "mean and 95 % interval"
    above, tall = (62 if split else 40), BAR * (7 if split else 6)
    sheet, top = page(
        above + tall + 60,
        f"What each flow contributes to: {name[0].lower()}{name[1:]}, quarter {quarter}",
        f"Run minus its twin with that flow muted; {said}. Flows work together, so "
        "that the parts need not add up to the whole.",
    )
    _name_flows(sheet, top + above, split)
    for place, arm in enumerate(arms):
        x, y = LABELS_END + 10, top + 20 + 24 * place
        sheet.box(x, y - 8, 30, 16, cast.colors[arm])
        sheet.write(x + 40, y, cast.labels[arm], TEXT)
    wide = (WIDTH - 40 - LABELS_END) * (0.5 if split else 1.0) - (30 if split else 0)
    _arm_bars(sheet, top + above, wide, tall, {arm: rows[rows["arm"] == arm] for arm in arms}, kpi,
              cast)  # fmt: skip
    if split:
        left = LABELS_END + wide + 100
        told = (
            f"Of the difference that “{cast.labels[arms[1]]}” makes: how much of it is gone when "
            "the flow is muted on both sides"
        )
        lines = wrap(told, int((WIDTH - 24 - left) / (LETTER * TEXT)))
        sheet.write(left, top + 28, "\n".join(lines), TEXT)
        _part_bars(sheet, left, top + above, WIDTH - 24 - left, tall, parts, kpi, cast)
    return sheet


def _is_single(rows: pd.DataFrame) -> bool:
    """Whether means are of fewer than two replications."""
    return not rows.empty and int(rows["n"].max()) < 2


def _arm_bars(
    sheet: Sheet,
    top: float,
    width: float,
    height: float,
    rows: Mapping[str, pd.DataFrame],
    kpi: str,
    cast: Cast,
) -> None:
    found = {arm: table.set_index("flow").reindex(list(Flow)) for arm, table in rows.items()}
    every = pd.concat(found.values())
    plot, look = _bars(sheet, LABELS_END + 10, top, width, height, every, kpi, cast)
    thick = (BAR - 16) / len(found)
    for number, (arm, table) in enumerate(found.items()):
        for place, row in enumerate(table.itertuples()):
            y = top + BAR * place + 8 + thick * number
            _bar(plot, y, thick - 3, row, cast.colors[arm], look)
    plot.zero(upright=True)


def _name_flows(sheet: Sheet, top: float, rest: bool) -> None:
    for place, flow in enumerate(Flow):
        y = top + BAR * (place + 0.5)
        if place % 2 == 0:
            sheet.box(10, top + BAR * place, WIDTH - 20, BAR, STRIPE)
        sheet.write(LABELS_END - 34, y, "\n".join(wrap(flow.label, 28)), TEXT, anchor="right")
        badge(sheet, LABELS_END - 14, y, int(flow))
    if rest:
        sheet.box(10, top + BAR * 6, WIDTH - 20, BAR, STRIPE)
        sheet.write(LABELS_END - 4, top + BAR * 6.5, "the rest: flows together", TEXT, SOFT,
                    anchor="right")  # fmt: skip


def _bars(
    sheet: Sheet,
    left: float,
    top: float,
    width: float,
    height: float,
    rows: pd.DataFrame,
    kpi: str,
    cast: Cast,
) -> tuple[Panel, Shown]:
    """Draw an axis that holds all bars and whiskers; return it and how numbers are shown."""
    seen = rows[["mean", "low", "high"]].to_numpy(dtype=float)
    largest = float(np.nanmax(np.abs(seen), initial=0.0))
    look = shown(cast.units[kpi], cast.currency, largest, change=True)
    low, high = span(seen, look, 0.04)
    plot = Panel(sheet, left, top, width, height, (low, 0), (high, 1))
    plot.scale(look.unit, 6)
    return plot, look


def _bar(plot: Panel, top: float, thick: float, row: object, color: str, look: Shown) -> None:
    mean, low, high = (float(getattr(row, name)) * look.factor for name in ("mean", "low", "high"))
    if not math.isfinite(mean):
        return
    ends = sorted((plot.x(0), plot.x(mean)))
    plot.sheet.box(ends[0], top, max(ends[1] - ends[0], 0.8), thick, color)
    if math.isfinite(low):
        y = top + thick / 2
        points = [(plot.x(low), y), (plot.x(high), y)]
        if ends[1] - ends[0] > RIMMED:  # a light rim keeps it visible on a dark bar
            plot.sheet.line(points, PAPER, 4.2)
        plot.sheet.line(points, INK, 1.8)


def _part_bars(
    sheet: Sheet,
    left: float,
    top: float,
    width: float,
    height: float,
    parts: pd.DataFrame,
    kpi: str,
    cast: Cast,
) -> None:
    keys = [*(str(int(flow)) for flow in Flow), REST]
    found = parts.set_index("part").reindex(keys)
    plot, look = _bars(sheet, left, top, width - 70, height, found, kpi, cast)
    for place, row in enumerate(found.itertuples()):
        color = FAINT if keys[place] == REST else Flow(place + 1).color
        _bar(plot, top + BAR * place + 14, BAR - 28, row, color, look)
        sheet.write(left + width, top + BAR * (place + 0.5), look.text(row.mean, signed=True), TEXT,
                    anchor="right")  # fmt: skip
    plot.zero(upright=True)
