"""What the report says of portfolios that competitors pay: shown beside ours, never advised."""

from __future__ import annotations

import math

from experiments.analysis import NO_VALUE, SAME, SMALL
from experiments.notation import listed, money
from experiments.report_amounts import amount, interval, name_of
from experiments.report_findings import Findings

MARK = "§"  # behind a name: a competitor pays
MOST = 3  # of such portfolios are told of in a sentence each


def done_to_us(findings: Findings) -> str:
    """Say what competitors' portfolios do to us, on the first headline indicator."""
    said = [_effect(findings, arm) for arm in findings.order[:MOST]]
    if len(findings.order) > MOST:
        said.append("What the others do stands in the ranking.")
    return " ".join(said)


def _effect(findings: Findings, arm: str) -> str:
    study, kpi = findings.study, findings.study.headline[0]
    who, verdict = f"{study.label(arm)}, paid by {study.theirs[arm]},", findings.verdict(arm, kpi)
    if verdict == NO_VALUE:
        return f"{who} has no value for {name_of(findings, kpi)}."
    told = {
        SAME: ", which cannot be told apart from nothing",
        SMALL: f", less than the {findings.least(kpi)} worth having",
    }
    return (
        f"By quarter {findings.cube.quarters} {who} changes {name_of(findings, kpi)} by "
        f"{amount(findings, kpi, findings.judged(arm, kpi)['mean'])} against "
        f"{findings.cast.against} ({interval(findings, arm, kpi)}){told.get(verdict, '')}."
    )


def sure_of_theirs(findings: Findings) -> str:
    """Say how often we were better off with what competitors do, where all else is theirs."""
    kpi, base, study = findings.study.headline[0], findings.cast.against, findings.study
    shares = {arm: findings.rank(arm) for arm in findings.order}
    runs = {arm: int(row[f"{kpi}.n"]) for arm, row in shares.items() if row[f"{kpi}.n"]}
    if not runs:
        return "There is no comparison to be sure of."
    if max(runs.values()) == 1:
        return "Not at all: one replication cannot tell a difference from luck."
    wins = [
        f"in {round(shares[arm][f'{kpi}.better'] * n)} of {n} with {study.label(arm)}"
        for arm, n in list(runs.items())[:MOST]
    ]
    return f"We did better than under {base}, of replications on the same luck, {listed(wins)}."


def cost_of_theirs(findings: Findings) -> str:
    """Say what competitors plan to spend of their own on what is not ours to choose."""
    study = findings.study
    planned = {arm: findings.rank(arm)["planned_cost"] for arm in study.theirs}
    known = {arm: cost for arm, cost in planned.items() if math.isfinite(cost)}
    if not known:
        return ""
    look = money(study.currency, max(known.values()))
    each = [
        f"{study.label(arm)} costs {study.theirs[arm]} {look.text(cost)} {look.unit}"
        for arm, cost in list(known.items())[:MOST]
    ]
    return f" In planned present value {listed(each)}, none of it ours."


def sign_of_theirs(findings: Findings, arm: str) -> str:
    """Return the sign behind the name of an arm that a competitor pays, else nothing."""
    return f" {MARK}" if arm in findings.study.theirs else ""


def paid_by(findings: Findings) -> str:
    """Say who pays what is not ours to choose."""
    study = findings.study
    payers = list(dict.fromkeys(study.theirs.values()))
    if len(payers) == 1:
        return f"paid by {payers[0]}; not ours to choose"
    each = [
        f"{listed([study.label(arm) for arm, by in study.theirs.items() if by == payer])} "
        f"by {payer}"
        for payer in payers
    ]
    return f"paid by competitors, {listed(each)}; not ours to choose"
