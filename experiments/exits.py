"""How the command ends: its exit codes, what a stop from outside and a refusing disk are called.

SIGTERM ends it as Ctrl-C does.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

FINE, SOME_FAILED, BAD_INPUT, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM)."""


def code_of(stop: KeyboardInterrupt) -> int:
    """Return the exit code of a command that was stopped from outside."""
    return TERMINATED if isinstance(stop, Terminated) else INTERRUPTED


def word_for(stop: KeyboardInterrupt) -> str:
    """Return what happened to a command that was stopped from outside."""
    return "terminated" if isinstance(stop, Terminated) else "interrupted"


def complaint(error: OSError) -> str:
    """Return what the operating system refused, and about which file."""
    return ": ".join(filter(None, (error.filename and str(error.filename), error.strerror)))


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM be raised as an exception while this lasts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise(number: int, frame: FrameType | None) -> None:
    raise Terminated
