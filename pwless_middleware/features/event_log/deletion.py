"""Delete events, and the counts of hours, that are older than they are to be kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.events.event_retention import DAY, EventRetention

if TYPE_CHECKING:  # and not loaded where there is no database
    from pwless_middleware.database.events.event_counters import EventCounterRepository
    from pwless_middleware.database.events.events import EventRepository

_PAUSE: Final = 0.1
"""Seconds between two transactions, for who else has to write."""


class OldEvents:
    """Delete what is too old.

    Args:
        repository: has the events.
        counters: has what is counted of them.
        retention: how long they are kept.
        clock: returns unix seconds.
        pause: sleeps.
    """

    def __init__(
        self,
        repository: EventRepository,
        counters: EventCounterRepository,
        retention: EventRetention,
        clock: Callable[[], int],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._repository = repository
        self._counters = counters
        self._retention = retention
        self._clock = clock
        self._pause = pause

    async def delete(self) -> None:
        """Delete in small parts; cut off anywhere, the next run goes on.

        Raises:
            StoreError: the database cannot be asked.
        """
        now = self._clock()
        while await self._repository.delete_before(now - self._retention.days * DAY):
            await self._pause(_PAUSE)
        while await self._counters.forget(now):
            await self._pause(_PAUSE)
        await self._repository.delete_counts_before(now - self._retention.count_days * DAY)
        await self._counters.delete_before(now - self._retention.count_days * DAY)
