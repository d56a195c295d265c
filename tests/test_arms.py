"""Arms at the door: what does not fit the scenario is refused before a week is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import village

from sim import InfluenceModel
from sim.engine import simulate
from sim.plans import Arm, Plan
from sim.population import build_world
from sim.scenario import Scenario

MARKET = village.scenario(quarters=3)
N = len(MARKET.mechanisms)


def arm(effort: np.ndarray | None = None, investment: np.ndarray | None = None) -> Arm:
    plan = Plan(
        np.zeros((N, 3)) if effort is None else effort,
        np.zeros((3, 3)) if investment is None else investment,
    )
    return replace(village.arm(MARKET, "mine"), plan=plan)


def refused(wrong: Arm, message: str, market: Scenario = MARKET) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(market, [village.arm(market), wrong], 1)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((N - 1, 3), rf"plan\.effort of arm 'mine' has shape \({N - 1}, 3\).*\({N}, 3\)"),
        ((N, 4), rf"plan\.effort .*\({N}, 4\); scenario 'village' needs \({N}, 3\)"),
        ((N, 2), r"plan\.effort .*\(mechanisms, quarters\)"),
    ],
)
def test_effort_of_another_shape_is_refused(shape: tuple[int, int], message: str) -> None:
    refused(arm(effort=np.zeros(shape)), message)


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (3, 4), (4, 3)])
def test_investment_of_another_shape_is_refused(shape: tuple[int, int]) -> None:
    said = rf"plan\.investment of arm 'mine' has shape \({shape[0]}, {shape[1]}\).*\(3, 3\)"
    refused(arm(investment=np.zeros(shape)), said)


@pytest.mark.parametrize("shape", [(3, 1), (3, 3), (2, 2), (3,), (2, 3)])
def test_gates_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    said = r"gates of arm 'mine' has shape .*needs \(3, 2\) \(laws, firms\)"
    refused(replace(arm(), gates=np.ones(shape)), said)


def spoilt(change: Callable[[Arm], None]) -> Arm:
    """Return an arm whose arrays were changed after it was made."""
    given = replace(arm(), gates=np.ones((3, 2)))
    change(given)
    return given


def test_what_was_spoilt_after_an_arm_was_made_is_refused() -> None:
    def owe(given: Arm) -> None:
        given.plan.effort[0, 0] = -1.0

    def lose(given: Arm) -> None:
        given.plan.investment[0, 0] = np.nan

    def burst(given: Arm) -> None:
        given.gates[0, 0] = 2.0

    refused(spoilt(owe), r"plan\.effort must be finite, >= 0")
    refused(spoilt(lose), r"plan\.investment must be finite, >= 0")
    refused(spoilt(burst), r"gates of arm 'mine' must lie in \[0, 1\]")


def test_coefficients_nobody_knows_or_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"arm x: physics='ancor' .*did you mean 'anchor'"):
        village.arm(MARKET, "x", physics={"ancor": 0.1})
    with pytest.raises(ValueError, match=r"arm x: physics.anchor=99.*\[0, 10\]"):
        village.arm(MARKET, "x", physics={"anchor": 99.0})


def test_the_mesa_model_has_the_same_door() -> None:
    with pytest.raises(ValueError, match=r"plan\.effort of arm 'mine' has shape"):
        InfluenceModel(MARKET, arm(effort=np.zeros((N, 1))), seed=1)


def test_an_arm_that_fits_is_run() -> None:
    assert simulate(MARKET, [arm()], 1, lanes=1).afforded.shape == (3, len(MARKET.firms), 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lanes": 0}, r"lanes=0 is out of range: it must lie in \[1, 16\]"),
        ({"lanes": 64}, "lanes=64 is out of range"),
        ({"threads": 0}, "threads=0 is out of range"),
        ({"seed": 1.5}, "seed=1.5 must be a whole number"),
        ({"seed": True}, "seed=True must be a whole number"),
        ({"replication": -1}, "replication=-1 is out of range"),
    ],
)
def test_nonsense_is_refused_where_a_simulation_starts(changes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(MARKET, [arm()], **{"seed": 1, **changes})


def test_a_world_of_another_scenario_is_refused() -> None:
    alone = replace(
        MARKET,
        firms=MARKET.firms[:1],
        stakeholders=tuple(replace(k, tied={}) for k in MARKET.stakeholders),
    )
    with pytest.raises(ValueError, match="built for another scenario: its firms"):
        simulate(MARKET, [arm()], 1, world=build_world(alone, 1, 0))
