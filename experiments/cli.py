"""The command `influence`: ask which influence mechanisms to improve, read the answer.

Nothing heavy is imported before it is needed, so that `influence --help` answers at once.
Exit codes: 0 fine, 1 some runs failed (the rest is usable), 2 bad input or a folder that cannot be
written, 130 interrupted and 143 terminated (the message says what was kept, and how to go on).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from experiments.exits import BAD_INPUT, FINE, code_of, complaint, terminable, word_for
from sim import __version__
from sim.checks import nearest

VERBS = {
    "compare": "compare portfolios of influence mechanisms; the default is the shipped question",
    "run": "the same for one portfolio: portfolio=NAME (listening_first, if none is given)",
    "ledger": "count who thinks or does something they otherwise wouldn't, flow by flow: "
    "compare, or with portfolio=NAME run, with ledger=first",
    "map": "try out the links of the strategy map: push each tail, watch the head [portfolio=NAME]",
    "explain": "tell how a flow influenced somebody: flow=1..6 [portfolio=NAME] [quarter=N] "
    "[type=NAME] [stakeholder=ID] [replication=N]",
    "lesson": "list lessons, or ask, run and judge one: lesson N, lesson all, lesson shape",
    "calibrate": "fit coefficients of physics to what is known of markets: calibrate defaults",
    "settings": "list settings with unit, range, default, meaning and source",
}
ABOUT = """Which influence mechanisms should an organization improve? Portfolios are run side by
side on the same luck, and compared on a Balanced Scorecard per quarter."""
EXAMPLES = """examples:
  influence compare                                the shipped comparison
  influence compare scenario=village --jobs 2      a small market
  influence compare quarters=20 replications=100 --out my_study
  influence run portfolio=listening_first          one portfolio and today's
  influence ledger scenario=village                who is influenced by which flow, counted
  influence map scenario=village                   which links of the strategy map hold
  influence explain scenario=village flow=2        one life beside the life without flow 2
  influence lesson                                 teachable insights, each with a falsifier
  influence lesson 1                               ask, run and judge the first
  influence calibrate defaults                     fit the defaults of physics, judge the fit
  influence settings trust                         settings that have to do with trust
  influence settings mechanism                     mechanisms by flow and department
"""


class InputError(ValueError):
    """The command line cannot be understood."""


class _Parser(argparse.ArgumentParser):
    """Raises instead of leaving the program, so that `main` says everything in one way."""

    def error(self, message: str) -> NoReturn:
        raise InputError(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = parse(argv)
        if options.verb is None:
            _parser().print_help(sys.stderr)
            return BAD_INPUT
        if options.verb == "settings":
            from experiments.cli_settings import show

            return show(options)
        if options.verb == "explain":
            from experiments.cli_explain import explain

            return explain(options)
        from experiments.cli_study import study

        with terminable():
            if options.verb == "map":
                from experiments.cli_map import asked

                return study(options, argv, asked)
            if options.verb == "lesson":
                from experiments.cli_lesson import lesson

                return lesson(options, argv)
            if options.verb == "calibrate":
                from experiments.cli_calibrate import calibrate

                return calibrate(options, argv)
            return study(options, argv)
    except KeyboardInterrupt as stop:
        print(f"\n{word_for(stop)}", file=sys.stderr)
        return code_of(stop)
    except BrokenPipeError:
        # Whoever read our output has gone; say nothing more, also not when Python closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except OSError as error:
        if error.errno is None:
            raise
        print(f"influence: {complaint(error)}", file=sys.stderr)
        return BAD_INPUT
    except ValueError as error:
        if not _is_input_error(error):
            raise
        print(f"influence: {error}", file=sys.stderr)
        return BAD_INPUT


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the parsed command line; `overrides` holds every key=value, wherever it stood.

    Raises
    ------
    InputError
        Naming the nearest verb or option.
    """
    words, overrides = _split_overrides(argv)
    verb = next((word for word in words if not word.startswith("-")), None)
    if verb is not None and words.index(verb) == 0 and verb not in VERBS:
        raise InputError(f"unknown command {verb!r}{nearest(verb, VERBS)}")
    options, rest = _parser().parse_known_args(words)
    for word in rest:
        if word.startswith("-"):
            raise InputError(f"unknown option {word!r}{nearest(word, _options(options.verb))}")
        raise InputError(f"{word!r} is neither an option nor of the form key=value")
    options.overrides = overrides
    _check_once(words, overrides)
    return options


def _check_once(words: Sequence[str], overrides: Sequence[str]) -> None:
    """Refuse what is given twice: one of the two would be ignored."""
    options = [word.partition("=")[0] for word in words if word.startswith("--")]
    keys = [text.partition("=")[0].strip() for text in overrides]
    for name, count in Counter([*options, *keys]).items():
        if count > 1:
            raise InputError(f"{name} is given {count} times: keep one")
    if "--seed" in options and "seed" in keys:
        raise InputError("the seed is given twice, by --seed and by seed=: keep one")


def _split_overrides(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part key=value words from the rest; the word after an option that takes one is its value."""
    words: list[str] = []
    overrides: list[str] = []
    is_value = False
    for word in argv:
        if not is_value and "=" in word and not word.startswith("-"):
            overrides.append(word)
        else:
            words.append(word)
        is_value = not is_value and word in ("--jobs", "--out", "--seed", "--config-dir")
    return words, overrides


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="influence",
        description=ABOUT,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"influence {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", parser_class=_Parser)
    for verb, about in VERBS.items():
        sub = verbs.add_parser(
            verb,
            help=about,
            description=about[0].upper() + about[1:] + ".",
            usage=f"influence {verb} [key=value ...] [options]",
            epilog=_example(verb),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        sub.add_argument(
            "--config-dir", type=Path, metavar="DIR", help="a folder of your own settings"
        )
        if verb == "settings":
            sub.add_argument(
                "pattern",
                nargs="?",
                help="part of a name or meaning, or with *; mechanism for the catalogue",
            )
            sub.add_argument(
                "--markdown", action="store_true", help="the catalogue of mechanisms as a page"
            )
            continue
        if verb == "lesson":
            sub.add_argument("which", nargs="?", metavar="N", help="number, name, all or shape")
            sub.add_argument("--ask", action="store_true", help="wait for an answer before running")
            sub.add_argument(
                "--markdown", action="store_true", help="with all: the page of lessons"
            )
        if verb == "calibrate":
            sub.add_argument("which", nargs="?", metavar="NAME", help="calibration; none lists all")
            sub.add_argument(
                "--markdown", action="store_true", help="what came out, as a page on stdout"
            )
        sub.add_argument(
            "--out", type=Path, metavar="DIR", help="folder of the results (a new dated one)"
        )
        sub.add_argument("--seed", type=_seed, metavar="N", help="seed of all random worlds")
        if verb != "explain":
            _add_study_options(sub)
    return parser


def _add_study_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs",
        type=_count,
        metavar="N",
        help="processes, at most (and if not given) as many as cores",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would run, and about how long; do nothing"
    )
    parser.add_argument(
        "--quiet",
        action="store_true",
        help="no progress and no summary: print where the results are and nothing else",
    )


def _example(verb: str) -> str:
    lines = [line for line in EXAMPLES.splitlines() if f"influence {verb}" in line]
    return "\n".join(["examples:", *lines])


def _options(verb: str | None) -> list[str]:
    common = ["--help", "--version"] if verb is None else ["--help", "--config-dir"]
    if verb is None:
        return common
    if verb == "settings":
        return [*common, "--markdown"]
    own = [] if verb == "explain" else ["--jobs", "--dry-run", "--quiet"]
    if verb == "lesson":
        own += ["--ask", "--markdown"]
    if verb == "calibrate":
        own += ["--markdown"]
    return [*common, "--out", "--seed", *own]


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of at least 1")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of at least 0")
    return int(text)


def _is_input_error(error: ValueError) -> bool:
    if isinstance(error, InputError):
        return True
    from experiments.settings import SettingsError
    from experiments.store import StoreError

    return isinstance(error, SettingsError | StoreError)


if __name__ == "__main__":
    sys.exit(main())
