"""The six influence flows: three laws of influence, about the organization or a competitor.

A competitor's flow 1 is our flow 4, so there are three laws (outbound, peer, inbound), each written
once for every firm, and a flow is a pair (law, whose). The numbers are labels and convey no
importance. Source: P. Sheldrake, The Business of Influence (Wiley 2011).
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

ORGANIZATION = 0


class Law(IntEnum):
    """A direction in which influence travels, about one firm."""

    OUTBOUND = 0
    PEER = 1
    INBOUND = 2


class Flow(IntEnum):
    """A flow's number, as Sheldrake numbers them."""

    OURS_TO_STAKEHOLDERS = 1
    PEERS_ABOUT_US = 2
    STAKEHOLDERS_TO_US = 3
    RIVALS_TO_STAKEHOLDERS = 4
    PEERS_ABOUT_RIVALS = 5
    STAKEHOLDERS_TO_RIVALS = 6

    @property
    def law(self) -> Law:
        """The law that carries this flow."""
        return Law((self - 1) % 3)

    @property
    def about_us(self) -> bool:
        """Whether the flow concerns the organization (1-3) or its competitors (4-6)."""
        return self <= 3

    @property
    def label(self) -> str:
        """Who influences whom, about whom, in plain words."""
        return LABELS[self]

    @property
    def color(self) -> str:
        """Hex colour used for this flow in every figure (Okabe & Ito 2008, colour-blind safe)."""
        return COLORS[self]


def flow_of(law: Law, firm: int) -> Flow:
    """Return the flow that a law about a firm belongs to, seen from the organization."""
    return Flow(int(law) + (1 if firm == ORGANIZATION else 4))


def open_gates(n_firms: int) -> np.ndarray:
    """Return gates (law, firm), float64 in [0, 1], all open."""
    return np.ones((len(Law), n_firms))


def muted(flow: Flow, n_firms: int) -> np.ndarray:
    """Return gates (law, firm) with one flow closed and all others open."""
    gates = open_gates(n_firms)
    firms = slice(0, 1) if flow.about_us else slice(1, None)
    gates[flow.law, firms] = 0.0
    return gates


def coalition_gates(coalition: int, n_firms: int) -> np.ndarray:
    """Return gates (law, firm) with exactly the flows of a coalition open.

    Flow f is in the coalition where bit f - 1 is set: 0 mutes all six, 63 opens all.
    """
    if not 0 <= coalition < 2 ** len(Flow):
        raise ValueError(f"coalition={coalition!r} is out of range: it must lie in [0, 63]")
    gates = open_gates(n_firms)
    for flow in Flow:
        if not coalition >> (flow - 1) & 1:
            firms = slice(0, 1) if flow.about_us else slice(1, None)
            gates[flow.law, firms] = 0.0
    return gates


LABELS = {
    Flow.OURS_TO_STAKEHOLDERS: "our organization to stakeholders",
    Flow.PEERS_ABOUT_US: "stakeholders to each other, about us",
    Flow.STAKEHOLDERS_TO_US: "stakeholders to our organization",
    Flow.RIVALS_TO_STAKEHOLDERS: "competitors to stakeholders",
    Flow.PEERS_ABOUT_RIVALS: "stakeholders to each other, about competitors",
    Flow.STAKEHOLDERS_TO_RIVALS: "stakeholders to competitors",
}

COLORS = {
    Flow.OURS_TO_STAKEHOLDERS: "#0072B2",
    Flow.PEERS_ABOUT_US: "#009E73",
    Flow.STAKEHOLDERS_TO_US: "#56B4E9",
    Flow.RIVALS_TO_STAKEHOLDERS: "#D55E00",
    Flow.PEERS_ABOUT_RIVALS: "#E69F00",
    Flow.STAKEHOLDERS_TO_RIVALS: "#CC79A7",
}
