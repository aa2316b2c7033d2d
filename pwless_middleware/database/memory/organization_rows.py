"""The rows of organizations and of what is theirs, which their doubles in memory share."""

from __future__ import annotations

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.connection import Connection, Identity
from pwless_middleware.core.organizations.organization import (
    Domain,
    Invitation,
    Member,
    Organization,
    SetupLink,
)
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.database.memory.people import MemoryPeople


class OrganizationRows:
    """All rows, each by its key.

    Args:
        people: says who is disabled.
        events: takes the events of changes.

    Attributes:
        organizations, connections, invitations, setup_links: by id.
        domains: by organization and name.
        secrets, scim_digests: by the id of a connection.
        identities: by connection and subject.
        members: by organization and user id.
    """

    def __init__(self, people: MemoryPeople, events: MemoryEvents) -> None:
        self._people = people
        self._events = events
        self.organizations: dict[str, Organization] = {}
        self.domains: dict[tuple[str, str], Domain] = {}
        self.connections: dict[str, Connection] = {}
        self.secrets: dict[str, bytes] = {}
        self.scim_digests: dict[str, bytes] = {}
        self.identities: dict[tuple[str, str], Identity] = {}
        self.members: dict[tuple[str, str], Member] = {}
        self.invitations: dict[str, Invitation] = {}
        self.setup_links: dict[str, SetupLink] = {}

    def tell(self, audit: Event | None) -> None:
        """Write the event of a change."""
        if audit is not None:
            self._events.insert(audit)

    async def is_disabled(self, user_id: str) -> bool:
        """Whether nobody can sign in as a person."""
        person = await self._people.find(user_id)
        return person is not None and person.is_disabled

    def delete_organization(self, id: str) -> None:
        """Forget an organization, and all that is its own."""
        del self.organizations[id]
        for connection in [one.id for one in self.connections.values() if one.organization == id]:
            self.delete_connection(connection)
        self.domains = {key: one for key, one in self.domains.items() if key[0] != id}
        self.members = {key: one for key, one in self.members.items() if key[0] != id}
        self.invitations = {
            key: one for key, one in self.invitations.items() if one.organization != id
        }
        self.setup_links = {
            key: one for key, one in self.setup_links.items() if one.organization != id
        }

    def delete_connection(self, id: str) -> None:
        """Forget a connection, and who people are at it."""
        del self.connections[id]
        self.secrets.pop(id, None)
        self.scim_digests.pop(id, None)
        self.forget_identities(id)

    def forget_identities(self, connection: str) -> None:
        """Forget who people are at a connection."""
        self.identities = {k: one for k, one in self.identities.items() if k[0] != connection}

    def requires_connection(self, organization: str, id: str) -> bool:
        """Whether nobody could sign in without this connection."""
        there = self.organizations.get(organization)
        if there is None or there.policy.sso != "required":
            return False
        return not any(
            one.is_enabled
            for one in self.connections.values()
            if one.organization == organization and one.id != id
        )
