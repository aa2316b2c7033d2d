"""Recovery codes in the database, as digests (security rule 44).

    is_set = await codes.set(user_id, digests, at=now, audit=event)
    left = await codes.use(user_id, digest, at=now, audit=event)

A new set voids the old one, and a code is used once, however many ask at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.factor import RecoveryCode
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import insert_event
from pwless_middleware.database.factors.factor_lock import lock_factors
from pwless_middleware.database.people.people import IS_DISABLED
from pwless_middleware.database.statement import Statement, Steps


class RecoveryCodeRepository(Protocol):
    """Keep recovery codes. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    `audit` is the event of a change, written with it, or not where nothing is changed; `None`
    writes none.
    """

    async def set(
        self, user_id: str, digests: Sequence[bytes], *, at: int, audit: Event | None = None
    ) -> bool:
        """Give a user new codes, and void the old ones.

        Args:
            user_id: of whom.
            digests: of the codes, no two alike.
            at: unix seconds.
            audit: what the change is told by.

        Returns:
            Whether they are set; false where the person is disabled or being deleted.
        """
        ...

    async def use(
        self, user_id: str, digest: bytes, *, at: int, audit: Event | None = None
    ) -> int | None:
        """Use a code of a user; of several callers with one code, one does.

        Args:
            user_id: of whom.
            digest: of the code.
            at: unix seconds.
            audit: what the change is told by.

        Returns:
            How many are left; `None` where the user has no such code, or it is used.
        """
        ...

    async def list(self, user_id: str) -> Sequence[RecoveryCode]:
        """Return what is told of a user's codes: those used in their order, then the others."""
        ...

    async def erase(self, user_id: str) -> None:
        """Forget all codes of a user."""
        ...


class SQLRecoveryCodes:
    """Keep recovery codes in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set(
        self, user_id: str, digests: Sequence[bytes], *, at: int, audit: Event | None = None
    ) -> bool:
        """Give a user new codes, and void the old ones."""
        return await self._database.transact(
            lambda: _set(user_id, digests, at, audit), locks=lock_factors(user_id)
        )

    async def use(
        self, user_id: str, digest: bytes, *, at: int, audit: Event | None = None
    ) -> int | None:
        """Use a code of a user; returns how many are left, or `None`."""
        return await self._database.transact(
            lambda: _use(user_id, digest, at, audit), locks=lock_factors(user_id)
        )

    async def list(self, user_id: str) -> Sequence[RecoveryCode]:
        """Return what is told of a user's codes: those used in their order, then the others."""
        rows = await self._database.fetch(_LIST(user_id))
        return [RecoveryCode(created_at=created_at, used_at=used) for created_at, used in rows]

    async def erase(self, user_id: str) -> None:
        """Forget all codes of a user."""
        await self._database.transact(
            lambda: forget_recovery_codes(user_id), locks=lock_factors(user_id)
        )


def forget_recovery_codes(user_id: str, since: int | None = None) -> Steps[bool]:
    """Forget a user's codes, under the lock; returns whether there were any.

    Args:
        user_id: of whom.
        since: only a set that was made in this unix second or later; `None` (default) any.
    """
    query = _FORGET(user_id) if since is None else _FORGET_SINCE(user_id, since)
    return bool((yield query))


def _set(user_id: str, digests: Sequence[bytes], at: int, audit: Event | None) -> Steps[bool]:
    # Who deletes a person disables them first, and then waits for this lock.
    if (yield IS_DISABLED(user_id)):
        return False
    yield _FORGET(user_id)
    for digest in digests:
        yield _ADD(user_id, digest, at)
    if audit is not None:
        yield from insert_event(audit)
    return True


def _use(user_id: str, digest: bytes, at: int, audit: Event | None) -> Steps[int | None]:
    if not (yield _USE(user_id, digest, at)):
        return None
    [(left,)] = yield _COUNT_LEFT(user_id)
    if audit is not None:
        yield from insert_event(audit)
    return int(left)


_ADD = Statement(
    "INSERT INTO pwless_recovery_codes (user_id, digest, created_at) VALUES ($1, $2, $3)"
)
_USE = Statement(
    """
    UPDATE pwless_recovery_codes SET used_at = $3
    WHERE user_id = $1 AND digest = $2 AND used_at IS NULL RETURNING digest
    """
)
_COUNT_LEFT = Statement(
    "SELECT COUNT(*) FROM pwless_recovery_codes WHERE user_id = $1 AND used_at IS NULL"
)
_LIST = Statement(
    """
    SELECT created_at, used_at FROM pwless_recovery_codes WHERE user_id = $1
    ORDER BY used_at IS NULL, used_at
    """
)
_FORGET = Statement("DELETE FROM pwless_recovery_codes WHERE user_id = $1 RETURNING digest")
_FORGET_SINCE = Statement(
    "DELETE FROM pwless_recovery_codes WHERE user_id = $1 AND created_at >= $2 RETURNING digest"
)
