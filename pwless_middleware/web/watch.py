"""What stays open ends with its session: sockets always, event streams where that is wanted.

One task in each event loop looks at every open connection, twice a second, and costs no I/O while
the store's feed vouches for what is held in process. A connection that has heard from its client
since the last look counts as use of its session; one that only stays open does not, so that a
forgotten tab keeps nobody signed in. While the store cannot be asked, connections stay: that is
neither "in" nor "out".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import Context
from weakref import WeakKeyDictionary

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pwless_middleware.errors import StoreError
from pwless_middleware.flows.sessions import Sessions

logger = logging.getLogger("pwless.watch")

LOOK_SECONDS = 0.5
"""Between two looks; with the feed's 100 ms this closes within a second."""
SESSION_ENDED = 4401
"""Close code of a socket whose session is over (4000 to 4999 are an application's own)."""


class Watch:
    """End open connections when their sessions end.

    Args:
        sessions: says whether a session lives.
        pause: waits between two looks.
    """

    def __init__(
        self, sessions: Sessions, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._sessions = sessions
        self._pause = pause
        self._open: WeakKeyDictionary[asyncio.AbstractEventLoop, Looker] = WeakKeyDictionary()

    async def serve(
        self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, *, signed: str
    ) -> None:
        """Run the app on a connection that ends with the session of `signed`."""
        connection = Connection(receive, send, signed, is_socket=scope["type"] == "websocket")
        loop = asyncio.get_running_loop()
        looker = self._open.get(loop)
        if looker is None:
            looker = self._open[loop] = Looker(self._sessions, self._pause)
        looker.connections.add(connection)
        if looker.task is None or looker.task.done():
            looker.task = loop.create_task(looker.look(), context=Context())
        try:
            await app(scope, connection.receive, connection.send)
        finally:
            looker.connections.discard(connection)


class Looker:
    """Look at the open connections of one event loop, until the last one is gone."""

    def __init__(self, sessions: Sessions, pause: Callable[[float], Awaitable[None]]) -> None:
        self.connections: set[Connection] = set()
        self.task: asyncio.Task[None] | None = None
        self._sessions = sessions
        self._pause = pause

    async def look(self) -> None:
        """End every connection whose session is over, and do so twice a second."""
        while self.connections:
            await self._pause(LOOK_SECONDS)
            try:
                for connection in list(self.connections):
                    if not await self._lives(connection) and await connection.end():
                        self.connections.discard(connection)
            except StoreError as error:
                logger.debug("connections stay open for now, the store cannot be asked: %s", error)

    async def _lives(self, connection: Connection) -> bool:
        if not connection.was_used:
            return await self._sessions.lives(connection.signed)
        connection.was_used = False
        return await self._sessions.find(connection.signed) is not None


class Connection:
    """Stand between the server and the app on one connection.

    Args:
        receive, send: the server's.
        signed: the cookie value or token of the session.
        is_socket: whether it is a websocket, or an http response that streams.
    """

    def __init__(self, receive: Receive, send: Send, signed: str, *, is_socket: bool) -> None:
        self.signed = signed
        self.was_used = False
        self._receive = receive
        self._send = send
        self._is_socket = is_socket
        self._is_stream = is_socket
        self._ending = asyncio.Event()
        self._ended = asyncio.Event()

    async def receive(self) -> Message:
        """Give the server's next message, or the disconnect that the session's end is.

        The disconnect comes after our close has gone out: an app that hears of it and returns would
        let the server close without a code. The wait for the server's message is given up before,
        since one server (granian) sends nothing while somebody waits there.
        """
        if self._ending.is_set():
            return await self._goodbye()
        message = asyncio.ensure_future(self._receive())
        ending = asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait({message, ending}, return_when=asyncio.FIRST_COMPLETED)
            if message.done():
                self.was_used = True
                return message.result()
        finally:
            ending.cancel()
            message.cancel()
        return await self._goodbye()

    async def send(self, message: Message) -> None:
        """Pass the app's message on.

        Raises:
            OSError: the session is over; what ASGI servers raise on a closed connection.
        """
        if self._ending.is_set():
            raise OSError("the session of this connection is over")
        if message["type"] == "http.response.start":
            types = [v for key, v in message.get("headers", ()) if key.lower() == b"content-type"]
            self._is_stream = any(value.startswith(b"text/event-stream") for value in types)
        await self._send(message)

    async def end(self) -> bool:
        """End the connection from our side, if it is one that stays open; say whether it was.

        A response that has not begun may still become a stream, so it is looked at again. A socket
        is ended even before it is accepted.
        """
        if not self._is_stream:
            return False
        self._ending.set()
        closing: Message = {"type": "http.response.body", "body": b"", "more_body": False}
        if self._is_socket:
            closing = {"type": "websocket.close", "code": SESSION_ENDED, "reason": "signed out"}
        try:
            await self._send(closing)
        except Exception as error:
            # It was closing by itself; a server may say so in any way.
            logger.debug("a connection was gone already: %r", error)
        finally:
            self._ended.set()
        return True

    async def _goodbye(self) -> Message:
        await self._ended.wait()
        if self._is_socket:
            return {"type": "websocket.disconnect", "code": SESSION_ENDED, "reason": "signed out"}
        return {"type": "http.disconnect"}
