"""The marks behind differences and names, alike in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.analysis import NO_VALUE, ONE_RUN, SAME, SMALL, SPLIT, why_not_told
from experiments.notation import listed
from experiments.report_amounts import name_of
from experiments.report_findings import Findings
from experiments.report_theirs import MARK, paid_by

SAME_MARK, LUCK_MARK, SPLIT_MARK, SMALL_MARK, NONE_MARK = "~", "†", "‡", "<", "°"


def mark(row: Mapping[str, Any]) -> str:
    """Return the sign behind a difference; empty where it is told apart and worth having.

    `row` has low, high, p_holm and verdict.
    """
    why = why_not_told(row)
    if why:
        return SPLIT_MARK if why == SPLIT else LUCK_MARK
    marks = {SAME: SAME_MARK, SMALL: SMALL_MARK, ONE_RUN: NONE_MARK, NO_VALUE: NONE_MARK}
    return marks.get(row["verdict"], "")


def explained(findings: Findings, columns: Sequence[str]) -> list[tuple[str, str]]:
    """Return those marks that occur among some indicators, each with what it says."""
    base, count = findings.cast.against, len(findings.order)
    used = {mark(findings.judged(arm, kpi)) for arm in findings.order for kpi in columns}
    least = [
        f"{findings.least(kpi)} in {name_of(findings, kpi)}"
        for kpi in columns
        if findings.least(kpi)
    ]
    begins = f", which begins at {listed(least)}" if least else ""
    said = (
        (SAME_MARK, f"cannot be told apart from {base}"),
        (LUCK_MARK, "cannot be told apart either: its own interval excludes 0, but so do some of "
         f"{count} by luck alone, and corrected for that (Holm) it is not sure"),
        (SPLIT_MARK, "cannot be told apart either: its own interval excludes 0, but a few large "
         "replications carry it, and at least as many contradict its sign as agree"),
        (SMALL_MARK, f"no difference worth having{begins}"),
        (NONE_MARK, "no verdict from fewer than two replications"),
    )  # fmt: skip
    found = [(sign, text) for sign, text in said if sign in used]
    return [*found, (MARK, paid_by(findings))] if findings.study.theirs else found
