"""Choice of a provider: a logit over the firms in mind and none, on the same luck in every arm.

Utilities get Gumbel draws keyed by (stakeholder, week, firm), so raising one firm's value can only
move choices to that firm (Gumbel-max coupling) and churn and acquisition come out of one draw.
Source: McFadden (1974); Guadagni & Little (1983) for loyalty; Winer (1986) for reference prices.
"""

from __future__ import annotations

from typing import Any

from sim.lanes import law, log, select
from sim.laws.relax import relax

# How fast the price held for right follows what people are used to, 1/week: half of the way in 13
# weeks; assumption.
PRICE_MEMORY = 0.6931471805599453 / 13.0


@law
def gumbel(u: Any) -> Any:
    """Return a standard Gumbel number from a uniform one in (0, 1)."""
    return -log(-log(u))


@law
def in_mind(salience: Any) -> Any:
    """Return log salience, so that a firm nobody thinks of is never chosen (MODEL A.8)."""
    return log(select(salience > 1e-30, salience, 1e-30))


@law
def reference_price(worn: Any, erosion: Any) -> Any:
    """Return by which share the price held for right lies below the list price after a week.

    It follows `erosion`, what people are getting used to, slowly, and as slowly recovers: adaptive
    expectations, Winer (1986). Both in [0, 1).
    """
    return relax(worn, erosion, PRICE_MEMORY)


@law
def utility(
    base: Any,
    salience: Any,
    attitude: Any,
    expectation: Any,
    reference: Any,
    attitude_weight: Any,
    expectation_weight: Any,
) -> Any:
    """Return the value of a firm in utils, without switching cost and luck."""
    return (
        base
        + attitude_weight * attitude
        + expectation_weight * (expectation - reference)
        + in_mind(salience)
    )
