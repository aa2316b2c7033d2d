"""The printed SQL makes the same tables, and an app that may create none works with them."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.migrations import MIGRATIONS
from pwless_middleware.database.migrations.script import write_script
from tests.postgres_server import PostgresServer

SHAPE = "SELECT name, sql FROM sqlite_master WHERE name LIKE 'pwless_%' ORDER BY name"
GRANTS = """
CREATE ROLE app LOGIN;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app
"""


def shape(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    rows = connection.execute(SHAPE).fetchall()
    connection.close()
    return [(name, " ".join(sql.split())) for name, sql in rows]


def open_and_ping(url: str) -> None:
    async def use() -> None:
        database = Database(url)
        await database.ping()
        await database.aclose()

    asyncio.run(use())


@pytest.mark.parametrize("since", range(len(MIGRATIONS)))
def test_it_makes_what_opening_makes_from_any_version(tmp_path: Path, since: int) -> None:
    opened, printed = tmp_path / "opened.db", tmp_path / "printed.db"
    open_and_ping(f"sqlite:///{opened}")
    connection = sqlite3.connect(printed)
    whole = write_script("sqlite")
    head, _, _ = whole.partition(f"-- {since + 1}: ")
    connection.executescript(f"{head}COMMIT;")
    connection.executescript(write_script("sqlite", since=since))
    connection.close()
    assert shape(printed) == shape(opened)
    open_and_ping(f"sqlite:///{printed}")


def test_nothing_is_printed_where_nothing_is_missing() -> None:
    assert write_script("postgresql", since=len(MIGRATIONS)) == ""


def test_a_role_that_may_not_create_tables_works_with_those_that_are_there(
    postgres_server: PostgresServer,
) -> None:
    postgres_server.run("DROP DATABASE IF EXISTS printed WITH (FORCE)")
    postgres_server.run("DROP ROLE IF EXISTS app")
    postgres_server.run("CREATE DATABASE printed")
    postgres_server.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC", database="printed")
    postgres_server.run(write_script("postgresql"), database="printed")
    postgres_server.run(GRANTS, database="printed")
    parts = urlsplit(postgres_server.url)
    url = parts._replace(netloc=f"app@{parts.netloc.partition('@')[2]}", path="/printed").geturl()
    try:
        open_and_ping(url)
    finally:
        postgres_server.run("DROP DATABASE printed WITH (FORCE)")
        postgres_server.run("DROP ROLE app")
