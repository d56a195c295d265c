"""Short runs before the real ones: kernels are loaded once, and a forecast is near the truth."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments import rehearsal, results, runner, store
from experiments.conduct import Question
from experiments.designs import arms
from experiments.progress import Silence
from experiments.rehearsal import forecast, load_kernels, shorten
from experiments.runner import run_study
from experiments.settings import load
from experiments.workers import Workers
from sim import engine

ROOT = Path(__file__).resolve().parent.parent


def ask(*overrides: str) -> Question:
    market = ["scenario=village", "portfolios=[as_is,fast_service,advertising_only]"]
    settings = load([*market, *overrides])
    return Question(
        settings.scenario, settings.study, settings.resolved, settings.board, None, "test"
    )


def quiet(text: str) -> None:
    raise AssertionError(text)


def test_a_forecast_adds_up_the_units_on_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three portfolios fill units of 4, 4, 4 and 3 arms; a unit takes as many seconds as arms."""
    monkeypatch.setattr(rehearsal, "_touch_kernels", lambda *_: None)
    monkeypatch.setattr(rehearsal, "_unit_seconds", lambda scenario, study, size, r: float(size))
    question = ask("replications=12", "lanes=4")
    with Workers(1) as workers:
        about = forecast(question.scenario, question.study, workers, quiet)
    rows = rehearsal._rows(question.scenario, question.study)
    beside = rehearsal.START + rehearsal.REPORT + rehearsal.PER_ROW * rows
    assert about.runs == (3 + 12) * 12
    assert about.seconds == pytest.approx(beside + 12 * (4 + 4 + 4 + 3))


def test_more_processes_take_less_time_and_as_much_space() -> None:
    question = ask("replications=4000", "twins=none", "quarters=4")
    with Workers(1) as one, Workers(2) as two:
        alone = forecast(question.scenario, question.study, one, quiet)
        beside = forecast(question.scenario, question.study, two, quiet)
    assert (beside.runs, beside.bytes) == (alone.runs, alone.bytes)
    # Two busy cores are rarely twice as fast, and other work may be going on.
    assert beside.seconds < 1.5 * alone.seconds


@pytest.mark.parametrize(("patience", "lived"), [(0.0, 1), (5.5, 4), (1e9, 12)])
def test_a_unit_is_reckoned_from_as_many_quarters_as_there_is_time_for(
    patience: float, lived: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening takes two seconds and every quarter one, by a clock that only these move."""
    clock = [0.0]
    quarters = []

    class Slow(engine.Run):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            clock[0] += 2.0

        def advance_quarter(self) -> None:
            super().advance_quarter()
            quarters.append(self.quarter)
            clock[0] += 1.0

    monkeypatch.setattr(engine, "Run", Slow)
    monkeypatch.setattr(rehearsal.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(rehearsal, "REHEARSED", patience)
    monkeypatch.setattr(rehearsal, "_touch_kernels", lambda *_: None)
    question = ask("quarters=12")
    assert rehearsal._unit_seconds(question.scenario, question.study, 2, 0) == 2.0 + 12
    assert len(quarters) == lived


def test_a_forecast_is_near_the_space_that_a_study_takes(tmp_path: Path) -> None:
    question = ask("replications=12", "quarters=6", "lanes=4")
    store.open_folder(tmp_path, question.identity())
    with Workers(1) as workers:
        about = forecast(question.scenario, question.study, workers, quiet)
        runs = run_study(
            question.scenario, question.study, tmp_path, workers=workers, progress=Silence()
        )
    for name, table in results.tables_of(question.scenario, question.study, runs).items():
        store.write_table(tmp_path, name, table)
    used = sum(path.stat().st_size for path in tmp_path.rglob("*.*"))
    assert (about.bytes - rehearsal.REPORT_BYTES) / used == pytest.approx(1.0, abs=0.4)


def test_a_forecast_counts_the_rows_of_the_tables(tmp_path: Path) -> None:
    question = ask("replications=2", "quarters=3")
    store.open_folder(tmp_path, question.identity())
    with Workers(1) as workers:
        runs = run_study(
            question.scenario, question.study, tmp_path, workers=workers, progress=Silence()
        )
    tables = results.tables_of(question.scenario, question.study, runs)
    large = sum(len(tables[name]) for name in ("scorecard", "spending", "influence", "insight"))
    assert rehearsal._rows(question.scenario, question.study) == large


def test_a_forecast_in_words_says_how_sure_it_is() -> None:
    said = rehearsal.Forecast(720, 100.0, 42e6).in_words()
    assert said.startswith("about 2 min if the machine is as busy as now (between 80 s and 2 min")
    assert said.endswith("about 42 MB on disk")


@pytest.mark.parametrize("twins", ["first", "all", "none"])
@pytest.mark.parametrize("lanes", [1, 8, 16])
def test_kernels_are_loaded_for_every_number_of_lanes_that_the_study_has(
    lanes: int, twins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched = []

    def note(scenario: object, unit: runner.Unit, *rest: int) -> None:
        touched.append(len(unit.arms))

    monkeypatch.setattr(rehearsal, "run_unit", note)
    question = ask(f"lanes={lanes}", f"twins={twins}")
    with Workers(1) as workers:
        load_kernels(question.scenario, question.study, workers, quiet)()
    needed = {engine.width_for(size) for size in runner.block_sizes(question.study)}
    assert sorted(engine.width_for(size) for size in touched) == sorted(needed)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("stored", [True, False])
def test_compiling_is_talked_about_where_something_compiles(
    stored: bool, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "_touch_kernels", _nothing)
    monkeypatch.setattr(rehearsal, "_are_compiled", _yes if stored else _no)
    question = ask()
    said: list[str] = []
    with Workers(jobs) as workers:
        load_kernels(question.scenario, question.study, workers, said.append)()
    assert said == [] if stored else [rehearsal.COMPILING]


def _nothing(*arguments: object) -> None:
    return None


def _yes(widths: object) -> bool:
    return True


def _no(widths: object) -> bool:
    return False


def test_stored_machine_code_is_found_for_each_number_of_lanes(tmp_path: Path) -> None:
    question = ask("lanes=4")
    rehearsal._touch_kernels(question.scenario, question.study)
    assert rehearsal._vectors(question.study) == [(16, "People")]
    assert rehearsal._are_compiled([(16, "People")])
    assert not rehearsal._are_compiled([(16, "People"), (3, "Arms")])
    script = 'from experiments import rehearsal\nprint(rehearsal._are_compiled([(16, "People")]))'
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
    )
    assert done.stdout == "False\n"


def test_a_shortened_plan_keeps_its_first_quarters() -> None:
    question = ask()
    planned = arms(question.study, question.scenario)
    short, cut = shorten(question.scenario, planned, 3)
    assert short == replace(question.scenario, quarters=3)
    for whole, part in zip(planned, cut, strict=True):
        assert (part.plan.effort == whole.plan.effort[:, :3]).all()
        assert part.plan.investment.shape == (3, 3)
