"""Shocks and seasons: what comes from outside the model, week by week, the same in every arm.

A `Calendar` turns the scenario's shocks and its season into the few numbers per firm and
stakeholder type that the firms' week reads (`sim.firms.Outside`). Nothing of it is a rule for whom
it hits: what a shock does to a firm follows from the firm's own state. Weeks are counted from the
first after the warm-up, which is week 1. What does not happen changes no bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sim.fields import WEEKS_PER_QUARTER, WEEKS_PER_YEAR
from sim.firms import BAD, DIMENSIONS, GOOD, Outside
from sim.outside import Shock
from sim.rng import Stream, id_of, slot_of, uniform
from sim.scenario import Scenario

FOREVER = 10**9  # weeks


@dataclass(frozen=True)
class Event:
    """A shock that happens in this replication: when, to whom, and which way needs move.

    `firms` are indices, `kinds` bool (K,), `way` float64 (K, DIMENSIONS) of length 1.
    """

    shock: Shock
    begin: int
    end: int
    firms: tuple[int, ...]
    kinds: np.ndarray
    way: np.ndarray

    def lives(self, week: int) -> bool:
        """Whether it is under way."""
        return self.begin <= week < self.end


class Calendar:
    """What happens when, in one replication."""

    def __init__(self, scenario: Scenario, seed: int, replication: int) -> None:
        self.n_firms, self.season = len(scenario.firms), scenario.season
        keys = [kind.key for kind in scenario.stakeholders]
        self.seasonal = np.array(
            [k.customer and (not self.season.to or k.key in self.season.to)
             for k in scenario.stakeholders]
        )  # fmt: skip
        self.events: list[Event] = []
        self.enters = np.full(self.n_firms, -FOREVER)  # week in which a firm enters
        ids = np.array([id_of(key) for key in keys], np.uint64)
        for shock in scenario.shocks:
            if shock.size == 0:
                continue
            begin = (shock.quarter - 1) * WEEKS_PER_QUARTER + shock.week
            happens = _happens(shock, seed, replication)
            if shock.kind == "new_entrant":
                enters = begin if happens else FOREVER
                for f in scenario.hit(shock):
                    self.enters[f] = max(self.enters[f], enters)
            elif happens:
                kinds = np.array([not shock.to or key in shock.to for key in keys])
                end = FOREVER if shock.weeks is None else begin + shock.weeks
                way = _way(shock, ids, seed, replication)
                self.events.append(Event(shock, begin, end, scenario.hit(shock), kinds, way))

        entrants = (self.enters > -FOREVER).any()
        self.quiet = not (self.events or entrants or self.season.demand)

    def present(self, week: int) -> np.ndarray:
        """Return which firms are there in a week, bool (F,)."""
        return np.asarray(self.enters <= week)

    def turn(self, week: int, now: Outside) -> None:
        """Write what comes from outside in a week; nothing to write leaves `now` as it opened."""
        if self.quiet:
            return
        for name, array in zip(Outside._fields, now, strict=True):
            array[:] = NEUTRAL.get(name, 0.0)
        now.present[:] = self.present(week)
        now.units[self.seasonal] = 1.0 + self.season.demand * self._height(week)
        for event in self.events:
            if event.lives(week):
                _apply(event, week, now)

    def occasions(self, week: int) -> np.ndarray | None:
        """Return the factor on the rate of occasions to choose by type, (K,); None without season.

        In [0, 2].
        """
        if self.season.occasions == 0:
            return None
        return np.where(self.seasonal, 1.0 + self.season.occasions * self._height(week), 1.0)

    def _height(self, week: int) -> float:
        """Return the season of a week: 1 at the peak, -1 half a year later, 0 on average."""
        return math.cos(2 * math.pi * (week - self.season.peak) / WEEKS_PER_YEAR)


# Of a week in which nothing comes from outside; 0 for all others.
NEUTRAL = {"present": 1.0, "price": 1.0, "units": 1.0}


def nothing_new(n_firms: int, n_kinds: int) -> Outside:
    """Return a week in which nothing comes from outside."""
    return Outside(
        present=np.ones(n_firms),
        quality=np.zeros((n_firms, n_kinds)),
        price=np.ones(n_firms),
        cost=np.zeros(n_firms),
        news=np.zeros((2, n_firms, n_kinds)),
        valence=np.zeros((2, n_firms, n_kinds)),
        hazard=np.zeros((n_firms, n_kinds)),
        units=np.ones(n_kinds),
        need=np.zeros((n_kinds, DIMENSIONS)),
    )


def _apply(event: Event, week: int, now: Outside) -> None:
    """Add one event to the week."""
    shock, kinds = event.shock, event.kinds
    if shock.kind == "demand":
        now.units[kinds] *= 1.0 + shock.size
    elif shock.kind == "need_jump":
        now.need[kinds] += shock.size * event.way[kinds]
    for f in event.firms:
        if shock.kind == "recall":
            now.quality[f, kinds] += shock.size
            now.cost[f] += shock.cost if week == event.begin else 0.0
        elif shock.kind == "price_move":
            now.price[f] *= 1.0 + shock.size
        elif shock.kind in ("crisis", "endorsement"):
            which = BAD if shock.kind == "crisis" else GOOD
            _report(shock, now.news[which, f], now.valence[which, f], kinds)
            now.hazard[f, kinds] += shock.salience


def _report(shock: Shock, news: np.ndarray, valence: np.ndarray, kinds: np.ndarray) -> None:
    """Add news to what is in the news already; what they say is their mean by evidence."""
    total = news[kinds] + shock.size
    valence[kinds] = (news[kinds] * valence[kinds] + shock.size * shock.valence) / total
    news[kinds] = total


def _happens(shock: Shock, seed: int, replication: int) -> bool:
    """Draw once per replication whether a shock happens; a chance of 1 always does."""
    drawn = uniform(seed, replication, Stream.SHOCK, id_of(shock.key))[..., 0]
    return bool(drawn < shock.chance)


def _way(shock: Shock, ids: np.ndarray, seed: int, replication: int) -> np.ndarray:
    """Draw for each stakeholder type which way its needs jump, (K, DIMENSIONS) of length 1."""
    slot = slot_of(shock.key)
    drawn = uniform(seed, replication, Stream.SHOCK, ids, block=1, slot=slot)[..., 0]
    angle = 2 * math.pi * drawn.astype(float)
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)
