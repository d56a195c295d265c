"""The ranking and the decision for a terminal, at most 100 columns wide."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from experiments.analysis import NO_VALUE, ONE_RUN, SAME, SMALL, corrected_away
from experiments.notation import listed
from experiments.report_findings import Findings
from experiments.report_words import decision, in_words

COLUMNS, GAP = 100, "  "
# Cells and names are broken at words into lines of at most this width.
HEAD, NARROWEST, WIDEST = 13, 16, 30
SAME_MARK, SOLE_MARK, SMALL_MARK, NONE_MARK = "~", "†", "<", "?"

# A cell of the table, as lines from its top.
Cell = list[str]


def terminal_summary(findings: Findings) -> str:
    """Return the ranking for a terminal, in plain words."""
    study = findings.study
    blocks = [[_first_line(findings)]]
    if findings.order:
        blocks += [_table(findings), _foot(findings)]
        blocks.append(_wrapped(in_words(findings, study.headline[0])))
    blocks.append(
        [
            line
            for heading, sentence in decision(findings)
            for line in _wrapped(f"{heading}: {sentence}")
        ]
    )
    failed = int((study.runs["status"] != "finished").sum())
    if failed:
        blocks.append(
            _wrapped(
                f"{failed} of {len(study.runs)} runs did not finish; they are left out, and the "
                "table runs says why."
            )
        )
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _first_line(findings: Findings) -> str:
    study, n = findings.study, len(findings.cube.replications)
    return (
        f"{study.scenario}: {len(study.arms)} portfolio{'s' * (len(study.arms) > 1)}, "
        f"{findings.cube.quarters} quarter{'s' * (findings.cube.quarters > 1)}, "
        f"{n} replication{'s' * (n > 1)} on the same luck"
    )


def _columns(findings: Findings) -> tuple[str, ...]:
    """Return as many headline indicators, from the first, as leave room for names."""
    columns = findings.study.headline
    while len(columns) > 1 and _name_room(findings, columns) < NARROWEST:
        columns = columns[:-1]
    return columns


def _name_room(findings: Findings, columns: Sequence[str]) -> int:
    rows = _body(findings, columns)
    taken = _widths(rows)
    return COLUMNS - sum(taken[:1]) - sum(taken[2:]) - len(GAP) * (len(taken) - 1)


def _table(findings: Findings) -> list[str]:
    columns = _columns(findings)
    rows = _body(findings, columns)
    room = min(_name_room(findings, columns), WIDEST)
    for row in rows:
        row[1] = textwrap.wrap(" ".join(row[1]), room, subsequent_indent="  ") or [""]
    widths = _widths(rows)
    head, *body = rows
    tall = max(len(cell) for cell in head)
    head = [[*[""] * (tall - len(cell)), *cell] for cell in head]
    lines = _laid_out(head, widths)
    lines.append("-" * (sum(widths) + len(GAP) * (len(widths) - 1)))
    return lines + [line for row in body for line in _laid_out(row, widths)]


def _laid_out(row: Sequence[Cell], widths: Sequence[int]) -> list[str]:
    """Return the lines of one row; names run to the right, everything else to the left."""
    lines = []
    for number in range(max(len(cell) for cell in row)):
        texts = [cell[number] if number < len(cell) else "" for cell in row]
        cells = zip(texts, widths, strict=True)
        lines.append(
            GAP.join(
                t.ljust(w) if i == 1 else t.rjust(w) for i, (t, w) in enumerate(cells)
            ).rstrip()
        )
    return lines


def _body(findings: Findings, columns: Sequence[str]) -> list[list[Cell]]:
    """Return the head and a row per arm: rank, name, a cell per indicator, wins, payback."""
    heads = [
        textwrap.wrap(findings.name(kpi), HEAD) + textwrap.wrap(findings.look(kpi).unit, HEAD)
        for kpi in columns
    ]
    back = [["pays", "back"]] if findings.in_money else []
    rows: list[list[Cell]] = [[[""], ["portfolio"], *heads, ["better", "in"], *back]]
    for row in findings.lines:
        base = row["arm"] == findings.study.baseline
        cells = [["0 "] if base else [_cell(findings, row, kpi)] for kpi in columns]
        n, late = row[f"{columns[0]}.n"], row["payback_quarter"]
        wins = f"{round(row[f'{columns[0]}.better'] * n)}/{n}" if n else ""
        paid = f"q{late:.0f}" if math.isfinite(late) else "never" if late == np.inf else ""
        rows.append([[str(row["rank"])], [findings.study.arms[row["arm"]]], *cells, [wins],
                     *([[paid]] if back else [])])  # fmt: skip
    return rows


def _cell(findings: Findings, row: dict[Any, Any], kpi: str) -> str:
    look = findings.look(kpi)
    mean, high = float(row[f"{kpi}.mean"]), float(row[f"{kpi}.high"])
    half = f" ±{look.text(high - mean)}" if math.isfinite(high) else ""
    return f"{look.text(mean, signed=True)}{half}{_mark(row, kpi)}"


def _mark(row: dict[Any, Any], kpi: str) -> str:
    """Return the sign behind a number; a blank where it is told apart and worth having."""
    judged = {name: row[f"{kpi}.{name}"] for name in ("verdict", "low", "high")}
    if corrected_away(judged):
        return SOLE_MARK
    marks = {SAME: SAME_MARK, SMALL: SMALL_MARK, ONE_RUN: NONE_MARK, NO_VALUE: NONE_MARK}
    return marks.get(judged["verdict"], " ")


def _foot(findings: Findings) -> list[str]:
    """Explain the numbers and those marks that occur."""
    base, columns, count = findings.cast.against, _columns(findings), len(findings.order)
    rows = [row for row in findings.lines if row["arm"] != findings.study.baseline]
    used = {_mark(row, kpi) for row in rows for kpi in columns}
    least = [
        f"{findings.least(kpi)} in {findings.name(kpi).lower()}"
        for kpi in columns
        if findings.least(kpi)
    ]
    more = len(columns) < len(findings.study.headline)
    lines = [
        f"Mean difference to {base} in quarter {findings.cube.quarters} ± 95 % interval of that "
        "one comparison; better in: replications, by the first column."
        f"{' More indicators are in the report.' if more else ''}"
    ]
    explained = {
        SAME_MARK: f"cannot be told apart from {base}",
        SOLE_MARK: "cannot be told apart either: its own interval excludes 0, but so do some of "
        f"{count} by luck alone, and corrected for that (Holm) it is not sure",
        SMALL_MARK: f"no difference worth having, which begins at {listed(least)}",
        NONE_MARK: "no verdict from fewer than two replications",
    }
    lines += [f"{mark} {text}." for mark, text in explained.items() if mark in used]
    return [line for text in lines for line in _wrapped(text)]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, COLUMNS, subsequent_indent="  ")


def _widths(rows: Iterable[Sequence[Cell]]) -> list[int]:
    return [
        max(len(text) for cell in column for text in cell) for column in zip(*rows, strict=True)
    ]
