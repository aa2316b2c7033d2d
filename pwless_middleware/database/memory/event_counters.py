"""What is counted of events, in memory, for tests."""

from __future__ import annotations

from collections import Counter as Sum
from collections.abc import Mapping

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_counters import (
    Counter,
    CounterName,
    Span,
    active_in,
    active_person,
    counters_of,
    forgotten_before,
)


class MemoryEventCounters:
    """Keep counters in memory; see `EventCounterRepository`."""

    def __init__(self) -> None:
        self._counts: Sum[CounterName] = Sum()
        self._active: set[tuple[str, Span, int]] = set()

    def count(self, event: Event) -> None:
        """Count an event that was written just now, for `MemoryEvents`."""
        self._counts.update(counters_of(event))
        person = active_person(event)
        if person is not None:
            self.count_active(*person)

    def count_active(self, user_id: str, at: int) -> None:
        """Count a person who was there, for `MemoryPeople`."""
        for span, start in active_in(at):
            if (user_id, span, start) not in self._active:
                self._active.add((user_id, span, start))
                self._counts[CounterName(span, start, "", "people", "")] += 1

    async def erase(self, user_id: str) -> None:
        """See `EventCounterRepository.erase`."""
        self._active = {one for one in self._active if one[0] != user_id}

    async def note_active(self, seen: Mapping[str, int]) -> None:
        """See `EventCounterRepository.note_active`."""
        for user_id, at in seen.items():
            self.count_active(user_id, at)

    async def read(self, span: Span, since: int, until: int) -> list[Counter]:
        """See `EventCounterRepository.read`."""
        return [
            Counter(name, count)
            for name, count in sorted(self._counts.items())
            if name.span == span and since <= name.start < until
        ]

    async def list_active(self, user_id: str) -> list[tuple[Span, int]]:
        """See `EventCounterRepository.list_active`."""
        return sorted((span, start) for theirs, span, start in self._active if theirs == user_id)

    async def forget(self, now: int) -> bool:
        """See `EventCounterRepository.forget`."""
        self._active = {one for one in self._active if one[2] >= forgotten_before(one[1], now)}
        return False

    async def delete_before(self, at: int) -> None:
        """See `EventCounterRepository.delete_before`."""
        self._counts = Sum({name: n for name, n in self._counts.items() if name.start >= at})
