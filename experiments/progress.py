"""A progress bar with the time left, for a terminal or (as a few plain lines) for a log."""

from __future__ import annotations

from typing import TextIO

WIDTH = 30
STEPS = 10


class Bar:
    """Shows how many runs are finished and about how long the rest takes."""

    def __init__(self, stream: TextIO, jobs: int) -> None:
        """Write to `stream`; one line drawn over and over if it is a terminal, else few lines."""
        self._stream = stream
        self._jobs = jobs
        self._live = stream.isatty()
        self._total = self._done = self._shown = self._lines = 0
        self._units, self._fresh, self._busy = 0, 0, 0.0
        self._begun = False

    def start(self, total: int, done: int) -> None:
        """`total` runs are planned, `done` more than so far were found finished."""
        self._begun = True
        self._total = total
        self._done += done
        self._show()

    def advance(self, runs: int, seconds: float) -> None:
        """So many more runs are finished, which kept one process busy for so long."""
        self._done += runs
        self._units += 1
        self._fresh += runs
        self._busy += seconds
        self._show()

    def close(self) -> None:
        """End the line."""
        if self._live and self._begun:
            self._stream.write("\n")
            self._stream.flush()

    def _show(self) -> None:
        share = self._done / self._total if self._total else 1.0
        text = f"{self._done:,} of {self._total:,} runs{self._left()}"
        if self._live:
            filled = int(WIDTH * share)
            self._stream.write(f"\r[{'#' * filled}{'.' * (WIDTH - filled)}] {text}\x1b[K")
        elif int(STEPS * share) > self._shown or self._lines < 2:
            self._shown = int(STEPS * share)
            self._lines += 1
            self._stream.write(f"{text}\n")
        self._stream.flush()

    def _left(self) -> str:
        """Say the time left, from what a run has cost so far and the processes at work.

        Processes that are in the middle of their first runs do not count as slow, so that the first
        estimate is as good as the last.
        """
        if not self._busy or self._done >= self._total:
            return ""
        left = (self._total - self._done) / self._fresh
        at_once = min(self._jobs, max(left * self._units, 1.0))
        seconds = self._busy * left / at_once
        return f", about {in_words(seconds)} left"


class Silence:
    """Shows nothing."""

    def start(self, total: int, done: int) -> None:
        """Ignore."""

    def advance(self, runs: int, seconds: float) -> None:
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
