"""Designs from yaml to report: composed, crossed with portfolios, refused, told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from experiments import cli, designs, settings, store
from experiments.settings import Settings, SettingsError, load

SMALL = ["quarters=3", "replications=2", "planned_cost=2000", "twins=none", "warm_up=0"]
CROSSED = ["portfolios=[as_is,listening_first]", "designs=[functional,one_team]"]
ONE_TEAM = {
    "label": "One team",
    "description": "Counter and bakery are one.",
    "start": 2,
    "cost": 20,
    "dip": 2,
    "half_life": 8,
    "departments": {
        "team": {"label": "Team", "joins": ["counter", "bakery"], "hears": 0.7},
        "kitchen_club": {"label": "Kitchen club", "acts": 0.3, "hears": 0.2, "staff": 0.0},
    },
    "owners": {},
    "owners_by_flow": {"2": "kitchen_club"},
    "owners_by_mechanism": {"idea_process": "office"},
    "ties": {"anew": 0.3, "pattern": "by_acts", "made_good": 0.1},
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of settings with a design for the village."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "design").mkdir()
    (folder / "design" / "one_team.yaml").write_text(
        yaml.safe_dump(ONE_TEAM, sort_keys=False), encoding="utf-8"
    )
    return folder


def village(own: Path, *overrides: str) -> Settings:
    return load(["scenario=village", *SMALL, *overrides], own)


def test_the_shipped_experiment_compares_designs_of_the_same_portfolio_at_equal_cost() -> None:
    made = load(["experiment=organization_design"])
    arms = designs.arms(made.study, made.scenario)
    assert [arm.key for arm in arms[:4]] == [
        "as_is",
        "listening_first@functional",
        "listening_first@joined_service",
        "listening_first@network",
    ]
    assert [arm.design and arm.design.key for arm in arms[:4]] == [
        None, "functional", "joined_service", "network",
    ]  # fmt: skip
    costs = [designs.planned_present_value(a.plan, made.scenario, a.design) for a in arms[1:]]
    assert costs == pytest.approx([made.study.planned_cost] * len(costs))
    assert arms[2].plan.effort.sum() < arms[1].plan.effort.sum()


@pytest.mark.parametrize("key", ["functional", "joined_service", "network"])
def test_a_shipped_design_fits_the_shipped_organization(key: str) -> None:
    made = load(["experiment=organization_design", f"designs=[{key}]"])
    arm = designs.arms(made.study, made.scenario)[1]
    assert arm.design is not None
    assert arm.design.key == key
    changes = bool(arm.design.departments)
    assert changes == (key != "functional")


def test_the_functional_design_is_as_it_is() -> None:
    """No department, owner, tie, money or output changes: tests of the engine say no bit does."""
    made = load(["experiment=organization_design", "designs=[functional]"])
    design = made.study.designs[0]
    nothing = (design.departments, dict(design.owners), dict(design.owners_by_flow))
    assert nothing == ((), {}, {})
    assert (design.cost, design.dip, design.ties.anew, design.ties.made_good) == (0, 0, 0, 0)


def test_a_portfolio_names_its_own_design(own: Path) -> None:
    made = village(
        own, "portfolio.listening_first.design=one_team", "portfolios=[as_is,listening_first]"
    )
    arm = designs.arms(made.study, made.scenario)[1]
    assert arm.key == "listening_first"
    assert arm.design is not None
    assert arm.design.departments[0].joins == ("counter", "bakery")
    assert dict(arm.design.owners_by_flow) == {"2": "kitchen_club"}
    # It keeps its own where others are crossed.
    both = village(own, "portfolio.listening_first.design=one_team", *CROSSED)
    assert [p.key for p in both.study.portfolios] == ["as_is", "listening_first"]


def test_the_cost_of_a_design_is_to_the_scale_of_the_market(own: Path) -> None:
    made = village(own, *CROSSED)
    scale = made.resolved["scenario"]["cost_scale"]
    assert [design.cost for design in made.study.designs] == [0.0, 20 * scale]


def test_what_others_are_compared_with_is_always_run_as_it_is(own: Path) -> None:
    made = village(own, "baseline=listening_first", "portfolios=[listening_first]",
                   "designs=[one_team]")  # fmt: skip
    assert [p.key for p in made.study.portfolios] == ["listening_first", "listening_first@one_team"]
    assert designs.siblings(made.study) == {"listening_first@one_team": "listening_first"}


def test_twins_keep_the_design(own: Path) -> None:
    made = village(own, *CROSSED)
    arm = designs.arms(made.study, made.scenario)[2]
    assert arm.design is not None
    assert all(twin.design is arm.design for _, twin in designs.twins(arm, 2))


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["designs=[networ]"], r"designs='networ' is unknown.*mean 'network'"),
        (["portfolio.co_design.design=functionl"], r"portfolio\.co_design\.design.*'functional'"),
        (["design=network"], r"every design on the shelf is loaded; choose with designs="),
        (["design.network.dip=-1"], r"design\.network\.dip=-1 is out of range.*0 to 100 weeks"),
        (["design.network.half_lif=1"], r"unknown setting 'half_lif'.*mean 'half_life'"),
        (["design.network.ties.anew=1.5"], r"design\.network\.ties\.anew=1\.5 is out of range"),
        (["design.network.ties.pattern=none"], r"anew=0\.5: say where they lead"),
        (
            ["designs=[network]", "design.network.departments.speaking.joins=[marketing,sale]"],
            r"design\.network\.departments\.speaking\.joins: 'sale' is no department of today; did "
            r"you mean 'sales'",
        ),
        (
            ["designs=[network]", "design.network.owners_by_flow.2=conversations"],
            r"owners_by_flow\.2: 'conversations' is no department of the design.*'conversation'",
        ),
        (
            ["design.network.owners_by_mechanism.fast_servic=hearing"],
            r"design\.network\.owners_by_mechanism='fast_servic' is unknown.*'fast_service'",
        ),
        (
            ["design.joined_service.departments.human_resources.hears=0.5"],
            r"joined_service\.departments: hears of all departments must sum to 1, not 1\.48",
        ),
        (["designs=[network]", "design.network.cost=20000"], r"cannot be paid: the budget of"),
        (["designs=[network]", "design.network.cost=9000"], r"more than planned_cost=5000"),
        (["designs=[network]", "design.network.cost=4500"], r"what design 'network' leaves"),
        (["designs=[network]", "design.network.start=13"], r"start=13 lies beyond the hor"),
        (["portfolio.as_is.design=network"], r"spends on its design 'network' alone"),
        (["scenario=village", "designs=[network]"], r"'marketing' is no department of today"),
    ],
)  # fmt: skip
def test_a_design_that_cannot_be_used_is_refused_at_the_door(
    overrides: list[str], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        load(["experiment=organization_design", *overrides])


def test_designs_are_listed_with_unit_meaning_and_source() -> None:
    rows = {row.path: row for row in settings.listing("design.network.*")}
    row = rows["design.network.cost"]
    assert (row.unit, row.value) == ("currency", "1000")
    assert "assumption" in row.source
    assert "joins" in {path.rpartition(".")[2] for path in rows}


@pytest.fixture(scope="module")
def folder(own: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "out"
    words = ["scenario=village", *SMALL, *CROSSED, "--config-dir", str(own), "--out", str(out)]
    assert cli.main(["compare", *words, "--jobs", "1", "--quiet"]) == 0
    return out


def test_the_table_says_how_insight_travels(folder: Path) -> None:
    study = store.read_study(folder)
    insight, card = study.tables["insight"], study.tables["scorecard"]
    keys = ["arm", "replication", "quarter"]
    parts = insight.assign(value=insight["heard"] * insight["delivered"].fillna(0.0))
    whole = card[card["kpi"] == "insight_delivered"].set_index(keys)["value"].sort_index()
    summed = parts.groupby(keys)["value"].sum().sort_index()
    assert list(summed.index) == list(whole.index)
    assert summed.to_numpy() == pytest.approx(whole.to_numpy())
    rooms = insight.groupby("arm")["department"].unique().map(list)
    today = ["counter", "bakery", "office"]
    assert rooms["as_is"] == rooms["listening_first@functional"] == today
    assert rooms["listening_first@one_team"] == [*today, "new_departments"]


def test_the_functional_arm_has_the_numbers_of_the_portfolio_as_it_is(
    own: Path, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "plain"
    words = ["scenario=village", *SMALL, "portfolios=[as_is,listening_first]", "--out", str(out)]
    assert cli.main(["compare", *words, "--jobs", "1", "--quiet"]) == 0
    plain, designed = (store.read_study(path).tables["scorecard"] for path in (out, folder))
    here = plain[plain["arm"] == "listening_first"]["value"].to_numpy()
    there = designed[designed["arm"] == "listening_first@functional"]["value"].to_numpy()
    assert np.array_equal(here, there, equal_nan=True)
    assert "Design against design" not in (out / "report.html").read_text(encoding="utf-8")
    spent = store.read_study(out).tables["spending"]["item"].unique()
    assert "reorganization" not in spent


def test_reorganizing_counts_in_planned_and_in_realised_cost(folder: Path) -> None:
    study = store.read_study(folder)
    spending = study.tables["spending"]
    rows = spending[(spending["item"] == "reorganization") & (spending["value"] > 0)]
    scale = study.settings["scenario"]["cost_scale"]
    assert set(rows["arm"]) == {"listening_first@one_team"}
    assert set(rows["quarter"]) == {2}
    assert set(rows["value"]) == {20.0 * scale}
    runs = study.tables["runs"].groupby("arm")[["planned_cost", "realised_cost"]].mean()
    beyond = runs - runs.loc["as_is"]
    names = ["listening_first@functional", "listening_first@one_team"]
    assert beyond.loc[names, "planned_cost"].to_numpy() == pytest.approx([2000.0, 2000.0])
    one, other = beyond.loc[names, "realised_cost"]
    assert one == pytest.approx(other, rel=0.01)


def test_the_report_tells_designs_apart_and_how_insight_travels(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    for title in ("Design against design", "How insight travels"):
        assert f"<h2>{title}</h2>" in page
    section = page[page.index('id="insight"') :].partition("</section>")[0]
    for label in ("Counter", "Bakery", "Office", "Departments that the design adds"):
        assert f">{label}</th>" in section
    table = store.read_study(folder).tables["insight"]
    last = table[(table["quarter"] == 3) & (table["department"] == "counter")]
    means = 100 * last.groupby("arm")["delivered"].mean()
    for arm in ("as_is", "listening_first@one_team"):
        assert f"<td>{means[arm]:.1f}<br>" in section
    assert {"insight.png", "insight.svg"} <= {p.name for p in (folder / "figures").iterdir()}


def test_the_data_dictionary_has_the_table(folder: Path) -> None:
    words = pd.read_csv(folder / "tables" / "dictionary.csv")
    mine = words[words["table"] == "insight"].set_index("column")["unit"]
    assert mine["delivered"] == "share"
    assert mine["weeks"] == "weeks"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["runs"] == {"finished": 6, "failed": 0}
