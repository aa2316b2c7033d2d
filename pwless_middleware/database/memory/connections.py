"""Connections to identity providers in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.database.memory.organization_rows import OrganizationRows
from pwless_middleware.database.organizations.connections import MOST, ConnectionChange


class MemoryConnections:
    """Keep connections as long as the process lives
    (`database.organizations.connections.ConnectionRepository`).

    Args:
        rows: shared with their organizations.
    """

    def __init__(self, rows: OrganizationRows) -> None:
        self._rows = rows

    async def find(self, id: str) -> Connection | None:
        """Return the connection with this id, or `None`."""
        return self._rows.connections.get(id)

    async def list(self, organization: str) -> Sequence[Connection]:
        """Return all connections of an organization, in the order in which they were made."""
        found = [one for one in self._rows.connections.values() if one.organization == organization]
        return sorted(found, key=lambda one: (one.created_at, one.id))

    async def list_all(self, *, after: str = "", limit: int = 100) -> Sequence[Connection]:
        """Return the connections of all organizations, by id."""
        found = [one for id, one in sorted(self._rows.connections.items()) if id > after]
        return found[:limit]

    async def put(
        self, connection: Connection, *, seen: int | None, audit: Event | None = None
    ) -> ConnectionChange:
        """Keep a connection."""
        id, organization = connection.id, connection.organization
        there = self._rows.connections.get(id)
        if (there.version if there is not None else None) != seen:
            return "stale"
        if there is None:
            if organization not in self._rows.organizations:
                return "gone"
            if len(await self.list(organization)) >= MOST:
                return "full"
            self._rows.connections[id] = replace(connection, has_secret=False)
        else:
            is_disabled = there.is_enabled and not connection.is_enabled
            if is_disabled and self._rows.requires_connection(organization, id):
                return "required"
            has_secret = there.has_secret
            if connection.leads_elsewhere(there):
                self._rows.forget_identities(id)
                if there.kind == "oidc":
                    self._rows.secrets.pop(id, None)
                    has_secret = False
            self._rows.connections[id] = replace(
                there,
                has_secret=has_secret,
                name=connection.name,
                is_enabled=connection.is_enabled,
                config=connection.config,
                tested_at=connection.tested_at,
                version=connection.version,
            )
        self._rows.tell(audit)
        return "done"

    async def mark_tested(self, id: str, *, at: int, audit: Event | None = None) -> bool:
        """Note that a login by it has worked."""
        there = self._rows.connections.get(id)
        if there is None:
            return False
        self._rows.connections[id] = replace(there, tested_at=at)
        if there.tested_at is None:
            self._rows.tell(audit)
        return True

    async def set_secret(
        self, id: str, secret: bytes | None, *, seen: int, audit: Event | None = None
    ) -> ConnectionChange:
        """Keep another secret, or none."""
        there = self._rows.connections.get(id)
        if there is None or there.version != seen:
            return "stale"
        if secret is None:
            self._rows.secrets.pop(id, None)
        else:
            self._rows.secrets[id] = secret
        self._rows.connections[id] = replace(there, has_secret=secret is not None, version=seen + 1)
        self._rows.tell(audit)
        return "done"

    async def secret_of(self, id: str) -> bytes | None:
        """Return the secret of a connection, encrypted."""
        return self._rows.secrets.get(id)

    async def list_secrets(
        self, *, after: str = "", limit: int = 100
    ) -> Sequence[tuple[str, bytes]]:
        """Return the secrets of all connections."""
        return [pair for pair in sorted(self._rows.secrets.items()) if pair[0] > after][:limit]

    async def replace_secret(self, id: str, old: bytes, new: bytes) -> bool:
        """Keep the same secret, encrypted anew."""
        if self._rows.secrets.get(id) != old:
            return False
        self._rows.secrets[id] = new
        return True

    async def set_scim_digest(
        self, id: str, digest: bytes | None, *, audit: Event | None = None
    ) -> bool:
        """Keep the digest of a SCIM token."""
        if id not in self._rows.connections:
            return False
        if digest is None:
            self._rows.scim_digests.pop(id, None)
        else:
            self._rows.scim_digests[id] = digest
        self._rows.tell(audit)
        return True

    async def scim_digest_of(self, id: str) -> bytes | None:
        """Return the digest of the SCIM token of a connection."""
        return self._rows.scim_digests.get(id)

    async def delete(self, id: str, *, audit: Event | None = None) -> ConnectionChange:
        """Forget a connection, and who people are at it."""
        there = self._rows.connections.get(id)
        if there is None:
            return "stale"
        if there.is_enabled and self._rows.requires_connection(there.organization, id):
            return "required"
        self._rows.delete_connection(id)
        self._rows.tell(audit)
        return "done"
