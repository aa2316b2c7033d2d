"""What was looked up in the database, by key, and is held while that is safe.

    names = HeldLookups("names", repository.find, signals)
    row = await names.get("org_1")        # asks once, then no more while the feed is live
    await names.tell("org_1")             # after a change: every process asks again

A key's topic is one of a fixed number, so that a change of one row makes no process forget all of
them, and the signals of any number of rows need no more than that many topics (`flows.signals`).
What is held is bounded, and asked again now and then in any case (`flows.signals.held_read`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final, Generic, TypeVar
from zlib import crc32

from pwless_middleware.flows.signals.held_read import HOLD_SECONDS
from pwless_middleware.flows.signals.signals import Signals

T = TypeVar("T")

TOPICS: Final = 64
"""Topics that the keys of one kind share."""
MOST: Final = 10_000
"""Keys of one kind that are held at a time; some 1 kB each."""


class HeldLookups(Generic[T]):
    """Hold what the database has answered for keys.

    Args:
        name: begins the topics; no two kinds share one.
        read: asks for one key.
        signals: tell of changes.
        holds_none: whether it is held, too, that there is nothing. Not where strangers say what is
            asked for: they would push out what others need.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[str], Awaitable[T]],
        signals: Signals,
        *,
        holds_none: bool = True,
    ) -> None:
        self._name = name
        self._read = read
        self._signals = signals
        self._holds_none = holds_none
        self._held: dict[str, tuple[T, float, int, int]] = {}
        # How often something of each topic has changed. What is held says at which count it was
        # read, so that it is never compared and then held while a signal is heard in between.
        self._epochs = [0] * TOPICS
        for number in range(TOPICS):
            signals.subscribe(_topic_of(name, number), partial(self._forget, number))

    async def get(self, key: str) -> T:
        """Return what holds for a key now.

        Raises:
            StoreError: the database cannot be asked.
        """
        moment = asyncio.get_running_loop().time()
        held = self._held.get(key)
        if held is not None:
            found, until, number, epoch = held
            if epoch == self._epochs[number] and moment < until and self._signals.is_live:
                return found
        number = _number_of(key)
        epoch = self._epochs[number]
        found = await self._read(key)
        if self._signals.is_live and (found is not None or self._holds_none):
            self._held.pop(key, None)
            if len(self._held) >= MOST:
                del self._held[next(iter(self._held))]  # the one that was read first
            self._held[key] = found, moment + HOLD_SECONDS, number, epoch
        return found

    async def tell(self, *keys: str) -> None:
        """Have every process ask anew for these keys; this one does so at once.

        Raises:
            StoreError: other processes cannot be told, and hold on for 30 more seconds at most.
        """
        for key in keys:
            self._forget(_number_of(key))
        await tell_lookups(self._signals, self._name, keys)

    def _forget(self, number: int) -> None:
        self._epochs[number] += 1


async def tell_lookups(signals: Signals, name: str, keys: Iterable[str]) -> None:
    """Have every process ask anew for keys of one kind, for who does not hold any of them.

    Args:
        signals: tell of changes.
        name: of the kind.
        keys: that have changed.

    Raises:
        StoreError: as `HeldLookups.tell`.
    """
    for number in sorted({_number_of(key) for key in keys}):
        await signals.tell(_topic_of(name, number))


def _number_of(key: str) -> int:
    return crc32(key.encode()) % TOPICS


def _topic_of(name: str, number: int) -> str:
    return f"{name} {number}"
