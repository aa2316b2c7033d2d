"""What organizations have about a person, as personal data."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from pwless_middleware.flows.personal_data.personal_data import Record
from pwless_middleware.flows.signals.held_lookups import tell_lookups
from pwless_middleware.flows.signals.signals import Signals

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.organizations.invitations import InvitationRepository
    from pwless_middleware.database.organizations.members import MemberRepository
    from pwless_middleware.database.organizations.organizations import OrganizationRepository
    from pwless_middleware.database.organizations.setup_links import SetupLinkRepository
    from pwless_middleware.database.people.identities import IdentityRepository

ORGANIZATIONS = "organization"
"""Begins the topics of organizations (`flows.signals.held_lookups`)."""
MEMBERSHIPS = "memberships"
"""Begins the topics of where people are members."""


class OrganizationData:
    """The organizations whose policy names an address of a person as break-glass address.

    Args:
        organizations: keeps them.
        signals: tell other processes.
    """

    def __init__(self, organizations: OrganizationRepository, signals: Signals) -> None:
        self._organizations = organizations
        self._signals = signals

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through them."""
        for organization in await self._organizations.list_break_glass(addresses):
            yield {"organization": organization.id, "name": organization.name}

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Take the addresses out of the policies."""
        changed = await self._organizations.erase_break_glass(addresses)
        await tell_lookups(self._signals, ORGANIZATIONS, changed)


class MemberData:
    """The organizations that a person is a member of.

    Args:
        members: keeps them.
        signals: tell other processes.
    """

    def __init__(self, members: MemberRepository, signals: Signals) -> None:
        self._members = members
        self._signals = signals

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through them."""
        for member in await self._members.list_of(user_id):
            yield {
                "organization": member.organization,
                "role": member.role,
                "origin": member.origin,
                "external_id": member.external_id,
                "is_active": member.is_active,
                "created_at": member.created_at,
            }

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget the person as a member of all of them."""
        await self._members.erase(user_id)
        await tell_lookups(self._signals, MEMBERSHIPS, [user_id])


class IdentityData:
    """Who a person is at identity providers.

    Args:
        identities: keeps them.
    """

    def __init__(self, identities: IdentityRepository) -> None:
        self._identities = identities

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through them."""
        for identity in await self._identities.list(user_id):
            yield {
                "connection": identity.connection,
                "subject": identity.subject,
                "email": identity.email,
                "created_at": identity.created_at,
                "seen_at": identity.seen_at,
            }

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget them: with the next login the person is somebody new."""
        await self._identities.erase(user_id)


class InvitationData:
    """The invitations of a person to organizations.

    Args:
        invitations: keeps them.
        setup_links: keeps the links that a person has made, as an operator.
    """

    def __init__(self, invitations: InvitationRepository, setup_links: SetupLinkRepository) -> None:
        self._invitations = invitations
        self._setup_links = setup_links

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through them, the oldest first; who has invited is another person's affair."""
        for invitation in await self._invitations.list_about(addresses):
            yield {
                "organization": invitation.organization,
                "email": invitation.email,
                "role": invitation.role,
                "created_at": invitation.created_at,
                "expires_at": invitation.expires_at,
                "accepted_at": invitation.accepted_at,
            }

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget them, and what the person has made as an operator names nobody any more."""
        await self._invitations.erase(user_id, addresses)
        await self._setup_links.erase(user_id)
