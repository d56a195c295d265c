"""One life beside its twin's: who is chosen, what is told, and that it is what the run did."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import handmade
import numpy as np
import pandas as pd
import pytest
import village
from handmade import still

from experiments import cli, designs, store
from experiments.cli_explain import OWN
from experiments.settings import load
from experiments.story import Plot, Story, name_of, pick, row_of, tell
from experiments.story_table import COLUMNS, lives_dictionary, lives_table
from experiments.story_words import heading, paragraph
from sim import lookup
from sim.engine import Run
from sim.flows import Flow, muted
from sim.influenced import LESS, MORE, OTHER, SAME, Thresholds
from sim.population import build_world
from sim.rng import id_of
from sim.stakeholders import People
from sim.state import World

LN2 = 0.6931471805599453
LIMITS = Thresholds(attitude=0.05, salience=0.05, engagement=0.05)
SMALL = ["scenario=village", "quarters=3"]


@cache
def village_plot(flow: int = 2) -> Plot:
    settings = load(SMALL)
    arm = designs.arms(settings.study, settings.scenario)[0]
    twin = dict(designs.twins(arm, 2))[Flow(flow)]
    world = build_world(settings.scenario, 1, 0)
    return Plot(settings.scenario, arm, twin, Flow(flow), 1, 0, 3, LIMITS, world)


@cache
def village_story() -> Story:
    plot = village_plot()
    row = pick(plot)
    assert row is not None
    return tell(plot, row)


def three(*opening: float, **given: object) -> Plot:
    """Anna hears Ben, Carl hears Dora, who are of these opinions, alike but for these."""
    ties = np.zeros((4, 4))
    ties[0, 1] = ties[2, 3] = LN2
    world = handmade.world(
        4, 1, evidence=ties, opening_attitude=np.array(opening)[:, None], **given
    )
    market = still(peer_persuasion=1.0, **handmade.EVERYBODY_SPEAKS)
    market = replace(market, layers=village.LAYERS[:1])
    arm = handmade.arm(market)
    twin = replace(arm, key="twin", gates=muted(Flow.PEERS_ABOUT_US, 1))
    return Plot(market, arm, twin, Flow(2), 7, 0, 1, LIMITS, world)


# ---- whose life ---------------------------------------------------------------------------------


def test_the_one_who_is_moved_most_is_chosen() -> None:
    """Dora moves Carl by more than Ben Anna; both speak otherwise than they would."""
    assert pick(three(0.0, -0.4, 0.0, -0.8)) == 2
    assert pick(three(0.0, -0.8, 0.0, -0.4)) == 0


def test_of_two_who_are_moved_alike_the_smaller_id_is_chosen() -> None:
    plot = three(0.0, -0.4, 0.0, -0.4)
    assert pick(plot) == min((0, 2), key=lambda row: plot.world.ids[row])


def test_nobody_is_chosen_where_nobody_does_anything_otherwise() -> None:
    assert pick(three(0.0, 0.0, 0.0, 0.0)) is None


def test_a_type_can_be_asked_for() -> None:
    plot = three(0.0, -0.4, 0.0, -0.8)
    other = replace(plot.scenario.stakeholders[0], key="other", label="Other")
    kinds = np.array([0, 0, 1, 1], np.int32)
    plot = replace(
        plot,
        scenario=replace(plot.scenario, stakeholders=(plot.scenario.stakeholders[0], other)),
        world=replace(plot.world, kind=kinds),
    )
    assert pick(plot, kind=0) == 0
    assert pick(plot, kind=1) == 2


def test_who_buys_otherwise_comes_before_who_speaks_otherwise() -> None:
    story = village_story()
    assert story.signs["provider"] in (MORE, LESS)
    assert story.signs["provider"] != OTHER
    last = [life[-1].after.provider for life in story.lives]
    assert (last[0] == 0) != (last[1] == 0)


def test_names_lead_back_to_rows() -> None:
    plot = village_plot()
    for row in (0, 17, 443):
        name = name_of(plot.scenario, row, int(plot.world.ids[row]))
        assert re.fullmatch("[0-9a-f]{16}", name)
        assert row_of(plot, name) == row
        assert row_of(plot, name.upper()) == row
    assert row_of(plot, "nobody") is None


def test_people_of_own_tables_are_called_as_there() -> None:
    empty = np.zeros(0, np.int64)
    people = People(
        ids=("anna", "ben"), kind=np.zeros(2, int), tied=np.array([0, 1]),
        department=np.full(2, -1), source=empty, target=empty, layer=empty,
        weight=np.zeros(0), replaced=(), beside=(),
    )  # fmt: skip
    market = village.scenario(people=people)
    world: World = build_world(market, 1, 0)
    plot = replace(village_plot(), scenario=market, world=world)
    row = row_of(plot, "ben")
    assert row is not None
    assert world.ids[row] == id_of("ben")
    assert name_of(market, row, int(world.ids[row])) == "ben"


# ---- what is told -------------------------------------------------------------------------------


def test_both_lives_are_those_of_the_run() -> None:
    story, plot = village_story(), village_plot()
    run = Run(plot.scenario, [plot.arm, plot.twin], 1, 0, plot.world)
    for _ in range(plot.quarter):
        run.advance_quarter()
    for lane, life in enumerate(story.lives):
        assert len(life) == 13 * plot.quarter
        assert str(life[-1].after) == str(lookup.person(run.state, story.row, lane))


def test_the_table_says_week_by_week_what_adds_up() -> None:
    table = lives_table(village_story())
    assert list(table["week"]) == list(range(1, 40))
    assert list(table["quarter"].unique()) == [1, 2, 3]
    for life in ("run", "twin"):
        for felt in ("attitude", "salience", "satisfaction"):
            parts = [c for c, _, _ in COLUMNS if c.startswith(f"{felt}_")]
            steps = table[[f"{life}_{part}" for part in parts]].sum(axis=1)
            assert np.diff(table[f"{life}_{felt}"]) == pytest.approx(steps[1:], abs=2e-6)
    assert (table["twin_attitude_talk"] == 0).all()
    assert (table["run_attitude_talk"] != 0).any()
    assert table.loc[table["run_values"] != "", "run_chosen"].str.len().gt(0).all()


def test_the_dictionary_explains_every_column_of_the_table() -> None:
    said = lives_dictionary()
    assert list(said["column"]) == list(lives_table(village_story()).columns)
    assert (said["meaning"].str.len() > 0).all()


def test_what_one_chose_at_an_occasion_was_worth_most() -> None:
    table = lives_table(village_story())
    for life in ("run", "twin"):
        for _, row in table[table[f"{life}_values"] != ""].iterrows():
            worth = dict(part.split("=") for part in row[f"{life}_values"].split("; "))
            assert max(worth, key=lambda name: float(worth[name])) == row[f"{life}_chosen"]


def test_the_paragraph_tells_both_lives_and_ends_in_the_twin() -> None:
    story, text = village_story(), paragraph(village_story())
    assert text.startswith(name_of(story.plot.scenario, story.row, story.ident))
    first, twin = text.split(" In the twin without flow 2 ")
    assert "spoke" in first
    assert twin.count("In week") == first.count("had an occasion to choose")
    last = [life[-1].after.attitude[0] for life in story.lives]
    assert f"an attitude of {last[1]:+.2f} instead of {last[0]:+.2f}".replace("-", "−") in twin
    assert twin.endswith(".")
    assert "flow 2" in heading(story)


def test_the_told_parts_of_an_attitude_add_up() -> None:
    text = paragraph(village_story()).split(" In the twin")[0].replace("−", "-")
    found = re.search(r"went from (\S+) to (\S+): (.*?)\. ", text)
    assert found is not None
    parts = sum(float(x) for x in re.findall(r"[+-]\d\.\d{3}", found[3] + "."))
    assert float(found[2]) - float(found[1]) == pytest.approx(parts, abs=0.015)


def test_a_life_without_difference_is_told_as_such() -> None:
    plot = three(0.0, 0.0, 0.0, 0.0)
    story = tell(plot, 1)
    assert story.differs == ()
    assert set(story.signs.values()) == {SAME}
    text = paragraph(story)
    assert "The two lives are the same in every week." in text
    assert text.endswith("and do nothing otherwise.")


def test_who_speaks_otherwise_is_told_week_by_week() -> None:
    plot = three(0.0, -0.8, 0.0, 0.0)
    text = paragraph(tell(plot, 0))
    before, twin = text.split("In the twin")
    assert "spoke badly of it (−0.80; attitude −0.400)" in before
    assert "they spoke about firm0 in week 1 (+0.00), week 2 (−0.40)" in before
    assert "week 13 (+0.00)" in twin


# ---- the command --------------------------------------------------------------------------------


def test_the_command_tells_the_same_story_twice_and_writes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for name in ("one", "two"):
        words = ["explain", *SMALL, "flow=2", "--out", str(tmp_path / name)]
        assert cli.main(words) == 0
        said.append(capsys.readouterr().out.split("\nstory ")[0])
    assert said[0] == said[1]
    assert (tmp_path / "one" / "story.txt").read_text("utf-8").strip() == said[0].strip()
    table = pd.read_csv(tmp_path / "one" / "lives.csv")
    assert list(table.columns) == list(pd.read_csv(tmp_path / "one" / "dictionary.csv")["column"])
    assert (tmp_path / "one" / store.SETTINGS).exists()
    name = re.search(r"stakeholder=(\w+)", said[0])
    assert name is not None
    again = ["explain", *SMALL, "flow=2", f"stakeholder={name[1]}", "--out", str(tmp_path / "x")]
    assert cli.main(again) == 0
    assert (tmp_path / "x" / "lives.csv").read_bytes() == (
        tmp_path / "one" / "lives.csv"
    ).read_bytes()


def test_without_a_folder_a_dated_one_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["explain", *SMALL, "flow=1", "quarter=1", "portfolio=fast_service", "--seed", "4"]
    assert cli.main(asked) == 0
    folder = next((tmp_path / "results").iterdir())
    assert folder.name.endswith("_village_explain_flow1")
    assert "fast" in (folder / "story.txt").read_text("utf-8").splitlines()[0].lower()
    assert "seed 4" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "explain needs flow=1 to flow=6"),
        (["flow=7"], "flow=7: it must be a whole number from 1 to 6"),
        (["flow=two"], "flow=two: it must be a whole number"),
        (["flow=2", "flow=3"], "flow is given 2 times: keep one"),
        (["flow=2", "quarter=4"], "quarter=4: it must be a whole number from 1 to 3"),
        (["flow=2", "replication=-1"], "replication=-1"),
        (["flow=2", "type=household"], "did you mean 'households'?"),
        (["flow=2", "portfolio=fast_servic"], "did you mean 'fast_service'?"),
        (["flow=2", "stakeholder=nobody"], "stakeholder=nobody: nobody has this id"),
        (["flow=6", "type=neighbours"], "nobody of type neighbours does anything in quarter 3"),
        (["flow=2", "quarterz=1"], "unknown setting 'quarterz'"),
        (["flow=2", "--jobs", "2"], "unknown option '--jobs'"),
    ],
)
def test_what_cannot_be_told_is_refused_with_code_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert cli.main(["explain", *SMALL, *words]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_stakeholder_of_another_type_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    plot = village_plot()
    name = name_of(plot.scenario, 0, int(plot.world.ids[0]))
    words = ["explain", *SMALL, "flow=2", f"stakeholder={name}", "type=neighbours"]
    assert cli.main(words) == 2
    assert "is of type households, not neighbours" in capsys.readouterr().err


def test_a_folder_with_something_in_it_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert cli.main(["explain", *SMALL, "flow=2", "--out", str(tmp_path)]) == 2
    assert "is not an empty folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_no_setting_is_called_like_what_explain_asks_for() -> None:
    resolved = load(SMALL).resolved
    assert [key for key in OWN if key in resolved and key != "portfolio"] == []
