"""The model: six influence flows between an organization, its competitors and their stakeholders.

Nothing heavy is imported until it is asked for: `from sim import InfluenceModel` brings Mesa,
`from sim import simulate` brings the engine alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {"InfluenceModel": "sim.model", "simulate": "sim.engine"}
__all__ = ["InfluenceModel", "__version__", "simulate"]


def __getattr__(name: str) -> Any:
    """Import what is asked for from where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
