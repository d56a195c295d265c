"""Values are checked once, at the door: name, value, what is allowed, the nearest valid name."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterable
from numbers import Integral
from typing import Any


def require_in(name: str, value: float, low: float, high: float) -> None:
    """Raise ValueError unless `value` is a finite number in [low, high]."""
    require_number(name, value)
    if not low <= value <= high:
        raise ValueError(f"{name}={value!r} is out of range: it must lie in [{low:g}, {high:g}]")


def require_number(name: str, value: float) -> None:
    """Raise ValueError unless `value` is a finite real number (booleans are refused)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name}={value!r} must be a finite number")


def require_whole(name: str, value: int, low: int, high: int) -> None:
    """Raise ValueError unless `value` is a whole number in [low, high] (booleans are refused)."""
    if isinstance(value, bool) or not isinstance(value, int | Integral):
        raise ValueError(f"{name}={value!r} must be a whole number")
    if not low <= value <= high:
        raise ValueError(f"{name}={value!r} is out of range: it must lie in [{low}, {high}]")


def require_one_of(name: str, value: str, allowed: Iterable[str]) -> None:
    """Raise ValueError unless `value` is one of `allowed`, naming the nearest."""
    choices = list(allowed)
    if value not in choices:
        raise ValueError(f"{name}={value!r} is unknown{nearest(str(value), choices)}")


def nearest(word: str, allowed: Iterable[str]) -> str:
    """Return '; did you mean X? allowed: ...' for an unknown word."""
    choices = sorted(allowed)
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    shown = ", ".join(choices[:40]) + (" ..." if len(choices) > 40 else "")
    return f"{hint} (allowed: {shown or 'nothing'})"


def check_fields(owner: Any) -> None:
    """Check every number field of a dataclass against the range in its metadata.

    Raises
    ------
    ValueError
        Naming field, value and range; whole-number fields refuse fractions.
    """
    name = getattr(owner, "key", "") or type(owner).__name__
    for item in dataclasses.fields(owner):
        check_value(f"{name}.{item.name}", getattr(owner, item.name), type(owner), item.name)


def check_value(label: str, value: Any, owner: Any, field: str) -> None:
    """Check one value as the field of a dataclass that it is meant for.

    Raises
    ------
    ValueError
        Naming label, value and range; whole-number fields refuse fractions.
    """
    item = owner.__dataclass_fields__[field]
    if "low" not in item.metadata:
        return
    if item.type == "int" and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError(f"{label}={value!r} must be a whole number")
    require_in(label, value, item.metadata["low"], item.metadata["high"])
