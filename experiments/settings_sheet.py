"""Every setting there is, typed, and whether the names that are written in them lead somewhere."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments.calibration import Calibration
from experiments.designs import Portfolio, Push, Study
from experiments.lessons import Lesson
from experiments.links import Nudges
from experiments.settings_build import hints_of, member_hint
from experiments.settings_errors import SettingsError, nearest
from sim.catalogue import INDEX
from sim.fields import number, word
from sim.influenced import Thresholds
from sim.mechanisms import REACHES, Acceptability, Effect, Mechanism
from sim.nudging import OURS, RIVALS
from sim.organization import Design, Firm
from sim.outside import Season, Shock
from sim.physics import Physics
from sim.policies import POLICIES
from sim.scenario import Finance, Scenario, Sensing
from sim.scorecard import Board
from sim.stakeholders import SPREADS, Layer, StakeholderType
from sim.steering import Governance

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
        1e-6,
        1e6,
        "factor",
        "multiplies set-up, running and volume cost of every mechanism and the cost of every "
        "design on the shelf",
    )


@dataclass(frozen=True)
class Question:
    """What an experiment is called and asks."""

    key: str = _same(Study, "key")
    label: str = _same(Study, "label")
    question: str = _same(Study, "question")


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
    design: Mapping[str, Design] = word("the shelf of organization designs")
    governance: Mapping[str, Governance] = word("the shelf of governances")
    portfolio: Mapping[str, Portfolio] = word("the shelf of portfolios")
    physics: Physics = word("coefficients of the laws")
    finance: Finance = word("how money is counted")
    shocks: Mapping[str, Shock] = word("what will happen, whatever anybody does")
    season: Season = word("the course of a year")
    sensing: Sensing = word("how readings differ from the truth")
    scorecard: Board = word("what is aimed at and how lights are given")
    strategy_map: Any = word("objectives and links, see sim/strategy_map.py")
    nudges: Nudges = word("what pushes which indicator where links of the map are tried out")
    calibration: Calibration = word("what a calibration of physics fits, and to what")
    people: Any = word("own tables of stakeholders and ties; null for generated ones")
    experiment: Question = word("the question in words")
    lesson: Lesson | None = word("what the experiment is said to teach; null for nothing")
    portfolios: tuple[str, ...] = word("names of the portfolios to compare, of the shelf")
    designs: tuple[str, ...] = word(
        "names of designs, of the shelf: each portfolio that spends is run under each of them; "
        "none for each under its own"
    )
    governances: tuple[str, ...] = word(
        "names of governances, of the shelf: each portfolio that spends is run under each of them; "
        "none for each under its own"
    )
    pushes: tuple[Push, ...] = word(
        "arms of a lesson that push the baseline somewhere, by name; they cost nothing"
    )
    baseline: str = _same(Study, "baseline")
    replications: int = _same(Study, "replications")
    seed: int = _same(Study, "seed")
    planned_cost: float = _same(Study, "planned_cost")
    headline: tuple[str, ...] = _same(Study, "headline")
    twins: str = _same(Study, "twins")
    lanes: int = _same(Study, "lanes")
    ledger: str = _same(Study, "ledger")
    ledger_thresholds: Thresholds = word("how far two lives must differ to count")
    shapley: bool = _same(Study, "shapley")


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
        if portfolio.design is not None:
            _one_of(f"portfolio.{key}.design", portfolio.design, sheet.design, "design.*.label")
        if portfolio.governance is not None:
            path = f"portfolio.{key}.governance"
            _one_of(path, portfolio.governance, sheet.governance, "governance.*.label")
    for key, nudge in sheet.nudges.moves.items():
        firms = [OURS, RIVALS, *(firm.key for _, firm in firms_of(sheet))]
        _one_of(f"nudges.moves.{key}.firm", nudge.firm, firms)
        for name in nudge.to:
            _one_of(f"nudges.moves.{key}.to", name, [*sheet.audiences, *sheet.stakeholders])
    for key in sheet.governances:
        _one_of("governances", key, sheet.governance, "governance.*.label")
    for key, rule in sheet.governance.items():
        for name in ("indicators", "shown"):
            for kpi in getattr(rule, name):
                _one_of(f"governance.{key}.{name}", kpi, INDEX)
        if rule.loop == "double":
            _one_of(f"governance.{key}.headline", rule.headline, INDEX)
    for key in sheet.designs:
        _one_of("designs", key, sheet.design, "design.*.label")
    for key, design in sheet.design.items():
        for name in design.owners_by_mechanism:
            path = f"design.{key}.owners_by_mechanism"
            _one_of(path, name, sheet.mechanism, "mechanism.*.label")
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
    keys |= {f"pushes.{push.key}": push.key for push in sheet.pushes}
    for path, key in keys.items():
        if not KEY.fullmatch(key):
            raise SettingsError(
                f"{path}: the name {key!r} must consist of 1 to 64 of a-z, 0-9 and _"
                f"{remedies.get(path, '')}",
                path,
            )
    for push in sheet.pushes:
        if push.key in sheet.portfolio:
            path = f"pushes.{push.key}"
            raise SettingsError(f"{path}: a portfolio is called {push.key!r}; rename one", path)


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
    audiences = [*sheet.audiences, *kinds]
    for key, mechanism in sheet.mechanism.items():
        for name in ("effects", "side_effects"):
            for effect in getattr(mechanism, name):
                for word_ in effect.to:
                    _one_of(f"mechanism.{key}.{name}.{effect.lever}.to", word_, audiences)
        for word_ in mechanism.acceptability.to:
            _one_of(f"mechanism.{key}.acceptability.to", word_, audiences)


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
    return [
        key for key, mechanism in sheet.mechanism.items() if _effects_here(mechanism.effects, sheet)
    ]


def mechanism_here(mechanism: Mechanism, sheet: Sheet) -> Mechanism:
    """Return a mechanism of the shelf as this market runs it.

    Its costs are scaled, its department is the market's, and audiences are replaced by types; what
    acts on nobody, concerns nobody or is paid for nobody is left out.
    """
    scale = sheet.scenario.cost_scale
    lawful = mechanism.acceptability
    concerned = _kinds_here(lawful.to, sheet)
    here = dataclasses.replace(
        mechanism,
        owner=sheet.owners.get(mechanism.owner, mechanism.owner),
        setup=mechanism.setup * scale,
        running=mechanism.running * scale,
        volume=mechanism.volume * scale,
        effects=_effects_here(mechanism.effects, sheet),
        side_effects=_effects_here(mechanism.side_effects, sheet),
        acceptability=Acceptability(lawful.tag)
        if lawful.to and not concerned
        else dataclasses.replace(lawful, to=concerned),
    )
    if here.volume and not any(here.addresses(kind) for kind in sheet.stakeholders):
        return dataclasses.replace(here, volume=0.0, reach=REACHES[0])
    return here


def _effects_here(effects: Iterable[Effect], sheet: Sheet) -> tuple[Effect, ...]:
    """Return effects with audiences replaced by types; those on nobody are left out."""
    pairs = [(effect, _kinds_here(effect.to, sheet)) for effect in effects]
    return tuple(
        dataclasses.replace(effect, to=kinds) for effect, kinds in pairs if kinds or not effect.to
    )


def _kinds_here(words: Iterable[str], sheet: Sheet) -> tuple[str, ...]:
    kinds = [kind for word_ in words for kind in sheet.audiences.get(word_, (word_,))]
    return tuple(dict.fromkeys(kinds))
