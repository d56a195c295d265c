"""What is built and installed is whole: code, settings, template, command and metadata."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from sim import __version__

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network."""
    pytest.importorskip("hatchling", reason="building a wheel needs the extra 'dev'")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content where an installer would put it."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(folder)
    return folder


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_every_setting_travels_in_the_wheel(installed: Path) -> None:
    shipped = {p.relative_to(ROOT / "configs") for p in (ROOT / "configs").rglob("*.yaml")}
    inside = installed / "sim" / "_configs"
    assert {p.relative_to(inside) for p in inside.rglob("*.yaml")} == shipped
    assert len(shipped) > 20


@pytest.mark.slow
def test_every_module_and_template_travels_in_the_wheel(installed: Path) -> None:
    for package in ("sim", "experiments"):
        wanted = {
            p.relative_to(ROOT)
            for p in (ROOT / package).rglob("*")
            if p.is_file() and "__pycache__" not in p.parts
        }
        assert wanted <= {p.relative_to(installed) for p in installed.rglob("*") if p.is_file()}


@pytest.mark.slow
def test_the_installed_command_finds_its_settings_far_from_the_checkout(
    installed: Path, tmp_path: Path
) -> None:
    script = (
        "import experiments, sys\nfrom experiments.cli import main\n"
        "print(experiments.__file__)\nsys.exit(main(['settings', 'physics.anchor']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installed))
    assert "physics.anchor = " in done.stdout


def test_the_version_is_the_same_everywhere() -> None:
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert project()["tool"]["hatch"]["version"]["path"] == "sim/__init__.py"


def test_the_constraints_name_no_place_to_download_from() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    wrong = [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .*)?", line)]
    assert wrong == []


@pytest.mark.parametrize("file", ["Makefile", "pyproject.toml", ".ci/run", "constraints.txt"])
def test_no_registry_is_named_in_what_installs(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert not re.search(r"https?://|index-url|find-links|trusted-host", text)


def test_either_way_of_installing_writes_bytecode() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    ways = [line for line in makefile.splitlines() if "-c constraints.txt $(1)" in line]
    assert len(ways) == 1
    by_uv, _, by_pip = ways[0].partition("||")
    assert "uv pip install --quiet --compile-bytecode" in by_uv
    assert "--compile " in by_pip
    assert "python -m compileall -q sim experiments" in makefile


def test_every_requirement_is_constrained() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.partition("==")[0] for line in lines}
    wanted = project()["project"]["dependencies"]
    wanted += project()["project"]["optional-dependencies"]["dev"]
    names = {re.split(r"[<>=!~\[ ]", requirement)[0].lower() for requirement in wanted}
    assert names <= pinned


def test_continuous_integration_runs_tests_style_and_types() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "make test" in script
    assert "make lint" in script
    for tool in ("pytest", "ruff check", "ruff format --check", "mypy"):
        assert f"python -m {tool}" in makefile
