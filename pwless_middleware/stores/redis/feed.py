"""The revocation feed over Redis: what was dropped anywhere, and proof that nothing is missing.

Theory. Drops are published by the script that does them. A subscribed connection delivers in order,
so the PONG to a PING proves that every message published before the PING arrived was received.
From it follows a *lease*: until 100 ms after the last answered PING was **sent**, on the monotonic
clock, nothing was published more than 100 ms ago that has not been received here.

That is so at a primary which takes writes and has our data. So beside the PINGs `primary.look` is
asked every second, on a connection of the pool; it publishes an echo to us, which proves, once it
comes on the subscription, that both are at one server. Without such a look there is no lease.

    quiet ──is_live() asked──▶ pinging, every 40 ms ──not asked for 1 s──▶ quiet
      any ──connection lost, a PING or our echo unanswered for 1 s──▶ interrupted
          ──▶ connected again

Whoever keeps records throws all of them away at each interruption (`on_drop(None)`), and again when
a new subscription stands: what was published in between is unknown. A lease that merely ran out (a
slow network, a busy process) is no interruption: on the same connection the next PONG proves that
everything before it was received.

On a Redis Cluster a message comes to our node over the cluster bus, and a PONG proves nothing about
that: the feed passes drops on there, but is never live, and the store is asked on every request.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoPermissionError, ResponseError

from pwless_middleware.deadline import Deadline
from pwless_middleware.errors import StoreError
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.stores.feed_outages import FeedOutages
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


class _Listener:
    """What one event loop has of the feed: its task, its lease, when it was last asked, whether it
    waits quietly, whether its last subscription was up, whether it has tried to subscribe, why the
    ACL does not let it, and the last echo that came."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.task: asyncio.Task[None] | None = None
        self.wake = asyncio.Event()
        self.lease = 0.0
        self.asked_at = 0.0
        self.is_quiet = True
        self.was_up = False
        self.has_tried = asyncio.Event()
        self.refused: StoreError | None = None
        self.is_pinging = asyncio.Event()
        self.echo = ""
        self.has_echo = asyncio.Event()


class RedisFeed:
    """Receive what is dropped in any process (`stores.base.Feed` has the promises).

    Args:
        server: where to subscribe.
        primary: looks whether the server may be trusted.
        channel: the channel that our scripts publish on; the one of our echoes begins with it.
    """

    def __init__(self, server: RedisServer, primary: RedisPrimary, channel: str) -> None:
        self.epoch = 0
        self._server = server
        self._primary = primary
        self._channel = channel
        self._subscribers: list[Callable[[str | None], None]] = []
        self._outages = FeedOutages()
        self._listeners: PerLoop[_Listener] = PerLoop(lambda: _Listener(server.link()))

    def is_live(self) -> bool:
        """Whether the lease holds; asking keeps it up."""
        try:
            listener = self.start()
        except (RuntimeError, StoreError):  # no event loop runs here, or none that can be served
            return False
        now = monotonic()
        listener.asked_at = now
        if listener.is_quiet:
            listener.wake.set()
        return listener.lease > now < listener.link.proved_until

    def subscribe(self, on_drop: Callable[[str | None], None]) -> None:
        """Call `on_drop(key)` for each published drop; `None` says that any may be missing."""
        self._subscribers.append(on_drop)

    def publish(self, key: str | None) -> None:
        """Publish a drop, or with `None` an interruption, to the listeners of this process."""
        self.epoch += 1
        for on_drop in self._subscribers:
            on_drop(key)

    def start(self) -> _Listener:
        """Begin to listen in the running event loop, if that was not done.

        Where it was cancelled from outside, as `asyncio.run` does with all tasks, it is not begun
        again: the loop is ending, and a task of what cleans up now would never be waited for.
        """
        listener = self._listeners.here()
        if listener.task is None or (listener.task.done() and not listener.task.cancelled()):
            listener.task = asyncio.get_running_loop().create_task(self._keep(listener))
        return listener

    async def check_rights(self) -> None:
        """Return if the server's ACL lets us listen in the running event loop.

        Raises:
            StoreError: it does not; says which rule to add.
        """
        listener = self.start()
        await listener.has_tried.wait()
        if listener.refused is not None:
            raise StoreError(str(listener.refused)) from listener.refused

    async def aclose(self) -> None:
        """Stop listening in the running event loop."""
        listener = self._listeners.pop()
        if listener is not None and listener.task is not None:
            listener.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listener.task

    async def _keep(self, listener: _Listener) -> None:
        """Listen for as long as the loop runs, through every interruption."""
        pause = 0.0
        try:
            while True:
                try:
                    await self._listen(listener)
                except Exception as fault:  # a subscriber's too: the task must go on
                    error = explain(fault)
                    self._outages.note(error)
                    listener.refused = error if isinstance(fault, NoPermissionError) else None
                    pause = 0.05 if listener.was_up else min(_LONGEST_PAUSE, 2 * pause + 0.05)
                listener.was_up, listener.lease = False, 0.0
                listener.has_tried.set()
                self.publish(None)
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  # only spreads load
        finally:
            listener.lease = 0.0
            self.publish(None)
            # A loop that ends cancels its tasks: the last moment to give its connections back.
            await self._server.aclose()

    async def _listen(self, listener: _Listener) -> None:
        connection = await self._server.subscription()
        own = f"{self._channel}:{secrets.token_hex(8)}"
        try:
            async with asyncio.timeout(_CONNECT_WITHIN):
                await connection.connect()  # type: ignore[no-untyped-call]  # redis-py leaves it so
                is_proof = await self._is_proof(connection)
                for channel in (self._channel, own):
                    await connection.send_command("SUBSCRIBE", channel, check_health=False)
                    # A drop that comes in between is not lost: all records go once both stand.
                    while (await connection.read_response(disable_decoding=True))[0] == b"message":
                        pass
            listener.was_up, listener.refused = True, None
            listener.has_tried.set()
            self._outages.end()
            listener.is_pinging.clear()
            listener.link.proved_until = 0.0  # a new subscription, perhaps at another server
            self.publish(None)
            await self._receive(listener, connection, own, is_proof)
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
        self, listener: _Listener, connection: AbstractConnection, own: str, is_proof: bool
    ) -> None:
        """Read, ping and look side by side, until one of them fails; raises that one's fault."""
        sent: deque[float] = deque()
        works = [
            self._read(listener, connection, own.encode(), sent, is_proof),
            self._ping(listener, connection, sent, is_proof),
            self._prove(listener, own),
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
        listener: _Listener,
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
                listener.lease = at + LEASE if is_proof else 0.0
            elif rest[0] == own:
                listener.echo = rest[1].decode()
                listener.has_echo.set()
            elif rest[-1]:  # an empty message is a `ping` of some store
                self.publish(rest[-1].decode())

    async def _ping(
        self,
        listener: _Listener,
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
            if is_proof and now - listener.asked_at < _ASKED_WITHIN:
                listener.is_pinging.set()
                await asyncio.sleep(_PING_EVERY)
                continue
            listener.wake.clear()
            listener.is_quiet = True
            listener.is_pinging.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOST_AFTER if sent else _QUIET_PING_EVERY):
                    await listener.wake.wait()
            listener.is_quiet = False

    async def _prove(self, listener: _Listener, own: str) -> None:
        """Look every second while there are pings, and wait for the echo on the subscription."""
        link = listener.link
        while True:
            await listener.is_pinging.wait()
            begun, echo = monotonic(), secrets.token_hex(8)
            error = await self._primary.look(own, echo)
            if error is None:
                await self._await_echo(listener, echo)
                link.proved_until = begun + GOOD_FOR
            await asyncio.sleep(max(0.0, begun + LOOK_EVERY - monotonic()))

    async def _await_echo(self, listener: _Listener, echo: str) -> None:
        """Wait for an echo; `TimeoutError` means that we listen at another server."""
        async with Deadline(_LOST_AFTER):
            while listener.echo != echo:
                listener.has_echo.clear()
                await listener.has_echo.wait()
