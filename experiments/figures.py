"""Pictures from tables: the same colour for an arm and for a flow everywhere, a unit on every axis.

Figures never run a model. They are built with matplotlib's Figure alone, so that nothing global is
touched, and saved as PNG and SVG. Colours are colour-blind safe (Okabe & Ito 2008; Tol 2021) and
never the only sign: labels stand on the lines, letters in the lights.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sim import kpis, scorecard
from sim.flows import COLORS, Flow

INK, SOFT, FAINT, PAPER = "#1d2733", "#5b6775", "#d5dbe1", "#ffffff"
BASELINE_COLOR = "#5b6775"
ARM_COLORS = ("#332288", "#117733", "#882255", "#44AA99", "#CC6677", "#999933", "#AA4499",
              "#4477AA", "#A0743C", "#6F7A2A", "#7A4FA3", "#2F6F7E")  # fmt: skip
STATUS_COLORS = {
    scorecard.GREEN: "#0b7a5c", scorecard.AMBER: "#f2c14e", scorecard.RED: "#c8500a",
    scorecard.NO_DATA: "#c9cfd6", scorecard.NO_TARGET: "#eef1f4",
}  # fmt: skip
STATUS_INKS = {scorecard.GREEN: "#ffffff", scorecard.RED: "#ffffff"}
STATUS_LETTERS = {
    scorecard.GREEN: "G", scorecard.AMBER: "A", scorecard.RED: "R", scorecard.NO_DATA: "?",
    scorecard.NO_TARGET: "–",
}  # fmt: skip
PERSPECTIVE_LABELS = {
    "financial": "Financial", "customer": "Stakeholders", "internal": "Internal processes",
    "learning": "Learning and growth",
}  # fmt: skip
MEASURE_UNITS = {
    "salience": "probability",
    "attitude": "on a scale from \u22121 to 1",
    "expectation": "on a scale from 0 to 1",
    "trust": "share",
    "satisfaction": "on a scale from \u22121 to 1",
    "tied": "share of the type",
    "positive_voices": "voices per head and quarter",
    "negative_voices": "voices per head and quarter",
}
DPI = 150
ARROWS = {1: "↑", 0: "→", -1: "↓", None: ""}


@dataclass(frozen=True)
class Shown:
    """How an indicator's numbers are shown: times `factor`, with `decimals`, in `unit`."""

    factor: float
    decimals: int
    unit: str

    def text(self, value: float, signed: bool = False) -> str:
        """Return the number without its unit; an en dash where there is none."""
        if value is None or not math.isfinite(value):
            return "–"
        number = round(value * self.factor, self.decimals) + 0.0
        sign = "+" if signed and number > 0 else ""
        return f"{sign}{number:,.{self.decimals}f}".replace("-", "\u2212")


def shown(kpi: str, currency: str, size: float = 0.0, change: bool = False) -> Shown:
    """Return how an indicator is shown; `size` is the largest number to come.

    Shares are shown in percent and their changes in percentage points (% points); money counted in
    thousands turns to millions where that is shorter.
    """
    unit = kpis.TABLE[kpis.INDEX[kpi]].unit
    per = unit.partition("/")[1:]
    if unit.startswith("currency"):
        return _money(currency, size, "".join(per).replace("/", " per "))
    if unit.partition("/")[0] in ("share", "probability"):
        name = "% points" if change else "%"
        return Shown(
            100,
            _decimals(100 * size, 1) if change else 1,
            name + "".join(per).replace("/", " per "),
        )
    if unit == "-1..1":
        return Shown(1, _decimals(size, 2) if change else 2, "on a scale from \u22121 to 1")
    return Shown(1, _decimals(size, 1) if change else 1, unit.replace("/", " per "))


def _decimals(size: float, least: int) -> int:
    """Return decimals that leave the largest number two digits, at least `least`."""
    if not size > 0:
        return least
    return max(least, min(4, 1 - math.floor(math.log10(size))))


def percent(share: float) -> str:
    """Return a share as a whole percentage; an en dash where there is none."""
    return "–" if math.isnan(share) else f"{100 * share:.0f}\u00a0%"


def _money(currency: str, size: float, suffix: str = "") -> Shown:
    """Return how money is shown."""
    if currency.startswith("thousand ") and size >= 1_000:
        decimals = 1 if size >= 10_000 else 2
        return Shown(1e-3, decimals, currency.replace("thousand", "million", 1) + suffix)
    decimals = 0 if size >= 100 else 1 if size >= 1 else 3
    return Shown(1, decimals, currency + suffix)


def arm_colors(arms: Sequence[str], baseline: str) -> dict[str, str]:
    """Return one colour per arm, by its place in the study; the baseline is grey."""
    others = [arm for arm in arms if arm != baseline]
    colors = {arm: ARM_COLORS[i % len(ARM_COLORS)] for i, arm in enumerate(others)}
    return colors | {baseline: BASELINE_COLOR}


def comparison(
    table: pd.DataFrame,
    order: Sequence[str],
    labels: Mapping[str, str],
    colors: Mapping[str, str],
    currency: str,
    baseline_label: str,
) -> Figure:
    """Draw each arm's difference from the baseline with its interval, a panel per indicator.

    Parameters
    ----------
    table : DataFrame
        `analysis.differences` at one quarter.
    order : sequence of str
        Arms from first to last, without the baseline.
    """
    headline = list(dict.fromkeys(table["kpi"]))
    quarter = int(table["quarter"].iloc[0])
    figure = blank(14, 1.9 + 0.42 * len(order))
    panels = _panels(
        figure,
        1,
        len(headline),
        left=0.245,
        right=0.985,
        wspace=0.09,
        top=1 - 1.02 / figure.get_figheight(),
        bottom=0.78 / figure.get_figheight(),
    )
    for axes, kpi in zip(panels, headline, strict=True):
        rows = table[table["kpi"] == kpi].set_index("arm").loc[list(order)]
        _comparison_panel(axes, rows, colors, currency, kpi)
    panels[0].set_yticks(range(len(order)), [wrap(labels[arm], 34) for arm in order], fontsize=11.5)
    for axes in panels[1:]:
        axes.set_yticks([])
    n, of = int(table["n"].max()), int(table["of"].max())
    luck = f"{n} replications" if n == of else f"{n} of {of} replications"
    caption(
        figure,
        f"What each portfolio changes by quarter {quarter}, compared with “{baseline_label}”",
        f"Mean paired difference and 95 % interval over {luck} on the same luck. Filled: told "
        f"apart from “{baseline_label}”; hollow: cannot be told apart.",
    )
    return figure


def _comparison_panel(
    axes: Axes, rows: pd.DataFrame, colors: Mapping[str, str], currency: str, kpi: str
) -> None:
    reach = np.nanmax(np.abs(rows[["mean", "low", "high"]].to_numpy()), initial=0.0)
    look = shown(kpi, currency, reach, change=True)
    for place, (arm, row) in enumerate(rows.iterrows()):
        if not math.isfinite(row["mean"]):
            continue
        color = colors[str(arm)]
        told = row["verdict"] in ("better", "worse")
        low, high = row["low"] * look.factor, row["high"] * look.factor
        if math.isfinite(low):
            axes.plot(
                [low, high], [place, place], color=color, lw=2.6, solid_capstyle="round", alpha=0.85
            )
        axes.plot(
            row["mean"] * look.factor,
            place,
            "o",
            ms=8.5,
            color=color,
            mew=1.8,
            mfc=color if told else PAPER,
        )
        axes.annotate(
            look.text(row["mean"], signed=True),
            (1, place),
            xytext=(-4, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=10,
            color=INK if told else SOFT,
        )
    axes.axvline(0, color=BASELINE_COLOR, lw=1.3, zorder=0)
    span = max(reach * look.factor, 1e-12)
    low = min(np.nanmin(rows[["mean", "low"]].to_numpy(), initial=0.0) * look.factor, 0)
    high = max(np.nanmax(rows[["mean", "high"]].to_numpy(), initial=0.0) * look.factor, 0)
    width = max(high - low, 0.1 * span)
    # The numbers' column on the right must stay free of marks.
    axes.set_xlim(low - 0.07 * width, high + 0.36 * width)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    for place in range(0, len(rows), 2):
        axes.axhspan(place - 0.5, place + 0.5, color="#f4f6f8", zorder=-2, lw=0)
    axes.set_title(kpis.TABLE[kpis.INDEX[kpi]].label, fontsize=12, color=INK, loc="left", pad=8)
    axes.set_xlabel(look.unit, fontsize=10.5, color=SOFT)
    _plain(axes)
    axes.locator_params(axis="x", nbins=5)
    axes.set_xticks(
        [tick for tick in axes.get_xticks() if low - 0.07 * width <= tick <= high + 0.1 * width]
    )


def value_per_quarter(
    table: pd.DataFrame,
    order: Sequence[str],
    labels: Mapping[str, str],
    colors: Mapping[str, str],
    currency: str,
    baseline_label: str,
    payback: Mapping[str, float],
) -> Figure:
    """Draw the cumulative discounted value minus the baseline's, one small panel per arm.

    Parameters
    ----------
    table : DataFrame
        `analysis.value_over_time`.
    order : sequence of str
        Arms from first to last, without the baseline.
    payback : mapping
        Median quarter of payback per arm; infinite or NaN where it does not pay back.
    """
    columns = min(4, max(1, len(order)))
    lines = math.ceil(len(order) / columns)
    figure = blank(14, 1.75 + 2.25 * lines)
    height = figure.get_figheight()
    panels = _panels(
        figure,
        lines,
        columns,
        left=0.065,
        right=0.985,
        wspace=0.08,
        hspace=0.34,
        top=1 - 1.3 / height,
        bottom=0.62 / height,
        share=True,
    )
    shown_arms = table[table["arm"].isin(order)]
    reach = np.nanmax(np.abs(shown_arms[["mean", "p10", "p90"]].to_numpy()), initial=0.0)
    look = shown("net_present_value", currency, reach, change=True)
    paths = {arm: rows.sort_values("quarter") for arm, rows in shown_arms.groupby("arm")}
    for place, axes in enumerate(panels):
        if place >= len(order):
            axes.set_visible(False)
            continue
        arm = order[place]
        for other in order:
            axes.plot(
                paths[other]["quarter"],
                paths[other]["mean"] * look.factor,
                color=FAINT,
                lw=1,
                zorder=1,
            )
        _value_panel(axes, paths[arm], colors[arm], look, payback.get(arm, np.nan))
        axes.set_title(wrap(labels[arm], 42), fontsize=11, color=INK, loc="left", pad=5)
        # The last panel of each column carries the quarter axis, also where rows are not full.
        axes.tick_params(labelbottom=place + columns >= len(order), labelleft=place % columns == 0)
    # Room above the lines for the words in the corner; the panels share one scale.
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(low, high + 0.2 * (high - low))
    figure.supxlabel("quarter", fontsize=11, color=SOFT, y=0.12 / height)
    figure.supylabel(look.unit, fontsize=11, color=SOFT, x=0.008)
    caption(
        figure,
        f"Value so far, compared with “{baseline_label}”",
        "Discounted profit less investment, summed to date, minus the baseline's in the same "
        "replication. Line: mean; band: the middle 80 % of replications;\ngrey: the other "
        "portfolios; diamond: median quarter from which the portfolio has paid back and stays "
        "ahead.",
    )
    return figure


def _value_panel(axes: Axes, path: pd.DataFrame, color: str, look: Shown, payback: float) -> None:
    quarter = path["quarter"].to_numpy()
    mean = path["mean"].to_numpy() * look.factor
    axes.axhline(0, color=BASELINE_COLOR, lw=1.1, zorder=2)
    axes.fill_between(
        quarter,
        path["p10"] * look.factor,
        path["p90"] * look.factor,
        color=color,
        alpha=0.2,
        lw=0,
        zorder=3,
    )
    axes.plot(quarter, mean, color=color, lw=2.4, zorder=4)
    _plain(axes)
    axes.set_xlim(0, quarter[-1])
    axes.set_xticks([q for q in quarter if q % max(1, math.ceil(len(quarter) / 7)) == 0])
    text = "does not pay back"
    if math.isfinite(payback):
        text = f"pays back in quarter {payback:.0f}"
        axes.plot([payback], [0], "D", color=color, ms=7, mec=PAPER, mew=1, zorder=6, clip_on=False)
    axes.text(
        0.03,
        0.95,
        f"{look.text(path['mean'].iloc[-1], signed=True)}, {text}",
        transform=axes.transAxes,
        ha="left",
        va="top",
        fontsize=9.5,
        color=INK,
        zorder=7,
        bbox={"fc": PAPER, "ec": "none", "alpha": 0.8, "pad": 1.5},
    )


def scorecard_grid(rows: Sequence[scorecard.Row], title: str, subtitle: str) -> Figure:
    """Draw every indicator's light per quarter, with trend arrows, grouped by perspective."""
    closes = sorted({row.quarter for row in rows if row.quarter > 0})
    last = scorecard.at(rows, closes[-1])
    groups = {key: group for key, group in scorecard.by_perspective(last).items() if group}
    lines = sum(len(group) + 1 for group in groups.values())
    figure = blank(14, 1.5 + 0.29 * lines)
    height = figure.get_figheight()
    axes = figure.add_axes((0.0, 0.1 / height, 1.0, 1 - 1.25 / height))
    axes.set_xlim(0, 1400)
    axes.set_ylim(lines + 0.2, -1)
    axes.axis("off")
    left, right = 420, 1210
    step = (right - left) / len(closes)
    for place, quarter in enumerate(closes):
        axes.text(
            left + step * (place + 0.5),
            -0.5,
            f"Q{quarter}",
            ha="center",
            va="center",
            fontsize=10,
            color=SOFT,
        )
    axes.text(
        1300,
        -0.5,
        f"chance to meet the\ntarget in Q{closes[-1]}",
        ha="center",
        va="center",
        fontsize=9.5,
        color=SOFT,
    )
    cells = {(row.kpi.key, row.quarter): row for row in rows}
    line = 0
    for perspective, group in groups.items():
        axes.text(
            25,
            line + 0.55,
            PERSPECTIVE_LABELS[perspective],
            fontsize=11.5,
            fontweight="bold",
            color=INK,
            va="center",
        )
        line += 1
        for row in group:
            axes.text(40, line + 0.5, row.kpi.label, fontsize=10.5, color=INK, va="center")
            for place, quarter in enumerate(closes):
                _light(axes, cells[row.kpi.key, quarter], left + step * place, line, step)
            chance = percent(row.probability)
            axes.text(1300, line + 0.5, chance, ha="center", va="center", fontsize=10.5, color=INK)
            line += 1
    caption(figure, title, subtitle)
    return figure


def _light(axes: Axes, row: scorecard.Row, x: float, y: float, width: float) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle((x + 1.5, y + 0.07), width - 3, 0.86, lw=0, facecolor=STATUS_COLORS[row.status])
    )
    letter = "" if row.status == scorecard.NO_TARGET else STATUS_LETTERS[row.status]
    axes.text(
        x + width / 2,
        y + 0.52,
        f"{letter} {ARROWS[row.trend]}".strip(),
        ha="center",
        va="center",
        fontsize=9.5,
        color=STATUS_INKS.get(row.status, INK),
    )


def influence_matrix(
    summary: pd.DataFrame,
    arms: Sequence[str],
    labels: Mapping[str, str],
    kinds: Mapping[str, str],
    measure: str,
    quarter: int,
) -> Figure:
    """Draw the influence of each flow on each stakeholder type, one matrix per arm.

    Parameters
    ----------
    summary : DataFrame
        Columns arm, flow, kind, measure, mean, low, high of one quarter.
    arms : sequence of str
        One or two arms that have twins.
    """
    figure = blank(14, 6.1)
    panels = _panels(
        figure, 1, len(arms), left=0.225, right=0.955, wspace=0.05, top=0.68, bottom=0.06
    )
    rows = summary[(summary["measure"] == measure) & summary["kind"].isin(list(kinds))]
    grids = {arm: _grid(rows[rows["arm"] == arm], kinds) for arm in arms}
    reach = max((np.nanmax(np.abs(grid[0]), initial=0) for grid in grids.values()), default=0)
    reach = reach or 1.0
    decimals = max(0, min(4, 1 - math.floor(math.log10(reach))))
    for axes, arm in zip(panels, arms, strict=True):
        mean, told = grids[arm]
        # A mesh stays a drawing in SVG, where an image would be embedded as pixels.
        axes.pcolormesh(
            np.arange(len(kinds) + 1) - 0.5,
            np.arange(len(Flow) + 1) - 0.5,
            np.ma.masked_invalid(mean),
            cmap="PuOr_r",
            vmin=-1.25 * reach,
            vmax=1.25 * reach,
        )
        axes.set_ylim(len(Flow) - 0.5, -0.5)
        for (i, j), value in np.ndenumerate(mean):
            text = Shown(1, decimals, "").text(value, signed=True)
            strong = abs(value) > 0.8 * reach
            axes.text(
                j,
                i,
                text if told[i, j] else f"({text})",
                ha="center",
                va="center",
                fontsize=9.5,
                color=PAPER if strong else INK,
            )
        axes.set_xticks(
            range(len(kinds)),
            [wrap(label, 16) for label in kinds.values()],
            rotation=40,
            ha="left",
            rotation_mode="anchor",
            fontsize=10.5,
        )
        axes.xaxis.tick_top()
        axes.set_yticks([])
        axes.tick_params(length=0, colors=INK)
        axes.set_xlabel(wrap(labels[arm], 60), fontsize=12, color=INK, labelpad=8)
        for side in axes.spines.values():
            side.set_visible(False)
    _flow_ticks(panels[0])
    caption(
        figure,
        f"Who is moved by which flow: {measure.replace('_', ' ')} towards our "
        f"organization, quarter {quarter}",
        f"Run minus its twin with that flow muted, mean over replications "
        f"({MEASURE_UNITS[measure]}). In brackets: the 95 % interval includes 0.",
    )
    return figure


def _grid(rows: pd.DataFrame, kinds: Mapping[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Return means (flow, kind) and whether the interval excludes 0."""
    mean = np.full((len(Flow), len(kinds)), np.nan)
    told = np.zeros(mean.shape, dtype=bool)
    columns = {kind: j for j, kind in enumerate(kinds)}
    for row in rows.itertuples():
        place = int(row.flow) - 1, columns[row.kind]
        mean[place] = row.mean
        told[place] = row.low > 0 or row.high < 0
    return mean, told


def _flow_ticks(axes: Axes) -> None:
    """Name the six flows on the vertical axis, each with its number in its colour."""
    axes.set_yticks(range(len(Flow)), [wrap(flow.label, 27) for flow in Flow], fontsize=10.5)
    axes.tick_params(axis="y", length=0, pad=30, colors=INK)
    for place, flow in enumerate(Flow):
        axes.annotate(
            str(int(flow)),
            (0, place),
            xytext=(-17, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=10.5,
            fontweight="bold",
            color=PAPER,
            bbox={"boxstyle": "circle,pad=0.25", "fc": COLORS[flow], "ec": "none"},
            annotation_clip=False,
        )


def flow_contributions(
    summary: pd.DataFrame,
    arms: Sequence[str],
    labels: Mapping[str, str],
    colors: Mapping[str, str],
    kpi: str,
    currency: str,
    quarter: int,
    parts: pd.DataFrame,
) -> Figure:
    """Draw what each flow contributed to an indicator, and how much of the gain it carries.

    Parameters
    ----------
    summary : DataFrame
        Columns arm, flow, kind, measure, mean, low, high of one quarter; kind "" is used.
    parts : DataFrame
        Columns part ("1" to "6", "remainder"), mean, low, high; may be empty.
    """
    rows = summary[(summary["kind"] == "") & (summary["measure"] == kpi)]
    both = pd.concat([rows[["mean", "low", "high"]], parts[["mean", "low", "high"]]])
    reach = np.nanmax(np.abs(both.to_numpy(dtype=float)), initial=0.0)
    look = shown(kpi, currency, reach, change=True)
    figure = blank(14, 6.0)
    split = len(arms) > 1 and not parts.empty
    panels = _panels(
        figure, 1, 2 if split else 1, left=0.225, right=0.985, wspace=0.1, top=0.72, bottom=0.13
    )
    _contribution_bars(panels[0], rows, arms, labels, colors, look)
    _flow_ticks(panels[0])
    name = kpis.TABLE[kpis.INDEX[kpi]].label
    if split:
        _gain_bars(panels[1], parts, look)
        panels[1].set_title(
            wrap(
                f"Of the gain of “{labels[arms[1]]}”, what is gone when the flow is muted in both",
                60,
            ),
            fontsize=11.5,
            loc="left",
            color=INK,
            pad=10,
        )
    caption(
        figure,
        f"What each flow contributes to: {name.lower()}, quarter {quarter}",
        "Run minus its twin with that flow muted; mean and 95 % interval. Flows work together, "
        "so the parts need not add up to the whole.",
    )
    return figure


def _contribution_bars(
    axes: Axes,
    rows: pd.DataFrame,
    arms: Sequence[str],
    labels: Mapping[str, str],
    colors: Mapping[str, str],
    look: Shown,
) -> None:
    thick = 0.72 / len(arms)
    for number, arm in enumerate(arms):
        found = rows[rows["arm"] == arm].set_index("flow").reindex([int(f) for f in Flow])
        places = np.arange(len(Flow)) - 0.36 + thick * (number + 0.5)
        mean = found["mean"].to_numpy(dtype=float) * look.factor
        axes.barh(places, mean, height=thick * 0.9, color=colors[arm], label=labels[arm], lw=0)
        _whiskers(axes, places, found, look)
    axes.axvline(0, color=BASELINE_COLOR, lw=1.2)
    axes.set_ylim(len(Flow) - 0.45, -0.55)
    axes.set_xlabel(look.unit, fontsize=10.5, color=SOFT)
    _plain(axes)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        frameon=False,
        fontsize=11,
        ncols=1,
        borderaxespad=0.2,
    )


def _gain_bars(axes: Axes, parts: pd.DataFrame, look: Shown) -> None:
    found = parts.set_index("part").reindex([*(str(int(f)) for f in Flow), "remainder"])
    colors = [*(flow.color for flow in Flow), FAINT]
    mean = found["mean"].to_numpy(dtype=float) * look.factor
    axes.barh(range(7), mean, height=0.62, color=colors, lw=0)
    _whiskers(axes, np.arange(7), found, look)
    reach = np.nanmax(
        np.abs(found[["mean", "low", "high"]].to_numpy(dtype=float)) * look.factor, initial=1e-9
    )
    for place, (value, low, high) in enumerate(
        found[["mean", "low", "high"]].to_numpy(dtype=float)
    ):
        ends = [v * look.factor for v in (value, low, high, 0.0) if math.isfinite(v)]
        side = 1 if value >= 0 else -1
        edge = max(ends) if side > 0 else min(ends)
        axes.text(
            edge + side * 0.02 * reach,
            place,
            look.text(value, signed=True),
            ha="left" if side > 0 else "right",
            va="center",
            fontsize=10,
            color=INK,
        )
    axes.axvline(0, color=BASELINE_COLOR, lw=1.2)
    axes.set_yticks(range(7), [*(str(int(f)) for f in Flow), "rest"], fontsize=11)
    axes.set_ylim(6.55, -0.55)
    low, high = axes.get_xlim()
    axes.set_xlim(low - 0.12 * (high - low) * (low < 0), high + 0.16 * (high - low))
    axes.set_xlabel(look.unit, fontsize=10.5, color=SOFT)
    _plain(axes)
    axes.tick_params(axis="y", length=0)


def _whiskers(axes: Axes, places: np.ndarray, rows: pd.DataFrame, look: Shown) -> None:
    low, high = (rows[name].to_numpy(dtype=float) * look.factor for name in ("low", "high"))
    for place, a, b in zip(places, low, high, strict=True):
        if math.isfinite(a) and math.isfinite(b):
            axes.plot([a, b], [place, place], color=INK, lw=1.3, solid_capstyle="butt")


def save(figure: Figure, stem: Path) -> tuple[Path, Path]:
    """Write `stem`.png and `stem`.svg and return their paths."""
    png, vector = stem.with_suffix(".png"), stem.with_suffix(".svg")
    figure.savefig(png, dpi=DPI, metadata={"Software": None}, pil_kwargs={"compress_level": 3})
    vector.write_text(svg(figure, stem.name), encoding="utf-8")
    return png, vector


def svg(figure: Figure, name: str) -> str:
    """Return the figure as SVG text, the same bytes for the same figure and name."""
    text = io.StringIO()
    # Ids are salted with the name: several drawings share one page without clashing.
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def blank(width: float, height: float) -> Figure:
    """Return an empty figure, in inches, that belongs to no global state."""
    figure = Figure(figsize=(width, height), facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def _panels(
    figure: Figure,
    rows: int,
    columns: int,
    *,
    left: float,
    right: float,
    top: float,
    bottom: float,
    wspace: float = 0.1,
    hspace: float = 0.2,
    share: bool = False,
) -> list[Axes]:
    grid = figure.add_gridspec(
        rows, columns, left=left, right=right, top=top, bottom=bottom, wspace=wspace, hspace=hspace
    )
    axes = grid.subplots(sharex=share, sharey=share, squeeze=False)
    return list(axes.ravel())


def caption(figure: Figure, title: str, subtitle: str) -> None:
    """Write a title and a line of explanation at the top left."""
    height = figure.get_figheight()
    figure.text(
        0.012, 1 - 0.14 / height, title, fontsize=16, fontweight="bold", color=INK, va="top"
    )
    figure.text(
        0.012, 1 - 0.47 / height, subtitle, fontsize=11, color=SOFT, va="top", linespacing=1.35
    )


def _plain(axes: Axes) -> None:
    """Leave only what carries data."""
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.tick_params(colors=SOFT, labelsize=10, length=3)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.grid(axis="x", color="#e8ecf0", lw=0.8, zorder=-1)
    axes.set_axisbelow(True)


def wrap(text: str, width: int) -> str:
    """Break a text into lines of at most `width` letters."""
    return "\n".join(textwrap.wrap(text, width))
