"""The API keys that operators have made, found by the id in their text and held while that is safe.

A key is held after its first use, so that a request asks no database, and only while the store's
feed vouches that a revocation would have been heard (`flows.signals`). Without that, and now and
then in any case, it is read again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.operators.api_key import ApiKey, id_of_key
from pwless_middleware.errors import StoreError
from pwless_middleware.flows.signals.signals import Signals

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.operators.api_keys import ApiKeyRepository

logger = logging.getLogger("pwless.api_keys")

TOPIC: Final = "api_keys"
"""The topic of the signal."""
HOLD_SECONDS: Final = 30.0
"""Seconds that a key is held at most, for the revocation whose signal cannot reach this process."""
USE_SECONDS: Final = 3600
"""How fine the time of the last use is: a write an hour, not one for each request."""


class StoredKeys:
    """Find the keys of the database.

    Args:
        repository: where they are.
        signals: tell that one was revoked.
        clock: returns unix seconds.
        names_in_code: of the keys in code: one of the database with such a name is none, so that
            nobody takes over what belongs to that name.
    """

    def __init__(
        self,
        repository: ApiKeyRepository,
        signals: Signals,
        clock: Callable[[], int],
        *,
        names_in_code: Collection[str],
    ) -> None:
        self._repository = repository
        self._signals = signals
        self._clock = clock
        self._names_in_code = names_in_code
        self._held: dict[str, tuple[ApiKey, float]] = {}
        self._epoch = 0
        signals.subscribe(TOPIC, self._forget)

    async def find(self, text: str) -> ApiKey | None:
        """Return the key with this text, or `None` if there is none, or it is over.

        Raises:
            StoreError: the database cannot be asked.
        """
        id = id_of_key(text)
        key = await self._read(id) if id is not None else None
        if key is None or not key.matches(text):
            return None
        return await self._use(key)

    async def find_by_id(self, id: str) -> ApiKey | None:
        """Return the key with this id, or `None` if there is none, or it is over.

        For who has proven to be given it (an access token), since an id is public.

        Raises:
            StoreError: the database cannot be asked.
        """
        key = await self._read(id)
        return None if key is None else await self._use(key)

    async def _use(self, key: ApiKey) -> ApiKey | None:
        now = self._clock()
        if not key.is_alive(now):
            return None
        if key.name in self._names_in_code:
            logger.warning(
                "the API key %s of the database is refused: code has a key of that name",
                key.name,
                extra={"event": "api_key_refused"},
            )
            return None
        if now - (key.used_at or 0) >= USE_SECONDS:
            try:
                await self._repository.note_use(key.id, at=now)
            except StoreError as error:  # whoever has the key is let in all the same
                logger.warning("the use of an API key was not noted: %s", error)
            else:
                self._note_held(replace(key, used_at=now))
        return key

    def _note_held(self, key: ApiKey) -> None:
        held = self._held.get(key.id)
        if held is not None:
            self._held[key.id] = (key, held[1])

    async def _read(self, id: str) -> ApiKey | None:
        moment = asyncio.get_running_loop().time()
        if not self._signals.is_live:
            self._held.clear()
        key, until = self._held.get(id, (None, 0.0))
        if key is not None and moment < until:
            return key
        epoch = self._epoch
        key = await self._repository.find(id)
        # What was revoked between the answer and now has changed the epoch.
        if key is not None and epoch == self._epoch and self._signals.is_live:
            self._held[id] = (key, moment + HOLD_SECONDS)
        return key

    def _forget(self) -> None:
        self._epoch += 1
        self._held.clear()
