"""Recovery codes in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.factor import RecoveryCode
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.database.memory.people import MemoryPeople


class MemoryRecoveryCodes:
    """Keep codes in this process (`database.factors.recovery_codes.RecoveryCodeRepository`).

    Args:
        people: says who is disabled.
        events: takes the events of changes.
    """

    def __init__(self, people: MemoryPeople, events: MemoryEvents) -> None:
        self._people = people
        self._events = events
        self._codes: dict[str, dict[bytes, RecoveryCode]] = {}

    async def set(
        self, user_id: str, digests: Sequence[bytes], *, at: int, audit: Event | None = None
    ) -> bool:
        """Give a user new codes, and void the old ones."""
        person = await self._people.find(user_id)
        if person is not None and person.is_disabled:
            return False
        self._codes[user_id] = {digest: RecoveryCode(created_at=at) for digest in digests}
        self._tell(audit)
        return True

    async def use(
        self, user_id: str, digest: bytes, *, at: int, audit: Event | None = None
    ) -> int | None:
        """Use a code of a user; returns how many are left, or `None`."""
        codes = self._codes.get(user_id, {})
        code = codes.get(digest)
        if code is None or code.used_at is not None:
            return None
        codes[digest] = replace(code, used_at=at)
        self._tell(audit)
        return self.count(user_id)[1]

    async def list(self, user_id: str) -> Sequence[RecoveryCode]:
        """Return what is told of a user's codes: those used in their order, then the others."""
        codes = self._codes.get(user_id, {}).values()
        return sorted(codes, key=lambda code: (code.used_at is None, code.used_at))

    async def erase(self, user_id: str) -> None:
        """Forget all codes of a user."""
        self.forget(user_id)

    def count(self, user_id: str) -> tuple[int, int]:
        """Return how many codes a user has, and how many of them are not used."""
        codes = self._codes.get(user_id, {}).values()
        return len(codes), sum(code.used_at is None for code in codes)

    def forget(self, user_id: str, since: int = 0) -> bool:
        """Forget a user's codes, if they were made in this unix second or later."""
        codes = self._codes.get(user_id, {})
        if not any(code.created_at >= since for code in codes.values()):
            return False
        del self._codes[user_id]
        return True

    def _tell(self, audit: Event | None) -> None:
        if audit is not None:
            self._events.insert(audit)
