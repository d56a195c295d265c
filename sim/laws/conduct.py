"""Conduct: what a mechanism does that those it touches did not agree to, and how it comes out.

A mechanism may lean on people's permission, on their privacy or on spin, and now and then go too
far. Such a breach is an event (MODEL R3); it is known weeks later, and everybody whom it concerns
counts it among the broken promises of the firm, tied to it or not. Values say which influence is
acceptable, Sheldrake (2011); trust is lost in events, Slovic (1993). Sizes are assumptions.
"""

from __future__ import annotations

from typing import Any

from sim.fields import WEEKS_PER_QUARTER
from sim.lanes import law
from sim.laws.relax import chance


@law
def breach_chance(hazard: Any, output: Any, permission: Any) -> Any:
    """Return the probability of a breach within a week.

    `hazard` in 1/quarter at full output, `output` in [0, 1); `permission` in [0, 1] is the share of
    breaches that asking first prevents.
    """
    return chance(hazard * output * (1.0 - permission) / WEEKS_PER_QUARTER)
