"""The list of settings: each with its value, unit, range, meaning and source."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.settings_build import NAME_FIELDS, range_text
from sim import levers
from sim.outside import SHOCK_KINDS


@dataclass(frozen=True)
class Row:
    """One setting as `influence settings` shows it."""

    path: str
    value: str
    unit: str
    range: str
    meaning: str
    source: str


def rows(sheet: Any, comments: Mapping[str, str], pattern: str | None) -> list[Row]:
    """Return one row per setting of a checked sheet, then the tables of levers and of shocks.

    Parameters
    ----------
    sheet : dataclass
        What the settings were built into; its fields' metadata give unit, range and meaning.
    comments : mapping
        Trailing comment `unit; source` by path; it goes before the metadata's source.
    pattern : str or None
        Part of a path or meaning, or a pattern with `*` for a whole path; all if None.
    """
    found = [*_walk(sheet, "", {}, comments), *_lever_rows(), *_shock_rows()]
    return [row for row in found if _matches(row, pattern)]


def _walk(
    value: Any, path: str, metadata: Mapping[str, Any], comments: Mapping[str, str]
) -> Iterator[Row]:
    if dataclasses.is_dataclass(value):
        for i, item in enumerate(dataclasses.fields(value)):
            if (
                i == 0
                and item.name in NAME_FIELDS
                and path not in ("scenario", "experiment", "organization")
            ):
                continue
            full = f"{path}.{item.name}" if path else item.name
            yield from _walk(getattr(value, item.name), full, item.metadata, comments)
    elif isinstance(value, Mapping) and value:
        for key, member in value.items():
            yield from _walk(member, f"{path}.{key}", metadata, comments)
    elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
        for i, member in enumerate(value):
            name = dataclasses.fields(value[0])[0].name
            label = getattr(member, name) if name in NAME_FIELDS else str(i)
            yield from _walk(member, f"{path}.{label}", metadata, comments)
    else:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        unit, _, source = (comments.get(path, "") if is_number else "").rpartition(";")
        yield Row(
            path,
            _shown(value),
            _unit(path, metadata) or unit.strip(),
            range_text(metadata),
            metadata.get("meaning", ""),
            source.strip() or metadata.get("source", ""),
        )


def _unit(path: str, metadata: Mapping[str, Any]) -> str:
    """Return a setting's unit; a lever's size and default have the lever's own."""
    parts = path.split(".")
    if parts[-1] == "by" and parts[-2] in levers.INDEX:
        return levers.lever(parts[-2]).unit
    if parts[-2:-1] == ["levers"] and parts[-1] in levers.INDEX:
        return levers.lever(parts[-1]).unit
    return str(metadata.get("unit", ""))


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list):
        return f"[{len(value)} entries]"
    return str(value)


def _lever_rows() -> Iterator[Row]:
    for lever in levers.TABLE:
        yield Row(f"lever.{lever.key}", f"{lever.default:g}", lever.unit,
                  range_text({"low": lever.low, "high": lever.high}),
                  f"{lever.meaning} (law: {lever.law}; moved by mechanisms)",
                  lever.source)  # fmt: skip


def _shock_rows() -> Iterator[Row]:
    for key, kind in SHOCK_KINDS.items():
        yield Row(f"shock.{key}", "0", kind.unit,
                  range_text({"low": kind.low, "high": kind.high}),
                  f"size of a shock of this kind: {kind.meaning} (chosen by shocks=NAME; reads "
                  f"{', '.join(kind.reads)})", "convention, at 0 it never happens")  # fmt: skip


def _matches(row: Row, pattern: str | None) -> bool:
    if not pattern:
        return True
    wanted = pattern.lower()
    if any(mark in wanted for mark in "*?["):
        return fnmatch.fnmatchcase(row.path.lower(), wanted)
    return wanted in row.path.lower() or wanted in row.meaning.lower()
