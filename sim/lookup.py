"""What is true of stakeholders now, by name, for whoever looks on a run from outside its kernels.

The one place beside the kernels, the agent windows and the opening that knows how `State` lies in
memory. Whatever is returned is to be read and never to be written.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sim.state import (
    ATTITUDE,
    BROKEN,
    EXPECTATION,
    FIRM_FIELDS,
    GRIEVANCE,
    KEPT,
    OFFER,
    PROVIDER,
    QUIET,
    SALIENCE,
    TICKET,
    State,
)

OFFERED = 1  # bit of a message that carries a referral offer
FULL = 32766.0  # a message of valence 1, without that bit


class Person(NamedTuple):
    """One stakeholder in one lane; arrays are float64 (F,), weeks count from the warm-up's first.

    Ranges are those of `sim.state.State`; `offer` is (firm + 1) * 65536 + last week, 0 for none.
    """

    salience: np.ndarray
    attitude: np.ndarray
    expectation: np.ndarray
    kept: np.ndarray
    broken: np.ndarray
    satisfaction: float
    provider: int
    quiet: int
    grievance: int
    ticket: int
    offer: int


def salience(state: State, firm: int) -> np.ndarray:
    """Return the probability that a firm is in mind, float32 (N, L) in [0, 1]."""
    return state.people[:, firm * FIRM_FIELDS + SALIENCE]


def attitude(state: State, firm: int) -> np.ndarray:
    """Return the attitude to a firm, float32 (N, L) in [-1, 1]."""
    return state.people[:, firm * FIRM_FIELDS + ATTITUDE]


def satisfaction(state: State) -> np.ndarray:
    """Return the last satisfaction with the provider, float32 (N, L) in [-1, 1]."""
    return state.people[:, -1]


def provider(state: State) -> np.ndarray:
    """Return the firm one is tied to, int32 (N, L), -1 for none."""
    return state.marks[:, PROVIDER]


def speakers(state: State, firm: int) -> tuple[np.ndarray, np.ndarray]:
    """Return who spoke about a firm this week in any lane: rows (n,) and words int16 (n, L).

    A word is 0 for silence, else 2 x round(valence x 16383), + 1 with a referral offer.
    """
    spoke = (state.spoken & np.uint16(1 << firm)) != 0
    rows = np.flatnonzero(spoke.any(axis=1))
    return rows, np.where(spoke[rows], state.message[rows, firm], np.int16(0))


def word(state: State, row: int, firm: int, lane: int) -> int:
    """Return what somebody said about a firm this week, as in `speakers`; 0 for silence."""
    if not int(state.spoken[row, state.layout.pass_of(lane)]) >> firm & 1:
        return 0
    return int(state.message[row, firm, lane])


def complains(state: State, row: int, lane: int) -> bool:
    """Return whether somebody complained to its firm this week."""
    number = state.layout.pass_of(lane)
    bit = lane - number * state.layout.lanes_of_pass
    return bool(int(state.complaint[row, number]) >> bit & 1)


def person(state: State, row: int, lane: int) -> Person:
    """Return all that is true of one stakeholder in one lane."""
    felt = state.people[row, :-1, lane].astype(np.float64).reshape(-1, FIRM_FIELDS)
    marks = state.marks[row, :, lane]
    return Person(
        salience=felt[:, SALIENCE],
        attitude=felt[:, ATTITUDE],
        expectation=felt[:, EXPECTATION],
        kept=felt[:, KEPT],
        broken=felt[:, BROKEN],
        satisfaction=float(state.people[row, -1, lane]),
        provider=int(marks[PROVIDER]),
        quiet=int(marks[QUIET]),
        grievance=int(marks[GRIEVANCE]),
        ticket=int(marks[TICKET]),
        offer=int(marks[OFFER]),
    )
