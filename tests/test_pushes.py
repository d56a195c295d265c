"""Arms that push the baseline: lessons name them, and nothing that is for sale is among them."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from experiments import cli, designs
from experiments.settings import SettingsError, load
from sim.plans import Nudge

LESSON = """# @package _global_
defaults:
  - override /scenario: village
experiment: {key: small, label: Small, question: "Do neighbours count?"}
baseline: as_is
portfolios: [as_is, product_excellence]
planned_cost: 2500   # euro; assumption
replications: 3      # replications; convention
quarters: 2          # quarters; convention
warm_up: 1           # quarters; convention
twins: none
pushes:
  heard:
    label: Those who are heard
    nudges:
      - {state: attitude, by: 0.5, to: [customers], whom: reach, share: 0.1, once: true}
      - {lever: quality, by: 0.1}
  alike:
    label: Flow 2 muted
    nudges: []
    muted: 2
lesson:
  number: 91
  title: Neighbours count
  idea: They are heard.
  predict: {question: "Do they?", choices: [they do, they do not]}
  claims:
    - {arm: heard, against: as_is, kpi: net_sentiment, quarter: 2, sign: 1}
    - {arm: heard, against: product_excellence, kpi: trust, quarter: 2, sign: -1}
  see: Talk.
  otherwise:
    why: There is but one quarter.
    settings: [quarters=1]
    claims:
      - {arm: alike, against: heard, kpi: net_sentiment, quarter: 1, sign: -1}
"""


def own(folder: Path, *changes: tuple[str, str]) -> Path:
    text = LESSON
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    target = folder / "mine" / "experiment" / "small.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return folder / "mine"


def test_pushes_are_arms_behind_the_portfolios_with_the_plan_of_the_baseline(
    tmp_path: Path,
) -> None:
    made = load(["experiment=small"], own(tmp_path))
    arms = designs.arms(made.study, made.scenario)
    assert [arm.key for arm in arms] == ["as_is", "product_excellence", "heard", "alike"]
    assert arms[2].nudges == (
        Nudge(0.5, state="attitude", to=("households",), whom="reach", share=0.1, once=True),
        Nudge(0.1, lever="quality"),
    )
    assert not arms[2].plan.effort.any()
    assert (arms[2].gates == 1).all()
    assert not (arms[3].gates == 1).all()
    assert made.study.labels["heard"] == "Those who are heard"


def test_as_shipped_nothing_is_pushed() -> None:
    assert load(["scenario=village"]).study.pushes == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("to: [customers]", "to: [custmers]", "pushes.heard.nudges.0.to.*did you mean 'customers'"),
        ("to: [customers]", "to: [channel]", "reaches nobody in this market"),
        ("once: true}", "firm: rival}", "pushes.heard.nudges.0.firm.*did you mean 'rivals'"),
        ("once: true}", "quarter: 3}", "pushes.heard.*beyond the horizon of 2"),
        ("whom: reach", "whom: reech", "did you mean 'reach'"),
        ("state: attitude", "state: atitude", "did you mean 'attitude'"),
        ("share: 0.1", "share: 2", "pushes.heard.nudges.0.share=2"),
        ("whom: reach, share", "share", "no meaning where whom is all"),
        ("lever: quality", "levr: quality", "did you mean 'lever'"),
        ("muted: 2", "muted: 0", "pushes.alike: nudges=.. push nothing"),
        ("  heard:\n", "  Heard!:\n", "must consist of 1 to 64 of a-z"),
        ("  heard:\n", "  bold_promises:\n", "a portfolio is called 'bold_promises'"),
        ("arm: heard", "arm: herd", "did you mean 'heard'"),
        ("arm: alike", "arm: unlike", "did you mean 'alike'"),
        ("twins: none", "twins: first", "twins='first'.*portfolios alone"),
        ("twins: none", "twins: none\nledger: all", "ledger='all'.*portfolios alone"),
        ("twins: none", "twins: none\nshapley: true", "shapley=True.*set shapley=false"),
    ],
)
def test_pushes_that_do_not_fit_are_refused_at_the_door(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    from experiments.cli_lesson import worlds_of

    words = ["lesson", "small", "--config-dir", str(own(tmp_path, (old, new)))]
    with pytest.raises(SettingsError, match=said):
        worlds_of("small", cli.parse(words))


def test_words_cannot_be_traced_without_a_warm_up(tmp_path: Path) -> None:
    folder = own(tmp_path, ("whom: reach", "whom: traced"), ("warm_up: 1 ", "warm_up: 0 "))
    with pytest.raises(SettingsError, match=r"pushes.heard.*set warm_up to 1"):
        load(["experiment=small"], folder)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["compare"], "influence lesson runs them"),
        (["run", "portfolio=product_excellence"], "influence lesson runs them"),
        (["ledger"], "ledger='first'.*portfolios alone"),
        (["map"], "influence lesson runs them"),
        (["explain", "flow=2", "portfolio=product_excellence"], "influence lesson runs them"),
    ],
)
def test_what_is_about_portfolios_refuses_pushes(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [*words, "experiment=small", "--config-dir", str(own(tmp_path))]
    assert cli.main([*asked, "--out", str(tmp_path / "out")]) == 2
    assert re.search(said, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


def test_a_lesson_is_judged_by_its_pushes_and_its_page_ranks_portfolios_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["lesson", "91", "--config-dir", str(own(tmp_path)), "--out", str(tmp_path / "out")]
    assert cli.main([*words, "--jobs", "1", "--quiet"]) == 0
    assert "“Those who are heard” lies above “" in capsys.readouterr().out
    shipped = tmp_path / "out" / "as_shipped"
    table = pd.read_csv(shipped / "tables" / "scorecard.csv")
    assert set(table["arm"]) == {"as_is", "product_excellence", "heard", "alike"}
    wide = table[(table["kpi"] == "net_sentiment") & (table["quarter"] == 2)].pivot(
        index="replication", columns="arm", values="value"
    )
    found = pd.read_csv(tmp_path / "out" / "lesson.csv").iloc[0]
    assert found["mean"] == pytest.approx((wide["heard"] - wide["as_is"]).mean())
    assert found["mean"] != 0
    page = (shipped / "report.html").read_text(encoding="utf-8")
    assert len(re.findall("Those who are heard", page)) == 1
    assert "cannot be bought" in page


def test_a_dry_run_of_a_lesson_says_what_is_pushed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["lesson", "91", "--config-dir", str(own(tmp_path)), "--dry-run", "--quiet"]
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert "heard  pushed: attitude of the 10 % of households who are heard by most" in said
    assert "alike  pushed: flow 2 muted" in said
