"""The shared store: a Redis or Valkey that the customer runs, for any number of processes.

Every verb is one short Lua script and one round trip (`lua/`, a file for each; `redis_verbs`), in
one deadline, with its faults explained (`redis_server`). Nothing is kept in this process but what
the feed knows. Importing this module imports redis-py, which takes 0.7 s, so `RedisStore` is
imported only by who makes one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

from pwless_middleware.core.challenges.budget import Draw
from pwless_middleware.core.keys.digest import digest
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.options.options import check_encodable, check_flag
from pwless_middleware.errors import ConfigError
from pwless_middleware.stores.base import Admission, Attempt, Put, Writes
from pwless_middleware.stores.redis.feed import RedisFeed
from pwless_middleware.stores.redis.jobs import RedisJobs
from pwless_middleware.stores.redis.primary import RedisPrimary
from pwless_middleware.stores.redis.rights import RedisRights
from pwless_middleware.stores.redis.server import RedisServer
from pwless_middleware.stores.redis.verbs import RedisVerbs

T = TypeVar("T")


@named_options()
class RedisStore:
    """Keep everything in Redis or Valkey, from 6.2.

    Args:
        server: `redis://`, `rediss://` (TLS) or `unix://` URL with user, password and database, or
            a client of `redis.asyncio`: `Redis`, what `Sentinel.master_for` gives, `RedisCluster`.
        prefix: what every key and the channel begin with, before a colon; default `pwless`. One for
            each app that shares a Redis.
        allow_eviction: accept a server with a `maxmemory` whose policy is not `noeviction`; such a
            server gives tries back and drops sessions when memory is short. Default false.
        max_jobs: mails waiting for delivery, at least 1; default 100,000; then 503.

    Raises:
        ConfigError: no URL or client that we know, a prefix with other than letters, digits and
            `._:-`, a bound below 1, or another kind of value.
    """

    def __init__(
        self,
        server: object,
        *,
        prefix: str = "pwless",
        allow_eviction: bool = False,
        max_jobs: int = 100_000,
    ) -> None:
        if not isinstance(prefix, str) or not re.fullmatch(r"[A-Za-z0-9._:-]{1,64}", prefix):
            raise ConfigError("store.prefix", "set 1 to 64 letters, digits or . _ : -")
        if type(max_jobs) is not int or max_jobs < 1:
            raise ConfigError("store.max_jobs", "set a whole number of at least 1")
        check_flag("store.allow_eviction", allow_eviction)
        if isinstance(server, str):
            check_encodable("store", server)
        self._prefix = prefix + ":"
        self.place = digest("redis", server, prefix) if isinstance(server, str) else None
        """Says of two stores that they are one; `None` where only the client knows."""
        channel = f"{prefix}:drops"
        self._server = RedisServer(server, allow_eviction=allow_eviction)
        self._verbs = RedisVerbs(self._server, self._prefix, channel, max_jobs)
        self._rights = RedisRights(self._server, self._prefix, channel)
        self._primary = RedisPrimary(self._server, self._prefix, lambda: self.feed.publish(None))
        self.feed = RedisFeed(self._server, self._primary, channel)
        self.jobs = RedisJobs(self._server, self._prefix)

    def __repr__(self) -> str:
        return f"<RedisStore {self._prefix}*>"

    # --- records -------------------------------------------------------------------------------

    async def read(self, key: str, *, now: int) -> bytes | None:
        """Return a record's value, or `None` if it is absent."""
        return await self._ask(lambda: self._verbs.read(key, now))

    async def read_list(self, listed: str, *, now: int) -> Sequence[tuple[str, bytes]]:
        """Return the live records of a list."""
        return await self._ask(lambda: self._verbs.read_list(listed, now))

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
        """Enter an event in every budget and write a record, with a job, if all limits hold.

        Without `replaces`, the very record standing there already proves that this call was done
        before; a put's key must therefore be fresh and random.
        """
        answer = await self._ask(lambda: self._verbs.admit(draws, put, job, replaces, now, op))
        if answer.ok and job is not None:
            self.jobs.wake()
        return answer

    async def attempt(self, draws: Sequence[Draw], key: str, *, now: int, op: str) -> Attempt:
        """Enter an event in every budget and read a record, if it is there and all limits hold."""
        return await self._ask(lambda: self._verbs.attempt(draws, key, now, op))

    async def take(self, key: str, then: Writes, *, now: int, op: str) -> bool:
        """Remove a record and, if it was there, do these writes; return whether it was there."""
        return await self._writing(then, lambda: self._verbs.take(key, then, now, op))

    async def write(self, writes: Writes, *, now: int, op: str) -> None:
        """Do these writes."""
        await self._writing(writes, lambda: self._verbs.write(writes, now, op))

    async def swap(self, put: Put, *, replaces: bytes, now: int) -> bool:
        """Write a record if exactly `replaces` stands there."""
        return await self._ask(lambda: self._verbs.swap(put, replaces, now))

    # --- life ----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect, check the server and start the feed, in the running event loop."""
        await self.ping()

    async def ping(self) -> None:
        """Return if Redis answers, can keep our promises, takes writes, and forbids us nothing."""
        await self._server.within(self._check_rights)
        await self._ask(self._verbs.ping)
        await self._server.within(self.feed.check_rights)

    async def _check_rights(self) -> None:
        await self._server.check()
        await self._rights.check()

    async def aclose(self) -> None:
        """Give back the running event loop's jobs, and close its feed and connections."""
        await self.jobs.aclose()
        await self.feed.aclose()
        await self._server.aclose()

    # --- how a verb is asked -------------------------------------------------------------------

    async def _ask(self, verb: Callable[[], Awaitable[T]]) -> T:
        self.feed.start()

        async def check_and_ask() -> T:
            await self._server.check()
            if self._primary.is_sure():
                return await verb()
            # Side by side: the answer counts only if the server may be trusted.
            answer, proof = await asyncio.gather(
                verb(), self._primary.be_sure(), return_exceptions=True
            )
            for each in (proof, answer):
                if isinstance(each, BaseException):
                    raise each
            return cast(T, answer)

        return await self._server.within(check_and_ask)

    async def _writing(self, writes: Writes, verb: Callable[[], Awaitable[T]]) -> T:
        """Publish drops in this process at once, and once more when they are done.

        Without the second time, a reader that notes the feed's epoch after the first and asks
        before the script has run would keep what is then gone.
        """
        published = [drop.key for drop in writes.drops if drop.publish]
        for key in published:
            self.feed.publish(key)
        try:
            return await self._ask(verb)
        finally:
            for key in published:
                self.feed.publish(key)
            if writes.jobs:
                self.jobs.wake()  # perhaps for nothing, which costs one look
