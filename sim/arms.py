"""Arms and worlds at the door: what is run must fit the scenario it is run in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.catalogue import INDEX
from sim.checks import require_one_of
from sim.design import redesigned
from sim.fields import CAPITALS
from sim.flows import ORGANIZATION, Law
from sim.nudging import OURS, check_nudges
from sim.plans import Arm
from sim.scenario import Scenario
from sim.state import World


def check_world(world: World, scenario: Scenario) -> None:
    """Check that a world is one of the scenario's: kernels trust its sizes and indices.

    Raises
    ------
    ValueError
        Naming what does not fit.
    """
    n_firms, n_kinds = len(scenario.firms), len(scenario.stakeholders)
    departments = [len(firm.departments) for firm in scenario.firms]
    fits = {
        "firms": world.n_firms == n_firms == len(world.routing),
        "stakeholder types": not len(world.kind)
        or 0 <= world.kind.min() <= world.kind.max() < n_kinds,
        "departments": [len(matrix) for matrix in world.routing] == departments,
    }
    for what, fit in fits.items():
        if not fit:
            raise ValueError(
                f"the world was built for another scenario: its {what} are not those of "
                f"{scenario.key!r}; build it with build_world(scenario, seed, replication)"
            )


def check_arms(arms: Sequence[Arm], scenario: Scenario) -> None:
    """Check plans, gates, designs and nudges as they are now: arrays may have changed since.

    Raises
    ------
    ValueError
        Naming the arm and what of it, with the shape or range that is allowed and the actual one.
    """
    shapes = {
        "plan.effort": ("mechanisms, quarters", (len(scenario.mechanisms), scenario.quarters)),
        "plan.investment": ("capitals, quarters", (len(CAPITALS), scenario.quarters)),
        "gates": ("laws, firms", (len(Law), len(scenario.firms))),
    }
    for arm in arms:
        arrays = (arm.plan.effort, arm.plan.investment, arm.gates)
        for array, (name, (axes, wanted)) in zip(arrays, shapes.items(), strict=True):
            actual = np.shape(array)
            if actual != wanted:
                raise ValueError(
                    f"{name} of arm {arm.key!r} has shape {actual}; scenario {scenario.key!r} "
                    f"needs {wanted} ({axes})"
                )
        arm.plan.check()
        arm.check()
        check_nudges(arm, scenario)
        check_governance(arm)
        funder(arm.firm, scenario, f"firm of arm {arm.key!r}")
        check_ours(f"arm {arm.key!r}", arm.firm, arm.design, arm.governance)
        if arm.design is not None:
            redesigned(arm.design, scenario.firms[ORGANIZATION], scenario.mechanisms)
            if arm.design.start > scenario.quarters:
                raise ValueError(
                    f"design.{arm.design.key}.start={arm.design.start} of arm {arm.key!r} lies "
                    f"beyond the horizon of {scenario.quarters} quarters"
                )


def funder(firm: str, scenario: Scenario, name: str) -> int:
    """Return the place of the firm that funds a plan: organization, or a competitor by name.

    Raises
    ------
    ValueError
        If there is no such firm, with `name`, those there are and the nearest.
    """
    keys = [each.key for each in scenario.firms]
    require_one_of(name, firm, [OURS, *keys[1:]])
    return ORGANIZATION if firm == OURS else keys.index(firm)


def check_ours(name: str, firm: str, design: object, governance: object) -> None:
    """Check that only the organization's own plan comes with a design or a governance.

    Raises
    ------
    ValueError
        Naming what a competitor's plan cannot have.
    """
    for what, value in (("design", design), ("governance", governance)):
        if firm != OURS and value is not None:
            raise ValueError(
                f"{name}: firm={firm!r} with a {what}: a {what} is the organization's own"
            )


def check_governance(arm: Arm) -> None:
    """Check that the governance of an arm reads indicators that there are, and goals it is given.

    Raises
    ------
    ValueError
        Naming what does not fit, and the nearest that would.
    """
    rule = arm.governance
    if rule is None:
        return
    where, goals = f"governance.{rule.key}", [goal.kpi for goal in arm.goals]
    for key in rule.shown:
        require_one_of(f"{where}.shown", key, INDEX)
    if rule.loop == "single":
        for key in rule.indicators:
            require_one_of(f"{where}.indicators (those with a target)", key, goals)
    if rule.loop == "double":
        require_one_of(f"{where}.headline (those with a target)", rule.headline, goals)
