"""Attitudes against known models: DeGroot, Friedkin-Johnsen, Altafini (VALIDATION rows 1 to 6).

Through the law on plain floats to 1e-10, and through the engine to the resolution of a message
(2^-14) and of a tie (2^-15 of the strongest of a row).
"""

from __future__ import annotations

from dataclasses import replace

import handmade
import numpy as np
import pytest
import village
from handmade import advanced, attitude, still

from sim.laws.peer import attitude as moved

pytestmark = pytest.mark.validation

RESOLUTION = 2 * 2.0**-14
SPEAK = handmade.EVERYBODY_SPEAKS

DEGROOT = np.array([[0.5, 0.3, 0.2], [0.2, 0.6, 0.2], [0.1, 0.3, 0.6]])
JOHNSEN = np.array(
    [
        [0.220, 0.120, 0.360, 0.300],
        [0.147, 0.215, 0.344, 0.294],
        [0.0, 0.0, 1.0, 0.0],
        [0.090, 0.178, 0.446, 0.286],
    ]
)
CYCLE = np.array([[0, 1, -1, 0], [1, 0, 0, -1], [-1, 0, 0, 1], [0, -1, 1, 0]], float)
CLUB = {  # Zachary (1977): the 78 friendships of a karate club
    0: (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31),
    1: (2, 3, 7, 13, 17, 19, 21, 30),
    2: (3, 7, 8, 9, 13, 27, 28, 32),
    3: (7, 12, 13),
    4: (6, 10),
    5: (6, 10, 16),
    6: (16,),
    8: (30, 32, 33),
    9: (33,),
    13: (33,),
    14: (32, 33),
    15: (32, 33),
    18: (32, 33),
    19: (33,),
    20: (32, 33),
    22: (32, 33),
    23: (25, 27, 29, 32, 33),
    24: (25, 27, 31),
    25: (31,),
    26: (29, 33),
    27: (33,),
    28: (31, 33),
    29: (32, 33),
    30: (32, 33),
    31: (32, 33),
    32: (33,),
}
LEADERS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 16, 17, 19, 21)


def karate() -> tuple[np.ndarray, np.ndarray]:
    """Return the club's averaging matrix (A + I) / (d + 1) and faction of each member."""
    ties = np.eye(34)
    for i, others in CLUB.items():
        for j in others:
            ties[i, j] = ties[j, i] = 1.0
    assert ties.sum() == 190
    faction = np.full(34, -1.0)
    faction[list(LEADERS)] = 1.0
    return ties / ties.sum(axis=1, keepdims=True), faction


def rates_of(matrix: np.ndarray) -> np.ndarray:
    """Return weekly evidence r_ij such that a week without anchor is the averaging matrix."""
    others = np.abs(matrix) * (1 - np.eye(len(matrix)))
    total = others.sum(axis=1)
    share = np.divide(-np.log(np.diag(matrix)), total, out=np.zeros(len(matrix)), where=total > 0)
    return matrix * (1 - np.eye(len(matrix))) * share[:, None]


def rates_beside(matrix: np.ndarray, susceptible: np.ndarray, anchor: float) -> np.ndarray:
    """Return r_ij beside an anchor such that x = s W x + (1 - s) x0 is where attitudes settle."""
    others = matrix * (1 - np.eye(len(matrix)))
    return anchor * (susceptible / (1 - susceptible))[:, None] * others


def settled(
    rates: np.ndarray,
    opening: np.ndarray,
    anchor: float = 0.0,
    weeks: int = 2000,
    part: float = 1.0,
) -> np.ndarray:
    """Return attitudes after so many weeks by the law on plain floats; evidence may be signed."""
    x = list(map(float, opening))
    for _ in range(weeks):
        x = [
            moved(
                x[i],
                float(opening[i]),
                anchor * part,
                float(np.abs(rates[i]).sum()) * part,
                sum(float(rates[i, j]) * x[j] for j in range(len(x))) * part,
                0.0,
                0.0,
                0.0,
                0.0,
            )
            for i in range(len(x))
        ]
    return np.array(x)


def through_engine(
    rates: np.ndarray, opening: np.ndarray, quarters: int, anchor: float = 0.0
) -> np.ndarray:
    """Return attitudes after so many quarters; everybody speaks every week."""
    n = len(opening)
    people = handmade.world(n, 1, evidence=rates, opening_attitude=opening[:, None])
    market = still(n, 1, quarters, peer_persuasion=1.0, anchor=anchor, **SPEAK)
    return attitude(advanced(market, people)).astype(float)


def test_row_1_degroot_reaches_the_consensus_of_its_eigenvector() -> None:
    opening = np.array([1.0, 0.0, -1.0])
    rates = rates_of(DEGROOT)
    assert settled(rates, opening, weeks=200) == pytest.approx(np.full(3, -2 / 21), rel=1e-10)
    assert settled(rates, opening, weeks=1) == pytest.approx(DEGROOT @ opening, abs=1e-14)
    assert through_engine(rates, opening, 2) == pytest.approx(
        np.full(3, -0.0952381), abs=RESOLUTION
    )


def week_as_matrix(rates: np.ndarray) -> np.ndarray:
    """Return what one week of the law does to attitudes, column by column."""
    return np.column_stack([settled(rates, unit, weeks=1) for unit in np.eye(len(rates))])


def test_row_1_disagreement_shrinks_by_the_second_eigenvalue() -> None:
    sizes = np.sort(np.abs(np.linalg.eigvals(week_as_matrix(rates_of(DEGROOT)))))
    assert sizes == pytest.approx([0.3, 0.4, 1.0], rel=1e-10)


def test_row_2_a_karate_club_agrees_on_its_degree_weighted_mean() -> None:
    matrix, faction = karate()
    rates = rates_of(matrix)
    assert settled(rates, faction, weeks=400) == pytest.approx(np.full(34, 6 / 190), abs=1e-10)
    assert through_engine(rates, faction, 12) == pytest.approx(np.full(34, 0.0315789), abs=4e-4)


def test_row_2_disagreement_in_the_club_fades_by_its_second_eigenvalue() -> None:
    sizes = np.sort(np.abs(np.linalg.eigvals(week_as_matrix(rates_of(karate()[0])))))
    assert sizes[-2:] == pytest.approx([0.8961420499, 1.0], abs=1e-10)


def test_row_3_four_people_settle_where_friedkin_and_johnsen_say() -> None:
    susceptible = 1 - np.diag(JOHNSEN)
    opening = (np.array([25.0, 25.0, 75.0, 85.0]) - 50) / 50
    target = (np.array([60.02084883, 59.98396594, 75.0, 74.98620494]) - 50) / 50
    rates = rates_beside(JOHNSEN, susceptible, 0.5)
    assert settled(rates, opening, 0.5) == pytest.approx(target, abs=2e-10)
    assert through_engine(rates, opening, 4, anchor=0.5) == pytest.approx(target, abs=RESOLUTION)


def test_row_4_an_anchored_karate_club_stays_divided() -> None:
    matrix, faction = karate()
    rates = rates_beside(matrix, np.full(34, 0.8), 0.2)
    for x, tolerance in (
        (settled(rates, faction, 0.2), 1e-6),
        (through_engine(rates, faction, 8, anchor=0.2), RESOLUTION),
    ):
        assert x.mean() == pytest.approx(0.026500, abs=tolerance)
        assert x[[0, 8, 33]] == pytest.approx([0.665638, 0.158146, -0.550970], abs=tolerance)


@pytest.mark.parametrize("part", [1.0, 0.5, 0.1])
def test_row_5_where_attitudes_settle_is_the_same_for_any_week(part: float) -> None:
    opening = (np.array([25.0, 25.0, 75.0, 85.0]) - 50) / 50
    rates = rates_beside(JOHNSEN, 1 - np.diag(JOHNSEN), 0.5)
    settle = settled(rates, opening, 0.5, weeks=int(1000 / part), part=part)
    assert settle == pytest.approx(settled(rates, opening, 0.5), abs=1e-13)


def test_row_6_two_balanced_camps_settle_at_opposite_poles() -> None:
    opening = np.array([0.8, 0.2, -0.1, 0.3])
    rates = CYCLE / 2 * np.log(2)
    assert settled(rates, opening, weeks=200) == pytest.approx([0.2, 0.2, -0.2, -0.2], abs=1e-10)
    assert through_engine(rates, opening, 3) == pytest.approx(
        [0.2, 0.2, -0.2, -0.2], abs=RESOLUTION
    )


def test_row_6_unbalanced_camps_settle_at_nothing() -> None:
    opening = np.array([0.8, 0.2, -0.1, 0.3])
    flipped = CYCLE.copy()
    flipped[0, 1] = flipped[1, 0] = -1.0
    rates = flipped / 2 * np.log(2)
    assert settled(rates, opening, weeks=400) == pytest.approx(np.zeros(4), abs=1e-10)
    assert through_engine(rates, opening, 6) == pytest.approx(np.zeros(4), abs=RESOLUTION)


def test_half_the_evidence_at_twice_the_contact_is_the_same_to_the_bit() -> None:
    opening, rates = np.array([1.0, 0.0, -1.0]), rates_of(DEGROOT)
    market = still(3, 1, 1, peer_persuasion=1.0, **SPEAK)
    twice = replace(market, firms=(village.firm(programmes={}, levers={"contact": 2.0}),))
    whole, half = (
        handmade.world(3, 1, evidence=part * rates, opening_attitude=opening[:, None])
        for part in (1.0, 0.5)
    )
    assert np.array_equal(
        attitude(advanced(market, whole, weeks=3)), attitude(advanced(twice, half, weeks=3))
    )
