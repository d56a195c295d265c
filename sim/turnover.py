"""Stakeholders who leave and newcomers who take their places: who, and in which week.

A place (a row: a type, ties, a department) is kept, its occupant changes. Everybody stays for an
exponential time, as in a survival model with a constant hazard; the newcomer has an id of its own,
and with it luck and traits of its own. Who leaves when is a fact of the replication, the same in
every arm and twin, so that differences between arms are no matter of who happened to stay. Weeks
are counted from the first of the warm-up, which is week 1. Where nobody leaves, no bit changes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sim import rng
from sim.fields import WEEKS_PER_QUARTER, WEEKS_PER_YEAR
from sim.opening import Facts, open_rows
from sim.population import traits_of
from sim.scenario import Scenario
from sim.state import PROVIDER, State, World


class Newcomers(NamedTuple):
    """Who comes, in the order of weeks and then of rows; n of them.

    `week` int64 (n,) at whose beginning; `row` int64 (n,) whose place they take; `ids` uint64 (n,);
    `voice`, `opportunity` float32 (n,) and `opening_attitude` float32 (n, F) as in World.
    """

    week: np.ndarray
    row: np.ndarray
    ids: np.ndarray
    voice: np.ndarray
    opportunity: np.ndarray
    opening_attitude: np.ndarray

    def ids_after(self, week: int, first: np.ndarray) -> np.ndarray:
        """Return who is there at the end of a week, uint64 (N,), of those who were there first."""
        ids, come = first.copy(), np.searchsorted(self.week, week + 1)
        ids[self.row[:come]] = self.ids[:come]  # in the order of weeks: the last of a place stays
        return ids

    def of(self, week: int) -> Newcomers:
        """Return those of one week."""
        begin, end = np.searchsorted(self.week, [week, week + 1])
        return Newcomers(*(part[begin:end] for part in self))


def newcomers(scenario: Scenario, world: World, seed: int, replication: int) -> Newcomers:
    """Return everybody who comes before the horizon."""
    rate = np.array([t.turnover for t in scenario.stakeholders])[world.kind] / WEEKS_PER_YEAR
    last = (scenario.warm_up + scenario.quarters) * WEEKS_PER_QUARTER
    rows = np.flatnonzero(rate > 0)
    ids, since = world.ids[rows], np.ones(len(rows), np.int64)
    weeks, places, people = [], [], []
    generation = 0
    while len(rows):
        since = since + _stay(ids, rate[rows], seed, replication)
        staying = since > last
        rows, since = rows[~staying], since[~staying]
        generation += 1
        ids = successors(world.ids[rows], generation)
        weeks.append(since)
        places.append(rows)
        people.append(ids)
    week, row, who = (
        np.concatenate([np.zeros(0, kind), *parts])
        for kind, parts in ((np.int64, weeks), (np.int64, places), (np.uint64, people))
    )
    order = np.lexsort((row, week))
    week, row, who = week[order], row[order], who[order]
    return Newcomers(week, row, who, *traits_of(scenario, who, world.kind[row], seed, replication))


def successors(ids: np.ndarray, generation: int) -> np.ndarray:
    """Return the ids of those who take the places of the first occupants, uint64 (n,).

    They are no matter of seed or replication: stable, as all ids are.
    """
    drawn = rng.words(0, 0, rng.Stream.TURNOVER, ids, week=generation).astype(np.uint64)
    return drawn[:, 0] << np.uint64(32) | drawn[:, 1]


def _stay(ids: np.ndarray, rate: np.ndarray, seed: int, replication: int) -> np.ndarray:
    """Return how many weeks they stay, int64 (n,) >= 1: exponential, rounded up."""
    drawn = rng.uniform(seed, replication, rng.Stream.TURNOVER, ids)[:, 0].astype(np.float64)
    return np.maximum(1, np.ceil(-np.log(drawn) / rate)).astype(np.int64)


def arrive(
    come: Newcomers,
    scenario: Scenario,
    world: World,
    facts: Facts,
    state: State,
    coefficient: np.ndarray,
    present: np.ndarray,
) -> np.ndarray:
    """Let newcomers take their places, in every arm, and return how many each firm has lost.

    Customers come without a provider and look for one at once; whose tie is fixed takes over the
    tie of the place. Returned is int64 (F, K, L).
    """
    lost = np.zeros((world.n_firms, len(scenario.stakeholders), state.n_lanes), np.int64)
    rows, kinds = come.row, world.kind[come.row]
    tied = np.where(facts.customer[kinds], -1, world.tied[rows])
    before = state.marks[rows, PROVIDER]
    at = np.nonzero((before >= 0) & (before != tied[:, None]))
    np.add.at(lost, (before[at], kinds[at[0]], at[1]), 1)
    facts.replace(rows, come.ids, come.voice, come.opportunity, come.opening_attitude)
    open_rows(scenario, state, rows, kinds, tied, come.opening_attitude, coefficient, present)
    return lost
