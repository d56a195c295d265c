"""What a design makes of ties between departments, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sim.laws.reorganizing import gone_new, joined, laid_anew, under_way

# a leads to b and c alike, b and c to a.
TIES = np.array([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
STAFF = np.array([0.3, 0.1, 0.6])
ITSELF = np.arange(3)


def test_nobody_joined_leaves_every_bit_of_the_ties() -> None:
    odd = np.array([[0.0, 0.1, 0.7], [1 / 3, 0.0, 2 / 3], [0.0, 0.0, 0.0]])
    assert joined(odd, ITSELF, STAFF, 3).tobytes() == odd.tobytes()


def test_joined_departments_pool_their_ties_by_staff_and_have_none_among_themselves() -> None:
    """Of b and c together 1/7 and 6/7, all to a; of a both halves lead to the one unit."""
    assert joined(TIES, np.array([0, 1, 1]), STAFF, 2).tolist() == [[0.0, 1.0], [1.0, 0.0]]
    # a (3/4) and b (1/4): half of a's ties lead to c, b's lead inside; what leads outside is c's.
    assert joined(TIES, np.array([0, 0, 1]), STAFF, 2).tolist() == [[0.0, 1.0], [1.0, 0.0]]
    chain = np.array(
        [[0.0, 0.5, 0.25, 0.25], [0.5, 0.0, 0.5, 0.0], [1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]
    )
    # By staff 3/4 and 1/4: to c .75 x .25 + .25 x .5 = .3125, to d .1875, of .5 outside.
    pooled = joined(chain, np.array([0, 0, 1, 2]), np.array([0.3, 0.1, 0.3, 0.3]), 3)
    assert pooled[0] == pytest.approx([0.0, 0.625, 0.375])


def test_departments_without_staff_count_alike() -> None:
    ties = np.array(
        [[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]
    )
    pooled = joined(ties, np.array([0, 0, 1, 2]), np.array([0.0, 0.0, 0.5, 0.5]), 3)
    assert pooled[0] == pytest.approx([0.0, 0.5, 0.5])


def test_all_joined_leaves_no_tie() -> None:
    assert joined(TIES, np.zeros(3, int), STAFF, 1).tolist() == [[0.0]]


def test_ties_laid_anew_lead_to_others_in_proportion() -> None:
    """Toward .3, .1, .6: of a's ties 1/7 to b and 6/7 to c; a quarter of them is laid anew."""
    laid = laid_anew(TIES, 0.25, STAFF)
    assert laid[0] == pytest.approx([0.0, 0.75 * 0.5 + 0.25 / 7, 0.75 * 0.5 + 0.25 * 6 / 7])
    assert laid[1] == pytest.approx([0.75 + 0.25 / 3, 0.0, 0.25 * 2 / 3])
    assert laid.sum(axis=1) == pytest.approx(np.ones(3))
    assert laid_anew(TIES, 0.0, STAFF).tobytes() == TIES.tobytes()


def test_a_department_without_ties_gets_all_of_its_ties_anew() -> None:
    lone = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert laid_anew(lone, 0.1, STAFF)[2] == pytest.approx([0.75, 0.25, 0.0])


def test_where_nobody_else_counts_ties_stay() -> None:
    laid = laid_anew(TIES, 0.5, np.array([1.0, 0.0, 0.0]))
    assert laid[0].tolist() == TIES[0].tolist()
    assert laid[1].tolist() == [1.0, 0.0, 0.0]


def test_half_settled_is_half_way_and_the_same_ways_change_no_bit() -> None:
    half, odd = np.array([0.5]), np.array([1 / 3])
    assert under_way(np.array([0.2]), np.array([0.6]), half) == pytest.approx(0.4)
    assert under_way(odd, odd.copy(), np.array([0.7])).tobytes() == odd.tobytes()


def test_what_came_the_new_ways_is_weighed_by_what_comes_along_them() -> None:
    """Half the insight each way, of which .2 and .6 arrive: of .4 three quarters came new."""
    half = np.array([0.5])
    assert gone_new(np.array([0.2]), np.array([0.6]), half) == pytest.approx(0.75)
    assert gone_new(np.array([0.0]), np.array([0.0]), half) == pytest.approx(0.5)
    assert gone_new(np.array([0.0]), np.array([0.1]), np.array([0.0])) == pytest.approx(0.0)
