"""When people were seen last: noted on the path of a request, written behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.events.event_counters import start_of
from pwless_middleware.core.people.person import Person
from pwless_middleware.flows.people.seen_writer import MOST, SeenWriter

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.people.people import PersonRepository

SEEN_SECONDS: Final = 3600
"""How old `Person.seen_at` may become within a day before it is written again."""


class LastSeen:
    """Write when people were seen, at most once in an hour of a day each.

    Args:
        people: where.
        clock: returns unix seconds.
        most: how many people may wait to be written; those beyond are noted with their next
            request. Default 10,000.
    """

    def __init__(
        self, people: PersonRepository, clock: Callable[[], int], *, most: int = MOST
    ) -> None:
        self._clock = clock
        self._writer = SeenWriter(people.touch, most=most)

    def note(self, person: Person) -> None:
        """Note that a person is there now; returns at once."""
        now, seen_at = self._clock(), person.seen_at
        if (
            seen_at is not None
            and now - seen_at < SEEN_SECONDS
            and start_of("day", seen_at) == start_of("day", now)  # who is active counts by the day
        ):
            return
        self._writer.note(person.id, now)

    async def flush(self) -> None:
        """Wait until what was noted in this event loop is written, or could not be."""
        await self._writer.flush()
