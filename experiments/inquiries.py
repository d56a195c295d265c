"""Closer looks at single arms, beside the comparison: their ledger, and exact shares of the flows.

An inquiry is one replication of one arm with all that it is compared with: for the *ledger* its six
twins, each with one flow muted, and the twin with all six muted, side by side in one pass, because
people are compared one by one; for *shapley* all 64 combinations of open flows. Like every unit of
work it is journalled as it finishes and depends on nothing but its own replication.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from experiments import designs
from experiments.designs import Study
from experiments.journal import Answer
from experiments.provenance import digest
from sim.flows import Flow, coalition_gates
from sim.plans import Arm
from sim.scenario import Scenario
from sim.state import World

LEDGER, SHAPLEY = "ledger", "shapley"
TWINS = 1 + len(Flow)  # each flow muted, and all
COALITIONS = 2 ** len(Flow)
RUNS = {LEDGER: 1 + TWINS, SHAPLEY: COALITIONS}
FEWEST = 2  # lanes a ledger needs: an arm and a twin


@dataclass(frozen=True)
class Inquiry:
    """One replication of one arm, looked at closely; `kind` is LEDGER or SHAPLEY."""

    kind: str
    replication: int
    arm: Arm

    @property
    def name(self) -> str:
        """File name in the journal, without ending."""
        return f"{self.kind}-{self.replication:06d}-{digest([self.arm.key])}"

    @property
    def n_runs(self) -> int:
        """How many runs it takes."""
        return RUNS[self.kind]


def inquiries_of(study: Study, arms: Sequence[Arm], best: str | None) -> list[Inquiry]:
    """Return the study's inquiries; `best` is the portfolio that ranks first, if any does."""
    first = [arm for key in (study.baseline, best) for arm in arms if arm.key == key]
    counted = {"none": [], "first": first, "all": list(arms)}[study.ledger]
    looked = [(LEDGER, counted), (SHAPLEY, first if study.shapley else [])]
    return [
        Inquiry(kind, replication, arm)
        for kind, chosen in looked
        for replication in range(study.replications)
        for arm in chosen
    ]


def arms_planned(study: Study) -> dict[str, int]:
    """Return how many arms each kind of inquiry looks at."""
    two = min(2, len(study.portfolios))
    counted = {"none": 0, "first": two, "all": len(study.portfolios)}[study.ledger]
    return {LEDGER: counted, SHAPLEY: two if study.shapley else 0}


def runs_planned(study: Study) -> int:
    """Return how many runs the inquiries take in each replication."""
    return sum(n * RUNS[kind] for kind, n in arms_planned(study).items())


def block_sizes(study: Study) -> list[int]:
    """Return how many arms run side by side, for every pass of one replication's inquiries."""
    beside = max(FEWEST, min(study.lanes, 1 + TWINS)) - 1
    ledger = [1 + min(beside, TWINS - i) for i in range(0, TWINS, beside)]
    shares = [min(study.lanes, COALITIONS - i) for i in range(0, COALITIONS, study.lanes)]
    n = arms_planned(study)
    return n[LEDGER] * ledger + n[SHAPLEY] * shares


def coalition(arm: Arm, number: int, n_firms: int) -> Arm:
    """Return the arm with exactly the flows of a coalition open, see `coalition_gates`."""
    return replace(
        arm,
        key=f"{arm.key}~open{number:06b}",
        label=f"{arm.label} with open flows {_flows(number)}",
        gates=arm.gates * coalition_gates(number, n_firms),
    )


def _flows(number: int) -> str:
    return ", ".join(str(int(flow)) for flow in Flow if number >> (flow - 1) & 1) or "none"


def ledger_twins(arm: Arm, n_firms: int) -> list[Arm]:
    """Return the arm's six twins in the order of the flows, then the one with all muted."""
    return [*(twin for _, twin in designs.twins(arm, n_firms)), coalition(arm, 0, n_firms)]


def inquire(scenario: Scenario, inquiry: Inquiry, study: Study, world: World) -> Answer:
    """Run one inquiry; what raises becomes an answer that says so."""
    try:
        arrays = (_count if inquiry.kind == LEDGER else _combine)(scenario, inquiry, study, world)
    except Exception:
        return unanswered(inquiry, traceback.format_exc())
    return Answer(inquiry.kind, inquiry.replication, inquiry.arm.key, "", arrays)


def unanswered(inquiry: Inquiry, error: str) -> Answer:
    """Return the answer of an inquiry of which nothing is known but why it failed."""
    return Answer(inquiry.kind, inquiry.replication, inquiry.arm.key, error, {})


def _count(
    scenario: Scenario, inquiry: Inquiry, study: Study, world: World
) -> dict[str, np.ndarray]:
    from sim.ledger import keep_ledger

    found = keep_ledger(
        scenario,
        inquiry.arm,
        ledger_twins(inquiry.arm, len(scenario.firms)),
        study.seed,
        inquiry.replication,
        study.ledger_thresholds,
        world=world,
        lanes=study.lanes,
    )
    return {"counts": found.counts, "people": found.people}


def _combine(
    scenario: Scenario, inquiry: Inquiry, study: Study, world: World
) -> dict[str, np.ndarray]:
    """Return every indicator at the horizon for every coalition, (len(kpis.TABLE), 64)."""
    from sim.engine import simulate

    arms = [coalition(inquiry.arm, c, len(scenario.firms)) for c in range(COALITIONS)]
    history = simulate(
        scenario, arms, study.seed, inquiry.replication, world=world, lanes=study.lanes
    )
    return {"kpi": history.kpi[-1]}
