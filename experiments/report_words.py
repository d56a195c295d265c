"""What was found, in words: the decision in five sentences, and verdicts with their reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from experiments.analysis import (
    BETTER,
    NO_VALUE,
    ONE_RUN,
    SAME,
    SMALL,
    WORSE,
    Paired,
    corrected_away,
    replications_needed,
)
from experiments.notation import listed, money, percent
from experiments.report_findings import Findings, cuts
from sim.flows import Flow


def decision(findings: Findings) -> tuple[tuple[str, str], ...]:
    """Return the decision as five (heading, sentence) pairs, from the results alone."""
    return (
        ("What to do", _what(findings)),
        ("How sure", _how_sure(findings)),
        ("Cost and payback" if findings.in_money else "Cost", _cost(findings)),
        ("Why", _why(findings)),
        ("What could make it wrong", _doubts(findings)),
    )


def recommended(findings: Findings) -> str | None:
    """Return the highest-ranked portfolio that is better by a difference worth having."""
    column = f"{findings.study.headline[0]}.verdict"
    found = findings.ranking[findings.ranking[column] == BETTER]["arm"]
    return str(found.iloc[0]) if len(found) else None


def _name(findings: Findings, kpi: str) -> str:
    label = findings.name(kpi)
    return label[0].lower() + label[1:]


def amount(findings: Findings, kpi: str, value: float, signed: bool = True) -> str:
    """Return a difference with its unit."""
    return findings.look(kpi).amount(value, signed)


def interval(findings: Findings, arm: str, kpi: str) -> str:
    """Return '95 % interval a to b', or that none can be given."""
    row, look = findings.judged(arm, kpi), findings.look(kpi)
    if not math.isfinite(row["low"]):
        return "no interval can be given"
    return f"95 % interval {look.text(row['low'], True)} to {look.text(row['high'], True)}"


def reason(findings: Findings, row: Mapping[str, Any]) -> str:
    """Say why a difference whose own interval excludes 0 is not told apart; empty if it includes 0.

    `row` has low, high, p_holm and verdict.
    """
    if not corrected_away(row):
        return ""
    count = len(findings.order)
    if row["p_holm"] < 0.05:
        return "most replications do not agree with its sign"
    return f"that is the interval of one comparison; corrected for {count}, p = {row['p_holm']:.2g}"


def _what(findings: Findings) -> str:
    study, kpi, arm = findings.study, findings.study.headline[0], findings.shown
    base, label = findings.cast.against, study.label(arm)
    if arm == study.baseline:
        return f"Only {base} was run, so that nothing was compared and nothing can be recommended."
    verdict, best = findings.verdict(arm, kpi), recommended(findings)
    by = amount(findings, kpi, findings.judged(arm, kpi)["mean"])
    if best == arm:
        return (
            f"Fund {label}: by quarter {findings.cube.quarters} {_change(findings, arm)} {base} "
            f"({interval(findings, arm, kpi)}){_also(findings, arm)}."
        )
    if verdict == ONE_RUN:
        return (
            f"One replication decides nothing: in this one {label} comes first, "
            f"{by} against {base} in {_name(findings, kpi)}; run at least ten."
        )
    if verdict == NO_VALUE:
        return (
            f"No portfolio has a value for {_name(findings, kpi)}, so that nothing can be "
            "recommended."
        )
    if best is not None:
        return (
            f"Fund {study.label(best)}: {label} has the higher mean but cannot be told apart from "
            f"{base}, while {study.label(best)} can "
            f"({amount(findings, kpi, findings.judged(best, kpi)['mean'])}, "
            f"{interval(findings, best, kpi)})."
        )
    return _nothing(findings, verdict, f"{label} ({by}, {interval(findings, arm, kpi)})")


def _nothing(findings: Findings, verdict: str, first: str) -> str:
    """Say why nothing is recommended; `first` is the portfolio with the best mean, in words."""
    kpi, base = findings.study.headline[0], findings.cast.against
    name = _name(findings, kpi)
    if all(findings.verdict(arm, kpi) == WORSE for arm in findings.order):
        return (
            f"Carry on as now: every portfolio does worse than {base} in {name}, the least bad "
            f"being {first}."
        )
    if verdict == SMALL:
        return (
            f"Move no money on this evidence: no portfolio makes a difference worth having in "
            f"{name} (at least {findings.least(kpi)}); first by its mean is {first}."
        )
    why = reason(findings, findings.judged(findings.shown, kpi))
    return (
        f"Move no money on this evidence: no portfolio does better than {base} in {name} beyond "
        f"chance; first by its mean is {first}{f': {why}' if why else ''}."
    )


def _change(findings: Findings, arm: str) -> str:
    """Say what an arm changes on the first headline indicator, up to 'than'."""
    kpi = findings.study.headline[0]
    mean = findings.judged(arm, kpi)["mean"]
    size = amount(findings, kpi, abs(mean), signed=False)
    if kpi == "net_present_value":
        return f"it is worth {size} {'more' if mean > 0 else 'less'} in net present value than"
    return f"its {_name(findings, kpi)} is {size} {'higher' if mean > 0 else 'lower'} than"


def _also(findings: Findings, arm: str) -> str:
    """Say what else moves, among the other headline indicators, and what is too small to matter."""
    others = findings.study.headline[1:]
    moved = [
        f"{_name(findings, kpi)} by {amount(findings, kpi, findings.judged(arm, kpi)['mean'])}"
        for kpi in others
        if findings.verdict(arm, kpi) in (BETTER, WORSE)
    ]
    small = [
        f"{_name(findings, kpi)} (less than {findings.least(kpi)})"
        for kpi in others
        if findings.verdict(arm, kpi) == SMALL
    ]
    text = f", and it moves {listed(moved)}" if moved else ""
    return text + (f"; no difference worth having in {listed(small)}" if small else "")


def _how_sure(findings: Findings) -> str:
    study, kpi = findings.study, findings.study.headline[0]
    arm = recommended(findings) or findings.shown
    if arm == study.baseline:
        return "There is no comparison to be sure of."
    row = findings.rank(arm)
    n = int(row[f"{kpi}.n"])
    wins = round(row[f"{kpi}.better"] * n) if n else 0
    text = (
        f"{study.label(arm)} did better than {findings.cast.against} in {wins} of {n} "
        "replications on the same luck"
    )
    if n < study.planned_replications:
        text += f" ({study.planned_replications} were planned)"
    if recommended(findings) == findings.ranking["arm"].iloc[0] and len(findings.order) > 1:
        return text + _rivals(findings)
    return f"{text}{_needed(findings, arm)}."


def _rivals(findings: Findings) -> str:
    """Say which portfolios come so near to the first that other grounds may decide."""
    words = zip(findings.ranking["arm"], findings.ranking["from_first"], strict=True)
    near = [
        findings.study.label(arm)
        for arm, word in words
        if word in (SAME, SMALL) and arm != findings.study.baseline
    ]
    if not near:
        return ", and each other portfolio, taken alone, stays behind it beyond chance."
    return (
        f"; {listed(near[:4])}{' and others' if len(near) > 4 else ''} cannot be told apart from "
        "it or not by as much as is worth having, so that the choice among these may rest on other "
        "grounds."
    )


def _needed(findings: Findings, arm: str) -> str:
    kpi = findings.study.headline[0]
    if findings.verdict(arm, kpi) != SAME:
        return ""
    row = findings.differences.query("arm == @arm and kpi == @kpi").iloc[0]
    sample = Paired(int(row["n"]), row["mean"], row["low"], row["high"], row["mcse"], 0, 0, 0)
    count = replications_needed(sample, len(findings.order))
    if not math.isfinite(count) or count > 100_000:
        return ""
    return (
        f"; a difference of this size would take about {count:,.0f} replications to tell from none"
    )


def _cost(findings: Findings) -> str:
    study = findings.study
    arm = recommended(findings) or findings.shown
    row = findings.rank(arm)
    if arm == study.baseline:
        return "It costs nothing beyond what is spent today."
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
        return f"{text}; money is no headline of this study, so that no payback is told."
    quarters, share = findings.cube.quarters, row["payback_share"]
    if not math.isfinite(share):
        return f"{text}; payback could not be worked out."
    if not math.isfinite(row["payback_quarter"]):
        return (
            f"{text} and does not pay back within {quarters} quarters in the median "
            f"replication ({percent(share)} of replications do)."
        )
    return (
        f"{text} and has paid back from quarter {row['payback_quarter']:.0f} on in the median "
        f"replication ({percent(share)} of replications pay back within {quarters} quarters)."
    )


def _why(findings: Findings) -> str:
    study = findings.study
    if findings.shown == study.baseline or findings.parts.empty:
        return (
            "Which flows carry the difference is not known, because no muted twins were run "
            "for both sides."
        )
    best = recommended(findings)
    if best is None or best == findings.shown:
        said = _carriers(findings)
        return f"{said[0].upper()}{said[1:]}."
    return (
        f"No muted twins were run for {study.label(best)}, only for the first by its mean: "
        f"{_carriers(findings)}."
    )


def _carriers(findings: Findings) -> str:
    """Say through which flows the difference of the first-ranked portfolio runs."""
    kpi = findings.study.headline[0]
    look, parts = findings.look(kpi), findings.parts.set_index("part")
    flows = parts.drop(index="remainder")
    gain = findings.judged(findings.shown, kpi)["mean"]
    name = findings.study.label(findings.shown)
    ranked = ((np.sign(gain) or 1) * flows["mean"]).sort_values(ascending=False)
    carriers = [
        part for part in ranked.index if ranked[part] > 0.1 * abs(gain) and _told(flows.loc[part])
    ][:3]
    if not carriers:
        return (
            f"no flow's part in the difference of {name} ({amount(findings, kpi, gain)}) can be "
            "told from nothing"
        )
    first, *rest = carriers
    much = "mostly" if ranked[first] > 0.5 * abs(gain) else "partly"
    left = {part: look.text(gain - flows["mean"][part], signed=True) for part in carriers}
    text = (
        f"the difference of {name} runs {much} through flow {first} "
        f"({Flow(int(first)).label}): muted on both sides, it would be {left[first]} "
        f"instead of {amount(findings, kpi, gain)}"
    )
    if rest:
        text += "; next " + listed(
            [f"flow {part} ({Flow(int(part)).label}: {left[part]})" for part in rest]
        )
    if abs(parts["mean"]["remainder"]) > 0.1 * abs(gain):
        text += "; flows work together, so that these parts do not add up to the whole"
    return text


def _told(row: pd.Series) -> bool:
    return not (row["low"] <= 0 <= row["high"])


def _doubts(findings: Findings) -> str:
    arm = recommended(findings)
    said = []
    if arm is not None:
        said = [
            f"{_name(findings, kpi)} gets worse "
            f"({amount(findings, kpi, findings.judged(arm, kpi)['mean'])})"
            for kpi in findings.study.headline
            if findings.verdict(arm, kpi) == WORSE
        ]
        late = findings.rank(arm)["payback_quarter"]
        if findings.in_money and math.isfinite(late) and late > 0.75 * findings.cube.quarters:
            said.append("it pays back only near the end of the horizon")
    tail = (
        "the numbers are assumptions more than measurements of this organization: smaller "
        "effects of its mechanisms, rivals who answer harder or a different horizon can "
        "reorder the ranking, and the winner of many is a little flattered by luck"
    )
    # The colon keeps this one sentence, however much speaks against it.
    if said:
        return f"Against it: {listed(said)}; and {tail}."
    return f"{tail[0].upper()}{tail[1:]}."


def in_words(findings: Findings, kpi: str) -> str:
    """Say which arms are better, worse, hardly different or not told apart from the baseline."""
    base, name = findings.cast.against, _name(findings, kpi)
    groups: dict[str, list[str]] = {}
    for arm in findings.order:
        groups.setdefault(findings.verdict(arm, kpi), []).append(findings.study.label(arm))
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
