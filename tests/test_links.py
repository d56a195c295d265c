"""Links of a strategy map are tried by nudges; a ratio of paired means has an honest interval."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments import cli, store
from experiments.link_strength import (
    ABSENT,
    GIVEN,
    NUDGE,
    ONE_RUN,
    OPPOSITE,
    SD,
    SUPPORTED,
    UNMOVED,
    UNTRIED,
    links_table,
    ratio,
    values_of,
)
from experiments.links import REACHED, Nudges, Trial, in_words, trials_of
from experiments.settings import SettingsError, load
from experiments.strategy_map_drawing import DOTS, PALE
from sim import kpis
from sim.plans import WHOM, Nudge
from sim.strategy_map import Link, StrategyMap

SMALL = ["scenario=village", "quarters=4", "replications=6", "--jobs", "1"]
PUSH = Nudge(0.3, lever="quality")


@pytest.fixture(scope="module")
def village() -> Any:
    return load(["scenario=village", "portfolios=[as_is]"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study of the village's links."""
    path = tmp_path_factory.mktemp("links") / "map"
    assert cli.main(["map", *SMALL, "--out", str(path), "--quiet"]) == 0
    return path


def test_the_interval_is_fiellers_worked_out_by_hand() -> None:
    """Pairs (2, 1), (4, 2), (6, 3): the head is twice the tail, so both ends are 2."""
    found = ratio(np.array([2.0, 4.0, 6.0]) * 4, np.array([1.0, 2.0, 3.0]) * 4 + 0.0)
    assert (found.value, found.n) == (2.0, 3)
    tails = np.array([9.0, 10.0, 11.0, 10.0])
    heads = np.array([21.0, 20.0, 19.0, 20.0])
    found = ratio(heads, tails)
    t, n = 3.182446305284263, 4
    syy, sxx, sxy = heads.var(ddof=1) / n, tails.var(ddof=1) / n, np.cov(heads, tails)[0, 1] / n
    for end in (found.low, found.high):
        error = np.sqrt(syy - 2 * end * sxy + end**2 * sxx)
        assert abs(20.0 - end * 10.0) == pytest.approx(t * error)
    assert found.low < found.value == 2.0 < found.high


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    hit = 0
    for _ in range(2000):
        tails = rng.normal(1.0, 0.8, 15)
        heads = 0.5 * tails + rng.normal(0.0, 0.5, 15)
        found = ratio(heads, tails)
        hit += bool(np.isnan(found.low) or found.low <= 0.5 <= found.high)
    assert 0.935 <= hit / 2000 <= 0.965


def test_there_is_no_interval_where_the_tail_cannot_be_told_from_unmoved() -> None:
    tails = np.array([-1.0, 1.1, -0.9, 1.0])
    assert np.isnan(ratio(np.ones(4), tails).low)
    assert np.isnan(ratio(np.ones(4), np.zeros(4)).value)
    alone = ratio(np.array([3.0, np.nan]), np.array([2.0, 1.0]))
    assert (alone.value, alone.n) == (1.5, 1)
    assert np.isnan(alone.low)


def synthetic(
    sign: int, size: float, replications: int = 12, lag: int = 2, tail: str = "execution"
) -> tuple[list[Trial], dict[str, np.ndarray]]:
    """A tail that the nudge raises by 1 at once, a head that follows it after `lag` quarters."""
    rng = np.random.default_rng(1)
    base = rng.normal(10.0, 2.0, (replications, 6, len(kpis.TABLE)))
    pushed = base.copy()
    pushed[:, 1:, kpis.INDEX[tail]] += 1.0
    noise = rng.normal(0.0, 0.05, (replications, 6))
    head = kpis.INDEX["trust"]
    pushed[:, 1:, head] += noise[:, 1:]
    pushed[:, 1 + lag :, head] += size
    pushed[:, 1 + lag, head] += size
    link = Link("service", "customers", sign, 13, "assumed", 0, False)
    trial = Trial(link, "service > customers", tail, "trust", PUSH, "pushed")
    return [trial], {"as_is": base, "pushed": pushed}


@pytest.mark.parametrize(
    ("sign", "size", "verdict"),
    [(1, 0.5, SUPPORTED), (-1, 0.5, OPPOSITE), (-1, -0.5, SUPPORTED), (1, 0.0, ABSENT)],
)
def test_a_planted_link_is_found_with_sign_strength_and_lag(
    sign: int, size: float, verdict: str
) -> None:
    trials, values = synthetic(sign, size)
    links, quarters = links_table(trials, values, "as_is")
    row = links.iloc[0]
    assert row["verdict"] == verdict
    # Five quarters: none, none, twice, once, once, as a mean.
    assert row["strength"] == pytest.approx(4 * size / 5, abs=0.02)
    assert row["low"] < row["strength"] < row["high"]
    assert list(quarters["after"]) == [0, 1, 2, 3, 4]
    if size:
        assert (row["lag"], row["first"]) == (2, 2)
    base = values["as_is"][:, 1:]
    sds = [np.sqrt(base[:, :, kpis.INDEX[key]].var(axis=0, ddof=1).mean())
           for key in ("execution", "trust")]  # fmt: skip
    assert row["standardized_strength"] == pytest.approx(row["strength"] * sds[0] / sds[1])
    assert row["tail_unit"] == SD


def test_less_of_an_indicator_that_is_bad_counts_as_more_of_its_objective() -> None:
    trials, values = synthetic(-1, 0.5, tail="first_reply")
    links, _ = links_table(trials, values, "as_is")
    assert links["tail_response"].iloc[0] == pytest.approx(-1.0)
    assert links["strength"].iloc[0] < 0
    assert links["verdict"].iloc[0] == SUPPORTED


def test_where_replications_do_not_differ_the_unit_is_the_whole_nudge() -> None:
    trials, values = synthetic(1, 0.5)
    at = kpis.INDEX["execution"]
    for arm, level in (("as_is", 0.5), ("pushed", 0.6)):
        values[arm][:, :, at] = level
    row = links_table(trials, values, "as_is")[0].iloc[0]
    assert row["tail_unit"] == NUDGE
    spread = np.sqrt(values["as_is"][:, 1:, kpis.INDEX["trust"]].var(axis=0, ddof=1).mean())
    assert row["standardized_strength"] == pytest.approx(row["head_response"] / spread)


def test_what_cannot_be_tried_says_why() -> None:
    trials, values = synthetic(1, 0.5)
    still = {**values, "pushed": values["as_is"]}
    assert links_table(trials, still, "as_is")[0].iloc[0][["verdict", "why"]].tolist() == [
        UNTRIED, UNMOVED,
    ]  # fmt: skip
    alone = {arm: block[:1] for arm, block in values.items()}
    assert links_table(trials, alone, "as_is")[0]["why"].iloc[0] == ONE_RUN
    given = [replace(trials[0], by_definition=True)]
    assert links_table(given, values, "as_is")[0]["verdict"].iloc[0] == GIVEN


def test_a_failed_replication_is_left_out() -> None:
    def unit(replication: int, errors: tuple[str, str]) -> Any:
        kpi = np.full((3, len(kpis.TABLE), 2), float(replication))
        return SimpleNamespace(replication=replication, errors=errors, kpi=kpi)

    failed = unit(1, ("", "Traceback"))
    units = {
        ("as_is", 0): (unit(0, ("", "")), 0), ("pushed", 0): (unit(0, ("", "")), 1),
        ("as_is", 1): (failed, 0), ("pushed", 1): (failed, 1),
    }  # fmt: skip
    runs: Any = SimpleNamespace(index=lambda: units)
    values = values_of(runs, 2)
    assert (values["as_is"][1] == 1.0).all()
    assert np.isnan(values["pushed"][1]).all()


def test_links_that_share_a_nudge_share_an_arm(village: Any) -> None:
    trials, pushes = trials_of(village.strategy_map, village.nudges, village.scenario)
    assert len(trials) == len(village.strategy_map.links)
    assert len({trial.name for trial in trials}) == len(trials)
    assert len({(push.nudges, push.muted) for push in pushes}) == len(pushes)
    known = {push.key for push in pushes}
    used = {trial.pushed for trial in trials if trial.pushed}
    used |= {arm for trial in trials for arm in trial.without}
    assert used == known


def test_a_link_to_itself_is_what_its_flow_adds(village: Any) -> None:
    trials, pushes = trials_of(village.strategy_map, village.nudges, village.scenario)
    own = next(t for t in trials if t.link.tail == t.link.head and t.link.flow == 2)
    muted = {push.key: push.muted for push in pushes}
    assert [muted[key] for key in own.without] == [2, 2]
    values = {key: np.zeros((3, 4, len(kpis.TABLE))) for key in ("as_is", own.pushed, *own.without)}
    at = kpis.INDEX[own.tail]
    jitter = np.array([0.9, 1.0, 1.1])[:, None]
    values[own.pushed][:, 1:, at] = 15.0 * jitter
    values[own.without[1]][:, 1:, at] = 10.0 * jitter
    row = links_table([own], values, "as_is")[0].iloc[0]
    assert row["strength"] == pytest.approx(0.5)
    assert row["standardized_strength"] == pytest.approx(0.5)


def test_of_links_between_the_same_two_each_is_tried_by_its_flow_alone(village: Any) -> None:
    ends = ("service", "customers")
    beside = StrategyMap(
        "Twice",
        village.strategy_map.objectives,
        tuple(Link(*ends, 1, 13, "assumed", flow, False) for flow in (1, 2)),
    )
    trials, _ = trials_of(beside, village.nudges, village.scenario)
    values = {}
    for arm, tail, head in (
        ("as_is", 0.0, 0.0), (trials[0].pushed, 2.0, 10.0),
        *((t.without[0], 0.0, 0.0) for t in trials),
        (trials[0].without[1], 2.0, 10.0), (trials[1].without[1], 2.0, 4.0),
    ):  # fmt: skip
        values[arm] = np.zeros((3, 3, len(kpis.TABLE)))
        jitter = np.array([0.9, 1.0, 1.1])[:, None]
        values[arm][:, 1:, kpis.INDEX[trials[0].tail]] = tail * jitter
        values[arm][:, 1:, kpis.INDEX[trials[0].head]] = head * jitter
    links, _ = links_table(trials, values, "as_is")
    assert links["strength"].tolist() == pytest.approx([0.0, 3.0])


def test_nobody_to_push_and_no_nudge_are_told_apart(village: Any) -> None:
    trials, _ = trials_of(village.strategy_map, village.nudges, village.scenario)
    why = {trial.name: trial.why for trial in trials}
    assert why["resellers > growth"] == "this market has no channel"
    fewer = replace(village.nudges, moves={"trust": PUSH})
    reasons = {t.why for t in trials_of(village.strategy_map, fewer, village.scenario)[0]}
    assert "no nudge is known that moves the tail" in reasons


def test_a_nudge_is_said_in_words() -> None:
    assert in_words(Nudge(0.1, capital="human")) == (
        "human capital by +10 % of its stock from quarter 1 on"
    )
    assert in_words(Nudge(0.2, lever="impressions", firm="rivals", quarter=2, once=True)) == (
        "rivals' impressions by +0.2 (per capita per week) in quarter 2"
    )
    assert in_words(Nudge(0.2, state="attitude", to=("customers",))) == (
        "attitude of customers by +0.2 (attitude), every quarter, from quarter 1 on"
    )
    assert in_words(
        Nudge(-0.1, state="trust", firm="rivals", whom="reach", share=0.02, once=True)
    ) == (
        "trust about rivals of the 2 % of everybody who are heard by most by −0.1 (share), once, "
        "in quarter 1"
    )


def test_every_choice_of_whom_has_words() -> None:
    assert tuple(REACHED) == WHOM


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("nudges.moves.trst={lever: honesty, by: 0.1}", "trst.*did you mean 'trust'"),
        ("nudges.moves.trust.lever=honestly", "did you mean 'honesty'"),
        ("nudges.moves.trust.by=2e6", "nudges.moves.trust.by=2"),
        ("nudges.moves.net_promoter_score.to=[custmers]", "did you mean 'customers'"),
        ("nudges.moves.trust.firm=rival", "did you mean 'rivals'"),
        ("nudges.moves.trust.quarter=0", "from 1 to 80"),
        ("nudges.rivals_act=rival_presure", "did you mean 'rival_pressure'"),
        ("nudges.moved={}", "did you mean 'moves'"),
        ("nudges=defualt", "did you mean 'default'"),
    ],
)
def test_bad_settings_of_nudges_are_refused_with_path_and_nearest_name(
    override: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        load(["scenario=village", override])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["twins=all"], "twins"),
        (["portfolios=[as_is]"], "portfolios"),
        (["portfolio=as_was"], "as_was"),
        (["portfolio=as_is", "portfolio=transparency"], "portfolio is given 2 times"),
        (["nudges.moves.trust.quarter=9", "quarters=4"], "beyond the horizon of 4"),
    ],
)
def test_the_command_refuses_what_it_would_ignore(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["map", "scenario=village", *words]) == 2
    assert said in capsys.readouterr().err


def test_what_holds_by_construction_is_supported_and_what_is_not_there_is_not(
    folder: Path,
) -> None:
    """Human capital enters execution by law; no law makes tickets from it. See laws/experience."""
    links = store.read_table(folder, "links").set_index("link")
    verdict = links["verdict"]
    assert verdict["skills > reliable"] == SUPPORTED
    assert verdict["reliable > customers (flow 1)"] == SUPPORTED
    assert verdict["teamwork > sensing"] == SUPPORTED
    assert verdict["skills > service"] == ABSENT
    assert links.loc["skills > service", "head_response"] == 0.0
    assert verdict["growth > value"] == GIVEN
    assert links.loc["resellers > growth", "why"] == "this market has no channel"


def test_tables_have_a_dictionary_and_the_page_and_map_tell_them(folder: Path) -> None:
    dictionary = store.read_table(folder, "dictionary")
    for name in ("links", "link_quarters"):
        columns = list(pd.read_csv(folder / store.TABLES / f"{name}.csv").columns)
        assert list(dictionary.query("table == @name")["column"]) == columns
    page = (folder / "report.html").read_text(encoding="utf-8")
    for words in ("A nudge", "Not supported by the simulation", "Fieller", "this market has no"):
        assert words in page
    assert not re.search(r"\bnan\b", page)
    picture = (folder / "figures" / "strategy_map_links.svg").read_text(encoding="utf-8")
    assert PALE in picture
    assert f'stroke-dasharray="{DOTS[0]:g} {DOTS[1]:g}' in picture


def test_jobs_and_lanes_change_no_byte_and_a_finished_study_is_not_run_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*SMALL[:3], "lanes=5", "--jobs", "2", "--quiet", "--out", str(tmp_path / "other")]
    assert cli.main(["map", *words]) == 0
    for name in ("links.csv", "link_quarters.csv"):
        assert (tmp_path / "other" / store.TABLES / name).read_bytes() == (
            folder / store.TABLES / name
        ).read_bytes()
    before = {path: path.stat().st_mtime_ns for path in (folder / store.JOURNAL).iterdir()}
    assert cli.main(["map", *SMALL, "--out", str(folder), "--quiet"]) == 0
    assert {path: path.stat().st_mtime_ns for path in (folder / store.JOURNAL).iterdir()} == before


def test_another_study_is_not_written_over(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*SMALL, "nudges.moves.trust.by=0.1", "--out", str(folder)]
    assert cli.main(["map", *words]) == 2
    assert "nudges.moves.trust.by" in capsys.readouterr().err


def test_runs_that_fail_are_said_and_the_rest_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sim import engine

    honest = engine.simulate

    def broken(scenario: Any, arms: Any, seed: int, replication: int, **rest: Any) -> Any:
        if any(arm.key == "nudge_human_readiness" for arm in arms):
            raise RuntimeError("a bad day")
        return honest(scenario, arms, seed, replication, **rest)

    monkeypatch.setattr(engine, "simulate", broken)
    words = ["scenario=village", "quarters=2", "replications=2", "--jobs", "1"]
    assert cli.main(["map", *words, "--out", str(tmp_path / "map")]) == 1
    shown = capsys.readouterr()
    assert "a bad day" in shown.err
    links = store.read_table(tmp_path / "map", "links").set_index("link")
    assert links.loc["skills > reliable", "verdict"] == UNTRIED
    assert links.loc["platform > memory", "n"] == 2


def test_a_dry_run_says_what_is_pushed_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["map", *SMALL, "--dry-run", "--out", str(tmp_path / "map")]) == 0
    said = capsys.readouterr().out
    assert "skills > reliable" in said
    assert "nudge_human_readiness" in said
    assert not (tmp_path / "map").exists()


def test_a_map_without_measures_is_not_tried(village: Any) -> None:
    small = StrategyMap(
        "Small",
        tuple(replace(o, kpi="none") for o in village.strategy_map.objectives[-4:]),
        (Link("skills", "teamwork", 1, 13, "assumed", 0, False),),
    )
    (trial,), pushes = trials_of(small, village.nudges, village.scenario)
    assert not pushes
    assert trial.why == "no indicator measures one of its ends"


def test_nudges_name_indicators_that_exist() -> None:
    with pytest.raises(ValueError, match="did you mean 'trust'"):
        Nudges({"trst": PUSH}, "rival_pressure", "rival_fit", {})
