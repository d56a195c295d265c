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
    flows_named,
    percent,
)
from experiments.report_findings import Findings, has_audience, level, level_beside_goals
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
        f"<p>{escape(shown_sentence(findings))}</p>{_legend(findings)}{_seen(findings)}"
        f"<h3>Quarter {quarter} in full</h3>{_by_perspective(findings)}"
        f"<h3>Every quarter at a glance</h3>{_matrix(findings, findings.aimed)}"
        f"<h3>What management would see</h3>{_readings(findings)}"
        "<details><summary>Further indicators, measured without a target</summary>"
        f"{_matrix(findings, [row for row in findings.rows if not row.objective])}</details>"
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
    if findings.study.board.tolerance is not None:
        return _legend_of_variance(findings)
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
        "them. A mean beyond the goal can go with a chance to meet it below one half, where a few "
        "replications do much better than most. Scores: 10 is best, 6.7 is exactly at the goal, "
        "3.3 exactly at the red flag.</p>"
    )


def _legend_of_variance(findings: Findings) -> str:
    share = percent(findings.study.board.variance)
    lines = [
        (scorecard.GREEN, "at or beyond the target of that quarter"),
        (scorecard.AMBER, f"short of it by at most {share} of the target"),
        (scorecard.RED, "further off: act"),
        (scorecard.NO_DATA, "no data in that quarter"),
        (scorecard.NO_TARGET, "measured, no target set"),
    ]
    chips = "".join(f"<li>{light(status)} {text}</li>" for status, text in lines)
    return (
        f'<ul class="chips">{chips}</ul><p>A light compares the mean over replications with the '
        "target by target and variance. Scores below follow goal and red flag all the same.</p>"
    )


def _seen(findings: Findings) -> str:
    """Say how many of the indicators management would see at all."""
    study = findings.study
    aimed = [row for row in findings.last if row.objective and has_audience(study, row)]
    read = {
        row.kpi.key
        for row in scorecard.at(findings.read_rows, findings.cube.quarters)
        if row.status != scorecard.NO_DATA
    }
    seen = sum(row.kpi.key in read for row in aimed)
    flows = [int(flow) for flow in Flow if not findings.sensed[-1, flow - 1]]
    blind = f" Nothing senses {flows_named(flows)}." if flows else " Every flow is sensed."
    first = "what management reads" if study.board.lights == scorecard.READING else "the truth"
    return (
        f"<p><strong>What management would see: {seen} of {len(aimed)} indicators</strong> that "
        f"have a target and somebody they are about.{blind} Lights here show {first}; the table of "
        "readings follows below.</p>"
    )


def _readings(findings: Findings) -> str:
    rows = [row for row in findings.read_rows if row.objective]
    return (
        "<p>The same indicators as they would be read: as late as reports are, as blurred as "
        "samples are, and grey where nothing senses the flow. What stands in the books is exact. "
        "Means over replications: in one course of events readings scatter more.</p>"
        f"{_matrix(findings, rows)}"
    )


def _head(findings: Findings, owner: str) -> str:
    base = escape(findings.study.arms[findings.study.baseline])
    return HEAD.format(base=base, owner=owner)


def _by_perspective(findings: Findings) -> str:
    body = []
    aimed = [row for row in findings.last if row.objective]
    for perspective, group in scorecard.by_perspective(aimed).items():
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
    weight = f"<br>weight {row.weight:g}" if row.objective else ""
    return (
        f'<tr><th scope="row">{label}<br><small>{under}{escape(look.unit)}; {kind}</small></th>'
        f'<td class="nowrap">{look.text(row.baseline)}{as_is}</td>'
        f"<td>{look.text(row.target)}{red}</td><td>{look.text(row.actual)}{band}</td>"
        f'<td>{light(row.status)}</td><td class="text nowrap">{_trend(row)}</td>'
        f'<td>{percent(row.probability)}</td><td class="text"><small>{escape(owner)}{weight}'
        "</small></td>"
        "</tr>"
    )


def _trend(row: scorecard.Row) -> str:
    if row.trend is None:
        return "–"
    word = {True: "better", False: "worse", None: "steady"}[row.improving]
    return f"{ARROWS[row.trend]} <small>{word}</small>"


def _matrix(findings: Findings, rows: Sequence[scorecard.Row]) -> str:
    """Return light and value per quarter of the indicators that some rows are about."""
    closes = range(1, findings.cube.quarters + 1)
    cells = {(row.kpi.key, row.quarter): row for row in rows}
    last = scorecard.at(rows, findings.cube.quarters)
    body = []
    for perspective, group in scorecard.by_perspective(last).items():
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
        aimed = [row for row in group if row.objective]
        lights = "".join(
            f'<span class="chip">{light(row.status)} {escape(row.objective)}</span>'
            for row in aimed
        )
        free = [row.kpi.label for row in group if not row.objective]
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
