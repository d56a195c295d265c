"""The report's sections on designs: against each other, and how insight travels under each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

import pandas as pd

from experiments.analysis import BETTER, WORSE, direction, holm, paired, verdict
from experiments.report_findings import Findings
from experiments.report_parts import table

HOW = (
    "What is heard is passed from department to department until one acts on it; on the way silo "
    "walls keep a part. Departments of entry are those of today, wherever a design has put them; "
    "people keep their ties, a design changes how those between departments are used. While it "
    "settles, part of the insight still goes the old ways."
)


def designs(findings: Findings) -> str:
    """Return each design minus the first of the same portfolio; empty where there are no two."""
    return against(
        findings,
        findings.study.siblings,
        "The same mechanisms at the same planned cost; what reorganizing costs is taken from the "
        "portfolio's money.",
    )


def against(findings: Findings, first: Mapping[str, str], what: str) -> str:
    """Return arms minus the arm that each is to be held against; empty where there are no two."""
    study, cube = findings.study, findings.cube
    pairs = {arm: other for arm, other in first.items() if arm != other}
    if not pairs:
        return ""
    cells: dict[str, list[str]] = {arm: [] for arm in pairs}
    for kpi in study.headline:
        samples = {
            arm: paired(cube.difference(arm, other, kpi)[:, -1], direction(kpi))
            for arm, other in pairs.items()
        }
        adjusted = holm([sample.p for sample in samples.values()])
        look = findings.look(kpi)
        for (arm, sample), p_holm in zip(samples.items(), adjusted, strict=True):
            text = look.text(sample.mean, signed=True)
            if verdict(sample, float(p_holm), findings.worth.get(kpi, 0.0)) in (BETTER, WORSE):
                text = f"<strong>{text}</strong>"
            ends = f"{look.text(sample.low, True)} to {look.text(sample.high, True)}"
            cells[arm].append(f'<td>{text}<br><small class="nowrap">{ends}</small></td>')
    body = [
        f'<tr><th scope="row">{escape(study.arms[arm])}</th>'
        f'<td class="text">{escape(study.arms[other])}</td>{"".join(cells[arm])}</tr>'
        for arm, other in pairs.items()
    ]
    head = (
        '<th scope="col" class="text name">Portfolio</th><th scope="col" class="text">Minus</th>'
        + "".join(
            f'<th scope="col">{escape(findings.name(kpi))}<br>'
            f"<small>{escape(findings.look(kpi).unit)}</small></th>"
            for kpi in study.headline
        )
    )
    return table(
        head,
        body,
        f"{what} Quarter {cube.quarters}, on the same luck. Mean and 95 % interval of each "
        "comparison; bold: told apart and worth having (Holm's correction over the lines).",
    )


def insight(findings: Findings) -> str:
    """Return the section; empty where no arm has a design."""
    study = findings.study
    if not study.designed or study.insight is None:
        return ""
    ranked = [line["arm"] for line in findings.lines]
    arms = [arm for arm in ranked if arm in study.designed or arm == study.baseline]
    return (
        f"<p>{HOW}</p>{_by_quarter(findings, arms)}"
        f"<details open><summary>By department of entry, quarter {findings.cube.quarters}"
        f"</summary>{_by_department(findings, arms, study.insight)}</details>"
    )


def _by_quarter(findings: Findings, arms: list[str]) -> str:
    """Return share delivered over the quarters, and how long it takes at the horizon."""
    study, cube = findings.study, findings.cube
    last = cube.quarters
    quarters = sorted({1, 2, min(4, last), last // 2, last} & set(range(1, last + 1)))
    share, weeks = (study.shown(kpi) for kpi in ("insight_delivered", "insight_weeks"))
    overs = _mean_hand_overs(findings)
    body = []
    for arm in arms:
        delivered = pd.DataFrame(cube.of(arm, "insight_delivered")).mean()
        delay = pd.DataFrame(cube.of(arm, "insight_weeks")).mean()
        cells = "".join(f"<td>{share.text(delivered[q])}</td>" for q in quarters)
        kind = ' class="base"' if arm == study.baseline else ""
        design = study.designed.get(arm, "As it is")
        body.append(
            f'<tr{kind}><th scope="row">{escape(study.arms[arm])}</th>'
            f'<td class="text">{escape(design)}</td>{cells}'
            f"<td>{weeks.text(overs.get(arm, math.nan))}</td><td>{weeks.text(delay[last])}</td>"
            "</tr>"
        )
    head = (
        '<th scope="col" class="text name">Portfolio</th><th scope="col" class="text">Design</th>'
        + "".join(f'<th scope="col">Quarter {q}<br><small>%</small></th>' for q in quarters)
        + '<th scope="col">Hand-overs</th><th scope="col">Weeks</th>'
    )
    return table(
        head,
        body,
        "Share of what is heard that reaches a department that acts, by quarter; mean hand-overs "
        f"and weeks from insight to decision of what arrives, quarter {last}. Means over "
        "replications.",
    )


def _mean_hand_overs(findings: Findings) -> dict[str, float]:
    """Return per arm the mean hand-overs at the horizon of what arrives, from all departments."""
    rows = findings.study.insight
    if rows is None:
        return {}
    last = rows[(rows["quarter"] == findings.cube.quarters) & rows["hand_overs"].notna()]
    arrived = last["heard"] * last["delivered"]
    sums = pd.DataFrame(
        {"arm": last["arm"], "arrived": arrived, "steps": arrived * last["hand_overs"]}
    ).groupby("arm", sort=False)
    total = sums.sum()
    return {str(arm): float(row.steps / row.arrived) for arm, row in total.iterrows()}


def _by_department(findings: Findings, arms: list[str], rows: pd.DataFrame) -> str:
    """Return share delivered and weeks by department of entry and arm, at the horizon."""
    study = findings.study
    last = rows[rows["quarter"] == findings.cube.quarters]
    means = last.groupby(["department", "arm"])[["heard", "delivered", "weeks"]].mean()
    share, weeks = (study.shown(kpi) for kpi in ("insight_delivered", "insight_weeks"))
    body = []
    for key, label in study.entries.items():
        if key not in means.index.get_level_values("department"):
            continue
        cells, heard = [], math.nan
        for arm in arms:
            if (key, arm) not in means.index:
                cells.append("<td>–</td>")
                continue
            row = means.loc[(key, arm)]
            heard = row["heard"] if math.isnan(heard) else heard
            cells.append(
                f"<td>{share.text(row['delivered'])}<br><small>{weeks.text(row['weeks'])}</small>"
                "</td>"
            )
        body.append(
            f'<tr><th scope="row">{escape(label)}</th><td>{share.text(heard)}</td>'
            f"{''.join(cells)}</tr>"
        )
    head = (
        '<th scope="col" class="text">Heard first in</th>'
        f'<th scope="col">Of all<br><small>%, {escape(study.arms[arms[0]])}</small></th>'
        + "".join(f'<th scope="col">{escape(study.arms[arm])}</th>' for arm in arms)
    )
    return table(
        head,
        body,
        "Of what a department hears first: the share (%) that reaches a department that acts and, "
        "below, the weeks it takes. Means over replications.",
    )
