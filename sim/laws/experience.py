"""Experience of a firm by those tied to it: performance, surprise, satisfaction, trust.

Source: Oliver (1980) for disconfirmation; Mittal, Ross & Baldasare (1998) for its asymmetry;
Anderson, Fornell & Lehmann (1994) for slowly adapting expectations; Slovic (1993) for trust that is
lost faster than won.
"""

from __future__ import annotations

from typing import Any

from sim.lanes import exp, law
from sim.laws.relax import logistic, positive, tanh


@law
def performance(quality_logit: Any, noise: Any, draw: Any) -> Any:
    """Return the quality in (0, 1) of one experience; `draw` is standard normal."""
    return logistic(quality_logit + noise * draw)


@law
def satisfaction_target(
    performed: Any, surprise: Any, weight: Any, aversion: Any, effect: Any
) -> Any:
    """Return the satisfaction in (-1, 1) that an experience points to (MODEL A.7)."""
    felt = positive(surprise) - aversion * positive(-surprise)
    return tanh(weight * felt + effect * (2.0 * performed - 1.0))


@law
def toward(y: Any, target: Any, share: Any) -> Any:
    """Return y moved by `share` in [0, 1] of its distance to the target."""
    return y + share * (target - y)


@law
def promises(count: Any, prior: Any, remembered: Any, evidence: Any) -> Any:
    """Return a pseudo-count of kept or broken promises after a week; never below the prior.

    `remembered` is the share exp(-decay) of past evidence that a week leaves.
    """
    return prior + remembered * (count - prior) + evidence


@law
def execution(
    human: Any,
    engagement: Any,
    pressure: Any,
    base: Any,
    human_effect: Any,
    engagement_effect: Any,
    pressure_effect: Any,
) -> Any:
    """Return the logit of service execution from readiness, engagement and waiting complaints.

    Heskett et al. (1994), service-profit chain; Harter, Schmidt & Hayes (2002) for engagement.
    """
    return base + human_effect * human + engagement_effect * engagement - pressure_effect * pressure


@law
def fit(distance_squared: Any, tolerance: Any) -> Any:
    """Return how well an offering meets needs, in (0, 1] (ideal point, Gaussian)."""
    return exp(-0.5 * distance_squared / (tolerance * tolerance))
