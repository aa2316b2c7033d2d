"""API keys in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.operators.api_key import ApiKey
from pwless_middleware.database.events.events import new_stand_in
from pwless_middleware.database.memory.events import MemoryEvents


class MemoryApiKeys:
    """Keep API keys in this process (`database.operators.api_keys.ApiKeyRepository`).

    Args:
        events: takes the events of changes.
    """

    def __init__(self, events: MemoryEvents) -> None:
        self._events = events
        self._keys: dict[str, ApiKey] = {}

    async def find(self, id: str) -> ApiKey | None:
        """Return the key with this id, alive or not, or `None`."""
        return self._keys.get(id)

    async def list(self, *, after: tuple[str, int] = ("", 0), limit: int = 50) -> Sequence[ApiKey]:
        """Return keys by name, and those of one name in the order in which they were made."""
        found = sorted(self._keys.values(), key=lambda key: (key.name, key.generation))
        return [key for key in found if (key.name, key.generation) > after][:limit]

    async def of_name(self, name: str) -> Sequence[ApiKey]:
        """Return all keys of a name, the newest first."""
        found = [key for key in self._keys.values() if key.name == name]
        return sorted(found, key=lambda key: -key.generation)

    async def add(
        self, key: ApiKey, *, others_end: int | None = None, audit: Event | None = None
    ) -> bool:
        """Keep a new key, if its generation is the next one of its name."""
        others = await self.of_name(key.name)
        if key.generation != len(others) + 1 or key.id in self._keys:
            return False
        self._keys[key.id] = key
        for other in others:
            is_later = other.expires_at is None or other.expires_at > (others_end or 0)
            if others_end is not None and is_later:
                self._keys[other.id] = replace(other, expires_at=others_end)
        if audit is not None:
            self._events.insert(audit)
        return True

    async def revoke(self, name: str, *, at: int, audit: Event | None = None) -> int:
        """Revoke all keys of a name that are not revoked; returns how many."""
        live = [key for key in await self.of_name(name) if key.revoked_at is None]
        for key in live:
            self._keys[key.id] = replace(key, revoked_at=at)
        if live and audit is not None:
            self._events.insert(audit)
        return len(live)

    async def note_use(self, id: str, *, at: int) -> None:
        """Note when a key was used; never goes back in time."""
        key = self._keys.get(id)
        if key is not None and at > (key.used_at or 0):
            self._keys[id] = replace(key, used_at=at)

    async def erase(self, user_id: str) -> None:
        """Forget which keys an operator has made."""
        by, stand_in = f"operator:{user_id}", f"operator:{new_stand_in()}"
        for id, key in self._keys.items():
            if key.by == by:
                self._keys[id] = replace(key, by=stand_in)
