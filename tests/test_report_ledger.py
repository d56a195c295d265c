"""The report's closer looks: the ledger and the shares of the flows, as the tables have them."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
import synthetic_results

from experiments import cli, report, store
from experiments.accounts import ALL, EVERYBODY, REMAINDER, ledger_course, ledger_summary
from experiments.report_findings import find
from experiments.report_ledger import ledger_lines, ledger_section, shapley_section
from sim.flows import Flow

SMALL = ["scenario=village", "quarters=2", "replications=3", "portfolios=[as_is,fast_service]"]


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study whose ledger was kept and whose flows were combined."""
    folder = tmp_path_factory.mktemp("study")
    words = ["ledger", *SMALL, "twins=none", "shapley=true", "--jobs", "1", "--quiet"]
    assert cli.main([*words, "--out", str(folder)]) == 0
    return folder


def page(folder: Path) -> str:
    return unescape((folder / store.REPORT).read_text(encoding="utf-8"))


def section(folder: Path, key: str) -> str:
    found = re.search(rf'<section id="{key}">(.*?)</section>', page(folder), re.S)
    assert found is not None
    return found[1]


def test_the_ledger_has_a_section_that_says_what_is_counted(looked: Path) -> None:
    text = section(looked, "ledger")
    assert "something you otherwise wouldn't" in text
    assert "more than 0.05 in attitude" in text
    assert "more than 5 % points" in text
    for title in ("As is", "Fast, human service"):
        assert f"<h3>{title}</h3>" in text
    for flow in Flow:
        assert flow.label in text


def test_every_arm_with_a_ledger_has_its_figure_in_the_folder_and_on_the_page(looked: Path) -> None:
    text = section(looked, "ledger")
    assert text.count('role="img" aria-label="Bars of the share of people') == 2
    for arm, label in (("as_is", "As is"), ("fast_service", "Fast, human service")):
        stem = looked / store.FIGURES / f"influence_ledger_{arm}"
        assert stem.with_suffix(".png").read_bytes()[:4] == b"\x89PNG"
        assert label in stem.with_suffix(".svg").read_text(encoding="utf-8")


def test_the_course_of_the_ledger_ends_where_the_tables_of_the_horizon_stand(looked: Path) -> None:
    ledger = store.read_table(looked, "ledger")
    course = ledger_course(ledger)
    assert set(course["quarter"]) == {1, 2}
    assert set(course["flow"]) == {int(flow) for flow in Flow}
    keys = ["arm", "influenced", "flow", "measure"]
    for quarter in (1, 2):
        summary = ledger_summary(ledger, quarter)
        told = summary[(summary["kind"] == EVERYBODY) & (summary["what"] == "anything")]
        told = told.set_index(keys)[["mean", "low", "high"]]
        own = course[course["quarter"] == quarter].set_index(keys)[["mean", "low", "high"]]
        assert len(own) == 2 * 2 * 6 * 3
        pd.testing.assert_frame_equal(own, told.loc[own.index])
    assert (course.query("measure == 'more'")["mean"] > 0).any()


def test_the_section_shows_the_numbers_of_the_table(looked: Path) -> None:
    table = store.read_table(looked, "ledger")
    found = ledger_summary(table, 2).set_index(
        ["arm", "kind", "influenced", "what", "flow", "measure"]
    )["mean"]
    text = section(looked, "ledger")
    for flow in (1, 2, ALL):
        key = ("as_is", EVERYBODY, "think", "anything", flow)
        more, less = found[(*key, "more")], found[(*key, "less")]
        assert f"<td>{100 * found[(*key, 'share')]:.1f}<br>" in text
        assert f"+{100 * more:.1f} −{100 * less:.1f}" in text
    rest = found["as_is", EVERYBODY, "think", "anything", REMAINDER, "share"]
    assert f"<td>{100 * rest:+.1f}<br>".replace("-", "−") in text


def test_the_shares_of_the_flows_have_a_section(looked: Path) -> None:
    text = section(looked, "shapley")
    table = store.read_table(looked, "shapley")
    share = table.query("arm == 'as_is' and against == '' and kpi == 'market_share'")["value"]
    assert "<h3>Fast, human service, beyond As is</h3>" in text
    assert f"{100 * share.iloc[1]:+.1f}".replace("-", "−") in text
    assert "sum of the six" in text


def test_the_dictionary_explains_every_column_beside_the_tables(looked: Path) -> None:
    said = store.read_table(looked, "dictionary")
    for name in ("ledger", "shapley", "interactions"):
        columns = list(store.read_table(looked, name).columns)
        assert list(said[said["table"] == name]["column"]) == columns


def test_the_terminal_shows_the_ledger_within_its_width(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["ledger", *SMALL, "portfolio=fast_service", "--jobs", "1", "--out", str(tmp_path)]
    words.remove(SMALL[-1])
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert "Influence ledger, quarter 2" in said
    assert said.count("remainder") == 2
    assert max(len(line) for line in said.splitlines() if "/" not in line) <= 100


def test_a_study_without_closer_looks_shows_none() -> None:
    findings = find(synthetic_results.study(replications=3, quarters=4))
    assert ledger_section(findings, {}) == shapley_section(findings) == ledger_lines(findings) == ""
    assert "Influence ledger" not in report.terminal_summary(findings.study)


def test_the_ledger_asked_for_can_be_another(tmp_path: Path) -> None:
    small = [word for word in SMALL if not word.startswith("replications=")]
    words = ["ledger", *small, "ledger=all", "twins=none", "replications=1", "--quiet"]
    assert cli.main([*words, "--jobs", "1", "--out", str(tmp_path)]) == 0
    assert set(store.read_table(tmp_path, "ledger")["arm"]) == {"as_is", "fast_service"}
