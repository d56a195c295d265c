"""Runs a study in units of work on local processes, each journalled as it finishes; resumable.

A unit is one replication of a block of arms that share its world and its luck (one pass of the
engine). Pass 1 runs every portfolio; pass 2 runs the muted twins, of the baseline and of whichever
portfolio pass 1 ranked first. Results do not depend on the number of processes, on the order in
which units finish, nor on whether the study was interrupted: the journal is read in the order of
the plan. A unit that raises becomes failed rows; a process that dies takes no other unit with it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from experiments import designs
from experiments.designs import Study
from experiments.journal import Planned, Runs, UnitResult, read_unit, write_unit
from experiments.provenance import digest
from sim import kpis
from sim.flows import Flow
from sim.scenario import Arm, Scenario

ATTEMPTS = 3
DIED = (
    "The process that computed this run died {attempts} times (killed, or out of memory). "
    "Fewer --jobs need less memory."
)


@dataclass(frozen=True)
class Unit:
    """One replication of a block of arms, run in one pass."""

    replication: int
    arms: tuple[Arm, ...]

    @property
    def name(self) -> str:
        """File name in the journal, without ending."""
        return f"{self.replication:06d}-{digest([arm.key for arm in self.arms])}"


class Progress(Protocol):
    """What the runner tells whoever watches."""

    def start(self, total: int, done: int) -> None:
        """`total` runs are planned by now, `done` of them were found finished."""

    def advance(self, runs: int) -> None:
        """So many more runs are finished."""


def run_study(
    scenario: Scenario, study: Study, folder: Path, *, jobs: int, progress: Progress
) -> Runs:
    """Run whatever of the study the folder's journal does not hold yet, and return all of it.

    A KeyboardInterrupt passes through; what was finished by then is in the journal.
    """
    work = _Work(scenario, study, folder, jobs, progress)
    arms = [Planned(arm) for arm in designs.arms(study, scenario)]
    baseline = next(p.arm for p in arms if p.arm.key == study.baseline)
    twins = {p.arm.key: _twins(p.arm, scenario) for p in arms}

    if study.twins == "all":
        planned = [*arms, *(twin for group in twins.values() for twin in group)]
        return work.run(planned, later=0)
    if study.twins == "none":
        return work.run(arms, later=0)
    own = twins[baseline.key]
    free = _free_lanes(study)
    early, late = own[:free], own[free:]
    later = len(late) + (len(own) if len(arms) > 1 else 0)
    first = work.run([*arms, *early], later=later)
    best = first_ranked(study, first)
    if best is not None:
        late = [*late, *twins[best]]
    second = work.run(late, later=0)
    return Runs(first.planned + second.planned, first.results + second.results)


def first_ranked(study: Study, runs: Runs) -> str | None:
    """Return the portfolio with the highest mean paired difference on the first headline indicator.

    At the last quarter, over the replications that both it and the baseline finished; the better
    direction is the indicator's. None where no portfolio can be compared with the baseline.
    """
    row = kpis.INDEX[study.headline[0]]
    direction = kpis.TABLE[row].direction
    last = {
        at: float(unit.kpi[-1, row, place])
        for at, (unit, place) in runs.index().items()
        if not unit.errors[place]
    }
    means: dict[str, float] = {}
    for planned in runs.planned:
        key = planned.arm.key
        pairs = [
            last[key, r] - last[study.baseline, r]
            for r in range(study.replications)
            if (key, r) in last and (study.baseline, r) in last
        ]
        if not planned.flow and key != study.baseline and np.isfinite(pairs).any():
            means[key] = direction * float(np.nanmean(pairs))
    return max(means, key=lambda key: means[key]) if means else None


def twins_planned(study: Study) -> int:
    """Return how many muted twins the study runs in each replication."""
    arms = {"none": 0, "first": min(2, len(study.portfolios)), "all": len(study.portfolios)}
    return len(Flow) * arms[study.twins]


def block_sizes(study: Study) -> list[int]:
    """Return how many arms each unit of one replication has, both passes together."""
    n_arms, n_twins = len(study.portfolios), twins_planned(study)
    early = min(_free_lanes(study), len(Flow)) if study.twins == "first" else n_twins
    passes = (n_arms + early, n_twins - early)
    return [min(study.lanes, n - i) for n in passes for i in range(0, n, study.lanes)]


def _free_lanes(study: Study) -> int:
    """Lanes that the last block of portfolios leaves empty."""
    return -len(study.portfolios) % study.lanes


def units_of(arms: Sequence[Arm], study: Study) -> list[Unit]:
    """Return the units of some arms: every block in replication 0, then 1, and so on."""
    blocks = [tuple(arms[i : i + study.lanes]) for i in range(0, len(arms), study.lanes)]
    return [Unit(r, block) for r in range(study.replications) for block in blocks]


def run_unit(scenario: Scenario, unit: Unit, seed: int, lanes: int) -> UnitResult:
    """Simulate one unit; an arm that raises is marked failed and spoils no other."""
    from sim.engine import simulate

    try:
        history = simulate(scenario, unit.arms, seed, unit.replication, lanes=lanes, threads=1)
    except Exception:
        if len(unit.arms) == 1:
            return failed_unit(scenario, unit, traceback.format_exc())
        parts = [run_unit(scenario, replace(unit, arms=(arm,)), seed, lanes) for arm in unit.arms]
        return _joined(parts)
    return UnitResult(
        replication=unit.replication,
        arms=tuple(arm.key for arm in unit.arms),
        errors=("",) * len(unit.arms),
        kpi=history.kpi,
        measures=history.measures,
        spending=history.spending,
        value=history.value,
    )


def failed_unit(scenario: Scenario, unit: Unit, error: str) -> UnitResult:
    """Return the result of a unit of which nothing is known but why it failed."""
    n_arms, quarters = len(unit.arms), scenario.quarters
    kinds, firms = len(scenario.stakeholders), len(scenario.firms)
    items = len(scenario.mechanisms) + 3
    return UnitResult(
        replication=unit.replication,
        arms=tuple(arm.key for arm in unit.arms),
        errors=(error,) * n_arms,
        kpi=np.full((quarters + 1, len(kpis.TABLE), n_arms), np.nan),
        measures=np.full((quarters + 1, len(kpis.MEASURES), kinds, firms, n_arms), np.nan),
        spending=np.full((quarters, items, n_arms), np.nan),
        value=np.full((quarters, n_arms), np.nan),
    )


def _joined(parts: Sequence[UnitResult]) -> UnitResult:
    def along_arms(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts], axis=-1)

    return UnitResult(
        replication=parts[0].replication,
        arms=tuple(key for part in parts for key in part.arms),
        errors=tuple(error for part in parts for error in part.errors),
        kpi=along_arms("kpi"),
        measures=along_arms("measures"),
        spending=along_arms("spending"),
        value=along_arms("value"),
    )


def _twins(arm: Arm, scenario: Scenario) -> list[Planned]:
    pairs = designs.twins(arm, len(scenario.firms))
    return [Planned(twin, arm.key, int(flow)) for flow, twin in pairs]


@dataclass
class _Work:
    """The units of one study, on their way into its journal."""

    scenario: Scenario
    study: Study
    folder: Path
    jobs: int
    progress: Progress
    planned: int = 0

    def run(self, planned: Sequence[Planned], later: int) -> Runs:
        """Run what is missing of some arms; `later` more arms will follow."""
        units = units_of([p.arm for p in planned], self.study)
        missing = [unit for unit in units if not self._is_finished(unit)]
        n_missing = sum(len(unit.arms) for unit in missing)
        n_runs = sum(len(unit.arms) for unit in units)
        self.planned += n_runs
        self.progress.start(self.planned + later * self.study.replications, n_runs - n_missing)
        if missing:
            self._run_missing(missing)
        results = [read_unit(self.folder, unit.name) for unit in units]
        return Runs(tuple(planned), tuple(unit for unit in results if unit is not None))

    def _is_finished(self, unit: Unit) -> bool:
        stored = read_unit(self.folder, unit.name)
        return stored is not None and stored.finished

    def _run_missing(self, missing: list[Unit]) -> None:
        """Run units; those taken down by a dying process are tried again, in the end one by one."""
        from joblib.externals.loky.process_executor import BrokenProcessPool

        left = {unit.name: unit for unit in missing}
        for _ in range(ATTEMPTS - 1):
            try:
                for result in self._stream(list(left.values())):
                    self._keep(left, result)
            except BrokenProcessPool:
                continue
            return
        for unit in list(left.values()):
            try:
                results = list(self._stream([unit]))
            except BrokenProcessPool:
                results = [failed_unit(self.scenario, unit, DIED.format(attempts=ATTEMPTS))]
            self._keep(left, results[0])

    def _keep(self, left: dict[str, Unit], result: UnitResult) -> None:
        name = next(
            name
            for name, unit in left.items()
            if unit.replication == result.replication
            and tuple(arm.key for arm in unit.arms) == result.arms
        )
        write_unit(self.folder, name, result)
        del left[name]
        self.progress.advance(len(result.arms))

    def _stream(self, units: list[Unit]) -> Iterator[UnitResult]:
        """Yield results as they come: in this process for one job, else from worker processes."""
        seed, lanes = self.study.seed, self.study.lanes
        if self.jobs == 1:
            yield from (run_unit(self.scenario, unit, seed, lanes) for unit in units)
            return
        from joblib import Parallel, delayed, parallel_config

        with parallel_config(
            "loky", inner_max_num_threads=1, initializer=_settle_in, initargs=(os.getpid(),)
        ):
            results = Parallel(n_jobs=self.jobs, batch_size=1, return_as="generator_unordered")(
                delayed(run_unit)(self.scenario, unit, seed, lanes) for unit in units
            )
            try:
                yield from results
            finally:
                results.close()


def _settle_in(driver: int) -> None:
    """Prepare a worker process: Ctrl-C is for the driver alone, and who loses it ends as well."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == driver:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
