"""Members, made and changed: who is none any more is out within 100 ms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.organizations.organization import Member, Origin
from pwless_middleware.errors import InvalidArgument, NotFound
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.organizations.checks import (
    check_by,
    check_external_id,
    check_limit,
    check_role,
    refuse_organization,
)
from pwless_middleware.flows.organizations.directory import Directory
from pwless_middleware.flows.organizations.events import describe_values
from pwless_middleware.flows.organizations.sessions import OrganizationSessions
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from pwless_middleware.core.events.event import Detail, Event
    from pwless_middleware.database.organizations.members import MemberChange, MemberRepository

BeforeRemoval = Callable[[str, str], Awaitable[None]]
"""Is given the organization and the user id of who is about to be removed."""

NO_MEMBER: Final = Text("This person is no member.")
_TAKEN: Final = Text("Another member has this id.")
_FULL: Final = Text("This person is in too many organizations.")
DISABLED: Final = Text("Nobody can sign in as this person. Enable them first.")


class Members:
    """Find and change members.

    Args:
        repository: keeps them.
        directory: is told of changes.
        events: records them.
        sessions: ends those that are no more.
        clock: returns unix seconds.
    """

    def __init__(
        self,
        repository: MemberRepository,
        directory: Directory,
        events: Events,
        sessions: OrganizationSessions,
        clock: Callable[[], int],
    ) -> None:
        self._members = repository
        self._directory = directory
        self._events = events
        self._sessions = sessions
        self._clock = clock
        self._before_removal: list[BeforeRemoval] = []

    def before_removal(self, listener: BeforeRemoval) -> None:
        """Have a function called with the organization and user id of who is about to be removed.

        It may be called again for the same person. What it raises keeps them a member.
        """
        self._before_removal.append(listener)

    # --- find ----------------------------------------------------------------------------------

    async def find(self, organization: str, user_id: str) -> Member | None:
        """Return a person as a member, active or not, as it stands in the database; or `None`.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._members.find(organization, user_id) if user_id.isprintable() else None

    async def require(self, organization: str, user_id: str) -> Member:
        """Return a person as a member, active or not.

        Raises:
            NotFound: the person is none.
            StoreError: the database cannot be asked.
        """
        found = await self.find(organization, user_id)
        if found is None:
            raise NotFound(NO_MEMBER)
        return found

    async def find_by_external_id(self, organization: str, external_id: str) -> Member | None:
        """Return the member whom a directory knows by this id, or `None`.

        Raises:
            StoreError: the database cannot be asked.
        """
        if not external_id.isprintable():
            return None
        return await self._members.find_by_external_id(organization, external_id)

    async def list(
        self, organization: str, *, after: str = "", limit: int = 50
    ) -> Sequence[Member]:
        """Return members of an organization, active or not, by user id.

        Args:
            organization: its id.
            after: the user id of the last one of the page before; empty begins.
            limit: how many at most.

        Raises:
            InvalidArgument: the limit is none.
            StoreError: the database cannot be asked.
        """
        check_limit(limit)
        return await self._members.list(organization, after=after, limit=limit)

    async def list_of(self, user_id: str) -> Sequence[Member]:
        """Return a person as a member of all organizations, active or not.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._members.list_of(user_id)

    async def count(self, organization: str) -> int:
        """Return how many members an organization has, active or not.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._members.count(organization)

    # --- change --------------------------------------------------------------------------------

    async def put(
        self,
        organization: str,
        user_id: str,
        *,
        role: str | None = None,
        origin: Origin = "api",
        external_id: str | None = None,
        is_active: bool | None = True,
        by: str = "python",
    ) -> Member:
        """Make a person a member; who is one already has what is given from now on.

        Args:
            organization: its id.
            user_id: of somebody whom there is.
            role: for the app to read; `None` leaves it, and is none for a new member.
            origin: how they came in; stays as it was.
            external_id: the id that their directory has for them; `None` leaves it, empty takes it
                away.
            is_active: whether they may sign in to it; `None` leaves it, and is true for who is new.
            by: who does it.

        Raises:
            InvalidArgument: a field is bad, another member has the external id, or nobody can sign
                in as this person.
            NotFound: there is no such organization.
            StoreError: the database or the store cannot be asked. Do it again: sessions may live.
        """
        return await self._write(
            *(organization, user_id, role, external_id, is_active),
            by=by,
            origin=origin,
        )

    async def change(
        self,
        organization: str,
        user_id: str,
        *,
        role: str | None = None,
        external_id: str | None = None,
        is_active: bool | None = None,
        by: str = "python",
    ) -> Member:
        """Change what is given of a member; `None` leaves it, whoever changes it meanwhile.

        Args:
            organization, user_id, role, external_id, is_active, by: as of `put`.

        Raises:
            NotFound: the person is no member, or none any more.
            InvalidArgument, StoreError: as for `put`.
        """
        return await self._write(organization, user_id, role, external_id, is_active, by=by)

    async def _write(
        self,
        organization: str,
        user_id: str,
        role: str | None,
        external_id: str | None,
        is_active: bool | None,
        *,
        by: str,
        origin: Origin | None = None,
    ) -> Member:
        """Write what is given; without an `origin`, of a member alone."""
        if role is not None:
            check_role(role)
        if external_id is not None:
            external_id = check_external_id(external_id) or ""
        check_by(by)
        while True:  # who is slower than somebody else looks again
            there = await self.find(organization, user_id)
            if there is None:
                if origin is None:
                    raise NotFound(NO_MEMBER)
                new = Member(
                    organization=organization,
                    user_id=user_id,
                    role=role or "",
                    origin=origin,
                    external_id=external_id or None,
                    is_active=is_active is not False,
                    created_at=self._clock(),
                )
            else:
                new = replace(
                    there,
                    role=there.role if role is None else role,
                    external_id=there.external_id if external_id is None else external_id or None,
                    is_active=there.is_active if is_active is None else is_active,
                )
            if new == there:
                return new
            await self.prepare(new, there)
            change = await self._put(new, there, by)
            if change != "stale":
                break
        _refuse(change)
        await self.tell(new, there)
        return new

    async def set_role(
        self, organization: str, user_id: str, role: str, *, by: str = "python"
    ) -> Member:
        """Give a member another role; the app reads it with the next request.

        Args:
            organization: its id.
            user_id: the member's.
            role: for the app to read; empty for none.
            by: who does it.

        Raises:
            NotFound: the person is no member.
            InvalidArgument, StoreError: as for `put`.
        """
        return await self.change(organization, user_id, role=role, by=by)

    async def deactivate(self, organization: str, user_id: str, *, by: str = "python") -> Member:
        """Have a member sign in to the organization no more, and sign them out of it everywhere.

        Args:
            organization: its id.
            user_id: the member's.
            by: who does it.

        Raises:
            NotFound: the person is no member.
            StoreError: as for `put`.
        """
        return await self.change(organization, user_id, is_active=False, by=by)

    async def activate(self, organization: str, user_id: str, *, by: str = "python") -> Member:
        """Have a member sign in to the organization again.

        Args:
            organization: its id.
            user_id: the member's.
            by: who does it.

        Raises:
            NotFound: the person is no member.
            StoreError: as for `put`.
        """
        return await self.change(organization, user_id, is_active=True, by=by)

    async def remove(self, organization: str, user_id: str, *, by: str = "python") -> None:
        """Have a person be no member any more, and sign them out of the organization everywhere.

        Args:
            organization: its id.
            user_id: the member's.
            by: who does it.

        Raises:
            NotFound: the person is no member; sessions end all the same.
            StoreError: as for `put`.
        """
        audit = self._events.make(
            "member.removed", by=check_by(by), organization=organization, user_id=user_id
        )
        # Before: a removal that is cut off afterwards would else leave them a way back.
        for listener in self._before_removal:
            await listener(organization, user_id)
        is_gone = await self._members.remove(organization, user_id, audit=audit)
        if is_gone:
            self._events.publish(audit)
        # Also where there was no row: somebody has removed it, and could not end the sessions.
        await self._directory.tell_memberships(user_id)
        await self._sessions.end(user_id, organization)
        if not is_gone:
            raise NotFound(NO_MEMBER)

    async def prepare(self, member: Member, before: Member | None) -> None:
        """End what sessions are left of who comes, or comes back, before they are in.

        What could not be ended as they went may live. Not afterwards: the session of a login that
        joins beside this one would be among them.

        Raises:
            StoreError: as for `put`.
        """
        if member.is_active and not (before is not None and before.is_active):
            await self._sessions.end(member.user_id, member.organization)

    async def tell(self, member: Member, before: Member | None) -> None:
        """Have every process know what a person is from now on.

        Raises:
            StoreError: as for `put`.
        """
        await self._directory.tell_memberships(member.user_id)
        if not member.is_active:
            await self._sessions.end(member.user_id, member.organization)
        elif before is not None:
            await self._sessions.look_again(member.user_id)

    async def _put(self, member: Member, there: Member | None, by: str) -> MemberChange:
        audit = self._event_of(member, there, by)
        change = await self._members.put(member, seen=there, audit=audit)
        if change == "done":
            self._events.publish(audit)
        return change

    def _event_of(self, member: Member, there: Member | None, by: str) -> Event:
        organization, user_id = member.organization, member.user_id
        if there is None:
            return self._events.make(
                "member.added",
                by=by,
                organization=organization,
                user_id=user_id,
                details={"role": member.role, "origin": member.origin},
            )
        kind = "member.changed"
        details: dict[str, Detail] | None = None
        if there.is_active != member.is_active:
            kind = "member.activated" if member.is_active else "member.deactivated"
        names = [
            one for one in ("role", "external_id") if getattr(there, one) != getattr(member, one)
        ]
        if names:
            details = {
                "from": describe_values({one: getattr(there, one) for one in names}),
                "to": describe_values({one: getattr(member, one) for one in names}),
            }
        return self._events.make(
            kind, by=by, organization=organization, user_id=user_id, details=details
        )


def _refuse(change: MemberChange) -> None:
    if change == "gone":
        refuse_organization()
    if change == "taken":
        raise InvalidArgument.of("external_id", _TAKEN, "taken")
    if change == "full":
        raise InvalidArgument.of("user_id", _FULL, "most")
    if change == "disabled":
        raise InvalidArgument.of("user_id", DISABLED, "disabled")
