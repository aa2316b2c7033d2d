"""Invitations, made, accepted once by who is invited, and taken back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.organizations.organization import Invitation, Member, new_id
from pwless_middleware.core.people.person import Place
from pwless_middleware.errors import InvalidArgument, LoginDenied, NotFound, RequestExpired
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.organizations.checks import (
    check_by,
    check_limit,
    check_role,
    refuse_organization,
    refuse_place,
)
from pwless_middleware.flows.organizations.members import Members
from pwless_middleware.flows.organizations.setup_links import USUAL, check_life
from pwless_middleware.flows.people.users import Users
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from pwless_middleware.database.organizations.invitations import InvitationRepository

PREFIX: Final = "inv_"
SendInvitation = Callable[[Invitation], Awaitable[None]]
"""Queues the mail of an invitation."""

_FULL: Final = Text("The organization has too many invitations. Take some back first.")
_OTHER: Final = Text("This invitation is for another address.")
_NONE: Final = Text("There is no such invitation any more.")


class Invitations:
    """Find and change invitations.

    Args:
        repository: keeps them.
        members: are told of who has joined.
        events: records changes.
        users: say which address somebody has.
        clock: returns unix seconds.
    """

    def __init__(
        self,
        repository: InvitationRepository,
        members: Members,
        events: Events,
        users: Users,
        clock: Callable[[], int],
    ) -> None:
        self._invitations = repository
        self._members = members
        self._events = events
        self._clock = clock
        self._users = users
        self._send: SendInvitation | None = None
        members.before_removal(self._forget)

    def send_by(self, send: SendInvitation) -> None:
        """Have the mails of invitations be queued by a function, from now on."""
        self._send = send

    async def find(self, id: str) -> Invitation | None:
        """Return an invitation, accepted or over or not, or `None`.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._invitations.find(id) if id.isprintable() else None

    async def list(
        self, organization: str, *, after: str = "", limit: int = 50
    ) -> Sequence[Invitation]:
        """Return invitations to an organization, the newest first, accepted or over or not.

        Args:
            organization: its id.
            after: the id of the last one of the page before; empty begins.
            limit: how many at most.

        Raises:
            InvalidArgument: the one of `after` is gone; or the limit is none.
            StoreError: the database cannot be asked.
        """
        check_limit(limit)
        if not after:
            return await self._invitations.list(organization, limit=limit)
        last = await self.find(after)
        if last is None or last.organization != organization:
            refuse_place()
        place = Place(last.created_at, last.id)
        return await self._invitations.list(organization, after=place, limit=limit)

    async def list_open(self, email: Address) -> Sequence[Invitation]:
        """Return the invitations that an address can accept now, the oldest first.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._invitations.list_open(email, now=self._clock())

    async def create(
        self,
        organization: str,
        email: str,
        *,
        role: str = "",
        expires_in: int = USUAL,
        mail: bool = True,
        by: str = "python",
    ) -> Invitation:
        """Invite an address; an older invitation of it that was not accepted is none any more.

        Args:
            organization: its id.
            email: as somebody typed it.
            role: that they will have; empty for none.
            expires_in: seconds, an hour to 90 days; default 7 days.
            mail: whether they are told by mail, where `Organizations` is mounted.
            by: who invites.

        Raises:
            InvalidArgument: a field is bad, or there are too many.
            NotFound: there is no such organization.
            StoreError: the database cannot be asked; or the mail cannot be queued: do it again.
        """
        address = parse_address(email)
        if address is None:
            raise InvalidArgument.of("email", Text("This is not an email address."), "email")
        now = self._clock()
        invitation = Invitation(
            id=new_id(PREFIX),
            organization=organization,
            email=address,
            role=check_role(role),
            created_at=now,
            expires_at=now + check_life(expires_in),
            by=check_by(by),
        )
        audit = self._events.make(
            "member.invited",
            by=by,
            organization=organization,
            address=address,
            details={"id": invitation.id, "role": role},
        )
        added = await self._invitations.add(invitation, audit=audit)
        if added == "gone":
            refuse_organization()
        if added == "full":
            raise InvalidArgument.of("email", _FULL, "most")
        self._events.publish(audit)
        if mail and self._send is not None:
            await self._send(invitation)
        return invitation

    async def accept(self, invitation: Invitation, *, user_id: str, email: Address) -> Member:
        """Make who is invited a member, once.

        Args:
            invitation: which.
            user_id: of who accepts, and has signed in.
            email: the address that they have proven; the invited one.

        Raises:
            LoginDenied: it is for another address; or nobody can sign in as them, or they are in
                too many organizations.
            RequestExpired: it was accepted, is over, or is gone.
            StoreError: the database cannot be asked.
        """
        if email != invitation.email:
            raise LoginDenied(_OTHER)
        now = self._clock()
        before = await self._members.find(invitation.organization, user_id)
        member = Member(
            organization=invitation.organization,
            user_id=user_id,
            role=invitation.role,
            origin="invitation",
            created_at=now,
        )
        audit = self._events.make(
            "member.joined",
            by="person",
            organization=invitation.organization,
            user_id=user_id,
            details={"id": invitation.id, "role": invitation.role},
        )
        await self._members.prepare(member, before)
        accepted = await self._invitations.accept(invitation.id, member, at=now, audit=audit)
        if accepted == "expired":
            raise RequestExpired
        if accepted != "accepted":
            raise LoginDenied
        self._events.publish(audit)
        await self._members.tell(member, before)
        return await self._members.require(invitation.organization, user_id)

    async def revoke(self, organization: str, id: str, *, by: str = "python") -> None:
        """Take an invitation back that was not accepted.

        Args:
            organization: its id.
            id: the invitation's.
            by: who does it.

        Raises:
            NotFound: the organization has no such invitation any more.
            StoreError: the database cannot be asked.
        """
        audit = self._events.make(
            "member.uninvited", by=check_by(by), organization=organization, details={"id": id}
        )
        is_gone = id.isprintable() and await self._invitations.revoke(organization, id, audit=audit)
        if not is_gone:
            raise NotFound(_NONE)
        self._events.publish(audit)

    async def _forget(self, organization: str, user_id: str) -> None:
        """Have who is removed not come back by an invitation that they did not need then."""
        address = await self._users.address_of(user_id)
        if address is not None:
            await self._invitations.revoke_of(organization, address)
