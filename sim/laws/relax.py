"""The one primitive: every bounded state moves only by relaxing to a target (MODEL R1, R2).

    relax(y, m, r) = y + (1 - exp(-r)) (m - y)

is a convex combination, so bounded states stay bounded without clipping, fixed points do not depend
on the length of the week, and a rate of 0 changes no bit.
"""

from __future__ import annotations

from typing import Any

from sim.lanes import exp, law, log, select


@law
def chance(hazard: Any) -> Any:
    """Return the probability of an event with integrated hazard >= 0 (MODEL R2)."""
    return 1.0 - exp(-hazard)


@law
def threshold(u: Any) -> Any:
    """Return the integrated hazard beyond which the event with uniform draw u happens.

    The same event as chance(hazard) > u, with the exponential taken once per draw, not per lane.
    """
    return -log(1.0 - u)


@law
def relax(y: Any, target: Any, rate: Any) -> Any:
    """Return y moved to `target` with integrated rate >= 0."""
    return y + chance(rate) * (target - y)


@law
def share_of_rate(rate: Any) -> Any:
    """Return (1 - exp(-rate)) / rate, 1 at rate 0: what one unit of evidence moves (MODEL A.5)."""
    return select(rate > 1e-6, chance(rate) / select(rate > 1e-6, rate, 1.0), 1.0)


@law
def positive(x: Any) -> Any:
    """Return max(x, 0)."""
    return select(x > 0.0, x, 0.0)


@law
def logistic(x: Any) -> Any:
    """Return 1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + exp(-x))


@law
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent, as 1 - 2 / (1 + exp(2 x))."""
    return 1.0 - 2.0 / (1.0 + exp(x + x))
