"""What nudges of arms do to levers, capital and states, quarter by quarter; who may be nudged.

A nudge is an intervention: the arm with it minus the arm without it, on the same luck, is what
follows from the place that was pushed. Nothing is paid, and no draw of a run depends on it. Which
stakeholders a nudge of a state reaches is chosen in sim/reaching.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from sim import levers
from sim.checks import require_one_of
from sim.fields import CAPITALS, WEEKS_PER_QUARTER
from sim.flows import ORGANIZATION
from sim.plans import STATES, Arm, Nudge
from sim.scenario import Scenario
from sim.state import (
    ATTITUDE,
    BROKEN,
    EXPECTATION,
    FIRM_FIELDS,
    KEPT,
    PROVIDER,
    SALIENCE,
    State,
)

OURS, RIVALS = "organization", "rivals"
FIELDS = {"salience": SALIENCE, "attitude": ATTITUDE, "expectation": EXPECTATION}


def check_nudges(arm: Arm, scenario: Scenario) -> None:
    """Check that the firms, stakeholder types and quarters of an arm's nudges exist.

    Raises
    ------
    ValueError
        Naming arm, nudge and what is allowed.
    """
    for place, nudge in enumerate(arm.nudges):
        name = f"nudges[{place}] of arm {arm.key!r}"
        firms = [OURS, RIVALS, *(firm.key for firm in scenario.firms)]
        require_one_of(f"{name}: firm", nudge.firm, firms)
        for kind in nudge.to:
            require_one_of(f"{name}: to", kind, [known.key for known in scenario.stakeholders])
        if nudge.quarter > scenario.quarters:
            raise ValueError(
                f"{name}: quarter={nudge.quarter} lies beyond the horizon of "
                f"{scenario.quarters} quarters"
            )
        if nudge.whom == "traced" and not scenario.warm_up:
            raise ValueError(
                f"{name}: whom='traced' needs a warm-up to trace words in, set warm_up to 1 or more"
            )


def shifts(scenario: Scenario, arms: Sequence[Arm], quarter: int) -> np.ndarray:
    """Return how far levers are shifted in a quarter (1 is the first).

    float64 (levers, firms, types, lanes), in the levers' units.
    """
    kinds = [kind.key for kind in scenario.stakeholders]
    found = np.zeros((len(levers.TABLE), len(scenario.firms), len(kinds), len(arms)))
    for lane, arm in enumerate(arms):
        for nudge in arm.nudges:
            if nudge.lever and _lasts(nudge, quarter):
                pushed = [k for k, kind in enumerate(kinds) if not nudge.to or kind in nudge.to]
                for f in firms_of(nudge, scenario):
                    found[levers.INDEX[nudge.lever], f, pushed, lane] += nudge.by
    return found


class CapitalNudges:
    """Capital that nudges have added and keep up, float64 (firms, 3, lanes) in currency."""

    def __init__(self, scenario: Scenario, arms: Sequence[Arm]) -> None:
        self.added = np.zeros((len(scenario.firms), len(CAPITALS), len(arms)))

    def push(
        self,
        scenario: Scenario,
        arms: Sequence[Arm],
        quarter: int,
        stock: np.ndarray,
        depreciation: np.ndarray,
    ) -> None:
        """Raise stocks at the start of a quarter; `stock` (firms, 3, lanes) is written.

        What was added wears like all capital (`depreciation`, 1/week, (firms, 3)), so that what
        stands without it is known and the addition can be kept at its share of that.
        """
        kept, once = np.zeros_like(stock), np.zeros_like(stock)
        for lane, arm in enumerate(arms):
            for nudge in arm.nudges:
                if nudge.capital and _lasts(nudge, quarter):
                    share = once if nudge.once else kept
                    row = CAPITALS.index(nudge.capital)
                    share[firms_of(nudge, scenario), row, lane] += nudge.by
        left = self.added * np.exp(-WEEKS_PER_QUARTER * depreciation)[:, :, None]
        own = stock - left
        self.added = kept * own
        stock += self.added - left + once * own


class Shift(NamedTuple):
    """What one nudge does at the start of a quarter to a state about one firm in one arm.

    `state` is a name of plans.STATES, `firm` and `lane` are places, `rows` int64 (n,) the
    stakeholders it reaches, `by` in the state's unit.
    """

    state: str
    firm: int
    lane: int
    rows: np.ndarray
    by: float


def state_shifts(
    scenario: Scenario,
    arms: Sequence[Arm],
    quarter: int,
    present: np.ndarray,
    reached: Callable[[Nudge, int, int], np.ndarray],
) -> list[Shift]:
    """Return what happens to stakeholders' states at the start of a quarter (1 is the first).

    `present` is bool (F,): of a firm that has not entered yet nobody holds anything. `reached` says
    which rows a nudge reaches, given firm and lane.
    """
    return [
        Shift(nudge.state, f, lane, reached(nudge, f, lane), nudge.by)
        for lane, arm in enumerate(arms)
        for nudge in arm.nudges
        if nudge.state and _lasts(nudge, quarter)
        for f in firms_of(nudge, scenario)
        if present[f]
    ]


def shift_states(state: State, shifts: Iterable[Shift]) -> None:
    """Shift states; several shifts of the same add up, and the sum stays within the range.

    Satisfaction is that with one's provider: only those tied to the firm are shifted.
    """
    total: dict[tuple[str, int, int], np.ndarray] = {}
    for one in shifts:
        place = (one.state, one.firm, one.lane)
        total.setdefault(place, np.zeros(len(state.people)))[one.rows] += one.by
    for (name, firm, lane), by in total.items():
        rows = np.flatnonzero(by)
        if name == "satisfaction":
            rows = rows[state.marks[rows, PROVIDER, lane] == firm]
        if name == "trust":
            _shift_trust(state, firm, lane, rows, by[rows])
            continue
        field = FIRM_FIELDS * state.n_firms
        if name != "satisfaction":
            field = firm * FIRM_FIELDS + FIELDS[name]
        low, high, _ = STATES[name]
        held = state.people[rows, field, lane].astype(np.float64)
        state.people[rows, field, lane] = np.clip(held + by[rows], low, high)


def _shift_trust(state: State, firm: int, lane: int, rows: np.ndarray, by: np.ndarray) -> None:
    """Shift trust, kept / (kept + broken), and keep how much evidence it rests on."""
    counts = firm * FIRM_FIELDS + np.array([KEPT, BROKEN])
    kept, broken = state.people[rows[:, None], counts, lane].astype(np.float64).T
    both = kept + broken
    low, high, _ = STATES["trust"]
    trust = np.clip(kept / both + by, low, high)
    state.people[rows[:, None], counts, lane] = np.stack(
        [trust * both, (1.0 - trust) * both], axis=-1
    )


def _lasts(nudge: Nudge, quarter: int) -> bool:
    return quarter == nudge.quarter if nudge.once else quarter >= nudge.quarter


def firms_of(nudge: Nudge, scenario: Scenario) -> list[int]:
    """Return the places of the firms that a nudge pushes."""
    if nudge.firm == OURS:
        return [ORGANIZATION]
    if nudge.firm == RIVALS:
        return [f for f in range(len(scenario.firms)) if f != ORGANIZATION]
    return [f for f, firm in enumerate(scenario.firms) if firm.key == nudge.firm]
