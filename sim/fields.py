"""How settings are declared, with range, unit, meaning and source; and the words they share."""

from __future__ import annotations

from dataclasses import MISSING, field
from types import MappingProxyType
from typing import Any

WEEKS_PER_QUARTER = 13
WEEKS_PER_YEAR = 52.0
EVERYBODY = "all"
CAPITALS = ("human", "information", "organization")
FLOW_LABELS = tuple(str(flow) for flow in range(1, 7))


def number(
    low: float, high: float, unit: str, meaning: str, source: str = "", default: Any = MISSING
) -> Any:
    """Declare a number with its range, unit, meaning and (where it is a law's) source.

    What has a `default` may be left out.
    """
    return field(
        default=default,
        metadata={"low": low, "high": high, "unit": unit, "meaning": meaning, "source": source},
    )


def word(meaning: str, default: Any = MISSING) -> Any:
    """Declare a text, a switch or a group of settings; what has a `default` may be left out."""
    return field(default=default, metadata={"meaning": meaning})


def share_or_derived(meaning: str) -> Any:
    """Declare a share of a department that may be left to those it joins."""
    return field(
        default=None,
        metadata={"unit": "share", "meaning": f"{meaning} (0 to 1); null: from those it joins"},
    )


INF = float("inf")


def freeze(owner: object, name: str) -> None:
    """Replace a mapping field by a read-only copy (frozen does not freeze a dict)."""
    object.__setattr__(owner, name, MappingProxyType(dict(getattr(owner, name))))
