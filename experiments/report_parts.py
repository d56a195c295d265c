"""The report's pieces: each a stretch of HTML made from findings."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import pandas as pd

from experiments import figures
from experiments.report_findings import Findings, StudyResults, level
from experiments.report_words import amount, decision, in_words, recommended
from sim import kpis, scorecard
from sim.flows import Flow

SCORECARD_HEAD = (
    '<th scope="col" class="text">Objective and indicator</th><th scope="col">As is</th>'
    '<th scope="col">Target</th><th scope="col">Actual<br><small>middle 80 %</small></th>'
    '<th scope="col">Status</th><th scope="col" class="text">Trend</th>'
    '<th scope="col"><span class="nowrap">Chance to</span><br>'
    '<span class="nowrap">meet target</span></th>'
)
STATUS_CLASSES = {
    scorecard.GREEN: "green", scorecard.AMBER: "amber", scorecard.RED: "red",
    scorecard.NO_DATA: "nodata", scorecard.NO_TARGET: "notarget",
}  # fmt: skip


def decision_box(findings: Findings) -> str:
    """Return the decision in five sentences."""
    items = "".join(
        f"<dt>{escape(heading)}</dt><dd>{escape(sentence)}</dd>"
        for heading, sentence in decision(findings)
    )
    return (
        f'<section class="decision" id="decision"><h2>The decision</h2><dl>{items}</dl></section>'
    )


def figure(vector: str, name: str, alt: str, caption: str = "") -> str:
    """Return an SVG as part of the page: ids made its own, text alternative added."""
    body = vector[vector.index("<svg") :]
    body = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", body)
    head, rest = body.split(">", 1)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    label = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure>{head} role="img" aria-label="{escape(alt)}">{rest}{label}</figure>'


def ranking_table(findings: Findings) -> str:
    """Return the ranking, with every headline indicator's interval and verdict."""
    study = findings.study
    looks = {kpi: findings.look(kpi) for kpi in study.headline}
    head = "".join(
        f'<th scope="col">{escape(kpis.TABLE[kpis.INDEX[kpi]].label)}<br>'
        f"<small>{escape(look.unit)}</small></th>"
        for kpi, look in looks.items()
    )
    money = findings.ranking[["planned_cost", "realised_cost"]].abs().max().max()
    cost = figures.shown("net_present_value", study.currency, 0 if money != money else money)
    body = []
    for row in findings.ranking.to_dict("records"):
        arm = row["arm"]
        cells = "".join(
            f"<td>{_difference(row, kpi, looks[kpi], arm == study.baseline)}</td>"
            for kpi in study.headline
        )
        kind = (
            ' class="base"'
            if arm == study.baseline
            else (' class="first"' if row["rank"] == 1 else "")
        )
        body.append(
            f'<tr{kind}><td>{row["rank"]}</td><th scope="row">{escape(study.arms[arm])}</th>{cells}'
            f"<td>{_wins(row, study)}</td><td>{_back(row, findings)}</td>"
            f"<td>{cost.text(row['planned_cost'])}<br><small>{cost.text(row['realised_cost'])}"
            "</small></td></tr>"
        )
    first = kpis.TABLE[kpis.INDEX[study.headline[0]]].label.lower()
    caption = (
        f"Ranked by the mean paired difference in {first} alone. Under each mean: its 95 % "
        f"interval; “≈ as is” marks what cannot be told apart from "
        f"“{study.arms[study.baseline]}”."
    )
    return _table(
        f'<th scope="col">#</th><th scope="col" class="text">Portfolio</th>{head}'
        '<th scope="col">Better in<br><small>replications</small></th>'
        '<th scope="col">Pays back<br><small>median quarter</small></th>'
        '<th scope="col">Cost<br><small>planned, realised<br>'
        f"beyond as is; {escape(cost.unit)}</small></th>",
        body,
        caption,
    )


def _difference(row: Mapping[str, object], kpi: str, look: figures.Shown, baseline: bool) -> str:
    if baseline:
        return "0"
    mean, low, high = (float(str(row[f"{kpi}.{name}"])) for name in ("mean", "low", "high"))
    verdict = str(row[f"{kpi}.verdict"])
    text = look.text(mean, signed=True)
    if verdict in ("better", "worse"):
        text = f"<strong>{text}</strong>"
    if not math.isfinite(low):
        return f"{text}<br><small>no interval</small>"
    mark = "" if verdict in ("better", "worse") else "<br><small>≈ as is</small>"
    return (
        f'{text}<br><small class="nowrap">{look.text(low, signed=True)} to '
        f"{look.text(high, signed=True)}</small>{mark}"
    )


def _wins(row: Mapping[str, object], study: StudyResults) -> str:
    kpi = study.headline[0]
    n, share = int(str(row[f"{kpi}.n"])), float(str(row[f"{kpi}.better"]))
    if not n or math.isnan(share):
        return "–"
    missing = study.planned_replications - n
    note = f"<br><small>{missing} missing</small>" if missing > 0 else ""
    return f"{round(share * n)} of {n}{note}"


def _back(row: Mapping[str, object], findings: Findings) -> str:
    late, share = float(str(row["payback_quarter"])), float(str(row["payback_share"]))
    if math.isnan(share):
        return "–"
    text = f"{late:.0f}" if math.isfinite(late) else f"not in {findings.cube.quarters}"
    return f"{text}<br><small class='nowrap'>{figures.percent(share)} do</small>"


def light(row: scorecard.Row) -> str:
    """Return a status light: colour, shape and letter."""
    letter = figures.STATUS_LETTERS[row.status]
    return (
        f'<span class="light {STATUS_CLASSES[row.status]}" title="{row.status}" '
        f'aria-label="{row.status}">{letter}</span>'
    )


def _trend(row: scorecard.Row) -> str:
    if row.trend is None:
        return "–"
    word = {True: "better", False: "worse", None: "steady"}[row.improving]
    return f"{figures.ARROWS[row.trend]} <small>{word}</small>"


def scorecard_table(findings: Findings, quarter: int, strips: bool = True) -> str:
    """Return the Balanced Scorecard of one quarter; strips show the lights of all quarters."""
    body = []
    rows = scorecard.at(findings.rows, quarter)
    columns = 9 if strips else 8
    for perspective, group in scorecard.by_perspective(rows).items():
        if not group:
            continue
        body.append(
            f'<tr class="group"><th scope="colgroup" colspan="3">'
            f"{figures.PERSPECTIVE_LABELS[perspective]}</th>"
            f'<td colspan="{columns - 3}">{_tally(group)}</td></tr>'
        )
        body += [_scorecard_row(findings, row, strips) for row in group]
    head = SCORECARD_HEAD + '<th scope="col" class="text">Owner</th>'
    if strips:
        last = findings.cube.quarters
        head += f'<th scope="col" class="text">Quarters 1 to {last}</th>'
    return _table(head, body, "")


def _tally(rows: Sequence[scorecard.Row]) -> str:
    counts = scorecard.count(rows)
    words = [f"{counts[status]} {status}" for status in scorecard.STATUSES if counts[status]]
    score = scorecard.mean_score(rows)
    if not math.isnan(score):
        words.append(f"weighted mean score {score:.1f} of 10 (goal 6.7, red flag 3.3)")
    return ", ".join(words)


def _scorecard_row(findings: Findings, row: scorecard.Row, strips: bool) -> str:
    study = findings.study
    sizes = [abs(v) for v in (row.actual, row.baseline, row.target) if math.isfinite(v)]
    look = level(study, row.kpi, max(sizes, default=0.0))
    kind = "leading" if row.kpi.leading else "lagging"
    label = escape(row.objective or row.kpi.label)
    under = f"{escape(row.kpi.label)}, " if row.objective else ""
    chance = figures.percent(row.probability)
    band = ""
    if math.isfinite(row.low) and row.n > 1:
        band = f'<br><small class="nowrap">{look.text(row.low)} to {look.text(row.high)}</small>'
    cells = (
        f'<th scope="row">{label}<br><small>{under}{escape(look.unit)}; {kind}</small></th>'
        f"<td>{look.text(row.baseline)}</td><td>{look.text(row.target)}</td>"
        f"<td>{look.text(row.actual)}{band}</td><td>{light(row)}</td>"
        f'<td class="text nowrap">{_trend(row)}</td><td>{chance}</td>'
        f'<td class="text"><small>{escape(_silo(row.kpi))}</small></td>'
    )
    if strips:
        history = [r for r in findings.rows if r.kpi.key == row.kpi.key and r.quarter > 0]
        cells += f'<td class="text strip">{"".join(light(r) for r in history)}</td>'
    return f"<tr>{cells}</tr>"


def _silo(kpi: kpis.Kpi) -> str:
    return kpi.owner.replace("_", " ")


def influence_table(findings: Findings) -> str:
    """Return the Influence Scorecard: the rows that have a flow, by flow, out of their silos."""
    body = []
    rows = scorecard.at(findings.rows, findings.cube.quarters)
    for flow, group in scorecard.influence_view(rows).items():
        body.append(
            f'<tr class="group"><th scope="colgroup" colspan="3">{_badge(flow)}'
            f'{Flow(flow).label}</th><td colspan="5">'
            f"{_tally(group) if group else 'no indicator: a blind flow'}</td></tr>"
        )
        body += [_scorecard_row(findings, row, strips=False) for row in group]
    head = SCORECARD_HEAD + '<th scope="col" class="text">Extracted from</th>'
    return _table(head, body, "")


def _badge(flow: int) -> str:
    return f'<span class="flow" style="background:{Flow(flow).color}">{flow}</span>'


def by_type_table(findings: Findings, arm: str, measure: str) -> str:
    """Return one arm's influence by flow and stakeholder type as numbers."""
    study = findings.study
    found = findings.influence
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
            band = (
                f"<br><small>{_plain(row.low)} to {_plain(row.high)}</small>"
                if math.isfinite(row.low)
                else ""
            )
            line.append(f"<td>{_plain(row.mean)}{band}</td>")
        body.append(f'<tr><th scope="row">{_badge(int(flow))}{flow.label}</th>{"".join(line)}</tr>')
    head = '<th scope="col" class="text">Flow</th>' + "".join(
        f'<th scope="col">{escape(label)}</th>' for label in study.kinds.values()
    )
    unit = figures.MEASURE_UNITS[measure]
    return _table(
        head,
        body,
        f"{study.arms[arm]}: {measure.replace('_', ' ')}, {unit}; mean and 95 % interval.",
    )


def _plain(value: float) -> str:
    return figures.Shown(1, 3, "").text(value, signed=True)


def links_table(study: StudyResults) -> str:
    """Return every link of the strategy map with sign, lag and confidence."""

    def name(key: str) -> str:
        return "Rivals" if key == "rivals" else study.strategy_map.objective(key).label

    body = [
        f'<tr><td class="text">{escape(name(link.tail))}</td>'
        f'<td class="text">{escape(name(link.head))}</td>'
        f'<td class="text">{_badge(link.flow) if link.flow else "cause and effect"}</td>'
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
    return _table(head, body, "")


def contributions_table(findings: Findings) -> str:
    """Return what each flow contributed to every headline indicator, per traced arm."""
    study = findings.study
    found = findings.influence[findings.influence["kind"] == ""]
    body = []
    for arm in findings.traced:
        body.append(
            f'<tr class="group"><th colspan="{1 + len(study.headline)}">'
            f"{escape(study.arms[arm])}</th></tr>"
        )
        for flow in Flow:
            line = ""
            for kpi in study.headline:
                rows = found[
                    (found["arm"] == arm) & (found["flow"] == flow) & (found["measure"] == kpi)
                ]
                line += f"<td>{_mean_and_band(rows, kpi, study)}</td>"
            body.append(f'<tr><th scope="row">{_badge(int(flow))}{flow.label}</th>{line}</tr>')
    head = '<th scope="col" class="text">Flow</th>'
    for kpi in study.headline:
        head += f'<th scope="col">{escape(kpis.TABLE[kpis.INDEX[kpi]].label)}</th>'
    return _table(head, body, "Run minus its twin with that flow muted; mean and 95 % interval.")


def _mean_and_band(rows: pd.DataFrame, kpi: str, study: StudyResults) -> str:
    if rows.empty or not math.isfinite(rows["mean"].iloc[0]):
        return "–"
    row = rows.iloc[0]
    size = max(abs(v) for v in (row["mean"], row["low"], row["high"]) if math.isfinite(v))
    look = figures.shown(kpi, study.currency, size, change=True)
    band = (
        f"<br><small>{look.text(row['low'], True)} to {look.text(row['high'], True)}</small>"
        if math.isfinite(row["low"])
        else ""
    )
    return f"{look.text(row['mean'], True)} <small>{escape(look.unit)}</small>{band}"


def spending_table(findings: Findings) -> str:
    """Return where the shown portfolio's money goes beyond the baseline's, over all quarters."""
    study = findings.study
    total = study.spending.groupby(["arm", "item", "replication"])["value"].sum()
    means = total.groupby(["arm", "item"]).mean().unstack("arm")
    if findings.shown not in means or study.baseline not in means:
        return ""
    extra = (means[findings.shown] - means[study.baseline]).fillna(0.0)
    extra = extra[extra.abs() > 0.005 * max(extra.abs().max(), 1e-12)]
    extra = extra.sort_values(ascending=False)
    if extra.empty or not extra.abs().max() > 0:
        return ""
    look = figures.shown("net_present_value", study.currency, float(extra.abs().max()))
    body = [
        f'<tr><th scope="row">{escape(_item(str(item)))}</th>'
        f"<td>{look.text(value, signed=True)}</td></tr>"
        for item, value in extra.items()
    ]
    return _table(
        '<th scope="col" class="text">Item</th>'
        f'<th scope="col">{escape(look.unit)}, all quarters, not discounted</th>',
        body,
        f"What {study.label(findings.shown)} spends beyond "
        f"{study.label(study.baseline)}, mean over replications.",
    )


def _item(key: str) -> str:
    if key.startswith("invest_"):
        return f"Investment in {key.removeprefix('invest_')} capital"
    return key.replace("_", " ").capitalize()


def limits(findings: Findings) -> str:
    """Return assumptions and limits."""
    study, cube = findings.study, findings.cube
    n, planned = len(cube.replications), study.planned_replications
    table = findings.differences
    points = [
        "<strong>What this is.</strong> A simulation of stakeholders, competitors and departments "
        "week by week. It explores what follows from stated assumptions; it does not predict. "
        "Where the study's settings say <em>assumption</em>, a number was chosen, not measured.",
        "<strong>Fair comparison.</strong> Every portfolio meets the same people, ties, rivals and "
        "luck (common random numbers); only differences within a replication are averaged. This "
        "sharpens differences, not levels.",
        _cost_point(findings),
        f"<strong>Replications.</strong> {n} of {planned} planned. Intervals are paired t "
        f"intervals, 95 %. {_error_point(findings)}",
        "<strong>Verdicts.</strong> Better and worse are said only where Holm's correction over "
        f"all {len(findings.order)} compared portfolios leaves p below 5 %, per indicator, and "
        "most replications agree. “Cannot be told apart” is not “no effect”. Ranking many, the "
        "winner's gain is a little overestimated.",
        "<strong>Flows.</strong> A flow's influence is the run minus its twin with that flow "
        "muted, on the same luck: what would not have been thought or done otherwise. Flows work "
        "together, so the parts need not add up. Flow numbers are labels without rank.",
        "<strong>Targets and map.</strong> Targets, red flags, lags and links are management's "
        "hypotheses; lights compare the simulated truth with them. The chance to meet a target is "
        "a share of replications, not of futures.",
        *(escape(note) for note in study.notes),
    ]
    if table["n"].min() < table["of"].max():
        short = sorted({study.arms[a] for a in table[table["n"] < table["of"]]["arm"]})
        points.append(
            f"<strong>Missing values.</strong> {escape(', '.join(short))}: fewer "
            "replications than the others have a value; each comparison uses the "
            "replications both sides have."
        )
    return f"<ul>{''.join(f'<li>{point}</li>' for point in points)}</ul>"


def _cost_point(findings: Findings) -> str:
    costs = findings.ranking.loc[
        findings.ranking["arm"] != findings.study.baseline, "planned_cost"
    ].dropna()
    if costs.empty:
        return "<strong>Cost.</strong> No portfolio was compared with the baseline."
    spread = (costs.max() - costs.min()) / max(costs.max(), 1e-12)
    look = figures.shown("net_present_value", findings.study.currency, float(costs.max()))
    if spread <= 0.01:
        return (
            "<strong>Equal planned cost.</strong> Every portfolio but the baseline plans "
            f"{look.text(costs.mean())} {escape(look.unit)} in present value over the horizon, "
            "equal within 1 %. Realised spending may be less where the budget does not "
            "allow the plan."
        )
    return (
        f"<strong>Planned costs differ</strong> by {figures.percent(spread)} "
        f"({look.text(costs.min())} to {look.text(costs.max())} {escape(look.unit)} in present "
        "value): part of the differences is a difference of money."
    )


def _error_point(findings: Findings) -> str:
    kpi = findings.study.headline[0]
    errors = findings.differences.query("kpi == @kpi")["mcse"].dropna()
    if errors.empty:
        return "With one replication no interval can be given."
    return (
        f"The Monte Carlo standard error of the differences in "
        f"{escape(kpis.TABLE[kpis.INDEX[kpi]].label.lower())} is at most "
        f"{escape(amount(findings, kpi, float(errors.max()), signed=False))}."
    )


def reproduce(study: StudyResults) -> str:
    """Return how to get the same numbers again."""
    facts = dict(study.provenance)
    command = escape(str(facts.pop("command")))
    versions = facts.pop("versions", {})
    items = [(key.replace("_", " ").capitalize(), str(value)) for key, value in facts.items()]
    items.append(("Versions", ", ".join(f"{name} {number}" for name, number in versions.items())))
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in items)
    return (
        f"<pre>{command}</pre><p>The same settings, seed, code and versions give the same bits "
        "on one machine, whatever the number of jobs. Every number of this page comes from "
        f'the tables beside it.</p><dl class="facts">{rows}</dl>'
    )


def verdicts(findings: Findings) -> str:
    """Return, in words, what can and cannot be told apart, per headline indicator."""
    items = "".join(
        f"<li>{escape(in_words(findings, kpi))}</li>" for kpi in findings.study.headline
    )
    return f"<details><summary>In words, per indicator</summary><ul>{items}</ul></details>"


def shown_sentence(findings: Findings) -> str:
    """Say which portfolio the sections below show."""
    study = findings.study
    if findings.shown == study.baseline:
        return f"Shown for {study.label(study.baseline)}, the only portfolio run."
    note = (
        ""
        if recommended(findings) == findings.shown
        else (" It ranks first by its mean; that is not a recommendation.")
    )
    return (
        f"Shown for the first-ranked portfolio, {study.label(findings.shown)}, beside "
        f"{study.label(study.baseline)}.{note}"
    )


def _table(head: str, body: Iterable[str], caption: str) -> str:
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll"><table>{title}<thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )
