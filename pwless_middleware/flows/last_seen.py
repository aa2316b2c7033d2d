"""When people were seen last: noted on the path of a request, written behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.event_counters import start_of
from pwless_middleware.core.person import Person
from pwless_middleware.errors import StoreError
from pwless_middleware.per_loop import PerLoop

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.people import PersonRepository

logger = logging.getLogger("pwless.people")

SEEN_SECONDS: Final = 3600
"""How old `Person.seen_at` may become within a day before it is written again."""


class LastSeen:
    """Write when people were seen, at most once in an hour of a day each, many in one transaction.

    Args:
        people: where.
        clock: returns unix seconds.
        most: how many people may wait to be written; those beyond are noted with their next
            request. Default 10,000.
    """

    def __init__(
        self, people: PersonRepository, clock: Callable[[], int], *, most: int = 10_000
    ) -> None:
        self._people = people
        self._clock = clock
        self._most = most
        self._waiting: dict[str, int] = {}
        self._tasks: PerLoop[set[asyncio.Task[None]]] = PerLoop(set)

    def note(self, person: Person) -> None:
        """Note that a person is there now; returns at once."""
        now = self._clock()
        seen_at = person.seen_at
        if (
            seen_at is not None
            and now - seen_at < SEEN_SECONDS
            and start_of("day", seen_at) == start_of("day", now)  # who is active counts by the day
        ):
            return
        if len(self._waiting) >= self._most:
            return
        self._waiting[person.id] = now
        tasks = self._tasks.here()
        if not tasks:
            # In a context of its own: the request's time limit is not its.
            loop = asyncio.get_running_loop()
            tasks.add(loop.create_task(self._write(tasks), context=Context()))

    async def flush(self) -> None:
        """Wait until what was noted in this event loop is written, or could not be."""
        await asyncio.gather(*(self._tasks.find() or ()))

    async def _write(self, tasks: set[asyncio.Task[None]]) -> None:
        try:
            while self._waiting:
                seen, self._waiting = self._waiting, {}
                await self._people.touch(seen)
        except StoreError as error:
            # With the next request of each it is due again.
            logger.warning(
                "when people were seen last could not be written: %s",
                error,
                extra={"event": "last_seen_failed", "reason": str(error)},
            )
        finally:
            tasks.clear()
