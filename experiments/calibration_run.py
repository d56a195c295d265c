"""Lives the runs of a calibration: all points' arms side by side on the same luck.

A unit of work is one replication of one market. Every point (a set of coefficients) brings the arms
that the measures read; they are lanes of few passes, as `Arm.physics` may differ between lanes.
Results are put in the order of replications, so that they do not depend on the number of processes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from experiments.calibration import MARKETS, Calibration
from experiments.calibration_measures import (
    AS_IS,
    MEASURES,
    PUSHES,
    SILENT,
    YEAR,
    Lived,
)
from experiments.workers import Workers
from sim import levers
from sim.arms import check_arms
from sim.engine import MOST_LANES, Run
from sim.flows import Flow, muted, open_gates
from sim.kpis import MEASURES as MEANS
from sim.plans import Arm, Plan
from sim.population import build_world
from sim.scenario import Scenario
from sim.state import ADDS, LOSSES, NEGATIVE, POSITIVE

QUARTERS = 2 * YEAR  # a calibration lives two years
IMPRESSIONS = levers.INDEX["impressions"]
ABOUT_US = Flow.PEERS_ABOUT_US
Point = Mapping[str, float]


class Progress(Protocol):
    """What whoever watches is told."""

    def start(self, total: int, done: int) -> None:
        """`total` runs are planned by now."""

    def advance(self, runs: int, seconds: float) -> None:
        """So many more runs are finished, which kept one process busy for so long."""


@dataclass
class Bench:
    """Measures points in markets, by the processes it is given.

    Attributes
    ----------
    scenarios : mapping
        Market by name, see `calibration.MARKETS`.
    """

    calibration: Calibration
    scenarios: Mapping[str, Scenario]
    workers: Workers
    progress: Progress
    planned: int = 0

    def measure(
        self, points: Sequence[Point], replications: Sequence[int], names: Sequence[str]
    ) -> np.ndarray:
        """Return every measure of every point, float64 (points, replications, names).

        Raises
        ------
        ValueError
            If a measure is not defined in one of the replications.
        """
        markets = [m for m in MARKETS if any(MEASURES[name].market == m for name in names)]
        calls = [
            (self.calibration, self.scenarios[m], tuple(points),
             tuple(name for name in names if MEASURES[name].market == m), replication)
            for replication in replications
            for m in markets
        ]  # fmt: skip
        n_runs = [len(points) * len(arms_read(call[3])) for call in calls]
        self.planned += sum(n_runs)
        self.progress.start(self.planned, 0)
        found = np.full((len(points), len(replications), len(names)), np.nan)
        rows = {replication: row for row, replication in enumerate(replications)}
        for replication, those, values, seconds in self.workers.each(measured, calls):
            columns = [names.index(name) for name in those]
            found[:, rows[replication], columns] = values
            self.progress.advance(len(points) * len(arms_read(those)), seconds)
        self._check(found, replications, names)
        return found

    def _check(self, found: np.ndarray, replications: Sequence[int], names: Sequence[str]) -> None:
        bad = np.argwhere(~np.isfinite(found))
        if len(bad):
            _, row, column = bad[0]
            raise ValueError(
                f"calibration.targets.{names[column]}: the measure has no value in replication "
                f"{replications[row]}: the market is too small, or too little happens in it"
            )


def arms_read(names: Sequence[str]) -> tuple[str, ...]:
    """Return the arms that some measures read, as is first."""
    needed = {arm for name in names for arm in MEASURES[name].arms}
    return tuple(key for key in (AS_IS, *PUSHES, SILENT) if key in needed)


def measured(
    calibration: Calibration,
    scenario: Scenario,
    points: Sequence[Point],
    names: Sequence[str],
    replication: int,
) -> tuple[int, tuple[str, ...], np.ndarray, float]:
    """Return replication, names, measures float64 (points, names) and the seconds it took."""
    begun = time.monotonic()
    keys = arms_read(names)
    arms = [
        _arm(scenario, calibration, key, number, point)
        for number, point in enumerate(points)
        for key in keys
    ]
    lived = live(scenario, arms, calibration.seed, replication)
    found = np.empty((len(points), len(names)))
    for number in range(len(points)):
        own = dict(zip(keys, lived[number * len(keys) : (number + 1) * len(keys)], strict=True))
        found[number] = [MEASURES[name].of(own) for name in names]
    return replication, tuple(names), found, time.monotonic() - begun


def _arm(scenario: Scenario, calibration: Calibration, key: str, number: int, point: Point) -> Arm:
    """Return one arm of one point: nothing beyond today is funded."""
    gates = open_gates(len(scenario.firms))
    return Arm(
        key=f"{key}_{number}",
        label=key,
        plan=Plan.nothing(len(scenario.mechanisms), scenario.quarters),
        gates=gates * muted(ABOUT_US, len(scenario.firms)) if key == SILENT else gates,
        physics=point,
        nudges=(calibration.pushes[key],) if key in PUSHES else (),
    )


def live(scenario: Scenario, arms: Sequence[Arm], seed: int, replication: int) -> list[Lived]:
    """Run arms on the luck of one replication and return what each of them did."""
    world = build_world(scenario, seed, replication)
    found = []
    for i in range(0, len(arms), MOST_LANES):
        part = arms[i : i + MOST_LANES]
        watch = _Watch(np.array([kind.customer for kind in scenario.stakeholders]))
        run = Run(scenario, part, seed, replication, world, observer=watch)
        try:
            for _ in range(scenario.quarters):
                run.advance_quarter()
        finally:
            run.stop()
        found += [watch.lived(lane) for lane in range(len(part))]
    return found


def longest(
    calibration: Calibration,
    scenarios: Mapping[str, Scenario],
    workers: Workers,
    favoured: int,
) -> float:
    """Return for how many seconds a calibration may run that uses all its rounds.

    Reckoned from one pass over the first market, which every process lives at once; `favoured`
    points are judged beside start and fit.
    """
    names = [target.key for target in calibration.fitted]
    first = MEASURES[names[0]].market
    calls = [(calibration, scenarios[first], replication) for replication in range(workers.jobs)]
    each = float(np.mean(list(workers.each(_pass_seconds, calls))))

    def passes(points: int, market: str, keys: Sequence[str]) -> int:
        read = arms_read([key for key in keys if MEASURES[key].market == market])
        return -(-points * len(read) // MOST_LANES)

    every = [target.key for target in calibration.targets]
    per_round = sum(
        passes(1, m, names) + passes(2 * len(calibration.parameters), m, names) for m in MARKETS
    )
    judging = sum(passes(2, m, every) + passes(favoured, m, every) for m in MARKETS)
    fitting = calibration.rounds * calibration.replications * per_round
    return each * (fitting + calibration.fresh * judging) / workers.jobs


def _pass_seconds(calibration: Calibration, scenario: Scenario, replication: int) -> float:
    """Return how long a pass over as many arms as fit into one takes, kernels being loaded."""
    arms = [_arm(scenario, calibration, AS_IS, number, {}) for number in range(MOST_LANES)]
    kinds = tuple(replace(kind, count=min(kind.count, 20)) for kind in scenario.stakeholders)
    tiny = replace(scenario, people=None, stakeholders=kinds)
    live(tiny, arms, calibration.seed, replication)
    begun = time.monotonic()
    live(scenario, arms, calibration.seed, replication)
    return time.monotonic() - begun


class _Watch:
    """Takes note of every firm at every quarter's close, (firms, lanes) each."""

    def __init__(self, customer: np.ndarray) -> None:
        self.customer = customer
        self.rows: dict[str, list[np.ndarray]] = {name: [] for name in Lived.__dataclass_fields__}

    def after_week(self, run: Run) -> None:
        """Do nothing."""

    def after_close(self, run: Run) -> None:
        """Note the quarter."""
        if not run.quarter:
            return
        customer, people = self.customer, run.facts.type_counts
        counts = run.counts[:, :, customer].sum(axis=2)
        tied = run.firms.tied[:, customer].sum(axis=1)
        # Means of (types, firms, lanes); satisfaction is that of a type's tied.
        satisfaction = run.rows[1][-1][MEANS.index("satisfaction")][customer]
        weight = run.firms.tied[:, customer].transpose(1, 0, 2)
        total = np.where(weight > 0, satisfaction * weight, 0.0).sum(axis=0)
        messages = run.firms.lever[IMPRESSIONS][:, customer]
        share = people[customer] / max(1, people[customer].sum())
        noted = {
            "adds": counts[ADDS],
            "losses": counts[LOSSES],
            "start": run.start.tied[:, customer].sum(axis=1),
            "tied": tied,
            "praise": counts[POSITIVE],
            "criticism": counts[NEGATIVE],
            "impressions": (messages * share[None, :, None]).sum(axis=1),
            "engagement": run.firms.engagement,
            "satisfaction": total / np.maximum(tied, 1),
        }
        for name, values in noted.items():
            self.rows[name].append(np.array(values, np.float64))

    def lived(self, lane: int) -> Lived:
        """Return what one arm did."""
        return Lived(**{name: np.stack(rows)[..., lane] for name, rows in self.rows.items()})


def check_markets(scenarios: Mapping[str, Scenario], calibration: Calibration) -> None:
    """Check that every market can be measured.

    Raises
    ------
    ValueError
        Naming the market and what is wrong with it.
    """
    first = next(iter(scenarios.values())).physics
    for name, scenario in scenarios.items():
        where = f"calibration.markets.{name}"
        if scenario.quarters != QUARTERS:
            raise ValueError(
                f"{where}: quarters={scenario.quarters}: the measures are those of two years, so "
                f"it must be {QUARTERS}"
            )
        if scenario.physics != first:
            raise ValueError(f"{where}: its physics must be that of the other market")
        if len(scenario.firms) < 2:
            raise ValueError(f"{where}: the measures compare firms, so there must be two at least")
        if not any(kind.customer for kind in scenario.stakeholders):
            raise ValueError(f"{where}: there are no customers")
        check_arms([_arm(scenario, calibration, key, 0, {}) for key in PUSHES], scenario)
