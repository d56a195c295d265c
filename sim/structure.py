"""The organization's structure in each lane: insight's ways, owners and the dip, as arms differ.

Without a design a lane has the structure of today. With one, the structure of the design takes
effect at the start of its quarter: mechanisms change owners at once, insight goes the new ways as
far as the structure has settled, and the departments touched lose output while it settles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sim.design import Redesigned, redesigned
from sim.firms import ROUTING, FirmState, Given
from sim.flows import ORGANIZATION
from sim.laws import reorganizing, routing
from sim.organization import Department, Design
from sim.plans import Arm
from sim.scenario import Scenario
from sim.state import add_up

# What is known of insight by the department that hears it first.
INSIGHT = ("heard", "delivered", "hand_overs", "weeks")
HEARD_FIRST, DELIVERED, HAND_OVERS, WEEKS_TO_ACTION = range(len(INSIGHT))


class Ways(NamedTuple):
    """Where insight goes: D departments of today; U departments, of which D may be parts.

    `ties` float (U, U), `acts` and `hears` float (U,), `made_good` float, `entry` int (D,): the
    department in which insight that one of today's hears comes in; `share` float (D + 1,): of all
    that is heard, what each of today's hears first, and last what departments hear that are new.
    """

    ties: np.ndarray
    acts: np.ndarray
    hears: np.ndarray
    made_good: float
    entry: np.ndarray
    share: np.ndarray


@dataclass(frozen=True)
class Structure:
    """The structure of one lane's design."""

    design: Design
    made: Redesigned
    ways: Ways

    @staticmethod
    def of(scenario: Scenario, design: Design, ties: np.ndarray) -> Structure:
        """Return what a design makes of the organization whose ties are `ties` (D, D)."""
        firm = scenario.firms[ORGANIZATION]
        made = redesigned(design, firm, scenario.mechanisms)
        staff = np.array([d.staff for d in firm.departments])
        pooled = reorganizing.joined(ties, made.unit_of, staff, len(made.departments))
        toward = {
            "none": np.zeros(len(made.departments)),
            "by_staff": np.array([d.staff for d in made.departments]),
            "by_acts": np.array([d.acts for d in made.departments]),
        }[design.ties.pattern]
        laid = reorganizing.laid_anew(pooled, design.ties.anew, toward)
        hears = np.array([d.hears for d in firm.departments])
        return Structure(
            design,
            made,
            _ways(laid, made.departments, design.ties.made_good, made.unit_of, hears),
        )

    def take_effect(self, given: Given, lane: int) -> None:
        """Give mechanisms to their new owners and begin to settle, in one lane."""
        given.owner[ORGANIZATION, :, lane] = self.made.owner
        given.settling[ORGANIZATION, lane] = self.design.half_life
        lost = np.where(self.made.touched, self.design.dip, 0.0)
        given.unsettled[ORGANIZATION, : len(lost), lane] = lost


def structures(scenario: Scenario, arms: Sequence[Arm], ties: np.ndarray) -> list[Structure | None]:
    """Return each arm's structure; None where nothing is designed anew."""
    return [
        None if arm.design is None else Structure.of(scenario, arm.design, ties) for arm in arms
    ]


def most_departments(scenario: Scenario, arms: Sequence[Arm]) -> int:
    """Return how many departments the largest firm has, today or under any arm's design."""
    firm = scenario.firms[ORGANIZATION]
    designs = [arm.design for arm in arms if arm.design is not None]
    made = [len(redesigned(d, firm, scenario.mechanisms).departments) for d in designs]
    return max(*(len(f.departments) for f in scenario.firms), *made, 1)


def todays_ways(departments: Sequence[Department], ties: np.ndarray) -> Ways:
    """Return the ways of insight through the departments of today."""
    hears = np.array([d.hears for d in departments])
    return _ways(ties, departments, 0.0, np.arange(len(departments)), hears)


def travel(
    ways: Ways, organization: np.ndarray, made_good: np.ndarray, hop_weeks: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how insight travels on some ways, for readiness and routing lever float (L,).

    Delivered share (L,), mean hand-overs (L,), and by department of entry (D + 1, INSIGHT, L).
    """
    regained = made_good + (1.0 - made_good) * ways.made_good
    matrix = routing.passing(ways.ties, ways.acts, organization, regained)
    delivered = routing.delivered(matrix, ways.acts, ways.hears)
    hops = routing.hops(matrix, ways.acts, ways.hears)
    n_today, n_units = len(ways.entry), len(ways.acts)
    new = np.setdiff1d(np.arange(n_units), ways.entry)
    by_entry = np.full((n_today + 1, len(INSIGHT), len(organization)), np.nan)
    by_entry[:, HEARD_FIRST] = ways.share[:, None]
    starts = [np.eye(n_units)[unit] for unit in ways.entry]
    if len(new):
        first = np.zeros(n_units)
        first[new] = ways.hears[new] / ways.share[-1] if ways.share[-1] > 0 else 1.0 / len(new)
        starts.append(first)
    for place, start in enumerate(starts):
        by_entry[place, DELIVERED] = routing.delivered(matrix, ways.acts, start)
        by_entry[place, HAND_OVERS] = routing.hops(matrix, ways.acts, start)
        by_entry[place, WEEKS_TO_ACTION] = hop_weeks * by_entry[place, HAND_OVERS]
    return delivered, hops, by_entry


def travel_under_way(
    old: tuple[np.ndarray, ...], new: tuple[np.ndarray, ...], settled: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Return how insight travels while `settled` (L,) of it goes the new ways, else the old."""
    under_way, gone_new = reorganizing.under_way, reorganizing.gone_new
    hops = under_way(old[1], new[1], gone_new(old[0], new[0], settled))
    # A department that is new hears nothing before, and one that is not there hears nothing after.
    before = np.where(np.isnan(old[2]), new[2], old[2])
    after = np.where(np.isnan(new[2]), old[2], new[2])
    by_entry = under_way(before, after, settled)
    came = gone_new(before[:, HEARD_FIRST], after[:, HEARD_FIRST], settled)
    by_entry[:, DELIVERED] = under_way(before[:, DELIVERED], after[:, DELIVERED], came)
    arrived = gone_new(
        (1.0 - came) * before[:, DELIVERED], came * after[:, DELIVERED], np.full(came.shape, 0.5)
    )
    for which in (HAND_OVERS, WEEKS_TO_ACTION):
        by_entry[:, which] = under_way(before[:, which], after[:, which], arrived)
    return under_way(old[0], new[0], settled), hops, by_entry


def route(
    state: FirmState, firm: int, ways: Ways, anew: Sequence[Ways | None], hop_weeks: np.ndarray
) -> np.ndarray:
    """Set the delivered share and the delay of a firm's insight in every lane.

    Parameters
    ----------
    ways : Ways
        Of today.
    anew : sequence of Ways or None
        Those of the structure that is being introduced, per lane.
    hop_weeks : float (L,)
        Weeks per hand-over.

    Returns
    -------
    float (D + 1, INSIGHT, L)
        By department of today that hears it first; last those that are new, nan where there are
        none.
    """
    organization, lever = state.ready[firm, 2], state.lever[ROUTING, firm, 0]
    todays = travel(ways, organization, lever, hop_weeks)
    delivered, hops, by_entry = (np.array(part) for part in todays)
    for lane, new in enumerate(anew):
        if new is None:
            continue
        at = slice(lane, lane + 1)
        onward = travel(new, organization[at], lever[at], hop_weeks[at])
        before = tuple(part[..., at] for part in todays)
        after = travel_under_way(before, onward, state.settled[firm, at])
        delivered[at], hops[at], by_entry[..., at] = after
    state.delivered[firm] = delivered
    state.delay[firm] = hop_weeks * hops
    return by_entry


def _ways(
    ties: np.ndarray,
    departments: Sequence[Department],
    made_good: float,
    entry: np.ndarray,
    todays_hears: np.ndarray,
) -> Ways:
    """Return ways of insight; a unit's hearing is its members' in proportion to today's."""
    acts = np.array([d.acts for d in departments])
    hears = np.array([d.hears for d in departments])
    share = np.zeros(len(entry) + 1)
    for place, unit in enumerate(entry):
        members = np.flatnonzero(entry == unit)
        total = add_up(todays_hears[members])
        part = todays_hears[place] / total if total > 0 else 1.0 / len(members)
        share[place] = hears[unit] * part
    new = np.setdiff1d(np.arange(len(departments)), entry)
    share[-1] = add_up(hears[new])
    return Ways(ties, acts, hears, made_good, entry, share)
