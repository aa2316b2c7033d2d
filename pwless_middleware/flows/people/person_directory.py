"""The user directory that the database keeps, where the host has none.

Ids. The first owner of an address has the id that the address has without a database
(`StableUsers`), so that adding one changes no id and signs nobody out. The row is made when the id
is met: by a login, or by a session from before. A random id is given where that one is another's by
now, who has moved to another address, or was a deleted person's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.people.person import Person
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import PersonDisabled
from pwless_middleware.flows.people.last_seen import LastSeen
from pwless_middleware.flows.people.stable_users import StableUsers

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.people.address_changes import AddressChangeRepository
    from pwless_middleware.database.people.people import PersonRepository


class PersonDirectory:
    """Answer who exists, from the people of the database.

    Args:
        people: where they are kept.
        stable: derives the first id of an address.
        changes: which addresses are reserved.
        clock: returns unix seconds.
    """

    def __init__(
        self,
        people: PersonRepository,
        stable: StableUsers,
        changes: AddressChangeRepository,
        clock: Callable[[], int],
    ) -> None:
        self._changes = changes
        self._people = people
        self._stable = stable
        self._clock = clock
        self._last_seen = LastSeen(people, clock)

    def id_of(self, address: Address) -> str:
        """Return the id that the first owner of an address has."""
        return self._stable.id_of(address)

    async def find(self, email: str) -> User | None:
        """Return the user with this address, or `None`.

        Raises:
            PersonDisabled: nobody can sign in as this person.
        """
        person = await self._people.find_by_email(Address(email))
        return None if person is None else _check_enabled(person).as_user()

    async def create(self, email: str) -> User:
        """Make the person of a proven address; of several at the same time one does.

        Raises:
            PersonDisabled: there is one by now, as whom nobody can sign in.
        """
        now = self._clock()
        new = Person(self._stable.id_of(email), email, created_at=now, seen_at=now)
        person, is_new = await self._people.add(new)
        return _check_enabled(person).as_user(is_new=is_new)

    async def is_reserved(self, address: Address) -> bool:
        """Whether somebody has given up this address so lately that nobody else gets it."""
        return await self._changes.is_reserved(address, user_id="", now=self._clock())

    async def load(self, user_id: str, email: str | None = None) -> User | None:
        """Return the user of a session, or `None`: deleted, disabled, or never there.

        Args:
            user_id: the user's id.
            email: the address that the session has; it makes the row of an id that it was derived
                from, and the person is seen. `None` where there is no session.
        """
        person = await self._people.find(user_id)
        if person is None and email is not None:
            person = await self._meet(user_id, email)
        if person is None or person.is_disabled:
            return None
        if email is not None:  # else somebody only looks them up
            self._last_seen.note(person)
        return person.as_user()

    async def owner_of(self, address: Address) -> str:
        """Return the id of who has an address, disabled or not; else the id that it would have."""
        person = await self._people.find_by_email(address)
        return self.id_of(address) if person is None else person.id

    async def address_of(self, user_id: str) -> str | None:
        """Return the address of a person, disabled or not; `None` for nobody."""
        person = await self._people.find(user_id)
        return None if person is None else person.email

    async def flush(self) -> None:
        """Wait until it is written when people were seen last."""
        await self._last_seen.flush()

    async def _meet(self, user_id: str, email: str) -> Person | None:
        if self._stable.id_of(email) != user_id or await self._people.was_deleted(user_id):
            return None
        new = Person(user_id, email, created_at=self._clock())
        person, _ = await self._people.add(new)
        return person if person.id == user_id else None


def _check_enabled(person: Person) -> Person:
    if person.is_disabled:
        raise PersonDisabled
    return person
