"""Paired differences, verdicts, payback and ranking, by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from experiments import analysis
from experiments.analysis import BETTER, NO_VALUE, ONE_RUN, SAME, WORSE, paired


def table(values: Mapping[str, Sequence[Sequence[float]]], kpi: str) -> pd.DataFrame:
    """A scorecard table from arm -> replication -> quarters; NaN rows are left out."""
    rows = [
        (arm, r, q, kpi, value)
        for arm, runs in values.items()
        for r, path in enumerate(runs)
        for q, value in enumerate(path)
        if not math.isnan(value)
    ]
    return pd.DataFrame(rows, columns=["arm", "replication", "quarter", "kpi", "value"])


def cube(
    values: Mapping[str, Sequence[Sequence[float]]], kpi: str = "net_present_value"
) -> analysis.Cube:
    return analysis.cube_of(table(values, kpi), list(values))


def test_the_paired_interval_is_students() -> None:
    sample = paired(np.array([1.0, 2.0, 3.0]))
    half = 4.302652729911275 / math.sqrt(3)
    assert (sample.mean, sample.mcse) == (2.0, pytest.approx(1 / math.sqrt(3)))
    assert (sample.low, sample.high) == (pytest.approx(2 - half), pytest.approx(2 + half))
    assert sample.p == pytest.approx(0.07417990022744858)


def test_the_sign_test_of_twenty_wins_and_of_fifteen_in_twenty() -> None:
    assert paired(np.ones(20) + np.arange(20)).p_sign == pytest.approx(2 * 0.5**20)
    mixed = np.r_[np.arange(1.0, 16), -np.arange(1.0, 6)]
    assert paired(mixed).p_sign == pytest.approx(0.0414, abs=5e-5)


def test_one_pair_gives_no_interval_and_none_gives_nothing() -> None:
    one = paired(np.array([3.0]))
    assert (one.n, one.mean, one.better) == (1, 3.0, 1.0)
    assert math.isnan(one.low)
    assert math.isnan(one.p)
    none = paired(np.array([np.nan]))
    assert none.n == 0
    assert math.isnan(none.mean)


def test_undefined_pairs_are_left_out() -> None:
    assert paired(np.array([1.0, np.nan, 3.0])).n == 2


def test_better_follows_the_direction_of_the_indicator() -> None:
    assert paired(np.array([-1.0, -2.0]), direction=-1).better == 1.0
    weeks = {"as_is": [[6.0, 6.0 + r] for r in range(6)],
             "fast": [[6.0, 4.0 + r * 0.9] for r in range(6)]}  # fmt: skip
    found = analysis.differences(cube(weeks, "insight_weeks"), "as_is", ["insight_weeks"]).iloc[0]
    assert found["mean"] < 0
    assert (found["verdict"], found["share_better"]) == (BETTER, 1.0)


def test_holm_steps_down_and_never_turns_back() -> None:
    assert analysis.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert analysis.holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    with_gap = analysis.holm([0.01, float("nan"), 0.02])
    assert with_gap[[0, 2]] == pytest.approx([0.02, 0.02])
    assert np.isnan(with_gap[1])


def test_an_arm_that_changes_nothing_cannot_be_told_apart_from_the_baseline() -> None:
    paths = [[0.0, 10.0 * r] for r in range(5)]
    found = analysis.differences(cube({"as_is": paths, "null": paths}), "as_is",
                                 ["net_present_value"]).iloc[0]  # fmt: skip
    assert (found["mean"], found["low"], found["high"], found["p"]) == (0, 0, 0, 1)
    assert found["verdict"] == SAME


def test_verdicts_need_holm_over_all_arms() -> None:
    rng = np.random.default_rng(3)
    luck = rng.normal(0, 100, 12)
    gain = rng.normal(1.0, 1.35, 12)
    values = {
        "as_is": [[0, x] for x in luck],
        "a": [[0, x + g] for x, g in zip(luck, gain, strict=True)],
    }
    alone = analysis.differences(cube(values), "as_is", ["net_present_value"]).iloc[0]
    assert alone["p"] < 0.05
    assert alone["verdict"] == BETTER
    for i in range(12):
        values[f"null{i}"] = values["as_is"]
    among = analysis.differences(cube(values), "as_is", ["net_present_value"]).iloc[0]
    assert among["p"] == alone["p"]
    assert among["p_holm"] > 0.05
    assert among["verdict"] == SAME


@pytest.mark.parametrize("direction", [1, -1])
def test_a_mean_that_most_replications_contradict_is_no_verdict(direction: int) -> None:
    for differences in ([6.0, -1.0, -1.0, -1.0], [1.0, -1.0, 5.0, -1.0]):
        split = paired(np.array(differences), direction)
        assert analysis.verdict(split, 0.001) == SAME


def test_worse_is_said_as_plainly_as_better() -> None:
    values = {"as_is": [[0, r] for r in range(8)], "bad": [[0, r * 1.1 - 9] for r in range(8)]}
    assert analysis.differences(cube(values), "as_is", ["net_present_value"])["verdict"][0] == WORSE


def test_missing_runs_are_counted_not_invented() -> None:
    nan = float("nan")
    values = {"as_is": [[0, 1], [0, 2], [0, 3]], "a": [[0, 2], [nan, nan], [0, 5]]}
    found = analysis.differences(cube(values), "as_is", ["net_present_value"]).iloc[0]
    assert (found["n"], found["of"]) == (2, 3)
    assert found["mean"] == pytest.approx(1.5)


def test_one_replication_gives_no_verdict() -> None:
    found = analysis.differences(cube({"as_is": [[0, 1]], "a": [[0, 2]]}), "as_is",
                                 ["net_present_value"]).iloc[0]  # fmt: skip
    assert found["verdict"] == ONE_RUN
    assert math.isnan(found["low"])


def test_an_indicator_nobody_has_gives_no_value() -> None:
    found = analysis.differences(cube({"as_is": [[0, 1]], "a": [[0, 2]]}), "as_is", ["trust"])
    assert list(found["verdict"]) == [NO_VALUE]


def test_payback_is_the_first_quarter_from_which_it_stays_ahead() -> None:
    paths = np.array([
        [0.0, -1, -2, 1, 2],  # pays back in quarter 3 and stays
        [0.0, 1, -1, -1, 3],  # ahead early, falls behind, back in quarter 4
        [0.0, 1, 1, 1, 1],  # from the first quarter
        [0.0, -1, 1, 1, -1],  # ahead, but not at the end
        [0.0, -1, -1, -1, 0],  # just level at the end
        [0.0, -1, np.nan, 1, 1],  # a gap: nothing can be said
    ])  # fmt: skip
    found = analysis.payback(paths)
    assert list(found[:5]) == [3, 4, 1, math.inf, 4]
    assert math.isnan(found[5])


def test_the_median_payback_is_infinite_where_most_never_do() -> None:
    values = {"as_is": [[0, 0, 0]] * 3, "a": [[0, -1, 2], [0, -1, -1], [0, -1, -1]]}
    assert analysis.payback_summary(cube(values), "a", "as_is") == (math.inf, pytest.approx(1 / 3))


def test_the_ranking_follows_the_first_headline_alone_and_keeps_the_baseline_in_its_place() -> None:
    money = {"as_is": [[0, 10], [0, 20]], "rich": [[0, 15], [0, 26]], "poor": [[0, 8], [0, 17]]}
    trusted = {"as_is": [[0, 0.5]] * 2, "rich": [[0, 0.1]] * 2, "poor": [[0, 0.9]] * 2}
    both = pd.concat([table(money, "net_present_value"), table(trusted, "trust")])
    found = analysis.ranking(analysis.cube_of(both, list(money)), "as_is",
                             ["net_present_value", "trust"], {"rich": (100.0, 98.0)})  # fmt: skip
    assert list(found["arm"]) == ["rich", "as_is", "poor"]
    assert list(found["rank"]) == [1, 2, 3]
    assert list(found["net_present_value.mean"]) == [5.5, 0.0, -2.5]
    assert found["planned_cost"][0] == 100.0
    assert list(found["share_first"]) == [1.0, 0.0, 0.0]


def test_an_arm_without_any_run_ranks_last() -> None:
    values = table({"as_is": [[0, 1], [0, 2]], "bad": [[0, 0], [0, 0]]}, "net_present_value")
    found = analysis.ranking(analysis.cube_of(values, ["gone", "as_is", "bad"]), "as_is",
                             ["net_present_value"])  # fmt: skip
    assert list(found["arm"]) == ["as_is", "bad", "gone"]


def test_two_values_for_one_cell_and_unknown_names_are_refused() -> None:
    good = table({"as_is": [[0, 1]]}, "trust")
    with pytest.raises(ValueError, match="two values"):
        analysis.cube_of(pd.concat([good, good]), ["as_is"])
    with pytest.raises(ValueError, match="did you mean 'as_is'"):
        analysis.cube_of(good.assign(arm="asis"), ["as_is"])
    with pytest.raises(ValueError, match="did you mean 'trust'"):
        analysis.cube_of(good.assign(kpi="turst"), ["as_is"])
    with pytest.raises(ValueError, match="no run has finished"):
        analysis.cube_of(good.iloc[:0], ["as_is"])


def test_summaries_agree_with_the_paired_sample() -> None:
    values = pd.DataFrame({"arm": ["a"] * 4 + ["b"], "value": [1.0, 2.0, 4.0, np.nan, 7.0]})
    found = analysis.summarize(values, ["arm"]).set_index("arm")
    sample = paired(np.array([1.0, 2.0, 4.0]))
    assert found.loc["a", "n"] == 3
    assert found.loc["a", ["mean", "low", "high"]].to_numpy(dtype=float) == pytest.approx(
        [sample.mean, sample.low, sample.high]
    )
    assert math.isnan(found.loc["b", "low"])


def test_the_replications_needed_follow_the_formula() -> None:
    sample = paired(np.array([0.0, 1.0, 2.0, 3.0]))
    spread = np.std([0, 1, 2, 3], ddof=1)
    expected = math.ceil(((1.959963985 + 0.841621234) * spread / 1.5) ** 2)
    assert analysis.replications_needed(sample) == expected


def test_value_over_time_starts_at_nothing() -> None:
    values = {"as_is": [[0, 1, 2], [0, 2, 3]], "a": [[0, 0, 4], [0, 1, 6]]}
    found = analysis.value_over_time(cube(values), "as_is").query("arm == 'a'")
    assert list(found["mean"]) == [0, -1, 2.5]
