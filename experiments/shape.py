"""The shape of a transformation over time, measured: what Attenzi's chief executive saw.

Nothing of it is put in: each fact is a number per replication of a transformation beside the
baseline on the same luck, with its 95 % t interval, and a verdict as a lesson's claim has one.
Source: the course of events in Philip Sheldrake's Attenzi (2013), in our own words; which numbers
count as that course is an assumption.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments import lessons
from experiments.analysis import Cube, paired
from experiments.notation import Shown
from sim import lookup, scorecard
from sim.arms import Arm
from sim.engine import Run
from sim.flows import ORGANIZATION
from sim.laws import recommend
from sim.ledger import answers
from sim.population import build_world
from sim.scenario import Scenario
from sim.scorecard import RED, Board

YEAR = 4
SHARE, POINTS, COUNT = Shown(100, 1, "%"), Shown(100, 2, "% points"), Shown(1, 2, "lights")
MAJORITY = 0.5
ALIKE_GROWTH = 0.01  # share per year; growth of this much more or less is about the industry's
SMALL_GAIN = 0.01  # share of revenue; a first-year gain below it is small
OFTEN = 0.1  # share of pairs of single firms that point the wrong way
QUARTERS = 3 * YEAR  # what the facts speak of


@dataclass(frozen=True)
class Fact:
    """One fact of the shape: what is said, the value per replication and what would confirm it.

    With sign 1 or -1 it is a share that is said to lie above or below `beyond`, or a difference
    that is said to lie above or below 0; with sign 0 a difference within `beyond` on both sides.
    """

    number: int
    says: str
    values: np.ndarray  # (replication,)
    sign: int
    beyond: float
    unit: Shown


def facts(cube: Cube, arm: str, baseline: str, board: Board, passives: np.ndarray) -> list[Fact]:
    """Return the facts of an arm beside the baseline.

    Parameters
    ----------
    cube : Cube
        Of at least three years.
    passives : float64 array (replication,)
        Share of passives among our customers at the start, see `passives_at_start`.

    Raises
    ------
    ValueError
        If the horizon is shorter than three years, or no replication has finished.
    """
    if cube.quarters < QUARTERS:
        raise ValueError(f"quarters={cube.quarters}: the shape is that of {QUARTERS} quarters")
    reds = red_lights(cube, arm, board, baseline) - red_lights(cube, baseline, board, baseline)
    margin = cube.difference(arm, baseline, "operating_margin")
    revenue = {key: cube.of(key, "revenue") for key in (arm, baseline)}
    years = {key: [_year(values, n).sum(axis=1) for n in (1, 2, 3)]
             for key, values in revenue.items()}  # fmt: skip
    own = _year(cube.of(baseline, "growth_against_market"), 1).sum(axis=1) / 100.0
    last = {key: each[2] / each[1] - 1.0 for key, each in years.items()}
    share = [cube.of(key, "market_share")[:, QUARTERS] for key in (arm, baseline)]
    first, third = _year(reds, 1).mean(axis=1), _year(reds, 3).mean(axis=1)
    return [
        Fact(1, "at the start a majority of customers are passives, who would answer 7 or 8",
             passives, 1, MAJORITY, SHARE),
        Fact(1, "as is, the first year's growth is within one point of the market's",
             own, 0, ALIKE_GROWTH, POINTS),
        Fact(2, "in the first year the transformation shows more red lights than as is",
             first, 1, 0.0, COUNT),
        Fact(2, "in the third year its surplus of red lights is smaller than in the first",
             third - first, -1, 0.0, COUNT),
        Fact(3, "over the first three quarters its margin is below as is",
             margin[:, 1:4].mean(axis=1), -1, 0.0, POINTS),
        Fact(3, "over quarters 4 to 12 its margin is above as is",
             margin[:, 4 : QUARTERS + 1].mean(axis=1), 1, 0.0, POINTS),
        Fact(3, "over the last year its margin is above as is",
             _year(margin, 3).mean(axis=1), 1, 0.0, POINTS),
        Fact(4, "in the first year its revenue is within one percent of as is",
             years[arm][0] / years[baseline][0] - 1.0, 0, SMALL_GAIN, SHARE),
        Fact(4, "from the second to the third year its revenue grows faster than as is",
             last[arm] - last[baseline], 1, 0.0, POINTS),
        Fact(4, "from the second to the third year its revenue grows more than twice as fast",
             last[arm] - 2 * last[baseline], 1, 0.0, POINTS),
        Fact(5, "one transformed firm and one that is as is, each in a world of its own: in more "
                "than a tenth of such pairs the transformed one ends with less market share",
             pseudo_values(*share), 1, OFTEN, SHARE),
    ]  # fmt: skip


def table(found: list[Fact]) -> pd.DataFrame:
    """Return facts as a tidy table: fact, says, n, mean, low, high, unit, shown, verdict."""
    rows = []
    for fact in found:
        sample = paired(fact.values)
        by = lessons.verdict_on_share if fact.sign else lessons.verdict
        verdict = by(fact.sign, fact.beyond, sample.low, sample.high)
        mean, low, high = (fact.unit.text(v) for v in (sample.mean, sample.low, sample.high))
        rows.append((fact.number, fact.says, sample.n, sample.mean, sample.low, sample.high,
                     f"{mean} ({low} to {high}) {fact.unit.unit}", verdict))  # fmt: skip
    return pd.DataFrame(
        rows, columns=["fact", "says", "n", "mean", "low", "high", "shown", "verdict"]
    )


def margin_by_quarter(cube: Cube, arm: str, baseline: str) -> str:
    """Return the mean difference in operating margin, quarter by quarter, in percentage points."""
    means = scorecard.mean(cube.difference(arm, baseline, "operating_margin"))
    return " ".join(POINTS.text(value, signed=True) for value in means[1:])


def red_lights(cube: Cube, arm: str, board: Board, baseline: str) -> np.ndarray:
    """Return how many indicators are red, int64 (replication, quarter), each world by itself."""
    values, as_is = cube.arm(arm), cube.arm(baseline)
    counts = np.zeros(values.shape[:2], np.int64)
    for r in range(len(values)):
        rows = scorecard.scorecard(
            values[r : r + 1], as_is[r : r + 1], board.targets, board.tolerance
        )
        for row in rows:
            counts[r, row.quarter] += row.status == RED
    return counts


def passives_at_start(scenario: Scenario, arm: Arm, seed: int, replication: int) -> float:
    """Return the share of our customers who would answer 7 or 8, at the opening of the books."""
    run = Run(scenario, [arm], seed, replication, build_world(scenario, seed, replication))
    run.stop()
    ours = lookup.provider(run.state)[:, 0] == ORGANIZATION
    ours &= np.array([kind.customer for kind in scenario.stakeholders])[run.world.kind]
    physics = scenario.physics
    says = recommend.likelihood(
        lookup.satisfaction(run.state)[:, 0],
        lookup.attitude(run.state, ORGANIZATION)[:, 0],
        answers(run),
        physics.recommend_base,
        physics.recommend_satisfaction,
        physics.recommend_attitude,
        physics.recommend_noise,
    )
    passive = (says >= recommend.DETRACTOR) & (says < recommend.PROMOTER)
    return float(passive[ours].mean()) if ours.any() else math.nan


def pseudo_values(ours: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return jackknife values of the share of pairs of different worlds in which ours is lower.

    Their mean is that share and their t interval the jackknife's; (replication,) each. NaN for
    fewer than three replications.
    """
    n = len(ours)
    if n < 3:
        return np.full(n, np.nan)
    lower = (ours[:, None] < others[None, :]).astype(np.float64)
    np.fill_diagonal(lower, 0.0)
    total = lower.sum()
    without = (total - lower.sum(axis=0) - lower.sum(axis=1)) / ((n - 1) * (n - 2))
    found: np.ndarray = n * (total / (n * (n - 1))) - (n - 1) * without
    return found


def _year(values: np.ndarray, number: int) -> np.ndarray:
    """Return the four quarters of a year, the first being 1; quarter 0 is the opening."""
    found: np.ndarray = values[:, 1 + YEAR * (number - 1) : 1 + YEAR * number]
    return found
