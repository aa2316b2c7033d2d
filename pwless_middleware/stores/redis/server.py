"""Run scripts and commands on a Redis server, within a deadline, with errors explained.

At most 32 questions at a time in each event loop; the others wait in line (`turns`). Those
that come together go out as one pipeline over one connection (`batches`): so redis-py's work for
each (its pool, its retry policy, a write, a wait) is done once for a dozen. A client that is passed
in is used as it is; turns and deadline hold for it as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Sequence
from math import inf
from time import monotonic
from typing import Any, Final, TypeVar

import redis.asyncio
from redis.asyncio.connection import AbstractConnection
from redis.client import NEVER_DECODE
from redis.crc import key_slot
from redis.exceptions import NoPermissionError, NoScriptError

from pwless_middleware.deadline import Deadline
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.stores.batches import Batches
from pwless_middleware.stores.redis.clients import PASS, copy_of, new_client, shared_options
from pwless_middleware.stores.redis.errors import FAULTS, explain, is_demoted
from pwless_middleware.stores.redis.pipeline import Command, pipeline
from pwless_middleware.stores.redis.plans import Plan
from pwless_middleware.stores.redis.scripts import Script
from pwless_middleware.turns import Turns

T = TypeVar("T")

DEADLINE: Final = 1.2
"""Seconds for one verb, connecting included; the flows' own bound is 1.5."""
_AT_ONCE: Final = 32
_UNDER_WAY: Final = 2
"""Pipelines at a time: one is answered while the next is written. With more they only get smaller,
and each costs the same."""
_CHECK_EVERY: Final = 60.0
"""Seconds between two looks at the server's settings: its eviction policy may be changed."""
_OLDEST: Final = (6, 2)


class Link:
    """Hold what one event loop has of the server: a client, and what is known about its server.

    Attributes:
        client: of redis-py.
        batches: sends what comes together to a single Redis.
        turns: who may ask now.
        good_from: when the last look began that found a primary with our data, monotonic.
        proved_until: until when that look is proof for the feed, too (`redis_feed`), monotonic.
        looking: the look under way, or the last one.
        refused, refused_at: why the last look found that no answer may be trusted, and when.
    """

    def __init__(self, client: Any) -> None:
        self.client = client
        self.batches: Batches[Command, Any] = Batches(self._send, under_way=_UNDER_WAY)
        self.turns = Turns(_AT_ONCE)
        self.good_from = self.proved_until = -inf
        self.looking: asyncio.Task[StoreError | None] | None = None
        self.refused: StoreError | None = None
        self.refused_at = -inf

    async def _send(self, commands: Sequence[Command]) -> list[Any]:
        async with Deadline(DEADLINE):
            return await pipeline(self.client, commands)


class RedisServer:
    """Ask one Redis, a primary that Sentinel names, or a cluster.

    Args:
        target: `redis://`, `rediss://` or `unix://` URL, or a client of `redis.asyncio`.
        allow_eviction: accept a server that may throw our keys away.

    Raises:
        ConfigError: the target is neither, or the client may read from replicas.
    """

    def __init__(self, target: object, *, allow_eviction: bool) -> None:
        self._allow_eviction = allow_eviction
        self._checked_at = -inf
        self._checking: PerLoop[asyncio.Lock] = PerLoop(asyncio.Lock)
        self.is_cluster = isinstance(target, redis.asyncio.RedisCluster)
        if isinstance(target, str):
            self._own, self._given = target, None
            new_client(target)  # a wrong URL is found here, not at the first login
        elif isinstance(target, redis.asyncio.Redis | redis.asyncio.RedisCluster):
            self._own, self._given = "", target
        else:
            raise ConfigError("store", PASS)
        if getattr(target, "read_from_replicas", False) or getattr(
            target, "load_balancing_strategy", None
        ):
            raise ConfigError(
                "store", "make the cluster client without read_from_replicas: a replica is behind"
            )
        self._loop_of_given: asyncio.AbstractEventLoop | None = None
        self._links: PerLoop[Link] = PerLoop(lambda: Link(self._client()))

    def link(self) -> Link:
        """Return the running event loop's own."""
        return self._links.here()

    def _client(self) -> Any:
        if self._given is None:
            return new_client(self._own)
        loop = asyncio.get_running_loop()
        if self._loop_of_given not in (None, loop):
            return copy_of(self._given)
        self._loop_of_given = loop
        return self._given

    def slot_of(self, key: str) -> Hashable:
        """Return the hash slot of a full key; all keys of a single Redis are in one."""
        return key_slot(key.encode()) if self.is_cluster else 0

    async def within(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do this when it is its turn, within the deadline.

        Raises:
            StoreError: it failed or took too long; says what to do, the fault is its cause.
        """
        async with self.link().turns:
            try:
                async with Deadline(DEADLINE):
                    return await work()
            except FAULTS as fault:
                error = explain(fault)
            except RuntimeError as fault:
                if not self._is_of_another_loop(fault):
                    raise
                error = StoreError("Redis: the client was used in another event loop before")
                error.__cause__ = fault
            if is_demoted(error):
                await self.renew()
            raise error  # out here: the fault may quote what it must not, and is no context

    def _is_of_another_loop(self, fault: RuntimeError) -> bool:
        """Whether a client that was passed in has connections of another loop; leave it then."""
        link = self.link()
        if "loop" not in str(fault) or link.client is not self._given:
            return False
        link.client = copy_of(self._given)
        return True

    async def renew(self) -> None:
        """Connect anew: what is connected to this server was demoted behind one name.

        The connections of a client that was passed in are closed where nobody uses them now.
        """
        link = self.link()
        link.good_from = link.proved_until = -inf
        await self._disconnect(link)

    async def command(self, *args: bytes | str | int) -> Any:
        """Send one command; the reply comes as bytes, whatever the client decodes."""
        link = self.link()
        if not self.is_cluster:
            return await link.batches.ask(args)
        return await link.client.execute_command(*args, **{NEVER_DECODE: []})

    async def run(self, script: Script, plan: Plan) -> Any:
        """Run a script: one round trip, or two where the server has not seen it yet."""
        keys = plan.keys
        arguments = (len(keys), *keys, *plan.args)
        try:
            return await self.command("EVALSHA", script.sha, *arguments)
        except NoScriptError:
            return await self.command("EVAL", script.text, *arguments)

    async def check(self) -> None:
        """Refuse a server that cannot keep our promises; looks at it once a minute.

        Raises:
            StoreError: its version, its kind or its eviction policy; says what to do.
        """
        if monotonic() - self._checked_at < _CHECK_EVERY:
            return
        lock = self._checking.here()
        if lock.locked() and self._checked_at > -inf:
            return  # it was well a minute ago, and somebody is looking
        async with lock:  # the first requests of a process come together
            if monotonic() - self._checked_at >= _CHECK_EVERY:
                await self._check()

    async def _check(self) -> None:
        try:
            about = await self.link().client.execute_command(
                "INFO", **({"target_nodes": "primaries"} if self.is_cluster else {})
            )
        except NoPermissionError as fault:
            if not self._allow_eviction:
                raise StoreError(
                    "Redis: the ACL user may not read INFO, so its eviction policy is unknown: "
                    "grant +info, or set allow_eviction=True"
                ) from fault
            about = {}
        self._checked_at = -inf  # until all of them are well
        for info in about.values() if self.is_cluster else [about]:
            self._check_send(info)
        self._checked_at = monotonic()

    def _check_send(self, info: dict[str, Any]) -> None:
        version = str(info.get("redis_version", "6.2"))
        if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < _OLDEST:
            raise StoreError(f"Redis {version} is too old: run Redis or Valkey from 6.2")
        # Valkey has no `redis_mode`; this flag both have.
        if info.get("cluster_enabled") and not self.is_cluster:
            raise StoreError(
                "Redis: this is a node of a Redis Cluster: pass a redis.asyncio.RedisCluster client"
            )
        policy = info.get("maxmemory_policy", "noeviction")
        if info.get("maxmemory", 0) and policy != "noeviction" and not self._allow_eviction:
            raise StoreError(
                f"Redis: maxmemory_policy is {policy}, which throws away tries and sessions when "
                "memory is short: set it to noeviction, or pass allow_eviction=True"
            )

    async def subscription(self) -> AbstractConnection:
        """Make a connection for the feed; not connected, and not of the pool.

        It speaks RESP2, in which a subscribed connection answers in order with plain arrays,
        and waits for messages without a bound; the feed's own pings find a dead one.
        """
        client = self.link().client
        if self.is_cluster:
            await client.initialize()
            source = client.get_default_node()
        else:
            source = client.connection_pool
        kwargs = shared_options(source.connection_kwargs)
        kwargs.update(protocol=2, socket_timeout=None, health_check_interval=0)
        connection: AbstractConnection = source.connection_class(**kwargs)
        return connection

    async def aclose(self) -> None:
        """Close the running loop's connections; a client that was passed in stays usable."""
        link = self._links.pop()
        if link is not None:
            await link.batches.aclose()
            await self._disconnect(link)

    async def _disconnect(self, link: Link) -> None:
        """Close connections; each connects again when it is next used."""
        if not self.is_cluster:
            is_ours = link.client is not self._given
            await link.client.connection_pool.disconnect(inuse_connections=is_ours)
