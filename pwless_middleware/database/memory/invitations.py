"""Invitations to organizations in memory, for tests."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.organization import Invitation, Member
from pwless_middleware.core.people.person import Place
from pwless_middleware.database.events.events import new_stand_in
from pwless_middleware.database.memory.members import MemoryMembers
from pwless_middleware.database.memory.organization_rows import OrganizationRows
from pwless_middleware.database.organizations.invitations import (
    MOST,
    InvitationAccepted,
    InvitationAdded,
    accepted_member,
    can_be_accepted,
)


class MemoryInvitations:
    """Keep invitations as long as the process lives
    (`database.organizations.invitations.InvitationRepository`).

    Args:
        rows: shared with their organizations.
        members: whom they make.
    """

    def __init__(self, rows: OrganizationRows, members: MemoryMembers) -> None:
        self._rows = rows
        self._members = members

    async def find(self, id: str) -> Invitation | None:
        """Return the invitation with this id, or `None`."""
        return self._rows.invitations.get(id)

    async def list(
        self,
        organization: str,
        *,
        after: Place = Place(2**62, ""),  # noqa: B008 # a frozen constant
        limit: int = 50,
    ) -> Sequence[Invitation]:
        """Return invitations to an organization, the newest first."""
        found = [one for one in reversed(self._in_order()) if one.organization == organization]
        last = after.created_at, after.id
        return [one for one in found if (one.created_at, one.id) < last][:limit]

    async def list_open(self, email: Address, *, now: int) -> Sequence[Invitation]:
        """Return the invitations that an address can accept at `now`, the oldest first."""
        return [
            one
            for one in await self.list_about([email])
            if one.accepted_at is None and now < one.expires_at
        ]

    async def add(self, invitation: Invitation, *, audit: Event | None = None) -> InvitationAdded:
        """Keep an invitation."""
        organization = invitation.organization
        if organization not in self._rows.organizations:
            return "gone"
        await self.revoke_of(organization, invitation.email)
        if len(await self.list(organization, limit=MOST)) >= MOST:
            self._forget(
                one
                for one in await self.list(organization, limit=MOST)
                if one.accepted_at is not None or one.expires_at <= invitation.created_at
            )
            if len(await self.list(organization, limit=MOST)) >= MOST:
                return "full"
        self._rows.invitations[invitation.id] = invitation
        self._rows.tell(audit)
        return "added"

    async def accept(
        self, id: str, member: Member, *, at: int, audit: Event | None = None
    ) -> InvitationAccepted:
        """Make a person a member by an invitation."""
        invitation = self._rows.invitations.get(id)
        if invitation is None or not can_be_accepted(invitation, member, at):
            return "expired"
        there = await self._members.find(member.organization, member.user_id)
        if there is not None and not there.is_active:
            return "disabled"
        change = await self._members.put(accepted_member(member, there), seen=there, audit=audit)
        if change in ("full", "disabled"):
            return "full" if change == "full" else "disabled"
        if change != "done":
            return "expired"
        self._rows.invitations[id] = replace(invitation, accepted_at=at)
        return "accepted"

    async def revoke(self, organization: str, id: str, *, audit: Event | None = None) -> bool:
        """Forget an invitation that was not accepted."""
        there = self._rows.invitations.get(id)
        if there is None or there.organization != organization or there.accepted_at is not None:
            return False
        del self._rows.invitations[id]
        self._rows.tell(audit)
        return True

    async def revoke_of(self, organization: str, email: Address) -> None:
        """Forget the invitation of an address to an organization that was not accepted."""
        self._forget(
            one
            for one in await self.list(organization, limit=MOST)
            if one.email == email and one.accepted_at is None
        )

    async def erase(self, user_id: str, addresses: Collection[str]) -> None:
        """Forget the invitations of addresses, and who has invited."""
        self._forget(await self.list_about(addresses))
        stand_in = f"operator:{new_stand_in()}"
        for id, one in self._rows.invitations.items():
            if one.by == f"operator:{user_id}":
                self._rows.invitations[id] = replace(one, by=stand_in)

    async def list_about(self, addresses: Collection[str]) -> Sequence[Invitation]:
        """Return all invitations of these addresses, the oldest first."""
        return [one for one in self._in_order() if one.email in addresses]

    def _in_order(self) -> Sequence[Invitation]:
        return sorted(self._rows.invitations.values(), key=lambda one: (one.created_at, one.id))

    def _forget(self, invitations: Iterable[Invitation]) -> None:
        for one in tuple(invitations):
            del self._rows.invitations[one.id]
