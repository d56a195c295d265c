"""Differences on the same luck, free of what is only the rounding of the states behind them."""

from __future__ import annotations

import numpy as np

# State is float32, exact to 6e-8: a difference below this share of both levels is its rounding.
DUST = 1e-7


def without_dust(own: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Return own - base, 0 where that is no more than rounding; shapes broadcast."""
    gap: np.ndarray = own - base
    dust = np.abs(gap) <= DUST * np.maximum(np.abs(own), np.abs(base))
    return np.where(dust, 0.0, gap)
