"""A Redis, or a PostgreSQL, of its own for each module that breaks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres_server import PostgresServer
from tests.redis_server import Server


@pytest.fixture(scope="module")
def module_server() -> Iterator[Server]:
    """One server for the module, which keeps every write that it has acknowledged."""
    server = Server({"appendonly": "yes", "appendfsync": "always"})
    yield server
    server.close()


@pytest.fixture(scope="module")
def module_postgres() -> Iterator[PostgresServer]:
    """One server for the module, which keeps every write that it has acknowledged."""
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture
def server(module_server: Server) -> Iterator[Server]:
    """The module's server, up and running again after the test."""
    yield module_server
    module_server.thaw() if module_server.is_running else module_server.start()
