"""What holds of organizations now, for every login: held in process, and told when it changes.

An organization, its connections, the owner of a domain and the memberships of a person are each one
question to the database, asked once while the store's feed vouches that a change would be heard
(`flows.signals.held_lookups`). So a toggle is in force in every process within 100 ms, and a login
costs no question more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.core.organizations.organization import (
    ID_PREFIX,
    NAME_LENGTH,
    Member,
    Organization,
)
from pwless_middleware.flows.personal_data.organization_data import MEMBERSHIPS, ORGANIZATIONS
from pwless_middleware.flows.signals.held_lookups import HeldLookups
from pwless_middleware.flows.signals.signals import Signals

if TYPE_CHECKING:
    from pwless_middleware.database.repositories import Repositories


class Directory:
    """Find what holds of organizations now.

    Args:
        repositories: keep it.
        signals: tell of changes.
    """

    def __init__(self, repositories: Repositories, signals: Signals) -> None:
        self._repositories = repositories
        self._organizations = HeldLookups(ORGANIZATIONS, self._read, signals, holds_none=False)
        self._external_ids = HeldLookups(
            "organization key", self._read_external_id, signals, holds_none=False
        )
        self._connections = HeldLookups(
            "organization connections", repositories.connections.list, signals
        )
        self._connection_owners = HeldLookups(
            "connection owner", self._read_connection_owner, signals, holds_none=False
        )
        self._owners = HeldLookups("domain owner", self._read_owner, signals)
        self._memberships = HeldLookups(MEMBERSHIPS, repositories.members.list_of, signals)

    # --- find ----------------------------------------------------------------------------------

    async def find(self, key: str) -> Organization | None:
        """Return an organization, or `None`.

        Args:
            key: its id, or the host's own key of it (`external_id`).

        Raises:
            StoreError: the database cannot be asked.
        """
        # A login page's query names it: nothing longer is held, and no database takes a NUL.
        if len(key) > NAME_LENGTH or not key.isprintable():
            return None
        if not key.startswith(ID_PREFIX):
            id = await self._external_ids.get(key)
            if id is None:
                return None
            key = id
        return await self._organizations.get(key)

    async def owner_of(self, domain: str) -> Organization | None:
        """Return the organization that has a mail domain verified, or `None` (security rule 54).

        Args:
            domain: canonical (`core.addresses.domain_name`).

        Raises:
            StoreError: the database cannot be asked.
        """
        id = await self._owners.get(domain)
        return None if id is None else await self._organizations.get(id)

    async def connections_of(self, organization: str) -> Sequence[Connection]:
        """Return all connections of an organization, enabled or not, the oldest first.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._connections.get(organization)

    async def has_connection(self, id: str) -> bool:
        """Whether there is a connection, enabled or not, of whichever organization.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._connection_owners.get(id) is not None

    async def memberships(self, user_id: str) -> Sequence[Member]:
        """Return a person as a member of all organizations, active or not.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._memberships.get(user_id)

    async def membership(self, user_id: str, organization: str) -> Member | None:
        """Return a person as a member of an organization, active or not; `None` for no member.

        Raises:
            StoreError: the database cannot be asked.
        """
        found = await self._memberships.get(user_id)
        return next((one for one in found if one.organization == organization), None)

    # --- tell ----------------------------------------------------------------------------------

    async def tell_organization(self, *seen: Organization) -> None:
        """Have every process look again at an organization, as it was and as it is.

        Raises:
            StoreError: other processes cannot be told, and hold on for 30 more seconds at most.
        """
        await self._organizations.tell(*(one.id for one in seen))
        keys = {one.external_id for one in seen if one.external_id is not None}
        if keys:
            await self._external_ids.tell(*keys)

    async def tell_connections(self, organization: str) -> None:
        """Have every process look again at the connections of an organization.

        Raises:
            StoreError: as `tell_organization`.
        """
        await self._connections.tell(organization)

    async def tell_gone(self, *connections: str) -> None:
        """Have every process look again whether there are connections with these ids.

        Raises:
            StoreError: as `tell_organization`.
        """
        await self._connection_owners.tell(*connections)

    async def tell_owner(self, *domains: str) -> None:
        """Have every process look again at whose these domains are.

        Raises:
            StoreError: as `tell_organization`.
        """
        await self._owners.tell(*domains)

    async def tell_memberships(self, *user_ids: str) -> None:
        """Have every process look again at where these people are members.

        Raises:
            StoreError: as `tell_organization`.
        """
        await self._memberships.tell(*user_ids)

    # --- read ----------------------------------------------------------------------------------

    async def _read(self, id: str) -> Organization | None:
        return await self._repositories.organizations.find(id)

    async def _read_external_id(self, external_id: str) -> str | None:
        found = await self._repositories.organizations.find_by_external_id(external_id)
        return None if found is None else found.id

    async def _read_connection_owner(self, id: str) -> str | None:
        found = await self._repositories.connections.find(id)
        return None if found is None else found.organization

    async def _read_owner(self, name: str) -> str | None:
        found = await self._repositories.domains.owner_of(name)
        return None if found is None else found.organization
