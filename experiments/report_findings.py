"""What a study found: every judgement the report and the terminal tell, worked out once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from experiments import analysis, attribution, figures
from sim import kpis, scorecard
from sim.scorecard import Target
from sim.strategy_map import UNMEASURED, StrategyMap


@dataclass(frozen=True)
class StudyResults:
    """Everything the report reads; the runner fills it.

    Attributes
    ----------
    title, scenario, brief : str
        What is asked, the market's label and one paragraph about it.
    currency : str
        What money is counted in, such as thousand euro.
    arms : mapping
        Key to label of every portfolio, baseline included, in the study's order.
    baseline : str
        Key of the arm everything is compared with.
    headline : tuple of str
        Indicators in order of weight; the first alone ranks.
    quarters : int
        Horizon.
    kinds : mapping
        Key to label of the stakeholder types.
    runs, scorecard, influence, spending : DataFrame
        The tidy tables of the study folder; `influence` may be empty.
    targets : tuple of Target
        What the scorecard aims at.
    strategy_map : StrategyMap
        Objectives, links and flows.
    provenance : mapping
        command, seed, replications (planned), git_commit, created and versions (a mapping).
    notes : tuple of str
        Further assumptions of this study, a sentence each.
    """

    title: str
    scenario: str
    brief: str
    currency: str
    arms: Mapping[str, str]
    baseline: str
    headline: tuple[str, ...]
    quarters: int
    kinds: Mapping[str, str]
    runs: pd.DataFrame
    scorecard: pd.DataFrame
    influence: pd.DataFrame
    spending: pd.DataFrame
    targets: tuple[Target, ...]
    strategy_map: StrategyMap
    provenance: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def label(self, arm: str) -> str:
        """Return an arm's label in quotation marks."""
        return f"“{self.arms[arm]}”"

    @property
    def planned_replications(self) -> int:
        """How many replications were asked for."""
        return int(self.provenance["replications"])


@dataclass(frozen=True)
class Findings:
    """The judgements.

    Attributes
    ----------
    study : StudyResults
        Where they come from.
    cube : analysis.Cube
        The scorecard table as an array.
    ranking, differences, value : DataFrame
        See the functions of `experiments.analysis`; differences at the horizon.
    order : tuple of str
        Arms from first to last, without the baseline.
    shown : str
        The first-ranked portfolio (the baseline if it is the only arm): scorecard, map and flows.
    rows : tuple of scorecard.Row
        Its Balanced Scorecard.
    colors : mapping
        Colour per arm.
    influence : DataFrame
        Run minus muted twin at the horizon, averaged: arm, flow, kind, measure, n, mean, low, high.
    traced : tuple of str
        Of baseline and shown, those that have muted twins.
    parts : DataFrame
        Gain of the shown arm by flow, see `attribution.gain_by_flow`; may be empty.
    """

    study: StudyResults
    cube: analysis.Cube
    ranking: pd.DataFrame
    differences: pd.DataFrame
    value: pd.DataFrame
    order: tuple[str, ...]
    shown: str
    rows: tuple[scorecard.Row, ...]
    colors: Mapping[str, str]
    influence: pd.DataFrame
    traced: tuple[str, ...]
    parts: pd.DataFrame

    def rank(self, arm: str) -> pd.Series:
        """Return an arm's line of the ranking."""
        return self.ranking[self.ranking["arm"] == arm].iloc[0]

    def look(self, kpi: str) -> figures.Shown:
        """Return how an indicator's differences are shown throughout."""
        columns = [f"{kpi}.{name}" for name in ("mean", "low", "high")]
        size = self.ranking[columns].abs().max().max()
        return figures.shown(kpi, self.study.currency, 0.0 if math.isnan(size) else size, True)

    @property
    def payback(self) -> dict[str, float]:
        """Median quarter of payback per arm."""
        return dict(zip(self.ranking["arm"], self.ranking["payback_quarter"], strict=True))


def find(study: StudyResults) -> Findings:
    """Work everything out."""
    cube = analysis.cube_of(study.scorecard, list(study.arms))
    table = analysis.differences(cube, study.baseline, study.headline)
    ranking = analysis.ranking(
        cube, study.baseline, study.headline, _costs(study.runs, study.baseline), table
    )
    order = tuple(arm for arm in ranking["arm"] if arm != study.baseline)
    shown = order[0] if order else study.baseline
    at_horizon = study.influence[study.influence["quarter"] == cube.quarters]
    influence = analysis.summarize(at_horizon, ["arm", "flow", "kind", "measure"])
    present = set(influence["arm"])
    return Findings(
        study=study,
        cube=cube,
        ranking=ranking,
        differences=table,
        value=analysis.value_over_time(cube, study.baseline),
        order=order,
        shown=shown,
        rows=scorecard.scorecard(cube.arm(shown), cube.arm(study.baseline), study.targets),
        colors=figures.arm_colors(list(study.arms), study.baseline),
        influence=influence,
        traced=tuple(a for a in dict.fromkeys((study.baseline, shown)) if a in present),
        parts=_parts(study, cube, shown),
    )


def _costs(runs: pd.DataFrame, baseline: str) -> dict[str, tuple[float, float]]:
    """Return planned and mean realised present cost per arm, beyond the baseline's."""
    arms = runs[(runs["muted_flow"] == 0) & (runs["status"] == "finished")]
    means = arms.groupby("arm")[["planned_cost", "realised_cost"]].mean()
    # What a run realises includes today's programmes, which the baseline funds as well.
    if baseline in means.index:
        means = means - means.loc[baseline]
    return {str(row.Index): (row.planned_cost, row.realised_cost) for row in means.itertuples()}


def _parts(study: StudyResults, cube: analysis.Cube, shown: str) -> pd.DataFrame:
    if shown == study.baseline:
        return pd.DataFrame(columns=["part", "n", "mean", "low", "high"])
    kpi = study.headline[0]
    gain = pd.Series(cube.difference(shown, study.baseline, kpi)[:, -1], index=cube.replications)
    return analysis.summarize(
        attribution.gain_by_flow(study.influence, shown, study.baseline, kpi, gain, cube.quarters),
        ["part"],
    )


def readings(findings: Findings) -> tuple[dict[str, str], dict[str, str]]:
    """Return the light and a few words for each objective of the strategy map, at the horizon."""
    last = {row.kpi.key: row for row in scorecard.at(findings.rows, findings.cube.quarters)}
    status, words = {}, {}
    for objective in findings.study.strategy_map.objectives:
        if objective.kpi == UNMEASURED:
            status[objective.key], words[objective.key] = scorecard.NO_DATA, "not measured"
            continue
        row = last[objective.kpi]
        status[objective.key] = row.status
        look = level(findings.study, row.kpi, row.actual)
        unit = {"%": " %", "points": " points"}.get(look.unit.split(" ")[0], "")
        if row.kpi.unit.startswith("currency"):
            unit = f" {look.unit.split(' per ')[0]}"
        words[objective.key] = f"{look.text(row.actual)}{unit} {figures.ARROWS[row.trend]}".strip()
    return status, words


def level(study: StudyResults, kpi: kpis.Kpi, value: float) -> figures.Shown:
    """Return how a level of an indicator is shown."""
    size = abs(value) if math.isfinite(value) else 0.0
    return figures.shown(kpi.key, study.currency, size)
