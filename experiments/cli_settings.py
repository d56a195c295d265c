"""The command `influence settings`: the list of settings, and the nearest names to a wrong one.

`influence settings mechanism` is the catalogue of mechanisms instead of their settings one by one.
"""

from __future__ import annotations

import argparse
import difflib
import shutil
import sys
import textwrap
from collections.abc import Iterator

from experiments.settings import Row, SettingsError, catalogue, listing

WIDEST = 120  # columns; longer lines are hard to read
INDENT = "    "
CATALOGUE = "mechanism"


def show(options: argparse.Namespace) -> int:
    """Print every setting that matches, for a terminal in lines of its width; return 0.

    Raises
    ------
    SettingsError
        If none matches, with the nearest names.
    """
    if options.pattern == CATALOGUE:
        print(catalogue(options.overrides, options.config_dir, page=options.markdown), end="")
        return 0
    if options.markdown:
        raise SettingsError(
            f"--markdown makes a page of the catalogue: influence settings {CATALOGUE} --markdown"
        )
    rows = listing(options.pattern, options.overrides, options.config_dir)
    if not rows:
        raise SettingsError(
            f"no setting's path or meaning has {options.pattern!r} in it"
            f"{_meant(options)} (influence settings lists all)"
        )
    width = min(shutil.get_terminal_size().columns, WIDEST) if sys.stdout.isatty() else None
    for row in rows:
        for line in _lines(row, width):
            print(line)
    return 0


def _lines(row: Row, width: int | None) -> Iterator[str]:
    """Yield the lines of one setting; without a width each part is one line, however long."""
    about = "; ".join(filter(None, (row.unit.lstrip("-"), row.range)))
    first = f"{row.path} = {row.value}" + (f"  [{about}]" if about else "")
    meaning = ". Source: ".join(filter(None, (row.meaning, row.source)))
    for text, start in ((first, ""), (meaning, INDENT)):
        if not text:
            continue
        if width is None:
            yield start + text
        else:
            yield from textwrap.wrap(
                text,
                width,
                initial_indent=start,
                subsequent_indent=start + INDENT,
                break_long_words=False,
                break_on_hyphens=False,
            )


def _meant(options: argparse.Namespace) -> str:
    """Return the nearest paths, or failing that the nearest names in them."""
    rows = listing(None, options.overrides, options.config_dir)
    wanted = options.pattern.strip("*?[]").lower()
    near = difflib.get_close_matches(wanted, [row.path for row in rows], n=3, cutoff=0.75)
    if not near:
        names = {part for row in rows for part in row.path.split(".") if not part.isdigit()}
        last = wanted.rpartition(".")[2]
        near = difflib.get_close_matches(last, sorted(names), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(near)}?" if near else ""
