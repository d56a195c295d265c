"""A market that sells nothing is told of in its own words, wherever somebody reads."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from experiments import cli, store
from experiments.settings import load
from sim import kpis

SELLING = re.compile(r"(?i)customer|\bsales?\b|sell|sold|revenue|\bbuy|bought|price|market share")
ASKED = ["scenario=association", "quarters=2", "replications=2", "twins=none",
         "portfolios=[as_is,transparency]", "--jobs", "1"]  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study of the association, with its ledger and report."""
    folder = tmp_path_factory.mktemp("association") / "study"
    assert cli.main(["ledger", *ASKED, "--quiet", "--out", str(folder)]) == 0
    return folder


def selling(text: str) -> list[str]:
    """Lines of what is to be read that speak of selling."""
    return [line.strip() for line in text.splitlines() if SELLING.search(line)]


def visible(page: str) -> str:
    """What a reader of a page or drawing can read, a line per element."""
    body = re.sub(r"(?s)<style.*?</style>", " ", page)
    spoken = "\n".join(re.findall(r'(?:aria-label|title|alt)="([^"]*)"', body))
    return html.unescape(re.sub(r"<[^>]+>", "\n", body) + "\n" + spoken)


def test_the_report_of_an_association_speaks_of_no_selling(study: Path) -> None:
    text = visible((study / "report.html").read_text(encoding="utf-8"))
    assert "New members and supporters" in text
    assert "thousand euro per member or supporter" in text
    assert selling(text) == []


def test_the_figures_of_an_association_speak_of_no_selling(study: Path) -> None:
    drawings = sorted((study / store.FIGURES).glob("*.svg"))
    assert {"scorecard", "strategy_map"} <= {drawing.stem for drawing in drawings}
    for drawing in drawings:
        assert selling(visible(drawing.read_text(encoding="utf-8"))) == [], drawing.name


def test_the_indicators_of_an_association_have_its_own_names_and_units(study: Path) -> None:
    table = store.read_table(study, "indicators")
    assert selling("\n".join([*table["label"], *table["unit"]])) == []


def test_the_terminal_speaks_of_an_association_as_the_report_does(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own = ["headline=[revenue,gross_adds,acquisition_cost]", "--out", str(tmp_path / "study")]
    assert cli.main(["compare", *ASKED, *own]) == 0
    out = capsys.readouterr().out
    said = " ".join(out.split())
    assert "in income" in said
    assert selling(out) == []


def test_the_name_of_an_unknown_indicator_is_refused_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["compare", "--dry-run", "scorecard.labels.revenu=Income"]) == 2
    said = capsys.readouterr().err
    assert "scorecard.labels" in said
    assert "revenue" in said
    assert "Traceback" not in said


def test_a_market_that_names_nothing_keeps_the_usual_names() -> None:
    assert load(["scenario=village"]).board.indicators == kpis.TABLE
