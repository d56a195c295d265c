"""What a study found: every judgement the report and the terminal tell, worked out once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from experiments import analysis, attribution, figures, notation, ranking
from sim import kpis, scorecard
from sim.fields import CAPITALS
from sim.flows import ORGANIZATION
from sim.scenario import Scenario
from sim.scorecard import Board
from sim.strategy_map import UNMEASURED, StrategyMap

# Digits that a scorecard's line may be given beyond the usual.
MORE_DIGITS = 3


@dataclass(frozen=True)
class Process:
    """A mechanism as management sees it: who runs it, on which flows, and what it needs.

    `needs` are the weights of human, information and organization readiness, summing to 1.
    """

    key: str
    label: str
    department: str
    flows: tuple[int, ...]
    needs: tuple[float, ...]


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
    audiences : mapping
        Labels of the stakeholder types behind each word that indicators use; a word that is not
        in it has nobody here.
    processes : tuple of Process
        Every mechanism.
    complementarity : float
        Exponent of bundles of capital.
    runs, scorecard, influence, spending : DataFrame
        The tidy tables of the study folder; `influence` may be empty.
    board : Board
        What the scorecard aims at and how it gives lights.
    strategy_map : StrategyMap
        Objectives, links and flows.
    provenance : mapping
        command, seed, replications (planned), git_commit, created and versions (a mapping).
    notes : tuple of str
        Further assumptions of this study, a sentence each.
    insight : DataFrame, optional
        The tidy table of how insight travels.
    designed : mapping
        Label of its design by arm, of those that have one.
    changed : tuple of str
        Settings, as `key=value`, that make the market another one than the shipped.
    theirs : mapping
        Label of the competitor that pays, by arm whose money is a competitor's to spend: they are
        shown and never advised.
    siblings : mapping
        By arm that has a design: the first arm of the same portfolio, itself if it is the first.
    entries : mapping
        Key to label of the departments in which insight is heard first.
    governance : DataFrame
        The tidy table of what governance made of plans; empty where each was carried out as it was.
    governed : mapping
        Label of its governance by arm, of those that have one.
    managed_alike : mapping
        By arm that has a governance: the first arm of the same plan, itself if it is the first.
    ledger, shapley, interactions : DataFrame
        The tidy tables of what closer looks found; empty where none was asked for.
    thresholds : mapping
        How far two lives must differ to count in the ledger, see `sim.influenced.Thresholds`.
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
    audiences: Mapping[str, tuple[str, ...]]
    processes: tuple[Process, ...]
    complementarity: float
    runs: pd.DataFrame
    scorecard: pd.DataFrame
    influence: pd.DataFrame
    spending: pd.DataFrame
    board: Board
    strategy_map: StrategyMap
    provenance: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    insight: pd.DataFrame | None = None
    designed: Mapping[str, str] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    theirs: Mapping[str, str] = field(default_factory=dict)
    siblings: Mapping[str, str] = field(default_factory=dict)
    entries: Mapping[str, str] = field(default_factory=dict)
    governance: pd.DataFrame = field(default_factory=pd.DataFrame)
    governed: Mapping[str, str] = field(default_factory=dict)
    managed_alike: Mapping[str, str] = field(default_factory=dict)
    ledger: pd.DataFrame = field(default_factory=pd.DataFrame)
    shapley: pd.DataFrame = field(default_factory=pd.DataFrame)
    interactions: pd.DataFrame = field(default_factory=pd.DataFrame)
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def label(self, arm: str) -> str:
        """Return an arm's label in quotation marks."""
        return f"“{self.arms[arm]}”"

    def shown(self, kpi: str, size: float = 0.0, change: bool = False) -> notation.Shown:
        """Return how an indicator is shown here; `size` is the largest number to come."""
        unit = self.board.indicators[kpis.INDEX[kpi]].unit
        return notation.shown(unit, self.currency, size, change)

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


def processes_of(scenario: Scenario) -> tuple[Process, ...]:
    """Return every mechanism with the label of the department of the organization that runs it."""
    departments = scenario.firms[ORGANIZATION].departments
    labels = {department.key: department.label for department in departments}
    only = departments[0].label
    return tuple(
        Process(
            key=mechanism.key,
            label=mechanism.label,
            department=labels.get(mechanism.owner, only),
            flows=mechanism.flows,
            needs=tuple(mechanism.needs.get(capital, 0.0) for capital in CAPITALS),
        )
        for mechanism in scenario.mechanisms
    )


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
        Its Balanced Scorecard, of the truth or of what is read, as the board asks.
    read_rows : tuple of scorecard.Row
        Its Balanced Scorecard as management would read it.
    sensed : bool array (quarters, 6)
        Whether anything is read of each flow at each close, in most replications.
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
    read_rows: tuple[scorecard.Row, ...]
    sensed: np.ndarray
    cast: figures.Cast
    influence: pd.DataFrame
    traced: tuple[str, ...]
    parts: pd.DataFrame

    @property
    def order(self) -> tuple[str, ...]:
        """Arms from first to last, without the baseline."""
        return self.cast.order

    @property
    def ours(self) -> tuple[str, ...]:
        """Those of them that the organization may choose."""
        return tuple(arm for arm in self.order if arm not in self.study.theirs)

    @property
    def in_money(self) -> bool:
        """Whether money is what the study asks for, so that payback is worth telling."""
        return ranking.PAYBACK_KPI in self.study.headline

    @property
    def pays_back(self) -> bool:
        """Whether there is anything of ours of which payback can be told."""
        return self.in_money and bool(self.ours)

    @property
    def last(self) -> tuple[scorecard.Row, ...]:
        """The Balanced Scorecard at the horizon."""
        return scorecard.at(self.rows, self.cube.quarters)

    @property
    def aimed(self) -> tuple[scorecard.Row, ...]:
        """The rows of every quarter that have a target."""
        return tuple(row for row in self.rows if row.objective)

    @property
    def payback(self) -> dict[str, float]:
        """Median quarter of payback per arm."""
        return dict(zip(self.ranking["arm"], self.ranking["payback_quarter"], strict=True))

    @cached_property
    def lines(self) -> tuple[dict[str, Any], ...]:
        """The ranking, a mapping per arm."""
        return tuple({str(k): v for k, v in row.items()} for row in self.ranking.to_dict("records"))

    def place(self, arm: str) -> str:
        """Return an arm's number in the ranking; empty where it is not ours to choose."""
        return "" if arm in self.study.theirs else str(self.rank(arm)["rank"])

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
        return self.study.shown(kpi, size, change=True)

    def least(self, kpi: str) -> str:
        """Return the smallest difference worth having with its unit; empty where none is set."""
        worth = self.worth.get(kpi, 0.0)
        if not worth:
            return ""
        look = self.study.shown(kpi, worth, change=True)
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
    read = analysis.cube_of(study.scorecard, list(study.arms), "reading")
    worth = _worth(study, cube)
    table = analysis.differences(cube, study.baseline, study.headline, worth)
    ranked = ranking.ranking(
        cube,
        study.baseline,
        study.headline,
        _costs(study),
        worth,
        table,
        study.theirs,
    )
    order = tuple(arm for arm in ranked["arm"] if arm != study.baseline)
    first = next((arm for arm in order if arm not in study.theirs), study.baseline)
    at_horizon = study.influence[study.influence["quarter"] == cube.quarters]
    influence = analysis.summarize(at_horizon, ["arm", "flow", "kind", "measure"])
    present = set(influence["arm"])
    board = study.board

    def rows_of(values: analysis.Cube) -> tuple[scorecard.Row, ...]:
        return scorecard.scorecard(
            values.arm(first),
            values.arm(study.baseline),
            board.targets,
            board.tolerance,
            reference=cube.arm(study.baseline),
            indicators=board.indicators,
        )

    read_rows = rows_of(read)
    return Findings(
        study=study,
        cube=cube,
        worth=worth,
        ranking=ranked,
        differences=table,
        ahead=ranking.over_time(cube, study.baseline, study.headline[0]),
        shown=first,
        rows=read_rows if board.lights == scorecard.READING else rows_of(cube),
        read_rows=read_rows,
        sensed=_sensed(cube.arm(first), read.arm(first)),
        cast=_cast(study, order),
        influence=influence,
        traced=tuple(a for a in dict.fromkeys((study.baseline, first)) if a in present),
        parts=_parts(study, cube, first),
    )


def _cast(study: StudyResults, order: tuple[str, ...]) -> figures.Cast:
    return figures.Cast(
        order=order,
        labels={
            arm: f"{label} ({study.theirs[arm]} pays)" if arm in study.theirs else label
            for arm, label in study.arms.items()
        },
        colors=figures.arm_colors(list(study.arms), study.baseline),
        baseline=study.baseline,
        currency=study.currency,
        names={kpi.key: kpi.label for kpi in study.board.indicators},
        units={kpi.key: kpi.unit for kpi in study.board.indicators},
    )


def _sensed(truth: np.ndarray, read: np.ndarray) -> np.ndarray:
    """Return whether most replications read anything of each flow, bool (quarters, 6).

    Parameters
    ----------
    truth, read : float arrays (replication, quarter 0..Q, indicator)
    """
    by = np.array([kpi.sensed_by for kpi in kpis.TABLE])
    seen = ~np.isnan(read[:, 1:]) & ~np.isnan(truth[:, 1:])
    return np.stack(
        [seen[:, :, by == flow].any(axis=2).mean(axis=0) >= 0.5 for flow in range(1, 7)], axis=1
    )


def _worth(study: StudyResults, cube: analysis.Cube) -> dict[str, float]:
    """Return the smallest difference worth having, of the headline indicators with a target."""
    found = {}
    for target in study.board.targets:
        if target.kpi in study.headline:
            ends = cube.of(study.baseline, target.kpi)[:, -1:]
            value = float(scorecard.mean(ends)[0])
            found[target.kpi] = 0.0 if math.isnan(value) else target.worth_having(value)
    return found


def _costs(study: StudyResults) -> dict[str, tuple[float, float]]:
    """Return planned and mean realised present cost per arm, beyond the baseline's.

    What competitors realise of theirs is not known (NaN).
    """
    runs, baseline = study.runs, study.baseline
    arms = runs[(runs["muted_flow"] == 0) & (runs["status"] == "finished")]
    means = arms.groupby("arm")[["planned_cost", "realised_cost"]].mean()
    # What a run realises includes today's programmes, which the baseline funds as well.
    if baseline in means.index:
        means = means - means.loc[baseline]
    means.loc[means.index.isin(study.theirs), "realised_cost"] = np.nan
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
        if row.status == scorecard.NO_DATA:
            words[objective.key] = why_grey(findings.study, row)
            continue
        look = level(findings.study, row)
        unit = {"%": " %", "points": " points", "weeks": " weeks"}.get(look.unit.split(" ")[0], "")
        if row.kpi.unit.startswith("currency"):
            unit = f" {look.unit.split(' per ')[0]}"
        words[objective.key] = f"{look.text(row.actual)}{unit} {notation.ARROWS[row.trend]}".strip()
    return status, words


def course(findings: Findings) -> dict[str, list[str]]:
    """Return the light of each objective of the strategy map, quarter by quarter."""
    objectives = findings.study.strategy_map.objectives
    by_kpi: dict[str, list[str]] = {}
    for row in sorted(findings.rows, key=lambda row: row.quarter):
        if row.quarter:
            by_kpi.setdefault(row.kpi.key, []).append(row.status)
    return {one.key: by_kpi.get(one.kpi, []) for one in objectives}


def why_grey(study: StudyResults, row: scorecard.Row) -> str:
    """Return why an indicator has no data."""
    if not has_audience(study, row):
        return "nobody of that kind here"
    if study.board.lights == scorecard.READING and row.kpi.sensed_by != kpis.BOOKS:
        return f"flow {row.kpi.sensed_by} is not sensed"
    return "no data"


def has_audience(study: StudyResults, row: scorecard.Row) -> bool:
    """Return whether there is anybody here whom an indicator is about."""
    return not row.kpi.audience or any(word in study.audiences for word in row.kpi.audience)


def money_by_flow(study: StudyResults, arm: str) -> np.ndarray:
    """Return an arm's mean money per quarter on the mechanisms of each flow, float (quarters, 6).

    A mechanism that acts on several flows counts fully for each.
    """
    spent = money_by_item(study, arm)
    found = np.zeros((study.quarters, 6))
    for process in study.processes:
        for flow in process.flows:
            found[:, flow - 1] += spent.get(process.key, 0.0)
    return found


def money_by_item(study: StudyResults, arm: str) -> dict[str, np.ndarray]:
    """Return an arm's mean money per quarter on each item, float (quarters,) each."""
    rows = study.spending[study.spending["arm"] == arm]
    table = rows.groupby(["item", "quarter"])["value"].mean().unstack("quarter", fill_value=0.0)
    table = table.reindex(columns=range(1, study.quarters + 1), fill_value=0.0)
    return {
        str(item): np.asarray(path, float)
        for item, path in zip(table.index, table.to_numpy(), strict=True)
    }


def level(study: StudyResults, row: scorecard.Row) -> notation.Shown:
    """Return how the levels of a scorecard's line are shown."""
    seen = [abs(v) for v in (row.actual, row.baseline, row.target) if math.isfinite(v)]
    return study.shown(row.kpi.key, max(seen, default=0.0))


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
