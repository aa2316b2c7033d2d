"""The connections of one event loop: made when they are needed, kept, and lent to one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
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

    The one that was given back last is lent first, so that those beyond the need stay idle. They
    end with the event loop also where nobody closes them, as those of `asyncio.run` do.

    Args:
        connect: makes one.
        most: at a time.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]], most: int) -> None:
        self._connect = connect
        self._most = most
        self._turns = Turns(most)
        self._idle: list[Connection] = []
        self._apart: set[Connection] = set()
        self._is_closed = False
        self._end: AsyncGenerator[None, None] | None = None

    async def use(
        self, work: Work[T], is_repeatable: Callable[[], bool], *, is_long: bool = False
    ) -> T:
        """Do this on a connection, within the deadline; once more where the connection was lost.

        Args:
            work: is given a connection.
            is_repeatable: whether it may be done again, asked when its connection was lost.
            is_long: whether it has no deadline.

        Raises:
            StoreTimeout: the time is over. What `work` raises is raised as it is.
        """
        async with self._turns:
            lent: list[Connection] = []
            try:
                lending = self._lend(work, is_repeatable, lent)
                return await in_time(lending, lent, is_long=is_long)
            except TimeoutError as error:
                self._drop_idle()  # what hangs there, or between, hangs for them too
                raise explain(error) from None  # told to those in line as well

    async def connect_apart(self, work: Work[T]) -> T:
        """Do this on a new connection, which is not lent to others, and stays.

        Raises:
            TimeoutError: the time is over. What `work` raises is raised as it is.
        """
        made: list[Connection] = []

        async def connect() -> T:
            made.append(await self._connect_here())
            return await work(made[0])

        result = await in_time(connect(), made)
        self._apart = {each for each in self._apart if not each.is_closed()} | {*made}
        return result

    async def _lend(
        self, work: Work[T], is_repeatable: Callable[[], bool], lent: list[Connection]
    ) -> T:
        connection = self._pop()
        is_new = connection is None
        if connection is None:
            connection = await self._connect_here()
        lent[:] = [connection]
        try:
            return await work(connection)
        except FAULTS as fault:
            if not (connection.is_closed() or isinstance(fault, LOST)):
                raise
            connection.terminate()
            if is_new or not is_repeatable():
                raise
        finally:
            lent.clear()
            if not connection.is_closed():
                if self._is_closed or connection.is_in_transaction():
                    connection.terminate()
                else:
                    self._idle.append(connection)
        self._drop_idle()  # what has ended this one has ended them, or made them useless
        return await self._lend(work, lambda: False, lent)

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().terminate()

    def _pop(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    async def _connect_here(self) -> Connection:
        if self._end is None:
            self._end = self._close_at_the_end()
            await anext(self._end)
        connecting = asyncio.ensure_future(self._connect())
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:  # who asked has left; the next one may have it
            connecting.add_done_callback(self._keep)
            raise

    def _keep(self, connecting: asyncio.Future[Connection]) -> None:
        if not connecting.cancelled() and connecting.exception() is None:
            connection = connecting.result()
            if self._is_closed or len(self._idle) >= self._most:
                connection.terminate()
            else:
                self._idle.append(connection)

    async def _close_at_the_end(self) -> AsyncGenerator[None, None]:
        """Close all when the loop does: what runs a loop ends its asynchronous generators."""
        try:
            yield
        finally:
            await self._leave_all()

    async def aclose(self) -> None:
        """Take leave of the server, on the connections that nobody uses."""
        end, self._end = self._end, None
        if end is not None:
            await end.aclose()

    async def _leave_all(self) -> None:
        self._is_closed = True
        open_ones, self._idle, self._apart = [*self._idle, *self._apart], [], set()
        for connection in open_ones:
            await leave(connection)


async def leave(connection: Connection) -> None:
    """Close a connection; one whose server does not answer is dropped."""
    if connection.is_closed():
        return
    try:
        await in_time(connection.close(), [connection])
    except FAULTS:
        connection.terminate()
