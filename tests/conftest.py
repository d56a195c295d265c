"""Options and fixtures shared by all tests."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add where real organizations' tables lie, which are no part of this project."""
    parser.addoption("--real-data", default=None, metavar="DIR",
                     help="folder of real organizations' tables; without it their tests skip")
