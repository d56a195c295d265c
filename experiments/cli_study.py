"""The commands that run studies (compare, run, ledger): ask, foretell, conduct, say the end."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import workers
from experiments.exits import BAD_INPUT, FINE, SOME_FAILED, code_of, complaint, word_for

if TYPE_CHECKING:
    from experiments.budget import Excess
    from experiments.conduct import Outcome, Question
    from experiments.settings import Settings

RESULTS = Path("results")
ONE_PORTFOLIO = "run takes one portfolio=NAME; compare takes portfolios=[NAME, ...]"


@dataclass(frozen=True)
class Asked:
    """What a command runs, and how it ends.

    Attributes
    ----------
    settings, name
        What is run, and what its folder is called.
    write : callable
        What `conduct` writes with.
    say : callable
        Says how it ended, given outcome, folder, quiet and the command to go on; the exit code.
    plan : sequence of str
        Further lines of a dry run.
    """

    settings: Settings
    name: str
    write: Callable[..., Any]
    say: Callable[[Any, Path, bool, str], int]
    plan: Sequence[str] = ()


def study(
    options: argparse.Namespace,
    argv: Sequence[str],
    ask: Callable[[argparse.Namespace], Asked] | None = None,
) -> int:
    """Conduct, or with --dry-run foretell, the study that is asked for; return the exit code.

    `ask` reads the command line of another kind of study than a comparison of portfolios.
    """
    jobs = min(options.jobs or cores(), cores())
    if jobs > 1:
        workers.get_ready()  # while the settings are read
    asked = (ask or _comparison)(options)
    jobs = _useful(jobs, options.jobs, asked.settings, options.quiet)
    question = question_of(asked.settings, shlex.join(["influence", *argv]))
    folder = _folder(options.out, question, asked.name)
    if options.dry_run:
        foretell(question, jobs, options.quiet, asked.plan)
        return FINE
    if folder is None:
        folder = _dated_folder(asked.settings, asked.name)
    return _conduct(question, folder, jobs, options.quiet, resume_line(argv, folder), asked)


def _comparison(options: argparse.Namespace) -> Asked:
    settings, name = _asked(options)
    refuse_pushes(settings, options.verb)
    from experiments.conduct import finish

    return Asked(settings, name, finish, _say_how_it_ended)


def refuse_pushes(settings: Settings, verb: str) -> None:
    """Refuse arms that push where portfolios are compared: nobody can buy them."""
    from experiments.settings import SettingsError

    if settings.study.pushes:
        named = ", ".join(push.key for push in settings.study.pushes)
        raise SettingsError(
            f"pushes: {verb} is about what can be bought, and {named} are interventions that cost "
            "nothing; influence lesson runs them, pushes={} leaves none"
        )


def _useful(jobs: int, wished: int | None, settings: Settings, quiet: bool) -> int:
    """Return at most as many processes as there is work for; say so where more were wished for."""
    from experiments.runner import units_at_once

    units = units_at_once(settings.study)
    found = min(jobs, units)
    if wished and found < wished and not quiet:
        why = (
            f"the study has {_count(units, 'unit')} of work"
            if units < jobs
            else f"this process may use {_count(cores(), 'core')}"
        )
        print(f"--jobs {wished}: {why}, so that {_processes(found)} will do", file=sys.stderr)
    return found


def cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not tell what this process may use
        return os.cpu_count() or 1


def _asked(options: argparse.Namespace) -> tuple[Settings, str]:
    """Return the settings and the name of what is asked; `run` chooses its portfolios here.

    `ledger` is `run` where a portfolio is named and else `compare`, with a ledger.
    """
    from experiments.settings import SettingsError, load

    overrides = [*options.overrides]
    if options.seed is not None:
        overrides.append(f"seed={options.seed}")
    prefix = ""
    if options.verb == "ledger":
        prefix = "ledger_"
        if values_of(overrides, "ledger")[-1:] == ["none"]:
            raise SettingsError("ledger=none: the command ledger keeps one; choose first or all")
        if not values_of(overrides, "ledger"):
            overrides.append("ledger=first")
    if options.verb != "run" and not (prefix and values_of(overrides, "portfolio")):
        settings = load(overrides, options.config_dir)
        return settings, f"{prefix}{settings.study.key}"
    chosen = values_of(overrides, "portfolio")
    others = [text for text in overrides if not text.startswith("portfolio=")]
    if values_of(others, "portfolios"):
        raise SettingsError(ONE_PORTFOLIO)
    check_portfolio(chosen, options.config_dir)
    if not values_of(others, "experiment"):
        others = ["experiment=run", *others]
    if not chosen:
        return _by_default(load(others, options.config_dir))
    baseline = baseline_of(others, options.config_dir)
    keys = list(dict.fromkeys([baseline, *chosen]))
    settings = load([*others, f"portfolios=[{','.join(keys)}]"], options.config_dir)
    return settings, f"{prefix}{settings.study.key}_{keys[-1]}"


def _by_default(settings: Settings) -> tuple[Settings, str]:
    """Return the settings if the experiment's own file asks about one portfolio."""
    from experiments.settings import SettingsError

    study = settings.study
    others = [p.key for p in study.portfolios if p.key != study.baseline]
    if len(others) > 1:
        raise SettingsError(
            f"{ONE_PORTFOLIO}; experiment {study.key} asks about {len(others)}: {', '.join(others)}"
        )
    return settings, f"{study.key}_{(others or [study.baseline])[0]}"


def values_of(overrides: Sequence[str], key: str) -> list[str]:
    """Return every value that the command line gives to a key."""
    return [text.partition("=")[2] for text in overrides if text.startswith(f"{key}=")]


def check_portfolio(chosen: Sequence[str], config_dir: Path | None) -> None:
    """Refuse a portfolio that is not on the shelf, with the nearest name."""
    from experiments.settings import SettingsError
    from experiments.settings_errors import nearest
    from experiments.settings_files import folders_of, names_in

    names = names_in("portfolio", folders_of(config_dir))
    for key in chosen:
        if key not in names:
            raise SettingsError(
                f"portfolio={key}: there is no such portfolio"
                f"{nearest(key, names, 'portfolio.*.label')}"
            )


def baseline_of(overrides: Sequence[str], config_dir: Path | None) -> str:
    """Return what a portfolio is compared with, from the command line or the experiment's file."""
    from experiments.settings import load
    from experiments.settings_files import files_of, folders_of, read_yaml

    given = values_of(overrides, "baseline")
    if given:
        return given[-1]
    experiment = values_of(overrides, "experiment")[-1]
    for file in files_of("experiment", folders_of(config_dir)):
        if file.stem == experiment and "baseline" in (content := read_yaml(file).content):
            return str(content["baseline"])
    return load(overrides, config_dir).study.baseline


def question_of(settings: Settings, command: str) -> Question:
    """Return what is to be conducted."""
    from experiments.conduct import Question

    return Question(
        scenario=settings.scenario,
        study=settings.study,
        resolved=settings.resolved,
        board=settings.board,
        strategy_map=settings.strategy_map,
        command=command,
        changed=settings.changed,
    )


def _folder(out: Path | None, question: Question, name: str) -> Path | None:
    """Return the folder that is asked for, once it is known to be fit; nothing is changed."""
    from experiments import store

    if out is not None:
        store.check_folder(out, question.identity())
    return out


def _dated_folder(settings: Settings, name: str) -> Path:
    from datetime import date

    from experiments import store

    return store.new_folder(RESULTS, f"{date.today().isoformat()}_{settings.scenario.key}_{name}")


def resume_line(argv: Sequence[str], folder: Path) -> str:
    """Return the command that goes on with this study."""
    words = [*argv]
    for i, word in enumerate(argv):
        if word == "--out":
            words[i : i + 2] = []
        elif word.startswith("--out="):
            words[i : i + 1] = []
    return shlex.join(["influence", *words, "--out", str(folder)])


def foretell(question: Question, jobs: int, quiet: bool, plan: Sequence[str] = ()) -> None:
    """Print what would run, at what cost, for how long and in how much space."""
    from experiments import designs
    from experiments.rehearsal import forecast
    from experiments.settings import SettingsError
    from sim.arms import funder
    from sim.flows import ORGANIZATION

    scenario, study = question.scenario, question.study
    print(f"{scenario.label}: {study.question}")
    print(
        f"{_count(scenario.quarters, 'quarter')}, {_count(study.replications, 'replication')}, "
        f"seed {study.seed}"
    )
    width = max(len(portfolio.key) for portfolio in study.portfolios)
    print(f"\n{'portfolio':{width}}  planned cost ({scenario.currency}, present value)")
    for arm in designs.arms(replace(study, pushes=()), scenario):
        payer = funder(arm.firm, scenario, arm.key)
        cost = designs.planned_present_value(arm.plan, scenario, arm.design, payer)
        mark = f"  paid by {scenario.firms[payer].label}" if payer != ORGANIZATION else ""
        mark += "  baseline" if arm.key == study.baseline else ""
        print(f"{arm.key:{width}}  {cost:12,.0f}{mark}")
    _warn_of_budget(question)
    if plan:
        print("\n" + "\n".join(plan))
    with workers.Workers(jobs) as crew:
        try:
            about = forecast(scenario, study, crew, Watcher(quiet, jobs).say)
        except ValueError as error:
            raise SettingsError(f"a trial run went wrong: {error}") from error
    print(f"\n{about.runs:,} runs, muted twins included ({study.twins}), on {_processes(jobs)}:")
    print(about.in_words())
    print("nothing was kept and nothing was written")


def _warn_of_budget(question: Question) -> None:
    """Say which plans the budget of a quarter will cut, firm by firm that pays them."""
    from experiments import designs
    from experiments.budget import excess
    from sim.arms import funder
    from sim.nudging import OURS

    scenario = question.scenario
    beyond: dict[str, dict[str, Excess]] = {}
    for arm in designs.arms(question.study, scenario):
        if found := excess(arm.plan, scenario, funder(arm.firm, scenario, arm.key)):
            beyond.setdefault(arm.firm, {})[arm.key] = found
    for firm, plans in beyond.items():
        budget = next(iter(plans.values())).budget
        setting = firm if firm == OURS else f"competitors.{firm}"
        print(
            f"\nwarning: the budget allows {budget:,.0f} {scenario.currency} a quarter, today's "
            "programmes and capital included;\nlower planned_cost or raise "
            f"{setting}.policy.budget, or what is beyond it will be cut:"
        )
        for key, found in plans.items():
            quarters = f"{len(found.quarters)} of {_count(scenario.quarters, 'quarter')}"
            print(f"  {key} plans up to {found.most:,.0f}, too much in {quarters}")


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'s' * (number != 1)}"


def _processes(jobs: int) -> str:
    return f"{jobs} process{'es' if jobs > 1 else ''}"


class Watcher:
    """Shows progress on stderr, unless quiet."""

    def __init__(self, quiet: bool, jobs: int) -> None:
        from experiments.progress import Bar, Silence

        self._quiet = quiet
        self._bar = Silence() if quiet else Bar(sys.stderr, jobs)

    def start(self, total: int, done: int) -> None:
        """Begin to count runs, `done` of `total` being there already."""
        self._bar.start(total, done)

    def advance(self, runs: int, seconds: float) -> None:
        """Count runs that have ended."""
        self._bar.advance(runs, seconds)

    def say(self, text: str) -> None:
        """Tell the reader one thing."""
        self._bar.close()
        if not self._quiet:
            print(text, file=sys.stderr)


def _conduct(
    question: Question,
    folder: Path,
    jobs: int,
    quiet: bool,
    resume: str,
    asked: Asked,
) -> int:
    from experiments import store
    from experiments.conduct import conduct

    try:
        outcome = conduct(question, folder, jobs, Watcher(quiet, jobs), asked.write)
    except KeyboardInterrupt as stop:
        print(
            f"\n{word_for(stop)}; what was finished is kept in {folder}\ngo on with: {resume}",
            file=sys.stderr,
        )
        return code_of(stop)
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno is None or not (folder / store.JOURNAL).is_dir():
            raise
        print(
            f"influence: {complaint(error)}; what was finished is kept in {folder}\n"
            f"when that is mended, go on with: {resume}",
            file=sys.stderr,
        )
        return BAD_INPUT
    return asked.say(outcome, folder, quiet, resume)


def _say_how_it_ended(outcome: Outcome, folder: Path, quiet: bool, resume: str) -> int:
    from experiments.report import terminal_summary

    failed = outcome.counts["failed"]
    if outcome.counts["finished"]:
        if not quiet:
            print(terminal_summary(outcome.results))
        print(f"report  {folder / 'report.html'}")
    print(f"tables  {folder / 'tables'}")
    if not failed:
        return FINE
    total = failed + outcome.counts["finished"]
    errors = outcome.results.runs.query("status == 'failed'")["error"]
    print(
        f"{failed:,} of {total:,} runs failed; why stands in {folder / 'tables' / 'runs.csv'}, "
        f"first: {errors.iloc[0].strip().splitlines()[-1]}\ntry them again with: {resume}",
        file=sys.stderr,
    )
    return SOME_FAILED
