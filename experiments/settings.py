"""From yaml and `key=value` to a checked scenario and study; the only module that knows Hydra.

Hydra composes the groups of `configs/` (and of a user's own folder); what comes out is built into
one typed `Sheet`, whose fields' metadata name unit, range and meaning, so that a wrong setting is
refused before anything runs, with its full path, its value, what is allowed and the nearest name.
Hydra's own messages never reach the user: some advise to add keys that would then be ignored.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import re
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments import designs
from experiments.designs import Portfolio, Study
from experiments.settings_listing import (
    EVERYBODY,
    Row,
    SettingsError,
    Written,
    build,
    guarded,
    hints_of,
    locate,
    member_hint,
    read_yaml,
    rows,
)
from sim.checks import nearest, require_one_of
from sim.networks import GENERATORS
from sim.policies import POLICIES
from sim.scenario import (
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
from sim.strategy_map import StrategyMap, strategy_map_of

# In the order in which what they write wins; the experiment comes last.
GROUPS = (
    "scenario",
    "organization",
    "stakeholders",
    "network",
    "competitors",
    "physics",
    "finance",
    "scorecard",
    "strategy_map",
    "experiment",
)
SHELVES = ("mechanism", "portfolio")
GLOBAL_GROUPS = ("scenario", "experiment")
HEADER = "# @package _global_"


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


@dataclass(frozen=True)
class Settings:
    """What a command runs.

    Attributes
    ----------
    scenario : Scenario
        The checked market.
    study : Study
        The checked question.
    targets : tuple of Target
        What the scorecard aims at.
    strategy_map : StrategyMap
        Objectives and what is believed to join them.
    resolved : dict
        The composed settings as plain data, for saving beside the results.
    """

    scenario: Scenario
    study: Study
    targets: tuple[Target, ...]
    strategy_map: StrategyMap
    resolved: dict[str, Any]


def load(overrides: Sequence[str] = (), config_dir: Path | None = None) -> Settings:
    """Compose, check and return the settings of one command.

    Parameters
    ----------
    overrides : sequence of str
        `key=value`, such as `scenario=village`, `quarters=20` or `physics.anchor=0.05`.
    config_dir : Path, optional
        A folder of one's own groups, found beside the shipped ones.

    Raises
    ------
    SettingsError
        For anything that cannot be used, before anything runs.
    """
    sheet, resolved, _ = _sheet(overrides, _folders(config_dir))
    scenario = _scenario(sheet)
    if sheet.people is not None:
        from experiments.tables import apply_people

        scenario = guarded("", apply_people, sheet.people, scenario, config_dir or Path.cwd())
    study = _study(sheet)
    guarded("", designs.arms, study, scenario)
    drawn = guarded("strategy_map", strategy_map_of, sheet.strategy_map)
    return Settings(scenario, study, sheet.scorecard.targets, drawn, resolved)


def listing(
    pattern: str | None = None, overrides: Sequence[str] = (), config_dir: Path | None = None
) -> list[Row]:
    """Return every setting (path, value, unit, range, meaning, source) that matches a pattern."""
    folders = _folders(config_dir)
    sheet, _, choices = _sheet(overrides, folders)
    comments = {
        f"{prefix}.{path}" if prefix else path: comment
        for prefix, written in _files(choices, folders)
        for path, comment in written.comments.items()
    }
    changed = [_split(text)[0] for text in overrides]
    for path in [
        p for p in comments if any(p == key or p.startswith(f"{key}.") for key in changed)
    ]:
        comments[path] = "command line"
    return rows(sheet, comments, pattern)


def shipped_dir() -> Path:
    """Return the folder of the shipped configs: the checkout's, else the installed package's."""
    root = Path(__file__).resolve().parent.parent
    if (root / "pyproject.toml").is_file() and (root / "configs").is_dir():
        return root / "configs"
    return Path(str(importlib.resources.files("sim") / "_configs"))


def _sheet(
    overrides: Sequence[str], folders: Sequence[Path]
) -> tuple[Sheet, dict[str, Any], dict[str, str]]:
    """Compose and build the sheet; also return it as plain data and the file of each group."""
    pairs = [_split(text) for text in overrides]
    for key, value in pairs:
        _check_override(key, value, folders)
    resolved, choices = _compose(pairs, folders)
    try:
        sheet: Sheet = build(Sheet, resolved, "")
        _check_names(sheet)
    except SettingsError as error:
        changed = [key for key, _ in pairs if key not in GROUPS]
        raise _with_place(error, changed, _files(choices, folders)) from None
    return sheet, resolved, choices


def _folders(config_dir: Path | None) -> list[Path]:
    """Return the shipped folder and the user's, whose groups and files are checked here."""
    shipped = shipped_dir()
    if config_dir is None:
        return [shipped]
    if not config_dir.is_dir():
        raise SettingsError(f"--config-dir {config_dir}: there is no such folder")
    own = config_dir.resolve()
    for entry in sorted(own.rglob("*.y*ml")):
        inner = entry.relative_to(own)
        if entry.suffix != ".yaml":
            raise SettingsError(f"{entry}: the name must end in .yaml")
        if len(inner.parts) != 2 or inner.parts[0] not in GROUPS + SHELVES:
            raise SettingsError(
                f"{entry}: it lies in no group{nearest(inner.parts[0], GROUPS + SHELVES)}"
            )
        if inner.parts[0] in SHELVES and entry.stem == EVERYBODY:
            raise SettingsError(f"{entry}: {EVERYBODY!r} means the whole shelf; give another name")
        if (shipped / inner).exists():
            raise SettingsError(f"{entry}: {inner} is shipped already; give yours another name")
        read_yaml(entry)
    return [shipped, own]


def _options(group: str, folders: Sequence[Path]) -> list[str]:
    return sorted(file.stem for file in _shelf(group, folders))


def _split(text: str) -> tuple[str, str]:
    """Return key and value of one `key=value`; refuse whatever is not of that form."""
    key, mark, value = (part.strip() for part in text.partition("="))
    if key.startswith("+"):
        raise SettingsError(f"{text!r}: settings are changed, never added: "
                            f"write {key.lstrip('+')}=value", key)  # fmt: skip
    if key.startswith("~"):
        raise SettingsError(f"{text!r}: settings cannot be removed: write "
                            f"{key.lstrip('~')}=value", key)  # fmt: skip
    if not mark or not key:
        raise SettingsError(f"{text!r} is not of the form key=value")
    if any(part.startswith("_") for part in key.split(".")) or "${" in value:
        raise SettingsError(f"{text!r}: settings are plain data; keys that start with '_' and "
                            "'${...}' are not allowed", key)  # fmt: skip
    if not re.fullmatch(r"\w+(\.\w+)*", key):
        raise SettingsError(f"{text!r}: {key!r} is no name of a setting", key)
    return key, value


def _check_override(key: str, value: str, folders: Sequence[Path]) -> None:
    """Refuse an unknown key, an unknown choice of a group or a value that cannot be read."""
    if key in GROUPS:
        options = _options(key, folders)
        if value not in options:
            raise SettingsError(f"{key}={value}: there is no such {key}{nearest(value, options)}",
                                key)  # fmt: skip
        return
    if key in SHELVES:
        remedy = "; choose with portfolios=[name, ...]" if key == "portfolio" else ""
        raise SettingsError(f"{key}={value}: every {key} on the shelf is loaded{remedy}", key)
    _check_path(key, value)
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        parsed = OverridesParser.create().parse_override(f"{key}={value}")
    except HydraException:
        raise SettingsError(f"{key}={value}: the value cannot be read; put text with signs in "
                            "quotes", key) from None  # fmt: skip
    if parsed.is_sweep_override():
        raise SettingsError(f"{key}={value}: one value is needed; write a list as [a, b]", key)


def _check_path(key: str, value: str) -> None:
    """Refuse a dotted path that leads to no field of the sheet."""
    hint: Any = Sheet
    done = ""
    for part in key.split("."):
        if dataclasses.is_dataclass(hint):
            hints = hints_of(typing.cast(type, hint))
            if part not in hints:
                raise SettingsError(
                    f"{key}={value}: unknown setting {part!r}"
                    f"{f' in {done}' if done else ''}{nearest(part, hints)}", key)  # fmt: skip
            hint = hints[part]
        elif (member := member_hint(hint)) is not None:
            hint = member
        elif hint is not Any:
            raise SettingsError(f"{key}={value}: {done} is a single value, it holds no {part!r}",
                                key)  # fmt: skip
        done = f"{done}.{part}" if done else part


def _compose(
    pairs: Sequence[tuple[str, str]], folders: Sequence[Path]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the composed settings as plain data and which file was chosen for each group."""
    import yaml
    from hydra import compose, initialize_config_dir
    from hydra.core.config_store import ConfigStore
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    for group in SHELVES:
        shelf = {file.stem: read_yaml(file).content for file in _shelf(group, folders)}
        ConfigStore.instance().store(EVERYBODY, OmegaConf.create(shelf), group)
    # An override is forced in because its path is checked already: a mapping such as a firm's
    # programmes may gain a member.
    texts = [f"{key}={value}" if key in GROUPS else f"++{key}={value}" for key, value in pairs]
    for folder in folders[1:]:
        quoted = str(folder).replace("\\", "\\\\").replace("'", "\\'")
        texts.append(f"hydra.searchpath=['file://{quoted}']")
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(config_dir=str(folders[0]), version_base=None):
            composed = compose("config", texts, return_hydra_config=True)
        choices = dict(composed.hydra.runtime.choices)
        plain = OmegaConf.to_container(composed, resolve=False)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise _explained(error, folders) from None
    resolved = typing.cast(dict[str, Any], plain)
    del resolved["hydra"]
    return resolved, choices


def _shelf(group: str, folders: Sequence[Path]) -> list[Path]:
    """Return the files of a group, which all are loaded: a new one needs no other change."""
    return [file for folder in folders for file in sorted((folder / group).glob("*.yaml"))]


def _explained(error: Exception, folders: Sequence[Path]) -> SettingsError:
    """Return our own words for a composition that failed: the file at fault, or the name."""
    for folder in folders:
        for file in sorted(folder.rglob("*.yaml")):
            try:
                read_yaml(file)
            except SettingsError as found:
                return found
    missing = re.search(r"[Cc]ould not (?:find|load) '([\w/]+)'", str(error))
    if missing:
        group, _, name = missing[1].rpartition("/")
        return SettingsError(f"{group}: {name}: a defaults list names a file that does not exist"
                             f"{nearest(name, _options(group, folders))}", group)  # fmt: skip
    line = next((text for text in str(error).splitlines() if text and "+" not in text), "")
    return SettingsError(f"the settings do not fit together: {line}")


def _files(choices: Mapping[str, str], folders: Sequence[Path]) -> list[tuple[str, Written]]:
    """Return the files that were composed, in order, each with the path it hangs under."""
    found = [("", read_yaml(folders[0] / "config.yaml"))]
    for group in SHELVES:
        found += [(f"{group}.{file.stem}", read_yaml(file)) for file in _shelf(group, folders)]
    for group in GROUPS:
        prefix = "" if group in GLOBAL_GROUPS else group
        found += [(prefix, written) for written in _inherited(group, choices[group], folders)]
    return found


def _inherited(group: str, name: str, folders: Sequence[Path]) -> list[Written]:
    """Return a file of a group behind those of the same group that its defaults name."""
    file = next((f for f in _shelf(group, folders) if f.stem == name), None)
    if file is None:
        return []
    written = read_yaml(file)
    above = [line for line in written.content.get("defaults", []) if isinstance(line, str)]
    return [w for line in above for w in _inherited(group, line, folders)] + [written]


def _with_place(
    error: SettingsError, changed: Sequence[str], files: Sequence[tuple[str, Written]]
) -> SettingsError:
    """Return the error with the file and line where its setting is written, if in a file."""
    path = error.path
    if not path or any(path == key or path.startswith(f"{key}.") for key in changed):
        return error
    place = locate(path, files)
    text = f"{place}: {error}" if place else str(error)
    if path.partition(".")[0] in GLOBAL_GROUPS and "unknown" in text:
        text += f" (does the file begin with the line '{HEADER}'?)"
    return SettingsError(text, path)


def _check_names(sheet: Sheet) -> None:
    """Refuse a name that leads nowhere: a type, firm, department, mechanism or portfolio."""
    firms = [sheet.organization.key, *sheet.competitors]
    for key, kind in sheet.stakeholders.items():
        for firm_key in kind.tied:
            _one_of(f"stakeholders.{key}.tied", firm_key, firms)
    for key, layer in sheet.network.items():
        _one_of(f"network.{key}.generator", layer.generator, GENERATORS)
        for name in ("speakers", "listeners"):
            for kind_key in getattr(layer, name):
                _one_of(f"network.{key}.{name}", kind_key, sheet.stakeholders)
    for key, audience in sheet.audiences.items():
        for kind_key in audience:
            _one_of(f"audiences.{key}", kind_key, sheet.stakeholders)
    for key in sheet.owners:
        _one_of(f"owners.{key}", key, {m.owner for m in sheet.mechanism.values()})
    for key, mechanism in sheet.mechanism.items():
        for effect in mechanism.effects:
            for audience_key in effect.to:
                _one_of(f"mechanism.{key}.effects.{effect.lever}.to", audience_key,
                        [*sheet.audiences, *sheet.stakeholders])  # fmt: skip
    for path, firm in _firms(sheet):
        departments = [d.key for d in firm.departments]
        _one_of(f"{path}.policy.name", firm.policy.name, POLICIES)
        for key, mechanism in sheet.mechanism.items():
            owner = sheet.owners.get(mechanism.owner, mechanism.owner)
            _one_of(f"mechanism.{key}.owner (department of {firm.key})", owner, departments)
        for key in firm.programmes:
            _one_of(f"{path}.programmes.{key}", key, _useful(sheet))
    for key, portfolio in sheet.portfolio.items():
        for item in portfolio.items:
            _one_of(f"portfolio.{key}.items", item.mechanism, sheet.mechanism)
    for key in (*sheet.portfolios, sheet.baseline):
        _one_of("portfolios" if key in sheet.portfolios else "baseline", key, sheet.portfolio)


def _one_of(path: str, value: str, allowed: Iterable[str]) -> None:
    guarded(path, require_one_of, path, value, allowed)


def _firms(sheet: Sheet) -> list[tuple[str, Firm]]:
    return [
        ("organization", sheet.organization),
        *((f"competitors.{key}", firm) for key, firm in sheet.competitors.items()),
    ]


def _useful(sheet: Sheet) -> list[str]:
    """Return the mechanisms that act on somebody in this market."""
    return [key for key, mechanism in sheet.mechanism.items() if _effects(mechanism, sheet)]


def _effects(mechanism: Mechanism, sheet: Sheet) -> tuple[Effect, ...]:
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


def _scenario(sheet: Sheet) -> Scenario:
    """Turn the sheet into the market that runs."""
    scale = sheet.scenario.cost_scale
    mechanisms = tuple(
        guarded(
            f"mechanism.{mechanism.key}",
            dataclasses.replace,
            mechanism,
            owner=sheet.owners.get(mechanism.owner, mechanism.owner),
            setup=mechanism.setup * scale,
            running=mechanism.running * scale,
            effects=_effects(mechanism, sheet),
        )
        for mechanism in (sheet.mechanism[key] for key in _useful(sheet))
    )
    scenario: Scenario = guarded(
        "",
        Scenario,
        key=sheet.scenario.key,
        label=sheet.scenario.label,
        brief=sheet.scenario.brief,
        currency=sheet.scenario.currency,
        quarters=sheet.quarters,
        warm_up=sheet.warm_up,
        stakeholders=tuple(sheet.stakeholders.values()),
        layers=tuple(sheet.network.values()),
        firms=tuple(firm for _, firm in _firms(sheet)),
        mechanisms=mechanisms,
        physics=sheet.physics,
        finance=sheet.finance,
    )
    return scenario


def _study(sheet: Sheet) -> Study:
    """Turn the sheet into the question; the baseline leads if it is not among the portfolios."""
    keys = list(sheet.portfolios)
    if sheet.baseline not in keys:
        keys.insert(0, sheet.baseline)
    study: Study = guarded(
        "",
        Study,
        key=sheet.experiment.key,
        label=sheet.experiment.label,
        question=sheet.experiment.question,
        portfolios=tuple(sheet.portfolio[key] for key in keys),
        baseline=sheet.baseline,
        replications=sheet.replications,
        seed=sheet.seed,
        planned_cost=sheet.planned_cost,
        headline=sheet.headline,
        twins=sheet.twins,
        lanes=sheet.lanes,
    )
    return study
