"""Indicators of what the money does: by perspective, by flow, in bundles of capital, in silos."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sim.catalogue import BOOKS, Kpi
from sim.closing import Close
from sim.state import add_up

OUTWARD = (0, 1, 3, 4)  # places of flows 1, 2, 4 and 5: what stakeholders meet


def programmes(close: Close, f: int) -> dict[str, np.ndarray]:
    """Return spending by perspective and flow, readiness of bundles and reach of sensing."""
    state, acts_on = close.firms, close.programmes.acts_on
    money = state.effort[f] + state.due[f]
    outward, idle = acts_on[:, OUTWARD].any(axis=1), ~acts_on.any(axis=1)
    funded = state.effort[f] > 0
    spending = {
        "spending_customer": add_up(money[outward]),
        "spending_internal": add_up(money[~outward & ~idle]),
        "spending_learning": add_up(state.investment[f]) + add_up(money[idle]),
    }
    return {
        **(spending if close.lived else dict.fromkeys(spending, close.nothing)),
        "flow_balance": 1.0 - gini(by_flow(money, acts_on)),
        "bundled_readiness": add_up(money * bundles(close, f, funded)) / add_up(money),
        "programme_output": add_up(np.where(funded, state.output[f], 0.0)) / funded.sum(axis=0),
        "flow_coverage": close.sensed[f].sum(axis=0) / close.sensed.shape[1],
        "reading_weeks": close.reading_weeks[f],
    }


def by_flow(money: np.ndarray, acts_on: np.ndarray) -> np.ndarray:
    """Return money (6, L) by flow: a mechanism's (M, L) divided equally among its flows."""
    share = acts_on / np.maximum(acts_on.sum(axis=1, keepdims=True), 1)
    return np.stack([add_up(money * share[:, [flow]]) for flow in range(share.shape[1])])


def gini(amounts: np.ndarray) -> np.ndarray:
    """Return the Gini coefficient over the first axis: 0 all alike, 1 - 1/n all on one.

    Source: Gini (1912), mean absolute difference over twice the mean; nan where all is 0.
    """
    gaps = np.abs(amounts[:, None] - amounts[None])
    return add_up(add_up(gaps)) / (2.0 * len(amounts) * add_up(amounts))


def bundles(close: Close, f: int, which: np.ndarray) -> np.ndarray:
    """Return the readiness (M, L) of the bundles of capital, 0 where `which` (M, L) is false."""
    # Imported late: whoever only reads the list of indicators does without the compiler.
    from sim.laws.capability import bundle

    found = np.zeros(which.shape)
    known: dict[tuple[float, ...], float] = {}
    for m, lane in zip(*np.nonzero(which), strict=True):
        place = (
            *close.firms.ready[f, :, lane],
            *close.programmes.needs[m],
            close.programmes.complementarity[lane],
        )
        if place not in known:
            known[place] = bundle(*place)
        found[m, lane] = known[place]
    return found


def extraction(
    close: Close, f: int, values: Mapping[str, np.ndarray], table: tuple[Kpi, ...]
) -> np.ndarray:
    """Return the share of the indicators with flow and value that are also read, (L,)."""
    defined, read = np.zeros(close.nothing.shape), np.zeros(close.nothing.shape)
    for kpi in table:
        if kpi.flow is not None:
            there = ~np.isnan(values[kpi.key])
            seen = True if kpi.sensed_by == BOOKS else close.sensed[f, kpi.sensed_by - 1]
            defined += there
            read += there & seen
    return read / defined
