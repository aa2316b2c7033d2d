"""Resets of second factors in the database: asked for, objected to, done.

    is_asked = await resets.ask(reset, audit=event)
    is_objected = await resets.object(id, at=now, audit=event)
    is_mine = await resets.finish(id, at=now, audit=event)

A reset is open until it is done or objected to; a user has one open reset at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pwless_middleware.core.event import Event
from pwless_middleware.core.factor import FactorReset


class FactorResetRepository(Protocol):
    """Keep resets. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    `audit` is the event of a change, written with it, or not where nothing is changed; `None`
    writes none.
    """

    async def ask(self, reset: FactorReset, *, audit: Event | None = None) -> bool:
        """Keep a reset; false where one is open for the user."""
        ...

    async def find(self, id: bytes) -> FactorReset | None:
        """Return the reset with this id, open or not; or `None`."""
        ...

    async def open_of(self, user_id: str) -> FactorReset | None:
        """Return the open reset of a user, or `None`."""
        ...

    async def list(self, user_id: str) -> Sequence[FactorReset]:
        """Return all resets of a user, the oldest first."""
        ...

    async def object(self, id: bytes, *, at: int, audit: Event | None = None) -> bool:
        """Stop a reset; false where it is done, stopped already, or there is none.

        Args:
            id: of the reset.
            at: unix seconds.
            audit: what the change is told by.
        """
        ...

    async def due(self, now: int, limit: int) -> Sequence[FactorReset]:
        """Return open resets whose time has come by `now`, the longest due first.

        Args:
            now: unix seconds.
            limit: how many at most.
        """
        ...

    async def finish(self, id: bytes, *, at: int, audit: Event | None = None) -> bool:
        """Note that a reset is done; true for one caller alone.

        Args:
            id: of the reset, due or not.
            at: unix seconds.
            audit: what the change is told by.

        Returns:
            Whether this caller has finished it; false where somebody has, after an objection, or
            where there is none.
        """
        ...

    async def erase(self, user_id: str) -> None:
        """Forget all resets of a user; and by whom others were asked for, where it was them."""
        ...
