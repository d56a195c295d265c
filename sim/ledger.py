"""The influence ledger: how many think or do something that they otherwise wouldn't.

People are counted one by one, at every quarter's close, in a run beside its twins, which share its
luck and in which a flow is muted (see sim/influenced.py for what counts). An arm and its twins are
lanes of one pass; state is read and never written.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from sim import lookup
from sim.draws import key_of, words
from sim.engine import Run
from sim.flows import ORGANIZATION
from sim.influenced import DO, ENTRIES, LESS, OTHER, SAME, SIGNS, THINK, Thresholds, whole
from sim.kernels import COEFFICIENTS
from sim.laws import recommend
from sim.plans import Arm
from sim.population import build_world
from sim.rng import Stream
from sim.scenario import Scenario
from sim.state import World

WELL, BADLY = 1, 2  # bits: how one spoke about the organization this quarter
FEWEST = 2  # lanes that a comparison needs


@dataclass(frozen=True)
class Ledger:
    """Who was influenced, counted.

    Attributes
    ----------
    counts : int64 (Q, T, len(ENTRIES), len(SIGNS), K)
        Stakeholders who differ from twin t at the close of each quarter, by type.
    people : int64 (len(ENTRIES), K)
        Stakeholders to whom an entry applies: all think; customers have a choice of provider, and
        employees of the organization are engaged.
    """

    counts: np.ndarray
    people: np.ndarray


def keep_ledger(
    scenario: Scenario,
    arm: Arm,
    twins: Sequence[Arm],
    seed: int,
    replication: int,
    thresholds: Thresholds,
    *,
    world: World | None = None,
    lanes: int = 16,
) -> Ledger:
    """Run an arm beside its twins on the luck of one replication and count who differs.

    Parameters
    ----------
    lanes : int
        Arms per pass, at least 2; where they are too few for all twins, the arm is run again beside
        the rest. Changes no count.
    """
    world = build_world(scenario, seed, replication) if world is None else world
    size = max(FEWEST, min(lanes, len(twins) + 1)) - 1
    parts = []
    for i in range(0, len(twins), size):
        group = twins[i : i + size]
        book = Bookkeeper(thresholds, len(group))
        run = Run(scenario, [arm, *group], seed, replication, world, observer=book)
        for _ in range(scenario.quarters):
            run.advance_quarter()
        run.stop()
        parts.append(np.stack(book.counts))
    return Ledger(np.concatenate(parts, axis=1), people_of(scenario, world))


def people_of(scenario: Scenario, world: World) -> np.ndarray:
    """Return to how many stakeholders of each type an entry applies, int64 (ENTRIES, K)."""
    n_kinds = len(scenario.stakeholders)
    everybody = np.bincount(world.kind, minlength=n_kinds)
    narrow = {
        "provider": everybody * np.array([kind.customer for kind in scenario.stakeholders]),
        "engagement": np.bincount(world.kind[_staff(world)], minlength=n_kinds),
    }
    return np.array([narrow.get(what, everybody) for _, what in ENTRIES], np.int64)


def _staff(world: World) -> np.ndarray:
    """Return who works for the organization, bool (N,)."""
    found: np.ndarray = (world.department >= 0) & (world.tied == ORGANIZATION)
    return found


class Bookkeeper:
    """Looks on a run whose lane 0 is an arm and lanes 1 to T its twins, and counts who differs.

    Attributes
    ----------
    counts : list of int64 (T, len(ENTRIES), len(SIGNS), K)
        One per quarter closed.
    kept : mapping of int8 (T, N), by name of THINK and DO
        How everybody differs, SAME, MORE, LESS or OTHER, at the close of quarter `keep`.
    """

    def __init__(self, thresholds: Thresholds, n_twins: int, keep: int = 0) -> None:
        self.thresholds, self.n_twins, self.keep = thresholds, n_twins, keep
        self.counts: list[np.ndarray] = []
        self.kept: dict[str, np.ndarray] = {}
        self._spoke = np.zeros((n_twins + 1, 0), np.uint8)

    def after_week(self, run: Run) -> None:
        """Note who spoke about the organization, and how."""
        if not self._spoke.size:
            self._spoke = np.zeros((self.n_twins + 1, run.world.n_stakeholders), np.uint8)
        rows, said = lookup.speakers(run.state, ORGANIZATION)
        for spoke, word in zip(self._spoke, said.T, strict=False):
            spoke[rows] |= np.where(word > 0, WELL, np.where(word < 0, BADLY, 0)).astype(np.uint8)

    def after_close(self, run: Run) -> None:
        """Compare everybody's two lives; the warm-up, which all lanes share, is not counted."""
        if run.quarter:
            signs = self._signs(run)
            self.counts.append(_counted(signs, run))
            if run.quarter == self.keep:
                self.kept = signs
        self._spoke[:] = 0

    def _signs(self, run: Run) -> dict[str, np.ndarray]:
        state, thresholds = run.state, self.thresholds
        attitude = self._lives(lookup.attitude(state, ORGANIZATION))
        salience = self._lives(lookup.salience(state, ORGANIZATION))
        provider = self._lives(lookup.provider(state))
        felt = attitude[0] - attitude[1:]
        engaged = np.where(_staff(run.world), _sign(felt, thresholds.engagement), np.int8(SAME))
        return {
            "attitude": _sign(felt, thresholds.attitude),
            "salience": _sign(salience[0] - salience[1:], thresholds.salience),
            "provider": _bought(provider),
            "advocacy": _ranked(self._recommends(run, attitude, provider)),
            "voice": _spoken(self._spoke),
            "engagement": engaged,
        }

    def _lives(self, values: np.ndarray) -> np.ndarray:
        """Return (1 + T, N) of values (N, L): the arm's, then the twins'; quick to compare."""
        near = np.ascontiguousarray(values[:, : self.n_twins + 1])
        return np.ascontiguousarray(near.T)

    def _recommends(self, run: Run, attitude: np.ndarray, provider: np.ndarray) -> np.ndarray:
        """Return who would recommend the organization as its promoters do, bool (1 + T, N)."""

        def of(name: str) -> np.ndarray:
            row = run.coefficients[COEFFICIENTS.index(name), : self.n_twins + 1]
            return np.asarray(row, np.float32)[:, None]

        says = recommend.likelihood(
            self._lives(lookup.satisfaction(run.state)),
            attitude,
            answers(run),
            of("recommend_base"),
            of("recommend_satisfaction"),
            of("recommend_attitude"),
            of("recommend_noise"),
        )
        found: np.ndarray = (provider == ORGANIZATION) & (says >= recommend.PROMOTER)
        return found


def answers(run: Run) -> np.ndarray:
    """Return the luck of everybody's answer to whether they would recommend, float32 (N,)."""
    seed, replication = (int(part.view(np.uint32)) for part in run.key)
    key = key_of(seed, replication, Stream.RECOMMEND)
    drawn = words(key, run.facts.ids, run.week, columns=1)[:, 0] >> 9
    uniform = (drawn.astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-23)
    return np.asarray(ndtri(uniform), np.float32)


def _sign(difference: np.ndarray, threshold: float) -> np.ndarray:
    """Return MORE or LESS where the difference of run and twin is beyond the threshold."""
    more = (difference > threshold).view(np.int8)
    return more + np.int8(LESS) * (difference < -threshold).view(np.int8)


def _ranked(level: np.ndarray) -> np.ndarray:
    """Return MORE or LESS where the level of the run (first lane) is above or below the twin's."""
    own, twins = level[0], level[1:]
    return (own > twins).view(np.int8) + np.int8(LESS) * (own < twins).view(np.int8)


def _bought(provider: np.ndarray) -> np.ndarray:
    """Return MORE for those who buy from us and otherwise wouldn't; OTHER between others."""
    signs = _ranked((provider == ORGANIZATION).view(np.int8))
    return _else_other(signs, provider[0] != provider[1:])


def _spoken(spoke: np.ndarray) -> np.ndarray:
    """Return MORE for those who spoke better of us than otherwise; OTHER for silence or both."""
    net = (spoke & WELL).view(np.int8) - ((spoke & BADLY) >> 1).view(np.int8)
    return _else_other(_ranked(net), spoke[0] != spoke[1:])


def _else_other(signs: np.ndarray, differs: np.ndarray) -> np.ndarray:
    """Return OTHER where there is a difference that has no sign."""
    return np.where(differs & (signs == SAME), np.int8(OTHER), signs)


def _counted(signs: dict[str, np.ndarray], run: Run) -> np.ndarray:
    """Return how many of each type have each sign, int64 (T, len(ENTRIES), len(SIGNS), K)."""
    kind, n_kinds = run.world.kind, len(run.scenario.stakeholders)
    return np.concatenate(
        [_counted_of([signs[name] for name in names], kind, n_kinds) for names in (THINK, DO)],
        axis=1,
    )


def _counted_of(signs: list[np.ndarray], kind: np.ndarray, n_kinds: int) -> np.ndarray:
    """Count all combinations of signs at once, then add up those that an entry speaks of."""
    n_twins, cells = len(signs[0]), 4 ** len(signs)
    code = np.zeros(signs[0].shape, np.int32)
    for sign in signs:
        code = 4 * code + sign
    code += kind * np.int32(cells)
    found = np.array([np.bincount(row, minlength=n_kinds * cells) for row in code])
    table = _meaning(len(signs)).astype(np.float64)
    # Whole numbers below 2^53: exact in any order.
    counted = found.reshape(n_twins, n_kinds, cells).astype(np.float64) @ table.reshape(cells, -1)
    return (
        counted.astype(np.int64)
        .reshape(n_twins, n_kinds, len(signs) + 1, len(SIGNS))
        .transpose(0, 2, 3, 1)
    )


@functools.cache
def _meaning(n_signs: int) -> np.ndarray:
    """Return what a combination of signs says, bool (4 ** n_signs, n_signs + 1, len(SIGNS)).

    The last entry is anything at all: more where something speaks for the organization and nothing
    against it, less the other way round, other where both or neither do.
    """
    found = np.zeros((4**n_signs, n_signs + 1, len(SIGNS)), bool)
    for code in range(4**n_signs):
        signs = [code >> 2 * (n_signs - 1 - i) & 3 for i in range(n_signs)]
        for entry, sign in enumerate((*signs, whole(signs))):
            if sign != SAME:
                found[code, entry, sign - 1] = True
    return found
