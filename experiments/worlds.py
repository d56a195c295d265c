"""Worlds of a study's replications, kept on disk as long as several units of work need them.

Portfolios, their muted twins and the further passes of a wide study meet in the same world, but
rarely in the same process, and not at the same time. Reading a world is far quicker than building
it.
"""

from __future__ import annotations

import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np

from experiments.store import JOURNAL, write_whole
from sim.scenario import Scenario
from sim.state import World

FOLDER = "worlds"
ROUTING = "routing"
# More than this is built again rather than kept.
MOST_BYTES = 2_000_000_000


def world_of(scenario: Scenario, seed: int, replication: int, folder: Path, kept: int) -> World:
    """Return the world of one replication: the one kept in a study's folder, else a new one.

    Parameters
    ----------
    kept : int
        How many worlds the study keeps, this one among them, if they are not too much for a disk;
        0 for none.
    """
    from sim.population import build_world

    path = folder / JOURNAL / FOLDER / f"{replication:06d}.npz"
    try:
        return _read(path)
    except FileNotFoundError:
        world = build_world(scenario, seed, replication)
    arrays = _arrays(world)
    if 0 < kept * sum(array.nbytes for array in arrays.values()) <= MOST_BYTES:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, lambda part: _write(part, arrays))
    return world


def forget(folder: Path) -> None:
    """Remove the worlds that a study's folder keeps."""
    shutil.rmtree(folder / JOURNAL / FOLDER, ignore_errors=True)


def _arrays(world: World) -> dict[str, np.ndarray]:
    single = {f.name: getattr(world, f.name) for f in fields(world) if f.name != ROUTING}
    return single | {f"{ROUTING}{i}": array for i, array in enumerate(world.routing)}


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with path.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]


def _read(path: Path) -> World:
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    routing = [arrays.pop(f"{ROUTING}{i}") for i in range(sum(ROUTING in key for key in arrays))]
    return World(**arrays, routing=tuple(routing))
