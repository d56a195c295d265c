"""A study's folder: nothing is lost, mixed or overwritten, and every column is explained."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from experiments import settings, store
from experiments.journal import ARRAYS, UnitResult, read_unit, write_unit
from experiments.provenance import Identity, differences, flatten, load_identity, save_identity

ODD_NUMBERS = [0.1, 1 / 3, 1e-300, -2.5e17, math.pi, 5e-324, float("nan")]


@pytest.fixture
def identity() -> Identity:
    return Identity(
        settings={"quarters": 4, "physics.anchor": 0.02, "seed": 1},
        inputs={"the scenario": "aa", "arm as_is": "bb"},
        code={"sim/engine.py": "cc"},
        packages={"numba": "0.68.1"},
    )


def scorecard(values: list[float]) -> pd.DataFrame:
    n = len(values)
    rows = {"arm": ["as_is"] * n, "replication": range(n), "quarter": 1, "kpi": "trust"}
    return pd.DataFrame({**rows, "value": values, "reading": values[::-1]})


def test_floats_read_back_to_the_same_bits(tmp_path: Path, identity: Identity) -> None:
    store.open_folder(tmp_path, identity)
    store.write_table(tmp_path, "scorecard", scorecard(ODD_NUMBERS))
    back = store.read_table(tmp_path, "scorecard")
    assert back["value"].to_numpy().tobytes() == np.array(ODD_NUMBERS).tobytes()
    assert back["reading"].to_numpy().tobytes() == np.array(ODD_NUMBERS[::-1]).tobytes()


def test_text_reads_back_as_it_was_even_if_it_looks_like_something_else(
    tmp_path: Path, identity: Identity
) -> None:
    store.open_folder(tmp_path, identity)
    texts = ["", "NA", "1e5", "null", 'a "quoted", line\nand another', "ü ≥ 1"]
    frame = pd.DataFrame([("run", text, "-", text) for text in texts],
                         columns=store.columns_of("dictionary"))  # fmt: skip
    store.write_table(tmp_path, "dictionary", frame)
    assert list(store.read_table(tmp_path, "dictionary")["meaning"]) == texts


def test_a_table_with_other_columns_than_the_dictionary_says_is_refused(
    tmp_path: Path, identity: Identity
) -> None:
    store.open_folder(tmp_path, identity)
    with pytest.raises(store.StoreError, match="scorecard"):
        store.write_table(tmp_path, "scorecard", scorecard([1.0]).rename(columns={"kpi": "name"}))


def test_the_dictionary_explains_every_column_once_also_its_own() -> None:
    rows = store.dictionary("thousand euro")
    pairs = list(zip(rows["table"], rows["column"], strict=True))
    assert len(pairs) == len(set(pairs))
    assert set(rows["table"]) == set(store.TABLE_NAMES)
    assert (rows["unit"].str.len() > 0).all()
    assert (rows["meaning"].str.len() > 5).all()


def test_money_is_in_the_scenarios_currency() -> None:
    rows = store.dictionary("thousand euro").set_index(["table", "column"])["unit"]
    assert rows["runs", "net_present_value"] == "thousand euro"
    assert rows["spending", "value"] == "thousand euro/quarter"


def test_a_new_folder_never_reuses_an_old_one(tmp_path: Path) -> None:
    names = [store.new_folder(tmp_path / "results", "2030-01-01_village").name for _ in range(3)]
    assert names == ["2030-01-01_village", "2030-01-01_village-2", "2030-01-01_village-3"]


def test_a_folder_with_other_things_in_it_is_refused_and_left_alone(
    tmp_path: Path, identity: Identity
) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(store.StoreError, match="is not empty and holds no study"):
        store.open_folder(tmp_path, identity)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_instead_of_a_folder_is_refused(tmp_path: Path, identity: Identity) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(store.StoreError, match="is a file"):
        store.open_folder(tmp_path / "thesis.txt", identity)


def test_the_same_study_is_continued(tmp_path: Path, identity: Identity) -> None:
    assert not store.open_folder(tmp_path, identity)
    assert store.open_folder(tmp_path, identity)


def test_a_folder_that_a_killed_start_left_empty_can_be_used(
    tmp_path: Path, identity: Identity
) -> None:
    (tmp_path / store.JOURNAL).mkdir()
    (tmp_path / store.JOURNAL / ".identity.json.4711.part").write_text("{")
    assert not store.open_folder(tmp_path, identity)


@pytest.mark.parametrize(
    ("part", "changed", "said"),
    [
        ("settings", {"quarters": 5}, "quarters: 4 in the folder, 5 now"),
        ("settings", {"seed": 2}, "seed: 1 in the folder, 2 now"),
        ("settings", {"lanes": 8}, "lanes: absent in the folder, 8 now"),
        ("inputs", {"the scenario": "xx"}, "the scenario has changed"),
        ("code", {"sim/engine.py": "xx"}, "the code of sim/engine.py has changed"),
        ("packages", {"numba": "0.70"}, "numba '0.68.1' in the folder, '0.70' now"),
    ],
)
def test_another_study_is_refused_and_what_changed_is_said(
    tmp_path: Path, identity: Identity, part: str, changed: dict[str, object], said: str
) -> None:
    store.open_folder(tmp_path, identity)
    other = replace(identity, **{part: {**getattr(identity, part), **changed}})
    with pytest.raises(store.StoreError) as error:
        store.open_folder(tmp_path, other)
    assert said in str(error.value)
    assert load_identity(tmp_path / store.JOURNAL / store.IDENTITY) == identity


def test_a_long_list_of_differences_is_cut(identity: Identity) -> None:
    other = replace(identity, settings={f"key{i}": i for i in range(50)})
    said = differences(identity, other)
    assert len(said) == 9
    assert said[-1].startswith("and ")


def test_an_identity_survives_the_disk(tmp_path: Path, identity: Identity) -> None:
    save_identity(identity, tmp_path / "identity.json")
    assert differences(load_identity(tmp_path / "identity.json"), identity) == []


def test_nested_settings_become_dotted_keys() -> None:
    tree = {"a": {"b": 1, "c": [2, {"d": 3}]}, "e": {}, "f": None}
    assert dict(flatten(tree)) == {"a.b": 1, "a.c.0": 2, "a.c.1.d": 3, "e": None, "f": None}


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    target.write_text("before")

    def half_a_write(part: Path) -> None:
        part.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.write_whole(target, half_a_write)
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def unit() -> UnitResult:
    return UnitResult(
        replication=3,
        arms=("as_is", "bold"),
        errors=("", "Traceback ...\nValueError: no"),
        kpi=np.linspace(0, 1, 12).reshape(2, 3, 2) / 3,
        measures=np.full((2, 1, 1, 1, 2), np.nan),
        spending=np.zeros((1, 4, 2)),
        spending_worth=np.zeros((1, 4, 2)),
        afforded=np.ones((1, 2, 2)),
        reorganization=np.array([[0.0, 9.5]]),
        insight=np.linspace(0, 2, 24).reshape(2, 3, 2, 2),
        reading=np.linspace(0, 1, 12).reshape(2, 3, 2) / 7,
        managed=np.zeros((1, 4, 2)),
        board_cut=np.array([[0.0, 0.3]]),
    )


def test_a_unit_reads_back_to_the_same_bits(tmp_path: Path, identity: Identity) -> None:
    store.open_folder(tmp_path, identity)
    write_unit(tmp_path, "000003-abc", unit())
    back = read_unit(tmp_path, "000003-abc")
    assert back is not None
    assert (back.replication, back.arms, back.errors) == (3, unit().arms, unit().errors)
    for name in ARRAYS:
        assert getattr(back, name).tobytes() == getattr(unit(), name).tobytes()


def test_a_unit_that_was_never_computed_is_none(tmp_path: Path) -> None:
    assert read_unit(tmp_path, "000003-abc") is None


def test_an_unfinished_study_cannot_be_read_as_finished(tmp_path: Path, identity: Identity) -> None:
    store.open_folder(tmp_path, identity)
    with pytest.raises(store.StoreError, match="holds no finished study"):
        store.read_study(tmp_path)


def test_settings_and_manifest_are_readable_without_this_program(
    tmp_path: Path, identity: Identity
) -> None:
    store.open_folder(tmp_path, identity)
    store.write_settings(tmp_path, {"label": "Küche", "quarters": 4, "tied": [0.1, 0.2]})
    store.write_manifest(tmp_path, {"seed": 1})
    assert "label: Küche\nquarters: 4\n" in (tmp_path / store.SETTINGS).read_text("utf-8")
    assert json.loads((tmp_path / store.MANIFEST).read_text()) == {"seed": 1}


def test_settings_are_written_as_the_slower_yaml_library_would(tmp_path: Path) -> None:
    resolved = json.loads(json.dumps(settings.load(["scenario=association"]).resolved))
    store.write_settings(tmp_path, resolved)
    text = (tmp_path / store.SETTINGS).read_text("utf-8")
    assert text == yaml.safe_dump(resolved, sort_keys=False, allow_unicode=True)
    assert yaml.safe_load(text) == resolved
