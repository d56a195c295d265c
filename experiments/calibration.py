"""What a calibration is asked: parameters to fit, targets to meet, markets and pushes to measure.

Data from `configs/calibration/`, checked at the door; what is measured stands in
`experiments/calibration_measures.py`, how it is fitted in `experiments/calibration_fit.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.calibration_measures import EQUAL, MEASURES, PUSHES, UNEQUAL
from sim.checks import check_fields, require_one_of
from sim.fields import freeze, number, word
from sim.physics import Physics
from sim.plans import Nudge

MARKETS = (EQUAL, UNEQUAL)
# Coefficients of physics that may be fitted: numbers, none of them whole ones or switches.
FITTABLE = tuple(
    name for name, item in Physics.__dataclass_fields__.items() if item.type == "float"
)


@dataclass(frozen=True)
class Parameter:
    """A coefficient of physics that is fitted, from where and between which bounds."""

    key: str = word("coefficient of physics")
    low: float = number(-1e6, 1e6, "the coefficient's unit", "lower bound")
    high: float = number(-1e6, 1e6, "the coefficient's unit", "upper bound")
    start: float = number(
        -1e6, 1e6, "the coefficient's unit", "where the fit starts, and is pulled back to"
    )

    def __post_init__(self) -> None:
        """Check that it is a number of physics and that the bounds lie in its range."""
        check_fields(self)
        require_one_of("parameters", self.key, FITTABLE)
        allowed = Physics.__dataclass_fields__[self.key].metadata
        for name in ("low", "high"):
            value = getattr(self, name)
            if not allowed["low"] <= value <= allowed["high"]:
                raise ValueError(
                    f"{name}={value:g} is out of range: {self.key} must lie in "
                    f"[{allowed['low']:g}, {allowed['high']:g}]"
                )
        if self.low >= self.high:
            raise ValueError(f"low={self.low:g} must be below high={self.high:g}")
        if not self.low <= self.start <= self.high:
            raise ValueError(
                f"start={self.start:g} must lie between low={self.low:g} and high={self.high:g}"
            )

    @property
    def by_factor(self) -> bool:
        """Whether it is fitted as a logarithm: both bounds are above 0."""
        return self.low > 0


@dataclass(frozen=True)
class Target:
    """What a measure should come to, and how far off is still fine."""

    key: str = word("measure, see experiments/calibration_measures.py")
    value: float = number(-1e6, 1e6, "the measure's unit", "what it should come to")
    low: float = number(-1e6, 1e6, "the measure's unit", "least that is fine")
    high: float = number(-1e6, 1e6, "the measure's unit", "most that is fine")
    weight: float = number(0, 100, "factor", "how much it counts in the fit; 0 only looks at it")
    source: str = word("where value and range come from")

    def __post_init__(self) -> None:
        """Check the name of the measure and the order of the numbers."""
        check_fields(self)
        require_one_of("targets", self.key, MEASURES)
        if not self.low < self.high or not self.low <= self.value <= self.high:
            raise ValueError(
                f"value={self.value:g} must lie between low={self.low:g} and high={self.high:g}, "
                "and these must differ"
            )

    @property
    def scale(self) -> float:
        """Half the range: what counts as one unit off."""
        return (self.high - self.low) / 2.0


@dataclass(frozen=True)
class Market:
    """A market that measures are taken in, as settings of the command."""

    settings: tuple[str, ...] = word("key=value, first of all scenario=NAME")


@dataclass(frozen=True)
class Calibration:
    """A whole calibration."""

    label: str = word("what is fitted, in words")
    replications: int = number(2, 10_000, "replications", "luck that is fitted on")
    fresh: int = number(2, 10_000, "replications", "further luck that the fit is judged on")
    seed: int = number(0, 2**32 - 1, "-", "seed of all random worlds")
    rounds: int = number(1, 100, "rounds", "most points that the fit may try")
    step: float = number(
        1e-3, 1.0, "log or share of the bounds", "how far a parameter is moved to see its slope"
    )
    stay: float = number(
        0,
        100,
        "factor",
        "how much staying at the start counts: at 1, half the way between a parameter's bounds "
        "counts as half a target's range",
    )
    digits: int = number(1, 12, "digits", "significant ones that fitted values are rounded to")
    markets: Mapping[str, Market] = word("settings of the market by name: equal, unequal")
    pushes: Mapping[str, Nudge] = word("what is pushed: advertising, talk, engagement")
    parameters: tuple[Parameter, ...] = word("coefficients that are fitted")
    targets: tuple[Target, ...] = word("what is aimed at")

    def __post_init__(self) -> None:
        """Check that there is something to fit and that everything named exists."""
        check_fields(self)
        freeze(self, "markets")
        freeze(self, "pushes")
        for group, needed in (("markets", MARKETS), ("pushes", PUSHES)):
            for key in getattr(self, group):
                require_one_of(group, key, needed)
            for key in needed:
                if key not in getattr(self, group):
                    raise ValueError(f"{group}.{key} is missing")
        for name in ("parameters", "targets"):
            if not getattr(self, name):
                raise ValueError(f"{name}={{}}: at least one is needed")
        if not self.fitted:
            raise ValueError("targets: the weight of one at least must be above 0")

    @property
    def fitted(self) -> tuple[Target, ...]:
        """The targets that count in the fit."""
        return tuple(target for target in self.targets if target.weight > 0)
