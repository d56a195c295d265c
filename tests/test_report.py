"""The report and the terminal summary say what the results say, whatever the results are."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import synthetic_results

from experiments import report, report_parts, report_words
from experiments.analysis import WORSE, Paired, replications_needed
from experiments.report import StudyResults, departments_of, terminal_summary, write_report
from experiments.report_figures import drawings
from experiments.report_findings import find, level, level_beside_goals
from experiments.settings import load
from sim import kpis, scorecard


@pytest.fixture(scope="module")
def study() -> StudyResults:
    return synthetic_results.study()


@pytest.fixture(scope="module")
def page(study: StudyResults) -> str:
    return page_of(study)


def page_of(study: StudyResults) -> str:
    findings = find(study)
    return report.page(findings, *drawings(findings))


def words_of(page: str) -> str:
    """What a page says, without its marks and drawings."""
    bare = re.sub(r"<svg.*?</svg>", " ", page, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).split())


def decision(study: StudyResults) -> dict[str, str]:
    return dict(report_words.decision(find(study)))


def shifted(study: StudyResults, arms: list[str], by: float) -> StudyResults:
    """The same study with some arms' value moved, growing over the quarters."""
    table = study.scorecard.copy()
    rows = table["arm"].isin(arms) & (table["kpi"] == "net_present_value")
    table.loc[rows, "value"] += by * table.loc[rows, "quarter"] / study.quarters
    return replace(study, scorecard=table)


class Reader(HTMLParser):
    """Collects ids, references and the nesting of a page."""

    VOID = ("meta", "br", "link", "img", "hr")

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self._note(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def _note(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "xlink:href", "src"):
                self.references.append(value or "")


def test_the_page_needs_nothing_but_itself(page: str) -> None:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert all(reference.startswith("#") for reference in reader.references)
    assert {reference[1:] for reference in reader.references} <= set(reader.ids)
    assert "<script" not in page
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_no_id_stands_twice_on_the_page(page: str) -> None:
    reader = Reader()
    reader.feed(page)
    assert len(reader.ids) == len(set(reader.ids))


def test_every_figure_has_a_text_alternative(page: str) -> None:
    assert page.count("<svg") == page.count('role="img" aria-label="') == 5


@pytest.mark.parametrize(
    "title",
    ["The decision", "Ranking", "Quarter by quarter", "Balanced Scorecard", "Influence Scorecard",
     "Strategy map", "What each flow contributed", "Assumptions and limits",
     "How to reproduce this"],
)  # fmt: skip
def test_the_page_has_every_section(page: str, title: str) -> None:
    assert f"<h2>{title}</h2>" in page


def test_figures_are_written_beside_the_page(tmp_path: Path) -> None:
    path = write_report(synthetic_results.study(replications=3, quarters=2), tmp_path)
    assert path == tmp_path / "report.html"
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    stems = ("comparison", "quarter_by_quarter", "scorecard", "influence", "flow_contributions",
             "strategy_map")  # fmt: skip
    assert names == {f"{stem}.{kind}" for stem in stems for kind in ("png", "svg")}


def test_the_decision_is_five_headings_with_a_few_plain_sentences(study: StudyResults) -> None:
    said = decision(study)
    assert len(said) == 5
    for text in said.values():
        sentences = re.split(r"(?<=[a-z0-9)”])\. (?=[A-Z“])", text.removesuffix("."))
        assert text.endswith(".")
        assert 1 <= len(sentences) <= 4
        for sentence in sentences:
            assert re.match(r"[A-Z“]", sentence)
            assert len(sentence.split()) < 60


def test_the_decision_names_the_winner_its_size_and_its_rival(study: StudyResults) -> None:
    said = decision(study)
    assert said["What to do"].startswith("Fund “Listening first”")
    assert "30 of 30 replications" in said["How sure"]
    assert "“Balanced transformation” does better than “As is” as well and" in said["How sure"]
    assert "4.00 million euro" in said["Cost and payback"]
    assert "Flow 3 (stakeholders to our organization)" in said["Why"]


def test_what_cannot_be_told_apart_from_the_baseline_is_no_alternative(
    study: StudyResults,
) -> None:
    table = study.scorecard.copy()
    value = table["kpi"] == "net_present_value"
    base = table.loc[value & (table["arm"] == "as_is")]
    wild = np.where(base["replication"] % 2 == 0, 90_000.0, -75_000.0) * base["quarter"] / 12
    rows = value & (table["arm"] == "referral")
    table.loc[rows, "value"] = base["value"].to_numpy() + wild.to_numpy()
    found = find(replace(study, scorecard=table))
    row = found.rank("referral")
    assert row["net_present_value.verdict"] == row["from_first"] == "cannot be told apart"
    said = decision(found.study)
    assert said["What to do"].startswith("Fund “Listening first”")
    assert "Referral" not in said["How sure"]


def test_the_part_of_a_flow_is_subtracted_as_the_figure_shows_it(study: StudyResults) -> None:
    found = find(study)
    sums = re.findall(r"([+−]\d+\.\d+) ([−+]) (\d+\.\d+) = ([+−]?\d+\.\d+)", decision(study)["Why"])
    assert sums
    figure = drawings(found)[0]["flow_contributions"]
    shown = {words.text for words in figure.words}
    for whole, sign, part, left in sums:
        a, b, c = (float(text.replace("−", "-")) for text in (whole, part, left))
        assert round(a - b if sign == "−" else a + b, 2) == c
        assert f"{'+' if sign == '−' else '−'}{part}" in shown


def test_a_positive_mean_that_rarely_pays_back_is_explained(study: StudyResults) -> None:
    table = study.scorecard.copy()
    value = table["kpi"] == "net_present_value"
    base = table.loc[value & (table["arm"] == "as_is")]
    few = np.where(base["replication"] < 12, 90_000.0, -8_000.0) * base["quarter"] / 12
    table.loc[value & (table["arm"] == "referral"), "value"] = (
        base["value"].to_numpy() + few.to_numpy()
    )
    two = {"as_is": "As is", "referral": "Referral programme"}
    said = decision(only(replace(study, scorecard=table), two))
    assert "does not pay back within 12 quarters (40 % do); the mean is above 0 because" in (
        said["Cost and payback"].replace("\u00a0", " ")
    )


def only(study: StudyResults, arms: dict[str, str]) -> StudyResults:
    """The same study with a few of its arms."""
    kept = {
        name: getattr(study, name)[getattr(study, name)["arm"].isin(list(arms))]
        for name in ("scorecard", "influence", "spending")
    }
    runs = study.runs[study.runs["arm"].isin(list(arms)) | study.runs["twin_of"].isin(list(arms))]
    return replace(study, arms=arms, runs=runs, **kept)


def test_one_portfolio_is_not_called_every_portfolio(study: StudyResults) -> None:
    one = only(study, {"as_is": "As is", "service": "Service"})
    for size in (-40_000, -2_000):
        said = decision(shifted(one, ["service"], size))["What to do"]
        assert "very portfolio" not in said
    for noise in (2_000, 1):
        said = decision(with_noise(one, noise))["What to do"]
        assert said.startswith("Move no money on this evidence. “Service” does not ")
    assert "winner of many" not in decision(one)["What could make it wrong"]
    assert "first" not in report_parts.shown_sentence(find(one))
    single = synthetic_results.study(replications=1, quarters=3)
    said = decision(only(single, {"as_is": "As is", "service": "Service"}))["What to do"]
    assert "In this one “Service” makes a difference of " in said


def test_more_replications_than_were_run_are_asked_for_where_they_did_not_suffice() -> None:
    for seed in range(12):
        few = with_noise(
            synthetic_results.study(replications=4, quarters=2, seed=seed), 2_000, seed
        )
        found = find(few)
        if found.verdict(found.shown, "net_present_value") == "cannot be told apart":
            (count,) = re.findall(r"about ([\d,]+) replications", decision(few)["How sure"])
            assert int(count.replace(",", "")) > 4


def divided(study: StudyResults) -> StudyResults:
    """One comparison whose interval excludes 0 while half the replications contradict its sign."""
    one = only(study, {"as_is": "As is", "referral": "Referral programme"})
    table = one.scorecard.copy()
    value = table["kpi"] == "net_present_value"
    base = table.loc[value & (table["arm"] == "as_is")]
    split = np.where(base["replication"] < 15, 9_000.0, -400.0) * base["quarter"] / 12
    table.loc[value & (table["arm"] == "referral"), "value"] = (
        base["value"].to_numpy() + split.to_numpy()
    )
    return replace(one, scorecard=table)


def test_a_majority_that_disagrees_has_a_mark_of_its_own(study: StudyResults) -> None:
    split = divided(study)
    row = find(split).judged("referral", "net_present_value")
    assert row["low"] > 0
    assert row["p_holm"] < 0.05
    assert row["verdict"] == "cannot be told apart"
    text, page = terminal_summary(split), words_of(page_of(split))
    assert re.search(r"Referral programme +\+\d+\.\d+ ±\d+\.\d+‡", text)
    for said in (" ".join(text.split()), page):
        assert "‡ cannot be told apart either: its own interval excludes 0, but a few large" in said
        assert "Holm) it is not sure" not in said
    assert "replications to tell" not in decision(split)["How sure"]
    figure = drawings(find(split))[0]["comparison"]
    assert any("a few large replications carry it" in words.text for words in figure.words)


def test_marks_on_the_page_are_explained_below_the_ranking(study: StudyResults) -> None:
    page = page_of(corrected(study))
    table = page[page.index("<table>") : page.index("</table>")]
    notes = page[
        page.index('<dl class="marks">') : page.index("</dl>", page.index('class="marks"'))
    ]
    used = set(re.findall(r'<span class="mark">([^<]+)</span>', table))
    assert used == set(re.findall(r"<dt>([^<]+)</dt>", notes)) != set()
    assert "cannot be told apart" not in table


def test_a_cut_plan_is_warned_of_in_the_terminal(study: StudyResults) -> None:
    assert "Warning" not in terminal_summary(study)
    runs, best = study.runs.copy(), find(study).shown
    rows = runs["arm"] == best
    runs.loc[rows, ["quarters_cut", "least_afforded"]] = [2.0, 0.625]
    runs.loc[rows, "realised_cost"] /= 2
    said = " ".join(terminal_summary(replace(study, runs=runs)).replace("\u00a0", " ").split())
    assert f"Warning: the budget cut “{study.arms[best]}” to 62 % of a quarter's wishes" in said
    assert "of 4.00 million euro spent)" in said


@pytest.mark.parametrize(("actual", "more"), [(0.30539, 2), (0.3051, 1), (0.2, 0)])
def test_a_light_never_belies_the_digits_beside_it(actual: float, more: int) -> None:
    study = synthetic_results.study(replications=3, quarters=2)
    row = next(row for row in find(study).last if row.kpi.key == "market_share")
    near = replace(
        row, actual=actual, status=scorecard.AMBER, target=0.3054, red_flag=0.1, baseline=0.25,
        baseline_status=scorecard.AMBER,
    )  # fmt: skip
    usual, look = level(study, near), level_beside_goals(study, near)
    assert look.decimals == usual.decimals + more
    assert look.text(near.actual) != look.text(near.target)
    met = replace(near, actual=0.3054, status=scorecard.GREEN)
    assert level_beside_goals(study, met) == usual


def test_a_portfolio_that_is_behind_by_less_than_is_worth_having_stays_in_the_choice(
    study: StudyResults,
) -> None:
    table = study.scorecard.copy()
    value = table["kpi"] == "net_present_value"
    first = table.loc[value & (table["arm"] == "listen_first"), ["value", "quarter"]]
    behind = first["value"].to_numpy() - 20.0 * first["quarter"].to_numpy() / 12
    table.loc[value & (table["arm"] == "referral"), "value"] = behind
    said = decision(replace(study, scorecard=table))["How sure"]
    assert "“Referral programme”" in said
    assert "not by as much as is worth having" in said


def test_nothing_is_recommended_where_everything_is_worse(study: StudyResults) -> None:
    others = [arm for arm in study.arms if arm != "as_is"]
    said = decision(shifted(study, others, -40_000))
    assert said["What to do"].startswith("Carry on as now")
    assert "does not pay back within 12 quarters" in said["Cost and payback"]


def with_noise(study: StudyResults, size: float, seed: int = 5) -> StudyResults:
    """The same study in which all arms are the baseline but for noise in their money."""
    table = study.scorecard.copy()
    rng = np.random.default_rng(seed)
    base = table[table["arm"] == "as_is"].set_index(["replication", "quarter", "kpi"])["value"]
    keys = list(zip(table["replication"], table["quarter"], table["kpi"], strict=True))
    noisy = (table["arm"] != "as_is") & (table["kpi"] == "net_present_value")
    table["value"] = (
        base.loc[keys].to_numpy() + (rng.normal(0, size, len(table)) * noisy).to_numpy()
    )
    return replace(study, scorecard=table)


def test_noise_is_called_noise(study: StudyResults) -> None:
    noisy = with_noise(study, 2_000)
    assert decision(noisy)["What to do"].startswith("Move no money on this evidence. No portfolio")
    assert "beyond chance" in decision(noisy)["What to do"]
    assert "Cannot be told apart from “As is”" in terminal_summary(noisy)
    found = find(noisy).differences.query("kpi == 'net_present_value'")
    row = found.loc[found["mean"].idxmax()]
    sample = Paired(30, row["mean"], row["low"], row["high"], row["mcse"], 0, 0, 0)
    count = replications_needed(sample, comparisons=len(found))
    assert f"about {count:,.0f} replications to tell a difference" in decision(noisy)["How sure"]


def test_what_is_surely_too_small_is_not_called_unsure(study: StudyResults) -> None:
    noisy = with_noise(study, 1)
    said = decision(noisy)["What to do"]
    assert said.startswith("Move no money on this evidence. No portfolio makes a difference worth")
    assert re.search(r"at least \d+ thousand euro", said)
    assert "Cannot be told apart" not in terminal_summary(noisy)


def test_a_lesser_mean_that_is_certain_beats_a_greater_one_that_is_not(
    study: StudyResults,
) -> None:
    table = study.scorecard.copy()
    rows = (table["arm"] == "ads_only") & (table["kpi"] == "net_present_value")
    wild = np.where(table.loc[rows, "replication"] < 3, 900_000.0, -10_000.0)
    table.loc[rows, "value"] += wild * table.loc[rows, "quarter"] / 12
    said = decision(replace(study, scorecard=table))
    assert said["What to do"].startswith("Fund “Listening first”")
    assert "“Advertising only” has the higher mean but cannot be told apart" in said["What to do"]


def test_flows_of_another_portfolio_are_not_told_as_those_of_the_recommended_one() -> None:
    whole = synthetic_results.study(replications=12)
    table = whole.scorecard.copy()
    rows = (table["arm"] == "listen_first") & (table["kpi"] == "net_present_value")
    wild = np.where(table.loc[rows, "replication"] < 6, 90_000.0, -60_000.0)
    table.loc[rows, "value"] += wild * table.loc[rows, "quarter"] / 12
    said = decision(replace(whole, scorecard=table))
    assert said["What to do"].startswith("Fund “Balanced transformation”")
    assert said["Why"].startswith("No muted twins were run for “Balanced transformation”, only for")
    assert "of “Listening first”" in said["Why"]


def test_what_gets_worse_is_said(study: StudyResults) -> None:
    said = decision(shifted(study, ["advertising"], 60_000))
    assert said["What to do"].startswith("Fund “Brand advertising”")
    assert "trust of customers gets worse" in said["What could make it wrong"]
    assert "no muted twins" in said["Why"]


def test_one_replication_gives_no_interval_and_no_recommendation() -> None:
    single = synthetic_results.study(replications=1, quarters=3)
    said = decision(single)
    assert said["What to do"].startswith("One replication decides nothing")
    page = page_of(single)
    assert "no interval can be given" in page
    assert "one replication cannot tell" in said["How sure"]
    assert "one replication cannot tell" in said["Cost and payback"]
    assert "one replication cannot tell" in said["Why"]
    text = terminal_summary(single)
    assert "±" not in text
    assert "of one replication; intervals and verdicts need at least two" in " ".join(text.split())
    assert "Cannot be told apart" not in text
    for sheet in drawings(find(single))[0].values():
        shown = " ".join(words.text for words in sheet.words)
        assert "95 % interval" not in shown
        assert "cannot be told apart" not in shown
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.S).lower().split()
    assert "±" not in terminal_summary(single).split("Mean difference")[0]


def test_missing_replications_are_counted(study: StudyResults) -> None:
    rows = study.scorecard
    gone = (rows["arm"] == "listen_first") & (rows["replication"] >= 28)
    runs = study.runs.copy()
    failed = (runs["arm"] == "listen_first") & (runs["replication"] >= 28)
    runs.loc[failed, "status"] = "failed"
    short = replace(study, scorecard=rows[~gone], runs=runs)
    assert "28 of 28 replications on the same luck (30 were planned)" in decision(short)["How sure"]
    assert "2 of 390 runs did not finish" in terminal_summary(short)
    page = page_of(short)
    assert "2 missing" in page
    assert "<strong>Missing values.</strong> “Listening first”" in page


def test_an_arm_whose_runs_all_failed_is_shown_without_numbers() -> None:
    study = synthetic_results.study(replications=4, quarters=2)
    rows = study.scorecard
    runs = study.runs.copy()
    runs.loc[runs["arm"] == "referral", "status"] = "failed"
    gone = replace(study, scorecard=rows[rows["arm"] != "referral"], runs=runs)
    text = " ".join(terminal_summary(gone).split())
    assert "No finished run in net present value to date: “Referral programme”." in text
    assert "nan" not in text
    assert "Referral programme" in page_of(gone)


def test_a_single_arm_is_reported_without_comparison() -> None:
    whole = synthetic_results.study(replications=4, quarters=3)
    alone = replace(
        whole,
        arms={"as_is": "As is"},
        scorecard=whole.scorecard[whole.scorecard["arm"] == "as_is"],
        runs=whole.runs[whole.runs["arm"] == "as_is"],
        influence=whole.influence[whole.influence["arm"] == "as_is"],
        spending=whole.spending[whole.spending["arm"] == "as_is"],
    )
    assert "nothing was compared" in decision(alone)["What to do"]
    page = page_of(alone)
    assert "<h2>Ranking</h2>" not in page
    assert "<h2>Balanced Scorecard</h2>" in page
    assert "Attenzi: 1 portfolio" in terminal_summary(alone)


def test_without_twins_the_report_says_so() -> None:
    text = page_of(synthetic_results.study(replications=3, quarters=2, twins=False))
    assert "No muted twins were run" in text
    assert "<h2>What each flow contributed</h2>" not in text


def test_labels_cannot_break_the_page() -> None:
    study = synthetic_results.study(replications=3, quarters=2)
    arms = dict(study.arms) | {"service": "<u>R&D</u> “service”"}
    hostile = replace(study, arms=arms, question="A < B & $C", brief='"<script>alert(1)</script>"')
    page = page_of(hostile)
    assert "<script" not in page
    assert "<u>" not in page
    assert "A &lt; B &amp; $C" in page


def test_the_terminal_summary_fits_and_speaks_plainly(study: StudyResults) -> None:
    text = terminal_summary(study)
    assert max(len(line) for line in text.splitlines()) <= 100
    lines = [line for line in text.splitlines() if re.match(r" *\d+  ", line)]
    assert len(lines) == len(study.arms)
    assert lines[0].split("  ")[1].strip() == "Listening first" or "Listening first" in lines[0]
    assert "30/30" in lines[0]
    said = " ".join(text.split())
    assert "Cannot be told apart from “As is” in net present value to date: “" in said


def test_unequal_costs_are_not_called_equal(study: StudyResults) -> None:
    assert "equal within 1 %" in report_parts.limits(find(study))
    runs = study.runs.copy()
    runs.loc[runs["arm"] == "service", "planned_cost"] *= 1.2
    said = report_parts.limits(find(replace(study, runs=runs)))
    assert "Planned costs differ" in said
    assert "equal within 1 %" not in said


def test_every_quarter_is_seen_at_a_glance_and_the_last_in_full(page: str) -> None:
    assert "<h3>Quarter 12 in full</h3>" in page
    aimed = len(synthetic_results.targets("default"))
    start = page.index("<h3>Every quarter at a glance")
    matrix = page[start : page.index("<h3>What management would see")]
    assert all(f'<th scope="col">Q{q}</th>' in matrix for q in range(1, 13))
    lights = len(re.findall(r'<td class="(green|amber|red|nodata|notarget)">', matrix))
    assert lights == 12 * aimed
    further = page[page.index("Further indicators") : page.index("<h3>Who answers for what")]
    assert len(re.findall(r'<td class="notarget">', further)) == 12 * (len(kpis.TABLE) - aimed)
    assert page.count("<details>") < 9


def test_what_management_would_see_is_counted_and_shown_with_grey_where_unsensed(
    page: str,
) -> None:
    aims = [kpis.TABLE[kpis.INDEX[aim.kpi]] for aim in synthetic_results.targets("default")]
    seen = [kpi for kpi in aims if kpi.sensed_by in synthetic_results.SENSED]
    assert 0 < len(seen) < len(aims)
    said = words_of(page)
    assert f"What management would see: {len(seen)} of {len(aims)} indicators" in said
    assert "Nothing senses flows 2, 4, 5 and 6." in said
    start = page.index("<h3>What management would see")
    table = page[start : page.index("Further indicators")]
    grey = len(re.findall(r'<td class="nodata">', table))
    assert grey == 12 * (len(aims) - len(seen))


def test_an_audience_that_nobody_belongs_to_does_not_count_as_unseen(study: StudyResults) -> None:
    gone = {word: kinds for word, kinds in study.audiences.items() if word != "channel"}
    aims = [kpis.TABLE[kpis.INDEX[aim.kpi]] for aim in synthetic_results.targets("default")]
    here = [kpi for kpi in aims if kpi.audience != ("channel",)]
    assert len(here) < len(aims)
    page = page_of(replace(study, audiences=gone))
    assert re.search(rf"would see: \d+ of {len(here)} indicators", page)
    table = page[page.index("<h3>By flow and stakeholders") : page.index("<h3>By flow, in full")]
    assert "Resellers</th>" not in table


def test_lights_may_show_readings_instead(study: StudyResults) -> None:
    read = replace(study, board=synthetic_results.board(lights="reading"))
    for asked, status in ((study, "?"), (read, "nodata")):
        row = next(r for r in find(asked).last if r.kpi.key == "net_promoter_score")
        assert (row.status == "no data") == (status == "nodata")
    assert "flow 2 is not sensed" in page_of(read)
    assert "Lights here show what management reads" in page_of(read)


def test_lights_may_follow_target_and_variance(study: StudyResults) -> None:
    page = page_of(replace(study, board=synthetic_results.board(status="target_variance")))
    assert "short of it by at most 5\u00a0% of the target" in page
    assert "a goal and a red flag" not in page


def test_the_influence_scorecard_is_a_matrix_of_flows_and_stakeholders(page: str) -> None:
    start = page.index("<h3>By flow and stakeholders")
    table = page[start : page.index("<h3>By flow, in full")]
    assert table.count("<tr>") == 1 + 6
    for people in ("Everybody", "Resellers", "Suppliers", "Trade customers, Home customers"):
        assert f'<th scope="col" class="text">{people}</th>' in table
    said = words_of(table)
    assert "our recommendations" not in said
    assert "Resellers&#x27; recommendations that are ours Shops" in said
    assert "sensed; money acts on it" in said
    assert "not sensed; no money acts on it" in said


def test_alerts_name_red_lights_neglected_flows_and_gaps(study: StudyResults) -> None:
    hard = replace(study, board=synthetic_results.board(ready_from=0.9))
    section = words_of(report.report_influence.alerts(find(hard)))
    # Only fast_service (flows 1 and 3) is funded; flows 2, 4, 5, 6 are not sensed either.
    assert re.findall(r"Neglected flow (\d)", section) == ["2", "4", "5", "6"]
    assert "Readiness gap Fast, human service Shops Q" in section
    ready = replace(study, board=synthetic_results.board(ready_from=0.1, neglected_after=13))
    calm = words_of(report.report_influence.alerts(find(ready)))
    assert "Readiness gap" not in calm
    assert "Neglected flow" not in calm


def test_readiness_has_three_levels_and_names_what_holds_back(study: StudyResults) -> None:
    text = words_of(report.report_readiness.readiness(find(study)))
    for depth in ("Level 1", "Level 2", "Level 3"):
        assert depth in text
    assert "Fast, human service 1 3 Shops" in text
    assert "Message rebuttal" not in text  # nobody funds it
    now = report.report_readiness.capital_paths(find(study), "listen_first")[-1]
    bundle = 1 / (0.5 / now[0] + 0.3 / now[1] + 0.2 / now[2])
    assert f"{100 * bundle:.0f}" in text[text.index("Level 3") :]


def test_the_capital_that_holds_back_is_the_one_that_would_help_most() -> None:
    held = report.report_readiness.held_back_by
    assert held([0.5, 0.2, 0.5], [0.4, 0.3, 0.3], -1.0) == 1
    assert held([0.5, 0.5, 0.5], [0.2, 0.2, 0.6], -1.0) == 2
    assert held([0.1, 0.9, 0.9], [0.0, 0.5, 0.5], -1.0) in (1, 2)


def test_the_lights_are_explained_before_they_are_used(page: str) -> None:
    section = page[page.index('<section id="scorecard">') :]
    assert section.index("at or beyond the goal of that quarter") < section.index("Quarter 12 in")
    assert "a goal and a red flag" in section


def test_owners_are_the_scenarios_own_departments(page: str) -> None:
    text = words_of(page)
    table = text[text.index("Who answers for what") : text.index("Influence Scorecard The same")]
    for department in ("Board office", "Shops", "Communications", "Workshop"):
        assert department in table
    assert "Nobody: no department owns these" in table
    assert "customer service" not in table.lower()
    assert "customer_service" not in page


def test_departments_are_found_by_name_or_by_the_scenarios_owners() -> None:
    found = departments_of({"sales": "Sales", "desk": "Front desk"}, {"marketing": "desk"})
    assert found == {"sales": "Sales", "marketing": "Front desk"}


def without_money(study: StudyResults) -> StudyResults:
    return replace(study, headline=("market_share", "trust", "retention"))


def test_payback_is_told_only_where_money_is_asked_for(study: StudyResults, page: str) -> None:
    asked = without_money(study)
    assert "Pays back" in page
    assert "pays" in terminal_summary(study)
    for text in (page_of(asked), terminal_summary(asked)):
        assert not re.search(r"[Pp]ays\b|pay back|paid back", words_of(text))
    assert "Cost" in decision(asked)
    assert "no payback is told" in decision(asked)["Cost"]


def test_the_path_shown_is_that_of_the_first_headline(study: StudyResults) -> None:
    assert "Market share quarter by quarter" in page_of(without_money(study))


def test_spending_is_told_as_money_and_as_present_value(study: StudyResults) -> None:
    text = words_of(report_parts.spending_table(find(study)))
    worth = np.mean(0.98 ** (np.arange(study.quarters) + 0.5)) * synthetic_results.PLANNED / 1000
    for item, share in (("Fast, human service", 0.75), ("Investment in human capital", 0.25)):
        assert f"{item} +{4 * share:.2f} +{worth * share:.2f}" in text
    assert f"Together +4.00 +{worth:.2f}" in text


def test_a_budget_that_cuts_a_plan_is_told(study: StudyResults) -> None:
    assert "The budget allowed every plan in full." in page_of(study)
    runs, best = study.runs.copy(), find(study).shown
    first = (runs["arm"] == best) & (runs["replication"] == 0)
    runs.loc[first, ["quarters_cut", "least_afforded"]] = [2.0, 0.625]
    cut = replace(study, runs=runs)
    name = study.arms[best]
    assert f"did not allow all of “{name}” (at least 62 % in its" in words_of(page_of(cut))
    said = words_of(decision(cut)["Cost and payback"])
    assert "cut by the budget to 62 % in its tightest quarter" in said


def test_what_is_too_small_is_not_advertised_but_stays_in_the_table(study: StudyResults) -> None:
    table = study.scorecard.copy()
    base = table[(table["arm"] == "as_is") & (table["kpi"] == "trust")]
    shifted_rows = (table["arm"] == "listen_first") & (table["kpi"] == "trust")
    sure = base["value"].to_numpy() + 0.0007 * (base["quarter"] > 0).to_numpy()
    table.loc[shifted_rows, "value"] = sure
    small = replace(study, scorecard=table)
    said = decision(small)["What to do"]
    assert "no difference worth having in trust of customers (less than 0.5 percentage" in said
    assert "trust of customers by" not in said
    row = next(line for line in terminal_summary(small).splitlines() if "Listening first" in line)
    assert "+0.1 ±0.0<" in row
    assert "+0.1 &lt; +0.1 to +0.1" in words_of(page_of(small))


def corrected(study: StudyResults) -> StudyResults:
    """The same study in which one arm's own interval excludes 0, but not after the correction."""
    table = study.scorecard.copy()
    base = table[(table["arm"] == "as_is") & (table["kpi"] == "net_present_value")]
    rows = (table["arm"] == "referral") & (table["kpi"] == "net_present_value")
    noise = np.tile([-1.0, 1.0], len(base))[: len(base)] * 3_000
    by_run = np.repeat(noise[: len(base) // 13], 13) + 1_300
    table.loc[rows, "value"] = base["value"].to_numpy() + by_run * base["quarter"].to_numpy() / 12
    return replace(study, scorecard=table)


def test_an_interval_beside_0_without_a_verdict_is_explained_on_the_spot(
    study: StudyResults,
) -> None:
    found = corrected(study)
    row = find(found).judged("referral", "net_present_value")
    assert row["low"] > 0
    assert row["verdict"] == "cannot be told apart"
    text = terminal_summary(found)
    line = next(line for line in text.splitlines() if "Referral programme" in line)
    assert re.search(r"±\d\.\d+†", line)
    assert "† cannot be told apart either: its own interval excludes 0" in text
    assert "but so do some of 12 by luck alone" in words_of(page_of(found))


def test_marks_that_do_not_occur_are_not_explained(study: StudyResults) -> None:
    foot = terminal_summary(study).split("Mean difference")[1].split("Better than")[0]
    for mark in "~†‡<°":
        table = terminal_summary(study).split("Mean difference")[0]
        assert (f"\n{mark} " in foot) == (mark in table)


def test_long_names_and_units_are_broken_at_words_not_cut(study: StudyResults) -> None:
    arms = dict(study.arms) | {
        "service": "A programme of fast, human and entirely unhurried customer service everywhere"
    }
    asked = replace(study, arms=arms, headline=("retention", "net_sentiment", "trust", "revenue"))
    text = terminal_summary(asked)
    assert max(len(line) for line in text.splitlines()) <= 100
    head = text.split("---")[0]
    for word in ("quarter", "from", "scale", "Retention", "customers"):
        assert word in head
    for word in arms["service"].split():
        assert word in text
    assert "…" not in text


def test_more_indicators_than_fit_are_left_to_the_report(study: StudyResults) -> None:
    many = ("net_present_value", "market_share", "trust", "operating_margin", "retention",
            "net_sentiment", "engagement")  # fmt: skip
    text = terminal_summary(replace(study, headline=many))
    assert max(len(line) for line in text.splitlines()) <= 100
    assert "More indicators are in the report." in text


def test_names_in_lists_keep_their_commas_apart(study: StudyResults) -> None:
    assert "“Fast, human customer service”" in terminal_summary(study)


def test_how_to_reproduce_is_complete(page: str) -> None:
    for text in ("influence compare scenario=attenzi", "2024", "0123abc (clean)", "numpy 2.0"):
        assert text in page


def test_realised_cost_is_counted_beyond_what_the_baseline_spends() -> None:
    study = synthetic_results.study(replications=3, quarters=2)
    runs = study.runs.copy()
    runs["realised_cost"] += 50_000.0
    line = find(replace(study, runs=runs)).rank("service")
    assert line["realised_cost"] == pytest.approx(synthetic_results.PLANNED * 0.985)


# ---- what differs, and what the horizon cuts off ------------------------------------------------


def test_a_market_that_is_not_the_shipped_one_is_said_to_be_another(study: StudyResults) -> None:
    found = load(["scenario=village", "shocks=crisis", "replications=3", "seed=4", "quarters=8"])
    assert found.changed == ("shocks=crisis", "quarters=8")
    other = replace(study, changed=("shocks=crisis", "physics.anchor=<1>"))
    html = report.page(find(other), drawings(find(other))[0])
    assert "Differs from the scenario as shipped: <code>shocks=crisis</code>" in html
    assert "physics.anchor=&lt;1&gt;" in html
    assert "Differs from the scenario as shipped: shocks=crisis" in terminal_summary(other)
    assert "Differs from the scenario" not in terminal_summary(study)


def test_what_customers_are_worth_at_the_end_is_told_beside_the_decision(
    study: StudyResults,
) -> None:
    findings = find(study)
    gains = {
        arm: findings.cube.difference(arm, study.baseline, "value_with_customers")[:, -1].mean()
        for arm in findings.ours
    }
    best = max(gains, key=gains.__getitem__)
    doubts = decision(study)["What could make it wrong"]
    assert f"{study.label(best)} gains most" in doubts
    behind = [arm for arm in findings.ours if findings.verdict(arm, "net_present_value") == WORSE]
    assert ("that are worse would be better" in doubts) == bool(behind)
    other = replace(study, headline=("trust", "net_present_value"))
    assert "gains most" not in decision(other)["What could make it wrong"]
