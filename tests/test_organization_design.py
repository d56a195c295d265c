"""Designs of the organization: by hand, without trace where they change nothing, refused if bad."""

from __future__ import annotations

from dataclasses import replace

import handmade
import numpy as np
import pytest
import village

from experiments import designs as plans
from sim import kpis
from sim.design import redesigned
from sim.engine import History, Run, simulate
from sim.organization import Capital, CrossTies, Department, Design, Programme, Unit
from sim.plans import Arm
from sim.population import build_world
from sim.scenario import Scenario
from sim.state import World
from sim.structure import DELIVERED, HAND_OVERS, HEARD_FIRST, WEEKS_TO_ACTION, Structure

KEPT = CrossTies(anew=0.0, pattern="none", made_good=0.0)
AT_ONCE = 0.1  # weeks; settled to the last bit within a quarter


def design(key: str = "functional", *units: Unit, **changes: object) -> Design:
    """Return a design that changes nothing but what is given."""
    return replace(
        Design(
            key=key,
            label=key,
            description=key,
            start=1,
            cost=0.0,
            dip=0.0,
            half_life=13.0,
            departments=units,
            owners={},
            owners_by_flow={},
            owners_by_mechanism={},
            ties=KEPT,
        ),
        **changes,
    )


def unit(key: str, *joins: str, **shares: float) -> Unit:
    return Unit(key=key, label=key, joins=joins, **shares)


WHOLE = design("whole", unit("all", "front", "back"), dip=3.0, cost=5.0)
SWAP = design(
    "swap",
    owners={"front": "back"},
    owners_by_mechanism={"listening": "front"},
    ties=CrossTies(anew=0.5, pattern="by_acts", made_good=0.3),
    dip=2.0,
    start=2,
)
WITH_DESK = design(
    "desk",
    unit("front", "front", hears=0.5, staff=0.4),
    unit("desk", acts=0.7, hears=0.3, staff=0.1),
    owners_by_flow={"3": "desk"},
    ties=CrossTies(anew=0.4, pattern="by_staff", made_good=0.0),
    dip=1.0,
    half_life=4.0,
)


def under(arm: Arm, design_: Design | None) -> Arm:
    name = "none" if design_ is None else design_.key
    return replace(arm, key=f"{arm.key}@{name}", design=design_)


# ---- three departments, by hand -----------------------------------------------------------------

STEADY = Capital(stock=1000.0, readiness=0.5, depreciation=0.0, build_weeks=26.0, investment=0.0)
THREE = (
    Department(key="a", label="A", acts=0.2, hears=0.5, staff=0.25),
    Department(key="b", label="B", acts=0.0, hears=0.5, staff=0.25),
    Department(key="c", label="C", acts=0.5, hears=0.0, staff=0.5),
)
TIES = np.array([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
OWNERS = {"advertising": "a", "service": "b", "listening": "c"}


def three(**changes: object) -> tuple[Scenario, World]:
    """Return one firm of three departments, mature in what it does, and its world."""
    market = handmade.still(n=3, n_firms=1, quarters=2)
    fields = {
        "departments": THREE,
        "capital": dict.fromkeys(("human", "information", "organization"), STEADY),
        **changes,
    }
    mechanisms = tuple(replace(m, owner=OWNERS.get(m.key, "a")) for m in market.mechanisms)
    firms = (replace(market.firms[0], **fields),)
    return replace(market, firms=firms, mechanisms=mechanisms), handmade.world(
        3, 1, routing=(TIES,)
    )


def advanced(market: Scenario, world: World, *arms: Arm, quarters: int) -> Run:
    run = handmade.started(market, world, *arms)
    for _ in range(quarters):
        run.advance_quarter()
    run.stop()
    return run


def test_insight_before_and_after_joining_two_of_three_departments() -> None:
    """Walls of .75. Today d_a = .2 + .3 d_b + .3 d_c, d_b = .75 d_a, d_c = .5 + .375 d_a.

    a and b joined act on .2 and pass all to c: d_u = .2 + .6 d_c, d_c = .5 + .375 d_u.
    """
    market, world = three()
    joined = design("joined", unit("u", "a", "b"), half_life=AT_ONCE)
    run = advanced(market, world, under(handmade.arm(market), joined), quarters=2)
    opening, first, second = (row[..., 0] for row in run.rows[6])
    today = [0.528301887, 0.396226415, 0.698113208]
    assert opening[:3, DELIVERED] == pytest.approx(today)
    assert first[:3, DELIVERED] == pytest.approx(today)  # nothing has settled yet
    assert second[:3, DELIVERED] == pytest.approx([0.64516129, 0.64516129, 0.741935484])
    # Hand-overs x arrived: s_u = .6 (d_c + s_c), s_c = .375 (d_u + s_u).
    assert second[0, HAND_OVERS] == pytest.approx(1.180645161)
    assert second[0, WEEKS_TO_ACTION] == pytest.approx(2 * 1.180645161)
    assert second[:3, HEARD_FIRST] == pytest.approx([0.5, 0.5, 0.0])
    assert np.isnan(second[3, DELIVERED])
    assert run.firms.delivered[0, 0] == pytest.approx(0.64516129)
    assert run.firms.delay[0, 0] == pytest.approx(2 * 1.180645161)


def test_while_half_has_settled_half_of_the_insight_goes_the_new_ways() -> None:
    market, world = three()
    joined = design("joined", unit("u", "a", "b"), half_life=13.0)
    run = advanced(market, world, under(handmade.arm(market), joined), quarters=2)
    assert run.firms.delivered[0, 0] == pytest.approx((0.462264151 + 0.64516129) / 2)
    # Steps of today: s_a = .3 (d_b + s_b) + .3 (d_c + s_c), s_b = .75 (d_a + s_a).
    old_steps, new_steps = 0.5 * (0.764687 + 0.969742), 0.64516129 * 1.180645161
    steps = (old_steps + new_steps) / 2
    assert run.firms.delay[0, 0] == pytest.approx(2 * steps / run.firms.delivered[0, 0], abs=1e-4)


def test_parts_by_department_add_up_to_what_the_organization_gets() -> None:
    market, world = three()
    arms = [
        under(handmade.arm(market), d)
        for d in (
            None,
            design("joined", unit("u", "a", "b"), half_life=9.0),
            design(
                "desk",
                unit("a", "a", hears=0.1),
                unit("desk", acts=0.9, hears=0.4, staff=0.0),
                ties=CrossTies(anew=0.5, pattern="by_acts", made_good=0.5),
                half_life=9.0,
            ),
        )
    ]
    run = advanced(market, world, *arms, quarters=2)
    last = run.rows[6][-1][..., :3]
    heard, arrived = last[:, HEARD_FIRST], np.nan_to_num(last[:, DELIVERED])
    assert heard.sum(axis=0) == pytest.approx(np.ones(3))
    assert (heard * arrived).sum(axis=0) == pytest.approx(run.firms.delivered[0, :3])
    steps = heard * arrived * np.nan_to_num(last[:, WEEKS_TO_ACTION])
    weeks = steps.sum(axis=0) / run.firms.delivered[0, :3]
    assert weeks == pytest.approx(run.firms.delay[0, :3])
    assert not np.isnan(last[3, DELIVERED, 2])


def test_all_joined_deliver_what_they_act_upon_at_once() -> None:
    """1 - (1 - .2)(1 - 0)(1 - .5) = .6; a unit that acts on all it holds gets everything."""
    market, world = three()
    all_three = unit("all", "a", "b", "c")
    able = unit("all", "a", "b", "c", acts=1.0)
    arms = [
        under(handmade.arm(market), design(key, u, half_life=AT_ONCE))
        for key, u in (("joined", all_three), ("able", able))
    ]
    run = advanced(market, world, *arms, quarters=2)
    assert run.firms.delivered[0, :2] == pytest.approx([0.6, 1.0])
    assert run.firms.delay[0, :2].tolist() == [0.0, 0.0]


def test_silo_losses_made_good_join_those_that_the_lever_makes_good() -> None:
    """Made good .5 by the lever and half of the rest by the design: walls of .75 + .25 x .75."""
    market, world = three(levers={"routing": 0.5})
    bridged = design(
        "bridged", ties=CrossTies(anew=0.0, pattern="none", made_good=0.5), half_life=AT_ONCE
    )
    run = advanced(market, world, under(handmade.arm(market), bridged), quarters=2)
    walls = 0.9375
    d_a = (0.2 + walls * 0.4 * 0.5) / (1 - walls * 0.4 * walls - walls * 0.4 * walls * 0.5)
    assert run.rows[6][-1][0, DELIVERED, 0] == pytest.approx(d_a)


def test_ties_laid_anew_lead_to_those_who_act() -> None:
    """b's ties go to a alone; laid anew by acts they go to a and c as .2 to .5."""
    market, _ = three()
    anew = design("anew", ties=CrossTies(anew=1.0, pattern="by_acts", made_good=0.0))
    structure = Structure.of(market, anew, TIES)
    assert structure.ways.ties[1] == pytest.approx([2 / 7, 0.0, 5 / 7])
    by_staff = replace(anew, ties=CrossTies(anew=1.0, pattern="by_staff", made_good=0.0))
    assert Structure.of(market, by_staff, TIES).ways.ties[1] == pytest.approx([1 / 3, 0.0, 2 / 3])


# ---- dip and owners -----------------------------------------------------------------------------

BUSY = {
    "advertising": Programme(effort=13.0, maturity=1.0),
    "service": Programme(effort=13.0, maturity=1.0),
    "listening": Programme(effort=13.0, maturity=1.0),
}


def outputs(market: Scenario, world: World, design_: Design | None, weeks: int = 1) -> np.ndarray:
    """Return outputs of advertising, service and listening after so many weeks."""
    arm = under(handmade.arm(market), design_)
    run = handmade.advanced(market, world, arm, weeks=weeks)
    return run.firms.output[0, :3, 0]


def test_departments_touched_lose_output_while_they_settle() -> None:
    """In the first week 1 - 2^(-1/13) = .0519 settles: 4 weeks' dip leaves .7922 of output."""
    market, world = three(programmes=BUSY)
    joined = design("joined", unit("u", "a", "b"), dip=4.0)
    ratio = outputs(market, world, joined) / outputs(market, world, None)
    factor = 1 - 4 * (1 - 0.5 ** (1 / 13))
    assert ratio == pytest.approx([factor, factor, 1.0])
    second = outputs(market, world, joined, 2) / outputs(market, world, None, 2)
    assert second[0] == pytest.approx(1 - 4 * (0.5 ** (1 / 13) - 0.5 ** (2 / 13)))


def test_a_dip_of_four_weeks_costs_four_weeks_of_output() -> None:
    market, world = three(programmes=BUSY)
    market = replace(market, quarters=4)
    joined = design("joined", unit("u", "a", "b"), dip=4.0, half_life=5.0)
    run = handmade.started(market, world, handmade.arm(market), under(handmade.arm(market), joined))
    lost = 0.0
    for quarter in range(1, 5):
        run.quarter = quarter
        run.plan_quarter()
        run.route_insight()
        for week in range(13):
            run.advance_week(opens=week == 0)
            lost += 1 - run.firms.output[0, 0, 1] / run.firms.output[0, 0, 0]
    run.stop()
    assert lost == pytest.approx(4.0, abs=0.01)


def test_ties_laid_anew_touch_everybody_and_a_new_owner_is_touched() -> None:
    market, world = three(programmes=BUSY)
    plain = outputs(market, world, None)
    factor = 1 - 4 * (1 - 0.5 ** (1 / 13))
    anew = CrossTies(anew=0.1, pattern="by_staff", made_good=0.0)
    everybody = outputs(market, world, design("anew", dip=4.0, ties=anew)) / plain
    assert everybody == pytest.approx([factor] * 3)
    moved = design("moved", dip=4.0, owners_by_mechanism={"service": "c"})
    assert outputs(market, world, moved) / plain == pytest.approx([1.0, factor, factor])


def test_a_mechanism_dips_those_of_its_new_owner() -> None:
    """Service matures from 0 to .0519 in a week and dips its department by 4 weeks of that."""
    programmes = BUSY | {"service": Programme(effort=13.0, maturity=0.0)}
    market, world = three(programmes=programmes)
    plain = outputs(market, world, None)
    moved = outputs(market, world, design("moved", owners={"b": "c"}))
    factor = 1 - 4 * (1 - 0.5 ** (1 / 13))
    assert moved / plain == pytest.approx([1.0, 1.0, factor])
    flows = design("flows", owners_by_flow={"3": "a"})
    # Listening is of flow 3 as well: it moves with service and is dipped with advertising.
    assert outputs(market, world, flows) / plain == pytest.approx([factor, 1.0, factor])


def test_mechanism_beats_flow_beats_owner_beats_home() -> None:
    market, _ = three()
    keys = [m.key for m in market.mechanisms]

    def owner(design_: Design, key: str) -> str:
        made = redesigned(design_, market.firms[0], market.mechanisms)
        return made.departments[made.owner[keys.index(key)]].key

    joined = design("x", unit("u", "a", "b"))
    assert owner(joined, "service") == "u"
    by_owner = replace(joined, owners={"b": "c"})
    assert (owner(by_owner, "service"), owner(by_owner, "advertising")) == ("c", "u")
    by_flow = replace(joined, owners={"b": "u"}, owners_by_flow={"3": "c"})
    assert owner(by_flow, "service") == "c"
    by_name = replace(by_flow, owners_by_mechanism={"service": "u"})
    assert owner(by_name, "service") == "u"


# ---- money --------------------------------------------------------------------------------------


def test_reorganizing_is_charged_once_in_the_first_week_of_its_quarter() -> None:
    market, world = three()
    market = replace(market, quarters=3)
    dear = design("dear", cost=50.0, start=2)
    run = handmade.started(market, world, handmade.arm(market), under(handmade.arm(market), dear))
    gaps = []
    for quarter in (1, 2, 3):
        run.quarter = quarter
        run.plan_quarter()
        for week in range(13):
            run.advance_week(opens=week == 0)
            gaps.append(run.firms.cash[0, 0] - run.firms.cash[0, 1])
    run.stop()
    assert gaps == pytest.approx([0.0] * 13 + [50.0] * 26)
    history = simulate(market, [under(handmade.arm(market), dear)], 7, world=world)
    assert history.reorganization[:, 0].tolist() == [0.0, 50.0, 0.0]


def test_reorganizing_is_paid_before_the_rest_of_the_budget() -> None:
    """Of 100 a quarter 40 reorganize: of 80 wished for 60 are left, three quarters of each."""
    market, world = three()
    firm = market.firms[0]
    market = replace(
        market,
        firms=(
            replace(
                firm,
                programmes={"advertising": Programme(effort=80.0, maturity=1.0)},
                policy=replace(firm.policy, budget=100.0),
            ),
        ),
    )
    history = simulate(
        market, [under(handmade.arm(market), design("dear", cost=40.0))], 7, world=world
    )
    assert history.spending[:, 0, 0] == pytest.approx([60.0, 80.0])
    assert history.afforded[:, 0, 0] == pytest.approx([0.75, 1.0])


def test_a_design_is_paid_from_the_portfolios_money() -> None:
    market = village.scenario()
    portfolio = plans.Portfolio(
        "p", "P", "p", (plans.Item("listening", 0.5),), capital={"human": 0.5}
    )
    dear = design("dear", cost=30.0, start=2)
    plan = plans.plan_of(portfolio, market, 200.0, dear)
    worth = plans.start_worth(market)[1] * 30.0
    assert plans.planned_present_value(plan, market, dear) == pytest.approx(200.0)
    assert plans.planned_present_value(plan, market) == pytest.approx(200.0 - worth)
    human = plan.investment[0] @ plans.quarter_worth(market)
    assert human == pytest.approx((200.0 - worth) / 2)


# ---- no trace, any order ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def market() -> Scenario:
    return village.scenario(warm_up=1)


@pytest.fixture(scope="module")
def world(market: Scenario) -> World:
    return build_world(market, 3, 0)


def four(market: Scenario) -> list[Arm]:
    arm = village.arm(market, "busy", listening=20.0, service=30.0)
    return [under(arm, d) for d in (None, WHOLE, SWAP, WITH_DESK)]


def same(one: History, other: History) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
        for name in History.__dataclass_fields__
    )


def test_designs_differ_from_none_and_from_each_other(market: Scenario, world: World) -> None:
    kpi = simulate(market, four(market), 3, world=world).kpi
    for name in ("insight_delivered", "insight_weeks", "offering_fit"):
        assert len(set(kpi[-1, kpis.INDEX[name]].tolist())) == 4, name


def test_a_design_that_changes_nothing_leaves_every_bit(market: Scenario, world: World) -> None:
    arm = village.arm(market, "busy", listening=20.0, service=30.0)
    plain = simulate(market, [under(arm, None)], 3, world=world)
    functional = simulate(market, [under(arm, design(half_life=3.0))], 3, world=world)
    assert same(plain, functional)


def test_a_design_in_another_lane_leaves_every_bit(market: Scenario, world: World) -> None:
    arms = four(market)
    alone = simulate(market, arms[:1], 3, world=world)
    beside = simulate(market, arms, 3, world=world)
    first = History(*(getattr(beside, n)[..., :1] for n in History.__dataclass_fields__))
    assert same(alone, first)


def test_nothing_of_a_design_is_seen_before_it_starts(market: Scenario, world: World) -> None:
    late = replace(SWAP, start=3)
    arm = village.arm(market, "busy", listening=20.0)
    both = simulate(market, [under(arm, None), under(arm, late)], 3, world=world)
    assert np.array_equal(both.kpi[:3, :, 0], both.kpi[:3, :, 1], equal_nan=True)
    assert not np.array_equal(both.kpi[3, :, 0], both.kpi[3, :, 1], equal_nan=True)


@pytest.mark.parametrize("lanes", [1, 4])
def test_order_and_lanes_of_designs_change_no_bit(
    market: Scenario, world: World, lanes: int
) -> None:
    arms = four(market)
    forth = simulate(market, arms, 3, world=world, lanes=4)
    back = simulate(market, arms[::-1], 3, world=world, lanes=lanes)
    turned = History(*(getattr(back, n)[..., ::-1] for n in History.__dataclass_fields__))
    assert same(forth, turned)


def test_a_firm_of_one_department_can_be_given_a_second(market: Scenario, world: World) -> None:
    whole = Department(key="whole", label="Whole", acts=0.5, hears=1.0, staff=1.0)
    single = replace(market, firms=(village.firm(departments=(whole,)), market.firms[1]))
    desk = design(
        "desk",
        unit("whole", "whole", hears=0.4, staff=0.9),
        unit("desk", acts=0.2, hears=0.6, staff=0.1),
        owners={"whole": "desk"},
        ties=CrossTies(anew=1.0, pattern="by_staff", made_good=1.0),
        half_life=AT_ONCE,
    )
    arm = under(village.arm(single), desk)
    run = Run(single, [arm], 3, 0, build_world(single, 3, 0))
    for _ in range(2):
        run.advance_quarter()
    run.stop()
    assert set(run.given.owner[0, :, 0].tolist()) == {1}
    # d_w = .5 + .5 d_d, d_d = .2 + .8 d_w: all of it arrives in the end.
    assert run.firms.delivered[0, 0] == pytest.approx(1.0)


# ---- refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (design("x", unit("u", "frnt")), r"x\.departments\.u\.joins: 'frnt' is no.*mean 'front'"),
        (design("x", unit("back", "front")), r"departments\.back: 'back' is a department of today"),
        (design("x", unit("front", "front", hears=0.5)), r"hears of all.*sum to 1, not 0\.7"),
        (design("x", unit("front", "front", staff=0.9)), r"staff of all.*sum to 1, not 1\.4"),
        (design("x", owners={"frnt": "back"}), r"x\.owners: 'frnt' is no depart.*mean 'front'"),
        (design("x", owners={"front": "bck"}), r"x\.owners\.front: 'bck' is no.*mean 'back'"),
        (design("x", owners_by_flow={"2": "bck"}), r"owners_by_flow\.2: 'bck' is no.*mean 'back'"),
        (design("x", owners_by_mechanism={"servce": "back"}), r"'servce' is no mech.*'service'"),
        (design("x", unit("u", "front"), owners={"back": "front"}), r"'front' is no depart"),
        (design("x", dip=1.0), r"x\.dip=1 hits nobody"),
        (design("x", cost=2e9), r"x\.cost=2e\+09 cannot be paid: the budget of ours is 1e\+09"),
        (design("x", start=5), r"x\.start=5 of arm 'as_is@x' lies beyond the horizon of 4"),
    ],
)  # fmt: skip
def test_a_design_that_does_not_fit_is_refused(made: Design, said: str) -> None:
    market = village.scenario()
    with pytest.raises(ValueError, match=said):
        simulate(market, [under(village.arm(market), made)], 1)


def test_what_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="acts is missing: a department that joins none"):
        unit("desk", hears=0.1, staff=0.1)
    with pytest.raises(ValueError, match=r"departments\.u\.hears=1\.5 is out of range"):
        unit("u", "front", hears=1.5)
    with pytest.raises(ValueError, match="front twice"):
        design("x", unit("u", "front"), unit("v", "front"))
    with pytest.raises(ValueError, match="departments: u twice"):
        design("x", unit("u", "front"), unit("u", "back"))
    with pytest.raises(ValueError, match="owners_by_flow='7' is unknown"):
        design("x", owners_by_flow={"7": "front"})
    with pytest.raises(ValueError, match=r"anew=0\.5: say where they lead"):
        CrossTies(anew=0.5, pattern="none", made_good=0.0)
    with pytest.raises(ValueError, match="anew=0: it must be none"):
        CrossTies(anew=0.0, pattern="by_acts", made_good=0.0)
    with pytest.raises(ValueError, match=r"ties\.pattern='by_act' is unknown.*mean 'by_acts'"):
        CrossTies(anew=0.5, pattern="by_act", made_good=0.0)
