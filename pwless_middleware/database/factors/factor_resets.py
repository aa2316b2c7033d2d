"""Resets of second factors in the database: asked for, objected to, done.

    is_asked = await resets.ask(reset, audit=event)
    is_objected = await resets.object(id, at=now, audit=event)
    is_mine = await resets.finish(id, at=now, audit=event)

A reset is open until it is done or objected to; a user has one open reset at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.factor import FactorReset
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import insert_event, new_stand_in
from pwless_middleware.database.statement import Query, Row, Statement, Steps


class FactorResetRepository(Protocol):
    """Keep resets. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    `audit` is the event of a change, written with it, or not where nothing is changed; `None`
    writes none.
    """

    async def ask(self, reset: FactorReset, *, audit: Event | None = None) -> bool:
        """Keep a reset; false where one is open for the user."""
        ...

    async def find(self, id: bytes) -> FactorReset | None:
        """Return the reset with this id, open or not; or `None`."""
        ...

    async def open_of(self, user_id: str) -> FactorReset | None:
        """Return the open reset of a user, or `None`."""
        ...

    async def list(self, user_id: str) -> Sequence[FactorReset]:
        """Return all resets of a user, the oldest first."""
        ...

    async def object(self, id: bytes, *, at: int, audit: Event | None = None) -> bool:
        """Stop a reset; false where it is done, stopped already, or there is none.

        Args:
            id: of the reset.
            at: unix seconds.
            audit: what the change is told by.
        """
        ...

    async def due(self, now: int, limit: int) -> Sequence[FactorReset]:
        """Return open resets whose time has come by `now`, the longest due first.

        Args:
            now: unix seconds.
            limit: how many at most.
        """
        ...

    async def finish(self, id: bytes, *, at: int, audit: Event | None = None) -> bool:
        """Note that a reset is done; true for one caller alone.

        Args:
            id: of the reset, due or not.
            at: unix seconds.
            audit: what the change is told by.

        Returns:
            Whether this caller has finished it; false where somebody has, after an objection, or
            where there is none.
        """
        ...

    async def erase(self, user_id: str) -> None:
        """Forget all resets of a user; and by whom others were asked for, where it was them."""
        ...


class SQLFactorResets:
    """Keep resets in SQL. That a user has one open reset at most is the table's own matter.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, reset: FactorReset, *, audit: Event | None = None) -> bool:
        """Keep a reset; false where one is open for the user."""
        query = _ADD(
            *(reset.id, reset.user_id, reset.by, reset.asked_at, reset.due_at),
            *(reset.objected_at, reset.done_at),
        )
        return await self._change(query, audit)

    async def find(self, id: bytes) -> FactorReset | None:
        """Return the reset with this id, or `None`."""
        return _one(await self._database.fetch(_FIND(id)))

    async def open_of(self, user_id: str) -> FactorReset | None:
        """Return the open reset of a user, or `None`."""
        return _one(await self._database.fetch(_FIND_OPEN(user_id)))

    async def list(self, user_id: str) -> Sequence[FactorReset]:
        """Return all resets of a user, the oldest first."""
        return [_reset(row) for row in await self._database.fetch(_LIST(user_id))]

    async def object(self, id: bytes, *, at: int, audit: Event | None = None) -> bool:
        """Stop a reset that is open."""
        return await self._change(_OBJECT(id, at), audit)

    async def due(self, now: int, limit: int) -> Sequence[FactorReset]:
        """Return open resets whose time has come, the longest due first."""
        return [_reset(row) for row in await self._database.fetch(_DUE(now, limit))]

    async def finish(self, id: bytes, *, at: int, audit: Event | None = None) -> bool:
        """Note that an open reset is done."""
        return await self._change(_FINISH(id, at), audit)

    async def erase(self, user_id: str) -> None:
        """Forget all resets of a user; and by whom others were asked for, where it was them."""
        await self._database.transact(lambda: _erase(user_id), locks=())

    async def _change(self, query: Query, audit: Event | None) -> bool:
        return await self._database.transact(lambda: _change(query, audit), locks=())


def _change(query: Query, audit: Event | None) -> Steps[bool]:
    is_changed = bool((yield query))
    if is_changed and audit is not None:
        yield from insert_event(audit)
    return is_changed


def _erase(user_id: str) -> Steps[None]:
    yield _ERASE(user_id)
    yield _SCRUB(f"operator:{user_id}", f"operator:{new_stand_in()}")


def _one(rows: Sequence[Row]) -> FactorReset | None:
    return _reset(rows[0]) if rows else None


def _reset(row: Row) -> FactorReset:
    id, user_id, by, asked_at, due_at, objected_at, done_at = row
    return FactorReset(
        id=bytes(id),
        user_id=user_id,
        by=by,
        asked_at=asked_at,
        due_at=due_at,
        objected_at=objected_at,
        done_at=done_at,
    )


_ADD = Statement(
    """
    INSERT INTO pwless_factor_resets
    (id, user_id, asked_by, asked_at, due_at, objected_at, done_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id
    """
)
_FIND = Statement(
    """
    SELECT id, user_id, asked_by, asked_at, due_at, objected_at, done_at
    FROM pwless_factor_resets WHERE id = $1
    """
)
_FIND_OPEN = Statement(
    """
    SELECT id, user_id, asked_by, asked_at, due_at, objected_at, done_at
    FROM pwless_factor_resets
    WHERE user_id = $1 AND objected_at IS NULL AND done_at IS NULL
    """
)
_LIST = Statement(
    """
    SELECT id, user_id, asked_by, asked_at, due_at, objected_at, done_at
    FROM pwless_factor_resets WHERE user_id = $1 ORDER BY asked_at, id
    """
)
_DUE = Statement(
    """
    SELECT id, user_id, asked_by, asked_at, due_at, objected_at, done_at
    FROM pwless_factor_resets
    WHERE due_at <= $1 AND objected_at IS NULL AND done_at IS NULL ORDER BY due_at LIMIT $2
    """
)
_OBJECT = Statement(
    """
    UPDATE pwless_factor_resets SET objected_at = $2
    WHERE id = $1 AND objected_at IS NULL AND done_at IS NULL RETURNING id
    """
)
_FINISH = Statement(
    """
    UPDATE pwless_factor_resets SET done_at = $2
    WHERE id = $1 AND objected_at IS NULL AND done_at IS NULL RETURNING id
    """
)
_ERASE = Statement("DELETE FROM pwless_factor_resets WHERE user_id = $1")
_SCRUB = Statement("UPDATE pwless_factor_resets SET asked_by = $2 WHERE asked_by = $1")
