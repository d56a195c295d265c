"""The benchmark's references do what the engine does, and the command prints what it measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

from experiments.benchmark import __main__ as benchmark
from experiments.benchmark import measure
from experiments.benchmark.luck import LuckOf, addressed, fresh
from experiments.benchmark.market import arms, market
from experiments.benchmark.numpy_scipy import NumpyRun
from experiments.benchmark.plain_mesa import MesaRun
from experiments.benchmark.takeover import TakenOver
from sim import levers, state
from sim.engine import Run
from sim.population import build_world
from sim.scenario import Scenario
from sim.state import OFFER, World
from tests import village

SEED = 7
TAKERS: dict[str, Callable[[Run, LuckOf], TakenOver]] = {
    "plain Mesa": MesaRun,
    "numpy, whole products": NumpyRun,
    "numpy, speakers' ties": lambda run, luck: NumpyRun(run, luck, whole=False),
}


def lively() -> tuple[Scenario, World]:
    """Return a village in which everything happens: much talk, offers, ties of both signs."""
    slow = {"ticket_capacity": 40.0, "recovery": 0.4, "complaint_ease": 0.8}
    made = village.scenario(
        stakeholders=(village.kind(count=300, opportunity=0.2), village.employees(60)),
        firms=(
            village.firm(execution=1.5, levers=slow | {"referral": 0.8}),
            village.firm("theirs", execution=-1.0, levers=slow),
        ),
        physics=replace(
            village.PHYSICS, talk_hazard=1.0, negativity=1.6, patience=1, referral_weeks=8
        ),
    )
    world = build_world(made, SEED, 0)
    signs = np.where(np.arange(len(world.evidence)) % 7 == 0, -1, 1).astype(np.int16)
    return made, replace(world, evidence=world.evidence * signs)


def run_of(scenario: Scenario, world: World) -> Run:
    arm = village.arm(
        scenario, "x", referral=60.0, rebuttal=40.0, mining=40.0, listening=20.0, service=10.0
    )
    return Run(scenario, [arm], SEED, 0, world)


@pytest.mark.parametrize("name", TAKERS)
def test_a_reference_agrees_with_the_kernels_on_the_same_draws(name: str) -> None:
    scenario, world = lively()
    engine, other = run_of(scenario, world), run_of(scenario, world)
    engine.advance_quarter()
    other.advance_quarter()
    reference = TAKERS[name](other, addressed(other))
    for _ in range(3):
        engine.advance_quarter()
        reference.advance_quarter()
    np.testing.assert_allclose(reference.state.people, engine.state.people, rtol=0, atol=5e-5)
    np.testing.assert_array_equal(reference.state.marks, engine.state.marks)
    np.testing.assert_array_equal(reference.counts, engine.counts)
    np.testing.assert_allclose(
        np.stack(reference.rows[0]), np.stack(engine.rows[0]), rtol=1e-4, atol=1e-6
    )
    for field, mine in zip(reference.firms._fields, reference.firms, strict=True):
        theirs = getattr(engine.firms, field)
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6, err_msg=field)


def test_in_the_market_of_that_comparison_everything_happens() -> None:
    scenario, world = lively()
    run = run_of(scenario, world)
    seen, done = np.zeros(len(run.counts)), np.zeros(len(state.QUARTER))
    offers = 0
    for _ in range(4):
        run.advance_quarter()
        seen += run.counts.sum(axis=(1, 2, 3))
        done += run.firms.quarter.sum(axis=(1, 2))
        offers += int((run.state.marks[:, OFFER] > 0).sum())
    assert (seen > 0).all(), seen
    assert offers > 0
    for what in (state.ARRIVED, state.RESOLVED, state.ABANDONED, state.LEFT, state.WAITED):
        assert done[what] > 0, state.QUARTER[what]
    assert (world.evidence < 0).any()
    for lever in ("comparison", "conquest", "rebuttal", "referral"):
        assert run.firms.lever[levers.INDEX[lever]].max() > 0, lever


@pytest.mark.parametrize("name", TAKERS)
def test_a_reference_agrees_in_the_benchmarks_own_market(name: str) -> None:
    scenario = market(400, 2)
    world = build_world(scenario, SEED, 0)
    engine, other = (Run(scenario, arms(scenario, 1), SEED, 0, world) for _ in range(2))
    reference = TAKERS[name](other, addressed(other))
    for _ in range(2):
        engine.advance_quarter()
        reference.advance_quarter()
    np.testing.assert_allclose(reference.state.people, engine.state.people, rtol=0, atol=5e-5)
    np.testing.assert_array_equal(reference.state.marks, engine.state.marks)


def test_fresh_luck_has_the_moments_of_the_engines_own() -> None:
    scenario = market(20_000, 1)
    run = Run(scenario, arms(scenario, 1), SEED, 0, build_world(scenario, SEED, 0))
    own, other = addressed(run)(1), fresh(run)(1)
    for field in fields(own):
        mine, theirs = getattr(own, field.name), getattr(other, field.name)
        assert mine.shape == theirs.shape
        spread = 6 * theirs.std() / np.sqrt(theirs.size)
        assert mine.mean() == pytest.approx(theirs.mean(), abs=2 * spread), field.name
        assert mine.std() == pytest.approx(theirs.std(), rel=0.05), field.name


def test_a_reference_takes_one_arm_and_unbounded_hearing_only() -> None:
    scenario, world = lively()
    two = Run(scenario, [village.arm(scenario, key) for key in "ab"], SEED, 0, world)
    with pytest.raises(ValueError, match="n_lanes=2: a reference runs one arm"):
        NumpyRun(two, addressed(two))
    near = village.arm(scenario, physics={"confidence": 0.5})
    run = Run(scenario, [near], SEED, 0, world)
    with pytest.raises(ValueError, match="confidence < 2"):
        MesaRun(run, addressed(run))


@pytest.mark.parametrize("size", [1000, 10_000, 54_321])
def test_the_market_has_as_many_people_as_asked_for_and_ties_in_proportion(size: int) -> None:
    scenario = market(size, 1)
    counts = {kind.key: kind.count for kind in scenario.stakeholders}
    assert sum(counts.values()) == pytest.approx(size, abs=len(counts))
    assert counts["home_customers"] / size == pytest.approx(0.6, abs=0.01)


def test_the_arms_of_a_pass_differ_and_the_first_adds_nothing() -> None:
    plans = [arm.plan.effort for arm in arms(market(100, 1), 8)]
    assert not plans[0].any()
    assert len({plan.tobytes() for plan in plans}) == 8


def test_samples_of_all_cases_are_interleaved_and_their_median_taken() -> None:
    order: list[str] = []

    def case(name: str) -> measure.Case:
        return measure.Case(lambda: order.append(f"({name}"), lambda: order.append(name), 2.0)

    found = measure.medians({"a": case("a"), "b": case("b")}, 2)
    assert order == ["(a", "a", "(b", "b"] * 2
    assert set(found) == {"a", "b"}


def test_arrays_that_share_memory_are_counted_once() -> None:
    array = np.zeros(10)
    assert measure.bytes_of([array, array.reshape(2, 5), np.zeros(3)]) == 80 + 24


def test_the_goals_take_the_least_favourable_size_and_say_what_is_not_met() -> None:
    found = {
        10: {"engine, 1 arm": 100.0, "engine, 16 arms": 10.0, measure.MESA: 9000.0},
        20: {"engine, 1 arm": 140.0, "engine, 16 arms": 12.0, measure.MESA: 9000.0},
    }
    lines = [line.split("  ") for line in benchmark.goals(found, [1, 16], 9.9e8).splitlines()]
    said = {line[0]: [cell.strip() for cell in line if cell][1:] for line in lines if line[0]}
    assert said["lanes : plain Mesa"] == [">= 500", "750.0", "met"]
    assert said["alone : plain Mesa"] == [">= 100", "64.3", "not met"]
    assert said["cost at 20 : at 10, engine, 16 arms"] == ["<= 1.3", "1.20", "met"]
    assert said["cost at 20 : at 10, engine, 1 arm"] == ["<= 1.3", "1.40", "not met"]
    assert said["peak memory, 1,000,000, 1 arm"] == ["< 1 GB", "0.99 GB", "met"]
    assert "lanes : numpy + scipy.sparse" not in said


def test_one_command_prints_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark.main(["--sizes", "500", "1e3", "--arms", "1", "20", "--samples", "1"]) == 0
    said = capsys.readouterr().out
    for words in (
        "engine, 1 arm ",
        "engine, 20 arms ",
        f"{measure.WHOLE} ",
        f"{measure.COLUMNS} ",
        f"{measure.MESA} ",
        "bytes per stakeholder",
        "copy bandwidth",
        "lanes : plain Mesa",
        "cost at 1,000 : at 500",
    ):
        assert words in said
    assert "peak memory" not in said


def test_the_peak_of_memory_is_measured_in_a_process_of_its_own() -> None:
    held = np.ones(10**8)
    found = measure.peak_of(500)
    assert set(found) == {"world", "quarter", "peak"}
    assert 20e6 < found["peak"] < held.nbytes


@pytest.mark.parametrize("text", ["0", "-5", "many", "1.5", "nan", "inf"])
def test_a_size_that_is_no_number_of_people_is_refused(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        benchmark.parse([f"--sizes={text}"])
    assert stopped.value.code == 2
    assert "must be a whole number of at least 1" in capsys.readouterr().err
