"""PostgreSQL behind the contract of a database: transactions, and what repeats them."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from pwless_middleware.database.base import Dialect
from pwless_middleware.database.postgres.connections import Connection, Connections, Work
from pwless_middleware.database.postgres.errors import AGAIN, FAULTS, explain
from pwless_middleware.database.postgres.in_time import in_time
from pwless_middleware.database.postgres.listener import PostgresListener
from pwless_middleware.database.statement import Query, Row, Statement, Steps
from pwless_middleware.per_loop import PerLoop

T = TypeVar("T")

_AT_ONCE: Final = 8
"""Connections of one event loop, hence of one process; the server's default is 100 for all."""
_TRIES: Final = 6
_PAUSE: Final = 0.005
"""Seconds at most before a transaction is done again, times the tries so far."""
_TOGETHER: Final = "BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE pwless_schema IN ROW SHARE MODE"
_ALONE: Final = "BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE pwless_schema IN EXCLUSIVE MODE"
"""While nobody is in the other: so what met others twice is done at the third time. `LOCK TABLE`
comes before the transaction's snapshot is taken, other than a lock that a query takes."""
_CAN_WRITE = Statement("", postgres="SELECT current_setting('transaction_read_only')")


class PostgresEngine:
    """Keep everything in a PostgreSQL database.

    Args:
        url: of the database, as libpq has it.
    """

    dialect: Dialect = "postgresql"

    def __init__(self, url: str) -> None:
        self._url = url
        self._connections = PerLoop(lambda: Connections(self._connect, _AT_ONCE))

    async def _connect(self) -> Connection:
        return await asyncpg.connect(self._url, target_session_attrs=SessionAttribute.read_write)

    async def open(self) -> None:
        """Connect."""
        await self.ping()

    async def fetch(self, query: Query) -> list[Row]:
        """Return the rows of a query that reads."""
        return await self._use(lambda connection: _run(connection, query), lambda: True)

    async def execute(self, query: Query) -> list[Row]:
        """Run one query that writes, as a transaction of its own, and return its rows."""
        return await self._use(lambda connection: _run(connection, query), lambda: False)

    async def transact(
        self, make: Callable[[], Steps[T]], *, locks: Iterable[str] | None = None
    ) -> T:
        """Run steps in one transaction."""
        transaction = _Transaction(make, locks)
        return await self._use(transaction.run, transaction.is_repeatable)

    async def listen(self, channel: str, on_payload: Callable[[str], None]) -> PostgresListener:
        """Listen on a channel, over a connection of its own."""
        connections: list[Connection] = []

        async def connect() -> PostgresListener:
            connections.append(await self._connect())
            listener = PostgresListener(connections[0], on_payload)
            await listener.listen(channel)
            return listener

        try:
            return await in_time(connect(), connections)
        except FAULTS as fault:
            raise explain(fault) from fault

    async def ping(self) -> None:
        """Return if it can be asked and can write."""
        await self.fetch(_CAN_WRITE())

    async def aclose(self) -> None:
        """Close."""
        connections = self._connections.pop()
        if connections is not None:
            await connections.aclose()

    async def _use(self, work: Work[T], is_repeatable: Callable[[], bool]) -> T:
        try:
            return await self._connections.here().use(work, is_repeatable)
        except FAULTS as fault:
            raise explain(fault) from fault


class _Transaction:
    """Do steps in one transaction, again where others were in its way."""

    def __init__(self, make: Callable[[], Steps[T]], locks: Iterable[str] | None) -> None:
        self._make: Callable[[], Steps[Any]] = make
        self._begin = None if locks is None else _begin_locked(locks)
        self._is_committing = False

    def is_repeatable(self) -> bool:
        """Whether it cannot have happened yet."""
        return not self._is_committing

    async def run(self, connection: Connection) -> Any:
        """Do it, and return what the steps return."""
        tries = 0
        while True:
            tries += 1
            self._is_committing = False
            try:
                return await self._try(connection, tries)
            except AGAIN as fault:
                await connection.execute("ROLLBACK")
                if isinstance(fault, asyncpg.InvalidCachedStatementError):
                    await connection.reload_schema_state()
                if tries == _TRIES:
                    raise
            except BaseException:
                if not connection.is_closed():
                    await connection.execute("ROLLBACK")
                raise
            await asyncio.sleep(random.random() * _PAUSE * tries)  # noqa: S311  # no secret

    async def _try(self, connection: Connection, tries: int) -> Any:
        begin = self._begin or (_TOGETHER if tries < 3 else _ALONE)
        await connection.execute(begin)
        steps = self._make()
        try:
            query = next(steps)
            while True:
                query = steps.send(await _run(connection, query))
        except StopIteration as end:
            self._is_committing = True
            await connection.execute("COMMIT")
            return end.value
        finally:
            steps.close()


async def _run(connection: Connection, query: Query) -> list[Row]:
    return [tuple(row) for row in await connection.fetch(query.statement.postgres, *query.values)]


def _begin_locked(locks: Iterable[str]) -> str:
    """Return the SQL that begins and takes locks, in an order that is everybody's.

    Other statements see what was committed until they begin, hence all that was done under them.
    """
    numbers = sorted({_number(name) for name in locks})
    if not numbers:
        return "BEGIN"
    listed = ", ".join(map(str, numbers))
    numbered = f"unnest(ARRAY[{listed}]::bigint[]) AS number"
    return f"BEGIN; SELECT COUNT(pg_advisory_xact_lock(number)) FROM {numbered}"  # noqa: S608  # integers


def _number(name: str) -> int:
    digest = hashlib.blake2b(name.encode(), digest_size=8, person=b"pwless").digest()
    return int.from_bytes(digest, signed=True)
