"""The one-page report and the pictures beside it; `StudyResults` is all it reads.

The page is one file without scripts or requests: it opens offline, prints, and can be read aloud.
The same figures are written as PNG and SVG. Nothing is computed here that `Findings` does not hold.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template

from matplotlib.figure import Figure

from experiments import figures, report_parts, report_words, strategy_map_drawing
from experiments.report_findings import Findings, StudyResults, find, readings
from sim import kpis

__all__ = ["StudyResults", "terminal_summary", "write_report"]

REPORT, FIGURES = "report.html", "figures"
TEMPLATE = Path(__file__).with_name("report_template.html")
MEASURE = "attitude"


def write_report(study: StudyResults, folder: Path) -> Path:
    """Write `folder`/report.html and `folder`/figures/*.png, *.svg; return the page's path."""
    findings = find(study)
    vectors = {}
    (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    for name, figure in drawings(findings).items():
        _, vector = figures.save(figure, folder / FIGURES / name)
        vectors[name] = vector.read_text(encoding="utf-8")
    path = folder / REPORT
    path.write_text(_page(findings, vectors), encoding="utf-8")
    return path


def page(study: StudyResults) -> str:
    """Return the report's page alone, without writing anything."""
    findings = find(study)
    drawn = drawings(findings)
    return _page(findings, {name: figures.svg(figure, name) for name, figure in drawn.items()})


def terminal_summary(study: StudyResults) -> str:
    """Return the ranking and the decision for a terminal, at most 100 columns wide."""
    return report_words.terminal_summary(find(study))


def drawings(findings: Findings) -> dict[str, Figure]:
    """Return every figure that the results allow, by name."""
    study, colors, order = findings.study, findings.colors, findings.order
    base, quarter = study.arms[study.baseline], findings.cube.quarters
    made = {}
    if order:
        made["comparison"] = figures.comparison(
            findings.differences, order, study.arms, colors, study.currency, base
        )
        made["value_per_quarter"] = figures.value_per_quarter(
            findings.value, order, study.arms, colors, study.currency, base, findings.payback
        )
    made["scorecard"] = figures.scorecard_grid(
        findings.rows,
        f"Balanced Scorecard of {study.label(findings.shown)}, quarter by quarter",
        "G at or beyond the target, A between, R at or beyond the red flag, ? no data, grey "
        "without letter: no target. Arrow: change since the quarter before.",
    )
    if findings.traced:
        made["influence"] = figures.influence_matrix(
            findings.influence, findings.traced, study.arms, study.kinds, MEASURE, quarter
        )
        made["flow_contributions"] = figures.flow_contributions(
            findings.influence,
            findings.traced,
            study.arms,
            colors,
            study.headline[0],
            study.currency,
            quarter,
            findings.parts,
        )
    status, words = readings(findings)
    made["strategy_map"] = strategy_map_drawing.draw(
        study.strategy_map,
        status,
        words,
        f"Strategy map: {study.strategy_map.label}",
        f"Lights and readings: {study.label(findings.shown)}, quarter {quarter}. G at or beyond "
        "the target, A between, R at or beyond the red flag, ? no data.",
    )
    return made


def _page(findings: Findings, vectors: dict[str, str]) -> str:
    study = findings.study
    sections = [
        ("ranking", "Ranking", _ranking(findings, vectors)),
        ("value", "Value per quarter", _value(findings, vectors)),
        ("scorecard", "Balanced Scorecard", _scorecard(findings)),
        ("influence", "Influence Scorecard", _influence(findings, vectors)),
        ("map", "Strategy map", _map(findings, vectors)),
        ("flows", "What each flow contributed", _flows(findings, vectors)),
        ("limits", "Assumptions and limits", report_parts.limits(findings)),
        ("reproduce", "How to reproduce this", report_parts.reproduce(study)),
    ]
    shown = [(key, title, html) for key, title, html in sections if html]
    body = "".join(
        f'<section id="{key}"><h2>{title}</h2>{html}</section>' for key, title, html in shown
    )
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(study.title),
        scenario=escape(study.scenario),
        brief=escape(study.brief),
        contents=" ".join(f'<a href="#{key}">{title}</a>' for key, title, _ in shown),
        body=report_parts.decision_box(findings) + body,
    )


def _ranking(findings: Findings, vectors: dict[str, str]) -> str:
    if not findings.order:
        return ""
    alt = report_words.in_words(findings, findings.study.headline[0])
    return (
        report_parts.figure(vectors["comparison"], "comparison", f"Dot plot. {alt}")
        + report_parts.ranking_table(findings)
        + report_parts.verdicts(findings)
        + report_parts.spending_table(findings)
    )


def _value(findings: Findings, vectors: dict[str, str]) -> str:
    if not findings.order:
        return ""
    late = {findings.study.arms[arm]: findings.payback[arm] for arm in findings.order}
    said = [
        f"{label}: {'not within the horizon' if quarter == float('inf') else quarter}"
        for label, quarter in late.items()
    ]
    return report_parts.figure(
        vectors["value_per_quarter"],
        "value",
        f"Small line charts of value to date per portfolio. Quarter of payback: {'; '.join(said)}.",
    )


def _scorecard(findings: Findings) -> str:
    quarter = findings.cube.quarters
    earlier = "".join(
        f"<details><summary>Quarter {q}</summary>"
        f"{report_parts.scorecard_table(findings, q, strips=False)}</details>"
        for q in range(1, quarter)
    )
    keys = (
        "<p>Lights: <strong>G</strong> (square, green) at or beyond the target, "
        "<strong>A</strong> (round, amber) between target and red flag, <strong>R</strong> "
        "(framed, red) at or beyond the red flag, <strong>?</strong> no data, – no target. "
        "Targets ramp up to the quarter in which they are due, so early reds during a "
        "transition are to be expected.</p>"
    )
    return (
        f"<p>{escape(report_parts.shown_sentence(findings))} Quarter {quarter}; the quarters "
        f"before stand below.</p>{keys}"
        f"{report_parts.scorecard_table(findings, quarter)}{earlier}"
    )


def _influence(findings: Findings, vectors: dict[str, str]) -> str:
    text = (
        "<p>The same scorecard seen by the six flows of influence, whatever department's silo "
        "an indicator was extracted from.</p>" + report_parts.influence_table(findings)
    )
    if not findings.traced:
        return text + (
            "<p>No muted twins were run, so that the influence of each flow on each "
            "stakeholder type is not known.</p>"
        )
    tables = "".join(
        f"<details><summary>{escape(findings.study.arms[arm])}: numbers by flow and stakeholder "
        f"type</summary>{report_parts.by_type_table(findings, arm, MEASURE)}"
        f"{report_parts.by_type_table(findings, arm, 'tied')}</details>"
        for arm in findings.traced
    )
    return (
        text
        + "<h3>By flow and stakeholder type</h3>"
        + report_parts.figure(
            vectors["influence"],
            "influence",
            f"Matrix of the influence of six flows on the {MEASURE} of each stakeholder type; the "
            "numbers are in the tables below.",
        )
        + tables
    )


def _map(findings: Findings, vectors: dict[str, str]) -> str:
    study = findings.study
    missing = study.strategy_map.missing_flows
    note = (
        ""
        if not missing
        else (
            f"<p><strong>Blind spot:</strong> the map draws no link for flow "
            f"{', '.join(str(flow) for flow in missing)}.</p>"
        )
    )
    return (
        note
        + report_parts.figure(
            vectors["strategy_map"],
            "map",
            f"Strategy map “{study.strategy_map.label}”: objectives in four perspectives with "
            "causes and effects, the six flows and the rivals; every link is listed below.",
        )
        + "<details><summary>Every link, with sign, lag and what is known</summary>"
        f"{report_parts.links_table(study)}</details>"
    )


def _flows(findings: Findings, vectors: dict[str, str]) -> str:
    if not findings.traced:
        return ""
    label = kpis.TABLE[kpis.INDEX[findings.study.headline[0]]].label.lower()
    return report_parts.figure(
        vectors["flow_contributions"],
        "flows",
        f"Bars of what each of the six flows contributes to {label}; the numbers are in the table "
        "below.",
    ) + (
        "<details><summary>Numbers, for every headline indicator</summary>"
        f"{report_parts.contributions_table(findings)}</details>"
    )
