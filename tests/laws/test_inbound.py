"""How stakeholders change a firm, by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from sim.laws.inbound import adapt, gain, heard, normal_quantile, pass_on, posterior


def test_four_voices_at_half_coverage_are_heard_as_the_binomial_says() -> None:
    """Cumulated 1/16, 5/16, 11/16, 15/16, 1."""
    assert [heard(4, 0.5, u) for u in (0.06, 0.07, 0.31, 0.32, 0.68, 0.69, 0.93, 0.94)] == [
        0,
        1,
        1,
        2,
        2,
        3,
        3,
        4,
    ]


def test_nobody_or_everybody_is_heard_at_the_ends() -> None:
    assert heard(0, 0.5, 0.9) == 0
    assert heard(7, 0.0, 0.999) == 0
    assert heard(7, 1.0, 0.001) == 7


@given(st.integers(1, 400), st.floats(0.01, 0.99), st.floats(1e-6, 1 - 1e-6))
def test_few_voices_are_sampled_exactly(n: int, share: float, u: float) -> None:
    if n * share * (1 - share) <= 100:
        cdf = binom.cdf(heard(n, share, u), n, share)
        below = binom.cdf(heard(n, share, u) - 1, n, share)
        assert below - 1e-9 <= u <= cdf + 1e-9


@given(st.integers(500, 10**6), st.floats(0.3, 0.7), st.floats(1e-4, 1 - 1e-4))
def test_many_voices_are_sampled_to_within_one(n: int, share: float, u: float) -> None:
    assert abs(heard(n, share, u) - binom.ppf(u, n, share)) <= 1


@given(st.integers(0, 3000), st.floats(0, 1), st.floats(1e-6, 1 - 1e-6), st.floats(1e-6, 1 - 1e-6))
def test_more_luck_never_hears_less(n: int, share: float, u: float, v: float) -> None:
    low, high = sorted((u, v))
    assert 0 <= heard(n, share, low) <= heard(n, share, high) <= n


@pytest.mark.parametrize(
    ("u", "z"),
    [
        (0.5, 0.0),
        (0.975, 1.959963984540054),
        (0.01, -2.3263478740408408),
        (0.99, 2.3263478740408408),
        (0.84134474606854, 1.0),
        (1e-6, -4.753424308822899),
    ],
)
def test_normal_quantiles_are_the_known_ones(u: float, z: float) -> None:
    assert normal_quantile(u) == pytest.approx(z, rel=2e-9, abs=2e-9)


def test_what_is_heard_counts_against_what_was_believed() -> None:
    assert gain(0.01, 1.0, 100) == pytest.approx(0.5)
    assert gain(0.03, 1.0, 100) == pytest.approx(0.75)
    assert gain(0.03, 1.0, 0) == 0.0
    assert gain(0.0, 0.0, 100) == 0.0
    assert gain(0.03, 0.0, 100) == 1.0
    assert posterior(0.04, 0.25) == pytest.approx(0.03)
    assert posterior(0.04, 0.0) == 0.04


def test_insight_passes_three_stages_one_after_the_other() -> None:
    """A delay of 3 weeks: each stage takes over half of the gap to the one before each week."""
    first = pass_on(0.0, 0.0, 0.0, 1.0, 3.0)
    assert first == pytest.approx((0.5, 0.25, 0.125))
    assert pass_on(*first, 1.0, 3.0) == pytest.approx((0.75, 0.5, 0.3125))


@pytest.mark.parametrize("delay", [0.0, 2.0, 6.0])
def test_insight_is_under_way_for_its_delay_on_average(delay: float) -> None:
    stages, arrived = (0.0, 0.0, 0.0), [0.0]
    for _ in range(400):
        stages = pass_on(*stages, 1.0, delay)
        arrived.append(stages[2])
    gained = [after - before for before, after in pairwise(arrived)]
    assert sum(week * share for week, share in enumerate(gained)) == pytest.approx(delay, abs=1e-6)


def test_the_offering_follows_as_fast_as_insight_is_delivered_absorbed_and_adopted() -> None:
    """.8 x .5 x .25 = .1 and 1 - e^-.1 = .0952."""
    assert adapt(0.0, 1.0, 0.8, 0.5, 0.25) == pytest.approx(0.09516258196404048)
    assert adapt(0.3, 1.0, 0.8, 0.0, 0.5) == 0.3
    assert adapt(0.3, 1.0, 0.8, 0.5, 0.0) == 0.3


def test_silence_leaves_estimate_weight_and_variance_alone() -> None:
    assert gain(math.inf, 1.0, 0) == 0.0
