"""The command `influence lesson`: ask, run both worlds on the same luck, say what was found.

Without a number it lists the lessons; with one, or with `all`, it asks the lesson's question, runs
its contrast as shipped and in the world of its falsifier, and holds every claim against the runs.
`shape` measures how the shipped transformation of Attenzi runs over time.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from experiments import lessons
from experiments.cli_lesson_words import Conducted, page, question, shape_lines, told
from experiments.cli_study import RESULTS, Watcher, cores, foretell, question_of
from experiments.exits import FINE, SOME_FAILED
from experiments.lessons import AS_SHIPPED, OTHERWISE, WORLDS, Finding, Lesson
from experiments.links import in_words

if TYPE_CHECKING:
    from experiments.conduct import Outcome
    from experiments.designs import Push
    from experiments.settings import Settings

ALL, SHAPE = "all", "shape"
SHAPE_EXPERIMENT = "attenzi_shape"
TABLE = "lesson.csv"
ANSWER = "prediction.txt"
SHAPE_TABLE = "shape.csv"
FILES = (*WORLDS, TABLE, ANSWER)  # what lies in the folder of a lesson


def lesson(options: argparse.Namespace, argv: Sequence[str]) -> int:
    """List lessons, or run one or all of them; return the exit code.

    Raises
    ------
    SettingsError
        If there is no such lesson, with those there are.
    """
    from experiments.settings import SettingsError

    shelf = shelf_of(options.config_dir)
    wanted = options.which
    if options.markdown and wanted != ALL:
        raise SettingsError("--markdown makes the page of all lessons: influence lesson all")
    if wanted is None:
        return _list(shelf)
    if wanted == ALL:
        return _all(shelf, options, argv)
    if wanted == SHAPE:
        return _shape(options, argv)
    name = _name(wanted, shelf)
    worlds = worlds_of(name, options)
    first = lesson_of(worlds[AS_SHIPPED], name)
    if options.dry_run:
        return _dry_run(worlds, options, argv)
    print("\n".join(question(first)))
    answer = answered(first) if options.ask and sys.stdin.isatty() else ""
    folder = _folder(options.out, f"{worlds[AS_SHIPPED].scenario.key}_{name}", FILES)
    done = conduct_lesson(worlds, folder, options, argv)
    done.table().to_csv(folder / TABLE, index=False)
    if answer:
        (folder / ANSWER).write_text(f"{first.predict.question}\n{answer}\n", encoding="utf-8")
    print("\n".join(told(done, answer)))
    for world in WORLDS:
        print(f"{world:10}  {folder / world / 'report.html'}")
    print(f"{'findings':10}  {folder / TABLE}")
    return SOME_FAILED if done.failed else FINE


def shelf_of(config_dir: Path | None) -> dict[int, str]:
    """Return the experiments that are lessons, by number.

    Raises
    ------
    SettingsError
        If two lessons have the same number.
    """
    from experiments.settings import SettingsError
    from experiments.settings_files import files_of, folders_of, read_yaml

    found: dict[int, str] = {}
    for file in files_of("experiment", folders_of(config_dir)):
        written = read_yaml(file).content.get("lesson")
        number = written.get("number") if isinstance(written, dict) else None
        if number is None:
            continue
        if number in found:
            raise SettingsError(
                f"{file}: lesson.number={number} is that of {found[number]}; give it another one"
            )
        found[number] = file.stem
    return dict(sorted(found.items()))


def worlds_of(name: str, options: argparse.Namespace) -> dict[str, Settings]:
    """Return a lesson's settings as shipped and in the other world, both checked."""
    from experiments.settings import load
    from experiments.settings_errors import guarded

    own = [*options.overrides]
    if options.seed is not None:
        own.append(f"seed={options.seed}")
    base = [f"experiment={name}"]
    shipped = load([*base, *own], options.config_dir)
    found = lesson_of(shipped, name)
    changes = found.otherwise.settings
    # What is claimed as shipped need not fit there; what is claimed there is checked below.
    other = load([*base, *changes, *own, "lesson=null"], options.config_dir)
    arms = list(other.study.labels)
    guarded("", lessons.check_otherwise, found, arms, other.scenario.quarters)
    return {AS_SHIPPED: shipped, OTHERWISE: other}


def lesson_of(settings: Settings, name: str) -> Lesson:
    """Return the lesson of settings; refuse those from which it was taken away."""
    from experiments.settings import SettingsError

    if settings.lesson is None:
        raise SettingsError(f"lesson=null: {name} teaches nothing then; use influence compare")
    return settings.lesson


def conduct_lesson(
    worlds: dict[str, Settings], folder: Path, options: argparse.Namespace, argv: Sequence[str]
) -> Conducted:
    """Run both worlds into folders of their own and hold every claim against them."""
    findings: dict[str, list[Finding]] = {}
    failed = 0
    found = lesson_of(worlds[AS_SHIPPED], folder.name)
    for world in WORLDS:
        outcome = _conduct(worlds[world], folder / world, options, argv)
        failed += outcome.counts["failed"]
        cube = cube_of_outcome(outcome, worlds[world])
        findings[world] = [lessons.judge(claim, cube) for claim in found.of(world)]
    return Conducted(worlds, findings, failed)


def cube_of_outcome(outcome: Outcome, settings: Settings) -> Any:
    """Return the scorecard of a study's arms, those that push among them, as one array.

    Raises
    ------
    SettingsError
        If no run has finished.
    """
    from experiments.analysis import cube_of
    from experiments.settings import SettingsError

    if not outcome.counts["finished"]:
        raise SettingsError("no run has finished; the table runs says why")
    return cube_of(outcome.scorecard, list(settings.study.labels))


def _conduct(
    settings: Settings, folder: Path, options: argparse.Namespace, argv: Sequence[str]
) -> Outcome:
    from experiments.conduct import conduct, finish

    jobs = options.jobs or cores()
    asked = question_of(settings, shlex.join(["influence", *argv]))
    try:
        return conduct(asked, folder, jobs, Watcher(options.quiet, jobs), finish)
    except KeyboardInterrupt:
        lost = options.which == ALL and options.out is None
        kept = "nothing is kept without --out" if lost else f"what was finished is kept in {folder}"
        print(f"\n{kept}", file=sys.stderr)
        raise


def _folder(out: Path | None, name: str, own: Sequence[str]) -> Path:
    """Return the folder that is asked for, or a new dated one; `own` is what may lie in it."""
    from experiments import store

    if out is None:
        out = store.new_folder(RESULTS, f"{date.today().isoformat()}_{name}")
    if out.exists() and (not out.is_dir() or {p.name for p in out.iterdir()} - {*own}):
        raise store.StoreError(f"{out} holds something else; choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    return out


def _name(wanted: str, shelf: dict[int, str]) -> str:
    """Return the experiment behind a lesson's number or name."""
    from experiments.settings import SettingsError
    from experiments.settings_errors import nearest

    if wanted in shelf.values():
        return wanted
    if wanted.isdecimal() and int(wanted) in shelf:
        return shelf[int(wanted)]
    names = shelf.values()
    if wanted.isdecimal():
        numbers = ", ".join(str(number) for number in shelf)
        raise SettingsError(f"lesson {wanted}: there is none; there are {numbers}")
    raise SettingsError(f"lesson {wanted!r}: there is none{nearest(wanted, [*names, ALL, SHAPE])}")


def _list(shelf: dict[int, str]) -> int:
    from experiments.settings_files import files_of, folders_of, read_yaml

    written = {file.stem: file for file in files_of("experiment", folders_of(None))}
    for number, name in shelf.items():
        title = read_yaml(written[name]).content["lesson"]["title"] if name in written else name
        print(f"{number:2}  {title}\n      experiment={name}")
    print(
        "\ninfluence lesson N asks, runs and judges one; shape measures a transformation's course"
    )
    return FINE


def _dry_run(worlds: dict[str, Settings], options: argparse.Namespace, argv: Sequence[str]) -> int:
    for world in WORLDS:
        print(f"\n{world}:")
        asked = question_of(worlds[world], shlex.join(["influence", *argv]))
        plan = _pushed(worlds[world].study.pushes)
        foretell(asked, options.jobs or cores(), options.quiet, plan)
    return FINE


def _pushed(pushes: Sequence[Push]) -> list[str]:
    """Return one line per arm that pushes: what it does."""
    width = max((len(push.key) for push in pushes), default=0)
    said = [
        [*map(in_words, push.nudges), *([f"flow {push.muted} muted"] if push.muted else [])]
        for push in pushes
    ]
    return [
        f"{push.key:{width}}  pushed: {'; '.join(words)}"
        for push, words in zip(pushes, said, strict=True)
    ]


def answered(lesson_: Lesson) -> str:
    """Return the choice that is typed, in words; asks until it is one of them.

    Empty where the input ends, as by Ctrl-D.
    """
    letters = "abcd"[: len(lesson_.predict.choices)]
    while True:
        try:
            typed = input(f"your answer ({', '.join(letters)}): ").strip().lower()
        except EOFError:
            print()
            return ""
        if len(typed) == 1 and typed in letters:
            return lesson_.predict.choices[letters.index(typed)]


def _all(shelf: dict[int, str], options: argparse.Namespace, argv: Sequence[str]) -> int:
    """Run every lesson and print the summary, or with --markdown the page."""
    every = {name: worlds_of(name, options) for name in shelf.values()}
    if options.dry_run:
        for worlds in every.values():
            _dry_run(worlds, options, argv)
        return FINE
    with tempfile.TemporaryDirectory() as scratch:
        own = (*every, SHAPE_EXPERIMENT, TABLE, SHAPE_TABLE)
        base = Path(scratch) if options.out is None else _folder(options.out, ALL, own)
        done = [
            conduct_lesson(worlds, base / name, options, argv) for name, worlds in every.items()
        ]
        shaped, margins = _measure_shape(options, base / SHAPE_EXPERIMENT, argv)
    if options.out is not None:
        pd.concat([each.table() for each in done]).to_csv(options.out / TABLE, index=False)
        shaped.to_csv(options.out / SHAPE_TABLE, index=False)
    if options.markdown:
        print(page(done, shaped, margins), end="")
    else:
        for each in done:
            print(f"Lesson {each.lesson.number}: {each.lesson.title}")
            print("\n".join(told(each, "")))
        print("\n".join(shape_lines(shaped)))
    return SOME_FAILED if any(each.failed for each in done) else FINE


def _shape(options: argparse.Namespace, argv: Sequence[str]) -> int:
    from experiments.settings import load

    if options.dry_run:
        settings = load(_shape_overrides(options), options.config_dir)
        asked = question_of(settings, shlex.join(["influence", *argv]))
        foretell(asked, options.jobs or cores(), options.quiet)
        return FINE
    folder = _folder(options.out, SHAPE_EXPERIMENT, (AS_SHIPPED, SHAPE_TABLE))
    shaped, margins = _measure_shape(options, folder / AS_SHIPPED, argv)
    shaped.to_csv(folder / SHAPE_TABLE, index=False)
    print("\n".join(shape_lines(shaped)))
    print(f"operating margin beside as is by quarter, percentage points: {margins}\n")
    print(f"report  {folder / AS_SHIPPED / 'report.html'}\ntable   {folder / 'shape.csv'}")
    return FINE


def _shape_overrides(options: argparse.Namespace) -> list[str]:
    seed = [] if options.seed is None else [f"seed={options.seed}"]
    return [f"experiment={SHAPE_EXPERIMENT}", *options.overrides, *seed]


def _measure_shape(
    options: argparse.Namespace, folder: Path, argv: Sequence[str]
) -> tuple[pd.DataFrame, str]:
    """Run the transformation; return the table of facts and the course of the margin."""
    import numpy as np

    from experiments import designs, shape
    from experiments.settings import SettingsError, load
    from experiments.settings_errors import guarded

    settings = load(_shape_overrides(options), options.config_dir)
    study, scenario = settings.study, settings.scenario
    others = [portfolio.key for portfolio in study.portfolios if portfolio.key != study.baseline]
    if len(others) != 1:
        raise SettingsError("portfolios: the shape is that of one portfolio beside the baseline")
    cube = cube_of_outcome(_conduct(settings, folder, options, argv), settings)
    as_is = next(a for a in designs.arms(study, scenario) if a.key == study.baseline)
    passives = np.array([
        shape.passives_at_start(scenario, as_is, study.seed, r) for r in cube.replications
    ])  # fmt: skip
    found = guarded("", shape.facts, cube, others[0], study.baseline, settings.board, passives)
    return shape.table(found), shape.margin_by_quarter(cube, others[0], study.baseline)
