"""What was found, in words: the decision in five sentences, and the ranking for the terminal."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd

from experiments.analysis import BETTER, NO_VALUE, ONE_RUN, SAME, WORSE, Paired, replications_needed
from experiments.figures import Shown, percent, shown
from experiments.report_findings import Findings
from sim import kpis
from sim.flows import Flow

COLUMNS = 100
MARKS = {SAME: "~", ONE_RUN: "?", NO_VALUE: "?"}


def decision(findings: Findings) -> tuple[tuple[str, str], ...]:
    """Return the decision as five (heading, sentence) pairs, from the results alone."""
    return (
        ("What to do", _what(findings)),
        ("How sure", _how_sure(findings)),
        ("Cost and payback", _cost(findings)),
        ("Why", _why(findings)),
        ("What could make it wrong", _doubts(findings)),
    )


def recommended(findings: Findings) -> str | None:
    """Return the highest-ranked portfolio that is told apart from the baseline as better."""
    column = f"{findings.study.headline[0]}.verdict"
    found = findings.ranking[findings.ranking[column] == BETTER]["arm"]
    return str(found.iloc[0]) if len(found) else None


def _name(kpi: str) -> str:
    label = kpis.TABLE[kpis.INDEX[kpi]].label
    return label[0].lower() + label[1:]


def amount(findings: Findings, kpi: str, value: float, signed: bool = True) -> str:
    """Return a difference with its unit."""
    look = findings.look(kpi)
    return f"{look.text(value, signed=signed)} {look.unit.replace('% points', 'percentage points')}"


def interval(findings: Findings, arm: str, kpi: str) -> str:
    """Return '95 % interval a to b', or that none can be given."""
    row, look = findings.rank(arm), findings.look(kpi)
    low, high = row[f"{kpi}.low"], row[f"{kpi}.high"]
    if not math.isfinite(low):
        return "no interval can be given"
    return f"95 % interval {look.text(low, signed=True)} to {look.text(high, signed=True)}"


def _what(findings: Findings) -> str:
    study, kpi, arm = findings.study, findings.study.headline[0], findings.shown
    base = study.label(study.baseline)
    if arm == study.baseline:
        return f"Only {base} was run, so that nothing was compared and nothing can be recommended."
    row = findings.rank(arm)
    by = amount(findings, kpi, row[f"{kpi}.mean"])
    gain = (
        f"by quarter {findings.cube.quarters} {_change(findings, arm)} {base} "
        f"({interval(findings, arm, kpi)})"
    )
    verdict = row[f"{kpi}.verdict"]
    if verdict == BETTER:
        return f"Fund {study.label(arm)}: {gain}{_also(findings, arm)}."
    if verdict == ONE_RUN:
        return (
            f"One replication decides nothing: in this one {study.label(arm)} comes first, "
            f"{by} against {base} in {_name(kpi)}; run at least ten."
        )
    if verdict == NO_VALUE:
        return f"No portfolio has a value for {_name(kpi)}, so that nothing can be recommended."
    best = recommended(findings)
    if best is not None:
        return (
            f"Fund {study.label(best)}: {study.label(arm)} has the higher mean but cannot be "
            f"told apart from {base}, while {study.label(best)} can "
            f"({amount(findings, kpi, findings.rank(best)[f'{kpi}.mean'])}, "
            f"{interval(findings, best, kpi)})."
        )
    if verdict == WORSE:
        return (
            f"Carry on as now: every portfolio does worse than {base} in {_name(kpi)}, the "
            f"least bad being {study.label(arm)} ({by}, {interval(findings, arm, kpi)})."
        )
    return (
        f"Move no money on this evidence: no portfolio does better than {base} in "
        f"{_name(kpi)} beyond chance; first by its mean is {study.label(arm)} ({by}, "
        f"{interval(findings, arm, kpi)})."
    )


def _change(findings: Findings, arm: str) -> str:
    """Say what an arm changes on the first headline indicator, up to 'than'."""
    kpi = findings.study.headline[0]
    mean = findings.rank(arm)[f"{kpi}.mean"]
    size = amount(findings, kpi, abs(mean), signed=False)
    if kpi == "net_present_value":
        return f"it is worth {size} {'more' if mean > 0 else 'less'} in net present value than"
    return f"its {_name(kpi)} is {size} {'higher' if mean > 0 else 'lower'} than"


def _also(findings: Findings, arm: str) -> str:
    """Say what else moves, among the other headline indicators."""
    row = findings.rank(arm)
    moved = [
        f"{_name(kpi)} by {amount(findings, kpi, row[f'{kpi}.mean'])}"
        for kpi in findings.study.headline[1:]
        if row[f"{kpi}.verdict"] in (BETTER, WORSE)
    ]
    return f", and it moves {_list(moved)}" if moved else ""


def _how_sure(findings: Findings) -> str:
    study, kpi = findings.study, findings.study.headline[0]
    arm = recommended(findings) or findings.shown
    if arm == study.baseline:
        return "There is no comparison to be sure of."
    row = findings.rank(arm)
    n = int(row[f"{kpi}.n"])
    wins = round(row[f"{kpi}.better"] * n) if n else 0
    text = (
        f"{study.label(arm)} did better than {study.label(study.baseline)} in {wins} of {n} "
        "replications on the same luck"
    )
    if n < study.planned_replications:
        text += f" ({study.planned_replications} were planned)"
    if recommended(findings) == findings.ranking["arm"].iloc[0] and len(findings.order) > 1:
        near = [
            study.label(a)
            for a, word in zip(findings.ranking["arm"], findings.ranking["from_first"], strict=True)
            if word == SAME and a != study.baseline
        ]
        if near:
            verb = "cannot be told apart from it"
            return (
                f"{text}; {_list(near[:4])}{' and others' if len(near) > 4 else ''} {verb}, "
                "so that the choice among these may rest on other grounds."
            )
        return f"{text}, and each other portfolio, taken alone, stays behind it beyond chance."
    needed = _needed(findings, arm)
    return f"{text}{needed}."


def _needed(findings: Findings, arm: str) -> str:
    kpi = findings.study.headline[0]
    if findings.rank(arm)[f"{kpi}.verdict"] != SAME:
        return ""
    row = findings.differences.query("arm == @arm and kpi == @kpi").iloc[0]
    sample = Paired(int(row["n"]), row["mean"], row["low"], row["high"], row["mcse"], 0, 0, 0, 0)
    count = replications_needed(sample)
    if not math.isfinite(count) or count > 100_000:
        return ""
    return f"; about {count:,.0f} replications would tell a difference of this size from none"


def _cost(findings: Findings) -> str:
    study = findings.study
    arm = recommended(findings) or findings.shown
    row = findings.rank(arm)
    if arm == study.baseline:
        return "It costs nothing beyond what is spent today."
    planned, realised = row["planned_cost"], row["realised_cost"]
    look = _money(findings, max(abs(planned), abs(realised)))
    text = (
        f"{study.label(arm)} costs {look.text(planned)} {look.unit} in planned present value "
        f"on top of what is spent today"
    )
    if math.isfinite(realised):
        text += f" ({look.text(realised)} realised)"
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


def _money(findings: Findings, size: float) -> Shown:
    return shown("net_present_value", findings.study.currency, size if math.isfinite(size) else 0.0)


def _why(findings: Findings) -> str:
    kpi, study = findings.study.headline[0], findings.study
    if findings.shown == study.baseline or findings.parts.empty:
        return (
            "Which flows carry the difference is not known, because no muted twins were run "
            "for both sides."
        )
    look = findings.look(kpi)
    parts = findings.parts.set_index("part")
    flows = parts.drop(index="remainder")
    gain = findings.rank(findings.shown)[f"{kpi}.mean"]
    name = study.label(findings.shown)
    direction = np.sign(gain) or 1
    ranked = (direction * flows["mean"]).sort_values(ascending=False)
    carriers = [
        part for part in ranked.index if ranked[part] > 0.1 * abs(gain) and _told(flows.loc[part])
    ][:3]
    if not carriers:
        return (
            f"No flow's part in the difference of {name} ({amount(findings, kpi, gain)}) can be "
            "told from nothing."
        )
    first, *rest = carriers
    much = "mostly" if ranked[first] > 0.5 * abs(gain) else "partly"
    left = {part: look.text(gain - flows["mean"][part], signed=True) for part in carriers}
    text = (
        f"The difference of {name} runs {much} through flow {first} "
        f"({Flow(int(first)).label}): muted on both sides, it would be {left[first]} "
        f"instead of {look.text(gain, signed=True)} {look.unit}"
    )
    if rest:
        text += "; next " + _list(
            [f"flow {part} ({Flow(int(part)).label}: {left[part]})" for part in rest]
        )
    if abs(parts["mean"]["remainder"]) > 0.1 * abs(gain):
        text += "; flows work together, so that these parts do not add up to the whole"
    return f"{text}."


def _told(row: pd.Series) -> bool:
    return not (row["low"] <= 0 <= row["high"])


def _doubts(findings: Findings) -> str:
    study = findings.study
    arm = recommended(findings) or findings.shown
    row = findings.rank(arm)
    said = []
    for kpi in study.headline:
        if arm != study.baseline and row[f"{kpi}.verdict"] == WORSE:
            said.append(f"{_name(kpi)} gets worse ({amount(findings, kpi, row[f'{kpi}.mean'])})")
    late = row["payback_quarter"]
    if math.isfinite(late) and late > 0.75 * findings.cube.quarters:
        said.append("it pays back only near the end of the horizon")
    against = f"Against it: {_list(said)}. " if said else ""
    # The colon keeps this one sentence, however much speaks against it.
    tail = (
        "the numbers are assumptions more than measurements of this organization: smaller "
        "effects of its mechanisms, rivals who answer harder or a different horizon can "
        "reorder the ranking, and the winner of many is a little flattered by luck"
    )
    if against:
        return f"{against[:-2]}; and {tail}."
    return f"{tail[0].upper()}{tail[1:]}."


def _list(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def apart(findings: Findings, kpi: str) -> dict[str, list[str]]:
    """Return labels of arms by verdict on one indicator."""
    column = f"{kpi}.verdict"
    found: dict[str, list[str]] = {}
    for arm in findings.order:
        verdict = str(findings.rank(arm)[column])
        found.setdefault(verdict, []).append(findings.study.arms[arm])
    return found


def in_words(findings: Findings, kpi: str) -> str:
    """Say which arms are better, worse or cannot be told apart from the baseline."""
    base = findings.study.label(findings.study.baseline)
    groups = apart(findings, kpi)
    sentences = []
    for verdict, words in (
        (BETTER, f"Better than {base}"),
        (WORSE, f"Worse than {base}"),
        (SAME, f"Cannot be told apart from {base}"),
        (ONE_RUN, "One replication only, no verdict"),
        (NO_VALUE, "No finished run"),
    ):
        if verdict in groups:
            sentences.append(f"{words} in {_name(kpi)}: {', '.join(groups[verdict])}.")
    return " ".join(sentences)


def terminal_summary(findings: Findings) -> str:
    """Return the ranking for a terminal, at most 100 columns wide, in plain words."""
    study = findings.study
    lines = [_first_line(findings), ""]
    if findings.order:
        lines += _table(findings)
        lines += ["", *_wrapped(in_words(findings, study.headline[0]))]
    lines += [
        "",
        *(
            line
            for heading, sentence in decision(findings)
            for line in _wrapped(f"{heading}: {sentence}")
        ),
    ]
    failed = _failed(findings)
    if failed:
        lines += ["", *_wrapped(failed)]
    return "\n".join(lines) + "\n"


def _first_line(findings: Findings) -> str:
    study, n = findings.study, len(findings.cube.replications)
    times = "replication" if n == 1 else "replications"
    return (
        f"{study.scenario}: {len(study.arms)} portfolios, {findings.cube.quarters} quarters, "
        f"{n} {times} on the same luck"
    )


def _table(findings: Findings) -> list[str]:
    study = findings.study
    columns = study.headline[:4]
    heads = [
        [*textwrap.wrap(kpis.TABLE[kpis.INDEX[kpi]].label, 11), findings.look(kpi).unit[:14]]
        for kpi in columns
    ]
    body = []
    for row in findings.ranking.to_dict("records"):
        base = row["arm"] == study.baseline
        cells = ["0 " if base else _cell(findings, row, kpi) for kpi in columns]
        n, late = row[f"{columns[0]}.n"], row["payback_quarter"]
        wins = f"{round(row[f'{columns[0]}.better'] * n)}/{n}" if n else ""
        back = f"q{late:.0f}" if math.isfinite(late) else "never" if late == np.inf else ""
        body.append((str(row["rank"]), study.arms[row["arm"]], *cells, wins, back))
    return [*_lay_out(heads, body), "", *_wrapped(_foot(findings, columns))]


def _foot(findings: Findings, columns: Sequence[str]) -> str:
    base = findings.study.label(findings.study.baseline)
    foot = (
        f"Mean difference to {base} in quarter {findings.cube.quarters} ± 95 % interval; "
        f"~ cannot be told apart from {base}; better in: replications, by the first column."
    )
    if len(findings.study.headline) > len(columns):
        foot += " More indicators are in the report."
    return foot


def _lay_out(heads: Sequence[Sequence[str]], body: Sequence[Sequence[str]]) -> list[str]:
    """Align columns: rank, portfolio, one per indicator, better in, pays back."""
    tall = max(2, *(len(head) for head in heads))
    columns = [["", ""], ["", "portfolio"], *heads, ["better", "in"], ["pays", "back"]]
    lines = [[*[""] * (tall - len(column)), *column] for column in columns]
    cells = [*map(list, zip(*lines, strict=True)), *map(list, body)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    widths[1] = min(widths[1], COLUMNS - sum(widths) + widths[1] - 2 * (len(widths) - 1))
    made = []
    for row in cells:
        if len(row[1]) > widths[1]:
            row[1] = row[1][: widths[1] - 1] + "…"
        texts = [
            text.ljust(w) if i == 1 else text.rjust(w)
            for i, (text, w) in enumerate(zip(row, widths, strict=True))
        ]
        made.append("  ".join(texts).rstrip())
    made.insert(tall, "-" * (sum(widths) + 2 * (len(widths) - 1)))
    return made


def _cell(findings: Findings, row: dict[str, object], kpi: str) -> str:
    look = findings.look(kpi)
    mean, high = float(str(row[f"{kpi}.mean"])), float(str(row[f"{kpi}.high"]))
    mark = MARKS.get(str(row[f"{kpi}.verdict"]), " ")
    half = f" ±{look.text(high - mean)}" if math.isfinite(high) else ""
    return f"{look.text(mean, signed=True)}{half}{mark}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, COLUMNS, subsequent_indent="  ")


def _failed(findings: Findings) -> str:
    runs = findings.study.runs
    failed = int((runs["status"] != "finished").sum())
    if not failed:
        return ""
    return (
        f"{failed} of {len(runs)} runs did not finish; they are left out, and the table runs "
        "says why."
    )
