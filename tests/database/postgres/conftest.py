"""A server that the tests of this folder may stop, freeze and refuse with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from pwless_middleware.database.database import Database
from tests.postgres_server import PostgresServer


@pytest.fixture(scope="package")
def package_server() -> Iterator[PostgresServer]:
    """One server for all of them, since a start takes a second."""
    server = PostgresServer({"fsync": "off"})
    yield server
    server.close()


@pytest.fixture
def server(package_server: PostgresServer) -> Iterator[PostgresServer]:
    """It, running, and after the test again as it was."""
    yield package_server
    if not package_server.is_running:
        package_server.start()
    package_server.thaw()


@pytest.fixture
async def database(server: PostgresServer) -> AsyncIterator[Database]:
    """Its database, with all tables, and a table of these tests, which is empty."""
    server.run("DROP TABLE IF EXISTS pwless_test; CREATE TABLE pwless_test (id BIGINT PRIMARY KEY)")
    database = Database(server.url)
    await database.open()
    yield database
    await database.aclose()
