"""One file of people's own tables: its columns under our names, its settings, where it is refused.

Every refusal names file, line, value and what to do. Nothing is guessed.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from sim.checks import nearest, require_one_of

PERSON_COLUMNS = ("id", "kind", "tied", "department")
TIE_COLUMNS = ("source", "target", "layer", "weight")
PERSON_SETTINGS = ("file", "columns", "kind", "kinds", "tied", "firms", "departments")
TIE_SETTINGS = (
    "file",
    "columns",
    "hears",
    "layer",
    "layers",
    "weight_scale",
    "threshold",
    "self_ties",
    "repeats",
)
BLOCKS = {
    "stakeholders": PERSON_SETTINGS,
    "employees": PERSON_SETTINGS,
    "ties": TIE_SETTINGS,
    "employee_ties": TIE_SETTINGS,
}


@dataclass(frozen=True)
class Table:
    """One file: its columns under our names, the line of each row, and its settings."""

    name: str
    path: Path
    settings: Mapping[str, Any]
    columns: dict[str, list[str]]
    lines: list[int]

    @staticmethod
    def read(base: Path, name: str, settings: Mapping[str, Any]) -> Table:
        """Read a file; a mapped column must exist, an unmapped one is found under our name."""
        wanted = TIE_COLUMNS if BLOCKS[name] is TIE_SETTINGS else PERSON_COLUMNS
        path = base / str(settings["file"])
        header, rows, lines = _rows(path)
        mapped = {k: str(v) for k, v in settings["columns"].items() if k in wanted}
        columns = {}
        for ours in wanted:
            theirs = mapped.get(ours, ours)
            if theirs in header:
                place = header.index(theirs)
                columns[ours] = [row[place].strip() for row in rows]
            elif ours in mapped or ours in ("id", "source", "target"):
                raise ValueError(
                    f"{path}, line 1: no column {theirs!r}"
                    f"{nearest(theirs, header)}; name it in people.{name}.columns."
                    f"{ours}"
                )
        return Table(name, path, settings, columns, lines)

    def refuse(self, row: int, text: str) -> NoReturn:
        """Raise ValueError for a row."""
        raise ValueError(f"{self.path}, line {self.lines[row]}: {text}")

    def choice(self, setting: str, allowed: Sequence[str]) -> str:
        """Return a word setting; the first allowed one where none is given."""
        value = str(self.settings.get(setting, allowed[0]))
        require_one_of(f"people.{self.name}.{setting}", value, allowed)
        return value

    def named(self, column: str, translation: str, allowed: Sequence[str]) -> list[str | None]:
        """Return a column's words as names of ours; None where the cell or translation is empty.

        Without such a column the constant setting of the same name holds for every row.
        """
        constant = self.settings.get(column)
        if constant is not None:
            if column in self.settings["columns"]:
                raise ValueError(
                    f"people.{self.name}.{column}={constant!r}: also given as a "
                    "column; give one of the two"
                )
            require_one_of(f"people.{self.name}.{column}", str(constant), allowed)
            return [str(constant)] * len(self.lines)
        if column not in self.columns:
            raise ValueError(
                f"{self.path}, line 1: no column {column!r}; name it in people."
                f"{self.name}.columns.{column} or give all rows one value with "
                f"people.{self.name}.{column}"
            )
        names = self.translation(translation, allowed)
        found = []
        for row, word in enumerate(self.columns[column]):
            if word and word not in names:
                self.refuse(
                    row,
                    f"{column} {word!r} is unknown{nearest(word, names)}; translate "
                    f"it in people.{self.name}.{translation}",
                )
            found.append(names.get(word))
        return found

    def translation(self, setting: str, allowed: Sequence[str]) -> dict[str, str | None]:
        """Return table words to names of ours; our own names stand for themselves."""
        given = self.settings.get(setting) or {}
        if not isinstance(given, Mapping):
            raise ValueError(
                f"people.{self.name}.{setting}={given!r} must map the table's words "
                "to names of the scenario"
            )
        for word, name in given.items():
            if name is not None:
                require_one_of(f"people.{self.name}.{setting}.{word}", str(name), allowed)
        return {
            **{name: name for name in allowed},
            **{str(k): None if v is None else str(v) for k, v in given.items()},
        }

    def number(self, setting: str, default: float) -> float:
        """Return a number setting, at least 0, or the default."""
        value = self.settings.get(setting, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise ValueError(
                f"people.{self.name}.{setting}={value!r} must be a number"
                + (" or 'max'" if setting == "weight_scale" else "")
            )
        if value < 0 or (setting == "weight_scale" and value == 0):
            raise ValueError(f"people.{self.name}.{setting}={value!r} must be above 0")
        return float(value)


def block_of(mapping: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the checked settings of one file, with the columns that hold for all of them."""
    given = mapping[name]
    if not isinstance(given, Mapping):
        raise ValueError(f"people.{name}={given!r} must be a group of settings with a file")
    for key in given:
        require_one_of(f"people.{name}", str(key), BLOCKS[name])
    if not isinstance(given.get("file"), str):
        raise ValueError(f"people.{name}.file={given.get('file')!r} must be the name of a file")
    columns = {
        str(k): v
        for source in (mapping.get("columns"), given.get("columns"))
        for k, v in (source or {}).items()
    }
    for key in columns:
        require_one_of(f"people.{name}.columns", key, PERSON_COLUMNS + TIE_COLUMNS)
    return {**{str(k): v for k, v in given.items()}, "columns": columns}


def _rows(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """Return header, rows and their line numbers; comma, semicolon or tab, as the header shows."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file; file names start from the folder of the settings")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}, line {line}: not UTF-8; save the table as UTF-8") from None
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    rows, lines = [], []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}; check the quotes") from None
    if len(rows) < 2:
        raise ValueError(f"{path}, line 1: the table is empty; it needs a header and a row")
    header = [cell.strip() for cell in rows[0]]
    for name, times in Counter(header).items():
        if times > 1:
            raise ValueError(f"{path}, line 1: column {name!r} stands there {times} times; rename")
    for row, line in zip(rows[1:], lines[1:], strict=True):
        if len(row) != len(header):
            raise ValueError(
                f"{path}, line {line}: {len(row)} fields where the header has "
                f"{len(header)}; check the delimiter {delimiter!r} and quotes"
            )
    return header, rows[1:], lines[1:]
