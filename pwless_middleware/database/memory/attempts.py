"""Attempts in memory, for tests: made of the events anew, whenever they are asked for."""

from __future__ import annotations

from pwless_middleware.core.events.attempt import Attempt, AttemptFilter, fold_attempts
from pwless_middleware.core.events.event_id import NEWEST
from pwless_middleware.database.events.attempts import FoundAttempts
from pwless_middleware.database.memory.events import MemoryEvents


class MemoryAttempts:
    """Find attempts in memory; see `AttemptRepository`.

    Args:
        events: has the events.
    """

    def __init__(self, events: MemoryEvents) -> None:
        self._events = events

    async def find(
        self, wanted: AttemptFilter, *, before: int | None = None, limit: int = 50
    ) -> FoundAttempts:
        """See `AttemptRepository.find`."""
        high, numbered = NEWEST if before is None else before, self._events.numbered
        found = [
            attempt
            for attempt in fold_attempts(numbered.items()).values()
            if attempt.first < high and wanted.admits(attempt, at=numbered[attempt.first].event.at)
        ]
        page = sorted(found, key=lambda attempt: attempt.first, reverse=True)[:limit]
        return FoundAttempts(page, page[-1].first if len(found) > limit else None)

    async def load(self, name: str) -> Attempt | None:
        """See `AttemptRepository.load`."""
        return fold_attempts(self._events.numbered.items()).get(name)
