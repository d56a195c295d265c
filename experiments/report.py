"""The one-page report and the pictures beside it; `StudyResults` is all it reads.

The page is one file without scripts or requests: it opens offline, prints, and can be read aloud.
The same figures are written as PNG and SVG. Nothing is computed here that `Findings` does not hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template

from experiments import (
    figures,
    report_flows,
    report_governance,
    report_influence,
    report_insight,
    report_ledger,
    report_parts,
    report_readiness,
    report_scorecard,
)
from experiments import report_terminal as terminal
from experiments.notation import flows_named
from experiments.report_figures import MEASURE, drawings
from experiments.report_findings import (
    Findings,
    StudyResults,
    departments_of,
    find,
    processes_of,
)
from experiments.report_words import in_words
from experiments.sheet import Sheet

__all__ = ["StudyResults", "departments_of", "processes_of", "terminal_summary", "write_report"]

REPORT, FIGURES = "report.html", "figures"
TEMPLATE = Path(__file__).with_name("report_template.html")


def write_report(study: StudyResults, folder: Path) -> Path:
    """Write `folder`/report.html and `folder`/figures/*.png, *.svg; return the page's path."""
    findings = find(study)
    sheets, excuse = drawings(findings)
    (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    for name, sheet in sheets.items():
        figures.save(sheet, folder / FIGURES / name)
    path = folder / REPORT
    path.write_text(page(findings, sheets, excuse), encoding="utf-8")
    return path


def terminal_summary(study: StudyResults) -> str:
    """Return ranking, decision and the ledger, if kept, for a terminal of 100 columns."""
    findings = find(study)
    return terminal.terminal_summary(findings) + report_ledger.ledger_lines(findings)


def page(findings: Findings, sheets: Mapping[str, Sheet], excuse: str = "") -> str:
    """Return the page; `excuse` says why the strategy map is not among the figures."""
    study = findings.study
    sections = [
        ("ranking", "Ranking", _ranking(findings, sheets)),
        ("quarters", "Quarter by quarter", _quarters(findings, sheets)),
        ("alerts", "Alerts", report_influence.alerts(findings)),
        ("scorecard", "Balanced Scorecard", report_scorecard.balanced_scorecard(findings)),
        ("influence", "Influence Scorecard", _influence(findings, sheets)),
        ("readiness", "Readiness", report_readiness.readiness(findings)),
        ("designs", "Design against design", report_insight.designs(findings)),
        ("insight", "How insight travels", _insight(findings, sheets)),
        ("governance", "How it was managed", report_governance.governance(findings)),
        ("map", "Strategy map", _map(findings, sheets, excuse)),
        ("flows", "What each flow contributed", _flows(findings, sheets)),
        ("ledger", "Influence ledger", report_ledger.ledger_section(findings, sheets)),
        ("shapley", "Shared out among the flows", report_ledger.shapley_section(findings)),
        ("limits", "Assumptions and limits", report_parts.limits(findings)),
        ("reproduce", "How to reproduce this", report_parts.reproduce(study)),
    ]
    shown = [(key, title, html) for key, title, html in sections if html]
    body = "".join(
        f'<section id="{key}"><h2>{title}</h2>{html}</section>' for key, title, html in shown
    )
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        question=escape(study.question),
        scenario=escape(study.scenario),
        brief=escape(study.brief),
        changed=report_parts.changed(study.changed),
        contents=" ".join(f'<a href="#{key}">{title}</a>' for key, title, _ in shown),
        body=report_parts.decision_box(findings) + body,
    )


def _ranking(findings: Findings, sheets: Mapping[str, Sheet]) -> str:
    if not findings.order:
        return ""
    alt = in_words(findings, findings.study.headline[0])
    return (
        report_parts.figure(sheets["comparison"], f"Dot plot. {alt}")
        + report_parts.ranking_table(findings)
        + report_parts.verdicts(findings)
        + report_parts.spending_table(findings)
    )


def _quarters(findings: Findings, sheets: Mapping[str, Sheet]) -> str:
    if not findings.order:
        return ""
    said = "One line per portfolio; the numbers are in the tables beside this page."
    if findings.study.headline[0] == "net_present_value" and findings.ours:
        late = {findings.study.label(arm): findings.payback[arm] for arm in findings.ours}
        ends = [
            f"{label} {f'{q:.0f}' if math.isfinite(q) else 'not within the horizon'}"
            for label, q in late.items()
        ]
        said = f"Quarter of payback: {'; '.join(ends)}."
    return report_parts.figure(
        sheets["quarter_by_quarter"],
        f"Small line charts of the difference per quarter, one per portfolio. {said}",
    )


def _influence(findings: Findings, sheets: Mapping[str, Sheet]) -> str:
    text = (
        "<p>The same scorecard seen by the six flows of influence, whatever department's silo "
        "an indicator was extracted from.</p><h3>By flow and stakeholders</h3>"
        f"{report_influence.matrix(findings)}<h3>By flow, in full</h3>"
        f"{report_scorecard.influence_scorecard(findings)}"
    )
    if not findings.traced:
        return text + (
            "<p>No muted twins were run, so that the influence of each flow on each "
            "stakeholder type is not known.</p>"
        )
    numbers = "".join(
        f"<details><summary>{escape(findings.study.arms[arm])}: numbers by flow and stakeholder "
        f"type</summary>{report_flows.by_type_table(findings, arm, MEASURE)}"
        f"{report_flows.by_type_table(findings, arm, 'tied')}</details>"
        for arm in findings.traced
    )
    drawn = report_parts.figure(
        sheets["influence"],
        f"Matrix of the influence of six flows on the {MEASURE} of each stakeholder type; the "
        "numbers are in the tables below.",
    )
    other = (
        "<p>Attitude is one road to money, not the only one: a flow also works by who has a firm "
        "in mind, by what people expect and experience, and by insight that mends what they meet. "
        "So a flow that moves no attitude may move money; the section on what each flow "
        "contributed counts all roads together.</p>"
    )
    return f"{text}<h3>What each flow did to each stakeholder type</h3>{drawn}{other}{numbers}"


def _insight(findings: Findings, sheets: Mapping[str, Sheet]) -> str:
    told = report_insight.insight(findings)
    if not told or "insight" not in sheets:
        return told
    drawn = report_parts.figure(
        sheets["insight"],
        "Small line charts of the share of insight that reaches action, minus the baseline's, one "
        "per portfolio; the numbers are in the table above.",
    )
    return f"{told}{drawn}"


def _map(findings: Findings, sheets: Mapping[str, Sheet], excuse: str) -> str:
    drawn = findings.study.strategy_map
    note = ""
    if drawn.missing_flows:
        missing = flows_named(drawn.missing_flows)
        note = f"<p><strong>Blind spot:</strong> the map draws no link for {missing}.</p>"
    picture = f"<p>The map cannot be drawn: {escape(excuse)}.</p>"
    if "strategy_map" in sheets:
        picture = report_parts.figure(
            sheets["strategy_map"],
            f"Strategy map “{drawn.label}”: objectives in four perspectives with causes and "
            "effects, the six flows and the rivals; every link is listed below.",
        )
    return (
        f"{note}{picture}<details><summary>Every link, with sign, lag and what is known</summary>"
        f"{report_flows.links_table(findings.study)}</details>"
    )


def _flows(findings: Findings, sheets: Mapping[str, Sheet]) -> str:
    if not findings.traced:
        return ""
    name = findings.name(findings.study.headline[0]).lower()
    drawn = report_parts.figure(
        sheets["flow_contributions"],
        f"Bars of what each of the six flows contributes to {name}; the numbers are in the table "
        "below.",
    )
    return (
        f"{drawn}<details><summary>Numbers, for every headline indicator</summary>"
        f"{report_flows.contributions_table(findings)}</details>"
    )
