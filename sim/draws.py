"""Many draws at once: what `sim.rng.words` and `sim.rng.normal` give, compiled, to the last bit.

A world takes several draws for each of its people and ties, which array arithmetic would pass
through memory forty times each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from sim.compiled import kernel
from sim.lanes import law
from sim.rng import Stream, threefry

Key = tuple[np.uint32, np.uint32, np.uint32, np.uint32]


def key_of(seed: int, replication: int, stream: Stream, slot: int = 0) -> Key:
    """Return under which key the generator runs."""
    return np.uint32(seed), np.uint32(replication), np.uint32(int(stream)), np.uint32(slot)


@law
def four(key: Any, ident: Any, week: Any, block: Any) -> Any:
    """Return the four words of an address."""
    a, b, c, d = threefry(
        np.uint32(ident),
        np.uint32(ident >> np.uint64(32)),
        np.uint32(week),
        np.uint32(block),
        key[0],
        key[1],
        key[2],
        key[3],
    )
    return np.uint32(a), np.uint32(b), np.uint32(c), np.uint32(d)


@law
def share_of(drawn: Any) -> Any:
    """Return a word as a number strictly inside (0, 1), in steps of 2^-32."""
    return (np.float64(drawn) + 0.5) * 2.0**-32


@kernel
def _fill(key: Any, ids: Any, week: Any, blocks: Any, step: Any, found: Any) -> None:
    """Write words; `step` 0 gives everybody the first block."""
    for i in range(len(ids)):
        drawn = four(key, ids[i], week, blocks[i * step])
        for j in range(found.shape[1]):
            found[i, j] = drawn[j]


@kernel
def _fill_shares(key: Any, ids: Any, week: Any, blocks: Any, step: Any, found: Any) -> None:
    """Write the same as shares."""
    for i in range(len(ids)):
        drawn = four(key, ids[i], week, blocks[i * step])
        for j in range(found.shape[1]):
            found[i, j] = share_of(drawn[j])


@kernel
def _fill_pairs(key: Any, ids: Any, found: Any) -> None:
    """Write the first two words of the first address as one number."""
    for i in range(len(ids)):
        drawn = four(key, ids[i], 0, 0)
        found[i] = np.uint64(drawn[0]) << np.uint64(32) | np.uint64(drawn[1])


def words(
    key: Key, ids: np.ndarray, week: int = 0, block: npt.ArrayLike = 0, columns: int = 4
) -> np.ndarray:
    """Return uint32 (..., columns), at most 4; ids and blocks broadcast."""
    return _filled(_fill, key, ids, week, block, columns, np.uint32)


def shares(
    key: Key, ids: np.ndarray, week: int = 0, block: npt.ArrayLike = 0, columns: int = 4
) -> np.ndarray:
    """Return float64 (..., columns), at most 4, strictly inside (0, 1) in steps of 2^-32."""
    return _filled(_fill_shares, key, ids, week, block, columns, np.float64)


def long_words(key: Key, ids: np.ndarray) -> np.ndarray:
    """Return uint64 (n,), one of 64 bits for each id."""
    found = np.empty(len(ids), np.uint64)
    _fill_pairs(key, np.ascontiguousarray(ids), found)
    return found


def normal(key: Key, ids: np.ndarray, columns: int, block: int = 0) -> np.ndarray:
    """Return float32 (n, columns), at most 4, standard normal."""
    drawn = (words(key, ids, block=block, columns=columns) >> 9).astype(np.float32)
    uniform = (drawn + np.float32(0.5)) * np.float32(2.0**-23)
    return np.asarray(ndtri(uniform.astype(np.float64)), np.float32)


def _filled(
    fill: Any,
    key: Key,
    ids: np.ndarray,
    week: int,
    block: npt.ArrayLike,
    columns: int,
    kind: type,
) -> np.ndarray:
    blocks = np.asarray(block, np.uint32)
    if blocks.ndim:
        ids, blocks = np.broadcast_arrays(ids, blocks)
    found: np.ndarray = np.empty((ids.size, columns), kind)
    flat = (np.ascontiguousarray(x).reshape(-1) for x in (ids, blocks))
    fill(key, next(flat), np.uint32(week), next(flat), min(blocks.ndim, 1), found)
    return found.reshape(*ids.shape, columns)
