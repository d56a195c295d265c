"""The catalogue of mechanisms: printed, as a page, and the page that is kept is current."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from experiments import cli
from experiments.settings import catalogue, shipped_dir
from experiments.settings_catalogue import COMMAND
from experiments.settings_files import read_yaml

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "mechanisms.md"
SHELF = sorted((shipped_dir() / "mechanism").glob("*.yaml"))


@pytest.fixture(scope="module")
def page() -> str:
    return catalogue(page=True)


def test_the_page_that_is_kept_is_what_the_command_makes(
    page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command, _, target = COMMAND.partition(" > ")
    assert cli.main(command.split()[1:]) == 0
    made = capsys.readouterr().out
    assert made == page
    assert (ROOT / target) == PAGE
    assert PAGE.read_text(encoding="utf-8") == made, f"make it anew: {COMMAND}"


@pytest.mark.parametrize("file", SHELF, ids=lambda file: file.stem)
def test_the_page_has_every_mechanism_with_its_numbers_and_their_sources(
    file: Path, page: str
) -> None:
    content = read_yaml(file).content
    part = page.partition(f"\n## {content['code']} {content['label']}\n")[2].partition("\n## ")[0]
    assert content["description"].strip() in part
    assert f"`{file.stem}`" in part
    rows = [line.split(" | ") for line in part.splitlines() if line.startswith("| ")][2:]
    effects = [*content["effects"].values(), *content.get("side_effects", {}).values()]
    lawful = content.get("acceptability", {})
    wanted = 3 + len(content["needs"]) + len(effects) + (content["dip"] > 0)
    assert len(rows) == wanted + ("volume" in content) + 3 * ("breach" in lawful)
    source = re.compile(r"assumption|\((19|20)\d\d\)|convention")
    for name, value, unit, said in rows:
        assert re.fullmatch(r"[+−]?[\d,]+(\.\d+)?", value), name
        assert unit
        assert source.search(said), (name, said)
    values = {value for _, value, _, _ in rows}
    for effect in effects:
        assert f"{effect['by']:+g}".replace("-", "−") in values


def test_the_grid_says_who_acts_on_which_flow(page: str) -> None:
    grid = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    head = next(i for i, row in enumerate(grid) if row[0] == "department")
    assert grid[head][1:] == [*(f"flow {i}" for i in range(1, 7)), "senses"]
    rows = {row[0]: row[1:] for row in grid[head + 2 : head + 12]}
    assert len(rows) == 10
    for file in SHELF:
        content = read_yaml(file).content
        for flow in range(1, 7):
            placed = [who for who, row in rows.items() if content["code"] in row[flow - 1].split()]
            assert len(placed) == (flow in content["flows"]), (file.stem, flow, placed)
    assert "M28" in rows["Finance and strategy"][6].split()


def test_the_columns_are_explained_in_two_sentences(page: str) -> None:
    said = page.split("\n\n")[2]
    assert len(re.findall(r"\.(?: |$)", said)) == 2
    for word in ("Set-up", "running", "volume", "half-life", "Moves"):
        assert word in said


def test_the_command_prints_flows_departments_cost_half_life_and_levers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["settings", "mechanism"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("42 mechanisms; money in thousand euro")
    start = lines.index("flow 4: competitors to stakeholders")
    assert lines[start + 1].split() == ["Finance", "and", "strategy", "M27", "M28"]
    row = next(line for line in lines if line.startswith("M11"))
    for part in ("Referral programme", "Marketing", " 40 ", " 80 ", " 20 ",
                 "referral +0.25", "contact −0.4 (above 0.3)"):  # fmt: skip
        assert part in row


def test_a_scenario_shows_its_own_departments_money_and_own_mechanisms(tmp_path: Path) -> None:
    folder = tmp_path / "mechanism"
    folder.mkdir()
    text = (shipped_dir() / "mechanism" / "transparency.yaml").read_text(encoding="utf-8")
    text = text.replace("code: M31\n", "").replace("label: Transparency", "label: Open oven")
    (folder / "open_oven.yaml").write_text(text, encoding="utf-8")
    lines = catalogue(["scenario=village"], tmp_path).splitlines()
    assert lines[0] == "Two bakeries in a village: 43 mechanisms; money in euro"
    assert lines[-1].split()[:6] == ["open_oven", "Open", "oven", "Counter", "30", "72"]
    assert any(line.split()[:1] == ["Counter"] and "open_oven" in line for line in lines)


def test_only_the_catalogue_is_made_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["settings", "trust", "--markdown"]) == 2
    assert "influence settings mechanism --markdown" in capsys.readouterr().err
    assert cli.main(["settings", "trust", "--markdwn"]) == 2
    assert "did you mean '--markdown'" in capsys.readouterr().err
