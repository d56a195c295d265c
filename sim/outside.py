"""What comes from outside: shocks and the course of a year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sim.checks import check_fields, require_in, require_one_of
from sim.fields import EVERYBODY, INF, WEEKS_PER_QUARTER, number, word

# Firms that a shock may name without knowing their keys.
FIRM_WORDS = (EVERYBODY, "organization", "competitors", "first_competitor", "last_competitor")


@dataclass(frozen=True)
class ShockKind:
    """What a kind of shock does, in which unit, and what it reads beside size and time."""

    unit: str
    low: float
    high: float
    meaning: str
    reads: tuple[str, ...]


SHOCK_KINDS: Mapping[str, ShockKind] = MappingProxyType(
    {
        "recall": ShockKind(
            "logit", 0, 10, "loss of delivered quality", ("firm", "to", "weeks", "cost")
        ),
        "crisis": ShockKind(
            "1/week",
            0,
            10,
            "evidence of bad news about the firm",
            ("firm", "to", "weeks", "valence", "salience"),
        ),
        "endorsement": ShockKind(
            "1/week",
            0,
            10,
            "evidence of an opinion leader's praise",
            ("firm", "to", "weeks", "valence", "salience"),
        ),
        "price_move": ShockKind("share", -0.9, 10, "change of the firm's price", ("firm", "weeks")),
        "demand": ShockKind("share", -1, 10, "change of units bought", ("to", "weeks")),
        "need_jump": ShockKind("need", 0, 100, "how far needs move", ("to", "weeks")),
        "new_entrant": ShockKind("1 or 0", 0, 1, "the firm is absent until then", ("firm",)),
    }
)
SHOCK_UNREAD: Mapping[str, Any] = MappingProxyType(
    {"firm": EVERYBODY, "to": (), "weeks": None, "cost": 0, "valence": 0, "salience": 0}
)
VALENCES = MappingProxyType({"crisis": (-1.0, 0.0), "endorsement": (0.0, 1.0)})


@dataclass(frozen=True)
class Shock:
    """Something that happens to the market, whatever anybody does; the same in every arm.

    A shock of size 0 does not happen, and neither does one with a chance below 1 in the
    replications whose draw says so.
    """

    key: str = word("name in settings; its luck travels with it")
    kind: str = word("recall, crisis, endorsement, price_move, demand, need_jump or new_entrant")
    firm: str = word(
        "whom it hits: a firm, organization, competitors, first_competitor, last_competitor or all"
    )
    quarter: int = number(1, 80, "quarter", "in which it begins (1 is the first)")
    week: int = number(1, WEEKS_PER_QUARTER, "week", "of that quarter, in which it begins")
    weeks: int | None = word("how many weeks it lasts; null for good")
    size: float = number(-1, 100, "", "how strong it is, in the unit of its kind; 0 never happens")
    chance: float = number(0, 1, "probability", "that it happens, drawn once per replication")
    cost: float = field(
        default=0.0,
        metadata={
            "low": 0,
            "high": INF,
            "unit": "currency",
            "meaning": "paid once in its first week by each firm it hits (recall)",
        },
    )
    valence: float = field(
        default=0.0,
        metadata={
            "low": -1,
            "high": 1,
            "unit": "attitude",
            "meaning": "what the news says (crisis below 0, endorsement above)",
        },
    )
    salience: float = field(
        default=0.0,
        metadata={
            "low": 0,
            "high": 10,
            "unit": "1/week",
            "meaning": "hazard that the news brings the firm to mind (crisis, endorsement)",
        },
    )
    to: tuple[str, ...] = field(
        default=(), metadata={"meaning": "stakeholder types it reaches; empty or all for all"}
    )

    def __post_init__(self) -> None:
        """Check the kind, the ranges that go with it, and that it reads what it is given."""
        check_fields(self)
        require_one_of(f"{self.key}.kind", self.kind, SHOCK_KINDS)
        kind = SHOCK_KINDS[self.kind]
        name = f"{self.key}.size ({kind.meaning}, kind {self.kind!r}, {kind.unit})"
        require_in(name, self.size, kind.low, kind.high)
        for name, unread in SHOCK_UNREAD.items():
            value = getattr(self, name)
            if name not in kind.reads and value != unread:
                readers = ", ".join(key for key, k in SHOCK_KINDS.items() if name in k.reads)
                must = {"to": "all", "weeks": "null"}.get(name, unread)
                raise ValueError(
                    f"{self.key}.{name}={_plain(value)} is not read by kind {self.kind!r} (it is "
                    f"by {readers}): it must be {must}"
                )
        if self.weeks is not None and (type(self.weeks) is not int or not 1 <= self.weeks <= 1040):
            raise ValueError(
                f"{self.key}.weeks={self.weeks!r} must be a whole number from 1 to 1040, or null"
            )
        low, high = VALENCES.get(self.kind, (0.0, 0.0))
        if low != high and (self.valence == 0 or not low <= self.valence <= high):
            raise ValueError(
                f"{self.key}.valence={self.valence:g}: kind {self.kind!r} needs one "
                f"{'below' if low < 0 else 'above'} 0, in [{low:g}, {high:g}]"
            )
        if self.kind == "new_entrant" and (self.size not in (0, 1) or self.week != 1):
            raise ValueError(
                f"{self.key}: a firm enters with a quarter's first week: size must be 1 (0 never "
                f"happens) and week 1, not size={self.size:g} and week={self.week}"
            )


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else f"{value!r}"


@dataclass(frozen=True)
class Season:
    """The course of a year: a cosine around 1 with its highest point in the week `peak`."""

    demand: float = number(0, 1, "share", "units bought at the peak beyond the year's mean")
    occasions: float = number(
        0, 1, "share", "rate of occasions to choose at the peak beyond the year's mean"
    )
    peak: int = number(1, 52, "week", "of the year with the highest; the first counted week is 1")
    to: tuple[str, ...] = field(
        default=(), metadata={"meaning": "customers it concerns; empty or all for all"}
    )

    def __post_init__(self) -> None:
        """Check ranges."""
        check_fields(self)


NO_SEASON = Season(0.0, 0.0, 1)
