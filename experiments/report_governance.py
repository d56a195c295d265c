"""The report's section on how plans were managed: where money went, and what the board took."""

from __future__ import annotations

from html import escape

import pandas as pd

from experiments.notation import money, percent
from experiments.report_findings import Findings
from experiments.report_insight import against
from experiments.report_parts import table

HOW = (
    "Governance moves the plan's money between mechanisms, within each quarter's total, by what "
    "management reads; a board may cut it. What is shown is what was decided beyond today's "
    "programmes, before the budget, as means over replications; what was planned is the same in "
    "each. Nothing here says that a move was for the better: that is what the ranking is for."
)
SMALLEST = 0.005  # of the plan's money in a quarter; smaller moves are not told


def governance(findings: Findings) -> str:
    """Return the section; empty where every plan was carried out as it stood."""
    study = findings.study
    if study.governance.empty:
        return ""
    arms = [arm for arm in study.governed if arm in set(study.governance["arm"])]
    parts = "".join(_moves(findings, arm) for arm in arms)
    held = against(findings, study.managed_alike, "The same plan, managed in another way.")
    return f"<p>{HOW}</p>{held}{_overview(findings, arms)}{parts}"


def _means(findings: Findings, arm: str) -> pd.DataFrame:
    """Return what was planned and managed in an arm, means by quarter and item."""
    rows = findings.study.governance.query("arm == @arm")
    n = rows["replication"].nunique()
    sums = rows.groupby(["quarter", "item"], sort=False)[["planned", "managed"]].sum() / n
    return sums.reset_index()


def _overview(findings: Findings, arms: list[str]) -> str:
    """Return a line per arm: how it is managed, what share was moved, when the board cut."""
    study = findings.study
    body = []
    for arm in arms:
        rows = study.governance.query("arm == @arm")
        by_quarter = rows.groupby(["replication", "quarter"])[["planned", "managed"]].sum()
        cuts = rows.groupby(["replication", "quarter"])["board_cut"].first()
        kept = 1.0 - rows["board_cut"]
        moved = (rows["managed"] - kept * rows["planned"]).abs().sum() / 2.0
        left = by_quarter["managed"].sum() / by_quarter["planned"].sum()
        quarters = (cuts > 0).sum() / rows["replication"].nunique()
        runs = study.runs.query("arm == @arm and status == 'finished'")
        look = money(study.currency, float(runs["planned_cost"].max()))
        body.append(
            f'<tr><th scope="row">{escape(study.arms[arm])}</th>'
            f'<td class="text">{escape(study.governed[arm])}</td>'
            f"<td>{percent(moved / rows['planned'].sum())}</td><td>{quarters:.1f}</td>"
            f"<td>{percent(max(0.0, 1.0 - left))}</td>"
            f"<td>{look.text(runs['planned_cost'].mean())}</td>"
            f"<td>{look.text(runs['realised_cost'].mean())}</td></tr>"
        )
    unit = escape(money(study.currency, float(study.runs["planned_cost"].max())).unit)
    head = (
        '<th scope="col" class="text name">Portfolio</th><th scope="col" class="text">Managed</th>'
        '<th scope="col">Moved<br><small>of the plan</small></th>'
        '<th scope="col">Quarters cut<br><small>by the board</small></th>'
        '<th scope="col">Not spent<br><small>of the plan</small></th>'
        f'<th scope="col">Planned cost<br><small>{unit}</small></th>'
        f'<th scope="col">All spending<br><small>{unit}</small></th>'
    )
    return table(
        head,
        body,
        "Moved: effort that went elsewhere than planned. Not spent: cut by the board, or left so "
        "that activity fits the plan's total. All spending counts today's programmes as well.",
    )


def _moves(findings: Findings, arm: str) -> str:
    """Return what each mechanism got beyond the plan, by quarter; empty where nothing moved."""
    study = findings.study
    means = _means(findings, arm)
    more = (means["managed"] - means["planned"]).rename("more")
    wide = means.assign(more=more).pivot(index="item", columns="quarter", values="more").fillna(0.0)
    wide = wide.reindex(columns=range(1, study.quarters + 1), fill_value=0.0)
    largest = means.groupby("quarter")["planned"].sum().max()
    wide = wide[wide.abs().max(axis=1) >= SMALLEST * largest]
    if wide.empty:
        return ""
    wide = wide.loc[wide.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    look = money(study.currency, float(wide.abs().to_numpy().max()))
    body = [
        f'<tr><th scope="row">{escape(_item(findings, str(item)))}</th>'
        + "".join(f"<td>{look.text(value, True)}</td>" for value in line)
        + "</tr>"
        for item, line in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    head = f'<th scope="col" class="text name">{escape(look.unit)}</th>' + "".join(
        f'<th scope="col">Q{q}</th>' for q in wide.columns
    )
    moved = table(head, body, "More or less than planned, by quarter, the most funded first.")
    return (
        f"<details><summary>{escape(study.arms[arm])}: where the money went</summary>"
        f"{moved}</details>"
    )


def _item(findings: Findings, item: str) -> str:
    if item.startswith("invest_"):
        return f"Investment in {item.removeprefix('invest_')} capital"
    return findings.study.mechanisms.get(item, item)
