"""Money and its value today, by hand."""

from __future__ import annotations

import pytest

from sim.laws.finance import discount, growth, lifetime_value


def test_money_in_a_year_is_discounted_by_a_year() -> None:
    assert discount(52, 0.1) == pytest.approx(0.9090909090909091)
    assert discount(26, 0.21) == pytest.approx(0.9090909090909091)
    assert discount(0, 0.1) == 1.0


def test_a_market_that_grows_buys_more() -> None:
    assert growth(52, 0.03) == pytest.approx(1.03)
    assert growth(26, 0.21) == pytest.approx(1.1)
    assert growth(104, -0.5) == pytest.approx(0.25)


def test_a_customer_of_four_fifths_retention_is_worth_two_and_a_half_margins() -> None:
    assert lifetime_value(100.0, 0.8, 0.12) == pytest.approx(250.0)
    assert lifetime_value(100.0, 0.0, 0.12) == 0.0
