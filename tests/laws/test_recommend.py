"""Would one recommend a firm: worked out by hand."""

from __future__ import annotations

import pytest

from sim.laws.recommend import DETRACTOR, PROMOTER, likelihood


def test_an_answer_adds_up_satisfaction_attitude_and_luck() -> None:
    assert likelihood(0.5, -0.25, 2.0, 6.0, 2.0, 1.0, 0.5) == pytest.approx(7.75)


def test_nine_and_ten_promote_and_six_and_less_detract() -> None:
    assert DETRACTOR < likelihood(0.0, 0.0, 0.0, 7.0, 2.0, 1.0, 1.0) < PROMOTER
    assert round(PROMOTER + 0.01) == 9
    assert round(DETRACTOR - 0.01) == 6
