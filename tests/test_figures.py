"""Figures: units, colours, letters, and lines that never run over a box or each other."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import synthetic_results

from experiments import figures, strategy_map_drawing
from experiments import strategy_map_routing as routing
from experiments.accounts import COURSE_KEYS
from experiments.figure_comparison import comparison, over_time
from experiments.figure_flows import flow_contributions, influence_matrix
from experiments.figure_ledger import influence_ledger
from experiments.raster import width_of
from experiments.report_figures import drawings
from experiments.report_findings import Findings, find
from experiments.sheet import INK, PAPER, Shape, Sheet, Words
from sim.flows import COLORS, Flow
from sim.strategy_map import Link

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def findings() -> Findings:
    return find(synthetic_results.study(replications=8, quarters=12))


@pytest.fixture(scope="module")
def drawn(findings: Findings) -> dict[str, Sheet]:
    return drawings(findings)[0]


@pytest.fixture(scope="module")
def every(drawn: dict[str, Sheet]) -> dict[str, Sheet]:
    """The figures of the report, and the ledger's, which only a closer look draws."""
    long = influence_ledger(course(12, 0.2, 0.1), "arm", "Advertising and an owners' community")
    return drawn | {"influence_ledger": long}


def course(quarters: int, more: float, less: float) -> pd.DataFrame:
    """A ledger's course in which every flow influences alike in every quarter."""
    return pd.DataFrame(
        [
            ("arm", sphere, int(flow), quarter, measure, 9, mean, mean - 0.03, mean + 0.03)
            for sphere in ("think", "do")
            for flow in Flow
            for quarter in range(1, quarters + 1)
            for measure, mean in (("more", more), ("less", less), ("net", more - less))
        ],
        columns=[*COURSE_KEYS, "n", "mean", "low", "high"],
    )


def texts(sheet: Sheet) -> list[str]:
    return [words.text for words in sheet.words]


def extent(words: Words) -> tuple[float, float]:
    """Left and right end of a line of text, in the widest font it is shown in."""
    wide = width_of(words.text, words.size, words.bold)
    left = words.x - {"left": 0.0, "middle": wide / 2, "right": wide}[words.anchor]
    return left, left + wide


def test_every_figure_of_the_report_is_drawn(drawn: dict[str, Sheet]) -> None:
    assert list(drawn) == ["comparison", "quarter_by_quarter", "scorecard", "influence",
                           "flow_contributions", "strategy_map"]  # fmt: skip


def test_the_comparison_has_a_unit_under_every_axis(drawn: dict[str, Sheet]) -> None:
    found = texts(drawn["comparison"])
    assert found.count("% points") == 3
    assert found.count("million euro") == 1


def test_an_arm_has_one_colour_everywhere_and_the_baseline_is_grey() -> None:
    arms = list(synthetic_results.ARMS)
    colors = figures.arm_colors(arms, "as_is")
    assert colors["as_is"] == figures.BASELINE_COLOR
    assert len(set(colors.values())) == len(arms)


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
        assert contrast(color, figures.letter_ink(status)) >= 4.5


def test_numbers_stand_out_from_the_tint_of_their_cell(drawn: dict[str, Sheet]) -> None:
    sheet = drawn["influence"]
    cells = [shape for shape in sheet.shapes if len(shape.steps) == 5 and shape.fill]
    checked = 0
    for words in sheet.words:
        for cell in cells:
            (left, top), (right, bottom) = cell.steps[0][1][0], cell.steps[2][1][0]
            if left < words.x < right and top < words.y < bottom:
                assert contrast(cell.fill, words.color) >= 4.5, (words.text, cell.fill)
                checked += 1
    assert checked == 2 * 6 * len(synthetic_results.KINDS)


def test_the_same_figure_gives_the_same_bytes(drawn: dict[str, Sheet], tmp_path: Path) -> None:
    files = [figures.save(drawn["comparison"], tmp_path / name) for name in ("a", "b")]
    for one, other in zip(*files, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert files[0][0].read_bytes()[:4] == b"\x89PNG"
    assert files[0][1].read_text(encoding="utf-8").endswith("</svg>")


def test_the_report_needs_no_plotting_library_until_a_png_is_written() -> None:
    code = "import sys, experiments.report; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_no_text_of_a_figure_leaves_the_page(every: dict[str, Sheet]) -> None:
    for name, sheet in every.items():
        for words in sheet.words:
            left, right = extent(words)
            assert left >= 0, (name, words.text)
            assert right <= sheet.width, (name, words.text)
            assert words.size / 2 <= words.y <= sheet.height - words.size / 2, (name, words.text)


def test_no_two_texts_of_a_figure_lie_on_each_other(every: dict[str, Sheet]) -> None:
    for name, sheet in every.items():
        placed = sorted(((*extent(words), words) for words in sheet.words), key=lambda p: p[2].y)
        for i, (left, right, one) in enumerate(placed):
            for other_left, other_right, two in placed[i + 1 :]:
                if two.y - one.y >= 0.42 * (one.size + two.size):
                    if two.y - one.y > 30:
                        break
                    continue
                beside = right <= other_left + 1 or other_right <= left + 1
                assert beside, (name, one.text, two.text)


def judged(verdict: str, low: float, high: float, p_holm: float = 0.2) -> dict[str, object]:
    return {"arm": "a", "kpi": "trust", "quarter": 4, "n": 6, "of": 6, "mean": (low + high) / 2,
            "low": low, "high": high, "p_holm": p_holm, "verdict": verdict}  # fmt: skip


CAST = figures.Cast(("a",), {"a": "A", "as_is": "As is"}, {"a": "#332288", "as_is": "#5b6775"},
                    "as_is", "euro", {"trust": "Trust", "revenue": "Revenue"},
                    {"trust": "share", "revenue": "currency/quarter"})  # fmt: skip


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (judged("better", 0.1, 0.3), "told apart from “As is”"),
        (judged("cannot be told apart", -0.1, 0.3), "cannot be told apart from “As is”"),
        (judged("cannot be told apart", 0.1, 0.3), "of 1 comparisons some do so by luck"),
        (judged("cannot be told apart", 0.1, 0.3, 0.01), "a few large replications carry it"),
        (judged("one replication", math.nan, math.nan), "no verdict from fewer than two"),
        (judged("no difference worth having", 0.01, 0.02), "no difference worth having"),
    ],
)
def test_the_comparison_explains_the_mark_it_shows_and_no_other(
    row: dict[str, object], said: str
) -> None:
    sheet = comparison(pd.DataFrame([row]), CAST, {"trust": 0.05})
    explained = [words.text for words in sheet.words if words.x == 44]
    assert len(explained) == 1
    assert said in explained[0]


def test_an_axis_of_dust_is_not_drawn() -> None:
    sheet = comparison(pd.DataFrame([judged("cannot be told apart", -1e-17, 3e-17)]), CAST, {})
    numbers = [
        text for text in texts(sheet) if text.replace("\u2212", "").replace(".", "").isdigit()
    ]
    assert set(numbers) <= {"\u22120.1", "0.0", "0.1"}
    assert not any("e-" in text for text in texts(sheet))


@pytest.mark.parametrize(("low", "high"), [(-3.7, 12.2), (0.0, 0.013), (-4.4e6, 1e5), (-1.0, -0.2)])
def test_ticks_are_round_rise_and_stay_in_range(low: float, high: float) -> None:
    found = figures.ticks(low, high, 5)
    assert 2 <= len(found) <= 7
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)
    steps = np.diff(found)
    assert np.allclose(steps, steps[0])
    assert f"{steps[0]:.6e}"[0] in "125"
    assert (0.0 in found) == (low <= 0 <= high)
    assert len(set(figures.tick_texts(found))) == len(found)


def test_a_cell_of_the_matrix_is_in_brackets_where_its_interval_includes_nothing() -> None:
    rows = [
        ("a", flow, kind, "attitude", 9, 0.2, low, 0.4)
        for flow, kind, low in ((1, "x", 0.1), (1, "y", -0.1))
    ]
    summary = pd.DataFrame(
        rows, columns=["arm", "flow", "kind", "measure", "n", "mean", "low", "high"]
    )
    sheet = influence_matrix(summary, ["a"], CAST, {"x": "X", "y": "Y"}, "attitude", 4)
    cells = [words.text for words in sorted(sheet.words, key=lambda w: w.y) if "0.20" in words.text]
    assert cells == ["+0.20", "(+0.20)"]


def test_a_difference_without_parts_is_drawn_without_its_second_panel(findings: Findings) -> None:
    whole = flow_contributions(findings.influence, findings.traced, findings.cast,
                               "net_present_value", 12, findings.parts)  # fmt: skip
    half = flow_contributions(findings.influence, findings.traced, findings.cast,
                              "net_present_value", 12, findings.parts.iloc[:0])  # fmt: skip
    assert "the rest: flows together" in texts(whole)
    assert "the rest: flows together" not in texts(half)


@pytest.fixture(scope="module", params=["default", "association"])
def routed(request):  # type: ignore[no-untyped-def]
    boxes, edges, tracks = routing.lay_out(synthetic_results.strategy_map(request.param))
    bottoms, _ = strategy_map_drawing._rows(tracks)
    return boxes, bottoms, edges, [routing.corners(edge, bottoms) for edge in edges]


def test_every_line_of_the_map_runs_straight_up_down_or_across(routed) -> None:  # type: ignore[no-untyped-def]
    for path in routed[-1]:
        for (x0, y0), (x1, y1) in pairwise(path):
            assert x0 == x1 or y0 == y1


def test_every_line_starts_and_ends_at_its_boxes(routed) -> None:  # type: ignore[no-untyped-def]
    boxes, bottoms, edges, paths = routed
    for edge, path in zip(edges, paths, strict=True):
        for key, (x, y) in ((edge.link.tail, path[0]), (edge.link.head, path[-1])):
            box = boxes[key]
            assert box.left < x < box.right
            assert y in (bottoms[box.row], bottoms[box.row] + routing.BOX)


def test_no_line_of_the_map_runs_under_a_box(routed) -> None:  # type: ignore[no-untyped-def]
    boxes, bottoms, _, paths = routed
    for path in paths:
        for (x0, y0), (x1, y1) in pairwise(path):
            for box in boxes.values():
                low, high = bottoms[box.row], bottoms[box.row] + routing.BOX
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
    boxes = routed[0]
    for one, two in combinations(boxes.values(), 2):
        if one.row == two.row:
            assert one.right < two.left or two.right < one.left
    assert all(0 < box.left < box.right < routing.WIDTH for box in boxes.values())


def test_labels_of_the_map_stay_in_their_boxes(drawn: dict[str, Sheet]) -> None:
    boxes, _, _ = routing.lay_out(synthetic_results.strategy_map("default"))
    checked = 0
    for words in drawn["strategy_map"].words:
        homes = [box for box in boxes.values() if abs(words.x - (box.middle + 12.5)) < 1]
        if words.anchor == "middle" and not words.bold and homes:
            left, right = extent(words)
            assert any(b.left + 25 <= left and right <= b.right for b in homes), words.text
            checked += 1
    assert checked > 50


def test_the_map_shows_every_flow_by_number(drawn: dict[str, Sheet]) -> None:
    found = texts(drawn["strategy_map"])
    assert all(str(int(flow)) in found for flow in Flow)
    assert "Rivals" in found


def test_the_legend_of_the_map_explains_the_lights_it_shows(drawn: dict[str, Sheet]) -> None:
    grey = "no data, for the reason in the box"
    assert grey not in texts(drawn["strategy_map"])
    assert "measured, but no target is set" not in texts(drawn["strategy_map"])
    read = synthetic_results.study(
        replications=3, quarters=2, board=synthetic_results.board(lights="reading")
    )
    found = texts(drawings(find(read))[0]["strategy_map"])
    assert grey in found
    assert "flow 2 is not sensed" in found


def test_flows_that_nothing_senses_are_dashed_on_the_map() -> None:
    study = synthetic_results.study(replications=3, quarters=2)
    dashed = _dashed_colors(drawings(find(study))[0]["strategy_map"])
    assert dashed == {COLORS[Flow(flow)] for flow in (2, 4, 5, 6)}
    table = study.scorecard.assign(reading=study.scorecard["value"])
    sheet = drawings(find(replace(study, scorecard=table)))[0]["strategy_map"]
    assert _dashed_colors(sheet) == set()
    assert not any("which nothing senses" in text for text in texts(sheet))


def test_the_map_shows_the_light_of_every_quarter() -> None:
    """In the colours of the lights that the scorecard of each quarter gives, from left to right."""
    study = synthetic_results.study(replications=3)
    findings = find(study)
    sheet = drawings(findings)[0]["strategy_map"]
    strips = [s for s in sheet.shapes if _height(s) == pytest.approx(strategy_map_drawing.STRIP)]
    given = {(row.kpi.key, row.quarter): row.status for row in findings.rows}
    wanted = [
        [figures.STATUS_COLORS[given[one.kpi, quarter + 1]] for quarter in range(study.quarters)]
        for one in study.strategy_map.objectives
    ]
    fills = [strip.fill for strip in strips]
    found = [fills[i : i + study.quarters] for i in range(0, len(fills), study.quarters)]
    assert sorted(found) == sorted(wanted)
    assert any(len(set(lights)) > 1 for lights in wanted)


def _height(shape: Shape) -> float:
    ys = [y for _, points in shape.steps for _, y in points]
    return max(ys) - min(ys)


def _dashed_colors(sheet: Sheet) -> set[str]:
    """Colours of dashed lines, but for the grey of feedback among causes."""
    lines = {shape.stroke for shape in sheet.shapes if shape.dash}
    return lines - {strategy_map_drawing.CAUSE}


def test_a_line_that_crosses_others_is_not_cut_into_dashes(drawn: dict[str, Sheet]) -> None:
    """What a line hides beside itself is much shorter than a dash of a feedback line."""
    rims = [shape for shape in drawn["strategy_map"].shapes if shape.stroke == PAPER]
    lines = {shape.steps: shape for shape in drawn["strategy_map"].shapes if not shape.fill}
    hairs = [(rim.width - lines[rim.steps].width) / 2 for rim in rims if rim.steps in lines]
    assert hairs
    assert max(hairs) < min(strategy_map_drawing.DASHES) / 4


def test_one_wide_band_does_not_press_the_other_portfolios_flat() -> None:
    quarters = np.arange(5)
    frames = [
        pd.DataFrame({"arm": arm, "quarter": quarters, "mean": slope * quarters,
                      "p10": slope * quarters - half * quarters,
                      "p90": slope * quarters + half * quarters})
        for arm, slope, half in (("a", 1.0, 0.2), ("b", -1.0, 100.0))
    ]  # fmt: skip
    cast = replace(CAST, order=("a", "b"), labels=CAST.labels | {"b": "B"},
                   colors=CAST.colors | {"b": "#117733"})  # fmt: skip
    wide = over_time(pd.concat(frames), cast, "revenue", None)
    assert "Bands that reach beyond the scale are cut off." in " ".join(texts(wide))
    frames[1]["p10"], frames[1]["p90"] = -1.2 * quarters, -0.8 * quarters
    narrow = over_time(pd.concat(frames), cast, "revenue", None)
    assert "cut off" not in " ".join(texts(narrow))

    def rise(sheet: Sheet) -> float:
        ends = [s.steps[-1][1][0][1] for s in sheet.shapes if s.width == 3.2]
        return abs(ends[0] - ends[1]) / sheet.height

    assert rise(wide) > 0.4 * rise(narrow)


def test_the_upright_scale_has_enough_ticks_to_read(drawn: dict[str, Sheet]) -> None:
    sheet = drawn["quarter_by_quarter"]
    scale = {words.text for words in sheet.words if words.anchor == "right" and words.x < 84}
    assert len(scale) >= 4


def test_a_map_too_crowded_to_draw_costs_only_its_picture() -> None:
    study = synthetic_results.study(replications=3, quarters=2)
    crowded = replace(
        study.strategy_map,
        links=(*study.strategy_map.links,
               *(Link("skills", "service", 1, 13, "assumed", 0, False) for _ in range(20))),
    )  # fmt: skip
    sheets, excuse = drawings(find(replace(study, strategy_map=crowded)))
    assert "strategy_map" not in sheets
    assert len(sheets) == 5
    assert "links on one side" in excuse
    with pytest.raises(routing.CrowdedMapError, match="merge links"):
        strategy_map_drawing.draw(crowded, {}, {}, "", "")


def ys(shape: Shape) -> list[float]:
    return sorted(y for _, points in shape.steps for _, y in points)


def test_the_ledger_draws_those_for_us_upwards_and_those_against_us_downwards() -> None:
    """20 % for us and 10 % against us; the net lies half-way up, its interval from 7 to 13 %."""
    sheet = influence_ledger(course(3, 0.2, 0.1), "arm", "Arm")
    blue = COLORS[Flow(1)]
    up = [shape for shape in sheet.shapes if shape.fill == blue and len(shape.steps) == 5][1:]
    assert len(up) == 2 * 3
    for bar in up:
        head, zero = ys(bar)[0], ys(bar)[-1]
        x = bar.steps[0][1][0][0]
        below = next(
            shape
            for shape in sheet.shapes
            if shape.fill not in ("", blue) and shape.steps[0][1][0] == pytest.approx((x, zero))
        )
        assert ys(below)[-1] - zero == pytest.approx((zero - head) / 2)
        lines = [
            shape
            for shape in sheet.shapes
            if shape.stroke == INK and x < shape.steps[0][1][0][0] < x + 40
            and head - 1 < ys(shape)[0] < zero
        ]  # fmt: skip
        ends = ys(lines[0])
        assert (zero - ends[1]) / (zero - head) == pytest.approx(0.07 / 0.2)
        assert (zero - ends[0]) / (zero - head) == pytest.approx(0.13 / 0.2)


def test_a_flow_that_moves_nobody_says_so_and_one_replication_has_no_interval() -> None:
    nothing = course(3, 0.0, 0.0)
    nothing.loc[nothing["flow"] != 3, ["mean", "low", "high"]] = 0.1
    assert texts(influence_ledger(nothing, "arm", "Arm")).count("nobody") == 2
    single = course(3, 0.2, 0.1).assign(n=1, low=math.nan, high=math.nan)
    sheet = influence_ledger(single, "arm", "Arm")
    assert "the one less the other" in texts(sheet)
    assert not any(shape.stroke == INK for shape in sheet.shapes)
    assert any("in one replication" in text for text in texts(sheet))
