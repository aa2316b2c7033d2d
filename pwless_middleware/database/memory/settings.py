"""Settings in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.operators.settings import NO_SETTINGS, SettingsRecord
from pwless_middleware.database.events.events import new_stand_in
from pwless_middleware.database.memory.events import MemoryEvents


class MemorySettings:
    """Keep the settings in this process (`database.operators.settings.SettingsRepository`).

    Args:
        events: takes the events of changes.
    """

    def __init__(self, events: MemoryEvents) -> None:
        self._events = events
        self._records: list[SettingsRecord] = []

    async def newest(self) -> SettingsRecord:
        """Return the record that holds."""
        return self._records[-1] if self._records else NO_SETTINGS

    async def add(self, record: SettingsRecord, *, audit: Sequence[Event] = ()) -> bool:
        """Make a record the one that holds, if its version is the next one."""
        if record.version != len(self._records) + 1:
            return False
        self._records.append(record)
        for event in audit:
            self._events.insert(event)
        return True

    async def list(self, *, before: int = 0, limit: int = 50) -> Sequence[SettingsRecord]:
        """Return versions, the newest first."""
        found = [one for one in reversed(self._records) if not before or one.version < before]
        return found[:limit]

    async def erase(self, user_id: str) -> None:
        """Forget who made the versions that an operator made."""
        by, stand_in = f"operator:{user_id}", f"operator:{new_stand_in()}"
        self._records = [
            replace(one, by=stand_in) if one.by == by else one for one in self._records
        ]
