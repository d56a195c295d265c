"""A calibration finds what is to be found, says what is not, and measures what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from experiments import calibration_words, cli, cli_calibrate
from experiments.calibration import FITTABLE, Parameter, Target
from experiments.calibration_fit import Fit, Round, favouring, fit, moved
from experiments.calibration_measures import MEASURES, Lived
from experiments.calibration_outcome import Outcome, rounded
from experiments.calibration_run import live, measured
from experiments.settings import Settings, SettingsError, listing, load
from sim import kpis
from sim.engine import simulate
from sim.flows import open_gates
from sim.plans import Arm, Nudge, Plan
from sim.scenario import Scenario

ROOT = Path(__file__).resolve().parent.parent
# A calibration of one's own: two parameters, one of them pulled far away.
MINE = """label: A small one
replications: 2
fresh: 3
seed: 1
rounds: 4
step: 0.3
stay: 0.1
digits: 2
markets:
  equal: {settings: [scenario=reference]}
  unequal: {settings: [scenario=reference, organization.appeal=1.0]}
pushes:
  advertising: {lever: impressions, by: 2.0}
  talk: {lever: talk_rate, by: 0.5}
  engagement: {lever: quality, to: [employees], by: 1.5}
parameters:
  salience_per_impression: {low: 0.005, high: 0.05, start: 0.014}
  switching_cost: {low: 0.0, high: 5.0, start: 3.2}
targets:
  churn: {value: 0.6, low: 0.5, high: 0.7, weight: 1, source: made up}
  advertising_long: {value: 0.24, low: 0.1, high: 0.4, weight: 1, source: made up too}
  double_jeopardy: {value: 1.0, low: 0.5, high: 2.0, weight: 0, source: made up as well}
"""
FEW = ["stakeholders.customers.count=500", "stakeholders.employees.count=30"]


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Words of the command that fits the small one, but for what it is to write where."""
    own = tmp_path_factory.mktemp("own")
    (own / "calibration").mkdir()
    (own / "calibration" / "mine.yaml").write_text(MINE, encoding="utf-8")
    return ["calibrate", "mine", *FEW, "--config-dir", str(own), "--quiet"]


# ---- measures on histories made by hand ---------------------------------------------------------


def lived(**given: list[list[float]] | float) -> Lived:
    """Return eight quarters of two firms that nothing happens to but what is given."""
    blank = {name: np.ones((8, 2)) for name in Lived.__dataclass_fields__}
    return Lived(**{**blank, **{k: np.broadcast_to(v, (8, 2)) * 1.0 for k, v in given.items()}})


def of(name: str, **arms: Lived) -> float:
    return MEASURES[name].of(arms)


def test_an_elasticity_is_the_change_of_the_logarithms() -> None:
    """Messages times 1.5 from the start; gross adds times 1.1 at once and 1.2 in year two."""
    as_is = lived(adds=100.0, impressions=2.0)
    adds = [[110.0, 90.0]] * 4 + [[120.0, 90.0]] * 4
    more = lived(adds=adds, impressions=[[3.0, 2.0]] * 8)
    short = of("advertising_short", as_is=as_is, advertising=more)
    assert short == pytest.approx(np.log(1.1) / np.log(1.5))
    long = of("advertising_long", as_is=as_is, advertising=more)
    assert long == pytest.approx(np.log(1.2) / np.log(1.5))


def test_the_volume_of_talk_is_what_was_really_said_good_and_bad() -> None:
    """From 3 + 1 messages to 4 + 2: times 1.5, not what the push was meant to come to."""
    as_is = lived(adds=100.0, praise=3.0, criticism=1.0)
    more = lived(adds=[[130.0, 100.0]] * 8, praise=[[4.0, 9.0]] * 8, criticism=[[2.0, 9.0]] * 8)
    assert of("talk_volume", as_is=as_is, talk=more) == pytest.approx(np.log(1.3) / np.log(1.5))


def test_shares_and_ratios_of_talk() -> None:
    as_is = lived(adds=[[100.0, 7.0]] * 8, praise=[[5.0, 4.0]] * 8, criticism=[[2.0, 1.0]] * 8)
    assert of("talk_share", as_is=as_is, silent=lived(adds=75.0)) == pytest.approx(0.25)
    assert of("talk_ratio", as_is=as_is) == pytest.approx(3.0)


def test_churn_is_that_of_four_quarters() -> None:
    """A tenth a quarter: 1 - .9^4; nobody there is nobody lost."""
    as_is = lived(losses=[[8.0, 12.0]] * 8, start=100.0)
    assert of("churn", as_is=as_is) == pytest.approx(1 - 0.9**4)
    assert of("churn", as_is=lived(losses=0.0, start=0.0)) == 0.0


def test_the_engagement_link_reads_the_second_year_of_the_firm_that_is_pushed() -> None:
    as_is = lived(engagement=0.2, satisfaction=0.1)
    more = lived(
        engagement=[[0.9, 0.9]] * 4 + [[0.6, 0.2]] * 4,
        satisfaction=[[0.9, 0.9]] * 4 + [[0.2, 0.7]] * 4,
    )
    assert of("engagement_link", as_is=as_is, engagement=more) == pytest.approx(0.25)
    assert np.isnan(of("engagement_link", as_is=as_is, engagement=as_is))


def test_double_jeopardy_is_1_where_leaving_is_proportional_to_1_minus_share() -> None:
    """Shares .75 and .25; a tenth and three tenths leave."""
    start = [[75.0, 25.0]] * 8
    dirichlet = lived(start=start, losses=[[7.5, 7.5]] * 8)
    assert of("double_jeopardy", as_is=dirichlet) == pytest.approx(1.0)
    alike = lived(start=start, losses=[[7.5, 2.5]] * 8)
    assert of("double_jeopardy", as_is=alike) == pytest.approx(0.0, abs=1e-12)


def test_praise_in_proportion_to_share_is_1_and_even_criticism_is_flatter_by_1() -> None:
    market = lived(start=[[80.0, 20.0]] * 8, praise=[[40.0, 10.0]] * 8, criticism=3.0)
    assert of("praise_by_share", as_is=market) == pytest.approx(1.0)
    assert of("criticism_flatter", as_is=market) == pytest.approx(1.0)
    swapped = replace(market, criticism=market.praise)
    assert of("criticism_flatter", as_is=swapped) == pytest.approx(0.0, abs=1e-12)


# ---- the fit ------------------------------------------------------------------------------------

SIZE = Parameter("salience_per_message", 0.05, 5.0, 2.0)
SHIFT = Parameter("none_utility", -4.0, 4.0, 1.0)
KEYS = ("churn", "talk_ratio", "talk_volume")
LUCK = np.random.default_rng(7).normal(0.0, 0.05, (20, 3))
TRUE = {"salience_per_message": 0.8, "none_utility": -1.5}


def synthetic(point: Mapping[str, float]) -> np.ndarray:
    """Return three measures that only the true values bring to their aims."""
    a, b = point["salience_per_message"], point["none_utility"]
    return np.array([a * np.exp(b), a**2 + b, a - b])


def aims(at: Mapping[str, float] = TRUE, weights: Sequence[float] = (1, 1, 1)) -> list[Target]:
    return [
        Target(key, float(v), float(v) - 0.5, float(v) + 0.5, w, "made up")
        for key, v, w in zip(KEYS, synthetic(at), weights, strict=True)
    ]


def fitted(targets: Sequence[Target], luck: np.ndarray = LUCK, **how: float) -> Fit:
    def measure(points: Sequence[Mapping[str, float]]) -> np.ndarray:
        return np.stack([synthetic(p) + luck for p in points])[:, :, : len(targets)]

    start = {"salience_per_message": 2.0, "none_utility": 1.0}
    return fit(measure, [SIZE, SHIFT], targets, start, **{"step": 0.02, "rounds": 50, **how})


def test_known_parameters_are_recovered_without_luck_and_within_their_errors_with_it() -> None:
    found = fitted(aims(), np.zeros_like(LUCK))
    assert found.values == pytest.approx(tuple(TRUE.values()), rel=2e-3)
    assert found.settled
    assert not any(found.at_bound)
    found = fitted(aims())
    errors = np.array(found.by_luck)
    missed = [np.log(found.values[0] / 0.8), (found.values[1] + 1.5) / 8.0]
    assert (np.abs(missed) < 3 * errors).all()
    assert (errors > 0).all()


def test_errors_by_luck_are_those_that_other_luck_shows() -> None:
    """Refitted on 60 other sets of luck, the estimates scatter as the error says."""
    scatter = []
    for seed in range(60):
        luck = np.random.default_rng(seed).normal(0.0, 0.05, (20, 3))
        scatter.append(np.log(fitted(aims(), luck).values[0]))
    assert fitted(aims()).by_luck[0] == pytest.approx(np.std(scatter), rel=0.35)


def test_a_fit_does_not_depend_on_anything_but_its_input() -> None:
    one, two = fitted(aims()), fitted(aims())
    assert one.values == two.values
    assert one.rounds == two.rounds


def test_a_target_beyond_reach_drives_a_parameter_to_its_bound() -> None:
    found = fitted(aims({"salience_per_message": 0.8, "none_utility": -9.0}))
    assert found.values[1] == pytest.approx(-4.0, abs=0.05)
    assert found.at_bound[1]
    assert np.isnan(found.by_luck[1])


def test_what_no_target_fixes_is_a_direction_without_strength() -> None:
    """One target, a exp(b): it rises with ln a as with b, eight of which are one in scale."""
    found = fitted(aims()[:1], LUCK)
    assert len(found.strength) == 1
    along = found.directions[0] * found.strength[0]
    assert along[1] == pytest.approx(8 * along[0], rel=0.02)


def test_what_no_target_fixes_stays_at_the_start() -> None:
    """Two parameters, one target: the fit moves along the slopes only, wherever it can."""

    def measure(points: Sequence[Mapping[str, float]]) -> np.ndarray:
        rows = [[[np.log(p["salience_per_message"])]] for p in points]
        return np.array(rows) + LUCK[:, :1]

    target = Target("churn", 0.0, -0.5, 0.5, 1.0, "made up")
    start = {"salience_per_message": 2.0, "none_utility": 1.0}
    how = {"step": 0.1, "rounds": 20}
    found = fit(measure, [SIZE, SHIFT], [target], start, stay=0.5, **how)
    assert found.values[1] == pytest.approx(1.0)
    assert found.fixed[1] == pytest.approx(0.0, abs=1e-9)
    half = np.log(100) / 2  # between the bounds of size
    prior, data = (0.5 / half) ** 2, (1 / 0.5) ** 2
    assert found.fixed[0] == pytest.approx(data / (data + prior))
    weighed = (np.log(2.0) * prior - LUCK[:, 0].mean() * data) / (data + prior)
    assert np.log(found.values[0]) == pytest.approx(weighed, abs=1e-4)
    assert found.by_range[0] == pytest.approx((data + prior) ** -0.5)


def test_favouring_a_target_brings_it_nearer_at_the_others_cost() -> None:
    at_odds = [replace(aims()[0], value=aims()[0].value + 0.1), *aims()[1:]]
    found = fitted(at_odds, np.zeros_like(LUCK))
    values = favouring(found, [SIZE, SHIFT], TRUE, 0, 10.0)
    before, after = (
        np.abs(synthetic(dict(zip(TRUE, v, strict=True))) - [t.value for t in at_odds])
        for v in (found.values, values)
    )
    assert after[0] < 0.5 * before[0]
    assert after[1:].sum() > before[1:].sum()


def test_rounding_keeps_to_the_bounds() -> None:
    assert rounded(0.012345, Parameter("anchor", 0.001, 1.0, 0.02), 2) == 0.012
    assert rounded(0.0996, Parameter("anchor", 0.001, 0.0998, 0.02), 2) == 0.0998


# ---- runs ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference() -> Settings:
    return load(["scenario=reference", *FEW])


def as_is(scenario: Scenario) -> Arm:
    plan = Plan.nothing(len(scenario.mechanisms), scenario.quarters)
    return Arm("as_is", "as is", plan, open_gates(len(scenario.firms)))


def test_what_is_noted_of_a_run_is_what_its_indicators_say(reference: Settings) -> None:
    scenario = reference.scenario
    (seen,) = live(scenario, [as_is(scenario)], 3, 1)
    history = simulate(scenario, [as_is(scenario)], 3, 1)
    row = kpis.INDEX

    def ours(key: str) -> np.ndarray:
        return history.kpi[1:, row[key], 0]

    assert seen.adds[:, 0].tolist() == ours("gross_adds").tolist()
    assert 1 - seen.losses[:, 0] / seen.start[:, 0] == pytest.approx(ours("retention"))
    assert seen.satisfaction[:, 0] == pytest.approx(ours("satisfaction"))
    assert seen.engagement[:, 0] == pytest.approx(ours("engagement"))
    assert seen.impressions.tolist() == [[1.0, 1.0, 1.0]] * 8
    tied = history.measures[1:, kpis.MEASURES.index("tied"), 0, :, 0] * 500
    assert seen.tied == pytest.approx(tied)
    voices = history.measures[1:, kpis.MEASURES.index("negative_voices"), 0, :, 0] * 500
    assert seen.criticism == pytest.approx(voices)
    assert seen.start[1:].tolist() == seen.tied[:-1].tolist()


def test_arms_are_pushed_and_muted_as_the_measures_say(reference: Settings) -> None:
    scenario, asked = reference.scenario, reference.calibration
    names = ("advertising_long", "talk_share")
    points = [{}, {"switching_cost": 2.0}]
    replication, told, values, _ = measured(asked, scenario, points, names, 1)
    assert (replication, told) == (1, names)
    base = as_is(scenario)
    silent = base.gates.copy()
    silent[1, 0] = 0.0
    arms = [
        base,
        replace(base, key="pushed", nudges=(Nudge(0.5, lever="impressions"),)),
        replace(base, key="silent", gates=silent),
    ]
    adds = simulate(scenario, arms, asked.seed, 1).kpi[1:, kpis.INDEX["gross_adds"]]
    assert values[0] == pytest.approx(
        [
            np.log(adds[4:, 1].sum() / adds[4:, 0].sum()) / np.log(1.5),
            1 - adds[:, 2].sum() / adds[:, 0].sum(),
        ]
    )
    assert (values[1] != values[0]).all()


def test_the_firms_of_the_reference_market_are_alike(reference: Settings) -> None:
    first, *others = reference.scenario.firms
    assert len(others) == 2
    for other in others:
        assert replace(other, key=first.key, label=first.label) == first


def test_the_reference_market_has_the_default_physics(reference: Settings) -> None:
    assert reference.scenario.physics == load(["physics=defaults"]).scenario.physics
    assert reference.scenario.quarters == 8


def test_the_shipped_defaults_are_those_of_the_page() -> None:
    page = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines()]
    fitted = {row[0]: float(row[5].split()[0]) for row in rows if row and row[0] in FITTABLE}
    asked = load(["physics=defaults", "calibration=defaults"])
    assert set(fitted) == {parameter.key for parameter in asked.calibration.parameters}
    for key, value in fitted.items():
        assert getattr(asked.scenario.physics, key) == value


@pytest.fixture(scope="module")
def folder(mine: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A calibration on very little."""
    path = tmp_path_factory.mktemp("calibration") / "small"
    assert cli.main([*mine, "--jobs", "1", "--out", str(path)]) == 0
    return path


def test_jobs_change_no_byte_and_the_page_tells_everything(
    mine: list[str], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    assert cli.main([*mine, "--jobs", "2", "--markdown", "--out", str(other)]) == 0
    names = sorted(path.name for path in folder.glob("*.csv"))
    assert len(names) == 6
    for name in names:
        assert (other / name).read_bytes() == (folder / name).read_bytes()
    page = capsys.readouterr().out
    for key, target in yaml.safe_load(MINE)["targets"].items():
        measure = MEASURES[key]
        assert all(text in page for text in (measure.label, measure.meaning, target["source"]))
    for parameter in pd.read_csv(folder / "parameters.csv").itertuples():
        assert f"| {parameter.parameter} | {parameter.unit} |" in page
        assert f"{parameter.rounded:g}" in page
    assert "nan" not in page


def test_the_fitted_physics_can_be_used_as_it_lies(folder: Path) -> None:
    made = load(["scenario=reference", "physics=fitted"], folder / "configs").scenario.physics
    table = pd.read_csv(folder / "parameters.csv").set_index("parameter")
    for key, value in table["rounded"].items():
        assert getattr(made, str(key)) == pytest.approx(value)
    written = yaml.safe_load((folder / "configs" / "physics" / "fitted.yaml").read_text())
    assert set(written) == {"defaults", *table.index}


def test_the_fitted_physics_holds_what_it_was_fitted_beside(tmp_path: Path) -> None:
    village = load(["scenario=village"]).scenario.physics
    outcome = judged_at({})
    fitted = dict(zip(KEYS_FITTED, outcome.rounded, strict=True))
    found = replace(outcome, beside=cli_calibrate._beside(village, fitted))
    assert "loss_aversion" not in found.beside
    (tmp_path / "physics").mkdir()
    text = calibration_words.physics_yaml(found, "influence calibrate defaults physics=village")
    (tmp_path / "physics" / "fitted.yaml").write_text(text, encoding="utf-8")
    made = load(["scenario=reference", "physics=fitted"], tmp_path).scenario.physics
    assert made == replace(village, **fitted)
    assert made.trust_gain == 0.25


def test_the_hint_how_to_use_a_fit_names_one_folder_of_settings_only(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert f"--config-dir {out / 'configs'} physics=fitted" in cli_calibrate._use(out, None)
    own = cli_calibrate._use(out, tmp_path / "own")
    assert own.count("--config-dir") == 1
    assert f"copy it to {tmp_path / 'own' / 'physics' / 'fitted.yaml'}" in own
    assert f"--config-dir {tmp_path / 'own'} physics=fitted" in own


# ---- what is said of it -------------------------------------------------------------------------

KEYS_FITTED = tuple(load().calibration.parameters[i].key for i in range(7))


def judged_at(fresh: Mapping[str, float], off: Sequence[float] = (0.0,) * 7) -> Outcome:
    """Return a calibration that met all aims on fresh luck but those given; `off` on the other."""
    asked = load().calibration
    means = np.array([fresh.get(t.key, t.value) for t in asked.targets])
    judged = np.stack([means, means])[:, None, :] + np.zeros((2, asked.fresh, 1))
    judged[0] += 1.0
    start = tuple(p.start for p in asked.parameters)
    none, loose = (0.1,) * 7, np.eye(7)
    rounds = (Round(start, 23.5, none), Round(start, float((np.array(off) ** 2).sum()), none))
    done = Fit(start, none, none, none, (False,) * 7, 0.5 * loose, np.array(off), 0.5 * none[0]
               * np.ones(7), loose, rounds, True)  # fmt: skip
    return Outcome("defaults", asked, done, start, start, (), judged, {})


def test_misses_are_judged_on_fresh_luck_whatever_the_luck_fitted_on_says() -> None:
    """Ratio of talk 3.9, aim 3, half a range of .75: 1.2; share of adds .24, aim .19, .1: 0.5."""
    outcome = judged_at({"talk_ratio": 3.9, "talk_share": 0.25, "churn": 0.21}, [2.0] + [0.0] * 6)
    by_key = {t.key: t for t in outcome.calibration.targets}
    assert outcome.miss(1, by_key["talk_ratio"]) == pytest.approx(1.2)
    assert outcome.misfit(1) == pytest.approx(1.2**2 + 0.6**2 + 0.1**2)
    assert [t.key for t in outcome.far()] == ["talk_ratio", "talk_share"]
    told = calibration_words.fit_in_words(outcome)
    assert "fell from 23.50 to 4.00 on the luck that was fitted on" in told
    assert f"{outcome.misfit(0):.2f} at the start and 1.81 at the fit" in told
    assert outcome.misfit(0) > outcome.misfit(1)
    said = " ".join(calibration_words.met_in_words(outcome))
    assert "negative word of mouth (+1.20) and share of gross adds" in said
    start = {p.key: p.start for p in outcome.calibration.parameters}
    favours = cli_calibrate._favours(outcome, start)
    assert [favour.target for favour in favours] == ["talk_ratio", "talk_share"]
    # Only loss_aversion moves the fifth target here, by half a unit for each of its own.
    assert favours[0].values[4] < 0.8 * start["loss_aversion"]


def test_how_far_a_parameter_moved_is_a_share_of_the_way_to_its_bound() -> None:
    assert moved(SIZE, 2.0) == 0.0
    assert moved(SIZE, 0.05) == pytest.approx(-1.0)
    assert moved(SIZE, 10**0.5) == pytest.approx(0.5)  # half way from 2 to 5, as logarithms
    assert moved(SHIFT, 2.5) == pytest.approx(0.5)
    assert moved(SHIFT, -1.5) == pytest.approx(-0.5)
    outcome = judged_at({})
    values = (*outcome.rounded[:1], 0.0027, *outcome.rounded[2:])
    rows = calibration_words.parameter_rows(replace(outcome, rounded=values))
    column = rows[0].index("moved")
    assert [row[column] for row in rows[1:4]] == ["not", "56\u00a0% down", "not"]
    said = " ".join(calibration_words.fixed_in_words(outcome))
    assert "Hardly fixed by any target, so that where the fit put it owes much" in said


def test_the_source_of_a_fitted_default_is_the_page_of_the_calibration() -> None:
    rows = {row.path: row for row in listing("physics.*", ["physics=defaults"])}
    for key in KEYS_FITTED:
        row = rows[f"physics.{key}"]
        assert row.source.startswith(("calibrated, docs/calib", "calibrated (hardly fixed), docs"))


def test_more_churn_is_reached_by_a_lower_switching_cost(folder: Path) -> None:
    """What is judged is the rounded fit, on luck that the fit has not seen."""
    table = pd.read_csv(folder / "parameters.csv").set_index("parameter")
    assert table.loc["switching_cost", "rounded"] < 0.8 * table.loc["switching_cost", "start"]
    judged = pd.read_csv(folder / "targets.csv").query("target == 'churn'").set_index("point")
    assert judged.loc["start", "mean"] < 0.35
    assert judged.loc["fitted", "mean"] == pytest.approx(0.6, abs=0.1)
    assert judged["n"].tolist() == [3] * len(judged)
    first = pd.read_csv(folder / "rounds.csv").iloc[0]
    assert first["measured_churn"] != judged.loc["start", "mean"]


def test_calibrations_are_listed_and_told_without_running(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["calibrate"]) == 0
    assert "defaults" in capsys.readouterr().out
    assert cli.main(["calibrate", "defaults", *FEW, "--dry-run", "--jobs", "1"]) == 0
    told = capsys.readouterr().out
    assert "nothing was written" in told
    assert re.search(r"at most about [\d.]+ (s|min|h) with --jobs 1", told)


def test_a_calibration_that_is_interrupted_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_calibrate, "conducted", stopped)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["calibrate", "defaults"]) == 130
    assert cli.main(["calibrate", "defaults", "--out", "mine"]) == 130
    assert "nothing is kept" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_seed_and_replications_are_those_of_the_calibration() -> None:
    words = ["calibrate", "defaults", "replications=3", "seed=5", "physics.anchor=0.03"]
    asked, scenarios = cli_calibrate.asked_for(cli.parse(words))
    assert (asked.replications, asked.seed) == (3, 5)
    assert {scenario.physics.anchor for scenario in scenarios.values()} == {0.03}
    asked, _ = cli_calibrate.asked_for(cli.parse(["calibrate", "defaults", "--seed", "6"]))
    assert (asked.replications, asked.seed) == (load().calibration.replications, 6)


# ---- the door -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("calibration.parameters.anker={low: 0, high: 1, start: 0}", "mean 'anchor'"),
        ("calibration.parameters.patience={low: 1, high: 2, start: 1}", "patience.*unknown"),
        ("calibration.parameters.anchor={low: 2, high: 1, start: 1}", "low=2 must be below high=1"),
        ("calibration.parameters.anchor={low: 0, high: 11, start: 0}", r"high=11 is out.*10\]"),
        ("calibration.parameters.loss_aversion.start=0.5", "start=0.5 must lie between low=1"),
        ("calibration.targets.churnn={value: 1, low: 0, high: 2, weight: 1, source: x}",
         "did you mean 'churn'"),
        ("calibration.targets.churn.low=0.25", "value=0.2 must lie between low=0.25"),
        ("calibration.targets.churn.weight=-1", "weight"),
        ("calibration.markets.unequall={settings: []}", "unequall.*did you mean 'unequal'"),
        ("calibration.pushes.talk.lever=talk_rat", "did you mean 'talk_rate'"),
        ("calibration.replications=1", "from 2 to"),
        ("calibration.parametrs={}", "did you mean 'parameters'"),
        ("calibration=default", "did you mean 'defaults'"),
    ],
)  # fmt: skip
def test_bad_settings_of_a_calibration_are_refused(override: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load([override])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["defalts"], "did you mean 'defaults'"),
        (["defaults", "quarters=4"], "quarters=4: the measures are those of two years"),
        (["defaults", "calibration=defaults"], "name it as in `influence calibrate defaults`"),
        (["defaults", "competitors.second.pric=2"], "did you mean 'price'"),
        (["defaults", "calibration.pushes.talk.firm=nobody"], "nobody"),
        (["defaults", "--out", "{tmp}"], "holds something else"),
        (["defaults", "--job", "2"], "did you mean '--jobs'"),
        (["defaults", "--out", "{tmp}/mine.txt/x"], "no folder that can be written in"),
        (["defaults", "replications=1"], "replications=1"),
        (["defaults", "replications=3", "calibration.replications=4"], "are the same: keep one"),
        (["defaults", "--seed", "3", "calibration.seed=4"], "are the same: keep one"),
        (["defaults", "physics.loss_aversion=2.4"],
         "calibration.parameters.loss_aversion.start=2.4"),
        (["defaults", "calibration.markets.unequal.settings=['scenario=reference',"
          "'physics=village']"],
         "unequal: its physics must be that of the other market"),
        (["defaults", "calibration.markets.equal.settings=['scenario=reference','twins=all']"],
         "calibration.markets.equal.settings: twins=all: a calibration does not read twins"),
        *((["defaults", text], f"{text}: a calibration does not read {text.split('=')[0]}")
          for text in ("portfolios=[as_is]", "baseline=as_is", "planned_cost=3", "headline=[trust]",
                       "twins=all", "ledger=all", "shapley=true", "designs=[silos]", "lanes=4",
                       "governances=[a]", "pushes={}", "experiment=map", "lesson=null")),
        (["defaults", "experiment.label=x"], "does not read experiment"),
        (["portfolios=[as_is]"], "name the calibration it is for"),
    ],
)  # fmt: skip
def test_the_command_refuses_what_it_cannot_use(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert cli.main(["calibrate", *(w.replace("{tmp}", str(tmp_path)) for w in words)]) == 2
    assert said in capsys.readouterr().err


def test_a_market_in_which_too_little_happens_is_refused(
    mine: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*mine, "stakeholders.customers.opportunity=0", "--jobs", "1"]
    assert cli.main([*words, "--out", str(tmp_path / "x")]) == 2
    assert "has no value in replication 0" in capsys.readouterr().err
