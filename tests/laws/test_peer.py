"""What stakeholders say to each other, by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.laws.peer import attitude, encode, talk_hazard

RATE = st.floats(0, 5)
VALENCE = st.floats(-1, 1)
LN2 = 0.6931471805599453


def test_people_talk_more_the_stronger_they_feel_and_more_of_anger_here() -> None:
    assert talk_hazard(0.2, 0.5, 0.0, 0.15, 1.0, 2.0) == pytest.approx(0.015)
    assert talk_hazard(0.2, 0.5, 0.4, 0.15, 1.0, 2.0) == pytest.approx(0.055)
    assert talk_hazard(0.2, 0.5, -0.4, 0.15, 1.0, 2.0) == pytest.approx(0.095)


def test_nobody_talks_of_a_firm_that_is_not_in_mind() -> None:
    assert talk_hazard(0.2, 0.0, 1.0, 0.15, 1.0, 1.0) == 0.0


def test_a_message_is_twice_the_rounded_valence() -> None:
    assert (encode(1.0), encode(-1.0)) == (32766, -32766)
    assert (encode(0.5), encode(-0.5)) == (16384, -16384)
    assert encode(0.25) == 8192


@given(VALENCE)
def test_a_message_is_even_never_silent_and_true_to_one_part_in_16383(valence: float) -> None:
    word = encode(valence)
    assert word % 2 == 0
    assert word != 0
    assert abs(word / 32766 - valence) <= 1.0001 / 16383


def test_attitude_moves_halfway_to_the_mean_of_those_heard() -> None:
    assert attitude(0.0, 0.9, 0.0, LN2, LN2 * 0.8, 0.0, 0.9, 0.0, 0.9) == pytest.approx(0.4)


def test_four_sources_are_weighed_by_their_rates_at_once() -> None:
    """Mean (.1 x .5 - .2 x .4 + .05 x .6 + .15 x .9) / .5 = .27 from .1 at a total rate of .5."""
    moved = attitude(0.1, 0.5, 0.1, 0.2, -0.08, 0.05, 0.6, 0.15, 0.9)
    assert moved == pytest.approx(0.16688978784, rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        ((0.0, 0.6, LN2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), 0.3),
        ((0.0, 0.0, 0.0, 0.0, 0.0, LN2, -0.6, 0.0, 0.0), -0.3),
        ((0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, LN2, 0.8), 0.4),
    ],
    ids=["anchor", "claim", "experience"],
)
def test_each_source_alone_pulls_to_its_own_target(
    arguments: tuple[float, ...], result: float
) -> None:
    assert attitude(*arguments) == pytest.approx(result, rel=1e-12)


@given(VALENCE, VALENCE, VALENCE, VALENCE)
def test_attitude_keeps_its_bits_when_nothing_was_met(
    x: float, opening: float, claim: float, satisfaction: float
) -> None:
    assert attitude(x, opening, 0.0, 0.0, 0.0, 0.0, claim, 0.0, satisfaction) == x


@given(VALENCE, VALENCE, RATE, RATE, VALENCE, RATE, VALENCE, RATE, VALENCE)
def test_attitude_stays_between_minus_one_and_one(
    x: float,
    opening: float,
    anchor: float,
    heard: float,
    said: float,
    claimed: float,
    claim: float,
    lived: float,
    satisfaction: float,
) -> None:
    moved = attitude(x, opening, anchor, heard, heard * said, claimed, claim, lived, satisfaction)
    assert -1 - 1e-14 <= moved <= 1 + 1e-14
