"""Indicators by hand: four customers, two employees, two firms, one quarter."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import handmade
import numpy as np
import pytest
import village
from handmade import started, still

from sim.engine import Run, simulate
from sim.kpis import BOOKS, INDEX, MEASURES, PERSPECTIVES, TABLE
from sim.kpis_programmes import gini
from sim.mechanisms import Effect
from sim.state import (
    ADDS,
    ATTITUDE,
    BROKEN,
    EXPECTATION,
    FIRM_FIELDS,
    KEPT,
    LOSSES,
    NEGATIVE,
    POSITIVE,
    PROVIDER,
    QUARTER,
    REFERRED,
    SALIENCE,
)

SATISFIED = (0.9, -0.9, 0.5, 0.25, 0.6, 0.0)


def village_of_six() -> Run:
    """Return a run whose every number below was put in by hand.

    Customers 0 to 3: the first two are ours, the third theirs, the fourth nobody's. Employees 4
    (ours) and 5 (theirs). Recommending: 6.5 + 2 x satisfaction + attitude, without noise.
    """
    market = still(4, 2, recommend_noise=0.0)
    staff = replace(market.stakeholders[0], key="employees", label="x", customer=False, count=2)
    market = replace(
        market,
        stakeholders=(*market.stakeholders, staff),
        audiences=dict.fromkeys(
            ("employees", "channel", "suppliers", "media", "investors", "public"), ("employees",)
        ),
        finance=replace(market.finance, discount_rate=0.25),
    )
    people = handmade.world(
        6, 2, kind=[0, 0, 0, 0, 1, 1], tied=[0, 0, 1, -1, 0, 1], department=[-1, -1, -1, -1, 0, 0]
    )
    run = started(market, people, village.arm(market))
    run.week = 52
    state = run.state.people[..., 0]
    given = {
        SALIENCE: ([0.2, 0.4, 0.6, 0.8, 1, 1], [0.5] * 6),
        ATTITUDE: ([0.9, -0.2, 0.2, 0.1, 0.7, 0], [0.1, 0.0, 0.4, -0.5, 0, 0.3]),
        EXPECTATION: ([0.5, 0.5, 0.7, 0.7, 0, 0], [0.25] * 6),
        KEPT: ([3.0, 1.0, 2.0, 2.0, 9, 9], [2.0] * 6),
        BROKEN: ([1.0, 3.0, 2.0, 2.0, 1, 1], [2.0] * 6),
    }
    for which, by_firm in given.items():
        for f, values in enumerate(by_firm):
            state[:, f * FIRM_FIELDS + which] = values
    state[:, -1] = SATISFIED
    run.start.tied[:, 0, 0] = [4, 2]
    run.start.revenue[:, 0] = [160, 50]
    run.start.fit[:, :, 0] = 0.85
    counts = run.counts[..., 0]
    counts[POSITIVE] = [[6, 2], [3, 1]]
    counts[NEGATIVE] = [[1, 1], [2, 0]]
    counts[ADDS] = [[2, 0], [1, 0]]
    counts[LOSSES] = [[1, 0], [1, 0]]
    counts[REFERRED] = [[1, 0], [0, 0]]
    run.churn.append(np.array([[[1.0], [1.0]], [[4.0], [2.0]]]))
    firms = run.firms
    money = {
        "revenue": (200, 50),
        "profit": (30, 5),
        "contribution": (90, 20),
        "mechanisms": (12, 3),
        "investment": (8, 2),
        "resolved": (3, 1),
        "abandoned": (1, 0),
        "heard": (4, 1),
        "value": (7, 2),
        "left": (1, 0),
        "waited": (10, 0),
    }
    for name, values in money.items():
        firms.quarter[QUARTER.index(name), :, 0] = values
    firms.worth[:, 0] = [123, 45]
    firms.delivered[:, 0], firms.delay[:, 0] = [0.6, 0.3], [4.0, 6.0]
    firms.engagement[:, 0] = [0.7, 0.3]
    firms.waiting[:, 0], firms.capacity[:, 0] = [1, 0], [0.5, 0.5]
    firms.quality[:, :, 0] = [[0.8, 0.1], [0.7, 0.2]]
    firms.output[0, :, 0] = [0.2, 0.4, 0.9, 0.9, 0.9, 0.9]
    firms.fit[:, :, 0] = [[0.9, 0.1], [0.8, 0.2]]
    firms.execution[:, :, 0] = [[0.7, 0.1], [0.6, 0.2]]
    firms.ready[:, :, 0] = [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]
    firms.lever[0, :, :, 0] = [[3.0, 9.0], [2.0, 9.0]]
    firms.maturity[0, :, 0] = [0.4, 0.8, 0.9, 0.1, 0.1, 0.1]
    firms.effort[0, :, 0] = [5, 5, 0, 0, 0, 0]
    run.close()
    return run


@pytest.fixture(scope="module")
def closed() -> Run:
    return village_of_six()


def margin_value(yearly_retention: float) -> float:
    """Return two customers at 4 x 90 / 2 a year, discounted a year at 25 %."""
    return 2 * 180 * yearly_retention / (1.25 - yearly_retention) / 1.25


def read_share() -> float:
    """Flows 1 and 3 are sensed; of the others what the books say: referrals and customers won."""
    flows = Counter(kpi.flow for kpi in TABLE if kpi.flow)
    return (flows[1] + flows[3] + 2) / flows.total()


BY_HAND = {
    "quarter_value": 7,
    "growth_against_market": 100 * (200 / 160 - 250 / 210),
    "cash_in_hand": 100,
    "lifetime_value": 180 * 0.75**4 / (1.25 - 0.75**4),
    "acquisition_cost": 2.5,
    "programme_share": 0.1,
    "spending_customer": 5,
    "spending_internal": 5,
    "spending_learning": 300,
    "win_share": 2 / 3,
    "quality_surprise": 0.2,
    "negative_talk": 0.25,
    "channel_trust": 0.9,
    "channel_recommendation": 2 / 3,
    "channel_rival_attitude": 0.15,
    "supplier_trust": 0.9,
    "supplier_ideas_first": 0.75,
    "investor_trust": 0.9,
    "public_trust": 0.9,
    "society_trust": 0.9,
    "public_sentiment": 1 / 3,
    "media_sentiment": 1 / 3,
    "media_share_of_voice": 0.75,
    "media_rival_sentiment": 1.0,
    "rival_trust": 0.5,
    "rival_voice_share": 0.4,
    "switch_talk": 8 / 12,
    "employee_advocacy": 0.0,
    "loop_closed": 0.5,
    "first_reply": 2.0,
    "backlog_weeks": 2.0,
    "idea_to_change": 0.3,
    "fit_gain": 0.05,
    "relationship_memory": 0.03,
    "flow_balance": 1 / 3,
    "flow_coverage": 1 / 3,
    "silo_extraction": read_share(),
    "bundled_readiness": 1 / (0.4 / 0.1 + 0.3 / 0.2 + 0.3 / 0.3),
    "programme_output": 0.3,
    "reading_weeks": 6.5,
    "net_present_value": 123,
    "revenue": 200,
    "operating_margin": 0.15,
    "profit": 30,
    "programme_spending": 20,
    "market_share": 2 / 3,
    "retention": 0.75,
    "gross_adds": 2,
    "trust": 0.5,
    "salience": 0.5,
    "preference": 0.5,
    "satisfaction": 0.0,
    "net_promoter_score": 0.0,
    "net_sentiment": 0.6,
    "share_of_voice": 10 / 16,
    "referral_share": 0.5,
    "listening_coverage": 0.4,
    "insight_delivered": 0.6,
    "insight_weeks": 4.0,
    "offering_fit": 0.9,
    "complaints_resolved": 0.75,
    "execution": 0.7,
    "rival_pressure": 2.0,
    "rival_attitude": 0.0,
    "rival_sentiment": 1 / 3,
    "relative_advocacy": 0.0,
    "attention_share": 0.8,
    "rival_fit": 0.8,
    "engagement": 0.7,
    "human_readiness": 0.1,
    "information_readiness": 0.2,
    "organization_readiness": 0.3,
    "maturity": 0.6,
    "value_with_customers": 123 + margin_value(0.75**4),
}


@pytest.mark.parametrize("key", list(INDEX))
def test_an_indicator_is_what_pencil_and_paper_say(key: str, closed: Run) -> None:
    assert closed.rows[0][-1][INDEX[key], 0] == pytest.approx(BY_HAND[key], abs=1e-5)


def test_measures_are_means_by_type_and_firm(closed: Run) -> None:
    measures = dict(zip(MEASURES, closed.rows[1][-1][..., 0], strict=True))
    assert measures["salience"][0] == pytest.approx([0.5, 0.5], abs=1e-5)
    assert measures["salience"][1] == pytest.approx([1.0, 0.5], abs=1e-5)
    assert measures["attitude"][0] == pytest.approx([0.25, 0.0], abs=1e-5)
    assert measures["attitude"][1] == pytest.approx([0.35, 0.15], abs=1e-5)
    assert measures["expectation"][0] == pytest.approx([0.6, 0.25], abs=1e-5)
    assert measures["trust"][0] == pytest.approx([0.5, 0.5], abs=1e-5)
    assert measures["satisfaction"][0] == pytest.approx([0.0, 0.5], abs=1e-5)
    assert measures["satisfaction"][1] == pytest.approx([0.6, 0.0], abs=1e-5)
    assert measures["tied"][0] == pytest.approx([0.5, 0.25])
    assert measures["tied"][1] == pytest.approx([0.5, 0.5])
    assert measures["positive_voices"][0] == pytest.approx([1.5, 0.75])
    assert measures["negative_voices"][1] == pytest.approx([0.5, 0.0])


def test_promoters_say_nine_or_ten_and_detractors_six_or_less() -> None:
    """Satisfied .9 and .9: 9.2 promotes; -.9 and -.2: 4.5 detracts; .2 and .1: 7.0 is neither."""
    run = village_of_six()
    run.state.people[2, -1, 0] = 0.2
    run.state.people[2, ATTITUDE, 0] = 0.1
    run.state.marks[2, PROVIDER, 0] = 0
    run.close()
    assert run.rows[0][-1][INDEX["net_promoter_score"], 0] == pytest.approx(0.0)
    run.state.people[1, -1, 0] = 0.2
    run.close()
    assert run.rows[0][-1][INDEX["net_promoter_score"], 0] == pytest.approx(100 / 3)


def test_relative_advocacy_compares_with_all_rivals_customers() -> None:
    run = village_of_six()
    run.state.people[2, -1, 0] = -0.9
    run.close()
    assert run.rows[0][-1][INDEX["relative_advocacy"], 0] == pytest.approx(100.0)


def test_an_audience_that_a_market_lacks_gives_no_data() -> None:
    run = started(still(4, 2), handmade.world(4, 2, tied=np.zeros(4)))
    run.counts[POSITIVE] = 5
    run.close()
    last = run.rows[0][-1][:, 0]
    about = [k.key for k in TABLE if k.audience and "customers" not in k.audience]
    assert len(about) >= 12
    about.remove("engagement")  # of our employees by department: 0 where there are none
    for key in about:
        assert np.isnan(last[INDEX[key]]), key


def test_society_is_investors_and_the_public_weighted_by_their_numbers() -> None:
    market = still(1, 1)
    kinds = tuple(
        replace(market.stakeholders[0], key=key, customer=False, count=n)
        for key, n in (("backers", 1), ("neighbours", 3))
    )
    market = replace(
        market,
        stakeholders=(*market.stakeholders, *kinds),
        audiences={"investors": ("backers",), "public": ("neighbours",)},
    )
    run = started(market, handmade.world(5, 1, kind=[0, 1, 2, 2, 2]))
    run.state.people[:, KEPT, 0] = [1, 9, 1, 1, 1]
    run.state.people[:, BROKEN, 0] = [1, 1, 3, 3, 3]
    run.close()
    last = run.rows[0][-1][:, 0]
    assert last[INDEX["investor_trust"]] == pytest.approx(0.9, abs=1e-5)
    assert last[INDEX["public_trust"]] == pytest.approx(0.25, abs=1e-5)
    assert last[INDEX["society_trust"]] == pytest.approx((0.9 + 3 * 0.25) / 4, abs=1e-5)


def test_employees_are_promoters_of_their_own_firm_only() -> None:
    """Says 6.5 + 2 x 0.9 + 0.7 = 9.0: our one employee promotes; theirs does not count."""
    run = village_of_six()
    run.state.people[4, -1, 0] = 0.9
    run.state.people[5, -1, 0] = -0.9
    run.close()
    assert run.rows[0][-1][INDEX["employee_advocacy"], 0] == pytest.approx(100.0)


def test_a_closed_inbound_flow_hears_no_ideas_and_remembers_nothing() -> None:
    run = village_of_six()
    run.gates[2, 0] = 0.0
    run.close()
    last = run.rows[0][-1][:, 0]
    assert last[INDEX["supplier_ideas_first"]] == 0
    assert last[INDEX["relationship_memory"]] == 0


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [((1, 1, 1, 1), 0.0), ((4, 0, 0, 0), 0.75), ((1, 3), 0.25), ((0, 0), float("nan"))],
)
def test_the_gini_coefficient_by_hand(amounts: tuple[float, ...], expected: float) -> None:
    with np.errstate(invalid="ignore"):
        found = gini(np.array(amounts, float)[:, None])
    assert found == pytest.approx(expected, nan_ok=True)


def test_spending_by_perspective_adds_up_to_all_spending() -> None:
    market = village.scenario(quarters=2)
    idle = village.mechanism("academy", Effect("learning", (), 0.2), flows=())
    market = replace(market, mechanisms=(*market.mechanisms, idle))
    busy = village.arm(market, "busy", advertising=5.0, rebuttal=3.0, mining=2.0, academy=4.0)
    history = simulate(market, [village.arm(market), busy], 1, lanes=4)
    parts = [f"spending_{name}" for name in ("customer", "internal", "learning")]
    total = sum(history.kpi[1:, INDEX[part]] for part in parts)
    assert total == pytest.approx(history.kpi[1:, INDEX["programme_spending"]])
    more = history.kpi[2, :, 1] - history.kpi[2, :, 0]
    assert [more[INDEX[part]] for part in parts] == pytest.approx([8.0, 2.0, 4.0])


def test_the_value_of_quarters_adds_up_to_the_value_to_date() -> None:
    history = simulate(village.scenario(), [village.arm(village.scenario())], 1, lanes=1)
    summed = history.kpi[1:, INDEX["quarter_value"], 0].cumsum()
    assert summed == pytest.approx(history.kpi[1:, INDEX["net_present_value"], 0])


def test_the_gain_of_fit_is_the_difference_of_two_closes() -> None:
    market = village.scenario(quarters=3)
    kpi = simulate(market, [village.arm(market)], 1, lanes=1).kpi[..., 0]
    steps = np.diff(kpi[:, INDEX["offering_fit"]])
    assert kpi[2:, INDEX["fit_gain"]] == pytest.approx(steps[1:])


def test_growth_against_the_market_of_all_firms_is_none() -> None:
    """A firm alone is the market."""
    market = village.scenario(quarters=2)
    alone = replace(
        market,
        firms=market.firms[:1],
        stakeholders=tuple(replace(t, tied={"ours": 0.5}) for t in market.stakeholders),
    )
    kpi = simulate(alone, [village.arm(alone)], 1, lanes=1).kpi[..., 0]
    assert np.isnan(kpi[1, INDEX["growth_against_market"]])
    assert kpi[2, INDEX["growth_against_market"]] == pytest.approx(0.0)


def test_what_is_not_yet_defined_is_nan_and_never_a_number() -> None:
    market = still(4, 2)
    run = started(market, handmade.world(4, 2))
    opening = run.rows[0][0][:, 0]
    undefined = {k.key for k in TABLE if np.isnan(opening[INDEX[k.key]])}
    assert {
        "revenue",
        "retention",
        "gross_adds",
        "operating_margin",
        "net_sentiment",
        "satisfaction",
        "market_share",
        "complaints_resolved",
        "referral_share",
    } <= undefined
    assert {"salience", "trust", "human_readiness", "net_present_value"}.isdisjoint(undefined)


def test_a_firm_without_rivals_has_no_rivals_numbers() -> None:
    run = started(still(4, 1), handmade.world(4, 1, tied=np.zeros(4)))
    kpi = run.rows[0][0][:, 0]
    for key in ("rival_attitude", "rival_fit", "rival_sentiment", "relative_advocacy"):
        assert np.isnan(kpi[INDEX[key]])
    assert kpi[INDEX["rival_pressure"]] == 0
    assert kpi[INDEX["market_share"]] == 1


def test_the_scorecard_is_complete() -> None:
    """Four perspectives, six flows, every row with unit, owner and formula, no name twice."""
    assert len(TABLE) >= 45
    assert {word for k in TABLE for word in k.audience} == {
        "customers", "employees", "channel", "suppliers", "investors", "public", "media",
    }  # fmt: skip
    assert {k.perspective for k in TABLE} == set(PERSPECTIVES)
    assert {k.flow for k in TABLE} == {None, 1, 2, 3, 4, 5, 6}
    assert len({k.key for k in TABLE}) == len(TABLE) == len(INDEX)
    for kpi in TABLE:
        assert kpi.unit
        assert kpi.owner
        assert kpi.formula
        assert kpi.source
        assert kpi.sensed_by in (BOOKS, *range(1, 7))
        assert kpi.sensed_by in (BOOKS, kpi.flow) or kpi.flow is None
        assert kpi.direction in (-1, 1)
