"""Firms and how they are made up: departments, capital, programmes, policy, designs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sim import levers
from sim.checks import check_fields, require_in, require_one_of
from sim.fields import CAPITALS, FLOW_LABELS, INF, freeze, number, share_or_derived, word

MOST_FIRMS = 16
# Where ties that a design lays anew lead: in proportion to staff or acts of the others.
TIE_PATTERNS = ("none", "by_staff", "by_acts")
DEPARTMENT_SHARES = ("acts", "hears", "staff")
# Settings that a policy reads beside its budget, and what those it does not read must be.
POLICY_READS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "passive": (),
        "proportional": ("strength", "lag"),
        "reactive": ("strength", "lag"),
        "imitator": ("strength", "lag"),
        "best_response": ("strength", "lag"),
        "scripted": ("schedule",),
    }
)
POLICY_UNREAD: Mapping[str, Any] = MappingProxyType({"strength": 0, "lag": 1, "schedule": {}})
MOST_FACTOR = 100.0  # of today's effort, in a schedule


@dataclass(frozen=True)
class Department:
    """A department: it owns mechanisms, hears, acts on insight or passes it on.

    A firm of a single department, as a competitor seen from outside, runs every mechanism there.
    """

    key: str = word("name in settings")
    label: str = word("name in reports")
    acts: float = number(0, 1, "share", "of the insight it holds, what it turns into change")
    hears: float = number(0, 1, "share", "of what the firm hears, what arrives here first")
    staff: float = number(0, 1, "share", "of the firm's employees")

    def __post_init__(self) -> None:
        """Check ranges."""
        check_fields(self)


@dataclass(frozen=True)
class Capital:
    """A stock of human, information or organization capital at the start."""

    stock: float = number(
        1e-6, INF, "currency", "opening stock (above 0: it is what the opening readiness stands on)"
    )
    readiness: float = number(0.01, 0.99, "share", "readiness that the opening stock gives")
    depreciation: float = number(
        0, 5, "1/year", "loss of the stock", "Corrado, Hulten & Sichel (2005)"
    )
    build_weeks: float = number(0.5, 520, "weeks", "mean time to build")
    investment: float = number(0, INF, "currency/quarter", "today's investment")

    def __post_init__(self) -> None:
        """Check ranges."""
        check_fields(self)


@dataclass(frozen=True)
class Programme:
    """What a firm does today about one mechanism."""

    effort: float = number(0, INF, "currency/quarter", "today's effort")
    maturity: float = number(0, 1, "share", "maturity reached so far")

    def __post_init__(self) -> None:
        """Check ranges."""
        check_fields(self)


@dataclass(frozen=True)
class Policy:
    """How a firm sets its budget each quarter, see sim/policies.py."""

    name: str = word("passive, proportional, reactive, imitator, best_response or scripted")
    strength: float = number(
        0, 5, "factor", "size of the response (0 never responds, as passive never does)"
    )
    lag: int = number(1, 8, "quarters", "delay of the response (1 where there is none: passive)")
    budget: float = number(
        0, INF, "currency/quarter", "most it can spend on mechanisms and capital"
    )
    schedule: Mapping[str, tuple[float, ...]] = field(
        default_factory=dict,
        metadata={
            "meaning": "factors on today's effort by mechanism, one per quarter from the first "
            "on, the last for all that follow (scripted)"
        },
    )

    def __post_init__(self) -> None:
        """Check ranges and that the policy reads what it is given."""
        check_fields(self)
        require_one_of("policy.name", self.name, POLICY_READS)
        freeze(self, "schedule")
        self._check_schedule()
        for name, unread in POLICY_UNREAD.items():
            value = getattr(self, name)
            if name not in POLICY_READS[self.name] and value != unread:
                readers = ", ".join(key for key, reads in POLICY_READS.items() if name in reads)
                shown = dict(value) if isinstance(value, Mapping) else f"{value:g}"
                raise ValueError(
                    f"policy.{name}={shown} is not read by policy {self.name!r} (it is by "
                    f"{readers}): it must be {unread}"
                )

    def _check_schedule(self) -> None:
        if self.name == "scripted" and not self.schedule:
            raise ValueError(
                "policy.schedule={}: policy 'scripted' needs factors for one mechanism at least"
            )
        for key, factors in self.schedule.items():
            if not factors:
                raise ValueError(f"policy.schedule.{key}=[] needs one factor at least")
            for quarter, factor in enumerate(factors):
                require_in(f"policy.schedule.{key}.{quarter}", factor, 0.0, MOST_FACTOR)


@dataclass(frozen=True)
class Firm:
    """The organization (index 0) or a competitor: everything that may differ between firms."""

    key: str = word("name in settings; its luck travels with it")
    label: str = word("name in reports")
    appeal: float = number(-10, 10, "utils", "preference that nothing else explains")
    price: float = number(0.01, 100, "factor", "price relative to the reference price")
    execution: float = number(-10, 10, "logit", "service execution without capital or engagement")
    claim: float = number(-1, 1, "attitude", "what its messages claim")
    claim_quality: float = number(0, 1, "quality", "the quality its messages promise")
    variable_cost: float = number(
        0, 1, "share of list price", "cost of goods sold; a price cut does not lower it"
    )
    fixed_cost: float = number(0, INF, "currency/week", "cost that does not vary")
    fixed_income: float = number(0, INF, "currency/week", "income without sale (grants, endowment)")
    ticket_cost: float = number(0, INF, "currency", "cost of one handled complaint")
    referral_reward: float = number(0, INF, "currency", "paid for one referred customer")
    departments: tuple[Department, ...] = word("its departments")
    capital: Mapping[str, Capital] = word("human, information, organization")
    programmes: Mapping[str, Programme] = word("what it does today, by mechanism")
    levers: Mapping[str, float] = word("lever defaults of this firm, where they differ")
    policy: Policy = word("how it answers the market")

    def __post_init__(self) -> None:
        """Check ranges, capitals, levers and that department shares sum to one."""
        check_fields(self)
        for name in ("capital", "programmes", "levers"):
            freeze(self, name)
        missing = set(CAPITALS) ^ set(self.capital)
        if missing:
            raise ValueError(
                f"capital of {self.key}: needs exactly {', '.join(CAPITALS)}; "
                f"wrong or missing: {', '.join(sorted(missing))}"
            )
        for key, value in self.levers.items():
            row = levers.lever(key)
            if not row.low <= value <= row.high:
                raise ValueError(
                    f"levers.{key}={value:g} of {self.key} is out of range: it must "
                    f"lie in [{row.low:g}, {row.high:g}]"
                )
        for key in self.policy.schedule:
            require_one_of("policy.schedule: a programme", key, self.programmes)
        names = [d.key for d in self.departments]
        if not names or len(set(names)) != len(names):
            raise ValueError(
                f"departments of {self.key}: at least one is needed and names must differ, "
                f"got {names}"
            )
        for share in ("hears", "staff"):
            total = sum(getattr(d, share) for d in self.departments)
            if abs(total - 1) > 1e-6:
                raise ValueError(f"departments of {self.key}: {share} must sum to 1, not {total:g}")


@dataclass(frozen=True)
class Unit:
    """A department of a design: several of today's joined, one of today's reshaped, or a new one.

    Left out, hears and staff are the sums over those it joins, and what is acted upon is what any
    of them acts upon: 1 - product of (1 - acts).
    """

    key: str = word("name in settings")
    label: str = word("name in reports")
    joins: tuple[str, ...] = field(
        default=(), metadata={"meaning": "today's departments that it is made of; none for a new"}
    )
    acts: float | None = share_or_derived("of the insight it holds, what it turns into change")
    hears: float | None = share_or_derived(
        "of what the organization hears, what arrives here first"
    )
    staff: float | None = share_or_derived("of the organization's employees")

    def __post_init__(self) -> None:
        """Check ranges, and that a new department says everything."""
        for name in DEPARTMENT_SHARES:
            value = getattr(self, name)
            if value is not None:
                require_in(f"departments.{self.key}.{name}", value, 0.0, 1.0)
            elif not self.joins:
                raise ValueError(
                    f"departments.{self.key}.{name} is missing: a department that joins none of "
                    "today's must say it (share, 0 to 1)"
                )


@dataclass(frozen=True)
class CrossTies:
    """How a design changes the ties between departments; people's own ties stay as they are."""

    anew: float = number(0, 1, "share", "of each department's ties to others, what is laid anew")
    pattern: str = word(
        "where new ties lead: by_staff (to other departments by their size), by_acts (by what they "
        "turn into change) or none"
    )
    made_good: float = number(
        0, 1, "share", "of what is lost at silo walls, what the design passes on after all"
    )

    def __post_init__(self) -> None:
        """Check ranges and that a pattern is given exactly where ties are laid anew."""
        check_fields(self)
        require_one_of("ties.pattern", self.pattern, TIE_PATTERNS)
        if (self.anew > 0) == (self.pattern == "none"):
            remedy = "say where they lead" if self.anew > 0 else "it must be none"
            raise ValueError(
                f"ties.pattern={self.pattern!r} with ties.anew={self.anew:g}: {remedy}"
            )


@dataclass(frozen=True)
class Design:
    """A way to organize the organization, and what it takes to get there.

    A mechanism goes to the department of `owners_by_mechanism`, else of its first flow in
    `owners_by_flow`, else of its owner of today in `owners`, else to the unit that its owner of
    today joined, else it stays.
    """

    key: str = word("name in settings")
    label: str = word("name in reports")
    description: str = word("one sentence")
    start: int = number(1, 80, "quarter", "in which it is introduced and paid (1 is the first)")
    cost: float = number(0, INF, "currency", "of reorganizing, charged once at the start")
    dip: float = number(
        0,
        100,
        "weeks",
        "of output that the departments touched lose while they settle",
        "Repenning & Sterman (2002)",
    )
    half_life: float = number(
        0.1, 1000, "weeks", "until half of the work goes the new way", "Schneiderman (1988)"
    )
    departments: tuple[Unit, ...] = word("departments that are joined, reshaped or added")
    owners: Mapping[str, str] = word("new owner by owner of today")
    owners_by_flow: Mapping[str, str] = word("new owner by a mechanism's first flow (1 to 6)")
    owners_by_mechanism: Mapping[str, str] = word("new owner by mechanism")
    ties: CrossTies = word("ties between departments")

    def __post_init__(self) -> None:
        """Check ranges, flows and that nothing is joined twice."""
        check_fields(self)
        for name in ("owners", "owners_by_flow", "owners_by_mechanism"):
            freeze(self, name)
        for flow in self.owners_by_flow:
            require_one_of("owners_by_flow", flow, FLOW_LABELS)
        keys = [unit.key for unit in self.departments]
        joined = [key for unit in self.departments for key in unit.joins]
        for what, names in (("departments", keys), ("departments.*.joins", joined)):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what}: {', '.join(twice)} twice")
