"""Stakeholder types, the layers of ties between them, and people's own tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from sim.checks import check_fields, require_in, require_one_of
from sim.fields import INF, freeze, number, word

# What `spread` is to a network generator, and its range there; None where it is not read.
SPREADS: Mapping[str, tuple[str, float, float] | None] = MappingProxyType(
    {
        "ring": None,
        "small_world": ("share of far ties", 0.0, 1.0),
        "random": None,
        "heavy_tail": ("exponent of the tail, 2 to 3 observed", 1.01, 100.0),
        "blocks": None,
        "broadcast": None,
        "complete": None,
    }
)
WITHOUT_GROUPS = ("broadcast", "complete")  # generators that keep nothing within a group
OF_GROUPS = ("blocks",)  # generators that are nothing without groups


@dataclass(frozen=True)
class StakeholderType:
    """A group of stakeholders with the same part in the market; also the segment of needs."""

    key: str = word("name in settings")
    label: str = word("name in reports")
    count: int = number(0, 10_000_000, "stakeholders", "how many there are")
    customer: bool = word("whether it chooses its provider; the others' tie to a firm is fixed")
    opportunity: float = number(0, 10, "1/week", "mean rate of occasions to choose")
    experience: float = number(0, 50, "1/week", "rate of experiences with the tied firm")
    voice: float = number(0, 1000, "factor", "mean talkativeness")
    spread: float = number(0, 3, "sd of log", "heterogeneity of talkativeness and opportunity")
    price: float = number(0, INF, "currency/unit", "reference price")
    units: float = number(0, INF, "units/week", "bought by one tied stakeholder")
    attitude_sd: float = number(0, 2, "attitude", "spread of opening attitudes")
    salience: float = number(0, 1, "probability", "opening salience")
    tied: Mapping[str, float] = word("share of the type tied to each firm at the start")
    turnover: float = number(
        0,
        10,
        "1/year",
        "rate at which they leave, and newcomers take their places",
        "assumption",
        default=0.0,
    )

    def __post_init__(self) -> None:
        """Check ranges and that the tied shares sum to at most one."""
        check_fields(self)
        freeze(self, "tied")
        if any(v < 0 for v in self.tied.values()) or sum(self.tied.values()) > 1 + 1e-9:
            raise ValueError(
                f"tied={dict(self.tied)} of {self.key}: shares must be >= 0 and sum to at most 1"
            )


@dataclass(frozen=True)
class Layer:
    """One layer of ties: who hears whom, how likely and how persuasive."""

    key: str = word("name in settings")
    label: str = word("name in reports")
    generator: str = word("network generator, see sim/networks.py")
    degree: float = number(0, 10_000, "ties", "mean number of stakeholders heard")
    contact: float = number(0, 1, "probability", "a message is heard over one tie", "Keller & Fay")
    persuasion: float = number(0, 10, "factor", "persuasion per message, relative")
    speakers: tuple[str, ...] = word("types that are heard; empty for all")
    listeners: tuple[str, ...] = word("types that hear; empty for all")
    homophily: float = number(0, 1, "share", "ties kept within one's own group")
    group: str = word("what homophily keeps to: none, type, department")
    spread: float = number(
        0, 100, "-", "rewiring share (small_world) or tail exponent (heavy_tail); 0 for the others"
    )

    def __post_init__(self) -> None:
        """Check ranges and that the generator reads what it is given."""
        check_fields(self)
        require_one_of("group", self.group, ("none", "type", "department"))
        require_one_of(f"layers.{self.key}.generator", self.generator, SPREADS)
        self._check_spread()
        if self.homophily > 0 and (self.group == "none" or self.generator in WITHOUT_GROUPS):
            raise ValueError(
                f"layers.{self.key}.homophily={self.homophily:g} has nothing to keep to: with "
                f"generator {self.generator!r} and group {self.group!r} it must be 0"
            )
        if self.generator in OF_GROUPS and self.group == "none":
            raise ValueError(
                f"layers.{self.key}.group='none': generator {self.generator!r} needs groups, type "
                "or department; use 'random' without"
            )

    def _check_spread(self) -> None:
        """Refuse a spread that the generator cannot use or would ignore."""
        read = SPREADS[self.generator]
        if read is not None:
            meaning, low, high = read
            name = f"layers.{self.key}.spread ({meaning}, generator {self.generator!r})"
            require_in(name, self.spread, low, high)
        elif self.spread != 0:
            readers = ", ".join(key for key, value in SPREADS.items() if value is not None)
            raise ValueError(
                f"layers.{self.key}.spread={self.spread:g} is not read by generator "
                f"{self.generator!r} (it is by {readers}): it must be 0"
            )


@dataclass(frozen=True)
class People:
    """Stakeholders and ties from people's own tables, as arrays (sim reads no files).

    Attributes
    ----------
    ids : tuple of str
        One id per stakeholder.
    kind : int array (n,)
        Index into the scenario's stakeholder types.
    tied : int array (n,)
        Firm index or -1; -2 where the table leaves it to the type's shares.
    department : int array (n,)
        Index into the tied firm's departments, or -1; -2 where the firm's shares of staff decide.
    source, target : int arrays (m,)
        Rows of ids: the target hears the source.
    layer : int array (m,)
        Index into the scenario's layers.
    weight : float array (m,)
        Strength in (0, 1].
    replaced : tuple of str
        Layers on which these people have the ties of the tables and no generated ones.
    beside : tuple of (type, firm)
        The generated of a type that the tables name give way to the tables' people, but for those
        tied to these firms (the competitors' employees beside one's own).
    """

    ids: tuple[str, ...]
    kind: np.ndarray
    tied: np.ndarray
    department: np.ndarray
    source: np.ndarray
    target: np.ndarray
    layer: np.ndarray
    weight: np.ndarray
    replaced: tuple[str, ...]
    beside: tuple[tuple[int, int], ...] = ()
