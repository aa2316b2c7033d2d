"""Connections that read, lent to one query at a time.

A read is done in the event loop, since it takes some 6 µs and a thread would take 30. Event loops
of several threads each take an idle connection, or a new one: a connection that is still reading
shows a second reader the same moment, which may be older than what that one has written.
"""

from __future__ import annotations

import sqlite3

from pwless_middleware.database.sqlite.connections import open_reader, run_query
from pwless_middleware.database.sqlite.errors import is_harmless
from pwless_middleware.database.statement import Query, Row


class Readers:
    """Keep the idle connections of a process to one file."""

    def __init__(self) -> None:
        self._idle: list[sqlite3.Connection] = []

    def read(self, path: str, query: Query) -> list[Row]:
        """Return the rows of a query that reads.

        Raises:
            sqlite3.Error: it cannot be read, or not without waiting (`SQLITE_BUSY`).
        """
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = open_reader(path)
        try:
            rows = run_query(connection, query)
        except sqlite3.Error as error:
            if is_harmless(error):
                self._idle.append(connection)
            else:
                connection.close()
            raise
        self._idle.append(connection)
        return rows

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()
