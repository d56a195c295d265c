"""Experience of a firm, by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.laws.experience import execution, fit, performance, promises, satisfaction_target, toward

LN3 = math.log(3)


def test_performance_is_logistic_in_quality_and_luck() -> None:
    assert performance(0.0, 1.0, 0.0) == 0.5
    assert performance(LN3, 2.0, 0.0) == pytest.approx(0.75)
    assert performance(0.0, LN3, 1.0) == pytest.approx(0.75)
    assert performance(0.0, LN3, -1.0) == pytest.approx(0.25)
    assert performance(LN3, LN3, -2.0) == pytest.approx(0.25)


def test_a_good_surprise_delights() -> None:
    """1.6 x .25 + .8 x (2 x .75 - 1) = .8, and tanh .8 = .664."""
    assert satisfaction_target(0.75, 0.25, 1.6, 1.5, 0.8) == pytest.approx(0.6640367702678491)


def test_a_bad_surprise_weighs_more() -> None:
    """-1.6 x 1.5 x .25 - .8 x .5 = -1, and tanh -1 = -.7616."""
    assert satisfaction_target(0.25, -0.25, 1.6, 1.5, 0.8) == pytest.approx(-0.7615941559557649)


def test_satisfaction_closes_a_share_of_the_gap() -> None:
    assert toward(0.2, 1.0, 0.35) == pytest.approx(0.48)
    assert toward(0.2, -0.4, 0.5) == pytest.approx(-0.1)


def test_promises_are_forgotten_down_to_the_prior() -> None:
    assert promises(3.0, 2.0, 0.5, 0.0) == pytest.approx(2.5)
    assert promises(3.0, 2.0, 0.5, 0.5) == pytest.approx(3.0)
    assert promises(2.0, 2.0, 0.3, 0.0) == 2.0


@given(st.floats(0, 50), st.floats(0.1, 50), st.floats(0, 5), st.floats(0, 5))
def test_promises_never_fall_below_the_prior(
    extra: float, prior: float, decay: float, evidence: float
) -> None:
    assert promises(prior + extra, prior, math.exp(-decay), evidence) >= prior * (1 - 1e-15)


def test_execution_gains_from_people_and_suffers_from_waiting_complaints() -> None:
    """.1 + 2 x .5 + 3 x .2 - 4 x .25 = .7."""
    assert execution(0.5, 0.2, 0.25, 0.1, 2.0, 3.0, 4.0) == pytest.approx(0.7)


def test_fit_falls_with_distance_in_units_of_tolerance() -> None:
    assert fit(0.0, 1.0) == 1.0
    assert fit(2.0, 1.0) == pytest.approx(0.36787944117144233)
    assert fit(2.0, 2.0) == pytest.approx(0.7788007830714049)
