"""What is tried out about the links of a strategy map: which arms answer for which link.

A link says that more of its tail leads to more (or less) of its head. To try it, the tail's
indicator is pushed by a nudge (`sim/nudging.py`) and the head's is watched, both minus the arm
without the nudge on the same luck. A link from an objective to itself through a flow, and one of
several that join the same two objectives, is tried by muting its flow: what the push comes to with
the flow open, minus what it comes to without.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from experiments.designs import Push
from sim import kpis, levers
from sim.checks import nearest
from sim.fields import freeze, word
from sim.plans import STATES, Nudge
from sim.scenario import Scenario
from sim.strategy_map import RIVALS, UNMEASURED, Link, StrategyMap


@dataclass(frozen=True)
class Nudges:
    """Which nudge moves which indicator."""

    moves: Mapping[str, Nudge] = word("nudge by the indicator that it moves")
    rivals_act: str = word("indicator of the rivals where a link starts at them")
    rivals_react: str = word("indicator of the rivals where a link ends at them")
    by_definition: Mapping[str, tuple[str, ...]] = word(
        "indicators that an indicator is computed from: such links are not tried"
    )

    def __post_init__(self) -> None:
        """Check that every indicator exists."""
        freeze(self, "moves")
        freeze(self, "by_definition")
        named = {
            **{f"moves.{key}": key for key in self.moves},
            "rivals_act": self.rivals_act,
            "rivals_react": self.rivals_react,
            **{f"by_definition.{key}": key for key in self.by_definition},
            **{f"by_definition.{k}": part for k, parts in self.by_definition.items()
               for part in parts},
        }  # fmt: skip
        for path, key in named.items():
            if key not in kpis.INDEX:
                raise ValueError(f"{path}: unknown indicator {key!r}{nearest(key, kpis.INDEX)}")


@dataclass(frozen=True)
class Trial:
    """How one link is tried out.

    Attributes
    ----------
    link : Link
        As it is drawn.
    name : str
        Tail, head and flow, unique in the map.
    tail, head : str
        Indicators of its two ends; empty where nothing measures one.
    nudge : Nudge or None
        What pushes the tail.
    pushed : str
        Arm with the nudge; empty where the link is not tried, and `why` says the reason.
    without : tuple of (str, str)
        For a link that needs its flow alone: the arms without and with the nudge, flow muted.
    by_definition : bool
        Whether the head's indicator is computed from the tail's.
    """

    link: Link
    name: str
    tail: str
    head: str
    nudge: Nudge | None = None
    pushed: str = ""
    without: tuple[str, str] | tuple[()] = ()
    why: str = ""
    by_definition: bool = False


def trials_of(
    strategy_map: StrategyMap, nudges: Nudges, scenario: Scenario
) -> tuple[list[Trial], list[Push]]:
    """Return how each link is tried, in the order of the map, and the arms that takes.

    Links whose tails are moved by the same nudge share its arm.
    """
    pushes: dict[tuple[Nudge | None, int], Push] = {}

    def arm(indicator: str, nudge: Nudge | None, muted: int) -> str:
        if (nudge, muted) not in pushes:
            name = "no_nudge" if nudge is None else f"nudge_{indicator}"
            without = f", flow {muted} muted" if muted else ""
            key = f"{name}~flow{muted}" if muted else name
            label = "No nudge" if nudge is None else f"Nudge of {in_words(nudge)}"
            given = () if nudge is None else (nudge,)
            pushes[nudge, muted] = Push(key, f"{label}{without}", given, muted)
        return pushes[nudge, muted].key

    ends = Counter((link.tail, link.head) for link in strategy_map.links)
    shared = {pair for pair, n in ends.items() if n > 1 or pair[0] == pair[1]}
    trials = []
    for trial in _plain(strategy_map, nudges):
        nudge, why = _here(nudges.moves.get(trial.tail), scenario)
        if trial.by_definition:
            pass
        elif not trial.tail or not trial.head:
            trial = replace(trial, why="no indicator measures one of its ends")
        elif nudge is None:
            trial = replace(trial, why=why)
        elif trial.link.tail == trial.link.head and not trial.link.flow:
            trial = replace(trial, why="without a flow it cannot be told from inertia")
        elif trial.link.flow and (trial.link.tail, trial.link.head) in shared:
            flow = trial.link.flow
            pushed = arm(trial.tail, nudge, 0)
            without = (arm(trial.tail, None, flow), arm(trial.tail, nudge, flow))
            trial = replace(trial, nudge=nudge, pushed=pushed, without=without)
        else:
            trial = replace(trial, nudge=nudge, pushed=arm(trial.tail, nudge, 0))
        trials.append(trial)
    return trials, list(pushes.values())


# Which of the stakeholders that a nudge names it reaches, by plans.WHOM.
REACHED = {
    "all": "{who}",
    "chance": "{share:g} % of {who} chosen by chance",
    "reach": "the {share:g} % of {who} who are heard by most",
    "traced": "the {share:g} % of {who} whose words moved attitudes most",
}


def in_words(nudge: Nudge) -> str:
    """Say what a nudge does, in a few words with its unit."""

    def size(by: float) -> str:
        return f"{by:+g}".replace("-", "−")

    whose = {"organization": "", "rivals": "rivals' "}.get(nudge.firm, f"{nudge.firm}'s ")
    when = f"in quarter {nudge.quarter}" if nudge.once else f"from quarter {nudge.quarter} on"
    if nudge.capital:
        return f"{whose}{nudge.capital} capital by {size(100 * nudge.by)} % of its stock {when}"
    if nudge.state:
        unit = STATES[nudge.state][2]
        about = {"organization": "", "rivals": " about rivals"}.get(
            nudge.firm, f" about {nudge.firm}"
        )
        who = REACHED[nudge.whom].format(
            who=", ".join(nudge.to) or "everybody", share=100 * nudge.share
        )
        each = "once, " if nudge.once else "every quarter, "
        return f"{nudge.state}{about} of {who} by {size(nudge.by)} ({unit}), {each}{when}"
    unit = levers.lever(nudge.lever).unit
    whom = f" to {', '.join(nudge.to)}" if nudge.to else ""
    return f"{whose}{nudge.lever.replace('_', ' ')}{whom} by {size(nudge.by)} ({unit}) {when}"


def _plain(strategy_map: StrategyMap, nudges: Nudges) -> list[Trial]:
    """Return the links with their indicators, not yet with arms."""

    def indicator(key: str, of_rivals: str) -> str:
        if key == RIVALS:
            return of_rivals
        found = strategy_map.objective(key).kpi
        return "" if found == UNMEASURED else found

    trials: list[Trial] = []
    for link in strategy_map.links:
        tail = indicator(link.tail, nudges.rivals_act)
        head = indicator(link.head, nudges.rivals_react)
        name = f"{link.tail} > {link.head}" + (f" (flow {link.flow})" if link.flow else "")
        twins = sum(trial.name.split(" #")[0] == name for trial in trials)
        if twins:
            name = f"{name} #{twins + 1}"
        given = tail in nudges.by_definition.get(head, ())
        trials.append(Trial(link, name, tail, head, by_definition=given))
    return trials


def _here(nudge: Nudge | None, scenario: Scenario) -> tuple[Nudge | None, str]:
    """Return a nudge with audiences replaced by this market's types, or why there is none."""
    if nudge is None:
        return None, "no nudge is known that moves the tail"
    kinds = [kind for name in nudge.to for kind in scenario.audiences.get(name, (name,))]
    if nudge.to and not kinds:
        return None, f"this market has no {' or '.join(nudge.to)}"
    return replace(nudge, to=tuple(dict.fromkeys(kinds))), ""
