"""Figures: units, colours, letters, and lines that never run over a box or each other."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path

import pytest
import synthetic_results

from experiments import figures, strategy_map_drawing
from experiments.report import drawings
from experiments.report_findings import find
from sim.flows import Flow

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def drawn():  # type: ignore[no-untyped-def]
    return drawings(find(synthetic_results.study(replications=6, quarters=4)))


def texts(figure) -> list[str]:  # type: ignore[no-untyped-def]
    from matplotlib.text import Text

    return [t.get_text() for t in figure.findobj(Text) if t.get_text()]


def test_every_figure_of_the_report_is_drawn(drawn) -> None:  # type: ignore[no-untyped-def]
    assert list(drawn) == ["comparison", "value_per_quarter", "scorecard", "influence",
                           "flow_contributions", "strategy_map"]  # fmt: skip


def test_the_comparison_has_a_unit_on_every_axis(drawn) -> None:  # type: ignore[no-untyped-def]
    units = [axes.get_xlabel() for axes in drawn["comparison"].axes]
    assert units == ["million euro", "% points", "% points", "% points"]


def test_an_arm_has_one_colour_everywhere_and_the_baseline_is_grey() -> None:
    arms = list(synthetic_results.ARMS)
    colors = figures.arm_colors(arms, "as_is")
    assert colors["as_is"] == figures.BASELINE_COLOR
    assert len(set(colors.values())) == len(arms)


def test_every_light_carries_a_letter_beside_its_colour() -> None:
    assert len(set(figures.STATUS_LETTERS.values())) == len(figures.STATUS_COLORS)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, WCAG 2."""

    def light(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_letters_stand_out_from_their_light() -> None:
    for status, color in figures.STATUS_COLORS.items():
        assert contrast(color, figures.STATUS_INKS.get(status, figures.INK)) >= 4.5


def test_numbers_carry_the_unit_that_fits() -> None:
    assert figures.shown("net_present_value", "thousand euro", 12_345).text(12_345) == "12.3"
    assert figures.shown("net_present_value", "thousand euro", 12_345).unit == "million euro"
    assert figures.shown("net_present_value", "thousand euro", 800).unit == "thousand euro"
    assert figures.shown("net_present_value", "crown", 12_345).text(12_345) == "12,345"
    assert figures.shown("trust", "euro").text(0.613) == "61.3"
    assert figures.shown("trust", "euro", 0.3, change=True).unit == "% points"
    assert figures.shown("insight_weeks", "euro").text(float("nan")) == "–"
    assert figures.Shown(1, 1, "").text(-0.04, signed=True) == "0.0"
    assert figures.Shown(1, 1, "").text(0.06, signed=True) == "+0.1"
    assert figures.Shown(1, 1, "").text(-2.5) == "\u22122.5"


def test_the_same_figure_gives_the_same_bytes(drawn, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    figure = drawn["comparison"]
    assert figures.svg(figure, "a") == figures.svg(figure, "a")
    png, vector = figures.save(figure, tmp_path / "comparison")
    assert png.read_bytes()[:4] == b"\x89PNG"
    assert vector.read_text(encoding="utf-8").rstrip().endswith("</svg>")


def test_figures_never_touch_pyplot() -> None:
    code = "import sys, experiments.report; sys.exit('matplotlib.pyplot' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_no_text_of_a_figure_leaves_the_page(drawn) -> None:  # type: ignore[no-untyped-def]
    from matplotlib.text import Text

    for name, figure in drawn.items():
        page = figure.bbox
        for text in figure.findobj(Text):
            if text.get_visible() and text.get_text().strip():
                box = text.get_window_extent()
                if box.width and box.height and text.axes is not None and text.axes.get_visible():
                    inside = box.x0 >= -1 and box.x1 <= page.x1 + 1
                    assert inside or not _drawn(text), f"{name}: {text.get_text()!r}"


def _drawn(text) -> bool:  # type: ignore[no-untyped-def]
    """Whether a text is one that matplotlib draws (tick labels beyond the axis are not)."""
    from matplotlib.axis import Tick

    ticks = [tick for axis in (text.axes.xaxis, text.axes.yaxis) for tick in axis.get_major_ticks()]
    return not any(isinstance(t, Tick) and text in (t.label1, t.label2) for t in ticks)


def test_influence_that_may_be_nothing_stands_in_brackets() -> None:
    import pandas as pd

    rows = [
        ("a", flow, kind, "attitude", 0.2, low, 0.4)
        for flow, kind, low in ((1, "x", 0.1), (1, "y", -0.1))
    ]
    summary = pd.DataFrame(rows, columns=["arm", "flow", "kind", "measure", "mean", "low", "high"])
    figure = figures.influence_matrix(summary, ["a"], {"a": "A"}, {"x": "X", "y": "Y"},
                                      "attitude", 4)  # fmt: skip
    assert "+0.20" in texts(figure)
    assert "(+0.20)" in texts(figure)


@pytest.fixture(scope="module", params=["default", "association"])
def routed(request):  # type: ignore[no-untyped-def]
    drawing = strategy_map_drawing
    strategy_map = synthetic_results.strategy_map(request.param)
    boxes = drawing._place(strategy_map)
    edges, docks = drawing._route(strategy_map, boxes)
    bottoms, height = drawing._rows(drawing._assign_tracks(edges, docks))
    paths = [drawing._points(edge, bottoms) for edge in edges]
    return strategy_map, boxes, bottoms, height, edges, paths


def test_every_line_of_the_map_runs_straight_up_down_or_across(routed) -> None:  # type: ignore[no-untyped-def]
    for path in routed[-1]:
        for (x0, y0), (x1, y1) in pairwise(path):
            assert x0 == x1 or y0 == y1


def test_every_line_starts_and_ends_at_its_boxes(routed) -> None:  # type: ignore[no-untyped-def]
    _, boxes, bottoms, _, edges, paths = routed
    for edge, path in zip(edges, paths, strict=True):
        for key, (x, y) in ((edge.link.tail, path[0]), (edge.link.head, path[-1])):
            box = boxes[key]
            assert box.left < x < box.right
            assert y in (bottoms[box.row], bottoms[box.row] + strategy_map_drawing.BOX)


def test_no_line_of_the_map_runs_under_a_box(routed) -> None:  # type: ignore[no-untyped-def]
    _, boxes, bottoms, _, _, paths = routed
    for path in paths:
        for (x0, y0), (x1, y1) in pairwise(path):
            for box in boxes.values():
                low, high = bottoms[box.row], bottoms[box.row] + strategy_map_drawing.BOX
                beside = max(x0, x1) <= box.left or min(x0, x1) >= box.right
                above_or_below = max(y0, y1) <= low or min(y0, y1) >= high
                assert beside or above_or_below, (path, box.key)


def test_no_two_lines_of_the_map_run_on_top_of_one_another(routed) -> None:  # type: ignore[no-untyped-def]
    pieces = [
        (number, *sorted([start, end]))
        for number, path in enumerate(routed[-1])
        for start, end in pairwise(path)
        if start != end
    ]
    for (one, a, b), (two, c, d) in combinations(pieces, 2):
        if one == two:
            continue
        for axis in (0, 1):
            other = 1 - axis
            flat = a[other] == b[other] and c[other] == d[other]
            if flat and abs(a[other] - c[other]) < 4:
                assert b[axis] <= c[axis] or d[axis] <= a[axis], (a, b, c, d)


def test_boxes_of_the_map_keep_apart_and_on_the_page(routed) -> None:  # type: ignore[no-untyped-def]
    _, boxes, _, _, _, _ = routed
    for one, two in combinations(boxes.values(), 2):
        if one.row == two.row:
            assert one.right < two.left or two.right < one.left
    assert all(0 < box.left < box.right < strategy_map_drawing.WIDTH for box in boxes.values())


def test_labels_of_the_map_stay_in_their_boxes(drawn) -> None:  # type: ignore[no-untyped-def]
    from matplotlib.patches import FancyBboxPatch
    from matplotlib.text import Text

    figure = drawn["strategy_map"]
    patches = figure.findobj(FancyBboxPatch)
    boxes = [p.get_window_extent() for p in patches if p.get_zorder() == 10]
    labels = [t for t in figure.findobj(Text) if t.get_zorder() == 12]
    assert len(labels) > 40
    for label in labels:
        extent = label.get_window_extent()
        assert any(
            b.x0 <= extent.x0 and extent.x1 <= b.x1 and b.y0 <= extent.y0 and extent.y1 <= b.y1
            for b in boxes
        ), label.get_text()


def test_the_map_shows_every_flow_by_number(drawn) -> None:  # type: ignore[no-untyped-def]
    found = texts(drawn["strategy_map"])
    assert all(str(int(flow)) in found for flow in Flow)
    assert "Rivals" in found
