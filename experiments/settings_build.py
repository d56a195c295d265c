"""Builds plain data into checked dataclasses by their type hints and field metadata.

Whatever does not fit is refused with its full path, its value and what is allowed. Nothing here
knows which settings exist.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from experiments.settings_errors import SettingsError, guarded, nearest
from sim.checks import require_number

NAME_FIELDS = ("key", "lever", "kpi")
EVERYBODY = "all"
AUDIENCE = "to"  # whoever does not say whom means everybody


def build(hint: Any, value: Any, path: str) -> Any:
    """Build plain data into a type: dataclass, mapping, tuple, number, text, switch or `X | None`.

    A tuple of dataclasses that begin with a name (`key`, `lever`, `kpi`) is written as a mapping
    from that name.

    Raises
    ------
    SettingsError
        With the full path, the value and what is allowed.
    """
    if hint is Any:
        return value
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = next(a for a in arguments if a is not type(None))
        return None if value is None else build(inner, value, path)
    if dataclasses.is_dataclass(hint):
        return _build_dataclass(typing.cast(type, hint), value, path, {})
    member = member_hint(hint)
    if member is not None and (origin is not tuple or name_field(member)):
        _require_mapping(value, path)
        built = {str(k): _build_member(member, str(k), v, f"{path}.{k}") for k, v in value.items()}
        return tuple(built.values()) if origin is tuple else built
    if origin is tuple:
        if value == EVERYBODY and path.endswith(f".{AUDIENCE}"):
            return ()
        if not isinstance(value, list):
            raise SettingsError(f"{path}={value!r} must be a list, such as [a, b]", path)
        return tuple(build(member, item, f"{path}.{i}") for i, item in enumerate(value))
    return _scalar(hint, value, path)


def _build_member(hint: Any, name: str, value: Any, path: str) -> Any:
    named = name_field(hint)
    return _build_dataclass(hint, value, path, {named: name}) if named else build(hint, value, path)


def _build_dataclass(owner: type, value: Any, path: str, given: Mapping[str, str]) -> Any:
    """Build a mapping into a dataclass; `given` is the name that the mapping's key already says."""
    _require_mapping(value, path)
    hints = {k: v for k, v in hints_of(owner).items() if k not in given}
    fields = owner.__dataclass_fields__  # type: ignore[attr-defined]
    for key in value:
        if key not in hints:
            full = f"{path}.{key}" if path else str(key)
            raise SettingsError(f"{full}: unknown setting {key!r}{nearest(str(key), hints)}", full)
    arguments: dict[str, Any] = dict(given)
    for key, hint in hints.items():
        full = f"{path}.{key}" if path else key
        metadata = fields[key].metadata
        if key not in value and key == AUDIENCE:
            arguments[key] = ()
            continue
        unset = (fields[key].default, fields[key].default_factory)
        if key not in value and unset != (dataclasses.MISSING, dataclasses.MISSING):
            continue
        if key not in value:
            about = ", ".join(filter(None, (metadata.get("meaning"), metadata.get("unit"),
                                            range_text(metadata))))  # fmt: skip
            raise SettingsError(f"{full} is missing ({about})", full, missing=True)
        arguments[key] = build(hint, value[key], full)
        if "low" in metadata and not metadata["low"] <= arguments[key] <= metadata["high"]:
            unit = "" if metadata["unit"] == "-" else f" {metadata['unit']}"
            raise SettingsError(
                f"{full}={value[key]!r} is out of range: it must be {range_text(metadata)}{unit} "
                f"({metadata['meaning']})",
                full,
            )
    return guarded(path, owner, **arguments)


def _scalar(hint: Any, value: Any, path: str) -> Any:
    if hint is float:
        guarded(path, require_number, path, value)
        return float(value)
    kinds = {int: "a whole number", str: "a text", bool: "true or false"}
    if type(value) is not hint:
        quotes = ": put it in quotes" if hint is str and isinstance(value, int | float) else ""
        raise SettingsError(f"{path}={value!r} must be {kinds[hint]}{quotes}", path)
    return value


def _require_mapping(value: Any, path: str) -> None:
    if not isinstance(value, Mapping):
        raise SettingsError(f"{path}={value!r} must be a group of settings (name: value)", path)


def name_field(hint: Any) -> str:
    """Return the field that a dataclass is called by (its first, if a name), or ''."""
    if not dataclasses.is_dataclass(hint):
        return ""
    first = dataclasses.fields(hint)[0].name
    return first if first in NAME_FIELDS else ""


def member_hint(hint: Any) -> Any:
    """Return the type of a mapping's or tuple's members, None for anything else."""
    if typing.get_origin(hint) is tuple:
        return typing.get_args(hint)[0]
    return typing.get_args(hint)[1] if typing.get_origin(hint) in (Mapping, dict) else None


@lru_cache
def hints_of(owner: Any) -> dict[str, Any]:
    """Return the types of a dataclass's fields."""
    return typing.get_type_hints(owner)


def range_text(metadata: Mapping[str, Any]) -> str:
    """Return a number's range in words: 'from 0 to 1', 'at least 0' or nothing."""
    if "low" not in metadata:
        return ""
    low, high = _shown(metadata["low"]), metadata["high"]
    return f"at least {low}" if high == float("inf") else f"from {low} to {_shown(high)}"


def _shown(bound: float) -> str:
    whole = float(bound).is_integer() and abs(bound) < 1e12
    return f"{bound:,.0f}" if whole else f"{bound:g}"
