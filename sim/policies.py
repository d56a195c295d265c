"""How a firm sets its money each quarter: organization and competitors share this shelf.

A policy is a pure function of what happened so far; it returns effort per mechanism. What does not
fit the budget is scaled down in proportion (`afford`). Most competitors stay passive; those who
retaliate do it with the same instrument (Steenkamp, Nijs, Hanssens & Dekimpe 2005).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sim.checks import nearest
from sim.scenario import Policy
from sim.state import add_up


@dataclass(frozen=True)
class Observed:
    """What one firm knows at a quarter's start; q quarters closed, F firms, L lanes.

    Its own books are exact. Rivals it knows as far as it senses flow 4 (see sim/sensing.py).

    Attributes
    ----------
    order : int (F,)
        Firms in the order of their keys.
    base : float (F, M, L)
        Today's effort plus the plan of this quarter, currency per quarter.
    revenue : float (q, F, L)
        Closed quarters' revenue; a policy reads its own alone.
    impressions : float (q, F, L)
        Impressions per customer and week as the firm read them at each close; nan of rivals that
        it did not sense.
    maturity, effort : float (q, F, M, L)
        Maturity at the close and effort of closed quarters; maturity 0 of rivals not sensed.
    outbound : bool (M,)
        Whether a mechanism acts on flow 1 of the firm that funds it.
    """

    order: np.ndarray
    base: np.ndarray
    revenue: np.ndarray
    impressions: np.ndarray
    maturity: np.ndarray
    effort: np.ndarray
    outbound: np.ndarray


def passive(firm: int, policy: Policy, seen: Observed) -> np.ndarray:
    """Return today's effort, whatever happens."""
    return seen.base[firm]


def proportional(firm: int, policy: Policy, seen: Observed) -> np.ndarray:
    """Return effort in proportion to revenue `lag` quarters ago, relative to the first quarter."""
    if len(seen.revenue) <= policy.lag:
        return seen.base[firm]
    then, first = seen.revenue[-policy.lag, firm], seen.revenue[0, firm]
    ratio = np.divide(then, first, out=np.ones_like(then), where=first > 0)
    return seen.base[firm] * (1.0 + policy.strength * (ratio - 1.0))


def reactive(firm: int, policy: Policy, seen: Observed) -> np.ndarray:
    """Raise outbound effort with the share of impressions lost to rivals in `lag` quarters.

    Who did not sense the rivals' messages at either end sees nothing to answer.
    """
    if len(seen.impressions) <= policy.lag:
        return seen.base[firm]
    lost = _own_share(firm, seen, -1 - policy.lag) - _own_share(firm, seen, -1)
    factor = np.maximum(0.0, 1.0 + policy.strength * np.nan_to_num(lost, nan=0.0))
    return np.where(seen.outbound[:, None], seen.base[firm] * factor, seen.base[firm])


def imitator(firm: int, policy: Policy, seen: Observed) -> np.ndarray:
    """Fund what rivals are best at and the firm lacks: their most mature mechanism, `lag` ago."""
    effort = seen.base[firm].copy()
    known = len(seen.maturity) - policy.lag + 1
    rivals = [rival for rival in seen.order if rival != firm]
    if known <= 0 or not rivals:
        return effort
    n_mechanisms, n_lanes = effort.shape
    spent = seen.effort[:known, rivals]
    lacking = seen.base[firm] == 0
    worth = np.where((spent > 0) & lacking, seen.maturity[:known, rivals], 0.0)
    worth = worth.reshape(known, -1, n_lanes)
    best = worth.argmax(axis=1)
    lanes = np.arange(n_lanes)
    for quarter in range(known):
        found = worth[quarter, best[quarter], lanes] > 0
        money = spent[quarter].reshape(-1, n_lanes)[best[quarter], lanes]
        what = best[quarter] % n_mechanisms
        copied = np.maximum(effort[what, lanes], policy.strength * money)
        effort[what, lanes] = np.where(found, copied, effort[what, lanes])
    return effort


def _own_share(firm: int, seen: Observed, quarter: int) -> np.ndarray:
    total = np.zeros(seen.impressions.shape[2])
    for f in seen.order:
        total = total + seen.impressions[quarter, f]
    own = seen.impressions[quarter, firm]
    nothing = np.where(np.isnan(total), np.nan, 0.0)
    return np.divide(own, total, out=nothing, where=total > 0)


POLICIES: dict[str, Callable[[int, Policy, Observed], np.ndarray]] = {
    "passive": passive,
    "proportional": proportional,
    "reactive": reactive,
    "imitator": imitator,
}


def policy_named(name: str) -> Callable[[int, Policy, Observed], np.ndarray]:
    """Return a policy; KeyError names the nearest."""
    if name not in POLICIES:
        raise KeyError(f"policy {name!r} is unknown{nearest(name, POLICIES)}")
    return POLICIES[name]


def afford(
    effort: np.ndarray, due: np.ndarray, investment: np.ndarray, budget: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scale a quarter's spending to the budget.

    Parameters
    ----------
    effort, due : float (M, L)
        Effort and set-up per mechanism; investment : float (3, L).
    budget : float
        Most that can be spent in the quarter.

    Returns
    -------
    effort, due, investment, share
        Set-ups are paid first; where they alone exceed the budget, nothing new is started. The rest
        is scaled in proportion. `share` (L,) is what part of all that was wished for, set-ups and
        starts put off included, is spent: 1 where all fits.
    """
    starts = due > 0
    wished = add_up(effort) + add_up(due) + add_up(investment)
    unpayable = add_up(due) > budget
    effort = np.where(starts & unpayable, 0.0, effort)
    due = np.where(unpayable, 0.0, due)
    wanted = add_up(effort) + add_up(investment)
    left = budget - add_up(due)
    scale = np.where(wanted > left, left / np.where(wanted > 0, wanted, 1.0), 1.0)
    effort, investment = effort * scale, investment * scale
    spent = add_up(effort) + add_up(due) + add_up(investment)
    share = np.where(spent < wished, spent / np.where(wished > 0, wished, 1.0), 1.0)
    return effort, due, investment, share
