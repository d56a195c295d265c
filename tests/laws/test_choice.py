"""Choice of a provider, by hand."""

from __future__ import annotations

import math

import pytest

from sim.laws.choice import gumbel, in_mind, utility


def test_gumbel_numbers_come_by_inversion() -> None:
    assert gumbel(math.exp(-1.0)) == pytest.approx(0.0, abs=1e-15)
    assert gumbel(math.exp(-math.exp(-2.0))) == pytest.approx(2.0)
    assert gumbel(math.exp(-math.exp(1.0))) == pytest.approx(-1.0)


def test_a_firm_nobody_thinks_of_has_no_chance_and_one_in_every_mind_no_handicap() -> None:
    assert in_mind(1.0) == 0.0
    assert in_mind(0.5) == pytest.approx(-0.6931471805599453)
    assert in_mind(0.0) == pytest.approx(-69.07755278982137)


def test_utility_adds_appeal_attitude_expectation_and_mind() -> None:
    """.1 + 1.5 x .2 + 2 x (.8 - .6) - .6931 = .1069."""
    assert utility(0.1, 0.5, 0.2, 0.8, 0.6, 1.5, 2.0) == pytest.approx(0.10685281944005482)
    assert utility(0.1, 1.0, -0.2, 0.4, 0.6, 1.5, 2.0) == pytest.approx(-0.6)
