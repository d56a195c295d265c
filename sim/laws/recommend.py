"""Would one recommend a firm one is tied to: an answer from 0 to 10, read and never acted upon.

Promoters answer 9 or 10, detractors 6 or less, rounded (Reichheld 2003); the answer is linear in
satisfaction and attitude (MODEL A.7; assumption).
"""

from __future__ import annotations

from typing import Any

from sim.lanes import law

PROMOTER, DETRACTOR = 8.5, 6.5


@law
def likelihood(
    satisfaction: Any,
    attitude: Any,
    draw: Any,
    base: Any,
    by_satisfaction: Any,
    by_attitude: Any,
    noise: Any,
) -> Any:
    """Return the likelihood to recommend, in points; `draw` is standard normal."""
    return base + by_satisfaction * satisfaction + by_attitude * attitude + noise * draw
