"""From the journal to tidy tables: one row per value, in the order of the study's plan.

Rows are sorted by arm (in the order of the study, each arm's twins after all arms), replication,
quarter and indicator, so that the same study always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from experiments import accounts, designs
from experiments.attribution import influence_rows
from experiments.designs import Study
from experiments.journal import Answer, Planned, Runs, UnitResult
from experiments.store import columns_of, dictionary
from sim import kpis
from sim.arms import funder
from sim.fields import CAPITALS
from sim.flows import ORGANIZATION
from sim.scenario import Scenario
from sim.structure import INSIGHT

REORGANIZATION = "reorganization"  # item of spending: what a design costs
NEW_DEPARTMENTS = "new_departments"  # those that a design adds, together

ROUNDING = 1e-9  # of a share of the budget
MEASURE_UNITS = {
    "salience": ("probability", "mean probability that the organization is in mind"),
    "attitude": ("-1..1", "mean attitude to the organization"),
    "expectation": ("quality", "mean quality that is expected of the organization"),
    "trust": ("share", "mean trust in the organization's claims"),
    "satisfaction": ("-1..1", "mean satisfaction with the organization"),
    "tied": ("share", "share of the type tied to the organization"),
    "positive_voices": ("voices/quarter", "positive voices about the organization per stakeholder"),
    "negative_voices": ("voices/quarter", "negative voices about the organization per stakeholder"),
}


def tables_of(
    scenario: Scenario,
    study: Study,
    runs: Runs,
    named: Sequence[kpis.Kpi] | None = None,
) -> dict[str, pd.DataFrame]:
    """Return every table of the study, by name (see `experiments.store.COLUMNS`).

    `named` are the indicators as the market names them, see `sim.scorecard.Board.indicators`.
    """
    at = runs.index()
    plain = [planned for planned in runs.planned if not planned.flow]
    finished = [
        (planned.arm.key, r)
        for planned in plain
        for r in range(study.replications)
        if _ran(at, planned.arm.key, r)
    ]
    return {
        "runs": _runs(scenario, study, runs),
        "scorecard": _scorecard(scenario, at, finished),
        "influence": _influence(scenario, study, runs, finished),
        "spending": _spending(scenario, at, finished),
        "governance": _governance(scenario, plain, at, finished),
        "insight": _insight(scenario, at, finished),
        "ledger": accounts.ledger_table(scenario, runs.answers),
        "shapley": accounts.shapley_table(study, runs.answers),
        "interactions": accounts.interactions_table(study, runs.answers),
        "indicators": indicators(scenario.currency, named or kpis.TABLE),
        "dictionary": dictionary(scenario.currency),
    }


def indicators(currency: str, named: Sequence[kpis.Kpi]) -> pd.DataFrame:
    """Return what each indicator and each measure of a stakeholder type means."""
    rows = [
        (
            kpi.key,
            "organization",
            kpi.label,
            kpi.unit.replace("currency", currency),
            kpi.perspective,
            kpi.direction,
            "leading" if kpi.leading else "lagging",
            kpi.owner,
            kpi.flow or 0,
            " ".join(kpi.audience),
            kpi.sensed_by,
            kpi.formula,
            kpi.source,
        )
        for kpi in named
    ]
    for measure in kpis.MEASURES:
        unit, formula = MEASURE_UNITS[measure]
        label = measure.replace("_", " ").capitalize()
        rows.append(
            (measure, "stakeholder type", label, unit, "", 0, "", "", 0, "", 0, formula, "")
        )
    return pd.DataFrame(rows, columns=columns_of("indicators"))


_At = dict[tuple[str, int], tuple[UnitResult, int]]


def _ran(at: _At, arm: str, replication: int) -> bool:
    """Whether a run was tried and did not fail."""
    if (arm, replication) not in at:
        return False
    unit, place = at[arm, replication]
    return not unit.errors[place]


def _runs(scenario: Scenario, study: Study, runs: Runs) -> pd.DataFrame:
    at = runs.index()
    at_start = designs.start_worth(scenario)
    value_row = kpis.INDEX["net_present_value"]
    rows = []
    for planned in _ordered(runs):
        payer = funder(planned.arm.firm, scenario, planned.arm.key)
        cost = designs.planned_present_value(planned.arm.plan, scenario, planned.arm.design, payer)
        for r in range(study.replications):
            if (planned.arm.key, r) not in at:
                continue
            unit, place = at[planned.arm.key, r]
            error = unit.errors[place]
            rows.append(
                (
                    f"{planned.arm.key}-{r:04d}",
                    planned.arm.key,
                    planned.arm.label,
                    r,
                    study.seed,
                    planned.twin_of,
                    planned.flow,
                    "failed" if error else "finished",
                    error,
                    planned.arm.firm,
                    cost,
                    float(unit.spending_worth[:, :, place].sum())
                    + float(at_start @ unit.reorganization[:, place]),
                    *_cuts(unit.afforded[:, payer, place]),
                    float(unit.kpi[-1, value_row, place]),
                )
            )
    rows += [_failed_inquiry(study, answer) for answer in runs.answers if answer.error]
    return pd.DataFrame(rows, columns=columns_of("runs"))


def _failed_inquiry(study: Study, answer: Answer) -> tuple[Any, ...]:
    """Return a row for a closer look that failed, told apart from its arm by its id."""
    name = f"{answer.kind}-{answer.arm}"
    number = f"{name}-{answer.replication:04d}"
    label = f"{answer.kind} of {answer.arm}"
    known = (number, name, label, answer.replication, study.seed, answer.arm, 0, "failed")
    nothing = [np.nan] * (len(columns_of("runs")) - len(known) - 1)
    return (*known, answer.error, *nothing)


def _cuts(afforded: np.ndarray) -> tuple[float, float]:
    """Return in how many quarters the budget cut the wished-for spending, and the least share."""
    if np.isnan(afforded).all():
        return float("nan"), float("nan")
    return float((afforded < 1 - ROUNDING).sum()), float(afforded.min())


def _ordered(runs: Runs) -> list[Planned]:
    """Return portfolios in the study's order, then twins by portfolio and flow."""
    plain = [planned for planned in runs.planned if not planned.flow]
    order = {planned.arm.key: i for i, planned in enumerate(plain)}
    twins = [planned for planned in runs.planned if planned.flow]
    return [*plain, *sorted(twins, key=lambda twin: (order[twin.twin_of], twin.flow))]


def _scorecard(scenario: Scenario, at: _At, keys: Sequence[tuple[str, int]]) -> pd.DataFrame:
    names = [kpi.key for kpi in kpis.TABLE]
    truth = [at[key][0].kpi[:, :, at[key][1]] for key in keys]
    read = [at[key][0].reading[:, :, at[key][1]] for key in keys]
    quarters = range(scenario.quarters + 1)
    table = _long(keys, quarters, names, truth, columns_of("scorecard")[:-1])
    return table.assign(reading=np.stack(read).ravel() if read else np.empty(0))


def _spending(scenario: Scenario, at: _At, keys: Sequence[tuple[str, int]]) -> pd.DataFrame:
    """Return money by item; what designs cost is an item where any arm's design costs anything."""
    names = [m.key for m in scenario.mechanisms] + [f"invest_{name}" for name in CAPITALS]
    blocks = [at[key][0].spending[:, :, at[key][1]] for key in keys]
    worth = [at[key][0].spending_worth[:, :, at[key][1]] for key in keys]
    charged = [at[key][0].reorganization[:, at[key][1]] for key in keys]
    if any(money.any() for money in charged):
        names.append(REORGANIZATION)
        at_start = designs.start_worth(scenario)
        blocks = [np.column_stack(pair) for pair in zip(blocks, charged, strict=True)]
        worth = [
            np.column_stack([part, at_start * money])
            for part, money in zip(worth, charged, strict=True)
        ]
    quarters = range(1, scenario.quarters + 1)
    columns = columns_of("spending")
    table = _long(keys, quarters, names, blocks, columns[:-1])
    return table.assign(**{columns[-1]: np.stack(worth).ravel() if worth else []})


def _governance(
    scenario: Scenario, plain: Sequence[Planned], at: _At, keys: Sequence[tuple[str, int]]
) -> pd.DataFrame:
    """Return what was planned and what governance made of it, of arms whose governance acts."""
    names = [m.key for m in scenario.mechanisms] + [f"invest_{name}" for name in CAPITALS]
    quarters = range(1, scenario.quarters + 1)
    columns = columns_of("governance")
    ruled = {p.arm.key: p.arm for p in plain if p.arm.governance and p.arm.governance.acts}
    keys = [key for key in keys if key[0] in ruled]
    plans = {
        key: np.concatenate([arm.plan.effort, arm.plan.investment]).T for key, arm in ruled.items()
    }
    left = [at[key][0].managed[:, :, at[key][1]] for key in keys]
    cuts = [at[key][0].board_cut[:, at[key][1]] for key in keys]
    table = _long(keys, quarters, names, [plans[arm] for arm, _ in keys], columns[:-2])
    table = table.assign(
        managed=np.stack(left).ravel() if left else np.empty(0),
        board_cut=np.repeat(np.stack(cuts).ravel(), len(names)) if cuts else np.empty(0),
    )
    return table[(table["planned"] > 0) | (table["managed"] > 0)].reset_index(drop=True)


def _insight(scenario: Scenario, at: _At, keys: Sequence[tuple[str, int]]) -> pd.DataFrame:
    """Return how insight travels, by the department of today that hears it first."""
    names = [d.key for d in scenario.firms[ORGANIZATION].departments] + [NEW_DEPARTMENTS]
    closes = np.arange(scenario.quarters + 1)
    frames = []
    for arm, r in keys:
        unit, place = at[arm, r]
        values = unit.insight[..., place]
        # Without a design that adds departments nothing is known of new ones.
        n = len(names) - bool(np.isnan(values[:, -1, 1:]).all())
        frames.append(
            pd.DataFrame(
                {
                    "arm": arm,
                    "replication": r,
                    "quarter": np.repeat(closes, n),
                    "department": np.tile(np.asarray(names[:n], dtype=object), len(closes)),
                    **{name: values[:, :n, i].ravel() for i, name in enumerate(INSIGHT)},
                }
            )
        )
    if not frames:
        return pd.DataFrame(columns=columns_of("insight"))
    return pd.concat(frames, ignore_index=True)[columns_of("insight")]


def _long(
    keys: Sequence[tuple[str, int]],
    quarters: Iterable[int],
    names: Sequence[str],
    blocks: Sequence[np.ndarray],
    columns: Sequence[str],
) -> pd.DataFrame:
    """Unroll one (quarter, name) block per (arm, replication) into rows."""
    closes = np.asarray(list(quarters))
    cells = len(closes) * len(names)
    values = np.stack(blocks) if blocks else np.empty(0)
    data = (
        np.repeat(np.asarray([arm for arm, _ in keys], dtype=object), cells),
        np.repeat(np.asarray([r for _, r in keys], dtype=np.int64), cells),
        np.tile(np.repeat(closes, len(names)), len(keys)),
        np.tile(np.asarray(names, dtype=object), len(keys) * len(closes)),
        values.ravel(),
    )
    return pd.DataFrame(dict(zip(columns, data, strict=True)))


def _influence(
    scenario: Scenario, study: Study, runs: Runs, keys: Sequence[tuple[str, int]]
) -> pd.DataFrame:
    at = runs.index()
    twins: dict[str, dict[int, str]] = {}
    for planned in runs.planned:
        if planned.flow:
            twins.setdefault(planned.twin_of, {})[planned.flow] = planned.arm.key
    kinds = [kind.key for kind in scenario.stakeholders]
    frames = []
    for arm, r in keys:
        muted = {f: key for f, key in sorted(twins.get(arm, {}).items()) if _ran(at, key, r)}
        if not muted:
            continue
        lanes = [at[key, r] for key in (arm, *muted.values())]
        rows = influence_rows(
            np.stack([unit.kpi[..., place] for unit, place in lanes], axis=-1),
            np.stack([unit.measures[..., place] for unit, place in lanes], axis=-1),
            0,
            {flow: lane for lane, flow in enumerate(muted, start=1)},
            kinds,
            study.headline,
        )
        rows = rows.sort_values(["quarter", "flow"], kind="stable")
        frames.append(rows.assign(arm=arm, replication=r))
    columns = columns_of("influence")
    if not frames:
        return pd.DataFrame(columns=columns)
    return pd.concat(frames, ignore_index=True)[columns]
