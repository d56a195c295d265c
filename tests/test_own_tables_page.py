"""The example of docs/own-tables.md reads as the page says and earns money like its village."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from experiments import designs
from experiments.settings import Settings, load
from sim import kpis
from sim.engine import simulate

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "own-tables.md"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("my_village")
    text = PAGE.read_text(encoding="utf-8")
    for name, table in re.findall(r"`(\w+\.csv)`\n\n```csv\n(.*?)```", text, re.DOTALL):
        (folder / name).write_text(table, encoding="utf-8")
    (folder / "scenario").mkdir()
    settings = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0]
    (folder / "scenario" / "our_village.yaml").write_text(settings, encoding="utf-8")
    return load(["scenario=our_village"], folder)


def test_the_example_reads_as_it_says(example: Settings) -> None:
    scenario = example.scenario
    people = scenario.people
    assert people is not None
    households, staff = people.ids[:20], people.ids[20:]
    assert households == tuple(f"h{i:02d}" for i in range(1, 21))
    assert staff == tuple("1234567")
    assert np.bincount(people.tied[:20] + 1).tolist() == [2, 9, 9]
    assert people.tied[20:].tolist() == [0] * 7
    departments = [scenario.firms[0].departments[d].key for d in people.department[20:]]
    assert departments == ["counter"] * 3 + ["bakery"] * 3 + ["office"]
    layers = [layer.key for layer in scenario.layers]
    heard = {
        (people.ids[s], people.ids[t], layers[layer], weight)
        for s, t, layer, weight in zip(
            people.source, people.target, people.layer, people.weight.round(3), strict=True
        )
    }
    assert len(heard) == 21 + 6  # friendship and advice to oneself are left out
    assert ("h02", "h03", "strong", 0.6) in heard
    assert ("4", "1", "internal", 1.0) in heard


def test_the_example_earns_money_like_the_village_it_is_made_from(example: Settings) -> None:
    village = load(["scenario=village"])
    revenue, margin = (
        np.array([opening(made, key) for made in (example, village)])
        for key in ("revenue", "operating_margin")
    )
    assert revenue[0] == pytest.approx(revenue[1], rel=0.2)
    assert (margin > 0).all()
    assert (margin < 0.15).all()


def opening(made: Settings, key: str) -> float:
    """Return an indicator of the first quarter as is, mean of six replications."""
    as_is = designs.arms(made.study, made.scenario)[:1]
    runs = [simulate(made.scenario, as_is, 1, replication).kpi for replication in range(6)]
    return float(np.mean([kpi[1, kpis.INDEX[key], 0] for kpi in runs]))
