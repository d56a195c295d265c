"""Conducts a study of the strategy map's links: tries them, and writes tables, map and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import store
from experiments.conduct import Question, mark_finished, provenance_of
from experiments.journal import Runs
from experiments.links import Trial
from experiments.workers import Workers

if TYPE_CHECKING:
    from experiments.report_links import LinkResults


@dataclass(frozen=True)
class MapOutcome:
    """What came of it: results, how many runs finished and failed, the first failure's last line.

    There are no results where no replication finished.
    """

    results: LinkResults | None
    counts: Mapping[str, int]
    failure: str = ""


@dataclass(frozen=True)
class MapFinish:
    """Writes what a study of links leaves in its folder."""

    trials: Sequence[Trial]

    def __call__(
        self,
        question: Question,
        folder: Path,
        manifest: dict[str, Any],
        runs: Runs,
        workers: Workers,
    ) -> MapOutcome:
        """Write tables, map, page and manifest; `workers` has nothing to do here."""
        from experiments.link_strength import links_table, values_of
        from experiments.report_links import LinkResults, write_report

        study, scenario = question.study, question.scenario
        values = values_of(runs, study.replications)
        links, quarters = links_table(self.trials, values, study.baseline)
        tables = {
            "links": links,
            "link_quarters": quarters,
            "dictionary": store.dictionary(scenario.currency, store.LINK_COLUMNS),
        }
        for name, table in tables.items():
            store.write_table(folder, name, table)
        mark_finished(manifest, runs)
        store.write_manifest(folder, manifest)
        counts = runs.counts()
        errors = [error for unit in runs.results for error in unit.errors if error]
        failure = errors[0].strip().splitlines()[-1] if errors else ""
        if not counts["finished"]:
            return MapOutcome(None, counts, failure)
        results = LinkResults(
            question=study.question,
            scenario=scenario.label,
            brief=scenario.brief,
            portfolio=study.portfolios[0].label,
            quarters=scenario.quarters,
            replications=study.replications,
            strategy_map=question.strategy_map,
            trials=self.trials,
            names={kpi.key: kpi.label for kpi in question.board.indicators},
            links=links,
            link_quarters=quarters,
            provenance=provenance_of(manifest, study),
            changed=question.changed,
        )
        write_report(results, folder)
        return MapOutcome(results, counts, failure)
