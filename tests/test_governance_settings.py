"""Governance in settings, studies, tables and reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments import cli, designs, settings, store
from experiments.settings import Settings, SettingsError, load
from experiments.settings_files import read_yaml
from sim.governance import AIMS
from sim.steering import LOOPS

SMALL = ["quarters=4", "replications=2"]
SHELF = sorted(file.stem for file in (settings.shipped_dir() / "governance").glob("*.yaml"))
CROSSED = [
    "scenario=village", *SMALL, "portfolios=[as_is,listening_first]",
    "governances=[as_planned,single_loop,impatient_board]",
    "governance.impatient_board.board.after=1", "governance.impatient_board.board.tolerance=0",
    "finance.cost_growth=0.5",
]  # fmt: skip


def made(*overrides: str, own: Path | None = None) -> Settings:
    return load(list(overrides), own)


def test_the_shipped_experiment_manages_one_portfolio_in_four_ways_at_equal_planned_cost() -> None:
    found = made("experiment=governance")
    arms = designs.arms(found.study, found.scenario)
    rules = ("as_planned", "single_loop", "double_loop", "low_maturity")
    assert [arm.key for arm in arms] == [
        "as_is",
        *(f"balanced_transformation+{rule}" for rule in rules),
    ]
    assert [arm.governance.key if arm.governance else None for arm in arms] == [None, *rules]
    assert all(np.array_equal(arm.plan.effort, arms[1].plan.effort) for arm in arms[2:])
    cost = designs.planned_present_value(arms[1].plan, found.scenario)
    assert cost == pytest.approx(found.study.planned_cost)


@pytest.mark.parametrize("key", SHELF)
def test_every_governance_on_the_shelf_can_be_chosen(key: str) -> None:
    found = made("experiment=governance", f"governances=[{key}]")
    arm = designs.arms(found.study, found.scenario)[1]
    assert arm.governance is not None
    assert arm.governance.key == key
    assert arm.governance.acts == (key != "as_planned")
    assert {goal.kpi for goal in arm.goals} == {t.kpi for t in found.board.targets}


@pytest.mark.parametrize("key", SHELF)
def test_every_number_of_a_governance_has_a_unit_and_a_source(key: str) -> None:
    written = read_yaml(settings.shipped_dir() / "governance" / f"{key}.yaml")
    numbers = {
        path
        for path in written.lines
        if path.rpartition(".")[2] in {"cadence", "step", "doubt", "error", "memory", "maturity",
                                       "late", "noise", "unacted", "drift", "after", "tolerance",
                                       "cut"}
    }  # fmt: skip
    assert len(numbers) == 13
    for path in numbers:
        unit, _, source = written.comments[path].partition(";")
        assert unit.strip(), path
        assert source.strip(), path


def test_the_shelf_shows_every_loop_and_the_map_in_managements_head_is_not_empty() -> None:
    loops = {made(f"governances=[{key}]").resolved["governance"][key]["loop"] for key in SHELF}
    assert loops == set(LOOPS)
    assert sum(bool(aims) for aims in AIMS.values()) > 25


def test_a_portfolio_names_its_own_governance_and_keeps_it_where_others_are_crossed() -> None:
    own = "portfolio.listening_first.governance=double_loop"
    for more in ([], ["governances=[single_loop]"]):
        found = made("scenario=village", *SMALL, own, "portfolios=[as_is,listening_first]", *more)
        arms = designs.arms(found.study, found.scenario)
        assert [arm.key for arm in arms] == ["as_is", "listening_first"]
        assert arms[1].governance is not None
        assert arms[1].governance.key == "double_loop"


def test_a_plan_is_held_against_the_first_way_to_manage_it() -> None:
    found = made(*CROSSED, "designs=[functional]", "portfolios=[as_is,listening_first,co_design]")
    first = {key.partition("+")[0] for key in designs.managed_alike(found.study)}
    assert first == {"listening_first@functional", "co_design@functional"}
    for key, other in designs.managed_alike(found.study).items():
        assert other == f"{key.partition('+')[0]}+as_planned"


def test_designs_and_governances_cross() -> None:
    found = made("experiment=organization_design", "portfolios=[as_is,co_design]",
                 "designs=[functional,network]", "governances=[single_loop]")  # fmt: skip
    assert [p.key for p in found.study.portfolios] == [
        "as_is", "co_design@functional+single_loop", "co_design@network+single_loop",
    ]  # fmt: skip


def test_twins_keep_the_governance() -> None:
    found = made(*CROSSED)
    arm = designs.arms(found.study, found.scenario)[2]
    for _, twin in designs.twins(arm, 2):
        assert twin.governance is arm.governance
        assert twin.goals == arm.goals != ()


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["governances=[singel_loop]"], r"governances='singel_loop' is unknown.*'single_loop'"),
        (
            ["portfolio.co_design.governance=single"],
            r"portfolio\.co_design\.governance='single' is unknown.*mean 'single_loop'",
        ),
        (["governance=single_loop"], r"every governance on the shelf is loaded.*governances="),
        (["governance.single_loop.step=1.5"], r"single_loop\.step=1\.5.*out of range.*0 to 1"),
        (["governance.single_loop.cadense=2"], r"unknown setting 'cadense'.*mean 'cadence'"),
        (
            ["governance.single_loop.loop=duble"],
            r"governance\.single_loop.*loop='duble' is unknown; did you mean 'double'",
        ),
        (
            ["governance.goodhart.shown=[salienc]"],
            r"governance\.goodhart\.shown='salienc' is unknown.*mean 'salience'",
        ),
        (
            ["governance.double_loop.headline=revenu"],
            r"governance\.double_loop\.headline='revenu' is unknown.*mean 'revenue'",
        ),
        (
            ["governances=[double_loop]", "governance.double_loop.headline=cash_in_hand"],
            r"governance\.double_loop\.headline.*'cash_in_hand' is unknown",
        ),
        (["governance.as_planned.step=0.2"], r"step=0\.2 is not read by loop 'none'"),
        (["governance.single_loop.board.cut=0.2x"], r"board\.cut='0\.2x' must be a finite number"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_nearest_name(
    overrides: list[str], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        made("scenario=attenzi", *overrides)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study of three ways to manage one plan."""
    out = tmp_path_factory.mktemp("managed") / "study"
    assert cli.main(["compare", *CROSSED, "twins=none", "--out", str(out), "--quiet"]) == 0
    return out


def test_the_table_says_what_was_planned_and_what_governance_made_of_it(folder: Path) -> None:
    found = store.read_study(folder)
    table = found.tables["governance"]
    single, board = (f"listening_first+{key}" for key in ("single_loop", "impatient_board"))
    assert table["arm"].drop_duplicates().tolist() == [single, board]
    money = table.groupby(["arm", "replication", "quarter"])[["planned", "managed"]].sum()
    assert (money["managed"] <= money["planned"] * (1 + 1e-9)).all()
    moved = table[table["arm"] == single]
    assert moved["board_cut"].eq(0).all()
    assert not np.allclose(moved["managed"], moved["planned"])
    cut = table[(table["arm"] == board) & (table["board_cut"] > 0)]
    assert not cut.empty
    assert np.allclose(cut["managed"], cut["planned"] * (1 - cut["board_cut"]))
    runs = found.tables["runs"].set_index(["arm", "replication"])
    number = cut["replication"].iloc[0]
    as_planned = runs.loc[("listening_first+as_planned", number)]
    assert runs.loc[(board, number), "realised_cost"] < as_planned["realised_cost"]
    assert runs.loc[(board, number), "planned_cost"] == as_planned["planned_cost"]
    assert runs.loc[(board, number), "quarters_cut"] >= 1 > as_planned["quarters_cut"]


def test_the_report_tells_how_it_was_managed(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "How it was managed" in page
    section = page.partition('<section id="governance">')[2].partition("</section>")[0]
    assert "Impatient board" in section
    assert "where the money went" in section
    assert "The same plan, managed in another way" in section


def test_a_study_in_which_plans_stand_has_no_such_section(tmp_path: Path) -> None:
    out = tmp_path / "study"
    few = [c for c in CROSSED if not c.startswith("governances")]
    assert cli.main(["compare", *few, "twins=none", "--out", str(out), "--quiet"]) == 0
    assert "How it was managed" not in (out / "report.html").read_text(encoding="utf-8")
    assert store.read_study(out).tables["governance"].empty


def test_a_study_needs_the_governances_that_its_portfolios_name() -> None:
    study = made(*CROSSED).study
    with pytest.raises(ValueError, match="governance='single_loop' is unknown"):
        replace(study, governances=study.governances[:1])
