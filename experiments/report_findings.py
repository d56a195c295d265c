"""What a study found: every judgement the report and the terminal tell, worked out once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from experiments import analysis, attribution, figures, notation, ranking
from sim import kpis, scorecard
from sim.scorecard import Target
from sim.strategy_map import UNMEASURED, StrategyMap

# Digits that a scorecard's line may be given beyond the usual.
MORE_DIGITS = 3


@dataclass(frozen=True)
class StudyResults:
    """Everything the report reads; the runner fills it.

    Attributes
    ----------
    question, scenario, brief : str
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
    kinds, mechanisms : mapping
        Key to label of the stakeholder types and of the mechanisms.
    departments : mapping
        Who runs here what the list of indicators gives to an owner, by the owner's key; an owner
        that is not in it has no department here.
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

    question: str
    scenario: str
    brief: str
    currency: str
    arms: Mapping[str, str]
    baseline: str
    headline: tuple[str, ...]
    quarters: int
    kinds: Mapping[str, str]
    mechanisms: Mapping[str, str]
    departments: Mapping[str, str]
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


def departments_of(departments: Mapping[str, str], owners: Mapping[str, str]) -> dict[str, str]:
    """Return the label of the department behind each owner that the list of indicators names.

    Parameters
    ----------
    departments : mapping
        Key to label of the organization's departments.
    owners : mapping
        Department that runs what is given to another, as the scenario's `owners` say.
    """
    homes = {kpi.owner: owners.get(kpi.owner, kpi.owner) for kpi in kpis.TABLE}
    return {owner: departments[home] for owner, home in homes.items() if home in departments}


@dataclass(frozen=True)
class Findings:
    """The judgements.

    Attributes
    ----------
    study : StudyResults
        Where they come from.
    cube : analysis.Cube
        The scorecard table as an array.
    worth : mapping
        Smallest difference worth having per headline indicator that has a target.
    ranking, differences : DataFrame
        See `experiments.ranking` and `experiments.analysis`.
    ahead : DataFrame
        The first headline indicator minus the baseline's per quarter, see `ranking.over_time`.
    shown : str
        The first-ranked portfolio (the baseline if it is the only arm): scorecard, map and flows.
    rows : tuple of scorecard.Row
        Its Balanced Scorecard.
    cast : figures.Cast
        Order, names and colours of the arms, names of the indicators.
    influence : DataFrame
        Run minus muted twin at the horizon, averaged: arm, flow, kind, measure, n, mean, low, high.
    traced : tuple of str
        Of baseline and shown, those that have muted twins.
    parts : DataFrame
        Gain of the shown arm by flow, see `attribution.gain_by_flow`; may be empty.
    """

    study: StudyResults
    cube: analysis.Cube
    worth: Mapping[str, float]
    ranking: pd.DataFrame
    differences: pd.DataFrame
    ahead: pd.DataFrame
    shown: str
    rows: tuple[scorecard.Row, ...]
    cast: figures.Cast
    influence: pd.DataFrame
    traced: tuple[str, ...]
    parts: pd.DataFrame

    @property
    def order(self) -> tuple[str, ...]:
        """Arms from first to last, without the baseline."""
        return self.cast.order

    @property
    def in_money(self) -> bool:
        """Whether money is what the study asks for, so that payback is worth telling."""
        return ranking.PAYBACK_KPI in self.study.headline

    @property
    def last(self) -> tuple[scorecard.Row, ...]:
        """The Balanced Scorecard at the horizon."""
        return scorecard.at(self.rows, self.cube.quarters)

    @property
    def payback(self) -> dict[str, float]:
        """Median quarter of payback per arm."""
        return dict(zip(self.ranking["arm"], self.ranking["payback_quarter"], strict=True))

    @cached_property
    def lines(self) -> tuple[dict[str, Any], ...]:
        """The ranking, a mapping per arm."""
        return tuple({str(k): v for k, v in row.items()} for row in self.ranking.to_dict("records"))

    def rank(self, arm: str) -> dict[str, Any]:
        """Return an arm's line of the ranking."""
        return next(line for line in self.lines if line["arm"] == arm)

    def name(self, kpi: str) -> str:
        """Return what an indicator is called here."""
        return self.cast.names[kpi]

    def look(self, kpi: str) -> notation.Shown:
        """Return how an indicator's differences are shown throughout."""
        cells = [f"{kpi}.{name}" for name in ("mean", "low", "high")]
        sizes = [abs(line[cell]) for line in self.lines for cell in cells]
        size = max((value for value in sizes if math.isfinite(value)), default=0.0)
        return notation.shown(kpi, self.study.currency, size, True)

    def least(self, kpi: str) -> str:
        """Return the smallest difference worth having with its unit; empty where none is set."""
        worth = self.worth.get(kpi, 0.0)
        if not worth:
            return ""
        look = notation.shown(kpi, self.study.currency, worth, change=True)
        unit = look.amount(worth).partition(" ")[2]
        return f"{worth * look.factor:.3g} {unit}"

    def verdict(self, arm: str, kpi: str) -> str:
        """Return the verdict on an arm's difference from the baseline."""
        return str(self.rank(arm)[f"{kpi}.verdict"])

    def judged(self, arm: str, kpi: str) -> dict[str, Any]:
        """Return mean, low, high, p_holm and verdict of one difference."""
        row = self.rank(arm)
        return {name: row[f"{kpi}.{name}"] for name in ("mean", "low", "high", "p_holm", "verdict")}


def find(study: StudyResults) -> Findings:
    """Work everything out."""
    cube = analysis.cube_of(study.scorecard, list(study.arms))
    worth = _worth(study, cube)
    table = analysis.differences(cube, study.baseline, study.headline, worth)
    ranked = ranking.ranking(
        cube, study.baseline, study.headline, _costs(study.runs, study.baseline), worth, table
    )
    order = tuple(arm for arm in ranked["arm"] if arm != study.baseline)
    first = order[0] if order else study.baseline
    at_horizon = study.influence[study.influence["quarter"] == cube.quarters]
    influence = analysis.summarize(at_horizon, ["arm", "flow", "kind", "measure"])
    present = set(influence["arm"])
    return Findings(
        study=study,
        cube=cube,
        worth=worth,
        ranking=ranked,
        differences=table,
        ahead=ranking.over_time(cube, study.baseline, study.headline[0]),
        shown=first,
        rows=scorecard.scorecard(cube.arm(first), cube.arm(study.baseline), study.targets),
        cast=_cast(study, order),
        influence=influence,
        traced=tuple(a for a in dict.fromkeys((study.baseline, first)) if a in present),
        parts=_parts(study, cube, first),
    )


def _cast(study: StudyResults, order: tuple[str, ...]) -> figures.Cast:
    own = {target.kpi: target.label for target in study.targets if target.label}
    return figures.Cast(
        order=order,
        labels=study.arms,
        colors=figures.arm_colors(list(study.arms), study.baseline),
        baseline=study.baseline,
        currency=study.currency,
        names={kpi.key: own.get(kpi.key, kpi.label) for kpi in kpis.TABLE},
    )


def _worth(study: StudyResults, cube: analysis.Cube) -> dict[str, float]:
    """Return the smallest difference worth having, of the headline indicators with a target."""
    found = {}
    for target in study.targets:
        if target.kpi in study.headline:
            ends = cube.of(study.baseline, target.kpi)[:, -1:]
            value = float(scorecard.mean(ends)[0])
            found[target.kpi] = 0.0 if math.isnan(value) else target.worth_having(value)
    return found


def _costs(runs: pd.DataFrame, baseline: str) -> dict[str, tuple[float, float]]:
    """Return planned and mean realised present cost per arm, beyond the baseline's."""
    arms = runs[(runs["muted_flow"] == 0) & (runs["status"] == "finished")]
    means = arms.groupby("arm")[["planned_cost", "realised_cost"]].mean()
    # What a run realises includes today's programmes, which the baseline funds as well.
    if baseline in means.index:
        means = means - means.loc[baseline]
    return {str(row.Index): (row.planned_cost, row.realised_cost) for row in means.itertuples()}


def cuts(study: StudyResults) -> dict[str, float]:
    """Return the least share of a quarter's wished-for spending, of arms that the budget cut."""
    runs = study.runs[(study.runs["muted_flow"] == 0) & (study.runs["quarters_cut"] > 0)]
    return {
        str(arm): float(least) for arm, least in runs.groupby("arm")["least_afforded"].min().items()
    }


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
    last = {row.kpi.key: row for row in findings.last}
    status, words = {}, {}
    for objective in findings.study.strategy_map.objectives:
        if objective.kpi == UNMEASURED:
            status[objective.key], words[objective.key] = scorecard.NO_DATA, "not measured"
            continue
        row = last[objective.kpi]
        status[objective.key] = row.status
        look = level(findings.study, row)
        unit = {"%": " %", "points": " points", "weeks": " weeks"}.get(look.unit.split(" ")[0], "")
        if row.kpi.unit.startswith("currency"):
            unit = f" {look.unit.split(' per ')[0]}"
        words[objective.key] = f"{look.text(row.actual)}{unit} {notation.ARROWS[row.trend]}".strip()
    return status, words


def level(study: StudyResults, row: scorecard.Row) -> notation.Shown:
    """Return how the levels of a scorecard's line are shown."""
    seen = [abs(v) for v in (row.actual, row.baseline, row.target) if math.isfinite(v)]
    return notation.shown(row.kpi.key, study.currency, max(seen, default=0.0))


def level_beside_goals(study: StudyResults, row: scorecard.Row) -> notation.Shown:
    """Return the same with as many more digits as keep the lights from belying the digits."""
    look = level(study, row)
    for more in range(MORE_DIGITS + 1):
        finer = replace(look, decimals=look.decimals + more)
        if not _belied(row, finer):
            return finer
    return look


def _belied(row: scorecard.Row, look: notation.Shown) -> bool:
    """Whether a number is printed like the goal or red flag that its light says it has not met."""
    goal, flag = look.text(row.target), look.text(row.red_flag)
    for value, status in ((row.actual, row.status), (row.baseline, row.baseline_status)):
        if not (math.isfinite(value) and math.isfinite(row.target)):
            continue
        text = look.text(value)
        if (text == goal and status != scorecard.GREEN) or (
            text == flag and status != scorecard.RED
        ):
            return True
    return False
