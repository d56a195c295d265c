"""The Mesa face: `InfluenceModel`, one arm of a run whose step is a quarter.

The engine does the work and its arrays are the only truth; Mesa's agents are windows on them (see
sim.agents), built when first asked for. The bits are those of `sim.simulate`.

Written to the part of Mesa that 3.3 and its successors share: `rng=`, `DataCollector`,
`agents_by_type`, and a quarter counter of our own. The scenario is kept as `market`, because newer
versions of Mesa keep a thing of their own under `scenario`.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cached_property, partial
from typing import Any

import mesa
import numpy as np

from sim import kpis
from sim.agents import Competitor, Department, Organization, Stakeholders
from sim.engine import History, Run
from sim.flows import open_gates
from sim.plans import Arm, Plan
from sim.population import build_world
from sim.scenario import Scenario
from sim.state import State, World


class InfluenceModel(mesa.Model):
    """A market under one plan, to look at and to intervene in between quarters.

    Any `Scenario` will do; `experiments.settings.load(["scenario=village"]).scenario` gives a
    shipped one::

        model = InfluenceModel(scenario, seed=7)
        model.step()                                   # one quarter
        model.stakeholders[3].attitude[0] = 0.4        # seen by the next week
        model.run_model()                              # to the horizon
        model.datacollector.get_model_vars_dataframe()

    Parameters
    ----------
    scenario : Scenario
        The market.
    arm : Arm, optional
        Plan, gates and coefficients; by default today's programmes go on and every gate is open.
    seed : int
        In [0, 2**32 - 1]; the same seed and replication are the same luck as in `sim.simulate`.
    replication : int
        Which world of this seed.

    Attributes
    ----------
    market : Scenario
        What was given.
    engine : Run
        The run under way; `world` and `state` are its arrays.
    stakeholders : sequence of Stakeholder
        By row of the world.
    organization, competitors, departments
        Windows on the firms and on the organization's departments.
    datacollector : mesa.DataCollector
        The quarter and every indicator of `sim.kpis.TABLE` at each close, from quarter 0 on.
    """

    def __init__(
        self, scenario: Scenario, arm: Arm | None = None, *, seed: int, replication: int = 0
    ) -> None:
        super().__init__(rng=seed)
        self.market = scenario
        self.arm = as_is(scenario) if arm is None else arm
        world = build_world(scenario, seed, replication)
        self.engine = Run(scenario, [self.arm], seed, replication, world)
        self.stakeholders = Stakeholders(self, self.engine)
        self.datacollector = mesa.DataCollector(
            {"quarter": _quarter}
            | {kpi.key: partial(_latest, indicator=i) for i, kpi in enumerate(kpis.TABLE)}
        )
        self.datacollector.collect(self)

    def step(self) -> None:
        """Run one quarter; ValueError once the horizon is reached."""
        if self.quarter >= self.market.quarters:
            raise ValueError(
                f"quarter={self.quarter}: the scenario ends here; give it more `quarters` to go on"
            )
        self.engine.advance_quarter()
        self.datacollector.collect(self)
        self.running = self.quarter < self.market.quarters

    @property
    def quarter(self) -> int:
        """Quarters closed so far."""
        return self.engine.quarter

    @property
    def world(self) -> World:
        """The facts."""
        return self.engine.world

    @property
    def state(self) -> State:
        """The stakeholders' quantities, one lane."""
        return self.engine.state

    @property
    def history(self) -> History:
        """What happened so far, as `sim.simulate` returns it for one arm."""
        empty = {
            "spending": np.zeros((0, len(self.market.mechanisms) + 3, 1)),
            "spending_worth": np.zeros((0, len(self.market.mechanisms) + 3, 1)),
            "afforded": np.zeros((0, len(self.market.firms), 1)),
            "reorganization": np.zeros((0, 1)),
            "managed": np.zeros((0, len(self.market.mechanisms) + 3, 1)),
            "board_cut": np.zeros((0, 1)),
        }
        return History(
            *(
                np.stack(rows) if rows else empty[field.name]
                for field, rows in zip(fields(History), self.engine.rows, strict=True)
            )
        )

    @cached_property
    def organization(self) -> Organization:
        """The window on the organization."""
        return Organization(self, self.engine, 0)

    @cached_property
    def competitors(self) -> tuple[Competitor, ...]:
        """Windows on the competitors, in the scenario's order."""
        return tuple(Competitor(self, self.engine, f) for f in range(1, len(self.market.firms)))

    @property
    def departments(self) -> tuple[Department, ...]:
        """Windows on the organization's departments."""
        return self.organization.departments

    @property
    def agents(self) -> Any:
        """Every window, all built by now (about 10 microseconds each)."""
        self._open_all()
        return super().agents

    @property
    def agents_by_type(self) -> Any:
        """Every window by its type, all built by now."""
        self._open_all()
        return super().agents_by_type

    @property
    def agent_types(self) -> list[type]:
        """The types of windows, all built by now."""
        return list(self.agents_by_type)

    def _open_all(self) -> None:
        for firm in (self.organization, *self.competitors):
            _ = firm.departments
        for row in range(len(self.stakeholders)):
            self.stakeholders[row]


def as_is(scenario: Scenario) -> Arm:
    """Return the arm that changes nothing: today's programmes, every gate open."""
    nothing = Plan.nothing(len(scenario.mechanisms), scenario.quarters)
    return Arm("as_is", "As is", nothing, open_gates(len(scenario.firms)))


def _quarter(model: InfluenceModel) -> int:
    return model.quarter


def _latest(model: InfluenceModel, indicator: int) -> float:
    """Return an indicator at the latest close; nan where undefined."""
    return float(model.engine.rows[0][-1][indicator, 0])
