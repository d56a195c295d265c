"""The report's scorecards: the last quarter in full, all quarters at a glance, by flow, by silo."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from experiments.notation import (
    ARROWS,
    LETTERS,
    NO_DATA_MEANS,
    PERSPECTIVES,
    SCALE,
    Shown,
    percent,
)
from experiments.report_findings import Findings, level, level_beside_goals
from experiments.report_parts import shown_sentence, table
from sim import scorecard
from sim.flows import Flow

CLASSES = {
    scorecard.GREEN: "green", scorecard.AMBER: "amber", scorecard.RED: "red",
    scorecard.NO_DATA: "nodata", scorecard.NO_TARGET: "notarget",
}  # fmt: skip
HEAD = (
    '<th scope="col" class="text">Objective and indicator</th><th scope="col">{base}</th>'
    '<th scope="col">Goal<br><small>red flag</small></th>'
    '<th scope="col">Actual<br><small>middle 80 %</small></th>'
    '<th scope="col">Status</th><th scope="col" class="text">Trend</th>'
    '<th scope="col"><span class="nowrap">Chance to</span><br>'
    '<span class="nowrap">meet goal</span></th><th scope="col" class="text">{owner}</th>'
)
COLUMNS = 8


def balanced_scorecard(findings: Findings) -> str:
    """Return the section: how to read the lights, the last quarter, all quarters, the silos."""
    quarter = findings.cube.quarters
    return (
        f"<p>{escape(shown_sentence(findings))}</p>{_legend(findings)}"
        f"<h3>Quarter {quarter} in full</h3>{_by_perspective(findings)}"
        f"<h3>Every quarter at a glance</h3>{_matrix(findings)}"
        f"<h3>Who answers for what: the same indicators by department</h3>{_silos(findings)}"
    )


def influence_scorecard(findings: Findings) -> str:
    """Return the rows that have a flow, by flow, out of their silos."""
    body = []
    for flow, group in scorecard.influence_view(findings.last).items():
        tally = _tally(group) if group else "no indicator: a blind flow"
        body.append(_group(f"{badge(flow)}{Flow(flow).label}", tally))
        body += [_row(findings, row) for row in group]
    return table(_head(findings, "Extracted from"), body)


def badge(flow: int) -> str:
    """Return a flow's number in its colour."""
    return f'<span class="flow" style="background:{Flow(flow).color}">{flow}</span>'


def light(status: str) -> str:
    """Return a status light: colour, shape and letter."""
    return (
        f'<span class="light {CLASSES[status]}" title="{status}" aria-label="{status}">'
        f"{LETTERS[status]}</span>"
    )


def _legend(findings: Findings) -> str:
    base = escape(findings.cast.against)
    lines = [
        (scorecard.GREEN, "at or beyond the goal of that quarter"),
        (scorecard.AMBER, "between goal and red flag"),
        (scorecard.RED, "at or beyond the red flag: act"),
        (scorecard.NO_DATA, NO_DATA_MEANS),
        (scorecard.NO_TARGET, "measured, no target set"),
    ]
    chips = "".join(f"<li>{light(status)} {text}</li>" for status, text in lines)
    return (
        f'<ul class="chips">{chips}</ul>'
        f"<p>A light compares the mean over replications with two lines that management sets: a "
        f"goal and a red flag. Most goals ask for more than {base} reaches in the same quarter. "
        f"{base} cannot meet such a goal: its light, beside its number, is amber, and a green one "
        f"in the column Status says that the portfolio made the difference. Other goals are levels "
        f"of their own: where {base} is green too, the portfolio need not be the reason. Goals "
        "rise in a straight line until they are due, and red flags keep their distance below "
        "them. Scores: 10 is best, 6.7 is exactly at the goal, 3.3 exactly at the red flag.</p>"
    )


def _head(findings: Findings, owner: str) -> str:
    base = escape(findings.study.arms[findings.study.baseline])
    return HEAD.format(base=base, owner=owner)


def _by_perspective(findings: Findings) -> str:
    body = []
    for perspective, group in scorecard.by_perspective(findings.last).items():
        if group:
            body.append(_group(PERSPECTIVES[perspective], _tally(group)))
            body += [_row(findings, row) for row in group]
    return table(_head(findings, "Owner"), body)


def _group(name: str, tally: str) -> str:
    return (
        f'<tr class="group"><th scope="colgroup" colspan="3">{name}</th>'
        f'<td colspan="{COLUMNS - 3}">{tally}</td></tr>'
    )


def _tally(rows: Sequence[scorecard.Row]) -> str:
    counts = scorecard.count(rows)
    words = [f"{counts[status]} {status}" for status in scorecard.STATUSES if counts[status]]
    score = scorecard.mean_score(rows)
    if not math.isnan(score):
        words.append(f"weighted mean score {score:.1f} of 10")
    return ", ".join(words)


def _row(findings: Findings, row: scorecard.Row) -> str:
    look = level_beside_goals(findings.study, row)
    kind = "leading" if row.kpi.leading else "lagging"
    label = escape(row.objective or row.kpi.label)
    under = f"{escape(row.kpi.label)}, " if row.objective else ""
    band = ""
    if math.isfinite(row.low) and row.n > 1:
        band = f'<br><small class="nowrap">{look.text(row.low)} to {look.text(row.high)}</small>'
    as_is = f" {light(row.baseline_status)}" if row.status != scorecard.NO_TARGET else ""
    red = f"<br><small>{look.text(row.red_flag)}</small>" if math.isfinite(row.red_flag) else ""
    owner = findings.study.departments.get(row.kpi.owner, scorecard.NOBODY)
    return (
        f'<tr><th scope="row">{label}<br><small>{under}{escape(look.unit)}; {kind}</small></th>'
        f'<td class="nowrap">{look.text(row.baseline)}{as_is}</td>'
        f"<td>{look.text(row.target)}{red}</td><td>{look.text(row.actual)}{band}</td>"
        f'<td>{light(row.status)}</td><td class="text nowrap">{_trend(row)}</td>'
        f'<td>{percent(row.probability)}</td><td class="text"><small>{escape(owner)}</small></td>'
        "</tr>"
    )


def _trend(row: scorecard.Row) -> str:
    if row.trend is None:
        return "–"
    word = {True: "better", False: "worse", None: "steady"}[row.improving]
    return f"{ARROWS[row.trend]} <small>{word}</small>"


def _matrix(findings: Findings) -> str:
    """Return every indicator's light and value per quarter."""
    closes = range(1, findings.cube.quarters + 1)
    cells = {(row.kpi.key, row.quarter): row for row in findings.rows}
    body = []
    for perspective, group in scorecard.by_perspective(findings.last).items():
        if not group:
            continue
        body.append(
            f'<tr class="group"><th scope="colgroup" colspan="{1 + len(closes)}">'
            f"{PERSPECTIVES[perspective]}</th></tr>"
        )
        for row in group:
            look = level(findings.study, row)
            line = "".join(_cell(cells[row.kpi.key, quarter], look) for quarter in closes)
            body.append(
                f'<tr><th scope="row">{escape(row.kpi.label)} '
                f"<small>{escape(_short(look.unit))}</small></th>{line}</tr>"
            )
    head = '<th scope="col" class="text">Indicator</th>' + "".join(
        f'<th scope="col">Q{quarter}</th>' for quarter in closes
    )
    return f'<div class="matrix">{table(head, body)}</div>'


def _cell(row: scorecard.Row, look: Shown) -> str:
    letter = "" if row.status == scorecard.NO_TARGET else f"<b>{LETTERS[row.status]}</b> "
    return f'<td class="{CLASSES[row.status]}">{letter}{look.text(row.actual)}</td>'


def _short(unit: str) -> str:
    return "\u22121 to 1" if unit == SCALE else unit


def _silos(findings: Findings) -> str:
    body = []
    for department, group in scorecard.silo_view(findings.last, findings.study.departments).items():
        aimed = [row for row in group if row.status != scorecard.NO_TARGET]
        lights = "".join(
            f'<span class="chip">{light(row.status)} {escape(row.objective)}</span>'
            for row in aimed
        )
        free = [row.kpi.label for row in group if row.status == scorecard.NO_TARGET]
        rest = f"<br><small>no target: {escape(', '.join(free))}</small>" if free else ""
        name = department if department != scorecard.NOBODY else "Nobody: no department owns these"
        body.append(
            f'<tr><th scope="row">{escape(name)}</th><td class="text">{lights}{rest}</td></tr>'
        )
    return table(
        '<th scope="col" class="text">Department</th>'
        '<th scope="col" class="text">Objectives it answers for, with their lights</th>',
        body,
    )
