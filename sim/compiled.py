"""Compiling of kernels, and where their machine code is kept.

Compiled kernels are cached in a folder keyed by a hash of every source a kernel can call: numba's
own cache does not notice an edited callee in another file.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import config as numba_config

KERNEL_SOURCES = (
    "compiled.py",
    "lanes.py",
    "memory.py",
    "rng.py",
    "levers.py",
    "fields.py",
    "physics.py",
    "state.py",
    "kernels",
    "firms.py",
    "firm_kernels",
    "laws",
)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` without the GIL, cached under the hash of all kernel sources."""
    before = numba_config.CACHE_DIR
    numba_config.CACHE_DIR = str(cache_folder())
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy", boundscheck=False)(function)
    finally:
        numba_config.CACHE_DIR = before


@functools.cache
def cache_folder() -> Path:
    """Return the folder of compiled kernels: it changes with any edit of a kernel source."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "influence" / source_hash(Path(__file__).parent)


def source_hash(folder: Path) -> str:
    """Hash numba's version and every source below `folder` that a kernel can call."""
    digest = hashlib.sha256(numba.__version__.encode())
    for name in KERNEL_SOURCES:
        path = folder / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]
