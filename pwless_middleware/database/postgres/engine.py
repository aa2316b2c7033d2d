"""PostgreSQL behind the contract of a database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from pwless_middleware.database.base import Dialect
from pwless_middleware.database.postgres import in_time
from pwless_middleware.database.postgres.connections import Connection, Connections, Work
from pwless_middleware.database.postgres.errors import FAULTS, explain, explain_refusal
from pwless_middleware.database.postgres.listener import PostgresListener
from pwless_middleware.database.postgres.transaction import Transaction, run
from pwless_middleware.database.postgres.url import PostgresUrl
from pwless_middleware.database.statement import Query, Row, Statement, Steps
from pwless_middleware.deadline import Deadline
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.per_loop import PerLoop

T = TypeVar("T")

_OLDEST: Final = 13
_CONNECTING: Final = 0.9
"""Which part of the time a connection may take, to know that it hangs while somebody waits."""
_IS_READ_ONLY = Statement(
    "SELECT 'off'", postgres="SELECT current_setting('transaction_read_only')"
)


class PostgresEngine:
    """Keep everything in a PostgreSQL database.

    Args:
        url: of the database.
    """

    dialect: Dialect = "postgresql"

    def __init__(self, url: PostgresUrl) -> None:
        self._url = url
        self._hosts = list(url.hosts)
        self._connections = PerLoop(lambda: Connections(self._connect, url.pool_size))

    async def open(self) -> None:
        """Connect."""
        try:
            await self._connections.here().use(_check, lambda: True)
        except FAULTS as fault:
            error = explain_refusal(fault)
        else:
            return
        raise error

    async def fetch(self, query: Query) -> list[Row]:
        """Return the rows of a query that reads."""
        if self._url.is_pooled:
            return await self.execute(query)
        return await self._use(lambda connection: run(connection, query), lambda: True)

    async def execute(self, query: Query) -> list[Row]:
        """Run one query that writes, as a transaction of its own, and return its rows."""
        if self._url.is_pooled:  # a statement and its values are two messages, for two sessions
            return await self.transact(lambda: _one(query), locks=())
        return await self._use(lambda connection: run(connection, query), lambda: False)

    async def transact(
        self,
        make: Callable[[], Steps[T]],
        *,
        locks: Iterable[str] | None = None,
        is_long: bool = False,
    ) -> T:
        """Run steps in one transaction."""
        transaction = Transaction(make, locks, is_long=is_long, is_pooled=self._url.is_pooled)
        return await self._use(transaction.run, transaction.is_repeatable, is_long=is_long)

    async def listen(
        self, channel: str, on_payload: Callable[[str], None]
    ) -> PostgresListener | None:
        """Listen on a channel, over a connection of its own."""
        if self._url.is_pooled:
            return None

        async def begin(connection: Connection) -> PostgresListener:
            listener = PostgresListener(connection, on_payload)
            await listener.listen(channel)
            return listener

        try:
            return await self._connections.here().connect_apart(begin)
        except FAULTS as fault:
            error = explain(fault)
        raise error

    async def ping(self) -> None:
        """Return if it can be asked and can write."""
        [(setting,)] = await self.fetch(_IS_READ_ONLY())
        if setting != "off":
            raise StoreError("PostgreSQL: it is read-only")

    async def aclose(self) -> None:
        """Close."""
        connections = self._connections.pop()
        if connections is not None:
            await connections.aclose()

    async def _connect(self) -> Connection:
        hosts = self._hosts
        try:
            async with Deadline(_CONNECTING * in_time.DEADLINE):
                return await asyncpg.connect(
                    host=[host for host, _ in hosts],
                    port=[port for _, port in hosts],
                    target_session_attrs=SessionAttribute.read_write,
                    **self._url.options,
                )
        except TimeoutError:
            self._hosts = [*hosts[1:], hosts[0]]  # it hangs: another is asked first next time
            raise

    async def _use(
        self, work: Work[T], is_repeatable: Callable[[], bool], *, is_long: bool = False
    ) -> T:
        try:
            return await self._connections.here().use(work, is_repeatable, is_long=is_long)
        except FAULTS as fault:
            error = explain(fault)
        raise error


def _one(query: Query) -> Steps[list[Row]]:
    rows = yield query
    return rows


async def _check(connection: Connection) -> None:
    version = connection.get_server_version()
    if version.major < _OLDEST:
        raise ConfigError("database", f"PostgreSQL is {version.major}, and has to be {_OLDEST}")
    encoding = getattr(connection.get_settings(), "server_encoding", "UTF8")
    if encoding != "UTF8":
        raise ConfigError("database", f"the database is in {encoding}: make one in UTF8")
