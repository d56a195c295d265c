"""Runs a study in units of work on local processes, each journalled as it finishes; resumable.

A unit is one replication of a block of arms that share its world and its luck (one pass of the
engine). Pass 1 runs every portfolio; pass 2 runs the muted twins, of the baseline and of whichever
portfolio pass 1 ranked first; then come closer looks at these two, if any are asked for. Results do
not depend on the number of processes, on the order in which units finish, nor on whether the study
was interrupted: the journal is read in the order of the plan. A unit that raises becomes failed
rows; a process that dies takes no other unit with it.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from experiments import designs, inquiries, worlds
from experiments.designs import Study
from experiments.gaps import without_dust
from experiments.inquiries import Inquiry, inquire, inquiries_of, unanswered
from experiments.journal import (
    ARRAYS,
    Answer,
    Planned,
    Runs,
    UnitResult,
    read_answer,
    read_unit,
    sweep,
    write_answer,
    write_unit,
)
from experiments.provenance import digest
from experiments.workers import WorkerDied, Workers
from sim import kpis
from sim.fields import CAPITALS
from sim.flows import ORGANIZATION, Flow
from sim.plans import Arm
from sim.scenario import Scenario
from sim.state import World
from sim.structure import INSIGHT

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

    @property
    def n_runs(self) -> int:
        """How many runs it takes."""
        return len(self.arms)


class Progress(Protocol):
    """What the runner tells whoever watches."""

    def start(self, total: int, done: int) -> None:
        """`total` runs are planned by now, `done` of them were found finished."""

    def advance(self, runs: int, seconds: float) -> None:
        """So many more runs are finished, which kept one process busy for so long."""


def run_study(
    scenario: Scenario, study: Study, folder: Path, *, workers: Workers, progress: Progress
) -> Runs:
    """Run whatever of the study the folder's journal does not hold yet, and return all of it.

    A KeyboardInterrupt passes through; what was finished by then is in the journal.
    """
    worlds.forget(folder)
    sweep(folder)
    ahead = inquiries.runs_planned(study) * study.replications
    work = _Work(scenario, study, folder, workers, progress, ahead=ahead)
    try:
        runs = _passes(scenario, study, work)
        return replace(runs, answers=work.inquire(_inquiries(scenario, study, runs)))
    finally:
        worlds.forget(folder)


def _inquiries(scenario: Scenario, study: Study, runs: Runs) -> list[Inquiry]:
    if not inquiries.runs_planned(study):
        return []
    return inquiries_of(study, designs.arms(study, scenario), first_ranked(study, runs))


def _passes(scenario: Scenario, study: Study, work: _Work | _Shelf) -> Runs:
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


def stored_runs(scenario: Scenario, study: Study, folder: Path) -> Runs | None:
    """Return all of the study's runs if the folder's journal holds every one, else None.

    A study that asks for closer looks (a ledger, shares of flows) takes the usual way.
    """
    if inquiries.runs_planned(study):
        return None
    try:
        return _passes(scenario, study, _Shelf(study, folder))
    except _NotStored:
        return None


def first_ranked(study: Study, runs: Runs) -> str | None:
    """Return the portfolio with the highest mean paired difference on the first headline indicator.

    At the last quarter, over the replications that both it and the baseline finished; the better
    direction is the indicator's. A competitor's portfolio is nothing to choose. None where no other
    can be compared with the baseline.
    """
    row = kpis.INDEX[study.headline[0]]
    direction = kpis.TABLE[row].direction
    last = {
        at: float(unit.kpi[-1, row, place])
        for at, (unit, place) in runs.index().items()
        if not unit.errors[place]
    }
    ours = {p.key for p in study.portfolios if p.is_ours or not p.spends} - {study.baseline}
    means: dict[str, float] = {}
    for planned in runs.planned:
        key = planned.arm.key
        both = [
            (last[key, r], last[study.baseline, r])
            for r in range(study.replications)
            if (key, r) in last and (study.baseline, r) in last
        ]
        pairs = without_dust(*np.reshape(both, (-1, 2)).T)
        if key in ours and not planned.flow and np.isfinite(pairs).any():
            means[key] = direction * float(np.nanmean(pairs))
    return max(means, key=lambda key: means[key]) if means else None


def twins_planned(study: Study) -> int:
    """Return how many muted twins the study runs in each replication."""
    arms = {"none": 0, "first": min(2, len(study.portfolios)), "all": len(study.portfolios)}
    return len(Flow) * arms[study.twins]


def block_sizes(study: Study) -> list[int]:
    """Return how many arms each unit of one replication has, all passes together."""
    sizes = [min(study.lanes, n - i) for n in _pass_sizes(study) for i in range(0, n, study.lanes)]
    return sizes + inquiries.block_sizes(study)


def units_at_once(study: Study) -> int:
    """Return how many units there are to run side by side, in the larger of the two passes."""
    return study.replications * -(-max(_pass_sizes(study)) // study.lanes)


def _pass_sizes(study: Study) -> tuple[int, int]:
    """Return how many arms the two passes run in each replication."""
    n_arms, n_twins = study.n_arms, twins_planned(study)
    early = min(_free_lanes(study), len(Flow)) if study.twins == "first" else n_twins
    return n_arms + early, n_twins - early


def _free_lanes(study: Study) -> int:
    """Lanes that the last block of portfolios leaves empty."""
    return -study.n_arms % study.lanes


def units_of(arms: Sequence[Arm], study: Study) -> list[Unit]:
    """Return the units of some arms: every block in replication 0, then 1, and so on."""
    blocks = [tuple(arms[i : i + study.lanes]) for i in range(0, len(arms), study.lanes)]
    return [Unit(r, block) for r in range(study.replications) for block in blocks]


def run_unit(
    scenario: Scenario, unit: Unit, seed: int, lanes: int, world: World | None = None
) -> UnitResult:
    """Simulate one unit; an arm that raises is marked failed and spoils no other."""
    from sim.engine import simulate

    try:
        history = simulate(
            scenario, unit.arms, seed, unit.replication, world=world, lanes=lanes, threads=1
        )
    except Exception:
        if len(unit.arms) == 1:
            return failed_unit(scenario, unit, traceback.format_exc())
        alone = [replace(unit, arms=(arm,)) for arm in unit.arms]
        return _joined([run_unit(scenario, single, seed, lanes, world) for single in alone])
    return UnitResult(
        replication=unit.replication,
        arms=tuple(arm.key for arm in unit.arms),
        errors=("",) * len(unit.arms),
        **{name: getattr(history, name) for name in ARRAYS},
    )


def journal_unit(
    folder: Path, scenario: Scenario, unit: Unit | Inquiry, study: Study, kept: int
) -> tuple[str, float]:
    """Run one unit and add it to the journal; return its name and the seconds it took.

    `kept` is how many worlds the study keeps, see `worlds.world_of`.
    """
    begun = time.monotonic()
    try:
        world = worlds.world_of(scenario, study.seed, unit.replication, folder, kept)
    except OSError:  # no room, or no permission: no run could be kept
        raise
    except Exception:
        _journal(folder, unit, _failed(scenario, unit, traceback.format_exc()))
    else:
        if isinstance(unit, Inquiry):
            _journal(folder, unit, inquire(scenario, unit, study, world))
        else:
            _journal(folder, unit, run_unit(scenario, unit, study.seed, study.lanes, world))
    return unit.name, time.monotonic() - begun


def _failed(scenario: Scenario, unit: Unit | Inquiry, error: str) -> UnitResult | Answer:
    if isinstance(unit, Inquiry):
        return unanswered(unit, error)
    return failed_unit(scenario, unit, error)


def _journal(folder: Path, unit: Unit | Inquiry, result: UnitResult | Answer) -> None:
    if isinstance(result, Answer):
        write_answer(folder, unit.name, result)
    else:
        write_unit(folder, unit.name, result)


def failed_unit(scenario: Scenario, unit: Unit, error: str) -> UnitResult:
    """Return the result of a unit of which nothing is known but why it failed."""
    n_arms, quarters = len(unit.arms), scenario.quarters
    kinds, firms = len(scenario.stakeholders), len(scenario.firms)
    items = len(scenario.mechanisms) + len(CAPITALS)
    entries = len(scenario.firms[ORGANIZATION].departments) + 1
    return UnitResult(
        replication=unit.replication,
        arms=tuple(arm.key for arm in unit.arms),
        errors=(error,) * n_arms,
        kpi=np.full((quarters + 1, len(kpis.TABLE), n_arms), np.nan),
        measures=np.full((quarters + 1, len(kpis.MEASURES), kinds, firms, n_arms), np.nan),
        spending=np.full((quarters, items, n_arms), np.nan),
        spending_worth=np.full((quarters, items, n_arms), np.nan),
        afforded=np.full((quarters, firms, n_arms), np.nan),
        reorganization=np.full((quarters, n_arms), np.nan),
        insight=np.full((quarters + 1, entries, len(INSIGHT), n_arms), np.nan),
        reading=np.full((quarters + 1, len(kpis.TABLE), n_arms), np.nan),
        managed=np.full((quarters, items, n_arms), np.nan),
        board_cut=np.full((quarters, n_arms), np.nan),
    )


def _joined(parts: Sequence[UnitResult]) -> UnitResult:
    def along_arms(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts], axis=-1)

    return UnitResult(
        replication=parts[0].replication,
        arms=tuple(key for part in parts for key in part.arms),
        errors=tuple(error for part in parts for error in part.errors),
        **{name: along_arms(name) for name in ARRAYS},
    )


def _twins(arm: Arm, scenario: Scenario) -> list[Planned]:
    pairs = designs.twins(arm, len(scenario.firms))
    return [Planned(twin, arm.key, int(flow)) for flow, twin in pairs]


class _NotStored(Exception):
    """A unit that is asked for is not in the journal, or has failed."""


@dataclass(frozen=True)
class _Shelf:
    """The units of a study that its journal holds; nothing is run."""

    study: Study
    folder: Path

    def run(self, planned: Sequence[Planned], later: int) -> Runs:
        """Return the stored runs of some arms."""
        found = []
        for unit in units_of([p.arm for p in planned], self.study):
            stored = read_unit(self.folder, unit.name)
            if stored is None or not stored.finished:
                raise _NotStored
            found.append(stored)
        return Runs(tuple(planned), tuple(found))


@dataclass
class _Work:
    """The units of one study, on their way into its journal."""

    scenario: Scenario
    study: Study
    folder: Path
    workers: Workers
    progress: Progress
    planned: int = 0
    ahead: int = 0

    def run(self, planned: Sequence[Planned], later: int) -> Runs:
        """Run what is missing of some arms; `later` more arms will follow."""
        units = units_of([p.arm for p in planned], self.study)
        missing = [unit for unit in units if not self._is_finished(unit)]
        n_missing = sum(unit.n_runs for unit in missing)
        n_runs = sum(unit.n_runs for unit in units)
        self.planned += n_runs
        total = self.planned + later * self.study.replications + self.ahead
        self.progress.start(total, n_runs - n_missing)
        if missing:
            self._run_missing(missing)
        results = [read_unit(self.folder, unit.name) for unit in units]
        return Runs(tuple(planned), tuple(unit for unit in results if unit is not None))

    def inquire(self, units: Sequence[Inquiry]) -> tuple[Answer, ...]:
        """Run what is missing of the inquiries, and return all answers."""
        missing = [unit for unit in units if not self._is_finished(unit)]
        n_runs = sum(unit.n_runs for unit in units)
        n_missing = sum(unit.n_runs for unit in missing)
        self.progress.start(self.planned + n_runs, n_runs - n_missing)
        if missing:
            self._run_missing(missing)
        answers = [read_answer(self.folder, unit.name) for unit in units]
        return tuple(answer for answer in answers if answer is not None)

    def _is_finished(self, unit: Unit | Inquiry) -> bool:
        read = read_answer if isinstance(unit, Inquiry) else read_unit
        stored = read(self.folder, unit.name)
        return stored is not None and stored.finished

    def _run_missing(self, missing: Sequence[Unit | Inquiry]) -> None:
        """Run units; those taken down by a dying process are tried again, in the end one by one."""
        left = {unit.name: unit for unit in missing}
        for _ in range(ATTEMPTS - 1):
            try:
                self._run_each(left, list(left.values()))
            except WorkerDied:
                continue
            return
        for unit in list(left.values()):
            try:
                self._run_each(left, [unit])
            except WorkerDied:
                died = _failed(self.scenario, unit, DIED.format(attempts=ATTEMPTS))
                _journal(self.folder, unit, died)
                self.progress.advance(unit.n_runs, 0.0)

    def _run_each(self, left: dict[str, Unit | Inquiry], units: Sequence[Unit | Inquiry]) -> None:
        """Run units and take those that are finished off the list of what is left."""
        kept = self.study.replications if len(block_sizes(self.study)) > 1 else 0
        calls = [(self.folder, self.scenario, unit, self.study, kept) for unit in units]
        for name, seconds in self.workers.each(journal_unit, calls):
            self.progress.advance(left.pop(name).n_runs, seconds)
