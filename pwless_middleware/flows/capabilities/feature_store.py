"""The store as features are given it: without the records of sessions and pending logins.

A feature has no key that binds such a record. But one that could read a session's record could keep
it, and put it back when the session has been revoked; so it can name neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pwless_middleware.core.challenges.budget import Draw
from pwless_middleware.core.storage.job import Jobs
from pwless_middleware.errors import ConfigError
from pwless_middleware.stores.base import Admission, Attempt, Feed, Put, Store, Writes

KeyRule = Callable[[str], bool]


class FeatureStore:
    """Hand on to another store what features may ask of it; its promises stay the same.

    Args:
        store: the other one.
        may_name: whether a record or list is one that the feature may name.

    Raises:
        ConfigError: from any verb that is given the key of a record that is not for features.
    """

    def __init__(self, store: Store, may_name: KeyRule) -> None:
        self._store = store
        self._may_name = may_name

    @property
    def feed(self) -> Feed:
        """The store's own."""
        return self._store.feed

    @property
    def jobs(self) -> Jobs:
        """The store's own."""
        return self._store.jobs

    async def read(self, key: str, *, now: int) -> bytes | None:
        """See `Store.read`."""
        check_key(key, self._may_name)
        return await self._store.read(key, now=now)

    async def read_list(self, listed: str, *, now: int) -> Sequence[tuple[str, bytes]]:
        """See `Store.read_list`."""
        check_key(listed, self._may_name)
        return await self._store.read_list(listed, now=now)

    async def admit(
        self,
        draws: Sequence[Draw],
        put: Put,
        *,
        job: bytes | None,
        replaces: bytes | None,
        now: int,
        op: str,
    ) -> Admission:
        """See `Store.admit`."""
        check_writes(Writes(puts=(put,)), self._may_name)
        return await self._store.admit(draws, put, job=job, replaces=replaces, now=now, op=op)

    async def attempt(self, draws: Sequence[Draw], key: str, *, now: int, op: str) -> Attempt:
        """See `Store.attempt`."""
        check_key(key, self._may_name)
        return await self._store.attempt(draws, key, now=now, op=op)

    async def take(self, key: str, then: Writes, *, now: int, op: str) -> bool:
        """See `Store.take`."""
        check_key(key, self._may_name)
        check_writes(then, self._may_name)
        return await self._store.take(key, then, now=now, op=op)

    async def write(self, writes: Writes, *, now: int, op: str) -> None:
        """See `Store.write`."""
        check_writes(writes, self._may_name)
        await self._store.write(writes, now=now, op=op)

    async def swap(self, put: Put, *, replaces: bytes, now: int) -> bool:
        """See `Store.swap`."""
        check_writes(Writes(puts=(put,)), self._may_name)
        return await self._store.swap(put, replaces=replaces, now=now)

    async def open(self) -> None:
        """See `Store.open`."""
        await self._store.open()

    async def ping(self) -> None:
        """See `Store.ping`."""
        await self._store.ping()

    async def aclose(self) -> None:
        """Do nothing: who has made the store closes it."""


def check_writes(writes: Writes, may_name: KeyRule) -> None:
    """Refuse writes that name a record, or a list, which is not for features.

    Raises:
        ConfigError: they do.
    """
    named = [(put.key, put.listed) for put in writes.puts]
    named += [(drop.key, drop.listed) for drop in writes.drops]
    for key, listed in named:
        check_key(key, may_name)
        if listed is not None:
            check_key(listed, may_name)


def check_key(key: str, may_name: KeyRule) -> None:
    """Refuse the key of a record that is not for features.

    Raises:
        ConfigError: it is one.
    """
    if not may_name(key):
        raise ConfigError(
            "features",
            "a feature has no access to sessions, pending logins and the challenges of others",
        )
