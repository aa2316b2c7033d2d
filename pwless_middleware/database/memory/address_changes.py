"""Changes of address in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.addresses.address_change import UNDO_SECONDS, AddressChange
from pwless_middleware.core.events.event import Event
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.database.memory.people import MemoryPeople


class MemoryAddressChanges:
    """Keep changes in their order (`database.people.address_changes.AddressChangeRepository`).

    Args:
        people: whose addresses are changed.
        events: takes the events of changes.
    """

    def __init__(self, people: MemoryPeople, events: MemoryEvents) -> None:
        self._people = people
        self._events = events
        self._changes: list[AddressChange] = []

    async def change(self, change: AddressChange, *, audit: Event | None = None) -> bool:
        """Give a person a new address; false if nothing was changed."""
        now = change.changed_at
        if await self.is_reserved(change.new, user_id=change.user_id, now=now):
            return False
        person = await self._people.find(change.user_id)
        if person is None or person.is_disabled:
            return False
        if await self._people.change_email(change.user_id, change.old, change.new) is None:
            return False
        await self.add(change, audit=audit)
        return True

    async def add(self, change: AddressChange, *, audit: Event | None = None) -> None:
        """Keep a change that is made elsewhere."""
        since = change.changed_at - UNDO_SECONDS
        self._changes = [one for one in self._changes if one.changed_at > since] + [change]
        self._tell(audit)

    async def forget(self, id: bytes) -> None:
        """Forget a change that was not made after all."""
        self._changes = [one for one in self._changes if one.id != id]

    async def find(self, id: bytes) -> AddressChange | None:
        """Return a change, undone or not."""
        return next((one for one in self._changes if one.id == id), None)

    async def undo(
        self, id: bytes, *, now: int, restores: bool, audit: Event | None = None
    ) -> bool:
        """Undo a change and all that came after it."""
        change = await self.find(id)
        if change is None or not change.may_be_undone(now) or self._was_under_way(change):
            return False
        if restores:
            person = await self._people.find(change.user_id)
            if person is None:
                return False
            if person.email != change.old and not await self._people.change_email(
                change.user_id, Address(person.email), change.old
            ):
                return False
        place = self._changes.index(change)
        for number, one in enumerate(self._changes):
            if number >= place and one.user_id == change.user_id and one.undone_at is None:
                self._changes[number] = replace(one, undone_at=now)
        self._tell(audit)
        return True

    def _was_under_way(self, change: AddressChange) -> bool:
        """Whether an earlier one of the person was undone in the meantime."""
        before = self._changes[: self._changes.index(change)]
        return any(
            one.user_id == change.user_id and (one.undone_at or 0) >= change.changed_at
            for one in before
        )

    def _tell(self, audit: Event | None) -> None:
        if audit is not None:
            self._events.insert(audit)

    async def list(self, user_id: str) -> Sequence[AddressChange]:
        """Return the changes of a person that are kept, the oldest first."""
        return [one for one in self._changes if one.user_id == user_id]

    async def erase(self, user_id: str) -> None:
        """Forget all changes of a person."""
        self._changes = [one for one in self._changes if one.user_id != user_id]

    async def is_reserved(self, address: Address, *, user_id: str, now: int) -> bool:
        """Whether somebody else has given up this address lately."""
        return any(
            one.old == address and one.user_id != user_id and one.may_be_undone(now)
            for one in self._changes
        )
