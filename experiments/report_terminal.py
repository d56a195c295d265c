"""The ranking and the decision for a terminal, at most 100 columns wide."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from experiments.report_findings import Findings
from experiments.report_marks import explained, mark
from experiments.report_theirs import sign_of_theirs
from experiments.report_words import budget_warning, decision, in_words

COLUMNS, GAP = 100, "  "
# Cells and names are broken at words into lines of at most this width.
HEAD, NARROWEST, WIDEST = 13, 16, 30

# A cell of the table, as lines from its top.
Cell = list[str]


def terminal_summary(findings: Findings) -> str:
    """Return the ranking for a terminal, in plain words."""
    study = findings.study
    blocks = [[_first_line(findings)]]
    if study.changed:
        differs = f"Differs from the scenario as shipped: {', '.join(study.changed)}."
        blocks[0] += _wrapped(differs)
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
    warning = budget_warning(findings)
    if warning:
        blocks.append(_wrapped(warning))
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
    back = [["pays", "back"]] if findings.pays_back else []
    rows: list[list[Cell]] = [[[""], ["portfolio"], *heads, ["better", "in"], *back]]
    for row in findings.lines:
        base = row["arm"] == findings.study.baseline
        cells = [["0 "] if base else [_cell(findings, row, kpi)] for kpi in columns]
        n, late = row[f"{columns[0]}.n"], row["payback_quarter"]
        wins = f"{round(row[f'{columns[0]}.better'] * n)}/{n}" if n else ""
        paid = f"q{late:.0f}" if math.isfinite(late) else "never" if late == np.inf else ""
        name = findings.study.arms[row["arm"]] + sign_of_theirs(findings, row["arm"])
        rows.append([[findings.place(row["arm"])], [name], *cells, [wins],
                     *([[paid]] if back else [])])  # fmt: skip
    return rows


def _cell(findings: Findings, row: dict[Any, Any], kpi: str) -> str:
    look = findings.look(kpi)
    mean, high = float(row[f"{kpi}.mean"]), float(row[f"{kpi}.high"])
    half = f" ±{look.text(high - mean)}" if math.isfinite(high) else ""
    sign = mark(findings.judged(row["arm"], kpi)) or " "
    return f"{look.text(mean, signed=True)}{half}{sign}"


def _foot(findings: Findings) -> list[str]:
    """Explain the numbers and those marks that occur."""
    base, columns = findings.cast.against, _columns(findings)
    more = " More indicators are in the report." * (len(columns) < len(findings.study.headline))
    lines = [
        f"Mean difference to {base} in quarter {findings.cube.quarters} ± 95 % interval of that "
        f"one comparison; better in: replications, by the first column.{more}"
    ]
    if len(findings.cube.replications) < 2:
        lines = [
            f"Difference to {base} in quarter {findings.cube.quarters} of one replication; "
            f"intervals and verdicts need at least two.{more}"
        ]
    elif findings.pays_back:
        lines[0] += " Pays back: median quarter; never: not by the end in most replications."
    lines += [f"{sign} {text}." for sign, text in explained(findings, columns)]
    return [line for text in lines for line in _wrapped(text)]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, COLUMNS, subsequent_indent="  ")


def _widths(rows: Iterable[Sequence[Cell]]) -> list[int]:
    return [
        max(len(text) for cell in column for text in cell) for column in zip(*rows, strict=True)
    ]
