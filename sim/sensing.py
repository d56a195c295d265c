"""Sensing: what management sees of the truth, and how late, how blurred, or not at all.

A reading is the truth of some weeks ago, sampled. An indicator of flow f is read with the coverage
c of the lever `sensing_f`; below a threshold it is no data, never zero. Let d be the delay in
weeks, v the share of it that quick reporting takes off (`reading_speed`), k the share of the error
that care takes off (`reading_care`), r the readiness of information capital and n the answers in a
quarter at full coverage:

    reading(q) = truth(q - (1 - v) d / 13) + sd (1 - k) (1 - r) / sqrt(n c) xi

between two closes the truth is interpolated; what came before the opening is taken as the opening.
sd is the spread of a single answer: that of yes or no for shares, of good or bad for scales from -1
to 1 and scores of +-100 points, the value itself for what is counted. xi is one standard normal
draw per firm, indicator and quarter that all arms share. What stands in the firm's own books
(`sim.catalogue.BOOKS`) is read exactly and on time. Truth and reading part ways as DOMAIN 7.0 asks;
the law itself is an assumption: simple random sampling with a constant lag.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sim import levers
from sim.catalogue import BOOKS, Kpi
from sim.fields import WEEKS_PER_QUARTER
from sim.rng import Stream, id_of, normal
from sim.scenario import Sensing

FLOWS = tuple(levers.INDEX[f"sensing_{flow}"] for flow in range(1, 7))
SPEED, CARE = levers.INDEX["reading_speed"], levers.INDEX["reading_care"]
RIVALS_MESSAGES = 3  # place of flow 4
SHARES, SCALE, POINTS = ("share", "probability"), "-1..1", "points"


class Senses(NamedTuple):
    """How well firms sense; F firms, L lanes.

    `coverage` (F, 6, L) of each flow, `sensed` bool (F, 6, L) whether that gives data, `weeks`
    (F, L) how late readings are, `error` (F, L) what care and information capital leave of the
    standard error, a factor in [0, 1].
    """

    coverage: np.ndarray
    sensed: np.ndarray
    weeks: np.ndarray
    error: np.ndarray


def senses(law: Sensing, lever: np.ndarray, ready: np.ndarray) -> Senses:
    """Return how well firms sense.

    Parameters
    ----------
    lever : float (N_LEVERS, F, K, L)
        Levers at the close; those of sensing have one value for the firm.
    ready : float (F, L) in [0, 1]
        Readiness of information capital.
    """
    coverage = np.stack([lever[row, :, 0] for row in FLOWS], axis=1)
    return Senses(
        coverage=coverage,
        sensed=(coverage >= law.threshold) & (coverage > 0),
        weeks=law.delay * (1.0 - lever[SPEED, :, 0]),
        error=(1.0 - lever[CARE, :, 0]) * (1.0 - ready),
    )


class Lens:
    """Readings of one run: the table of indicators and the luck of sampling them.

    Parameters
    ----------
    table : sequence of Kpi
        What is read.
    address : (seed, replication)
        Of the run's luck.
    slots : int (F,)
        Luck that travels with each firm.
    quarters : int
        Horizon.
    """

    def __init__(
        self,
        law: Sensing,
        table: Sequence[Kpi],
        address: tuple[int, int],
        slots: np.ndarray,
        quarters: int,
    ) -> None:
        self.law = law
        self.by = np.array([kpi.sensed_by for kpi in table])
        self.units = np.array([family(kpi.unit) for kpi in table])
        closes = np.arange(quarters + 1)
        ids = np.array([id_of(kpi.key) for kpi in table], np.uint64)
        self.luck = _normal(address, ids[None], closes[:, None], 0, slots[0])
        about = slots[None, None]
        self.messages_luck = _normal(
            address, id_of("impressions"), closes[:, None, None], about, slots[None, :, None]
        )

    def read(self, truth: Sequence[np.ndarray], quarter: int, seen: Senses) -> np.ndarray:
        """Return the organization's readings at a quarter's close, (n indicators, L).

        Parameters
        ----------
        truth : sequence of float (n indicators, L)
            Indicators at every close so far, the opening first.
        quarter : int
            The close whose luck it is.
        """
        past = earlier(truth, seen.weeks[0] / WEEKS_PER_QUARTER)
        flow = np.maximum(self.by, 1) - 1
        share = np.where(seen.sensed[0, flow], seen.coverage[0, flow], np.nan)
        error = spread(past, self.units[:, None]) * standard_error(self.law, share, seen.error[0])
        low, high = RANGES[self.units].T
        blurred = np.clip(
            past + error * self.luck[quarter][:, None],
            np.minimum(low[:, None], past),
            np.maximum(high[:, None], past),
        )
        return np.where((self.by == BOOKS)[:, None], truth[-1], blurred)

    def read_messages(self, impressions: np.ndarray, quarter: int, seen: Senses) -> np.ndarray:
        """Return impressions as each firm reads them, (F observers, F, L).

        `impressions` is float (F, L), the truth. A firm knows its own; of rivals it knows what the
        coverage of flow 4 lets it sample, and nothing where it does not sense that flow.
        """
        firms = np.arange(len(impressions))
        share = np.where(seen.sensed[:, RIVALS_MESSAGES], seen.coverage[:, RIVALS_MESSAGES], np.nan)
        error = standard_error(self.law, share, seen.error)[:, None] * impressions
        read = impressions + error * self.messages_luck[quarter][..., None]
        own = (firms[:, None] == firms[None])[..., None]
        return np.where(own, impressions[None], np.maximum(read, 0.0))


def earlier(truth: Sequence[np.ndarray], quarters: np.ndarray) -> np.ndarray:
    """Return the truth so many quarters before the last, (n, L), interpolated between closes.

    `quarters` is float (L,) >= 0. What came before the first is taken as the first.
    """
    whole = np.floor(quarters).astype(np.int64)
    part = quarters - whole
    recent = np.stack(truth[-int(whole.max()) - 2 :])
    lanes = np.arange(len(quarters))
    newer = recent[np.maximum(len(recent) - 1 - whole, 0), :, lanes].T
    older = recent[np.maximum(len(recent) - 2 - whole, 0), :, lanes].T
    return np.where(part > 0, (1.0 - part) * newer + part * older, newer)


def standard_error(law: Sensing, coverage: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Return the standard error of a mean of answers whose spread is 1; nan where unsensed."""
    return np.asarray(left / np.sqrt(law.sample * coverage))


# Families of units: shares, scales from -1 to 1, scores of +-100, what is counted; their ranges.
_SHARE, _SCALE, _POINTS, _COUNTED = range(4)
RANGES = np.array([[0.0, 1.0], [-1.0, 1.0], [-200.0, 200.0], [-np.inf, np.inf]])


def family(unit: str) -> int:
    """Return the family that a unit belongs to, a row of RANGES."""
    if unit.partition("/")[0] in SHARES:
        return _SHARE
    return {SCALE: _SCALE, POINTS: _POINTS}.get(unit, _COUNTED)


def spread(value: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Return the standard deviation of a single answer around a value of a unit's family."""
    share = np.clip(value, 0.0, 1.0)
    scale = np.clip(np.where(kind == _POINTS, value / 100.0, value), -1.0, 1.0)
    of_scale = np.sqrt(1.0 - scale**2)
    return np.select(
        [kind == _SHARE, kind == _SCALE, kind == _POINTS],
        [np.sqrt(share * (1.0 - share)), of_scale, 100.0 * of_scale],
        np.abs(value),
    )


def _normal(address: tuple[int, int], ids: Any, week: Any, block: Any, slot: Any) -> np.ndarray:
    drawn = normal(*address, Stream.READING, ids, week=week, block=block, slot=slot)
    return drawn[..., 0].astype(np.float64)
