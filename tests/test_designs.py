"""Portfolios become plans of equal present value; twins differ from their arm in one flow only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import village

from experiments.designs import (
    Item,
    Portfolio,
    Study,
    arms,
    plan_of,
    planned_present_value,
    quarter_worth,
    twins,
)
from sim.flows import Flow, Law
from sim.influenced import Thresholds
from sim.laws.finance import discount
from sim.mechanisms import Mechanism
from sim.organization import Programme
from sim.scenario import Finance, Scenario


def mechanism(key: str, setup: float = 0.0) -> Mechanism:
    return village.mechanism(key, setup=setup, running=10.0)


def market(quarters: int = 4, rate: float = 0.1, **today: Programme) -> Scenario:
    return village.scenario(
        quarters=quarters,
        mechanisms=(mechanism("listening", setup=20.0), mechanism("speaking")),
        firms=(village.firm(programmes=today), village.firm("theirs", programmes={})),
        finance=Finance(discount_rate=rate, market_growth=0.0, cost_growth=0.0, start_cash=0.0),
    )


def portfolio(*items: Item, key: str = "some", **changes: object) -> Portfolio:
    given = {"items": items, "capital": {}, **changes}
    return Portfolio(key=key, label=key, description=key, **given)


def study(*portfolios: Portfolio, **changes: object) -> Study:
    nothing = portfolio(key="as_is")
    made = Study(
        key="test",
        label="Test",
        question="Which?",
        portfolios=(nothing, *portfolios),
        baseline="as_is",
        replications=2,
        seed=1,
        planned_cost=1000.0,
        headline=("trust",),
        twins="first",
        lanes=4,
        ledger="none",
        ledger_thresholds=Thresholds(attitude=0.05, salience=0.05, engagement=0.05),
        shapley=False,
    )
    return replace(made, **changes)


def test_without_discounting_the_money_is_set_up_and_the_rest_in_equal_parts() -> None:
    plan = plan_of(portfolio(Item("listening", 1.0)), market(rate=0.0), 100.0)
    assert plan.effort[0] == pytest.approx([20.0, 20.0, 20.0, 20.0])
    assert not plan.effort[1].any()
    assert not plan.investment.any()


def test_a_mechanism_of_today_needs_no_set_up() -> None:
    running = market(rate=0.0, listening=Programme(effort=5.0, maturity=1.0))
    plan = plan_of(portfolio(Item("listening", 1.0)), running, 100.0)
    assert plan.effort[0] == pytest.approx([25.0] * 4)
    assert planned_present_value(plan, running) == pytest.approx(100.0)


def test_effort_rises_over_the_ramp_between_start_and_end() -> None:
    item = Item("speaking", 1.0, start=2, ramp=2, until=3)
    plan = plan_of(portfolio(item), market(rate=0.0), 90.0)
    assert plan.effort[1] == pytest.approx([0.0, 30.0, 60.0, 0.0])


def test_capital_gets_its_share_in_its_quarters() -> None:
    built = portfolio(
        Item("speaking", 0.5), capital={"human": 0.3, "organization": 0.2}, capital_until=2
    )
    plan = plan_of(built, market(rate=0.0), 100.0)
    assert plan.investment[0] == pytest.approx([15.0, 15.0, 0.0, 0.0])
    assert not plan.investment[1].any()
    assert plan.investment[2] == pytest.approx([10.0, 10.0, 0.0, 0.0])


@pytest.mark.parametrize("quarters", [4, 13])
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5])
def test_every_plan_has_the_planned_present_value(quarters: int, rate: float) -> None:
    scenario = market(quarters, rate)
    for items in (
        (Item("listening", 0.6, start=3), Item("speaking", 0.4, ramp=3)),
        (Item("speaking", 1.0, until=1),),
    ):
        plan = plan_of(portfolio(*items), scenario, 500.0)
        assert planned_present_value(plan, scenario) == pytest.approx(500.0, rel=1e-12)


def test_money_of_a_quarter_is_worth_the_mean_of_its_weeks_as_the_finance_law_says() -> None:
    weeks = [discount(float(week), 0.1) for week in range(14, 27)]
    assert quarter_worth(market())[1] == pytest.approx(np.mean(weeks), rel=1e-12)


def test_set_up_is_paid_in_the_first_funded_week() -> None:
    plan = plan_of(portfolio(Item("listening", 1.0, start=2)), market(), 100.0)
    running = float(plan.effort[0] @ quarter_worth(market()))
    assert 100.0 - running == pytest.approx(20.0 * discount(14.0, 0.1), rel=1e-12)


def test_the_baseline_plans_nothing() -> None:
    plan = plan_of(portfolio(key="as_is"), market(), 1000.0)
    assert not plan.effort.any()
    assert planned_present_value(plan, market()) == 0.0


def test_a_share_that_cannot_pay_the_set_up_is_refused_with_its_path() -> None:
    with pytest.raises(ValueError, match=r"portfolio\.some\.items\.listening\.share=1 .*set-up"):
        plan_of(portfolio(Item("listening", 1.0)), market(), 15.0)


def test_a_start_beyond_the_horizon_is_refused() -> None:
    with pytest.raises(ValueError, match=r"of 4 quarters: ask for quarters=5 or more, or leave"):
        plan_of(portfolio(Item("speaking", 1.0, start=5)), market(), 100.0)


def test_an_unknown_mechanism_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'listening'"):
        plan_of(portfolio(Item("listning", 1.0)), market(), 100.0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"items": (Item("speaking", 0.5),)}, "must sum to 1, not 0.5"),
        ({"items": (Item("speaking", 0.5), Item("speaking", 0.5))}, "twice"),
        ({"capital": {"humane": 1.0}}, "did you mean 'human'"),
        ({"capital": {"human": -0.5}}, "out of range"),
        ({"capital_start": 3, "capital_until": 2}, "until=2 is out of range"),
        ({"capital_start": 0}, "out of range"),
    ],
)
def test_a_portfolio_that_does_not_add_up_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        portfolio(**change)


def test_an_item_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"speaking: until=2 is out of range.*\[3, 80\]"):
        Item("speaking", 1.0, start=3, until=2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"baseline": "as_si"}, "did you mean 'as_is'"),
        ({"headline": ("trust", "market_shore")}, "did you mean 'market_share'"),
        ({"headline": ()}, "at least one"),
        ({"headline": ("trust", "trust")}, "must differ"),
        ({"twins": "some"}, "twins='some' is unknown"),
        ({"ledger": "some"}, "ledger='some' is unknown"),
        ({"replications": 0}, "out of range"),
        ({"seed": -1}, "out of range"),
        ({"seed": 2**32}, "out of range"),
        ({"lanes": 17}, "out of range"),
        ({"portfolios": (portfolio(key="as_is"), portfolio(key="as_is"))}, "must differ"),
    ],
)
def test_a_study_that_cannot_be_answered_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        study(**change)


def test_arms_come_in_the_order_of_the_portfolios_with_open_gates_and_equal_cost() -> None:
    asked = study(
        portfolio(Item("speaking", 1.0), key="b"), portfolio(Item("listening", 1.0), key="a")
    )
    made = arms(asked, market())
    assert [arm.key for arm in made] == ["as_is", "b", "a"]
    assert all((arm.gates == 1).all() and arm.gates.shape == (3, 2) for arm in made)
    costs = [planned_present_value(arm.plan, market()) for arm in made]
    assert costs == pytest.approx([0.0, 1000.0, 1000.0])


def test_each_twin_mutes_its_own_flow_and_nothing_else() -> None:
    arm = arms(study(portfolio(Item("speaking", 1.0))), market())[1]
    pairs = twins(arm, 2)
    assert [flow for flow, _ in pairs] == list(Flow)
    assert [twin.key for _, twin in pairs] == [f"some~flow{n}" for n in range(1, 7)]
    closed = {
        Flow.OURS_TO_STAKEHOLDERS: (Law.OUTBOUND, 0),
        Flow.PEERS_ABOUT_US: (Law.PEER, 0),
        Flow.STAKEHOLDERS_TO_US: (Law.INBOUND, 0),
        Flow.RIVALS_TO_STAKEHOLDERS: (Law.OUTBOUND, 1),
        Flow.PEERS_ABOUT_RIVALS: (Law.PEER, 1),
        Flow.STAKEHOLDERS_TO_RIVALS: (Law.INBOUND, 1),
    }
    for flow, twin in pairs:
        expected = np.ones((3, 2))
        expected[closed[flow]] = 0.0
        assert (twin.gates == expected).all()
        assert twin.plan is arm.plan


def test_a_twin_keeps_what_is_muted_already() -> None:
    arm = arms(study(portfolio(Item("speaking", 1.0))), market())[1]
    first = twins(arm, 2)[0][1]
    both = twins(first, 2)[1][1]
    assert both.gates[Law.OUTBOUND, 0] == 0
    assert both.gates[Law.PEER, 0] == 0
