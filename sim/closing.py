"""What is known at a quarter's close, and the sums and means that indicators are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.state import SUMS, add_up

if TYPE_CHECKING:
    from sim.firms import FirmState


class Programmes(NamedTuple):
    """What mechanisms need and act on; M mechanisms, L lanes.

    `needs` float64 (M, 3) weights of human, information and organization capital; `acts_on` bool
    (M, 6) the flows 1 to 6; `complementarity` float64 (L,) the exponent of bundles.
    """

    needs: np.ndarray
    acts_on: np.ndarray
    complementarity: np.ndarray


class Start(NamedTuple):
    """What a quarter started from: revenue of the one before (F, L), fit (F, K, L), tied (F, K, L).

    Zeros where there was none before.
    """

    revenue: np.ndarray
    fit: np.ndarray
    tied: np.ndarray


class Close(NamedTuple):
    """What is known at a quarter's close; F firms, K stakeholder types, L lanes.

    `lived` is whether a quarter has been lived, be it only of the warm-up; `present` bool (F,)
    which firms are there: one that has not entered yet is nobody's rival and has no measures.
    `sums` float64 (SUMS, F, K, L) over stakeholders; `counts` int64 (COUNTS, F, K, L) of the
    quarter; `start` what it started from; `year` float64 (2, F, L) customers lost and customers at
    the start, both summed over the last four quarters; `firms` a FirmState; `gates` (3, F, L) of
    the quarter lived last; `audiences` bool (K,) by word of the scenario; `sensed` bool (F, 6, L)
    whether a firm senses a flow; `reading_weeks` (F, L) how late its readings are; `today` the
    discount factor of this week.
    """

    lived: bool
    order: np.ndarray
    present: np.ndarray
    sums: np.ndarray
    type_counts: np.ndarray
    customer: np.ndarray
    counts: np.ndarray
    start: Start
    year: np.ndarray
    firms: FirmState
    gates: np.ndarray
    audiences: Mapping[str, np.ndarray]
    programmes: Programmes
    sensed: np.ndarray
    reading_weeks: np.ndarray
    discount: float
    today: float

    @property
    def nothing(self) -> np.ndarray:
        """No value in any lane, (L,)."""
        return np.full(self.sums.shape[-1], np.nan)

    def rivals(self, f: int) -> list[int]:
        """Return the other firms that are there, in the order of their keys."""
        return [int(c) for c in self.order if c != f and self.present[c]]

    def audience(self, *words: str) -> np.ndarray:
        """Return which stakeholder types stand behind some words, bool (K,); none if unknown."""
        found = np.zeros(len(self.type_counts), bool)
        for word in words:
            found |= self.audiences.get(word, found)
        return found


def summed(close: Close, name: str, kinds: np.ndarray) -> np.ndarray:
    """Sum a state over stakeholders of some types by firm, (F, L)."""
    return np.asarray(close.sums[SUMS.index(name)][:, kinds].sum(axis=1))


def counted(close: Close, which: int, kinds: np.ndarray) -> np.ndarray:
    """Count what stakeholders of some types did in the quarter by firm, (F, L)."""
    return np.asarray(close.counts[which][:, kinds].sum(axis=1))


def mean_of(close: Close, name: str, kinds: np.ndarray) -> np.ndarray:
    """Mean of a state over stakeholders of some types by firm, (F, L); nan without any."""
    n = close.type_counts[kinds].sum()
    return summed(close, name, kinds) / n if n else np.full(close.year.shape[1:], np.nan)


def in_order(close: Close, by_firm: np.ndarray) -> np.ndarray:
    """Sum over firms in the order of their keys, so that numbering them changes no bit."""
    return add_up(by_firm[close.order])


def average(close: Close, by_type: np.ndarray) -> np.ndarray:
    """Average (K, L) over customers, types weighted by their numbers."""
    n = close.type_counts[close.customer]
    return add_up(by_type[close.customer] * (n / max(1, n.sum()))[:, None])


def score_of(close: Close, kinds: np.ndarray, firms: list[int]) -> np.ndarray:
    """Return the net promoter score among those of some types tied to some firms, (L,)."""
    gap = summed(close, "promoters", kinds) - summed(close, "detractors", kinds)
    return np.asarray(
        100.0 * gap[firms].sum(axis=0) / summed(close, "tied", kinds)[firms].sum(axis=0)
    )
