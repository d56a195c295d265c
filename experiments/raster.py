"""Drawings as PNG: matplotlib's Agg renderer and its DejaVu fonts, without the rest of it.

Words are drawn as outlines, each letter read from the font once, because rendering them one text
at a time took most of a report's time. All words of one colour are one path.
"""

from __future__ import annotations

import struct
import zlib
from functools import cache
from pathlib import Path as File

import matplotlib
import numpy as np
from matplotlib import ft2font
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgb
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform

from experiments.sheet import BASE, PAPER, Shape, Sheet, Words

DPI = 125
UNITS = 100  # of a sheet, per inch
POINTS = 72 / UNITS  # Agg takes widths of lines in points
CODES = {"M": Path.MOVETO, "L": Path.LINETO, "Q": Path.CURVE3, "C": Path.CURVE4}
EM = 64.0  # size, in pixels, at which letters are read
COMPRESSION = 3  # harder makes files little smaller and takes far longer


def save(sheet: Sheet, file: File) -> None:
    """Write a sheet as PNG."""
    scale = DPI / UNITS
    width, height = round(sheet.width * scale), round(sheet.height * scale)
    renderer = RendererAgg(width, height, DPI)
    # Agg counts y from the bottom.
    turn = np.array([scale, -scale]), np.array([0.0, float(height)])
    paper = Sheet(sheet.width, sheet.height).box(0, 0, sheet.width, sheet.height, PAPER)
    for shape in (*paper.shapes, *sheet.shapes):
        _draw(renderer, shape, turn)
    by_color: dict[str, list[Words]] = {}
    for words in sheet.words:
        by_color.setdefault(words.color, []).append(words)
    for color, group in by_color.items():
        points, codes = map(np.concatenate, zip(*map(outline, group), strict=True))
        _draw_path(renderer, points, codes, turn, color)
    file.write_bytes(_png(np.asarray(renderer.buffer_rgba())[:, :, :3]))


Turn = tuple[np.ndarray, np.ndarray]


def _draw(renderer: RendererAgg, shape: Shape, turn: Turn) -> None:
    context = renderer.new_gc()
    context.set_alpha(shape.opacity)
    context.set_linewidth(shape.width * POINTS if shape.stroke else 0)
    if shape.stroke:
        context.set_foreground(shape.stroke)
        context.set_capstyle("round" if shape.round_ends else "butt")
        context.set_joinstyle("miter" if shape.fill else "round")
    if shape.dash:
        context.set_dashes(0, [dash * POINTS for dash in shape.dash])
    _draw_path(renderer, *_vertices(shape), turn, shape.fill, context)


def _draw_path(
    renderer: RendererAgg,
    points: np.ndarray,
    codes: np.ndarray,
    turn: Turn,
    fill: str,
    context: GraphicsContextBase | None = None,
) -> None:
    """Draw a path given in units of the sheet; without context it is only filled."""
    if context is None:
        context = renderer.new_gc()
        context.set_linewidth(0)
    path = Path(points * turn[0] + turn[1], codes)
    renderer.draw_path(context, path, IdentityTransform(), to_rgb(fill) if fill else None)


def _vertices(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    points: list[tuple[float, float]] = []
    codes: list[int] = []
    for name, reached in shape.steps:
        if name == "Z":
            points.append(points[0])
            codes.append(int(Path.CLOSEPOLY))
        points += reached
        codes += [int(CODES[name])] * len(reached) if name != "Z" else []
    return np.array(points), np.array(codes, dtype=np.uint8)


def outline(words: Words) -> tuple[np.ndarray, np.ndarray]:
    """Return the outline of a line of text, in units of the sheet."""
    letters = [_letter(character, words.bold) for character in words.text]
    scale = words.size / EM
    reach = np.cumsum([0.0, *(advance for _, _, advance in letters)])
    shift = {"left": 0.0, "middle": reach[-1] / 2, "right": reach[-1]}[words.anchor]
    starts = words.x + scale * (reach[:-1] - shift)
    base = words.y + BASE * words.size
    points = [
        np.column_stack([start + scale * drawn[:, 0], base - scale * drawn[:, 1]])
        for start, (drawn, _, _) in zip(starts, letters, strict=True)
    ]
    return np.concatenate(points), np.concatenate([codes for _, codes, _ in letters])


def width_of(text: str, size: float, bold: bool = False) -> float:
    """Return how wide a line of text is, in units of the sheet."""
    return size / EM * sum(_letter(character, bold)[2] for character in text)


def _png(picture: np.ndarray) -> bytes:
    """Return a picture, uint8 (height, width, 3), as a PNG file."""
    height, width, _ = picture.shape
    lines = picture.reshape(height, 3 * width)
    # Filter 2: each line as the difference from the one above it; flat areas become zeros.
    filtered = np.full((height, 1 + 3 * width), 2, dtype=np.uint8)
    filtered[0, 1:] = lines[0]
    np.subtract(lines[1:], lines[:-1], out=filtered[1:, 1:])
    per_meter = round(DPI / 0.0254)
    return b"".join((
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        _chunk(b"pHYs", struct.pack(">IIB", per_meter, per_meter, 1)),
        _chunk(b"IDAT", zlib.compress(filtered.tobytes(), COMPRESSION)),
        _chunk(b"IEND", b""),
    ))  # fmt: skip


def _chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


@cache
def _letter(character: str, bold: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """Return a letter's outline, its codes and its advance, at size EM."""
    font = _font(bold)
    glyph = font.load_char(ord(character), flags=ft2font.LoadFlags.NO_HINTING)
    points, codes = font.get_path()
    return points, codes, glyph.linearHoriAdvance / 65536


@cache
def _font(bold: bool) -> ft2font.FT2Font:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    font = ft2font.FT2Font(str(File(matplotlib.get_data_path()) / "fonts" / "ttf" / name))
    font.set_size(EM, 72)
    return font
