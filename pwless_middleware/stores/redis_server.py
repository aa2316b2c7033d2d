"""Asking a Redis: one script or command at a time, within a deadline, with faults explained.

A URL gets connections of our own: a blocking pool with short timeouts, no retries (DESIGN,
"Failing"). A client that is passed in is used as it is; the deadline holds for it as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Hashable
from typing import Any, Final, TypeVar

import redis.asyncio
from redis.asyncio.connection import AbstractConnection, BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.client import NEVER_DECODE
from redis.crc import key_slot
from redis.exceptions import NoPermissionError, NoScriptError

from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.stores.redis_errors import FAULTS, explain
from pwless_middleware.stores.redis_loops import PerLoop
from pwless_middleware.stores.redis_plans import Plan
from pwless_middleware.stores.redis_scripts import Script

T = TypeVar("T")

DEADLINE: Final = 1.2
"""Seconds for one verb, the wait for a connection included; the flows' own bound is 1.5."""
_SOCKET_TIMEOUT: Final = 1.0
_POOL_TIMEOUT: Final = 0.5
_POOL_SIZE: Final = 32
_OLDEST: Final = (6, 2)
_PASS = "pass a URL like redis://localhost:6379/0, or a redis.asyncio client"  # noqa: S105
_BAD_URL: Final[tuple[type[Exception], ...]] = (ValueError, TypeError, *FAULTS)


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
        self._checked = False
        self._checking: PerLoop[asyncio.Lock] = PerLoop(asyncio.Lock)
        self.is_cluster = isinstance(target, redis.asyncio.RedisCluster)
        if isinstance(target, str):
            self._own, self._given = target, None
            _new_client(target)  # a wrong URL is found here, not at the first login
        elif isinstance(target, redis.asyncio.Redis | redis.asyncio.RedisCluster):
            self._own, self._given = "", target
        else:
            raise ConfigError("store", _PASS)
        if getattr(target, "read_from_replicas", False) or getattr(
            target, "load_balancing_strategy", None
        ):
            raise ConfigError(
                "store", "make the cluster client without read_from_replicas: a replica is behind"
            )
        self._clients: PerLoop[Any] = PerLoop(self._client)

    def _client(self) -> Any:
        return _new_client(self._own) if self._given is None else self._given

    def slot_of(self, key: str) -> Hashable:
        """Give the hash slot of a full key; all keys of a single Redis are in one."""
        return key_slot(key.encode()) if self.is_cluster else 0

    async def within(self, work: Coroutine[Any, Any, T]) -> T:
        """Do this within the deadline.

        Raises:
            StoreError: it failed or took too long; says what to do, the fault is its cause.
        """
        try:
            async with asyncio.timeout(DEADLINE):
                return await work
        except FAULTS as fault:
            raise explain(fault) from fault

    async def command(self, *args: bytes | str | int) -> Any:
        """Send one command; the reply comes as bytes, whatever the client decodes."""
        # An empty tuple would do; redis-py only looks for the key.
        return await self._clients.here().execute_command(*args, **{NEVER_DECODE: []})

    async def run(self, script: Script, plan: Plan) -> Any:
        """Run a script: one round trip, or two where the server has not seen it yet."""
        keys = plan.keys
        arguments = (len(keys), *keys, *plan.args)
        try:
            return await self.command("EVALSHA", script.sha, *arguments)
        except NoScriptError:
            return await self.command("EVAL", script.text, *arguments)

    async def check(self) -> None:
        """Refuse a server that cannot keep our promises; once for each store.

        Raises:
            StoreError: its version, its kind or its eviction policy; says what to do.
        """
        if self._checked:
            return
        async with self._checking.here():  # the first requests of a process come together
            if not self._checked:
                await self._check()

    async def _check(self) -> None:
        try:
            about = await self._clients.here().execute_command(
                "INFO", **({"target_nodes": "primaries"} if self.is_cluster else {})
            )
        except NoPermissionError as fault:
            if not self._allow_eviction:
                raise StoreError(
                    "Redis: the ACL user may not read INFO, so its eviction policy is unknown: "
                    "grant +info, or set allow_eviction=True"
                ) from fault
            about = {}
        for info in about.values() if self.is_cluster else [about]:
            self._judge(info)
        self._checked = True

    def _judge(self, info: dict[str, Any]) -> None:
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
        client = self._clients.here()
        if self.is_cluster:
            await client.initialize()
            source = client.get_default_node()
        else:
            source = client.connection_pool
        kwargs = {
            name: value
            for name, value in source.connection_kwargs.items()
            # These belong to RESP3 and to the pool's other connections.
            if "maint" not in name and not name.startswith("orig_")
        }
        kwargs.update(protocol=2, socket_timeout=None, health_check_interval=0)
        connection: AbstractConnection = source.connection_class(**kwargs)
        return connection

    async def aclose(self) -> None:
        """Close the running loop's connections; a client that was passed in stays open."""
        client = self._clients.pop()
        if client is not None and self._given is None:
            await client.connection_pool.disconnect()


def _new_client(url: str) -> Any:
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_POOL_SIZE,
            timeout=_POOL_TIMEOUT,
            socket_timeout=_SOCKET_TIMEOUT,
            socket_connect_timeout=_SOCKET_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        # redis-py finds some mistakes in a URL only when it makes the first connection.
        pool.connection_class(**pool.connection_kwargs)
    except _BAD_URL as fault:
        raise ConfigError("store", f"this is no Redis URL; {_PASS}") from fault
    return redis.asyncio.Redis(connection_pool=pool)
