"""The Balanced Scorecard as one picture: a light per indicator and quarter."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.figures import HEAD, NOTE, TEXT, letter_ink, light, page
from experiments.notation import ARROWS, LETTERS, PERSPECTIVES, percent
from experiments.sheet import INK, SOFT, Sheet
from sim import scorecard

LEFT, RIGHT, ROW = 400.0, 1130.0, 29.0
AS_IS, CHANCE = 1195.0, 1315.0


def scorecard_grid(
    rows: Sequence[scorecard.Row], title: str, subtitle: str, baseline: str
) -> Sheet:
    """Draw every indicator's light per quarter, with trend arrows, grouped by perspective.

    `baseline` is the name of what the last light of each line is for.
    """
    closes = sorted({row.quarter for row in rows if row.quarter > 0})
    last = scorecard.at(rows, closes[-1])
    groups = {key: group for key, group in scorecard.by_perspective(last).items() if group}
    sheet, top = page(60 + ROW * sum(len(group) + 1 for group in groups.values()), title, subtitle)
    step = (RIGHT - LEFT) / len(closes)
    for place, quarter in enumerate(closes):
        if place % max(1, -(-len(closes) // 20)) == 0:
            sheet.write(LEFT + step * (place + 0.5), top + 28, f"Q{quarter}", NOTE, SOFT,
                        anchor="middle")  # fmt: skip
    sheet.write(AS_IS, top + 20, f"{baseline}\nQ{closes[-1]}", NOTE, SOFT, anchor="middle")
    sheet.write(CHANCE, top + 20, f"chance to meet\nthe target in Q{closes[-1]}", NOTE, SOFT,
                anchor="middle")  # fmt: skip
    cells = {(row.kpi.key, row.quarter): row for row in rows}
    y = top + 46
    for perspective, group in groups.items():
        sheet.write(20, y + ROW / 2, PERSPECTIVES[perspective], HEAD, bold=True)
        y += ROW
        for row in group:
            sheet.write(34, y + ROW / 2, row.kpi.label, TEXT)
            for place, quarter in enumerate(closes):
                cell = cells[row.kpi.key, quarter]
                _light(sheet, LEFT + step * place, y, step, cell.status, ARROWS[cell.trend])
            _light(sheet, AS_IS - 22, y, 44, row.baseline_status, "")
            sheet.write(CHANCE, y + ROW / 2, percent(row.probability), TEXT, anchor="middle")
            y += ROW
    return sheet


def _light(sheet: Sheet, x: float, y: float, width: float, status: str, arrow: str) -> None:
    light(sheet, x + 1.5, y + 1.5, width - 3, ROW - 3, status)
    letter = "" if status == scorecard.NO_TARGET else LETTERS[status]
    text = f"{letter} {arrow}".strip() if width > 36 else letter or arrow
    ink = letter_ink(status) if letter else SOFT
    sheet.write(x + width / 2, y + ROW / 2, text, NOTE if width > 24 else 10, ink or INK,
                anchor="middle")  # fmt: skip
