"""How numbers and lists are written."""

from __future__ import annotations

import pytest

from experiments import notation
from experiments.notation import Shown, flows_named, listed, shown
from sim import scorecard


def test_numbers_carry_the_unit_that_fits() -> None:
    assert shown("currency", "thousand euro", 12_345).text(12_345) == "12.3"
    assert shown("currency", "thousand euro", 12_345).unit == "million euro"
    assert shown("currency", "thousand euro", 800).unit == "thousand euro"
    assert shown("currency/quarter", "thousand euro", 800).unit == "thousand euro per quarter"
    assert shown("currency", "crown", 12_345).text(12_345) == "12,345"
    assert shown("share", "euro").text(0.613) == "61.3"
    assert shown("share", "euro", 0.3, change=True).unit == "% points"
    assert shown("share/quarter", "euro", 0.3, change=True).unit == "% points per quarter"
    assert shown("weeks", "euro").text(float("nan")) == "–"


def test_a_number_that_rounds_to_nothing_has_no_sign() -> None:
    assert Shown(1, 1, "").text(-0.04, signed=True) == "0.0"
    assert Shown(1, 1, "").text(0.06, signed=True) == "+0.1"
    assert Shown(1, 1, "").text(-2.5) == "\u22122.5"


def test_a_sentence_speaks_of_percentage_points() -> None:
    assert shown("share", "euro", 0.3, change=True).amount(0.01, True) == "+1.0 percentage points"


@pytest.mark.parametrize(
    ("size", "decimals"), [(0.0, 1), (30.0, 1), (3.0, 1), (0.3, 2), (0.03, 3), (2e-4, 4), (1e-9, 1)]
)
def test_small_numbers_get_the_decimals_they_need_and_no_more(size: float, decimals: int) -> None:
    assert shown("weeks", "euro", size, change=True).decimals == decimals


def test_lists_end_in_and() -> None:
    assert [listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "", "a", "a and b", "a, b and c"]  # fmt: skip


def test_every_light_has_a_letter_of_its_own() -> None:
    assert set(notation.LETTERS) == set(scorecard.STATUSES)
    assert len(set(notation.LETTERS.values())) == len(scorecard.STATUSES)


def test_one_flow_is_named_in_the_singular_and_several_in_the_plural() -> None:
    assert flows_named([4]) == "flow 4"
    assert flows_named([4, 6]) == "flows 4 and 6"
    assert flows_named([2, 4, 6]) == "flows 2, 4 and 6"
