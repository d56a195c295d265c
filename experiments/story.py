"""How a flow influenced somebody: one life beside the life of the twin without that flow.

Both lives are lived on the same luck, and every number in them is the model's own (`sim.trace`).
Whose life is told follows a rule, so that the same settings always tell the same story: somebody
who at the quarter's close buys from the organization in one of the two lives only; if nobody does,
somebody who would recommend it in one only, spoke of it otherwise in that quarter, works for it
with another engagement, or buys from another rival; among these whose attitude to it differs most,
and then whose id is smallest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim import lookup
from sim.engine import Run
from sim.fields import WEEKS_PER_QUARTER
from sim.flows import ORGANIZATION, Flow
from sim.influenced import DO, LESS, MORE, OTHER, SAME, THINK, Thresholds
from sim.ledger import Bookkeeper
from sim.plans import Arm
from sim.rng import id_of
from sim.scenario import Scenario
from sim.state import World
from sim.trace import Week, Witness
from sim.turnover import newcomers

# In which order differences are looked for, and which signs of them.
ORDER = (
    ("provider", (MORE, LESS)),
    ("advocacy", (MORE, LESS)),
    ("voice", (MORE, LESS, OTHER)),
    ("engagement", (MORE, LESS)),
    ("provider", (OTHER,)),
)
RUN, TWIN = range(2)


@dataclass(frozen=True)
class Plot:
    """What is to be told: an arm, its twin, the luck of both, and the quarter at whose close."""

    scenario: Scenario
    arm: Arm
    twin: Arm
    flow: Flow
    seed: int
    replication: int
    quarter: int
    thresholds: Thresholds
    world: World


@dataclass(frozen=True)
class Story:
    """One stakeholder's two lives.

    Attributes
    ----------
    plot : Plot
        What it was told for.
    row : int
        Place of the stakeholder in the world.
    lives : pair of tuple of Week
        The run's and the twin's, week by week since the stakeholder came.
    signs : mapping of int
        How the run's differs from the twin's at the close, by name of THINK and DO.
    """

    plot: Plot
    row: int
    lives: tuple[tuple[Week, ...], tuple[Week, ...]]
    signs: Mapping[str, int]

    @property
    def ident(self) -> int:
        """Id of who has the place at the close."""
        return self.lives[RUN][-1].ident

    @property
    def differs(self) -> tuple[str, ...]:
        """What somebody thinks or does otherwise, in the order of THINK and DO."""
        return tuple(what for what in (*THINK, *DO) if self.signs[what] != SAME)


def pick(plot: Plot, kind: int | None = None) -> int | None:
    """Return whose life is told by the rule above, or None if nobody does anything otherwise.

    `kind` is a stakeholder type that it must belong to.
    """
    book = Bookkeeper(plot.thresholds, 1, keep=plot.quarter)
    run = _lived(plot, book)
    felt = lookup.attitude(run.state, ORGANIZATION)
    gap = np.abs(felt[:, RUN] - felt[:, TWIN])
    ours = plot.world.kind == kind if kind is not None else np.ones(len(gap), bool)
    for what, signs in ORDER:
        found = np.flatnonzero(np.isin(book.kept[what][0], signs) & ours)
        if len(found):
            return int(found[np.lexsort((run.facts.ids[found], -gap[found]))[0]])
    return None


def tell(plot: Plot, row: int) -> Story:
    """Live both lives again, with somebody looking on this stakeholder.

    Raises
    ------
    ArithmeticError
        If what is told would not add up to what the run did.
    """
    book = Bookkeeper(plot.thresholds, 1, keep=plot.quarter)
    witness = Witness(row, (RUN, TWIN))
    _lived(plot, _Both(book, witness))
    signs = {what: int(found[0, row]) for what, found in book.kept.items()}
    run, twin = witness.lives
    came = max((at for at, week in enumerate(run) if week.came), default=0)
    return Story(plot, row, (tuple(run[came:]), tuple(twin[came:])), signs)


@dataclass(frozen=True)
class _Both:
    """Two observers of one run."""

    first: Any
    second: Any

    def after_week(self, run: Run) -> None:
        """Let both see a week."""
        self.first.after_week(run)
        self.second.after_week(run)

    def after_close(self, run: Run) -> None:
        """Let both see a close."""
        self.first.after_close(run)
        self.second.after_close(run)


def _lived(plot: Plot, observer: Any) -> Run:
    arms = [plot.arm, plot.twin]
    run = Run(plot.scenario, arms, plot.seed, plot.replication, plot.world, 1, observer)
    for _ in range(plot.quarter):
        run.advance_quarter()
    run.stop()
    return run


def name_of(scenario: Scenario, row: int, ident: int) -> str:
    """Return a stakeholder's name: that of people's own tables, else its id in 16 digits."""
    people = scenario.people
    if people is not None and row < len(people.ids) and id_of(people.ids[row]) == ident:
        return str(people.ids[row])
    return f"{ident:016x}"


def row_of(plot: Plot, name: str) -> int | None:
    """Return the row of somebody by its name or id, or None if it is not there at the close."""
    wanted = [id_of(name)]
    if len(name) == 16 and all(letter in "0123456789abcdefABCDEF" for letter in name):
        wanted.append(int(name, 16))
    scenario, last = plot.scenario, (plot.scenario.warm_up + plot.quarter) * WEEKS_PER_QUARTER
    come = newcomers(scenario, plot.world, plot.seed, plot.replication)
    ids = come.ids_after(last, plot.world.ids)
    found = np.flatnonzero(np.isin(ids, np.array(wanted, np.uint64)))
    return int(found[0]) if len(found) else None
