"""The benchmark's market: the shipped scenario with more people, and arms that all differ."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from experiments.settings import load
from sim.fields import CAPITALS
from sim.flows import open_gates
from sim.plans import Arm, Plan
from sim.scenario import Scenario

SCENARIO = "attenzi"  # about 17 ties per stakeholder


def market(n_stakeholders: int, quarters: int) -> Scenario:
    """Return the shipped scenario with about `n_stakeholders` people and no warm-up."""
    given = shipped()
    factor = n_stakeholders / sum(kind.count for kind in given.stakeholders)
    people = tuple(
        replace(kind, count=max(1, round(kind.count * factor))) for kind in given.stakeholders
    )
    return replace(given, stakeholders=people, quarters=quarters, warm_up=0)


@cache
def shipped() -> Scenario:
    """Return the shipped scenario, read once."""
    return load([f"scenario={SCENARIO}"]).scenario


def arms(scenario: Scenario, n_arms: int) -> list[Arm]:
    """Return arms that each add money to other mechanisms; the first adds none."""
    n_mechanisms = len(scenario.mechanisms)
    found = []
    for number in range(n_arms):
        effort = np.zeros((n_mechanisms, scenario.quarters))
        for m, mechanism in enumerate(scenario.mechanisms):
            effort[m] = mechanism.running * ((number * (m + 3)) % 8) / 8.0
        plan = Plan(effort, np.zeros((len(CAPITALS), scenario.quarters)))
        found.append(Arm(f"arm_{number}", f"Arm {number}", plan, open_gates(len(scenario.firms))))
    return found
