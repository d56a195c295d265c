"""The kernels on the stakeholders of a run: what is handed to them, one pass at a time."""

from __future__ import annotations

import numpy as np

from sim import kernels
from sim.opening import Facts
from sim.state import SUMS, State, World

Key = tuple[np.int32, np.int32]


class Pass:
    """One pass over the stakeholders: of all arms at once, or of one arm (see sim.memory).

    Parameters
    ----------
    number : int
        Which of the passes that the state's layout has.
    key : int32 pair
        Seed and replication.
    slots, order : int (F,)
        Luck that travels with each firm, and the firms in the order of their keys.
    n_kinds : int
        Stakeholder types.
    """

    def __init__(
        self,
        number: int,
        world: World,
        facts: Facts,
        state: State,
        key: Key,
        slots: np.ndarray,
        order: np.ndarray,
        n_kinds: int,
    ) -> None:
        self.number, self.world, self.facts, self.layout = number, world, facts, state.layout
        self.head = (state.layout.width, state.layout.across)
        self.of = {name: table.flat[number] for name, table in state.of.items()}
        self.key, self.slots, self.order, self.n_kinds = key, slots, order, n_kinds

    def prepare(self, drive: np.ndarray, coefficients: np.ndarray, bounded: bool) -> None:
        """Take up what firms do this week and the laws' coefficients, both with lanes last."""
        physics = coefficients.astype(np.float32)
        self.bounded = bounded
        if self.layout.people:
            drive = np.ascontiguousarray(drive[..., self.number])
            physics = np.repeat(physics[:, self.number], len(self.layout.width))
        self.drive, self.physics = drive.reshape(-1), physics.reshape(-1)

    def meet(self, week: int, first: int, last: int, counts: np.ndarray) -> None:
        """Run the pass in which rows first..last-1 meet firms and speak."""
        facts, of = self.facts, self.of
        kernels.meet(
            *self.head,
            first,
            last,
            week,
            self.key,
            self.slots,
            facts.low,
            facts.high,
            facts.kind,
            facts.voice,
            of["people"],
            of["marks"],
            of["message"],
            of["spoken"],
            of["speakers"],
            of["complaint"],
            self.drive,
            self.physics,
            counts,
            self.n_kinds,
        )

    def hear(
        self,
        week: int,
        first: int,
        last: int,
        chooses: np.ndarray,
        counts: np.ndarray,
        engagement: np.ndarray,
    ) -> None:
        """Run the pass in which rows first..last-1 hear each other and choose.

        `chooses` is float32 (rows,), the chance of an occasion this week.
        """
        facts, world, of = self.facts, self.world, self.of
        kernels.hear(
            *self.head,
            first,
            last,
            week,
            self.key,
            self.slots,
            self.order,
            facts.low,
            facts.high,
            facts.kind,
            chooses,
            facts.opening,
            facts.works,
            facts.indptr,
            world.indices,
            world.contact,
            world.evidence,
            facts.contact_scale,
            facts.evidence_scale,
            of["people"],
            of["marks"],
            of["message"],
            of["spoken"],
            of["speakers"],
            of["complaint"],
            self.drive,
            self.physics,
            counts,
            engagement,
            self.n_kinds,
            facts.most_ties,
            self.bounded,
        )

    def close(self, week: int, order: np.ndarray) -> np.ndarray:
        """Return the stakeholders' sums, int64 (len(SUMS), F, K, lanes of the pass).

        `order` is int (F,): in which firms are asked whom one likes best.
        """
        facts = self.facts
        lanes = self.layout.lanes_of_pass
        sums = np.zeros((len(SUMS), len(self.slots), self.n_kinds, lanes), np.int64)
        kernels.close(
            *self.head,
            self.world.n_stakeholders,
            week,
            self.key,
            order,
            facts.low,
            facts.high,
            facts.kind,
            facts.present,
            self.of["people"],
            self.of["marks"],
            self.physics,
            self.n_kinds,
            sums.reshape(-1),
        )
        return sums
