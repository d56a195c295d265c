"""People's own tables: stakeholders and ties from files, by a map of columns, checked at the door.

Every refusal names file, line, value and what to do. Nothing is guessed and nothing is dropped that
the settings do not drop by name. The format is described in docs/own-tables.md.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from experiments.table_files import BLOCKS, Table, block_of
from sim.checks import nearest, require_one_of
from sim.flows import ORGANIZATION
from sim.organization import Department
from sim.population import BY_SHARES
from sim.scenario import Scenario
from sim.stakeholders import Layer, People

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
        name: Table.read(Path(base), name, block_of(mapping, name))
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


# ---- people -------------------------------------------------------------------------------------


@dataclass
class _Persons:
    """People so far: row of each id, and per row kind, firm, department and (table, line)."""

    rows: dict[str, int]
    kind: list[int]
    tied: list[int]
    department: list[int]
    origin: list[tuple[Table, int]]


def _firm_of(table: Table, scenario: Scenario) -> list[int]:
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


def _with_departments(table: Table, tied: list[int], scenario: Scenario) -> Scenario:
    """Return the scenario with the table's departments, where the settings ask for them."""
    if table.settings.get("departments") is not None and "department" not in table.columns:
        raise ValueError(
            f"{table.path}, line 1: no column 'department' for people.{table.name}.departments; "
            f"name it in people.{table.name}.columns.department or leave the setting out"
        )
    if table.settings.get("departments") != FROM_TABLE:
        return scenario
    firms = list(scenario.firms)
    for f in sorted(set(tied) - {-1, BY_SHARES}):
        heads = Counter(
            word
            for word, firm in zip(table.columns["department"], tied, strict=True)
            if firm == f and word
        )
        if heads:
            owners = {mechanism.owner for mechanism in scenario.mechanisms}
            firms[f] = replace(
                firms[f], departments=_departments_by_heads(firms[f].departments, heads, owners)
            )
    return replace(scenario, firms=tuple(firms))


def _departments_by_heads(
    configured: Sequence[Department], heads: Counter[str], owners: set[str]
) -> tuple[Department, ...]:
    """Return a table's departments and, where there are several, the owners it does not name.

    Staff, and what arrives there first, is in proportion to heads; each department acts as the
    configured ones do on average (assumption). Whoever runs mechanisms but is no department of the
    table stays as a desk of its own: nobody works there, nothing is heard there first.
    """
    total, acts = sum(heads.values()), sum(d.staff * d.acts for d in configured)
    named = tuple(
        Department(
            word,
            f"Department {word}" if word.isdigit() else word,
            acts,
            heads[word] / total,
            heads[word] / total,
        )
        for word in sorted(heads, key=lambda word: (not word.isdigit(), word.zfill(9)))
    )
    if len(named) == 1:
        return named
    known = {d.key: d for d in configured}
    desks = (
        replace(known[key], hears=0.0, staff=0.0)
        if key in known
        else Department(key, key.replace("_", " ").capitalize(), acts, 0.0, 0.0)
        for key in sorted(owners - set(heads))
    )
    return (*named, *desks)


def _departments_of(table: Table, tied: list[int], scenario: Scenario) -> list[int]:
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


def _add_persons(persons: _Persons, table: Table, tied: list[int], scenario: Scenario) -> None:
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


def _add_ties(ties: _Ties, table: Table, persons: _Persons, scenario: Scenario) -> None:
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


def _person(table: Table, row: int, end: str, persons: _Persons) -> int:
    word = table.columns[end][row]
    if word not in persons.rows:
        table.refuse(
            row,
            f"{end} {word!r} is nobody's id; add the person to the table of people "
            "or remove the tie",
        )
    return persons.rows[word]


def _check_layer(
    table: Table,
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


def _weights(table: Table, layer: Sequence[str | None]) -> list[float]:
    """Return weights in (0, 1], and 0 for ties below the threshold."""
    threshold = table.number("threshold", 0.0)
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
    most = max(found) if scale == "max" else table.number("weight_scale", 1.0)
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
