"""Lessons: their settings fit, verdicts follow intervals, and one runs from question to table."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments import cli, cli_lesson, cli_lesson_words, designs, lessons, shape
from experiments.analysis import Cube
from experiments.lessons import HOLDS, OPEN, OPPOSITE, SMALLER, VERDICTS, Claim
from experiments.notation import Shown
from experiments.settings import SettingsError, load
from experiments.settings_files import read_yaml, shipped_dir
from sim import kpis
from sim.arms import funder
from sim.scorecard import Target

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "lessons.md").read_text(encoding="utf-8")
SHELF = cli_lesson.shelf_of(None)
SMALL = """# @package _global_
defaults:
  - override /scenario: village
experiment: {key: small, label: Small, question: "Does bread or a claim win?"}
baseline: as_is
portfolios: [as_is, product_excellence, bold_promises]
planned_cost: 2500   # euro; assumption
replications: 3      # replications; convention
quarters: 2          # quarters; convention
warm_up: 0           # quarters; convention
twins: none
lesson:
  number: 90
  title: Bread beats words
  idea: Bread is met every day. Words are heard once.
  predict: {question: "Which one?", choices: [bread, words]}
  claims:
    - {arm: bold_promises, against: product_excellence, kpi: trust, quarter: 2, sign: -1}
  see: Trust.
  otherwise:
    why: There is but one quarter.
    settings: [quarters=1]
    claims:
      - {arm: bold_promises, against: product_excellence, kpi: trust, quarter: 1, sign: -1}
"""


def cube(ours: list[float], theirs: list[float], kpi: str = "market_share") -> Cube:
    """Return a cube of two arms, one indicator and quarters 0 and 1; quarter 0 is 0 for both."""
    values = np.full((2, len(ours), 2, len(kpis.TABLE)), np.nan)
    values[:, :, 0, kpis.INDEX[kpi]] = 0.0
    values[0, :, 1, kpis.INDEX[kpi]] = ours
    values[1, :, 1, kpis.INDEX[kpi]] = theirs
    return Cube(("ours", "theirs"), tuple(range(len(ours))), values)


def claim(sign: int = 1, **changes: object) -> Claim:
    made = Claim("ours", "theirs", "market_share", 1, 1, 0.0)
    return replace(made, **{"sign": sign, **changes})


def own(folder: Path, text: str = SMALL, name: str = "small") -> Path:
    target = folder / "mine" / "experiment" / f"{name}.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return folder / "mine"


@pytest.mark.parametrize(
    ("sign", "beyond", "low", "high", "said"),
    [
        (1, 0.0, 0.1, 0.2, HOLDS),
        (1, 0.0, -0.2, -0.1, OPPOSITE),
        (1, 0.0, -0.1, 0.1, OPEN),
        (-1, 0.0, -0.2, -0.1, HOLDS),
        (-1, 0.0, 0.1, 0.2, OPPOSITE),
        (1, 0.15, 0.1, 0.2, OPEN),
        (1, 0.3, 0.1, 0.2, SMALLER),
        (1, 0.3, 0.1, 0.4, OPEN),
        (1, 0.3, -0.2, -0.1, SMALLER),
        (1, 0.3, -0.4, 0.2, SMALLER),
        (1, 0.3, -0.4, -0.1, OPPOSITE),
        (1, 0.3, -0.5, -0.4, OPPOSITE),
        (1, 0.3, -0.4, 0.4, OPEN),
        (-1, 0.05, -0.2, -0.1, HOLDS),
        (-1, 0.3, -0.2, -0.1, SMALLER),
        (-1, 0.3, 0.1, 0.2, SMALLER),
        (-1, 0.3, 0.1, 0.4, OPPOSITE),
        (0, 0.3, -0.1, 0.2, HOLDS),
        (0, 0.15, -0.1, 0.2, OPEN),
        (0, 0.05, 0.1, 0.2, OPPOSITE),
        (0, 0.05, -0.2, -0.1, OPPOSITE),
        (1, 0.0, float("nan"), float("nan"), OPEN),
    ],
)
def test_a_verdict_follows_the_whole_interval(
    sign: int, beyond: float, low: float, high: float, said: str
) -> None:
    assert lessons.verdict(sign, beyond, low, high) == said


@pytest.mark.parametrize(
    ("sign", "low", "high", "said"),
    [(1, 0.2, 0.4, HOLDS), (1, 0.02, 0.04, OPPOSITE), (-1, 0.02, 0.04, HOLDS),
     (-1, 0.2, 0.4, OPPOSITE), (1, 0.05, 0.2, OPEN)],
)  # fmt: skip
def test_a_share_lies_on_one_side_of_what_is_said_or_on_the_other(
    sign: int, low: float, high: float, said: str
) -> None:
    assert lessons.verdict_on_share(sign, 0.1, low, high) == said


def test_a_fact_of_the_shape_about_a_share_is_no_difference() -> None:
    share = np.array([0.30, 0.31, 0.32, 0.31])
    facts = [shape.Fact(1, "a majority", share, sign, 0.5, shape.SHARE) for sign in (1, -1)]
    facts.append(shape.Fact(1, "within a half", share, 0, 0.5, shape.SHARE))
    assert list(shape.table(facts)["verdict"]) == [OPPOSITE, HOLDS, HOLDS]


def test_a_difference_is_judged_by_pairs_and_not_by_levels() -> None:
    levels = [0.1, 0.5, 0.9, 0.3]
    made = lessons.judge(claim(), cube([v + 0.01 + v / 1e3 for v in levels], levels))
    assert made.verdict == HOLDS
    assert made.mean == pytest.approx(0.01 + np.mean(levels) / 1e3)
    assert lessons.judge(claim(-1), cube(levels, [v - 0.01 - v / 1e3 for v in levels])).verdict == (
        OPPOSITE
    )
    assert lessons.judge(claim(), cube([0.2], [0.1])).verdict == OPEN


def test_what_was_there_before_is_taken_off() -> None:
    made = cube([0.3, 0.3, 0.31], [0.1, 0.1, 0.1])
    made.values[0, :, 0, kpis.INDEX["market_share"]] = 0.4
    assert lessons.judge(claim(), made).mean > 0
    assert lessons.judge(claim(since=0), made).mean == pytest.approx(0.61 / 3 - 0.4, abs=1e-2)
    assert lessons.judge(claim(-1, since=0), made).verdict == HOLDS


@pytest.mark.parametrize(
    ("behind", "sign", "said"),
    [(15, 1, HOLDS), (15, -1, OPPOSITE), (0, -1, OPEN), (0, 1, OPEN), (3, 1, OPEN)],
)
def test_reversals_count_runs_in_which_an_arm_is_not_ahead(
    behind: int, sign: int, said: str
) -> None:
    ours = [-1.0] * behind + [1.0] * (30 - behind)
    made = lessons.judge(claim(sign, measure="reversals", beyond=0.1), cube(ours, [0.0] * 30))
    assert (made.n, made.mean) == (30, pytest.approx(behind / 30))
    assert made.verdict == said


def test_ahead_means_less_where_less_is_better() -> None:
    made = cube([1.0, 2.0], [3.0, 4.0], "backlog_weeks")
    assert lessons.judge(claim(kpi="backlog_weeks", measure="reversals"), made).mean == 0.0


def test_wilsons_interval_is_the_published_one() -> None:
    made = lessons.judge(claim(measure="reversals"), cube([-1.0] * 15 + [1.0] * 133, [0.0] * 148))
    assert (made.low, made.high) == (pytest.approx(0.0624, abs=1e-4), pytest.approx(0.1605, 1e-3))


def test_the_shelf_has_a_dozen_lessons_named_by_number() -> None:
    assert len(SHELF) >= 12
    for number, name in SHELF.items():
        assert name.startswith(f"lesson_{number:02}_")
        assert read_yaml(shipped_dir() / "experiment" / f"{name}.yaml").content["experiment"][
            "key"
        ] == (f"lesson_{number:02}")


@pytest.mark.parametrize("name", SHELF.values())
def test_both_worlds_of_a_lesson_compose_at_equal_cost(name: str) -> None:
    worlds = cli_lesson.worlds_of(name, cli.parse(["lesson", name]))
    for settings in worlds.values():
        arms = designs.arms(settings.study, settings.scenario)
        assert len(arms) <= 6
        free = {settings.study.baseline, *(push.key for push in settings.study.pushes)}
        for a in arms:
            firm = funder(a.firm, settings.scenario, a.key)
            cost = designs.planned_present_value(a.plan, settings.scenario, a.design, firm)
            assert cost == pytest.approx(0 if a.key in free else settings.study.planned_cost), a.key
    shipped, other = worlds["as_shipped"], worlds["otherwise"]
    differ = [
        (each.scenario, each.study.designs, each.study.governances) for each in (shipped, other)
    ]
    assert differ[0] != differ[1]
    assert shipped.study.planned_cost == other.study.planned_cost


@pytest.mark.parametrize(
    ("number", "rules"),
    [
        (6, ("as_planned", "impatient_board")),
        (8, ("single_loop", "low_maturity")),
        (14, ("as_planned", "single_loop", "double_loop")),
        (15, ("as_planned", "goodhart")),
    ],
)
def test_lessons_about_management_change_nothing_but_management(
    number: int, rules: tuple[str, ...]
) -> None:
    settings = load([f"experiment={SHELF[number]}"])
    study, lesson = settings.study, settings.lesson
    assert lesson is not None
    arms = {arm.key: arm for arm in designs.arms(study, settings.scenario)}
    managed = {key: arm for key, arm in arms.items() if arm.governance is not None}
    assert tuple(rule.key for rule in study.governances) == rules
    assert len(managed) == len(arms) - 1
    for key, arm in managed.items():
        twin = arms[designs.managed_alike(study)[key]]
        assert np.array_equal(arm.plan.effort, twin.plan.effort)
        assert np.array_equal(arm.plan.investment, twin.plan.investment)
        assert (arm.design, arm.goals) == (twin.design, twin.goals)
    said = [c for c in lesson.claims if {c.arm, c.against} <= {*managed}]
    assert any(c.arm.split("+")[0] == c.against.split("+")[0] for c in said)


def test_the_mirror_world_has_the_same_portfolios_in_other_hands() -> None:
    found = {p.key: p for p in load([f"experiment={SHELF[13]}"]).study.portfolios}
    for verb in ("speak", "listen"):
        ours, theirs = found[f"we_{verb}"], found[f"they_{verb}"]
        assert (ours.firm, theirs.firm) == ("organization", "corvane")
        assert (ours.items, ours.capital) == (theirs.items, theirs.capital)


@pytest.mark.parametrize("name", SHELF.values())
def test_the_page_of_lessons_says_what_the_lesson_says(name: str) -> None:
    worlds = cli_lesson.worlds_of(name, cli.parse(["lesson", name]))
    made = cli_lesson_words.Conducted(worlds, {}, 0)
    lesson = made.lesson
    assert f"## {lesson.number}. {lesson.title}\n" in PAGE
    for text in (lesson.idea, lesson.predict.question, lesson.see, lesson.otherwise.why):
        assert text in PAGE
    for world in lessons.WORLDS:
        for said in lesson.of(world):
            assert f"| {cli_lesson_words.claimed(made, world, said)} |" in PAGE


@pytest.mark.parametrize("name", SHELF.values())
def test_each_verdict_on_the_page_follows_from_the_interval_beside_it(name: str) -> None:
    worlds = cli_lesson.worlds_of(name, cli.parse(["lesson", name]))
    made = cli_lesson_words.Conducted(worlds, {}, 0)
    lesson = made.lesson
    rows = rows_of(PAGE.split(f"## {lesson.number}. ")[1].split("\n## ")[0])
    claims = [(world, said) for world in lessons.WORLDS for said in lesson.of(world)]
    assert len(rows) == len(claims)
    told: dict[str, list[lessons.Finding]] = {world: [] for world in lessons.WORLDS}
    for (world, said), (where, words, found, n, verdict) in zip(claims, rows, strict=True):
        assert where == world.replace("_", " ")
        assert words == cli_lesson_words.claimed(made, world, said)
        ends, look = printed(found, said, made.currency(world))
        assert verdict in allowed(ends, look, said), (words, found)
        told[world].append(lessons.Finding(said, int(n), *ends, verdict))
        assert int(n) == worlds[world].study.replications
    tallies = " | ".join(cli_lesson_words._tally(told[world]) for world in lessons.WORLDS)
    assert f"| {lesson.number}. {lesson.title} | {tallies} |\n" in PAGE


def test_each_verdict_on_the_shape_follows_from_the_interval_beside_it() -> None:
    rows = rows_of(PAGE.split("## The shape of a transformation")[1])
    values = np.ones((2, 2, shape.QUARTERS + 1, len(kpis.TABLE)))
    board = load(["scenario=village"]).board
    facts = shape.facts(Cube(("a", "b"), (0, 1), values), "a", "b", board, np.ones(2))
    for fact, (number, says, found, _, verdict) in zip(facts, rows, strict=True):
        assert (number, says) == (str(fact.number), fact.says)
        assert found.endswith(fact.unit.unit)
        by = lessons.verdict_on_share if fact.sign else lessons.verdict
        ends = numbers(found)
        around = [[(end + step) / fact.unit.factor for step in steps(fact.unit)] for end in ends]
        assert verdict in {
            by(fact.sign, fact.beyond, *both) for both in itertools.product(*around[1:])
        }


def rows_of(part: str) -> list[list[str]]:
    """Return the cells of a table's rows below its head."""
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in lines[2:]]


def numbers(found: str) -> list[float]:
    """Return mean, low and high as they are printed."""
    matched = re.match(r"(\S+) \((\S+) to (\S+)\) ", found)
    assert matched is not None, found
    return [float(text.replace("\u2212", "-").replace(",", "")) for text in matched.groups()]


def steps(look: Shown) -> tuple[float, float]:
    """Return how far a number may lie from what rounding left of it."""
    half = 0.5 * 10.0**-look.decimals
    return -half, half


def printed(found: str, said: Claim, currency: str) -> tuple[list[float], Shown]:
    """Return mean, low and high of a row in the indicator's own unit, and how they are shown.

    What is shown depends on their size, so that the size is looked for that shows them so.
    """
    for power in range(-6, 9):
        mean, low, high = (value * 10.0**power for value in numbers(found))
        guess = lessons.Finding(said, 0, mean, low, high, "")
        if lessons.found(guess, currency) == found:
            return [mean, low, high], lessons.how(said, currency, guess)
    raise AssertionError(f"nothing is shown as {found}")


def allowed(ends: list[float], look: Shown, said: Claim) -> set[str]:
    """Return the verdicts that an interval can have of which rounded ends are known."""
    around = [[end + step / look.factor for step in steps(look)] for end in ends[1:]]
    return {lessons._judged(said, 0, ends[0], *both).verdict for both in itertools.product(*around)}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("arm: bold_promises", "arm: bold_promise", "did you mean 'bold_promises'"),
        ("kpi: trust", "kpi: thrust", "did you mean 'trust'"),
        ("quarter: 2,", "quarter: 3,", "beyond the horizon of 2"),
        ("choices: [bread, words]", "choices: [bread]", "give 2 to 4"),
        ("settings: [quarters=1]", "settings: [quarter=1]", "did you mean 'quarters'"),
        ("settings: [quarters=1]", "settings: []", "at least one key=value"),
        ("sign: -1", "sign: 0", "how alike"),
        ("sign: -1", "sign: 2", "from -1 to 1"),
        ("sign: -1", "sign: -1, since: 2", "before quarter 2"),
        ("sign: -1", "sign: -1, measure: reversal", "did you mean 'reversals'"),
        ("against: product_excellence", "against: bold_promises", "with another one"),
        ("see: Trust.", "sea: Trust.", "did you mean 'see'"),
    ],
)
def test_a_lesson_that_does_not_fit_is_refused_at_the_door(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    folder = own(tmp_path, SMALL.replace(old, new, 1))
    with pytest.raises(SettingsError, match=re.escape(said)) as refused:
        load(["experiment=small"], folder)
    assert "lesson." in str(refused.value)


def test_what_is_claimed_of_the_other_world_is_checked_in_it(tmp_path: Path) -> None:
    folder = own(tmp_path, SMALL.replace("quarter: 1, sign", "quarter: 2, sign"))
    options = cli.parse(["lesson", "90", "--config-dir", str(folder)])
    with pytest.raises(SettingsError, match=r"otherwise\.claims\.0\.quarter=2"):
        cli_lesson.worlds_of("small", options)


def test_two_lessons_of_one_number_are_refused(tmp_path: Path) -> None:
    own(tmp_path, SMALL, "twin")
    with pytest.raises(SettingsError, match=r"number=90 is that of small"):
        cli_lesson.shelf_of(own(tmp_path))


def test_a_lesson_composes_like_any_other_experiment(tmp_path: Path) -> None:
    made = load(["experiment=small", "seed=7"], own(tmp_path))
    assert made.lesson is not None
    assert (made.study.seed, made.lesson.number) == (7, 90)
    assert load(["scenario=village"]).lesson is None


def test_lessons_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lesson"]) == 0
    said = capsys.readouterr().out
    for number, name in SHELF.items():
        assert re.search(rf"^ ?{number}  ", said, re.M)
        assert f"experiment={name}" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["99"], "there are 1, 2"),
        (["lesson_01_listening_beat_loudness"], "did you mean 'lesson_01_listening_beats_loudness"),
        (["1", "--markdown"], "lesson all"),
        (["1", "lesson=null"], "teaches nothing"),
        (["1", "--asks"], "did you mean '--ask'"),
    ],
)
def test_an_unusable_call_is_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["lesson", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_lesson_runs_from_question_to_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["lesson", "90", "--config-dir", str(own(tmp_path)), "--out", str(tmp_path / "out")]
    assert cli.main([*words, "--jobs", "1", "--quiet"]) == 0
    said = capsys.readouterr().out
    assert said.index("a) bread") < said.index("As shipped") < said.index("Otherwise (quarters=1)")
    found = pd.read_csv(tmp_path / "out" / "lesson.csv")
    assert list(found.columns) == lessons.COLUMNS
    assert list(found["world"]) == ["as_shipped", "otherwise"]
    assert set(found["verdict"]) <= set(VERDICTS)
    assert all(verdict.upper() in said for verdict in found["verdict"])
    for world, row in zip(("as_shipped", "otherwise"), found.itertuples(), strict=True):
        assert (tmp_path / "out" / world / "report.html").exists()
        table = pd.read_csv(tmp_path / "out" / world / "tables" / "scorecard.csv")
        table = table[(table["kpi"] == "trust") & (table["quarter"] == row.quarter)]
        wide = table.pivot(index="replication", columns="arm", values="value")
        gap = wide["bold_promises"] - wide["product_excellence"]
        assert row.mean == pytest.approx(gap.mean())
        assert row.n == 3


def test_an_answer_is_asked_for_until_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = load(["experiment=lesson_01_listening_beats_loudness"]).lesson
    assert lesson is not None
    typed = iter(["", "z", "B "])
    monkeypatch.setattr("builtins.input", lambda _: next(typed))
    assert cli_lesson.answered(lesson) == lesson.predict.choices[1]


# ---- the shape of a transformation ---------------------------------------------------------------


def test_pairs_of_different_worlds_are_counted() -> None:
    ours, others = np.array([1.0, 5.0, 3.0, 2.0]), np.array([4.0, 0.0, 2.5, 1.5])
    pairs = [ours[i] < others[j] for i in range(4) for j in range(4) if i != j]
    assert shape.pseudo_values(ours, others).mean() == pytest.approx(np.mean(pairs))


def test_red_lights_are_those_of_the_scorecard() -> None:
    target = Target("trust", "be trusted", "value", 0.8, 0.5, "opening", 1, 1.0, 0.0)
    board = replace(load(["scenario=village"]).board, targets=(target,))
    values = np.full((2, 2, 3, len(kpis.TABLE)), np.nan)
    values[:, :, :, kpis.INDEX["trust"]] = 0.9
    values[0, 1, 2, kpis.INDEX["trust"]] = 0.1
    made = Cube(("ours", "theirs"), (0, 1), values)
    assert shape.red_lights(made, "ours", board, "theirs").tolist() == [[0, 0, 0], [0, 0, 1]]
    assert not shape.red_lights(made, "theirs", board, "theirs").any()


def test_the_page_tells_the_shape() -> None:
    facts = PAGE.split("## The shape of a transformation")[1]
    assert len(re.findall(r"^\| [1-5] \|", facts, re.M)) == 11


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([HOLDS], "1 holds"),
        ([HOLDS, OPEN, HOLDS], "2 hold, 1 cannot be told"),
        ([OPPOSITE, HOLDS, OPPOSITE], "1 holds, the opposite of 2 holds"),
        ([SMALLER, HOLDS], "1 holds, 1 is smaller than claimed"),
        ([OPEN, SMALLER, SMALLER], "2 are smaller than claimed, 1 cannot be told"),
    ],
)
def test_verdicts_are_counted_in_good_english(verdicts: list[str], said: str) -> None:
    findings = [lessons.Finding(claim(), 30, 0.0, -1.0, 1.0, verdict) for verdict in verdicts]
    assert cli_lesson_words._tally(findings) == said


def test_an_input_that_ends_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", ended)
    lesson_ = load(["experiment=lesson_08_discipline_first"]).lesson
    assert lesson_ is not None
    assert cli_lesson.answered(lesson_) == ""


# What holds of the shape with room to spare: a majority of passives, more red lights that grow
# fewer, a dip of three quarters, hardly any growth at first and more of it in the third year.
HELD = (0, 2, 3, 4, 7, 8)


def test_what_holds_of_the_shape_holds_when_it_is_measured(tmp_path: Path) -> None:
    out = tmp_path / "shape"
    assert cli.main(["lesson", "shape", "replications=8", "--quiet", "--out", str(out)]) == 0
    found = pd.read_csv(out / "shape.csv")
    verdicts = [found["verdict"][row] for row in HELD]
    assert verdicts == [HOLDS] * len(HELD), found[["says", "mean", "low", "high", "verdict"]]
