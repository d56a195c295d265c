"""The one primitive, by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.laws.relax import chance, logistic, positive, relax, share_of_rate, tanh, threshold

RATE = st.floats(0, 50)
UNIT = st.floats(0, 1)
LN2 = 0.6931471805599453


def test_a_rate_of_log_two_closes_half_the_gap() -> None:
    assert relax(0.2, 1.0, LN2) == pytest.approx(0.6, rel=1e-12)
    assert relax(0.2, -1.0, 2 * LN2) == pytest.approx(-0.7, rel=1e-12)


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_a_rate_of_zero_changes_no_bit(y: float, target: float) -> None:
    assert relax(y, target, 0.0) == y


@given(UNIT, UNIT, RATE)
def test_a_bounded_state_stays_bounded_without_clipping(y: float, m: float, rate: float) -> None:
    low, high = min(y, m), max(y, m)
    assert low - 4e-16 <= relax(y, m, rate) <= high + 4e-16


@given(UNIT, UNIT, RATE)
def test_two_half_weeks_are_one_week(y: float, target: float, rate: float) -> None:
    halves = relax(relax(y, target, rate / 2), target, rate / 2)
    assert halves == pytest.approx(relax(y, target, rate), abs=1e-14)


def test_a_hazard_becomes_a_chance_in_one_way() -> None:
    assert chance(0.0) == 0.0
    assert chance(1.3862943611198906) == pytest.approx(0.75, rel=1e-12)
    assert 1 - chance(0.3 + 0.5) == pytest.approx((1 - chance(0.3)) * (1 - chance(0.5)))


@given(st.floats(1e-7, 1 - 1e-7), st.floats(0, 20))
def test_a_draw_beyond_its_threshold_is_the_same_event_as_chance(u: float, hazard: float) -> None:
    if abs(chance(hazard) - u) > 1e-12:
        assert (hazard > threshold(u)) == (chance(hazard) > u)
    assert threshold(0.75) == pytest.approx(1.3862943611198906, rel=1e-12)


def test_share_of_rate_is_one_at_zero_and_falls_with_the_rate() -> None:
    assert share_of_rate(0.0) == 1.0
    assert share_of_rate(LN2) == pytest.approx(0.7213475204444817, rel=1e-12)
    assert share_of_rate(2.0) == pytest.approx(0.43233235838169365, rel=1e-12)
    assert share_of_rate(2e-6) == pytest.approx(0.999999000000667, rel=1e-9)


def test_positive_part_logistic_and_tanh_are_what_they_are_called() -> None:
    assert (positive(0.3), positive(-0.3), positive(0.0)) == (0.3, 0.0, 0.0)
    assert logistic(0.0) == 0.5
    assert logistic(math.log(3)) == pytest.approx(0.75, rel=1e-12)
    assert tanh(LN2) == pytest.approx(0.6, rel=1e-12)
    assert tanh(-LN2) == pytest.approx(-0.6, rel=1e-12)
