"""What nudges of arms do to levers and capital, quarter by quarter; who may be nudged.

A nudge is an intervention: the arm with it minus the arm without it, on the same luck, is what
follows from the place that was pushed. Nothing is drawn and nothing is paid.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim import levers
from sim.checks import require_one_of
from sim.flows import ORGANIZATION
from sim.scenario import CAPITALS, WEEKS_PER_QUARTER, Arm, Nudge, Scenario

OURS, RIVALS = "organization", "rivals"


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
                for f in _firms(nudge, scenario):
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
                    share[_firms(nudge, scenario), row, lane] += nudge.by
        left = self.added * np.exp(-WEEKS_PER_QUARTER * depreciation)[:, :, None]
        own = stock - left
        self.added = kept * own
        stock += self.added - left + once * own


def _lasts(nudge: Nudge, quarter: int) -> bool:
    return quarter == nudge.quarter if nudge.once else quarter >= nudge.quarter


def _firms(nudge: Nudge, scenario: Scenario) -> list[int]:
    """Return the places of the firms that are pushed."""
    if nudge.firm == OURS:
        return [ORGANIZATION]
    if nudge.firm == RIVALS:
        return [f for f in range(len(scenario.firms)) if f != ORGANIZATION]
    return [f for f, firm in enumerate(scenario.firms) if firm.key == nudge.firm]
