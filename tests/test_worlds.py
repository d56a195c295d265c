"""Worlds kept on disk: the same to the last bit, and only where that pays."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from experiments import store, worlds
from experiments.settings import load
from sim import population
from sim.scenario import Scenario
from sim.state import World


@pytest.fixture(scope="module")
def market() -> Scenario:
    return load(["scenario=village"]).scenario


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / store.JOURNAL).mkdir()
    return tmp_path


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / store.JOURNAL).rglob("*.npz"))


def same(one: World, other: World) -> bool:
    pairs = [(getattr(one, f.name), getattr(other, f.name)) for f in fields(World)]
    singles = [p for p in pairs if isinstance(p[0], np.ndarray)]
    singles += zip(one.routing, other.routing, strict=True)
    return all(
        a.dtype == b.dtype
        and a.shape == b.shape
        and a.flags.c_contiguous == b.flags.c_contiguous
        and a.tobytes() == b.tobytes()
        for a, b in singles
    )


def test_a_world_read_back_is_the_one_that_was_built(
    market: Scenario, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = worlds.world_of(market, 1, 3, folder, kept=30)
    assert kept(folder) == ["000003.npz"]
    monkeypatch.setattr(population, "build_world", None)
    assert same(worlds.world_of(market, 1, 3, folder, kept=30), built)


def test_another_replication_is_another_world(market: Scenario, folder: Path) -> None:
    one = worlds.world_of(market, 1, 0, folder, kept=30)
    other = worlds.world_of(market, 1, 1, folder, kept=30)
    assert not same(one, other)
    assert same(one, population.build_world(market, 1, 0))


def test_a_world_that_nobody_will_need_again_is_not_kept(market: Scenario, folder: Path) -> None:
    worlds.world_of(market, 1, 0, folder, kept=0)
    assert kept(folder) == []


def test_worlds_that_would_fill_the_disk_are_not_kept(
    market: Scenario, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worlds, "MOST_BYTES", 1_000_000)
    worlds.world_of(market, 1, 0, folder, kept=2)
    assert kept(folder) == ["000000.npz"]
    worlds.world_of(market, 1, 1, folder, kept=100)
    assert kept(folder) == ["000000.npz"]


def test_forgotten_worlds_leave_nothing_behind(market: Scenario, folder: Path) -> None:
    worlds.world_of(market, 1, 0, folder, kept=30)
    worlds.forget(folder)
    worlds.forget(folder)
    assert list((folder / store.JOURNAL).iterdir()) == []
