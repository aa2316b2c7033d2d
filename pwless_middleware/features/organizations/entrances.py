"""Which organization a login enters, and by what right: the one place where that is decided.

`choose` says it once for a login, before any rule; `of` says by what right.

    one is named                    ──▶ that one, of a member, or of who becomes one by it
    none named, a member of one     ──▶ that one
    none named, a member of none    ──▶ the one that owns the address's domain, if that admits
                                        everybody there
    none named, a member of several ──▶ none: the person chooses
    a live session that is in none  ──▶ none: it stays so

Only an organization that is named is a reason to refuse: who is a member nowhere signs in without
one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

from pwless_middleware.core.addresses.address import Address, domain_of
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.organizations.connection import connection_of
from pwless_middleware.core.organizations.organization import Invitation, Organization
from pwless_middleware.core.organizations.policy import JOIN_WORDS, Join
from pwless_middleware.errors import LoginDenied
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

Right = Literal["member", "invitation", "domain", "sso"]
"""Why somebody may enter: they are a member, or become one by an open invitation, by an address of
its domain, or by its own login."""

UNKNOWN: Final = Text("There is no such organization here.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """An organization that somebody may enter.

    Attributes:
        organization: which.
        right: why.
        role: theirs, once they are in.
        invitation: the one that is accepted by entering; `None` for none.
    """

    organization: Organization
    right: Right
    role: str = ""
    invitation: Invitation | None = None


class Entrances:
    """Find the organization that a login enters.

    Args:
        floor: knows the organizations.
        join: who may become a member, in all of them: an organization can only admit fewer people;
            `None` leaves it to each.
    """

    def __init__(self, floor: OrganizationFloor, join: Join | None) -> None:
        self._floor = floor
        self._join = join

    async def choose(self, login: Login) -> str | None:
        """Return the id of the organization that a login enters that names none; or `None`.

        Raises:
            StoreError: it cannot be known.
        """
        memberships = await self.memberships(login.user_id)
        if memberships:
            return memberships[0].organization.id if len(memberships) == 1 else None
        of_domain = await self.of_domain(login.email)
        return None if of_domain is None else of_domain.organization.id

    async def of(self, login: Login) -> Entrance | None:
        """Return how a login enters its organization, or `None` where it enters none.

        Raises:
            LoginDenied: it may not.
            StoreError: it cannot be known.
        """
        if login.organization is None:
            return None
        organization = await self._floor.directory.find(login.organization)
        if organization is None:
            raise LoginDenied(UNKNOWN, reason="not_a_member")
        return await self._enter(organization, login)

    async def check_owner(self, user_id: str, email: str) -> None:
        """Refuse who was switched off by the organization that has their address's domain.

        It is theirs to say who uses their addresses: such a person is not let in around it, either.

        Raises:
            LoginDenied: they were.
            StoreError: it cannot be known.
        """
        owner = await self._owner_of(email)
        if owner is not None:
            member = await self._floor.directory.membership(user_id, owner.id)
            if member is not None and not member.is_active:
                raise LoginDenied(_switched_off(owner), reason="not_a_member")

    async def memberships(self, user_id: str) -> Sequence[Entrance]:
        """Return the organizations that somebody is an active member of, by their names.

        Raises:
            StoreError: it cannot be known.
        """
        found = []
        for member in await self._floor.directory.memberships(user_id):
            organization = await self._floor.directory.find(member.organization)
            if member.is_active and organization is not None:
                entrance = Entrance(organization=organization, right="member", role=member.role)
                found.append(entrance)
        return sorted(found, key=_place)

    async def offers(self, user_id: str, email: str) -> Sequence[Entrance]:
        """Return the organizations that somebody may become a member of.

        Args:
            user_id: whose.
            email: theirs, canonical.

        Raises:
            StoreError: it cannot be known.
        """
        directory, found = self._floor.directory, {}
        of_domain = await self.of_domain(email)
        for entrance in (*await self._invitations(email), of_domain):
            if entrance is None or entrance.organization.id in found:
                continue
            if await directory.membership(user_id, entrance.organization.id) is None:
                found[entrance.organization.id] = entrance
        return tuple(found.values())

    async def of_domain(self, email: str) -> Entrance | None:
        """Return the organization that everybody with an address of this domain may join, if any.

        Raises:
            StoreError: it cannot be known.
        """
        owner = await self._owner_of(email)
        if owner is None or self.join_of(owner) != "domain":
            return None
        return Entrance(organization=owner, right="domain")

    async def _owner_of(self, email: str) -> Organization | None:
        return await self._floor.directory.owner_of(domain_of(Address(email)))

    def join_of(self, organization: Organization) -> Join:
        """Return who may become a member of an organization by signing in.

        Where nobody says anything: only who was invited.
        """
        asked = [one for one in (self._join, organization.policy.join) if one is not None]
        return max(asked, key=JOIN_WORDS.index, default="invitation")

    async def _enter(self, organization: Organization, login: Login) -> Entrance:
        """Return how a login enters an organization.

        Raises:
            LoginDenied: it may not.
        """
        member = await self._floor.directory.membership(login.user_id, organization.id)
        if member is not None and not member.is_active:
            # No invitation and no domain lifts what was switched off for this person.
            raise LoginDenied(_switched_off(organization), reason="not_a_member")
        if member is not None:
            return Entrance(organization=organization, right="member", role=member.role)
        invited = await self._invitations(login.email)
        invited = [one for one in invited if one.organization.id == organization.id]
        if invited:
            return invited[0]
        of_domain = await self.of_domain(login.email)
        if of_domain is not None and of_domain.organization.id == organization.id:
            return of_domain
        admits = self.join_of(organization) != "invitation"
        if admits and await self._is_own_login(organization, login):
            return Entrance(organization=organization, right="sso")
        text = Text(
            "You are not a member of %(organization)s. Ask whoever looks after it to invite you.",
            organization=organization.name,
        )
        raise LoginDenied(text, reason="not_a_member")

    async def _invitations(self, email: str) -> Sequence[Entrance]:
        """Return the organizations that an address is invited to, the oldest invitation first."""
        directory = self._floor.directory
        found = await self._floor.invitations.list_open(Address(email))
        organizations = [await directory.find(one.organization) for one in found]
        return [
            Entrance(organization=to, right="invitation", role=one.role, invitation=one)
            for one, to in zip(found, organizations, strict=True)
            if to is not None
        ]

    async def _is_own_login(self, organization: Organization, login: Login) -> bool:
        """Whether the organization's own identity provider has vouched for the person."""
        used = {connection_of(one) for one in login.authentications}
        own = await self._floor.directory.connections_of(organization.id)
        return any(one.id in used and one.is_enabled for one in own)


def _place(entrance: Entrance) -> tuple[str, str]:
    return entrance.organization.name.casefold(), entrance.organization.id


def _switched_off(organization: Organization) -> Text:
    return Text(
        "Your membership of %(organization)s is switched off. Ask whoever looks after it.",
        organization=organization.name,
    )
