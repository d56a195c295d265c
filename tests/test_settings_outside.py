"""Shocks, seasons and other competitors as settings: chosen, fitted to the market, refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.settings import Settings, SettingsError, listing, load, shipped_dir
from sim import kpis
from sim.engine import Run
from sim.model import as_is
from sim.outside import SHOCK_KINDS
from sim.population import build_world
from sim.scenario import Scenario
from sim.state import PROVIDER

SCENARIOS = ("attenzi", "village", "association")
SHOCKS = sorted(f.stem for f in (shipped_dir() / "shocks").glob("*.yaml") if f.stem != "none")


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return folder


def refusal(*overrides: str, config_dir: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(["scenario=village", *overrides], config_dir)
    return str(caught.value)


def keys(made: Settings) -> list[str]:
    return [shock.key for shock in made.scenario.shocks]


def small(scenario: Scenario) -> Scenario:
    """Return a scenario with a twentieth of its stakeholders and two quarters."""
    kinds = tuple(replace(k, count=max(20, k.count // 20)) for k in scenario.stakeholders)
    return replace(scenario, stakeholders=kinds, quarters=2, warm_up=0)


def run_of(scenario: Scenario) -> Run:
    run = Run(scenario, (as_is(scenario),), 1, 0, build_world(scenario, 1, 0))
    for _ in range(scenario.quarters):
        run.advance_quarter()
    return run


# what is shipped


def test_there_is_a_shipped_shock_of_every_kind() -> None:
    kinds = {load([f"shocks={name}"]).scenario.shocks[0].kind for name in SHOCKS}
    assert kinds == set(SHOCK_KINDS)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_scenario_has_shocks_or_seasons_unless_they_are_asked_for(scenario: str) -> None:
    made = load([f"scenario={scenario}"])
    assert made.scenario.shocks == ()
    assert made.scenario.season.demand == made.scenario.season.occasions == 0
    assert made.resolved["shocks"] == {}


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("shock", SHOCKS)
def test_every_shipped_shock_fits_every_scenario(scenario: str, shock: str) -> None:
    made = load([f"scenario={scenario}", f"shocks={shock}"])
    assert keys(made) == [shock]
    assert made.scenario.hit(made.scenario.shocks[0])


def test_several_shocks_are_chosen_as_a_list_and_all_of_them_reach_the_run() -> None:
    made = load(["scenario=village", "shocks=[recall, crisis]", "season=winter"])
    assert keys(made) == ["recall", "crisis"]
    assert made.scenario.season.to == ("households",)
    assert keys(load(["scenario=village", "shocks=[]"])) == []
    assert keys(load(["scenario=village", "shocks=[recall]"])) == ["recall"]


def test_words_become_types_and_money_is_scaled_as_that_of_mechanisms() -> None:
    recall = load(["scenario=village", "shocks=recall"]).scenario.shocks[0]
    assert recall.to == ("households",)
    assert recall.cost == pytest.approx(0.6 * 6000)
    assert load(["shocks=recall"]).scenario.shocks[0].cost == 6000


def test_a_setting_of_a_shock_is_changed_as_any_other() -> None:
    made = load(["scenario=village", "shocks=[recall,crisis]", "shocks.crisis.size=0.2",
                 "shocks.recall.firm=river_street", "shocks.recall.weeks=null"])  # fmt: skip
    recall, crisis = made.scenario.shocks
    assert crisis.size == 0.2
    assert (recall.firm, recall.weeks) == ("river_street", None)


def test_a_newcomers_customers_are_with_the_others_until_it_enters() -> None:
    made = load(["shocks=new_entrant"]).scenario
    kind = made.stakeholders[0]
    assert kind.tied == pytest.approx(
        {"attenzi": 0.30 / 0.73 * 0.95, "corvane": 0.43 / 0.73 * 0.95}
    )
    employees = next(k for k in made.stakeholders if k.key == "employees")
    assert employees.tied["halden"] == 0.25, "those who will work there are there"
    assert (
        load(["shocks=new_entrant", "shocks.new_entrant.size=0"]).scenario.stakeholders[0]
        == (load().scenario.stakeholders[0])
    )


def test_the_list_of_settings_names_unit_range_meaning_and_source_of_shocks() -> None:
    rows = {row.path: row for row in listing("shocks.*", ["shocks=[recall,crisis]"])}
    size = rows["shocks.crisis.size"]
    assert (size.value, size.unit, size.source) == ("0.06", "1/week", "assumption")
    assert "unit of its kind" in size.meaning
    assert rows["shocks.recall.cost"].unit == "currency"
    assert rows["shocks.recall.size"].unit == "logit"
    assert rows["shocks.recall.chance"].range == "from 0 to 1"
    assert all(row.meaning for row in rows.values())


def test_the_list_of_settings_names_every_kind_of_shock_where_none_is_chosen() -> None:
    rows = {row.path: row for row in listing("shocks")}
    for key, kind in SHOCK_KINDS.items():
        row = rows[f"shock.{key}"]
        assert (row.value, row.unit) == ("0", kind.unit)
        assert kind.meaning in row.meaning


# one's own


OWN = """
strike:
  kind: recall
  firm: competitors
  quarter: 2
  week: 3
  weeks: 2
  size: 0.5
  chance: 0.5
"""


def test_ones_own_shocks_stand_beside_the_shipped_ones(tmp_path: Path) -> None:
    write(tmp_path, "shocks/strike.yaml", OWN)
    made = load(["scenario=village", "shocks=[crisis,strike]"], tmp_path)
    assert keys(made) == ["crisis", "strike"]
    assert made.scenario.shocks[1].to == ()
    write(tmp_path, "shocks/strike.yaml", OWN.replace("0.5", "50", 1))
    said = refusal("shocks=[crisis,strike]", config_dir=tmp_path)
    assert "strike.yaml, line 8: shocks.strike.size" in said


@pytest.mark.parametrize("group", ["scenario", "experiment"])
@pytest.mark.parametrize("chosen", ["crisis", "[crisis, strike]"])
def test_a_scenario_or_an_experiment_can_choose_its_shocks(
    group: str, chosen: str, tmp_path: Path
) -> None:
    write(tmp_path, "shocks/strike.yaml", OWN.replace("chance: 0.5", "chance: 5"))
    below = {"scenario": "village", "experiment": "compare"}[group]
    text = (
        f"# @package _global_\ndefaults:\n  - {below}\n  - override /shocks: {chosen}\n  - _self_\n"
    )
    write(tmp_path, f"{group}/mine.yaml", text)
    given = ["scenario=village", f"{group}=mine"]
    if "strike" not in chosen:
        assert keys(load(given, tmp_path)) == ["crisis"]
        return
    said = refusal(*given, config_dir=tmp_path)
    assert "strike.yaml, line 9: shocks.strike.chance=5 is out of range" in said
    write(tmp_path, "shocks/strike.yaml", OWN)
    assert keys(load(given, tmp_path)) == ["crisis", "strike"]
    assert keys(load([*given, "shocks=none"], tmp_path)) == []


# what is refused


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["shocks=recal"], "did you mean 'recall'"),
        (["shocks=[recall,crises]"], "there is no such shocks; did you mean 'crisis'"),
        (["shocks=[recall,recall]"], "'recall' is named twice"),
        (["season=summer"], "there is no such season"),
        (["season=[winter,none]"], "there is no such season"),
        (["shocks=recall", "quarters=4"], "shocks.recall.quarter=5 lies beyond the horizon of 4"),
        (["shocks=recall", "shocks.recall.firm=mil_lane"], "did you mean 'mill_lane'"),
        (["shocks=recall", "shocks.recall.to=[housholds]"], "did you mean 'households'"),
        (["shocks=recall", "shocks.recall.to=[suppliers]"], "reaches nobody in this market"),
        (["shocks=recall", "shocks.recall.size=11"], "it must lie in [0, 10]"),
        (["shocks=recall", "shocks.recall.wek=3"], "unknown setting 'wek'"),
        (["season=winter", "season.demand=2"], "season.demand=2 is out of range"),
        (["season=winter", "season.to=[employees]"], "season.to='employees' is unknown"),
        (["shocks.recall.size=1"], "shocks.recall.kind is missing"),
    ],
)
def test_a_shock_or_season_that_cannot_be_used_is_refused(overrides: list[str], said: str) -> None:
    assert said in refusal(*overrides)


# competitors otherwise


def test_an_indirect_competitor_takes_part_and_is_counted_as_any_firm() -> None:
    group = ["competitors=attenzi_indirect", "stakeholders=attenzi_indirect"]
    scenario = small(load(group).scenario)
    own, indirect = scenario.firms[0], scenario.firms[3]
    assert (len(own.departments), len(indirect.departments)) == (10, 1)
    assert indirect.price != own.price
    assert set(indirect.programmes) - set(own.programmes)
    run = run_of(scenario)
    customers = np.isin(run.world.kind, [0, 1])
    provider = run.state.marks[customers, PROVIDER, 0]
    tied = np.bincount(provider[provider >= 0], minlength=4)
    assert tied[3] > 0
    indicators = run.rows[0][-1][:, 0]
    assert indicators[kpis.INDEX["market_share"]] == pytest.approx(tied[0] / tied.sum())
    # No one works there and it has no reseller, yet every flow about it is alive.
    assert run.facts.staff[3] == 0
    assert run.firms.goodwill[3, :2].min() > 0
    assert run.counts[:2, 3].sum() > 0
    assert run.firms.quarter[kpis.QUARTER.index("heard"), 3, 0] > 0
    assert run.firms.effort[3].sum() == pytest.approx(960.0)
    assert (
        np.isfinite(indicators).sum()
        == np.isfinite(run_of(small(load().scenario)).rows[0][-1]).sum()
    )


def test_an_indirect_competitor_begins_without_customers_where_none_are_written() -> None:
    run = run_of(small(load(["competitors=attenzi_indirect"]).scenario))
    assert run.rows[1][0][kpis.MEASURES.index("tied"), :, 3].sum() == 0
    assert run.firms.tied[3, :2].sum() > 0, "some go there"


def test_a_campaign_in_the_drawer_is_played_whatever_anybody_does() -> None:
    scenario = load(["competitors=attenzi_campaign"]).scenario
    scenario = replace(small(scenario), quarters=6)
    run = run_of(scenario)
    row = scenario.mechanism("brand_advertising")
    assert run.firms.effort[1, row, 0] == pytest.approx(8000)
    assert run.firms.effort[1, scenario.mechanism("fast_service"), 0] == pytest.approx(1000)
