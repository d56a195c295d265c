"""Insight's way through the departments, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sim.laws.routing import delivered, hops, passing

TIES = np.array([[0.0, 1.0], [1.0, 0.0]])
ACTS = np.array([0.2, 0.6])
HEARS = np.array([0.8, 0.2])
CHAIN = np.diag([0.8, 0.8, 0.8], 1)
LAST = np.array([0.0, 0.0, 0.0, 1.0])
FIRST = np.array([1.0, 0.0, 0.0, 0.0])


def test_a_department_passes_on_what_it_does_not_act_on_and_walls_do_not_keep() -> None:
    """Walls let through .5 + .5 x .5 = .75 of .8 and of .4."""
    matrix = passing(TIES, ACTS, np.array(0.5), np.array(0.0))
    assert matrix == pytest.approx(np.array([[0.0, 0.6], [0.3, 0.0]]))


def test_routing_makes_good_what_silo_walls_lose() -> None:
    full = passing(TIES, ACTS, np.array(0.5), np.array(1.0))
    half = passing(TIES, ACTS, np.array(0.5), np.array(0.5))
    assert full == pytest.approx(np.array([[0.0, 0.8], [0.4, 0.0]]))
    assert half == pytest.approx(np.array([[0.0, 0.7], [0.35, 0.0]]))


def test_two_departments_deliver_what_pencil_and_paper_say() -> None:
    """d0 = .2 + .6 d1 and d1 = .6 + .3 d0: .6829 and .8049; heard .8 and .2: .7073."""
    matrix = np.array([[0.0, 0.6], [0.3, 0.0]])
    assert delivered(matrix, ACTS, HEARS) == pytest.approx(0.7073170731707317)


def test_three_hand_overs_that_each_lose_a_fifth_deliver_512_of_1000() -> None:
    assert delivered(CHAIN, LAST, FIRST) == pytest.approx(0.512)
    assert hops(CHAIN, LAST, FIRST) == pytest.approx(3.0)


def test_hand_overs_are_averaged_over_what_arrives() -> None:
    """Acted on at once .5 (no hand-over), else passed to one who acts on all: .4 (one)."""
    matrix = np.array([[0.0, 0.4], [0.0, 0.0]])
    acts, hears = np.array([0.5, 1.0]), np.array([1.0, 0.0])
    assert delivered(matrix, acts, hears) == pytest.approx(0.9)
    assert hops(matrix, acts, hears) == pytest.approx(0.4 / 0.9)


def test_a_silo_acts_on_its_own_share_and_passes_on_nothing() -> None:
    matrix = passing(np.zeros((2, 2)), ACTS, np.array(0.9), np.array(1.0))
    assert delivered(matrix, ACTS, HEARS) == pytest.approx(0.28)
    assert hops(matrix, ACTS, HEARS) == 0.0


def test_nothing_arrives_where_nobody_acts_and_then_it_takes_no_time() -> None:
    matrix = passing(TIES, np.zeros(2), np.array(0.5), np.array(0.0))
    assert delivered(matrix, np.zeros(2), HEARS) == 0.0
    assert hops(matrix, np.zeros(2), HEARS) == 0.0


def test_lanes_are_worked_out_alike_one_by_one_or_together() -> None:
    organization, routing = np.array([0.1, 0.5, 0.9]), np.array([0.0, 0.3, 1.0])
    together = delivered(passing(TIES, ACTS, organization, routing), ACTS, HEARS)
    alone = [
        float(delivered(passing(TIES, ACTS, o, r), ACTS, HEARS))
        for o, r in zip(organization, routing, strict=True)
    ]
    assert together.tolist() == alone
