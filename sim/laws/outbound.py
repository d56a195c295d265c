"""Outbound influence: what a firm says to its stakeholders (flow 1; for a competitor, flow 4).

Impressions make a firm salient, carry a claim that moves attitude in proportion to trust, and raise
expectations, so that over-claiming buys trial now and disappointment later. Source: Nerlove & Arrow
(1962) for the stock of advertising; Vidale & Wolfe (1957) per stakeholder for salience; Hovland &
Weiss (1951) for credibility.
"""

from __future__ import annotations

from typing import Any

from sim.lanes import exp, law, select
from sim.laws.relax import chance, relax


@law
def goodwill(stock: Any, impressions: Any, decay: Any) -> Any:
    """Return next week's advertising stock, impressions per capita; steady state A / decay.

    Nerlove & Arrow (1962), integrated exactly over the week; decay in 1/week, >= 0.
    """
    kept = exp(-decay)
    gain = select(decay > 1e-9, (1.0 - kept) / select(decay > 1e-9, decay, 1.0), 1.0)
    return kept * stock + gain * impressions


@law
def salience(s: Any, hazard: Any, decay: Any) -> Any:
    """Return the probability of being in mind after a week of integrated hazard and forgetting.

    Gains work on those who do not think of the firm, losses on those who do (Vidale & Wolfe 1957);
    exact for hazards that are constant over the week, in [0, 1] without clipping.
    """
    total = hazard + decay
    target = select(total > 1e-12, hazard / select(total > 1e-12, total, 1.0), s)
    return s + chance(total) * (target - s)


@law
def trust(kept: Any, broken: Any) -> Any:
    """Return trust in [0, 1]: kept promises among all, as pseudo-counts > 0."""
    return kept / (kept + broken)


@law
def expectation(e: Any, promise: Any, rate: Any, trusted: Any) -> Any:
    """Return expected quality after hearing a promised quality; trust 1/2 is neutral."""
    return relax(e, promise, rate * (trusted + trusted))


@law
def claim_evidence(rate: Any, trusted: Any) -> Any:
    """Return the integrated evidence of a claim; trust 1/2 is neutral (MODEL A.4)."""
    return rate * (trusted + trusted)
