"""Operators in the database: who was made one while the app runs, and who was one.

A row is never removed but with the person (security rule 63): who is an operator no more keeps it,
with the role that they had.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, Protocol

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.operators.stored_operator import StoredOperator
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import insert_event, new_stand_in
from pwless_middleware.database.statement import Row, Statement, Steps

MOST: Final = 100
"""Operators that there can be at a time, so that every process can hold all of them."""

Change = Literal["done", "stale", "last_admin", "full"]
"""What became of a change: it is made; somebody else has changed the row first; nobody would be
left with the role `admin`; or there are `MOST` operators."""


class OperatorRepository(Protocol):
    """Keep operators. Every verb is atomic, and raises `StoreError` where it cannot be asked."""

    async def find(self, user_id: str) -> StoredOperator | None:
        """Return the operator with this user id, removed or not, or `None`."""
        ...

    async def list(self) -> Sequence[StoredOperator]:
        """Return all who are operators, at most `MOST`, by user id."""
        ...

    async def list_removed(self, *, after: str = "", limit: int = 50) -> Sequence[StoredOperator]:
        """Return those who were operators, by user id.

        Args:
            after: the user id of the last one of the page before; empty begins.
            limit: how many at most.
        """
        ...

    async def put(
        self,
        operator: StoredOperator,
        *,
        seen: StoredOperator | None,
        has_other_admin: bool = False,
        audit: Event | None = None,
    ) -> Change:
        """Keep an operator in the place of what was seen.

        Args:
            operator: the whole row.
            seen: what stood there; `None` for nothing. Where something else does, nothing happens.
            has_other_admin: whether somebody has the role `admin` besides those in the database;
                else the last one who can sign in cannot lose it.
            audit: what the change is told by, written with it or not at all.
        """
        ...

    async def erase(self, user_id: str) -> None:
        """Forget that somebody is or was an operator, and what they did to others."""
        ...


class SQLOperators:
    """Keep operators in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, user_id: str) -> StoredOperator | None:
        """Return the operator with this user id, removed or not, or `None`."""
        rows = await self._database.fetch(_FIND(user_id))
        return _operator(rows[0]) if rows else None

    async def list(self) -> Sequence[StoredOperator]:
        """Return all who are operators."""
        return [_operator(row) for row in await self._database.fetch(_LIVE(MOST))]

    async def list_removed(self, *, after: str = "", limit: int = 50) -> Sequence[StoredOperator]:
        """Return those who were operators, by user id."""
        return [_operator(row) for row in await self._database.fetch(_REMOVED(after, limit))]

    async def put(
        self,
        operator: StoredOperator,
        *,
        seen: StoredOperator | None,
        has_other_admin: bool = False,
        audit: Event | None = None,
    ) -> Change:
        """Keep an operator in the place of what was seen."""
        return await self._database.transact(lambda: _put(operator, seen, has_other_admin, audit))

    async def erase(self, user_id: str) -> None:
        """Forget that somebody is or was an operator, and what they did to others."""
        await self._database.transact(lambda: _erase(user_id))


def _put(
    operator: StoredOperator,
    seen: StoredOperator | None,
    has_other_admin: bool,
    audit: Event | None,
) -> Steps[Change]:
    rows = yield _FIND(operator.user_id)
    if (_operator(rows[0]) if rows else None) != seen:
        return "stale"
    if loses_admin(operator, seen) and not has_other_admin:
        others = yield _OTHER_ADMIN(operator.user_id)
        if not others:
            return "last_admin"
    if operator.is_live and (seen is None or not seen.is_live):
        live = yield _LIVE(MOST)
        if len(live) >= MOST:
            return "full"
    yield _PUT(
        *(operator.user_id, operator.role, operator.added_at, operator.by, operator.removed_at)
    )
    if audit is not None:
        yield from insert_event(audit)
    return "done"


def loses_admin(operator: StoredOperator, seen: StoredOperator | None) -> bool:
    """Whether somebody who has the role `admin` has it no more with a change."""
    had = seen is not None and seen.is_live and seen.role == "admin"
    return had and not (operator.is_live and operator.role == "admin")


def _erase(user_id: str) -> Steps[None]:
    yield _DELETE(user_id)
    yield _SCRUB(f"operator:{user_id}", f"operator:{new_stand_in()}")


def _operator(row: Row) -> StoredOperator:
    user_id, role, added_at, by, removed_at = row
    return StoredOperator(
        user_id=user_id, role=role, added_at=added_at, by=by, removed_at=removed_at
    )


_FIND = Statement(
    "SELECT user_id, role, added_at, made_by, removed_at FROM pwless_operators WHERE user_id = $1"
)
_LIVE = Statement(
    "SELECT user_id, role, added_at, made_by, removed_at FROM pwless_operators "
    "WHERE removed_at IS NULL ORDER BY user_id LIMIT $1"
)
_REMOVED = Statement(
    "SELECT user_id, role, added_at, made_by, removed_at FROM pwless_operators "
    "WHERE user_id > $1 AND removed_at IS NOT NULL ORDER BY user_id LIMIT $2"
)
# Who is disabled cannot sign in, and so helps nobody.
_OTHER_ADMIN = Statement(
    "SELECT 1 FROM pwless_operators AS other WHERE other.removed_at IS NULL "
    "AND other.role = 'admin' AND other.user_id <> $1 AND NOT EXISTS (SELECT 1 FROM pwless_people "
    "WHERE pwless_people.id = other.user_id AND pwless_people.disabled_at IS NOT NULL) LIMIT 1"
)
_PUT = Statement(
    "INSERT INTO pwless_operators (user_id, role, added_at, made_by, removed_at) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id) DO UPDATE SET role = excluded.role, "
    "added_at = excluded.added_at, made_by = excluded.made_by, removed_at = excluded.removed_at"
)
_DELETE = Statement("DELETE FROM pwless_operators WHERE user_id = $1")
_SCRUB = Statement("UPDATE pwless_operators SET made_by = $2 WHERE made_by = $1")
