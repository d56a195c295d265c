"""What a firm says to its stakeholders, by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.laws.outbound import claim_evidence, expectation, goodwill, salience, trust

LN2 = 0.6931471805599453


def test_goodwill_keeps_half_and_adds_what_did_not_yet_decay() -> None:
    assert goodwill(10.0, 0.0, LN2) == pytest.approx(5.0, rel=1e-12)
    assert goodwill(10.0, 3.0, LN2) == pytest.approx(7.164042561333445, rel=1e-12)


def test_goodwill_without_decay_is_a_sum() -> None:
    assert goodwill(10.0, 3.0, 0.0) == 13.0


def test_salience_gains_among_those_who_do_not_think_of_the_firm() -> None:
    assert salience(0.5, LN2, 0.0) == pytest.approx(0.75, rel=1e-12)
    assert salience(0.0, LN2, 0.0) == pytest.approx(0.5, rel=1e-12)


def test_salience_is_lost_among_those_who_do() -> None:
    assert salience(0.5, 0.0, LN2) == pytest.approx(0.25, rel=1e-12)
    assert salience(0.0, 0.0, LN2) == 0.0


def test_gain_and_loss_together_lead_to_their_balance() -> None:
    assert salience(0.2, 0.3, 0.1) == pytest.approx(0.38132397, rel=1e-7)
    assert salience(0.75, 0.3, 0.1) == pytest.approx(0.75, rel=1e-12)


@given(st.floats(0, 1))
def test_salience_that_nothing_touches_keeps_its_bits(s: float) -> None:
    assert salience(s, 0.0, 0.0) == s


@given(st.floats(0, 1), st.floats(0, 30), st.floats(0, 30))
def test_salience_stays_a_probability(s: float, hazard: float, decay: float) -> None:
    assert -1e-15 <= salience(s, hazard, decay) <= 1 + 1e-15


def test_trust_is_the_share_of_kept_promises() -> None:
    assert trust(3.0, 1.0) == 0.75
    assert trust(2.0, 2.0) == 0.5
    assert trust(1.0, 3.0) == 0.25


def test_a_trusted_promise_raises_expectations_twice_as_fast_as_a_neutral_one() -> None:
    assert expectation(0.5, 0.9, LN2, 0.5) == pytest.approx(0.7, rel=1e-12)
    assert expectation(0.5, 0.9, LN2, 1.0) == pytest.approx(0.8, rel=1e-12)
    assert expectation(0.5, 0.9, LN2, 0.0) == 0.5
    assert expectation(0.9, 0.5, LN2, 0.5) == pytest.approx(0.7, rel=1e-12)


def test_a_claim_counts_in_proportion_to_trust_and_one_at_neutral_trust() -> None:
    assert claim_evidence(0.3, 0.5) == pytest.approx(0.3)
    assert claim_evidence(0.3, 0.75) == pytest.approx(0.45)
    assert claim_evidence(0.3, 0.0) == 0.0
