"""The strategy map: objectives, the causes and effects believed to join them, and the six flows.

The map is a hypothesis: learning and growth enables processes, processes serve stakeholders, and
they pay. Flows are drawn as links of their own, between stakeholders and the organization and to
and from the rivals at the side. This is the graph; `experiments/strategy_map_drawing.py` draws it.
Source: Kaplan & Norton (2004) for the map, Sheldrake (2011) for flows drawn on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sim import kpis
from sim.checks import check_fields, nearest, require_one_of
from sim.fields import number, word

RIVALS = "rivals"
# In place of an indicator: nothing measures the objective, its light stays grey.
UNMEASURED = "none"
CONFIDENCES = ("sourced", "assumed", "measured")
# From the bottom row of the drawing to its top.
RANKS = {"learning": 0, "internal": 1, "customer": 2, "financial": 3}


@dataclass(frozen=True)
class Objective:
    """One box on the map."""

    key: str = word("name in settings")
    label: str = word("what shall be true, in a few words")
    perspective: str = word("row: financial, customer, internal or learning")
    kpi: str = word("indicator that colours it, see sim/kpis.py; none where nothing measures it")

    def __post_init__(self) -> None:
        """Check the names."""
        require_one_of(f"objectives.{self.key}.perspective", self.perspective, kpis.PERSPECTIVES)
        if self.kpi not in (UNMEASURED, *kpis.INDEX):
            raise KeyError(
                f"objectives.{self.key}.kpi: unknown indicator {self.kpi!r}"
                f"{nearest(self.kpi, kpis.INDEX)}"
            )
        if self.key == RIVALS:
            raise ValueError(f"objectives.{RIVALS}: this name is kept for the rivals at the side")


@dataclass(frozen=True)
class Link:
    """A cause and its effect, or an influence flow between two parties on the map."""

    tail: str = word("objective that acts, or rivals")
    head: str = word("objective acted on, or rivals")
    sign: int = number(-1, 1, "-", "1 more of the one means more of the other, -1 less")
    lag: float = number(0, 1040, "weeks", "typical delay until the effect shows")
    confidence: str = word("how well it is known: sourced, assumed or measured")
    flow: int = number(0, 6, "-", "influence flow 1 to 6; 0 for a cause-and-effect link")
    feedback: bool = word("whether it runs back down the map (drawn dashed)")

    def __post_init__(self) -> None:
        """Check ranges and names."""
        name = f"link {self.tail} -> {self.head}"
        check_fields(self)
        require_one_of(f"{name}: confidence", self.confidence, CONFIDENCES)
        if self.sign == 0:
            raise ValueError(f"{name}: sign=0 says nothing; give 1 or -1")
        if RIVALS in (self.tail, self.head) and self.flow not in (4, 6):
            raise ValueError(
                f"{name}: flow={self.flow}; only flows 4 (from rivals) and 6 (to rivals) touch them"
            )
        if (self.flow == 4 and self.tail != RIVALS) or (self.flow == 6 and self.head != RIVALS):
            raise ValueError(f"{name}: flow 4 starts at {RIVALS!r} and flow 6 ends there")


@dataclass(frozen=True)
class StrategyMap:
    """Objectives in the order in which they stand in their rows, and the links among them."""

    label: str
    objectives: tuple[Objective, ...]
    links: tuple[Link, ...]

    def __post_init__(self) -> None:
        """Check that everything named exists, once, and that causes point up the map."""
        keys = [objective.key for objective in self.objectives]
        if not keys or len(set(keys)) != len(keys):
            raise ValueError(f"objectives: at least one, and names must differ, got {keys}")
        for link in self.links:
            for key in (link.tail, link.head):
                if key not in keys and key != RIVALS:
                    raise KeyError(
                        f"link {link.tail} -> {link.head}: unknown objective {key!r}"
                        f"{nearest(key, [*keys, RIVALS])}"
                    )
            if link.flow or link.feedback:
                continue
            tail, head = self.objective(link.tail), self.objective(link.head)
            if RANKS[tail.perspective] > RANKS[head.perspective]:
                raise ValueError(
                    f"link {link.tail} -> {link.head} runs down the map, from {tail.perspective} "
                    f"to {head.perspective}: turn it round or mark it feedback: true"
                )

    def objective(self, key: str) -> Objective:
        """Return the objective of that name; KeyError names the nearest."""
        found = {objective.key: objective for objective in self.objectives}
        if key not in found:
            raise KeyError(f"unknown objective {key!r}{nearest(key, found)}")
        return found[key]

    def row(self, perspective: str) -> tuple[Objective, ...]:
        """Return the objectives of one perspective."""
        return tuple(item for item in self.objectives if item.perspective == perspective)

    @property
    def missing_flows(self) -> tuple[int, ...]:
        """Flows that no link draws: a blind spot of the map."""
        drawn = {link.flow for link in self.links}
        return tuple(flow for flow in range(1, 7) if flow not in drawn)


def strategy_map_of(settings: Mapping[str, Any]) -> StrategyMap:
    """Turn `{label, objectives: {key: {...}}, links: [{from, to, ...}]}` into a checked map.

    Raises
    ------
    KeyError, ValueError
        Naming the key or value, what is allowed and the nearest valid name.
    """
    _exactly("strategy_map", settings, ("label", "objectives", "links"))
    wanted = [item.name for item in fields(Objective) if item.name != "key"]
    objectives = []
    for key, values in settings["objectives"].items():
        _exactly(f"objectives.{key}", values, wanted)
        objectives.append(Objective(key=key, **values))
    names = {"tail": "from", "head": "to"}
    columns = {names.get(item.name, item.name): item.name for item in fields(Link)}
    links = []
    for number_, values in enumerate(settings["links"]):
        _exactly(f"links[{number_}]", values, tuple(columns))
        links.append(Link(**{columns[key]: value for key, value in values.items()}))
    return StrategyMap(settings["label"], tuple(objectives), tuple(links))


def _exactly(name: str, settings: Mapping[str, Any], wanted: Sequence[str]) -> None:
    for key in settings:
        require_one_of(f"{name}: key", key, wanted)
    missing = [key for key in wanted if key not in settings]
    if missing:
        raise ValueError(f"{name}: missing {', '.join(missing)}")
