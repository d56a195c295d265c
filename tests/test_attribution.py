"""Shapley values on games with known answers; influence as a difference between twins."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from experiments import attribution
from sim import kpis
from sim.flows import Flow, coalition_gates, muted, open_gates


def game(players: int, worth: object) -> np.ndarray:
    """Values of all coalitions, as sets of players."""
    members = [{p for p in range(players) if c >> p & 1} for c in range(2**players)]
    return np.array([float(worth(s)) for s in members])  # type: ignore[operator]


GAMES = st.integers(1, 6).flatmap(
    lambda n: arrays(np.float64, 2**n, elements=st.floats(-1e3, 1e3, width=32))
)


def test_the_glove_game() -> None:
    glove = game(3, lambda s: 0 in s and bool(s & {1, 2}))
    assert attribution.shapley(glove) == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_the_airport_game() -> None:
    airport = game(3, lambda s: max((p + 1 for p in s), default=0))
    assert attribution.shapley(airport) == pytest.approx([1 / 3, 5 / 6, 11 / 6])


def test_a_pair_and_a_loner_among_six() -> None:
    mixed = game(6, lambda s: ({0, 1} <= s) + 0.5 * (2 in s))
    assert attribution.shapley(mixed) == pytest.approx([0.5, 0.5, 0.5, 0, 0, 0])


@given(GAMES)
def test_the_shares_add_up_to_the_whole(values: np.ndarray) -> None:
    whole = values[-1] - values[0]
    assert attribution.shapley(values).sum() == pytest.approx(whole, abs=1e-9 * 1e3 * 64)


@given(GAMES, st.data())
def test_who_adds_nothing_gets_exactly_nothing(values: np.ndarray, data: st.DataObject) -> None:
    dummy = data.draw(st.integers(0, len(values).bit_length() - 2))
    without = values[[c & ~(1 << dummy) for c in range(len(values))]]
    assert attribution.shapley(without)[dummy] == 0.0


@given(arrays(np.float64, (8, 2), elements=st.floats(-100, 100, width=32)))
def test_shares_add_over_indicators_and_replications(values: np.ndarray) -> None:
    apart = attribution.shapley(values).sum(axis=1)
    assert apart == pytest.approx(attribution.shapley(values.sum(axis=1)), abs=1e-9)


def test_flows_that_simply_add_up_leave_no_remainder() -> None:
    additive = game(3, lambda s: sum(p + 1 for p in s))
    assert attribution.interaction_remainder(additive) == pytest.approx(0)
    assert attribution.last_in(additive) == pytest.approx([1, 2, 3])
    assert attribution.first_in(additive) == pytest.approx([1, 2, 3])
    assert attribution.interaction(additive) == pytest.approx(np.zeros((3, 3)))


def test_partners_count_twice_last_in_and_the_remainder_says_so() -> None:
    partners = game(2, lambda s: 10 * (len(s) == 2))
    assert attribution.last_in(partners) == pytest.approx([10, 10])
    assert attribution.first_in(partners) == pytest.approx([0, 0])
    assert attribution.interaction_remainder(partners) == pytest.approx(-10)
    assert attribution.interaction(partners) == pytest.approx(np.array([[0, 10], [10, 0]]))


def test_a_game_must_be_complete() -> None:
    with pytest.raises(ValueError, match="2\\^n"):
        attribution.shapley(np.zeros(63))


def test_a_coalition_opens_exactly_its_flows() -> None:
    assert (coalition_gates(63, 3) == open_gates(3)).all()
    assert coalition_gates(0, 3).sum() == 0
    for flow in Flow:
        left = coalition_gates(63 ^ (1 << (flow - 1)), 3)
        assert (left == muted(flow, 3)).all()
    with pytest.raises(ValueError, match=r"\[0, 63\]"):
        coalition_gates(64, 3)


def test_influence_is_the_run_minus_its_twin_of_the_organization() -> None:
    kpi = np.zeros((3, len(kpis.TABLE), 2))
    measures = np.zeros((3, len(kpis.MEASURES), 2, 2, 2))
    trust = kpis.INDEX["trust"]
    kpi[:, trust] = [[0.5, 0.5], [0.6, 0.55], [0.7, 0.5]]
    attitude = kpis.MEASURES.index("attitude")
    measures[2, attitude, 1, 0] = [0.4, 0.1]
    measures[2, attitude, 1, 1] = [0.9, 0.2]  # another firm's: not ours to report
    rows = attribution.influence_rows(kpi, measures, 0, {3: 1}, ["home", "trade"], ["trust"])
    assert list(rows.columns) == attribution.INFLUENCE_COLUMNS
    ours = rows[(rows["kind"] == "") & (rows["measure"] == "trust")].set_index("quarter")["value"]
    assert ours.to_dict() == pytest.approx({1: 0.05, 2: 0.2})
    moved = rows[rows["value"].abs() > 0.25]
    assert moved[["quarter", "flow", "kind", "measure"]].values.tolist() == [
        [2, 3, "trade", "attitude"]
    ]
    assert moved["value"].tolist() == pytest.approx([0.3])
    assert len(rows) == 2 * (2 * len(kpis.MEASURES) + 1)


def test_without_twins_there_is_no_influence_to_report() -> None:
    rows = attribution.influence_rows(np.zeros((2, len(kpis.TABLE), 1)),
                                      np.zeros((2, len(kpis.MEASURES), 1, 1, 1)), 0, {}, ["a"],
                                      ["trust"])  # fmt: skip
    assert rows.empty
    assert list(rows.columns) == attribution.INFLUENCE_COLUMNS


def influence(by_arm: dict[str, list[float]]) -> pd.DataFrame:
    rows = [
        (arm, 0, 4, flow, "", "trust", value)
        for arm, values in by_arm.items()
        for flow, value in enumerate(values, 1)
    ]
    columns = ["arm", "replication", "quarter", "flow", "kind", "measure", "value"]
    return pd.DataFrame(rows, columns=columns)


def test_the_gain_by_flow_is_the_difference_of_two_influences_and_a_remainder() -> None:
    table = influence({"as_is": [1, 1, 1, 0, 0, 0], "a": [2, 4, 1, 0, 0, -1]})
    found = attribution.gain_by_flow(table, "a", "as_is", "trust", pd.Series([5.0], index=[0]), 4)
    parts = found.set_index("part")["value"].to_dict()
    assert parts == {"1": 1, "2": 3, "3": 0, "4": 0, "5": 0, "6": -1, "remainder": 2}


def test_the_gain_by_flow_needs_twins_on_both_sides() -> None:
    table = influence({"a": [2, 4, 1, 0, 0, -1]})
    gain = pd.Series([5.0], index=[0])
    assert attribution.gain_by_flow(table, "a", "as_is", "trust", gain, 4).empty
