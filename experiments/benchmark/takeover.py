"""A run whose stakeholders are taken over by other code; the firms' side stays the engine's."""

from __future__ import annotations

import numpy as np

from experiments.benchmark.luck import LuckOf
from sim.engine import Run
from sim.state import ATTITUDE, BROKEN, EXPECTATION, FIRM_FIELDS, KEPT, SALIENCE

QUANTITIES = {
    "salience": SALIENCE,
    "attitude": ATTITUDE,
    "expectation": EXPECTATION,
    "kept": KEPT,
    "broken": BROKEN,
}


class TakenOver(Run):
    """Goes on from wherever a run with one arm stands, which must then not be used any more.

    Policies, capital, mechanisms, listening and money are the run's own, and cost next to nothing;
    what happens to and among stakeholders is up to the class that inherits.
    """

    def __init__(self, run: Run, luck: LuckOf) -> None:
        if run.n_lanes != 1:
            raise ValueError(f"n_lanes={run.n_lanes}: a reference runs one arm")
        if run.bounded:
            raise ValueError("confidence < 2: the references hear all, near or far")
        # Not super().__init__: everything that the run has is taken as it stands.
        self.__dict__.update(run.__dict__)
        self.luck_of = luck

    def quantity(self, name: str) -> np.ndarray:
        """Return a quantity about every firm as it stands in the state, float64 (N, F)."""
        rows = self.state.people[:, QUANTITIES[name] : -1 : FIRM_FIELDS, 0]
        return np.ascontiguousarray(rows, np.float64)

    def write(self, name: str, values: np.ndarray) -> None:
        """Write a quantity (N, F) back into the state."""
        self.state.people[:, QUANTITIES[name] : -1 : FIRM_FIELDS, 0] = values
