"""What is run: a plan of money, nudges, and the arm that has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from sim import levers
from sim.checks import check_fields, check_value, require_in, require_one_of
from sim.fields import CAPITALS, EVERYBODY, freeze, number, word
from sim.organization import Design
from sim.physics import Physics
from sim.steering import Goal, Governance

# What stakeholders hold of a firm, as far as nudges shift it: range and unit.
STATES: Mapping[str, tuple[float, float, str]] = MappingProxyType(
    {
        "salience": (0.0, 1.0, "probability"),
        "attitude": (-1.0, 1.0, "attitude"),
        "expectation": (0.0, 1.0, "quality"),
        "trust": (0.0, 1.0, "share"),
        "satisfaction": (-1.0, 1.0, "satisfaction"),
    }
)
WHOM = (EVERYBODY, "chance", "reach", "traced")


@dataclass(frozen=True)
class Plan:
    """What the organization funds beyond today, per quarter, in currency.

    Attributes
    ----------
    effort : float array (n_mechanisms, quarters), >= 0
        Money per quarter on each mechanism, on top of today's programmes.
    investment : float array (3, quarters), >= 0
        Money per quarter into human, information and organization capital, on top of today's.
    """

    effort: np.ndarray
    investment: np.ndarray

    def __post_init__(self) -> None:
        """Check shapes and signs."""
        self.check()

    def check(self) -> None:
        """Raise ValueError unless every number is finite and at least 0."""
        for name in ("effort", "investment"):
            array = getattr(self, name)
            if array.ndim != 2 or not np.isfinite(array).all() or (array < 0).any():
                raise ValueError(f"plan.{name} must be finite, >= 0 and of shape (rows, quarters)")

    @staticmethod
    def nothing(n_mechanisms: int, quarters: int) -> Plan:
        """Return the plan that changes nothing."""
        return Plan(np.zeros((n_mechanisms, quarters)), np.zeros((len(CAPITALS), quarters)))


@dataclass(frozen=True)
class Nudge:
    """A small push from outside at one place of a firm, to see what follows; it costs nothing.

    A lever is shifted for as long as the nudge lasts and stays within its range. A capital is
    raised by a share of its stock; `once` lets the addition wear, else it is kept up. A state of
    stakeholders about the firm is shifted at the start of each quarter in which the nudge lasts,
    and goes its way from there; `whom` and `share` say of which of them.
    """

    by: float = number(
        -1e6,
        1e6,
        "lever's unit, share of the stock, or state's unit",
        "how far it is pushed: a lever and a state by so much, a capital by that share of it",
        "assumption",
    )
    lever: str = word("lever that is shifted, see sim/levers.py", default="")
    capital: str = word("capital that is raised in place of a lever", default="")
    state: str = word(
        "what stakeholders hold of the firm that is shifted in place of a lever: salience, "
        "attitude, expectation, trust or, of those tied to it, satisfaction",
        default="",
    )
    firm: str = word(
        "whose: organization, rivals (every one of them) or a firm's name", default="organization"
    )
    to: tuple[str, ...] = word("stakeholder types; none named: all of them", default=())
    whom: str = word(
        "which stakeholders of those types a state is shifted of: all, or a share of them: by "
        "chance, by reach (heard by most) or traced (whose words moved attitudes to the firm most "
        "in the warm-up)",
        default=EVERYBODY,
    )
    share: float = number(
        0, 1, "share", "of those types, above 0; 1 where whom is all", "assumption", default=1.0
    )
    quarter: int = number(
        1, 80, "quarter", "first one with it (1 is the first)", "convention", default=1
    )
    once: bool = word("whether it lasts one quarter only", default=False)

    def __post_init__(self) -> None:
        """Check that it pushes one thing, by a number that makes sense."""
        check_fields(self)
        if sum(map(bool, (self.lever, self.capital, self.state))) != 1:
            raise ValueError(
                f"a nudge moves one lever, one capital or one state, got lever={self.lever!r}, "
                f"capital={self.capital!r} and state={self.state!r}"
            )
        if self.state:
            self._check_state()
            return
        for name, value, usual in (("whom", self.whom, EVERYBODY), ("share", self.share, 1.0)):
            if value != usual:
                raise ValueError(
                    f"nudge of {self.lever or self.capital}: {name}={value!r} has no meaning, "
                    "stakeholders are chosen for a state alone"
                )
        if self.lever:
            require_one_of("nudge: lever", self.lever, levers.INDEX)
            if self.to and levers.TABLE[levers.INDEX[self.lever]].of_firm:
                raise ValueError(
                    f"nudge of {self.lever}: to={list(self.to)} has no meaning, the lever has one "
                    "value for the whole firm"
                )
            return
        require_one_of("nudge: capital", self.capital, CAPITALS)
        if self.to:
            raise ValueError(f"nudge of {self.capital} capital: to={list(self.to)} has no meaning")
        if self.by <= -1:
            raise ValueError(f"nudge of {self.capital} capital: by={self.by!r} must be above -1")

    def _check_state(self) -> None:
        require_one_of("nudge: state", self.state, STATES)
        require_one_of("nudge: whom", self.whom, WHOM)
        low, high, _ = STATES[self.state]
        require_in(f"nudge of {self.state}: by", self.by, low - high, high - low)
        if self.whom == EVERYBODY and self.share != 1:
            raise ValueError(
                f"nudge of {self.state}: share={self.share!r} has no meaning where whom is all; "
                f"choose whom of {', '.join(WHOM[1:])}"
            )
        if self.share == 0:
            raise ValueError(f"nudge of {self.state}: share=0 must be above 0, it reaches nobody")


@dataclass(frozen=True)
class Arm:
    """One variant run side by side with others on the same luck.

    Attributes
    ----------
    key, label : str
        Name in tables and in reports.
    plan : Plan
        What is funded beyond today.
    gates : float array (3, n_firms) in [0, 1]
        Openness of outbound, peer and inbound influence per firm, see sim/flows.py.
    physics : mapping
        Coefficients of the laws that differ from the scenario's.
    design : Design, optional
        How the organization is designed; None leaves it as it is.
    nudges : tuple of Nudge
        Pushes from outside; none changes no bit.
    governance : Governance, optional
        How the organization manages its plan; None carries it out as it stands.
    goals : tuple of Goal
        What its management reads against; the opening is their reference.
    firm : str
        Who funds the plan: organization, or a competitor by name. Indicators stay the
        organization's.
    """

    key: str
    label: str
    plan: Plan
    gates: np.ndarray
    physics: Mapping[str, float] = field(default_factory=dict)
    design: Design | None = None
    nudges: tuple[Nudge, ...] = ()
    governance: Governance | None = None
    goals: tuple[Goal, ...] = ()
    firm: str = "organization"

    def __post_init__(self) -> None:
        """Check gates and the names of coefficients."""
        freeze(self, "physics")
        for name, value in self.physics.items():
            require_one_of(f"arm {self.key}: physics", name, Physics.__dataclass_fields__)
            check_value(f"arm {self.key}: physics.{name}", value, Physics, name)
        self.check()

    def check(self) -> None:
        """Raise ValueError unless every gate lies in [0, 1]."""
        if not ((self.gates >= 0) & (self.gates <= 1)).all():
            raise ValueError(f"gates of arm {self.key!r} must lie in [0, 1]")
