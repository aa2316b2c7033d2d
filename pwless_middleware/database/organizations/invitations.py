"""Invitations in the database: places in organizations, kept for addresses, each taken once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final, Literal, Protocol

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.organization import Invitation, Member
from pwless_middleware.core.people.person import Place
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import change_with_event, insert_event, new_stand_in
from pwless_middleware.database.organizations.members import find_member, put_member
from pwless_middleware.database.organizations.organization_steps import IS_ORGANIZATION
from pwless_middleware.database.statement import Row, Statement, Steps

MOST: Final = 10_000
"""Invitations of one organization, at most; those that nobody can accept any more go first."""

InvitationAdded = Literal["added", "full", "gone"]
"""What became of a new invitation: it is kept; the organization has `MOST`; or there is none."""
InvitationAccepted = Literal["accepted", "expired", "full", "disabled"]
"""What became of an acceptance: the person is a member; the invitation was used, is over, or is
gone; they are in too many organizations; or nobody can sign in as them, or they were deactivated as
a member, which no invitation lifts."""

_FIRST: Final = Place(2**62, "")


class InvitationRepository(Protocol):
    """Keep invitations. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    `audit` is the event of a change, written with it or not at all; `None` writes none.
    """

    async def find(self, id: str) -> Invitation | None:
        """Return the invitation with this id, accepted or over or not, or `None`."""
        ...

    async def list(
        self, organization: str, *, after: Place = _FIRST, limit: int = 50
    ) -> Sequence[Invitation]:
        """Return invitations to an organization, the newest first, accepted or over or not.

        Args:
            organization: which.
            after: the place (`created_at`, id) of the last one of the page before; the default
                begins.
            limit: how many at most.
        """
        ...

    async def list_open(self, email: Address, *, now: int) -> Sequence[Invitation]:
        """Return the invitations that an address can accept at `now`, the oldest first."""
        ...

    async def add(self, invitation: Invitation, *, audit: Event | None = None) -> InvitationAdded:
        """Keep an invitation; an older one of the same address to the same organization that was
        not accepted goes.
        """
        ...

    async def accept(
        self, id: str, member: Member, *, at: int, audit: Event | None = None
    ) -> InvitationAccepted:
        """Make a person a member by an invitation, once however many try at the same time.

        Who is a member already has the role of `member` from then on.

        Args:
            id: of the invitation.
            member: what they become.
            at: unix seconds.
            audit: see above.
        """
        ...

    async def revoke(self, organization: str, id: str, *, audit: Event | None = None) -> bool:
        """Forget an invitation that was not accepted; false if the organization has none."""
        ...

    async def revoke_of(self, organization: str, email: Address) -> None:
        """Forget the invitation of an address to an organization that was not accepted, if any."""
        ...

    async def erase(self, user_id: str, addresses: Collection[str]) -> None:
        """Forget the invitations of addresses, and who has invited, where it was this person."""
        ...

    async def list_about(self, addresses: Collection[str]) -> Sequence[Invitation]:
        """Return all invitations of these addresses, the oldest first."""
        ...


class SQLInvitations:
    """Keep invitations in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, id: str) -> Invitation | None:
        """Return the invitation with this id, or `None`."""
        rows = await self._database.fetch(_FIND(id))
        return _invitation(rows[0]) if rows else None

    async def list(
        self, organization: str, *, after: Place = _FIRST, limit: int = 50
    ) -> Sequence[Invitation]:
        """Return invitations to an organization, the newest first."""
        query = _LIST(organization, after.created_at, after.id, limit)
        return [_invitation(row) for row in await self._database.fetch(query)]

    async def list_open(self, email: Address, *, now: int) -> Sequence[Invitation]:
        """Return the invitations that an address can accept at `now`, the oldest first."""
        return [_invitation(row) for row in await self._database.fetch(_LIST_OPEN(email, now))]

    async def add(self, invitation: Invitation, *, audit: Event | None = None) -> InvitationAdded:
        """Keep an invitation."""
        return await self._database.transact(lambda: _add(invitation, audit))

    async def accept(
        self, id: str, member: Member, *, at: int, audit: Event | None = None
    ) -> InvitationAccepted:
        """Make a person a member by an invitation."""
        return await self._database.transact(lambda: _accept(id, member, at, audit))

    async def revoke(self, organization: str, id: str, *, audit: Event | None = None) -> bool:
        """Forget an invitation that was not accepted."""
        query = _REVOKE(organization, id)
        return await self._database.transact(lambda: change_with_event(query, audit))

    async def revoke_of(self, organization: str, email: Address) -> None:
        """Forget the invitation of an address to an organization that was not accepted."""
        await self._database.execute(_FORGET_OPEN(organization, email))

    async def erase(self, user_id: str, addresses: Collection[str]) -> None:
        """Forget the invitations of addresses, and who has invited."""
        await self._database.transact(lambda: _erase(user_id, addresses))

    async def list_about(self, addresses: Collection[str]) -> Sequence[Invitation]:
        """Return all invitations of these addresses, the oldest first."""
        found = []
        for address in addresses:
            found += [_invitation(row) for row in await self._database.fetch(_LIST_ABOUT(address))]
        return sorted(found, key=lambda one: (one.created_at, one.id))


def _add(invitation: Invitation, audit: Event | None) -> Steps[InvitationAdded]:
    organization = invitation.organization
    if not (yield IS_ORGANIZATION(organization)):
        return "gone"
    yield _FORGET_OPEN(organization, invitation.email)
    [(count,)] = yield _COUNT(organization)
    if count >= MOST:
        yield _FORGET_OVER(organization, invitation.created_at)
        [(count,)] = yield _COUNT(organization)
        if count >= MOST:
            return "full"
    yield _ADD(
        *(invitation.id, organization, invitation.email, invitation.role),
        *(invitation.created_at, invitation.expires_at, invitation.by, invitation.accepted_at),
    )
    if audit is not None:
        yield from insert_event(audit)
    return "added"


def _accept(id: str, member: Member, at: int, audit: Event | None) -> Steps[InvitationAccepted]:
    rows = yield _FIND(id)
    if not rows or not can_be_accepted(_invitation(rows[0]), member, at):
        return "expired"
    there = yield from find_member(member.organization, member.user_id)
    if there is not None and not there.is_active:
        return "disabled"
    change = yield from put_member(accepted_member(member, there), there, audit)
    if change in ("full", "disabled"):
        return "full" if change == "full" else "disabled"
    if change != "done":
        return "expired"
    yield _ACCEPT(id, at)
    return "accepted"


def can_be_accepted(invitation: Invitation, member: Member, at: int) -> bool:
    """Whether an invitation makes somebody a member of this organization at `at`."""
    is_open = invitation.accepted_at is None and at < invitation.expires_at
    return is_open and invitation.organization == member.organization


def accepted_member(member: Member, there: Member | None) -> Member:
    """Return what somebody becomes by an invitation, who may be a member already."""
    return member if there is None else replace(there, role=member.role)


def _erase(user_id: str, addresses: Collection[str]) -> Steps[None]:
    for address in addresses:
        yield _ERASE(address)
    yield _SCRUB(f"operator:{user_id}", f"operator:{new_stand_in()}")


def _invitation(row: Row) -> Invitation:
    id, organization, email, role, created_at, expires_at, by, accepted_at = row
    return Invitation(
        id=id,
        organization=organization,
        email=Address(email),
        role=role,
        created_at=created_at,
        expires_at=expires_at,
        by=by,
        accepted_at=accepted_at,
    )


_FIND = Statement(
    "SELECT id, organization, email, role, created_at, expires_at, made_by, accepted_at "
    "FROM pwless_invitations WHERE id = $1"
)
_LIST = Statement(
    "SELECT id, organization, email, role, created_at, expires_at, made_by, accepted_at "
    "FROM pwless_invitations WHERE organization = $1 AND (created_at, id) < ($2, $3) "
    "ORDER BY created_at DESC, id DESC LIMIT $4"
)
_LIST_OPEN = Statement(
    "SELECT id, organization, email, role, created_at, expires_at, made_by, accepted_at "
    "FROM pwless_invitations WHERE email = $1 AND accepted_at IS NULL AND expires_at > $2 "
    "ORDER BY created_at, id"
)
_LIST_ABOUT = Statement(
    "SELECT id, organization, email, role, created_at, expires_at, made_by, accepted_at "
    "FROM pwless_invitations WHERE email = $1"
)
_COUNT = Statement("SELECT count(*) FROM pwless_invitations WHERE organization = $1")
_FORGET_OPEN = Statement(
    "DELETE FROM pwless_invitations WHERE organization = $1 AND email = $2 AND accepted_at IS NULL"
)
_FORGET_OVER = Statement(
    "DELETE FROM pwless_invitations WHERE organization = $1 "
    "AND (accepted_at IS NOT NULL OR expires_at <= $2)"
)
_ADD = Statement(
    "INSERT INTO pwless_invitations (id, organization, email, role, created_at, expires_at, "
    "made_by, accepted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
_ACCEPT = Statement("UPDATE pwless_invitations SET accepted_at = $2 WHERE id = $1")
_REVOKE = Statement(
    "DELETE FROM pwless_invitations WHERE organization = $1 AND id = $2 AND accepted_at IS NULL "
    "RETURNING id"
)
_ERASE = Statement("DELETE FROM pwless_invitations WHERE email = $1")
_SCRUB = Statement("UPDATE pwless_invitations SET made_by = $2 WHERE made_by = $1")
