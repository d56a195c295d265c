"""Routing of insight: from where it is heard, through departments, to one that acts, or lost.

Insight is a walk on departments: department d acts on the share `acts_d` of what it holds and
passes the rest along its internal ties, of which silo walls keep a part. Delivered share and
hand-overs are those of an absorbing Markov chain (Kemeny & Snell 1960); a silo is a row of zeros.
"""

from __future__ import annotations

import numpy as np

from sim.state import add_up


def passing(
    ties: np.ndarray, acts: np.ndarray, organization: np.ndarray, routing: np.ndarray
) -> np.ndarray:
    """Return matrices (..., D, D) of what each department passes to each other.

    Parameters
    ----------
    ties : float (D, D)
        Share of a department's internal ties to each other department.
    acts : float (D,) in [0, 1]
        Share acted upon.
    organization, routing : float (...,) in [0, 1]
        Readiness of organization capital; share of silo losses that routines make good.
    """
    walls = (0.5 + 0.5 * organization) + (0.5 - 0.5 * organization) * routing
    return np.asarray(walls)[..., None, None] * ((1.0 - acts)[:, None] * ties)


def delivered(matrix: np.ndarray, acts: np.ndarray, hears: np.ndarray) -> np.ndarray:
    """Return the share (...,) of insight that reaches action: hears (I - M)^-1 acts."""
    identity = np.eye(len(acts))
    column = np.broadcast_to(acts[:, None], (*matrix.shape[:-1], 1))
    return _heard_first(np.linalg.solve(identity - matrix, column), hears)


def hops(matrix: np.ndarray, acts: np.ndarray, hears: np.ndarray) -> np.ndarray:
    """Return the mean number (...,) of hand-overs of insight that arrives; 0 where none does."""
    identity = np.eye(len(acts))
    column = np.broadcast_to(acts[:, None], (*matrix.shape[:-1], 1))
    once = np.linalg.solve(identity - matrix, column)
    twice = np.linalg.solve(identity - matrix, once)
    arrived = _heard_first(once, hears)
    steps = _heard_first(twice - once, hears)
    return np.divide(steps, arrived, out=np.zeros_like(arrived), where=arrived > 0)


def _heard_first(column: np.ndarray, hears: np.ndarray) -> np.ndarray:
    """Weigh departments (..., D, 1) by where insight is heard first."""
    weighted = column[..., 0] * hears
    return add_up(np.moveaxis(weighted, -1, 0))
