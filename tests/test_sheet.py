"""A sheet is written down as SVG and as PNG, and both show the same."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from experiments import raster
from experiments.raster import DPI, UNITS, width_of
from experiments.sheet import INK, PAPER, Sheet, Words

RED, BLUE = "#c8500a", "#0072b2"
SVG = "{http://www.w3.org/2000/svg}"


def pixels(sheet: Sheet, tmp_path: Path) -> np.ndarray:
    raster.save(sheet, tmp_path / "sheet.png")
    return np.round(255 * imread(tmp_path / "sheet.png")).astype(np.uint8)


def colored(image: np.ndarray, x: float, y: float) -> str:
    """The colour at a place given in units of the sheet."""
    scale = DPI / UNITS
    return "#" + "".join(f"{part:02x}" for part in image[int(y * scale), int(x * scale)])


def test_a_box_is_where_it_was_drawn_and_later_shapes_lie_on_top(tmp_path: Path) -> None:
    sheet = Sheet(200, 100).box(20, 10, 60, 40, RED).circle(50, 30, 10, BLUE)
    image = pixels(sheet, tmp_path)
    assert image.shape == (round(100 * DPI / UNITS), round(200 * DPI / UNITS), 3)
    assert [colored(image, *at) for at in ((25, 15), (50, 30), (75, 45), (90, 30), (25, 55))] == [
        RED, BLUE, RED, PAPER, PAPER]  # fmt: skip


def test_round_corners_are_cut_off(tmp_path: Path) -> None:
    image = pixels(Sheet(100, 100).box(10, 10, 80, 80, RED, radius=30), tmp_path)
    assert [colored(image, *at) for at in ((12, 12), (88, 88), (50, 12), (50, 50))] == [
        PAPER, PAPER, RED, RED]  # fmt: skip


def test_a_line_is_as_wide_as_it_says(tmp_path: Path) -> None:
    image = pixels(Sheet(100, 100).line([(10, 50), (90, 50)], RED, 10), tmp_path)
    column = image[:, round(50 * DPI / UNITS)]
    dark = (column != 255).any(axis=1).sum() / (DPI / UNITS)
    assert dark == pytest.approx(10, abs=1.7)


def test_a_half_transparent_shape_lets_the_one_below_shine_through(tmp_path: Path) -> None:
    square = [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)]
    image = pixels(Sheet(100, 100).polygon(square, "#000000", opacity=0.5), tmp_path)
    assert image[50, 50] == pytest.approx([127, 127, 127], abs=2)


@pytest.mark.parametrize(("anchor", "ends"), [("left", (50, 1)), ("middle", (50, 0.5)),
                                              ("right", (50, 0))])  # fmt: skip
def test_words_stand_on_the_side_of_their_anchor(anchor: str, ends: tuple[int, float]) -> None:
    wide = width_of("Hello", 20)
    points, codes = raster.outline(Words(50, 40, "Hello", 20, INK, False, anchor))
    left = ends[0] - (1 - ends[1]) * wide
    assert len(points) == len(codes)
    assert left - 1 < points[:, 0].min() < left + 4
    assert left + wide - 4 < points[:, 0].max() < left + wide + 1
    assert points[:, 1].min() > 40 - 20
    assert points[:, 1].max() < 40 + 20


def test_lines_of_text_stand_around_the_middle() -> None:
    sheet = Sheet(100, 100).write(10, 50, "one\ntwo\n\nfour", 10, leading=1.2)
    assert [(words.text, words.y) for words in sheet.words] == [
        ("one", 32.0), ("two", 44.0), ("four", 68.0)]  # fmt: skip


def test_words_stay_words_in_svg_and_cannot_break_it() -> None:
    sheet = (
        Sheet(300, 100).write(10, 50, "<b>R&D</b>", bold=True).write(290, 50, "x", anchor="right")
    )
    page = ET.fromstring(sheet.svg())
    texts = page.findall(f"{SVG}text")
    assert [text.text for text in texts] == ["<b>R&D</b>", "x"]
    assert texts[0].get("font-weight") == "bold"
    assert texts[1].get("text-anchor") == "end"


def test_svg_has_the_shapes_of_the_sheet() -> None:
    sheet = Sheet(300, 100).line([(0, 0), (10.04, 20.26)], RED, 2, dash=(4, 2))
    path = ET.fromstring(sheet.svg()).findall(f"{SVG}path")[1]
    assert path.get("d") == "M0 0L10 20.3"
    assert (path.get("stroke"), path.get("stroke-dasharray"), path.get("fill")) == (
        RED, "4 2", "none")  # fmt: skip


def test_a_notebook_shows_the_drawing_itself() -> None:
    sheet = Sheet(10, 10).circle(5, 5, 4, RED)
    assert sheet._repr_svg_() == sheet.svg()
