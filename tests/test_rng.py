"""Luck is addressed: known answers, the same draws everywhere, nobody's luck is another's."""

from __future__ import annotations

import hashlib
from typing import Any

import numba
import numpy as np
import pytest

from sim.memory import fill_int, load_int, store, store_int, width_of
from sim.rng import (
    Stream,
    id_of,
    ids_of,
    normal,
    normal_of,
    slot_of,
    threefry,
    uniform,
    uniform_of,
    words,
)

# Random123 known answers for threefry4x32 with 13 rounds: counter, key, words.
KNOWN = (
    (
        "00000000 00000000 00000000 00000000",
        "00000000 00000000 00000000 00000000",
        "531c7e4f 39491ee5 2c855a92 3d6abf9a",
    ),
    (
        "ffffffff ffffffff ffffffff ffffffff",
        "ffffffff ffffffff ffffffff ffffffff",
        "c4189358 1c9cc83a d5881c67 6a0a89e0",
    ),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0 082efa98 ec4e6c89",
        "4aa71d8f 734738c2 431fc6a8 ae6debf1",
    ),
)


def hexadecimal(text: str) -> list[int]:
    return [int(part, 16) for part in text.split()]


@numba.njit
def in_lanes(width: Any, counter: Any, key: Any, out: Any) -> None:
    lanes = len(width)
    a, b, c, d = threefry(
        load_int(width, counter, 0),
        load_int(width, counter, lanes),
        load_int(width, counter, 2 * lanes),
        load_int(width, counter, 3 * lanes),
        fill_int(width, key[0]),
        fill_int(width, key[1]),
        fill_int(width, key[2]),
        fill_int(width, key[3]),
    )
    store_int(out, 0, a)
    store_int(out, lanes, b)
    store_int(out, 2 * lanes, c)
    store_int(out, 3 * lanes, d)


@numba.njit
def as_numbers(width: Any, word: Any, u: Any, z: Any) -> None:
    lanes = len(width)
    for at in range(0, len(word), lanes):
        drawn = uniform_of(load_int(width, word, at))
        store(u, at, drawn)
        store(z, at, normal_of(drawn))


@numba.njit
def in_scalars(counter: Any, key: Any) -> Any:
    return threefry(counter[0], counter[1], counter[2], counter[3], key[0], key[1], key[2], key[3])


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_arrays_give_the_published_words(counter: str, key: str, answer: str) -> None:
    arrays = [np.array([x], np.uint32) for x in (*hexadecimal(counter), *hexadecimal(key))]
    assert [int(x[0]) for x in threefry(*arrays)] == hexadecimal(answer)


@pytest.mark.parametrize("lanes", [4, 16])
@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_lanes_give_the_published_words(counter: str, key: str, answer: str, lanes: int) -> None:
    spread = np.repeat(np.array(hexadecimal(counter), np.uint32), lanes).view(np.int32)
    keys = np.array(hexadecimal(key), np.uint32).view(np.int32)
    out = np.zeros(4 * lanes, np.int32)
    in_lanes(width_of(lanes), spread, keys, out)
    assert out.view(np.uint32).tolist() == np.repeat(hexadecimal(answer), lanes).tolist()


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_single_words_in_a_kernel_are_the_published_words(
    counter: str, key: str, answer: str
) -> None:
    drawn = in_scalars(
        np.array(hexadecimal(counter), np.uint32), np.array(hexadecimal(key), np.uint32)
    )
    assert [int(word) for word in drawn] == hexadecimal(answer)


def test_an_address_is_counter_id_week_block_under_key_seed_replication_stream_slot() -> None:
    ident = 0x85A308D3243F6A88
    drawn = words(
        0xA4093822,
        0x299F31D0,
        Stream.FIRM,
        np.array([ident], np.uint64),
        week=0x13198A2E,
        block=0x03707344,
        slot=0x6C4E6C89,
    )
    arrays = [
        np.array([x], np.uint32)
        for x in (
            0x243F6A88,
            0x85A308D3,
            0x13198A2E,
            0x03707344,
            0xA4093822,
            0x299F31D0,
            2,
            0x6C4E6C89,
        )
    ]
    assert drawn[0].tolist() == [int(x[0]) for x in threefry(*arrays)]


def test_kernels_turn_words_into_the_numbers_that_arrays_have() -> None:
    drawn = words(1, 2, Stream.PERSON, ids_of("people", 1024))[:, 0].copy()
    u, z = np.zeros(1024, np.float32), np.zeros(1024, np.float32)
    as_numbers(width_of(16), drawn.view(np.int32), u, z)
    ids = ids_of("people", 1024)
    assert np.array_equal(u, uniform(1, 2, Stream.PERSON, ids)[:, 0])
    assert z == pytest.approx(normal(1, 2, Stream.PERSON, ids)[:, 0], abs=3e-6)


@pytest.mark.parametrize("word", [0, 0xFFFFFFFF])
def test_uniform_numbers_never_reach_zero_or_one(word: int) -> None:
    u, z = np.zeros(16, np.float32), np.zeros(16, np.float32)
    as_numbers(width_of(16), np.full(16, word, np.uint32).view(np.int32), u, z)
    assert 0 < u[0] < 1
    assert abs(z[0]) == pytest.approx(5.2945, abs=2e-3)


def test_luck_belongs_to_the_id_not_to_the_place() -> None:
    ids = ids_of("people", 50)
    drawn = uniform(1, 0, Stream.PERSON, ids, week=3)
    shuffled = np.random.default_rng(0).permutation(50)
    assert np.array_equal(uniform(1, 0, Stream.PERSON, ids[shuffled], week=3), drawn[shuffled])
    assert np.array_equal(uniform(1, 0, Stream.PERSON, ids[7:8], week=3), drawn[7:8])


def test_appending_people_changes_nobodys_id_or_luck() -> None:
    assert np.array_equal(ids_of("people", 1000)[:10], ids_of("people", 10))
    assert len(np.unique(ids_of("people", 10_000))) == 10_000
    assert not np.isin(ids_of("staff", 1000), ids_of("people", 1000)).any()


def test_every_part_of_an_address_matters() -> None:
    ids = ids_of("people", 4)
    first = uniform(1, 0, Stream.PERSON, ids)
    others = [
        uniform(2, 0, Stream.PERSON, ids),
        uniform(1, 1, Stream.PERSON, ids),
        uniform(1, 0, Stream.FIRM, ids),
        uniform(1, 0, Stream.PERSON, ids, week=1),
        uniform(1, 0, Stream.PERSON, ids, block=1),
        uniform(1, 0, Stream.PERSON, ids, slot=1),
        uniform(1, 0, Stream.PERSON, ids_of("others", 4)),
    ]
    for other in others:
        assert not (first == other).any()


def test_uniform_and_normal_numbers_have_the_moments_they_should() -> None:
    ids = ids_of("people", 20_000)
    u, z = uniform(5, 0, Stream.INIT, ids), normal(5, 0, Stream.INIT, ids)
    assert u.mean(axis=0) == pytest.approx(0.5, abs=4 * 0.2887 / 141)
    assert u.var(axis=0) == pytest.approx(1 / 12, abs=0.003)
    assert z.mean(axis=0) == pytest.approx(0, abs=4 / 141)
    assert z.var(axis=0) == pytest.approx(1, abs=4 * 1.42 / 141)
    assert abs(np.corrcoef(u.T) - np.eye(4)).max() < 4 / 141


def test_streams_keep_their_numbers_because_results_depend_on_them() -> None:
    assert {s.name: int(s) for s in Stream} == {
        "NEEDS": 0,
        "PERSON": 1,
        "FIRM": 2,
        "LISTEN": 3,
        "RECOMMEND": 4,
        "NETWORK": 5,
        "INIT": 6,
        "BREACH": 7,
        "SHOCK": 8,
        "READING": 9,
        "TURNOVER": 10,
        "NUDGE": 11,
    }


def test_a_firms_slot_follows_from_its_key_and_fits_31_bits() -> None:
    assert slot_of("ours") != slot_of("theirs")
    assert all(0 <= slot_of(key) < 2**31 for key in ("ours", "theirs", "a", "b", "c"))
    assert id_of("ours") == int.from_bytes(
        hashlib.blake2b(b"ours", digest_size=8).digest(), "little"
    )
