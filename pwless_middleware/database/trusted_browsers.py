"""Trusted browsers in the database (security rule 45).

    is_trusted = await browsers.trust(browser, generation=state.generation, audit=event)
    found = await browsers.find(id)

Whatever ends the trust in all browsers of a user raises a number, the user's generation. A browser
is trusted only under the number that was read when its user was asked for the second factor, so
that none is trusted behind the back of a removal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pwless_middleware.core.event import Event
from pwless_middleware.core.factor import TrustedBrowser


class TrustedBrowserRepository(Protocol):
    """Keep trusted browsers. Every verb is atomic, and raises `StoreError` where it cannot be
    asked. `audit` is the event of a change, written with it or not at all; `None` writes none.
    """

    async def trust(
        self,
        browser: TrustedBrowser,
        *,
        generation: int,
        most: int = 20,
        audit: Event | None = None,
    ) -> bool:
        """Trust a browser; where its user has `most` of them, the oldest is trusted no more.

        Args:
            browser: the browser.
            generation: the user's, as it was when they proved the second factor.
            most: how many one user may have; default 20.
            audit: what the change is told by.

        Returns:
            Whether it is trusted; false where the generation is another one by now, or the person
            is disabled or being deleted.
        """
        ...

    async def find(self, id: bytes) -> TrustedBrowser | None:
        """Return the browser with this id, whoever's, ended or not; or `None`."""
        ...

    async def list(self, user_id: str, *, now: int) -> Sequence[TrustedBrowser]:
        """Return the browsers of a user that are trusted at `now`, the newest first."""
        ...

    async def note_use(self, id: bytes, at: int) -> None:
        """Note when a browser was trusted, in unix seconds; the time never goes back."""
        ...

    async def distrust(self, user_id: str, id: bytes, *, audit: Event | None = None) -> bool:
        """Trust a browser of a user no more; false where the user has none of this id."""
        ...

    async def distrust_all(self, user_id: str, *, audit: Event | None = None) -> int:
        """Trust no browser of a user any more, nor one that is just being trusted; returns how
        many were.
        """
        ...

    async def sweep(self, now: int) -> int:
        """Delete the browsers whose trust has ended by `now`; returns how many."""
        ...

    async def erase(self, user_id: str) -> None:
        """Forget all browsers of a user."""
        ...
