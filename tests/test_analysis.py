"""Paired differences, verdicts, payback and ranking, by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments import analysis
from experiments.analysis import BETTER, NO_VALUE, ONE_RUN, SAME, SMALL, WORSE, paired


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


def paired_of(mean: float, half: float, gain: bool = True) -> analysis.Paired:
    """A sample of 20 with a mean and half an interval, all pairs of the mean's sign if it gains."""
    share = 1.0 if gain else 0.5
    better, worse = (share, 1 - share) if mean > 0 else (1 - share, share)
    return analysis.Paired(20, mean, mean - half, mean + half, half / 2.09, better, worse, 0.5)


@pytest.mark.parametrize(
    ("mean", "half", "adjusted", "said"),
    [
        (0.6, 0.2, 0.001, BETTER),  # told apart and worth having
        (-0.6, 0.2, 0.001, WORSE),
        (0.4, 0.2, 0.001, SMALL),  # told apart, smaller than what is worth having
        (-0.4, 0.2, 0.001, SMALL),
        (0.1, 0.3, 0.9, SMALL),  # not told apart, and surely smaller
        (0.1, 0.4, 0.9, SAME),  # not told apart, and may be worth having
        (0.6, 0.2, 0.2, SAME),  # its own interval excludes 0, but not after the correction
    ],
)
def test_a_difference_must_be_worth_having(
    mean: float, half: float, adjusted: float, said: str
) -> None:
    assert analysis.verdict(paired_of(mean, half), adjusted, worth=0.5) == said


def test_what_is_worth_having_is_asked_per_indicator() -> None:
    values = {"as_is": [[0, r] for r in range(8)], "a": [[0, r * 1.01 + 2] for r in range(8)]}
    kpi = "net_present_value"
    for worth, said in (({}, BETTER), ({kpi: 1.0}, BETTER), ({kpi: 5.0}, SMALL)):
        assert analysis.differences(cube(values), "as_is", [kpi], worth)["verdict"][0] == said


def test_why_a_difference_is_not_told_apart_although_its_interval_excludes_0() -> None:
    row = {"verdict": SAME, "low": 0.1, "high": 0.5, "p_holm": 0.2}
    assert analysis.why_not_told(row) == analysis.BY_LUCK
    assert analysis.why_not_told(row | {"low": -0.5, "high": -0.1}) == analysis.BY_LUCK
    assert analysis.why_not_told(row | {"p_holm": 0.01}) == analysis.SPLIT
    assert analysis.why_not_told(row | {"low": -0.1}) == ""
    assert analysis.why_not_told(row | {"verdict": BETTER}) == ""


def test_rounding_dust_is_no_difference() -> None:
    dust = {"as_is": [[0, 1000.0 + r] for r in range(5)],
            "a": [[0, (1000.0 + r) * (1 + 2e-8)] for r in range(5)]}  # fmt: skip
    found = analysis.differences(cube(dust), "as_is", ["net_present_value"]).iloc[0]
    assert (found["mean"], found["low"], found["high"], found["verdict"]) == (0, 0, 0, SAME)


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


@pytest.mark.parametrize(("comparisons", "level"), [(1, 0.05), (10, 0.005)])
def test_the_replications_needed_are_the_fewest_that_the_t_test_asks_for(
    comparisons: int, level: float
) -> None:
    sample = paired(np.array([0.0, 1.0, 2.0, 3.0]))
    ratio = np.std([0, 1, 2, 3], ddof=1) / 1.5
    needed = int(analysis.replications_needed(sample, comparisons))

    def asked(n: int) -> float:
        reach = stats.t.ppf(1 - level / 2, n - 1) + stats.t.ppf(0.8, n - 1)
        return float((reach * ratio) ** 2)

    assert asked(needed) <= needed
    assert asked(needed - 1) > needed - 1


def test_more_replications_are_needed_than_did_not_suffice() -> None:
    rng = np.random.default_rng(3)
    for n in (2, 3, 5, 30):
        for _ in range(200):
            sample = paired(rng.normal(0.6, 1.0, n))
            if sample.p >= 0.05:
                assert analysis.replications_needed(sample) > n
