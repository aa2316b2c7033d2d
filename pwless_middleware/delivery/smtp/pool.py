"""The connections of one event loop: how many may be busy, and which wait for the next message.

A connection belongs to the loop that opened it. A mailer lives longer than that where a test client
runs each request in a loop of its own, so that a pool has to notice the end of its loop by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import aiosmtplib

_QUIT_SECONDS = 1.0  # manners at shutdown, not worth more of anybody's time


def discard(client: aiosmtplib.SMTP | None) -> None:
    """Drop a connection at once: no QUIT, and no wait for the peer's TLS farewell."""
    if client is None:
        return
    if client.transport is not None:
        client.transport.abort()  # type: ignore[attr-defined] # always a write transport
    client.close()


class Pool:
    """Hold the connections of one event loop. Made and used inside that loop only.

    Args:
        connections: how many may be busy at a time: `slots` is the semaphore to hold meanwhile.
        idle: seconds for which an unused one is kept.
    """

    def __init__(self, *, connections: int, idle: float) -> None:
        self.slots = asyncio.Semaphore(connections)
        self._idle_seconds = idle
        self._loop = asyncio.get_running_loop()
        self._idle: list[tuple[aiosmtplib.SMTP, asyncio.TimerHandle]] = []
        self._is_closed = False
        self._at_exit = self._until_loop_ends()

    async def watch_loop(self) -> None:
        """Have idle connections closed when the loop ends, also where nobody calls `aclose`.

        `asyncio.run` and its like close every started async generator as their last act; a loop
        that lives for one request (Starlette's TestClient) has no other farewell.
        """
        await anext(self._at_exit)

    async def _until_loop_ends(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self._is_closed = True
            for client in self._take_all():
                discard(client)
            await asyncio.sleep(0)  # an abort takes effect in the loop's next round

    def take(self) -> aiosmtplib.SMTP | None:
        """Return the connection used last that still looks alive, or `None`."""
        while self._idle:
            client, timer = self._idle.pop()
            timer.cancel()
            if client.is_connected:
                return client
        return None

    def give(self, client: aiosmtplib.SMTP) -> None:
        """Keep a connection in good order for the next message."""
        if self._is_closed or not client.is_connected:
            discard(client)
            return
        timer = self._loop.call_later(self._idle_seconds, self._expire, client)
        self._idle.append((client, timer))

    def _expire(self, client: aiosmtplib.SMTP) -> None:
        self._idle = [kept for kept in self._idle if kept[0] is not client]
        discard(client)

    def _take_all(self) -> list[aiosmtplib.SMTP]:
        clients = []
        while (client := self.take()) is not None:
            clients.append(client)
        return clients

    async def aclose(self) -> None:
        """Say goodbye on every idle connection, and keep none from now on."""
        self._is_closed = True
        for client in self._take_all():
            try:
                async with asyncio.timeout(_QUIT_SECONDS):
                    await client.quit(timeout=None)
            except (aiosmtplib.SMTPException, OSError):
                pass  # it was to go anyway
            finally:
                discard(client)
        await self._at_exit.aclose()
