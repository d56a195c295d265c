"""Conducts a study from settings to report, in a folder that says where every number came from."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from experiments import designs, provenance, store
from experiments.designs import Study
from experiments.journal import Runs
from experiments.provenance import Identity
from experiments.runner import Progress, Unit, block_sizes, run_study, run_unit, twins_planned
from sim.scenario import Arm, Plan, Scenario

if TYPE_CHECKING:
    import pandas as pd

    from experiments.report import StudyResults

ROW_BYTES = 60
REPORT_BYTES = 4_000_000
START_SECONDS = 6.0


@dataclass(frozen=True)
class Question:
    """Everything a study needs to be conducted.

    Attributes
    ----------
    scenario, study
        The market and what is asked of it.
    resolved : mapping
        Every setting as plain data, kept beside the results.
    targets, strategy_map
        What the scorecard aims at and how objectives hang together (see `sim.scorecard`).
    command : str
        The command line that asks it.
    """

    scenario: Scenario
    study: Study
    resolved: Mapping[str, Any]
    targets: Any
    strategy_map: Any
    command: str

    def identity(self) -> Identity:
        """Return what decides every bit of the results."""
        arms = designs.arms(self.study, self.scenario)
        return provenance.identity_of(self.resolved, self.study.seed, self.scenario, arms)


class Watcher(Progress, Protocol):
    """Progress, and words in between."""

    def say(self, text: str) -> None:
        """Tell the reader one thing."""


@dataclass(frozen=True)
class Outcome:
    """What came of a study: its results and how many runs finished and failed."""

    results: StudyResults
    counts: Mapping[str, int]


def conduct(question: Question, folder: Path, jobs: int, watcher: Watcher) -> Outcome:
    """Run the study, or what is missing of it, and write tables, figures, report and manifest.

    Raises
    ------
    StoreError
        If the folder holds anything else; nothing is changed then.
    """
    identity = question.identity()
    resumed = store.open_folder(folder, identity)
    manifest = _manifest(question, identity, store.read_manifest(folder) if resumed else {})
    store.write_settings(folder, question.resolved)
    store.write_manifest(folder, manifest)
    warm_up(question.scenario, question.study, watcher)
    runs = run_study(question.scenario, question.study, folder, jobs=jobs, progress=watcher)
    watcher.say("writing tables and report")
    return _finish(question, folder, manifest, runs)


def _finish(question: Question, folder: Path, manifest: dict[str, Any], runs: Runs) -> Outcome:
    from experiments.report import write_report
    from experiments.results import tables_of

    tables = tables_of(question.scenario, question.study, runs)
    for name, table in tables.items():
        store.write_table(folder, name, table)
    if manifest["runs"] != runs.counts() or manifest["finished"] is None:
        manifest |= {"finished": _now(), "runs": runs.counts()}
    results = study_results(question, tables, manifest)
    if (tables["runs"].query("twin_of == ''")["status"] == "finished").any():
        write_report(results, folder)
    store.write_manifest(folder, manifest)
    return Outcome(results, runs.counts())


def study_results(
    question: Question, tables: Mapping[str, pd.DataFrame], manifest: Mapping[str, Any]
) -> StudyResults:
    """Return what the report reads."""
    from experiments.report import StudyResults

    scenario, study = question.scenario, question.study
    commit, dirty = manifest["git"]["commit"], manifest["git"]["dirty"]
    state = "with local changes" if dirty else "clean"
    return StudyResults(
        title=study.label,
        scenario=scenario.label,
        brief=scenario.brief,
        currency=scenario.currency,
        arms={portfolio.key: portfolio.label for portfolio in study.portfolios},
        baseline=study.baseline,
        headline=study.headline,
        quarters=scenario.quarters,
        kinds={kind.key: kind.label for kind in scenario.stakeholders},
        runs=tables["runs"],
        scorecard=tables["scorecard"],
        influence=tables["influence"],
        spending=tables["spending"],
        targets=question.targets,
        strategy_map=question.strategy_map,
        provenance={
            "command": manifest["command"],
            "seed": study.seed,
            "replications": study.replications,
            "git_commit": f"{commit[:12]} ({state})" if commit else "not from a checkout",
            "created": manifest["finished"],
            "versions": {"python": manifest["python"], **manifest["packages"]},
        },
    )


def _manifest(question: Question, identity: Identity, before: Mapping[str, Any]) -> dict[str, Any]:
    study = question.study
    return {
        "command": question.command,
        "scenario": question.scenario.key,
        "experiment": study.key,
        "seed": study.seed,
        "replications": study.replications,
        **provenance.environment(),
        "hashes": identity.hashes(),
        "started": before.get("started", _now()),
        "resumed": [*before.get("resumed", []), *([_now()] if before else [])],
        "finished": before.get("finished"),
        "runs": before.get("runs", {}),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def warm_up(scenario: Scenario, study: Study, watcher: Watcher) -> None:
    """Compile the kernels once, here, so that no two worker processes compile the same thing."""
    from sim.engine import LANE_CHOICES, pad
    from sim.lanes import cache_folder

    if not any(cache_folder().rglob("*.nbi")):
        watcher.say("compiling the model, once on this machine: about half a minute")
    tiny, arms = shorten(scenario, designs.arms(study, scenario), quarters=1)
    kinds = tuple(replace(kind, count=min(kind.count, 20)) for kind in scenario.stakeholders)
    tiny = replace(tiny, people=None, stakeholders=kinds, warm_up=0)
    arms += [twin for _, twin in designs.twins(arms[0], len(scenario.firms))]
    blocks = [arms[: min(n, LANE_CHOICES[-1])] for n in block_sizes(study)]
    for block in {len(pad(block)): block for block in blocks}.values():
        run_unit(tiny, Unit(0, tuple(block)), study.seed, study.lanes)


def shorten(scenario: Scenario, arms: Sequence[Arm], quarters: int) -> tuple[Scenario, list[Arm]]:
    """Return the same scenario and arms with a shorter horizon."""
    cut = [
        replace(arm, plan=Plan(arm.plan.effort[:, :quarters], arm.plan.investment[:, :quarters]))
        for arm in arms
    ]
    return replace(scenario, quarters=quarters), cut


@dataclass(frozen=True)
class Forecast:
    """About what a study would take.

    Attributes
    ----------
    runs : int
        Arms and twins times replications.
    seconds, bytes : float
        Wall-clock time and space on disk.
    """

    runs: int
    seconds: float
    bytes: float


def forecast(question: Question, jobs: int, watcher: Watcher) -> Forecast:
    """Measure one short unit and say what the whole study would take; nothing is written."""
    scenario, study = question.scenario, question.study
    warm_up(scenario, study, watcher)
    arms = designs.arms(study, scenario)
    times = []
    for quarters in (1, 2):
        short, cut = shorten(scenario, arms, min(quarters, scenario.quarters))
        begun = time.monotonic()
        unit = run_unit(short, Unit(0, tuple(cut[: study.lanes])), study.seed, study.lanes)
        times.append(time.monotonic() - begun)
    per_quarter = max(times[1] - times[0], times[0] / 50)
    units = study.replications * len(block_sizes(study))
    each = max(times[0] - per_quarter, 0.0) + per_quarter * scenario.quarters
    cells = sum(np.size(getattr(unit, name)) for name in ("kpi", "measures", "spending"))
    per_run = cells / len(unit.arms) / short.quarters * scenario.quarters
    runs = (len(arms) + twins_planned(study)) * study.replications
    return Forecast(
        runs=runs,
        seconds=START_SECONDS + units * each / min(jobs, units),
        bytes=REPORT_BYTES + runs * per_run * (8 + ROW_BYTES / 2),
    )
