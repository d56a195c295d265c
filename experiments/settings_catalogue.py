"""The catalogue of mechanisms: by flow and department, and each with its numbers and their sources.

It is made from the shelf alone, for a terminal and as the page docs/mechanisms.md, so that nobody
keeps a second list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.notation import flows_named
from experiments.settings_sheet import Sheet, mechanism_here, useful_mechanisms
from sim import levers
from sim.flows import Flow
from sim.mechanisms import Acceptability, Effect, Mechanism

COMMAND = "influence settings mechanism --markdown > docs/mechanisms.md"
NONE = "–"
EVERYBODY = "all"
COLUMNS = """Set-up is paid once, running is the money per quarter that gives 63 % of full output,
volume is what activity costs on top at full output were everybody in the market reached, and
half-life is how many weeks of funding bring a mechanism half way to maturity. Moves are the levers
(`influence settings lever`) and how far each is moved at full output, which readiness of capital
and maturity limit; what acts only beyond a share of full output says so."""
SOURCES = """Below, every number stands with its unit and its source or the word assumption."""


@dataclass(frozen=True)
class Number:
    """One number of a mechanism: what it is, value, unit and where it comes from."""

    name: str
    value: str
    unit: str
    source: str


@dataclass(frozen=True)
class Entry:
    """One mechanism as the catalogue shows it."""

    key: str
    code: str
    label: str
    description: str
    flows: tuple[int, ...]
    senses: tuple[int, ...]
    department: str
    setup: str
    running: str
    volume: str
    half_life: str
    moves: str
    numbers: tuple[Number, ...]


def entries(sheet: Sheet, comments: Mapping[str, str]) -> list[Entry]:
    """Return the mechanisms that act on somebody in this market, by code, those without one last.

    `comments` are trailing comments `unit; source` by path of the setting.
    """
    found = [_entry(key, sheet, comments) for key in useful_mechanisms(sheet)]
    return sorted(found, key=lambda entry: (not entry.code, entry.code, entry.key))


def terminal(rows: Iterable[Entry], sheet: Sheet) -> Iterator[str]:
    """Yield the lines of the catalogue for a terminal: flows with departments, then a table."""
    shown = list(rows)
    yield f"{sheet.scenario.label}: {len(shown)} mechanisms; money in {sheet.scenario.currency}"
    for title, place in _places(shown):
        yield ""
        yield title
        for department, codes in place.items():
            yield f"    {department:<24} {' '.join(codes)}"
    yield ""
    head = Entry(
        "", "code", "mechanism", "", (), (), "department", "set-up", "running", "volume",
        "half-life", "moves", (),
    )  # fmt: skip
    wide = max(len(entry.label) for entry in shown)
    for e in [head, *shown]:
        yield (
            f"{e.code or e.key:<5} {e.label:<{wide}}  {e.department:<24} {e.setup:>7} "
            f"{e.running:>8} {e.volume:>7} {e.half_life:>9}  {e.moves}"
        )


def markdown(rows: Iterable[Entry], sheet: Sheet) -> str:
    """Return the catalogue as a page."""
    shown = list(rows)
    departments = [department.label for department in sheet.organization.departments]
    departments = [label for label in departments if any(e.department == label for e in shown)]
    grid = [
        [label, *(" ".join(place.get(label, [])) or NONE for _, place in _places(shown))]
        for label in departments
    ]
    summary = [
        [e.code or e.key, _link(e), e.department, e.setup, e.running, e.volume, e.half_life,
         e.moves] for e in shown
    ]  # fmt: skip
    parts = [
        "# The mechanisms",
        f"<!-- Generated from configs/mechanism by: {COMMAND} -->",
        COLUMNS.replace("\n", " "),
        SOURCES,
        "## Who acts on which flow",
        "Flows are labels, seen from the firm that funds a mechanism ([the model](model.md)); "
        "*senses* are mechanisms that let management see flows.",
        _table(["department", *(f"flow {int(flow)}" for flow in Flow), "senses"], grid),
        "## All of them",
        f"Money in {sheet.scenario.currency}, departments as in {sheet.scenario.label}.",
        _table(
            ["code", "mechanism", "department", "set-up", "running", "volume", "half-life, weeks",
             "moves"], summary,
        ),
    ]  # fmt: skip
    for e in shown:
        acts = flows_named(e.flows) if e.flows else "no flow"
        seen = f" Lets management see {flows_named(e.senses)}." if e.senses else ""
        parts += [
            f"## {_title(e)}",
            e.description,
            f"`{e.key}`, run by {e.department}. Acts on {acts}.{seen}",
            _table(["number", "value", "unit", "source"],
                   [[n.name, n.value, n.unit, n.source] for n in e.numbers]),
        ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _entry(key: str, sheet: Sheet, comments: Mapping[str, str]) -> Entry:
    shelf = sheet.mechanism[key]
    here = mechanism_here(shelf, sheet)
    return Entry(
        key=key,
        code=here.code,
        label=here.label,
        description=here.description.strip(),
        flows=here.flows,
        senses=_senses(here),
        department=_department(here.owner, sheet),
        setup=_money(here.setup),
        running=_money(here.running),
        volume=_money(here.volume) if here.volume else NONE,
        half_life=f"{here.half_life:g}",
        moves=", ".join(_moved(effect) for effect in shelf.moves),
        numbers=tuple(_numbers(key, shelf, here, sheet, comments)),
    )


def _senses(mechanism: Mechanism) -> tuple[int, ...]:
    moved = {effect.lever for effect in mechanism.moves if effect.by > 0}
    return tuple(int(flow) for flow in Flow if f"sensing_{int(flow)}" in moved)


def _department(owner: str, sheet: Sheet) -> str:
    labels = {department.key: department.label for department in sheet.organization.departments}
    return next(iter(labels.values())) if len(labels) == 1 else labels[owner]


def _money(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _moved(effect: Effect) -> str:
    above = f" (above {effect.above:g})" if effect.above else ""
    return f"{effect.lever} {_signed(effect.by)}{above}"


def _signed(value: float) -> str:
    return f"{value:+g}".replace("-", "−")


def _places(shown: Iterable[Entry]) -> list[tuple[str, dict[str, list[str]]]]:
    """Return codes by department for each flow, then for what lets management see."""
    rows = [(f"flow {int(flow)}: {flow.label}", "flows", int(flow)) for flow in Flow]
    found = []
    for title, name, flow in [*rows, ("senses: what management sees", "senses", 0)]:
        place: dict[str, list[str]] = {}
        for entry in shown:
            acts = getattr(entry, name)
            if flow in acts or (flow == 0 and acts):
                place.setdefault(entry.department, []).append(entry.code or entry.key)
        found.append((title, place))
    return found


def _numbers(
    key: str, shelf: Mechanism, here: Mechanism, sheet: Sheet, comments: Mapping[str, str]
) -> Iterator[Number]:
    currency = sheet.scenario.currency

    def source(path: str, owner: Any, field: str) -> str:
        comment = comments.get(f"mechanism.{key}.{path}", "")
        unit, mark, said = comment.partition(";")
        return (said if mark else unit).strip() or owner.__dataclass_fields__[field].metadata.get(
            "source", ""
        )

    def plain(name: str, field: str, value: str, unit: str) -> Number:
        return Number(name, value, unit, source(field, Mechanism, field))

    yield plain("set-up", "setup", _money(here.setup), currency)
    yield plain("running", "running", _money(here.running), f"{currency}/quarter")
    if here.volume:
        who = "those tied" if here.reach == "tied" else "everybody it addresses"
        yield plain(f"volume, for {who}", "volume", _money(here.volume), f"{currency}/quarter")
    yield plain(f"half-life, {here.maturity}", "half_life", f"{here.half_life:g}", "weeks")
    if here.dip:
        yield plain("dip of the department", "dip", f"{here.dip:g}", "weeks")
    for capital, weight in here.needs.items():
        said = source(f"needs.{capital}", Mechanism, "needs")
        yield Number(f"needs {capital} capital", f"{weight:g}", "weight", said)
    for group, title in (("effects", ""), ("side_effects", "side effect: ")):
        for effect in getattr(shelf, group):
            row = levers.lever(effect.lever)
            to = "" if row.of_firm else f" to {', '.join(effect.to) or EVERYBODY}"
            above = f", above {effect.above:g} of full output" if effect.above else ""
            said = source(f"{group}.{effect.lever}.by", Effect, "by")
            name = f"{title}{effect.lever}{to}{above}"
            yield Number(name, _signed(effect.by), row.unit, said)
    if here.acceptability.breach:
        for field, item in Acceptability.__dataclass_fields__.items():
            if "unit" in item.metadata:
                value = f"{getattr(here.acceptability, field):g}"
                said = source(f"acceptability.{field}", Acceptability, field)
                whom = ", ".join(shelf.acceptability.to) or EVERYBODY
                name = f"breach of {here.acceptability.tag}, to {whom}: {BREACH[field]}"
                yield Number(name, value, item.metadata["unit"], said)


BREACH = {"breach": "hazard at full output", "trust_cost": "broken promises", "delay": "delay"}


def _title(entry: Entry) -> str:
    return " ".join(filter(None, (entry.code, entry.label)))


def _link(entry: Entry) -> str:
    kept = "".join(c for c in _title(entry).lower() if c.isalnum() or c in " -_")
    return f"[{entry.label}](#{kept.replace(' ', '-')})"


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
