"""What was found, in words: the decision, and verdicts with their reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from experiments.analysis import (
    BETTER,
    NO_VALUE,
    ONE_RUN,
    SAME,
    SMALL,
    SPLIT,
    WORSE,
    Paired,
    replications_needed,
    why_not_told,
)
from experiments.notation import Shown, listed, money, percent
from experiments.ranking import PAYBACK_KPI
from experiments.report_amounts import amount, interval, name_of
from experiments.report_beyond import beyond_the_end
from experiments.report_findings import Findings, cuts
from experiments.report_theirs import cost_of_theirs, done_to_us, sure_of_theirs
from sim.flows import Flow


def decision(findings: Findings) -> tuple[tuple[str, str], ...]:
    """Return the decision as five (heading, a few sentences) pairs, from the results alone."""
    return (
        ("What to do", _what(findings)),
        ("How sure", _how_sure(findings)),
        ("Cost and payback" if findings.pays_back else "Cost", _cost(findings)),
        ("Why", _why(findings)),
        ("What could make it wrong", _doubts(findings)),
    )


def recommended(findings: Findings) -> str | None:
    """Return the highest-ranked portfolio that is better by a difference worth having."""
    kpi = findings.study.headline[0]
    return next((arm for arm in findings.ours if findings.verdict(arm, kpi) == BETTER), None)


def reason(findings: Findings, row: Mapping[str, Any]) -> str:
    """Say why a difference whose own interval excludes 0 is not told apart; empty if it includes 0.

    `row` has low, high, p_holm and verdict.
    """
    why, count = why_not_told(row), len(findings.order)
    if not why:
        return ""
    if why == SPLIT:
        return (
            "a few large replications carry it, and at least as many contradict its sign as agree"
        )
    return f"that is the interval of one comparison; corrected for {count}, p = {row['p_holm']:.2g}"


def _what(findings: Findings) -> str:
    study, kpi, arm = findings.study, findings.study.headline[0], findings.shown
    base, label = findings.cast.against, study.label(arm)
    if arm == study.baseline:
        if findings.order:
            return (
                f"Nothing here is ours to choose: all but {base} is for competitors to do. "
                f"{done_to_us(findings)}"
            )
        return f"Only {base} was run, so that nothing was compared and nothing can be recommended."
    verdict, best = findings.verdict(arm, kpi), recommended(findings)
    by = amount(findings, kpi, findings.judged(arm, kpi)["mean"])
    if best == arm:
        return (
            f"Fund {label}. By quarter {findings.cube.quarters} {_change(findings, arm)} {base} "
            f"({interval(findings, arm, kpi)}).{_also(findings, arm)}"
        )
    if verdict == ONE_RUN:
        return (
            f"One replication decides nothing. In this one {label} "
            f"{'comes first, ' if len(findings.ours) > 1 else 'makes a difference of '}"
            f"{by} against {base} in {name_of(findings, kpi)}; run at least ten."
        )
    if verdict == NO_VALUE:
        return (
            f"No portfolio has a value for {name_of(findings, kpi)}, so that nothing can be "
            "recommended."
        )
    if best is not None:
        return (
            f"Fund {study.label(best)}. {label} has the higher mean but cannot be told apart from "
            f"{base}; {study.label(best)} can "
            f"({amount(findings, kpi, findings.judged(best, kpi)['mean'])}, "
            f"{interval(findings, best, kpi)})."
        )
    return _nothing(findings, verdict, f"{by}, {interval(findings, arm, kpi)}")


def _nothing(findings: Findings, verdict: str, by: str) -> str:
    """Say why nothing is recommended; `by` is by how much the best mean differs, in words."""
    kpi, base = findings.study.headline[0], findings.cast.against
    name, label = name_of(findings, kpi), findings.study.label(findings.shown)
    alone = len(findings.ours) == 1
    if all(findings.verdict(arm, kpi) == WORSE for arm in findings.ours):
        if alone:
            return f"Carry on as now. {label} does worse than {base} in {name} ({by})."
        return (
            f"Carry on as now. Every portfolio does worse than {base} in {name}; the least bad is "
            f"{label} ({by})."
        )
    if verdict == SMALL:
        least = f"a difference worth having in {name} (at least {findings.least(kpi)})"
        if alone:
            return f"Move no money on this evidence. {label} does not make {least}: {by}."
        return (
            f"Move no money on this evidence. No portfolio makes {least}; first by its mean is "
            f"{label} ({by})."
        )
    why = reason(findings, findings.judged(findings.shown, kpi))
    why = f": {why}" if why else ""
    if alone:
        return (
            f"Move no money on this evidence. {label} does not do better than {base} in {name} "
            f"beyond chance ({by}){why}."
        )
    return (
        f"Move no money on this evidence. No portfolio does better than {base} in {name} beyond "
        f"chance; first by its mean is {label} ({by}){why}."
    )


def _change(findings: Findings, arm: str) -> str:
    """Say what an arm changes on the first headline indicator, up to 'than'."""
    kpi = findings.study.headline[0]
    mean = findings.judged(arm, kpi)["mean"]
    size = amount(findings, kpi, abs(mean), signed=False)
    if kpi == "net_present_value":
        return f"it is worth {size} {'more' if mean > 0 else 'less'} in net present value than"
    return f"its {name_of(findings, kpi)} is {size} {'higher' if mean > 0 else 'lower'} than"


def _also(findings: Findings, arm: str) -> str:
    """Say what else moves, among the other headline indicators, and what is too small to matter."""
    others = findings.study.headline[1:]
    moved = [
        f"{name_of(findings, kpi)} by {amount(findings, kpi, findings.judged(arm, kpi)['mean'])}"
        for kpi in others
        if findings.verdict(arm, kpi) in (BETTER, WORSE)
    ]
    small = [
        f"{name_of(findings, kpi)} (less than {findings.least(kpi)})"
        for kpi in others
        if findings.verdict(arm, kpi) == SMALL
    ]
    text = f" It also moves {listed(moved)}." if moved else ""
    return text + (f" It makes no difference worth having in {listed(small)}." if small else "")


def _how_sure(findings: Findings) -> str:
    study, kpi = findings.study, findings.study.headline[0]
    arm = recommended(findings) or findings.shown
    if arm == study.baseline:
        return sure_of_theirs(findings)
    row = findings.rank(arm)
    n = int(row[f"{kpi}.n"])
    if n == 1:
        return "Not at all: one replication cannot tell a difference from luck."
    wins = round(row[f"{kpi}.better"] * n) if n else 0
    text = (
        f"{study.label(arm)} did better than {findings.cast.against} in {wins} of {n} "
        "replications on the same luck"
    )
    if n < study.planned_replications:
        text += f" ({study.planned_replications} were planned)"
    if recommended(findings) == findings.ranking["arm"].iloc[0] and len(findings.ours) > 1:
        return f"{text}. {_rivals(findings)}"
    return f"{text}.{_needed(findings, arm)}"


def _rivals(findings: Findings) -> str:
    """Say which portfolios come so near to the first that other grounds may decide.

    Only those that do better than the baseline: nobody should fund what may do nothing.
    """
    kpi, base = findings.study.headline[0], findings.cast.against
    words = dict(zip(findings.ranking["arm"], findings.ranking["from_first"], strict=True))
    also = [arm for arm in findings.ours[1:] if findings.verdict(arm, kpi) == BETTER]
    near = [findings.study.label(arm) for arm in also if words[arm] in (SAME, SMALL)]
    if not also:
        return f"No other portfolio does better than {base} beyond chance."
    if not near:
        return (
            f"Whatever else does better than {base} stays behind it beyond chance, each "
            "comparison taken alone."
        )
    named = listed(near[:4]) if len(near) <= 4 else f"{', '.join(near[:4])} and others"
    many = len(near) > 1
    choice = "among" if many else "between"
    return (
        f"{named} {'do' if many else 'does'} better than {base} as well and cannot be told apart "
        f"from the first, or not by as much as is worth having: the choice {choice} these may "
        "rest on other grounds."
    )


def _needed(findings: Findings, arm: str) -> str:
    """Say how many replications would tell a difference from none, where more would."""
    kpi = findings.study.headline[0]
    if findings.verdict(arm, kpi) != SAME:
        return ""
    if why_not_told(findings.judged(arm, kpi)) == SPLIT:
        return " A few large replications carry its mean; more replications may not settle that."
    row = findings.differences.query("arm == @arm and kpi == @kpi").iloc[0]
    sample = Paired(int(row["n"]), row["mean"], row["low"], row["high"], row["mcse"], 0, 0, 0)
    count = replications_needed(sample, len(findings.order))
    if not math.isfinite(count) or count > 100_000:
        return ""
    return (
        f" It would take about {count:,.0f} replications to tell a difference of this size from "
        "none."
    )


def _cost(findings: Findings) -> str:
    study = findings.study
    arm = recommended(findings) or findings.shown
    row = findings.rank(arm)
    if arm == study.baseline:
        return f"It costs nothing beyond what is spent today.{cost_of_theirs(findings)}"
    planned, realised = row["planned_cost"], row["realised_cost"]
    look = money(study.currency, np.nanmax([abs(planned), abs(realised), 0.0]))
    text = (
        f"{study.label(arm)} costs {look.text(planned)} {look.unit} in planned present value "
        f"on top of what is spent today"
    )
    if math.isfinite(realised):
        text += f" ({look.text(realised)} realised)"
    if arm in (cut := cuts(study)):
        text += f", cut by the budget to {percent(cut[arm])} in its tightest quarter"
    if not findings.in_money:
        return f"{text}. Money is no headline of this study, so that no payback is told."
    return f"{text}. {_payback(findings, row)}"


def _payback(findings: Findings, row: Mapping[str, Any]) -> str:
    quarters, share = findings.cube.quarters, row["payback_share"]
    late, kpi = row["payback_quarter"], PAYBACK_KPI
    if not math.isfinite(share):
        return "Payback could not be worked out."
    if row[f"{kpi}.n"] == 1:
        return "When it pays back, one replication cannot tell."
    if math.isfinite(late):
        return (
            f"In the median replication it has paid back from quarter {late:.0f} on; "
            f"{percent(share)} of replications pay back within {quarters} quarters."
        )
    text = (
        f"In most replications it does not pay back within {quarters} quarters "
        f"({percent(share)} do)"
    )
    if row[f"{kpi}.mean"] > 0:
        return f"{text}; the mean is above 0 because those that do gain more than the others lose."
    return f"{text}."


def _why(findings: Findings) -> str:
    study = findings.study
    if findings.shown == study.baseline or findings.parts.empty:
        return (
            "Which flows carry the difference is not known, because no muted twins were run "
            "for both sides."
        )
    if findings.parts["n"].max() < 2:
        return "Which flows carry a difference, one replication cannot tell."
    best = recommended(findings)
    if best is None or best == findings.shown:
        return _carriers(findings)
    return (
        f"No muted twins were run for {study.label(best)}, only for the first by its mean. "
        f"{_carriers(findings)}"
    )


def _carriers(findings: Findings) -> str:
    """Say through which flows the difference of the first-ranked portfolio runs."""
    kpi = findings.study.headline[0]
    parts, look = findings.parts.set_index("part"), _look_of_parts(findings)
    flows = parts.drop(index="remainder")
    gain = findings.judged(findings.shown, kpi)["mean"]
    name = findings.study.label(findings.shown)
    ranked = ((np.sign(gain) or 1) * flows["mean"]).sort_values(ascending=False)
    carriers = [
        part for part in ranked.index if ranked[part] > 0.1 * abs(gain) and _told(flows.loc[part])
    ][:3]
    if not carriers:
        return (
            f"No flow's part in the difference of {name} ({look.amount(gain, signed=True)}) can be "
            "told from nothing."
        )
    first, *rest = carriers
    much = "most" if ranked[first] > 0.5 * abs(gain) else "a part"
    text = (
        f"Flow {first} ({Flow(int(first)).label}) carries {much} of the difference of {name}, "
        f"{look.amount(gain, signed=True)}: muted on both sides, what is left is "
        f"{_left(look, gain, flows['mean'][first])}."
    )
    if rest:
        text += (
            " Next: "
            + listed(
                [
                    f"flow {part} ({Flow(int(part)).label}), which leaves "
                    f"{_left(look, gain, flows['mean'][part])}"
                    for part in rest
                ]
            )
            + "."
        )
    if abs(parts["mean"]["remainder"]) > 0.1 * abs(gain):
        text += " Flows work together, so that these parts do not add up to the whole."
    return text


def _look_of_parts(findings: Findings) -> Shown:
    """Return how flows' parts are shown, as beside their bars in the figure of contributions."""
    seen = findings.parts[["mean", "low", "high"]].abs().max().max()
    return findings.study.shown(findings.study.headline[0], float(seen), change=True)


def _left(look: Shown, gain: float, part: float) -> str:
    """Return what is left of a gain without a flow's part: a subtraction of printed numbers."""
    whole, taken = (round(value * look.factor, look.decimals) for value in (gain, part))
    plain = replace(look, factor=1)
    sign = "\u2212" if taken >= 0 else "+"
    return (
        f"{plain.text(whole, signed=True)} {sign} {plain.text(abs(taken))} = "
        f"{plain.text(whole - taken, signed=True)}"
    )


def _told(row: pd.Series) -> bool:
    return not (row["low"] <= 0 <= row["high"])


def _doubts(findings: Findings) -> str:
    arm = recommended(findings)
    against = []
    if arm is not None:
        against = [
            f"{name_of(findings, kpi)} gets worse "
            f"({amount(findings, kpi, findings.judged(arm, kpi)['mean'])})"
            for kpi in findings.study.headline
            if findings.verdict(arm, kpi) == WORSE
        ]
        late = findings.rank(arm)["payback_quarter"]
        if findings.in_money and math.isfinite(late) and late > 0.75 * findings.cube.quarters:
            against.append("it pays back only near the end of the horizon")
    text = f"Against it: {listed(against)}. " if against else ""
    text += (
        "The numbers are assumptions more than measurements of this organization. Smaller effects "
        "of its mechanisms, rivals who answer harder or a different horizon can change the answer."
    )
    if len(findings.ours) > 1:
        text += " The winner of many is a little flattered by luck."
    return text + beyond_the_end(findings)


def budget_warning(findings: Findings) -> str:
    """Say which portfolios the budget cut, and what was spent of the plan; empty if it cut none."""
    study, words = findings.study, []
    for arm, least in cuts(study).items():
        row = findings.rank(arm)
        planned, realised = row["planned_cost"], row["realised_cost"]
        text = f"{study.label(arm)} to {percent(least)} of a quarter's wishes at worst"
        if arm != study.baseline and math.isfinite(planned) and math.isfinite(realised):
            look = money(study.currency, max(abs(planned), abs(realised)))
            text += f" ({look.text(realised)} of {look.text(planned)} {look.unit} spent)"
        words.append(text)
    if not words:
        return ""
    return (
        f"Warning: the budget cut {listed(words)}; raise policy.budget of the firm that pays "
        "(organization.policy.budget) or lower planned_cost to compare what was planned."
    )


def in_words(findings: Findings, kpi: str) -> str:
    """Say which arms are better, worse, hardly different or not told apart from the baseline."""
    base, name = findings.cast.against, name_of(findings, kpi)
    groups: dict[str, list[str]] = {}
    for arm in findings.order:
        payer = findings.study.theirs.get(arm)
        label = (f"{payer}'s " if payer else "") + findings.study.label(arm)
        groups.setdefault(findings.verdict(arm, kpi), []).append(label)
    sentences = []
    for verdict, words in (
        (BETTER, f"Better than {base} in {name}"),
        (WORSE, f"Worse than {base} in {name}"),
        (SMALL, f"No difference worth having in {name} (at least {findings.least(kpi)})"),
        (SAME, f"Cannot be told apart from {base} in {name}"),
        (ONE_RUN, f"One replication only, no verdict in {name}"),
        (NO_VALUE, f"No finished run in {name}"),
    ):
        if verdict in groups:
            sentences.append(f"{words}: {listed(groups[verdict])}.")
    return " ".join(sentences)
