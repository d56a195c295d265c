"""Processes that work for a study: ready before they are needed, gone when nobody needs them.

Where the system allows it, workers are forked from one server process that has already imported
what they use; it is started first of all and imports while the driver still reads the settings.
Elsewhere each worker starts afresh. A worker ends by itself as soon as the driver has ended,
however that came about, and leaves Ctrl-C to the driver.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from types import MappingProxyType, ModuleType, TracebackType
from typing import Any

# The last ones are what Numba loads at the first call of a kernel.
PRELOADED = (
    "experiments.runner",
    "sim.engine",
    "numba.np.arraymath",
    "numba.core.typing.cmathdecl",
)
# Workers are as many as cores: none of them shall use threads beside.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

MOST_ON_WINDOWS = 61


class WorkerDied(RuntimeError):
    """A process ended in the middle of its work: killed, or out of memory."""


def get_ready() -> None:
    """Begin to import, in the background, what workers will need; return at once."""
    if _method() == "forkserver":
        from multiprocessing import forkserver

        multiprocessing.get_context("forkserver").set_forkserver_preload(list(PRELOADED))
        with _started_as_a_worker_shall_be(), _deaf_to_ctrl_c():
            forkserver.ensure_running()


class Workers:
    """A number of processes; one means this very process."""

    def __init__(self, jobs: int) -> None:
        """Nothing starts before there is work."""
        self.jobs = jobs
        self._executor: Executor | None = None
        self._life: Connection | None = None
        # Read-only views, which checked settings are full of, have no pickled form of their own.
        ForkingPickler.register(MappingProxyType, _reduced)

    def __enter__(self) -> Workers:
        """Return these workers."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes: when they are done, or at once if something went wrong."""
        self._end(at_once=kind is not None)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a function called by a worker, now if there is but this process.

        The result is a BrokenProcessPool where the worker dies.
        """
        if self.jobs == 1:
            return _called(function, *arguments)
        with _started_as_a_worker_shall_be():
            if self._executor is None:
                self._executor = self._start()
            try:
                return self._executor.submit(function, *arguments)
            except BrokenProcessPool:
                self._end(at_once=True)
                self._executor = self._start()
                return self._executor.submit(function, *arguments)

    def each(self, function: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """Yield what a function returns for each tuple of arguments, in the order of finishing.

        Raises
        ------
        WorkerDied
            If a process was taken down; what it and those beside it were at is lost, and a new call
            finds new processes.
        """
        if self.jobs == 1:
            yield from (function(*arguments) for arguments in calls)
            return
        try:
            waiting = [self.submit(function, *arguments) for arguments in calls]
            for done in as_completed(waiting):
                yield done.result()
        except BrokenProcessPool:
            self._end(at_once=True)
            raise WorkerDied("a worker process died") from None

    def _start(self) -> Executor:
        get_ready()
        context = multiprocessing.get_context(_method())
        theirs, self._life = context.Pipe(duplex=False)
        most = min(self.jobs, MOST_ON_WINDOWS) if sys.platform == "win32" else self.jobs
        return ProcessPoolExecutor(most, context, _settle_in, (theirs,))

    def _end(self, at_once: bool) -> None:
        if self._life is not None and at_once:
            self._life.close()
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=at_once)
        if self._life is not None:
            self._life.close()
        self._executor = self._life = None


def _method() -> str:
    """Return how processes are started: systems other than Linux do not fork reliably."""
    return "forkserver" if sys.platform == "linux" else "spawn"


def _reduced(view: MappingProxyType[Any, Any]) -> tuple[Any, ...]:
    return _view, (dict(view),)


def _view(items: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(items)


def _called(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
    done: Future[Any] = Future()
    try:
        done.set_result(function(*arguments))
    except Exception as error:
        done.set_exception(error)
    return done


@contextmanager
def _started_as_a_worker_shall_be() -> Iterator[None]:
    """Keep from new processes what is not theirs: our main module, and more threads than one.

    They import what they need by name. A script that asks for a study must not be run once more in
    each of them.
    """
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    ours = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        with _deaf_to_ctrl_c() if _method() == "spawn" else nullcontext():
            yield
    finally:
        sys.modules["__main__"] = ours
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Let processes that are started meanwhile ignore Ctrl-C, also before they can say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _settle_in(life: Connection) -> None:
    """Prepare a worker process: Ctrl-C is for the driver alone, and who loses it ends as well."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        try:
            life.recv_bytes()  # nobody ever sends: this returns when the driver's end is closed
        except (EOFError, OSError):
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
