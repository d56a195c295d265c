"""The report's Influence Scorecard by flow and stakeholders, and the alerts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from experiments.notation import PERSPECTIVES, flows_named
from experiments.report_findings import Findings, money_by_flow, money_by_item
from experiments.report_parts import table
from experiments.report_readiness import bundles_by_quarter
from experiments.report_scorecard import badge, light
from sim import alerts as alarm
from sim import scorecard
from sim.flows import Flow
from sim.kpis import BOOKS, INDEX

EVERYBODY = "Everybody"
SEEN, SERVED = "sensed", "served"


def matrix(findings: Findings) -> str:
    """Return the six flows by stakeholders: lights, values' names and the silos they come from."""
    study, last = findings.study, findings.last
    cells = scorecard.by_flow_and_audience(last)
    words = [word for word in study.audiences if any(word == at for _, at in cells)]
    money = money_by_flow(study, findings.shown)
    body = []
    for flow in Flow:
        line = [_cell(findings, cells.get((int(flow), word), ())) for word in ("", *words)]
        state = _state(findings, int(flow), money)
        body.append(
            f'<tr><th scope="row">{badge(int(flow))}{flow.label}<br><small>{state}</small></th>'
            f"{''.join(line)}</tr>"
        )
    head = '<th scope="col" class="text">Flow</th>' + "".join(
        f'<th scope="col" class="text">{escape(name)}</th>'
        for name in (EVERYBODY, *(_people(study.audiences[word], word) for word in words))
    )
    missing = [int(flow) for flow in Flow if not any(at == int(flow) for at, _ in cells)]
    blind = f" No indicator belongs to {flows_named(missing)}." if missing else ""
    return table(
        head,
        body,
        f"Lights at quarter {findings.cube.quarters}, and the department whose silo each measure "
        "was extracted from. Grey means no data; an empty cell means that nothing is measured "
        f"there.{blind}",
    )


def _people(labels: Sequence[str], word: str) -> str:
    """Return what an audience is called: its types, or its word where they are many."""
    return ", ".join(labels) if len(labels) < 3 else word.capitalize()


def _cell(findings: Findings, rows: Sequence[scorecard.Row]) -> str:
    if not rows:
        return '<td class="text"></td>'
    items = "".join(
        f"<li>{light(row.status)} {escape(row.kpi.label)} <small>"
        f"{escape(findings.study.departments.get(row.kpi.owner, scorecard.NOBODY))}</small></li>"
        for row in sorted(rows, key=lambda row: not row.objective)
    )
    return f'<td class="text"><ul class="cell">{items}</ul></td>'


def _state(findings: Findings, flow: int, money: np.ndarray) -> str:
    seen = "sensed" if findings.sensed[-1, flow - 1] else "not sensed"
    served = "money acts on it" if money[-1, flow - 1] > 0 else "no money acts on it"
    return f"{seen}; {served}"


def alerts(findings: Findings) -> str:
    """Return what asks for attention at the horizon: red lights, neglected flows, gaps."""
    found = found_alerts(findings)
    if not found:
        return "<p>Nothing is red, no flow is neglected, and what is funded is ready.</p>"
    body = [
        f'<tr><th scope="row">{escape(alert.kind.capitalize())}</th>'
        f'<td class="text">{_about(findings, alert)}</td><td>Q{alert.since}</td></tr>'
        for alert in found
    ]
    board = findings.study.board
    return table(
        '<th scope="col" class="text">Alert</th><th scope="col" class="text">About</th>'
        '<th scope="col">Since</th>',
        body,
        f"State of {findings.study.label(findings.shown)} at quarter {findings.cube.quarters}. A "
        f"flow is neglected where for {board.neglected_after} quarters nothing senses it and no "
        "money acts on it; a readiness gap is a funded mechanism whose bundle of capitals is less "
        f"than {100 * board.ready_from:.0f} % ready.",
        narrow=True,
    )


def found_alerts(findings: Findings) -> tuple[alarm.Alert, ...]:
    """Return the alerts at the horizon: red lights first, then flows, then gaps."""
    study, board = findings.study, findings.study.board
    closes = [row for row in findings.rows if row.quarter > 0]
    spent = money_by_item(study, findings.shown)
    nothing = np.zeros(study.quarters)
    readiness = bundles_by_quarter(findings)
    funded = {p.key: list(spent.get(p.key, nothing) > 0) for p in study.processes}
    return (
        *alarm.turned_red(closes),
        *alarm.neglected(
            findings.sensed, money_by_flow(study, findings.shown), board.neglected_after
        ),
        *alarm.gaps(readiness, funded, board.ready_from),
    )


def _about(findings: Findings, alert: alarm.Alert) -> str:
    study = findings.study
    if alert.kind == alarm.NEGLECTED:
        return f"{badge(int(alert.about))}{Flow(int(alert.about)).label}"
    if alert.kind == alarm.GAP:
        process = next(p for p in study.processes if p.key == alert.about)
        return f"{escape(process.label)} <small>{escape(process.department)}</small>"
    row = findings.last[INDEX[alert.about]]
    seen = "" if _is_read(findings, alert.about) else "; management would not see it"
    owner = study.departments.get(row.kpi.owner, scorecard.NOBODY)
    return (
        f"{light(row.status)} {escape(row.objective)} <small>{escape(row.kpi.label)}, "
        f"{PERSPECTIVES[row.kpi.perspective].lower()}, {escape(owner)}{seen}</small>"
    )


def _is_read(findings: Findings, kpi: str) -> bool:
    last = scorecard.at(findings.read_rows, findings.cube.quarters)[INDEX[kpi]]
    return last.kpi.sensed_by == BOOKS or last.status != scorecard.NO_DATA
