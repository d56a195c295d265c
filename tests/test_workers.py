"""Processes that work: what they are given, how they end, and that nobody waits for the dead."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import MappingProxyType

import pytest

from experiments import workers as workers_module
from experiments.workers import ONE_THREAD, WorkerDied, Workers, get_ready

ROOT = Path(__file__).resolve().parent.parent


def square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def total_of(view: MappingProxyType) -> tuple[str, int]:
    return type(view).__name__, sum(view.values())


def die(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def sleep_long(mark: Path) -> None:
    mark.touch()
    time.sleep(60)


def surroundings() -> tuple[dict[str, str | None], object]:
    return {name: os.environ.get(name) for name in ONE_THREAD}, signal.getsignal(signal.SIGINT)


@pytest.fixture(params=["spawn", "forkserver"])
def method(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of starting processes, where this system has both."""
    if request.param not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {request.param} here")
    monkeypatch.setattr(workers_module, "_method", lambda: request.param)
    return str(request.param)


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_call_gives_its_result_once(jobs: int) -> None:
    with Workers(jobs) as workers:
        found = list(workers.each(square, [(n,) for n in range(20)]))
    assert sorted(result for result, _ in found) == [n * n for n in range(20)]
    others = {process for _, process in found} - {os.getpid()}
    assert len(others) <= jobs
    assert bool(others) == (jobs > 1)


def test_one_process_works_when_asked_and_not_before() -> None:
    called = []
    with Workers(1) as workers:
        results = workers.each(called.append, [(1,), (2,)])
        assert called == []
        next(results)
        assert called == [1]


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_call_raises_is_raised_where_its_result_is_read(jobs: int) -> None:
    with Workers(jobs) as workers:
        future = workers.submit(int, "no number")
        with pytest.raises(ValueError, match="no number"):
            future.result()
        assert workers.submit(int, "7").result() == 7


def test_read_only_views_reach_a_worker_as_such(method: str) -> None:
    with Workers(2) as workers:
        view = MappingProxyType({"a": 1, "b": 2})
        assert workers.submit(total_of, view).result() == ("mappingproxy", 3)


def test_a_worker_has_one_thread_and_leaves_ctrl_c_alone(method: str) -> None:
    with Workers(2) as workers:
        environment, on_ctrl_c = workers.submit(surroundings).result()
    assert set(environment.values()) == {"1"}
    assert on_ctrl_c == signal.SIG_IGN


def test_starting_workers_leaves_this_process_as_it_was(method: str) -> None:
    before = dict(os.environ), signal.getsignal(signal.SIGINT), sys.modules["__main__"]
    get_ready()
    with Workers(2) as workers:
        workers.submit(square, 3).result()
    assert (dict(os.environ), signal.getsignal(signal.SIGINT), sys.modules["__main__"]) == before


def test_workers_can_be_used_from_a_thread() -> None:
    found = []

    def work() -> None:
        with Workers(2) as workers:
            found.append(workers.submit(square, 3).result()[0])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert found == [9]


def test_a_worker_that_dies_is_noticed_and_new_ones_go_on(method: str) -> None:
    with Workers(2) as workers:
        with pytest.raises(WorkerDied):
            list(workers.each(die, [(n,) for n in range(6)]))
        assert sorted(workers.each(die, [(0,), (1,)])) == [0, 1]
        with pytest.raises(BrokenProcessPool):
            workers.submit(die, 2).result()
        assert workers.submit(die, 3).result() == 3


def fail_beside(mark: Path) -> None:
    with Workers(2) as workers:
        workers.submit(sleep_long, mark)
        while not mark.exists():
            time.sleep(0.01)
        raise ZeroDivisionError


def test_an_error_in_the_driver_ends_workers_in_the_middle_of_their_work(tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        fail_beside(tmp_path / "mark")
    assert time.monotonic() - begun < 20


def script(folder: Path, text: str) -> str:
    """Run a script as a user would, and return what it prints."""
    file = folder / "study.py"
    file.write_text(textwrap.dedent(text))
    done = subprocess.run(
        [sys.executable, str(file)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stderr == ""
    return done.stdout


def test_a_script_without_a_guard_may_use_workers(tmp_path: Path) -> None:
    said = script(
        tmp_path,
        """
        from experiments.workers import Workers
        print("once")
        with Workers(2) as workers:
            print(sorted(workers.each(abs, [(-1,), (-2,), (-3,)])))
        """,
    )
    assert said == "once\n[1, 2, 3]\n"


@pytest.mark.skipif(sys.platform != "linux", reason="processes start afresh elsewhere")
def test_a_worker_has_imported_the_model_before_it_is_asked(tmp_path: Path) -> None:
    said = script(
        tmp_path,
        """
        from experiments.workers import PRELOADED, Workers
        with Workers(2) as workers:
            code = f"set({PRELOADED}) <= set(__import__('sys').modules)"
            print(workers.submit(eval, code).result())
        """,
    )
    assert said == "True\n"
