"""Trusted browsers in memory, for tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.factor import TrustedBrowser
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.database.memory.people import MemoryPeople


class MemoryTrustedBrowsers:
    """Keep browsers as long as the process lives
    (`database.factors.trusted_browsers.TrustedBrowserRepository`).

    Args:
        people: says who is disabled.
        events: takes the events of changes.

    Attributes:
        generations: by user; 0 is the first.
    """

    def __init__(self, people: MemoryPeople, events: MemoryEvents) -> None:
        self._people = people
        self._events = events
        self._browsers: dict[bytes, TrustedBrowser] = {}
        self.generations: Counter[str] = Counter()

    async def trust(
        self,
        browser: TrustedBrowser,
        *,
        generation: int,
        most: int = 20,
        audit: Event | None = None,
    ) -> bool:
        """Trust a browser, if the generation is still this one."""
        if generation != self.generations[browser.user_id] or browser.id in self._browsers:
            return False
        if await self._is_disabled(browser.user_id):
            return False
        others = await self.list(browser.user_id, now=0)
        self._forget(one.id for one in others[most - 1 :])
        self._browsers[browser.id] = browser
        self._tell(audit)
        return True

    async def find(self, id: bytes) -> TrustedBrowser | None:
        """Return the browser with this id, or `None`."""
        return self._browsers.get(id)

    async def list(self, user_id: str, *, now: int) -> Sequence[TrustedBrowser]:
        """Return the browsers of a user that are trusted at `now`, the newest first."""
        found = [one for one in self._of(user_id) if one.expires_at > now]
        return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)

    async def note_use(self, id: bytes, at: int) -> None:
        """Note when a browser was trusted."""
        browser = self._browsers.get(id)
        if browser is not None:
            self._browsers[id] = replace(browser, used_at=max(at, browser.used_at or at))

    async def distrust(self, user_id: str, id: bytes, *, audit: Event | None = None) -> bool:
        """Trust a browser of a user no more."""
        browser = self._browsers.get(id)
        if browser is None or browser.user_id != user_id:
            return False
        self._forget([id])
        self._tell(audit)
        return True

    async def distrust_all(self, user_id: str, *, audit: Event | None = None) -> int:
        """Trust no browser of a user any more; returns how many were."""
        count = await self.end_trust(user_id)
        if count:
            self._tell(audit)
        return count

    async def sweep(self, now: int) -> int:
        """Delete the browsers whose trust has ended; returns how many."""
        ended = [one.id for one in self._browsers.values() if one.expires_at <= now]
        return self._forget(ended)

    async def erase(self, user_id: str) -> None:
        """Forget all browsers of a user."""
        self.forget(user_id)

    async def end_trust(self, user_id: str) -> int:
        """Raise the user's generation, and forget all of their browsers; returns how many."""
        if self.generations[user_id] or not await self._is_disabled(user_id):
            self.generations[user_id] += 1
        return self.forget(user_id)

    def forget(self, user_id: str, since: int = 0) -> int:
        """Forget a user's browsers that were trusted in this unix second or later."""
        return self._forget([one.id for one in self._of(user_id) if one.created_at >= since])

    async def _is_disabled(self, user_id: str) -> bool:
        person = await self._people.find(user_id)
        return person is not None and person.is_disabled

    def _of(self, user_id: str) -> Iterable[TrustedBrowser]:
        return [one for one in self._browsers.values() if one.user_id == user_id]

    def _forget(self, ids: Iterable[bytes]) -> int:
        return sum(self._browsers.pop(id, None) is not None for id in ids)

    def _tell(self, audit: Event | None) -> None:
        if audit is not None:
            self._events.insert(audit)
