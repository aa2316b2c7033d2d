"""What a host sees of the events: `Passwordless.events`. It reads, and records nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import islice

from pwless_middleware.core.event import Event
from pwless_middleware.flows.events import Events


class EventHistory:
    """Read what happened in this process, as long as it is kept: the last 5,000 events.

    for event in passwordless.events.recent(kind="code.wrong"):
        ...
    async for event in passwordless.events.follow():
        ...
    """

    def __init__(self, events: Events) -> None:
        self._events = events

    def recent(
        self,
        *,
        attempt: str | None = None,
        kind: str | None = None,
        user_id: str | None = None,
        limit: int = 100,
    ) -> list[Event]:
        """Return events, the newest first.

        Args:
            attempt: of one login; `None` takes all.
            kind: of one kind; `None` takes all.
            user_id: of one user; `None` takes all.
            limit: how many at most; default 100.
        """
        found = (
            event
            for event in self._events.newest()
            if (attempt is None or event.attempt == attempt)
            and (kind is None or event.kind == kind)
            and (user_id is None or event.user_id == user_id)
        )
        return list(islice(found, limit))

    def follow(self) -> AsyncIterator[Event]:
        """Go through all events from now on, as they come; never ends.

        Who is slower than events come misses those that are not kept any more.
        """
        return self._events.follow()

    @property
    def dropped(self) -> int:
        """How many events were told to nobody, since too many were waiting."""
        return self._events.dropped
