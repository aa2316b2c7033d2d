"""Passkeys in the database.

    outcome = await passkeys.add(passkey, most=10, audit=event)
    found = await passkeys.find(id)
    is_good = await passkeys.note_use(id, sign_count=7, is_backed_up=True, at=now)

What decides on all passkeys of a user, or makes or removes one, is done under one lock for each
user, so that it is exact however many processes do it at once. That no two users have one
credential id is the table's own matter.

A passkey is a second factor too: whoever loses one is trusted in no browser any more (security rule
45), and without any other factor loses their recovery codes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import insert_event
from pwless_middleware.database.factors.factor_lock import lock_factors
from pwless_middleware.database.factors.passkey_changes import (
    PasskeyAdded,
    PasskeyRemoved,
    add_passkey,
    remove_all_passkeys,
    remove_passkey,
    remove_passkeys_since,
)
from pwless_middleware.database.statement import Query, Row, Statement, Steps

T = TypeVar("T")


class PasskeyRepository(Protocol):
    """Keep passkeys. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    `audit` is the event of a change, written with it, or not where nothing is changed; `None`
    writes none.
    """

    async def handle_of(self, user_id: str) -> bytes | None:
        """Return the user's handle; `None` where they never had a passkey."""
        ...

    async def find(self, id: bytes) -> Passkey | None:
        """Return the passkey with this credential id, whoever's, or `None`."""
        ...

    async def list(self, user_id: str) -> Sequence[Passkey]:
        """Return the passkeys of a user, the oldest first."""
        ...

    async def add(
        self,
        passkey: Passkey,
        *,
        most: int,
        only_first: bool = False,
        audit: Event | None = None,
    ) -> PasskeyAdded:
        """Keep a new passkey, and the user's handle with the first one.

        Args:
            passkey: the passkey.
            most: how many one user may have for one RP id: those of another let nobody in, and
                must not keep the user out where a passkey is required.
            only_first: refuse it where the user has one for the same RP id already.
            audit: what the change is told by.

        Returns:
            `added`; or why it is not: somebody has a passkey of this id (`known`), the user has
            one already (`not_first`) or `most` (`full`), the user has another handle or the handle
            is somebody else's (`other_handle`), the person is disabled or being deleted
            (`disabled`).
        """
        ...

    async def note_use(self, id: bytes, *, sign_count: int, is_backed_up: bool, at: int) -> bool:
        """Note a use, if the sign count may be one (`Passkey.admits_count`).

        Of several uses of a device-bound passkey with the same count, one is noted.

        Args:
            id: of the passkey.
            sign_count: the authenticator's, as signed.
            is_backed_up: as signed.
            at: unix seconds; the time of the last use never goes back.

        Returns:
            Whether it is noted; false where the count is none, or the passkey is gone.
        """
        ...

    async def rename(
        self, user_id: str, id: bytes, name: str, *, audit: Event | None = None
    ) -> bool:
        """Give a passkey of a user another name; false where the user has none of this id."""
        ...

    async def remove(
        self, user_id: str, id: bytes, *, keeps_last: bool, audit: Event | None = None
    ) -> PasskeyRemoved:
        """Remove a passkey of a user.

        Args:
            user_id: of whom.
            id: of the passkey.
            keeps_last: whether to leave it where it is the user's only one for its RP id. Say no
                for one of an RP id that is not used any more, which lets nobody in.
            audit: what the change is told by.

        Returns:
            `removed`; or `absent` where the user has none of this id, or `last`.
        """
        ...

    async def remove_all(self, user_id: str, *, audit: Event | None = None) -> int:
        """Remove all passkeys of a user; returns how many. The handle stays."""
        ...

    async def remove_since(self, user_id: str, at: int, *, audit: Event | None = None) -> int:
        """Remove the passkeys that a user made at `at` or later; returns how many.

        Args:
            user_id: of whom.
            at: unix seconds; those of that very second count as made after it.
            audit: what the change is told by.
        """
        ...

    async def erase(self, user_id: str) -> None:
        """Forget all passkeys of a user, and the handle."""
        ...

    async def count_by_rp_id(self) -> Mapping[str, int]:
        """Return how many passkeys there are, of all users, for each RP id."""
        ...


class SQLPasskeys:
    """Keep passkeys in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def handle_of(self, user_id: str) -> bytes | None:
        """Return the user's handle."""
        rows = await self._database.fetch(_HANDLE_OF(user_id))
        return bytes(rows[0][0]) if rows else None

    async def find(self, id: bytes) -> Passkey | None:
        """Return the passkey with this credential id, or `None`."""
        rows = await self._database.fetch(_FIND(id))
        return _passkey(rows[0]) if rows else None

    async def list(self, user_id: str) -> Sequence[Passkey]:
        """Return the passkeys of a user, the oldest first."""
        return [_passkey(row) for row in await self._database.fetch(_LIST(user_id))]

    async def add(
        self,
        passkey: Passkey,
        *,
        most: int,
        only_first: bool = False,
        audit: Event | None = None,
    ) -> PasskeyAdded:
        """Keep a new passkey, and the user's handle with the first one."""
        return await self._alone(
            passkey.user_id, lambda: add_passkey(passkey, most, only_first, audit)
        )

    async def note_use(self, id: bytes, *, sign_count: int, is_backed_up: bool, at: int) -> bool:
        """Note a use, if the sign count may be one."""
        query = _NOTE_USE(id, sign_count, int(is_backed_up), at)
        return bool(await self._database.execute(query))

    async def rename(
        self, user_id: str, id: bytes, name: str, *, audit: Event | None = None
    ) -> bool:
        """Give a passkey of a user another name."""
        query = _RENAME(user_id, id, name)
        return await self._database.transact(lambda: _change(query, audit), locks=())

    async def remove(
        self, user_id: str, id: bytes, *, keeps_last: bool, audit: Event | None = None
    ) -> PasskeyRemoved:
        """Remove a passkey of a user."""
        return await self._remove(user_id, lambda: remove_passkey(user_id, id, keeps_last, audit))

    async def remove_all(self, user_id: str, *, audit: Event | None = None) -> int:
        """Remove all passkeys of a user; returns how many."""
        return await self._remove(user_id, lambda: remove_all_passkeys(user_id, audit))

    async def remove_since(self, user_id: str, at: int, *, audit: Event | None = None) -> int:
        """Remove the passkeys that a user made at `at` or later; returns how many."""
        return await self._remove(user_id, lambda: remove_passkeys_since(user_id, at, audit))

    async def erase(self, user_id: str) -> None:
        """Forget all passkeys of a user, and the handle."""
        await self._alone(user_id, lambda: _erase(user_id))

    async def count_by_rp_id(self) -> Mapping[str, int]:
        """Return how many passkeys there are for each RP id."""
        return dict(await self._database.fetch(_COUNT_BY_RP_ID()))

    async def _alone(self, user_id: str, make: Callable[[], Steps[T]]) -> T:
        return await self._database.transact(make, locks=[f"passkeys:{user_id}"])

    async def _remove(self, user_id: str, make: Callable[[], Steps[T]]) -> T:
        locks = [f"passkeys:{user_id}", *lock_factors(user_id)]
        return await self._database.transact(make, locks=locks)


def _change(query: Query, audit: Event | None) -> Steps[bool]:
    is_changed = bool((yield query))
    if is_changed and audit is not None:
        yield from insert_event(audit)
    return is_changed


def _erase(user_id: str) -> Steps[None]:
    yield _ERASE(user_id)
    yield _REMOVE_HANDLE(user_id)


def _passkey(row: Row) -> Passkey:
    id, user_id, handle, public_key, sign_count, aaguid, transports, *others = row
    is_synced, is_backed_up, rp_id, name, created_at, used_at = others
    return Passkey(
        id=bytes(id),
        user_id=user_id,
        user_handle=bytes(handle),
        public_key=bytes(public_key),
        sign_count=sign_count,
        aaguid=aaguid,
        transports=tuple(transports.split()),
        is_synced=bool(is_synced),
        is_backed_up=bool(is_backed_up),
        rp_id=rp_id,
        name=name,
        created_at=created_at,
        used_at=used_at,
    )


_HANDLE_OF = Statement("SELECT handle FROM pwless_user_handles WHERE user_id = $1")
_FIND = Statement(
    """
    SELECT p.id, p.user_id, h.handle, p.public_key, p.sign_count, p.aaguid, p.transports,
    p.is_synced, p.is_backed_up, p.rp_id, p.name, p.created_at, p.used_at
    FROM pwless_passkeys AS p JOIN pwless_user_handles AS h ON h.user_id = p.user_id
    WHERE p.id = $1
    """
)
_LIST = Statement(
    """
    SELECT p.id, p.user_id, h.handle, p.public_key, p.sign_count, p.aaguid, p.transports,
    p.is_synced, p.is_backed_up, p.rp_id, p.name, p.created_at, p.used_at
    FROM pwless_passkeys AS p JOIN pwless_user_handles AS h ON h.user_id = p.user_id
    WHERE p.user_id = $1 ORDER BY p.created_at, p.id
    """
)
_NOTE_USE = Statement(
    """
    UPDATE pwless_passkeys SET sign_count = $2, is_backed_up = $3,
    used_at = CASE WHEN used_at > $4 THEN used_at ELSE $4 END
    WHERE id = $1 AND (is_synced = 1 OR sign_count < $2 OR (sign_count = 0 AND $2 = 0))
    RETURNING id
    """
)
_RENAME = Statement(
    "UPDATE pwless_passkeys SET name = $3 WHERE user_id = $1 AND id = $2 RETURNING id"
)
_ERASE = Statement("DELETE FROM pwless_passkeys WHERE user_id = $1")
_REMOVE_HANDLE = Statement("DELETE FROM pwless_user_handles WHERE user_id = $1")
_COUNT_BY_RP_ID = Statement("SELECT rp_id, COUNT(*) FROM pwless_passkeys GROUP BY rp_id")
