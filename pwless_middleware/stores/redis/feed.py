"""The revocation feed over Redis: what was dropped anywhere, and proof that nothing is missing.

Theory. Drops are published by the script that does them. A subscribed connection delivers in order,
so the PONG to a PING proves that every message published before the PING arrived has been heard.
From it follows a *lease*: until 100 ms after the last answered PING was **sent**, on the monotonic
clock, nothing can have been told more than 100 ms ago without having been heard here.

That is so at a primary which takes writes and has our data. So beside the PINGs a look is taken
every second (`redis_primary`), on a connection of the pool, which publishes a word to us: heard on
the subscription, it proves that both are at one server. Without such a look there is no lease.

    quiet ──is_live() asked──▶ pinging, every 40 ms ──not asked for 1 s──▶ quiet
      any ──connection lost, a PING or our own word unheard for 1 s──▶ interrupted
          ──▶ connected again

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
import secrets
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from pwless_middleware.errors import StoreError
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.stores.deadline import Deadline
from pwless_middleware.stores.redis.errors import explain, replica_error
from pwless_middleware.stores.redis.primary import GOOD_FOR, LOOK_EVERY, RedisPrimary
from pwless_middleware.stores.redis.server import Link, RedisServer

LEASE: Final = 0.1
"""Seconds that one PONG is good for, from when its PING was sent (security numbers)."""
_PING_EVERY: Final = 0.04
_ASKED_WITHIN: Final = 1.0
_QUIET_PING_EVERY: Final = 5.0
_LOST_AFTER: Final = 1.0
_CONNECT_WITHIN: Final = 2.0
_LONGEST_PAUSE: Final = 1.0

_log = logging.getLogger("pwless.store")


class _Listener:
    """What one event loop has of the feed: its task, its lease, when it was last asked, whether it
    waits quietly, whether its last subscription ever stood, and the words to itself."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.task: asyncio.Task[None] | None = None
        self.wake = asyncio.Event()
        self.lease = 0.0
        self.asked = 0.0
        self.is_quiet = True
        self.stood = False
        self.is_pinging = asyncio.Event()
        self.word = ""
        self.heard_word = asyncio.Event()


class RedisFeed:
    """Hear what was dropped in any process (`stores.base.Feed` has the promises).

    Args:
        server: whom to subscribe at.
        primary: looks whether the server may be trusted.
        channel: the channel that our scripts publish on; the one of our own word begins with it.
    """

    def __init__(self, server: RedisServer, primary: RedisPrimary, channel: str) -> None:
        self.epoch = 0
        self._server = server
        self._primary = primary
        self._channel = channel
        self._heard: list[Callable[[str | None], None]] = []
        self._listeners: PerLoop[_Listener] = PerLoop(lambda: _Listener(server.link()))

    def is_live(self) -> bool:
        """Whether the lease holds; asking keeps it up."""
        try:
            ear = self.start()
        except (RuntimeError, StoreError):  # no event loop runs here, or none that can be served
            return False
        now = monotonic()
        ear.asked = now
        if ear.is_quiet:
            ear.wake.set()
        return ear.lease > now < ear.link.proved_until

    def subscribe(self, heard: Callable[[str | None], None]) -> None:
        """Call `heard(key)` for every told drop; `heard(None)` if any may have been missed."""
        self._heard.append(heard)

    def publish(self, key: str | None) -> None:
        """Publish a drop, or with `None` an interruption, to the listeners of this process."""
        self.epoch += 1
        for heard in self._heard:
            heard(key)

    def start(self) -> _Listener:
        """Begin to listen in the running event loop, if that was not done."""
        ear = self._listeners.here()
        if ear.task is None or ear.task.done():
            ear.task = asyncio.get_running_loop().create_task(self._keep(ear))
        return ear

    async def aclose(self) -> None:
        """Stop listening in the running event loop."""
        ear = self._listeners.pop()
        if ear is not None and ear.task is not None:
            ear.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ear.task

    async def _keep(self, ear: _Listener) -> None:
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
                self.publish(None)
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  # only spreads load
        finally:
            ear.lease = 0.0
            self.publish(None)
            # A loop that ends cancels its tasks: the last moment to give its connections back.
            await self._server.aclose()

    async def _listen(self, ear: _Listener) -> None:
        connection = await self._server.subscription()
        own = f"{self._channel}:{secrets.token_hex(8)}"
        try:
            async with asyncio.timeout(_CONNECT_WITHIN):
                await connection.connect()  # type: ignore[no-untyped-call]  # redis-py leaves it so
                is_proof = await self._is_proof(connection)
                for channel in (self._channel, own):
                    await connection.send_command("SUBSCRIBE", channel, check_health=False)
                    await connection.read_response(disable_decoding=True)
            ear.stood = True
            ear.is_pinging.clear()
            ear.link.proved_until = 0.0  # a new subscription, perhaps at another server
            self.publish(None)
            await self._receive(ear, connection, own, is_proof)
        finally:
            await connection.disconnect(nowait=True)

    async def _is_proof(self, connection: AbstractConnection) -> bool:
        """Whether a PONG here proves anything: not at a cluster's node.

        Raises:
            StoreError: at a replica, which is behind; it may be promoted, so try again.
        """
        if self._server.is_cluster:
            return False
        await connection.send_command("INFO", "replication", check_health=False)
        try:
            about = await connection.read_response(disable_decoding=True)
        except ResponseError:  # the ACL forbids INFO; listen, and prove nothing
            return False
        if b"role:master" not in about:
            raise replica_error()
        return True

    async def _receive(
        self, ear: _Listener, connection: AbstractConnection, own: str, is_proof: bool
    ) -> None:
        """Read, ping and look side by side, until one of them fails; raises that one's fault."""
        sent: deque[float] = deque()
        works = [
            self._read(ear, connection, own.encode(), sent, is_proof),
            self._ping(ear, connection, sent, is_proof),
            self._prove(ear, own),
        ]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(
        self,
        ear: _Listener,
        connection: AbstractConnection,
        own: bytes,
        sent: deque[float],
        is_proof: bool,
    ) -> None:
        while True:
            try:
                kind, *rest = await connection.read_response(disable_decoding=True)
            except ResponseError:
                # Redis answers PING so while it cannot save to disk. An answer in order it is.
                kind, rest = b"pong", []
            if kind == b"pong":
                at = sent.popleft()  # answers come in order
                ear.lease = at + LEASE if is_proof else 0.0
            elif rest[0] == own:
                ear.word = rest[1].decode()
                ear.heard_word.set()
            elif rest[-1]:  # an empty message is a `ping` of some store
                self.publish(rest[-1].decode())

    async def _ping(
        self,
        ear: _Listener,
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
                ear.is_pinging.set()
                await asyncio.sleep(_PING_EVERY)
                continue
            ear.wake.clear()
            ear.is_quiet = True
            ear.is_pinging.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOST_AFTER if sent else _QUIET_PING_EVERY):
                    await ear.wake.wait()
            ear.is_quiet = False

    async def _prove(self, ear: _Listener, own: str) -> None:
        """Take a look every second while there are pings, and hear of it on the subscription."""
        link = ear.link
        while True:
            await ear.is_pinging.wait()
            begun, word = monotonic(), secrets.token_hex(8)
            error = await self._primary.look(own, word)
            if error is None:
                await self._handle_message(ear, word)
                link.proved_until = begun + GOOD_FOR
            await asyncio.sleep(max(0.0, begun + LOOK_EVERY - monotonic()))

    async def _handle_message(self, ear: _Listener, word: str) -> None:
        """Wait for our own message; `TimeoutError` means that we listen at another server."""
        async with Deadline(_LOST_AFTER):
            while ear.word != word:
                ear.heard_word.clear()
                await ear.heard_word.wait()
