"""What closer looks found, as tables: the influence ledger, and exact shares of the six flows.

The ledger counts people who think or do something they otherwise wouldn't (Philip Sheldrake's
definition of influence); its *remainder* is what all six flows do together beyond the sum of what
each does. Shapley values share an indicator out among the flows without a remainder. Their
intervals come from a bootstrap that draws replications, the same for every flow and arm, so that
everything stays paired. Source: MODEL A.16; Shapley (1953); Efron (1979).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from experiments import analysis, attribution
from experiments.designs import Study
from experiments.inquiries import LEDGER, SHAPLEY
from experiments.journal import Answer
from experiments.store import columns_of
from sim import kpis, rng
from sim.flows import Flow
from sim.influenced import ANYTHING, ENTRIES
from sim.scenario import Scenario

ALL, REMAINDER, EVERYBODY = 0, 7, ""  # beside the flows 1 to 6; beside the stakeholder types
RESAMPLES = 2000
BOOTSTRAP = "bootstrap"
LEVEL = 0.05


def ledger_table(scenario: Scenario, answers: Sequence[Answer]) -> pd.DataFrame:
    """Return the ledger, a row per run, quarter, muted flow, type and entry that applies to it."""
    kinds = [kind.key for kind in scenario.stakeholders]
    frames = [
        _ledger_rows(answer, kinds)
        for answer in answers
        if answer.kind == LEDGER and answer.finished
    ]
    columns = columns_of("ledger")
    if not frames:
        return pd.DataFrame(columns=columns)
    return pd.concat(frames, ignore_index=True)[columns]


def _ledger_rows(answer: Answer, kinds: Sequence[str]) -> pd.DataFrame:
    counts, people = answer.arrays["counts"], answer.arrays["people"]
    n_quarters, n_twins, n_entries, _, n_kinds = counts.shape
    shape = (n_quarters, n_twins, n_kinds, n_entries)
    quarter, twin, kind, entry = (axis.ravel() for axis in np.indices(shape))
    more, less, other = np.moveaxis(counts, 3, 0).transpose(0, 1, 2, 4, 3).reshape(3, -1)
    of = people.T[kind, entry]
    flow = np.array([*(int(flow) for flow in Flow), ALL])
    spheres, whats = (np.array(names, dtype=object) for names in zip(*ENTRIES, strict=True))
    table = pd.DataFrame(
        {
            "run_id": f"{answer.arm}-{answer.replication:04d}",
            "arm": answer.arm,
            "replication": answer.replication,
            "quarter": quarter + 1,
            "flow": flow[twin],
            "kind": np.array(kinds, dtype=object)[kind],
            "influenced": spheres[entry],
            "what": whats[entry],
            "count_more": more,
            "count_less": less,
            "count_other": other,
            "of": of,
            "share": (more + less + other) / np.maximum(of, 1),
        }
    )
    return table[of > 0]


def ledger_summary(ledger: pd.DataFrame, quarter: int) -> pd.DataFrame:
    """Return the ledger of one quarter averaged over replications, everybody and remainder added.

    Columns: arm, kind ("" for everybody), influenced, what, flow (ALL, REMAINDER), measure (share
    who differ, more, less, or net = more - less, as shares of those who can), n, mean, low, high.
    """
    rows = ledger[ledger["quarter"] == quarter]
    if rows.empty:
        return pd.DataFrame(columns=[*SUMMARY_KEYS, "n", "mean", "low", "high"])
    keys = ["arm", "replication", "flow", "influenced", "what"]
    counts = ["count_more", "count_less", "count_other", "of"]
    everybody = rows.groupby(keys, sort=False)[counts].sum().reset_index().assign(kind=EVERYBODY)
    rows = pd.concat([everybody, rows[[*keys, "kind", *counts]]], ignore_index=True)
    of = rows["of"]
    more, less, other = (rows[name] / of for name in counts[:3])
    shares = {"share": more + less + other, "more": more, "less": less, "net": more - less}
    tidy = pd.concat(
        [rows[[*keys, "kind"]].assign(measure=name, value=value) for name, value in shares.items()],
        ignore_index=True,
    )
    whole = [key for key in SUMMARY_KEYS if key != "flow"] + ["replication"]
    wide = tidy.pivot(index=whole, columns="flow", values="value")
    wide[REMAINDER] = wide[ALL] - wide[[int(flow) for flow in Flow]].sum(axis=1)
    found = wide.stack().rename("value").reset_index()
    return analysis.summarize(found, list(SUMMARY_KEYS))


def ledger_course(ledger: pd.DataFrame) -> pd.DataFrame:
    """Return how many of everybody think or do anything otherwise, quarter by quarter.

    Columns: arm, influenced, flow 1 to 6, quarter, measure (more, less or net = more - less, as
    shares of everybody), n, mean, low, high.
    """
    rows = ledger[(ledger["what"] == ANYTHING) & (ledger["flow"] != ALL)]
    keys = ["arm", "replication", "influenced", "flow", "quarter"]
    if rows.empty:
        return pd.DataFrame(columns=[*COURSE_KEYS, "n", "mean", "low", "high"])
    sums = rows.groupby(keys, sort=False)[["count_more", "count_less", "of"]].sum().reset_index()
    more, less = (sums[name] / sums["of"] for name in ("count_more", "count_less"))
    shares = {"more": more, "less": less, "net": more - less}
    tidy = pd.concat(
        [sums[keys].assign(measure=name, value=value) for name, value in shares.items()],
        ignore_index=True,
    )
    return analysis.summarize(tidy, list(COURSE_KEYS))


COURSE_KEYS = ("arm", "influenced", "flow", "quarter", "measure")
SUMMARY_KEYS = ("arm", "kind", "influenced", "what", "flow", "measure")


def shapley_table(study: Study, answers: Sequence[Answer]) -> pd.DataFrame:
    """Return the Shapley values of the headline indicators at the horizon, see the dictionary."""
    rows = []
    for arm, against, kpi, values in _games(study, answers):
        shares = attribution.shapley(values)
        alone, last = attribution.first_in(values), attribution.last_in(values)
        low, high = _interval(study.seed, shares)
        for i, flow in enumerate(Flow):
            rows.append((arm, against, kpi, int(flow), values.shape[1], shares[i].mean(), low[i],
                         high[i], alone[i].mean(), last[i].mean()))  # fmt: skip
    return pd.DataFrame(rows, columns=columns_of("shapley"))


def interactions_table(study: Study, answers: Sequence[Answer]) -> pd.DataFrame:
    """Return the Shapley interaction of every two flows, see the dictionary."""
    rows = []
    for arm, against, kpi, values in _games(study, answers):
        pairs = attribution.interaction(values)
        low, high = _interval(study.seed, pairs)
        rows += [
            (arm, against, kpi, int(one), int(two), values.shape[1],
             pairs[one - 1, two - 1].mean(), low[one - 1, two - 1], high[one - 1, two - 1])
            for one in Flow for two in Flow if one < two
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns_of("interactions"))


def _games(study: Study, answers: Sequence[Answer]) -> list[tuple[str, str, str, np.ndarray]]:
    """Return (arm, against, kpi, values (64, replications)) of whatever can be shared out.

    An arm's difference from the baseline is a game of its own, in the replications of both.
    """
    found: dict[str, dict[int, np.ndarray]] = {}
    for answer in answers:
        if answer.kind == SHAPLEY and answer.finished:
            found.setdefault(answer.arm, {})[answer.replication] = answer.arrays["kpi"]
    games = [(arm, "", values) for arm, values in found.items()]
    base = found.get(study.baseline, {})
    for arm, values in found.items():
        both = {r: value - base[r] for r, value in values.items() if r in base}
        if arm != study.baseline and both:
            games.append((arm, study.baseline, both))
    return [
        (arm, against, kpi, whole)
        for arm, against, values in games
        for kpi in study.headline
        if (whole := _complete(values, kpi)).shape[1]
    ]


def _complete(values: dict[int, np.ndarray], kpi: str) -> np.ndarray:
    """Return (64, n) of the replications in which no combination lacks the indicator."""
    stacked = np.stack([values[r][kpis.INDEX[kpi]] for r in sorted(values)], axis=1)
    return stacked[:, np.isfinite(stacked).all(axis=0)]


def _interval(seed: int, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends of the 95 % percentile interval of the mean over the last axis.

    The draws depend on the seed and the number of replications alone, so that whatever is
    estimated from the same replications is drawn alike. NaN for fewer than two.
    """
    n = samples.shape[-1]
    if n < 2:
        nothing = np.full(samples.shape[:-1], np.nan)
        return nothing, nothing
    draws = rng.uniform(
        seed, 0, rng.Stream.INIT, np.arange(RESAMPLES * n), slot=rng.slot_of(BOOTSTRAP)
    )
    chosen = (draws[:, 0].astype(np.float64) * n).astype(np.int64).reshape(RESAMPLES, n)
    weight = np.stack([np.bincount(row, minlength=n) for row in chosen]) / n
    means = samples @ weight.T
    low, high = np.quantile(means, [LEVEL / 2, 1 - LEVEL / 2], axis=-1)
    return low, high
