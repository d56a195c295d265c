"""The references' draws of one week: the engine's own, or fresh ones of numpy's generator.

With the engine's own draws a reference must agree with the engine, which is how it is checked and
how plain Mesa is timed (its draws are made outside the timed part, in its favour). Vectorised numpy
is timed with draws that it makes itself, as the engine does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sim.engine import Run
from sim.rng import Stream, normal, uniform, words

QUEUE_BLOCK = 2


@dataclass(frozen=True)
class Luck:
    """Draws of one week, float64 (N,) or (N, F), each as the laws use it.

    Attributes
    ----------
    lived, complains, chooses : uniform (N,)
        Whether one has an experience, complains, has an occasion to choose.
    performance : standard normal (N,)
        Of the experience.
    none : Gumbel (N,)
        Of staying without provider.
    talk, referral : exponential (N, F)
        Hazards beyond which one speaks and takes up an offer.
    offers : uniform (N, F)
        Whether one adds a referral offer.
    choice : Gumbel (N, F)
        Of each firm.
    """

    lived: np.ndarray
    performance: np.ndarray
    complains: np.ndarray
    chooses: np.ndarray
    none: np.ndarray
    talk: np.ndarray
    offers: np.ndarray
    choice: np.ndarray
    referral: np.ndarray


LuckOf = Callable[[int], Luck]


def addressed(run: Run) -> LuckOf:
    """Return the week's luck exactly as the run's kernels draw it."""
    address = seed_of(run)
    ids = run.world.ids

    def of(week: int) -> Luck:
        person = uniform(*address, Stream.PERSON, ids, week=week).astype(float)
        other = uniform(*address, Stream.PERSON, ids, week=week, block=1).astype(float)
        firm = uniform(
            *address, Stream.FIRM, ids[:, None], week=week, slot=run.slots[None, :]
        ).astype(float)
        return Luck(
            lived=person[:, 0],
            performance=normal(*address, Stream.PERSON, ids, week=week)[:, 1].astype(float),
            complains=person[:, 2],
            chooses=person[:, 3],
            none=-np.log(-np.log(other[:, 0])),
            talk=-np.log1p(-firm[..., 0]),
            offers=firm[..., 1],
            choice=-np.log(-np.log(firm[..., 2])),
            referral=-np.log1p(-firm[..., 3]),
        )

    return of


def fresh(run: Run) -> LuckOf:
    """Return luck of the same kind from numpy's fastest generator."""
    generator = np.random.Generator(np.random.SFC64(seed_of(run)))
    n, n_firms = run.world.n_stakeholders, run.world.n_firms

    def of(week: int) -> Luck:
        lived, complains, chooses = generator.random((3, n))
        return Luck(
            lived=lived,
            performance=generator.standard_normal(n),
            complains=complains,
            chooses=chooses,
            none=generator.gumbel(size=n),
            talk=generator.standard_exponential((n, n_firms)),
            offers=generator.random((n, n_firms)),
            choice=generator.gumbel(size=(n, n_firms)),
            referral=generator.standard_exponential((n, n_firms)),
        )

    return of


def place_in_queue(run: Run, rows: np.ndarray, week: int) -> np.ndarray:
    """Return rows of those who complain this week in the order in which they queue."""
    ids = run.world.ids[rows]
    drawn = words(*seed_of(run), Stream.PERSON, ids, week=week, block=QUEUE_BLOCK)[:, 0]
    return rows[np.lexsort((ids & np.uint64(0xFFFFFFFF), drawn))]


def seed_of(run: Run) -> tuple[int, int]:
    """Return the seed and the replication of a run."""
    return int(run.key[0]) & 0xFFFFFFFF, int(run.key[1]) & 0xFFFFFFFF
