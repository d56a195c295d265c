"""Running a study: nothing finished is lost, nothing is run twice, and nothing depends on how."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import analysis, designs, results, runner, store, worlds
from experiments.conduct import Question, conduct, finish
from experiments.designs import Study
from experiments.journal import ARRAYS, Planned, Runs, UnitResult, read_unit
from experiments.progress import Bar, Silence, in_words
from experiments.ranking import ranking
from experiments.runner import (
    Unit,
    block_sizes,
    first_ranked,
    run_study,
    twins_planned,
    units_of,
)
from experiments.settings import load
from experiments.workers import Workers
from sim import engine, kpis
from sim.plans import Arm
from sim.scenario import Scenario
from sim.state import World

REPLICATIONS = 3
GUILTY = "fast_service"


@dataclass
class Notes:
    """A watcher that remembers what it was told."""

    total: int = 0
    done: int = 0
    busy: float = 0.0
    said: list[str] = field(default_factory=list)

    def start(self, total: int, done: int) -> None:
        self.total = total
        self.done += done

    def advance(self, runs: int, seconds: float) -> None:
        self.done += runs
        self.busy += seconds

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture(scope="module")
def question() -> Question:
    return ask()


def ask(*overrides: str) -> Question:
    settings = load(
        [
            "scenario=village",
            "quarters=2",
            f"replications={REPLICATIONS}",
            f"portfolios=[as_is,{GUILTY},advertising_only]",
            "lanes=4",
            *overrides,
        ]
    )
    return Question(
        settings.scenario, settings.study, settings.resolved, settings.board, None, "test"
    )


@pytest.fixture
def folder(tmp_path: Path, question: Question) -> Path:
    store.open_folder(tmp_path, question.identity())
    return tmp_path


def run(question: Question, folder: Path, jobs: int = 1, notes: Notes | None = None) -> Runs:
    with Workers(jobs) as workers:
        return run_study(
            question.scenario,
            question.study,
            folder,
            workers=workers,
            progress=notes or Silence(),
        )


def csv_bytes(question: Question, folder: Path, runs: Runs) -> dict[str, bytes]:
    for name, table in results.tables_of(question.scenario, question.study, runs).items():
        store.write_table(folder, name, table)
    return {p.name: p.read_bytes() for p in sorted((folder / store.TABLES).glob("*.csv"))}


@pytest.fixture(scope="module")
def reference(question: Question, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Tables of the study, run in one go in this process."""
    folder = tmp_path_factory.mktemp("reference")
    store.open_folder(folder, question.identity())
    return csv_bytes(question, folder, run(question, folder))


def test_every_planned_run_is_a_finished_row(
    question: Question, folder: Path, reference: dict[str, bytes]
) -> None:
    runs = results.tables_of(question.scenario, question.study, run(question, folder))["runs"]
    assert list(runs["status"].unique()) == ["finished"]
    assert len(runs) == (3 + twins_planned(question.study)) * REPLICATIONS
    assert runs["run_id"].is_unique
    assert list(runs["arm"].unique()[:3]) == ["as_is", GUILTY, "advertising_only"]


def test_two_processes_give_the_same_bytes_as_one(
    question: Question, folder: Path, reference: dict[str, bytes]
) -> None:
    assert csv_bytes(question, folder, run(question, folder, jobs=2)) == reference


def test_other_lanes_per_pass_give_the_same_bytes(
    tmp_path: Path, reference: dict[str, bytes]
) -> None:
    other = ask("lanes=16")
    store.open_folder(tmp_path, other.identity())
    assert csv_bytes(other, tmp_path, run(other, tmp_path)) == reference


def test_a_study_interrupted_anywhere_continues_to_the_same_bytes(
    question: Question,
    folder: Path,
    reference: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, ran = runner.run_unit, []

    def interrupted(*arguments: object) -> UnitResult:
        if len(ran) % 3 == 2:
            ran.append("interrupted")
            raise KeyboardInterrupt
        ran.append("ran")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "run_unit", interrupted)
    for _ in range(20):
        try:
            runs = run(question, folder)
        except KeyboardInterrupt:
            continue
        break
    units = len(runs.results)
    assert ran.count("interrupted") > 1
    assert ran.count("ran") == units, "no unit is run twice"
    assert csv_bytes(question, folder, runs) == reference


def test_a_finished_study_runs_nothing_again(
    question: Question, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(question, folder)
    monkeypatch.setattr(runner, "run_unit", None)
    notes = Notes()
    again = run(question, folder, notes=notes)
    assert again.counts()["finished"] == notes.done == notes.total


def test_exactly_the_missing_unit_is_run(
    question: Question,
    folder: Path,
    reference: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run(question, folder)
    lost = sorted((folder / store.JOURNAL).glob("000001-*.npz"))[0]
    lost.unlink()
    real, ran = runner.run_unit, []
    monkeypatch.setattr(runner, "run_unit", recording(real, ran))
    assert csv_bytes(question, folder, run(question, folder)) == reference
    assert ran == [lost.stem]


def recording(real: Callable[..., UnitResult], ran: list[str]) -> Callable[..., UnitResult]:
    def record(scenario: Scenario, unit: Unit, *rest: int) -> UnitResult:
        ran.append(unit.name)
        return real(scenario, unit, *rest)

    return record


def raising_for(guilty: str, in_replication: int) -> Callable[..., engine.History]:
    """Return an engine that raises whenever a certain arm is among those it shall simulate."""
    real = engine.simulate

    def simulate(
        scenario: Scenario, arms: tuple[Arm, ...], seed: int, replication: int, **options: int
    ) -> engine.History:
        if replication == in_replication and any(arm.key == guilty for arm in arms):
            raise FloatingPointError(f"{guilty} went wrong")
        return real(scenario, arms, seed, replication, **options)

    return simulate


def test_one_arm_that_raises_is_one_failed_row_and_spoils_no_other(
    question: Question,
    folder: Path,
    reference: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "simulate", raising_for(GUILTY, 1))
    done = run(question, folder)
    tables = results.tables_of(question.scenario, question.study, done)
    failed = tables["runs"].query("status == 'failed'")
    assert [(row.arm, row.replication) for row in failed.itertuples()] == [(GUILTY, 1)]
    assert "FloatingPointError: fast_service went wrong" in failed["error"].iloc[0]
    assert "Traceback" in failed["error"].iloc[0]
    assert done.counts()["failed"] == 1
    left = tables["scorecard"].query(f"arm == '{GUILTY}'")["replication"].unique()
    assert list(left) == [0, 2]

    monkeypatch.undo()
    assert csv_bytes(question, folder, run(question, folder)) == reference


def die_once(mark: Path, folder: Path, scenario: Scenario, unit: Unit, *rest: Any) -> object:
    """Kill the worker process at the first try of replication 1, then behave."""
    if unit.replication == 1 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return runner.journal_unit(folder, scenario, unit, *rest)


def die_always(folder: Path, scenario: Scenario, unit: Unit, *rest: Any) -> object:
    """Kill whichever worker process takes replication 1."""
    if unit.replication == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return runner.journal_unit(folder, scenario, unit, *rest)


def test_a_killed_worker_costs_nothing(
    question: Question,
    folder: Path,
    tmp_path: Path,
    reference: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner, "journal_unit", partial(die_once, tmp_path / "mark"))
    runs = run(question, folder, jobs=2)
    assert (tmp_path / "mark").exists()
    assert csv_bytes(question, folder, runs) == reference


def test_a_unit_that_always_kills_its_worker_fails_alone(
    question: Question, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "journal_unit", die_always)
    alone = replace(question, study=replace(question.study, twins="none"))
    runs = run(alone, folder, jobs=2)
    table = results.tables_of(question.scenario, question.study, runs)["runs"]
    assert sorted(table.query("status == 'failed'")["replication"].unique()) == [1]
    assert sorted(table.query("status == 'finished'")["replication"].unique()) == [0, 2]
    assert table.query("status == 'failed'")["error"].str.contains("died 3 times").all()


def test_a_world_that_cannot_be_built_is_a_failed_row_that_says_why(
    question: Question, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = worlds.world_of

    def build(scenario: Scenario, seed: int, replication: int, *rest: Any) -> World:
        if replication == 2:
            raise ValueError("too many employees")
        return real(scenario, seed, replication, *rest)

    monkeypatch.setattr(worlds, "world_of", build)
    table = results.tables_of(question.scenario, question.study, run(question, folder))["runs"]
    failed = table.query("status == 'failed'")
    assert list(failed["replication"].unique()) == [2]
    assert failed["error"].str.contains("too many employees").all()


def test_a_disk_that_takes_nothing_ends_the_study(
    question: Question, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device", "journal")

    monkeypatch.setattr(runner, "write_unit", full)
    with pytest.raises(OSError, match="No space left"):
        run(question, folder)


def test_nothing_but_units_stays_in_the_journal(question: Question, folder: Path) -> None:
    journal = folder / store.JOURNAL
    (journal / worlds.FOLDER).mkdir()
    (journal / worlds.FOLDER / "000000.npz").write_bytes(b"of a study that was killed")
    old, fresh = journal / ".000000-a.npz.1.part", journal / ".000000-b.npz.2.part"
    for part in (old, fresh):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    run(question, folder)
    left = {path.name for path in journal.iterdir() if path.suffix != ".npz"}
    assert left == {store.IDENTITY, fresh.name}


def test_progress_ends_where_it_said_it_would(question: Question, folder: Path) -> None:
    notes = Notes()
    run(question, folder, notes=notes)
    assert notes.done == notes.total == (3 + 12) * REPLICATIONS


@pytest.mark.parametrize(("twins", "n"), [("none", 0), ("first", 2), ("all", 3)])
def test_twins_are_run_for_the_arms_that_the_study_names(
    question: Question, folder: Path, twins: str, n: int
) -> None:
    study = replace(question.study, twins=twins, replications=1)
    runs = run(replace(question, study=study), folder)
    muted = [planned for planned in runs.planned if planned.flow]
    assert len(muted) == 6 * n == twins_planned(study)
    assert len({planned.twin_of for planned in muted}) == n
    assert sorted(len(unit.arms) for unit in runs.results) == sorted(block_sizes(study))
    assert {planned.flow for planned in muted} == (set(range(1, 7)) if n else set())


def test_the_first_ranked_is_the_one_that_the_ranking_puts_first(
    question: Question, folder: Path
) -> None:
    runs = run(question, folder)
    study = question.study
    keys = [portfolio.key for portfolio in study.portfolios]
    table = results.tables_of(question.scenario, study, runs)["scorecard"]
    order = ranking(analysis.cube_of(table, keys), study.baseline, study.headline)["arm"]
    assert first_ranked(study, runs) == next(key for key in order if key != study.baseline)


def made_up(study: Study, scenario: Scenario, ends: dict[str, list[float]]) -> Runs:
    """Runs whose first headline indicator ends as given."""
    arms = designs.arms(study, scenario)
    row = kpis.INDEX[study.headline[0]]
    parts = []
    for r in range(study.replications):
        kpi = np.zeros((scenario.quarters + 1, len(kpis.TABLE), len(arms)))
        kpi[-1, row] = [ends[arm.key][r] for arm in arms]
        keys = tuple(arm.key for arm in arms)
        empty = np.zeros(0)
        rest = dict.fromkeys(ARRAYS[1:], empty) | {"reading": kpi}
        parts.append(UnitResult(r, keys, ("",) * len(keys), kpi, **rest))
    return Runs(tuple(Planned(arm) for arm in arms), tuple(parts))


def test_ranking_pairs_replications_and_leaves_out_what_is_missing(question: Question) -> None:
    nan = float("nan")
    ends = {
        "as_is": [10.0, 20.0, 30.0],
        GUILTY: [11.0, 21.0, nan],
        "advertising_only": [10.0, 20.0, 32.0],
    }
    assert first_ranked(question.study, made_up(question.study, question.scenario, ends)) == GUILTY


def test_where_less_is_better_the_lowest_is_first(question: Question) -> None:
    study = replace(question.study, headline=("insight_weeks",))
    ends = {"as_is": [5.0] * 3, GUILTY: [4.0] * 3, "advertising_only": [6.0] * 3}
    assert first_ranked(study, made_up(study, question.scenario, ends)) == GUILTY


def test_units_go_replication_by_replication(question: Question) -> None:
    arms = designs.arms(question.study, question.scenario)
    units = units_of(arms, replace(question.study, lanes=2))
    assert [(unit.replication, len(unit.arms)) for unit in units] == [
        (0, 2), (0, 1), (1, 2), (1, 1), (2, 2), (2, 1),
    ]  # fmt: skip
    assert len({unit.name for unit in units}) == len(units)


def test_influence_is_the_run_minus_its_twin(question: Question, folder: Path) -> None:
    runs = run(question, folder)
    table = results.tables_of(question.scenario, question.study, runs)["influence"]
    at = runs.index()
    (unit, lane), (twin_unit, twin) = at["as_is", 2], at["as_is~flow2", 2]
    trust, kind = kpis.MEASURES.index("trust"), 0
    key = question.scenario.stakeholders[kind].key
    row = table.query(
        f"arm == 'as_is' and replication == 2 and quarter == 2 and flow == 2"
        f" and kind == '{key}' and measure == 'trust'"
    )
    expected = unit.measures[2, trust, kind, 0, lane] - twin_unit.measures[2, trust, kind, 0, twin]
    assert list(row["value"]) == [expected]


def test_realised_cost_is_the_discounted_spending(question: Question, folder: Path) -> None:
    tables = results.tables_of(question.scenario, question.study, run(question, folder))
    row = tables["runs"].query("replication == 0 and muted_flow == 0").set_index("arm")
    spent = tables["spending"].query("replication == 0").groupby("arm")["present_value"].sum()
    assert row["realised_cost"].to_dict() == pytest.approx(spent.to_dict(), rel=1e-12)
    assert (row["quarters_cut"] == 0).all()
    # What is realised beyond the baseline is to the cent what was planned, set-up included.
    beyond = row["realised_cost"][GUILTY] - row["realised_cost"][question.study.baseline]
    assert beyond == pytest.approx(question.study.planned_cost, rel=1e-9)
    assert row["planned_cost"][GUILTY] == pytest.approx(question.study.planned_cost, rel=1e-9)


def test_a_budget_that_cuts_the_plan_stands_in_the_table(tmp_path: Path) -> None:
    poor = ask("organization.policy.budget=1500", "twins=none", "replications=1")
    store.open_folder(tmp_path, poor.identity())
    row = results.tables_of(poor.scenario, poor.study, run(poor, tmp_path))["runs"]
    row = row.set_index("arm")
    assert row["quarters_cut"][GUILTY] > 0
    assert 0 < row["least_afforded"][GUILTY] < 1
    beyond = row["realised_cost"][GUILTY] - row["realised_cost"]["as_is"]
    assert beyond < row["planned_cost"][GUILTY]


def test_every_table_has_exactly_the_columns_of_the_dictionary(
    question: Question, folder: Path
) -> None:
    tables = results.tables_of(question.scenario, question.study, run(question, folder))
    said = tables["dictionary"]
    found = [(name, column) for name, table in tables.items() for column in table.columns]
    assert sorted(found) == sorted(zip(said["table"], said["column"], strict=True))


def test_every_indicator_and_measure_has_a_unit() -> None:
    table = results.indicators("euro", kpis.TABLE)
    assert len(table) == len(kpis.TABLE) + len(kpis.MEASURES)
    assert (table["unit"].str.len() > 0).all()
    assert not table["unit"].str.contains("currency").any()


def test_another_seed_is_another_study(question: Question, folder: Path) -> None:
    with pytest.raises(store.StoreError, match="seed: 1 in the folder, 2 now"):
        conduct(ask("seed=2"), folder, 1, Notes(), finish)


def test_the_journal_outlives_the_tables(question: Question, folder: Path) -> None:
    run(question, folder)
    names = [path.stem for path in (folder / store.JOURNAL).glob("*.npz")]
    units = [read_unit(folder, name) for name in names]
    assert sum(len(unit.arms) for unit in units if unit) == (3 + 12) * REPLICATIONS


class _Stream:
    """A text stream that may say it is a terminal."""

    def __init__(self, live: bool) -> None:
        self.live = live
        self.text = ""

    def isatty(self) -> bool:
        return self.live

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...


def said(bar: Bar, stream: _Stream) -> str:
    return stream.text.rpartition("\r")[2]


def test_the_time_left_counts_only_what_was_run_now() -> None:
    stream = _Stream(live=True)
    bar = Bar(stream, jobs=1)  # type: ignore[arg-type]
    bar.start(100, 50)
    bar.advance(10, 10.0)
    assert "60 of 100 runs, about 40 s left" in said(bar, stream)


def test_the_first_of_two_processes_to_finish_already_gives_the_right_time_left() -> None:
    """A replication of 16 runs takes 8 s; 30 of them on two processes take two minutes."""
    stream = _Stream(live=True)
    bar = Bar(stream, jobs=2)  # type: ignore[arg-type]
    bar.start(480, 0)
    bar.advance(16, 8.0)
    assert "16 of 480 runs, about 2 min left" in said(bar, stream)
    for _ in range(28):
        bar.advance(16, 8.0)
    assert "464 of 480 runs, about 8 s left" in said(bar, stream), "the last one runs alone"


def test_nothing_is_said_about_the_time_before_anything_is_finished() -> None:
    stream = _Stream(live=True)
    bar = Bar(stream, jobs=2)  # type: ignore[arg-type]
    bar.start(480, 16)
    assert said(bar, stream).strip("\x1b[K").endswith("16 of 480 runs")


def test_a_log_gets_few_lines_and_a_time_from_the_first_run_on() -> None:
    stream = _Stream(live=False)
    bar = Bar(stream, jobs=2)  # type: ignore[arg-type]
    bar.start(1000, 0)
    for _ in range(1000):
        bar.advance(1, 1.0)
    bar.close()
    lines = stream.text.splitlines()
    assert "\r" not in stream.text
    assert len(lines) <= 12
    assert lines[:2] == ["0 of 1,000 runs", "1 of 1,000 runs, about 8 min left"]
    assert lines[-1] == "1,000 of 1,000 runs"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (42, "42 s"), (600, "10 min"), (7200, "2.0 h")]
)
def test_durations_are_said_as_a_person_would(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
