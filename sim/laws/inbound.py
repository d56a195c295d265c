"""Inbound influence: how stakeholders change a firm (flow 3; for a competitor, flow 6).

A firm hears a sample of the voices about it, estimates needs from them, and moves its offering to
the estimate as fast as insight is delivered, absorbed and adopted. Not listening freezes estimate
and offering while needs drift on. Source: Kalman (1960) for the estimate; Cohen & Levinthal (1990)
for absorptive capacity.
"""

from __future__ import annotations

import math
from typing import Any

from sim.lanes import law
from sim.laws.relax import relax

EXACT_VARIANCE = 100.0


@law
def heard(n: Any, share: Any, u: Any) -> Any:
    """Return how many of n voices are heard: the inverse binomial distribution at uniform u.

    Exact while the variance is at most 100, the rounded normal quantile with a skewness correction
    (Cornish & Fisher 1938) beyond; never below 0 or above n, monotone in u.
    """
    if n <= 0 or share <= 0.0:
        return 0
    if share >= 1.0:
        return n
    variance = n * share * (1.0 - share)
    if variance > EXACT_VARIANCE:
        z = normal_quantile(u)
        skew = (1.0 - 2.0 * share) / 6.0 * (z * z - 1.0)
        return min(n, max(0, math.floor(n * share + z * math.sqrt(variance) + skew + 0.5)))
    p = min(share, 1.0 - share)
    target = u if p == share else 1.0 - u
    term = math.exp(n * math.log1p(-p))
    total = term
    k = 0
    while total < target and k < n:
        term *= (n - k) * p / ((k + 1) * (1.0 - p))
        total += term
        k += 1
    return k if p == share else n - k


@law
def normal_quantile(u: Any) -> Any:
    """Return the standard normal quantile of u in (0, 1) (Acklam's rational form, error < 2e-9)."""
    if u < 0.02425 or u > 0.97575:
        tail = u if u < 0.5 else 1.0 - u
        q = math.sqrt(-2.0 * math.log(tail))
        z = (
            (
                (
                    ((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838)
                    * q
                    - 2.549732539343734
                )
                * q
                + 4.374664141464968
            )
            * q
            + 2.938163982698783
        ) / (
            (
                ((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996) * q
                + 3.754408661907416
            )
            * q
            + 1.0
        )
        return z if u < 0.5 else -z
    q = u - 0.5
    r = q * q
    top = (
        (
            (
                ((-3.969683028665376e01 * r + 2.209460984245205e02) * r - 2.759285104469687e02) * r
                + 1.383577518672690e02
            )
            * r
            - 3.066479806614716e01
        )
        * r
        + 2.506628277459239
    ) * q
    return top / (
        (
            (
                ((-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02) * r
                + 6.680131188771972e01
            )
            * r
            - 1.328068155288572e01
        )
        * r
        + 1.0
    )


@law
def gain(variance: Any, voice_variance: Any, n: Any) -> Any:
    """Return the weight in [0, 1] of the mean of n heard voices against what was believed.

    0 where nothing was heard, or where what is believed is known for sure.
    """
    if n <= 0 or variance <= 0.0:
        return 0.0
    return variance / (variance + voice_variance / n)


@law
def posterior(variance: Any, weight: Any) -> Any:
    """Return the variance of the estimate after hearing with that weight (Kalman 1960)."""
    return (1.0 - weight) * variance


@law
def pass_on(first: Any, second: Any, third: Any, estimate: Any, delay: Any) -> tuple[Any, Any, Any]:
    """Return three stages of insight on its way: an Erlang-3 delay of `delay` weeks in all."""
    rate = math.log1p(3.0 / max(delay, 1e-9))
    first = relax(first, estimate, rate)
    second = relax(second, first, rate)
    third = relax(third, second, rate)
    return first, second, third


@law
def adapt(offering: Any, understood: Any, rate: Any, delivered: Any, absorbed: Any) -> Any:
    """Return the offering moved to what has been understood (MODEL A.10)."""
    return relax(offering, understood, rate * delivered * absorbed)
