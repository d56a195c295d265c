"""The journal of a study: what each unit of work gave, on disk as soon as it is known.

One compressed .npz per unit, written whole or not at all, so that a study killed at any moment
continues with exactly the units that are missing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.store import JOURNAL, write_whole
from sim.scenario import Arm

ARRAYS = ("kpi", "measures", "spending", "spending_worth", "afforded", "reading")
LEFT_BEHIND = 60.0  # seconds; writing a unit takes a fraction of one


@dataclass(frozen=True)
class Planned:
    """An arm that the study runs: a portfolio (flow 0), or a portfolio's twin with a flow muted."""

    arm: Arm
    twin_of: str = ""
    flow: int = 0


@dataclass(frozen=True)
class UnitResult:
    """What one unit of work gave: one replication of some arms (arrays as in `History`, arms last).

    Attributes
    ----------
    replication : int
        Number of the random world.
    arms : tuple of str
        Keys of the arms, in the order of the arrays' last axis.
    errors : tuple of str
        Traceback of each arm that failed, '' for those that finished.
    kpi, measures, spending, spending_worth, afforded, reading : float arrays
        As in `sim.engine.History`; NaN for arms that failed.
    """

    replication: int
    arms: tuple[str, ...]
    errors: tuple[str, ...]
    kpi: np.ndarray
    measures: np.ndarray
    spending: np.ndarray
    spending_worth: np.ndarray
    afforded: np.ndarray
    reading: np.ndarray

    @property
    def finished(self) -> bool:
        """Whether no arm failed."""
        return not any(self.errors)


@dataclass(frozen=True)
class Runs:
    """Everything a study ran: the arms planned and the units' results, in the plan's order."""

    planned: tuple[Planned, ...]
    results: tuple[UnitResult, ...]

    def index(self) -> dict[tuple[str, int], tuple[UnitResult, int]]:
        """Return where each (arm, replication) is: its unit and its place on the arms' axis."""
        return {
            (key, unit.replication): (unit, place)
            for unit in self.results
            for place, key in enumerate(unit.arms)
        }

    def counts(self) -> dict[str, int]:
        """Return the number of runs by status."""
        errors = [error for unit in self.results for error in unit.errors]
        failed = sum(bool(error) for error in errors)
        return {"finished": len(errors) - failed, "failed": failed}


def write_unit(folder: Path, name: str, unit: UnitResult) -> None:
    """Add a unit's result to the journal."""

    def write(part: Path) -> None:
        with part.open("wb") as stream:
            np.savez_compressed(
                stream,
                replication=np.int64(unit.replication),
                arms=np.array(unit.arms, dtype=np.str_),
                errors=np.array(unit.errors, dtype=np.str_),
                **{name: getattr(unit, name) for name in ARRAYS},
            )

    write_whole(folder / JOURNAL / f"{name}.npz", write)


def sweep(folder: Path) -> None:
    """Remove what writes that were killed have left in the journal."""
    for part in (folder / JOURNAL).glob(".*.part"):
        if time.time() - part.stat().st_mtime > LEFT_BEHIND:
            part.unlink(missing_ok=True)


def read_unit(folder: Path, name: str) -> UnitResult | None:
    """Return a unit's result from the journal, or None if it has not been computed."""
    path = folder / JOURNAL / f"{name}.npz"
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as stored:
        return UnitResult(
            replication=int(stored["replication"]),
            arms=tuple(str(key) for key in stored["arms"]),
            errors=tuple(str(text) for text in stored["errors"]),
            **{name: stored[name] for name in ARRAYS},
        )
