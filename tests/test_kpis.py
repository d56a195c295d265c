"""Indicators by hand: four customers, two employees, two firms, one quarter."""

from __future__ import annotations

from dataclasses import replace

import handmade
import numpy as np
import pytest
import village
from handmade import started, still

from sim.engine import Run
from sim.kpis import INDEX, MEASURES, PERSPECTIVES, TABLE
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
    run.start_tied[:, 0, 0] = [4, 2]
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
    }
    for name, values in money.items():
        firms.quarter[QUARTER.index(name), :, 0] = values
    firms.worth[:, 0] = [123, 45]
    firms.delivered[:, 0], firms.delay[:, 0] = [0.6, 0.3], [4.0, 6.0]
    firms.engagement[:, 0] = [0.7, 0.3]
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


BY_HAND = {
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
    assert len(TABLE) >= 20
    assert {k.perspective for k in TABLE} == set(PERSPECTIVES)
    assert {k.flow for k in TABLE} == {None, 1, 2, 3, 4, 5, 6}
    assert len({k.key for k in TABLE}) == len(TABLE) == len(INDEX)
    for kpi in TABLE:
        assert kpi.unit
        assert kpi.owner
        assert kpi.formula
        assert kpi.direction in (-1, 1)
