"""Luck, addressed instead of drawn: the same for all arms, any thread count and any order.

A draw is a function of (seed, replication, stream, slot) and (id, week, block), never of a position
or of what was drawn before: appending stakeholders changes nobody else's luck, and two arms of one
replication share every draw (MODEL A.15, R5). Generator: Threefry4x32 with 13 rounds, Salmon et
al., Parallel random numbers: as easy as 1, 2, 3 (SC 2011), tested against its published known
answers.

`threefry` is one source for numpy arrays, for single integers and for vectors of lanes in kernels.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from sim.lanes import law, log, rotate, select, sqrt, to_float, word

Numbers = npt.ArrayLike


class Stream(IntEnum):
    """What a draw is for; append only, the numbers are part of the results."""

    NEEDS = 0
    PERSON = 1
    FIRM = 2
    LISTEN = 3
    RECOMMEND = 4
    NETWORK = 5
    INIT = 6
    BREACH = 7
    SHOCK = 8
    READING = 9
    TURNOVER = 10
    NUDGE = 11


@law
def _mix(a: Any, b: Any, c: Any, d: Any, r0: int, r1: int, r2: int, r3: int) -> Any:
    a = word(a + b)
    b = rotate(b, r0) ^ a
    c = word(c + d)
    d = rotate(d, r1) ^ c
    a = word(a + d)
    d = rotate(d, r2) ^ a
    c = word(c + b)
    b = rotate(b, r3) ^ c
    return a, b, c, d


@law
def threefry(a: Any, b: Any, c: Any, d: Any, k0: Any, k1: Any, k2: Any, k3: Any) -> Any:
    """Return four 32-bit words for counter (a, b, c, d) under key (k0, k1, k2, k3); 13 rounds."""
    k4 = k0 ^ k1 ^ k2 ^ k3 ^ 0x1BD11BDA
    a, b, c, d = word(a + k0), word(b + k1), word(c + k2), word(d + k3)
    a, b, c, d = _mix(a, b, c, d, 10, 26, 11, 21)
    a, b, c, d = _mix(a, b, c, d, 13, 27, 23, 5)
    a, b, c, d = word(a + k1), word(b + k2), word(c + k3), word(d + k4 + 1)
    a, b, c, d = _mix(a, b, c, d, 6, 20, 17, 11)
    a, b, c, d = _mix(a, b, c, d, 25, 10, 18, 20)
    a, b, c, d = word(a + k2), word(b + k3), word(c + k4), word(d + k0 + 2)
    a, b, c, d = _mix(a, b, c, d, 10, 26, 11, 21)
    a, b, c, d = _mix(a, b, c, d, 13, 27, 23, 5)
    a, b, c, d = word(a + k3), word(b + k4), word(c + k0), word(d + k1 + 3)
    a = word(a + b)
    b = rotate(b, 6) ^ a
    c = word(c + d)
    d = rotate(d, 20) ^ c
    return a, b, c, d


@law
def uniform_of(bits: Any) -> Any:
    """Return a word of lanes as a uniform number strictly inside (0, 1), as `uniform` does."""
    return (to_float((bits >> 9) & 0x7FFFFF) + 0.5) * 1.1920928955078125e-07


@law
def normal_of(u: Any) -> Any:
    """Return the standard normal quantile of a uniform number (Giles 2010, single precision)."""
    x = u + u - 1.0
    w = -log((1.0 - x) * (1.0 + x))
    a = w - 2.5
    p = 2.81022636e-08 * a + 3.43273939e-07
    p = p * a - 3.5233877e-06
    p = p * a - 4.39150654e-06
    p = p * a + 0.00021858087
    p = p * a - 0.00125372503
    p = p * a - 0.00417768164
    p = p * a + 0.246640727
    p = p * a + 1.50140941
    b = sqrt(select(w > 5.0, w, 5.0)) - 3.0
    q = -0.000200214257 * b + 0.000100950558
    q = q * b + 0.00134934322
    q = q * b - 0.00367342844
    q = q * b + 0.00573950773
    q = q * b - 0.0076224613
    q = q * b + 0.00943887047
    q = q * b + 1.00167406
    q = q * b + 2.83297682
    return 1.41421356 * x * select(w < 5.0, p, q)


def words(
    seed: int,
    replication: int,
    stream: Stream,
    ids: Numbers,
    *,
    week: Numbers = 0,
    block: Numbers = 0,
    slot: Numbers = 0,
) -> np.ndarray:
    """Return uint32 (..., 4): four words per address; addresses broadcast."""
    ident, weeks, blocks, slots = np.broadcast_arrays(np.asarray(ids, np.uint64), week, block, slot)
    as_word = [
        np.atleast_1d(x).astype(np.uint32)
        for x in (ident & np.uint64(0xFFFFFFFF), ident >> np.uint64(32), weeks, blocks)
    ]
    keys = [np.full(as_word[0].shape, k, np.uint32) for k in (seed, replication, int(stream))]
    keys.append(np.atleast_1d(slots).astype(np.uint32))
    return np.stack(threefry(*as_word, *keys), axis=-1).reshape(*ident.shape, 4)


def uniform(
    seed: int,
    replication: int,
    stream: Stream,
    ids: Numbers,
    *,
    week: Numbers = 0,
    block: Numbers = 0,
    slot: Numbers = 0,
) -> np.ndarray:
    """Return float32 (..., 4) strictly inside (0, 1), odd multiples of 2^-24."""
    drawn = words(seed, replication, stream, ids, week=week, block=block, slot=slot)
    return (((drawn >> 9).astype(np.float32)) + np.float32(0.5)) * np.float32(2.0**-23)


def normal(
    seed: int,
    replication: int,
    stream: Stream,
    ids: Numbers,
    *,
    week: Numbers = 0,
    block: Numbers = 0,
    slot: Numbers = 0,
) -> np.ndarray:
    """Return float32 (..., 4) standard normal, by inversion."""
    drawn = uniform(seed, replication, stream, ids, week=week, block=block, slot=slot)
    return ndtri(drawn.astype(np.float64)).astype(np.float32)


def id_of(text: str) -> int:
    """Return the 64-bit id of a text (a stakeholder's id, a firm's key)."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def slot_of(key: str) -> int:
    """Return the 31-bit slot of a firm's key: the luck that travels with the firm (MODEL R7)."""
    return id_of(key) & 0x7FFFFFFF


def ids_of(prefix: str, n: int) -> np.ndarray:
    """Return uint64 (n,): ids of the generated stakeholders of a type (SplitMix64, bijective)."""
    z = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = z + np.uint64(id_of(prefix))
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
