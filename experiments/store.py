"""A study's folder: layout, writing, reading back, and refusing to mix or overwrite studies.

    report.html            the answer
    tables/*.csv           tidy tables; dictionary.csv gives every column's unit and meaning
    figures/               PNG and SVG
    settings.yaml          every setting as it was resolved
    manifest.json          command, seed, versions, git commit, hashes, times, counts of runs
    journal/               one .npz per finished unit of work; what resuming continues from

Whatever is written appears whole or not at all (temporary name, then `os.replace`), so that a study
killed at any moment can be continued.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.provenance import Identity, differences, load_identity, save_identity

if TYPE_CHECKING:
    import pandas as pd

JOURNAL = "journal"
TABLES = "tables"
FIGURES = "figures"
REPORT = "report.html"
SETTINGS = "settings.yaml"
MANIFEST = "manifest.json"
IDENTITY = "identity.json"


class StoreError(ValueError):
    """A folder cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Column:
    """One column of a table: its unit, its meaning and whether it holds text."""

    table: str
    column: str
    unit: str
    meaning: str
    text: bool = False


def _columns(table: str, *rows: tuple[str, str, str] | tuple[str, str, str, bool]) -> list[Column]:
    return [Column(table, *row) for row in rows]


_ARM = ("arm", "-", "variant: a portfolio, or one with a flow muted", True)
_REPLICATION = ("replication", "-", "random world; the same number is the same luck in every arm")
_QUARTER = ("quarter", "quarters", "0 is the opening, q the close of quarter q")

COLUMNS: tuple[Column, ...] = (
    *_columns(
        "runs",
        ("run_id", "-", "arm and replication; one row per run", True),
        _ARM,
        ("label", "-", "the arm's name in reports", True),
        _REPLICATION,
        ("seed", "-", "master seed of the study"),
        ("twin_of", "-", "arm whose twin this is; empty for portfolios", True),
        ("muted_flow", "-", "flow (1-6) that this twin mutes; 0 for none"),
        ("status", "-", "finished or failed", True),
        ("error", "-", "traceback of a failed run", True),
        ("paid_by", "-", "who pays the plan: organization, or a competitor by name", True),
        (
            "planned_cost",
            "currency",
            "present value of the plan, whoever pays: set-up, running, expected volume, "
            "investment, reorganizing",
        ),
        (
            "realised_cost",
            "currency",
            "present value of all that the organization spends on mechanisms, capital and design; "
            "what a competitor spends is not in it",
        ),
        (
            "quarters_cut",
            "quarters",
            "in which the payer's budget or board allowed less than wished for",
        ),
        ("least_afforded", "share", "of a quarter's wished-for spending that they allowed"),
        ("net_present_value", "currency", "discounted profit - investment, to the last quarter"),
    ),
    *_columns(
        "scorecard",
        _ARM,
        _REPLICATION,
        _QUARTER,
        ("kpi", "-", "indicator, see indicators.csv", True),
        ("value", "the indicator's", "its true value; empty where it is undefined"),
        (
            "reading",
            "the indicator's",
            "what management reads: late, sampled; empty where nothing senses it",
        ),
    ),
    *_columns(
        "influence",
        _ARM,
        _REPLICATION,
        _QUARTER,
        ("flow", "-", "influence flow 1-6, muted in the twin"),
        ("kind", "-", "stakeholder type; empty for an indicator of the organization", True),
        ("measure", "-", "measure of a type or indicator, see indicators.csv", True),
        (
            "value",
            "the indicator's",
            "the run minus its twin with the flow muted, on the same luck",
        ),
    ),
    *_columns(
        "spending",
        _ARM,
        _REPLICATION,
        ("quarter", "quarters", "the quarter in which the money was spent"),
        ("item", "-", "mechanism, invest_ and a capital, or reorganization", True),
        ("value", "currency/quarter", "realised spending of the organization"),
        ("present_value", "currency", "the same, discounted to the start of the first quarter"),
    ),
    *_columns(
        "governance",
        _ARM,
        _REPLICATION,
        ("quarter", "quarters", "the quarter for which it was decided"),
        ("item", "-", "mechanism, or invest_ and a capital; only those with any money", True),
        ("planned", "currency/quarter", "effort or investment of the plan, beyond today's"),
        ("managed", "currency/quarter", "the same as governance left it, before the budget"),
        ("board_cut", "share", "of the plan's money that the board took in the quarter"),
    ),
    *_columns(
        "insight",
        _ARM,
        _REPLICATION,
        _QUARTER,
        (
            "department",
            "-",
            "department of today that hears it first; new_departments for those a design adds",
            True,
        ),
        ("heard", "share", "of all that the organization hears, what arrives here first"),
        ("delivered", "share", "of what arrives here first, what reaches a department that acts"),
        ("hand_overs", "hand-overs", "mean number on the way of what arrives"),
        ("weeks", "weeks", "from insight to decision: hand-overs x weeks per hand-over"),
    ),
    *_columns(
        "ledger",
        ("run_id", "-", "arm and replication, as in runs.csv", True),
        _ARM,
        _REPLICATION,
        ("quarter", "quarters", "q is the close of quarter q, where people are counted"),
        ("flow", "-", "influence flow 1-6 that the twin mutes; 0 where it mutes all six"),
        ("kind", "-", "stakeholder type", True),
        ("influenced", "-", "think or do: what they would otherwise not think or do", True),
        ("what", "-", "attitude, salience; provider, advocacy, voice, engagement; anything", True),
        ("count_more", "stakeholders", "who differ from the twin in the organization's favour"),
        ("count_less", "stakeholders", "who differ from the twin against the organization"),
        ("count_other", "stakeholders", "who differ in a way that is neither, or both"),
        ("of", "stakeholders", "of the type, as far as it can do so"),
        ("share", "share", "who differ, of those who can; the remainder is flow 0 - sum of 1 to 6"),
    ),
    *_columns(
        "shapley",
        _ARM,
        ("against", "-", "arm that it is compared with; empty where all flows muted are", True),
        ("kpi", "-", "headline indicator at the horizon, see indicators.csv", True),
        ("flow", "-", "influence flow 1-6"),
        ("n", "replications", "that have a value in every one of the 64 combinations"),
        ("value", "the indicator's", "Shapley value: the six add up to the whole exactly"),
        ("low", "the indicator's", "lower end of its 95 % interval, paired bootstrap"),
        ("high", "the indicator's", "upper end of its 95 % interval, paired bootstrap"),
        ("main_effect", "the indicator's", "what the flow achieves alone, all others muted"),
        ("last_in", "the indicator's", "what is lost when only this flow is muted"),
    ),
    *_columns(
        "interactions",
        _ARM,
        ("against", "-", "arm that it is compared with; empty where all flows muted are", True),
        ("kpi", "-", "headline indicator at the horizon, see indicators.csv", True),
        ("flow", "-", "influence flow 1-6"),
        ("other", "-", "another influence flow"),
        ("n", "replications", "that have a value in every one of the 64 combinations"),
        (
            "value",
            "the indicator's",
            "Shapley interaction: above 0 where the two achieve more together than apart",
        ),
        ("low", "the indicator's", "lower end of its 95 % interval, paired bootstrap"),
        ("high", "the indicator's", "upper end of its 95 % interval, paired bootstrap"),
    ),
    *_columns(
        "indicators",
        ("indicator", "-", "name in the tables", True),
        ("of", "-", "organization or stakeholder type", True),
        ("label", "-", "name in reports", True),
        ("unit", "-", "unit of the values", True),
        ("perspective", "-", "of the Balanced Scorecard", True),
        ("direction", "-", "1 more is better, -1 less is better, 0 neither"),
        ("timing", "-", "leading or lagging", True),
        ("owner", "-", "department whose silo it comes from", True),
        ("flow", "-", "influence flow it belongs to; 0 for none"),
        ("audience", "-", "stakeholders it is about, words of the settings' audiences", True),
        ("sensed_by", "-", "flow whose sensing reads it; 0 stands in the firm's own books"),
        ("formula", "-", "how it is computed, in words of the settings' audiences", True),
        ("source", "-", "where the measure comes from", True),
    ),
    *_columns(
        "dictionary",
        ("table", "-", "file in tables/, without .csv", True),
        ("column", "-", "column of that table", True),
        ("unit", "-", "unit of its values; - for names and numbers without unit", True),
        ("meaning", "-", "what it says", True),
    ),
)
# Of a study of the strategy map's links, which has these and a dictionary of its own.
LINK_COLUMNS: tuple[Column, ...] = (
    *_columns(
        "links",
        ("link", "-", "tail > head (flow); one row per link of the strategy map", True),
        ("tail", "-", "objective that acts, or rivals", True),
        ("head", "-", "objective acted on, or rivals", True),
        ("tail_kpi", "-", "indicator of the tail", True),
        ("head_kpi", "-", "indicator of the head", True),
        ("flow", "-", "influence flow 1-6; 0 for cause and effect"),
        ("sign", "-", "as drawn: 1 more leads to more, -1 more leads to less"),
        ("drawn_lag", "weeks", "as drawn: typical delay"),
        ("nudge", "-", "what pushes the tail", True),
        ("n", "replications", "with a value on both ends"),
        (
            "tail_response",
            "the tail's indicator",
            "mean over quarters from the nudge on, better above 0; of a link to itself: flow muted",
        ),
        (
            "head_response",
            "the head's indicator",
            "the same of the head; of links to itself or beside others: what the flow adds",
        ),
        ("strength", "head's unit per tail's unit", "head's response / tail's response"),
        ("low", "head's unit per tail's unit", "lower end of its 95 % interval, Fieller's"),
        ("high", "head's unit per tail's unit", "upper end of its 95 % interval, Fieller's"),
        (
            "standardized_strength",
            "standard deviations",
            "the same in standard deviations between replications per unit named in tail_unit",
        ),
        ("standardized_low", "standard deviations", "lower end of its 95 % interval"),
        ("standardized_high", "standard deviations", "upper end of its 95 % interval"),
        (
            "tail_unit",
            "-",
            "sd: standard deviation between replications; nudge: the whole push, where "
            "replications do not differ",
            True,
        ),
        ("lag", "quarters", "after the nudge's first quarter, of the head's largest response"),
        ("first", "quarters", "after it, when the head's 95 % interval first excludes 0"),
        ("p", "probability", "paired t test that the head does not respond"),
        ("p_holm", "probability", "the same, Holm's correction over all links tried"),
        (
            "verdict",
            "-",
            "supported, opposite, not supported, not tried or by definition",
            True,
        ),
        ("why", "-", "why it was not tried", True),
    ),
    *_columns(
        "link_quarters",
        ("link", "-", "as in links.csv", True),
        ("quarter", "quarters", "close of this quarter"),
        ("after", "quarters", "after the nudge's first quarter"),
        ("n", "replications", "with a value of the head"),
        (
            "tail_response",
            "the tail's indicator",
            "mean over the quarters from the nudge to this one",
        ),
        ("head_response", "the head's indicator", "mean of this quarter, better is above 0"),
        ("head_low", "the head's indicator", "lower end of its 95 % paired t interval"),
        ("head_high", "the head's indicator", "upper end of its 95 % paired t interval"),
        ("strength", "head's unit per tail's unit", "head_response / tail_response"),
        ("low", "head's unit per tail's unit", "lower end of its 95 % interval, Fieller's"),
        ("high", "head's unit per tail's unit", "upper end of its 95 % interval, Fieller's"),
    ),
)
TABLE_NAMES = tuple(dict.fromkeys(column.table for column in COLUMNS))


def columns_of(table: str) -> list[str]:
    """Return the columns of a table, in order."""
    return [c.column for c in (*COLUMNS, *LINK_COLUMNS) if c.table == table]


def dictionary(currency: str, columns: Sequence[Column] = COLUMNS) -> pd.DataFrame:
    """Return the data dictionary: unit and meaning of every column of every table."""
    import pandas as pd

    rows = [(c.table, c.column, c.unit.replace("currency", currency), c.meaning) for c in columns]
    return pd.DataFrame(rows, columns=columns_of("dictionary"))


def new_folder(root: Path, stem: str) -> Path:
    """Make and return root/stem, or root/stem-2, -3, ...: the first that is not there yet."""
    number = 1
    while True:
        path = root / (stem if number == 1 else f"{stem}-{number}")
        try:
            _make(path, may_exist=False)
        except FileExistsError:
            number += 1
        else:
            return path


def check_folder(path: Path, identity: Identity) -> bool:
    """Return whether the folder holds this very study, begun earlier; change nothing.

    Raises
    ------
    StoreError
        If it holds something else, or this study with other settings, seed, code or packages.
    """
    if path.exists() and not path.is_dir():
        raise StoreError(f"{path} is a file, not a folder; choose another --out")
    if not any(_is_content(item) for item in path.rglob("*")):
        return False
    record = path / JOURNAL / IDENTITY
    if not record.exists():
        raise StoreError(f"{path} is not empty and holds no study; choose another --out")
    try:
        before = load_identity(record)
    except (ValueError, TypeError) as error:
        raise StoreError(f"{record} cannot be read ({error}); choose another --out") from error
    changed = differences(before, identity)
    if changed:
        raise StoreError(
            f"{path} holds another study, which this one would not continue:\n  "
            + "\n  ".join(changed)
            + "\nchoose another --out, or give the settings the folder was made with"
        )
    return True


def _is_content(path: Path) -> bool:
    """Whether a path is more than an empty folder or what a killed write left behind."""
    return path.is_file() and not path.name.startswith(".")


def open_folder(path: Path, identity: Identity) -> bool:
    """Make the folder ready for this study and return whether it continues an earlier run of it."""
    resumed = check_folder(path, identity)
    _make(path, may_exist=True)
    for name in (JOURNAL, TABLES, FIGURES):
        (path / name).mkdir(exist_ok=True)
    if not resumed:
        write_whole(path / JOURNAL / IDENTITY, lambda part: save_identity(identity, part))
    return resumed


def _make(path: Path, may_exist: bool) -> None:
    """Make a folder, and those above it; StoreError if the system does not let us."""
    try:
        path.mkdir(parents=True, exist_ok=may_exist)
    except FileExistsError:
        raise
    except OSError as error:
        raise StoreError(f"cannot create the folder {path}: {error.strerror}") from None


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file, then put it in place in one step."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_table(folder: Path, name: str, frame: pd.DataFrame) -> None:
    """Write one tidy table: UTF-8, decimal points, floats that read back to the same bits.

    Raises
    ------
    StoreError
        If its columns are not exactly those of the data dictionary.
    """
    if list(frame.columns) != columns_of(name):
        raise StoreError(f"table {name}: columns {list(frame.columns)}, not {columns_of(name)}")
    write_whole(
        folder / TABLES / f"{name}.csv",
        lambda part: frame.to_csv(part, index=False, encoding="utf-8", lineterminator="\n"),
    )


def read_table(folder: Path, name: str) -> pd.DataFrame:
    """Read one table back, bit for bit."""
    import pandas as pd

    columns = [c for c in (*COLUMNS, *LINK_COLUMNS) if c.table == name]
    text = [c.column for c in columns if c.text]
    numbers = [c.column for c in columns if not c.text]
    return pd.read_csv(
        folder / TABLES / f"{name}.csv",
        dtype=dict.fromkeys(text, str),
        keep_default_na=False,
        na_values={column: [""] for column in numbers},
    )


def write_settings(folder: Path, resolved: Mapping[str, Any]) -> None:
    """Write the resolved settings as YAML."""
    import yaml

    text = yaml.dump(
        json.loads(json.dumps(resolved)),
        Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper),  # a fifth of the time
        sort_keys=False,
        allow_unicode=True,
    )
    write_whole(folder / SETTINGS, lambda part: part.write_text(text, encoding="utf-8"))


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest as JSON."""
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    write_whole(folder / MANIFEST, lambda part: part.write_text(text, encoding="utf-8"))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest; empty where there is none yet."""
    path = folder / MANIFEST
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


@dataclass(frozen=True)
class StoredStudy:
    """A study read back from its folder."""

    path: Path
    tables: Mapping[str, pd.DataFrame]
    settings: Mapping[str, Any]
    manifest: Mapping[str, Any]


def read_study(path: Path | str) -> StoredStudy:
    """Read a study's tables, settings and manifest.

    Raises
    ------
    StoreError
        If the folder holds no finished study.
    """
    import yaml

    folder = Path(path)
    missing = [n for n in TABLE_NAMES if not (folder / TABLES / f"{n}.csv").exists()]
    if missing:
        raise StoreError(f"{folder} holds no finished study: no table {', '.join(missing)}")
    return StoredStudy(
        path=folder,
        tables={name: read_table(folder, name) for name in TABLE_NAMES},
        settings=yaml.load(
            (folder / SETTINGS).read_text(encoding="utf-8"),
            Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader),
        ),
        manifest=read_manifest(folder),
    )
