"""Options and fixtures shared by all tests."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("house", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add where real organizations' tables lie, which are no part of this project."""
    parser.addoption(
        "--real-data",
        default=None,
        metavar="DIR",
        help="folder of real organizations' tables; without it their tests skip",
    )
