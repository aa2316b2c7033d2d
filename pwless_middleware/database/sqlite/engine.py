"""A file of this machine: reads in the event loop, writes in one thread."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from pwless_middleware.database.base import Dialect
from pwless_middleware.database.statement import Query, Row, Statement, Steps
from pwless_middleware.errors import StoreError

T = TypeVar("T")

_NOTHING = Statement("SELECT 1")


class SqliteEngine:
    """Keep everything in one file.

    Args:
        path: of the file, which is made if it is missing.
        is_durable: a commit outlasts a power cut; else only the end of the process.
    """

    dialect: Dialect = "sqlite"

    def __init__(self, path: str, *, is_durable: bool = True) -> None:
        self._path = path
        self._synchronous = "FULL" if is_durable else "NORMAL"
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Connect."""
        if self._reader is None:
            self._writer = self._connect()
            self._reader = self._connect()
            self._thread = ThreadPoolExecutor(max_workers=1)

    async def fetch(self, query: Query) -> list[Row]:
        """Return the rows of a query that reads."""
        if self._reader is None:
            await self.open()
        assert self._reader is not None
        return _run(self._reader, query)

    async def execute(self, query: Query) -> list[Row]:
        """Run one query that writes."""
        return await self.transact(lambda: _one(query))

    async def transact(
        self, make: Callable[[], Steps[T]], *, locks: Iterable[str] | None = None
    ) -> T:
        """Run steps in one transaction; there is one at a time anyway."""
        if self._thread is None:
            await self.open()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._transact, make)

    async def listen(self, channel: str, on_payload: Callable[[str], None]) -> None:
        """Listen to nothing: a file has no channels."""

    async def ping(self) -> None:
        """Return if it can be asked and can write."""
        await self.fetch(_NOTHING())

    async def aclose(self) -> None:
        """Close."""
        if self._thread is not None:
            self._thread.shutdown()
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        self._reader = self._writer = self._thread = None

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._path, timeout=1, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={self._synchronous}")
        except sqlite3.Error as error:
            raise StoreError(f"the database cannot be opened: {error}") from error
        return connection

    def _transact(self, make: Callable[[], Steps[T]]) -> T:
        assert self._writer is not None
        writer = self._writer
        try:
            writer.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise StoreError(f"the database cannot be written: {error}") from error
        steps = make()
        try:
            query = next(steps)
            while True:
                query = steps.send(_run(writer, query))
        except StopIteration as end:
            writer.execute("COMMIT")
            result: T = end.value
            return result
        except BaseException:
            writer.execute("ROLLBACK")
            raise


def _one(query: Query) -> Steps[list[Row]]:
    rows = yield query
    return rows


def _run(connection: sqlite3.Connection, query: Query) -> list[Row]:
    statement = query.statement
    try:
        rows: list[Any] = connection.execute(
            statement.sqlite, statement.order(query.values)
        ).fetchall()
    except sqlite3.Error as error:
        raise StoreError(f"the database cannot be asked: {error}") from error
    return rows
