"""Real databases for tests: the fixture `database` runs a test on each kind, `repositories` on each
kind and on the double in memory, each time on an empty one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.memory.repositories import make_memory_repositories
from pwless_middleware.database.repositories import Repositories, make_repositories

DATABASES: Final = ("sqlite",)
"""The kinds; a contract that has a double in memory as well runs on `("memory", *DATABASES)`."""


@pytest.fixture
def make_database_url(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that gives the URL of an empty database of a kind."""
    return lambda kind: f"{kind}:///{tmp_path}/pwless.db"


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, make_database_url: Callable[[str], str]) -> str:
    """The URL of an empty database, of each kind in turn."""
    return make_database_url(request.param)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database, with all tables, of each kind in turn."""
    database = Database(database_url)
    await database.open()
    yield database
    await database.aclose()


@pytest.fixture(params=("memory", *DATABASES))
async def repositories(
    request: pytest.FixtureRequest, make_database_url: Callable[[str], str]
) -> AsyncIterator[Repositories]:
    """Empty repositories: the doubles in memory, then those of each kind of database."""
    if request.param == "memory":
        yield make_memory_repositories()
        return
    database = Database(make_database_url(request.param))
    await database.open()
    yield make_repositories(database)
    await database.aclose()
