"""A file of this machine: reads in the event loop, writes in one thread.

All event loops of a process share what is open, until the last one closes it. A process that was
forked opens its own, and leaves alone what it has inherited: SQLite's connections do not survive a
fork, and to close them would be to use them (https://www.sqlite.org/howtocorrupt.html, 2.6).
"""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Final, TypeVar

from pwless_middleware.database.base import Dialect
from pwless_middleware.database.sqlite.open_file import OpenFile
from pwless_middleware.database.statement import Query, Row, Statement, Steps

T = TypeVar("T")

_CLOSING_SECONDS: Final = 5.0
"""How long closing waits for the thread, which may be waiting for a busy disk."""
_WRITE_NOTHING: Final = Statement("UPDATE pwless_schema SET version = version")


class SqliteEngine:
    """Keep everything in one file.

    Args:
        path: of the file, which is made if it is missing.
        is_durable: a commit outlasts a power cut; else only the end of the process.

    Attributes:
        path: absolute.
    """

    dialect: Dialect = "sqlite"

    def __init__(self, path: str, *, is_durable: bool = True) -> None:
        self.path = os.path.abspath(path)
        self._is_durable = is_durable
        self._lock = Lock()
        self._opened: OpenFile | None = None
        self._loops: set[asyncio.AbstractEventLoop] = set()

    async def open(self) -> None:
        """Open the file, for the running event loop too; may be called again."""
        await self._open()

    async def fetch(self, query: Query) -> list[Row]:
        """Return the rows of a query that reads."""
        opened = self._opened
        if opened is None or not opened.is_usable():
            opened = await self._open()
        rows = opened.read(query)
        if rows is None:  # somebody holds the file locked: wait for it, in the thread
            return await opened.write(lambda: _run(query))
        return rows

    async def execute(self, query: Query) -> list[Row]:
        """Run one query that writes."""
        return await self.transact(lambda: _run(query))

    async def transact(
        self,
        make: Callable[[], Steps[T]],
        *,
        locks: Iterable[str] | None = None,
        is_long: bool = False,
    ) -> T:
        """Run steps in one transaction; there is one at a time."""
        opened = self._opened
        if opened is None or not opened.is_usable():
            opened = await self._open()
        return await opened.write(make, is_long=is_long)

    async def listen(self, channel: str, on_payload: Callable[[str], None]) -> None:
        """Listen to nothing: a file has no channels."""

    async def ping(self) -> None:
        """Return if it can be asked and can write; the table of migrations is written as it is."""
        await self.execute(_WRITE_NOTHING())

    async def aclose(self) -> None:
        """Close everything, if no other event loop uses it."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._loops = {
                each for each in self._loops if each is not loop and not each.is_closed()
            }
            if self._loops:
                return
            opened = self._opened
            if opened is None or not opened.is_of_this_process():
                return
            self._opened = None
            self._close_at_end.detach()
        await loop.run_in_executor(None, opened.close, _CLOSING_SECONDS)

    async def _open(self) -> OpenFile:
        with self._lock:
            self._loops = {each for each in self._loops if not each.is_closed()}
            self._loops.add(asyncio.get_running_loop())
            opened = self._opened
            if opened is None or not opened.is_of_this_process():
                if opened is not None:
                    _inherited.append(opened)
                opened = self._opened = OpenFile(self.path, is_durable=self._is_durable)
                # Who never closes it, a script or a test without lifespan, leaves nothing behind.
                self._close_at_end = weakref.finalize(self, opened.close, _CLOSING_SECONDS)
        if not opened.is_usable():
            await opened.write(_nothing)
        return opened


def _nothing() -> Steps[None]:
    return
    yield


def _run(query: Query) -> Steps[list[Row]]:
    return (yield query)


_inherited: Final[list[OpenFile]] = []
"""What a forked process must not touch, not even by forgetting it; the one thing that a process
has only once."""
