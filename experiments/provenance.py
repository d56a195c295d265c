"""Where a number comes from: settings, seed, code and packages; whether two studies are the same.

Results are bit-identical for the same settings, seed, model code, NumPy and Numba on one machine.
These are the `Identity` of a study; only runs of one identity may stand in one folder.
"""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sim import __version__
from sim.plans import Arm
from sim.scenario import Scenario

PACKAGES = (
    "mesa",
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
    "hydra-core",
    "numba",
    "llvmlite",
)
DECISIVE = ("numpy", "numba", "llvmlite")
SHOWN = 8


@dataclass(frozen=True)
class Identity:
    """What decides every bit of a study's results.

    Attributes
    ----------
    settings : mapping
        Dotted key to value of every resolved setting, the seed among them.
    inputs : mapping
        What the settings led to: the scenario (own tables included) and each arm, as a fingerprint.
    code : mapping
        Source file of the model to the SHA-256 of its text.
    packages : mapping
        Package that computes numbers to its version.
    """

    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    code: Mapping[str, str]
    packages: Mapping[str, str]

    def hashes(self) -> dict[str, str]:
        """Return one short hash each for settings, inputs, code and packages."""
        return {name: digest(part) for name, part in asdict(self).items()}


def identity_of(
    settings: Mapping[str, Any], seed: int, scenario: Scenario, arms: Sequence[Arm]
) -> Identity:
    """Return the identity of a study that would run here and now."""
    flat = {**dict(flatten(settings)), "seed": seed}
    return Identity(
        settings={key: plain(flat[key]) for key in sorted(flat)},
        inputs={
            "the scenario": digest(canonical(scenario)),
            **{f"arm {arm.key}": digest(canonical(arm)) for arm in arms},
        },
        code=source_hashes(),
        packages={name: package_version(name) for name in DECISIVE},
    )


def save_identity(identity: Identity, path: Path) -> None:
    """Write an identity as JSON."""
    path.write_text(json.dumps(asdict(identity), indent=1), encoding="utf-8")


def load_identity(path: Path) -> Identity:
    """Read an identity that `save_identity` wrote."""
    return Identity(**json.loads(path.read_text(encoding="utf-8")))


def differences(before: Identity, now: Identity) -> list[str]:
    """Say in words what differs between two identities; empty where they are the same."""
    said = [
        f"{key}: {_shown(before.settings, key)} in the folder, {_shown(now.settings, key)} now"
        for key in _differing(before.settings, now.settings)
    ]
    if not said:
        said = [f"{name} has changed" for name in _differing(before.inputs, now.inputs)]
    said += [f"the code of {name} has changed" for name in _differing(before.code, now.code)]
    said += [
        f"{name} {_shown(before.packages, name)} in the folder, {_shown(now.packages, name)} now"
        for name in _differing(before.packages, now.packages)
    ]
    if len(said) > SHOWN:
        said = [*said[:SHOWN], f"and {len(said) - SHOWN} more"]
    return said


def flatten(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, value) of nested mappings and lists."""
    if isinstance(tree, Mapping):
        items = [(str(key), value) for key, value in tree.items()]
    elif isinstance(tree, Sequence) and not isinstance(tree, str):
        items = [(str(key), value) for key, value in enumerate(tree)]
    else:
        yield prefix, tree
        return
    if not items and prefix:
        yield prefix, None
    for key, value in items:
        yield from flatten(value, f"{prefix}.{key}" if prefix else key)


def canonical(value: Any) -> Any:
    """Return nested dataclasses, mappings and arrays as lists that have one spelling."""
    if is_dataclass(value) and not isinstance(value, type):
        return [[item.name, canonical(getattr(value, item.name))] for item in fields(value)]
    if isinstance(value, Mapping):
        return [[str(key), canonical(value[key])] for key in sorted(value, key=str)]
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if hasattr(value, "tobytes"):
        content = hashlib.sha256(value.tobytes()).hexdigest()
        return [str(value.dtype), list(value.shape), content]
    return repr(value)


def plain(value: Any) -> Any:
    """Return a value as JSON would give it back, so that stored and fresh ones compare equal."""
    return json.loads(json.dumps(value, default=str))


def digest(value: Any) -> str:
    """Return 16 hexadecimal digits that depend on nothing but the value."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def source_hashes() -> dict[str, str]:
    """Return the SHA-256 of every source file of the model, by its path."""
    root = _package_root()
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for path in sorted((root / "sim").rglob("*.py"))
    }


def package_version(name: str) -> str:
    """Return the installed version of a package, or 'not installed'."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def environment() -> dict[str, Any]:
    """Return what the numbers were made with: packages, Python, platform and git commit."""
    return {
        "packages": {
            "influence-laboratory": __version__,
            **{name: package_version(name) for name in PACKAGES},
        },
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "git": git_state(),
    }


def git_state() -> dict[str, Any]:
    """Return commit and whether files differ from it; None outside a checkout."""
    root = _package_root()
    commit = _git("rev-parse", "HEAD", cwd=root) if (root / "pyproject.toml").exists() else None
    if not commit:
        return {"commit": None, "dirty": None}
    return {"commit": commit, "dirty": bool(_git("status", "--porcelain", cwd=root))}


def _git(*arguments: str, cwd: Path) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=cwd, capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _package_root() -> Path:
    return Path(__file__).resolve().parent.parent


def _differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    missing = object()
    keys = [*before, *(key for key in now if key not in before)]
    return [key for key in keys if before.get(key, missing) != now.get(key, missing)]


def _shown(values: Mapping[str, Any], key: str) -> str:
    return repr(values[key]) if key in values else "absent"
