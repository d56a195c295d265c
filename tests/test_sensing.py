"""Sensing: what management reads, how late and how blurred, or that it reads nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import village

from sim import levers, sensing
from sim.catalogue import BOOKS, INDEX, TABLE
from sim.engine import History, simulate
from sim.flows import Flow, muted
from sim.mechanisms import Effect
from sim.scenario import Scenario, Sensing

LAW = Sensing(threshold=0.05, sample=400.0, delay=6.5)
BY = np.array([kpi.sensed_by for kpi in TABLE])
ALL = {f"sensing_{flow}": 1.0 for flow in range(1, 7)}
PERFECT = ALL | {"reading_speed": 1.0, "reading_care": 1.0}


def market(quarters: int = 3, **given: float) -> Scenario:
    """Return the village, its organization with these levers of sensing."""
    base = village.scenario(quarters=quarters)
    return replace(base, firms=(village.firm(levers=given), base.firms[1]))


def run(scenario: Scenario, **efforts: float) -> History:
    return simulate(scenario, [village.arm(scenario, **efforts)], 3, lanes=1)


def senses(coverage: float = 1.0, weeks: float = 0.0, error: float = 1.0) -> sensing.Senses:
    """Return one firm's senses, alike for every flow, in one lane."""
    return sensing.Senses(
        np.full((1, 6, 1), coverage),
        np.full((1, 6, 1), coverage >= LAW.threshold),
        np.full((1, 1), weeks),
        np.full((1, 1), error),
    )


def lens(quarters: int = 4, firms: int = 1, seed: int = 1) -> sensing.Lens:
    return sensing.Lens(LAW, TABLE, (seed, 0), np.arange(11, 11 + firms), quarters)


def truth(*values: float) -> list[np.ndarray]:
    """Return a history in which every indicator has the same value at each close."""
    return [np.full((len(TABLE), 1), value) for value in values]


def test_senses_are_read_off_the_levers_by_hand() -> None:
    lever = np.zeros((len(levers.TABLE), 2, 3, 1))
    lever[levers.INDEX["sensing_2"], 0] = 0.04
    lever[levers.INDEX["sensing_5"], 0] = 0.05
    lever[levers.INDEX["reading_speed"], 0] = 0.75
    lever[levers.INDEX["reading_care"], 1] = 0.5
    found = sensing.senses(LAW, lever, np.array([[0.2], [0.2]]))
    assert found.sensed[0, :, 0].tolist() == [False, False, False, False, True, False]
    assert found.coverage[0, 1, 0] == 0.04
    assert found.weeks[:, 0].tolist() == pytest.approx([6.5 / 4, 6.5])
    assert found.error[:, 0].tolist() == pytest.approx([0.8, 0.4])


def test_a_threshold_of_0_gives_no_data_where_nothing_is_covered() -> None:
    lever = np.zeros((len(levers.TABLE), 1, 1, 1))
    assert not sensing.senses(replace(LAW, threshold=0.0), lever, np.ones((1, 1))).sensed.any()


def test_where_nothing_senses_a_flow_there_is_no_data_and_never_0() -> None:
    history = run(market())
    for flow in (2, 4, 5, 6):
        assert np.isnan(history.reading[:, flow == BY]).all(), flow
    for flow in (1, 3):
        key = {1: "trust", 3: "offering_fit"}[flow]
        assert np.isfinite(history.reading[:, INDEX[key]]).all(), flow


def test_what_stands_in_the_books_is_read_exactly_and_on_time() -> None:
    history = run(market(), service=5.0)
    assert np.array_equal(
        history.reading[:, BY == BOOKS], history.kpi[:, BY == BOOKS], equal_nan=True
    )
    for key in ("revenue", "operating_margin", "programme_spending", "human_readiness"):
        assert BY[INDEX[key]] == BOOKS


def test_full_coverage_care_and_speed_read_the_truth_to_the_bit() -> None:
    history = run(market(**PERFECT))
    assert np.array_equal(history.reading, history.kpi, equal_nan=True)


def test_without_care_the_reading_is_not_the_truth() -> None:
    history = run(market(**ALL | {"reading_speed": 1.0}))
    at = INDEX["trust"]
    assert np.all(history.reading[:, at] != history.kpi[:, at])


def test_sensing_and_readings_change_nothing_that_is_true() -> None:
    blind = run(market(**dict.fromkeys(ALL, 0.0)))
    seeing = run(market(**PERFECT))
    differ = [INDEX[key] for key in ("flow_coverage", "silo_extraction", "reading_weeks")]
    same = np.delete(np.arange(len(TABLE)), differ)
    assert np.array_equal(blind.kpi[:, same], seeing.kpi[:, same], equal_nan=True)
    assert np.array_equal(blind.measures, seeing.measures, equal_nan=True)
    assert seeing.kpi[-1, INDEX["flow_coverage"], 0] == 1.0
    assert blind.kpi[-1, INDEX["flow_coverage"], 0] == 0.0


def test_a_mechanism_that_senses_opens_a_flow_once_it_is_funded() -> None:
    base = market(quarters=3, reading_care=1.0)
    watch = village.mechanism("watch", Effect("sensing_4", (), 1.0), flows=(4,), half_life=0.1)
    base = replace(base, mechanisms=(*base.mechanisms, watch))
    plan = village.plan(base, watch=40.0)
    plan.effort[:, 0] = 0.0
    later = replace(village.arm(base, "later"), plan=plan)
    reading = simulate(base, [village.arm(base), later], 3, lanes=4).reading
    at = INDEX["rival_attitude"]
    assert np.isnan(reading[:, at, 0]).all()
    assert np.isnan(reading[:2, at, 1]).all()
    assert np.isfinite(reading[2:, at, 1]).all()


def test_half_a_quarter_late_is_halfway_between_two_closes() -> None:
    past = truth(0.2, 0.4, 0.8)
    assert sensing.earlier(past, np.array([0.5]))[0, 0] == pytest.approx(0.6)
    assert sensing.earlier(past, np.array([1.0]))[0, 0] == 0.4
    assert sensing.earlier(past, np.array([1.25]))[0, 0] == pytest.approx(0.35)
    assert sensing.earlier(past, np.array([0.0]))[0, 0] == 0.8


def test_what_came_before_the_opening_is_taken_as_the_opening() -> None:
    assert sensing.earlier(truth(0.2, 0.4), np.array([7.3]))[0, 0] == 0.2
    assert sensing.earlier(truth(0.2), np.array([0.5]))[0, 0] == 0.2


def test_each_lane_is_as_late_as_its_own_reporting() -> None:
    past = [np.tile(row, 3) for row in truth(0.0, 1.0, 2.0)]
    assert sensing.earlier(past, np.array([0.0, 1.0, 1.5]))[0].tolist() == [2.0, 1.0, 0.5]


def test_what_was_undefined_before_is_read_only_once_it_is_whole() -> None:
    past = truth(float("nan"), 0.4, 0.8)
    assert np.isnan(sensing.earlier(past[:2], np.array([0.5]))).all()
    assert sensing.earlier(past[:2], np.array([0.0]))[0, 0] == 0.4
    assert sensing.earlier(past, np.array([0.5]))[0, 0] == pytest.approx(0.6)


def test_a_delay_of_whole_quarters_shifts_the_series_in_the_engine() -> None:
    late = replace(market(quarters=4, **ALL, reading_care=1.0), sensing=replace(LAW, delay=26.0))
    history = run(late)
    at = INDEX["salience"]
    assert np.array_equal(history.reading[2:, at], history.kpi[:-2, at])
    assert np.array_equal(history.reading[:2, at], np.repeat(history.kpi[:1, at], 2, axis=0))


def test_the_error_is_that_of_a_sample_by_hand() -> None:
    """Share 0.2 of 400 x 0.25 answers, half the error left: 0.5 x 0.4 / 10 = 0.02 per draw."""
    own, seen = lens(), senses(0.25, error=0.5)
    reading = own.read(truth(0.2), 0, seen)[:, 0]
    for key, spread in (
        ("trust", 0.4),
        ("rival_attitude", np.sqrt(1 - 0.04)),
        ("insight_weeks", 0.2),
        ("net_promoter_score", 100 * np.sqrt(1 - 0.002**2)),
    ):
        at = INDEX[key]
        assert reading[at] - 0.2 == pytest.approx(0.05 * spread * own.luck[0, at]), key


def test_draws_are_standard_normal_and_of_each_indicator_and_quarter() -> None:
    luck = lens(quarters=80).luck
    assert luck.shape == (81, len(TABLE))
    assert np.unique(luck).size > 0.999 * luck.size
    assert abs(luck.mean()) < 4 / np.sqrt(luck.size)
    assert luck.std() == pytest.approx(1.0, abs=0.03)


def test_draws_travel_with_seed_firm_and_indicator() -> None:
    assert np.array_equal(lens().luck, lens(firms=3).luck)
    assert not np.array_equal(lens().luck, lens(seed=2).luck)
    backwards = sensing.Lens(LAW, TABLE[::-1], (1, 0), np.array([11]), 4)
    assert np.array_equal(backwards.luck[:, ::-1], lens().luck)


def test_readings_of_shares_stay_within_0_and_1() -> None:
    own = lens(quarters=40)
    for quarter in range(41):
        reading = own.read(truth(0.999), quarter, senses(0.05))
        assert reading[INDEX["trust"], 0] <= 1.0


def test_the_noise_is_the_same_for_all_arms_in_any_order() -> None:
    base = market(**ALL)
    arms = [village.arm(base), village.arm(base, "same"), village.arm(base, "busy", service=9.0)]
    forth = simulate(base, arms, 3, lanes=4).reading
    back = simulate(base, arms[::-1], 3, lanes=1).reading
    assert np.array_equal(forth[..., 0], forth[..., 1], equal_nan=True)
    assert np.array_equal(forth, back[..., ::-1], equal_nan=True)


def test_muting_a_flow_does_not_blind_the_firm() -> None:
    base = market(**PERFECT)
    gates = muted(Flow.RIVALS_TO_STAKEHOLDERS, 2)
    history = simulate(base, [village.arm(base, gates=gates)], 3, lanes=1)
    assert np.array_equal(history.reading, history.kpi, equal_nan=True)


def test_rivals_messages_are_read_as_far_as_flow_4_is_sensed() -> None:
    """Observer 0 senses nothing, 1 all with error 0, 2 all with error: own are always exact."""
    own = lens(firms=3)
    coverage = np.array([0.0, 1.0, 1.0])[:, None, None] * np.ones((1, 6, 1))
    seen = sensing.Senses(
        coverage, coverage >= 0.05, np.zeros((3, 1)), np.array([[1.0], [0.0], [1.0]])
    )
    read = own.read_messages(np.array([[2.0], [4.0], [6.0]]), 1, seen)[..., 0]
    assert read[0, 0] == 2.0
    assert np.isnan(read[0, 1:]).all()
    assert read[1].tolist() == [2.0, 4.0, 6.0]
    assert read[2, 2] == 6.0
    expected = np.array([2.0, 4.0]) * (1 + 0.05 * own.messages_luck[1, 2, :2])
    assert read[2, :2] == pytest.approx(expected)


def test_a_firm_that_watches_nobody_does_not_imitate() -> None:
    """The rival listens, we would copy it; we do so once flow 4 is sensed."""
    base = village.scenario(quarters=3)
    busy = {**base.firms[1].programmes, "listening": village.Programme(13.0, 0.5)}
    spent = []
    for coverage in (0.0, 0.6):
        ours = village.firm(
            levers={"sensing_4": coverage}, policy=village.Policy("imitator", 0.5, 1, 1e9)
        )
        copied = replace(base, firms=(ours, village.firm("theirs", programmes=busy)))
        spent.append(run(copied).spending[-1, base.mechanism("listening"), 0])
    assert spent == pytest.approx([0.0, 6.5])


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"threshold": 1.1}, "threshold"), ({"sample": 0.0}, "sample"), ({"delay": -1.0}, "delay")],
)
def test_a_bad_law_of_sensing_is_refused(changes: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(LAW, **changes)
