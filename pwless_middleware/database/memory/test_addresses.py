"""Test addresses in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.addresses.test_address import TestAddress
from pwless_middleware.core.events.event import Event
from pwless_middleware.database.events.events import new_stand_in
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.database.memory.people import MemoryPeople
from pwless_middleware.database.people.test_addresses import MOST, Addition


class MemoryTestAddresses:
    """Keep test addresses in this process (`TestAddressRepository`).

    Args:
        people: say which addresses are a person's.
        events: takes the events of changes.
    """

    def __init__(self, people: MemoryPeople, events: MemoryEvents) -> None:
        self._people = people
        self._events = events
        self._addresses: dict[str, TestAddress] = {}

    async def list(self) -> Sequence[TestAddress]:
        """Return all of them, by address."""
        return sorted(self._addresses.values(), key=lambda one: one.email)

    async def find(self, email: Address) -> TestAddress | None:
        """Return the one with this address, or `None`."""
        return next((one for one in self._addresses.values() if one.email == email), None)

    async def add(self, address: TestAddress, *, audit: Event | None = None) -> Addition:
        """Keep a new one, if it is nobody's."""
        if len(self._addresses) >= MOST:
            return "full"
        if await self._people.find_by_email(address.email) is not None:
            return "person"
        if await self.find(address.email) is not None:
            return "taken"
        self._put(address, audit)
        return "added"

    async def replace(
        self, id: str, *, secret: bytes | None, ends_at: int | None, audit: Event | None = None
    ) -> bool:
        """Give one another secret or another end."""
        found = self._addresses.get(id)
        if found is None:
            return False
        new = replace(
            found,
            secret=found.secret if secret is None else secret,
            ends_at=found.ends_at if ends_at is None else ends_at,
        )
        self._put(new, audit)
        return True

    async def bind(self, id: str, user_id: str) -> bool:
        """Have one belong to the user whom its login made."""
        found = self._addresses.get(id)
        if found is None or found.user_id not in (None, user_id):
            return False
        self._put(replace(found, user_id=user_id), None)
        return True

    async def note_use(self, id: str, *, at: int) -> None:
        """Note when one was used; never goes back in time."""
        found = self._addresses.get(id)
        if found is not None and at > (found.used_at or 0):
            self._put(replace(found, used_at=at), None)

    async def remove(self, id: str, *, audit: Event | None = None) -> TestAddress | None:
        """Forget one, and return it."""
        found = self._addresses.pop(id, None)
        if found is not None and audit is not None:
            self._events.insert(audit)
        return found

    async def erase(self, user_id: str, emails: Sequence[str]) -> None:
        """Forget those of a user, those with an address, and that a user has made others."""
        by, stand_in = f"operator:{user_id}", f"operator:{new_stand_in()}"
        for one in list(self._addresses.values()):
            if one.user_id == user_id or one.email in emails:
                del self._addresses[one.id]
            elif one.by == by:
                self._put(replace(one, by=stand_in), None)

    def _put(self, address: TestAddress, audit: Event | None) -> None:
        self._addresses[address.id] = address
        if audit is not None:
            self._events.insert(audit)
