"""Organizations in memory, for tests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.database.memory.organization_rows import OrganizationRows
from pwless_middleware.database.organizations.organizations import (
    OrganizationChange,
    OrganizationPlace,
    begins_to_require_sso,
    place_of,
    sort_name_of,
    without_break_glass,
)


class MemoryOrganizations:
    """Keep organizations as long as the process lives
    (`database.organizations.organizations.OrganizationRepository`).

    Args:
        rows: shared with what is theirs.
    """

    def __init__(self, rows: OrganizationRows) -> None:
        self._rows = rows

    async def find(self, id: str) -> Organization | None:
        """Return the organization with this id, or `None`."""
        return self._rows.organizations.get(id)

    async def find_by_external_id(self, external_id: str) -> Organization | None:
        """Return the organization that the host knows by this key, or `None`."""
        all_of_them = self._rows.organizations.values()
        return next((one for one in all_of_them if one.external_id == external_id), None)

    async def find_several(self, ids: Collection[str]) -> Sequence[Organization]:
        """Return the organizations with these ids, by name."""
        return [one for one in self._in_order() if one.id in ids]

    async def list(
        self,
        *,
        search: str = "",
        after: OrganizationPlace = OrganizationPlace(),  # noqa: B008 # a frozen constant
        limit: int = 50,
    ) -> Sequence[Organization]:
        """Return organizations by name."""
        wanted = sort_name_of(search)
        found = [
            one
            for one in self._in_order()
            if place_of(one) > after and wanted in sort_name_of(one.name)
        ]
        return found[:limit]

    async def count(self) -> int:
        """Return how many there are."""
        return len(self._rows.organizations)

    async def put(
        self, organization: Organization, *, seen: int | None, audit: Event | None = None
    ) -> OrganizationChange:
        """Keep an organization."""
        there = self._rows.organizations.get(organization.id)
        if (there.version if there is not None else None) != seen:
            return "stale"
        if organization.external_id is not None:
            other = await self.find_by_external_id(organization.external_id)
            if other is not None and other.id != organization.id:
                return "taken"
        if begins_to_require_sso(organization, there) and not any(
            one.is_enabled and one.tested_at is not None
            for one in self._rows.connections.values()
            if one.organization == organization.id
        ):
            return "no_connection"
        created_at = organization.created_at if there is None else there.created_at
        self._rows.organizations[organization.id] = replace(organization, created_at=created_at)
        self._rows.tell(audit)
        return "done"

    async def delete(self, id: str, *, audit: Event | None = None) -> bool:
        """Forget an organization, and all that is its own."""
        if id not in self._rows.organizations:
            return False
        self._rows.delete_organization(id)
        self._rows.tell(audit)
        return True

    async def list_break_glass(self, addresses: Collection[str]) -> Sequence[Organization]:
        """Return the organizations in whose policies one of these addresses stands, by id."""
        return [
            one
            for _, one in sorted(self._rows.organizations.items())
            if not (one.policy.break_glass or frozenset()).isdisjoint(addresses)
        ]

    async def list_requiring_sso(self, *, limit: int = 200) -> Sequence[Organization]:
        """Return organizations whose policies require the company's login, by id."""
        found = [one for _, one in sorted(self._rows.organizations.items())]
        return [one for one in found if one.policy.sso == "required"][:limit]

    async def erase_break_glass(self, addresses: Collection[str]) -> Sequence[str]:
        """Take addresses out of all policies."""
        changed = set()
        for address in addresses:
            for one in await self.list_break_glass([address]):
                self._rows.organizations[one.id] = without_break_glass(one, address)
                changed.add(one.id)
        return sorted(changed)

    def _in_order(self) -> Sequence[Organization]:
        return sorted(self._rows.organizations.values(), key=place_of)
