"""Who was there when, noted on the path of a request and written behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context
from typing import Final

from pwless_middleware.errors import StoreError
from pwless_middleware.per_loop import PerLoop

logger = logging.getLogger("pwless.people")

MOST: Final = 10_000
"""People who may wait to be written."""


class SeenWriter:
    """Write who was there, many in one transaction.

    Args:
        write: takes user ids and when they were there, unix seconds.
        most: how many people may wait; those beyond are to be noted with their next request.
    """

    def __init__(
        self, write: Callable[[Mapping[str, int]], Awaitable[None]], *, most: int = MOST
    ) -> None:
        self._write_all = write
        self._most = most
        self._waiting: dict[str, int] = {}
        self._tasks: PerLoop[set[asyncio.Task[None]]] = PerLoop(set)

    def note(self, user_id: str, at: int) -> bool:
        """Note that somebody was there; returns at once, false where too many wait."""
        if len(self._waiting) >= self._most:
            return False
        self._waiting[user_id] = at
        tasks = self._tasks.here()
        if not tasks:
            # In a context of its own: the request's time limit is not its.
            loop = asyncio.get_running_loop()
            task = loop.create_task(self._write(tasks), context=Context())
            if not task.done():  # as it may be at once, with `asyncio.eager_task_factory`
                tasks.add(task)
        return True

    async def flush(self) -> None:
        """Wait until what was noted in this event loop is written, or could not be."""
        await asyncio.gather(*(self._tasks.find() or ()))

    async def _write(self, tasks: set[asyncio.Task[None]]) -> None:
        try:
            while self._waiting:
                seen, self._waiting = self._waiting, {}
                await self._write_all(seen)
        except StoreError as error:
            # With a later request of each it is due again.
            logger.warning(
                "when people were seen last could not be written: %s",
                error,
                extra={"event": "last_seen_failed", "reason": str(error)},
            )
        finally:
            tasks.clear()
