"""People's own tables, from the project's own small ones in tests/data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from village import LAYERS, arm, employees, firm, kind, scenario

from experiments.tables import apply_people, read_people
from sim.engine import Run, simulate
from sim.organization import Department
from sim.population import build_world
from sim.scenario import Scenario
from sim.stakeholders import Layer, People

DATA = Path(__file__).parent / "data"
ONLINE = Layer(
    key="online",
    label="Online",
    generator="random",
    degree=2,
    contact=0.1,
    persuasion=1.0,
    speakers=(),
    listeners=(),
    homophily=0.0,
    group="none",
    spread=0.0,
)
EMPLOYEES = {
    "file": "employees.csv",
    "columns": {"id": "nr", "department": "team"},
    "kind": "employees",
    "tied": "ours",
    "departments": {"sales": "front", "works": "back"},
}
EMPLOYEE_TIES = {
    "file": "employee_ties.csv",
    "columns": {"source": "asks", "target": "asked", "layer": "about", "weight": "often"},
    "hears": "source",
    "layers": {"work": "internal", "lunch": None},
    "self_ties": "drop",
}


def market(**changes: object) -> Scenario:
    return scenario(
        **{"stakeholders": (kind(), employees()), "layers": (*LAYERS, ONLINE), **changes}
    )


def told(tmp_path: Path, ties: str, people: str = "id\na\nb\nc\n", **settings: Any) -> People:
    """Return what is read from two tables written here; `settings` are those of the ties."""
    (tmp_path / "people.csv").write_text(people, encoding="utf-8")
    (tmp_path / "ties.csv").write_text(ties, encoding="utf-8")
    return read_people(
        {
            "stakeholders": {"file": "people.csv", "kind": "customers", "tied": "ours"},
            "ties": {"file": "ties.csv", "hears": "target", **settings},
        },
        market(),
        tmp_path,
    )


def refused(
    tmp_path: Path, ties: str, message: str, people: str = "id\na\nb\nc\n", **settings: Any
) -> None:
    with pytest.raises(ValueError, match=message):
        told(tmp_path, ties, people, **settings)


def named(people: People) -> set[tuple[str, str, int, float]]:
    """Return (heard, hearing, layer, weight) of every tie."""
    return {
        (people.ids[s], people.ids[t], int(k), float(w))
        for s, t, k, w in zip(
            people.source, people.target, people.layer, people.weight, strict=True
        )
    }


def test_stakeholders_and_ties_under_our_own_names_need_no_map() -> None:
    people = read_people(
        {
            "stakeholders": {"file": "stakeholders.csv"},
            "ties": {"file": "ties.csv", "hears": "target"},
        },
        market(),
        DATA,
    )
    assert people.ids == ("anna", "ben", "carla", "dora", "emil", "fritz")
    assert people.tied.tolist() == [0, 0, 1, 1, -1, 0]
    assert people.kind.tolist() == [0] * 6
    assert named(people) == {
        ("anna", "ben", 0, 1.0),
        ("ben", "anna", 0, 0.6),
        ("carla", "dora", 0, 0.2),
        ("dora", "emil", 2, 0.8),
        ("emil", "fritz", 0, 0.4),
    }
    assert people.replaced == ("strong", "online")
    assert people.beside == ()


def test_employees_and_their_ties_come_through_a_map_of_columns() -> None:
    people = read_people({"employees": EMPLOYEES, "employee_ties": EMPLOYEE_TIES}, market(), DATA)
    assert people.ids == ("1", "2", "3", "4", "5")
    assert people.department.tolist() == [0, 0, 1, 1, 1]
    assert people.tied.tolist() == [0] * 5
    assert named(people) == {
        ("2", "1", 1, 1.0),
        ("3", "1", 1, 0.75),
        ("3", "2", 1, 0.25),
        ("4", "5", 1, 0.5),
    }
    assert people.replaced == ("internal",)
    assert people.beside == ((1, 1),)


def test_the_end_that_hears_is_the_one_the_settings_name() -> None:
    asked = read_people({"employees": EMPLOYEES, "employee_ties": EMPLOYEE_TIES}, market(), DATA)
    asking = read_people(
        {"employees": EMPLOYEES, "employee_ties": {**EMPLOYEE_TIES, "hears": "target"}},
        market(),
        DATA,
    )
    assert {(b, a, k, w) for a, b, k, w in named(asked)} == named(asking)


def test_all_four_tables_together_make_a_world() -> None:
    mapping = {
        "stakeholders": {"file": "stakeholders.csv"},
        "ties": {"file": "ties.csv", "hears": "target"},
        "employees": EMPLOYEES,
        "employee_ties": EMPLOYEE_TIES,
    }
    market_told = apply_people(mapping, market(), DATA)
    world = build_world(market_told, 1, 0)
    assert np.bincount(world.kind).tolist() == [6, 5 + 10]
    assert world.tied[11:].tolist() == [1] * 10  # the competitor's generated employees
    row = np.repeat(np.arange(len(world.ids)), np.diff(world.indptr))
    strong = (world.layer == 0) & (row < 6)
    assert set(zip(row[strong].tolist(), world.indices[strong].tolist(), strict=True)) == {
        (1, 0),
        (0, 1),
        (3, 2),
        (5, 4),
    }
    # Sales speaks to nobody of the works; of the works, to sales: 3 -> 1 and 3 -> 2.
    assert world.routing[0].tolist() == [[0, 0], [1, 0]]


def test_columns_beside_the_files_hold_for_every_file(tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("who,dept\nx,front\ny,back\n")
    (tmp_path / "e.csv").write_text("from,to,type\nx,y,internal\n")
    people = read_people(
        {
            "columns": {
                "id": "who",
                "source": "from",
                "target": "to",
                "layer": "type",
                "department": "dept",
            },
            "employees": {"file": "n.csv", "kind": "employees"},
            "employee_ties": {"file": "e.csv", "hears": "source"},
        },
        market(),
        tmp_path,
    )
    assert people.department.tolist() == [0, 1]
    assert people.tied.tolist() == [0, 0]
    assert named(people) == {("y", "x", 1, 1.0)}


def test_departments_can_come_from_the_table() -> None:
    mapping = {"employees": {**EMPLOYEES, "departments": "from_table"}}
    ours = apply_people(mapping, market(), DATA).firms[0]
    assert [(d.key, d.staff, d.hears) for d in ours.departments] == [
        ("sales", 0.4, 0.4),
        ("works", 0.6, 0.6),
        ("back", 0, 0),
        ("front", 0, 0),
    ]
    assert [d.acts for d in ours.departments][:2] == pytest.approx([0.4, 0.4])  # mean of .2 and .6
    with pytest.raises(ValueError, match="use apply_people"):
        read_people(mapping, market(), DATA)


def test_departments_of_a_table_that_the_firm_has_need_no_translation(tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("id,department\nx,back\ny,\n")
    mapping = {"employees": {"file": "n.csv", "kind": "employees"}}
    assert read_people(mapping, market(), tmp_path).department.tolist() == [1, -1]


def test_without_a_column_of_departments_the_shares_of_staff_decide(tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("id\n" + "\n".join(f"p{i}" for i in range(8)))
    mapping = {"employees": {"file": "n.csv", "kind": "employees"}}
    world = build_world(apply_people(mapping, market(), tmp_path), 1, 0)
    assert np.bincount(world.department[:8]).tolist() == [4, 4]


def test_weights_are_scaled_by_the_largest_or_by_a_number(tmp_path: Path) -> None:
    ties = "source,target,weight\na,b,2\nb,c,4\n"
    assert told(tmp_path, ties, layer="strong").weight.tolist() == [0.5, 1.0]
    assert told(tmp_path, ties, layer="strong", weight_scale=8).weight.tolist() == [0.25, 0.5]


def test_ties_below_the_threshold_are_left_out_and_those_on_it_stay(tmp_path: Path) -> None:
    people = told(
        tmp_path, "source,target,weight\na,b,0\na,c,1\nb,c,2\n", layer="strong", threshold=1
    )
    assert named(people) == {("a", "c", 0, 0.5), ("b", "c", 0, 1.0)}


def test_of_repeated_ties_the_strongest_stays_when_asked(tmp_path: Path) -> None:
    ties = "source,target,weight\na,b,1\na,b,4\na,b,2\n"
    assert told(tmp_path, ties, layer="strong", repeats="strongest").weight.tolist() == [1.0]


def test_a_pair_may_repeat_in_different_layers(tmp_path: Path) -> None:
    people = told(tmp_path, "source,target,layer\na,b,strong\na,b,online\n")
    assert sorted(people.layer.tolist()) == [0, 2]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_usual_kind_of_csv_is_read(tmp_path: Path, separator: str, mark: str, end: str) -> None:
    rows = [["source", "target"], ["a", '"b"'], ["", ""], [" b ", "c"]]
    text = mark + end.join(separator.join(row) for row in rows) + end
    (tmp_path / "people.csv").write_text("id\na\nb\nc\n")
    (tmp_path / "ties.csv").write_bytes(text.encode())
    people = read_people(
        {
            "stakeholders": {"file": "people.csv", "kind": "customers"},
            "ties": {"file": "ties.csv", "hears": "target", "layer": "strong"},
        },
        market(),
        tmp_path,
    )
    assert named(people) == {("a", "b", 0, 1.0), ("b", "c", 0, 1.0)}


@pytest.mark.parametrize(
    ("ties", "settings", "message"),
    [
        ("source,target\na,b\na,zoe\n", {}, r"ties.csv, line 3: target 'zoe' is nobody's id; add"),
        (
            "source,target\na,b\nb,c\na,b\n",
            {},
            r"line 4: 'a' and 'b' .* already in line 2; remove one",
        ),
        ("source,target\na,b\nc,c\n", {}, r"line 3: 'c' hears itself; .*self_ties to drop"),
        ("from,target\na,b\n", {}, r"ties.csv, line 1: no column 'source'.*columns.source"),
        ("source,target\na,b\n", {"columns": {"weight": "often"}}, r"line 1: no column 'often'"),
        (
            "source,target,weight\na,b,-1\n",
            {},
            r"line 2: weight '-1' must be above 0; remove the tie$",
        ),
        (
            "source,target,weight\na,b,-1\n",
            {"threshold": 2},
            r"line 2: weight '-1' must be above 0",
        ),
        ("source,target,weight\na,b,0\n", {}, r"line 2: weight '0' .*ties.threshold"),
        (
            "source,target,weight\na,b,much\n",
            {},
            r"line 2: weight 'much' is no number; write it like",
        ),
        ("source,target,weight\na,b,nan\n", {}, r"line 2: weight 'nan' is no number"),
        (
            "source,target,weight\na,b,6\n",
            {"weight_scale": 5},
            r"line 2: weight 6 is above .*=5; give",
        ),
        ("source,target,weight\na,b,6\n", {"threshold": 7}, r"no tie is left; check threshold"),
        ("source,target\n", {}, r"ties.csv, line 1: the table is empty"),
        ("", {}, r"ties.csv, line 1: the table is empty"),
        (
            "source,target\na,b,c\n",
            {},
            r"line 2: 3 fields where the header has 2; check the delimiter",
        ),
        ("source,target,source\na,b,c\n", {}, r"line 1: column 'source' stands there 2 times"),
        ('source,target\na,"b\n', {}, r"line 2: .*check the quotes"),
    ],
)
def test_a_tie_that_cannot_be_used_is_refused_with_line_and_remedy(
    tmp_path: Path, ties: str, settings: dict[str, Any], message: str
) -> None:
    refused(tmp_path, ties, message, **{"layer": "strong", **settings})


@pytest.mark.parametrize(
    ("ties", "settings", "message"),
    [
        (
            "source,target,layer\na,b,strnog\n",
            {},
            r"line 2: layer 'strnog' .* mean 'strong'.*layers",
        ),
        ("source,target,layer\na,b,\n", {}, r"line 2: layer is empty"),
        (
            "source,target,layer\na,b,x\n",
            {"layers": {"x": "nowhere"}},
            r"people.ties.layers.x='nowh",
        ),
        (
            "source,target,layer\na,b,x\n",
            {"layers": "strong"},
            r"people.ties.layers='strong' must map",
        ),
        ("source,target\na,b\n", {}, r"ties.csv, line 1: no column 'layer'.*people.ties.layer"),
        ("source,target,layer\na,b,x\n", {"layers": {"x": None}}, r"no tie is left"),
        (
            "source,target,layer\na,b,strong\n",
            {"layer": "strong", "columns": {"layer": "layer"}},
            r"give one of the two",
        ),
        (
            "source,target,layer\na,b,internal\n",
            {},
            r"line 2: customers are not among the speakers",
        ),
        ("source,target\na,b\n", {"layer": "strong", "hears": "both"}, r"people.ties.hears='both'"),
        ("source,target\na,b\n", {"layer": "strong", "threshold": 1}, r"no column of weights"),
        (
            "source,target\na,b\n",
            {"layer": "strong", "hearing": 1},
            r"people.ties='hearing' is unknown",
        ),
        ("source,target,weight\na,b,1\n", {"layer": "strong", "weight_scale": "most"}, r"or 'max'"),
        ("source,target,weight\na,b,1\n", {"layer": "strong", "weight_scale": -1}, r"above 0"),
    ],
)
def test_settings_that_do_not_fit_the_table_are_refused(
    tmp_path: Path, ties: str, settings: dict[str, Any], message: str
) -> None:
    refused(tmp_path, ties, message, **settings)


@pytest.mark.parametrize(
    ("people", "settings", "message"),
    [
        (
            "id\na\nb\na\n",
            {"kind": "customers"},
            r"people.csv, line 4: id 'a' stands already in .*people.csv, line 2; ids must differ",
        ),
        ("id\na\n\nb,c\n", {"kind": "customers"}, r"line 4: 2 fields where the header has 1"),
        ("id,kind\na,customers\n,customers\n", {}, r"line 3: id is empty; fill in the cell"),
        ("id,kind\na,\n", {}, r"line 2: kind is empty"),
        (
            "id,kind\na,custmers\n",
            {},
            r"line 2: kind 'custmers' .*mean 'customers'.*stakeholders.kinds",
        ),
        ("id\na\n", {}, r"line 1: no column 'kind'.*people.stakeholders.kind"),
        ("id\na\n", {"kind": "aliens"}, r"people.stakeholders.kind='aliens' is unknown"),
        ("name\na\n", {"kind": "customers"}, r"line 1: no column 'id'.*columns.id"),
        ("id,tied\na,our\n", {"kind": "customers"}, r"line 2: tied 'our' .*mean 'ours'.*firms"),
        (
            "id,department\na,front\n",
            {"kind": "customers"},
            r"line 2: department 'front' of nobody's",
        ),
        (
            "id,department\na,frnt\n",
            {"kind": "employees", "tied": "ours"},
            r"line 2: department 'frnt' .*mean 'front'.*from_table",
        ),
        (
            "id,department\na,front\n",
            {"kind": "employees", "tied": "ours", "departments": "auto"},
            r"departments='auto' must map",
        ),
        ("id\na\n", {"kind": "customers", "columns": {"idd": "id"}}, r"columns='idd' is unknown"),
    ],
)
def test_a_person_that_cannot_be_used_is_refused_with_line_and_remedy(
    tmp_path: Path, people: str, settings: dict[str, Any], message: str
) -> None:
    (tmp_path / "people.csv").write_text(people)
    with pytest.raises(ValueError, match=message):
        read_people({"stakeholders": {"file": "people.csv", **settings}}, market(), tmp_path)


def test_ties_inside_a_firm_join_people_of_that_firm_only(tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("id,tied\nx,ours\ny,theirs\n")
    (tmp_path / "e.csv").write_text("source,target\nx,y\n")
    with pytest.raises(ValueError, match=r"e.csv, line 2: layer 'internal' links people of one"):
        read_people(
            {
                "employees": {"file": "n.csv", "kind": "employees"},
                "employee_ties": {"file": "e.csv", "hears": "source", "layer": "internal"},
            },
            market(),
            tmp_path,
        )


def test_what_hears_must_be_said_because_nothing_can_guess_it(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id\na\nb\n")
    (tmp_path / "ties.csv").write_text("source,target\na,b\n")
    with pytest.raises(ValueError, match=r"people.ties.hears is missing"):
        read_people(
            {
                "stakeholders": {"file": "people.csv", "kind": "customers"},
                "ties": {"file": "ties.csv", "layer": "strong"},
            },
            market(),
            tmp_path,
        )


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({}, "names no people"),
        (
            {"stakeholder": {"file": "x"}},
            "people='stakeholder' is unknown; did you mean 'stakeholders'",
        ),
        ({"stakeholders": "people.csv"}, "must be a group of settings with a file"),
        ({"stakeholders": {}}, r"people.stakeholders.file=None"),
        ({"stakeholders": {"file": "nowhere.csv"}}, r"nowhere.csv: no such file"),
    ],
)
def test_a_mapping_that_names_no_table_is_refused(mapping: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_people(mapping, market(), DATA)


def test_a_table_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes("id\na\nJosé\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"people.csv, line 3: not UTF-8; save the table as UTF-8"):
        read_people(
            {"stakeholders": {"file": "people.csv", "kind": "customers"}}, market(), tmp_path
        )


def test_an_id_in_both_tables_of_people_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("id\na\n")
    (tmp_path / "e.csv").write_text("id\na\n")
    with pytest.raises(
        ValueError, match=r"e.csv, line 2: id 'a' stands already in .*s.csv, line 2"
    ):
        read_people(
            {
                "stakeholders": {"file": "s.csv", "kind": "customers"},
                "employees": {"file": "e.csv", "kind": "employees"},
            },
            market(),
            tmp_path,
        )


def test_firms_of_a_table_can_be_translated_and_none_said_by_null(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("id,brand\na,A\nb,B\nc,X\nd,\n")
    people = read_people(
        {
            "stakeholders": {
                "file": "s.csv",
                "kind": "customers",
                "columns": {"tied": "brand"},
                "firms": {"A": "ours", "B": "theirs", "X": None},
            }
        },
        market(),
        tmp_path,
    )
    assert people.tied.tolist() == [0, 1, -1, -1]


def test_departments_from_two_firms_in_one_table_go_to_their_firms(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("id,tied,department\na,ours,2\nb,ours,10\nc,theirs,7\n")
    applied = apply_people(
        {"employees": {"file": "e.csv", "kind": "employees", "departments": "from_table"}},
        market(),
        tmp_path,
    )
    # A firm of one department runs everything there; where there are several, owners keep a desk.
    assert [[d.key for d in f.departments] for f in applied.firms] == [
        ["2", "10", "back", "front"],
        ["7"],
    ]
    assert applied.people is not None
    assert applied.people.department.tolist() == [0, 1, 0]
    assert applied.firms[0].departments[0].label == "Department 2"


def test_stakeholders_of_the_table_are_all_there_are_of_their_type(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("id,tied\na,ours\nb,ours\n")
    mapping = {"stakeholders": {"file": "s.csv", "kind": "customers"}}
    applied = apply_people(mapping, market(), tmp_path)
    assert applied.people is not None
    assert applied.people.beside == ()
    assert (build_world(applied, 1, 0).kind == 0).sum() == 2


def test_departments_of_a_table_act_as_the_configured_ones_by_staff(tmp_path: Path) -> None:
    few, many = (
        Department(k, k, a, 0.5, s) for k, a, s in (("front", 0.2, 0.1), ("back", 0.6, 0.9))
    )
    applied = apply_people(
        {"employees": {**EMPLOYEES, "departments": "from_table"}},
        market(firms=(firm(departments=(few, many)), firm("theirs"))),
        DATA,
    )
    assert [d.acts for d in applied.firms[0].departments][:2] == pytest.approx([0.56, 0.56])


def test_owners_that_a_table_does_not_name_keep_a_desk_that_changes_no_insight() -> None:
    """Their mechanisms dent one another as before; nobody works and nothing is heard there."""
    applied = apply_people(
        {
            "employees": {**EMPLOYEES, "departments": "from_table"},
            "employee_ties": EMPLOYEE_TIES,
        },
        market(quarters=1),
        DATA,
    )
    sales, works, back, front = applied.firms[0].departments
    assert (back.label, front.label) == ("Back", "Front")
    people = build_world(applied, 1, 0)
    assert not np.isin(people.department[people.tied == 0], [2, 3]).any()
    assert not people.routing[0][2:].any()
    assert not people.routing[0][:, 2:].any()
    run = Run(applied, (arm(applied),), 1, 0, people)
    single = replace(applied.firms[1].departments[0], hears=1.0, staff=1.0)
    other = replace(
        applied,
        firms=(
            replace(applied.firms[0], departments=(sales, works)),
            replace(applied.firms[1], departments=(single,)),
        ),
        mechanisms=tuple(replace(m, owner="sales") for m in applied.mechanisms),
    )
    alone = Run(other, (arm(other),), 1, 0, build_world(other, 1, 0))
    assert run.firms.delivered[0] == pytest.approx(alone.firms.delivered[0], rel=1e-12)
    assert run.firms.delay[0] == pytest.approx(alone.firms.delay[0], rel=1e-12)
    owners = run.given.owner[0, :, 0]
    assert {applied.firms[0].departments[d].key for d in owners} == {"front", "back"}


def test_departments_without_a_column_of_departments_are_refused(tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("id\nx\n")
    for given in ("from_table", {"dept": "front"}):
        mapping = {"employees": {"file": "n.csv", "kind": "employees", "departments": given}}
        with pytest.raises(ValueError, match=r"n.csv, line 1: no column 'department' for people"):
            read_people(mapping, market(), tmp_path)


def test_a_market_of_own_tables_runs() -> None:
    mapping = {
        "stakeholders": {"file": "stakeholders.csv"},
        "ties": {"file": "ties.csv", "hears": "target"},
        "employees": EMPLOYEES,
        "employee_ties": EMPLOYEE_TIES,
    }
    told_market = apply_people(mapping, market(quarters=2), DATA)
    history = simulate(told_market, [arm(told_market), arm(told_market, "ads", advertising=9.0)], 1)
    assert np.isfinite(history.measures[1:, 0]).all()
    assert not np.array_equal(history.spending[..., 0], history.spending[..., 1])


def test_untold_departments_of_a_firm_without_table_stay_as_configured() -> None:
    theirs = firm("theirs", departments=(Department("all", "All", 0.5, 1.0, 1.0),))
    applied = apply_people(
        {"employees": {**EMPLOYEES, "departments": "from_table"}},
        market(firms=(firm(), theirs)),
        DATA,
    )
    assert applied.firms[1] == theirs
