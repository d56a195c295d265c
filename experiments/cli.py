"""The command `influence`: ask which influence mechanisms to improve, read the answer.

Nothing heavy is imported before it is needed, so that `influence --help` answers at once.
Exit codes: 0 fine, 1 some runs failed (the rest is usable), 2 bad input, 130 interrupted (what was
finished is kept, and the message says how to go on).
"""

from __future__ import annotations

import argparse
import difflib
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from sim import __version__
from sim.checks import nearest

if TYPE_CHECKING:
    from experiments.conduct import Question
    from experiments.settings import Settings

FINE, SOME_FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
RESULTS = Path("results")
VERBS = {
    "compare": "compare portfolios of influence mechanisms; the default is the shipped question",
    "run": "the same for one portfolio: portfolio=NAME (today's, if none is given)",
    "settings": "list settings with unit, range, default, meaning and source",
}
ABOUT = """Which influence mechanisms should an organization improve? Portfolios are run side by
side on the same luck, and compared on a Balanced Scorecard per quarter."""
EXAMPLES = """examples:
  influence compare                                the shipped comparison
  influence compare scenario=village --jobs 2      a small market
  influence compare quarters=20 replications=100 --out my_study
  influence run portfolio=listening_first          one portfolio and today's
  influence settings trust                         settings that have to do with trust
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
            return _settings(options)
        return _study(options, argv)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; say nothing more, also not when Python closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
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
    return options


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
            sub.add_argument("pattern", nargs="?", help="part of a name or meaning, or with *")
        else:
            _add_study_options(sub)
    return parser


def _add_study_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the results (a new dated one)"
    )
    parser.add_argument("--jobs", type=_count, metavar="N", help="processes (as many as cores)")
    parser.add_argument("--seed", type=_seed, metavar="N", help="seed of all random worlds")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would run, and about how long; do nothing"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress, no summary")


def _example(verb: str) -> str:
    lines = [line for line in EXAMPLES.splitlines() if f"influence {verb}" in line]
    return "\n".join(["examples:", *lines])


def _options(verb: str | None) -> list[str]:
    common = ["--help", "--version"] if verb is None else ["--help", "--config-dir"]
    study = ["--out", "--jobs", "--seed", "--dry-run", "--quiet"]
    return common if verb in (None, "settings") else common + study


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


def _settings(options: argparse.Namespace) -> int:
    from experiments.settings import listing

    rows = listing(options.pattern, options.overrides, options.config_dir)
    if not rows:
        names = {part for row in listing() for part in row.path.split(".") if not part.isdigit()}
        near = difflib.get_close_matches(options.pattern, sorted(names), n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise InputError(
            f"no setting's path or meaning has {options.pattern!r} in it{hint} "
            "(influence settings lists all)"
        )
    for row in rows:
        about = "; ".join(filter(None, (row.unit, row.range)))
        print(f"{row.path} = {row.value}" + (f"  [{about}]" if about else ""))
        meaning = ". Source: ".join(filter(None, (row.meaning, row.source)))
        if meaning:
            print(f"    {meaning}")
    return FINE


def _study(options: argparse.Namespace, argv: Sequence[str]) -> int:
    from experiments import store

    overrides = [*options.overrides]
    if options.seed is not None:
        overrides.append(f"seed={options.seed}")
    settings, name = _asked(options, overrides)
    question = _question(settings, shlex.join(["influence", *argv]))
    jobs = options.jobs or _cores()
    if options.out is not None:
        store.check_folder(options.out, question.identity())
    if options.dry_run:
        _dry_run(question, jobs, options)
        return FINE
    if options.out is not None:
        folder = options.out
    else:
        from datetime import date

        folder = store.new_folder(
            RESULTS, f"{date.today().isoformat()}_{settings.scenario.key}_{name}"
        )
    return _conduct(question, folder, jobs, options.quiet, _resume_line(argv, folder))


def _asked(options: argparse.Namespace, overrides: Sequence[str]) -> tuple[Settings, str]:
    """Return the settings and the name of what is asked; `run` chooses its portfolios here."""
    from experiments.settings import load

    if options.verb != "run":
        settings = load(overrides, options.config_dir)
        return settings, settings.study.key
    chosen = _values(overrides, "portfolio")
    others = [text for text in overrides if not text.startswith("portfolio=")]
    if len(chosen) > 1 or _values(others, "portfolios"):
        raise InputError("run takes one portfolio=NAME; compare takes portfolios=[NAME, ...]")
    if not _values(others, "experiment"):
        others = ["experiment=run", *others]
    baseline = _baseline(others, options.config_dir)
    keys = list(dict.fromkeys([baseline, *chosen]))
    settings = load([*others, f"portfolios=[{','.join(keys)}]"], options.config_dir)
    return settings, f"{settings.study.key}_{keys[-1]}"


def _values(overrides: Sequence[str], key: str) -> list[str]:
    """Return every value that the command line gives to a key."""
    return [text.partition("=")[2] for text in overrides if text.startswith(f"{key}=")]


def _baseline(overrides: Sequence[str], config_dir: Path | None) -> str:
    """Return what a portfolio is compared with, from the command line or the experiment's file."""
    from experiments.settings import load, shipped_dir
    from experiments.settings_listing import read_yaml

    given = _values(overrides, "baseline")
    if given:
        return given[-1]
    for folder in (shipped_dir(), *([config_dir] if config_dir else [])):
        file = folder / "experiment" / f"{_values(overrides, 'experiment')[-1]}.yaml"
        if file.is_file() and "baseline" in (content := read_yaml(file).content):
            return str(content["baseline"])
    return load(overrides, config_dir).study.baseline


def _question(settings: Settings, command: str) -> Question:
    from experiments.conduct import Question

    return Question(
        scenario=settings.scenario,
        study=settings.study,
        resolved=settings.resolved,
        targets=settings.targets,
        strategy_map=settings.strategy_map,
        command=command,
    )


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not tell what this process may use
        return os.cpu_count() or 1


def _resume_line(argv: Sequence[str], folder: Path) -> str:
    """Return the command that goes on with this study."""
    words = [*argv]
    for i, word in enumerate(argv):
        if word == "--out":
            words[i : i + 2] = []
        elif word.startswith("--out="):
            words[i : i + 1] = []
    return shlex.join(["influence", *words, "--out", str(folder)])


def _dry_run(question: Question, jobs: int, options: argparse.Namespace) -> None:
    from experiments import conduct, designs
    from experiments.progress import in_words

    scenario, study = question.scenario, question.study
    print(f"{scenario.label}: {study.question}")
    print(f"{scenario.quarters} quarters, {study.replications} replications, seed {study.seed}")
    width = max(len(portfolio.key) for portfolio in study.portfolios)
    print(f"\n{'portfolio':{width}}  planned cost ({scenario.currency}, present value)")
    for arm in designs.arms(study, scenario):
        cost = designs.planned_present_value(arm.plan, scenario)
        mark = "  baseline" if arm.key == study.baseline else ""
        print(f"{arm.key:{width}}  {cost:12,.0f}{mark}")
    about = conduct.forecast(question, jobs, _Watcher(quiet=options.quiet))
    print(
        f"\n{about.runs:,} runs, muted twins included ({study.twins}), on {jobs} "
        f"process{'es' if jobs > 1 else ''}: about {in_words(about.seconds)} and "
        f"{about.bytes / 1e6:,.0f} MB on disk (estimated from one short run)"
    )
    print("nothing was run for good and nothing was written")


class _Watcher:
    """Shows progress on stderr, unless quiet."""

    def __init__(self, quiet: bool) -> None:
        from experiments.progress import Bar, Silence

        self._quiet = quiet
        self._bar = Silence() if quiet else Bar(sys.stderr)

    def start(self, total: int, done: int) -> None:
        self._bar.start(total, done)

    def advance(self, runs: int) -> None:
        self._bar.advance(runs)

    def say(self, text: str) -> None:
        self._bar.close()
        if not self._quiet:
            print(text, file=sys.stderr)


def _conduct(question: Question, folder: Path, jobs: int, quiet: bool, resume: str) -> int:
    from experiments.conduct import conduct
    from experiments.report import terminal_summary

    watcher = _Watcher(quiet)
    try:
        outcome = conduct(question, folder, jobs, watcher)
    except KeyboardInterrupt:
        print(
            f"\ninterrupted; what was finished is kept in {folder}\ngo on with: {resume}",
            file=sys.stderr,
        )
        return INTERRUPTED
    failed = outcome.counts["failed"]
    if outcome.counts["finished"] and not quiet:
        print(terminal_summary(outcome.results))
    print(f"report  {folder / 'report.html'}\ntables  {folder / 'tables'}")
    if not failed:
        return FINE
    total = failed + outcome.counts["finished"]
    errors = outcome.results.runs.query("status == 'failed'")["error"]
    print(
        f"{failed:,} of {total:,} runs failed; why stands in {folder / 'tables' / 'runs.csv'}, "
        f"first: {errors.iloc[0].strip().splitlines()[-1]}\ntry them again with: {resume}",
        file=sys.stderr,
    )
    return SOME_FAILED


if __name__ == "__main__":
    sys.exit(main())
