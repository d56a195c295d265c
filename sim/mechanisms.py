"""Influence mechanisms: what they cost, need, move, and how acceptable they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sim import levers
from sim.checks import check_fields, require_one_of
from sim.fields import CAPITALS, EVERYBODY, INF, freeze, number, word

MATURITY_LAWS = ("exponential", "logistic", "internal_bass")
REACHES = ("all", "tied")
TAGS = ("none", "permission", "privacy", "spin")
CODE = re.compile(r"[A-Z][A-Za-z0-9]{0,7}")
DELAY = 4  # weeks until a breach is known, where nothing else is said; assumption


@dataclass(frozen=True)
class Effect:
    """One lever that a mechanism moves: for which types and by how much at full output."""

    lever: str = word("lever, see sim/levers.py")
    to: tuple[str, ...] = word("stakeholder types; empty or all for all")
    by: float = number(-1000, 1000, "lever's unit", "change at full output")
    above: float = number(
        0,
        0.99,
        "share",
        "of full output beyond which it begins",
        "convention: 0 acts from the first",
        default=0.0,
    )

    def __post_init__(self) -> None:
        """Check the lever's name and the size against the lever's kind."""
        check_fields(self)
        row = levers.lever(self.lever)
        if (row.share or self.by < 0) and not -1 <= self.by <= 1:
            raise ValueError(
                f"by={self.by:g} for lever {self.lever!r} is out of range: shares and "
                "reductions must lie in [-1, 1]"
            )
        if row.of_firm and self.to not in ((), (EVERYBODY,)):
            raise ValueError(
                f"to={list(self.to)} for lever {self.lever!r}: this lever has one value for the "
                "whole firm; write `to: all`"
            )


@dataclass(frozen=True)
class Acceptability:
    """What a mechanism leans on that people may not accept, and what a breach of it costs."""

    tag: str = word("what it leans on: none, permission, privacy or spin")
    breach: float = number(
        0,
        100,
        "1/quarter",
        "hazard of a breach at full output",
        "convention: 0 never breaches",
        default=0.0,
    )
    trust_cost: float = number(
        0,
        1000,
        "pseudo-count",
        "broken promises that everybody whom it concerns counts per breach",
        "Slovic (1993)",
        default=0.0,
    )
    delay: int = number(0, 52, "weeks", "until a breach is known", "assumption", default=DELAY)
    to: tuple[str, ...] = word("stakeholder types whom it concerns; empty or all for all", ())

    def __post_init__(self) -> None:
        """Check ranges and that nothing is said of breaches that never happen."""
        check_fields(self)
        require_one_of("tag", self.tag, TAGS)
        if self.tag == "none" and self.breach > 0:
            raise ValueError(
                f"breach={self.breach:g}: with tag 'none' there is nothing to breach: it must be 0"
            )
        if (self.breach > 0) != (self.trust_cost > 0):
            raise ValueError(
                f"breach={self.breach:g} and trust_cost={self.trust_cost:g} must both be above 0 "
                "or both be 0"
            )
        unread = "is not read without breach: it must be left out"
        if self.breach == 0 and self.delay != DELAY:
            raise ValueError(f"delay={self.delay} {unread}")
        if self.breach == 0 and self.to:
            raise ValueError(f"to={list(self.to)} {unread}")

    def concerns(self, key: str) -> bool:
        """Whether breaches concern a stakeholder type."""
        return self.breach > 0 and (self.to in ((), (EVERYBODY,)) or key in self.to)


@dataclass(frozen=True)
class Mechanism:
    """An influence mechanism: a programme that a firm can fund."""

    key: str = word("name in settings")
    label: str = word("name in reports")
    description: str = word("what is done, through which flow it works, when it disappoints")
    flows: tuple[int, ...] = word("the flows it acts on (1-6), seen from the firm that funds it")
    owner: str = word("department that runs it")
    needs: Mapping[str, float] = word("weight of human, information, organization readiness")
    setup: float = number(0, INF, "currency", "charged once, in the first funded quarter")
    running: float = number(
        0.001, INF, "currency/quarter", "reference effort (63 % of full output)"
    )
    half_life: float = number(0.1, 1000, "weeks", "to half maturity", "Schneiderman (1988)")
    maturity: str = word("maturity law: exponential, logistic or internal_bass")
    dip: float = number(
        0,
        100,
        "weeks",
        "implementation dip of the owner's other mechanisms",
        "Repenning & Sterman (2002)",
    )
    effects: tuple[Effect, ...] = word("the levers it moves")
    code: str = word("short name in the catalogue, such as M07; none for one's own", "")
    volume: float = number(
        0,
        INF,
        "currency/quarter",
        "cost of activity at full output, were everybody in the market reached",
        "convention: 0 where running cost covers it",
        default=0.0,
    )
    reach: str = word("whom activity is paid for: all of the types it addresses, or those tied",
                      "all")  # fmt: skip
    side_effects: tuple[Effect, ...] = word("levers it moves beside, mostly when overdone", ())
    acceptability: Acceptability = word("what it leans on that people may not accept",
                                        Acceptability("none"))  # fmt: skip

    def __post_init__(self) -> None:
        """Check ranges, flows, capital needs and the maturity law."""
        check_fields(self)
        freeze(self, "needs")
        if self.code and not CODE.fullmatch(self.code):
            raise ValueError(
                f"code={self.code!r} must be a capital letter and at most 7 letters or digits, "
                "such as M07"
            )
        require_one_of("reach", self.reach, REACHES)
        if self.volume == 0 and self.reach != REACHES[0]:
            raise ValueError(
                f"reach={self.reach!r} is not read without volume: it must be {REACHES[0]!r}"
            )
        require_one_of("maturity", self.maturity, MATURITY_LAWS)
        for flow in self.flows:
            if flow not in range(1, 7):
                raise ValueError(f"flows={list(self.flows)}: {flow!r} is no flow (1 to 6)")
        for capital, weight in self.needs.items():
            require_one_of("needs", capital, CAPITALS)
            if weight < 0:
                raise ValueError(f"needs.{capital}={weight:g} must be >= 0")
        if abs(sum(self.needs.values()) - 1) > 1e-6:
            raise ValueError(f"needs={dict(self.needs)} must sum to 1")

    @property
    def moves(self) -> tuple[Effect, ...]:
        """Effects and side effects, in this order."""
        return self.effects + self.side_effects

    def addresses(self, key: str) -> bool:
        """Whether its effects reach a stakeholder type, so that its activity is paid for there."""
        return any(
            e.to in ((), (EVERYBODY,)) or key in e.to
            for e in self.effects
            if not levers.lever(e.lever).of_firm
        )
