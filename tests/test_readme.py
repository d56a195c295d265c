"""Every command and snippet of the README does what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from experiments import cli

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def commands() -> list[str]:
    lines = "\n".join(blocks("sh")).splitlines()
    return [line.split("#")[0].strip() for line in lines if line.startswith("influence ")]


def bakery(folder: Path) -> None:
    """Write the folder of own settings that the README draws, from shipped files."""
    for group, old, new in (
        ("scenario", "village", "bakery"),
        ("mechanism", "transparency", "open_kitchen"),
        ("portfolio", "transparency", "open_kitchen"),
    ):
        text = (ROOT / "configs" / group / f"{old}.yaml").read_text(encoding="utf-8")
        target = folder / "my_configs" / group / f"{new}.yaml"
        target.parent.mkdir(parents=True)
        target.write_text(
            text.replace(f"key: {old}", f"key: {new}").replace(
                f"mechanism: {old}", f"mechanism: {new}"
            ),
            encoding="utf-8",
        )


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


def test_copying_a_scenario_needs_nothing_else(tmp_path: Path) -> None:
    bakery(tmp_path)
    folder = str(tmp_path / "my_configs")
    words = ["compare", "scenario=bakery", "--config-dir", folder, "--dry-run"]
    assert cli.main([*words, "portfolios=[as_is,open_kitchen]"]) == 0
