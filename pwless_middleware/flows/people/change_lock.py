"""One change at a time of what somebody signs in with, in whichever process it is made.

    async with kit.change_lock.hold(user_id):
        ...                                     # look at what has to stay, then change

Whether a passkey may go depends on whether an app is there, which is another feature's: of two
removals at once each would see what the other takes away.

The lock is a record in the store with a random value, which is its holder's name:

    taken        the record was absent; whoever wrote it holds the lock
    released     by its holder alone: the record goes only while the holder's name stands there
    abandoned    the process died: the record is absent again once its time is over

A change ends before its lock does, so that two never go on at once, and whoever waits does so for
longer than a lock lives: a process that died holds a person up, and refuses nothing.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.storage.store_keys import change_record, user_slot
from pwless_middleware.deadline import Deadline
from pwless_middleware.errors import StoreError, StoreTimeout
from pwless_middleware.stores.base import Put, Store

CHANGE_SECONDS: Final = 3
"""A change is a few questions to the store, which has 1.5 seconds for them, and to the database."""
_MARGIN: Final = 2
"""Seconds that a lock lives on after its change has been ended: the store counts in whole seconds,
and an event loop that was busy ends a change late."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.2
"""Seconds between two looks whether the lock is free."""
_RANDOM_BYTES: Final = 12
_PLACE: Final = bytes(_RANDOM_BYTES)
"""Where the lock stands among the records of a user's changes: the others' places are random."""


class ChangeLock:
    """Let one change of a person go on at a time.

    Args:
        store: where the locks stand.
        realm: of the deployment, as its keyring has it.
        clock: returns unix seconds.
        pause: sleeps, in seconds.
    """

    def __init__(
        self,
        store: Store,
        realm: str,
        clock: Callable[[], int],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._realm = realm
        self._clock = clock
        self._pause = pause

    @asynccontextmanager
    async def hold(self, user_id: str, *, seconds: int = CHANGE_SECONDS) -> AsyncIterator[None]:
        """Wait until no other change of this person goes on, and keep others out until the end.

        Args:
            user_id: whose; or what else is changed one at a time, by a name that is nobody's id.
            seconds: that the change may take; it is ended then.

        Raises:
            StoreError: the store could not be asked; or others were always first, or one did not
                end, for the time that a lock lives.
            StoreTimeout: the change was ended. It may have been made.
        """
        key = change_record(user_slot(self._realm, user_id), _PLACE)
        name = secrets.token_bytes(_RANDOM_BYTES)
        await self._take(key, name, seconds + _MARGIN)
        try:
            async with Deadline(seconds):
                yield
        except TimeoutError as exc:
            raise StoreTimeout("the change did not end in time") from exc
        finally:
            with suppress(StoreError):  # it ends by itself
                now = self._clock()
                await self._store.swap(Put(key, b"", until=now), replaces=name, now=now)

    async def _take(self, key: str, name: bytes, lives: int) -> None:
        waited, pause = 0.0, _FIRST_PAUSE
        while True:
            now = self._clock()
            put, op = Put(key, name, until=now + lives), new_operation()
            if (await self._store.admit((), put, job=None, replaces=None, now=now, op=op)).ok:
                return
            if waited > lives:
                raise StoreError("another change of the same person goes on")
            await self._pause(pause)
            waited += pause
            pause = min(pause * 2, _LONGEST_PAUSE)
