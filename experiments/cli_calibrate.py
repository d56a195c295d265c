"""The command `influence calibrate`: fit coefficients of physics to what is known of markets.

Without a name it lists the calibrations there are. What is fitted, to what and on which market is
data (`configs/calibration/`); how is told by `influence calibrate NAME` itself.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.cli_study import RESULTS, Watcher, cores, values_of
from experiments.exits import FINE

if TYPE_CHECKING:
    from experiments.calibration import Calibration
    from experiments.calibration_outcome import Favour, Outcome
    from sim.physics import Physics
    from sim.scenario import Scenario

GROUP = "calibration"
PHYSICS = Path("configs") / "physics" / "fitted.yaml"
FAVOURED = 10.0  # times as much as it counts in the fit
MOST_FAVOURED = 2
# Settings of studies: what they compare, how they count it. A calibration has arms of its own.
UNREAD = (
    "experiment", "lesson", "portfolio", "portfolios", "design", "designs", "governance",
    "governances", "pushes", "baseline", "planned_cost", "headline", "twins", "lanes", "ledger",
    "ledger_thresholds", "shapley", "nudges", "scorecard", "strategy_map",
)  # fmt: skip
OWN = ("seed", "replications")  # what stands for the calibration's own


def calibrate(options: argparse.Namespace, argv: Sequence[str]) -> int:
    """List calibrations, or run one; return the exit code.

    Raises
    ------
    SettingsError
        If there is no such calibration, or its market cannot be measured.
    """
    from experiments.settings_errors import guarded

    if options.which is None:
        return _list(options)
    asked, scenarios = asked_for(options)
    if options.dry_run:
        print("\n".join(_plan(asked)))
        print(guarded("", _duration, asked, scenarios, options))
        return FINE
    _check_place(options.out)
    try:
        found = guarded("", conducted, options.which, asked, scenarios, options)
    except KeyboardInterrupt:
        print("\nnothing is kept of a calibration that has not ended", file=sys.stderr)
        raise
    folder = _folder(options.out, options.which)
    _write(found, folder, shlex.join(["influence", *argv]))
    _say(found, folder, options)
    return FINE


def asked_for(options: argparse.Namespace) -> tuple[Calibration, dict[str, Scenario]]:
    """Return the calibration and its markets, all of it checked."""
    from experiments.calibration_run import check_markets
    from experiments.settings import load
    from experiments.settings_errors import SettingsError, guarded

    _check_name(options.which, options.config_dir)
    if values_of(options.overrides, GROUP):
        raise SettingsError(f"{GROUP}: name it as in `influence calibrate {options.which}`")
    own, others = _parted(options)
    asked = load([f"{GROUP}={options.which}", *own], options.config_dir).calibration
    for text in others:
        _check_read(text, asked)
    for name, market in asked.markets.items():
        for text in market.settings:
            _check_read(text, asked, f"{GROUP}.markets.{name}.settings: ")
    changed = {_key(text) for text in others}
    scenarios = {
        name: load(
            [*(t for t in market.settings if _key(t) not in changed), *others],
            options.config_dir,
        ).scenario
        for name, market in asked.markets.items()
    }
    guarded("", check_markets, scenarios, asked)
    return asked, scenarios


def _parted(options: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Return the settings of the calibration itself and those of its markets."""
    from experiments.settings_errors import SettingsError

    own: list[str] = []
    others: list[str] = []
    seed = [] if options.seed is None else [f"seed={options.seed}"]
    for text in [*options.overrides, *seed]:
        if _key(text) in OWN:
            own.append(f"{GROUP}.{text.strip()}")
        else:
            (own if _key(text).startswith(f"{GROUP}.") else others).append(text)
    for name in OWN:
        if [_key(text) for text in own].count(f"{GROUP}.{name}") > 1:
            raise SettingsError(f"{name} and {GROUP}.{name} are the same: keep one")
    return own, others


def _key(text: str) -> str:
    return text.partition("=")[0].strip()


def _check_read(text: str, asked: Calibration, where: str = "") -> None:
    """Refuse a setting that the calibration would not read.

    Raises
    ------
    SettingsError
        Saying what to set in its place, if there is something.
    """
    from experiments.settings_errors import SettingsError

    head, _, rest = _key(text).partition(".")
    if head in UNREAD:
        raise SettingsError(
            f"{where}{text}: a calibration does not read {head}, which is for comparisons; "
            f"what it reads are settings of the market and {GROUP}.*"
        )
    if head == "physics" and rest in {p.key for p in asked.parameters}:
        value = text.partition("=")[2].strip()
        raise SettingsError(
            f"{where}{text}: {rest} is fitted, so that its value is not read; to begin there: "
            f"{GROUP}.parameters.{rest}.start={value}"
        )


def conducted(
    name: str,
    asked: Calibration,
    scenarios: Mapping[str, Scenario],
    options: argparse.Namespace,
) -> Outcome:
    """Fit, round, judge on fresh luck, and look at what that shows to be missed by most."""
    import numpy as np

    from experiments.calibration_fit import Round, fit
    from experiments.calibration_outcome import Outcome, rounded
    from experiments.calibration_run import Bench
    from experiments.workers import Workers

    jobs = min(options.jobs or cores(), cores())
    watcher = Watcher(options.quiet, jobs)
    names = [target.key for target in asked.fitted]
    start = {p.key: p.start for p in asked.parameters}
    shipped = next(iter(scenarios.values())).physics
    today = tuple(float(getattr(shipped, key)) for key in start)
    tried: list[Round] = []

    def say(round_: Round) -> None:
        tried.append(round_)
        watcher.say(
            f"round {len(tried)} of at most {asked.rounds}: sum of squared misses "
            f"{round_.misfit:.3f}"
        )

    with Workers(jobs) as crew:
        bench = Bench(asked, scenarios, crew, watcher)
        done = fit(
            lambda points: bench.measure(points, range(asked.replications), names),
            asked.parameters,
            asked.fitted,
            start,
            step=asked.step,
            rounds=asked.rounds,
            stay=asked.stay,
            watch=say,
        )
        final = tuple(
            rounded(value, parameter, asked.digits)
            for parameter, value in zip(asked.parameters, done.values, strict=True)
        )

        def judged(points: Sequence[Sequence[float]]) -> np.ndarray:
            return bench.measure(
                [dict(zip(start, values, strict=True)) for values in points],
                range(asked.replications, asked.replications + asked.fresh),
                [target.key for target in asked.targets],
            )

        watcher.say(f"judging on {asked.fresh} fresh replications")
        beside = _beside(next(iter(scenarios.values())).physics, start)
        there = judged([tuple(start.values()), final])
        found = Outcome(name, asked, done, today, final, (), there, beside)
        favours = _favours(found, start)
        if favours:
            there = np.concatenate([there, judged([favour.values for favour in favours])])
    return replace(found, favours=favours, judged=there)


def _beside(physics: Physics, fitted: Mapping[str, float]) -> dict[str, float | int | bool]:
    """Return the coefficients that are not fitted and are not the shipped defaults either."""
    from experiments.settings import load

    shipped = load(["scenario=reference", "physics=defaults"]).scenario.physics
    return {
        item.name: getattr(physics, item.name)
        for item in fields(physics)
        if item.name not in fitted and getattr(physics, item.name) != getattr(shipped, item.name)
    }


def _favours(found: Outcome, start: Mapping[str, float]) -> tuple[Favour, ...]:
    """Return points that favour the targets that fresh luck shows farthest off, these first."""
    import numpy as np

    from experiments.calibration_fit import favouring
    from experiments.calibration_outcome import Favour

    asked = found.calibration
    off = np.array([t.weight * found.miss(1, t) for t in asked.fitted])
    here = replace(found.fit, values=found.rounded, off=off)
    return tuple(
        Favour(
            target.key,
            favouring(here, asked.parameters, start, asked.fitted.index(target), FAVOURED,
                      asked.stay),
        )
        for target in found.far()[:MOST_FAVOURED]
    )  # fmt: skip


def _check_name(name: str, config_dir: Path | None) -> None:
    from experiments.settings_errors import SettingsError, nearest

    names = _names(config_dir)
    if name not in names:
        raise SettingsError(f"calibrate {name}: there is no such calibration{nearest(name, names)}")


def _names(config_dir: Path | None) -> list[str]:
    from experiments.settings_files import folders_of, names_in

    return names_in(GROUP, folders_of(config_dir))


def _list(options: argparse.Namespace) -> int:
    from experiments.settings_errors import SettingsError
    from experiments.settings_files import files_of, folders_of, read_yaml

    if options.overrides:
        raise SettingsError(f"{options.overrides[0]}: name the calibration it is for")
    for file in files_of(GROUP, folders_of(options.config_dir)):
        print(f"{file.stem}  {read_yaml(file).content.get('label', '')}")
    print("\ninfluence calibrate NAME fits one; it takes some minutes")
    return FINE


def _plan(asked: Calibration) -> list[str]:
    """Return what would be fitted, and how many runs that takes at most."""
    from experiments.calibration_measures import MEASURES
    from experiments.calibration_run import arms_read

    arms = len(arms_read([target.key for target in asked.fitted]))
    markets = {MEASURES[t.key].market for t in asked.targets}
    judged = sum(
        len(arms_read([t.key for t in asked.targets if MEASURES[t.key].market == m]))
        for m in markets
    )
    points = asked.rounds * (1 + 2 * len(asked.parameters))
    most = points * arms * asked.replications + (2 + MOST_FAVOURED) * judged * asked.fresh
    width = max(len(p.key) for p in asked.parameters)
    return [
        f"{asked.label}: {len(asked.parameters)} parameters, {len(asked.fitted)} targets that "
        f"count, {len(asked.targets) - len(asked.fitted)} that are looked at",
        *(f"{p.key:{width}}  {p.low:g} to {p.high:g}" for p in asked.parameters),
        *(f"{MEASURES[t.key].label}: {t.value:g} ({t.low:g} to {t.high:g})"
          for t in asked.targets),
        f"at most {most:,} runs; nothing was written",
    ]  # fmt: skip


def _duration(
    asked: Calibration, scenarios: Mapping[str, Scenario], options: argparse.Namespace
) -> str:
    """Say for how long it would run, from trial runs; nothing is kept of them."""
    from experiments.calibration_run import longest
    from experiments.progress import in_words
    from experiments.workers import Workers

    jobs = min(options.jobs or cores(), cores())
    with Workers(jobs) as crew:
        seconds = longest(asked, scenarios, crew, MOST_FAVOURED)
    return (
        f"at most about {in_words(seconds)} with --jobs {jobs} if the machine is as busy as now "
        "(reckoned from trial runs); a fit ends as soon as it comes to rest"
    )


def _check_place(out: Path | None) -> None:
    """Refuse, before anything runs, a folder in which nothing could be written at the end."""
    from experiments.store import StoreError

    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StoreError(f"{out} holds something else; choose another --out")
    place = (out or RESULTS).absolute()
    there = next(path for path in (place, *place.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise StoreError(f"{place}: {there} is no folder that can be written in; choose an --out")


def _folder(out: Path | None, name: str) -> Path:
    """Make the folder that is asked for, or a new dated one."""
    from experiments import store

    if out is None:
        return store.new_folder(RESULTS, f"{date.today().isoformat()}_{GROUP}_{name}")
    out.mkdir(parents=True, exist_ok=True)
    return out


def _write(outcome: Outcome, folder: Path, command: str) -> None:
    from experiments.calibration_outcome import tables
    from experiments.calibration_words import physics_yaml
    from experiments.provenance import environment

    for name, table in tables(outcome).items():
        table.to_csv(folder / name, index=False)
    file = folder / PHYSICS
    file.parent.mkdir(parents=True)
    file.write_text(physics_yaml(outcome, command), encoding="utf-8")
    made = {"command": command, "seed": outcome.calibration.seed, **environment()}
    (folder / "made_with.json").write_text(json.dumps(made, indent=1), encoding="utf-8")


def _say(outcome: Outcome, folder: Path, options: argparse.Namespace) -> None:
    from experiments import calibration_words as words

    if options.markdown:
        print(words.page(outcome), end="")
        print(f"tables  {folder}", file=sys.stderr)
        return
    if not options.quiet:
        print("\n".join(words.lines(outcome)) + "\n")
    print(f"tables   {folder}\nphysics  {folder / PHYSICS}")
    print(_use(folder, options.config_dir))


def _use(folder: Path, config_dir: Path | None) -> str:
    """Say how to use the file of physics; a command takes one folder of settings only."""
    if config_dir is None:
        return (
            f"use it with: --config-dir {folder / 'configs'} physics=fitted\n"
            "beside settings of your own: copy it to physics/fitted.yaml in their folder"
        )
    own = config_dir / PHYSICS.relative_to("configs")
    return f"use it with: copy it to {own}, then --config-dir {config_dir} physics=fitted"
