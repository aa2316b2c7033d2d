"""Whose account a person at an identity provider has here (security rules 50 and 54).

    known by (connection, subject) ──▶ that user, whatever address the provider says today, unless
                another organization has verified the domain of the user's own by now
    unknown ──▶ the address is in a domain that the connection's own organization has verified
                and the provider does not say that it is unverified
            ──▶ the user of that address is linked, or made

An address alone leads to nobody: whoever sets a connection up could say any. And two subjects of
one connection are two people, also where the provider gives one of them the other's address: a
company gives the address of who has left to somebody else.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pwless_middleware.core.addresses.address import Address, domain_of, parse_address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import EnrolledUser, Login
from pwless_middleware.core.organizations.connection import Connection, Identity, connection_of
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.people.user import User, UserId
from pwless_middleware.errors import LoginDenied, NotFound, PersonDisabled
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.person import ProviderPerson
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A person who comes from an identity provider.

    Attributes:
        connection: by which.
        organization: whose it is.
        person: as the provider describes them.
        caller: the browser.
        attempt: names the login in events.
    """

    connection: Connection
    organization: Organization
    person: ProviderPerson
    caller: Caller
    attempt: bytes


class Linking:
    """Find or make the users of people at identity providers.

    Args:
        kit: everything below.
        floor: knows organizations, and keeps identities.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor

    async def user_of(self, arrival: Arrival, *, links: bool = True) -> EnrolledUser:
        """Return the user of a person, linked from now on if they were not.

        Args:
            arrival: the person.
            links: whether somebody who is not linked may be; false where it is known who it has to
                be.

        Raises:
            SSOFault: there is nobody who may sign in.
            Unavailable: database or user directory cannot be asked.
        """
        connection, subject = arrival.connection.id, arrival.person.subject
        identity = await self._floor.identities.find(connection, subject)
        if identity is not None:
            return await self._use_known(arrival, identity)
        if not links:
            raise SSOFault("other_person")
        address = await self._proven_address(arrival)
        user, is_new = await self._user_at(arrival, address)
        now = self._kit.clock()
        new = Identity(
            connection=connection,
            subject=subject,
            user_id=user.id,
            email=address,
            created_at=now,
            seen_at=now,
        )
        try:
            is_added = await self._floor.identities.add(new)
        except LoginDenied as error:
            raise SSOFault("disabled") from error
        if not is_added:  # another tab was quicker
            identity = await self._floor.identities.find(connection, subject)
            if identity is None:
                raise SSOFault("disabled")
            return await self._use_known(arrival, identity)
        try:
            # Looked at once more behind the write: of two that are quick one at least sees it.
            await self._check_unlinked(arrival, user.id)
            if not await self.still_linked(arrival, user.id):
                # It has gone elsewhere meanwhile, and has forgotten the others by then.
                raise SSOFault("connection_off")
        except SSOFault:
            with suppress(NotFound):
                await self._floor.identities.remove(new, organization=arrival.organization.id)
            raise
        self._record("identity.linked", arrival, user.id)
        return EnrolledUser(UserId(user.id), address, is_new=is_new)

    async def still_linked(self, arrival: Arrival, user_id: str) -> bool:
        """Whether a person is still linked with a user, and the connection still on, and at the
        same provider."""
        connection = await self._floor.connections.find(arrival.connection.id)
        if connection is None or not connection.is_enabled:
            return False
        if connection.provider != arrival.connection.provider:
            return False
        identity = await self._floor.identities.find(connection.id, arrival.person.subject)
        return identity is not None and identity.user_id == user_id

    async def before_session(self, login: Login) -> None:
        """Refuse a login by a connection at which the person is nobody any more.

        It may have waited for a step meanwhile, or be a session that goes on by a further proof.

        Raises:
            LoginDenied: who they were there was forgotten, or is another organization's to say.
            StoreError: it cannot be known.
        """
        used = {connection_of(one) for one in login.authentications} - {None}
        if not used:
            return
        known = {one.connection for one in await self._floor.identities.of_user(login.user_id)}
        owner = await self._floor.directory.owner_of(domain_of(Address(login.email)))
        for id in used:
            connection = await self._floor.connections.find(id or "") if id in known else None
            if connection is None or (owner and owner.id != connection.organization):
                raise LoginDenied(reason="method_not_allowed")

    async def check_address(self, arrival: Arrival) -> Address:
        """Return the address of a person, for the test of a connection: nobody is signed in.

        Raises:
            SSOFault: nobody would be linked by it.
        """
        return await self._proven_address(arrival)

    async def remove_since(self, user_id: str, at: int) -> None:
        """Forget who somebody is at connections since a change of address that was undone.

        Whoever took the account over could come back by the login of a company of their own
        (`Mounted.on_address_undone`).
        """
        for one in await self._floor.identities.of_user(user_id):
            connection = await self._floor.connections.find(one.connection)
            if connection is None or one.created_at < at:
                continue
            organization = connection.organization
            with suppress(NotFound):  # both the page and its job do this
                await self._floor.identities.remove(one, organization=organization, by="person")

    async def _use_known(self, arrival: Arrival, identity: Identity) -> EnrolledUser:
        user = await self._kit.users.load(identity.user_id)
        address = parse_address(user.email) if user is not None else None
        if user is None or address is None:
            raise SSOFault("disabled")
        await self._check_owner(arrival, address)
        said = arrival.person.email
        if said is not None and said != identity.email:
            self._record("identity.address_changed", arrival, user.id)
        await self._floor.identities.note_seen(identity, email=said or identity.email)
        return EnrolledUser(UserId(user.id), address)

    async def _check_owner(self, arrival: Arrival, address: Address) -> None:
        """Refuse the provider of another organization than that which has the address's domain.

        A domain that was sold would else leave its people's accounts to who had it before.
        """
        domain = domain_of(address)
        owner = await self._floor.directory.owner_of(domain)
        if owner is not None and owner.id != arrival.organization.id:
            raise SSOFault("address_foreign", received=domain)

    async def _proven_address(self, arrival: Arrival) -> Address:
        person = arrival.person
        if person.email is None:
            raise SSOFault("address_missing")
        domain = domain_of(person.email)
        owner = await self._floor.directory.owner_of(domain)
        if owner is None or owner.id != arrival.organization.id:
            raise SSOFault("address_foreign", received=domain)
        if person.is_email_verified is False:
            raise SSOFault("address_unverified", received=domain)
        return person.email

    async def _user_at(self, arrival: Arrival, address: Address) -> tuple[User, bool]:
        """Return the user of an address, and whether they were made for this."""
        users = self._kit.users
        try:
            user = await users.find(address)
            if user is not None:
                await self._check_unlinked(arrival, user.id)
                return user, False
            if not await self._admits(arrival.organization, address):
                raise SSOFault("not_a_member")
            made = await users.create(address)
        except PersonDisabled as error:
            raise SSOFault("disabled") from error
        except LoginDenied as error:
            raise SSOFault("no_account") from error
        if made.is_new:
            if self._kit.people is not None and arrival.person.name:
                await self._kit.people.set_profile(made.id, name=arrival.person.name, by="pwless")
            self._kit.events.record(
                "user.created",
                arrival.caller,
                attempt=arrival.attempt,
                user_id=made.id,
                address=address,
            )
        return made, made.is_new

    async def _check_unlinked(self, arrival: Arrival, user_id: str) -> None:
        """Refuse somebody whose address is that of another person at the connection."""
        for identity in await self._floor.identities.of_user(user_id):
            is_other = identity.subject != arrival.person.subject
            if identity.connection == arrival.connection.id and is_other:
                raise SSOFault("subject_changed")

    async def _admits(self, organization: Organization, address: Address) -> bool:
        """Whether somebody who has no account yet may get one; that is decided once more later.

        Else every employee of a company would leave an account behind by trying.
        """
        if organization.policy.join in ("sso", "domain"):
            return True
        invitations = await self._floor.invitations.list_open(address)
        return any(one.organization == organization.id for one in invitations)

    def _record(self, kind: str, arrival: Arrival, user_id: str) -> None:
        self._kit.events.record(
            kind,
            arrival.caller,
            attempt=arrival.attempt,
            user_id=user_id,
            organization=arrival.organization.id,
            details={"connection": arrival.connection.id},
        )
