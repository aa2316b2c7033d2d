"""Real databases for tests: the fixture `database` runs a test on each kind, each time on an empty
one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from pwless_middleware.database.database import Database

DATABASES: Final = ("sqlite",)
"""The kinds; a contract that has a double in memory as well runs on `("memory", *DATABASES)`."""


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of each kind in turn."""
    return f"sqlite:///{tmp_path}/pwless.db"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database, with all tables, of each kind in turn."""
    database = Database(database_url)
    await database.open()
    yield database
    await database.aclose()
