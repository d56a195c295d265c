"""The command line: what it says, where it writes, how it ends."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments import cli, cli_study, runner, store
from experiments.journal import UnitResult
from experiments.runner import Unit
from experiments.settings import load
from sim import __version__, engine
from sim.scenario import Scenario

ROOT = Path(__file__).resolve().parent.parent
SMALL = ["scenario=village", "quarters=2", "replications=2", "lanes=4",
         "portfolios=[as_is,advertising_only,fast_service]"]  # fmt: skip
HEAVY = {"numpy", "numba", "hydra", "omegaconf", "matplotlib", "mesa", "pandas", "scipy", "joblib"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run every command outside the checkout."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the report, which has tests of its own."""
    monkeypatch.setattr("experiments.report.write_report", lambda results, folder: None)
    monkeypatch.setattr("experiments.report.terminal_summary", lambda results: "the summary")
    return


def tables(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / store.TABLES).glob("*.csv")}


def influence(*arguments: str, **options: object) -> subprocess.Popen[str]:
    """Start the command as a user would, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "experiments.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def wait_for_units(folder: Path, process: subprocess.Popen[str], n: int) -> None:
    for _ in range(600):
        if len(list((folder / store.JOURNAL).glob("*.npz"))) >= n or process.poll() is not None:
            return
        time.sleep(0.05)


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom experiments.cli import main\n"
        "try:\n    main(['compare', '--help'])\nexcept SystemExit:\n    pass\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "verb", [[], ["compare"], ["run"], ["ledger"], ["map"], ["explain"], ["settings"]]
)
def test_every_command_explains_itself_with_an_example(
    verb: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as done:
        cli.main([*verb, "--help"])
    assert done.value.code == 0
    said = capsys.readouterr().out
    assert f"  influence {' '.join(verb)}" in said.partition("examples:")[2]


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"influence {__version__}\n"


def test_no_command_at_all_shows_the_help_and_is_bad_input(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main([]) == 2
    assert "compare" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["comapre"], "unknown command 'comapre'; did you mean 'compare'?"),
        (["compare", "--job", "2"], "unknown option '--job'; did you mean '--jobs'?"),
        (["compare", "--jobs", "0"], "'0' must be a whole number of at least 1"),
        (["compare", "--jobs", "two"], "'two' must be a whole number of at least 1"),
        (["compare", "--seed", "-1"], "--seed"),
        (["compare", "village"], "'village' is neither an option nor of the form key=value"),
        (["compare", "scenario=vilage"], "did you mean 'village'?"),
        (["ledger", "ledger=none"], "ledger=none: the command ledger keeps one"),
        (["ledger", "portfolio=a", "portfolio=b"], "portfolio is given 2 times: keep one"),
        (["compare", "quarterz=3"], "did you mean 'quarters'?"),
        (["compare", "quarters=0"], "quarters=0"),
        (["compare", "seed=many"], "seed='many'"),
        (["compare", "--config-dir", "nowhere"], "nowhere"),
        (["compare", "--seed", "99999999999"], "from 0 to 4,294,967,295 (seed"),
        (["compare", "mechanism.co_desing.setup=3"], "did you mean 'co_design'?"),
        (["compare", "organization.programmes.co_desing.effort=1"], "did you mean 'co_design'?"),
        (["compare", "portfolio.listening_first.items.9.share=1"], "there are 6, counted from 0"),
        (["run", "portfolio=listening_frist"], "did you mean 'listening_first'?"),
        (["run", "portfolio=[as_is]"], "portfolio=[as_is]: there is no such portfolio"),
        (["run", "portfolios=[as_is]"], "run takes one portfolio=NAME"),
        (["run", "portfolio=as_is", "portfolio=balanced"], "portfolio is given 2 times"),
        (["run", "experiment=compare"], "run takes one portfolio=NAME"),
        (["compare", "seed=1", "seed=2"], "seed is given 2 times: keep one"),
        (["compare", "--seed", "1", "--seed=2"], "--seed is given 2 times: keep one"),
        (["compare", "--seed", "1", "seed=2"], "the seed is given twice"),
        (["compare", "--config-dir", ".", "--config-dir", "."], "--config-dir is given 2 times"),
        (["compare", "portfolios=[]"], "portfolios=[] compares nothing"),
        (["compare", "scenario.key=../up"], "scenario.key: the name '../up' must consist of"),
        (["compare", "experiment.key=a b"], "experiment.key: the name 'a b' must consist of"),
        (["compare", "quarters=1"], "horizon of 1 quarter: ask for quarters=2 or more"),
        (["settings", "trsut"], "did you mean trust"),
        (["settings", "physics.ancor"], "did you mean physics.anchor"),
    ],
)
def test_bad_input_is_one_clear_message_and_nothing_is_written(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(arguments) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""
    assert list(tmp_path.iterdir()) == []


def test_of_many_names_only_the_nearest_are_shown_and_where_all_are_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["compare", "portfolios=[listning_first]"]) == 2
    said = capsys.readouterr().err
    assert len(said) < 300
    assert "did you mean 'listening_first'?" in said
    (pattern,) = re.findall(r"in all: influence settings '(.*)'", said)
    assert cli.main(["settings", pattern]) == 0
    assert "portfolio.skills_academy.label" in capsys.readouterr().out


def test_a_text_may_hold_any_sign(capsys: pytest.CaptureFixture[str]) -> None:
    label = "Käse & Söhne, 50 % 'echt': {a} [b] \\ x=1"
    assert load([f"scenario.label={label}"]).scenario.label == label


def test_a_folder_that_cannot_be_written_is_said_and_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    assert cli.main(["compare", *SMALL, "--jobs", "1", "--out", "file/study"]) == 2
    said = capsys.readouterr().err
    assert said == "influence: cannot create the folder file/study: Not a directory\n"
    assert "Traceback" not in said


def test_a_disk_that_fills_up_ends_with_2_and_the_line_to_go_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runner, "write_unit", full)
    assert cli.main(["compare", *SMALL, "--jobs", "1", "--quiet", "--out", "study"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == ("influence: No space left on device; what was finished is kept in study")
    assert said[1].startswith("when that is mended, go on with: influence compare ")


def test_overrides_may_stand_anywhere() -> None:
    options = cli.parse(
        ["quarters=3", "compare", "--jobs", "2", "seed=4", "--out", "a=b", "lanes=4"]
    )
    assert options.overrides == ["quarters=3", "seed=4", "lanes=4"]
    assert (options.verb, options.jobs, options.out) == ("compare", 2, Path("a=b"))


def test_a_dry_run_says_arms_costs_and_runs_and_writes_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_study, "cores", lambda: 2)
    assert cli.main(["compare", *SMALL, "--dry-run", "--jobs", "2"]) == 0
    said = capsys.readouterr().out
    cost = load(SMALL).study.planned_cost
    assert re.search(rf"^advertising_only +{cost:,.0f}$", said, re.MULTILINE)
    assert re.search(r"^as_is +0  baseline$", said, re.MULTILINE)
    assert "warning" not in said
    assert "30 runs, muted twins included (first), on 2 processes:" in said
    assert re.search(
        r"about \d+ s if the machine is as busy as now \(between \d+ s and \d+ s", said
    )
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_warns_where_the_budget_will_cut_a_plan(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rich = [*SMALL, "planned_cost=20000", "--dry-run", "--jobs", "1"]
    assert cli.main(["compare", *rich]) == 0
    said = capsys.readouterr().out
    assert "warning: the budget allows 6,000 euro a quarter" in said
    assert re.search(r"  fast_service plans up to 1\d,\d{3}, too much in 2 of 2 quarters\n", said)
    assert "as_is plans" not in said


@pytest.mark.parametrize(
    ("wished", "cores", "units", "said"),
    [
        ("7", 4, 10, "--jobs 7: this process may use 4 cores, so that 4 processes will do"),
        ("3", 4, 2, "--jobs 3: the study has 2 units of work, so that 2 processes will do"),
        ("3", 1, 2, "--jobs 3: this process may use 1 core, so that 1 process will do"),
        ("2", 4, 10, ""),
    ],
)
def test_more_processes_than_there_is_work_for_are_not_started_and_it_is_said(
    wished: str,
    cores: int,
    units: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    used = []
    monkeypatch.setattr(cli_study, "cores", lambda: cores)
    monkeypatch.setattr(
        cli_study, "foretell", lambda question, jobs, quiet, plan: used.append(jobs)
    )
    words = [f"replications={units}", "lanes=16", "--dry-run", "--jobs", wished]
    assert cli.main(["compare", *SMALL[:2], SMALL[4], *words]) == 0
    assert used == [min(int(wished), cores, units)]
    assert capsys.readouterr().err.strip() == said


def test_a_dry_run_of_what_cannot_be_run_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    crowd = ["scenario=attenzi", "stakeholders.employees.count=600000", "--dry-run", "--jobs", "1"]
    assert cli.main(["compare", *crowd]) == 2
    assert "a trial run went wrong: 600000 employees are too many" in capsys.readouterr().err


def test_a_dry_run_begins_no_folder_but_checks_the_one_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("precious")
    assert cli.main(["run", *SMALL[:-1], "--dry-run", "--jobs", "1", "--out", "full"]) == 2
    assert "is not empty and holds no study" in capsys.readouterr().err


def test_settings_are_listed_with_unit_range_meaning_and_source(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["settings", "physics.anchor"]) == 0
    said = capsys.readouterr().out
    assert "physics.anchor = " in said
    assert "1/week; from 0 to 10" in said
    assert "pull to the opening attitude. Source: " in said


def test_a_terminal_gets_lines_of_its_width_and_a_file_gets_whole_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["settings"]) == 0
    plain = capsys.readouterr().out
    assert max(map(len, plain.splitlines())) > 200
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    for columns, widest in ((80, 80), (200, 120)):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert cli.main(["settings"]) == 0
        shown = capsys.readouterr().out
        assert max(map(len, shown.splitlines())) <= widest
        assert shown.split() == plain.split()


def test_a_comparison_leaves_a_whole_study_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["compare", *SMALL, "--jobs", "1", "--seed", "7"]) == 0
    (folder,) = (tmp_path / "results").iterdir()
    assert folder.name.endswith("_village_compare")
    made = {path.relative_to(folder).parts[0] for path in folder.rglob("*")}
    assert made == {"report.html", "tables", "figures", "settings.yaml", "manifest.json", "journal"}
    assert {path.stem for path in (folder / "tables").glob("*")} == set(store.TABLE_NAMES)
    said = capsys.readouterr()
    assert f"report  {folder.relative_to(tmp_path)}/report.html" in said.out
    assert "Advertising" in said.out
    assert "30 of 30 runs" in said.err

    study = store.read_study(folder)
    assert study.settings["seed"] == study.manifest["seed"] == 7
    assert set(study.tables["runs"]["seed"]) == {7}
    assert study.manifest["runs"] == {"finished": 30, "failed": 0}
    assert study.manifest["command"].startswith("influence compare scenario=village")
    assert {"python", "platform", "packages", "git", "hashes", "started", "finished"} <= set(
        study.manifest
    )
    found = {(n, column) for n, table in study.tables.items() for column in table.columns}
    said_of = study.tables["dictionary"]
    assert found == set(zip(said_of["table"], said_of["column"], strict=True))


def test_one_portfolio_is_run_beside_the_baseline(plain: None, tmp_path: Path) -> None:
    arguments = ["portfolio=listening_first", *SMALL[:-1], "--jobs", "1", "--quiet"]
    assert cli.main(["run", *arguments]) == 0
    (folder,) = (tmp_path / "results").iterdir()
    assert folder.name.endswith("_village_run_listening_first")
    runs = store.read_study(folder).tables["runs"]
    assert list(runs.query("muted_flow == 0")["arm"].unique()) == ["as_is", "listening_first"]


def test_without_a_portfolio_that_of_the_experiment_is_run(plain: None, tmp_path: Path) -> None:
    assert cli.main(["run", *SMALL[:-1], "--jobs", "1", "--quiet"]) == 0
    (folder,) = (tmp_path / "results").iterdir()
    assert folder.name.endswith("_village_run_listening_first")
    runs = store.read_study(folder).tables["runs"]
    assert list(runs.query("muted_flow == 0")["arm"].unique()) == ["as_is", "listening_first"]


def test_today_is_run_alone_if_asked_for(plain: None, tmp_path: Path) -> None:
    command = ["run", "portfolio=as_is", *SMALL[:-1], "--jobs", "1", "--out", "today"]
    assert cli.main(command) == 0
    runs = store.read_study(tmp_path / "today").tables["runs"]
    assert list(runs.query("muted_flow == 0")["arm"].unique()) == ["as_is"]


def test_quiet_prints_where_the_results_are_and_nothing_else(
    plain: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", *SMALL[:-1], "--jobs", "1", "--out", "today", "--quiet"]) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 2
    assert shown.err == ""


def test_a_finished_study_asked_again_runs_nothing_and_keeps_every_byte(
    plain: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["compare", *SMALL, "--jobs", "1", "--out", "study"]
    assert cli.main(command) == 0
    monkeypatch.setattr("experiments.conduct.load_kernels", None)
    monkeypatch.setattr("experiments.conduct.run_study", None)
    capsys.readouterr()
    before = tables(tmp_path / "study")
    manifest = json.loads((tmp_path / "study" / store.MANIFEST).read_text())
    assert cli.main(command) == 0
    said = capsys.readouterr().err.splitlines()
    assert said == ["all 30 runs were there already", "writing tables and report"]
    again = json.loads((tmp_path / "study" / store.MANIFEST).read_text())
    assert tables(tmp_path / "study") == before
    assert (again["started"], again["finished"]) == (manifest["started"], manifest["finished"])


def test_a_folder_of_another_study_is_refused_with_what_changed(
    plain: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["compare", *SMALL, "--jobs", "1", "--out", "study"]) == 0
    before = tables(tmp_path / "study")
    capsys.readouterr()
    changed = [*SMALL, "physics.anchor=0.5", "--out", "study"]
    assert cli.main(["compare", *changed]) == 2
    assert "physics.anchor: " in capsys.readouterr().err
    assert tables(tmp_path / "study") == before


def test_a_folder_with_other_things_in_it_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    assert cli.main(["compare", *SMALL, "--out", str(tmp_path)]) == 2
    assert "is not empty and holds no study" in capsys.readouterr().err


def test_some_failed_runs_are_exit_code_1_and_the_rest_is_usable(
    plain: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = engine.simulate

    def simulate(scenario: Scenario, arms: tuple, *rest: int, **options: int) -> engine.History:
        if rest[1] == 1 and any(arm.key == "fast_service" for arm in arms):
            raise FloatingPointError("planted")
        return real(scenario, arms, *rest, **options)

    monkeypatch.setattr(engine, "simulate", simulate)
    assert cli.main(["compare", *SMALL, "--jobs", "1", "--out", "study"]) == 1
    said = capsys.readouterr().err
    assert "1 of 30 runs failed" in said
    assert "FloatingPointError: planted" in said
    assert "influence compare" in said
    study = store.read_study(tmp_path / "study")
    assert study.manifest["runs"] == {"finished": 29, "failed": 1}
    assert (study.tables["runs"]["status"] == "failed").sum() == 1


def test_if_every_run_fails_the_tables_say_why_and_no_report_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def simulate(*arguments: object, **options: object) -> None:
        raise FloatingPointError("planted")

    monkeypatch.setattr(engine, "simulate", simulate)
    assert cli.main(["compare", *SMALL, "--jobs", "1", "--out", "study"]) == 1
    assert "FloatingPointError: planted" in capsys.readouterr().err
    assert not (tmp_path / "study" / "report.html").exists()
    assert (store.read_study(tmp_path / "study").tables["runs"]["status"] == "failed").all()


def test_an_interruption_keeps_what_is_finished_and_says_how_to_go_on(
    plain: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["compare", *SMALL, "--jobs", "1", "--out"]
    assert cli.main([*command, "reference"]) == 0
    real, units = runner.run_unit, []

    def interrupted(scenario: Scenario, unit: Unit, *rest: int) -> UnitResult:
        units.append(unit)
        # The first unit only warms the kernels up, the second is kept.
        if len(units) == 4:
            raise KeyboardInterrupt
        return real(scenario, unit, *rest)

    monkeypatch.setattr(runner, "run_unit", interrupted)
    capsys.readouterr()
    assert cli.main([*command, "study"]) == 130
    assert len(list((tmp_path / "study" / store.JOURNAL).glob("*.npz"))) > 0
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("go on with: influence compare ")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("experiments.report.write_report", lambda results, folder: None)
    monkeypatch.setattr("experiments.report.terminal_summary", lambda results: "the summary")
    assert cli.main(shlex.split(said.removeprefix("go on with: influence "))) == 0
    assert tables(tmp_path / "study") == tables(tmp_path / "reference")


def test_the_line_to_go_on_with_names_the_folder_once() -> None:
    line = cli_study.resume_line(["compare", "a=1", "--out", "x", "--jobs", "2"], Path("x"))
    assert line == "influence compare a=1 --jobs 2 --out x"
    assert cli_study.resume_line(["run", "--out=x"], Path("x")) == "influence run --out x"
    assert cli_study.resume_line(["run"], Path("results/new one")) == (
        "influence run --out 'results/new one'"
    )


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("whole_group", [False, True])
@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_study_that_is_stopped_says_at_once_how_to_go_on_and_nothing_else(
    number: signal.Signals, code: int, word: str, whole_group: bool, jobs: str, tmp_path: Path
) -> None:
    command = ["compare", *SMALL[:2], "replications=400", *SMALL[3:], "--out", "study"]
    process = influence(*command, "--jobs", jobs)
    wait_for_units(tmp_path / "study", process, 3)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    asked = time.monotonic()
    # The pipes close when the last worker has gone.
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert time.monotonic() - asked < 10
    lines = [line for line in said.splitlines() if line and not re.match(r"[\d,]+ of ", line)]
    assert lines == [
        f"{word}; what was finished is kept in study",
        f"go on with: {shlex.join(['influence', *command[:-2], '--jobs', jobs])} --out study",
    ]


@pytest.mark.slow
def test_a_command_stopped_before_it_runs_anything_ends_without_a_traceback(tmp_path: Path) -> None:
    process = influence("compare", *SMALL, "--jobs", "2")
    time.sleep(0.4)
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 143, said
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_study_killed_again_and_again_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    command = ["compare", *SMALL[:2], "replications=12", *SMALL[3:], "--jobs", "2", "--out"]
    done = influence(*command, "reference")
    _, said = done.communicate(timeout=300)
    assert done.returncode == 0, said
    for wanted in (2, 9):
        process = influence(*command, "study")
        wait_for_units(tmp_path / "study", process, wanted)
        process.send_signal(signal.SIGKILL)
        # The pipes close when the last worker has noticed that it is alone.
        process.communicate(timeout=60)
    done = influence(*command, "study")
    _, said = done.communicate(timeout=300)
    assert done.returncode == 0, said
    assert tables(tmp_path / "study") == tables(tmp_path / "reference")


def test_output_that_nobody_reads_is_no_error() -> None:
    process = influence("settings")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(60) == 0
