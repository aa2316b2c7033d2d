"""The connections of one event loop: made when they are needed, kept, and lent to one at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from pwless_middleware.database.postgres.errors import FAULTS, LOST, explain
from pwless_middleware.database.postgres.in_time import in_time
from pwless_middleware.turns import Turns

T = TypeVar("T")

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection
Work = Callable[[Connection], Coroutine[Any, Any, T]]


class Connections:
    """Lend at most so many connections at a time; who comes later waits in line.

    The one that was given back last is lent first, so that those beyond the need stay idle.

    Args:
        connect: makes one.
        most: at a time.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]], most: int) -> None:
        self._connect = connect
        self._turns = Turns(most)
        self._idle: list[Connection] = []

    async def use(self, work: Work[T], is_repeatable: Callable[[], bool]) -> T:
        """Do this on a connection, within the deadline; once more where the connection was lost.

        Args:
            work: is given a connection.
            is_repeatable: whether it may be done again, asked when its connection was lost.

        Raises:
            StoreTimeout: the time is over. What `work` raises is raised as it is.
        """
        async with self._turns:
            lent: list[Connection] = []
            try:
                return await in_time(self._lend(work, is_repeatable, lent), lent)
            except TimeoutError as error:
                raise explain(error) from error

    async def _lend(
        self, work: Work[T], is_repeatable: Callable[[], bool], lent: list[Connection]
    ) -> T:
        connection = self._pop()
        is_new = connection is None
        if connection is None:
            connection = await self._connect()
        lent[:] = [connection]
        try:
            return await work(connection)
        except LOST:
            connection.terminate()
            if is_new or not is_repeatable():
                raise
        finally:
            lent.clear()
            if connection.is_in_transaction():
                connection.terminate()
            elif not connection.is_closed():
                self._idle.append(connection)
        self.terminate()  # what ended this one has ended the others, or made them useless
        return await self._lend(work, lambda: False, lent)

    def _pop(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    def terminate(self) -> None:
        """End those that nobody uses."""
        while self._idle:
            self._idle.pop().terminate()

    async def aclose(self) -> None:
        """Take leave of the server, on the connections that nobody uses."""
        while self._idle:
            await leave(self._idle.pop())


async def leave(connection: Connection) -> None:
    """Close a connection; one whose server does not answer is dropped."""
    if connection.is_closed():
        return
    try:
        await in_time(connection.close(), [connection])
    except FAULTS:
        connection.terminate()
