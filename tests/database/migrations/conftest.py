"""Databases without any table."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.databases import DATABASES
from tests.postgres_server import PostgresServer


@pytest.fixture(params=DATABASES)
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database in which there is nothing, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/pwless.db"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    server.run("DROP DATABASE IF EXISTS bare WITH (FORCE)")
    server.run("CREATE DATABASE bare")
    return urlsplit(server.url)._replace(path="/bare").geturl()
