"""Closer looks at single arms: journalled like any run, and added up in tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments import accounts, analysis, attribution, designs, inquiries, results, runner, store
from experiments.accounts import ALL, EVERYBODY, REMAINDER, ledger_summary
from experiments.conduct import Question
from experiments.inquiries import LEDGER, SHAPLEY
from experiments.journal import Answer, Runs, read_answer, write_answer
from experiments.progress import Silence
from experiments.rehearsal import _everybody
from experiments.runner import block_sizes, run_study
from experiments.settings import SettingsError, load
from experiments.workers import Workers
from sim import kpis, ledger
from sim.engine import simulate
from sim.flows import Flow
from sim.influenced import ENTRIES


def ask(*overrides: str) -> Question:
    base = ["scenario=village", "quarters=1", "replications=2", "twins=none", "lanes=16",
            "portfolios=[as_is,fast_service,advertising_only]"]  # fmt: skip
    settings = load([*base, *overrides])
    return Question(settings.scenario, settings.study, settings.resolved, (), None, "test")


def run(question: Question, folder: Path, jobs: int = 1) -> Runs:
    store.open_folder(folder, question.identity())
    with Workers(jobs) as workers:
        return run_study(
            question.scenario, question.study, folder, workers=workers, progress=Silence()
        )


def csv(question: Question, runs: Runs, *names: str) -> list[str]:
    tables = results.tables_of(question.scenario, question.study, runs)
    return [tables[name].to_csv() for name in names]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Question, Runs]:
    question = ask("ledger=first")
    return question, run(question, tmp_path_factory.mktemp("ledger"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Question, Runs]:
    question = ask("shapley=true", "portfolios=[as_is,fast_service]")
    return question, run(question, tmp_path_factory.mktemp("shapley"))


def test_nothing_is_looked_at_unless_asked_for(tmp_path: Path) -> None:
    question = ask()
    runs = run(question, tmp_path)
    assert runs.answers == ()
    tables = results.tables_of(question.scenario, question.study, runs)
    for name in ("ledger", "shapley", "interactions"):
        assert list(tables[name].columns) == store.columns_of(name)
        assert tables[name].empty


def test_the_ledger_is_kept_of_the_baseline_and_the_first_ranked(
    counted: tuple[Question, Runs],
) -> None:
    question, runs = counted
    table = results.tables_of(question.scenario, question.study, runs)["ledger"]
    best = runner.first_ranked(question.study, runs)
    assert list(table["arm"].unique()) == ["as_is", best]
    assert sorted(table["flow"].unique()) == [0, 1, 2, 3, 4, 5, 6]
    assert set(zip(table["influenced"], table["what"], strict=True)) == set(ENTRIES)
    assert set(table.query("what == 'provider'")["kind"]) == {"households"}
    assert set(table.query("what == 'engagement'")["kind"]) == {"employees"}
    whole = table[["count_more", "count_less", "count_other"]].sum(axis=1) / table["of"]
    assert (whole == table["share"]).all()
    assert table["share"].between(0, 1).all()


@pytest.mark.parametrize(("setting", "arms"), [("all", 3), ("first", 2), ("none", 0)])
def test_as_many_arms_are_counted_as_asked_for(setting: str, arms: int) -> None:
    study = ask(f"ledger={setting}").study
    assert inquiries.arms_planned(study)[LEDGER] == arms
    planned = designs.arms(study, ask().scenario)
    found = inquiries.inquiries_of(study, planned, "fast_service")
    assert len(found) == arms * study.replications
    assert sum(one.n_runs for one in found) == inquiries.runs_planned(study) * study.replications


def test_processes_and_lanes_change_no_byte_of_the_ledger(
    counted: tuple[Question, Runs], tmp_path: Path
) -> None:
    question, runs = counted
    reference = csv(question, runs, "ledger")
    assert csv(question, run(question, tmp_path / "jobs", jobs=2), "ledger") == reference
    narrow = ask("ledger=first", "lanes=4")
    assert csv(narrow, run(narrow, tmp_path / "lanes"), "ledger") == reference


def test_a_threshold_reaches_the_count(tmp_path: Path, counted: tuple[Question, Runs]) -> None:
    coarse = ask("ledger=first", "ledger_thresholds.attitude=2", "ledger_thresholds.salience=1")
    tables = results.tables_of(coarse.scenario, coarse.study, run(coarse, tmp_path))["ledger"]
    fine = results.tables_of(counted[0].scenario, counted[0].study, counted[1])["ledger"]
    assert tables.query("influenced == 'think'")["share"].sum() == 0
    assert fine.query("influenced == 'think'")["share"].sum() > 0
    done = ["what == 'provider'", "what == 'voice'", "what == 'advocacy'"]
    for query in done:
        pd.testing.assert_frame_equal(tables.query(query), fine.query(query))


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("ledger=some", "ledger='some' is unknown"),
        ("ledger_thresholds.attitude=3", "ledger_thresholds.attitude"),
        ("ledger_thresholds.atitude=1", "did you mean 'attitude'?"),
        ("shapley=2", "shapley"),
    ],
)
def test_a_wrong_setting_is_refused(override: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said.replace("?", r"\?")):
        ask(override)


def test_what_is_finished_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    question = ask("ledger=first")
    before = csv(question, run(question, tmp_path), "ledger")

    def never(*_: object, **__: object) -> None:
        raise AssertionError("run again")

    monkeypatch.setattr(ledger, "keep_ledger", never)
    assert csv(question, run(question, tmp_path), "ledger") == before


def test_a_look_that_fails_is_a_failed_row_and_spoils_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = ask("ledger=first")
    inner = ledger.keep_ledger

    def breaking(scenario, arm, twins, seed, replication, *rest, **more):  # type: ignore[no-untyped-def]
        if replication == 1 and arm.key == "as_is":
            raise RuntimeError("broken book")
        return inner(scenario, arm, twins, seed, replication, *rest, **more)

    monkeypatch.setattr(ledger, "keep_ledger", breaking)
    runs = run(question, tmp_path)
    assert runs.counts() == {"finished": 3 * 2 + 3, "failed": 1}
    tables = results.tables_of(question.scenario, question.study, runs)
    failed = tables["runs"].query("status == 'failed'")
    assert failed["run_id"].tolist() == ["ledger-as_is-0001"]
    assert "broken book" in failed["error"].iloc[0]
    kept = tables["ledger"][["arm", "replication"]].drop_duplicates()
    assert len(kept) == 3
    monkeypatch.setattr(ledger, "keep_ledger", inner)
    assert run(question, tmp_path).counts() == {"finished": 10, "failed": 0}


def test_an_answer_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / store.JOURNAL).mkdir()
    told = Answer(LEDGER, 3, "as_is", "", {"counts": np.arange(6).reshape(2, 3)})
    write_answer(tmp_path, "x", told)
    found = read_answer(tmp_path, "x")
    assert found is not None
    assert (found.kind, found.replication, found.arm, found.error) == (LEDGER, 3, "as_is", "")
    assert (found.arrays["counts"] == told.arrays["counts"]).all()
    assert read_answer(tmp_path, "y") is None


@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 8, 16])
def test_blocks_foretell_every_pass(lanes: int) -> None:
    study = ask("ledger=first", "shapley=true", f"lanes={lanes}").study
    sizes = inquiries.block_sizes(study)
    beside = max(2, min(lanes, 8)) - 1
    assert sum(size - 1 for size in sizes[: 2 * -(-7 // beside)]) == 2 * 7
    assert sum(sizes[2 * -(-7 // beside) :]) == 2 * 64
    assert block_sizes(study)[-len(sizes) :] == sizes
    assert len(_everybody(ask().scenario, study)) >= max(sizes)


# ---- shared out ---------------------------------------------------------------------------------


def test_the_whole_coalition_is_the_arm_and_all_but_one_its_twins(
    shared: tuple[Question, Runs],
) -> None:
    question, runs = shared
    arm = designs.arms(question.study, question.scenario)[0]
    found = next(a for a in runs.answers if a.arm == "as_is" and a.replication == 1)
    twins = [twin for _, twin in designs.twins(arm, 2)]
    kpi = simulate(question.scenario, [arm, *twins], question.study.seed, 1).kpi[-1]
    assert np.array_equal(found.arrays["kpi"][:, 63], kpi[:, 0], equal_nan=True)
    for flow in Flow:
        without = found.arrays["kpi"][:, 63 ^ (1 << (flow - 1))]
        assert np.array_equal(without, kpi[:, flow], equal_nan=True)


def test_shapley_values_add_up_to_all_flows_less_none(shared: tuple[Question, Runs]) -> None:
    question, runs = shared
    table = results.tables_of(question.scenario, question.study, runs)["shapley"]
    for arm in ("as_is", "fast_service"):
        own = [a.arrays["kpi"] for a in runs.answers if a.arm == arm]
        for kpi in question.study.headline:
            row = kpis.INDEX[kpi]
            whole = np.mean([found[row, 63] - found[row, 0] for found in own])
            part = table[(table["arm"] == arm) & (table["against"] == "") & (table["kpi"] == kpi)]
            assert part["value"].sum() == pytest.approx(whole, rel=1e-9, abs=1e-9)
            assert (part["n"] == 2).all()
            assert ((part["low"] <= part["value"]) & (part["value"] <= part["high"])).all()


def test_the_gain_s_shares_are_the_difference_of_both_sides(
    shared: tuple[Question, Runs],
) -> None:
    question, runs = shared
    table = results.tables_of(question.scenario, question.study, runs)["shapley"]
    parts = {key: rows["value"].to_numpy() for key, rows in table.groupby(["arm", "against"])}
    gain = parts["fast_service", ""] - parts["as_is", ""]
    assert parts["fast_service", "as_is"] == pytest.approx(gain, rel=1e-9, abs=1e-9)


def answers(games: dict[str, list[np.ndarray]], kpi: str = "trust") -> list[Answer]:
    """Answers in which one indicator plays the given games, a replication each."""
    made = []
    for arm, values in games.items():
        for replication, value in enumerate(values):
            table = np.zeros((len(kpis.TABLE), 64))
            table[kpis.INDEX[kpi]] = value
            made.append(Answer(SHAPLEY, replication, arm, "", {"kpi": table}))
    return made


def pair(size: float) -> np.ndarray:
    """Flows 1 and 2 achieve `size` together and nothing apart; flow 3 achieves 1 alone."""
    return np.array([size * (c & 3 == 3) + (c >> 2 & 1) for c in range(64)], float)


def test_a_pair_shares_what_it_achieves_together_worked_out_by_hand() -> None:
    study = replace(ask().study, headline=("trust",))
    found = answers({"as_is": [pair(2.0), pair(6.0)]})
    table = accounts.shapley_table(study, found).set_index("flow")
    assert table["value"].tolist() == pytest.approx([2, 2, 1, 0, 0, 0])
    assert table["main_effect"].tolist() == pytest.approx([0, 0, 1, 0, 0, 0])
    assert table["last_in"].tolist() == pytest.approx([4, 4, 1, 0, 0, 0])
    # Of two replications a resample holds both, or one twice: half of all, a quarter each.
    assert table.loc[1, ["low", "high"]].tolist() == pytest.approx([1, 3])
    assert table.loc[3, ["low", "high"]].tolist() == pytest.approx([1, 1])
    both = accounts.interactions_table(study, found).set_index(["flow", "other"])["value"]
    assert both[1, 2] == pytest.approx(4)
    assert both.drop((1, 2)).abs().max() == pytest.approx(0)
    assert len(both) == 15


def test_replications_that_lack_a_value_in_one_combination_are_left_out() -> None:
    study = replace(ask().study, headline=("trust",))
    gap = pair(2.0)
    gap[5] = np.nan
    table = accounts.shapley_table(study, answers({"as_is": [gap, pair(2.0)]}))
    assert (table["n"] == 1).all()
    assert table["low"].isna().all()
    assert accounts.shapley_table(study, answers({"as_is": [gap]})).empty


def test_the_difference_is_taken_within_replications_alone() -> None:
    study = replace(ask().study, headline=("trust",))
    found = answers({"as_is": [pair(1.0)], "fast_service": [pair(3.0), pair(100.0)]})
    table = accounts.shapley_table(study, found).set_index(["arm", "against", "flow"])
    assert table.loc[("fast_service", "as_is", 1), "value"] == pytest.approx(1.0)
    assert table.loc[("fast_service", "as_is", 1), "n"] == 1


# ---- summary ------------------------------------------------------------------------------------


def test_a_summary_adds_everybody_up_and_shows_what_flows_do_only_together() -> None:
    """Of 30 and 10 people flow 1 moves 3 and 1 in favour, flow 2 one against; both together 5."""
    rows = []
    for flow in range(7):
        moved = {0: ((5, 0), (0, 0)), 1: ((3, 0), (1, 0)), 2: ((0, 1), (0, 0))}
        counts = moved.get(flow, ((0, 0), (0, 0)))
        for (kind, of), (more, less) in zip((("a", 30), ("b", 10)), counts, strict=True):
            share = (more + less) / of
            rows.append(("x-0000", "x", 0, 4, flow, kind, "think", "attitude", more, less, 0, of,
                         share))  # fmt: skip
    table = pd.DataFrame(rows, columns=store.columns_of("ledger"))
    found = ledger_summary(table, 4).set_index(["kind", "flow", "measure"])["mean"]
    assert found[EVERYBODY, 1, "share"] == pytest.approx(4 / 40)
    assert found["b", 1, "share"] == pytest.approx(1 / 10)
    assert found[EVERYBODY, 2, "net"] == pytest.approx(-1 / 40)
    assert found[EVERYBODY, ALL, "more"] == pytest.approx(5 / 40)
    assert found[EVERYBODY, REMAINDER, "share"] == pytest.approx((5 - 4 - 1) / 40)
    assert found[EVERYBODY, REMAINDER, "net"] == pytest.approx((5 - 4 + 1) / 40)
    assert ledger_summary(table, 3).empty


def test_a_summary_averages_over_replications(counted: tuple[Question, Runs]) -> None:
    question, runs = counted
    table = results.tables_of(question.scenario, question.study, runs)["ledger"]
    found = ledger_summary(table, 1)
    assert (found["n"] == 2).all()
    own = table.query("arm == 'as_is' and kind == 'households' and what == 'voice' and flow == 2")
    row = found.query("arm == 'as_is' and kind == 'households' and what == 'voice' and flow == 2")
    assert row.query("measure == 'share'")["mean"].iloc[0] == pytest.approx(own["share"].mean())
    assert analysis.LEVEL == accounts.LEVEL
    assert attribution.shapley(pair(1.0)).sum() == pytest.approx(2.0)
