"""Peer influence: what stakeholders say to each other about a firm (flow 2; about rivals, flow 5).

People talk more the stronger they feel and the more a firm is in their mind; hearing makes a firm
salient and pulls attitude to what is said. The attitude moves to the precision-weighted mean of all
it met this week: anchor, peers, claims, experience. Source: Anderson (1998) for talk; Friedkin &
Johnsen (1990) for the anchored average; Deffuant et al. (2000) for bounded confidence.
"""

from __future__ import annotations

from typing import Any

from sim.lanes import law, round_even, select, to_int
from sim.laws.relax import positive, share_of_rate

FULL = 16383.0
PROMOTER = 0.5


@law
def talk_hazard(rate: Any, in_mind: Any, valence: Any, base: Any, joy: Any, anger: Any) -> Any:
    """Return the weekly hazard of speaking about a firm (MODEL A.6)."""
    return rate * in_mind * (base + joy * positive(valence) + anger * positive(-valence))


@law
def encode(valence: Any) -> Any:
    """Return a valence in [-1, 1] as an even integer in [-32766, 32766], never 0 (silence)."""
    value = to_int(round_even(valence * FULL)) * 2
    return select(value == 0, 2, value)


@law
def attitude(
    x: Any,
    opening: Any,
    anchor: Any,
    heard: Any,
    heard_sum: Any,
    claimed: Any,
    claim: Any,
    experienced: Any,
    satisfaction: Any,
) -> Any:
    """Return the attitude after a week's evidence; the mean of all sources by their rates.

    `heard` is the evidence heard and `heard_sum` evidence times valence; `claimed` and
    `experienced` are the evidence of claims and of own experience. Nothing heard changes no bit.
    """
    total = anchor + heard + claimed + experienced
    pull = (
        anchor * (opening - x)
        + (heard_sum - heard * x)
        + claimed * (claim - x)
        + experienced * (satisfaction - x)
    )
    return x + share_of_rate(total) * pull
