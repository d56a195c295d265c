"""Plans in a competitor's hands: who funds, what it costs whom, and that places can be traded."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import synthetic_results
import village

from experiments import cli, designs, report
from experiments.budget import excess
from experiments.report import StudyResults, terminal_summary
from experiments.report_figures import drawings
from experiments.report_findings import find
from experiments.report_words import decision
from experiments.settings import SettingsError, load
from sim.engine import Run, simulate
from sim.organization import Programme
from sim.population import build_world

SHARES = "[{mechanism: brand_advertising, share: 0.6}, {mechanism: co_design, share: 0.4}]"
RIVALS = (
    "portfolio.rival={label: Theirs, description: In other hands., firm: river_street, "
    f"items: {SHARES}}}"
)


def funded(market: object, firm: str = "organization", **efforts: float) -> object:
    made = replace(village.arm(market), plan=village.plan(market, **efforts), firm=firm)
    made.plan.investment[0] = 7.0
    return made


def test_a_plan_in_a_rivals_hands_is_ours_where_the_firms_trade_places() -> None:
    market = village.scenario(quarters=3)
    there = replace(market, firms=market.firms[::-1])
    rival = market.firms[1].key
    one, other = (
        Run(m, (arm,), 5, 0, build_world(m, 5, 0))
        for m, arm in (
            (market, funded(market, rival, advertising=9.0)),
            (there, funded(there, advertising=9.0)),
        )
    )
    for _ in range(3):
        one.advance_quarter()
        other.advance_quarter()
    assert one.firms.effort[1, 0, 0] == one.firms.effort[0, 0, 0] + 9.0
    assert one.firms.investment[1, 0, 0] == one.firms.investment[0, 0, 0] + 7.0
    for name in ("effort", "investment", "maturity", "ready", "tied", "worth", "goodwill"):
        here, swapped = getattr(one.firms, name), getattr(other.firms, name)
        assert np.array_equal(here, swapped[::-1]), name


def test_who_funds_is_each_arms_own_in_a_pass() -> None:
    market = village.scenario(quarters=2)
    rival = market.firms[1].key
    ours, theirs = (
        replace(funded(market, firm, advertising=9.0), key=firm) for firm in ("organization", rival)
    )
    together = simulate(market, [ours, theirs], 3)
    for place, arm in enumerate((ours, theirs)):
        alone = simulate(market, [arm], 3)
        assert np.array_equal(together.kpi[..., place], alone.kpi[..., 0], equal_nan=True)
    spent = together.spending.sum(axis=(0, 1))
    assert spent[0] > spent[1]


def test_a_rival_pays_no_set_up_for_what_it_runs_today() -> None:
    settings = load(["scenario=village", RIVALS, "portfolios=[as_is, rival]"])
    rival = settings.scenario.firms[1]
    runs = dict(rival.programmes) | {"co_design": Programme(5.0, 1.0)}
    firms = (settings.scenario.firms[0], replace(rival, programmes=runs))
    there = replace(settings.scenario, firms=firms)
    row = [m.key for m in there.mechanisms].index("co_design")
    efforts = []
    for scenario in (settings.scenario, there):
        arm = designs.arms(settings.study, scenario)[1]
        assert arm.firm == "river_street"
        cost = designs.planned_present_value(arm.plan, scenario, None, 1)
        assert cost == pytest.approx(settings.study.planned_cost)
        efforts.append(arm.plan.effort[row].sum())
    assert efforts[1] > efforts[0]


def test_the_payers_budget_is_what_limits_a_plan() -> None:
    market = village.scenario(quarters=2)
    rich, poor = (
        replace(f.policy, budget=b) for f, b in zip(market.firms, (1e6, 20.0), strict=True)
    )
    market = replace(
        market,
        firms=(replace(market.firms[0], policy=rich), replace(market.firms[1], policy=poor)),
    )
    plan = village.plan(market, advertising=50.0)
    assert excess(plan, market) is None
    found = excess(plan, market, 1)
    assert found is not None
    assert found.budget == 20.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("firm: river_stret", "portfolio.rival.firm='river_stret'"),
        ("firm: mill_lane", "portfolio.rival.firm='mill_lane'"),
        ("firm: river_street, governance: single_loop", "a governance is the organization's"),
        ("firm: river_street, design: network", "a design is the organization's"),
    ],
)
def test_a_plan_that_no_competitor_can_have_is_refused(change: str, said: str) -> None:
    written = RIVALS.replace("firm: river_street", change)
    with pytest.raises(SettingsError) as refused:
        load(["scenario=village", written, "portfolios=[as_is, rival]"])
    assert said in str(refused.value)


def test_ways_of_managing_are_not_asked_of_rivals() -> None:
    crossed = ["governances=[as_planned, single_loop]", "designs=[]"]
    made = load(["scenario=village", RIVALS, "portfolios=[as_is, rival, transparency]", *crossed])
    keys = [p.key for p in made.study.portfolios]
    assert keys == ["as_is", "rival", "transparency+as_planned", "transparency+single_loop"]


def test_a_dry_run_says_who_pays(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["compare", "scenario=village", RIVALS, "portfolios=[as_is, rival]", "replications=1"]
    assert cli.main([*words, "quarters=2", "--dry-run", "--quiet", "--jobs", "1"]) == 0
    line = next(x for x in capsys.readouterr().out.splitlines() if x.startswith("rival "))
    assert line.endswith("paid by River Street bakery")


def test_a_rivals_portfolio_is_shown_and_never_advised() -> None:
    """Whatever it does for us: here it makes us rich."""
    study = synthetic_results.study(replications=4)
    arms = [arm for arm in study.arms if arm != study.baseline]
    best = find(study).shown
    assert find(replace(study, theirs={best: "Corvane"})).shown in set(arms) - {best}
    findings = find(replace(study, theirs=dict.fromkeys(arms, "Corvane")))
    assert findings.shown == study.baseline
    assert decision(findings)[0][1].startswith("Nothing here is ours to choose")


def theirs(*arms: str, ours: tuple[str, ...] = ()) -> StudyResults:
    """Return made-up results of as is, of `arms` that Corvane pays and of ours."""
    study = synthetic_results.study(replications=4)
    kept = {key: study.arms[key] for key in ("as_is", *arms, *ours)}

    def of(table: pd.DataFrame) -> pd.DataFrame:
        return table[table["arm"].isin(kept)]

    return replace(
        study, arms=kept, scorecard=of(study.scorecard), runs=of(study.runs),
        spending=of(study.spending), influence=of(study.influence),
        theirs=dict.fromkeys(arms, "Corvane"),
    )  # fmt: skip


def test_a_rivals_portfolio_alone_is_said_to_do_to_us_what_was_measured() -> None:
    findings = find(theirs("ads_only"))
    row = findings.judged("ads_only", "net_present_value")
    said, look = dict(decision(findings)), findings.look("net_present_value")
    assert row["high"] < 0
    assert (
        f"changes net present value to date by {look.amount(row['mean'], True)}"
        in (said["What to do"])
    )
    assert (
        f"interval {look.text(row['low'], True)} to {look.text(row['high'], True)})."
        in (said["What to do"])
    )
    assert "in 0 of 4 with “Advertising only”" in said["How sure"]
    assert "costs Corvane 4.00 million euro, none of it ours" in said["Cost"]


def test_a_rivals_effect_that_is_not_told_apart_is_said_to_be_so() -> None:
    said = dict(decision(find(theirs("referral"))))["What to do"]
    assert "which cannot be told apart from nothing." in said


def test_the_ranking_in_the_terminal_says_who_pays() -> None:
    said = terminal_summary(theirs("ads_only", "referral", ours=("service",)))
    rows = [line for line in said.splitlines() if "§" in line]
    assert rows[-1] == "§ paid by Corvane; not ours to choose."
    assert len(rows) == 3
    for line in rows[:2]:
        assert line.startswith("   ")
        assert line.endswith("/4")
    assert "Corvane's “Advertising only”" in " ".join(said.split())
    assert "pays" not in terminal_summary(theirs("ads_only")).split("---")[0]


def test_each_of_several_rivals_is_said_to_pay_its_own() -> None:
    study = replace(
        theirs("ads_only", "referral"), theirs={"ads_only": "Corvane", "referral": "Baxter"}
    )
    said = " ".join(terminal_summary(study).split())
    assert (
        "§ paid by competitors, “Advertising only” by Corvane and “Referral programme” by Baxter; "
        "not ours to choose." in said
    )


def test_the_ranking_on_the_page_says_who_pays() -> None:
    findings = find(theirs("ads_only", ours=("service",)))
    page = report.page(findings, *drawings(findings))
    row = re.search(r"<tr><td></td><th[^>]*>Advertising only §</th>.*?</tr>", page)
    assert row is not None
    assert row[0].endswith("<td>–</td><td>4.00<br><small>paid by Corvane</small></td></tr>")
    assert "<dt>§</dt><dd>paid by Corvane; not ours to choose.</dd>" in page
    assert "Advertising only” not within" not in page
    alone = find(theirs("ads_only"))
    page = report.page(alone, *drawings(alone))
    assert "Pays back" not in page
    assert "all else that was run is not ours to choose" in page


def test_a_figure_says_who_pays_and_tells_no_payback_of_it() -> None:
    findings = find(theirs("ads_only", ours=("service",)))
    words = [w.text for w in drawings(findings)[0]["quarter_by_quarter"].words]
    assert "Advertising only (Corvane pays)" in words
    assert not any("not paid back" in text for text in words)
    plain = find(replace(findings.study, theirs={}))
    words = [w.text for w in drawings(plain)[0]["quarter_by_quarter"].words]
    assert any("not paid back" in text for text in words)


def test_a_rivals_portfolio_is_no_baseline() -> None:
    with pytest.raises(SettingsError) as refused:
        load(["scenario=village", RIVALS, "portfolios=[as_is, rival]", "baseline=rival"])
    assert "baseline='rival' is a portfolio that 'river_street' pays" in str(refused.value)
    assert str(refused.value).endswith("its own: as_is")


def test_the_table_of_runs_says_who_pays_how_much(tmp_path: Path) -> None:
    words = ["scenario=village", RIVALS, "portfolios=[as_is, rival]", "replications=1"]
    told = ["compare", *words, "quarters=1", "twins=none", "--quiet", "--jobs", "1"]
    assert cli.main([*told, "--out", str(tmp_path / "out")]) == 0
    runs = pd.read_csv(tmp_path / "out" / "tables" / "runs.csv").set_index("arm")
    assert runs["paid_by"].to_dict() == {"as_is": "organization", "rival": "river_street"}
    assert runs["planned_cost"].to_dict() == pytest.approx({"as_is": 0.0, "rival": 2500.0})
    assert runs["realised_cost"]["rival"] < runs["realised_cost"]["as_is"] + 100
