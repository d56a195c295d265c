"""Choice of a provider by those of a vector who have an occasion (MODEL stage 6)."""

from __future__ import annotations

from typing import Any

from sim.kernels.shared import (
    ATTITUDE_WEIGHT,
    EXPECTATION_WEIGHT,
    NONE_UTILITY,
    OFFER_VALUE,
    REFERENCE,
    count,
)
from sim.lanes import as_mask, law, select
from sim.laws import choice
from sim.memory import (
    drop_truths,
    field_step,
    fill_int,
    load,
    load_int,
    own,
    store,
    store_int,
)
from sim.state import (
    ADDS,
    ATTITUDE,
    BASE_UTILITY,
    BLOCK,
    CONQUEST,
    EXPECTATION,
    FIRM_FIELDS,
    GRIEVANCE,
    LOSSES,
    OFFER,
    PROVIDER,
    QUIET,
    REFERRED,
    SALIENCE,
    SWITCHING,
    TENURE,
    TICKET,
)


@law
def is_live(offer: Any, f: Any, week: Any) -> Any:
    """Return where a referral offer of firm f can be taken up this week."""
    return ((offer >> 16) == f + 1) & ((offer & 65535) >= week)


@law
def best_firm(
    across: Any,
    width: Any,
    week: Any,
    order: Any,
    people: Any,
    row: Any,
    provider: Any,
    offer: Any,
    grievance: Any,
    met: Any,
    k: Any,
    n_types: Any,
    physics: Any,
    luck: Any,
    at: Any,
) -> Any:
    """Return the firm of the highest value in every lane, -1 for none.

    `luck` holds the Gumbel draws of a block: of staying without provider, then of each firm.
    """
    lanes = len(width)
    n_firms = len(order)
    plane = n_firms * n_types * lanes
    step = field_step(across, width)
    best = load(width, physics, NONE_UTILITY * lanes)
    best = select(provider == -1, best, 0.0) + own(across, width, luck, at)
    chosen = fill_int(width, -1)
    grieved = grievance >= week
    for r in range(n_firms):
        f = order[r]
        o = row + f * FIRM_FIELDS * step
        p = (f * n_types + k) * lanes
        value = choice.utility(
            load(width, met, BASE_UTILITY * plane + p),
            load(width, people, o + SALIENCE * step),
            load(width, people, o + ATTITUDE * step),
            load(width, people, o + EXPECTATION * step),
            load(width, physics, REFERENCE * lanes),
            load(width, physics, ATTITUDE_WEIGHT * lanes),
            load(width, physics, EXPECTATION_WEIGHT * lanes),
        )
        tied = provider == f
        value = value + select(tied, load(width, met, SWITCHING * plane + p), 0.0)
        value = value + select(
            is_live(offer, f, week) & ~tied & (provider != -1),
            load(width, physics, OFFER_VALUE * lanes),
            0.0,
        )
        if as_mask(grieved) != 0:
            for c in range(n_firms):
                if c != f:
                    pull = (CONQUEST + f) * plane + (c * n_types + k) * lanes
                    value = value + select(grieved & (provider == c), load(width, met, pull), 0.0)
        value = value + own(across, width, luck, (1 + f) * BLOCK + at)
        better = value > best
        best = select(better, value, best)
        chosen = select(better, fill_int(width, f), chosen)
    return chosen


@law
def move(
    across: Any,
    width: Any,
    week: Any,
    i: Any,
    n_firms: Any,
    people: Any,
    row: Any,
    marks: Any,
    mark: Any,
    complaint: Any,
    moved: Any,
    provider: Any,
    chosen: Any,
    offer: Any,
    counted: Any,
    k: Any,
    n_types: Any,
) -> None:
    """Tie those who moved to the provider they chose, and count who came, left and was referred."""
    lanes = len(width)
    plane = n_firms * n_types * lanes
    step = field_step(across, width)
    satisfaction = row + FIRM_FIELDS * n_firms * step
    satisfied = load(width, people, satisfaction)
    drop_truths(across, width, complaint, i, moved)
    for f in range(n_firms):
        p = (f * n_types + k) * lanes
        came = moved & (chosen == f)
        felt = load(width, people, row + (f * FIRM_FIELDS + ATTITUDE) * step)
        satisfied = select(came, felt, satisfied)
        count(width, counted, ADDS * plane + p, came)
        count(width, counted, LOSSES * plane + p, moved & (provider == f))
        count(width, counted, REFERRED * plane + p, came & is_live(offer, f, week))
    store(people, satisfaction, select(moved & (chosen == -1), 0.0, satisfied))
    store_int(marks, mark + PROVIDER * step, select(moved, chosen, provider))
    for field in (TENURE, QUIET, GRIEVANCE, TICKET, OFFER):
        v = mark + field * step
        store_int(marks, v, select(moved, 0, load_int(width, marks, v)))
