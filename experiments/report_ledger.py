"""The report's closer looks: the influence ledger, and indicators shared out among the flows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

import pandas as pd

from experiments.accounts import ALL, EVERYBODY, REMAINDER, ledger_summary
from experiments.notation import Shown
from experiments.report_figures import LEDGER
from experiments.report_findings import Findings, StudyResults
from experiments.report_parts import figure, table
from experiments.report_scorecard import badge
from experiments.sheet import Sheet
from sim.flows import Flow
from sim.influenced import ANYTHING, ENTRIES

SHARE = Shown(100, 1, "%")
TITLES = {
    "think": "Who thinks something they otherwise wouldn't",
    "do": "Who does something they otherwise wouldn't",
}
ENTRY_LABELS = {
    "attitude": "thinks better or worse of us",
    "salience": "has us more or less in mind",
    "provider": "chooses somebody else",
    "advocacy": "would, or would not, recommend us",
    "voice": "spoke of us, well or badly, when they wouldn't; or did not",
    "engagement": "works for us with more or less engagement",
    ANYTHING: "any of these",
}
TOGETHER, REST = "all six flows together", "remainder: all six, less the sum of each"
FLOW_ROWS = (*(int(flow) for flow in Flow), ALL, REMAINDER)
Cells = Mapping[tuple[str, int, str], pd.Series]


def ledger_section(findings: Findings, sheets: Mapping[str, Sheet]) -> str:
    """Return the ledger at the horizon, by flow and stakeholder type; empty if none was kept."""
    study = findings.study
    if study.ledger.empty:
        return ""
    summary = ledger_summary(study.ledger, study.quarters)
    arms = [arm for arm in study.arms if arm in set(summary["arm"])]
    return _about(study) + "".join(_arm(study, summary, arm, sheets) for arm in arms)


def _about(study: StudyResults) -> str:
    limits = study.thresholds
    return (
        "<p>By Philip Sheldrake's definition you have been influenced when you think or do "
        "something you otherwise wouldn't. So people are counted here, one by one: each lives "
        "twice on the same luck, once as told and once in a twin in which a flow is muted, and is "
        f"counted if the two lives differ at the close of quarter {study.quarters}. "
        f"To <em>think</em> otherwise is to differ by more than {limits['attitude']:g} in attitude "
        f"(a scale from −1 to 1) or by more than {100 * limits['salience']:g} % points in the "
        "chance to have us in mind. To <em>do</em> otherwise is to choose somebody else, to "
        "recommend or not, to have spoken of us otherwise in the quarter, or, for our employees, "
        f"an engagement that differs by more than {limits['engagement']:g}.</p>"
        "<p>First number: the share of people who differ. In small print: its 95 % interval, then "
        "how many differ in our favour (+) and against us (−); who changes between two rivals, or "
        "in one thing for and in another against us, is in the first number alone. Who is moved "
        "by two flows is counted in both, so that the remainder is usually below 0.</p>"
    )


def _arm(study: StudyResults, summary: pd.DataFrame, arm: str, sheets: Mapping[str, Sheet]) -> str:
    own = summary[summary["arm"] == arm]
    drawn = figure(
        sheets[f"{LEDGER}_{arm}"],
        f"Bars of the share of people whom each of the six flows influences, quarter by quarter, "
        f"under {study.label(arm)}; quarter {study.quarters} is in the table below.",
    )
    parts = [f"<h3>{escape(study.arms[arm])}</h3>{drawn}"]
    for sphere, title in TITLES.items():
        anything = own[(own["influenced"] == sphere) & (own["what"] == ANYTHING)]
        columns = {EVERYBODY: "Everybody", **study.kinds}
        parts.append(_by_column(anything, "kind", columns, f"{title}, by flow and type"))
        everybody = own[(own["influenced"] == sphere) & (own["kind"] == EVERYBODY)]
        whats = {what: ENTRY_LABELS[what] for found, what in ENTRIES if found == sphere}
        detail = _by_column(everybody, "what", whats, f"{title}: what it is, of those who can")
        parts.append(f"<details><summary>{title}: what it is</summary>{detail}</details>")
    return "".join(parts)


def _by_column(rows: pd.DataFrame, column: str, labels: Mapping[str, str], caption: str) -> str:
    cells: Cells = {(getattr(row, column), row.flow, row.measure): row for row in rows.itertuples()}
    head = '<th scope="col" class="text">Flow</th>' + "".join(
        f'<th scope="col">{escape(label)}</th>' for label in labels.values()
    )
    body = [
        f'<tr{_class(flow)}><th scope="row">{_flow_name(flow)}</th>'
        f"{''.join(_cell(cells, key, flow) for key in labels)}</tr>"
        for flow in FLOW_ROWS
    ]
    return table(head, body, f"{caption}; % of people, mean over replications.")


def _class(flow: int) -> str:
    return "" if flow in set(Flow) else ' class="base"'


def _flow_name(flow: int) -> str:
    if flow in (ALL, REMAINDER):
        return TOGETHER if flow == ALL else REST
    return f"{badge(flow)}{Flow(flow).label}"


def _cell(cells: Cells, key: str, flow: int) -> str:
    share = cells.get((key, flow, "share"))
    if share is None or not math.isfinite(share.mean):
        return "<td>–</td>"
    signed = flow == REMAINDER
    lines = [SHARE.text(share.mean, signed)]
    if math.isfinite(share.low):
        lines.append(f"{SHARE.text(share.low, signed)} to {SHARE.text(share.high, signed)}")
    if not signed:
        more, less = (cells[key, flow, name].mean for name in ("more", "less"))
        lines.append(f"+{SHARE.text(more)} −{SHARE.text(less)}")
    first, *rest = lines
    return f"<td>{first}{''.join(f'<br><small>{line}</small>' for line in rest)}</td>"


def ledger_lines(findings: Findings) -> str:
    """Return the ledger for a terminal; empty if none was kept."""
    study = findings.study
    if study.ledger.empty:
        return ""
    summary = ledger_summary(study.ledger, study.quarters)
    rows = summary[(summary["kind"] == EVERYBODY) & (summary["what"] == ANYTHING)]
    lines = [
        f"\nInfluence ledger, quarter {study.quarters}: people who think or do something they "
        "otherwise wouldn't"
    ]
    for arm in [arm for arm in study.arms if arm in set(rows["arm"])]:
        lines += [
            f"\n    {study.arms[arm][:48]:48}  {'think':>6}  {'':14}{'do':>6}",
            "    " + "-" * 94,
        ]
        own = rows[rows["arm"] == arm]
        cells: Cells = {(row.influenced, row.flow, row.measure): row for row in own.itertuples()}
        for flow in FLOW_ROWS:
            name = _flow_name(flow) if flow in (ALL, REMAINDER) else f"{flow} {Flow(flow).label}"
            told = "".join(_short(cells, sphere, flow) for sphere in TITLES)
            lines.append(f"    {name:48}{told}".rstrip())
    lines.append(
        "\nShare of everybody who differs from the twin without the flow, on the same luck (in\n"
        "our favour +, against us −). Types, intervals, what they do: report and ledger.csv.\n"
    )
    return "\n".join(lines)


def _short(cells: Cells, sphere: str, flow: int) -> str:
    share = cells[sphere, flow, "share"].mean
    signs = ""
    if flow != REMAINDER:
        more, less = (cells[sphere, flow, name].mean for name in ("more", "less"))
        signs = f"(+{SHARE.text(more)} −{SHARE.text(less)})"
    return f"{SHARE.text(share, flow == REMAINDER):>6} % {signs:<14}"


def shapley_section(findings: Findings) -> str:
    """Return indicators shared out among the six flows; empty if no combinations were run."""
    study = findings.study
    if study.shapley.empty:
        return ""
    about = (
        "<p>Flows work together, so that muting them one by one leaves a remainder. Here each of "
        "the 64 combinations of open flows was run on the same luck, and each flow is given its "
        "Shapley value: what it adds on average, whichever flows are open before it. The six "
        "add up exactly to the difference between all flows open and all muted. Beside it: what "
        "the flow does alone, and what is lost when it alone is muted.</p>"
    )
    sides = study.shapley[["arm", "against"]].drop_duplicates().itertuples(index=False)
    return about + "".join(_shared(findings, str(arm), str(against)) for arm, against in sides)


def _shared(findings: Findings, arm: str, against: str) -> str:
    study = findings.study
    title = escape(study.arms[arm])
    if against:
        title += f", beyond {escape(study.arms[against])}"
    rows = study.shapley[(study.shapley["arm"] == arm) & (study.shapley["against"] == against)]
    pairs = study.interactions[
        (study.interactions["arm"] == arm) & (study.interactions["against"] == against)
    ]
    tables = [_shares_of(findings, rows[rows["kpi"] == kpi], kpi) for kpi in study.headline]
    matrices = [_pairs_of(findings, pairs[pairs["kpi"] == kpi], kpi) for kpi in study.headline]
    first, *others = tables
    return (
        f"<h3>{title}</h3>{first}<details><summary>Other headline indicators, and which flows "
        f"achieve more together</summary>{''.join(others)}{''.join(matrices)}</details>"
    )


def _shares_of(findings: Findings, rows: pd.DataFrame, kpi: str) -> str:
    name = findings.name(kpi)
    if rows.empty:
        return f"<p>{escape(name)}: undefined in some combination of flows.</p>"
    columns = ("value", "low", "high", "main_effect", "last_in")
    look = findings.study.shown(kpi, float(rows[list(columns)].abs().max().max()), True)
    body = []
    for row in rows.itertuples():
        band = ""
        if math.isfinite(row.low):
            band = f"<br><small>{look.text(row.low, True)} to {look.text(row.high, True)}</small>"
        body.append(
            f'<tr><th scope="row">{badge(row.flow)}{Flow(row.flow).label}</th>'
            f"<td>{look.text(row.value, True)}{band}</td><td>{look.text(row.main_effect, True)}"
            f"</td><td>{look.text(row.last_in, True)}</td></tr>"
        )
    sums = (look.text(float(rows[name].sum()), True) for name in ("value", *columns[3:]))
    body.append(
        '<tr class="base"><th scope="row">sum of the six</th>'
        f"{''.join(f'<td>{text}</td>' for text in sums)}</tr>"
    )
    head = _heads("Flow", "Shapley value", "Alone", "Lost when muted")
    return table(
        head,
        body,
        f"{name}, {look.unit}, at the horizon; mean over {int(rows['n'].iloc[0])} replications, "
        "95 % interval by bootstrap.",
    )


def _pairs_of(findings: Findings, rows: pd.DataFrame, kpi: str) -> str:
    if rows.empty:
        return ""
    look = findings.study.shown(kpi, float(rows["value"].abs().max()), True)
    cells = {(row.flow, row.other): row for row in rows.itertuples()}
    body = []
    for one in Flow:
        line = []
        for two in Flow:
            row = cells.get((min(one, two), max(one, two)))
            told = row is not None and (row.low > 0 or row.high < 0)
            text = "" if row is None else look.text(row.value, True)
            line.append(f"<td>{text if told or not text else f'({text})'}</td>")
        body.append(f'<tr><th scope="row">{badge(one)}{one.label}</th>{"".join(line)}</tr>')
    return table(
        _heads("Flow", *(str(int(flow)) for flow in Flow)),
        body,
        f"{findings.name(kpi)}, {look.unit}: what two flows achieve together beyond what they "
        "achieve apart. In brackets: the 95 % interval includes 0.",
    )


def _heads(first: str, *others: str) -> str:
    return f'<th scope="col" class="text">{first}</th>' + "".join(
        f'<th scope="col">{text}</th>' for text in others
    )
