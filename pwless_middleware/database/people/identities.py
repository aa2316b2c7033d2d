"""Identities in the database: who people are at identity providers.

An identity is a connection and a subject, and leads to one user for ever (security rule 50); the
address beside it is what the provider said last, and finds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.connection import Identity
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import change_with_event, insert_event
from pwless_middleware.database.people.people import IS_DISABLED
from pwless_middleware.database.statement import Row, Statement, Steps

IdentityAdded = Literal["added", "known", "disabled"]
"""What became of a new identity: it is kept; it leads to a user already; or nobody can sign in as
this user, who may be about to be deleted."""


class IdentityRepository(Protocol):
    """Keep identities. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    `audit` is the event of a change, written with it or not at all; `None` writes none.
    """

    async def find(self, connection: str, subject: str) -> Identity | None:
        """Return the identity of a subject at a connection, or `None`."""
        ...

    async def list(self, user_id: str) -> Sequence[Identity]:
        """Return all identities of a user, by connection and subject."""
        ...

    async def list_of(
        self, connection: str, *, after: str = "", limit: int = 100
    ) -> Sequence[Identity]:
        """Return the identities at a connection, by subject.

        Args:
            connection: which.
            after: the subject of the last one of the page before; empty begins.
            limit: how many at most.
        """
        ...

    async def add(self, identity: Identity, *, audit: Event | None = None) -> IdentityAdded:
        """Keep a new identity, once however many try at the same time; what is there stays."""
        ...

    async def note_seen(self, connection: str, subject: str, *, email: str, at: int) -> None:
        """Note what the provider said with a login, in unix seconds; the time never goes back."""
        ...

    async def remove(self, connection: str, subject: str, *, audit: Event | None = None) -> bool:
        """Forget an identity; false if there is none."""
        ...

    async def erase(self, user_id: str) -> None:
        """Forget all identities of a user."""
        ...


class SQLIdentities:
    """Keep identities in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, connection: str, subject: str) -> Identity | None:
        """Return the identity of a subject at a connection, or `None`."""
        rows = await self._database.fetch(_FIND(connection, subject))
        return _identity(rows[0]) if rows else None

    async def list(self, user_id: str) -> Sequence[Identity]:
        """Return all identities of a user, by connection and subject."""
        return [_identity(row) for row in await self._database.fetch(_LIST(user_id))]

    async def list_of(
        self, connection: str, *, after: str = "", limit: int = 100
    ) -> Sequence[Identity]:
        """Return the identities at a connection, by subject."""
        rows = await self._database.fetch(_LIST_OF(connection, after, limit))
        return [_identity(row) for row in rows]

    async def add(self, identity: Identity, *, audit: Event | None = None) -> IdentityAdded:
        """Keep a new identity."""
        return await self._database.transact(lambda: _add(identity, audit))

    async def note_seen(self, connection: str, subject: str, *, email: str, at: int) -> None:
        """Note what the provider said with a login."""
        await self._database.execute(_NOTE_SEEN(connection, subject, email, at))

    async def remove(self, connection: str, subject: str, *, audit: Event | None = None) -> bool:
        """Forget an identity."""
        query = _REMOVE(connection, subject)
        return await self._database.transact(lambda: change_with_event(query, audit))

    async def erase(self, user_id: str) -> None:
        """Forget all identities of a user."""
        # Not by `execute`: an identity that is being added meanwhile must find the user disabled.
        await self._database.transact(lambda: change_with_event(_ERASE(user_id), None))


def _add(identity: Identity, audit: Event | None) -> Steps[IdentityAdded]:
    # Who deletes a person disables them first.
    if (yield IS_DISABLED(identity.user_id)):
        return "disabled"
    added = yield _ADD(
        *(identity.connection, identity.subject, identity.user_id, identity.email),
        *(identity.created_at, identity.seen_at),
    )
    if not added:
        return "known"
    if audit is not None:
        yield from insert_event(audit)
    return "added"


def _identity(row: Row) -> Identity:
    connection, subject, user_id, email, created_at, seen_at = row
    return Identity(
        connection=connection,
        subject=subject,
        user_id=user_id,
        email=email,
        created_at=created_at,
        seen_at=seen_at,
    )


_FIND = Statement(
    "SELECT connection, subject, user_id, email, created_at, seen_at FROM pwless_identities "
    "WHERE connection = $1 AND subject = $2"
)
_LIST = Statement(
    "SELECT connection, subject, user_id, email, created_at, seen_at FROM pwless_identities "
    "WHERE user_id = $1 ORDER BY connection, subject"
)
_LIST_OF = Statement(
    "SELECT connection, subject, user_id, email, created_at, seen_at FROM pwless_identities "
    "WHERE connection = $1 AND subject > $2 ORDER BY subject LIMIT $3"
)
_ADD = Statement(
    "INSERT INTO pwless_identities (connection, subject, user_id, email, created_at, seen_at) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING user_id"
)
_NOTE_SEEN = Statement(
    "UPDATE pwless_identities SET email = $3, "
    "seen_at = CASE WHEN seen_at > $4 THEN seen_at ELSE $4 END "
    "WHERE connection = $1 AND subject = $2"
)
_REMOVE = Statement(
    "DELETE FROM pwless_identities WHERE connection = $1 AND subject = $2 RETURNING user_id"
)
_ERASE = Statement("DELETE FROM pwless_identities WHERE user_id = $1 RETURNING user_id")
