"""Events in memory, for tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import NEWEST, first_number
from pwless_middleware.core.events.event_search import (
    HOUR,
    EventCount,
    EventFilter,
    StoredEvent,
    counted_as,
)
from pwless_middleware.database.events.event_row import number_of
from pwless_middleware.database.events.events import FoundEvents, new_stand_in
from pwless_middleware.database.memory.event_counters import MemoryEventCounters


class MemoryEvents:
    """Keep events in memory; see `EventRepository`.

    Attributes:
        counters: what is counted of them.
    """

    def __init__(self) -> None:
        self.counters = MemoryEventCounters()
        self._events: dict[int, StoredEvent] = {}
        self._counts: Counter[tuple[str, int, str, str]] = Counter()

    @property
    def numbered(self) -> Mapping[int, StoredEvent]:
        """All of them, by the numbers of their ids."""
        return self._events

    def insert(self, event: Event) -> None:
        """Write an audit event, for other repositories in memory."""
        self._write(StoredEvent(event))

    async def write(self, batch: Sequence[StoredEvent]) -> None:
        """See `EventRepository.write`."""
        for stored in batch:
            self._write(stored)

    def _write(self, stored: StoredEvent) -> None:
        number = number_of(stored.event)
        if number not in self._events:
            self._events[number] = stored
            self._counts.update(counted_as(stored.event))
            self.counters.count(stored.event)

    async def find(
        self,
        wanted: EventFilter,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> list[StoredEvent]:
        """See `EventRepository.find`."""
        low, high = -1 if after is None else after, NEWEST if before is None else before
        found = [
            stored
            for number, stored in sorted(self._events.items(), reverse=after is None)
            if low < number < high and wanted.admits(stored.event)
        ]
        return found[:limit]

    async def find_recent(self, after: int, limit: int) -> list[int]:
        """See `EventRepository.find_recent`."""
        return sorted((n for n in self._events if n > after), reverse=True)[:limit]

    async def load(self, numbers: Sequence[int]) -> list[StoredEvent]:
        """See `EventRepository.load`."""
        return [self._events[number] for number in sorted(numbers) if number in self._events]

    async def look_back(
        self, wanted: EventFilter, *, before: int | None = None, limit: int = 50
    ) -> FoundEvents:
        """See `EventRepository.look_back`."""
        found = await self.find(wanted, before=before, limit=limit + 1)
        more = len(found) > limit
        return FoundEvents(found[:limit], number_of(found[limit - 1].event) if more else None)

    async def count(
        self, since: int, until: int, *, step: int = HOUR, organization: str | None = None
    ) -> list[EventCount]:
        """See `EventRepository.count`."""
        sums: Counter[tuple[int, str, str]] = Counter()
        for (theirs, hour, kind, method), count in self._counts.items():
            if since <= hour < until and theirs == (organization or ""):
                sums[hour - hour % step, kind, method] += count
        return [
            EventCount(start, kind, method or None, count)
            for (start, kind, method), count in sorted(sums.items())
        ]

    async def erase(self, user_id: str, addresses: Sequence[str] = ()) -> None:
        """See `EventRepository.erase`."""
        stand_in, old = new_stand_in(), self._events
        theirs = {
            number
            for number, stored in old.items()
            if stored.event.user_id == user_id
            or (stored.event.user_id is None and stored.event.address in addresses)
        }
        attempts = {old[number].event.attempt for number in theirs} - {None}
        for number, stored in old.items():
            event = stored.event
            if number in theirs or event.attempt in attempts:
                names_session = (event.caller or "").startswith(("step_up:", "address_change:"))
                caller = "browser" if names_session else event.caller
                event = replace(event, client=None, device=None, country=None, caller=caller)
            if number in theirs:
                event = replace(event, user_id=stand_in, address=None, session=None, details=None)
            if event.by == f"operator:{user_id}":
                event = replace(event, by=f"operator:{stand_in}")
            email = None if number in theirs else stored.email
            self._events[number] = StoredEvent(event, email)
        await self.counters.erase(user_id)

    async def export(
        self, user_id: str, addresses: Sequence[str] = ()
    ) -> AsyncIterator[StoredEvent]:
        """See `EventRepository.export`."""
        wanted = EventFilter(user_id=user_id, addresses=tuple(addresses))
        for _, stored in sorted(self._events.items()):
            if wanted.admits(stored.event):
                yield stored

    async def delete_before(self, at: int) -> bool:
        """See `EventRepository.delete_before`."""
        first = first_number(at)
        self._events = {n: stored for n, stored in self._events.items() if n >= first}
        return False

    async def delete_counts_before(self, at: int) -> None:
        """See `EventRepository.delete_counts_before`."""
        self._counts = Counter({sort: n for sort, n in self._counts.items() if sort[1] >= at})
