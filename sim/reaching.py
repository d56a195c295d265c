"""Whom the nudges of stakeholders' states reach: all, some by chance, by reach or by influence.

Reach is how many others hear somebody: popularity, which is there before anybody has said a word.
Influence is traced: how far somebody's words pulled those who heard them in the warm-up, which
every arm lives as is. Both are whole numbers, and whoever is equal is ranked by id, so that no
order of rows matters. A choice by chance draws by id, and nothing of a run draws from there.
Source: Sheldrake (2011) for the difference between the two; Watts & Dodds (2007) for asking it of
a simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from sim import lookup, rng
from sim.fields import EVERYBODY
from sim.kernels import COEFFICIENTS, CONFIDENCE
from sim.nudging import firms_of
from sim.plans import Arm, Nudge
from sim.scenario import Scenario
from sim.state import PEER_RATE, UNANSWERED, State, World

PULL_SCALE = 2.0**20
NEGATIVITY = COEFFICIENTS.index("negativity")
Laws = tuple[tuple[str, float], ...]


class Reaching:
    """Who is reached by the nudges of some arms, in one replication.

    Attributes
    ----------
    moved : mapping of int64 (N,)
        By firm and by the coefficients that arms differ in: the pull of everybody's words on the
        attitude to that firm, summed over words and hearers, in units of 2^-20 attitude. Only what
        an arm asks for; arms that share their coefficients share their warm-up.
    """

    def __init__(
        self, scenario: Scenario, arms: Sequence[Arm], world: World, seed: int, replication: int
    ) -> None:
        self.scenario, self.world, self.luck = scenario, world, (seed, replication)
        self.laws: list[Laws] = [tuple(sorted(arm.physics.items())) for arm in arms]
        self.ids = world.ids.copy()  # of those whose words were counted
        self.moved: dict[tuple[int, Laws], np.ndarray] = {
            (f, laws): np.zeros(world.n_stakeholders, np.int64)
            for arm, laws in zip(arms, self.laws, strict=True)
            for nudge in arm.nudges
            if nudge.whom == "traced"
            for f in firms_of(nudge, scenario)
        }

    @cached_property
    def hearer(self) -> np.ndarray:
        """Row of who hears over each tie, int64 (M,)."""
        return np.repeat(np.arange(self.world.n_stakeholders), np.diff(self.world.indptr))

    @cached_property
    def heard_by(self) -> np.ndarray:
        """How many others hear each stakeholder, over any tie, int64 (N,)."""
        n = np.int64(self.world.n_stakeholders)
        pairs = np.unique(self.hearer * n + self.world.indices)
        return np.bincount(pairs % n, minlength=n)

    def trace(
        self, state: State, ids: np.ndarray, drive: np.ndarray, coefficients: np.ndarray
    ) -> None:
        """Count the pull of what has just been said and not yet heard.

        `ids` are those who are there now, `drive` and `coefficients` the week's as in the engine.
        Newcomers begin with nothing: the words of those before them were not theirs.
        """
        new = ids != self.ids
        self.ids = ids.copy()
        for (f, laws), moved in self.moved.items():
            moved[new] = 0
            lane = self.laws.index(laws)
            ties, pull = self._pull(f, lane, state, drive[:, f, :, lane], coefficients[:, lane])
            whole = np.rint(pull * PULL_SCALE).astype(np.int64)
            np.add.at(moved, self.world.indices[ties], whole)

    def _pull(
        self, f: int, lane: int, state: State, drive: np.ndarray, coefficient: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the ties over which firm f is spoken of, and evidence x |said - attitude|.

        The law of word of mouth (laws.peer) pulls by that much, before all that is met in the week
        shares the attitude's way.
        """
        world = self.world
        rows, words = lookup.speakers(state, f)
        said = np.zeros(world.n_stakeholders, np.int64)
        said[rows] = words[:, lane] & ~lookup.OFFERED
        ties = np.flatnonzero(said[world.indices])
        hearers = self.hearer[ties]
        word = said[world.indices[ties]] / lookup.FULL
        held = lookup.attitude(state, f)[hearers, lane].astype(np.float64)
        weight = world.evidence[ties] * world.evidence_scale[hearers].astype(np.float64)
        rate, unanswered = drive[[PEER_RATE, UNANSWERED]].astype(np.float64)[:, world.kind[hearers]]
        bad = np.where(word < 0, coefficient[NEGATIVITY] * unanswered, 1.0)
        near = np.abs(word - held) <= coefficient[CONFIDENCE]
        evidence = rate * bad * np.abs(weight) * near
        return ties, evidence * np.abs(word * np.sign(weight) - held)

    def rows(self, nudge: Nudge, f: int, lane: int, ids: np.ndarray) -> np.ndarray:
        """Return who is reached by the part of a nudge that is about firm f, ascending.

        `ids` are those who are there now. A share is that of everybody of the named types together,
        rounded, and at least one.
        """
        kinds = [not nudge.to or kind.key in nudge.to for kind in self.scenario.stakeholders]
        rows = np.flatnonzero(np.array(kinds)[self.world.kind])
        if nudge.whom == EVERYBODY or not len(rows):
            return rows
        rank = self._rank(nudge.whom, f, lane, ids)
        order = np.lexsort((ids[rows], rank[rows]))
        return np.sort(rows[order[: max(1, round(nudge.share * len(rows)))]])

    def _rank(self, whom: str, f: int, lane: int, ids: np.ndarray) -> np.ndarray:
        """Return numbers (N,) of which the lowest are reached first."""
        if whom == "reach":
            return -self.heard_by
        if whom == "traced":
            return -np.where(ids == self.ids, self.moved[f, self.laws[lane]], 0)
        drawn = rng.words(*self.luck, rng.Stream.NUDGE, ids).astype(np.uint64)
        return drawn[:, 0] << np.uint64(32) | drawn[:, 1]
