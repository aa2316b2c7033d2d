"""The revocation feed over Redis: what was dropped anywhere, and proof that nothing is missing.

Theory. Drops are published by the script that does them. A subscribed connection delivers in order,
so the PONG to a PING proves that every message published before the PING arrived has been heard.
From it follows a *lease*: until 100 ms after the last answered PING was **sent**, on the monotonic
clock, nothing can have been told more than 100 ms ago without having been heard here.

    quiet ──is_live() asked──▶ pinging, every 40 ms ──not asked for 1 s──▶ quiet
      any ──connection lost, or a PING unanswered for 1 s──▶ interrupted ──▶ connected again

Whoever keeps records throws all of them away at each interruption (`heard(None)`), and again when a
new subscription stands: what was told between the two is unknown. A lease that merely ran out (a
slow network, a busy process) is no interruption: on the same connection the next PONG proves that
everything before it has been heard.

On a Redis Cluster a message comes to our node over the cluster bus, and a PONG proves nothing about
that: the feed tells there, but is never live, and the store is asked on every request.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from pwless_middleware.stores.redis_errors import explain
from pwless_middleware.stores.redis_loops import PerLoop
from pwless_middleware.stores.redis_server import RedisServer

LEASE: Final = 0.1
"""Seconds that one PONG is good for, from when its PING was sent (DESIGN, "Sessions")."""
_PING_EVERY: Final = 0.04
_ASKED_WITHIN: Final = 1.0
_QUIET_PING_EVERY: Final = 5.0
_LOST_AFTER: Final = 1.0
_CONNECT_WITHIN: Final = 2.0
_LONGEST_PAUSE: Final = 1.0

_log = logging.getLogger("pwless.store")


class _Ear:
    """What one event loop has of the feed: its task, its lease, when it was last asked, whether it
    waits quietly, and whether its last subscription ever stood."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.wake = asyncio.Event()
        self.lease = 0.0
        self.asked = 0.0
        self.is_quiet = True
        self.stood = False


class RedisFeed:
    """Tell what was dropped in any process (`stores.base.Feed` has the promises).

    Args:
        server: whom to subscribe at.
        channel: the channel that our scripts publish on.
    """

    def __init__(self, server: RedisServer, channel: str) -> None:
        self.epoch = 0
        self._server = server
        self._channel = channel
        self._heard: list[Callable[[str | None], None]] = []
        self._ears: PerLoop[_Ear] = PerLoop(_Ear)

    def is_live(self) -> bool:
        """Say whether the lease holds; asking keeps it up."""
        try:
            ear = self.start()
        except RuntimeError:  # no event loop runs here, so nobody listens
            return False
        now = monotonic()
        ear.asked = now
        if ear.is_quiet:
            ear.wake.set()
        return ear.lease > now

    def subscribe(self, heard: Callable[[str | None], None]) -> None:
        """Call `heard(key)` for every told drop; `heard(None)` if any may have been missed."""
        self._heard.append(heard)

    def tell(self, key: str | None) -> None:
        """Say a drop, or with `None` an interruption, to the listeners of this process."""
        self.epoch += 1
        for heard in self._heard:
            heard(key)

    def start(self) -> _Ear:
        """Begin to listen in the running event loop, if that was not done."""
        ear = self._ears.here()
        if ear.task is None or ear.task.done():
            ear.task = asyncio.get_running_loop().create_task(self._keep(ear))
        return ear

    async def aclose(self) -> None:
        """Stop listening in the running event loop."""
        ear = self._ears.pop()
        if ear is not None and ear.task is not None:
            ear.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ear.task

    async def _keep(self, ear: _Ear) -> None:
        """Listen for as long as the loop runs, through every interruption."""
        pause = 0.0
        try:
            while True:
                try:
                    await self._listen(ear)
                except Exception as fault:  # also a listener's own: one that ends hears nothing
                    if ear.stood or not pause:  # once for each outage, not for each try
                        _log.warning(
                            "the revocation feed is interrupted: %s",
                            explain(fault),
                            extra={"event": "feed_interrupted"},
                        )
                    pause = 0.05 if ear.stood else min(_LONGEST_PAUSE, 2 * pause + 0.05)
                ear.stood, ear.lease = False, 0.0
                self.tell(None)
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  # only spreads load
        finally:
            ear.lease = 0.0
            self.tell(None)
            # A loop that ends cancels its tasks: the last moment to give its connections back.
            await self._server.aclose()

    async def _listen(self, ear: _Ear) -> None:
        connection = await self._server.subscription()
        try:
            async with asyncio.timeout(_CONNECT_WITHIN):
                await connection.connect()  # type: ignore[no-untyped-call]  # redis-py leaves it so
                is_proof = await self._is_proof(connection)
                await connection.send_command("SUBSCRIBE", self._channel, check_health=False)
                await connection.read_response(disable_decoding=True)
            ear.stood = True
            self.tell(None)
            await self._hear(ear, connection, is_proof)
        finally:
            await connection.disconnect(nowait=True)

    async def _is_proof(self, connection: AbstractConnection) -> bool:
        """Say whether a PONG here proves anything: not at a replica, nor at a cluster's node."""
        if self._server.is_cluster:
            return False
        await connection.send_command("INFO", "replication", check_health=False)
        try:
            return b"role:master" in await connection.read_response(disable_decoding=True)
        except ResponseError:  # the ACL forbids INFO; listen, and prove nothing
            return False

    async def _hear(self, ear: _Ear, connection: AbstractConnection, is_proof: bool) -> None:
        """Read and ping side by side, until one of them fails; raises that one's fault."""
        sent: deque[float] = deque()
        tasks = [
            asyncio.create_task(self._read(ear, connection, sent, is_proof)),
            asyncio.create_task(self._ping(ear, connection, sent, is_proof)),
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(
        self,
        ear: _Ear,
        connection: AbstractConnection,
        sent: deque[float],
        is_proof: bool,
    ) -> None:
        while True:
            kind, *rest = await connection.read_response(disable_decoding=True)
            if kind == b"pong":
                at = sent.popleft()  # answers come in order
                ear.lease = at + LEASE if is_proof else 0.0
            elif rest[-1]:  # an empty message is a `ping` of some store
                self.tell(rest[-1].decode())

    async def _ping(
        self,
        ear: _Ear,
        connection: AbstractConnection,
        sent: deque[float],
        is_proof: bool,
    ) -> None:
        while True:
            now = monotonic()
            if sent and now - sent[0] > _LOST_AFTER:
                raise TimeoutError("a ping was not answered")
            sent.append(now)
            await connection.send_command("PING", check_health=False)
            if is_proof and now - ear.asked < _ASKED_WITHIN:
                await asyncio.sleep(_PING_EVERY)
                continue
            ear.wake.clear()
            ear.is_quiet = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOST_AFTER if sent else _QUIET_PING_EVERY):
                    await ear.wake.wait()
            ear.is_quiet = False
