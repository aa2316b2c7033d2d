"""Connections to identity providers in the database; of secrets what is encrypted.

A secret and the digest of a SCIM token stand in columns of their own, which no list reads: what a
page or an answer is made of does not hold them (security rule 56).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, Literal, Protocol

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import change_with_event, insert_event
from pwless_middleware.database.organizations.organization_steps import (
    IS_ORGANIZATION,
    requires_connection,
)
from pwless_middleware.database.statement import Row, Statement, Steps

MOST: Final = 20
"""Connections of one organization, at most."""

ConnectionChange = Literal["done", "stale", "full", "required", "gone"]
"""What became of a change: it is made; somebody else has changed the row first, or it is gone; the
organization has `MOST` connections; nobody could sign in without it, since the policy asks for the
company's login; or there is no such organization."""


class ConnectionRepository(Protocol):
    """Keep connections. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    `audit` is the event of a change, written with it or not at all; `None` writes none.
    """

    async def find(self, id: str) -> Connection | None:
        """Return the connection with this id, or `None`."""
        ...

    async def list(self, organization: str) -> Sequence[Connection]:
        """Return all connections of an organization, in the order in which they were made."""
        ...

    async def list_all(self, *, after: str = "", limit: int = 100) -> Sequence[Connection]:
        """Return the connections of all organizations, by id.

        Args:
            after: the id of the last one of the page before; empty begins.
            limit: how many at most.
        """
        ...

    async def put(
        self, connection: Connection, *, seen: int | None, audit: Event | None = None
    ) -> ConnectionChange:
        """Keep a connection. Its secret, its SCIM token, its organization, its kind and when it was
        made stay as they are where there is one already.

        Where it leads elsewhere (`Connection.leads_elsewhere`), who people are at it is forgotten,
        and by OpenID Connect the secret as well.

        Args:
            connection: the whole row.
            seen: the version that stood there; `None` for a new one.
            audit: see above.
        """
        ...

    async def mark_tested(self, id: str, *, at: int, audit: Event | None = None) -> bool:
        """Note that a login by it has worked; the event is that of the first time. False if there
        is none with this id.
        """
        ...

    async def set_secret(
        self, id: str, secret: bytes | None, *, seen: int, audit: Event | None = None
    ) -> ConnectionChange:
        """Keep another secret, or none; the version goes up.

        Args:
            id: which.
            secret: encrypted; `None` forgets it.
            seen: the version that stood there.
            audit: see above.
        """
        ...

    async def secret_of(self, id: str) -> bytes | None:
        """Return the secret of a connection, encrypted; `None` where it has none."""
        ...

    async def list_secrets(
        self, *, after: str = "", limit: int = 100
    ) -> Sequence[tuple[str, bytes]]:
        """Return the secrets of all connections with the ids of these, by id; see `list_all`."""
        ...

    async def replace_secret(self, id: str, old: bytes, new: bytes) -> bool:
        """Keep the same secret, encrypted anew; false where another one stands there by now."""
        ...

    async def set_scim_digest(
        self, id: str, digest: bytes | None, *, audit: Event | None = None
    ) -> bool:
        """Keep the digest of a SCIM token; `None` has none be good any more. False if there is no
        connection with this id.
        """
        ...

    async def scim_digest_of(self, id: str) -> bytes | None:
        """Return the digest of the SCIM token of a connection; `None` where it has none."""
        ...

    async def delete(self, id: str, *, audit: Event | None = None) -> ConnectionChange:
        """Forget a connection, and who people are at it; `stale` if there is none."""
        ...


class SQLConnections:
    """Keep connections in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, id: str) -> Connection | None:
        """Return the connection with this id, or `None`."""
        rows = await self._database.fetch(_FIND(id))
        return _connection(rows[0]) if rows else None

    async def list(self, organization: str) -> Sequence[Connection]:
        """Return all connections of an organization, in the order in which they were made."""
        return [_connection(row) for row in await self._database.fetch(_LIST(organization, MOST))]

    async def list_all(self, *, after: str = "", limit: int = 100) -> Sequence[Connection]:
        """Return the connections of all organizations, by id."""
        return [_connection(row) for row in await self._database.fetch(_LIST_ALL(after, limit))]

    async def put(
        self, connection: Connection, *, seen: int | None, audit: Event | None = None
    ) -> ConnectionChange:
        """Keep a connection."""
        return await self._database.transact(lambda: _put(connection, seen, audit))

    async def mark_tested(self, id: str, *, at: int, audit: Event | None = None) -> bool:
        """Note that a login by it has worked."""
        return await self._database.transact(lambda: _mark_tested(id, at, audit))

    async def set_secret(
        self, id: str, secret: bytes | None, *, seen: int, audit: Event | None = None
    ) -> ConnectionChange:
        """Keep another secret, or none."""
        query = _SET_SECRET(id, secret, seen)
        is_done = await self._database.transact(lambda: change_with_event(query, audit))
        return "done" if is_done else "stale"

    async def secret_of(self, id: str) -> bytes | None:
        """Return the secret of a connection, encrypted."""
        rows = await self._database.fetch(_SECRET(id))
        return bytes(rows[0][0]) if rows else None

    async def list_secrets(
        self, *, after: str = "", limit: int = 100
    ) -> Sequence[tuple[str, bytes]]:
        """Return the secrets of all connections."""
        rows = await self._database.fetch(_LIST_SECRETS(after, limit))
        return [(id, bytes(secret)) for id, secret in rows]

    async def replace_secret(self, id: str, old: bytes, new: bytes) -> bool:
        """Keep the same secret, encrypted anew."""
        return bool(await self._database.execute(_REPLACE_SECRET(id, old, new)))

    async def set_scim_digest(
        self, id: str, digest: bytes | None, *, audit: Event | None = None
    ) -> bool:
        """Keep the digest of a SCIM token."""
        query = _SET_SCIM_DIGEST(id, digest)
        return await self._database.transact(lambda: change_with_event(query, audit))

    async def scim_digest_of(self, id: str) -> bytes | None:
        """Return the digest of the SCIM token of a connection."""
        rows = await self._database.fetch(_SCIM_DIGEST(id))
        return bytes(rows[0][0]) if rows else None

    async def delete(self, id: str, *, audit: Event | None = None) -> ConnectionChange:
        """Forget a connection, and who people are at it."""
        return await self._database.transact(lambda: _delete(id, audit))


def _put(connection: Connection, seen: int | None, audit: Event | None) -> Steps[ConnectionChange]:
    organization = connection.organization
    rows = yield _FIND(connection.id)
    if (_connection(rows[0]).version if rows else None) != seen:
        return "stale"
    if not rows:
        if not (yield IS_ORGANIZATION(organization)):
            return "gone"
        if len((yield _LIST(organization, MOST))) >= MOST:
            return "full"
    elif (
        _connection(rows[0]).is_enabled
        and not connection.is_enabled
        and (yield from requires_connection(organization, connection.id))
    ):
        return "required"
    elif connection.leads_elsewhere(_connection(rows[0])):
        yield _DELETE_IDENTITIES(connection.id)
        if connection.kind == "oidc":
            yield _FORGET_SECRET(connection.id)
    yield _PUT(
        *(connection.id, organization, connection.kind, connection.name),
        *(int(connection.is_enabled), _pack(connection.config), connection.tested_at),
        *(connection.created_at, connection.version),
    )
    if audit is not None:
        yield from insert_event(audit)
    return "done"


def _mark_tested(id: str, at: int, audit: Event | None) -> Steps[bool]:
    rows = yield _FIND(id)
    if not rows:
        return False
    yield _MARK_TESTED(id, at)
    if audit is not None and _connection(rows[0]).tested_at is None:
        yield from insert_event(audit)
    return True


def _delete(id: str, audit: Event | None) -> Steps[ConnectionChange]:
    rows = yield _FIND(id)
    if not rows:
        return "stale"
    connection = _connection(rows[0])
    if connection.is_enabled and (yield from requires_connection(connection.organization, id)):
        return "required"
    yield _DELETE_IDENTITIES(id)
    yield _DELETE(id)
    if audit is not None:
        yield from insert_event(audit)
    return "done"


def _pack(config: Mapping[str, object]) -> str:
    return json.dumps(dict(config), ensure_ascii=True, separators=(",", ":"))


def _connection(row: Row) -> Connection:
    id, organization, kind, name, is_enabled, config, has_secret, tested_at, *more = row
    created_at, version = more
    return Connection(
        id=id,
        organization=organization,
        kind=kind,
        name=name,
        is_enabled=bool(is_enabled),
        config=json.loads(config),
        has_secret=bool(has_secret),
        tested_at=tested_at,
        created_at=created_at,
        version=version,
    )


_FIND = Statement(
    "SELECT id, organization, kind, name, is_enabled, config, secret IS NOT NULL, tested_at, "
    "created_at, version FROM pwless_connections WHERE id = $1"
)
_LIST = Statement(
    "SELECT id, organization, kind, name, is_enabled, config, secret IS NOT NULL, tested_at, "
    "created_at, version FROM pwless_connections WHERE organization = $1 "
    "ORDER BY created_at, id LIMIT $2"
)
_LIST_ALL = Statement(
    "SELECT id, organization, kind, name, is_enabled, config, secret IS NOT NULL, tested_at, "
    "created_at, version FROM pwless_connections WHERE id > $1 ORDER BY id LIMIT $2"
)
_PUT = Statement(
    "INSERT INTO pwless_connections (id, organization, kind, name, is_enabled, config, tested_at, "
    "created_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO UPDATE "
    "SET name = excluded.name, is_enabled = excluded.is_enabled, config = excluded.config, "
    "tested_at = excluded.tested_at, version = excluded.version"
)
_MARK_TESTED = Statement("UPDATE pwless_connections SET tested_at = $2 WHERE id = $1")
_SET_SECRET = Statement(
    "UPDATE pwless_connections SET secret = $2, version = version + 1 "
    "WHERE id = $1 AND version = $3 RETURNING id"
)
_FORGET_SECRET = Statement("UPDATE pwless_connections SET secret = NULL WHERE id = $1")
_SECRET = Statement("SELECT secret FROM pwless_connections WHERE id = $1 AND secret IS NOT NULL")
_LIST_SECRETS = Statement(
    "SELECT id, secret FROM pwless_connections WHERE id > $1 AND secret IS NOT NULL "
    "ORDER BY id LIMIT $2"
)
_REPLACE_SECRET = Statement(
    "UPDATE pwless_connections SET secret = $3 WHERE id = $1 AND secret = $2 RETURNING id"
)
_SET_SCIM_DIGEST = Statement(
    "UPDATE pwless_connections SET scim_digest = $2 WHERE id = $1 RETURNING id"
)
_SCIM_DIGEST = Statement(
    "SELECT scim_digest FROM pwless_connections WHERE id = $1 AND scim_digest IS NOT NULL"
)
_DELETE_IDENTITIES = Statement("DELETE FROM pwless_identities WHERE connection = $1")
_DELETE = Statement("DELETE FROM pwless_connections WHERE id = $1")
