"""The command `influence explain`: how a flow influenced somebody, told from both lives."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.cli_study import RESULTS, baseline_of, check_portfolio, refuse_pushes, values_of
from experiments.exits import FINE

if TYPE_CHECKING:
    from experiments.settings import Settings
    from experiments.story import Plot, Story
    from sim.scenario import Scenario

OWN = ("flow", "portfolio", "quarter", "type", "stakeholder", "replication")
COLUMNS = 100
MOST_REPLICATIONS = 99_999


def explain(options: argparse.Namespace) -> int:
    """Tell the story that is asked for and write its table of two lives; return 0.

    Raises
    ------
    SettingsError
        If nobody matches, the id is unknown, or anything asked for is out of range.
    """
    own = {key: values_of(options.overrides, key) for key in OWN}
    plot, kind, resolved = _plot(options, own)
    row = _row(plot, own, kind)

    from experiments import store
    from experiments.story import tell

    out = options.out
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise store.StoreError(f"{out} is not an empty folder; choose another --out")
    story = tell(plot, row)
    if out is None:
        name = f"{plot.scenario.key}_explain_flow{plot.flow.value}"
        out = store.new_folder(RESULTS, f"{date.today().isoformat()}_{name}")
    out.mkdir(parents=True, exist_ok=True)
    print(_write(story, out))
    store.write_settings(out, resolved)
    print(f"story  {out / 'story.txt'}\ntable  {out / 'lives.csv'}")
    return FINE


def _plot(
    options: argparse.Namespace, own: Mapping[str, list[str]]
) -> tuple[Plot, int | None, dict[str, Any]]:
    """Return what is to be told, the stakeholder type it must be about, and all settings."""
    from experiments import designs
    from experiments.settings import SettingsError
    from experiments.story import Plot
    from sim.flows import Flow
    from sim.population import build_world

    if not own["flow"]:
        raise SettingsError("explain needs flow=1 to flow=6: the flow that the twin mutes")
    flow = Flow(_whole("flow", own["flow"][0], 1, len(Flow)))
    settings, portfolio = _settings(options, own["portfolio"])
    refuse_pushes(settings, "explain")
    scenario, study = settings.scenario, settings.study
    quarter = scenario.quarters
    if own["quarter"]:
        quarter = _whole("quarter", own["quarter"][0], 1, scenario.quarters)
    replication = 0
    if own["replication"]:
        replication = _whole("replication", own["replication"][0], 0, MOST_REPLICATIONS)
    kind = _kind(scenario, own["type"])
    arm = next(arm for arm in designs.arms(study, scenario) if arm.key == portfolio)
    twin = next(twin for muted, twin in designs.twins(arm, len(scenario.firms)) if muted == flow)
    plot = Plot(
        scenario=scenario,
        arm=arm,
        twin=twin,
        flow=flow,
        seed=study.seed,
        replication=replication,
        quarter=quarter,
        thresholds=study.ledger_thresholds,
        world=build_world(scenario, study.seed, replication),
    )
    return plot, kind, settings.resolved


def _settings(options: argparse.Namespace, portfolio: list[str]) -> tuple[Settings, str]:
    """Return the settings, and which portfolio's life is told: today's if none is named."""
    from experiments.settings import load

    others = [text for text in options.overrides if text.partition("=")[0] not in OWN]
    if options.seed is not None:
        others.append(f"seed={options.seed}")
    if not values_of(others, "experiment"):
        others = ["experiment=run", *others]
    check_portfolio(portfolio, options.config_dir)
    keys = list(dict.fromkeys([baseline_of(others, options.config_dir), *portfolio]))
    return load([*others, f"portfolios=[{','.join(keys)}]"], options.config_dir), keys[-1]


def _whole(key: str, text: str, low: int, high: int) -> int:
    from experiments.settings import SettingsError

    if not text.isdecimal() or not low <= int(text) <= high:
        raise SettingsError(f"{key}={text}: it must be a whole number from {low} to {high}")
    return int(text)


def _kind(scenario: Scenario, chosen: list[str]) -> int | None:
    from experiments.settings import SettingsError
    from experiments.settings_errors import nearest

    keys = [kind.key for kind in scenario.stakeholders]
    if not chosen:
        return None
    if chosen[0] not in keys:
        raise SettingsError(
            f"type={chosen[0]}: there is no such stakeholder type{nearest(chosen[0], keys)}"
        )
    return keys.index(chosen[0])


def _row(plot: Plot, own: Mapping[str, list[str]], kind: int | None) -> int:
    """Return whose life is told."""
    from experiments.settings import SettingsError
    from experiments.story import pick, row_of

    if own["stakeholder"]:
        name = own["stakeholder"][0]
        row = row_of(plot, name)
        if row is None:
            raise SettingsError(
                f"stakeholder={name}: nobody has this id in replication {plot.replication} of seed "
                f"{plot.seed} at the close of quarter {plot.quarter}; ids stand in stories "
                "(without stakeholder=) and in own tables"
            )
        if kind is not None and plot.world.kind[row] != kind:
            actual = plot.scenario.stakeholders[plot.world.kind[row]].key
            raise SettingsError(f"stakeholder={name} is of type {actual}, not {own['type'][0]}")
        return row
    found = pick(plot, kind)
    if found is None:
        whose = f" of type {own['type'][0]}" if own["type"] else ""
        raise SettingsError(
            f"nobody{whose} does anything in quarter {plot.quarter} that they would not do without "
            f"flow {plot.flow.value} ({plot.flow.label}); try another quarter, type, replication "
            "or flow, or name a stakeholder"
        )
    return found


def _write(story: Story, out: Path) -> str:
    """Write text, table and dictionary; return the text."""
    from experiments.store import write_whole
    from experiments.story import name_of
    from experiments.story_table import lives_dictionary, lives_table
    from experiments.story_words import heading, paragraph

    plot = story.plot
    words = textwrap.fill(paragraph(story), COLUMNS, break_on_hyphens=False)
    name = name_of(plot.scenario, story.row, story.ident)
    told = (
        f"{heading(story)}\n\n{words}\n\nTold from seed {plot.seed}, replication "
        f"{plot.replication}; stakeholder={name} tells it again.\n"
    )
    write_whole(out / "story.txt", lambda part: part.write_text(told, encoding="utf-8"))
    for name, table in (("lives", lives_table(story)), ("dictionary", lives_dictionary())):
        write_whole(
            out / f"{name}.csv",
            lambda part, table=table: table.to_csv(  # type: ignore[misc]
                part, index=False, encoding="utf-8", lineterminator="\n"
            ),
        )
    return told
