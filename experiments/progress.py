"""A progress bar with the time left, for a terminal or (as a few plain lines) for a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

WIDTH = 30
STEPS = 10


class Bar:
    """Shows how many runs are finished and about how long the rest takes."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        """Write to `stream`; one line drawn over and over if it is a terminal, else few lines."""
        self._stream = stream
        self._clock = clock
        self._live = stream.isatty()
        self._total = self._found = self._done = self._shown = 0
        self._begun: float | None = None

    def start(self, total: int, done: int) -> None:
        """`total` runs are planned, `done` more than so far were found finished."""
        if self._begun is None:
            self._begun = self._clock()
        self._total = total
        self._found += done
        self._done += done
        self._show()

    def advance(self, runs: int) -> None:
        """So many more runs are finished."""
        self._done += runs
        self._show()

    def close(self) -> None:
        """End the line."""
        if self._live and self._begun is not None:
            self._stream.write("\n")
            self._stream.flush()

    def _show(self) -> None:
        share = self._done / self._total if self._total else 1.0
        text = f"{self._done:,} of {self._total:,} runs{self._left()}"
        if self._live:
            filled = int(WIDTH * share)
            self._stream.write(f"\r[{'#' * filled}{'.' * (WIDTH - filled)}] {text}\x1b[K")
        elif int(STEPS * share) > self._shown or self._shown == 0:
            self._shown = max(int(STEPS * share), 1)
            self._stream.write(f"{text}\n")
        self._stream.flush()

    def _left(self) -> str:
        fresh = self._done - self._found
        if self._begun is None or self._done >= self._total:
            return ""
        if fresh == 0:
            return ""
        seconds = (self._clock() - self._begun) / fresh * (self._total - self._done)
        return f", about {in_words(seconds)} left"


class Silence:
    """Shows nothing."""

    def start(self, total: int, done: int) -> None:
        """Ignore."""

    def advance(self, runs: int) -> None:
        """Ignore."""

    def close(self) -> None:
        """Ignore."""


def in_words(seconds: float) -> str:
    """Return a duration as a person would say it: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
