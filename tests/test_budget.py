"""What a plan wishes for beyond a quarter's budget is known before anything runs."""

from __future__ import annotations

import numpy as np
import pytest

from experiments import designs
from experiments.budget import excess
from experiments.settings import load
from sim.engine import simulate

MARKET = ["scenario=village", "quarters=3", "portfolios=[as_is,listening_first]", "warm_up=0"]


@pytest.mark.parametrize(("planned_cost", "fits"), [(2000, True), (20000, False)])
def test_it_is_foreseen_in_which_quarters_the_engine_will_cut(
    planned_cost: int, fits: bool
) -> None:
    settings = load([*MARKET, f"planned_cost={planned_cost}"])
    arms = designs.arms(settings.study, settings.scenario)
    afforded = simulate(settings.scenario, arms, 1, 0).afforded[:, 0]
    for place, arm in enumerate(arms):
        cut = tuple(int(q) + 1 for q in np.flatnonzero(afforded[:, place] < 1))
        found = excess(arm.plan, settings.scenario)
        assert (found.quarters if found else ()) == cut
    assert (found is None) == fits


def test_today_its_capital_the_plan_and_its_set_up_add_up() -> None:
    settings = load([*MARKET, "planned_cost=20000"])
    scenario, plan = settings.scenario, designs.arms(settings.study, settings.scenario)[1].plan
    found = excess(plan, scenario)
    assert found is not None
    # Set-up on the village's scale; social listening runs already and needs none.
    setup = {
        key: 0.6 * load(MARKET).resolved["mechanism"][key]["setup"]
        for key in ("customer_panel", "complaint_recovery", "idea_process")
    }
    today = 600 + 300 + 10 + 400 + 157.5 + 200
    first = today + sum(setup.values()) + plan.effort[:, 0].sum() + plan.investment[:, 0].sum()
    later = {"influence_desk", "co_design"}
    second = today + plan.effort[:, 1].sum() + plan.investment[:, 1].sum()
    second += sum(0.6 * load(MARKET).resolved["mechanism"][key]["setup"] for key in later)
    assert found.budget == 6000
    assert found.most == pytest.approx(max(first, second))
