"""What a calibration reads off a run: each measure in words, the arms it needs, its formula.

A measure is one number per replication. Those of an effect compare two arms on the same luck, so
that what luck does to both cancels; they divide what follows by what the push really came to, both
as logarithms (an elasticity), so that the size of the push hardly matters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

YEAR = 4  # quarters
OURS = 0  # the firm that is pushed
AS_IS, SILENT = "as_is", "silent"
ADVERTISING, TALK, ENGAGEMENT = "advertising", "talk", "engagement"
PUSHES = (ADVERTISING, TALK, ENGAGEMENT)
EQUAL, UNEQUAL = "equal", "unequal"


@dataclass(frozen=True)
class Lived:
    """What one arm did on the luck of one replication, among customers; Q quarters, F firms.

    Attributes
    ----------
    adds, losses : float64 (Q, F)
        Customers won and lost in the quarter.
    start, tied : float64 (Q, F)
        Customers at the quarter's beginning and at its end.
    praise, criticism : float64 (Q, F)
        Positive and negative messages that customers spoke about the firm in the quarter.
    impressions : float64 (Q, F)
        Messages of the firm per customer and week.
    engagement : float64 (Q, F) in [-1, 1]
        Mean attitude of its employees at the quarter's end.
    satisfaction : float64 (Q, F) in [-1, 1]
        Mean satisfaction of its customers at the quarter's end.
    """

    adds: np.ndarray
    losses: np.ndarray
    start: np.ndarray
    tied: np.ndarray
    praise: np.ndarray
    criticism: np.ndarray
    impressions: np.ndarray
    engagement: np.ndarray
    satisfaction: np.ndarray


@dataclass(frozen=True)
class Measure:
    """One measure: how it is called and counted, the market and the arms that it reads."""

    label: str
    unit: str
    meaning: str
    market: str
    arms: tuple[str, ...]
    of: Callable[[Mapping[str, Lived]], float]


def elasticity(effect: np.ndarray, effect_as_is: np.ndarray, push: np.ndarray,
               push_as_is: np.ndarray) -> float:  # fmt: skip
    """Return the change of a sum, in logarithms, for each such change of what was pushed."""
    with np.errstate(invalid="ignore", divide="ignore"):
        followed = np.log(effect.sum() / effect_as_is.sum())
        pushed = np.log(push.sum() / push_as_is.sum())
        return float(followed / pushed)


def _advertising_short(arms: Mapping[str, Lived]) -> float:
    more, as_is, first = arms[ADVERTISING], arms[AS_IS], slice(0, 1)
    return elasticity(more.adds[first, OURS], as_is.adds[first, OURS],
                      more.impressions[first, OURS], as_is.impressions[first, OURS])  # fmt: skip


def _advertising_long(arms: Mapping[str, Lived]) -> float:
    more, as_is, year = arms[ADVERTISING], arms[AS_IS], slice(YEAR, 2 * YEAR)
    return elasticity(more.adds[year, OURS], as_is.adds[year, OURS],
                      more.impressions[year, OURS], as_is.impressions[year, OURS])  # fmt: skip


def _talk_volume(arms: Mapping[str, Lived]) -> float:
    more, as_is = arms[TALK], arms[AS_IS]
    return elasticity(more.adds[:, OURS], as_is.adds[:, OURS], _talk(more), _talk(as_is))


def _talk(lived: Lived) -> np.ndarray:
    total: np.ndarray = lived.praise[:, OURS] + lived.criticism[:, OURS]
    return total


def _talk_share(arms: Mapping[str, Lived]) -> float:
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(1.0 - arms[SILENT].adds[:, OURS].sum() / arms[AS_IS].adds[:, OURS].sum())


def _talk_ratio(arms: Mapping[str, Lived]) -> float:
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(arms[AS_IS].praise.sum() / arms[AS_IS].criticism.sum())


def _churn(arms: Mapping[str, Lived]) -> float:
    lost = _lost(arms[AS_IS]).sum() / max(arms[AS_IS].start.sum(), 1.0)
    return float(1.0 - max(0.0, 1.0 - lost) ** YEAR)


def _lost(lived: Lived) -> np.ndarray:
    total: np.ndarray = lived.losses.sum(axis=0)
    return total


def _engagement_link(arms: Mapping[str, Lived]) -> float:
    more, as_is, year = arms[ENGAGEMENT], arms[AS_IS], slice(YEAR, 2 * YEAR)
    gained = (more.satisfaction - as_is.satisfaction)[year, OURS].mean()
    pushed = (more.engagement - as_is.engagement)[year, OURS].mean()
    return float(gained / pushed) if pushed else float("nan")


def _largest_and_smallest(lived: Lived) -> tuple[int, int, np.ndarray]:
    """Return the firms with most and fewest customers, and everybody's share of all customers."""
    tied = lived.start.sum(axis=0)
    share = tied / tied.sum()
    return int(share.argmax()), int(share.argmin()), share


def _double_jeopardy(arms: Mapping[str, Lived]) -> float:
    lived = arms[AS_IS]
    large, small, share = _largest_and_smallest(lived)
    with np.errstate(invalid="ignore", divide="ignore"):
        leaving = _lost(lived) / lived.start.sum(axis=0)
        found = np.log(leaving[small] / leaving[large])
        return float(found / np.log((1.0 - share[small]) / (1.0 - share[large])))


def _praise_by_share(arms: Mapping[str, Lived]) -> float:
    return _by_share(arms[AS_IS], arms[AS_IS].praise)


def _criticism_flatter(arms: Mapping[str, Lived]) -> float:
    return _praise_by_share(arms) - _by_share(arms[AS_IS], arms[AS_IS].criticism)


def _by_share(lived: Lived, voices: np.ndarray) -> float:
    large, small, share = _largest_and_smallest(lived)
    total = voices.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.log(total[large] / total[small]) / np.log(share[large] / share[small]))


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "advertising_short": Measure(
            "Advertising elasticity, first quarter",
            "elasticity",
            "gross adds of one firm in the first quarter of more messages, both as logarithms, "
            "beside the same quarter as is",
            EQUAL,
            (AS_IS, ADVERTISING),
            _advertising_short,
        ),
        "advertising_long": Measure(
            "Advertising elasticity, second year",
            "elasticity",
            "the same over the second year of more messages",
            EQUAL,
            (AS_IS, ADVERTISING),
            _advertising_long,
        ),
        "talk_volume": Measure(
            "Elasticity of the volume of word of mouth",
            "elasticity",
            "gross adds of one firm over two years in which people are made to talk more about it, "
            "both as logarithms; the volume is what they really said",
            EQUAL,
            (AS_IS, TALK),
            _talk_volume,
        ),
        "talk_share": Measure(
            "Share of gross adds due to word of mouth",
            "share",
            "gross adds of one firm over two years that it would not have had, had nobody heard "
            "word of mouth about it (flow 2 closed)",
            EQUAL,
            (AS_IS, SILENT),
            _talk_share,
        ),
        "talk_ratio": Measure(
            "Positive to negative word of mouth",
            "ratio",
            "positive messages for each negative one, about all firms, over two years",
            EQUAL,
            (AS_IS,),
            _talk_ratio,
        ),
        "churn": Measure(
            "Churn",
            "share/year",
            "customers who leave their firm in a year, from the mean share that leaves in a "
            "quarter, all firms, over two years",
            EQUAL,
            (AS_IS,),
            _churn,
        ),
        "engagement_link": Measure(
            "Satisfaction for each unit of engagement",
            "ratio",
            "gain of customers' satisfaction for each unit of employees' engagement that a firm "
            "gains because its employees are better off, both from -1 to 1, in the second year",
            EQUAL,
            (AS_IS, ENGAGEMENT),
            _engagement_link,
        ),
        "double_jeopardy": Measure(
            "Double jeopardy",
            "of Dirichlet's",
            "how much more likely the customers of the smallest firm leave it than those of the "
            "largest, both as logarithms, for each such difference that the Dirichlet model has: "
            "there, leaving is proportional to 1 - share; at 0 there is no double jeopardy",
            UNEQUAL,
            (AS_IS,),
            _double_jeopardy,
        ),
        "praise_by_share": Measure(
            "Positive word of mouth with share",
            "elasticity",
            "positive messages about the largest and the smallest firm for their shares, all as "
            "logarithms: at 1 positive talk is proportional to share",
            UNEQUAL,
            (AS_IS,),
            _praise_by_share,
        ),
        "criticism_flatter": Measure(
            "Negative word of mouth is flatter",
            "elasticity",
            "the same for positive minus that for negative messages: above 0 negative talk rises "
            "less with share than positive talk does",
            UNEQUAL,
            (AS_IS,),
            _criticism_flatter,
        ),
    }
)
