"""Conducts a study from settings to report, in a folder that says where every number came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from experiments import designs, provenance, store
from experiments.designs import Push, Study
from experiments.journal import Runs
from experiments.provenance import Identity
from experiments.rehearsal import load_kernels
from experiments.runner import Progress, run_study, stored_runs
from experiments.workers import Workers
from sim.arms import funder
from sim.flows import ORGANIZATION
from sim.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

    from experiments.report import StudyResults

Ended = TypeVar("Ended")


@dataclass(frozen=True)
class Question:
    """Everything a study needs to be conducted.

    Attributes
    ----------
    scenario, study
        The market and what is asked of it.
    resolved : mapping
        Every setting as plain data, kept beside the results.
    board, strategy_map
        What the scorecard aims at and how objectives hang together (see `sim.scorecard`).
    command : str
        The command line that asks it.
    changed : tuple of str
        Settings, as `key=value`, that make the market another one than the shipped.
    """

    scenario: Scenario
    study: Study
    resolved: Mapping[str, Any]
    board: Any
    strategy_map: Any
    command: str
    changed: tuple[str, ...] = ()

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
    """What came of a study: its results, how many runs ended how, every arm's scorecard."""

    results: StudyResults
    counts: Mapping[str, int]
    scorecard: pd.DataFrame


def conduct(
    question: Question,
    folder: Path,
    jobs: int,
    watcher: Watcher,
    write: Callable[[Question, Path, dict[str, Any], Runs, Workers], Ended],
) -> Ended:
    """Run the study, or what is missing of it, and write tables, figures, report and manifest.

    `write` does the writing and returns the outcome; `finish` does, for compared portfolios.

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
    with Workers(jobs) as workers:
        stored = stored_runs(question.scenario, question.study, folder) if resumed else None
        if stored is not None:
            watcher.say(f"all {sum(stored.counts().values()):,} runs were there already")
            watcher.say("writing tables and report")
            return write(question, folder, manifest, stored, workers)
        loaded = load_kernels(question.scenario, question.study, workers, watcher.say)
        # What the report needs is imported while a worker loads the kernels.
        import experiments.report
        import experiments.results  # noqa: F401

        loaded()
        runs = run_study(
            question.scenario, question.study, folder, workers=workers, progress=watcher
        )
        watcher.say("writing tables and report")
        return write(question, folder, manifest, runs, workers)


def finish(
    question: Question, folder: Path, manifest: dict[str, Any], runs: Runs, workers: Workers
) -> Outcome:
    """Write tables, figures, report and manifest of compared portfolios."""
    from experiments.report import write_report
    from experiments.results import tables_of

    tables = tables_of(question.scenario, question.study, runs, question.board.indicators)
    writing = {
        name: workers.submit(store.write_table, folder, name, table)
        for name, table in tables.items()
    }
    mark_finished(manifest, runs)
    results = study_results(question, tables, manifest)
    if (tables["runs"].query("twin_of == ''")["status"] == "finished").any():
        write_report(results, folder)
    for name, written in writing.items():
        try:
            written.result()
        except BrokenProcessPool:
            store.write_table(folder, name, tables[name])
    store.write_manifest(folder, manifest)
    return Outcome(results, runs.counts(), tables["scorecard"])


def mark_finished(manifest: dict[str, Any], runs: Runs) -> None:
    """Note in the manifest when its runs were finished, unless they were before."""
    if manifest["runs"] != runs.counts() or manifest["finished"] is None:
        manifest |= {"finished": _now(), "runs": runs.counts()}


def provenance_of(manifest: Mapping[str, Any], study: Study) -> dict[str, Any]:
    """Return what a page says about where its numbers come from."""
    commit, dirty = manifest["git"]["commit"], manifest["git"]["dirty"]
    state = "with local changes" if dirty else "clean"
    return {
        "command": manifest["command"],
        "seed": study.seed,
        "replications": study.replications,
        "git_commit": f"{commit[:12]} ({state})" if commit else "not from a checkout",
        "created": manifest["finished"],
        "versions": {"python": manifest["python"], **manifest["packages"]},
    }


def study_results(
    question: Question, tables: Mapping[str, pd.DataFrame], manifest: Mapping[str, Any]
) -> StudyResults:
    """Return what the report reads: the portfolios; of pushes it says only that they are there."""
    from experiments.report import StudyResults, departments_of, processes_of
    from experiments.results import NEW_DEPARTMENTS

    scenario, study = question.scenario, question.study
    tables = {name: _without(table, study.pushes) for name, table in tables.items()}
    return StudyResults(
        question=study.question,
        scenario=scenario.label,
        brief=scenario.brief,
        changed=question.changed,
        currency=scenario.currency,
        arms={portfolio.key: portfolio.label for portfolio in study.portfolios},
        baseline=study.baseline,
        headline=study.headline,
        quarters=scenario.quarters,
        kinds={kind.key: kind.label for kind in scenario.stakeholders},
        mechanisms={mechanism.key: mechanism.label for mechanism in scenario.mechanisms},
        departments=departments_of(
            {d.key: d.label for d in scenario.firms[ORGANIZATION].departments},
            question.resolved["owners"],
        ),
        audiences={
            word: tuple(kind.label for kind in scenario.stakeholders if kind.key in kinds)
            for word, kinds in scenario.audiences.items()
            if kinds
        },
        processes=processes_of(scenario),
        complementarity=scenario.physics.complementarity,
        runs=tables["runs"],
        scorecard=tables["scorecard"],
        influence=tables["influence"],
        spending=tables["spending"],
        insight=tables["insight"],
        designed={
            portfolio.key: design.label
            for portfolio in study.portfolios
            if (design := study.design_of(portfolio)) is not None
        },
        theirs={
            p.key: scenario.firms[funder(p.firm, scenario, p.key)].label
            for p in study.portfolios
            if p.spends and not p.is_ours
        },
        siblings=designs.siblings(study),
        entries={
            **{d.key: d.label for d in scenario.firms[ORGANIZATION].departments},
            NEW_DEPARTMENTS: "Departments that the design adds",
        },
        governance=tables["governance"],
        managed_alike=designs.managed_alike(study),
        governed={
            portfolio.key: rule.label
            for portfolio in study.portfolios
            if (rule := study.governance_of(portfolio)) is not None
        },
        ledger=tables["ledger"],
        shapley=tables["shapley"],
        interactions=tables["interactions"],
        thresholds=asdict(study.ledger_thresholds),
        board=question.board,
        strategy_map=question.strategy_map,
        provenance=provenance_of(manifest, study),
        notes=_about_pushes(study.pushes),
    )


def _without(table: pd.DataFrame, pushes: Sequence[Push]) -> pd.DataFrame:
    """Return the rows of a table that are about no arm that pushes."""
    if not pushes or "arm" not in table:
        return table
    return table[~table["arm"].isin([push.key for push in pushes])]


def _about_pushes(pushes: Sequence[Push]) -> tuple[str, ...]:
    if not pushes:
        return ()
    named = ", ".join(f"“{push.label}”" for push in pushes)
    return (
        f"Beside the portfolios, the baseline was pushed from outside ({named}). That costs "
        "nothing and cannot be bought, so that it is not ranked here; what came of it stands in "
        "the tables.",
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
