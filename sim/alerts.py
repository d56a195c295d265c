"""Alerts: what turned red, which flow is neglected, where readiness is short of what is funded.

Neglect after Sheldrake: to prioritize some flows so that others are entirely neglected is risky; a
flow is neglected where for some quarters nothing senses it and no money acts on it. Readiness after
Kaplan & Norton: a funded mechanism whose bundle of capitals is not ready is money without effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sim.scorecard import RED, Row

TURNED_RED, NEGLECTED, GAP = "turned red", "neglected flow", "readiness gap"


@dataclass(frozen=True)
class Alert:
    """One alarm: its kind, the quarter it began, and what it is about (indicator, flow, mechanism).

    `since` is the first quarter of the state that still lasts.
    """

    kind: str
    since: int
    about: str


def turned_red(rows: Iterable[Row]) -> tuple[Alert, ...]:
    """Return the indicators that are red at the last quarter, and since when without a break."""
    by_kpi: dict[str, list[Row]] = {}
    for row in rows:
        by_kpi.setdefault(row.kpi.key, []).append(row)
    found = []
    for key, line in by_kpi.items():
        closes = sorted(line, key=lambda row: row.quarter)
        since = _since([row.status == RED for row in closes])
        if since is not None:
            found.append(Alert(TURNED_RED, closes[since].quarter, key))
    return tuple(found)


def neglected(sensed: np.ndarray, money: np.ndarray, after: int) -> tuple[Alert, ...]:
    """Return the flows that for at least `after` quarters nothing senses and no money acts on.

    Parameters
    ----------
    sensed : bool (Q, 6)
        Whether anything is read of a flow at a close, flows 1 to 6.
    money : float (Q, 6)
        Money on mechanisms that act on it in the quarter.
    after : int
        Quarters, the last included.
    """
    found = []
    for flow in range(sensed.shape[1]):
        since = _since(list(~sensed[:, flow] & (money[:, flow] <= 0)))
        if since is not None and len(sensed) - since >= after:
            found.append(Alert(NEGLECTED, since + 1, str(flow + 1)))
    return tuple(found)


def gaps(
    readiness: Mapping[str, Sequence[float]], funded: Mapping[str, Sequence[bool]], least: float
) -> tuple[Alert, ...]:
    """Return the mechanisms funded at the last quarter whose bundle is less ready than `least`.

    Both by mechanism and quarter, the first quarter first.
    """
    found = []
    for key, path in readiness.items():
        short = [f and r < least for f, r in zip(funded[key], path, strict=True)]
        since = _since(short)
        if since is not None:
            found.append(Alert(GAP, since + 1, key))
    return tuple(found)


def _since(states: Sequence[bool]) -> int | None:
    """Return where the run of truths that reaches the end begins; None if the end is not true."""
    if not len(states) or not states[-1]:
        return None
    start = len(states) - 1
    while start > 0 and states[start - 1]:
        start -= 1
    return start
