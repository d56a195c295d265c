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
from sim.organization import Policy
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
    quarter : int
        The quarter that begins, 1 for the first, 0 in the warm-up.
    mechanisms : tuple of str (M,)
        Their keys.
    """

    order: np.ndarray
    base: np.ndarray
    revenue: np.ndarray
    impressions: np.ndarray
    maturity: np.ndarray
    effort: np.ndarray
    outbound: np.ndarray
    quarter: int
    mechanisms: tuple[str, ...]


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


def best_response(firm: int, policy: Policy, seen: Observed) -> np.ndarray:
    """Divide today's money anew, as the best reply to the shares of the market `lag` quarters ago.

    In Lanchester's model of combat for customers with the square root of spending (Chintagunta &
    Vilcassim 1992), money u that wins customers works on those whom rivals have, 1 - s, and money
    that serves customers on one's own, s: its marginal worth is b x / (2 sqrt(u)) with x = 1 - s or
    s. Today's division is taken for the best reply to the first share s0 that was seen, which
    reveals b for each programme; at another share the best reply then is u (x / x0)^2, scaled to
    the same sum. What wins customers is what acts on flow 1. The exponent is 2 x `strength`.
    """
    known = len(seen.revenue) - policy.lag + 1
    if known <= 0:
        return seen.base[firm]
    shares = np.stack([_market_share(firm, seen, quarter) for quarter in range(known)])
    sold = shares > 0
    first = np.take_along_axis(shares, sold.argmax(axis=0)[None], axis=0)[0]
    factors = [
        np.divide(x, x0, out=np.ones_like(x), where=x0 > 0) ** (2.0 * policy.strength)
        for x, x0 in ((1.0 - shares[-1], 1.0 - first), (shares[-1], first))
    ]
    wished = seen.base[firm] * np.where(seen.outbound[:, None], *factors)
    money, wanted = add_up(seen.base[firm]), add_up(wished)
    scale = np.divide(money, wanted, out=np.ones_like(money), where=wanted > 0)
    changed = (factors[0] != factors[1]) & (wanted > 0)
    return np.where(changed, wished * scale, seen.base[firm])


def _market_share(firm: int, seen: Observed, quarter: int) -> np.ndarray:
    return _share(firm, seen.order, seen.revenue[quarter])


def scripted(firm: int, policy: Policy, seen: Observed) -> np.ndarray:
    """Return today's effort times the factors of a schedule; the last factor goes on."""
    effort = seen.base[firm].copy()
    if seen.quarter == 0:
        return effort
    for key, factors in policy.schedule.items():
        effort[seen.mechanisms.index(key)] *= factors[min(seen.quarter, len(factors)) - 1]
    return effort


def _own_share(firm: int, seen: Observed, quarter: int) -> np.ndarray:
    return _share(firm, seen.order, seen.impressions[quarter])


def _share(firm: int, order: np.ndarray, by_firm: np.ndarray) -> np.ndarray:
    """Return a firm's share of a sum over firms, (L,): 0 of nothing, nan where that is not known.

    Summed in the firms' order.
    """
    total = add_up(by_firm[order])
    own = by_firm[firm]
    nothing = np.where(np.isnan(total), np.nan, 0.0)
    return np.divide(own, total, out=nothing, where=total > 0)


POLICIES: dict[str, Callable[[int, Policy, Observed], np.ndarray]] = {
    "passive": passive,
    "proportional": proportional,
    "reactive": reactive,
    "imitator": imitator,
    "best_response": best_response,
    "scripted": scripted,
}


def policy_named(name: str) -> Callable[[int, Policy, Observed], np.ndarray]:
    """Return a policy; KeyError names the nearest."""
    if name not in POLICIES:
        raise KeyError(f"policy {name!r} is unknown{nearest(name, POLICIES)}")
    return POLICIES[name]


def afford(
    effort: np.ndarray,
    due: np.ndarray,
    investment: np.ndarray,
    budget: float | np.ndarray,
    volume: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scale a quarter's spending to the budget.

    Parameters
    ----------
    effort, due : float (M, L)
        Effort and set-up per mechanism; investment : float (3, L).
    budget : float or float (L,)
        Most that can be spent in the quarter.
    volume : float (M, L), optional
        What the activity that `effort` buys is expected to cost on top; none if left out.

    Returns
    -------
    effort, due, investment, share
        Set-ups are paid first; where they alone exceed the budget, nothing new is started. The rest
        is scaled in proportion. `share` (L,) is what part of all that was wished for, set-ups and
        starts put off included, is spent: 1 where all fits.
    """
    starts = due > 0
    volume = np.zeros_like(effort) if volume is None else volume
    wished = add_up(effort) + add_up(volume) + add_up(due) + add_up(investment)
    unpayable = add_up(due) > budget
    effort = np.where(starts & unpayable, 0.0, effort)
    volume = np.where(effort > 0, volume, 0.0)
    due = np.where(unpayable, 0.0, due)
    wanted = add_up(effort) + add_up(volume) + add_up(investment)
    left = budget - add_up(due)
    scale = np.where(wanted > left, left / np.where(wanted > 0, wanted, 1.0), 1.0)
    effort, investment = effort * scale, investment * scale
    spent = add_up(effort) + add_up(volume * scale) + add_up(due) + add_up(investment)
    share = np.where(spent < wished, spent / np.where(wished > 0, wished, 1.0), 1.0)
    return effort, due, investment, share
