"""Identities in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.connection import Identity
from pwless_middleware.database.memory.organization_rows import OrganizationRows
from pwless_middleware.database.people.identities import IdentityAdded


class MemoryIdentities:
    """Keep identities in this process (`database.people.identities.IdentityRepository`).

    Args:
        rows: shared with the connections.
    """

    def __init__(self, rows: OrganizationRows) -> None:
        self._rows = rows

    async def find(self, connection: str, subject: str) -> Identity | None:
        """Return the identity of a subject at a connection, or `None`."""
        return self._rows.identities.get((connection, subject))

    async def list(self, user_id: str) -> Sequence[Identity]:
        """Return all identities of a user, by connection and subject."""
        return [one for _, one in sorted(self._rows.identities.items()) if one.user_id == user_id]

    async def list_of(
        self, connection: str, *, after: str = "", limit: int = 100
    ) -> Sequence[Identity]:
        """Return the identities at a connection, by subject."""
        found = [one for key, one in sorted(self._rows.identities.items()) if key[0] == connection]
        return [one for one in found if one.subject > after][:limit]

    async def add(self, identity: Identity, *, audit: Event | None = None) -> IdentityAdded:
        """Keep a new identity."""
        key = identity.connection, identity.subject
        if await self._rows.is_disabled(identity.user_id):
            return "disabled"
        if key in self._rows.identities:
            return "known"
        self._rows.identities[key] = identity
        self._rows.tell(audit)
        return "added"

    async def note_seen(self, connection: str, subject: str, *, email: str, at: int) -> None:
        """Note what the provider said with a login."""
        there = self._rows.identities.get((connection, subject))
        if there is not None:
            seen = replace(there, email=email, seen_at=max(there.seen_at, at))
            self._rows.identities[connection, subject] = seen

    async def remove(self, connection: str, subject: str, *, audit: Event | None = None) -> bool:
        """Forget an identity."""
        if self._rows.identities.pop((connection, subject), None) is None:
            return False
        self._rows.tell(audit)
        return True

    async def erase(self, user_id: str) -> None:
        """Forget all identities of a user."""
        for one in await self.list(user_id):
            del self._rows.identities[one.connection, one.subject]
