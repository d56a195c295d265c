"""The report's pieces: each a stretch of HTML made from findings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from experiments import notation
from experiments.analysis import BETTER, WORSE
from experiments.report_amounts import amount
from experiments.report_findings import Findings, StudyResults, cuts
from experiments.report_marks import explained, mark
from experiments.report_theirs import sign_of_theirs
from experiments.report_words import decision, in_words, recommended
from experiments.sheet import Sheet

WORDS = (
    ("Portfolio", "a way to spend a sum of money on influence mechanisms and on human, information "
     "and organization capital; every portfolio but “{base}” has the same sum."),
    ("{base}", "what is done today, carried on; everything is compared with it."),
    ("Replication", "one whole simulated course of events with its own luck. All portfolios meet "
     "the same replications, so that a difference is never a difference of luck."),
    ("Told apart", "a difference too large and too regular to be chance. What cannot be told apart "
     "may be equal or may need more replications."),
    ("Flow", "one of the six ways in which influence runs between our organization, its "
     "stakeholders and its competitors. <em>Muted</em>: a twin of the run in which that flow is "
     "switched off; the difference is what the flow did."),
)  # fmt: skip


def changed(given: Sequence[str]) -> str:
    """Return the line that says in what the market differs from the shipped one; empty if not.

    `given` are settings as `key=value`.
    """
    if not given:
        return ""
    settings = ", ".join(f"<code>{escape(text)}</code>" for text in given)
    return f'<p class="brief">Differs from the scenario as shipped: {settings}.</p>'


def decision_box(findings: Findings) -> str:
    """Return the decision, and the words one needs to read the page."""
    items = "".join(
        f"<dt>{escape(heading)}</dt><dd>{escape(sentence)}</dd>"
        for heading, sentence in decision(findings)
    )
    base = escape(findings.study.arms[findings.study.baseline])
    words = "".join(
        f"<li><strong>{term.format(base=base)}</strong>: {text.format(base=base)}</li>"
        for term, text in WORDS
    )
    return (
        f'<section class="decision" id="decision"><h2>The decision</h2><dl>{items}</dl></section>'
        f"<details><summary>Words used on this page</summary><ul>{words}</ul></details>"
    )


def figure(sheet: Sheet, alt: str) -> str:
    """Return a drawing as part of the page, with its text alternative."""
    head, rest = sheet.svg().split(">", 1)
    head = head[: head.index(' width="')] + head[head.index(" font-family=") :]
    return (
        '<figure><p class="hint" aria-hidden="true">Swipe the figure sideways to see all of it.</p>'
        f'<div class="scroll">{head} role="img" aria-label="{escape(alt)}">{rest}</div></figure>'
    )


def ranking_table(findings: Findings) -> str:
    """Return the ranking, with every headline indicator's interval and verdict."""
    study = findings.study
    looks = {kpi: findings.look(kpi) for kpi in study.headline}
    head = "".join(
        f'<th scope="col">{escape(findings.name(kpi))}<br><small>{escape(look.unit)}</small></th>'
        for kpi, look in looks.items()
    )
    money = findings.ranking[["planned_cost", "realised_cost"]].abs().max().max()
    cost = notation.money(study.currency, 0 if math.isnan(money) else money)
    body = []
    for row in findings.lines:
        arm = row["arm"]
        cells = "".join(f"<td>{_difference(findings, arm, kpi)}</td>" for kpi in study.headline)
        kind = ' class="base"' if arm == study.baseline else ""
        kind = kind or (' class="first"' if findings.place(arm) == "1" else "")
        back = f"<td>{_back(row, findings)}</td>" if findings.pays_back else ""
        name = escape(study.arms[arm] + sign_of_theirs(findings, arm))
        real = cost.text(row["realised_cost"])
        if arm in study.theirs:
            real = f"paid by {escape(study.theirs[arm])}"
        body.append(
            f'<tr{kind}><td>{findings.place(arm)}</td><th scope="row">{name}</th>{cells}'
            f"<td>{_wins(row, study)}</td>{back}"
            f"<td>{cost.text(row['planned_cost'])}<br><small>{real}</small></td></tr>"
        )
    back = '<th scope="col">Pays back<br><small>median quarter</small></th>'
    return table(
        f'<th scope="col">#</th><th scope="col" class="text name">Portfolio</th>{head}'
        '<th scope="col">Better in<br><small>replications</small></th>'
        f"{back if findings.pays_back else ''}"
        '<th scope="col" class="cost">Cost<br><small>planned, realised; present value beyond '
        f"{escape(study.arms[study.baseline].lower())}; {escape(cost.unit)}</small></th>",
        body,
        _ranking_caption(findings),
    ) + _ranking_notes(findings)


def _ranking_caption(findings: Findings) -> str:
    first = findings.name(findings.study.headline[0]).lower()
    if len(findings.cube.replications) < 2:
        return f"Ranked by the difference in {first} alone, in the one replication that was run."
    return (
        f"Ranked by the mean paired difference in {first} alone. Under each mean: the 95 % "
        "interval of that one comparison. Bold: told apart and worth having; what the marks "
        "behind the others say stands below the table."
    )


def _ranking_notes(findings: Findings) -> str:
    """Return what the marks in the ranking say."""
    notes = explained(findings, findings.study.headline)
    items = "".join(f"<dt>{escape(sign)}</dt><dd>{escape(text)}.</dd>" for sign, text in notes)
    return f'<dl class="marks">{items}</dl>' if items else ""


def _difference(findings: Findings, arm: str, kpi: str) -> str:
    if arm == findings.study.baseline:
        return "0"
    row, look = findings.judged(arm, kpi), findings.look(kpi)
    text = look.text(row["mean"], signed=True)
    sign = mark(row)
    text += f' <span class="mark">{escape(sign)}</span>' if sign else ""
    if row["verdict"] in (BETTER, WORSE):
        text = f"<strong>{text}</strong>"
    if not math.isfinite(row["low"]):
        return text
    ends = f"{look.text(row['low'], True)} to {look.text(row['high'], True)}"
    return f'<span class="nowrap">{text}</span><br><small class="nowrap">{ends}</small>'


def _wins(row: Mapping[Any, Any], study: StudyResults) -> str:
    kpi = study.headline[0]
    n, share = int(row[f"{kpi}.n"]), float(row[f"{kpi}.better"])
    if not n or math.isnan(share):
        return "–"
    missing = study.planned_replications - n
    note = f"<br><small>{missing} missing</small>" if missing > 0 else ""
    return f"{round(share * n)} of {n}{note}"


def _back(row: Mapping[Any, Any], findings: Findings) -> str:
    late, share = float(row["payback_quarter"]), float(row["payback_share"])
    if math.isnan(share):
        return "–"
    text = f"{late:.0f}" if math.isfinite(late) else f"not in {findings.cube.quarters}"
    return f"{text}<br><small class='nowrap'>{notation.percent(share)} do</small>"


def spending_table(findings: Findings) -> str:
    """Return where the shown portfolio's money goes beyond the baseline's, now and discounted."""
    study = findings.study
    extra = _spending(study, findings.shown)
    if extra.empty:
        return ""
    look = notation.money(study.currency, float(extra.abs().max().max()))
    lines = [(_item(study, str(item)), row) for item, row in extra.iterrows()]
    body = [
        f'<tr><th scope="row">{escape(name)}</th><td>{look.text(row["spent"], signed=True)}</td>'
        f"<td>{look.text(row['worth'], signed=True)}</td></tr>"
        for name, row in lines
    ]
    total = extra.sum()
    body.append(
        f'<tr class="base"><th scope="row">Together</th><td>'
        f"{look.text(total['spent'], signed=True)}</td>"
        f"<td>{look.text(total['worth'], signed=True)}</td></tr>"
    )
    unit = escape(look.unit)
    return table(
        '<th scope="col" class="text">Item</th>'
        f'<th scope="col">Money spent<br><small>{unit}, all quarters added up</small></th>'
        f'<th scope="col">Present value<br><small>{unit}, discounted to the start, as in the '
        "ranking</small></th>",
        body,
        f"What {study.label(findings.shown)} spends beyond {findings.cast.against}, mean over "
        "replications.",
        narrow=True,
    )


def _spending(study: StudyResults, arm: str) -> pd.DataFrame:
    """Return per item what an arm spends beyond the baseline: spent, worth (present value)."""
    chosen = study.spending[study.spending["arm"].isin([arm, study.baseline])]
    values = chosen.rename(columns={"value": "spent", "present_value": "worth"})
    runs = values.groupby("arm")["replication"].nunique()
    if arm == study.baseline or arm not in runs or study.baseline not in runs:
        return pd.DataFrame()
    sums = values.groupby(["arm", "item"])[["spent", "worth"]].sum()
    extra = (sums.loc[arm] / runs[arm]).sub(sums.loc[study.baseline] / runs[study.baseline],
                                            fill_value=0.0)  # fmt: skip
    size = extra["spent"].abs()
    return extra[size > 0.005 * max(size.max(), 1e-12)].sort_values("spent", ascending=False)


def _item(study: StudyResults, key: str) -> str:
    if key.startswith("invest_"):
        return f"Investment in {key.removeprefix('invest_')} capital"
    return study.mechanisms.get(key, key.replace("_", " ").capitalize())


def limits(findings: Findings) -> str:
    """Return assumptions and limits."""
    study, cube = findings.study, findings.cube
    n, planned = len(cube.replications), study.planned_replications
    compared = findings.differences
    points = [
        "<strong>What this is.</strong> A simulation of stakeholders, competitors and departments "
        "week by week. It explores what follows from stated assumptions; it does not predict. "
        "Where the study's settings say <em>assumption</em>, a number was chosen, not measured.",
        "<strong>Fair comparison.</strong> Every portfolio meets the same people, ties, rivals and "
        "luck (common random numbers); only differences within a replication are averaged. This "
        "sharpens differences, not levels.",
        _cost_point(findings),
        f"<strong>Replications.</strong> {n} of {planned} planned. Intervals are paired t "
        f"intervals, 95 %, each of one comparison. {_error_point(findings)}",
        "<strong>Verdicts.</strong> Better and worse are said only where Holm's correction over "
        f"all {len(findings.order)} compared portfolios leaves p below 5 %, per indicator, most "
        "replications agree, and the mean is worth having. An interval can therefore exclude 0 "
        "without a verdict: of many comparisons some do so by luck. “Cannot be told apart” is not "
        "“no effect”. Ranking many, the winner's gain is a little overestimated.",
        "<strong>Flows.</strong> A flow's influence is the run minus its twin with that flow "
        "muted, on the same luck: what would not have been thought or done otherwise. Flows work "
        "together, so the parts need not add up. Flow numbers are labels without rank.",
        "<strong>Targets and map.</strong> Targets, red flags, what is worth having, lags and "
        "links are management's hypotheses; lights compare the simulated truth with them. The "
        "chance to meet a target is a share of replications, not of futures.",
        *(escape(note) for note in study.notes),
    ]
    if len(compared) and compared["n"].min() < compared["of"].max():
        short = sorted({study.label(a) for a in compared[compared["n"] < compared["of"]]["arm"]})
        points.append(
            f"<strong>Missing values.</strong> {escape(notation.listed(short))}: fewer "
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
    look = notation.money(findings.study.currency, float(costs.max()))
    if spread <= 0.01:
        return (
            "<strong>Equal planned cost.</strong> Every portfolio but the baseline plans "
            f"{look.text(costs.mean())} {escape(look.unit)} in present value over the horizon, "
            f"equal within 1 %. {_cut_point(findings)}"
        )
    return (
        f"<strong>Planned costs differ</strong> by {notation.percent(spread)} "
        f"({look.text(costs.min())} to {look.text(costs.max())} {escape(look.unit)} in present "
        f"value): part of the differences is a difference of money. {_cut_point(findings)}"
    )


def _cut_point(findings: Findings) -> str:
    """Say which portfolios the budget did not allow in full."""
    found = cuts(findings.study)
    if not found:
        return "The budget allowed every plan in full."
    named = [
        f"{findings.study.label(arm)} (at least {notation.percent(least)} in its tightest quarter)"
        for arm, least in found.items()
    ]
    return f"The budget did not allow all of {escape(notation.listed(named))}."


def _error_point(findings: Findings) -> str:
    kpi = findings.study.headline[0]
    errors = findings.differences.query("kpi == @kpi")["mcse"].dropna()
    if errors.empty:
        return "With one replication no interval can be given."
    return (
        f"The Monte Carlo standard error of the differences in "
        f"{escape(findings.name(kpi).lower())} is at most "
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
    if findings.shown == study.baseline and findings.order:
        base = study.label(study.baseline)
        return f"Shown for {base}; all else that was run is not ours to choose."
    if findings.shown == study.baseline:
        return f"Shown for {study.label(study.baseline)}, the only portfolio run."
    if len(findings.order) == 1:
        return f"Shown for {study.label(findings.shown)} beside {study.label(study.baseline)}."
    note = (
        ""
        if recommended(findings) == findings.shown
        else (" It ranks first by its mean; that is not a recommendation.")
    )
    return (
        f"Shown for the first-ranked portfolio, {study.label(findings.shown)}, beside "
        f"{study.label(study.baseline)}.{note}"
    )


def table(head: str, body: Iterable[str], caption: str = "", narrow: bool = False) -> str:
    """Return a table that scrolls where the page is narrower than it; its caption does not."""
    title = f'<p class="caption">{escape(caption)}</p>' if caption else ""
    kind = ' class="narrow"' if narrow else ""
    return (
        f'{title}<div class="scroll"><table{kind}><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )
