"""Second factors in memory, for tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.factor import Factor, FactorState
from pwless_middleware.database.factors.factor_changes import FactorAdded, FactorRemoved
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.database.memory.people import MemoryPeople
from pwless_middleware.database.memory.recovery_codes import MemoryRecoveryCodes
from pwless_middleware.database.memory.trusted_browsers import MemoryTrustedBrowsers


class MemoryFactors:
    """Keep second factors in this process (`database.factors.factors.FactorRepository`).

    Args:
        people: says who is disabled.
        events: takes the events of changes.
        codes: loses those of who has no factor any more.
        browsers: loses those of whoever loses a factor, and keeps the generations.
    """

    def __init__(
        self,
        people: MemoryPeople,
        events: MemoryEvents,
        codes: MemoryRecoveryCodes,
        browsers: MemoryTrustedBrowsers,
    ) -> None:
        self._people = people
        self._events = events
        self._codes = codes
        self._browsers = browsers
        self._factors: dict[str, Factor] = {}

    async def state(self, user_id: str) -> FactorState:
        """Return what a login has to know."""
        made, left = self._codes.count(user_id)
        return FactorState(
            factors=tuple(self._of(user_id)),
            recovery_codes=made,
            recovery_codes_left=left,
            generation=self._browsers.generations[user_id],
        )

    async def find(self, id: str) -> Factor | None:
        """Return the factor with this id, or `None`."""
        return self._factors.get(id)

    async def add(
        self,
        factor: Factor,
        *,
        most: int,
        may_be_alone: bool,
        only_first: bool = False,
        audit: Event | None = None,
    ) -> FactorAdded:
        """Keep a factor that its user has just confirmed."""
        theirs = self._of(factor.user_id)
        if factor.phone and any(one.phone == factor.phone for one in theirs):
            return "known"
        if only_first and theirs:
            return "not_first"
        if len(theirs) >= most:
            return "full"
        if not may_be_alone and "totp" not in {factor.kind, *(one.kind for one in theirs)}:
            return "alone"
        person = await self._people.find(factor.user_id)
        if person is not None and person.is_disabled:
            return "disabled"
        if factor.id in self._factors:
            return "known"
        self._factors[factor.id] = factor
        self._tell(audit)
        return "added"

    async def rename(self, user_id: str, id: str, name: str, *, audit: Event | None = None) -> bool:
        """Give a factor of a user another name."""
        factor = self._factors.get(id)
        if factor is None or factor.user_id != user_id:
            return False
        self._factors[id] = replace(factor, name=name)
        self._tell(audit)
        return True

    async def remove(
        self,
        user_id: str,
        id: str,
        *,
        keeps_last: bool,
        has_passkey: bool,
        audit: Event | None = None,
    ) -> FactorRemoved:
        """Remove a factor of a user, and trust none of their browsers any more."""
        kinds = {one.id: one.kind for one in self._of(user_id)}
        kind = kinds.pop(id, None)
        if kind is None:
            return "absent"
        if keeps_last and not kinds and not has_passkey:
            return "last"
        if kind == "totp" and {*kinds.values()} == {"sms"} and not has_passkey:
            return "alone"
        self._remove([id])
        await self._browsers.end_trust(user_id)
        if not kinds and not has_passkey:
            self._codes.forget(user_id)
        self._tell(audit)
        return "removed"

    async def remove_all(self, user_id: str, *, audit: Event | None = None) -> int:
        """Remove all factors, recovery codes and trusted browsers; returns how many factors."""
        removed = self._remove([one.id for one in self._of(user_id)])
        had_codes = self._codes.forget(user_id)
        if await self._browsers.end_trust(user_id) or had_codes or removed:
            self._tell(audit)
        return removed

    async def remove_since(self, user_id: str, at: int, *, audit: Event | None = None) -> int:
        """Remove what was made at `at` or later; returns how many factors."""
        removed = self._remove([one.id for one in self._of(user_id) if one.created_at >= at])
        had_codes = self._codes.forget(user_id, since=at)
        browsers = self._browsers
        if removed:
            gone = await browsers.end_trust(user_id)
        else:
            gone = browsers.forget(user_id, since=at)
        if gone or had_codes or removed:
            self._tell(audit)
        return removed

    async def note_use(self, id: str, at: int) -> bool:
        """Note when a factor was used; false where it is gone."""
        factor = self._factors.get(id)
        if factor is not None:
            self._factors[id] = replace(factor, used_at=max(at, factor.used_at or at))
        return factor is not None

    async def list_secrets(self, after: str, limit: int) -> Sequence[Factor]:
        """Return factors with a secret, of all users, in the order of their ids."""
        found = [one for one in self._factors.values() if one.kind == "totp" and one.id > after]
        return sorted(found, key=lambda one: one.id)[:limit]

    async def count_by_kind(self) -> Mapping[str, int]:
        """Return how many factors there are of each kind."""
        return Counter(one.kind for one in self._factors.values())

    async def replace_secret(self, id: str, *, old: bytes, new: bytes) -> bool:
        """Give a factor another secret, if it is still the old one."""
        factor = self._factors.get(id)
        if factor is None or factor.secret != old:
            return False
        self._factors[id] = replace(factor, secret=new)
        return True

    async def raise_generation(self, user_id: str, *, has_passkey: bool = True) -> None:
        """Trust no browser of a user any more."""
        await self._browsers.end_trust(user_id)
        if not has_passkey and not self._of(user_id):
            self._codes.forget(user_id)

    async def erase(self, user_id: str) -> None:
        """Forget all factors of a user, and the generation."""
        self._remove([one.id for one in self._of(user_id)])
        del self._browsers.generations[user_id]

    def _of(self, user_id: str) -> list[Factor]:
        found = [one for one in self._factors.values() if one.user_id == user_id]
        return sorted(found, key=lambda one: (one.created_at, one.id))

    def _remove(self, ids: Iterable[str]) -> int:
        return sum(self._factors.pop(id, None) is not None for id in ids)

    def _tell(self, audit: Event | None) -> None:
        if audit is not None:
            self._events.insert(audit)
