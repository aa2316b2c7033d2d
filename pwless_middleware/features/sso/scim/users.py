"""The members of an organization, as its directory sees and keeps them.

A user of SCIM is a member: `id` is the person's, `userName` the address, `active` whether they may
sign in to the organization. What a directory deletes is the membership; the account is the
person's, who may be in other organizations too.

An address counts only inside the domains that the organization has verified (security rule 50):
a directory can so make members of its own people alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.address import Address, domain_of, parse_address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.core.organizations.organization import Member
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import (
    InvalidArgument,
    LoginDenied,
    NotFound,
    PersonDisabled,
)
from pwless_middleware.features.sso.person import clean_name
from pwless_middleware.features.sso.scim.changes import UserChange
from pwless_middleware.features.sso.scim.errors import ScimRefused
from pwless_middleware.features.sso.scim.filters import Filter
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

PAGE: Final = 100
"""Members that are read at once."""


@dataclass(frozen=True, slots=True)
class ScimUser:
    """A member, with what is known of the person.

    Attributes:
        member: the membership.
        address: the person's.
        name: what the person is called; empty for none.
    """

    member: Member
    address: str
    name: str


class ScimUsers:
    """Find and change the members of the organization of a connection.

    Args:
        kit: everything below.
        floor: keeps members.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor

    async def require(self, connection: Connection, user_id: str) -> ScimUser:
        """Return a user.

        Raises:
            ScimRefused: there is none.
        """
        found = await self._find(connection, user_id)
        if found is None:
            raise _not_found()
        return found

    async def find(self, connection: Connection, wanted: Filter) -> Sequence[ScimUser]:
        """Return the users whom a filter finds: one, or none."""
        user_id: str | None = wanted.value
        if wanted.name == "externalId":
            organization = connection.organization
            member = await self._floor.members.find_by_external_id(organization, wanted.value)
            user_id = member.user_id if member is not None else None
        elif wanted.name == "userName":
            address = parse_address(wanted.value)
            user_id = await self._id_of(address) if address is not None else None
        found = await self._find(connection, user_id) if user_id else None
        return [found] if found is not None else []

    async def list(
        self, connection: Connection, *, start: int, count: int
    ) -> tuple[Sequence[ScimUser], int]:
        """Return a page of users, by id, and how many there are.

        Args:
            connection: whose.
            start: which is the first, from 1.
            count: how many at most.
        """
        organization = connection.organization
        total = await self._floor.members.count(organization)
        found: list[ScimUser] = []
        after, behind = "", start - 1  # as many as are left out
        while len(found) < count and behind < total:
            page = await self._floor.members.list(organization, after=after, limit=PAGE)
            if not page:
                break
            after = page[-1].user_id
            for member in page[behind:][: count - len(found)]:
                user = await self._of(member)
                if user is not None:
                    found.append(user)
            behind = max(0, behind - len(page))
        return found, total

    async def create(self, connection: Connection, wanted: UserChange) -> ScimUser:
        """Make a person a member; who has no account gets one.

        Raises:
            ScimRefused: the address is none of the organization's, or they are a member.
        """
        address = await self._own_address(connection, wanted.user_name)
        user_id = await self._person(address, wanted.name, by=_by(connection))
        if await self._floor.members.find(connection.organization, user_id) is not None:
            raise ScimRefused(409, "uniqueness", "This person is a member already.")
        return await self._put(connection, user_id, wanted)

    async def change(self, connection: Connection, user_id: str, wanted: UserChange) -> ScimUser:
        """Change a user. Who is not active any more is signed out of the organization at once.

        Raises:
            ScimRefused: there is none, or another address is wanted.
        """
        there = await self.require(connection, user_id)
        if wanted.user_name is not None and parse_address(wanted.user_name) != there.address:
            raise ScimRefused(
                400,
                "mutability",
                "userName stays as it is: a person changes the address in their own account.",
            )
        keeps = UserChange(external_id=wanted.external_id, active=wanted.active)
        return await self._put(connection, user_id, keeps)

    async def delete(self, connection: Connection, user_id: str) -> None:
        """Have a person be no member any more.

        Raises:
            ScimRefused: they are none.
        """
        try:
            await self._floor.members.remove(connection.organization, user_id, by=_by(connection))
        except NotFound as error:
            raise _not_found() from error

    # --- what they share -------------------------------------------------------------------------

    async def _put(self, connection: Connection, user_id: str, wanted: UserChange) -> ScimUser:
        try:
            member = await self._floor.members.put(
                connection.organization,
                user_id,
                origin="scim",
                external_id=wanted.external_id,
                is_active=wanted.active,
                by=_by(connection),
            )
        except InvalidArgument as error:
            violation = error.violations[0]
            if violation.constraint == "taken":
                raise ScimRefused(409, "uniqueness", "Another user has this externalId.") from error
            raise ScimRefused(400, "invalidValue", str(violation.description)) from error
        found = await self._of(member)
        if found is None:
            raise _not_found()
        return found

    async def _own_address(self, connection: Connection, user_name: str | None) -> Address:
        """Return the address of a new user."""
        address = parse_address(user_name or "")
        owner = None
        if address is not None:
            owner = await self._floor.directory.owner_of(domain_of(address))
        if address is None or owner is None or owner.id != connection.organization:
            raise ScimRefused(
                400,
                "invalidValue",
                "userName has to be the person's email address, in a domain that the organization "
                "has verified.",
            )
        return address

    async def _person(self, address: Address, name: str | None, *, by: str) -> str:
        """Return the id of the person of an address, made if there is none."""
        users = self._kit.users
        try:
            user = await users.find(address) or await users.create(address)
        except PersonDisabled as error:
            raise ScimRefused(400, "invalidValue", "Nobody can sign in as this person.") from error
        except LoginDenied as error:
            raise ScimRefused(400, "invalidValue", "No account is made for this person.") from error
        if user.is_new:
            self._kit.events.record("user.created", None, user_id=user.id, address=address)
            await self._call(user, name, by=by)
        return user.id

    async def _call(self, user: User, name: str | None, *, by: str) -> None:
        shown = clean_name(name or "")
        if shown and self._kit.people is not None and self._kit.users.keeps_people:
            await self._kit.people.set_profile(user.id, name=shown, by=by)

    async def _id_of(self, address: Address) -> str | None:
        try:
            return await self._kit.users.id_of(address)
        except LoginDenied:
            return None

    async def _find(self, connection: Connection, user_id: str) -> ScimUser | None:
        member = await self._floor.members.find(connection.organization, user_id)
        return await self._of(member) if member is not None else None

    async def _of(self, member: Member) -> ScimUser | None:
        """Return a member with what is known of the person, who may be one nobody signs in as."""
        if self._kit.users.keeps_people and self._kit.people is not None:
            person = await self._kit.people.find(member.user_id)
            if person is not None:
                return ScimUser(member, person.email, person.name)
            return None
        user = await self._kit.users.load(member.user_id)
        if user is None:
            return None
        name = "" if user.display_name == user.email else user.display_name
        return ScimUser(member, user.email, name)


def _by(connection: Connection) -> str:
    return f"scim {connection.id}"


def _not_found() -> ScimRefused:
    return ScimRefused(404, "", "There is no such user.")
