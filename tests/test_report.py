"""The report and the terminal summary say what the results say, whatever the results are."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import synthetic_results

from experiments import report, report_words
from experiments.report import StudyResults, terminal_summary, write_report
from experiments.report_findings import find


@pytest.fixture(scope="module")
def study() -> StudyResults:
    return synthetic_results.study()


@pytest.fixture(scope="module")
def page(study: StudyResults) -> str:
    return report.page(study)


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
    ["The decision", "Ranking", "Value per quarter", "Balanced Scorecard", "Influence Scorecard",
     "Strategy map", "What each flow contributed", "Assumptions and limits",
     "How to reproduce this"],
)  # fmt: skip
def test_the_page_has_every_section(page: str, title: str) -> None:
    assert f"<h2>{title}</h2>" in page


def test_figures_are_written_beside_the_page(tmp_path: Path) -> None:
    path = write_report(synthetic_results.study(replications=3, quarters=2), tmp_path)
    assert path == tmp_path / "report.html"
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    stems = ("comparison", "value_per_quarter", "scorecard", "influence", "flow_contributions",
             "strategy_map")  # fmt: skip
    assert names == {f"{stem}.{kind}" for stem in stems for kind in ("png", "svg")}


def test_the_decision_is_five_sentences(study: StudyResults) -> None:
    said = decision(study)
    assert len(said) == 5
    for sentence in said.values():
        assert re.fullmatch(r"[A-Z“][^\n]*\.", sentence)
        assert not re.search(r"[a-z)]\. [A-Z]", sentence)


def test_the_decision_names_the_winner_its_size_and_its_rival(study: StudyResults) -> None:
    said = decision(study)
    assert said["What to do"].startswith("Fund “Listening first”")
    assert "30 of 30 replications" in said["How sure"]
    assert "“Balanced transformation” cannot be told apart from it" in said["How sure"]
    assert "4.00 million euro" in said["Cost and payback"]
    assert "flow 3 (stakeholders to our organization)" in said["Why"]


def test_nothing_is_recommended_where_everything_is_worse(study: StudyResults) -> None:
    others = [arm for arm in study.arms if arm != "as_is"]
    said = decision(shifted(study, others, -40_000))
    assert said["What to do"].startswith("Carry on as now")
    assert "does not pay back within 12 quarters" in said["Cost and payback"]


def test_noise_is_called_noise(study: StudyResults) -> None:
    table = study.scorecard.copy()
    rng = np.random.default_rng(5)
    base = table[table["arm"] == "as_is"].set_index(["replication", "quarter", "kpi"])["value"]
    keys = list(zip(table["replication"], table["quarter"], table["kpi"], strict=True))
    noise = rng.normal(0, 1, len(table)) * (table["arm"] != "as_is")
    table["value"] = base.loc[keys].to_numpy() + noise.to_numpy()
    noisy = replace(study, scorecard=table)
    assert decision(noisy)["What to do"].startswith("Move no money on this evidence")
    assert "Cannot be told apart from “As is”" in terminal_summary(noisy)
    assert "replications would tell" in decision(noisy)["How sure"]


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


def test_what_gets_worse_is_said(study: StudyResults) -> None:
    said = decision(shifted(study, ["advertising"], 60_000))
    assert said["What to do"].startswith("Fund “Brand advertising”")
    assert "trust of customers gets worse" in said["What could make it wrong"]
    assert "no muted twins" in said["Why"]


def test_one_replication_gives_no_interval_and_no_recommendation() -> None:
    single = synthetic_results.study(replications=1, quarters=3)
    said = decision(single)
    assert said["What to do"].startswith("One replication decides nothing")
    page = report.page(single)
    assert "no interval can be given" in page
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
    page = report.page(short)
    assert "2 missing" in page
    assert "<strong>Missing values.</strong> Listening first" in page


def test_an_arm_whose_runs_all_failed_is_shown_without_numbers() -> None:
    study = synthetic_results.study(replications=4, quarters=2)
    rows = study.scorecard
    runs = study.runs.copy()
    runs.loc[runs["arm"] == "referral", "status"] = "failed"
    gone = replace(study, scorecard=rows[rows["arm"] != "referral"], runs=runs)
    text = " ".join(terminal_summary(gone).split())
    assert "No finished run in net present value to date: Referral programme." in text
    assert "nan" not in text
    assert "Referral programme" in report.page(gone)


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
    page = report.page(alone)
    assert "<h2>Ranking</h2>" not in page
    assert "<h2>Balanced Scorecard</h2>" in page
    assert "Attenzi: 1 portfolio" in terminal_summary(alone)


def test_without_twins_the_report_says_so() -> None:
    text = report.page(synthetic_results.study(replications=3, quarters=2, twins=False))
    assert "No muted twins were run" in text
    assert "<h2>What each flow contributed</h2>" not in text


def test_labels_cannot_break_the_page() -> None:
    study = synthetic_results.study(replications=3, quarters=2)
    arms = dict(study.arms) | {"service": "<b>R&D</b> “service”"}
    hostile = replace(study, arms=arms, title="A < B & $C", brief='"<script>alert(1)</script>"')
    page = report.page(hostile)
    assert "<script" not in page
    assert "<b>" not in page
    assert "A &lt; B &amp; $C" in page


def test_the_terminal_summary_fits_and_speaks_plainly(study: StudyResults) -> None:
    text = terminal_summary(study)
    assert max(len(line) for line in text.splitlines()) <= 100
    lines = [line for line in text.splitlines() if re.match(r" *\d+  ", line)]
    assert len(lines) == len(study.arms)
    assert lines[0].split("  ")[1].strip() == "Listening first" or "Listening first" in lines[0]
    assert "30/30" in lines[0]
    assert "Cannot be told apart from “As is” in net present value to date:" in text


def test_unequal_costs_are_not_called_equal(study: StudyResults) -> None:
    assert "equal within 1 %" in report.report_parts.limits(find(study))
    runs = study.runs.copy()
    runs.loc[runs["arm"] == "service", "planned_cost"] *= 1.2
    said = report.report_parts.limits(find(replace(study, runs=runs)))
    assert "Planned costs differ" in said
    assert "equal within 1 %" not in said


def test_the_scorecard_of_every_quarter_is_on_the_page(page: str) -> None:
    assert all(f"<summary>Quarter {q}</summary>" in page for q in range(1, 12))
    body = page[page.index('id="scorecard"') :]
    assert body.count('class="light green" title="green" aria-label="green">G<') > 10


def test_how_to_reproduce_is_complete(page: str) -> None:
    for text in ("influence compare scenario=attenzi", "2024", "0123abc (clean)", "numpy 2.0"):
        assert text in page


def test_realised_cost_is_counted_beyond_what_the_baseline_spends() -> None:
    study = synthetic_results.study(replications=3, quarters=2)
    runs = study.runs.copy()
    runs["realised_cost"] += 50_000.0
    line = find(replace(study, runs=runs)).rank("service")
    assert line["realised_cost"] == pytest.approx(synthetic_results.PLANNED * 0.985)
