"""Mail domains of organizations in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.organization import Domain
from pwless_middleware.database.memory.organization_rows import OrganizationRows
from pwless_middleware.database.organizations.domains import (
    MOST,
    DomainAdded,
    DomainVerified,
    with_check,
)


class MemoryDomains:
    """Keep domains in this process (`database.organizations.domains.DomainRepository`).

    Args:
        rows: shared with their organizations.
    """

    def __init__(self, rows: OrganizationRows) -> None:
        self._rows = rows

    async def find(self, organization: str, name: str) -> Domain | None:
        """Return what an organization has of a domain, or `None`."""
        return self._rows.domains.get((organization, name))

    async def owner_of(self, name: str) -> Domain | None:
        """Return the verified domain of this name, or `None`."""
        found = (one for one in self._rows.domains.values() if one.name == name)
        return next((one for one in found if one.verified_at is not None), None)

    async def list(self, organization: str) -> Sequence[Domain]:
        """Return all domains of an organization, by name."""
        found = [one for one in self._rows.domains.values() if one.organization == organization]
        return sorted(found, key=lambda one: one.name)

    async def list_claims(self, prefix: str, *, limit: int = 50) -> Sequence[Domain]:
        """Return domains whose names begin so."""
        found = [one for one in self._rows.domains.values() if one.name.startswith(prefix)]
        return sorted(found, key=lambda one: (one.name, one.organization))[:limit]

    async def list_verified(self, *, after: str = "", limit: int = 100) -> Sequence[Domain]:
        """Return the verified domains of all organizations, by name."""
        found = [one for one in self._rows.domains.values() if one.verified_at is not None]
        found = [one for one in found if one.name > after]
        return sorted(found, key=lambda one: one.name)[:limit]

    async def list_failing(self, *, limit: int) -> Sequence[Domain]:
        """Return verified domains whose records are not found, the longest missing first."""
        found = [one for one in self._rows.domains.values() if one.failing_since is not None]
        found.sort(key=lambda one: (one.failing_since or 0, one.name, one.organization))
        return found[:limit]

    async def add(self, domain: Domain, *, audit: Event | None = None) -> DomainAdded:
        """Keep a claim."""
        if domain.organization not in self._rows.organizations:
            return "gone"
        if await self.find(domain.organization, domain.name) is not None:
            return "known"
        if len(await self.list(domain.organization)) >= MOST:
            return "full"
        self._rows.domains[domain.organization, domain.name] = domain
        self._rows.tell(audit)
        return "added"

    async def verify(
        self,
        organization: str,
        name: str,
        *,
        at: int,
        has_record: bool = True,
        audit: Event | None = None,
    ) -> DomainVerified:
        """Have a domain be an organization's own."""
        domain, owner = await self.find(organization, name), await self.owner_of(name)
        if domain is None:
            return "gone"
        if owner is not None and owner.organization != organization:
            return "taken"
        verified_at = at if domain.verified_at is None else domain.verified_at
        checked_at = at if has_record else None
        self._rows.domains[organization, name] = replace(
            domain, verified_at=verified_at, checked_at=checked_at, failing_since=None
        )
        if owner is None:
            self._rows.tell(audit)
        return "verified"

    async def note_check(
        self, organization: str, name: str, *, at: int, is_there: bool, audit: Event | None = None
    ) -> Domain | None:
        """Note that the record of a domain was looked for."""
        before = await self.find(organization, name)
        if before is None:
            return None
        after = with_check(before, at=at, is_there=is_there)
        self._rows.domains[organization, name] = after
        if (before.failing_since is None) != (after.failing_since is None):
            self._rows.tell(audit)
        return after

    async def remove(self, organization: str, name: str, *, audit: Event | None = None) -> bool:
        """Forget a domain."""
        if self._rows.domains.pop((organization, name), None) is None:
            return False
        self._rows.tell(audit)
        return True
