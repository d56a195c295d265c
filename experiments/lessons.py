"""Lessons: what a contrast is said to show, where the opposite is said, and what the runs say.

A lesson is an experiment with claims, each about two arms and one indicator, and with a falsifier:
settings that change the world, and what is claimed there. Both worlds run on the same luck, and
every claim is held against the paired differences of its replications: it holds, the
opposite holds, the difference is smaller than claimed, or none of these can be told.
Source: METHODS C.1 and C.2; Wilson (1927) for the interval of a share; Schuirmann (1987) for
claims that two arms are alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from experiments.gaps import without_dust
from experiments.notation import Shown, shown
from sim import kpis
from sim.checks import check_fields, nearest, require_one_of
from sim.fields import number, word

if TYPE_CHECKING:
    import pandas as pd

    from experiments.analysis import Cube

HOLDS, OPPOSITE, OPEN = "holds", "the opposite holds", "cannot be told"
SMALLER = "smaller than claimed"
VERDICTS = (HOLDS, OPPOSITE, SMALLER, OPEN)
DIFFERENCE, REVERSALS = "difference", "reversals"
MEASURES = (DIFFERENCE, REVERSALS)
AS_SHIPPED, OTHERWISE = "as_shipped", "otherwise"
WORLDS = (AS_SHIPPED, OTHERWISE)
CHOICES = (2, 4)
COLUMNS = [
    "lesson", "world", "claim", "arm", "against", "kpi", "quarter", "since", "measure", "sign",
    "beyond", "n", "mean", "low", "high", "verdict",
]  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """What is said of two arms and one indicator.

    With sign 1 the value is said to lie above `beyond`, with -1 below its negative, with 0 within
    `beyond` on both sides. The value is the mean of arm minus against. For reversals it is the
    share of replications in which the arm is not ahead, said to be more (1) or less (-1) than
    `beyond`.
    """

    arm: str = word("arm that something is said of")
    against: str = word("arm it is compared with, replication by replication")
    kpi: str = word("indicator, see sim/kpis.py")
    quarter: int = number(1, 80, "quarter", "at whose close")
    sign: int = number(-1, 1, "-", "1: more than beyond, -1: less than its negative, 0: within it")
    beyond: float = number(
        0, 1e15, "the indicator's", "how much more, less or alike; a share for reversals", default=0
    )
    since: int | None = field(
        default=None,
        metadata={
            "unit": "quarter",
            "meaning": "the difference at this close is taken off; null for none",
        },
    )
    measure: str = word(
        "difference, or reversals: the share of replications in which the arm is not ahead",
        default=DIFFERENCE,
    )

    def __post_init__(self) -> None:
        """Check names, ranges and that a claim says something."""
        check_fields(self)
        if self.kpi not in kpis.INDEX:
            raise KeyError(f"kpi={self.kpi!r} is unknown{nearest(self.kpi, kpis.INDEX)}")
        require_one_of("measure", self.measure, MEASURES)
        if self.since is not None and not 0 <= self.since < self.quarter:
            raise ValueError(
                f"since={self.since!r} is out of range: it must lie before quarter {self.quarter}"
            )
        if self.arm == self.against:
            raise ValueError(f"against={self.against!r}: an arm is compared with another one")
        if self.sign == 0 and self.beyond == 0:
            raise ValueError("beyond=0: with sign 0 it must say how alike the two are")
        if self.measure == REVERSALS and not (self.beyond < 1 and self.sign):
            raise ValueError(
                f"beyond={self.beyond:g}: reversals are a share below 1, with sign 1 or -1"
            )


@dataclass(frozen=True)
class Prediction:
    """What to answer before running."""

    question: str = word("what is asked")
    choices: tuple[str, ...] = word("two to four answers")

    def __post_init__(self) -> None:
        """Check that there is a choice."""
        low, high = CHOICES
        if not low <= len(self.choices) <= high:
            raise ValueError(
                f"choices={list(self.choices)!r}: give {low} to {high}, not {len(self.choices)}"
            )


@dataclass(frozen=True)
class Otherwise:
    """The falsifier: a world in which the claims ought to fail, and what is claimed there."""

    why: str = word("what is different there and why that ought to matter")
    settings: tuple[str, ...] = word("key=value texts that change the world")
    claims: tuple[Claim, ...] = word("what is claimed there")

    def __post_init__(self) -> None:
        """Check that there is another world and something to say of it."""
        if not self.settings:
            raise ValueError("settings: at least one key=value is needed, or nothing is different")
        if not self.claims:
            raise ValueError("claims: at least one is needed")


@dataclass(frozen=True)
class Lesson:
    """One teachable insight, as something that can turn out wrong."""

    number: int = number(1, 99, "-", "of the lesson; unique on the shelf")
    title: str = word("the insight in a few words")
    idea: str = word("the insight in two plain sentences")
    predict: Prediction = word("what to answer before running")
    claims: tuple[Claim, ...] = word("what the runs are said to show")
    see: str = word("what one should see")
    otherwise: Otherwise = word("where the opposite is said to hold")

    def __post_init__(self) -> None:
        """Check ranges and that something is claimed."""
        check_fields(self)
        if not self.claims:
            raise ValueError("claims: at least one is needed")

    def of(self, world: str) -> tuple[Claim, ...]:
        """Return the claims about a world of WORLDS."""
        return self.claims if world == AS_SHIPPED else self.otherwise.claims


@dataclass(frozen=True)
class Finding:
    """What the runs say to a claim: value, 95 % interval and verdict; NaN where undefined."""

    claim: Claim
    n: int
    mean: float
    low: float
    high: float
    verdict: str


def check(lesson: Lesson, arms: Sequence[str], quarters: int) -> None:
    """Refuse claims about arms or quarters that a study has not.

    Those about the other world are checked when that is composed, which may have other ones.

    Raises
    ------
    ValueError
        With the claim's place, the value and the nearest name.
    """
    _check_claims("lesson.claims", lesson.claims, arms, quarters)


def check_otherwise(lesson: Lesson, arms: Sequence[str], quarters: int) -> None:
    """Refuse claims about arms or quarters that the other world has not, as `check` does."""
    _check_claims("lesson.otherwise.claims", lesson.otherwise.claims, arms, quarters)


def _check_claims(path: str, claims: Sequence[Claim], arms: Sequence[str], quarters: int) -> None:
    for i, claim in enumerate(claims):
        for name in ("arm", "against"):
            require_one_of(f"{path}.{i}.{name}", getattr(claim, name), arms)
        if claim.quarter > quarters:
            raise ValueError(
                f"{path}.{i}.quarter={claim.quarter} lies beyond the horizon of {quarters} quarters"
            )


def judge(claim: Claim, cube: Cube) -> Finding:
    """Hold a claim against the runs."""
    # Imported late: settings read what a lesson is, and do without tables and statistics.
    from experiments.analysis import direction, paired

    gaps = cube.difference(claim.arm, claim.against, claim.kpi)
    seen = gaps[:, claim.quarter]
    if claim.since is not None:
        seen = without_dust(seen, gaps[:, claim.since])
    if claim.measure == REVERSALS:
        return _judged(claim, *_share_behind(seen, direction(claim.kpi)))
    sample = paired(seen)
    return _judged(claim, sample.n, sample.mean, sample.low, sample.high)


def _judged(claim: Claim, n: int, mean: float, low: float, high: float) -> Finding:
    by = verdict_on_share if claim.measure == REVERSALS else verdict
    return Finding(claim, n, mean, low, high, by(claim.sign, claim.beyond, low, high))


def _share_behind(seen: np.ndarray, better: int) -> tuple[int, float, float, float]:
    """Return n, the share of differences that are not for the better, and Wilson's interval."""
    from scipy import special

    from experiments.analysis import LEVEL

    seen = seen[~np.isnan(seen)]
    n = int(seen.size)
    if n == 0:
        return 0, math.nan, math.nan, math.nan
    share = float(np.mean(better * seen <= 0))
    z = float(special.ndtri(1 - LEVEL / 2))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return n, share, max(0.0, middle - half), min(1.0, middle + half)


def verdict(sign: int, beyond: float, low: float, high: float) -> str:
    """Return what an interval says, one of VERDICTS.

    A claim holds where the whole interval agrees with it. Where none of it does, the opposite
    holds; but of a claim that a difference is more than `beyond`, only where the interval lies
    wholly on the other side of 0 and reaches as far as `beyond` there: a lesser difference is
    smaller than claimed, whatever its sign. Without an interval (fewer than two replications)
    nothing can be told.
    """
    if math.isnan(low) or math.isnan(high):
        return OPEN
    if sign == 0:
        inside, outside = -beyond < low and high < beyond, low > beyond or high < -beyond
        return HOLDS if inside else OPPOSITE if outside else OPEN
    least, most = sorted((sign * low, sign * high))
    if least > beyond:
        return HOLDS
    if most < 0 and least <= -beyond:
        return OPPOSITE
    return SMALLER if most < beyond else OPEN


def verdict_on_share(sign: int, beyond: float, low: float, high: float) -> str:
    """Return what the interval of a share says: it lies above (1) or below (-1) `beyond`, or not.

    A share has no other side of 0, so that whatever is not more than `beyond` is less.
    """
    return verdict(sign, 0.0, low - beyond, high - beyond)


def table(
    lesson: Lesson,
    world: str,
    findings: Sequence[Finding],
    labels: Mapping[str, str],
    currency: str,
) -> pd.DataFrame:
    """Return findings as a tidy table with COLUMNS; since is empty (NaN) where there is none."""
    import pandas as pd

    rows = [
        (lesson.number, world, sentence(f.claim, labels, currency), f.claim.arm, f.claim.against,
         f.claim.kpi, f.claim.quarter, np.nan if f.claim.since is None else f.claim.since,
         f.claim.measure, f.claim.sign, f.claim.beyond, f.n, f.mean, f.low, f.high, f.verdict)
        for f in findings
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def sentence(claim: Claim, labels: Mapping[str, str], currency: str) -> str:
    """Return a claim in words; `labels` are those of the arms by key."""
    arm, against = (labels[key] for key in (claim.arm, claim.against))
    name = kpis.TABLE[kpis.INDEX[claim.kpi]].label
    name = name[:1].lower() + name[1:]
    when = f"in quarter {claim.quarter}"
    if claim.since is not None:
        when += f", set against their difference in quarter {claim.since}"
    if claim.measure == REVERSALS:
        word_ = "more" if claim.sign > 0 else "less"
        return (
            f"in {word_} than {100 * claim.beyond:g} % of single runs “{arm}” is not ahead of "
            f"“{against}” by {name} {when}"
        )
    size = how(claim, currency).amount(claim.beyond)
    if claim.sign == 0:
        return f"“{arm}” and “{against}” are alike in {name} {when} (within {size})"
    word_ = "above" if claim.sign > 0 else "below"
    by = f" by more than {size}" if claim.beyond else ""
    return f"“{arm}” lies {word_} “{against}” in {name} {when}{by}"


def found(finding: Finding, currency: str) -> str:
    """Return what was found: the value, its 95 % interval and the unit."""
    ways = how(finding.claim, currency, finding)
    signed = finding.claim.measure == DIFFERENCE
    mean, low, high = (ways.text(v, signed) for v in (finding.mean, finding.low, finding.high))
    return f"{mean} ({low} to {high}) {ways.unit}"


def how(claim: Claim, currency: str, finding: Finding | None = None) -> Shown:
    """Return how a claim's numbers are shown."""
    if claim.measure == REVERSALS:
        return Shown(100, 0, "% of runs")
    sizes = [claim.beyond] if finding is None else [finding.mean, finding.low, finding.high]
    size = max((abs(value) for value in sizes if math.isfinite(value)), default=0.0)
    return shown(kpis.TABLE[kpis.INDEX[claim.kpi]].unit, currency, size, change=True)
