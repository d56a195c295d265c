"""Complaints waiting at firms, first come first served: room for the queues that kernels serve."""

from __future__ import annotations

import numpy as np

from sim import firm_kernels
from sim.firms import FirmState, Physics64
from sim.state import State


class Queue:
    """Complaints waiting at every firm in every lane, first come first served."""

    def __init__(self, n_firms: int, n_lanes: int) -> None:
        self.rows = np.zeros((n_firms, n_lanes, 64), np.int64)
        self.since = np.zeros((n_firms, n_lanes, 64), np.int64)
        self.ends = np.zeros((n_firms, n_lanes, 2), np.int64)

    def serve(
        self,
        state: State,
        firms: FirmState,
        physics: Physics64,
        week: int,
        key: tuple[np.int32, np.int32],
        ids: np.ndarray,
        kind: np.ndarray,
    ) -> None:
        """Take in this week's complaints and serve the queues; `ids`, `kind` of stakeholders."""
        people, marks = state.of["people"], state.of["marks"]
        complaint, flat = state.of["complaint"].flat, marks.flat.reshape(-1)
        new = firm_kernels.arrivals(complaint, flat, marks.steps, state.n_firms, state.n_lanes)
        self._make_room(new)
        firm_kernels.service_week(
            physics,
            firms,
            week,
            key,
            ids,
            kind,
            complaint,
            flat,
            marks.steps,
            people.flat.reshape(-1),
            people.steps,
            self.rows,
            self.since,
            self.ends,
        )

    def _make_room(self, new: np.ndarray) -> None:
        """Move waiting complaints to the front and widen the queues where needed."""
        lengths = self.ends[..., 1] - self.ends[..., 0]
        need = int((lengths + new).max(initial=0))
        if (self.ends[..., 1] + new).max(initial=0) <= self.rows.shape[2]:
            return
        size = max(64, 2 * need)
        for name in ("rows", "since"):
            old = getattr(self, name)
            fresh = np.zeros((*old.shape[:2], size), np.int64)
            for f, lane in np.ndindex(*old.shape[:2]):
                begin, end = self.ends[f, lane]
                fresh[f, lane, : end - begin] = old[f, lane, begin:end]
            setattr(self, name, fresh)
        self.ends[..., 1] = lengths
        self.ends[..., 0] = 0
