"""What a setting is: read strictly from yaml, built into a typed field, listed with its meaning.

`read_yaml` refuses what a yaml library lets pass (an empty file, a key written twice, code or
environment behind a value) and remembers the line and the trailing comment of every setting, which
is where the shipped configs name their sources. `build` turns plain data into checked dataclasses
by their type hints and field metadata; `rows` shows the result. Nothing here knows which settings
exist.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sim import levers
from sim.checks import nearest, require_number

NAME_FIELDS = ("key", "lever", "kpi")
EVERYBODY = "all"
AUDIENCE = "to"  # whoever does not say whom means everybody


class SettingsError(ValueError):
    """A setting that cannot be used: the message says which, its value and what is allowed.

    Attributes
    ----------
    path : str
        Full path of the setting, empty where the error is not about one.
    """

    def __init__(self, message: str, path: str = "") -> None:
        """Keep the message and the setting's path."""
        super().__init__(message)
        self.path = path


@dataclass(frozen=True)
class Row:
    """One setting as `influence settings` shows it."""

    path: str
    value: str
    unit: str
    range: str
    meaning: str
    source: str


@dataclass(frozen=True)
class Written:
    """A yaml file: its content, and per dotted path the line (from 1) and the trailing comment."""

    file: Path
    content: dict[str, Any]
    lines: Mapping[str, int]
    comments: Mapping[str, str]


def read_yaml(file: Path) -> Written:
    """Read a yaml file of settings.

    Raises
    ------
    SettingsError
        With file and line, if it is empty, malformed, no mapping, writes a key twice, or holds
        anything but data (a key that starts with `_`, or `${...}`).
    """
    import yaml

    loader = _loader()
    text = file.read_text(encoding="utf-8")
    try:
        node = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise SettingsError(f"{file}{line}: malformed yaml: {error.problem}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{file}: malformed yaml: {error}") from None
    if node is None:
        raise SettingsError(f"{file}: the file is empty: it must hold `name: value` lines")
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError(f"{file}, line 1: it must hold `name: value` lines")
    lines: dict[str, int] = {}
    comments: dict[str, str] = {}
    _collect(file, node, "", text.splitlines(), lines, comments)
    try:
        content = yaml.load(text, Loader=loader)  # a safe loader: data only
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SettingsError(f"{file}{line}: malformed yaml: {error.problem}") from None
    return Written(file, content, lines, comments)


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
    if member is not None and (origin is not tuple or _name_field(member)):
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
    named = _name_field(hint)
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
            raise SettingsError(f"{full} is missing ({about})", full)
        arguments[key] = build(hint, value[key], full)
        if "low" in metadata and not metadata["low"] <= arguments[key] <= metadata["high"]:
            raise SettingsError(
                f"{full}={value[key]!r} is out of range: it must be {range_text(metadata)} "
                f"{metadata['unit']} ({metadata['meaning']})", full)  # fmt: skip
    return guarded(path, owner, **arguments)


def _scalar(hint: Any, value: Any, path: str) -> Any:
    if hint is float:
        guarded(path, require_number, path, value)
        return float(value)
    kinds = {int: "a whole number", str: "a text", bool: "true or false"}
    if type(value) is not hint:
        if hint is str and isinstance(value, bool):
            raise SettingsError(f"{path}={value!r} must be a text: put it in quotes", path)
        raise SettingsError(f"{path}={value!r} must be {kinds[hint]}", path)
    return value


def guarded(path: str, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a checked function; its ValueError or KeyError becomes a SettingsError with the path."""
    try:
        return function(*args, **kwargs)
    except SettingsError:
        raise
    except (ValueError, KeyError) as error:
        text = str(error.args[0]) if error.args else str(error)
        named = text if not path or text.startswith(path) else f"{path}: {text}"
        raise SettingsError(named, path) from None


def _require_mapping(value: Any, path: str) -> None:
    if not isinstance(value, Mapping):
        raise SettingsError(f"{path}={value!r} must be a group of settings (name: value)", path)


def _name_field(hint: Any) -> str:
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


def rows(sheet: Any, comments: Mapping[str, str], pattern: str | None) -> list[Row]:
    """Return one row per setting of a checked sheet, then the table of levers.

    Parameters
    ----------
    sheet : dataclass
        What the settings were built into; its fields' metadata give unit, range and meaning.
    comments : mapping
        Trailing comment `unit; source` by path; it goes before the metadata's source.
    pattern : str or None
        Part of a path or meaning, or a pattern with `*` for a whole path; all if None.
    """
    found = [*_walk(sheet, "", {}, comments), *_lever_rows()]
    return [row for row in found if _matches(row, pattern)]


def range_text(metadata: Mapping[str, Any]) -> str:
    """Return a number's range in words: 'from 0 to 1', 'at least 0' or nothing."""
    if "low" not in metadata:
        return ""
    low, high = metadata["low"], metadata["high"]
    return f"at least {low:g}" if high == float("inf") else f"from {low:g} to {high:g}"


@lru_cache
def _loader() -> Any:
    """Return a safe yaml loader that reads `1e-3` as a number, as Hydra does."""
    import re

    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Plain data only."""

    exponent = re.compile(r"^[-+]?(\d[\d_]*\.?|\d[\d_]*\.\d[\d_]*|\.\d[\d_]*)[eE][-+]?\d+$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", exponent, list("-+0123456789."))
    return Loader


def _collect(
    file: Path,
    node: Any,
    path: str,
    text: list[str],
    lines: dict[str, int],
    comments: dict[str, str],
) -> None:
    """Walk a yaml node: remember lines and comments, refuse doubles and whatever is not data."""
    import yaml

    if isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            _collect(file, item, f"{path}.{i}", text, lines, comments)
    if isinstance(node, yaml.ScalarNode) and "${" in node.value:
        line = node.start_mark.line + 1
        raise SettingsError(f"{file}, line {line}: {path}: settings are plain data; "
                            "'${...}' is not allowed", path)  # fmt: skip
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if key.tag == "tag:yaml.org,2002:merge":
            _collect(file, value, path, text, lines, comments)
            continue
        full = f"{path}.{name}" if path else name
        if name in seen:
            raise SettingsError(f"{file}, line {line}: {full} is written twice (first in line "
                                f"{seen[name]}): keep one", full)  # fmt: skip
        if name.startswith("_"):
            raise SettingsError(f"{file}, line {line}: {full}: settings are plain data; keys that "
                                "start with '_' are not allowed", full)  # fmt: skip
        seen[name] = line
        lines[full] = line
        inline = isinstance(value, yaml.ScalarNode) or value.flow_style
        comment = _comment(text, value.end_mark) if inline else ""
        if comment:
            comments[full] = comment
        _collect(file, value, full, text, lines, comments)


def _comment(text: list[str], end: Any) -> str:
    """Return the comment behind a value on its own line, or ''."""
    line = text[end.line] if end.line < len(text) else ""
    return line[end.column :].partition("#")[2].strip()


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


def _matches(row: Row, pattern: str | None) -> bool:
    if not pattern:
        return True
    wanted = pattern.lower()
    if any(mark in wanted for mark in "*?["):
        return fnmatch.fnmatchcase(row.path.lower(), wanted)
    return wanted in row.path.lower() or wanted in row.meaning.lower()


def locate(path: str, files: Iterable[tuple[str, Written]]) -> str:
    """Return 'file, line n' where a setting (or the nearest one above it) is written, or ''.

    `files` are pairs of the path that a file's settings hang under ('' for the top) and the file,
    the last written winning.
    """
    listed = list(files)
    while path:
        for prefix, written in reversed(listed):
            inner = path.removeprefix(f"{prefix}.") if prefix else path
            if (inner != path or not prefix) and inner in written.lines:
                return f"{written.file}, line {written.lines[inner]}"
        path = path.rpartition(".")[0]
    return ""
