"""Reorganizing: what a design makes of the ties between departments, and how it takes hold.

Departments that are joined pool their ties, weighted by their staff; ties among them lead nowhere
any more. A share of the ties between departments can be laid anew. While a new structure settles,
its share of the insight goes the new ways and the rest the old ones. Assumptions all; that work
is worse before it is better is Repenning & Sterman (2002).
"""

from __future__ import annotations

import numpy as np

from sim.state import add_up


def joined(ties: np.ndarray, unit_of: np.ndarray, staff: np.ndarray, n_units: int) -> np.ndarray:
    """Return the shares (U, U) of each unit's ties that lead to each other unit.

    Parameters
    ----------
    ties : float (D, D)
        Share of a department's ties to others that lead to each other department.
    unit_of : int (D,)
        The unit that each department is part of.
    staff : float (D,) >= 0
        Weight of a department among those of its unit; all alike where none has any.
    """
    found = np.zeros((n_units, n_units))
    for unit in range(n_units):
        members = np.flatnonzero(unit_of == unit)
        weight = staff[members] if staff[members].any() else np.ones(len(members))
        for member, share in zip(members, weight / float(add_up(weight)), strict=True):
            found[unit] += share * np.bincount(unit_of, ties[member], n_units)
        if len(members) > 1:
            found[unit, unit] = 0.0
            total = add_up(found[unit])
            found[unit] /= total if total > 0 else 1.0
    return found


def laid_anew(ties: np.ndarray, share: float, toward: np.ndarray) -> np.ndarray:
    """Return ties (U, U) of which a share is laid anew, to others in proportion to `toward` (U,).

    A unit that has no ties yet gets all of its ties so, if any are laid at all; where `toward` is 0
    for all others a unit's ties stay.
    """
    found = ties.copy()
    for unit, row in enumerate(ties):
        others = np.where(np.arange(len(toward)) == unit, 0.0, toward)
        total = add_up(others)
        if share > 0 and total > 0:
            new = others / total
            found[unit] = row + share * (new - row) if row.any() else new
    return found


def under_way(old: np.ndarray, new: np.ndarray, settled: np.ndarray) -> np.ndarray:
    """Return a share of insight while `settled` in [0, 1] of it goes the new ways."""
    return old + settled * (new - old)


def gone_new(old: np.ndarray, new: np.ndarray, settled: np.ndarray) -> np.ndarray:
    """Return which share of what comes along either ways came the new ones, in [0, 1].

    `old` and `new` >= 0 come along the ways if all goes there; `settled` where nothing comes.
    """
    both = under_way(old, new, settled)
    return np.divide(settled * new, both, out=np.broadcast_to(settled, both.shape).copy(),
                     where=both > 0)  # fmt: skip
