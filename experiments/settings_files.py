"""The yaml files of settings: where they lie, read strictly, and the line of every setting.

`read_yaml` refuses what a yaml library lets pass (an empty file, a key written twice, code or
environment behind a value) and remembers the line and the trailing comment of every setting, which
is where the shipped configs name their sources.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from experiments.settings_errors import SettingsError, nearest

# In the order in which what they write wins; the experiment comes last.
GROUPS = (
    "scenario",
    "organization",
    "stakeholders",
    "network",
    "competitors",
    "physics",
    "finance",
    "shocks",
    "season",
    "scorecard",
    "strategy_map",
    "nudges",
    "calibration",
    "experiment",
)
# Groups of which several files can be chosen at once, as in shocks=[recall, crisis].
MANY = ("shocks",)
# Groups of which every file is loaded.
SHELVES = ("mechanism", "design", "governance", "portfolio")
GLOBAL_GROUPS = ("scenario", "experiment")
HEADER = "# @package _global_"


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
        With file and line, if it cannot be read, is empty, malformed, no mapping, writes a key
        twice, or holds anything but data (a key that starts with `_`, or `${...}`).
    """
    import yaml

    text = _text(file)
    try:
        loader = _loader()(text)
        node = loader.get_single_node()
        if node is None:
            raise SettingsError(f"{file}: the file is empty: it must hold `name: value` lines")
        if not isinstance(node, yaml.MappingNode):
            raise SettingsError(f"{file}, line 1: it must hold `name: value` lines")
        lines: dict[str, int] = {}
        comments: dict[str, str] = {}
        _collect(file, node, "", text.splitlines(), lines, comments)
        content = loader.construct_document(node)  # of a safe loader: data only
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise SettingsError(f"{file}{line}: malformed yaml: {error.problem}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{file}: malformed yaml: {error}") from None
    except RecursionError:
        raise SettingsError(f"{file}: malformed yaml: a value holds itself") from None
    return Written(file, content, lines, comments)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SettingsError(f"{file}, line {line}: it must be saved as UTF-8 text") from None
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from None


def shipped_dir() -> Path:
    """Return the folder of the shipped configs: the checkout's, else the installed package's."""
    root = Path(__file__).resolve().parent.parent
    if (root / "pyproject.toml").is_file() and (root / "configs").is_dir():
        return root / "configs"
    return Path(str(importlib.resources.files("sim") / "_configs"))


def folders_of(config_dir: Path | None) -> list[Path]:
    """Return the shipped folder and the user's, whose groups and files are checked here."""
    shipped = shipped_dir()
    if config_dir is None:
        return [shipped]
    if not config_dir.is_dir():
        raise SettingsError(f"--config-dir {config_dir}: there is no such folder")
    own = config_dir.resolve()
    files = sorted(own.rglob("*.y*ml"))
    if not files:
        raise SettingsError(
            f"--config-dir {config_dir}: there are no settings in it: it must hold files such as "
            "scenario/NAME.yaml or portfolio/NAME.yaml"
        )
    for file in files:
        inner = file.relative_to(own)
        if file.suffix != ".yaml":
            raise SettingsError(f"{file}: the name must end in .yaml")
        if len(inner.parts) != 2 or inner.parts[0] not in GROUPS + SHELVES:
            raise SettingsError(
                f"{file}: it lies in no group{nearest(inner.parts[0], GROUPS + SHELVES)}"
            )
        if (shipped / inner).exists():
            raise SettingsError(f"{file}: {inner} is shipped already; give yours another name")
        read_yaml(file)
        if inner.parts[0] in GLOBAL_GROUPS and not _is_global(file):
            raise SettingsError(
                f"{file} must begin with the line '{HEADER}': without it, what it writes would be "
                f"taken for settings of {inner.parts[0]} alone"
            )
    return [shipped, own]


def _is_global(file: Path) -> bool:
    """Whether a file begins with the line; blank lines may stand before it, as for Hydra."""
    first = next((line.strip() for line in _text(file).splitlines() if line.strip()), "")
    return re.fullmatch(r"#\s*@package\s+_global_", first) is not None


def files_of(group: str, folders: Sequence[Path]) -> list[Path]:
    """Return the files of a group, the shipped ones first."""
    return [file for folder in folders for file in sorted((folder / group).glob("*.yaml"))]


def names_in(group: str, folders: Sequence[Path]) -> list[str]:
    """Return what can be chosen in a group."""
    return sorted(file.stem for file in files_of(group, folders))


def read_shelves(folders: Sequence[Path]) -> dict[str, dict[str, Written]]:
    """Return the files of every shelf by name: a new one needs no other change."""
    return {
        group: {file.stem: read_yaml(file) for file in files_of(group, folders)}
        for group in SHELVES
    }


def composed_files(
    choices: Mapping[str, Sequence[str]],
    shelves: Mapping[str, Mapping[str, Written]],
    folders: Sequence[Path],
) -> list[tuple[str, Written]]:
    """Return the files that were composed, in order, each with the path it hangs under."""
    found = [("", read_yaml(folders[0] / "config.yaml"))]
    for group, shelf in shelves.items():
        found += [(f"{group}.{name}", written) for name, written in shelf.items()]
    for group in GROUPS:
        prefix = "" if group in GLOBAL_GROUPS else group
        for name in choices[group]:
            found += [(prefix, written) for written in _inherited(group, name, folders)]
    return found


def listed_in(group: str, name: str, wanted: str, folders: Sequence[Path]) -> list[str]:
    """Return what the defaults of a group's file choose of another group; empty if nothing."""
    found: list[str] = []
    for written in _inherited(group, name, folders):
        for line in written.content.get("defaults", []):
            for key, value in line.items() if isinstance(line, dict) else ():
                if str(key).removeprefix("override ") == f"/{wanted}":
                    found = value if isinstance(value, list) else [value]
    return found


def _inherited(group: str, name: str, folders: Sequence[Path]) -> list[Written]:
    """Return a file of a group behind those of the same group that its defaults name."""
    file = next((f for f in files_of(group, folders) if f.stem == name), None)
    if file is None:
        return []
    written = read_yaml(file)
    above = [line for line in written.content.get("defaults", []) if isinstance(line, str)]
    return [w for line in above for w in _inherited(group, line, folders)] + [written]


def locate(path: str, files: Iterable[tuple[str, Written]]) -> str:
    """Return 'file, line n' where a setting (or the nearest one above it) is written, or ''.

    `files` are pairs of the path that a file's settings hang under ('' for the top) and the file,
    the last written winning. A setting that is missing in a file is located by the file alone.
    """
    listed = list(reversed(list(files)))
    while path:
        for prefix, written in listed:
            if prefix == path:
                return str(written.file)
            inner = path.removeprefix(f"{prefix}.") if prefix else path
            if (inner != path or not prefix) and inner in written.lines:
                return f"{written.file}, line {written.lines[inner]}"
        path = path.rpartition(".")[0]
    return ""


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
            lines[f"{path}.{i}"] = item.start_mark.line + 1
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
