"""Settings in the database: one row for each version, and the newest one is what holds.

Versions are only ever added (security rule 63).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.operators.settings import (
    NO_SETTINGS,
    SettingsRecord,
    read_values,
    write_values,
)
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import insert_event, new_stand_in
from pwless_middleware.database.statement import Row, Statement, Steps
from pwless_middleware.errors import StoreError


class SettingsRepository(Protocol):
    """Keep the record of settings, all its versions. Raises `StoreError` where it cannot be asked.

    No version is ever changed or removed, but for who made it, once they are erased.
    """

    async def newest(self) -> SettingsRecord:
        """Return the record that holds; `NO_SETTINGS` before the first change."""
        ...

    async def add(self, record: SettingsRecord, *, audit: Sequence[Event] = ()) -> bool:
        """Make a record the one that holds, if its version is the next one.

        Args:
            record: the whole record.
            audit: what the change is told by, written with it or not at all.

        Returns:
            Whether it was; false where somebody else has made that version.
        """
        ...

    async def list(self, *, before: int = 0, limit: int = 50) -> Sequence[SettingsRecord]:
        """Return versions, the newest first.

        Args:
            before: the version of the last one of the page before; 0 begins.
            limit: how many at most.
        """
        ...

    async def erase(self, user_id: str) -> None:
        """Forget who made the versions that an operator made; doing it again does no harm.

        Args:
            user_id: of the operator.
        """
        ...


class SQLSettings:
    """Keep the record of settings in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self) -> SettingsRecord:
        """Return the record that holds."""
        rows = await self._database.fetch(_NEWEST())
        return _record(rows[0]) if rows else NO_SETTINGS

    async def add(self, record: SettingsRecord, *, audit: Sequence[Event] = ()) -> bool:
        """Make a record the one that holds, if its version is the next one."""
        return await self._database.transact(lambda: _add(record, audit))

    async def list(self, *, before: int = 0, limit: int = 50) -> Sequence[SettingsRecord]:
        """Return versions, the newest first."""
        return [_record(row) for row in await self._database.fetch(_LIST(before, limit))]

    async def erase(self, user_id: str) -> None:
        """Forget who made the versions that an operator made."""
        stand_in = f"operator:{new_stand_in()}"
        await self._database.execute(_SCRUB(f"operator:{user_id}", stand_in))


def _add(record: SettingsRecord, audit: Sequence[Event]) -> Steps[bool]:
    rows = yield _NEWEST()
    if record.version != (rows[0][0] if rows else 0) + 1:
        return False
    added = yield _ADD(record.version, record.at, record.by, write_values(record.values))
    if added:
        for event in audit:
            yield from insert_event(event)
    return bool(added)


def _record(row: Row) -> SettingsRecord:
    version, at, by, values = row
    try:
        return SettingsRecord(version, at, by, read_values(values))
    except (ValueError, AttributeError):  # somebody has edited it by hand
        raise StoreError(
            f"version {version} of the settings in the database is no JSON object: mend or delete "
            "its row in pwless_settings"
        ) from None


_NEWEST = Statement(
    "SELECT version, at, made_by, record FROM pwless_settings ORDER BY version DESC LIMIT 1"
)
_LIST = Statement(
    "SELECT version, at, made_by, record FROM pwless_settings "
    "WHERE version < $1 OR $1 = 0 ORDER BY version DESC LIMIT $2"
)
# The version is the key: of two that make the same one, the second adds nothing.
_ADD = Statement(
    "INSERT INTO pwless_settings (version, at, made_by, record) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING RETURNING version"
)
_SCRUB = Statement("UPDATE pwless_settings SET made_by = $2 WHERE made_by = $1")
