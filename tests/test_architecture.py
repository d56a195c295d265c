"""The floors of the house: a file imports only from floors below its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("sim", "experiments")
FLOORS = (
    ("sim.checks", "sim.compiled", "sim.lanes"),
    ("sim.memory",),
    ("sim.flows", "sim.rng", "sim.levers", "sim.catalogue", "sim.history", "sim.fields"),
    (
        "sim.physics",
        "sim.stakeholders",
        "sim.mechanisms",
        "sim.organization",
        "sim.steering",
        "sim.outside",
    ),
    ("sim.scenario", "sim.plans", "sim.state", "sim.draws"),
    ("sim.arcs", "sim.design", "sim.lookup", "sim.influenced", "sim.nudging"),
    ("sim.choosers", "sim.adjacency"),
    ("sim.laws", "sim.laws.*", "sim.policies", "sim.networks", "sim.arms"),
    ("sim.population", "sim.firms", "sim.kernels.*"),
    ("sim.kernels", "sim.closing", "sim.structure", "sim.shocks", "sim.firm_kernels.drive"),
    ("sim.firm_kernels.*",),
    ("sim.firm_kernels",),
    ("sim.kpis_*", "sim.sensing", "sim.governance"),
    ("sim.kpis",),
    ("sim.opening",),
    (
        "sim.passes",
        "sim.volume",
        "sim.managing",
        "sim.turnover",
        "sim.complaints",
        "sim.reaching",
    ),
    ("sim.engine",),
    ("sim.scorecard", "sim.strategy_map", "sim.agents", "sim.ledger", "sim.trace"),
    ("sim.alerts",),
    ("sim.model",),
    ("sim",),
    (
        "experiments.designs",
        "experiments.gaps",
        "experiments.provenance",
        "experiments.progress",
        "experiments.table_files",
        "experiments.workers",
        "experiments.exits",
        "experiments.calibration_measures",
    ),
    (
        "experiments.budget",
        "experiments.store",
        "experiments.notation",
        "experiments.sheet",
        "experiments.links",
        "experiments.calibration",
    ),
    ("experiments.journal", "experiments.tables", "experiments.worlds"),
    ("experiments.inquiries",),
    (
        "experiments.analysis",
        "experiments.ranking",
        "experiments.lessons",
        "experiments.calibration_fit",
        "experiments.shape",
        "experiments.attribution",
        "experiments.accounts",
        "experiments.link_strength",
        "experiments.raster",
        "experiments.figures",
        "experiments.figure_*",
        "experiments.strategy_map_*",
    ),
    (
        "experiments.results",
        "experiments.runner",
        "experiments.report",
        "experiments.report_*",
        "experiments.calibration_run",
        "experiments.calibration_outcome",
    ),
    ("experiments.calibration_words",),
    ("experiments.rehearsal",),
    (
        "experiments.conduct",
        "experiments.conduct_map",
        "experiments.story",
        "experiments.story_*",
    ),
    ("experiments.settings_*",),
    ("experiments.settings",),
    (
        "experiments.cli",
        "experiments.cli_*",
        "experiments.benchmark.*",
    ),
    ("experiments", "experiments.benchmark"),
)
# On these floors files may use each other, as long as nobody goes round in a circle: laws are
# small and share, kernels and a report are cut into pieces, figures draw what the analysis says.
SHARED = (
    "sim.laws.*",
    "sim.kernels.*",
    "experiments.analysis",
    "experiments.report",
    "experiments.conduct",
    "experiments.settings_*",
    "experiments.cli",
)
MESA_ONLY_IN = ("sim.agents", "sim.model", "experiments.benchmark.*")
HYDRA_ONLY_IN = ("experiments.settings_compose",)


def modules() -> dict[str, Path]:
    """Every source file by its module name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = path
    return found


def imports_of(source: str, known: set[str]) -> set[str]:
    """Modules of ours that a source names in an import, wherever in the file it stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            base = node.module or ""
            inner = {f"{base}.{alias.name}" for alias in node.names}
            names |= {name if name in known else base for name in inner}
    return {name for name in names if name.partition(".")[0] in PACKAGES}


def foreign_imports_of(source: str) -> set[str]:
    """Top-level names of packages that a source imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def floor_of(name: str) -> int | None:
    """Number of the floor a module stands on, None if it stands on none."""
    exact = [i for i, floor in enumerate(FLOORS) if name in floor]
    wild = [i for i, floor in enumerate(FLOORS) for pattern in floor if fnmatch(name, pattern)]
    return (exact or wild or [None])[0]


def is_shared(floor: int) -> bool:
    return any(name in FLOORS[floor] for name in SHARED)


def upward_imports(sources: dict[str, str]) -> Iterator[str]:
    """Every import that does not go down, in words."""
    for name, source in sources.items():
        own = floor_of(name)
        for used in sorted(imports_of(source, set(sources)) - {name}):
            other = floor_of(used)
            if own is None or other is None:
                continue
            # `from sim import __version__` costs nothing: the package imports lazily.
            if used == "sim" and name.startswith("experiments"):
                continue
            if other > own or (other == own and not is_shared(own)):
                yield f"{name} (floor {own}) imports {used} (floor {other})"


def sources() -> dict[str, str]:
    return {name: path.read_text(encoding="utf-8") for name, path in modules().items()}


def test_every_file_stands_on_a_floor() -> None:
    homeless = [name for name in modules() if floor_of(name) is None]
    assert not homeless, f"give these files a floor in FLOORS: {homeless}"


def test_every_name_on_a_floor_or_a_list_is_that_of_a_file() -> None:
    lists = (*FLOORS, MESA_ONLY_IN, HYDRA_ONLY_IN)
    named = {pattern for names in lists for pattern in names}
    gone = [pattern for pattern in named if not any(fnmatch(name, pattern) for name in modules())]
    assert gone == []
    assert set(SHARED) <= {pattern for floor in FLOORS for pattern in floor}


def test_no_file_imports_from_its_own_floor_or_above() -> None:
    assert list(upward_imports(sources())) == []


def test_nobody_goes_round_in_a_circle() -> None:
    text = sources()
    graph = {name: imports_of(source, set(text)) - {name} for name, source in text.items()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name in done or name not in graph:
            return
        for used in graph[name]:
            visit(used, (*path, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def test_an_upward_import_is_seen() -> None:
    planted = {"sim.flows": "from sim.engine import simulate\n", "sim.engine": ""}
    low, high = floor_of("sim.flows"), floor_of("sim.engine")
    said = f"sim.flows (floor {low}) imports sim.engine (floor {high})"
    assert list(upward_imports(planted)) == [said]


def test_an_upward_import_inside_a_function_is_seen() -> None:
    planted = {"sim.kpis": "def f():\n    import sim.model\n", "sim.model": ""}
    assert len(list(upward_imports(planted))) == 1


def test_the_model_knows_no_files_settings_or_pictures() -> None:
    forbidden = {"hydra", "omegaconf", "yaml", "matplotlib", "pandas", "joblib", "experiments"}
    allowed = {"sim.agents", "sim.model"}
    for name, source in sources().items():
        if name.partition(".")[0] == "sim" and name not in allowed:
            assert not forbidden & foreign_imports_of(source), name


@pytest.mark.parametrize(("package", "homes"), [("mesa", MESA_ONLY_IN), ("hydra", HYDRA_ONLY_IN)])
def test_a_framework_is_imported_in_one_place_only(package: str, homes: tuple[str, ...]) -> None:
    users = [name for name, source in sources().items() if package in foreign_imports_of(source)]
    assert [name for name in users if not any(fnmatch(name, home) for home in homes)] == []


def test_only_the_random_streams_make_random_numbers() -> None:
    for name, source in sources().items():
        if name == "sim.rng" or name.startswith("experiments.benchmark"):
            continue
        called = {
            node.attr
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute)
            if node.value.attr == "random"
        }
        assert "random" not in foreign_imports_of(source), name
        assert not called, f"{name} uses numpy.random.{called}"
