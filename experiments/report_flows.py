"""The report's tables about flows: by stakeholder type, by indicator, and the map's links."""

from __future__ import annotations

import math
from html import escape

import pandas as pd

from experiments.notation import MEASURE_UNITS, Shown
from experiments.report_findings import Findings, StudyResults
from experiments.report_parts import table
from experiments.report_scorecard import badge
from sim.flows import Flow

PLAIN = Shown(1, 3, "")


def by_type_table(findings: Findings, arm: str, measure: str) -> str:
    """Return one arm's influence by flow and stakeholder type as numbers."""
    study, found = findings.study, findings.influence
    found = found[(found["arm"] == arm) & (found["measure"] == measure)]
    cells = {(row.flow, row.kind): row for row in found.itertuples()}
    body = []
    for flow in Flow:
        line = []
        for kind in study.kinds:
            row = cells.get((int(flow), kind))
            if row is None or not math.isfinite(row.mean):
                line.append("<td>–</td>")
                continue
            line.append(f"<td>{_signed(row.mean)}{_band(row.low, row.high)}</td>")
        body.append(f'<tr><th scope="row">{badge(int(flow))}{flow.label}</th>{"".join(line)}</tr>')
    head = '<th scope="col" class="text">Flow</th>' + "".join(
        f'<th scope="col">{escape(label)}</th>' for label in study.kinds.values()
    )
    return table(
        head,
        body,
        f"{study.arms[arm]}: {measure.replace('_', ' ')}, {MEASURE_UNITS[measure]}; mean and 95 % "
        "interval.",
    )


def _signed(value: float, look: Shown = PLAIN) -> str:
    return look.text(value, signed=True)


def _band(low: float, high: float, look: Shown = PLAIN) -> str:
    if not math.isfinite(low):
        return ""
    return f"<br><small>{_signed(low, look)} to {_signed(high, look)}</small>"


def links_table(study: StudyResults) -> str:
    """Return every link of the strategy map with sign, lag and confidence."""

    def name(key: str) -> str:
        return "Rivals" if key == "rivals" else study.strategy_map.objective(key).label

    body = [
        f'<tr><td class="text">{escape(name(link.tail))}</td>'
        f'<td class="text">{escape(name(link.head))}</td>'
        f'<td class="text">{badge(link.flow) if link.flow else "cause and effect"}</td>'
        f'<td class="text">{"more leads to more" if link.sign > 0 else "more leads to less"}</td>'
        f"<td>{link.lag:g}</td>"
        f'<td class="text">{link.confidence}</td></tr>'
        for link in study.strategy_map.links
    ]
    head = "".join(
        f'<th scope="col" class="{kind}">{text}</th>'
        for text, kind in (
            ("From", "text"),
            ("To", "text"),
            ("Flow", "text"),
            ("Sign", "text"),
            ("Lag in weeks", ""),
            ("Known how", "text"),
        )
    )
    return table(head, body)


def contributions_table(findings: Findings) -> str:
    """Return what each flow contributed to every headline indicator, per traced arm."""
    study = findings.study
    found = findings.influence[findings.influence["kind"] == ""]
    cells = {(row["arm"], row["flow"], row["measure"]): row for row in found.to_dict("records")}
    body = []
    for arm in findings.traced:
        body.append(
            f'<tr class="group"><th colspan="{1 + len(study.headline)}">'
            f"{escape(study.arms[arm])}</th></tr>"
        )
        for flow in Flow:
            line = "".join(
                f"<td>{_mean_and_band(cells.get((arm, int(flow), kpi)), kpi, study)}</td>"
                for kpi in study.headline
            )
            body.append(f'<tr><th scope="row">{badge(int(flow))}{flow.label}</th>{line}</tr>')
    head = '<th scope="col" class="text">Flow</th>'
    for kpi in study.headline:
        head += f'<th scope="col">{escape(findings.name(kpi))}</th>'
    return table(head, body, "Run minus its twin with that flow muted; mean and 95 % interval.")


def _mean_and_band(row: dict[str, float] | pd.Series | None, kpi: str, study: StudyResults) -> str:
    if row is None or not math.isfinite(row["mean"]):
        return "–"
    size = max(abs(v) for v in (row["mean"], row["low"], row["high"]) if math.isfinite(v))
    look = study.shown(kpi, size, change=True)
    unit = f"<small>{escape(look.unit)}</small>"
    return f"{_signed(row['mean'], look)} {unit}{_band(row['low'], row['high'], look)}"
