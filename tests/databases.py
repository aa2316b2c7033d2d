"""Real databases for tests: the fixture `database` runs a test on each kind, `repositories` on each
kind and on the double in memory, `parallel` on each kind from four sides, always on an empty one.

On PostgreSQL that is always the same one, with its tables: what a test has left is deleted before
the next. That takes 2 ms; a new schema with all tables 40, a new database 60.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from threading import Thread
from typing import Any, Final, TypeVar

import asyncpg
import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.memory.repositories import make_memory_repositories
from pwless_middleware.database.repositories import Repositories, make_repositories
from tests.postgres_server import PostgresServer
from tests.sqlite_file import sqlite_url

T = TypeVar("T")

DATABASES: Final = ("sqlite", "postgresql")
"""The kinds; a contract that has a double in memory as well runs on `("memory", *DATABASES)`."""

_EMPTY = """
DO $$
DECLARE
    name text;
    is_filled boolean;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        IF name = ANY (string_to_array(current_setting('pwless.tables'), ' ')) THEN
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', name) INTO is_filled;
            IF is_filled AND name <> 'pwless_schema' THEN
                EXECUTE format('DELETE FROM %I', name);
            END IF;
        ELSE
            EXECUTE format('DROP TABLE %I CASCADE', name);
        END IF;
    END LOOP;
END $$
"""


class SharedPostgres:
    """The session's database `pwless`, emptied for each test that asks for it.

    Its loop runs in a thread, so that it can be asked for while the loop of a test runs.
    """

    def __init__(self, server: PostgresServer) -> None:
        self.url = server.url
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever)
        self._thread.start()
        self._connection: Any = self._run(self._prepare())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _prepare(self) -> Any:
        database = Database(self.url)
        await database.open()
        await database.aclose()
        connection = await asyncpg.connect(self.url)
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = " ".join(row[0] for row in rows)
        await connection.execute(f"SET pwless.tables = '{names}'")
        return connection

    def empty(self) -> None:
        """Delete what the test before has left, its connections too."""
        self._run(self._empty())

    async def _empty(self) -> None:
        await self._connection.execute(
            "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await self._connection.execute(_EMPTY)

    def close(self) -> None:
        """Take leave."""
        self._run(self._connection.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="session")
def shared_postgres(postgres_server: PostgresServer) -> Iterator[SharedPostgres]:
    """The session's own database; a test asks for `postgres_url`."""
    shared = SharedPostgres(postgres_server)
    yield shared
    shared.close()


@pytest.fixture
def postgres_url(shared_postgres: SharedPostgres) -> str:
    """The URL of an empty database of PostgreSQL, with all tables."""
    shared_postgres.empty()
    return shared_postgres.url


@pytest.fixture
def make_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Return a function that gives the URL of an empty database of a kind, once in a test."""

    def make_url(kind: str) -> str:
        if kind == "postgresql":
            return str(request.getfixturevalue("postgres_url"))
        return sqlite_url(tmp_path)

    return make_url


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


@pytest.fixture
async def parallel(database_url: str) -> AsyncIterator[list[Repositories]]:
    """Repositories of one database as four processes have them: each with connections of its own,
    and on SQLite with a writing thread.
    """
    databases = [Database(database_url) for _ in range(4)]
    for database in databases:
        await database.open()
    yield [make_repositories(database) for database in databases]
    for database in databases:
        await database.aclose()
