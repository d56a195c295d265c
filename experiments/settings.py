"""From yaml and `key=value` to a checked scenario and study.

What the groups of `configs/` (and of a user's own folder) compose to is built into one typed
`Sheet`, whose fields' metadata name unit, range and meaning, so that a wrong setting is refused
before anything runs: with its full path, its value, what is allowed, the nearest name, and the file
and line where it is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from experiments import designs, lessons, settings_catalogue
from experiments.calibration import Calibration
from experiments.designs import Study
from experiments.lessons import Lesson
from experiments.links import Nudges
from experiments.settings_build import build
from experiments.settings_compose import check_choice, compose, quoted, split
from experiments.settings_errors import SettingsError, guarded, nearest
from experiments.settings_files import (
    GROUPS,
    Written,
    composed_files,
    folders_of,
    locate,
    read_shelves,
    shipped_dir,
)
from experiments.settings_listing import Row, rows
from experiments.settings_outside import (
    pushes_here,
    season_here,
    shocks_here,
    stakeholders_here,
)
from experiments.settings_sheet import (
    Sheet,
    check_names,
    check_path,
    firms_of,
    mechanism_here,
    useful_mechanisms,
)
from sim.nudging import check_nudges
from sim.organization import Design
from sim.scenario import Scenario
from sim.scorecard import Board
from sim.strategy_map import StrategyMap, strategy_map_of

__all__ = ["Row", "Settings", "SettingsError", "catalogue", "listing", "load", "shipped_dir"]


# Settings of what is asked and how it is judged; all others make the market.
ASKED = (
    "experiment", "lesson", "portfolio", "portfolios", "designs", "governances", "baseline",
    "replications", "seed", "planned_cost", "headline", "twins", "lanes", "ledger",
    "ledger_thresholds", "shapley", "scorecard", "strategy_map", "nudges", "pushes", "calibration",
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """What a command runs.

    Attributes
    ----------
    scenario : Scenario
        The checked market.
    study : Study
        The checked question.
    board : Board
        What the scorecard aims at and how it gives lights.
    strategy_map : StrategyMap
        Objectives and what is believed to join them.
    nudges : Nudges
        What pushes which indicator where the links of the map are tried out.
    resolved : dict
        The composed settings as plain data, for saving beside the results.
    calibration : Calibration
        What a calibration of physics fits, and to what.
    lesson : Lesson or None
        What the experiment is said to teach, if anything.
    changed : tuple of str
        What was asked for that makes the market another one than the shipped, as `key=value`.
    """

    scenario: Scenario
    study: Study
    board: Board
    strategy_map: StrategyMap
    nudges: Nudges
    calibration: Calibration
    resolved: dict[str, Any]
    lesson: Lesson | None = None
    changed: tuple[str, ...] = ()


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
    composed = _Composed.of(overrides, config_dir)
    try:
        sheet = composed.sheet()
        scenario = _scenario(sheet)
        if sheet.people is not None:
            from experiments.tables import apply_people

            scenario = guarded("", apply_people, sheet.people, scenario, config_dir or Path.cwd())
        study = _study(sheet)
        for arm in guarded("", designs.arms, study, scenario):
            if arm.nudges:
                guarded(f"pushes.{arm.key}", check_nudges, arm, scenario)
        _check_lesson(sheet, study)
        drawn = guarded("strategy_map", strategy_map_of, sheet.strategy_map)
    except SettingsError as error:
        raise composed.placed(error) from None
    return Settings(
        scenario,
        study,
        sheet.scorecard,
        drawn,
        sheet.nudges,
        sheet.calibration,
        composed.resolved,
        sheet.lesson,
        _of_the_market(overrides),
    )


def _of_the_market(overrides: Sequence[str]) -> tuple[str, ...]:
    """Return the settings that change the market, not what is asked of it."""
    pairs = [split(text) for text in overrides]
    return tuple(
        f"{key}={value}"
        for key, value in pairs
        if key.partition(".")[0] not in ASKED and key != "scenario"
    )


def listing(
    pattern: str | None = None, overrides: Sequence[str] = (), config_dir: Path | None = None
) -> list[Row]:
    """Return every setting (path, value, unit, range, meaning, source) that matches a pattern."""
    composed = _Composed.of(overrides, config_dir)
    try:
        sheet = composed.sheet()
    except SettingsError as error:
        raise composed.placed(error) from None
    return rows(sheet, composed.comments(), pattern)


def catalogue(
    overrides: Sequence[str] = (), config_dir: Path | None = None, *, page: bool = False
) -> str:
    """Return the catalogue of mechanisms, for a terminal or as a page in markdown."""
    composed = _Composed.of(overrides, config_dir)
    try:
        sheet = composed.sheet()
        found = settings_catalogue.entries(sheet, composed.comments())
    except SettingsError as error:
        raise composed.placed(error) from None
    if page:
        return settings_catalogue.markdown(found, sheet)
    return "\n".join(settings_catalogue.terminal(found, sheet)) + "\n"


@dataclass(frozen=True)
class _Composed:
    """Composed settings, and where each of them comes from.

    `changed` are the paths that the command line writes, `choices` the files of each group.
    """

    resolved: dict[str, Any]
    changed: Sequence[str]
    choices: Mapping[str, Sequence[str]]
    shelves: Mapping[str, Mapping[str, Written]]
    folders: Sequence[Path]

    @staticmethod
    def of(overrides: Sequence[str], config_dir: Path | None) -> _Composed:
        """Compose the settings of one command."""
        folders = folders_of(config_dir)
        pairs = []
        for key, value in (split(text) for text in overrides):
            check_choice(key, value, folders)
            is_text = check_path(key, value) is str and key not in GROUPS
            pairs.append((key, quoted(value) if is_text else value))
        shelves = read_shelves(folders)
        resolved, choices = compose(pairs, shelves, folders)
        changed = [key for key, _ in pairs if key not in GROUPS]
        return _Composed(resolved, changed, choices, shelves, folders)

    def sheet(self) -> Sheet:
        """Return the settings typed and checked."""
        sheet: Sheet = build(Sheet, self.resolved, "")
        check_names(sheet)
        return sheet

    def files(self) -> list[tuple[str, Written]]:
        """Return the files that were composed, each with the path it hangs under."""
        return composed_files(self.choices, self.shelves, self.folders)

    def comments(self) -> dict[str, str]:
        """Return the comment behind each setting, which names its unit and its source."""
        found = {
            f"{prefix}.{path}" if prefix else path: comment
            for prefix, written in self.files()
            for path, comment in written.comments.items()
        }
        here = {path: "command line" for path in found if any(_within(path, self.changed))}
        return found | here | dict.fromkeys(self.changed, "command line")

    def placed(self, error: SettingsError) -> SettingsError:
        """Return an error with the file and line where its setting is written, if in a file."""
        path = error.path
        if not path:
            return error
        if any(_within(path, self.changed)) or any(_within(key, [path]) for key in self.changed):
            return SettingsError(f"{error}{self._namesakes(error)}", path)
        files = self.files()
        place = locate(path, files)
        if not place and error.missing:
            place = str(
                next(w.file for _, w in reversed(files) if w.file.parent.name == "scenario")
            )
        text = f"{place}: {error}" if place else str(error)
        return SettingsError(text, path)

    def _namesakes(self, error: SettingsError) -> str:
        """Say which name was probably meant where the command line began something new.

        `stakeholders.housholds.count=5` begins a stakeholder type of which all else is missing.
        """
        if not error.missing or error.path.count(".") < 2:
            return ""
        above, new, _ = error.path.rsplit(".", 2)
        group: Any = self.resolved
        for part in above.split("."):
            group = group.get(part, {}) if isinstance(group, dict) else {}
        others = {*group} - {new}
        listed = f"{above}.*"
        if above.endswith(".programmes"):
            others, listed = {*self.resolved["mechanism"]}, "mechanism.*.label"
        return f"; {new!r} is new in {above}{nearest(new, others, listed)}"


def _within(path: str, keys: Sequence[str]) -> list[bool]:
    return [path == key or path.startswith(f"{key}.") for key in keys]


def _scenario(sheet: Sheet) -> Scenario:
    """Turn the sheet into the market that runs."""
    mechanisms = tuple(
        guarded(f"mechanism.{key}", mechanism_here, sheet.mechanism[key], sheet)
        for key in useful_mechanisms(sheet)
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
        stakeholders=stakeholders_here(sheet),
        layers=tuple(sheet.network.values()),
        firms=tuple(firm for _, firm in firms_of(sheet)),
        mechanisms=mechanisms,
        physics=sheet.physics,
        finance=sheet.finance,
        shocks=shocks_here(sheet),
        season=season_here(sheet),
        sensing=sheet.sensing,
        audiences=sheet.audiences,
    )
    return scenario


def _study(sheet: Sheet) -> Study:
    """Turn the sheet into the question; the baseline leads if it is not among the portfolios."""
    keys = list(sheet.portfolios)
    if sheet.baseline not in keys:
        keys.insert(0, sheet.baseline)
    crossed = [_design(sheet, key) for key in sheet.designs]
    managed = [sheet.governance[key] for key in sheet.governances]
    portfolios = []
    for key in keys:
        portfolio = sheet.portfolio[key]
        under = [
            each
            for designed in designs.under_each(portfolio, crossed)
            for each in designs.managed_each(designed, managed)
        ]
        # What the others are compared with is always run as it is.
        kept = [portfolio] if key == sheet.baseline and portfolio not in under else []
        portfolios += [*kept, *under]
    named = dict.fromkeys(p.design for p in portfolios if p.design is not None)
    ruled = dict.fromkeys(p.governance for p in portfolios if p.governance is not None)
    study: Study = guarded(
        "",
        Study,
        key=sheet.experiment.key,
        label=sheet.experiment.label,
        question=sheet.experiment.question,
        portfolios=tuple(portfolios),
        baseline=sheet.baseline,
        replications=sheet.replications,
        seed=sheet.seed,
        planned_cost=sheet.planned_cost,
        headline=sheet.headline,
        twins=sheet.twins,
        lanes=sheet.lanes,
        designs=tuple(_design(sheet, key) for key in named),
        governances=tuple(sheet.governance[key] for key in ruled),
        goals=sheet.scorecard.targets if ruled else (),
        ledger=sheet.ledger,
        ledger_thresholds=sheet.ledger_thresholds,
        shapley=sheet.shapley,
        pushes=pushes_here(sheet),
    )
    return study


def _check_lesson(sheet: Sheet, study: Study) -> None:
    """Refuse claims about what the study has not, and a falsifier that changes no setting."""
    if sheet.lesson is None:
        return
    guarded("", lessons.check, sheet.lesson, list(study.labels), sheet.quarters)
    for i, text in enumerate(sheet.lesson.otherwise.settings):
        try:
            key, value = split(text)
            if key not in GROUPS:
                check_path(key, value)
        except SettingsError as error:
            path = f"lesson.otherwise.settings.{i}"
            raise SettingsError(f"{path}: {error}", path) from None


def _design(sheet: Sheet, key: str) -> Design:
    """Return a design of the shelf in this market: its cost to scale, its mechanisms those here."""
    design, useful = sheet.design[key], useful_mechanisms(sheet)
    here = {name: owner for name, owner in design.owners_by_mechanism.items() if name in useful}
    scaled: Design = guarded(
        f"design.{key}",
        replace,
        design,
        cost=design.cost * sheet.scenario.cost_scale,
        owners_by_mechanism=here,
    )
    return scaled
