"""A nudge pushes one place of a firm, by so much and so long, and nothing else changes."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import village

from sim import levers
from sim.engine import History, Run, simulate
from sim.fields import CAPITALS, WEEKS_PER_QUARTER
from sim.model import InfluenceModel
from sim.nudging import shifts
from sim.plans import Arm, Nudge
from sim.population import build_world
from sim.scenario import Scenario

QUALITY = levers.INDEX["quality"]
CAPACITY = levers.INDEX["ticket_capacity"]
COVERAGE = levers.INDEX["coverage"]


@pytest.fixture(scope="module")
def market() -> Scenario:
    return replace(village.scenario(), quarters=3)


def nudged(market: Scenario, *nudges: Nudge, key: str = "nudged") -> Arm:
    return replace(village.arm(market, key), nudges=nudges)


def run(market: Scenario, *arms: Arm, quarters: int = 1) -> Run:
    found = Run(market, arms, 3, 0, build_world(market, 3, 0))
    for _ in range(quarters):
        found.advance_quarter()
    return found


def same(one: History, two: History, lane: int = 0, other: int = 0) -> bool:
    return all(
        np.array_equal(
            getattr(one, f.name)[..., lane], getattr(two, f.name)[..., other], equal_nan=True
        )
        for f in fields(History)
    )


def test_a_nudge_by_the_default_doubles_the_lever(market: Scenario) -> None:
    """Nobody runs a mechanism: three tickets by default, six with the nudge, ours alone."""
    idle = replace(market, firms=tuple(replace(firm, programmes={}) for firm in market.firms))
    default = levers.TABLE[CAPACITY].default
    lived = run(idle, nudged(idle, Nudge(default, lever="ticket_capacity"))).firms.lever[CAPACITY]
    assert (lived[0] == 2 * default).all()
    assert (lived[1:] == default).all()


def test_a_nudge_reaches_the_types_and_firms_it_names(market: Scenario) -> None:
    to = market.stakeholders[1].key
    nudge = Nudge(0.5, lever="quality", firm="rivals", to=(to,))
    lived = run(market, village.arm(market), nudged(market, nudge)).firms.lever[QUALITY]
    gap = lived[:, :, 1] - lived[:, :, 0]
    assert gap[1:, 1] == pytest.approx(0.5)
    gap[1:, 1] = 0.0
    assert not gap.any()


def test_a_lever_stays_within_its_range(market: Scenario) -> None:
    more, less = (Nudge(by, lever="coverage") for by in (7.0, -7.0))
    lived = run(market, nudged(market, more), nudged(market, less, key="less"))
    assert (lived.firms.lever[COVERAGE, 0, :, 0] == 1.0).all()
    assert (lived.firms.lever[COVERAGE, 0, :, 1] == 0.0).all()


def test_a_nudge_lasts_from_its_quarter_on_or_once(market: Scenario) -> None:
    lasting = Nudge(0.5, lever="quality", quarter=2)
    arms = [nudged(market, lasting), nudged(market, replace(lasting, once=True), key="once")]
    seen = [shifts(market, arms, quarter)[QUALITY, 0, 0] for quarter in (1, 2, 3)]
    assert [list(row) for row in seen] == [[0.0, 0.0], [0.5, 0.5], [0.5, 0.0]]


def test_nothing_differs_before_the_nudge(market: Scenario) -> None:
    arms = [village.arm(market), nudged(market, Nudge(0.8, lever="quality", quarter=3))]
    kpi = simulate(market, arms, 3).kpi
    assert np.array_equal(kpi[:3, :, 0], kpi[:3, :, 1], equal_nan=True)
    assert not np.array_equal(kpi[3, :, 0], kpi[3, :, 1], equal_nan=True)


def test_capital_that_is_kept_up_stays_at_its_share_and_capital_added_once_wears(
    market: Scenario,
) -> None:
    kept = Nudge(0.1, capital="human", quarter=2)
    arms = (
        village.arm(market),
        nudged(market, kept),
        nudged(market, replace(kept, once=True), key="once"),
    )
    lived = run(market, *arms, quarters=3)
    plain, held, once = lived.firms.stock[0, CAPITALS.index("human"), :3]
    wear = np.exp(-market.firms[0].capital["human"].depreciation / 52 * WEEKS_PER_QUARTER)
    # At the start of a quarter the addition is a tenth of the stock that stands without it.
    before = run(market, village.arm(market), quarters=2).firms.stock[0, 0, 0]
    early = run(market, village.arm(market), quarters=1).firms.stock[0, 0, 0]
    assert held - plain == pytest.approx(0.1 * before * wear)
    assert once - plain == pytest.approx(0.1 * early * wear**2)
    assert np.array_equal(lived.firms.stock[1:, :, 1], lived.firms.stock[1:, :, 0])
    assert np.array_equal(lived.firms.stock[0, 1:, 1], lived.firms.stock[0, 1:, 0])


def test_no_nudge_and_a_nudge_by_nothing_change_no_bit(market: Scenario) -> None:
    plain = simulate(market, [village.arm(market)], 3)
    nothing = (Nudge(0.0, lever="quality"), Nudge(0.0, capital="human"))
    arms = [
        nudged(market, Nudge(0.5, lever="quality"), Nudge(0.2, capital="information"), key="far"),
        village.arm(market),
        nudged(market, *nothing),
    ]
    together = simulate(market, arms, 3)
    assert same(plain, together, 0, 1)
    assert same(plain, together, 0, 2)
    assert not same(plain, together)


def test_lanes_and_their_order_change_no_bit(market: Scenario) -> None:
    arms = [
        nudged(market, Nudge(0.5, lever="quality")),
        nudged(market, Nudge(0.2, capital="organization", quarter=2), key="capital"),
        nudged(market, Nudge(0.3, lever="impressions", firm="rivals"), key="rivals"),
    ]
    straight, turned = simulate(market, arms, 3), simulate(market, arms[::-1], 3)
    for lane, arm in enumerate(arms):
        assert same(straight, turned, lane, 2 - lane)
        assert same(straight, simulate(market, [arm], 3), lane)


def test_a_copy_of_a_nudged_run_goes_on_to_the_same_bits(market: Scenario) -> None:
    first = run(market, nudged(market, Nudge(0.2, capital="human")), quarters=1)
    second = first.copy()
    for going in (first, second):
        going.advance_quarter()
    assert np.array_equal(first.firms.stock, second.firms.stock)


def test_a_model_of_one_arm_can_be_nudged(market: Scenario) -> None:
    plain, pushed = (
        InfluenceModel(market, arm, seed=1)
        for arm in (village.arm(market), nudged(market, Nudge(1.0, lever="quality")))
    )
    for model in (plain, pushed):
        model.step()
    execution = [
        model.datacollector.get_model_vars_dataframe()["execution"].iloc[-1]
        for model in (plain, pushed)
    ]
    assert execution[1] > execution[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"lever": "qualty"}, "did you mean 'quality'"),
        ({"capital": "humane"}, "did you mean 'human'"),
        ({}, "one lever, one capital or one state"),
        ({"lever": "quality", "capital": "human"}, "one lever, one capital or one state"),
        ({"lever": "routing", "to": ("customers",)}, "one value for the whole firm"),
        ({"capital": "human", "to": ("customers",)}, "has no meaning"),
        ({"capital": "human", "by": -1.0}, "above -1"),
        ({"lever": "quality", "by": float("nan")}, "finite"),
        ({"lever": "quality", "quarter": 0}, "quarter=0"),
    ],
)
def test_a_nudge_that_makes_no_sense_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Nudge(**{"by": 0.5, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("nudge", "said"),
    [
        (Nudge(0.5, lever="quality", firm="their"), "did you mean 'theirs'"),
        (Nudge(0.5, lever="quality", to=("custmers",)), "did you mean 'customers'"),
        (Nudge(0.5, lever="quality", quarter=4), "beyond the horizon of 3 quarters"),
    ],
)
def test_a_nudge_of_nobody_here_is_refused_with_its_arm(
    market: Scenario, nudge: Nudge, said: str
) -> None:
    with pytest.raises(ValueError, match=rf"nudges\[0\] of arm 'nudged'.*{said}"):
        simulate(market, [nudged(market, nudge)], 3)
