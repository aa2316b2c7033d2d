"""Operators added, lowered and removed: by an operator, by the command line, or by the host's code.

What an operator can do to operators is less (security rule 63). They add somebody new with any
role, and somebody who was removed with no more than they had; whoever is one can only be lowered or
removed. So nobody is raised from the dashboard, not by themselves and not by another: that takes
the code, or `pwless operator add`. The last one with the role `admin` who can sign in stays it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Final

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.operators.operator import ROLES, Role, covers
from pwless_middleware.core.operators.stored_operator import StoredOperator
from pwless_middleware.database.operators.operators import MOST, Change
from pwless_middleware.database.repositories import Repositories
from pwless_middleware.errors import InvalidArgument, LoginDenied
from pwless_middleware.features.dashboard.operators.mails import OperatorMails
from pwless_middleware.flows.operators.operator_roles import OperatorRoles
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit


class OperatorChanges:
    """Change who is an operator, with an event and, where somebody gets more, a mail to all admins.

    Args:
        kit: everything below.
        repositories: what the database keeps.
        roles: which hold, in every process.
        mails: tell of a new operator.
    """

    def __init__(
        self, kit: Kit, repositories: Repositories, roles: OperatorRoles, mails: OperatorMails
    ) -> None:
        self._kit = kit
        self._operators = repositories.operators
        self._test_addresses = repositories.test_addresses
        self._roles = roles
        self._mails = mails

    async def add(
        self, email: str, role: Role, *, by: str, may_raise: bool
    ) -> tuple[StoredOperator, bool]:
        """Make somebody an operator, or give them another role.

        Without a user table of the host's, whoever has no account yet gets one.

        Args:
            email: as typed.
            role: which.
            by: who does it.
            may_raise: whether somebody who is or was an operator may get more than they have or
                had; not for who does it in the dashboard.

        Returns:
            The operator, and whether anything has changed.

        Raises:
            InvalidArgument: the address is none, or nobody's, or somebody's who cannot be made an
                operator; or the role is none.
            StoreError, Unavailable: it cannot be done now.
        """
        address = parse_address(email)
        if address is None:
            raise _refuse("email", Text("Enter one email address, like jo@example.com."))
        if role not in ROLES:
            raise _refuse("role", Text("Choose one of the roles."))
        if not may_raise and self._roles.role_in_code(address) is not None:
            raise _refuse("email", Text("This address is named in the code, with a fixed role."))
        if await self._test_addresses.find(address) is not None:
            raise _refuse("email", Text("This is a test address, which belongs to nobody."))
        user_id = await self._find_or_create(address, by)
        is_queued = False
        while True:
            seen = await self._operators.find(user_id)
            if seen is not None and seen.is_live and (may_raise and seen.role == role):
                return seen, False
            if not may_raise:
                _check_no_raise(seen, role)
            if not is_queued and (seen is None or not seen.is_live or not covers(seen.role, role)):
                await self._mails.queue(user_id, role)
                is_queued = True
            now = self._kit.clock()
            added_at = seen.added_at if seen is not None and seen.is_live else now
            operator = StoredOperator(user_id=user_id, role=role, added_at=added_at, by=by)
            if await self._put(operator, seen):
                if is_queued:
                    await self._kit.wake_delivery()
                return operator, True

    async def lower(self, user_id: str, role: Role, *, by: str) -> None:
        """Give an operator a role that holds less, in every process within 100 ms.

        Raises:
            InvalidArgument: they are no operator, the role does not hold less, or they are the last
                admin.
            StoreError: it cannot be done now; or other processes cannot be told, and go on for 30
                more seconds at most.
        """
        while True:
            seen = await self.find(user_id)
            if seen is None:
                raise _refuse("role", Text("They are no operator any more."))
            if role not in ROLES or role == seen.role or not covers(seen.role, role):
                raise _refuse("role", Text("Choose a role that holds less than theirs."))
            async with self._one_at_a_time():
                if await self._put(replace(seen, role=role, by=by), seen):
                    return

    async def remove(self, user_id: str, *, by: str) -> bool:
        """Let somebody be an operator no more, in every process within 100 ms.

        Returns:
            Whether they were one. Whoever is none already stays none, and all processes are told
            again.

        Raises:
            InvalidArgument: they are the last admin.
            StoreError: as for `lower`.
        """
        while True:
            seen = await self.find(user_id)
            if seen is None:
                await self._roles.tell()
                return False
            gone = replace(seen, removed_at=self._kit.clock(), by=by)
            async with self._one_at_a_time():
                if await self._put(gone, seen):
                    return True

    async def list(self) -> Sequence[StoredOperator]:
        """Return the operators of the database, by user id; those in code are not among them."""
        return await self._operators.list()

    async def list_removed(self, *, after: str = "", limit: int = 50) -> Sequence[StoredOperator]:
        """Return those who were operators, by user id; see `OperatorRepository.list_removed`."""
        return await self._operators.list_removed(after=after, limit=limit)

    async def find(self, user_id: str) -> StoredOperator | None:
        """Return the operator of the database with this user id, or `None`; not a removed one."""
        # No database takes a NUL.
        found = await self._operators.find(user_id) if user_id.isprintable() else None
        return found if found is not None and found.is_live else None

    @asynccontextmanager
    async def removal(self, user_id: str) -> AsyncIterator[None]:
        """Refuse to disable or erase the last admin who can sign in (security rule 63).

        Of two admins who are removed at once, the second is looked at once the first is gone.

        Raises:
            InvalidArgument: they are it.
            StoreError, UsersUnavailable: it cannot be known now.
        """
        seen = await self.find(user_id)
        if self._roles.has_admin_in_code or seen is None or seen.role != "admin":
            yield
            return
        async with self._one_at_a_time():
            await self._check_others(user_id)
            yield

    def _one_at_a_time(self) -> AbstractAsyncContextManager[None]:
        """Let no other operator lose anything meanwhile, in any process."""
        return self._kit.change_lock.hold(_ALL, seconds=_SECONDS)

    async def _check_others(self, user_id: str) -> None:
        load = self._kit.users.load
        admins = [one.user_id for one in await self._operators.list() if one.role == "admin"]
        for other in admins:
            if other != user_id and await load(other) is not None:
                return
        if await load(user_id) is not None:  # who cannot sign in helps nobody
            raise _refuse("id", _LAST)

    async def _put(self, operator: StoredOperator, seen: StoredOperator | None) -> bool:
        audit = self._audit(operator, seen)
        has_other = self._roles.has_admin_in_code
        put = self._operators.put
        done: Change = await put(operator, seen=seen, has_other_admin=has_other, audit=audit)
        if done == "last_admin":
            raise _refuse("role", _LAST)
        if done == "full":
            raise _refuse("email", Text("There are %(most)s operators already.", most=MOST))
        if done == "stale":
            return False
        self._kit.events.publish(audit)
        await self._roles.tell()
        return True

    def _audit(self, operator: StoredOperator, seen: StoredOperator | None) -> Event:
        make, by, id = self._kit.events.make, operator.by, operator.user_id
        if not operator.is_live:
            return make("operator.removed", user_id=id, by=by, details={"role": operator.role})
        if seen is not None and seen.is_live:
            details = {"from": seen.role, "to": operator.role}
            return make("operator.changed", user_id=id, by=by, details=details)
        return make("operator.added", user_id=id, by=by, details={"role": operator.role})

    async def _find_or_create(self, address: Address, by: str) -> str:
        people = self._kit.people
        if people is not None and self._kit.users.keeps_people:
            person = await people.find(address) or await people.create(address, by=by)
            if person.is_disabled:
                raise _refuse("email", Text("They are disabled. Enable them first."))
            return person.id
        try:
            user_id = await self._kit.users.id_of(address)
        except LoginDenied:
            user_id = None
        if user_id is None:
            raise _refuse("email", Text("Nobody has this address in your user table."))
        return user_id


_ALL: Final = "\0operators"
"""Whose changes follow one another: nobody's id."""
_SECONDS: Final = 10
"""That a change may take: all admins are loaded, also from the host's own table; one is erased."""
_LAST: Final = Text("They are the last admin who can sign in. Make somebody else one first.")


def _check_no_raise(seen: StoredOperator | None, role: Role) -> None:
    """Refuse what would give somebody more than they have or had (security rule 63)."""
    if seen is None:
        return
    if seen.is_live:
        raise _refuse("email", Text("They are an operator already. You find them in the list."))
    if not covers(seen.role, role):
        raise _refuse(
            "role",
            Text(
                "They were an operator before, with a lesser role, and can be given no more here. "
                "More is given in the code, or by “pwless operator add”."
            ),
        )


def _refuse(field: str, problem: Text) -> InvalidArgument:
    return InvalidArgument.of(field, problem, "operator")
