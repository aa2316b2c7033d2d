"""What was read from the database and is held while that is safe: a few rows that rarely change.

    roles = HeldRead(repository.list, signals, "operators")
    rows = await roles.get()          # asks once, then no more while the feed is live
    await roles.tell()                # after a change: every process reads again

It is held only while the store's feed vouches that a change would have been heard
(`flows.signals`), and read again now and then in any case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from pwless_middleware.flows.signals.signals import Signals

T = TypeVar("T")

HOLD_SECONDS: Final = 30.0
"""Seconds that something is held at most, for the change whose signal cannot reach this process."""


class HeldRead(Generic[T]):
    """Hold what a question to the database has answered.

    Args:
        read: asks.
        signals: tell of changes.
        topic: of the signal.
    """

    def __init__(self, read: Callable[[], Awaitable[T]], signals: Signals, topic: str) -> None:
        self._read = read
        self._signals = signals
        self._topic = topic
        self._held: tuple[T, float] | None = None
        self._epoch = 0
        self._listeners: list[Callable[[], None]] = []
        signals.subscribe(topic, self.forget)

    async def get(self) -> T:
        """Return what holds now.

        Raises:
            StoreError: the database cannot be asked.
        """
        moment = asyncio.get_running_loop().time()
        held = self._held if self._signals.is_live else None
        if held is not None and moment < held[1]:
            return held[0]
        epoch = self._epoch
        found = await self._read()
        # What was changed between the answer and now has changed the epoch.
        if epoch == self._epoch and self._signals.is_live:
            self._held = found, moment + HOLD_SECONDS
        return found

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Have a function called whenever something may have changed; must not wait."""
        self._listeners.append(listener)

    def forget(self) -> None:
        """Have the next one who asks be told what holds then."""
        self._epoch += 1
        self._held = None
        for listener in self._listeners:
            listener()

    async def tell(self) -> None:
        """Have every process forget what it holds; this one does so at once.

        Raises:
            StoreError: other processes cannot be told, and hold on for 30 more seconds at most.
        """
        self.forget()
        await self._signals.tell(self._topic)
