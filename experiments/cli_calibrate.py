"""The command `influence calibrate`: fit coefficients of physics to what is known of markets.

Without a name it lists the calibrations there are. What is fitted, to what and on which market is
data (`configs/calibration/`); how is told by `influence calibrate NAME` itself.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.cli_study import RESULTS, Watcher, cores, values_of
from experiments.exits import FINE

if TYPE_CHECKING:
    from experiments.calibration import Calibration
    from experiments.calibration_fit import Fit
    from experiments.calibration_outcome import Favour, Outcome
    from sim.scenario import Scenario

GROUP = "calibration"
PHYSICS = Path("configs") / "physics" / "fitted.yaml"
FAVOURED = 10.0  # times as much as it counts in the fit
FAR = 0.5  # halves of its range; a target farther off than that is worth a closer look
MOST_FAVOURED = 2


def calibrate(options: argparse.Namespace, argv: Sequence[str]) -> int:
    """List calibrations, or run one; return the exit code.

    Raises
    ------
    SettingsError
        If there is no such calibration, or its market cannot be measured.
    """
    from experiments.settings_errors import guarded

    if options.which is None:
        return _list(options.config_dir)
    asked, scenarios = asked_for(options)
    if options.dry_run:
        print("\n".join(_plan(asked)))
        return FINE
    folder = _folder(options.out, options.which)
    found = guarded("", conducted, options.which, asked, scenarios, options)
    command = shlex.join(["influence", *argv])
    _write(found, folder, command)
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
    own = [text for text in options.overrides if text.startswith(f"{GROUP}.")]
    others = [text for text in options.overrides if text not in own]
    for text in [t for t in others if t.startswith("seed=")]:
        others.remove(text)
        own.append(f"{GROUP}.{text}")
    if options.seed is not None:
        own.append(f"{GROUP}.seed={options.seed}")
    asked = load([f"{GROUP}={options.which}", *own], options.config_dir).calibration
    changed = {text.partition("=")[0] for text in others}
    scenarios = {
        name: load(
            [*(t for t in market.settings if t.partition("=")[0] not in changed), *others],
            options.config_dir,
        ).scenario
        for name, market in asked.markets.items()
    }
    guarded("", check_markets, scenarios, asked)
    return asked, scenarios


def conducted(
    name: str,
    asked: Calibration,
    scenarios: Mapping[str, Scenario],
    options: argparse.Namespace,
) -> Outcome:
    """Fit, round, and judge on fresh luck."""
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
        favours = _favours(asked, done, start)
        watcher.say(f"judging on {asked.fresh} fresh replications")
        points = (tuple(start.values()), final, *(favour.values for favour in favours))
        judged = bench.measure(
            [dict(zip(start, values, strict=True)) for values in points],
            range(asked.replications, asked.replications + asked.fresh),
            [target.key for target in asked.targets],
        )
    return Outcome(name, asked, done, today, final, favours, judged)


def _favours(asked: Calibration, done: Fit, start: Mapping[str, float]) -> tuple[Favour, ...]:
    """Return points that favour the targets that are missed by most, farthest off first."""
    from experiments.calibration_fit import favouring
    from experiments.calibration_outcome import Favour

    off = abs(done.off)
    far = [i for i in (-off).argsort(kind="stable") if off[i] > FAR][:MOST_FAVOURED]
    given = (done, asked.parameters, start)
    return tuple(
        Favour(asked.fitted[i].key, favouring(*given, i, FAVOURED, asked.stay)) for i in far
    )


def _check_name(name: str, config_dir: Path | None) -> None:
    from experiments.settings_errors import SettingsError, nearest

    names = _names(config_dir)
    if name not in names:
        raise SettingsError(f"calibrate {name}: there is no such calibration{nearest(name, names)}")


def _names(config_dir: Path | None) -> list[str]:
    from experiments.settings_files import folders_of, names_in

    return names_in(GROUP, folders_of(config_dir))


def _list(config_dir: Path | None) -> int:
    from experiments.settings_files import files_of, folders_of, read_yaml

    for file in files_of(GROUP, folders_of(config_dir)):
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


def _folder(out: Path | None, name: str) -> Path:
    """Return the folder that is asked for, or a new dated one."""
    from experiments import store

    if out is None:
        return store.new_folder(RESULTS, f"{date.today().isoformat()}_{GROUP}_{name}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise store.StoreError(f"{out} holds something else; choose another --out")
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
    print(f"use it with: --config-dir {folder / 'configs'} physics=fitted")
