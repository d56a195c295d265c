"""The command `influence map`: try out the links of the strategy map and say how they end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.cli_study import Asked, check_portfolio, refuse_pushes, values_of
from experiments.exits import FINE, SOME_FAILED

if TYPE_CHECKING:
    from experiments.conduct_map import MapOutcome
    from experiments.links import Trial

# What a comparison can be asked for and this command has no use for.
MEANINGLESS = ("portfolios", "designs", "baseline", "twins", "ledger", "shapley", "headline")


def asked(options: argparse.Namespace) -> Asked:
    """Return what is run: the portfolio, and the arms that try the links of the map."""
    from experiments import designs
    from experiments.conduct_map import MapFinish
    from experiments.links import trials_of
    from experiments.settings import SettingsError, load
    from experiments.settings_errors import guarded
    from sim.arms import check_arms

    overrides = [*options.overrides]
    if options.seed is not None:
        overrides.append(f"seed={options.seed}")
    for key in MEANINGLESS:
        if values_of(overrides, key):
            raise SettingsError(
                f"{key}: map pushes one portfolio (portfolio=NAME) and compares nothing else"
            )
    chosen = values_of(overrides, "portfolio")
    others = [text for text in overrides if not text.startswith("portfolio=")]
    check_portfolio(chosen, options.config_dir)
    if not values_of(others, "experiment"):
        others = ["experiment=map", *others]
    if chosen:
        others += [f"portfolios=[{chosen[0]}]", f"baseline={chosen[0]}"]
    settings = load(others, options.config_dir)
    refuse_pushes(settings, "map")
    study, scenario = settings.study, settings.scenario
    trials, pushes = guarded("nudges", trials_of, settings.strategy_map, settings.nudges, scenario)
    study = replace(study, pushes=tuple(pushes), twins="none", ledger="none", shapley=False)
    guarded("nudges", check_arms, designs.arms(study, scenario), scenario)
    name = study.key if not chosen else f"{study.key}_{chosen[0]}"
    settings = replace(settings, study=study)
    return Asked(settings, name, MapFinish(trials), say_how_it_ended, listed(trials))


def say_how_it_ended(outcome: MapOutcome, folder: Path, quiet: bool, resume: str) -> int:
    """Print summary and places of the results; return the exit code."""
    from experiments.report_links import terminal_summary

    if outcome.results is not None:
        if not quiet:
            print(terminal_summary(outcome.results))
        print(f"report  {folder / 'report.html'}")
    print(f"tables  {folder / 'tables'}")
    failed = outcome.counts["failed"]
    if not failed:
        return FINE
    print(
        f"{failed:,} of {failed + outcome.counts['finished']:,} runs failed, first: "
        f"{outcome.failure}\ntry them again with: {resume}",
        file=sys.stderr,
    )
    return SOME_FAILED


def listed(trials: Sequence[Trial]) -> list[str]:
    """Return one line per link: what will be pushed for it, or why nothing is."""
    width = max(len(trial.name) for trial in trials)
    lines = []
    for trial in trials:
        what = trial.pushed or trial.why or "true by definition"
        beside = f", {trial.without[1]}" if trial.without else ""
        lines.append(f"{trial.name:{width}}  {what}{beside}")
    return lines
