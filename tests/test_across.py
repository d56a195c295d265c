"""Vectors over people give the bits of vectors over arms: any market, threads, hands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import handmade
import numpy as np
import pytest
import village

from sim.engine import MOST_ALONE, MOST_LANES, Run
from sim.memory import Arms, People, aligned
from sim.plans import Arm
from sim.population import build_world
from sim.scenario import Scenario
from sim.state import ARRIVED, ATTITUDE, BLOCK, OFFER, PROVIDER, REFERRED, SALIENCE, Layout, World

SEED = 7
SLOW = {"ticket_capacity": 40.0, "recovery": 0.4, "complaint_ease": 0.8}


def lively(**changes: object) -> Scenario:
    """Return a village in which everything happens; no number of people fills whole blocks."""
    return village.scenario(
        stakeholders=(village.kind(count=301, opportunity=0.2), village.employees(62)),
        firms=(
            village.firm(execution=1.5, levers=SLOW | {"referral": 0.8}),
            village.firm("theirs", execution=-1.0, levers=SLOW),
        ),
        physics=replace(
            village.PHYSICS,
            **{"talk_hazard": 1.0, "negativity": 1.6, "patience": 1, "referral_weeks": 8} | changes,
        ),
    )


def shuffled(world: World) -> World:
    """Return the same world with its rows in another order, so that blocks mix types."""
    order = np.random.default_rng(1).permutation(world.n_stakeholders)
    return village.reordered(world, order, None)


def market_of(name: str) -> tuple[Scenario, World]:
    market = lively(**({"confidence": 0.4} if name == "bounded" else {}))
    world = build_world(market, SEED, 0)
    signs = np.where(np.arange(len(world.evidence)) % 7 == 0, -1, 1).astype(np.int16)
    world = replace(world, evidence=world.evidence * signs)
    return market, world if name == "sorted" else shuffled(world)


def arms_of(market: Scenario, n: int) -> list[Arm]:
    return [
        village.arm(
            market,
            f"arm {j}",
            referral=60.0 * (j % 3),
            rebuttal=40.0,
            mining=40.0 * (j % 2),
            listening=20.0,
            service=10.0 * (j % 4),
        )
        for j in range(n)
    ]


def ran(
    market: Scenario,
    world: World,
    arms: list[Arm],
    threads: int = 1,
    meddle: Callable[[Run], None] | None = None,
) -> Run:
    run = Run(market, arms, SEED, 0, world, threads)
    for _ in range(market.quarters):
        run.advance_quarter()
        if meddle is not None:
            meddle(run)
    run.stop()
    return run


def same_arm(one: Run, j: int, other: Run, k: int) -> list[str]:
    """Return the names of what arm j of a run and arm k of another differ in."""
    ours, theirs = handmade.bits(one), handmade.bits(other)
    return handmade.differing(
        {name: values[..., j] for name, values in ours.items()},
        {name: values[..., k] for name, values in theirs.items()},
    )


@pytest.mark.parametrize("name", ["sorted", "mixed", "bounded"])
def test_people_side_by_side_are_arms_side_by_side(name: str) -> None:
    market, world = market_of(name)
    arms = arms_of(market, MOST_LANES)
    wide = ran(market, world, arms)
    few = ran(market, world, arms[:MOST_ALONE])
    half = ran(market, world, arms[: MOST_ALONE + 1])
    alone = ran(market, world, arms[4:5])
    assert half.n_lanes < wide.n_lanes
    assert isinstance(wide.state.layout.across, Arms)
    assert isinstance(few.state.layout.across, People)
    assert [same_arm(few, j, wide, j) for j in range(MOST_ALONE)] == [[]] * MOST_ALONE
    assert [same_arm(half, j, wide, j) for j in range(MOST_ALONE + 1)] == [[]] * (MOST_ALONE + 1)
    assert same_arm(alone, 0, wide, 4) == []


def test_in_those_markets_everything_happens() -> None:
    market, world = market_of("mixed")
    assert world.n_stakeholders % BLOCK
    blocks = world.kind[: world.n_stakeholders // BLOCK * BLOCK].reshape(-1, BLOCK)
    assert (np.ptp(blocks, axis=1) > 0).mean() > 0.9, "blocks of more than one type"
    run = Run(market, arms_of(market, 2), SEED, 0, world)
    seen = np.zeros(3)
    for _ in range(market.quarters):
        run.advance_quarter()
        seen += [
            run.firms.quarter[ARRIVED].sum(),
            (run.state.marks[:, OFFER] > 0).sum(),
            run.counts[REFERRED].sum(),
        ]
    assert (seen > 0).all()


@pytest.mark.parametrize("n_arms", [1, 3, MOST_LANES])
def test_threads_change_no_bit_of_either(n_arms: int) -> None:
    market, world = market_of("mixed")
    arms = arms_of(market, n_arms)
    one, more = ran(market, world, arms), ran(market, world, arms, threads=3)
    assert handmade.differing(handmade.bits(one), handmade.bits(more)) == []


def test_more_threads_than_blocks_do_no_harm() -> None:
    market = replace(lively(), stakeholders=(village.kind(count=5), village.employees(4)))
    world = build_world(market, SEED, 0)
    arms = [village.arm(market)]
    one, more = ran(market, world, arms), ran(market, world, arms, threads=4)
    assert handmade.differing(handmade.bits(one), handmade.bits(more)) == []


def test_what_is_written_between_quarters_is_met_by_either() -> None:
    market, world = market_of("mixed")
    arms = arms_of(market, MOST_LANES)

    def meddle(run: Run) -> None:
        last = world.n_stakeholders - 1
        run.state.people[[3, last], ATTITUDE] = 0.7
        run.state.people[17, SALIENCE] = 1.0
        run.state.people[::5, -1] = -0.8
        run.state.marks[40, PROVIDER] = 1

    wide, alone = (ran(market, world, arms[:n], meddle=meddle) for n in (MOST_LANES, 1))
    assert same_arm(alone, 0, wide, 0) == []
    assert same_arm(alone, 0, ran(market, world, arms[:1]), 0) != []


def test_rows_that_fill_up_the_last_block_are_never_counted() -> None:
    market, world = market_of("sorted")
    run = ran(market, world, arms_of(market, 1))
    rest = slice(world.n_stakeholders, None)
    assert not run.facts.present[rest].any()
    assert not run.state.of["spoken"].flat[:, rest].any()
    assert not run.state.of["complaint"].flat[:, rest].any()
    assert run.firms.tied.sum() == (run.state.marks[:, PROVIDER] >= 0).sum()


@pytest.mark.parametrize("people", [True, False])
def test_a_view_and_the_kernels_table_are_the_same_numbers(people: bool) -> None:
    layout = Layout(37, 3, people)
    table = layout.table(5, np.float32)
    assert table.view.shape == (37, 5, 3)
    table.view[...] = np.arange(37 * 5 * 3).reshape(37, 5, 3)
    flat = table.flat.reshape(-1)
    for i, field, lane in ((0, 0, 0), (36, 4, 2), (16, 1, 1)):
        place = np.dot(table.steps, (i, field, lane))
        assert flat[place] == table.view[i, field, lane]
    assert all(row.ctypes.data % 64 == 0 for row in table.flat)


def test_aligned_numbers_begin_with_a_cache_line() -> None:
    for shape in ((1,), (3, 5), (1000,)):
        made = aligned(shape, np.int16)
        assert made.shape == shape
        assert made.ctypes.data % 64 == 0
        assert not made.any()
