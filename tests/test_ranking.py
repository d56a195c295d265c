"""Ranking, payback and the path over the quarters, by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from test_analysis import cube, table

from experiments import analysis, ranking
from experiments.analysis import SMALL, WORSE


def test_payback_is_the_first_quarter_from_which_it_stays_ahead() -> None:
    paths = np.array([
        [0.0, -1, -2, 1, 2],  # pays back in quarter 3 and stays
        [0.0, 1, -1, -1, 3],  # ahead early, falls behind, back in quarter 4
        [0.0, 1, 1, 1, 1],  # from the first quarter
        [0.0, -1, 1, 1, -1],  # ahead, but not at the end
        [0.0, -1, -1, -1, 0],  # just level at the end
        [0.0, -1, np.nan, 1, 1],  # a gap: nothing can be said
    ])  # fmt: skip
    found = ranking.payback(paths)
    assert list(found[:5]) == [3, 4, 1, math.inf, 4]
    assert math.isnan(found[5])


def test_the_median_payback_is_infinite_where_most_never_do() -> None:
    values = {"as_is": [[0, 0, 0]] * 3, "a": [[0, -1, 2], [0, -1, -1], [0, -1, -1]]}
    assert ranking.payback_summary(cube(values), "a", "as_is") == (math.inf, pytest.approx(1 / 3))


def test_the_ranking_follows_the_first_headline_alone_and_keeps_the_baseline_in_its_place() -> None:
    money = {"as_is": [[0, 10], [0, 20]], "rich": [[0, 15], [0, 26]], "poor": [[0, 8], [0, 17]]}
    trusted = {"as_is": [[0, 0.5]] * 2, "rich": [[0, 0.1]] * 2, "poor": [[0, 0.9]] * 2}
    both = pd.concat([table(money, "net_present_value"), table(trusted, "trust")])
    found = ranking.ranking(analysis.cube_of(both, list(money)), "as_is",
                             ["net_present_value", "trust"], {"rich": (100.0, 98.0)})  # fmt: skip
    assert list(found["arm"]) == ["rich", "as_is", "poor"]
    assert list(found["rank"]) == [1, 2, 3]
    assert list(found["net_present_value.mean"]) == [5.5, 0.0, -2.5]
    assert found["planned_cost"][0] == 100.0
    assert list(found["trust.mean"]) == pytest.approx([-0.4, 0.0, 0.4])


def test_an_arm_without_any_run_ranks_last() -> None:
    values = table({"as_is": [[0, 1], [0, 2]], "bad": [[0, 0], [0, 0]]}, "net_present_value")
    found = ranking.ranking(analysis.cube_of(values, ["gone", "as_is", "bad"]), "as_is",
                             ["net_present_value"])  # fmt: skip
    assert list(found["arm"]) == ["as_is", "bad", "gone"]


def test_what_is_a_competitors_to_choose_ranks_behind_what_is_ours() -> None:
    kpi = "net_present_value"
    values = {"as_is": [[0, 5]] * 3, "ours": [[0, 4]] * 3, "theirs": [[0, 9]] * 3}
    found = ranking.ranking(cube(values), "as_is", [kpi], theirs=("theirs",))
    assert list(found["arm"]) == ["as_is", "ours", "theirs"]


def test_what_is_a_competitors_to_choose_has_neither_rank_nor_payback() -> None:
    kpi = "net_present_value"
    values = {"gone": [[0, math.nan]] * 3, "theirs": [[0, 9]] * 3, "as_is": [[0, 5]] * 3,
              "ours": [[0, 6]] * 3}  # fmt: skip
    found = ranking.ranking(cube(values), "as_is", [kpi], theirs=("theirs",)).set_index("arm")
    assert found["rank"].dropna().to_dict() == {"ours": 1, "as_is": 2, "gone": 3}
    assert found["payback_quarter"].dropna().to_dict() == {"ours": 1.0}
    assert found["payback_share"].dropna().to_dict() == {"ours": 1.0}


def test_others_are_compared_with_the_first_and_by_what_is_worth_having() -> None:
    values = {"as_is": [[0, r] for r in range(6)], "best": [[0, r + 10.0] for r in range(6)],
              "near": [[0, r + 9.5] for r in range(6)]}  # fmt: skip
    kpi = "net_present_value"
    found = ranking.ranking(cube(values), "as_is", [kpi], worth={kpi: 1.0})
    assert list(found["arm"]) == ["best", "near", "as_is"]
    assert list(found["from_first"]) == ["first", SMALL, WORSE]


def test_the_path_starts_at_nothing_and_its_band_holds_its_mean() -> None:
    values = {"as_is": [[0, 1, 2]] * 12, "a": [[0, 0, 4]] * 11 + [[0, 1, -96]]}
    found = ranking.over_time(cube(values), "as_is", "net_present_value").query("arm == 'a'")
    assert list(found["mean"]) == pytest.approx([0, -11 / 12, (11 * 2 - 98) / 12])
    assert (found["p10"] <= found["mean"]).all()
    assert (found["mean"] <= found["p90"]).all()
    assert list(found["p90"]) == pytest.approx([0, -11 / 12, 2])
