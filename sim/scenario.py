"""The scenario: a market as it is given, frozen and checked.

Every number's unit, range and meaning stands in its field's metadata, where the settings list and
the error messages read it; the values stand in `configs/` alone. Money is in the scenario's
currency (`currency`, thousand euro in the shipped ones), rates are per week, plans are per quarter
(13 weeks).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sim.checks import check_fields, nearest, require_one_of
from sim.fields import EVERYBODY, INF, freeze, number, word
from sim.mechanisms import Mechanism
from sim.organization import MOST_FIRMS, Firm
from sim.outside import FIRM_WORDS, NO_SEASON, Season, Shock
from sim.physics import Physics
from sim.stakeholders import Layer, People, StakeholderType


@dataclass(frozen=True)
class Finance:
    """How money is counted."""

    discount_rate: float = number(0, 1, "1/year", "discount rate")
    market_growth: float = number(-0.5, 1, "1/year", "growth of units per stakeholder")
    cost_growth: float = number(-0.5, 1, "1/year", "growth of fixed cost")
    start_cash: float = number(0, INF, "currency", "opening cash")

    def __post_init__(self) -> None:
        """Check ranges."""
        check_fields(self)


@dataclass(frozen=True)
class Sensing:
    """How readings differ from the truth, see sim/sensing.py; no stakeholder's law reads it."""

    threshold: float = number(
        0, 1, "share", "coverage of a flow below which it gives no data", "assumption"
    )
    sample: float = number(
        1, 1e9, "answers", "counted or asked in a quarter at full coverage", "assumption"
    )
    delay: float = number(
        0, 104, "weeks", "from what happens to its reading without quick reporting", "assumption"
    )

    def __post_init__(self) -> None:
        """Check ranges."""
        check_fields(self)


@dataclass(frozen=True)
class Scenario:
    """One market: everything a run needs but the plan and the luck."""

    key: str = word("name in settings")
    label: str = word("name in reports")
    brief: str = word("one paragraph for the reader")
    currency: str = word("what money is counted in")
    quarters: int = number(1, 80, "quarters", "horizon")
    warm_up: int = number(0, 20, "quarters", "lived as is before the first quarter, not counted")
    stakeholders: tuple[StakeholderType, ...] = word("the types")
    layers: tuple[Layer, ...] = word("the layers of ties")
    firms: tuple[Firm, ...] = word("the organization first, then its competitors")
    mechanisms: tuple[Mechanism, ...] = word("every mechanism a firm may fund")
    physics: Physics = word("coefficients of the laws")
    finance: Finance = word("how money is counted")
    sensing: Sensing = word("how readings differ from the truth")
    audiences: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict,
        metadata={"meaning": "stakeholder types behind a word; of a word left out there are none"},
    )
    people: People | None = field(default=None, metadata={"meaning": "own tables, if any"})
    shocks: tuple[Shock, ...] = field(default=(), metadata={"meaning": "what will happen"})
    season: Season = field(default=NO_SEASON, metadata={"meaning": "the course of a year"})

    def __post_init__(self) -> None:
        """Check that everything named exists and that nothing is named twice."""
        check_fields(self)
        freeze(self, "audiences")
        for group in ("stakeholders", "firms", "layers", "mechanisms", "shocks"):
            keys = [item.key for item in getattr(self, group)]
            if len(set(keys)) != len(keys):
                raise ValueError(f"{group}: names must differ, got {keys}")
        if not self.firms or not self.stakeholders or not self.mechanisms:
            raise ValueError(
                "a scenario needs at least one firm, one stakeholder type and one mechanism"
            )
        if len(self.firms) > MOST_FIRMS:
            raise ValueError(f"firms: {len(self.firms)} are too many, at most {MOST_FIRMS}")
        self._check_stakeholders()
        self._check_layers()
        self._check_mechanisms()
        self._check_shocks()

    def _check_stakeholders(self) -> None:
        for kind in self.stakeholders:
            if not kind.customer and kind.opportunity > 0:
                raise ValueError(
                    f"stakeholders.{kind.key}.opportunity={kind.opportunity:g}: only customers "
                    "choose; set it to 0 or customer to true"
                )
            for key in kind.tied:
                require_one_of(f"stakeholders.{kind.key}.tied", key, [f.key for f in self.firms])
        for word_, kinds in self.audiences.items():
            for key in kinds:
                require_one_of(f"audiences.{word_}", key, [t.key for t in self.stakeholders])

    def _check_layers(self) -> None:
        customer = {kind.key: kind.customer for kind in self.stakeholders}
        for layer in self.layers:
            for key in (*layer.speakers, *layer.listeners):
                require_one_of(f"layers.{layer.key}", key, customer)
                if layer.group == "department" and customer[key]:
                    raise ValueError(
                        f"layers.{layer.key}: {key!r} are customers and work in no department: "
                        "they cannot live on a layer whose group is 'department'"
                    )

    def _check_mechanisms(self) -> None:
        """Check whom mechanisms reach and that every firm has a department to run each."""
        kinds, keys = [t.key for t in self.stakeholders], [m.key for m in self.mechanisms]
        for mechanism in self.mechanisms:
            for effect in mechanism.moves:
                for key in effect.to:
                    require_one_of(f"mechanism.{mechanism.key}.{effect.lever}.to", key, kinds)
            for key in mechanism.acceptability.to:
                require_one_of(f"mechanism.{mechanism.key}.acceptability.to", key, kinds)
        for firm in self.firms:
            for key in firm.programmes:
                require_one_of(f"firms.{firm.key}.programmes", key, keys)
            if len(firm.departments) == 1:
                continue
            for mechanism in self.mechanisms:
                require_one_of(
                    f"mechanism.{mechanism.key}.owner (department of {firm.key})",
                    mechanism.owner,
                    [d.key for d in firm.departments],
                )

    def _check_shocks(self) -> None:
        """Check whom shocks and seasons reach and that nobody is the customer of an absent firm."""
        customer = {kind.key: kind.customer for kind in self.stakeholders}
        for key in self.season.to:
            require_one_of("season.to", key, [k for k in customer if customer[k]])
        for shock in self.shocks:
            where = f"shocks.{shock.key}"
            for key in shock.to:
                require_one_of(f"{where}.to", key, customer)
            require_one_of(f"{where}.firm", shock.firm, [*FIRM_WORDS, *(f.key for f in self.firms)])
            hit = self.hit(shock)
            if not hit:
                raise ValueError(f"{where}.firm={shock.firm!r}: there is no competitor to hit")
            if shock.kind != "new_entrant" or shock.size == 0:
                continue
            if 0 in hit:
                raise ValueError(
                    f"{where}.firm={shock.firm!r}: the organization is there from the start; only "
                    "competitors enter"
                )
            for f in hit:
                self._check_entrant(where, f)

    def _check_entrant(self, where: str, f: int) -> None:
        """Refuse customers at the start of a firm that is not there yet."""
        key = self.firms[f].key
        for kind in self.stakeholders:
            if kind.customer and kind.tied.get(key, 0.0) > 0:
                raise ValueError(
                    f"stakeholders.{kind.key}.tied.{key}={kind.tied[key]:g}: nobody can be the "
                    f"customer of a firm that is absent until {where}; it must be 0"
                )
        if self.people is not None:
            customer = np.array([kind.customer for kind in self.stakeholders], bool)
            theirs = customer[self.people.kind] & (self.people.tied == f)
            if theirs.any():
                raise ValueError(
                    f"people: {self.people.ids[int(theirs.argmax())]!r} is a customer of {key}, "
                    f"which is absent until {where}"
                )

    def hit(self, shock: Shock) -> tuple[int, ...]:
        """Return the firms that a shock hits, as indices."""
        rivals = tuple(range(1, len(self.firms)))
        keys = [firm.key for firm in self.firms]
        by_word = {
            EVERYBODY: (0, *rivals),
            "organization": (0,),
            "competitors": rivals,
            "first_competitor": rivals[:1],
            "last_competitor": rivals[-1:],
        }
        return by_word[shock.firm] if shock.firm in by_word else (keys.index(shock.firm),)

    def mechanism(self, key: str) -> int:
        """Return the index of a mechanism; KeyError names the nearest."""
        keys = [m.key for m in self.mechanisms]
        if key not in keys:
            raise KeyError(f"unknown mechanism {key!r}{nearest(key, keys)}")
        return keys.index(key)
