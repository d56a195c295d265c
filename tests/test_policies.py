"""Policies: what a firm funds after what it saw, and what its budget allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import village

from sim.engine import Run
from sim.organization import Policy, Programme
from sim.policies import (
    POLICIES,
    Observed,
    afford,
    best_response,
    imitator,
    passive,
    policy_named,
    proportional,
    scripted,
)
from sim.policies import reactive as reactive_policy
from sim.population import build_world


def policy(name: str = "reactive", strength: float = 1.0, lag: int = 1) -> Policy:
    return Policy(name=name, strength=strength, lag=lag, budget=1e9)


def seen(
    revenue: object = (),
    impressions: object = (),
    maturity: object = (),
    effort: object = (),
    base: object = ((10.0, 4.0), (6.0, 0.0)),
    quarter: int = 1,
) -> Observed:
    """Return what two firms with two mechanisms see; the first mechanism is outbound."""

    def lanes(array: object, *shape: int) -> np.ndarray:
        return np.asarray(array, float).reshape(-1, *shape, 1)

    return Observed(
        np.array([0, 1]),
        np.asarray(base, float)[..., None],
        lanes(revenue, 2),
        lanes(impressions, 2),
        lanes(maturity, 2, 2),
        lanes(effort, 2, 2),
        np.array([True, False]),
        quarter,
        ("shouting", "serving"),
    )


def test_a_passive_firm_goes_on_as_today_whatever_happens() -> None:
    shaken = seen(revenue=[[1, 1], [9, 0]], impressions=[[1, 1], [0, 9]])
    assert passive(0, policy(), shaken)[:, 0].tolist() == [10.0, 4.0]
    assert passive(1, policy(), shaken)[:, 0].tolist() == [6.0, 0.0]


def test_a_proportional_firm_spends_by_revenue_relative_to_its_first_quarter() -> None:
    """Revenue 100, 80, 150: a quarter ago 1.5 fold, two ago .8 fold; half strength half of it."""
    history = seen(revenue=[[100, 1], [80, 1], [150, 1]])
    assert proportional(0, policy(), history)[:, 0] == pytest.approx([15.0, 6.0])
    assert proportional(0, policy(lag=2), history)[:, 0] == pytest.approx([8.0, 3.2])
    assert proportional(0, policy(strength=0.5), history)[:, 0] == pytest.approx([12.5, 5.0])
    assert proportional(0, policy(strength=0.0), history)[:, 0] == pytest.approx([10.0, 4.0])
    assert proportional(1, policy(), history)[:, 0] == pytest.approx([6.0, 0.0])


def test_a_proportional_firm_waits_until_there_is_something_to_go_by() -> None:
    assert proportional(0, policy(), seen(revenue=[[100, 1]]))[:, 0].tolist() == [10.0, 4.0]
    assert proportional(0, policy(lag=2), seen(revenue=[[100, 1], [900, 1]]))[:, 0].tolist() == [
        10.0,
        4.0,
    ]


def test_a_firm_without_revenue_keeps_its_effort() -> None:
    history = seen(revenue=[[0, 1], [50, 1]])
    assert proportional(0, policy(), history)[:, 0].tolist() == [10.0, 4.0]


def test_a_reactive_firm_answers_lost_share_of_voice_with_the_same_instrument() -> None:
    """From 3 of 4 to 1 of 4: half of the share lost, outbound effort 1.5 fold."""
    history = seen(impressions=[[3, 1], [1, 3]])
    assert reactive_policy(0, policy(), history)[:, 0] == pytest.approx([15.0, 4.0])
    assert reactive_policy(0, policy(strength=0.4), history)[:, 0] == pytest.approx([12.0, 4.0])
    assert reactive_policy(1, policy(), history)[:, 0] == pytest.approx([3.0, 0.0])
    assert reactive_policy(1, policy(strength=5.0), history)[:, 0] == pytest.approx([0.0, 0.0])


def test_a_reactive_firm_compares_with_as_many_quarters_ago_as_its_lag() -> None:
    history = seen(impressions=[[3, 1], [1, 1], [1, 3]])
    assert reactive_policy(0, policy(), history)[:, 0] == pytest.approx([12.5, 4.0])
    assert reactive_policy(0, policy(lag=2), history)[:, 0] == pytest.approx([15.0, 4.0])
    assert reactive_policy(0, policy(lag=3), history)[:, 0].tolist() == [10.0, 4.0]


def test_a_reactive_firm_does_not_answer_what_it_did_not_sense() -> None:
    nan = float("nan")
    for impressions in ([[5, nan], [5, nan]], [[5, nan], [5, 15]], [[5, 5], [5, nan]]):
        history = seen(impressions=impressions)
        assert reactive_policy(0, policy(), history)[:, 0].tolist() == [10.0, 4.0]


def test_an_imitator_takes_up_what_rivals_are_best_at_and_it_lacks() -> None:
    """The rival is better at the second, which the imitator lacks; the first it has."""
    history = seen(maturity=[[[0.9, 0.5], [0.2, 0.0]]], effort=[[[10, 4], [6, 0]]])
    assert imitator(1, policy(), history)[:, 0] == pytest.approx([6.0, 4.0])
    assert imitator(1, policy(strength=0.5), history)[:, 0] == pytest.approx([6.0, 2.0])
    assert imitator(0, policy(), history)[:, 0] == pytest.approx([10.0, 4.0])


def test_an_imitator_does_not_copy_what_is_no_longer_funded_or_not_yet_to_be_seen() -> None:
    unfunded = seen(maturity=[[[0.9, 0.5], [0.2, 0.0]]], effort=[[[10, 0], [6, 0]]])
    assert imitator(1, policy(), unfunded)[:, 0].tolist() == [6.0, 0.0]
    late = seen(maturity=[[[0.9, 0.5], [0.2, 0.0]]], effort=[[[10, 4], [6, 0]]])
    assert imitator(1, policy(lag=2), late)[:, 0].tolist() == [6.0, 0.0]


def test_a_best_reply_moves_money_to_where_the_customers_are() -> None:
    """From half of the market to a quarter: attack x (.75 / .5)^2, service x (.25 / .5)^2."""
    history = seen(revenue=[[50, 50], [25, 75]])
    wished = np.array([10 * 2.25, 4 * 0.25])
    assert best_response(0, policy(), history)[:, 0] == pytest.approx(wished * 14 / wished.sum())
    assert best_response(1, policy(), history)[:, 0] == pytest.approx([6.0, 0.0])
    half = np.array([10 * 1.5, 4 * 0.5])
    assert best_response(0, policy(strength=0.5), history)[:, 0] == pytest.approx(half * 14 / 17)
    assert best_response(0, policy(strength=0.0), history)[:, 0].tolist() == [10.0, 4.0]


def test_a_best_reply_spends_no_more_than_today_and_waits_its_lag() -> None:
    history = seen(revenue=[[50, 50], [25, 75], [60, 40]])
    for lag in (1, 2):
        assert best_response(0, policy(lag=lag), history)[:, 0].sum() == pytest.approx(14.0)
    late = best_response(0, policy(lag=2), history)
    assert np.array_equal(late, best_response(0, policy(), seen(revenue=[[50, 50], [25, 75]])))
    assert best_response(0, policy(lag=3), history)[:, 0].tolist() == [10.0, 4.0]
    assert best_response(0, policy(lag=4), history)[:, 0].tolist() == [10.0, 4.0]


def test_a_best_reply_starts_from_the_first_share_that_a_newcomer_has() -> None:
    """Nothing, then 20 of 100, then 40 of 100: service x 4, attack x (.6 / .8)^2."""
    history = seen(revenue=[[0, 100], [20, 80], [40, 60]])
    wished = np.array([10 * 0.5625, 4 * 4.0])
    assert best_response(0, policy(), history)[:, 0] == pytest.approx(wished * 14 / wished.sum())


def test_a_best_reply_to_a_market_without_sales_or_rivals_is_to_go_on() -> None:
    assert best_response(0, policy(), seen(revenue=[[0, 0], [0, 0]]))[:, 0].tolist() == [10, 4]
    assert best_response(0, policy(), seen(revenue=[[9, 0], [7, 0]]))[:, 0].tolist() == [10, 4]


def script(**schedule: tuple[float, ...]) -> Policy:
    return Policy("scripted", 0.0, 1, 1e9, schedule)


def test_a_script_multiplies_todays_effort_quarter_by_quarter_and_its_last_factor_goes_on() -> None:
    given = script(shouting=(2.0, 0.5))
    efforts = [scripted(0, given, seen(quarter=q))[:, 0].tolist() for q in range(5)]
    assert efforts == [[10, 4], [20, 4], [5, 4], [5, 4], [5, 4]]


def test_the_engine_plays_a_script_from_the_first_quarter_after_the_warm_up() -> None:
    market = village.scenario(quarters=3, warm_up=2)
    loud = village.firm("theirs", policy=script(advertising=(3.0, 0.0)))
    market = replace(market, firms=(market.firms[0], loud))
    run = Run(market, (village.arm(market),), 1, 0, build_world(market, 1, 0))
    efforts = [run.firms.effort[1, 0, 0]]
    for _ in range(3):
        run.advance_quarter()
        efforts.append(run.firms.effort[1, 0, 0])
    assert efforts == [13.0, 39.0, 0.0, 0.0]
    assert run.firms.effort[0, 0, 0] == 13.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "scripted"}, "needs factors for one mechanism at least"),
        ({"name": "scripted", "schedule": {"x": ()}}, r"policy\.schedule\.x=\[\] needs one"),
        ({"name": "scripted", "schedule": {"x": (1.0, -1.0)}}, r"policy\.schedule\.x\.1=-1\.0"),
        ({"name": "scripted", "schedule": {"x": (1.0,)}, "lag": 2}, r"policy\.lag=2 is not read"),
        ({"name": "passive", "schedule": {"x": (1.0,)}}, r"policy\.schedule=.* is not read"),
    ],
)
def test_a_script_that_nobody_can_play_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Policy(**{"strength": 0.0, "lag": 1, "budget": 1.0, **changes})


def test_a_script_of_what_a_firm_does_not_do_is_refused_with_the_nearest_programme() -> None:
    with pytest.raises(ValueError, match=r"'advertisin' is unknown; did you mean 'advertising'"):
        village.firm(policy=script(advertisin=(1.0,)))


@pytest.mark.parametrize("answer", [Policy("best_response", 1.0, 1, 60.0), script(service=(2.0,))])
def test_firms_that_trade_places_and_policies_trade_results(answer: Policy) -> None:
    market = village.scenario(quarters=3)
    ours, theirs = market.firms
    market = replace(market, firms=(replace(ours, policy=answer, price=0.9), theirs))
    there = replace(market, firms=market.firms[::-1])
    one, other = (Run(m, (village.arm(m),), 5, 0, build_world(m, 5, 0)) for m in (market, there))
    for _ in range(3):
        one.advance_quarter()
        other.advance_quarter()
    assert not np.array_equal(one.firms.effort[0], one.firms.effort[1])
    for name in ("effort", "maturity", "tied", "worth", "goodwill"):
        here, swapped = getattr(one.firms, name), getattr(other.firms, name)
        assert np.array_equal(here, swapped[::-1]), name


def test_every_policy_leaves_what_it_saw_as_it_was() -> None:
    history = seen(
        [[1, 2], [2, 1]], [[3, 1], [1, 3]], [[[0.9, 0.5], [0.2, 0.0]]] * 2, [[[10, 4], [6, 0]]] * 2
    )
    before = history.base.copy()
    for name, decide in POLICIES.items():
        given = script(shouting=(2.0,)) if name == "scripted" else policy()
        for firm in range(2):
            decide(firm, given, history)
    assert np.array_equal(history.base, before)


def test_an_unknown_policy_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(KeyError, match="reactive"):
        policy_named("reactiv")


def columns(*numbers: float) -> np.ndarray:
    return np.array(numbers, float)[:, None]


def test_what_fits_the_budget_is_not_touched() -> None:
    effort, due, money, scale = afford(columns(10, 20), columns(0, 5), columns(1, 2, 3), 41.0)
    assert (effort[:, 0].tolist(), due[:, 0].tolist()) == ([10, 20], [0, 5])
    assert (money[:, 0].tolist(), scale.tolist()) == ([1, 2, 3], [1.0])


def test_set_ups_are_paid_first_and_the_rest_is_scaled_alike() -> None:
    """Budget 25, set-up 5, wished 40 beside it: all else at one half."""
    effort, due, money, share = afford(columns(10, 20), columns(0, 5), columns(4, 2, 4), 25.0)
    assert effort[:, 0] == pytest.approx([5, 10])
    assert due[:, 0].tolist() == [0, 5]
    assert money[:, 0] == pytest.approx([2, 1, 2])
    assert share == pytest.approx(25 / 45)


def test_where_set_ups_alone_exceed_the_budget_nothing_new_is_started() -> None:
    effort, due, money, share = afford(columns(10, 20), columns(0, 50), columns(5, 0, 5), 30.0)
    assert effort[:, 0].tolist() == [10, 0]
    assert due[:, 0].tolist() == [0, 0]
    assert money[:, 0].tolist() == [5, 0, 5]
    assert share == pytest.approx(20 / 90)


def test_a_set_up_that_takes_the_whole_budget_is_paid_once() -> None:
    market = village.scenario(quarters=3)
    market = replace(market, mechanisms=tuple(replace(m, setup=13.0) for m in market.mechanisms))
    tight = Policy(name="passive", strength=0, lag=1, budget=13.0)
    market = replace(market, firms=(village.firm(policy=tight), *market.firms[1:]))
    plan = village.plan(market, listening=13.0)
    run = Run(
        market, [replace(village.arm(market, "more"), plan=plan)], 1, 0, build_world(market, 1, 0)
    )
    for _ in range(3):
        run.advance_quarter()
    listening = market.mechanism("listening")
    assert market.mechanisms[listening].setup == 13.0
    spent = np.stack(run.rows[2])[:, :, 0]
    assert spent[0, listening] == spent[0].sum() == 13.0  # the set-up, and nothing else
    assert 0 < spent[1, listening] < 13.0
    assert spent[1:].sum(axis=1) == pytest.approx(13.0)


def test_without_budget_nothing_is_spent() -> None:
    effort, due, money, scale = afford(columns(10, 20), columns(0, 0), columns(5, 0, 5), 0.0)
    assert effort.sum() == due.sum() == money.sum() == scale.sum() == 0


def test_policies_answer_in_the_engine_what_the_organization_does() -> None:
    """We advertise from quarter 3 on: so does the reactive rival; the imitator listens.

    Both watch their rivals with care, so that they read what is true.
    """
    watch = {"sensing_4": 1.0, "reading_care": 1.0}
    ads = {"advertising": Programme(effort=13.0, maturity=0.9)}
    market = village.scenario(quarters=4)
    market = replace(
        market,
        firms=(
            village.firm(programmes={**ads, "listening": Programme(effort=13.0, maturity=0.5)}),
            village.firm("theirs", programmes=ads, levers=watch, policy=policy("reactive", 4.0)),
            village.firm("others", programmes=ads, levers=watch, policy=policy("imitator", 0.5)),
        ),
    )
    people = build_world(market, 1, 0)
    plan = village.plan(market, advertising=60.0)
    plan.effort[:, :2] = 0.0
    more = replace(village.arm(market, "more"), plan=plan)
    run = Run(market, (village.arm(market), more), 1, 0, people)
    for _ in range(4):
        run.advance_quarter()
    assert run.firms.effort[0, 0, :2].tolist() == [13.0, 73.0]
    assert run.firms.effort[1, 0, 0] == pytest.approx(13.0)
    assert run.firms.effort[1, 0, 1] > 14.0
    assert run.firms.effort[2, market.mechanism("listening"), 0] == pytest.approx(6.5)
