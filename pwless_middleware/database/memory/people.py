"""People in memory, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.person import Person, Place
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.database.people.people import random_id


class MemoryPeople:
    """Keep people in this process (`database.people.people.PersonRepository`).

    Args:
        events: takes the events of changes; `None` drops them.
    """

    def __init__(self, events: MemoryEvents | None = None) -> None:
        self._events = events
        self._people: dict[str, Person] = {}
        self._deleted: set[str] = set()

    async def find(self, user_id: str) -> Person | None:
        """Return the person with this id, or `None`."""
        return self._people.get(user_id)

    async def find_several(self, user_ids: Sequence[str]) -> Mapping[str, Person]:
        """Return the people with these ids, by id; who is not there is left out."""
        return {id: self._people[id] for id in user_ids if id in self._people}

    async def find_by_email(self, email: Address) -> Person | None:
        """Return the person who has this address now, or `None`."""
        return next((one for one in self._people.values() if one.email == email), None)

    async def list(
        self,
        *,
        prefix: str = "",
        after: str = "",
        before: str = "",
        limit: int = 50,
        disabled: bool = False,
    ) -> Sequence[Person]:
        """Return people in the order of their addresses."""
        found = sorted(
            (
                one
                for one in self._people.values()
                if one.email.startswith(prefix) and (one.is_disabled or not disabled)
            ),
            key=lambda one: one.email,
        )
        if before:
            return [one for one in found if one.email < before][-limit:]
        return [one for one in found if one.email > after][:limit]

    async def newest(
        self, *, after: Place | None = None, before: Place | None = None, limit: int = 50
    ) -> Sequence[Person]:
        """Return people as they came, the last one first."""
        found = sorted(self._people.values(), key=_order, reverse=True)
        if before is not None:
            return [one for one in found if _order(one) > (before.created_at, before.id)][-limit:]
        if after is not None:
            found = [one for one in found if _order(one) < (after.created_at, after.id)]
        return found[:limit]

    async def add(self, person: Person, *, audit: Event | None = None) -> tuple[Person, bool]:
        """Keep a new person, or return who has the address."""
        found = await self.find_by_email(Address(person.email))
        if found is not None:
            return found, False
        if person.id in self._people or person.id in self._deleted:
            person = replace(person, id=random_id())
        if audit is not None:
            audit = replace(audit, user_id=person.id)
        return self._put(person, audit), True

    async def change_email(self, user_id: str, old: Address, new: Address) -> Person | None:
        """Give a person another address, if theirs is still `old` and nobody has `new`.

        For `MemoryAddressChanges`, as SQL does it in one transaction with the change.
        """
        person = self._people.get(user_id)
        if person is None or person.email != old or await self.find_by_email(new) is not None:
            return None
        return self._put(replace(person, email=new))

    async def set_profile(
        self,
        user_id: str,
        *,
        name: str | None = None,
        language: str | None = None,
        audit: Event | None = None,
    ) -> Person | None:
        """Set what the person may choose; `None` leaves it, empty takes it away."""
        person = self._people.get(user_id)
        if person is None:
            return None
        name = person.name if name is None else name
        language = person.language if language is None else language
        return self._put(replace(person, name=name, language=language), audit)

    async def disable(self, user_id: str, *, at: int, audit: Event | None = None) -> Person | None:
        """Let nobody sign in as this person."""
        person = self._people.get(user_id)
        if person is None:
            return None
        at = at if person.disabled_at is None else person.disabled_at
        return self._put(replace(person, disabled_at=at), audit)

    async def enable(self, user_id: str, *, audit: Event | None = None) -> Person | None:
        """Let the person sign in again."""
        person = self._people.get(user_id)
        return None if person is None else self._put(replace(person, disabled_at=None), audit)

    async def delete(
        self, user_id: str, *, retired: Sequence[str] = (), audit: Event | None = None
    ) -> bool:
        """Forget a person, and never give their id again."""
        self._deleted.update((user_id, *retired))
        self._write(audit)
        return self._people.pop(user_id, None) is not None

    async def was_deleted(self, user_id: str) -> bool:
        """Whether an id is one that is never given again."""
        return user_id in self._deleted

    async def touch(self, seen: Mapping[str, int]) -> None:
        """Note when people were seen last."""
        for user_id, at in seen.items():
            person = self._people.get(user_id)
            if person is None:
                continue
            self._put(replace(person, seen_at=max(at, person.seen_at or 0)))
            if self._events is not None:
                self._events.counters.count_active(user_id, at)

    def _put(self, person: Person, audit: Event | None = None) -> Person:
        self._people[person.id] = person
        self._write(audit)
        return person

    def _write(self, audit: Event | None) -> None:
        if audit is not None and self._events is not None:
            self._events.insert(audit)


def _order(person: Person) -> tuple[int, str]:
    return person.created_at, person.id
