"""Connections to the file, and how each is set up."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from pwless_middleware.database.statement import Query, Row
from pwless_middleware.errors import ConfigError

BUSY_SECONDS: Final = 1.0
"""How long a write waits for another program that holds the file locked."""
_OLDEST: Final = (3, 35)
"""`RETURNING`; https://www.sqlite.org/lang_returning.html."""


def open_writer(path: str, *, is_durable: bool) -> sqlite3.Connection:
    """Return a connection that writes. The caller holds the turn: the first changes the file.

    Args:
        path: of the file, which is there.
        is_durable: a commit outlasts a power cut; else only the end of the process.

    Raises:
        ConfigError: SQLite is too old, or cannot keep a write-ahead log there.
        sqlite3.Error: it cannot be opened.
    """
    if sqlite3.sqlite_version_info < _OLDEST:
        raise ConfigError(
            "database", f"SQLite is {sqlite3.sqlite_version}: 3.35 or later is needed"
        )
    connection = _open(path, BUSY_SECONDS)
    try:
        [(mode,)] = connection.execute("PRAGMA journal_mode=WAL")
        if mode != "wal":
            raise ConfigError(
                "database", f"{path} cannot have a write-ahead log: keep it elsewhere"
            )
        connection.execute("PRAGMA synchronous=FULL" if is_durable else "PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        # Of what was deleted nothing is left in the file (security rule 70).
        connection.execute("PRAGMA secure_delete=ON")
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: str) -> sqlite3.Connection:
    """Return a connection that reads, and never waits: it is used in the event loop.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    connection = _open(path, 0)
    try:
        connection.execute("PRAGMA query_only=ON")
    except BaseException:
        connection.close()
        raise
    return connection


def run_query(connection: sqlite3.Connection, query: Query) -> list[Row]:
    """Return all rows of a query.

    Raises:
        sqlite3.Error: it cannot be run.
    """
    statement = query.statement
    rows: list[Any] = connection.execute(statement.sqlite, statement.order(query.values)).fetchall()
    return rows


def _open(path: str, seconds: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=seconds, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA trusted_schema=OFF")
    except BaseException:
        connection.close()
        raise
    return connection
