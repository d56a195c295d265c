"""People's own tables: stakeholders and ties from files, by a map of columns, checked at the door.

Every refusal names file, line, value and what to do. Nothing is guessed and nothing is dropped that
the settings do not drop by name. The format is described in docs/own-tables.md.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from sim.checks import nearest, require_one_of
from sim.flows import ORGANIZATION
from sim.population import BY_SHARES
from sim.scenario import Department, Layer, People, Scenario

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
FROM_TABLE = "from_table"


def read_people(mapping: Mapping[str, Any], scenario: Scenario, base: Path | str) -> People:
    """Return the people of the tables, for a scenario whose firms already have their departments.

    Raises
    ------
    ValueError
        As `apply_people`, and where the departments are to come from the table.
    """
    applied = apply_people(mapping, scenario, base)
    if applied.firms != scenario.firms or applied.people is None:
        raise ValueError(f"people: departments: {FROM_TABLE} changes the firm; use apply_people")
    return applied.people


def apply_people(mapping: Mapping[str, Any], scenario: Scenario, base: Path | str) -> Scenario:
    """Return the scenario with its people, and if asked its departments, from the tables.

    Parameters
    ----------
    mapping : mapping
        The settings below `people`: the blocks stakeholders, ties, employees and employee_ties;
        `columns` beside them holds for every block.
    scenario : Scenario
        Types, firms, departments and layers the tables speak of.
    base : path
        Folder that relative file names start from.

    Raises
    ------
    ValueError
        With file, line, value and remedy, or with the setting that cannot be used.
    """
    for key in mapping:
        require_one_of("people", str(key), (*BLOCKS, "columns"))
    tables = {
        name: _Table.read(Path(base), name, _block(mapping, name))
        for name in BLOCKS
        if mapping.get(name) is not None
    }
    of_people = [tables[name] for name in ("stakeholders", "employees") if name in tables]
    if not of_people:
        raise ValueError("people: names no people; give stakeholders or employees a file")
    tied = [_firm_of(table, scenario) for table in of_people]
    for table, firms in zip(of_people, tied, strict=True):
        scenario = _with_departments(table, firms, scenario)
    persons = _Persons({}, [], [], [], [])
    for table, firms in zip(of_people, tied, strict=True):
        _add_persons(persons, table, firms, scenario)
    ties = _Ties([], [], [], [], set())
    for name in ("ties", "employee_ties"):
        if name in tables:
            _add_ties(ties, tables[name], persons, scenario)
    people = People(
        ids=tuple(persons.rows),
        kind=np.array(persons.kind),
        tied=np.array(persons.tied),
        department=np.array(persons.department),
        source=np.array(ties.source, np.int64),
        target=np.array(ties.target, np.int64),
        layer=np.array(ties.layer, np.int64),
        weight=np.array(ties.weight, np.float64),
        replaced=tuple(x.key for x in scenario.layers if x.key in ties.replaced),
        beside=_beside(persons, scenario),
    )
    return replace(scenario, people=people)


# ---- a file and its map of columns --------------------------------------------------------------


def _block(mapping: Mapping[str, Any], name: str) -> dict[str, Any]:
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


@dataclass(frozen=True)
class _Table:
    """One file: its columns under our names, the line of each row, and its settings."""

    name: str
    path: Path
    settings: Mapping[str, Any]
    columns: dict[str, list[str]]
    lines: list[int]

    @staticmethod
    def read(base: Path, name: str, settings: Mapping[str, Any]) -> _Table:
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
        return _Table(name, path, settings, columns, lines)

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


# ---- people -------------------------------------------------------------------------------------


@dataclass
class _Persons:
    """People so far: row of each id, and per row kind, firm, department and (table, line)."""

    rows: dict[str, int]
    kind: list[int]
    tied: list[int]
    department: list[int]
    origin: list[tuple[_Table, int]]


def _firm_of(table: _Table, scenario: Scenario) -> list[int]:
    """Return each row's firm: -1 where the cell is empty, by shares where nothing is said.

    Employees of whom nothing is said are the organization's.
    """
    firms = {firm.key: i for i, firm in enumerate(scenario.firms)}
    if "tied" not in table.columns and table.settings.get("tied") is None:
        unsaid = ORGANIZATION if table.name == "employees" else BY_SHARES
        return [unsaid] * len(table.lines)
    return [
        -1 if name is None else firms[name] for name in table.named("tied", "firms", list(firms))
    ]


def _with_departments(table: _Table, tied: list[int], scenario: Scenario) -> Scenario:
    """Return the scenario with the table's departments, where the settings ask for them.

    Staff, and what arrives there first, is in proportion to heads; each department acts as the
    firm's configured ones do on average (assumption).
    """
    setting = table.settings.get("departments")
    if setting != FROM_TABLE:
        return scenario
    firms = list(scenario.firms)
    for f in sorted(set(tied) - {-1, BY_SHARES}):
        heads = Counter(
            word
            for word, firm in zip(table.columns.get("department", ()), tied, strict=True)
            if firm == f and word
        )
        total, acts = sum(heads.values()), sum(d.staff * d.acts for d in firms[f].departments)
        words = sorted(heads, key=lambda word: (not word.isdigit(), word.zfill(9)))
        if words:
            firms[f] = replace(
                firms[f],
                departments=tuple(
                    Department(
                        word,
                        f"Department {word}" if word.isdigit() else word,
                        acts,
                        heads[word] / total,
                        heads[word] / total,
                    )
                    for word in words
                ),
            )
    return replace(scenario, firms=tuple(firms))


def _departments_of(table: _Table, tied: list[int], scenario: Scenario) -> list[int]:
    """Return each row's department in its firm: -1 where the cell is empty."""
    if "department" not in table.columns:
        return [BY_SHARES] * len(table.lines)
    given = table.settings.get("departments")
    if given is None or given == FROM_TABLE:
        given = {}
    if not isinstance(given, Mapping):
        raise ValueError(
            f"people.{table.name}.departments={given!r} must map the table's words "
            f"to departments of the firm, or be {FROM_TABLE!r}"
        )
    names = {str(word): str(key) for word, key in given.items()}
    keys = [[d.key for d in firm.departments] for firm in scenario.firms]
    found = []
    for row, word in enumerate(table.columns["department"]):
        name = names.get(word, word)
        if word and tied[row] < 0:
            table.refuse(
                row,
                f"department {word!r} of nobody's firm; say the firm in column "
                f"'tied' or with people.{table.name}.tied",
            )
        if word and name not in keys[tied[row]]:
            table.refuse(
                row,
                f"department {word!r} is unknown{nearest(name, keys[tied[row]])}; "
                f"translate it in people.{table.name}.departments, or set that to "
                f"{FROM_TABLE} to take the table's departments",
            )
        found.append(keys[tied[row]].index(name) if word else -1)
    return found


def _add_persons(persons: _Persons, table: _Table, tied: list[int], scenario: Scenario) -> None:
    """Add the people of one file."""
    kinds = {t.key: i for i, t in enumerate(scenario.stakeholders)}
    kind = table.named("kind", "kinds", list(kinds))
    department = _departments_of(table, tied, scenario)
    for row, word in enumerate(table.columns["id"]):
        name = kind[row]
        if not word or name is None:
            table.refuse(row, f"{'kind' if word else 'id'} is empty; fill in the cell")
        if word in persons.rows:
            first, number = persons.origin[persons.rows[word]]
            table.refuse(
                row,
                f"id {word!r} stands already in {first.path}, line "
                f"{first.lines[number]}; ids must differ, across tables too",
            )
        persons.rows[word] = len(persons.rows)
        persons.kind.append(kinds[name])
        persons.tied.append(tied[row])
        persons.department.append(department[row])
        persons.origin.append((table, row))


def _beside(persons: _Persons, scenario: Scenario) -> tuple[tuple[int, int], ...]:
    """Return which generated people stay beside the tables'.

    Where only the employees' table names a type, those of the firms that it does not list.
    """
    listed = set(zip(persons.kind, persons.tied, strict=True))
    whole = {
        kind
        for kind, (table, _) in zip(persons.kind, persons.origin, strict=True)
        if table.name != "employees"
    }
    return tuple(
        (kind, firm)
        for kind in sorted({kind for kind, _ in listed} - whole)
        for firm in range(len(scenario.firms))
        if (kind, firm) not in listed
    )


# ---- ties ---------------------------------------------------------------------------------------


@dataclass
class _Ties:
    source: list[int]
    target: list[int]
    layer: list[int]
    weight: list[float]
    replaced: set[str]


def _add_ties(ties: _Ties, table: _Table, persons: _Persons, scenario: Scenario) -> None:
    """Add the ties of one file."""
    layers = {layer.key: i for i, layer in enumerate(scenario.layers)}
    if "hears" not in table.settings:
        raise ValueError(
            f"people.{table.name}.hears is missing: say which end of a tie hears the "
            "other, source or target (who asks for advice hears the answer)"
        )
    hears = table.choice("hears", ("target", "source"))
    drop_self = table.choice("self_ties", ("refuse", "drop")) == "drop"
    strongest = table.choice("repeats", ("refuse", "strongest")) == "strongest"
    layer = table.named("layer", "layers", list(layers))
    weight = _weights(table, layer)
    seen: dict[tuple[int, int, int], int] = {}
    first = len(ties.source)
    for row in range(len(table.lines)):
        name = layer[row]
        if name is None and not table.columns["layer"][row]:
            table.refuse(row, "layer is empty; fill in the cell")
        if name is None or weight[row] == 0:
            continue
        ends = [_person(table, row, end, persons) for end in ("source", "target")]
        if ends[0] == ends[1]:
            if drop_self:
                continue
            table.refuse(
                row,
                f"{table.columns['source'][row]!r} hears itself; remove the tie or "
                f"set people.{table.name}.self_ties to drop",
            )
        source, target = ends if hears == "target" else ends[::-1]
        _check_layer(table, row, scenario.layers[layers[name]], source, target, persons, scenario)
        key = (source, target, layers[name])
        if key in seen and not strongest:
            table.refuse(
                row,
                f"{table.columns['source'][row]!r} and "
                f"{table.columns['target'][row]!r} have this tie in layer {name!r} "
                f"already in line {table.lines[seen[key]]}; remove one, map their "
                f"layers apart, or set people.{table.name}.repeats to strongest",
            )
        if key not in seen or weight[row] > weight[seen[key]]:
            seen[key] = row
    for (source, target, number), row in seen.items():
        ties.source.append(source)
        ties.target.append(target)
        ties.layer.append(number)
        ties.weight.append(weight[row])
    if len(ties.source) == first:
        raise ValueError(
            f"{table.path}: no tie is left; check threshold and layers of people.{table.name}"
        )
    ties.replaced |= {scenario.layers[i].key for i in ties.layer[first:]}


def _person(table: _Table, row: int, end: str, persons: _Persons) -> int:
    word = table.columns[end][row]
    if word not in persons.rows:
        table.refuse(
            row,
            f"{end} {word!r} is nobody's id; add the person to the table of people "
            "or remove the tie",
        )
    return persons.rows[word]


def _check_layer(
    table: _Table,
    row: int,
    layer: Layer,
    source: int,
    target: int,
    persons: _Persons,
    scenario: Scenario,
) -> None:
    """Refuse a tie that its layer does not carry."""
    for who, names, part in (
        (source, layer.speakers, "speakers"),
        (target, layer.listeners, "listeners"),
    ):
        kind = scenario.stakeholders[persons.kind[who]].key
        if names and kind not in names:
            table.refuse(
                row,
                f"{kind} are not among the {part} of layer {layer.key!r}; add them "
                f"to network.{layer.key}.{part} or choose another layer",
            )
    if layer.group == "department":
        firms = persons.tied[source], persons.tied[target]
        if firms[0] != firms[1] or firms[0] < 0:
            table.refuse(
                row,
                f"layer {layer.key!r} links people of one firm only; say their firm "
                "in column 'tied' of their table or choose another layer",
            )


def _weights(table: _Table, layer: Sequence[str | None]) -> list[float]:
    """Return weights in (0, 1], and 0 for ties below the threshold."""
    threshold = _number(table, "threshold", 0.0)
    scale = table.settings.get("weight_scale", "max")
    if "weight" not in table.columns:
        for setting in ("threshold", "weight_scale"):
            if setting in table.settings:
                raise ValueError(
                    f"people.{table.name}.{setting}: there is no column of weights; "
                    f"name it in people.{table.name}.columns.weight"
                )
        return [1.0] * len(table.lines)
    found = []
    for row, word in enumerate(table.columns["weight"]):
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            table.refuse(row, f"weight {word!r} is no number; write it like 0.5")
        if value < 0 or (value == 0 and threshold <= 0):
            table.refuse(
                row,
                f"weight {word!r} must be above 0; remove the tie"
                + (f" or set people.{table.name}.threshold" if value == 0 else ""),
            )
        found.append(value if value >= threshold and layer[row] is not None else 0.0)
    most = max(found) if scale == "max" else _number(table, "weight_scale", 1.0)
    if most <= 0:
        return found
    for row, value in enumerate(found):
        if value > most:
            table.refuse(
                row,
                f"weight {value:g} is above people.{table.name}.weight_scale="
                f"{most:g}; give the largest possible weight there, or 'max'",
            )
    return [value / most for value in found]


def _number(table: _Table, setting: str, default: float) -> float:
    value = table.settings.get(setting, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(
            f"people.{table.name}.{setting}={value!r} must be a number"
            + (" or 'max'" if setting == "weight_scale" else "")
        )
    if value < 0 or (setting == "weight_scale" and value == 0):
        raise ValueError(f"people.{table.name}.{setting}={value!r} must be above 0")
    return float(value)
