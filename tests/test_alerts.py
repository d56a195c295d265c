"""Alerts by hand: red lights, neglected flows, gaps of readiness."""

from __future__ import annotations

import numpy as np
import pytest
import synthetic_results
from test_scorecard import rows_of, target

from sim import alerts
from sim.alerts import Alert


def test_a_light_that_is_red_at_the_end_is_told_with_the_quarter_it_turned() -> None:
    rows = rows_of("trust", [[0.5, 0.1, 0.9, 0.1, 0.1]], target(by=1))
    assert alerts.turned_red(rows) == (Alert(alerts.TURNED_RED, 3, "trust"),)


def test_a_light_that_has_recovered_is_no_alert() -> None:
    assert alerts.turned_red(rows_of("trust", [[0.5, 0.1, 0.9]], target(by=1))) == ()


def test_what_has_no_target_or_no_data_is_no_alert() -> None:
    assert alerts.turned_red(rows_of("trust", [[0.5, 0.1]])) == ()
    assert alerts.turned_red(rows_of("trust", [[0.5, np.nan]], target(by=1))) == ()


def test_a_flow_is_neglected_where_it_is_neither_sensed_nor_served_for_long() -> None:
    """Flow 1 is sensed, 2 served, 3 neither for 3 quarters, 4 for 2, 5 until lately, 6 always."""
    sensed, money = np.zeros((4, 6), bool), np.zeros((4, 6))
    sensed[:, 0] = True
    money[:, 1] = 1.0
    money[0, 2] = 1.0
    sensed[1, 3] = True
    money[3, 4] = 1.0
    found = alerts.neglected(sensed, money, 3)
    assert found == (Alert(alerts.NEGLECTED, 2, "3"), Alert(alerts.NEGLECTED, 1, "6"))
    assert [alert.about for alert in alerts.neglected(sensed, money, 2)] == ["3", "4", "6"]
    assert alerts.neglected(sensed, money, 5) == ()


def test_a_gap_is_a_funded_mechanism_that_is_not_ready() -> None:
    readiness = {"a": [0.6, 0.4, 0.4], "b": [0.1, 0.1, 0.6], "c": [0.1, 0.1, 0.1]}
    funded = {"a": [True] * 3, "b": [True] * 3, "c": [True, True, False]}
    assert alerts.gaps(readiness, funded, 0.5) == (Alert(alerts.GAP, 2, "a"),)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "traffic"}, "goal_red_flag"),
        ({"lights": "truht"}, "did you mean 'truth'"),
        ({"variance": 2.0}, "variance"),
        ({"neglected_after": 0}, "neglected_after"),
        ({"ready_from": -0.1}, "ready_from"),
    ],
)
def test_a_bad_board_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        synthetic_results.board(**changes)
