"""Passkeys in memory, for tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.database.factors.passkey_changes import PasskeyAdded, PasskeyRemoved
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.database.memory.factors import MemoryFactors
from pwless_middleware.database.memory.people import MemoryPeople


class MemoryPasskeys:
    """Keep passkeys in this process (`database.factors.passkeys.PasskeyRepository`).

    Args:
        people: says who is disabled.
        events: takes the events of changes.
        factors: end the trust in the browsers of whoever loses a passkey.
    """

    def __init__(self, people: MemoryPeople, events: MemoryEvents, factors: MemoryFactors) -> None:
        self._people = people
        self._events = events
        self._factors = factors
        self._passkeys: dict[bytes, Passkey] = {}
        self._handles: dict[str, bytes] = {}

    async def handle_of(self, user_id: str) -> bytes | None:
        """Return the user's handle."""
        return self._handles.get(user_id)

    async def find(self, id: bytes) -> Passkey | None:
        """Return the passkey with this credential id, or `None`."""
        return self._passkeys.get(id)

    async def list(self, user_id: str) -> Sequence[Passkey]:
        """Return the passkeys of a user, the oldest first."""
        found = [one for one in self._passkeys.values() if one.user_id == user_id]
        return sorted(found, key=lambda one: (one.created_at, one.id))

    async def add(
        self,
        passkey: Passkey,
        *,
        most: int,
        only_first: bool = False,
        audit: Event | None = None,
    ) -> PasskeyAdded:
        """Keep a new passkey, and the user's handle with the first one."""
        user_id, handle = passkey.user_id, passkey.user_handle
        theirs = await self.list(user_id)
        if passkey.id in self._passkeys:
            return "known"
        same = sum(one.rp_id == passkey.rp_id for one in theirs)
        if only_first and same:
            return "not_first"
        if same >= most:
            return "full"
        owners = [id for id, other in self._handles.items() if other == handle]
        if self._handles.get(user_id, handle) != handle or owners not in ([], [user_id]):
            return "other_handle"
        person = await self._people.find(user_id)
        if person is not None and person.is_disabled:
            return "disabled"
        self._passkeys[passkey.id] = passkey
        self._handles[user_id] = handle
        self._tell(audit)
        return "added"

    async def note_use(self, id: bytes, *, sign_count: int, is_backed_up: bool, at: int) -> bool:
        """Note a use, if the sign count may be one."""
        passkey = self._passkeys.get(id)
        if passkey is None or not passkey.admits_count(sign_count):
            return False
        self._passkeys[id] = replace(
            passkey,
            sign_count=sign_count,
            is_backed_up=is_backed_up,
            used_at=max(at, passkey.used_at or at),
        )
        return True

    async def rename(
        self, user_id: str, id: bytes, name: str, *, audit: Event | None = None
    ) -> bool:
        """Give a passkey of a user another name."""
        passkey = self._passkeys.get(id)
        if passkey is None or passkey.user_id != user_id:
            return False
        self._passkeys[id] = replace(passkey, name=name)
        self._tell(audit)
        return True

    async def remove(
        self, user_id: str, id: bytes, *, keeps_last: bool, audit: Event | None = None
    ) -> PasskeyRemoved:
        """Remove a passkey of a user."""
        theirs = {one.id: one.rp_id for one in await self.list(user_id)}
        if id not in theirs:
            return "absent"
        if keeps_last and [*theirs.values()].count(theirs[id]) == 1:
            return "last"
        await self._remove(user_id, [id], audit)
        return "removed"

    async def remove_all(self, user_id: str, *, audit: Event | None = None) -> int:
        """Remove all passkeys of a user; returns how many."""
        return await self._remove(user_id, [one.id for one in await self.list(user_id)], audit)

    async def remove_since(self, user_id: str, at: int, *, audit: Event | None = None) -> int:
        """Remove the passkeys that a user made at `at` or later; returns how many."""
        theirs = await self.list(user_id)
        new = [one.id for one in theirs if one.created_at >= at]
        return await self._remove(user_id, new, audit)

    async def erase(self, user_id: str) -> None:
        """Forget all passkeys of a user, and the handle."""
        for one in await self.list(user_id):
            del self._passkeys[one.id]
        self._handles.pop(user_id, None)

    async def count_by_rp_id(self) -> Mapping[str, int]:
        """Return how many passkeys there are for each RP id."""
        return Counter(one.rp_id for one in self._passkeys.values())

    async def _remove(self, user_id: str, ids: Sequence[bytes], audit: Event | None) -> int:
        for id in ids:
            del self._passkeys[id]
        if ids:
            left = await self.list(user_id)
            await self._factors.raise_generation(user_id, has_passkey=bool(left))
            self._tell(audit)
        return len(ids)

    def _tell(self, audit: Event | None) -> None:
        if audit is not None:
            self._events.insert(audit)
