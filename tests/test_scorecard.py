"""The scorecard, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import synthetic_results

from sim import kpis, scorecard
from sim.catalogue import COUNTED
from sim.scorecard import Target


def target(kpi: str = "trust", **changes: Any) -> Target:
    fields: dict[str, Any] = {
        "kpi": kpi, "objective": "Promises are kept", "basis": "change", "goal": 0.2,
        "red_flag": -0.1, "against": "opening", "by": 4, "weight": 1, "worth": 0.01,
    }  # fmt: skip
    return Target(**(fields | changes))


def values_of(kpi: str, paths: Any) -> np.ndarray:
    """One indicator's paths (replication, quarter), all others undefined."""
    array = np.asarray(paths, dtype=float)
    values = np.full((*array.shape, len(kpis.TABLE)), np.nan)
    values[:, :, kpis.INDEX[kpi]] = array
    return values


def rows_of(kpi: str, paths: Any, *targets: Target, baseline: Any = None) -> list[scorecard.Row]:
    values = values_of(kpi, paths)
    as_is = values if baseline is None else values_of(kpi, baseline)
    rows = scorecard.scorecard(values, as_is, targets)
    return [row for row in rows if row.kpi.key == kpi]


def test_the_chance_to_meet_a_goal_compares_each_replication_with_its_own_baseline() -> None:
    """Levels scatter by .2, the portfolio adds .05 everywhere and the goal asks for .03."""
    as_is = np.linspace(0.3, 0.5, 11)[:, None] * np.ones(2)
    aim = target(basis="change", goal=0.03, red_flag=-0.03, against="baseline", by=1)
    for gain, chance in ((0.05, 1.0), (0.01, 0.0)):
        values = as_is + np.array([0.0, gain])
        row = rows_of("trust", values, aim, baseline=as_is)[1]
        assert row.probability == chance
    assert rows_of("trust", as_is, aim)[1].probability == 0.0
    own = target(basis="change", goal=0.03, red_flag=-0.03, against="opening", by=1)
    rows = rows_of("trust", as_is + np.array([0.0, 0.05]), own, baseline=as_is)
    assert rows[1].probability == 1.0
    lost = as_is.copy()
    lost[:4] = np.nan
    assert rows_of("trust", as_is + 0.05, aim, baseline=lost)[1].probability == 1.0


def test_a_red_flag_that_is_no_longer_worse_than_the_possible_goal_gives_no_light() -> None:
    """Goal 115 % and red flag 108 % of .95: nobody keeps 109 % of customers."""
    odd = target(kpi="retention", basis="relative", goal=1.15, red_flag=1.08, by=1)
    for value in (0.90, 0.99):
        row = rows_of("retention", [[0.95, value]], odd)[1]
        assert (row.target, row.status) == (1.0, scorecard.NO_DATA)
        assert np.isnan(row.score)


def test_the_goal_scores_two_thirds_and_the_red_flag_one_third() -> None:
    assert scorecard.score(0.8, 0.8, 0.5) == pytest.approx(20 / 3)
    assert scorecard.score(0.5, 0.8, 0.5) == pytest.approx(10 / 3)
    assert scorecard.score(0.65, 0.8, 0.5) == pytest.approx(5)


def test_the_score_ends_at_one_span_beyond_goal_and_red_flag() -> None:
    assert scorecard.score(1.1, 0.8, 0.5) == pytest.approx(10)
    assert scorecard.score(9.0, 0.8, 0.5) == 10
    assert scorecard.score(-9.0, 0.8, 0.5) == 0


def test_lower_is_better_where_the_goal_lies_below_the_red_flag() -> None:
    assert scorecard.score(4, 5, 8) > scorecard.score(5, 5, 8) == pytest.approx(20 / 3)
    assert scorecard.score(8, 5, 8) == pytest.approx(10 / 3)


def test_the_target_ramps_up_from_todays_value_and_the_red_flag_keeps_its_distance() -> None:
    rows = rows_of("trust", [[0.5, 0.5, 0.5, 0.5, 0.5, 0.5]], target())
    assert [row.target for row in rows] == pytest.approx([0.5, 0.55, 0.6, 0.65, 0.7, 0.7])
    assert [row.red_flag for row in rows] == pytest.approx([0.2, 0.25, 0.3, 0.35, 0.4, 0.4])


def test_a_target_against_the_baseline_follows_it() -> None:
    aim = target("net_present_value", basis="relative", goal=1.1, red_flag=0.9, by=2,
                 against="baseline")  # fmt: skip
    rows = rows_of("net_present_value", [[0, 100, 220]], aim, baseline=[[0, 100, 200]])
    assert rows[1].target == pytest.approx(105)
    assert rows[2].target == pytest.approx(220)
    assert rows[2].red_flag == pytest.approx(180)
    assert rows[2].status == scorecard.GREEN


def test_relative_means_better_also_for_a_loss() -> None:
    aim = target("profit", basis="relative", goal=1.5, red_flag=0.9, by=1)
    assert rows_of("profit", [[-100, -100]], aim)[1].target == pytest.approx(-50)


def test_a_goal_stays_within_what_its_unit_allows() -> None:
    aim = target("complaints_resolved", goal=0.1, red_flag=-0.02, by=1)
    row = rows_of("complaints_resolved", [[0.97, 1.0]], aim)[1]
    assert row.target == 1.0
    assert row.status == scorecard.GREEN
    lower = target("rival_fit", goal=-0.5, red_flag=0.1, by=1)
    assert rows_of("rival_fit", [[0.3, 0.0]], lower)[1].target == 0.0
    points = target("net_promoter_score", goal=8, red_flag=-3, by=1)
    assert rows_of("net_promoter_score", [[11, 12]], points)[1].target == 19


def test_an_indicator_of_a_quarter_starts_from_its_first_quarter() -> None:
    aim = target("retention", goal=0.04, red_flag=-0.04, by=2)
    rows = rows_of("retention", [[np.nan, 0.9, 0.9]], aim)
    assert rows[0].status == scorecard.NO_DATA
    assert [row.target for row in rows[1:]] == pytest.approx([0.92, 0.94])


def test_lights_are_green_at_the_goal_amber_between_and_red_at_the_flag() -> None:
    for actual, status in ((0.7, "green"), (0.69, "amber"), (0.4, "red"), (0.41, "amber")):
        assert rows_of("trust", [[0.5, 0.5, 0.5, 0.5, actual]], target())[4].status == status


def test_what_has_no_value_is_grey_and_what_has_no_target_says_so() -> None:
    rows = rows_of("trust", [[0.5, np.nan]], target())
    assert (rows[1].status, rows[1].n, rows[1].trend) == (scorecard.NO_DATA, 0, None)
    assert np.isnan(rows[1].probability)
    assert np.isnan(rows[1].score)
    assert rows_of("trust", [[0.5, 0.6]])[1].status == scorecard.NO_TARGET


def test_the_chance_to_meet_a_target_is_the_share_of_replications_that_do() -> None:
    paths = [[0.5, 0.9], [0.5, 0.7], [0.5, 0.6], [0.5, np.nan]]
    row = rows_of("trust", paths, target(by=1))[1]
    assert row.probability == pytest.approx(2 / 3)
    assert row.n == 3
    assert row.actual == pytest.approx(2.2 / 3)


def test_the_chance_counts_from_below_where_lower_is_better() -> None:
    aim = target("insight_weeks", goal=-2, red_flag=2, by=1)
    row = rows_of("insight_weeks", [[6, 3], [6, 3.5], [6, 5]], aim)[1]
    assert row.probability == pytest.approx(2 / 3)


def test_the_band_holds_the_middle_four_fifths() -> None:
    row = rows_of("trust", [[0.0, x / 10] for x in range(11)])[1]
    assert (row.low, row.high) == (pytest.approx(0.1), pytest.approx(0.9))


def test_the_band_holds_its_mean_also_where_a_few_extremes_pull_it_out() -> None:
    row = rows_of("complaints_resolved", [[1.0]] * 29 + [[0.1]])[0]
    assert (row.actual, row.low, row.high) == (pytest.approx(0.97), pytest.approx(0.97), 1.0)


def test_the_band_is_that_of_numpy_and_ignores_what_is_undefined() -> None:
    values = np.array([[3.0, 1.0], [np.nan, 2.0], [1.0, 7.0], [2.0, np.nan], [9.0, np.nan]])
    low, high = scorecard.band(values)
    for column in (0, 1):
        seen = values[~np.isnan(values[:, column]), column]
        assert [low[column], high[column]] == pytest.approx(np.quantile(seen, (0.1, 0.9)))
    assert np.isnan(scorecard.band(np.full((3, 1), np.nan))).all()


def test_the_baseline_has_a_light_of_its_own_under_the_same_target() -> None:
    ahead = target(basis="change", goal=0.1, red_flag=-0.1, against="baseline", by=1)
    row = rows_of("trust", [[0.5, 0.7]], ahead, baseline=[[0.5, 0.5]])[1]
    assert (row.status, row.baseline_status) == (scorecard.GREEN, scorecard.AMBER)
    early = target(goal=0.1, red_flag=-0.1, by=1)
    row = rows_of("trust", [[0.5, 0.5]], early, baseline=[[0.5, 0.7]])[1]
    assert (row.status, row.baseline_status) == (scorecard.AMBER, scorecard.GREEN)
    assert rows_of("trust", [[0.5]])[0].baseline_status == scorecard.NO_TARGET


def test_what_is_worth_having_is_in_the_unit_or_a_share_of_the_value() -> None:
    assert target(worth=0.01).worth_having(0.6) == 0.01
    assert target(basis="relative", goal=1.1, red_flag=0.9, worth=0.02).worth_having(-50) == 1.0


def test_a_market_may_call_an_indicator_by_its_own_name() -> None:
    board = synthetic_results.board(
        labels={"trust": "Trust of members"}, nouns={"customer": "member", "customers": "members"}
    )
    values = values_of("trust", [[0.5, 0.7]])
    rows = scorecard.scorecard(values, values, [target(kpi="revenue")], indicators=board.indicators)
    own = {row.kpi.key: row.kpi for row in rows}
    assert own["trust"].label == "Trust of members"
    assert own["retention"].label == "Retention"
    units = [own[key].unit for key in ("gross_adds", "acquisition_cost", "negative_talk", "trust")]
    assert units == ["members/quarter", "currency/member", "voices/quarter", "share"]
    assert rows_of("trust", [[0.5]], target())[0].kpi.label == "Trust of customers"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"labels": {"revenu": "Income"}}, "scorecard.labels.*'revenu'.*revenue"),
        ({"nouns": {"client": "member"}}, "scorecard.nouns.*'client'.*customer"),
        ({"labels": {"revenue": " "}}, "scorecard.labels.revenue is empty"),
    ],
)
def test_a_name_for_nothing_and_a_name_of_nothing_are_refused(names: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        synthetic_results.board(**names)


def test_every_noun_that_a_market_may_replace_stands_in_a_unit() -> None:
    parts = {part for kpi in kpis.TABLE for part in kpi.unit.split("/")}
    assert set(COUNTED) <= parts


def test_a_trend_needs_more_than_a_fiftieth_of_the_span() -> None:
    assert scorecard.trend(0.5, 0.507, 0.3) == 1
    assert scorecard.trend(0.5, 0.505, 0.3) == 0
    assert scorecard.trend(0.5, 0.493, 0.3) == -1
    assert scorecard.trend(0.5, np.nan, 0.3) is None
    assert scorecard.trend(100.0, 101.0, np.nan) == 0
    assert scorecard.trend(100.0, 103.0, np.nan) == 1


def test_a_falling_number_improves_where_lower_is_better() -> None:
    row = rows_of("insight_weeks", [[6, 4]], target("insight_weeks", goal=-2, red_flag=2))[1]
    assert row.trend == -1
    assert row.improving is True


def test_the_influence_scorecard_is_the_same_rows_by_flow_whatever_their_silo() -> None:
    rows = scorecard.at(scorecard.scorecard(values_of("trust", [[0.5]]),
                                            values_of("trust", [[0.5]]), ()), 0)  # fmt: skip
    view = scorecard.influence_view(rows)
    assert list(view) == [1, 2, 3, 4, 5, 6]
    assert all(group for group in view.values())
    found = [row for group in view.values() for row in group]
    assert {id(row) for row in found} <= {id(row) for row in rows}
    assert len(found) == sum(kpi.flow is not None for kpi in kpis.TABLE)


def test_the_silo_view_names_who_answers_here_and_puts_what_nobody_owns_last() -> None:
    values = values_of("trust", [[0.5]])
    rows = scorecard.at(scorecard.scorecard(values, values, ()), 0)
    owners = {"sales": "Shops", "customer_service": "Shops", "marketing": "Press"}
    view = scorecard.silo_view(rows, owners)
    assert list(view) == ["Press", "Shops", scorecard.NOBODY]
    assert {row.kpi.owner for row in view["Shops"]} == {"sales", "customer_service"}
    assert sum(len(group) for group in view.values()) == len(rows)
    everybody = {kpi.owner: "All" for kpi in kpis.TABLE}
    assert list(scorecard.silo_view(rows, everybody)) == ["All"]


def test_by_target_and_variance_a_miss_within_the_variance_is_amber() -> None:
    """Target 0.7: amber down to 0.63 with a tenth, red below, whatever the red flag says."""
    for end, status in ((0.7, "green"), (0.64, "amber"), (0.63, "amber"), (0.62, "red")):
        values = values_of("trust", [[0.5, end]])
        rows = scorecard.scorecard(values, values, [target(by=1)], tolerance=0.1)
        assert scorecard.at(rows, 1)[kpis.INDEX["trust"]].status == status, end


def test_by_target_and_variance_less_may_be_better() -> None:
    aim = target("insight_weeks", basis="value", goal=5, red_flag=9, by=1)
    for end, status in ((5.0, "green"), (5.5, "amber"), (5.6, "red"), (np.nan, "no data")):
        values = values_of("insight_weeks", [[8.0, end]])
        rows = scorecard.scorecard(values, values, [aim], tolerance=0.1)
        assert scorecard.at(rows, 1)[kpis.INDEX["insight_weeks"]].status == status, end
    free = scorecard.scorecard(values, values, [], tolerance=0.1)
    assert scorecard.at(free, 0)[kpis.INDEX["insight_weeks"]].status == "no target"


def test_readings_are_judged_by_targets_that_refer_to_the_truth() -> None:
    aim = target(by=1, against="baseline", goal=0.2, red_flag=-0.1)
    read, true = values_of("trust", [[0.5, np.nan]]), values_of("trust", [[0.5, 0.6]])
    row = scorecard.at(scorecard.scorecard(read, read, [aim], reference=true), 1)
    assert row[kpis.INDEX["trust"]].target == pytest.approx(0.8)
    assert row[kpis.INDEX["trust"]].status == scorecard.NO_DATA


def test_nobody_aims_at_fewer_than_no_weeks() -> None:
    aim = target("first_reply", goal=-0.5, red_flag=0.5, by=1)
    row = rows_of("first_reply", [[0.2, 0.0]], aim)[1]
    assert row.target == 0.0
    assert row.status == scorecard.GREEN


def test_the_influence_scorecard_is_six_flows_by_audiences() -> None:
    rows = [row for row in scorecard.scorecard(*[values_of("trust", [[0.5]])] * 2, [])]
    cells = scorecard.by_flow_and_audience(rows)
    assert {flow for flow, _ in cells} == {1, 2, 3, 4, 5, 6}
    assert [row.kpi.key for row in cells[2, "channel"]] == ["channel_recommendation"]
    society = [row.kpi.key for row in cells[1, "public"]]
    assert "society_trust" in society
    assert "society_trust" in [row.kpi.key for row in cells[1, "investors"]]
    assert "net_sentiment" in [row.kpi.key for row in cells[2, ""]]
    assert len({row.kpi.key for group in cells.values() for row in group}) == sum(
        kpi.flow is not None for kpi in kpis.TABLE
    )


def test_the_mean_score_is_weighted_and_ignores_what_has_none() -> None:
    rows = [*rows_of("trust", [[0.5, 0.7]], target(by=1, weight=3)),
            *rows_of("engagement", [[0.5, 0.4]], target("engagement", by=1, weight=1)),
            *rows_of("salience", [[0.5, 0.4]])]  # fmt: skip
    last = [row for row in rows if row.quarter == 1]
    assert scorecard.mean_score(last) == pytest.approx((3 * 20 / 3 + 10 / 3) / 4)
    assert np.isnan(scorecard.mean_score([]))
    assert scorecard.count(last)["green"] == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kpi": "turst"}, "did you mean 'trust'"),
        ({"basis": "relativ"}, "did you mean 'relative'"),
        ({"against": "base"}, "did you mean 'baseline'"),
        ({"goal": -0.2}, "must lie above red_flag"),
        ({"kpi": "insight_weeks"}, "must lie below red_flag"),
        ({"by": 0}, "trust.by|Target.by"),
        ({"by": 2.5}, "whole number"),
    ],
)
def test_a_bad_target_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises((KeyError, ValueError), match=said):
        target(**changes)


def test_two_targets_for_one_indicator_are_refused() -> None:
    with pytest.raises(ValueError, match="two targets"):
        rows_of("trust", [[0.5]], target(), target())


@pytest.mark.parametrize("name", ["default", "association"])
def test_the_shipped_targets_cover_all_perspectives_and_all_flows(name: str) -> None:
    rows = [kpis.TABLE[kpis.INDEX[aim.kpi]] for aim in synthetic_results.targets(name)]
    assert {kpi.perspective for kpi in rows} == set(kpis.PERSPECTIVES)
    assert {kpi.flow for kpi in rows} >= {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("name", ["default", "association"])
def test_as_is_meets_no_shipped_goal_but_those_that_guard(name: str) -> None:
    guards = {"maturity"} | ({"net_present_value"} if name == "association" else set())
    for aim in synthetic_results.targets(name):
        ahead = kpis.TABLE[kpis.INDEX[aim.kpi]].direction * (
            aim.goal - (1.0 if aim.basis == "relative" else 0.0)
        )
        teaches = aim.against == "baseline" and aim.basis != "value" and ahead > 0
        assert teaches != (aim.kpi in guards), aim.kpi


@pytest.mark.parametrize("name", ["default", "association"])
def test_what_is_worth_having_is_less_than_the_goal(name: str) -> None:
    for aim in synthetic_results.targets(name):
        gain = abs(aim.goal - (1.0 if aim.basis == "relative" else 0.0))
        assert 0 < aim.worth <= gain or aim.basis == "value", aim.kpi
