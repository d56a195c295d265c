"""How an organization manages its plan: loop, cadence, patience of its board."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from sim.checks import check_fields, require_one_of
from sim.fields import number, word


@dataclass(frozen=True)
class Patience:
    """How long a board or its investors bear a margin below the opening's, and what they do then.

    Kaplan & Norton's strategic expenditure is what goes first when a quarter disappoints.
    """

    after: int = number(1, 80, "quarters", "below the reference in a row until the board cuts")
    tolerance: float = number(0, 1, "share of revenue", "margin below the opening's that it bears")
    cut: float = number(
        0, 1, "share", "of the plan's effort and investment cut until the margin is back; 0 never"
    )

    def __post_init__(self) -> None:
        """Check ranges and that a board that never cuts is given nothing to read."""
        check_fields(self)
        if self.cut == 0 and (self.after, self.tolerance) != (1, 0):
            raise ValueError(
                f"board.after={self.after} and board.tolerance={self.tolerance:g} are not read "
                "where board.cut=0: they must be 1 and 0"
            )


class Goal(Protocol):
    """What one indicator shall reach, as management reads it (`sim.scorecard.Target` is one)."""

    @property
    def kpi(self) -> str:
        """Return the indicator."""

    @property
    def weight(self) -> float:
        """Return how much it counts beside others."""

    def path(self, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return goal and red flag per quarter, (quarters + 1,), from the opening repeated."""


# What each loop reads of a governance, and what stands where it is not read.
LOOPS = {
    "none": (),
    "single": ("cadence", "step", "indicators"),
    "double": ("cadence", "step", "headline", "doubt", "error", "memory"),
}
GOVERNANCE_UNREAD: dict[str, Any] = {
    "cadence": 1, "step": 0, "indicators": (), "headline": "", "doubt": 0, "error": 1, "memory": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Governance:
    """How the organization manages: what its reviews change, on what evidence, for how long.

    The rules stand in sim/governance.py. They move money within the plan's total of each quarter.
    """

    key: str = word("name in settings")
    label: str = word("name in reports")
    description: str = word("one sentence")
    loop: str = word("what reviews change: none, single (defects) or double (assumptions)")
    cadence: int = number(1, 80, "quarters", "from one review to the next; 1 where none is held")
    step: float = number(
        0,
        1,
        "share",
        "of the plan's effort that a review moves (single), of the way to what is estimated best "
        "(double)",
    )
    indicators: tuple[str, ...] = word(
        "indicators that reviews look at; empty for all that have targets (single)"
    )
    headline: str = word("indicator whose change is to be explained; '' for none (double)")
    doubt: float = number(
        0, 100, "factor", "standard deviation of the first belief, as a multiple of it (double)"
    )
    error: float = number(
        0.001, 1000, "goal's steps", "change of the headline that effort does not explain (double)"
    )
    memory: float = number(
        0.1, 1, "factor/quarter", "weight that evidence keeps (double)", "Ljung & Soderstrom (1983)"
    )
    maturity: float = number(
        0, 1, "share", "of a mature Balanced Scorecard: reports on time, exact and acted upon"
    )
    late: float = number(0, 8, "quarters", "by which reports come later at maturity 0")
    noise: float = number(
        0, 1, "share", "error of reports at maturity 0, of the spread of a single answer"
    )
    unacted: float = number(0, 1, "share", "of what is decided that nobody does at maturity 0")
    shown: tuple[str, ...] = word("indicators that people are judged by, if effort drifts")
    drift: float = number(
        0, 1, "share", "of the plan's effort that goes to whatever moves what is shown"
    )
    board: Patience = word("the board's patience")

    def __post_init__(self) -> None:
        """Check ranges and that nothing is written that is not read."""
        check_fields(self)
        require_one_of("loop", self.loop, LOOPS)
        for name, unread in GOVERNANCE_UNREAD.items():
            value = getattr(self, name)
            if name not in LOOPS[self.loop] and value != unread:
                readers = ", ".join(key for key, reads in LOOPS.items() if name in reads)
                raise ValueError(
                    f"{name}={value!r} is not read by loop {self.loop!r} (it is by {readers}): it "
                    f"must be {unread!r}"
                )
        reported = self.loop != "none" or self.board.cut > 0
        if not reported and self.maturity < 1:
            raise ValueError(
                f"maturity={self.maturity:g}: without reviews and a board that cuts nobody reads "
                "reports: it must be 1"
            )
        for name in ("late", "noise", "unacted"):
            if self.maturity == 1 and getattr(self, name) != 0:
                raise ValueError(
                    f"{name}={getattr(self, name):g} is not read at maturity 1: it must be 0"
                )
        if (self.drift > 0) != bool(self.shown):
            raise ValueError(
                f"drift={self.drift:g} and shown={list(self.shown)}: what people are judged by "
                "and how much they drift to it go together"
            )

    @property
    def acts(self) -> bool:
        """Whether it can change anything of a plan."""
        return (self.loop != "none" and self.step > 0) or self.drift > 0 or self.board.cut > 0
