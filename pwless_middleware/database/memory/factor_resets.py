"""Resets of second factors in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.factor import FactorReset
from pwless_middleware.database.events.events import new_stand_in
from pwless_middleware.database.memory.events import MemoryEvents


class MemoryFactorResets:
    """Keep resets in this process (`database.factors.factor_resets.FactorResetRepository`).

    Args:
        events: takes the events of changes.
    """

    def __init__(self, events: MemoryEvents) -> None:
        self._events = events
        self._resets: dict[bytes, FactorReset] = {}

    async def ask(self, reset: FactorReset, *, audit: Event | None = None) -> bool:
        """Keep a reset; false where one is open for the user."""
        if reset.id in self._resets or await self.open_of(reset.user_id) is not None:
            return False
        self._keep(reset, audit)
        return True

    async def find(self, id: bytes) -> FactorReset | None:
        """Return the reset with this id, or `None`."""
        return self._resets.get(id)

    async def open_of(self, user_id: str) -> FactorReset | None:
        """Return the open reset of a user, or `None`."""
        return next((one for one in await self.list(user_id) if one.is_open), None)

    async def list(self, user_id: str) -> Sequence[FactorReset]:
        """Return all resets of a user, the oldest first."""
        found = [one for one in self._resets.values() if one.user_id == user_id]
        return sorted(found, key=lambda one: (one.asked_at, one.id))

    async def object(self, id: bytes, *, at: int, audit: Event | None = None) -> bool:
        """Stop a reset that is open."""
        reset = self._resets.get(id)
        if reset is None or not reset.is_open:
            return False
        self._keep(replace(reset, objected_at=at), audit)
        return True

    async def due(self, now: int, limit: int) -> Sequence[FactorReset]:
        """Return open resets whose time has come, the longest due first."""
        found = [one for one in self._resets.values() if one.is_open and one.due_at <= now]
        return sorted(found, key=lambda one: one.due_at)[:limit]

    async def finish(self, id: bytes, *, at: int, audit: Event | None = None) -> bool:
        """Note that an open reset is done."""
        reset = self._resets.get(id)
        if reset is None or not reset.is_open:
            return False
        self._keep(replace(reset, done_at=at), audit)
        return True

    async def erase(self, user_id: str) -> None:
        """Forget all resets of a user; and by whom others were asked for, where it was them."""
        stand_in = f"operator:{new_stand_in()}"
        for id, reset in [*self._resets.items()]:
            if reset.user_id == user_id:
                del self._resets[id]
            elif reset.by == f"operator:{user_id}":
                self._resets[id] = replace(reset, by=stand_in)

    def _keep(self, reset: FactorReset, audit: Event | None) -> None:
        self._resets[reset.id] = reset
        if audit is not None:
            self._events.insert(audit)
