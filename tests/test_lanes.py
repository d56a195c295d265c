"""Vectors of lanes: as exact as promised, the same bits at every width, and never an old kernel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

import sim
from sim.compiled import source_hash
from sim.lanes import (
    as_mask,
    exp,
    fma,
    log,
    rotate,
    round_even,
    select,
    sqrt,
    to_float,
    to_int,
)
from sim.laws import choice, experience, outbound, peer, relax
from sim.memory import fill, fill_int, load, load_int, store, store_int, width_of

WIDTHS = (1, 4, 16)
RNG = np.random.default_rng(2)


@numba.njit
def _exp_log(width: Any, x: Any, e: Any, y: Any, ln: Any) -> None:
    for at in range(0, len(x), len(width)):
        store(e, at, exp(load(width, x, at)))
        store(ln, at, log(load(width, y, at)))


def exp_log(x: np.ndarray, y: np.ndarray, lanes: int) -> tuple[np.ndarray, np.ndarray]:
    e, ln = np.zeros_like(x), np.zeros_like(y)
    _exp_log(width_of(lanes), x, e, y, ln)
    return e, ln


X = np.linspace(-87, 87, 65_536).astype(np.float32)
Y = np.exp(np.linspace(-85, 85, 65_536)).astype(np.float32)


@pytest.mark.parametrize("lanes", WIDTHS)
def test_exp_is_true_to_half_a_millionth(lanes: int) -> None:
    e, _ = exp_log(X, Y, lanes)
    exact = np.exp(X.astype(np.float64))
    assert np.abs(e / exact - 1).max() < 5e-7


@pytest.mark.parametrize("lanes", WIDTHS)
def test_log_is_true_to_a_third_of_a_millionth(lanes: int) -> None:
    _, ln = exp_log(X, Y, lanes)
    exact = np.log(Y.astype(np.float64))
    assert (np.abs(ln - exact) / np.maximum(1, np.abs(exact))).max() < 3e-7


def test_log_is_exact_near_one_and_exp_near_zero() -> None:
    e, ln = exp_log(np.zeros(16, np.float32), np.ones(16, np.float32), 16)
    assert e.tolist() == [1.0] * 16
    assert ln.tolist() == [0.0] * 16


def test_exp_saturates_instead_of_overflowing() -> None:
    x = np.tile(np.array([-1e9, -100, 100, 1e9], np.float32), 4)
    e, _ = exp_log(x, np.ones(16, np.float32), 16)
    assert np.isfinite(e).all()
    assert e[0] == e[1] < 1e-37
    assert e[2] == e[3] > 1e37


def test_exp_and_log_have_the_same_bits_at_every_width() -> None:
    wide = exp_log(X, Y, 16)
    for lanes in (1, 4, 8):
        for one, other in zip(wide, exp_log(X, Y, lanes), strict=True):
            assert np.array_equal(one.view(np.int32), other.view(np.int32))


@numba.njit
def _whole_numbers(width: Any, x: Any, n: Any, out: Any) -> None:
    for at in range(0, len(x), len(width)):
        a, k = load(width, x, at), load_int(width, n, at)
        store_int(out, at, to_int(a) + (k >> 3) - (k << 1) + rotate(k, 7) * 3)
        store(x, at, fma(a, a, round_even(a)) + sqrt(select(a > 0.0, a, 0.0)) + to_float(k & 255))


def test_whole_number_operations_are_those_of_numpy() -> None:
    x = RNG.uniform(-50, 50, 64).astype(np.float32)
    n = RNG.integers(-(2**31), 2**31, 64).astype(np.int32)
    u = n.view(np.uint32)
    with np.errstate(over="ignore"):
        rotated = ((u << np.uint32(7)) | (u >> np.uint32(25))).view(np.int32)
        expected = np.trunc(x).astype(np.int32) + (n >> 3) - (n << 1) + rotated * np.int32(3)
    real = (x.astype(float) ** 2 + np.rint(x)) + np.sqrt(np.maximum(x, 0)) + (n & 255)
    out, at = np.zeros(64, np.int32), x.copy()
    _whole_numbers(width_of(4), at, n, out)
    assert out.tolist() == expected.tolist()
    assert at == pytest.approx(real, rel=1e-6)


@numba.njit
def _masks(width: Any, x: Any) -> Any:
    a = load(width, x, 0)
    return (
        as_mask(a > 0.0),
        as_mask(~(a > 0.0)),
        as_mask((a > 0.0) & (a < 2.0)),
        as_mask((a > 2.0) | (a == 0.0)),
        as_mask(fill_int(width, 3) != fill_int(width, 3)),
        as_mask(fill(width, 1.5) >= a),
    )


def test_lane_zero_is_the_lowest_bit_of_a_mask() -> None:
    assert _masks(width_of(4), np.array([1, -1, 0, 3], np.float32)) == (
        0b1001,
        0b0110,
        0b0001,
        0b1100,
        0,
        0b0111,
    )


def test_silence_about_nan_is_false_in_every_comparison() -> None:
    assert _masks(width_of(4), np.full(4, np.nan, np.float32))[0] == 0


# Each law of the stakeholders' passes with the ranges of its arguments.
LAWS: dict[str, tuple[Callable[..., Any], tuple[tuple[float, float], ...]]] = {
    "chance": (relax.chance, ((0, 20),)),
    "threshold": (relax.threshold, ((1e-7, 0.9999999),)),
    "relax": (relax.relax, ((-1, 1), (-1, 1), (0, 5))),
    "share_of_rate": (relax.share_of_rate, ((0, 5),)),
    "tanh": (relax.tanh, ((-4, 4),)),
    "salience": (outbound.salience, ((0, 1), (0, 3), (0, 1))),
    "expectation": (outbound.expectation, ((0, 1), (0, 1), (0, 2), (0, 1))),
    "trust": (outbound.trust, ((0.1, 9), (0.1, 9))),
    "claim_evidence": (outbound.claim_evidence, ((0, 2), (0, 1))),
    "talk_hazard": (peer.talk_hazard, ((0, 2), (0, 1), (-1, 1), (0, 1), (0, 2), (0, 2))),
    "attitude": (
        peer.attitude,
        ((-1, 1), (-1, 1), (0, 1), (0, 3), (-1, 1), (0, 1), (-1, 1), (0, 1), (-1, 1)),
    ),
    "performance": (experience.performance, ((-5, 5), (0, 2), (-3, 3))),
    "satisfaction_target": (
        experience.satisfaction_target,
        ((0, 1), (-1, 1), (0, 3), (0, 3), (0, 2)),
    ),
    "toward": (experience.toward, ((-1, 1), (-1, 1), (0, 1))),
    "promises": (experience.promises, ((2, 9), (2, 2), (0, 1), (0, 1))),
    "gumbel": (choice.gumbel, ((1e-7, 0.9999999),)),
    "utility": (choice.utility, ((-2, 2), (0, 1), (-1, 1), (0, 1), (0, 1), (0, 3), (0, 3))),
}


def in_kernel(law: Callable[..., Any], n: int) -> Callable[..., None]:
    """Compile a law of n arguments for vectors."""
    loads = ", ".join(f"load(width, x, {i} * size + at)" for i in range(n))
    source = (
        "def run(width, x, out):\n    size = len(out)\n"
        "    for at in range(0, size, len(width)):\n"
        f"        store(out, at, law({loads}))\n"
    )
    space: dict[str, Any] = {"law": law, "load": load, "store": store}
    exec(source, space)
    return numba.njit(error_model="numpy")(space["run"])


@pytest.mark.parametrize("name", LAWS)
def test_a_law_on_plain_floats_is_the_law_in_lanes(name: str) -> None:
    law, ranges = LAWS[name]
    low, high = np.array(ranges).T
    x = RNG.uniform(low[:, None], high[:, None], (len(ranges), 256)).astype(np.float32)
    run = in_kernel(law, len(ranges))
    results = []
    for lanes in (1, 16):
        out = np.zeros(256, np.float32)
        run(width_of(lanes), x.reshape(-1), out)
        results.append(out)
    oracle = np.array([law(*(float(v) for v in column)) for column in x.T])
    assert results[1] == pytest.approx(oracle, rel=4e-6, abs=2e-6)
    assert np.array_equal(results[0].view(np.int32), results[1].view(np.int32))


def test_a_message_on_plain_floats_is_the_message_in_lanes() -> None:
    @numba.njit
    def run(width: Any, x: Any, out: Any) -> None:
        for at in range(0, len(x), len(width)):
            store_int(out, at, peer.encode(load(width, x, at)))

    x = np.concatenate([RNG.uniform(-1, 1, 252), [0, 1, -1, 1e-6]]).astype(np.float32)
    out = np.zeros(256, np.int32)
    run(width_of(4), x, out)
    assert out.tolist() == [peer.encode(float(v)) for v in x]


# ---- kernels and their cache --------------------------------------------------------------------

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import village
from sim.engine import Run
from sim.kpis import INDEX
from sim.compiled import cache_folder
from sim.population import build_world
market = village.scenario()
run = Run(market, (village.arm(market),), 1, 0, build_world(market, 1, 0))
print(run.rows[0][0][INDEX["human_readiness"], 0], cache_folder())
"""


def test_the_hash_sees_every_kernel_source_and_nothing_else(tmp_path: Path) -> None:
    copy = tmp_path / "sim"
    shutil.copytree(Path(sim.__file__).parent, copy)
    before = source_hash(copy)
    assert before == source_hash(Path(sim.__file__).parent)
    (copy / "kpis.py").write_text("# not called by any kernel\n")
    assert source_hash(copy) == before
    seen = {before}
    for name in (
        "laws/peer.py",
        "laws/routing.py",
        "kernels/hearing.py",
        "compiled.py",
        "memory.py",
        "firms.py",
        "rng.py",
        "lanes.py",
        "state.py",
        "levers.py",
        "physics.py",
        "fields.py",
    ):
        with (copy / name).open("a") as file:
            file.write("\n# edited\n")
        seen.add(source_hash(copy))
    assert len(seen) == 13


def test_the_hash_covers_every_module_that_a_kernel_source_imports() -> None:
    import ast

    from sim.compiled import KERNEL_SOURCES

    folder = Path(sim.__file__).parent
    files = [
        p
        for name in KERNEL_SOURCES
        for p in ((folder / name).rglob("*.py") if (folder / name).is_dir() else [folder / name])
    ]
    used = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sim"):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                used |= {
                    n
                    for n in (node.module, *names)
                    if (folder.parent / (str(n).replace(".", "/") + ".py")).exists()
                }
    hashed = {"sim." + ".".join(f.relative_to(folder).with_suffix("").parts) for f in files}
    assert used - hashed <= {"sim.checks"}, "a kernel may call what its cache does not notice"


@pytest.mark.slow
def test_an_edited_law_moves_its_number_although_kernels_are_cached(tmp_path: Path) -> None:
    shutil.copytree(
        Path(sim.__file__).parent, tmp_path / "sim", ignore=shutil.ignore_patterns("__pycache__")
    )
    law = tmp_path / "sim" / "laws" / "capability.py"

    def number() -> tuple[float, str]:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(Path(__file__).parent)],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "XDG_CACHE_HOME": str(tmp_path / "cache"),
                "PYTHONPATH": str(tmp_path),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )
        value, folder = done.stdout.split()
        return float(value), folder

    first, folder = number()
    assert first == pytest.approx(0.5, abs=0.01)
    text = law.read_text()
    formula = "return 1.0 - math.exp(-stock / reference)"
    assert formula in text
    law.write_text(text.replace(formula, "return 1.0 - math.exp(-2.0 * stock / reference)"))
    second, moved = number()
    assert second == pytest.approx(0.75, abs=0.01)
    assert moved != folder
    law.write_text(text)
    assert number() == (first, folder)
