"""Which users of the host's own table were there, counted once a day each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.events.event_counters import DAY
from pwless_middleware.flows.people.seen_writer import SeenWriter

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.events.event_counters import EventCounterRepository

_MOST_KNOWN: Final = 200_000
"""Users of a day whom a process remembers: about 20 MB. It counts one beyond again, to no harm: the
database counts each once."""


class ActiveUsers:
    """Have users counted as active, with their first request of a day in each process.

    People of the database are counted as it is written when they were seen last (`last_seen`).

    Args:
        counters: counts each user once in a day, a week and a month, however often they are noted.
        clock: returns unix seconds.
    """

    def __init__(self, counters: EventCounterRepository, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._writer = SeenWriter(counters.note_active)
        self._day = -1
        self._known: set[str] = set()

    def note(self, user_id: str) -> None:
        """Note that a user is there now; returns at once."""
        now = self._clock()
        if now // DAY != self._day or len(self._known) >= _MOST_KNOWN:
            self._day, self._known = now // DAY, set()
        if user_id not in self._known and self._writer.note(user_id, now):
            self._known.add(user_id)

    async def flush(self) -> None:
        """Wait until what was noted in this event loop is written, or could not be."""
        await self._writer.flush()
