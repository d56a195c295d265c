"""Every setting there is, typed, and whether the names that are written in them lead somewhere."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments.designs import Portfolio, Study
from experiments.settings_build import hints_of, member_hint
from experiments.settings_errors import SettingsError, nearest
from sim.policies import POLICIES
from sim.scenario import (
    SPREADS,
    Effect,
    Finance,
    Firm,
    Layer,
    Mechanism,
    Physics,
    Scenario,
    StakeholderType,
    number,
    word,
)
from sim.scorecard import Target

# Names that become part of the name of a folder.
KEY = re.compile(r"[a-z0-9_]{1,64}")


def _same(owner: Any, name: str) -> Any:
    """Declare a setting with the unit, range and meaning of a field that it becomes."""
    return field(metadata=dict(owner.__dataclass_fields__[name].metadata))


@dataclass(frozen=True)
class Story:
    """What a scenario is called and how its money compares with the shelf's."""

    key: str = _same(Scenario, "key")
    label: str = _same(Scenario, "label")
    brief: str = _same(Scenario, "brief")
    currency: str = _same(Scenario, "currency")
    cost_scale: float = number(
        1e-6, 1e6, "factor", "multiplies set-up and running cost of every mechanism on the shelf"
    )


@dataclass(frozen=True)
class Question:
    """What an experiment is called and asks."""

    key: str = _same(Study, "key")
    label: str = _same(Study, "label")
    question: str = _same(Study, "question")


@dataclass(frozen=True)
class Board:
    """The scorecard's targets."""

    targets: tuple[Target, ...] = word("what the indicators shall reach")


@dataclass(frozen=True)
class Sheet:
    """Every setting there is, typed; the composed yaml has exactly these keys."""

    scenario: Story = word("the market in words")
    quarters: int = _same(Scenario, "quarters")
    warm_up: int = _same(Scenario, "warm_up")
    organization: Firm = word("the organization")
    competitors: Mapping[str, Firm] = word("its competitors")
    stakeholders: Mapping[str, StakeholderType] = word("the types")
    network: Mapping[str, Layer] = word("the layers of ties")
    audiences: Mapping[str, tuple[str, ...]] = word(
        "stakeholder types behind a word that mechanisms use; empty where the market has none"
    )
    owners: Mapping[str, str] = word("department that runs what the shelf gives to another")
    mechanism: Mapping[str, Mechanism] = word("the shelf of mechanisms")
    portfolio: Mapping[str, Portfolio] = word("the shelf of portfolios")
    physics: Physics = word("coefficients of the laws")
    finance: Finance = word("how money is counted")
    scorecard: Board = word("what is aimed at")
    strategy_map: Any = word("objectives and links, see sim/strategy_map.py")
    people: Any = word("own tables of stakeholders and ties; null for generated ones")
    experiment: Question = word("the question in words")
    portfolios: tuple[str, ...] = word("names of the portfolios to compare, of the shelf")
    baseline: str = _same(Study, "baseline")
    replications: int = _same(Study, "replications")
    seed: int = _same(Study, "seed")
    planned_cost: float = _same(Study, "planned_cost")
    headline: tuple[str, ...] = _same(Study, "headline")
    twins: str = _same(Study, "twins")
    lanes: int = _same(Study, "lanes")


def check_path(key: str, value: str) -> Any:
    """Return the type that a dotted path leads to; refuse one that leads to no field."""
    hint: Any = Sheet
    done = ""
    for part in key.split("."):
        if dataclasses.is_dataclass(hint):
            hints = hints_of(typing.cast(type, hint))
            if part not in hints:
                where = f" in {done}" if done else ""
                listed = f"{done}.*" if done else "*"
                raise SettingsError(
                    f"{key}={value}: unknown setting {part!r}{where}{nearest(part, hints, listed)}",
                    key,
                )
            hint = hints[part]
        elif (member := member_hint(hint)) is not None:
            hint = member
        elif hint is not Any:
            raise SettingsError(
                f"{key}={value}: {done} is a single value, it holds no {part!r}", key
            )
        done = f"{done}.{part}" if done else part
    return hint


def check_names(sheet: Sheet) -> None:
    """Refuse a name that leads nowhere: a type, firm, department, mechanism or portfolio."""
    _check_keys(sheet)
    _check_people(sheet)
    _check_owners(sheet)
    useful = useful_mechanisms(sheet)
    for path, firm in firms_of(sheet):
        _one_of(f"{path}.policy.name", firm.policy.name, POLICIES)
        for key in firm.programmes:
            _one_of(f"{path}.programmes.{key}", key, useful, "mechanism.*.label")
    for key, portfolio in sheet.portfolio.items():
        for item in portfolio.items:
            _one_of(f"portfolio.{key}.items", item.mechanism, sheet.mechanism, "mechanism.*.label")
    if not sheet.portfolios:
        raise SettingsError(
            "portfolios=[] compares nothing: name at least one, as in portfolios=[listening_first]",
            "portfolios",
        )
    for key in (*sheet.portfolios, sheet.baseline):
        path = "portfolios" if key in sheet.portfolios else "baseline"
        _one_of(path, key, sheet.portfolio, "portfolio.*.label")


def _check_keys(sheet: Sheet) -> None:
    """Refuse a key that could not be part of a folder's name on every system."""
    keys = {"scenario.key": sheet.scenario.key, "experiment.key": sheet.experiment.key}
    remedies = dict.fromkeys(keys, "")
    for shelf, members in (("mechanism", sheet.mechanism), ("portfolio", sheet.portfolio)):
        keys |= {f"{shelf}.{key}": key for key in members}
        remedies |= {f"{shelf}.{key}": ": rename its file" for key in members}
    for path, key in keys.items():
        if not KEY.fullmatch(key):
            raise SettingsError(
                f"{path}: the name {key!r} must consist of 1 to 64 of a-z, 0-9 and _"
                f"{remedies[path]}",
                path,
            )


def _check_people(sheet: Sheet) -> None:
    """Refuse ties to no firm, layers of nobody and audiences that there are not."""
    kinds = sheet.stakeholders
    firms = [sheet.organization.key, *sheet.competitors]
    for key, kind in kinds.items():
        for firm_key in kind.tied:
            _one_of(f"stakeholders.{key}.tied", firm_key, firms)
    for key, layer in sheet.network.items():
        _one_of(f"network.{key}.generator", layer.generator, SPREADS)
        for name in ("speakers", "listeners"):
            for kind_key in getattr(layer, name):
                _one_of(f"network.{key}.{name}", kind_key, kinds)
    for key, audience in sheet.audiences.items():
        for kind_key in audience:
            _one_of(f"audiences.{key}", kind_key, kinds)
    for key, mechanism in sheet.mechanism.items():
        for effect in mechanism.effects:
            for word_ in effect.to:
                path = f"mechanism.{key}.effects.{effect.lever}.to"
                _one_of(path, word_, [*sheet.audiences, *kinds])


def _check_owners(sheet: Sheet) -> None:
    """Refuse a department that a firm has not; one of a single department runs everything there.

    The shelf names departments of its own, which `owners` may translate into those of a market.
    """
    for key in sheet.owners:
        _one_of(f"owners.{key}", key, {m.owner for m in sheet.mechanism.values()})
    for _, firm in firms_of(sheet):
        departments = [department.key for department in firm.departments]
        if len(departments) == 1:
            continue
        for key, mechanism in sheet.mechanism.items():
            owner, who = mechanism.owner, f" (as department of {firm.key})"
            if owner in sheet.owners:
                _one_of(f"owners.{owner}", sheet.owners[owner], departments, who=who)
            else:
                _one_of(f"mechanism.{key}.owner", owner, [*departments, *sheet.owners], who=who)


def _one_of(path: str, value: str, allowed: Iterable[str], listed: str = "", who: str = "") -> None:
    names = list(allowed)
    if value not in names:
        text = f"{path}={value!r}{who} is unknown{nearest(str(value), names, listed)}"
        raise SettingsError(text, path)


def firms_of(sheet: Sheet) -> list[tuple[str, Firm]]:
    """Return every firm with the path of its settings, the organization first."""
    return [
        ("organization", sheet.organization),
        *((f"competitors.{key}", firm) for key, firm in sheet.competitors.items()),
    ]


def useful_mechanisms(sheet: Sheet) -> list[str]:
    """Return the mechanisms that act on somebody in this market."""
    return [key for key, mechanism in sheet.mechanism.items() if effects_here(mechanism, sheet)]


def effects_here(mechanism: Mechanism, sheet: Sheet) -> tuple[Effect, ...]:
    """Return the effects with audiences replaced by types; those on nobody are left out."""
    found = []
    for effect in mechanism.effects:
        if not effect.to:
            found.append(effect)
            continue
        kinds = [kind for word_ in effect.to for kind in sheet.audiences.get(word_, (word_,))]
        if kinds:
            found.append(dataclasses.replace(effect, to=tuple(dict.fromkeys(kinds))))
    return tuple(found)
