"""Every command and snippet of the README does what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from experiments import cli, designs
from experiments.settings import load
from sim.fields import CAPITALS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def commands() -> list[str]:
    lines = "\n".join(blocks("sh")).splitlines()
    return [line.split("#")[0].strip() for line in lines if line.startswith("influence ")]


def bakery(folder: Path) -> None:
    """Follow the README's section on one's own scenario to the letter."""
    section = README.partition("## Your own scenario")[2].partition("\n## ")[0]
    (folder / "configs").symlink_to(ROOT / "configs")
    for line in "\n".join(re.findall(r"```sh\n(.*?)```", section, re.S)).splitlines():
        if line and not line.startswith("influence "):
            subprocess.run(shlex.split(line), check=True, cwd=folder)
    written = re.findall(r"`(my_configs/\S+\.yaml)`[^`]*\n\n```yaml\n(.*?)```", section, re.S)
    assert len(written) == 2
    for name, text in written:
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text, encoding="utf-8")


def test_the_readme_names_commands_to_try() -> None:
    assert len(commands()) >= 6
    assert blocks("python")


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme_is_accepted(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bakery(tmp_path)
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command)[1:]
    if words[0] in ("run", "compare", "ledger", "map") and "--dry-run" not in words:
        words.append("--dry-run")
    assert cli.main(words) == 0


def test_the_python_snippet_of_the_readme_runs() -> None:
    for snippet in blocks("python"):
        exec(compile(snippet, "README.md", "exec"), {})


def test_setting_up_and_testing_go_by_the_commands_that_the_readme_names() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for target in ("compare", "test"):
        assert f"make {target}" in README
        assert re.search(rf"^{target}:", makefile, re.M)
    assert "make test" in script


def test_every_file_that_the_readme_points_to_exists() -> None:
    for target in re.findall(r"\]\(((?!https?:)[^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for target in re.findall(r"`((?:sim|experiments|configs)/[\w./]*)`", README):
        assert (ROOT / target).exists(), target


def test_the_readmes_own_scenario_is_what_it_says(tmp_path: Path) -> None:
    bakery(tmp_path)
    made = load(["scenario=bakery"], tmp_path / "my_configs")
    assert (made.scenario.key, made.scenario.label) == ("bakery", "Our bakery")
    assert [portfolio.key for portfolio in made.study.portfolios] == ["as_is", "open_kitchen"]
    plan = designs.arms(made.study, made.scenario)[1].plan
    opened, served = (
        plan.effort[made.scenario.mechanism(key)] for key in ("open_kitchen", "fast_service")
    )
    assert opened[:5] / opened[-1] == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
    assert (served > 0).tolist() == [True] * 6 + [False] * 4
    assert plan.investment[CAPITALS.index("organization")].all()


def test_copying_a_scenario_needs_nothing_else(tmp_path: Path) -> None:
    bakery(tmp_path)
    village = (ROOT / "configs" / "scenario" / "village.yaml").read_text(encoding="utf-8")
    target = tmp_path / "my_configs" / "scenario" / "bakery.yaml"
    target.write_text(village.replace("key: village", "key: bakery"), encoding="utf-8")
    made = load(["scenario=bakery", "portfolios=[open_kitchen]"], tmp_path / "my_configs")
    assert made.scenario.key == "bakery"
