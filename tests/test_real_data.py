"""Four real organizations load and run through a map of columns; needs `--real-data DIR`.

The folder holds email_eu_core, lazega_law, krackhardt_hightech and cross_parker, each as nodes and
edges with a PROVENANCE.md that counts them; it is no part of this project.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from village import LAYERS, arm, employees, kind, scenario

from experiments.tables import apply_people
from sim.engine import simulate
from sim.population import build_world
from sim.scenario import Scenario
from sim.stakeholders import Layer
from sim.state import World

INTERNAL = LAYERS[1]
LAYERS_BY_NAME: tuple[Layer, ...] = (
    LAYERS[0],
    *(replace(INTERNAL, key=key) for key in ("internal", "advice", "friendship", "cowork")),
)
DIRECTED = {"source": "from", "target": "to"}


@pytest.fixture(scope="module")
def real_data(request: pytest.FixtureRequest) -> Path:
    """Return the folder of real organizations, or skip."""
    folder = request.config.getoption("--real-data", default=None)
    if folder is None:
        pytest.skip("give --real-data DIR to test with real organizations")
    return Path(folder)


def organization(real_data: Path, nodes: dict[str, Any], edges: dict[str, Any]) -> Scenario:
    """Return the village whose own employees are the real ones; staff and hears as in the table."""
    market = scenario(stakeholders=(kind(), employees()), layers=LAYERS_BY_NAME, quarters=2)
    return apply_people(
        {
            "employees": {"kind": "employees", "departments": "from_table", **nodes},
            "employee_ties": {"hears": "source", **edges},
        },
        market,
        real_data,
    )


def inside(world: World, layer: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (hears, heard) rows of the organization's own people in a layer."""
    number = [x.key for x in LAYERS_BY_NAME].index(layer)
    row = np.repeat(np.arange(len(world.ids)), np.diff(world.indptr))
    mine = (world.layer == number) & (world.kind[row] == 1) & (world.tied[row] == 0)
    return row[mine], world.indices[mine]


def reciprocity(hears: np.ndarray, heard: np.ndarray) -> float:
    pairs = set(zip(hears.tolist(), heard.tolist(), strict=True))
    return float(np.mean([(b, a) in pairs for a, b in pairs]))


def check_run(market: Scenario) -> None:
    """Two quarters run, with numbers that are numbers, and insight that travels."""
    history = simulate(market, [arm(market), arm(market, "service", service=20.0)], seed=1)
    assert history.kpi.shape[0] == 3
    assert np.isfinite(history.kpi[1:]).any(axis=1).all()
    assert not np.array_equal(history.spending[..., 0], history.spending[..., 1])


def test_email_eu_core_is_a_thousand_people_in_42_departments(real_data: Path) -> None:
    nodes = {"file": "email_eu_core/nodes.csv"}
    edges = {
        "file": "email_eu_core/edges.csv",
        "columns": DIRECTED,
        "layer": "internal",
        "hears": "target",
    }
    with pytest.raises(ValueError, match=r"edges.csv, line \d+: '\d+' hears itself"):
        organization(real_data, nodes, edges)
    market = organization(real_data, nodes, {**edges, "self_ties": "drop"})
    assert len(market.firms[0].departments) == 42
    assert market.people is not None
    assert (len(market.people.ids), len(market.people.source)) == (1005, 25_571 - 642)
    world = build_world(market, 1, 0)
    hears, heard = inside(world, "internal")
    assert len(hears) / (1005 * 1004) == pytest.approx(0.0247, abs=5e-5)
    assert reciprocity(hears, heard) == pytest.approx(0.711, abs=5e-4)
    same = world.department[hears] == world.department[heard]
    assert same.mean() == pytest.approx(0.347, abs=5e-4)
    assert world.routing[0].sum(axis=1).max() == pytest.approx(1)
    check_run(market)


def test_lazegas_law_firm_has_three_layers_of_ties(real_data: Path) -> None:
    market = organization(
        real_data,
        {"file": "lazega_law/nodes.csv", "columns": {"department": "office"}},
        {"file": "lazega_law/edges.csv", "columns": {**DIRECTED, "layer": "type"}},
    )
    assert [(d.key, round(d.staff * 71)) for d in market.firms[0].departments] == [
        ("Boston", 48),
        ("Hartford", 19),
        ("Providence", 4),
    ]
    world = build_world(market, 1, 0)
    counts = {key: len(inside(world, key)[0]) for key in ("advice", "friendship", "cowork")}
    assert counts == {"advice": 892, "friendship": 575, "cowork": 1104}
    hears, heard = inside(world, "advice")
    assert len(hears) / (71 * 70) == pytest.approx(0.180, abs=1e-3)
    assert reciprocity(hears, heard) == pytest.approx(0.392, abs=5e-4)
    same = world.department[hears] == world.department[heard]
    assert same.mean() == pytest.approx(0.785, abs=5e-4)
    check_run(market)


def test_krackhardts_managers_bring_their_line_advice_and_friendship(real_data: Path) -> None:
    market = organization(
        real_data,
        {"file": "krackhardt_hightech/nodes.csv", "columns": {"department": "dept"}},
        {
            "file": "krackhardt_hightech/edges.csv",
            "columns": {**DIRECTED, "layer": "type"},
            "layers": {"reports_to": "internal"},
        },
    )
    world = build_world(market, 1, 0)
    counts = {key: len(inside(world, key)[0]) for key in ("advice", "friendship", "internal")}
    assert counts == {"advice": 190, "friendship": 102, "internal": 20}
    assert reciprocity(*inside(world, "advice")) == pytest.approx(0.474, abs=5e-4)
    assert [d.key for d in market.firms[0].departments] == ["0", "1", "2", "3", "4"]
    check_run(market)


@pytest.mark.parametrize(
    ("name", "people", "first", "second", "share", "threshold"),
    [
        ("consulting", 46, ("info", 877), ("value", 855), 0.777, 3),
        ("manufacturing", 77, ("info", 2228), ("aware", 2326), 0.854, 4),
    ],
)
def test_cross_and_parkers_ties_carry_weights(
    real_data: Path,
    name: str,
    people: int,
    first: tuple[str, int],
    second: tuple[str, int],
    share: float,
    threshold: int,
) -> None:
    nodes = {"file": f"cross_parker/{name}_nodes.csv", "columns": {"department": "location"}}
    edges = {"file": f"cross_parker/{name}_edges.csv", "columns": {**DIRECTED, "layer": "type"}}
    with pytest.raises(ValueError, match=r"have this tie in layer 'advice' already in line"):
        organization(
            real_data, nodes, {**edges, "layers": {first[0]: "advice", second[0]: "advice"}}
        )
    market = organization(
        real_data, nodes, {**edges, "layers": {first[0]: "advice", second[0]: "cowork"}}
    )
    world = build_world(market, 1, 0)
    assert (world.tied[world.kind == 1] == 0).sum() == people
    assert len(inside(world, "advice")[0]) == first[1]
    assert len(inside(world, "cowork")[0]) == second[1]
    assert market.people is not None
    assert 0 < market.people.weight.min() < market.people.weight.max() == 1
    strong = organization(
        real_data,
        nodes,
        {**edges, "layers": {first[0]: "advice", second[0]: None}, "threshold": threshold},
    )
    world = build_world(strong, 1, 0)
    hears, heard = inside(world, "advice")
    same = world.department[hears] == world.department[heard]
    assert same.mean() == pytest.approx(share, abs=5e-4)
    check_run(strong)
