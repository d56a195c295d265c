"""Advertising, choice and loyalty against known results (VALIDATION rows 43, 46, 47, 49)."""

from __future__ import annotations

from dataclasses import replace

import handmade
import numpy as np
import pytest
import village
from handmade import advanced, arm, started, still
from scipy.stats import chisquare

from sim.engine import Run
from sim.laws.outbound import goodwill
from sim.scenario import Scenario
from sim.state import BASE_UTILITY, PROVIDER, SALIENCE

pytestmark = pytest.mark.validation

VALUES = (0.5, 0.0, -0.3)
N = 6000
EVERY_WEEK = 50.0


# ---- row 43: Nerlove and Arrow ------------------------------------------------------------------


@pytest.mark.parametrize("part", [1.0, 0.5, 0.1])
def test_row_43_the_stock_of_advertising_settles_at_a_over_delta_for_any_week(part: float) -> None:
    """3 a week at .07: 42.857; in parts of a week the same."""
    stock = 0.0
    for _ in range(int(600 / part)):
        stock = goodwill(stock, 3.0 * part, 0.07 * part)
    assert stock == pytest.approx(42.857142857142854, rel=1e-10)


def test_row_43_half_and_nine_tenths_are_forgotten_in_known_times() -> None:
    """At a carry-over of .9: 6.579 and 21.854 weeks."""
    decay = 0.10536051565782628
    assert goodwill(1.0, 0.0, decay) == pytest.approx(0.9, rel=1e-12)
    assert goodwill(1.0, 0.0, 6.578813478960585 * decay) == pytest.approx(0.5, rel=1e-12)
    assert goodwill(1.0, 0.0, 21.854345326782834 * decay) == pytest.approx(0.1, rel=1e-12)


def test_row_43_through_the_engine() -> None:
    """13 weeks of 3 at .07 from nothing: 42.857 (1 - e^-.91) = 25.606."""
    market = still(2, 1, goodwill_decay=0.07)
    market = replace(market, firms=(village.firm(programmes={}, levers={"impressions": 3.0}),))
    run = advanced(market, handmade.world(2, 1))
    assert run.firms.goodwill[0, 0, 0] == pytest.approx(25.606105, abs=1e-5)


def test_the_stock_of_advertising_adds_the_log_of_one_and_itself_to_a_firms_value() -> None:
    """At weight .4 and the stock of the test above: .4 ln 26.606 = 1.3125."""
    market = still(2, 1, goodwill_decay=0.07, goodwill_weight=0.4)
    market = replace(market, firms=(village.firm(programmes={}, levers={"impressions": 3.0}),))
    run = advanced(market, handmade.world(2, 1))
    assert run.drive[BASE_UTILITY, 0, 0, 0] == pytest.approx(1.312456, abs=1e-5)


# ---- rows 46 and 47: logit choice, with and without loyalty -------------------------------------


def choosing(
    quarters: int = 1, n: int = N, values: tuple[float, ...] = VALUES, **physics: float
) -> tuple[Scenario, object]:
    """Return a market where all choose every week among firms of given value and none of 0."""
    market = still(n, len(values), quarters, **physics)
    firms = tuple(village.firm(f"firm{f}", programmes={}, appeal=v) for f, v in enumerate(values))
    people = handmade.world(n, len(values), opportunity=np.full(n, EVERY_WEEK))
    return replace(market, firms=firms), people


def shares(run: Run, n_firms: int = 3, lane: int = 0) -> np.ndarray:
    """Return how many are with each firm, and last with none."""
    return np.bincount(run.state.marks[:, PROVIDER, lane] % (n_firms + 1), minlength=n_firms + 1)


SHARES = np.array([0.375602, 0.227814, 0.168769, 0.227814])


def test_row_46_shares_are_those_of_the_logit() -> None:
    market, people = choosing()
    run = started(market, people)
    total = np.zeros(4)
    for week in range(6):
        run.advance_week(opens=week == 0)
        total += shares(run)
    assert total.sum() == 6 * N
    assert chisquare(total, SHARES / SHARES.sum() * total.sum()).pvalue > 0.001


def test_row_46_an_option_that_disappears_moves_only_those_who_chose_it() -> None:
    """Independence of irrelevant alternatives, one by one on the same luck."""
    market, people = choosing()
    before = advanced(market, people, weeks=1).state.marks[:, PROVIDER, 0]
    run = started(market, people)
    run.state.people[:, SALIENCE] = 0.0
    run.advance_week(opens=True)
    after = run.state.marks[:, PROVIDER, 0]
    assert not (after == 0).any()
    assert np.array_equal(before[before != 0], after[before != 0])
    rest = np.bincount(after % 4, minlength=4)[1:]
    kept = SHARES[1:] / SHARES[1:].sum()
    assert chisquare(rest, kept * N).pvalue > 0.001


def test_row_46_salience_multiplies_the_odds() -> None:
    """In half of all minds: odds of e^.5 / 2 instead of e^.5."""
    market, people = choosing()
    run = started(market, people)
    run.state.people[:, SALIENCE] = 0.5
    run.advance_week(opens=True)
    expected = np.array([0.8243606354, 1.0, 0.7408182207, 1.0])
    assert chisquare(shares(run), expected / expected.sum() * N).pvalue > 0.001


def at_price(price: float, weight: float) -> tuple[Scenario, object]:
    """Return the market of three firms, the first of them at that price, who all choose weekly."""
    market, people = choosing(price_weight=weight)
    dear = replace(market.firms[0], price=price)
    return replace(market, firms=(dear, *market.firms[1:])), people


@pytest.mark.parametrize("weight", [1.0, 2.5])
def test_row_46_the_elasticity_of_price_is_its_weight_times_what_is_left(weight: float) -> None:
    """d ln P / d ln p = -beta (1 - P) at P = .3756, from the values that the firms' week writes.

    Two markets a hundredth of a per cent apart in the price of one firm.
    """
    values = []
    for price in (1.0, 1.0001):
        run = started(*at_price(price, weight))
        run.advance_week(opens=True)
        values.append(run.drive[BASE_UTILITY, :, 0, 0].astype(float))
    assert values[0] == pytest.approx(VALUES, abs=1e-7)
    assert np.array_equal(values[0][1:], values[1][1:])
    shares = [np.exp(v[0]) / (np.exp(v).sum() + 1.0) for v in values]
    assert shares[0] == pytest.approx(0.375602, abs=1e-6)
    elasticity = np.log(shares[1] / shares[0]) / np.log(1.0001)
    assert elasticity == pytest.approx(-weight * (1 - 0.375602), abs=2e-3)


def test_row_46_choices_answer_a_price_by_its_elasticity() -> None:
    """At e^.2 times the price and weight 1: odds of e^.3, counted over six weeks of choices."""
    market, people = at_price(float(np.exp(0.2)), 1.0)
    run = started(market, people)
    total = np.zeros(4)
    for week in range(6):
        run.advance_week(opens=week == 0)
        total += shares(run)
    odds = np.exp([0.3, 0.0, -0.3, 0.0])
    assert chisquare(total, odds / odds.sum() * total.sum()).pvalue > 0.001
    before = SHARES[0]
    change = np.log(total[0] / total.sum() / before) / 0.2
    between = (before + odds[0] / odds.sum()) / 2
    error = np.sqrt((1 - before) / before / total.sum()) / 0.2
    assert change == pytest.approx(-(1 - between), abs=4 * error)


def test_row_47_loyalty_gives_the_stationary_shares_and_retention_of_inertia() -> None:
    """psi = 1.5: shares .444, .209, .137, .209; retention .729, .569, .476, .569."""
    market, people = choosing(2, switching_cost=1.5, none_utility=1.5)
    run = advanced(market, people)
    stationary = np.array([0.4441085, 0.20930534, 0.13728081, 0.20930534])
    assert chisquare(shares(run), stationary * N).pvalue > 0.001
    kept = np.zeros(4)
    was = np.zeros(4)
    extended = advanced(replace(market, quarters=3), people, weeks=26)
    for _ in range(8):
        before = extended.state.marks[:, PROVIDER, 0].copy()
        extended.advance_week(opens=False)
        stayed = extended.state.marks[:, PROVIDER, 0] == before
        was += np.bincount(before % 4, minlength=4)
        kept += np.bincount(before[stayed] % 4, minlength=4)
    retention = np.array([0.72943216, 0.56937606, 0.4764233, 0.56937606])
    standard_error = np.sqrt(retention * (1 - retention) / was)
    assert (np.abs(kept / was - retention) < 4 * standard_error).all()


@pytest.mark.parametrize(
    ("firms", "psi", "retention"), [(1, 1.0, 0.731059), (2, 2.0, 0.786986), (3, 3.295836866, 0.9)]
)
def test_row_47_alike_options_keep_e_to_the_psi_over_its_sum(
    firms: int, psi: float, retention: float
) -> None:
    """J options, none among them, of value 0."""
    market, people = choosing(values=(0.0,) * firms, switching_cost=psi, none_utility=psi)
    run = advanced(market, people, weeks=8)
    before = run.state.marks[:, PROVIDER, 0].copy()
    run.advance_week(opens=False)
    stayed = (run.state.marks[:, PROVIDER, 0] == before).mean()
    assert stayed == pytest.approx(retention, abs=4 * np.sqrt(retention * (1 - retention) / N))


def test_row_49_a_better_firm_moves_choices_to_itself_only() -> None:
    market, people = choosing()
    better = replace(market, firms=(replace(market.firms[0], appeal=1.1), *market.firms[1:]))
    before, after = (
        advanced(m, people, weeks=1).state.marks[:, PROVIDER, 0] for m in (market, better)
    )
    changed = before != after
    assert changed.sum() > 300
    assert (after[changed] == 0).all()


def test_row_49_a_dearer_firm_loses_and_wins_nobody() -> None:
    market, people = choosing(price_weight=1.0)
    dear = replace(market, firms=(replace(market.firms[0], price=2.0), *market.firms[1:]))
    before, after = (
        advanced(m, people, weeks=1).state.marks[:, PROVIDER, 0] for m in (market, dear)
    )
    changed = before != after
    assert changed.sum() > 300
    assert (before[changed] == 0).all()


def test_customers_are_conserved_every_week() -> None:
    market, people = choosing(n=500, switching_cost=1.0)
    run = started(market, people, arm(market), arm(market, "loyal", switching_cost=4.0))
    for week in range(8):
        before = run.firms.tied.copy()
        run.advance_week(opens=week == 0)
        for lane in range(2):
            counted = shares(run, lane=lane)
            assert counted.sum() == 500
            assert run.firms.tied[:, 0, lane].tolist() == counted[:3].tolist()
        assert (run.firms.tied >= 0).all()
        assert not np.array_equal(before, run.firms.tied)
