"""Capital, bundles, maturity and diminishing returns, by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.laws.capability import (
    EXPONENTIAL,
    INTERNAL_BASS,
    LOGISTIC,
    build,
    bundle,
    dip,
    effort_level,
    logistic_step,
    mature,
    output,
    readiness,
    reference_stock,
    wear,
)

LN2 = 0.6931471805599453
R = (0.9, 0.5, 0.3)
A = (0.4, 0.3, 0.3)
SHARE = st.floats(0.01, 0.99)


def test_a_stock_of_log_two_references_is_half_ready() -> None:
    assert readiness(69.31471805599453, 100.0) == pytest.approx(0.5)
    assert readiness(0.0, 100.0) == 0.0
    assert reference_stock(100.0, 0.5) == pytest.approx(144.26950408889634)
    assert readiness(100.0, reference_stock(100.0, 0.3)) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("exponent", "value"),
    [
        (1.0, 0.6),
        (0.0, 0.5426557154),
        (-1.0, 0.4891304348),
        (-4.0, 0.3917770723),
        (-50.0, 0.3073115122),
    ],
)
def test_bundles_range_from_the_sum_to_the_weakest_asset(exponent: float, value: float) -> None:
    assert bundle(*R, *A, exponent) == pytest.approx(value, abs=1e-10)


def test_a_needed_capital_that_is_missing_makes_the_bundle_nothing() -> None:
    for exponent in (0.0, -1.0, -4.0):
        assert bundle(0.0, 0.5, 0.5, 0.4, 0.3, 0.3, exponent) == 0.0
        assert bundle(0.5, 0.0, 0.5, 0.4, 0.3, 0.3, exponent) == 0.0
        assert bundle(0.5, 0.5, 0.0, 0.4, 0.3, 0.3, exponent) == 0.0
        assert bundle(0.0, 0.5, 0.5, 0.0, 0.5, 0.5, exponent) == pytest.approx(0.5)


@given(SHARE, SHARE, SHARE, st.sampled_from([1.0, 0.5, 0.0, -1.0, -4.0, -50.0]))
def test_a_bundle_lies_between_its_weakest_and_its_strongest(
    h: float, i: float, o: float, exponent: float
) -> None:
    value = bundle(h, i, o, *A, exponent)
    assert min(h, i, o) * (1 - 1e-9) <= value <= max(h, i, o) * (1 + 1e-9)
    assert bundle(0.5 * h, 0.5 * i, 0.5 * o, *A, exponent) == pytest.approx(0.5 * value)
    assert bundle(min(1.0, 1.01 * h), i, o, *A, exponent) >= value


def test_output_needs_maturity_readiness_and_money() -> None:
    assert effort_level(26.0, 13.0) == 2.0
    assert output(0.8, 0.5, LN2) == pytest.approx(0.2)
    assert output(0.8, 0.5, 2 * LN2) == pytest.approx(0.3)
    assert output(0.8, 0.5, 0.0) == 0.0
    assert output(0.0, 0.5, 1.0) == 0.0


def grown(
    form: int,
    weeks: int,
    level: float = 1.0,
    half_life: float = 13.0,
    learning: float = 1.0,
    start: float = 0.0,
) -> float:
    mu = start
    for _ in range(weeks):
        mu = mature(mu, form, level, half_life, 0.0, learning)
    return mu


def test_the_gap_to_full_maturity_halves_in_a_half_life() -> None:
    assert grown(EXPONENTIAL, 13) == pytest.approx(0.5)
    assert grown(EXPONENTIAL, 26) == pytest.approx(0.75)
    assert grown(EXPONENTIAL, 13, level=0.5) == pytest.approx(0.2928932188134524)
    assert grown(EXPONENTIAL, 13, level=7.0) == pytest.approx(0.5)
    assert grown(EXPONENTIAL, 13, half_life=26.0, learning=2.0) == pytest.approx(0.5)


def test_an_unfunded_routine_decays() -> None:
    for form in (EXPONENTIAL, LOGISTIC, INTERNAL_BASS):
        assert mature(0.8, form, 0.0, 13.0, LN2, 1.0) == pytest.approx(0.4)
    assert mature(0.8, EXPONENTIAL, 1.0, 13.0, LN2, 1.0) > 0.8


def test_logistic_maturity_starts_slowly_and_is_half_after_a_half_life() -> None:
    assert grown(LOGISTIC, 13) == pytest.approx(0.5)
    assert grown(LOGISTIC, 6) < 0.2 < grown(EXPONENTIAL, 6)


def test_the_logistic_step_is_the_closed_form() -> None:
    assert logistic_step(0.05, 0.15, 0.0, 26.0) == pytest.approx(0.722232, abs=5e-7)
    assert logistic_step(0.8, 0.15, 0.03, 1.0) == pytest.approx(0.8)
    assert logistic_step(0.05, 0.15, 0.03, 500.0) == pytest.approx(0.8)
    assert logistic_step(0.5, 0.1, 0.1, 4.0) == pytest.approx(0.4166666666666667)


def test_a_practice_spreads_by_training_and_by_colleagues() -> None:
    """Half-life 13: training ln 14 / 169 = .015616 a week, seven times that at half adoption."""
    assert mature(0.0, INTERNAL_BASS, 1.0, 13.0, 0.0, 1.0) == pytest.approx(0.015494431, rel=1e-6)
    assert mature(0.5, INTERNAL_BASS, 1.0, 13.0, 0.0, 1.0) == pytest.approx(0.551773793, rel=1e-6)


def test_half_the_colleagues_practise_after_the_half_life() -> None:
    share = 0.0
    for _ in range(520):
        share = mature(share, INTERNAL_BASS, 1.0, 520.0, 0.0, 1.0)
    assert share == pytest.approx(0.5, abs=0.01)


def test_learning_something_new_costs_output_for_a_while() -> None:
    assert dip(0.05, 4.0) == pytest.approx(0.8)
    assert dip(0.5, 4.0) == 0.0
    assert dip(0.0, 4.0) == 1.0


def test_a_stage_of_building_passes_on_half_and_loses_nothing() -> None:
    kept, leaving = build(6.0, 4.0, LN2)
    assert (kept, leaving) == (pytest.approx(5.0), pytest.approx(5.0))
    kept, leaving = build(6.0, 4.0, 0.1)
    assert kept + leaving == pytest.approx(10.0, abs=1e-12)
    assert leaving == pytest.approx(0.9516258196404048)
    assert build(0.0, 0.0, 1.0) == (0.0, 0.0)
    assert math.isclose(build(6.0, 4.0, 0.0)[0], 10.0)


def test_a_stock_wears_and_so_does_what_came_in_this_week() -> None:
    """Half of 8 is left of the stock, and 4 (1 - 1/2) / ln 2 = 2.885 of a steady inflow of 4."""
    stock, worn = wear(8.0, 4.0, LN2)
    assert stock == pytest.approx(6.885390081777927)
    assert stock + worn == pytest.approx(12.0, abs=1e-12)
    assert wear(8.0, 4.0, 0.0) == (12.0, 0.0)
    assert wear(4.0 / 0.1, 4.0, 0.1)[0] == pytest.approx(40.0)
