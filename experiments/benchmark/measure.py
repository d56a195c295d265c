"""What is measured: processor time of interleaved samples, memory, the machine's copy bandwidth."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from experiments.benchmark.luck import addressed, fresh
from experiments.benchmark.market import arms, market
from experiments.benchmark.numpy_scipy import NumpyRun
from experiments.benchmark.plain_mesa import MesaRun
from sim.engine import MOST_LANES, Run
from sim.fields import WEEKS_PER_QUARTER
from sim.population import build_world
from sim.scenario import Scenario
from sim.state import World

SEED = 1
PASS = MOST_LANES
MESA_MOST = 100_000  # stakeholders; a million objects take minutes and gigabytes to make
STATE_MOST = 2e9  # bytes of state kept at once
BYTES_PER_ARM = 94  # of state and messages of a stakeholder among three firms
FEW = 3  # samples where each takes long
COPIED = 2**28  # bytes
WHOLE, COLUMNS, MESA = "numpy + scipy.sparse", "the same, speakers' ties alone", "plain Mesa"


@dataclass(frozen=True)
class Case:
    """Something to time: `work` after `prepare`, which is not timed.

    Attributes
    ----------
    units : float
        Stakeholder-weeks of one run in a piece of work.
    """

    prepare: Callable[[], None]
    work: Callable[[], None]
    units: float


def engine_name(n_arms: int) -> str:
    """Return the name of the engine's row with that many arms."""
    return f"engine, {n_arms} arm{'s' if n_arms > 1 else ''}"


def costs(size: int, n_arms: list[int], samples: int, references: bool) -> dict[str, float]:
    """Return CPU nanoseconds per stakeholder-week of one run, by name; medians."""
    samples = min(samples, FEW) if size > MESA_MOST else samples
    scenario = market(size, samples + 2)
    world = build_world(scenario, SEED, 0)
    cases = {engine_name(n): engine_case(scenario, world, n) for n in n_arms}
    if references:
        cases |= reference_cases(scenario, world)
    return medians(cases, samples)


def engine_case(scenario: Scenario, world: World, n_arms: int) -> Case:
    """Return the case of a quarter of some arms, 16 to a pass, pass after pass."""
    # More than is well kept at once: one pass then stands for all, which are alike.
    shared = n_arms * world.n_stakeholders * BYTES_PER_ARM > STATE_MOST
    passes = range(0, n_arms, PASS)
    if shared:
        scenario = replace(scenario, quarters=scenario.quarters * len(passes))
    given = arms(scenario, n_arms)
    starts = [0] if shared else passes
    runs = [Run(scenario, given[i : i + PASS], SEED, 0, world) for i in starts]
    if shared:
        runs *= len(passes)

    def quarter() -> None:
        for run in runs:
            run.advance_quarter()

    quarter()
    return Case(nothing, quarter, WEEKS_PER_QUARTER * world.n_stakeholders * n_arms)


def reference_cases(scenario: Scenario, world: World) -> dict[str, Case]:
    """Return the cases of the references, a week each, from where the engine's first quarter ends.

    Plain Mesa's draws are made before its time is taken; numpy makes its own.
    """

    def run() -> Run:
        found = Run(scenario, arms(scenario, 1), SEED, 0, world)
        found.advance_quarter()
        return found

    cases = {}
    for name, whole in ((WHOLE, True), (COLUMNS, False)):
        start = run()
        cases[name] = week_of(NumpyRun(start, fresh(start), whole))
    if world.n_stakeholders <= MESA_MOST:
        start = run()
        plain = MesaRun(start, addressed(start))
        cases[MESA] = week_of(plain, lambda: plain.market.draw(plain.week + 1))
    return cases


def week_of(run: Run, prepare: Callable[[], None] | None = None) -> Case:
    """Return the case of one week of a run with one arm."""
    return Case(prepare or nothing, lambda: run.advance_week(False), run.world.n_stakeholders)


def nothing() -> None:
    """Prepare nothing."""


def medians(cases: Mapping[str, Case], samples: int) -> dict[str, float]:
    """Return the median nanoseconds per unit of each case, samples of all cases interleaved."""
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(samples):
        for name, case in cases.items():
            case.prepare()
            start = time.process_time_ns()
            case.work()
            taken[name].append((time.process_time_ns() - start) / case.units)
    return {name: statistics.median(values) for name, values in taken.items()}


def copy_bandwidth(samples: int = 7) -> float:
    """Return the bytes per CPU second that one core copies, reads and writes both counted."""
    source, target = np.ones(COPIED // 8), np.zeros(COPIED // 8)
    case = Case(nothing, lambda: np.copyto(target, source), 2.0 * COPIED)
    return 1e9 / medians({"copy": case}, samples)["copy"]


def memory(size: int) -> dict[str, float]:
    """Return bytes per stakeholder by what they are for; of the state per arm in a full pass."""
    scenario = market(size, 1)
    world = build_world(scenario, SEED, 0)
    run = Run(scenario, arms(scenario, PASS), SEED, 0, world)
    ties = ("indptr", "indices", "contact", "evidence", "contact_scale", "evidence_scale", "layer")
    by_tie = [getattr(world, name) for name in ties]
    facts = [
        array
        for array in (*vars(world).values(), *vars(run.facts).values())
        if isinstance(array, np.ndarray) and not any(array is tie for tie in by_tie)
    ]
    messages = [run.state.message, run.state.spoken, run.state.complaint]
    n = world.n_stakeholders
    return {
        "state per arm": (run.state.people.nbytes + run.state.marks.nbytes) / PASS / n,
        "messages per arm": bytes_of(messages) / PASS / n,
        "ties": bytes_of(by_tie) / n,
        "facts": bytes_of(facts) / n,
        "ties of a stakeholder": len(world.indices) / n,
    }


def bytes_of(arrays: list[np.ndarray]) -> int:
    """Return the bytes of arrays, those that share memory counted once."""
    starts = {array.__array_interface__["data"][0]: array.nbytes for array in arrays}
    return sum(starts.values())


def peak_of(size: int) -> dict[str, float]:
    """Run one arm for a quarter in a process of its own; return seconds and peak bytes."""
    command = [sys.executable, "-m", "experiments.benchmark", "--peak", str(size)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(said.stdout)
    return found


def peak_here(size: int) -> dict[str, float]:
    """Run one arm for a quarter in this process; return seconds and peak bytes."""
    scenario = market(size, 1)
    start = time.process_time()
    world = build_world(scenario, SEED, 0)
    built = time.process_time()
    run = Run(scenario, arms(scenario, 1), SEED, 0, world)
    run.advance_quarter()
    return {
        "world": built - start,
        "quarter": time.process_time() - built,
        "peak": peak_so_far(),
    }


def peak_so_far() -> float:
    """Return the most bytes that this process held."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Not getrusage: on Linux it begins with what the process that started this one held.
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return float(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
