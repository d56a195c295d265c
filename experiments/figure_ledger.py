"""The influence ledger over time: who thinks or does what they otherwise wouldn't, flow by flow."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from experiments.figures import (
    GRID,
    HEAD,
    LETTER,
    NOTE,
    TEXT,
    WIDTH,
    Panel,
    badge,
    page,
    span,
    tick_texts,
    ticks,
    wrap,
)
from experiments.notation import Shown
from experiments.sheet import INK, PAPER, SOFT, Sheet
from sim.flows import Flow

SPHERES = {
    "think": ("Think", "something they otherwise wouldn't: of us, or whether we come to mind"),
    "do": ("Do", "something they otherwise wouldn't: choose, recommend, speak, work"),
}
SHARE = Shown(100, 1, "% of people")
LEFT, TALL, NAMES, TITLE_ROOM, BETWEEN = 74.0, 168.0, 64.0, 40.0, 26.0
BAR = 0.64  # of the room of a quarter
PALE = 0.55  # how far the colour of those against us is on its way to white


def influence_ledger(course: pd.DataFrame, arm: str, label: str) -> Sheet:
    """Draw how many an arm's flows influence, per flow and quarter, signed and with intervals.

    Parameters
    ----------
    course : DataFrame
        `accounts.ledger_course` of all arms that are drawn, so that they share their scales.
    arm, label : str
        Whose, and what it is called.
    """
    quarters = int(course["quarter"].max())
    single = int(course["n"].max()) < 2
    sheet, top = page(
        62 + NAMES + len(SPHERES) * (TITLE_ROOM + TALL) + BETWEEN + 54,
        f"Who is influenced by which flow, quarter by quarter: {label}",
        "Everybody lives twice on the same luck, as told and in a twin without the flow, and is "
        f"counted at each quarter's close if the two lives differ, in {SHARE.unit}, "
        f"{'in one replication' if single else 'mean over replications'}. Who differs in a way "
        "that is neither for nor against us is left out.",
    )
    wide = (WIDTH - LEFT - 10) / len(Flow)
    _legend(sheet, top + 20, single)
    _name_flows(sheet, top + 50, wide)
    top += 62 + NAMES
    for place, (sphere, (verb, what)) in enumerate(SPHERES.items()):
        rows = course[course["influenced"] == sphere]
        low, high = _reach(rows)
        own = rows[rows["arm"] == arm]
        sheet.write(LEFT, top + 14, verb, HEAD, bold=True)
        sheet.write(LEFT + 1.15 * LETTER * HEAD * len(verb) + 8, top + 14, what, TEXT, SOFT)
        top += TITLE_ROOM
        for flow in Flow:
            left = LEFT + wide * (flow - 1)
            ends = (0.4, low), (quarters + 0.6, high)
            plot = Panel(sheet, left, top, wide - 22, TALL, *ends)
            _frame(plot, quarters, flow == Flow(1), place == len(SPHERES) - 1)
            _bars(plot, own[own["flow"] == flow], flow)
        top += TALL + BETWEEN
    sheet.write(WIDTH / 2, sheet.height - 12, "quarter", TEXT, SOFT, anchor="middle")
    return sheet


def _legend(sheet: Sheet, y: float, single: bool) -> None:
    color = Flow(1).color
    sheet.box(LEFT, y - 14, 14, 14, color).box(LEFT, y, 14, 9, _pale(color))
    sheet.write(LEFT + 24, y, "above the line: in our favour; below: against us", TEXT)
    x = LEFT + 520
    if not single:
        sheet.line([(x, y - 13), (x, y + 13)], INK, 1.8)
    sheet.circle(x, y, 3.4, INK, PAPER, 1.0)
    told = "" if single else ", with its 95 % interval"
    sheet.write(x + 16, y, f"the one less the other{told}", TEXT)


def _name_flows(sheet: Sheet, top: float, wide: float) -> None:
    for flow in Flow:
        x = LEFT + wide * (flow - 1)
        badge(sheet, x + 11, top + 30, int(flow))
        lines = wrap(flow.label, int((wide - 50) / (LETTER * NOTE)))
        sheet.write(x + 28, top + 30, "\n".join(lines), NOTE)


def _reach(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the upright scale, alike for all flows and arms."""
    bars = rows[rows["measure"].isin(["more", "less"])]
    signs = np.where(bars["measure"] == "less", -1.0, 1.0)
    net = rows[rows["measure"] == "net"]
    seen = [signs * bars["mean"].to_numpy(), *(net[end].to_numpy() for end in ("low", "high"))]
    return span(np.concatenate(seen).astype(float), SHARE, 0.05)


def _frame(plot: Panel, quarters: int, with_y: bool, with_x: bool) -> None:
    step = max(1, math.ceil(quarters / 6))
    marked = [q for q in range(1, quarters + 1) if q % step == 0]
    levels = ticks(plot.low[1], plot.high[1], 7)
    for value, text in zip(levels, tick_texts(levels), strict=True):
        y = plot.y(value)
        plot.sheet.line([(plot.left, y), (plot.left + plot.width, y)], GRID)
        if with_y:
            plot.sheet.write(plot.left - 8, y, text, NOTE, SOFT, anchor="right")
    if with_x:
        for quarter in marked:
            plot.sheet.write(
                plot.x(quarter), plot.top + plot.height + 14, str(quarter), NOTE, SOFT,
                anchor="middle",
            )  # fmt: skip


def _bars(plot: Panel, rows: pd.DataFrame, flow: Flow) -> None:
    means = {name: _column(rows, name, "mean") for name in ("more", "less", "net")}
    ends = [_column(rows, "net", name) for name in ("low", "high")]
    thick = BAR * (plot.x(2) - plot.x(1))
    zero = plot.y(0)
    for quarter, more in means["more"].items():
        left = plot.x(quarter) - thick / 2
        above, below = plot.y(more), plot.y(-means["less"][quarter])
        plot.sheet.box(left, above, thick, zero - above, flow.color)
        plot.sheet.box(left, zero, thick, below - zero, _pale(flow.color))
    plot.zero(upright=False)
    for quarter, net in means["net"].items():
        x, y = plot.x(quarter), plot.y(net)
        low, high = (end[quarter] for end in ends)
        if math.isfinite(low):
            points = [(x, plot.y(low)), (x, plot.y(high))]
            plot.sheet.line(points, PAPER, 3.6)  # a light rim keeps it visible on a bar
            plot.sheet.line(points, INK, 1.6)
        plot.sheet.circle(x, y, min(3.4, max(2.2, 0.22 * thick)), INK, PAPER, 0.8)
    if not (means["more"] + means["less"] > 0).any():
        plot.sheet.write(plot.left + plot.width / 2, zero - 14, "nobody", NOTE, SOFT,
                         anchor="middle")  # fmt: skip


def _column(rows: pd.DataFrame, measure: str, name: str) -> pd.Series:
    """Return a number per quarter in percent."""
    own = rows[rows["measure"] == measure].sort_values("quarter")
    return SHARE.factor * own.set_index("quarter")[name].astype(float)


def _pale(color: str) -> str:
    parts = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(part + PALE * (255 - part)):02x}" for part in parts)
