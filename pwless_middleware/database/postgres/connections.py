"""The connections of one event loop: made when they are needed, kept, and lent to one at a time.

A server that hangs does not answer a cancellation either, and asyncpg waits for that answer. So who
asks does it in a task that is left to itself when its time is over, and its connection is
terminated, which ends the task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeVar

import asyncpg

from pwless_middleware.database.postgres.errors import LOST, explain
from pwless_middleware.deadline import Deadline
from pwless_middleware.turns import Turns

T = TypeVar("T")

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection
Work = Callable[[Connection], Coroutine[Any, Any, T]]

DEADLINE: Final = 1.2
"""Seconds for one question or transaction, connecting included; the flows' own bound is 1.5."""


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
            task = asyncio.ensure_future(self._lend(work, is_repeatable, lent))
            try:
                async with Deadline(DEADLINE):
                    await asyncio.wait((task,))
            except BaseException as error:
                task.add_done_callback(_take_result)
                if lent:
                    lent[0].terminate()
                else:
                    task.cancel()
                if isinstance(error, TimeoutError):
                    raise explain(error) from error
                raise
            return task.result()

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
            connection = self._idle.pop()
            if not connection.is_closed():
                await _close(connection)


async def _close(connection: Connection) -> None:
    task = asyncio.ensure_future(connection.close())
    try:
        async with Deadline(DEADLINE):
            await asyncio.wait((task,))
    except TimeoutError:
        connection.terminate()
    task.add_done_callback(_take_result)


def _take_result(task: asyncio.Task[Any]) -> None:
    """Look at how a task that was left to itself has ended: nobody else does."""
    if not task.cancelled():
        task.exception()
