"""Short runs before the real ones: they load the kernels and tell how long a study would take."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from experiments import designs, inquiries
from experiments.designs import Study
from experiments.progress import in_words
from experiments.runner import Unit, block_sizes, run_unit, twins_planned
from experiments.workers import Workers
from sim import kpis
from sim.fields import CAPITALS
from sim.flows import ORGANIZATION
from sim.influenced import ENTRIES
from sim.plans import Arm, Plan
from sim.scenario import Scenario

COMPILING = "compiling the model, once on this machine: about a minute, more if it is busy"
REHEARSED = 1.5  # seconds that a forecast spends on running one block, at least one quarter of it
# What a study does beside its runs, on one core of a small server of 2026: start, then report.
START, REPORT, PER_ROW = 1.0, 1.2, 1e-6  # seconds; seconds; seconds per row of a table
REPORT_BYTES, ROW_BYTES, CELL_BYTES = 4e6, 56, 3  # figures and page; a row of csv; a cell stored
# Others use the machine too, and quarters differ: how far off a forecast may be.
BEST, WORST = 0.8, 1.4


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

    def in_words(self) -> str:
        """Return time and space in a sentence that says how sure they are."""
        usual, best, worst = (in_words(part * self.seconds) for part in (1.0, BEST, WORST))
        return (
            f"about {usual} if the machine is as busy as now (between {best} and {worst}; reckoned "
            f"from trial runs), and about {self.bytes / 1e6:,.0f} MB on disk"
        )


def load_kernels(
    scenario: Scenario, study: Study, workers: Workers, say: Callable[[str], None]
) -> Callable[[], None]:
    """Begin to load the kernels, and to compile them where no machine code is stored yet.

    One worker does it, so that no two compile the same; call what is returned to wait for it. If
    the worker dies of it, so will those that run the study, which takes note of that. `say` is told
    before anything is compiled, maybe from another thread.
    """

    def told(looked: Future[bool]) -> None:
        if looked.exception() is None and not looked.result():
            say(COMPILING)

    workers.submit(_are_compiled, _vectors(study)).add_done_callback(told)
    loading = workers.submit(_touch_kernels, scenario, study)

    def wait() -> None:
        with suppress(BrokenProcessPool):
            loading.result()

    return wait


def _vectors(study: Study) -> list[tuple[int, str]]:
    """Return on which vectors the study's kernels run: how many lanes, and over what."""
    from sim.engine import width_for
    from sim.memory import Arms, People
    from sim.state import BLOCK

    widths = {width_for(size) for size in block_sizes(study)}
    return sorted((BLOCK, People.__name__) if n == 1 else (n, Arms.__name__) for n in widths)


def _are_compiled(vectors: Sequence[tuple[int, str]]) -> bool:
    """Whether machine code is stored for vectors of these kinds, as Numba's index files tell."""
    from numba.core.dispatcher import Dispatcher

    from sim import kernels

    wanted = {(f"UniTuple(int64 x {width})", f"{over}(int64 x 1)") for width, over in vectors}
    found: list[Any] = [each for each in vars(kernels).values() if isinstance(each, Dispatcher)]
    for kernel in found:
        # Numba counts nothing as stored that was compiled of another source. The first arguments
        # of every kernel say on what vectors it runs, see sim.memory.
        index = kernel._cache._cache_file._load_index()
        if not wanted <= {(str(width), str(across)) for (width, across, *_), *_ in index}:
            return False
    return True


def _touch_kernels(scenario: Scenario, study: Study) -> None:
    """Run a quarter of a handful of stakeholders on every kind of vectors that the study has."""
    from sim.engine import width_for

    kinds = tuple(replace(kind, count=min(kind.count, 20)) for kind in scenario.stakeholders)
    tiny = replace(scenario, people=None, stakeholders=kinds, warm_up=0)
    tiny, arms = shorten(tiny, _everybody(scenario, study), quarters=1)
    blocks = [arms[:size] for size in block_sizes(study)]
    for block in {width_for(len(block)): block for block in blocks}.values():
        run_unit(tiny, Unit(0, tuple(block)), study.seed, study.lanes)


def _everybody(scenario: Scenario, study: Study) -> list[Arm]:
    """Return the portfolios, their twins, coalitions: at least as many arms as any block has."""
    arms, n_firms = designs.arms(study, scenario), len(scenario.firms)
    few = range(study.lanes if study.shapley else 0)
    return [
        *arms,
        *(twin for arm in arms for _, twin in designs.twins(arm, n_firms)),
        *(inquiries.coalition(arms[0], number, n_firms) for number in few),
    ]


def shorten(scenario: Scenario, arms: Sequence[Arm], quarters: int) -> tuple[Scenario, list[Arm]]:
    """Return the same scenario and arms with a shorter horizon."""
    cut = [
        replace(
            arm,
            plan=Plan(arm.plan.effort[:, :quarters], arm.plan.investment[:, :quarters]),
            design=arm.design if arm.design is not None and arm.design.start <= quarters else None,
            nudges=tuple(nudge for nudge in arm.nudges if nudge.quarter <= quarters),
        )
        for arm in arms
    ]
    return replace(scenario, quarters=quarters), cut


def forecast(
    scenario: Scenario, study: Study, workers: Workers, say: Callable[[str], None]
) -> Forecast:
    """Run each size of block for a moment, on all processes at once, and reckon from there.

    Nothing is written.
    """
    load_kernels(scenario, study, workers, say)()
    units = study.replications
    at_once = min(workers.jobs, units)
    busy = 0.0
    for size, n_blocks in Counter(block_sizes(study)).items():
        calls = [(scenario, study, size, replication) for replication in range(at_once)]
        each = float(np.mean(list(workers.each(_unit_seconds, calls))))
        busy += units * n_blocks * each
    compared = (study.n_arms + twins_planned(study)) * units
    runs = compared + inquiries.runs_planned(study) * units
    rows = _rows(scenario, study)
    cells = compared * (scenario.quarters + 1) * _cells(scenario)
    return Forecast(
        runs=runs,
        seconds=START + busy / at_once + REPORT + PER_ROW * rows,
        bytes=REPORT_BYTES + ROW_BYTES * rows + CELL_BYTES * cells,
    )


def _unit_seconds(scenario: Scenario, study: Study, size: int, replication: int) -> float:
    """Return how long a unit of so many arms takes, from as much of it as there is time for."""
    from sim.engine import Run
    from sim.population import build_world

    block = _everybody(scenario, study)[:size]
    _touch_kernels(scenario, study)  # this process may be new
    begun = time.perf_counter()
    world = build_world(scenario, study.seed, replication)
    run = Run(scenario, block, study.seed, replication, world)
    opened = now = time.perf_counter()
    lived = 0
    try:
        while lived < scenario.quarters and (not lived or now - begun < REHEARSED):
            run.advance_quarter()
            lived += 1
            now = time.perf_counter()
    finally:
        run.stop()
    return opened - begun + (now - opened) / lived * scenario.quarters


def _rows(scenario: Scenario, study: Study) -> int:
    """Return how many rows the study's large tables have."""
    quarters, kinds = scenario.quarters, len(scenario.stakeholders)
    per_run = (quarters + 1) * len(kpis.TABLE)
    per_run += quarters * (len(scenario.mechanisms) + len(CAPITALS))
    per_run += (quarters + 1) * len(scenario.firms[ORGANIZATION].departments)
    per_twin = quarters * (len(study.headline) + kinds * len(kpis.MEASURES))
    per_ledger = quarters * inquiries.TWINS * len(ENTRIES) * kinds
    return study.replications * (
        len(study.portfolios) * per_run
        + twins_planned(study) * per_twin
        + inquiries.arms_planned(study)[inquiries.LEDGER] * per_ledger
    )


def _cells(scenario: Scenario) -> int:
    """Return how many numbers are stored of one run and quarter."""
    measures = len(kpis.MEASURES) * len(scenario.stakeholders) * len(scenario.firms)
    return 2 * len(kpis.TABLE) + measures + len(scenario.mechanisms) + len(CAPITALS)
