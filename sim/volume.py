"""What the activity of mechanisms will cost: looked ahead a quarter by firms, a horizon by plans.

Volume cost follows output, which nobody knows beforehand. Both forecasts take readiness as it
stands and no dip of implementation; what is charged in the end is what is done
(`firm_kernels.finance.volume_week`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.fields import CAPITALS, WEEKS_PER_QUARTER
from sim.flows import ORGANIZATION
from sim.laws import capability, finance
from sim.opening import FORMS
from sim.scenario import Scenario


def of_wish(given: Any, physics: Any, state: Any, firm: int, wish: np.ndarray) -> np.ndarray:
    """Return the volume cost (M, L) of a quarter at `wish` (M, L), all in currency per quarter.

    At the maturity and readiness of the quarter's start, for whom the mechanism reaches then.
    """
    cost = np.zeros_like(wish)
    for m in np.flatnonzero(given.volume > 0):
        reached = np.where(
            given.reached_tied[m, :, None], state.tied[firm], given.reached[m, :, None]
        ).sum(axis=0)
        for lane in np.flatnonzero(wish[m] > 0):
            ready = capability.bundle(
                *state.ready[firm, :, lane], *given.needs[m], physics.complementarity[lane]
            )
            level = capability.effort_level(wish[m, lane], given.running[m])
            output = capability.output(state.maturity[firm, m, lane], ready, level)
            week = finance.volume(given.volume[m], reached[lane], output)
            cost[m, lane] = WEEKS_PER_QUARTER * week
    return cost


def of_plan(
    scenario: Scenario, row: int, effort: np.ndarray, firm: int = ORGANIZATION
) -> np.ndarray:
    """Return a firm's volume cost per quarter, float64 (quarters,), beyond today's.

    Parameters
    ----------
    row : int
        Mechanism.
    effort : float (quarters,)
        Money per quarter on it, on top of today's programme.
    """
    if scenario.mechanisms[row].volume == 0:
        return np.zeros(scenario.quarters)
    today = _of_horizon(scenario, row, 0.0 * effort, firm)
    return _of_horizon(scenario, row, effort, firm) - today


def _of_horizon(scenario: Scenario, row: int, effort: np.ndarray, f: int) -> np.ndarray:
    mechanism, firm = scenario.mechanisms[row], scenario.firms[f]
    today = firm.programmes.get(mechanism.key)
    base, mu = (0.0, 0.0) if today is None else (today.effort, today.maturity)
    ready = capability.bundle(
        *(c.readiness if c.stock > 0 else 0.0 for c in (firm.capital[name] for name in CAPITALS)),
        *(mechanism.needs.get(name, 0.0) for name in CAPITALS),
        scenario.physics.complementarity,
    )
    week_cost = mechanism.volume * _share_reached(scenario, row, f) / WEEKS_PER_QUARTER
    quarters = [base] * scenario.warm_up + (base + effort).tolist()
    cost = np.zeros(len(quarters))
    for q, money in enumerate(quarters):
        level = capability.effort_level(money, mechanism.running)
        for _ in range(WEEKS_PER_QUARTER):
            mu = capability.mature(
                mu,
                FORMS[mechanism.maturity],
                level,
                mechanism.half_life,
                scenario.physics.maturity_decay,
                firm.levers.get("learning", 1.0),
            )
            cost[q] += week_cost * capability.output(mu, ready, level)
    return cost[scenario.warm_up :]


def _share_reached(scenario: Scenario, row: int, f: int) -> float:
    """Return the share of all stakeholders that a firm reaches by a mechanism today.

    By the scenario's counts and shares; people's own tables may reach others.
    """
    mechanism, ours = scenario.mechanisms[row], scenario.firms[f].key
    reached = sum(
        kind.count * (kind.tied.get(ours, 0.0) if mechanism.reach == "tied" else 1.0)
        for kind in scenario.stakeholders
        if mechanism.addresses(kind.key)
    )
    return reached / max(1, sum(kind.count for kind in scenario.stakeholders))
