"""API keys in the database: digests and what belongs to them, never a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.operators.api_key import ApiKey
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import insert_event, new_stand_in
from pwless_middleware.database.statement import Row, Statement, Steps


class ApiKeyRepository(Protocol):
    """Keep API keys. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    No row is ever removed: a name that was once given stays that backend's. Who made one is
    forgotten once they are erased.
    """

    async def find(self, id: str) -> ApiKey | None:
        """Return the key with this id, alive or not, or `None`."""
        ...

    async def list(self, *, after: tuple[str, int] = ("", 0), limit: int = 50) -> Sequence[ApiKey]:
        """Return keys by name, and those of one name in the order in which they were made.

        Args:
            after: name and generation of the last one of the page before.
            limit: how many at most.
        """
        ...

    async def of_name(self, name: str) -> Sequence[ApiKey]:
        """Return all keys of a name, the newest first."""
        ...

    async def add(
        self, key: ApiKey, *, others_end: int | None = None, audit: Event | None = None
    ) -> bool:
        """Keep a new key, if its generation is the next one of its name.

        Args:
            key: the key.
            others_end: unix seconds at which the name's other keys end, those that do not end
                before; `None` leaves them.
            audit: what the change is told by, written with it or not at all.

        Returns:
            Whether it is kept; false where somebody else has made that generation.
        """
        ...

    async def revoke(self, name: str, *, at: int, audit: Event | None = None) -> int:
        """Revoke all keys of a name that are not revoked; returns how many."""
        ...

    async def note_use(self, id: str, *, at: int) -> None:
        """Note when a key was used; never goes back in time."""
        ...

    async def erase(self, user_id: str) -> None:
        """Forget which keys an operator has made."""
        ...


class SQLApiKeys:
    """Keep API keys in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, id: str) -> ApiKey | None:
        """Return the key with this id, alive or not, or `None`."""
        rows = await self._database.fetch(_FIND(id))
        return _key(rows[0]) if rows else None

    async def list(self, *, after: tuple[str, int] = ("", 0), limit: int = 50) -> Sequence[ApiKey]:
        """Return keys by name, and those of one name in the order in which they were made."""
        return [_key(row) for row in await self._database.fetch(_LIST(*after, limit))]

    async def of_name(self, name: str) -> Sequence[ApiKey]:
        """Return all keys of a name, the newest first."""
        return [_key(row) for row in await self._database.fetch(_OF_NAME(name))]

    async def add(
        self, key: ApiKey, *, others_end: int | None = None, audit: Event | None = None
    ) -> bool:
        """Keep a new key, if its generation is the next one of its name."""
        return await self._database.transact(lambda: _add(key, others_end, audit))

    async def revoke(self, name: str, *, at: int, audit: Event | None = None) -> int:
        """Revoke all keys of a name that are not revoked; returns how many."""
        return await self._database.transact(lambda: _revoke(name, at, audit))

    async def note_use(self, id: str, *, at: int) -> None:
        """Note when a key was used; never goes back in time."""
        await self._database.transact(lambda: _note_use(id, at))

    async def erase(self, user_id: str) -> None:
        """Forget which keys an operator has made."""
        await self._database.transact(lambda: _erase(user_id))


def _add(key: ApiKey, others_end: int | None, audit: Event | None) -> Steps[bool]:
    rows = yield _OF_NAME(key.name)
    if key.generation != (_key(rows[0]).generation if rows else 0) + 1:
        return False
    added = yield _ADD(
        *(key.id, key.name, key.generation, key.digest, " ".join(key.scopes)),
        *(key.created_at, key.by, key.expires_at, key.revoked_at, key.used_at),
    )
    if not added:
        return False
    if others_end is not None:
        yield _END_OTHERS(key.name, key.id, others_end)
    if audit is not None:
        yield from insert_event(audit)
    return True


def _revoke(name: str, at: int, audit: Event | None) -> Steps[int]:
    revoked = yield _REVOKE(name, at)
    if revoked and audit is not None:
        yield from insert_event(audit)
    return len(revoked)


def _note_use(id: str, at: int) -> Steps[None]:
    yield _NOTE_USE(id, at)


def _erase(user_id: str) -> Steps[None]:
    yield _SCRUB(f"operator:{user_id}", f"operator:{new_stand_in()}")


def _key(row: Row) -> ApiKey:
    id, name, generation, digest, scopes, created_at, by, expires_at, revoked_at, used_at = row
    return ApiKey(
        id=id,
        name=name,
        generation=generation,
        digest=digest,
        scopes=tuple(scopes.split()),
        created_at=created_at,
        by=by,
        expires_at=expires_at,
        revoked_at=revoked_at,
        used_at=used_at,
    )


_FIND = Statement(
    "SELECT id, name, generation, digest, scopes, created_at, made_by, expires_at, revoked_at, "
    "used_at FROM pwless_api_keys WHERE id = $1"
)
_LIST = Statement(
    "SELECT id, name, generation, digest, scopes, created_at, made_by, expires_at, revoked_at, "
    "used_at FROM pwless_api_keys WHERE name > $1 OR (name = $1 AND generation > $2) "
    "ORDER BY name, generation LIMIT $3"
)
_OF_NAME = Statement(
    "SELECT id, name, generation, digest, scopes, created_at, made_by, expires_at, revoked_at, "
    "used_at FROM pwless_api_keys WHERE name = $1 ORDER BY generation DESC"
)
_ADD = Statement(
    "INSERT INTO pwless_api_keys (id, name, generation, digest, scopes, created_at, made_by, "
    "expires_at, revoked_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
    "ON CONFLICT DO NOTHING RETURNING id"
)
_END_OTHERS = Statement(
    "UPDATE pwless_api_keys SET expires_at = $3 "
    "WHERE name = $1 AND id <> $2 AND (expires_at IS NULL OR expires_at > $3)"
)
_REVOKE = Statement(
    "UPDATE pwless_api_keys SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL RETURNING id"
)
_NOTE_USE = Statement(
    "UPDATE pwless_api_keys SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $2)"
)
_SCRUB = Statement("UPDATE pwless_api_keys SET made_by = $2 WHERE made_by = $1")
