"""One open connection of a person who is signed in, between the server and the app.

While the session lives, messages pass unread. When it ends, `end` closes the connection towards
the server, and the app is told by what it waits for: `receive` gives the disconnect, `send` raises.
Both come after our close has gone out, or after a second if it cannot go out, since an app that
hears of the end and returns would let the server close without a code.

A socket's messages come once, so none may be lost where an app stops waiting (a handler that waits
with a timeout). The wait for the server is therefore a task of its own, which outlives the app's
call and hands its message to the next one. A response has only the rest of its body and the
disconnect to wait for; there the app waits at the server itself, so that a look whether the client
has left (Starlette's `request.is_disconnected()`) is answered at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from typing import Any

from starlette.types import Message, Receive, Send

logger = logging.getLogger("pwless.connections")

END_SECONDS = 1.0
"""How long a close may take before the app is told without it: a peer that reads nothing more."""
SESSION_ENDED = 4401
"""Close code of a socket whose session is over (4000 to 4999 are an application's own)."""


class Connection:
    """Pass the messages of one connection until its session ends.

    Args:
        receive, send: the server's.
        signed: the cookie value or token of the session.
        user_id: whose session it is.
        is_socket: whether it is a websocket, or an http response that may become a stream.

    Attributes:
        was_used: whether a message has come from the client; whoever looks may set it back.
        is_stream: whether it stays open by its nature: a socket, or an event stream that has begun.
        may_stay_open: false once it is known to be an ordinary response.
    """

    def __init__(
        self, receive: Receive, send: Send, *, signed: str, user_id: str, is_socket: bool
    ) -> None:
        self.signed = signed
        self.user_id = user_id
        self.was_used = False
        self.is_stream = is_socket
        self.may_stay_open = True
        self._server_receive = receive
        self._server_send = send
        self._is_socket = is_socket
        self._is_ending = False
        self._ended = asyncio.Event()
        self._receives: set[asyncio.Timeout] = set()
        self._sends: set[asyncio.Timeout] = set()
        self._next: asyncio.Task[Message] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def receive(self) -> Message:
        """Return the server's next message, or the disconnect that the session's end is."""
        if not self._is_ending:
            try:
                async with asyncio.timeout(None) as wait:
                    self._receives.add(wait)
                    try:
                        message = await self._receive()
                    finally:
                        self._receives.discard(wait)
            except TimeoutError:
                if not wait.expired():
                    raise
            else:
                self.was_used = True
                return message
        await self._ended.wait()
        if self._is_socket:
            return {"type": "websocket.disconnect", "code": SESSION_ENDED, "reason": "signed out"}
        return {"type": "http.disconnect"}

    async def _receive(self) -> Message:
        if not self._is_socket:
            return await self._server_receive()
        async with self._one_at_a_time:
            if self._next is None:
                self._next = asyncio.ensure_future(self._server_receive())
            if not self._next.done():
                await asyncio.wait({self._next})
            # From here to the app's own code nothing waits, so nothing can be cancelled.
            message, self._next = self._next, None
            return message.result()

    async def send(self, message: Message) -> None:
        """Pass the app's message on.

        Raises:
            OSError: the session is over; what ASGI servers raise on a closed connection. Also from
                a call that waits for a peer that reads nothing.
        """
        if self._is_ending:
            await self._ended.wait()
            raise OSError("the session of this connection is over")
        if message["type"] == "http.response.start":
            message = _with_listed_headers(message)
            self.is_stream = self.may_stay_open = _is_event_stream(message)
        if not self.may_stay_open:
            await self._server_send(message)
            return
        try:
            async with asyncio.timeout(None) as wait:
                self._sends.add(wait)
                try:
                    await self._server_send(message)
                finally:
                    self._sends.discard(wait)
        except TimeoutError:
            if not wait.expired():
                raise
            raise OSError("the session of this connection is over") from None

    async def end(self) -> None:
        """End the connection from our side, within a second.

        A socket is ended even before it is accepted. What the app waits for at the server is given
        up first: one server (granian) sends nothing while somebody receives.
        """
        self._is_ending = True
        _expire(self._receives)
        self.close()
        message: Message = {"type": "http.response.body", "body": b"", "more_body": False}
        if self._is_socket:
            message = {"type": "websocket.close", "code": SESSION_ENDED, "reason": "signed out"}
        closing = asyncio.ensure_future(self._server_send(message))
        await asyncio.wait({closing}, timeout=END_SECONDS)
        _dismiss(closing)
        self._ended.set()
        _expire(self._sends)

    def close(self) -> None:
        """Stop waiting for the server; the app has returned, or the connection ends."""
        if self._next is not None:
            _dismiss(self._next)


def _with_listed_headers(start: Message) -> Message:
    """Return the message with headers that can be read twice: an app may give a generator."""
    headers = start.get("headers")
    return {**start, "headers": [*headers]} if isinstance(headers, Iterator) else start


def _is_event_stream(start: Message) -> bool:
    try:
        types = [h[1].lower() for h in start.get("headers", ()) if h[0].lower() == b"content-type"]
        return any(value.startswith(b"text/event-stream") for value in types)
    except (AttributeError, IndexError, TypeError):
        return False  # malformed: the server checks it, as it would without us


def _expire(waits: Iterable[asyncio.Timeout]) -> None:
    for wait in waits:
        wait.reschedule(0)


def _dismiss(task: asyncio.Future[Any]) -> None:
    """Cancel what nobody waits for any more; how it ends is of no interest but for a debug line."""
    task.cancel()
    task.add_done_callback(_note)


def _note(task: asyncio.Future[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        # It was closing by itself; a server may say so in any way.
        logger.debug("a connection was gone already: %r", error)
