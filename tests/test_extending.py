"""What extending costs: each row of the table in the house's plan, done here and seen to work."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from shutil import copytree, ignore_patterns

import numpy as np
import pytest
import village

import sim
from experiments.designs import arms as arms_of
from experiments.settings import load
from sim import kpis, networks, organization, stakeholders
from sim.engine import simulate
from sim.networks import Draws, Members, Ties
from sim.organization import Policy
from sim.policies import POLICIES, Observed
from sim.population import build_world
from sim.stakeholders import Layer

ROOT = Path(sim.__file__).resolve().parent.parent


def write(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


MECHANISM = """
label: Open days
description: People come, look and talk.
flows: [1, 2]
owner: marketing
needs: {human: 1.0}
setup: 100
running: 400
half_life: 6
maturity: exponential
dip: 1
effects:
  impressions: {to: all, by: 2.0}
  talk_rate: {to: [customers], by: 0.5}
"""

PORTFOLIO = """
label: Open days
description: Invite everybody.
items:
  - {mechanism: open_days, share: 1.0}
capital: {}
"""


def test_a_mechanism_and_a_portfolio_are_one_yaml_each(tmp_path: Path) -> None:
    write(tmp_path, "mechanism/open_days.yaml", MECHANISM)
    write(tmp_path, "portfolio/open_days.yaml", PORTFOLIO)
    settings = load(["scenario=village", "portfolios=[as_is,open_days]", "quarters=2"], tmp_path)
    arms = arms_of(settings.study, settings.scenario)
    world = build_world(settings.scenario, 1, 0)
    history = simulate(settings.scenario, arms, 1, world=world, lanes=4)
    row = settings.scenario.mechanism("open_days")
    by_arm = {arm.key: i for i, arm in enumerate(arms)}
    assert history.spending[:, row, by_arm["as_is"]].sum() == 0
    assert history.spending[:, row, by_arm["open_days"]].sum() > 0
    salience = history.kpi[-1, kpis.INDEX["salience"]]
    assert salience[by_arm["open_days"]] > salience[by_arm["as_is"]]


def test_a_stakeholder_type_is_one_entry_of_data() -> None:
    market = village.scenario(quarters=1)
    pets = village.kind("pets", 30, customer=False, opportunity=0.0, tied={}, units=0.0)
    larger = replace(market, stakeholders=(*market.stakeholders, pets))
    history = simulate(larger, [village.arm(larger)], 1, lanes=1)
    assert history.measures.shape[2] == 3
    assert history.measures[-1, kpis.MEASURES.index("positive_voices"), 2].sum() > 0


def doubled(firm: int, policy: Policy, seen: Observed) -> np.ndarray:
    """Spend twice as much as today."""
    return 2.0 * seen.base[firm]


def test_a_policy_is_one_function_and_what_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(POLICIES, "doubled", doubled)
    reads = {**organization.POLICY_READS, "doubled": ()}
    monkeypatch.setattr(organization, "POLICY_READS", reads)
    market = village.scenario(quarters=1)
    bold = replace(market.firms[0], policy=Policy("doubled", 0.0, 1, 1e9))
    market = replace(market, firms=(bold, market.firms[1]))
    history = simulate(market, [village.arm(market)], 1, lanes=1)
    assert history.spending[0, market.mechanism("advertising"), 0] == pytest.approx(26.0)


def everybody_hears_the_first(layer: Layer, members: Members, draws: Draws) -> Ties:
    """Return ties of everybody to the first on the circle."""
    rows = members.rows[1:]
    return Ties(rows, np.full(len(rows), members.rows[0], np.int32))


def test_a_network_generator_is_one_function_and_its_spread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(networks.GENERATORS, "guru", everybody_hears_the_first)
    monkeypatch.setattr(stakeholders, "SPREADS", {**stakeholders.SPREADS, "guru": None})
    market = village.scenario(quarters=1)
    guru = replace(market.layers[0], generator="guru", spread=0.0)
    market = replace(market, layers=(guru,))
    world = build_world(market, 1, 0)
    assert len(world.indices) == world.n_stakeholders - 1
    assert len(set(world.indices)) == 1
    assert simulate(market, [village.arm(market)], 1, lanes=1, world=world).kpi.shape[0] == 2


def test_an_indicator_is_one_row_and_one_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    row = replace(kpis.TABLE[0], key="cash", label="Cash", formula="cash at the close")
    talk = kpis._talk
    monkeypatch.setattr(kpis, "TABLE", (*kpis.TABLE, row))
    monkeypatch.setattr(
        kpis, "_talk", lambda close, f: {**talk(close, f), "cash": close.firms.cash[f]}
    )
    market = village.scenario(quarters=1)
    history = simulate(market, [village.arm(market)], 1, lanes=1)
    assert history.kpi.shape[1] == len(kpis.TABLE)
    assert history.kpi[0, -1, 0] == 100.0


LEVER_ROW = """    Lever("whisper", "peer", "factor", 1.0, False, "a test's", "assumption"),
)

INDEX ="""
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from dataclasses import replace
import village
from sim.engine import Run
from sim.population import build_world
from sim.state import TALK
market = village.scenario()
market = replace(market, firms=(village.firm(levers={"whisper": 0.25}), market.firms[1]))
run = Run(market, (village.arm(market),), 1, 0, build_world(market, 1, 0))
print(run.drive[TALK, 0, 0, 0] / run.drive[TALK, 1, 0, 0])
"""


@pytest.mark.slow
def test_a_lever_is_one_row_and_the_law_that_reads_it(tmp_path: Path) -> None:
    copytree(ROOT / "sim", tmp_path / "sim", ignore=ignore_patterns("__pycache__"))
    table = tmp_path / "sim" / "levers.py"
    text = table.read_text(encoding="utf-8")
    assert ")\n\nINDEX =" in text
    table.write_text(text.replace(")\n\nINDEX =", LEVER_ROW, 1), encoding="utf-8")
    places = tmp_path / "sim" / "firms.py"
    text = places.read_text(encoding="utf-8")
    places.write_text(
        text.replace("\n\n\nclass", '\nWHISPER = _at["whisper"]\n\n\nclass', 1), encoding="utf-8"
    )
    law = tmp_path / "sim" / "firm_kernels" / "drive.py"
    text = law.read_text(encoding="utf-8")
    reads = "physics.talk_hazard[lane] * lever[TALK_RATE]"
    assert reads in text
    text = text.replace(reads, f"{reads} * lever[WHISPER]", 1)
    law.write_text(text.replace("    TALK_RATE,\n", "    TALK_RATE,\n    WHISPER,\n", 1), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT / "tests")],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        env={
            "PYTHONPATH": str(tmp_path),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
        },
    )
    assert float(done.stdout) == pytest.approx(0.25)
