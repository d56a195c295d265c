"""World and State: every array of a run with shape, dtype, unit and range.

`World` holds the facts that all arms of a replication share; `State` the quantities that differ by
arm, lanes last and contiguous. N stakeholders, F firms, M ties, L lanes, K stakeholder types.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sim.memory import Arms, People, aligned, width_of

FIRM_FIELDS = 5
SALIENCE, ATTITUDE, EXPECTATION, KEPT, BROKEN = range(FIRM_FIELDS)
INT_FIELDS = 6
PROVIDER, TENURE, QUIET, GRIEVANCE, TICKET, OFFER = range(INT_FIELDS)


# What the firms' week hands to the stakeholders' passes, per firm, stakeholder type and lane; the
# last, conquest, per firm, rival, stakeholder type and lane.
DRIVES = (
    "impression_hazard",
    "claim_rate",
    "claim",
    "promise_rate",
    "promise",
    "quality_logit",
    "experience_chance",
    "talk",
    "message_hazard",
    "peer_rate",
    "unanswered",
    "comparison",
    "offer_chance",
    "offer_hazard",
    "base_utility",
    "switching",
    "complaint_chance",
    "breach",
    "bad_news",
    "bad_word",
    "good_news",
    "good_word",
    "conquest",
)
(
    IMPRESSION_HAZARD,
    CLAIM_RATE,
    CLAIM,
    PROMISE_RATE,
    PROMISE,
    QUALITY_LOGIT,
    EXPERIENCE_CHANCE,
    TALK,
    MESSAGE_HAZARD,
    PEER_RATE,
    UNANSWERED,
    COMPARISON,
    OFFER_CHANCE,
    OFFER_HAZARD,
    BASE_UTILITY,
    SWITCHING,
    COMPLAINT_CHANCE,
    BREACH,
    BAD_NEWS,
    BAD_WORD,
    GOOD_NEWS,
    GOOD_WORD,
    CONQUEST,
) = range(len(DRIVES))
# Counts of the week, per firm, stakeholder type and lane.
COUNTS = ("positive_voices", "negative_voices", "adds", "losses", "referred")
POSITIVE, NEGATIVE, ADDS, LOSSES, REFERRED = range(len(COUNTS))
# Sums at a quarter's close, per firm, stakeholder type and lane.
SUMS = (
    "salience",
    "attitude",
    "expectation",
    "trust",
    "satisfaction",
    "tied",
    "preferring",
    "promoters",
    "detractors",
)
# Sums of a quarter, per firm and lane.
QUARTER = (
    "revenue",
    "profit",
    "sales",
    "contribution",
    "mechanisms",
    "investment",
    "value",
    "arrived",
    "resolved",
    "abandoned",
    "left",
    "heard",
    "voices",
    "waited",
    "breaches",
)
(
    REVENUE,
    PROFIT,
    SALES,
    CONTRIBUTION,
    MECHANISMS,
    INVESTMENT,
    VALUE,
    ARRIVED,
    RESOLVED,
    ABANDONED,
    LEFT,
    HEARD,
    VOICES,
    WAITED,
    BREACHES,
) = range(len(QUARTER))
BLOCK = 16  # stakeholders whose draws are made together
SUM_SCALE = 2.0**20
ENGAGEMENT_SCALE = 2.0**12


@dataclass(frozen=True)
class World:
    """Facts of one replication, shared by all its arms.

    Attributes
    ----------
    ids : uint64 (N,)
        Stable identities; every draw is addressed by them.
    kind : int32 (N,)
        Stakeholder type.
    tied : int32 (N,)
        Firm one is tied to at the start, or -1.
    department : int32 (N,)
        Department of the tied firm one works in, or -1.
    voice : float32 (N,), >= 0
        Talkativeness, a factor.
    opportunity : float32 (N,), >= 0, 1/week
        Rate of occasions to choose a provider.
    opening_attitude : float32 (N, F) in [-1, 1]
        Attitude at the start and anchor afterwards.
    indptr : int64 (N + 1,); indices : int32 (M,)
        Ties by receiver: whom each stakeholder hears.
    contact, evidence : int16 (M,)
        Weights of a tie relative to the largest of its row, +-1..32767; evidence below zero marks a
        tie of negative sign.
    contact_scale, evidence_scale : float32 (N,)
        True weight of a tie = integer weight x scale of its row.
    layer : int8 (M,)
        Layer of each tie.
    routing : tuple over firms of float64 (D, D)
        Share of a department's internal ties that lead to each other department.
    """

    ids: np.ndarray
    kind: np.ndarray
    tied: np.ndarray
    department: np.ndarray
    voice: np.ndarray
    opportunity: np.ndarray
    opening_attitude: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray
    contact: np.ndarray
    evidence: np.ndarray
    contact_scale: np.ndarray
    evidence_scale: np.ndarray
    layer: np.ndarray
    routing: tuple[np.ndarray, ...]

    @property
    def n_stakeholders(self) -> int:
        """Number of stakeholders."""
        return len(self.ids)

    @property
    def n_firms(self) -> int:
        """Number of firms."""
        return self.opening_attitude.shape[1]


@dataclass(frozen=True)
class Layout:
    """Where the numbers of a stakeholder in an arm stand in memory; see sim.memory.

    Attributes
    ----------
    n_stakeholders, n_lanes : int
        Lanes are arms, padding included.
    people : bool
        Whether vectors run over stakeholders, one arm to a pass, or over all arms, in one pass.
    """

    n_stakeholders: int
    n_lanes: int
    people: bool

    @property
    def across(self) -> Arms | People:
        """The kernels' argument that says what vectors run over."""
        return People(self.rows) if self.people else Arms(self.rows)

    @property
    def width(self) -> tuple[int, ...]:
        """The kernels' argument that says how many lanes a vector has."""
        return width_of(BLOCK if self.people else self.n_lanes)

    @property
    def rows(self) -> int:
        """Stakeholders in whole blocks, an odd number of them so that fields share no cache set."""
        return BLOCK * (-(-self.n_stakeholders // BLOCK) | 1)

    @property
    def n_passes(self) -> int:
        """Passes over the stakeholders that all arms take."""
        return self.n_lanes if self.people else 1

    @property
    def lanes_of_pass(self) -> int:
        """Arms that a pass is of."""
        return self.n_lanes // self.n_passes

    def pass_of(self, lane: int) -> int:
        """Return the pass that an arm is run in."""
        return lane // self.lanes_of_pass

    def table(self, n_fields: int, dtype: type) -> Table:
        """Return zeros for so many fields of every stakeholder in every arm."""
        n = self.n_stakeholders
        if self.people:
            flat = aligned((self.n_lanes, n_fields * self.rows), dtype)
            whole = flat.reshape(self.n_lanes, n_fields, self.rows).transpose(2, 1, 0)
            return Table(flat, whole[:n], (1, self.rows, n_fields * self.rows))
        flat = aligned((1, n * n_fields * self.n_lanes), dtype)
        steps = (n_fields * self.n_lanes, self.n_lanes, 1)
        return Table(flat, flat.reshape(n, n_fields, self.n_lanes), steps)

    def column(self, dtype: type, share: int = 1) -> Table:
        """Return zeros for one number of each, or of so many, stakeholders in every pass."""
        rows = self.rows // share
        flat = aligned((self.n_passes, rows), dtype)
        return Table(flat, flat.T[: self.n_stakeholders], (1, 0, rows))


class Table(NamedTuple):
    """Numbers as kernels see them, (passes, ...) flat, and the same as a view by their places.

    `steps` are the distances in `flat` of a stakeholder, a field and an arm from the next.
    """

    flat: np.ndarray
    view: np.ndarray
    steps: tuple[int, int, int]


class State:
    """Quantities of stakeholders and firms in every lane; only the engine and agent windows write.

    Kernels are given the tables of `of`, everybody else the views on the same numbers.

    Attributes
    ----------
    people : float32 (N, 5 F + 1, L)
        Per firm salience [0, 1], attitude [-1, 1], expectation [0, 1], kept and broken promises
        (pseudo-counts, >= prior, or >= 0 where a nudge took from them); last satisfaction with the
        provider [-1, 1].
    marks : int32 (N, 6, L)
        Provider (-1 none), tenure (weeks), quiet until week, grievance remembered until week, open
        ticket (week + 1, 0 none), live referral offer (firm + 1) * 65536 + last week.
    message : int16 (N, F, L)
        What is said this week: 2 x round(valence x 16383), + 1 with a referral offer; 0 silence.
        Read only where `spoken` has the firm's bit.
    spoken : uint16 (N, passes)
        Firms spoken of this week in any lane of a pass, one bit each; messages of other firms are
        stale.
    speakers : uint16 (blocks, passes)
        Who of a block speaks this week, one bit each.
    complaint : uint32 (N, passes)
        Lanes of a pass in which the stakeholder complains to its firm this week, one bit each.
    """

    def __init__(self, layout: Layout, n_firms: int) -> None:
        self.layout, self.n_firms = layout, n_firms
        self.of = {
            "people": layout.table(FIRM_FIELDS * n_firms + 1, np.float32),
            "marks": layout.table(INT_FIELDS, np.int32),
            "message": layout.table(n_firms, np.int16),
            "spoken": layout.column(np.uint16),
            "speakers": layout.column(np.uint16, BLOCK),
            "complaint": layout.column(np.uint32),
        }
        self.people, self.marks, self.message, self.spoken, self.speakers, self.complaint = (
            table.view for table in self.of.values()
        )

    @property
    def n_lanes(self) -> int:
        """Number of lanes, padding included."""
        return self.layout.n_lanes

    def copy(self) -> State:
        """Return the same numbers in memory of their own."""
        other = State(self.layout, self.n_firms)
        for name, table in self.of.items():
            other.of[name].flat[:] = table.flat
        return other


def add_up(rows: np.ndarray) -> np.ndarray:
    """Sum over the first axis in its order, so that bits do not depend on the number of lanes."""
    total = np.zeros(rows.shape[1:])
    for row in rows:
        total = total + row
    return total
