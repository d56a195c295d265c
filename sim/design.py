"""What a design makes of the organization: its departments, owners, and who has to settle anew.

"Designing the organization around influence flows" is Philip Sheldrake's definition of social
business (*The Business of Influence*, Wiley 2011); what a design says stands in
`organization.Design`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sim.checks import nearest
from sim.mechanisms import Mechanism
from sim.organization import DEPARTMENT_SHARES, Department, Design, Firm


@dataclass(frozen=True)
class Redesigned:
    """An organization as a design makes it: D departments of today, U of the design.

    Attributes
    ----------
    departments : tuple of Department
        Those of the design, in the order of today's that they are made of, new ones last.
    unit_of : int64 (D,)
        Where each of today's departments went.
    owner : int64 (n_mechanisms,)
        Department of the design that runs each mechanism.
    touched : bool (U,)
        Departments that have to settle anew.
    """

    departments: tuple[Department, ...]
    unit_of: np.ndarray
    owner: np.ndarray
    touched: np.ndarray


def redesigned(design: Design, firm: Firm, mechanisms: Sequence[Mechanism]) -> Redesigned:
    """Return what a design makes of an organization.

    Raises
    ------
    ValueError
        If it names a department or mechanism that there is not, a name stands for two departments,
        shares do not sum to 1, it costs more than a quarter's budget, or its dip hits nobody.
    """
    where = f"design.{design.key}"
    today = [d.key for d in firm.departments]
    home = _homes(design, where, today)
    departments = tuple(_departments(design, firm, home))
    names = [d.key for d in departments]
    for share in ("hears", "staff"):
        total = sum(getattr(d, share) for d in departments)
        if abs(total - 1) > 1e-6:
            raise ValueError(
                f"{where}.departments: {share} of all departments must sum to 1, not {total:g} "
                f"({', '.join(f'{d.key} {getattr(d, share):g}' for d in departments)})"
            )
    unit_of = np.array([names.index(home[key]) for key in today], np.int64)
    before = [today[0] if len(today) == 1 else m.owner for m in mechanisms]
    owner = _owners(design, where, mechanisms, before, home, names)
    moved = {names[d] for d, old in zip(owner, before, strict=True) if names[d] != home[old]}
    listed = {unit.key for unit in design.departments} | moved
    touched = np.array([design.ties.anew > 0 or name in listed for name in names], bool)
    if design.dip > 0 and not touched.any():
        raise ValueError(
            f"{where}.dip={design.dip:g} hits nobody: no department is changed, no mechanism "
            "changes hands and no tie is laid anew; set it to 0"
        )
    if design.cost > firm.policy.budget:
        raise ValueError(
            f"{where}.cost={design.cost:g} cannot be paid: the budget of {firm.key} is "
            f"{firm.policy.budget:g} per quarter"
        )
    return Redesigned(departments, unit_of, owner, touched)


def _homes(design: Design, where: str, today: Sequence[str]) -> dict[str, str]:
    """Return where each of today's departments goes; refuse names that lead nowhere or clash."""
    home = {key: key for key in today}
    for unit in design.departments:
        for key in unit.joins:
            _known(f"{where}.departments.{unit.key}.joins", key, today, "department of today")
            home[key] = unit.key
    for unit in design.departments:
        if unit.key in today and unit.key not in unit.joins:
            raise ValueError(
                f"{where}.departments.{unit.key}: {unit.key!r} is a department of today that it "
                f"does not join; take another name or add it to joins"
            )
    return home


def _departments(design: Design, firm: Firm, home: Mapping[str, str]) -> Iterator[Department]:
    """Yield the departments of the design, in order."""
    units = {unit.key: unit for unit in design.departments}
    for key in dict.fromkeys([*home.values(), *units]):
        members = [d for d in firm.departments if home[d.key] == key]
        if key not in units:
            yield members[0]
            continue
        unit = units[key]
        left = 1.0
        for member in members:
            left *= 1.0 - member.acts
        derived = {
            "acts": members[0].acts if len(members) == 1 else 1.0 - left,
            "hears": sum(m.hears for m in members),
            "staff": sum(m.staff for m in members),
        }
        said = {
            name: getattr(unit, name)
            for name in DEPARTMENT_SHARES
            if getattr(unit, name) is not None
        }
        yield Department(key=key, label=unit.label, **(derived | said))


def _owners(
    design: Design,
    where: str,
    mechanisms: Sequence[Mechanism],
    before: Sequence[str],
    home: Mapping[str, str],
    names: Sequence[str],
) -> np.ndarray:
    """Return the department that runs each mechanism; refuse owners that there are not."""
    keys = [mechanism.key for mechanism in mechanisms]
    for key in design.owners:
        _known(f"{where}.owners", key, list(home), "department of today")
    for key in design.owners_by_mechanism:
        _known(f"{where}.owners_by_mechanism", key, keys, "mechanism")
    for group in ("owners", "owners_by_flow", "owners_by_mechanism"):
        for key, owner in getattr(design, group).items():
            _known(f"{where}.{group}.{key}", owner, names, "department of the design")
    found = []
    for mechanism, old in zip(mechanisms, before, strict=True):
        owner = design.owners.get(old, home[old])
        if mechanism.flows:
            owner = design.owners_by_flow.get(str(mechanism.flows[0]), owner)
        owner = design.owners_by_mechanism.get(mechanism.key, owner)
        found.append(names.index(owner))
    return np.array(found, np.int64)


def _known(path: str, name: str, allowed: Sequence[str], what: str) -> None:
    if name not in allowed:
        raise ValueError(f"{path}: {name!r} is no {what}{nearest(name, allowed)}")
