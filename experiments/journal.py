"""The journal of a study: what each unit of work gave, on disk as soon as it is known.

One compressed .npz per unit, written whole or not at all, so that a study killed at any moment
continues with exactly the units that are missing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.store import JOURNAL, write_whole
from sim.plans import Arm

# What a unit keeps of `sim.history.History`.
ARRAYS = (
    "kpi", "measures", "spending", "spending_worth", "afforded", "reorganization", "insight",
    "reading", "managed", "board_cut",
)  # fmt: skip
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
    kpi, measures, spending, spending_worth, afforded, reorganization, insight, reading, managed,
    board_cut : arrays
        As in `sim.history.History`; NaN for arms that failed.
    """

    replication: int
    arms: tuple[str, ...]
    errors: tuple[str, ...]
    kpi: np.ndarray
    measures: np.ndarray
    spending: np.ndarray
    spending_worth: np.ndarray
    afforded: np.ndarray
    reorganization: np.ndarray
    insight: np.ndarray
    reading: np.ndarray
    managed: np.ndarray
    board_cut: np.ndarray

    @property
    def finished(self) -> bool:
        """Whether no arm failed."""
        return not any(self.errors)


@dataclass(frozen=True)
class Answer:
    """What a closer look at one arm in one replication gave (see `experiments.inquiries`).

    Attributes
    ----------
    kind : str
        Which inquiry it answers.
    replication : int
        Number of the random world.
    arm : str
        Key of the arm.
    error : str
        Traceback if it failed, else ''.
    arrays : mapping of array
        What was found; empty if it failed.
    """

    kind: str
    replication: int
    arm: str
    error: str
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether it did not fail."""
        return not self.error


@dataclass(frozen=True)
class Runs:
    """Everything a study ran: the arms planned and the units' results, in the plan's order.

    `answers` are those of its inquiries, in their order.
    """

    planned: tuple[Planned, ...]
    results: tuple[UnitResult, ...]
    answers: tuple[Answer, ...] = ()

    def index(self) -> dict[tuple[str, int], tuple[UnitResult, int]]:
        """Return where each (arm, replication) is: its unit and its place on the arms' axis."""
        return {
            (key, unit.replication): (unit, place)
            for unit in self.results
            for place, key in enumerate(unit.arms)
        }

    def counts(self) -> dict[str, int]:
        """Return the number of runs by status; an inquiry counts as one."""
        errors = [error for unit in self.results for error in unit.errors]
        errors += [answer.error for answer in self.answers]
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


def write_answer(folder: Path, name: str, answer: Answer) -> None:
    """Add an inquiry's answer to the journal."""
    arrays: dict[str, Any] = {f"found_{key}": array for key, array in answer.arrays.items()}
    for key in ("kind", "replication", "arm", "error"):
        arrays[key] = np.array(getattr(answer, key))

    def write(part: Path) -> None:
        with part.open("wb") as stream:
            np.savez_compressed(stream, **arrays)

    write_whole(folder / JOURNAL / f"{name}.npz", write)


def read_answer(folder: Path, name: str) -> Answer | None:
    """Return an inquiry's answer from the journal, or None if there is none yet."""
    path = folder / JOURNAL / f"{name}.npz"
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as stored:
        return Answer(
            kind=str(stored["kind"]),
            replication=int(stored["replication"]),
            arm=str(stored["arm"]),
            error=str(stored["error"]),
            arrays={
                key.removeprefix("found_"): stored[key]
                for key in stored.files
                if key.startswith("found_")
            },
        )
