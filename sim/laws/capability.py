"""Capability: capital takes time to build, bundles gate mechanisms, practice matures.

Source: Kaplan & Norton (2004) for human, information and organization capital and their bundling;
perpetual inventory for stocks; Schneiderman (1988) for half-lives of improvement; Repenning &
Sterman (2002) for the dip of implementation; Bass (1969) for adoption of a practice by colleagues.
"""

from __future__ import annotations

import math
from typing import Any

from sim.lanes import law
from sim.laws.relax import relax

EXPONENTIAL, LOGISTIC, INTERNAL_BASS = range(3)
STAGES = 3
# Where an S-curve starts: the share that already practises; assumption.
SEED = 0.02
# Adoption of a practice (Bass 1969): q / p, colleagues against training; assumption.
IMITATION = 12.0
# Time in units of 1 / p to half adoption, ln(2 + q/p) / (1 + q/p), so that half-lives are exact.
BASS_HALF = math.log(2.0 + IMITATION) / (1.0 + IMITATION)


@law
def readiness(stock: Any, reference: Any) -> Any:
    """Return the readiness in [0, 1) that a capital stock gives."""
    return 1.0 - math.exp(-stock / reference)


@law
def reference_stock(stock: Any, opening_readiness: Any) -> Any:
    """Return the reference stock at which `stock` gives `opening_readiness` in (0, 1)."""
    return -stock / math.log(1.0 - opening_readiness)


@law
def bundle(
    human: Any, information: Any, organization: Any, a: Any, b: Any, c: Any, exponent: Any
) -> Any:
    """Return the readiness of a bundle: CES mean with weights a + b + c = 1 and exponent <= 1.

    1 is the weighted sum, 0 the product (Cobb & Douglas 1928), minus infinity the weakest asset.
    For exponents <= 0 a needed capital of readiness 0 makes the bundle 0.
    """
    if exponent > 0.0:
        total = a * human**exponent + b * information**exponent + c * organization**exponent
        return total ** (1.0 / exponent)
    if (
        (a > 0.0 and human <= 0.0)
        or (b > 0.0 and information <= 0.0)
        or (c > 0.0 and organization <= 0.0)
    ):
        return 0.0
    x = math.log(human) if a > 0.0 else 0.0
    y = math.log(information) if b > 0.0 else 0.0
    z = math.log(organization) if c > 0.0 else 0.0
    if exponent == 0.0:
        return math.exp(a * x + b * y + c * z)
    lowest = min(x if a > 0.0 else 0.0, y if b > 0.0 else 0.0, z if c > 0.0 else 0.0)
    total = (
        a * math.exp(exponent * (x - lowest))
        + b * math.exp(exponent * (y - lowest))
        + c * math.exp(exponent * (z - lowest))
    )
    return math.exp(lowest + math.log(total) / exponent)


@law
def effort_level(effort: Any, running: Any) -> Any:
    """Return effort relative to the reference effort, both money per quarter."""
    return effort / running


@law
def output(maturity: Any, ready: Any, level: Any) -> Any:
    """Return the output of a mechanism in [0, 1): 0 without spending, concave in spending."""
    return maturity * ready * (1.0 - math.exp(-level))


@law
def beyond(y: Any, above: Any) -> Any:
    """Return how much of what lies beyond `above` an output y has reached, all in [0, 1).

    What is overdone: nothing up to `above`, in proportion from there; all of the output for 0.
    """
    return max(0.0, y - above) / (1.0 - above)


@law
def mature(mu: Any, form: int, level: Any, half_life: Any, decay: Any, learning: Any) -> Any:
    """Return the maturity in [0, 1] after a week at an effort level >= 0 (MODEL A.9).

    Exponential: the gap to 1 closes with the half-life; logistic and internal Bass are S-curves
    scaled to the same half-life. `learning` multiplies the speed. Unfunded routines decay.
    """
    if level <= 0.0:
        return relax(mu, 0.0, decay)
    speed = learning * min(level, 1.0) * math.log(2.0) / half_life
    if form == EXPONENTIAL:
        return relax(mu, 1.0, speed)
    if form == LOGISTIC:
        start = max(mu, SEED)
        growth = speed * math.log((1.0 - SEED) / SEED) / math.log(2.0)
        return logistic_step(start, growth, decay, 1.0)
    training = speed * BASS_HALF / math.log(2.0)
    return relax(mu, 1.0, training * (1.0 + IMITATION * mu))


@law
def logistic_step(mu: Any, growth: Any, decay: Any, weeks: Any) -> Any:
    """Return the closed-form solution of mu' = growth mu (1 - mu) - decay mu after `weeks`.

    Fixed point 1 - decay / growth for growth > decay.
    """
    net = growth - decay
    if abs(net) < 1e-12:
        return mu / (1.0 + growth * mu * weeks)
    rise = math.exp(net * weeks)
    return net * mu * rise / (net + growth * mu * (rise - 1.0))


@law
def dip(change: Any, weeks: Any) -> Any:
    """Return the factor in [0, 1] on a department's outputs while it learns something new."""
    return max(0.0, 1.0 - weeks * change)


@law
def wear(stock: Any, inflow: Any, depreciation: Any) -> tuple[Any, Any]:
    """Return (stock, what wore out) after a week of steady inflow; steady state inflow / rate.

    Perpetual inventory, integrated exactly; depreciation in 1/week, > 0 or 0; nothing is lost.
    """
    kept = math.exp(-depreciation)
    gained = inflow * (1.0 - kept) / depreciation if depreciation > 0.0 else inflow
    after = kept * stock + gained
    return after, stock + inflow - after


@law
def build(stage: Any, inflow: Any, rate: Any) -> tuple[Any, Any]:
    """Return (stock of a build stage, what leaves it) after a week; nothing is lost."""
    leaving = (stage + inflow) * (1.0 - math.exp(-rate))
    return stage + inflow - leaving, leaving
