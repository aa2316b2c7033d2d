"""A feature's way to the queue: jobs of its own topics, and of no other's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.capabilities.topics import LONGEST, Topics
from pwless_middleware.stores.base import Store, Writes


class FeatureJobs:
    """Queue the jobs of one feature.

    Args:
        topics: of all features.
        feature: whose.
        store: takes the jobs.
        clock: gives unix seconds.
        wake: has what was queued delivered.
    """

    def __init__(
        self,
        topics: Topics,
        feature: str,
        store: Store,
        clock: Callable[[], int],
        wake: Callable[[], Awaitable[None]],
    ) -> None:
        self._topics = topics
        self._feature = feature
        self._store = store
        self._clock = clock
        self._wake = wake

    async def put(self, topic: str, body: bytes, *, ttl: int = LONGEST) -> None:
        """Queue a job, to be read by the worker of some process; at least once.

        Args:
            topic: one of those that the feature mounts (`Mounted.jobs`).
            body: what its reader is given. No secret: it stands in the store as it is.
            ttl: seconds for which it is of use, 1 to 86400 (default): nobody reads it later.

        Raises:
            Unavailable: the store or the queue cannot take it.
            ConfigError: the topic is not this feature's.
        """
        writes = self.writes(topic, body, ttl=ttl)
        await self._store.write(writes, now=self._clock(), op=new_operation())
        await self._wake()

    def writes(self, topic: str, body: bytes, *, ttl: int = LONGEST) -> Writes:
        """Return what queues a job as `put` does, for a write that is done by somebody else.

        `Proof(..., then=kit.jobs.writes("welcome", b"..."))` queues it as the proof is taken, all
        or nothing. Whoever waits for it calls `Kit.wake_delivery` afterwards.

        Raises:
            ConfigError: the topic is not this feature's.
        """
        if not 1 <= ttl <= LONGEST:
            raise ValueError(f"ttl is {ttl}: a job waits for 1 to {LONGEST} seconds")
        return Writes(jobs=(self.payload(topic, body, until=self._clock() + ttl),))

    def payload(self, topic: str, body: bytes, *, until: int, key_id: str | None = None) -> bytes:
        """Return what the queue keeps of a job, for a write that queues it; see `Topics.payload`.

        Raises:
            ConfigError: the topic is not this feature's.
        """
        if self._topics.owner_of(topic) != self._feature:
            raise ConfigError("features", f"{self._feature} mounts no jobs of topic {topic!r}")
        return self._topics.payload(topic, body, until=until, key_id=key_id)
