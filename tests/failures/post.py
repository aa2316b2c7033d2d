"""A real SMTP server in a thread, which may be slow, greylist, refuse, or be gone.

    post = Post()
    post.open()
    post.mails("jo@example.com")

In a thread, so that servers in other processes reach it whatever loop a test runs in.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from pwless_middleware.delivery.outbox import OutboxMessage
from tests.ports import free_port

TAKEN = "250 2.0.0 taken"
Answer = Callable[[str, str], Awaitable[str]]
"""From recipient and the client's HELO name to the reply to its message."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail that was taken: to whom, when (monotonic), by which process, with what inside."""

    to: str
    at: float
    helo: str
    code: str
    link: str


async def take(to: str, helo: str) -> str:
    """Take every mail."""
    return TAKEN


class Post:
    """Be the mail server that tests read from.

    Args:
        answer: decides on each message; `take` unless given. May be changed at any time.

    Attributes:
        port: where it listens, also while it is closed.
        asked: recipient and HELO name of every message that came, taken or not.
    """

    def __init__(self, answer: Answer = take) -> None:
        self.answer = answer
        self.port = free_port()
        self.asked: list[tuple[str, str]] = []
        self.taken: list[Mail] = []
        self._by_address: dict[str, list[Mail]] = {}
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Transport] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The URL for `SMTPMailer`."""
        return f"smtp://127.0.0.1:{self.port}"

    def mails(self, to: str) -> list[Mail]:
        """Return what was taken for an address, oldest first."""
        return list(self._by_address.get(to, ()))

    def open(self) -> None:
        """Listen."""
        self._do(self._open())

    def shut(self) -> None:
        """Stop listening, and hang up on everybody: connections are refused from now on."""
        self._do(self._shut())

    def close(self) -> None:
        """End it for good."""
        self._do(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Answer to a message, and keep it if it is taken."""
        to, helo = str(envelope.rcpt_tos[0]), str(session.host_name)
        self.asked.append((to, helo))
        reply = await self.answer(to, helo)
        if reply.startswith("250"):
            assert isinstance(envelope.content, bytes)
            mail = _read(to, helo, envelope.content)
            self.taken.append(mail)
            self._by_address.setdefault(to, []).append(mail)
        return reply

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self) -> None:
        if self._server is None:
            self._server = await self._loop.create_server(self._connected, "127.0.0.1", self.port)

    def _connected(self) -> SMTP:
        post = self

        class Connection(SMTP):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                post._connections.add(transport)  # type: ignore[arg-type]

            def connection_lost(self, error: Exception | None) -> None:
                post._connections.discard(self.transport)
                super().connection_lost(error)

        return Connection(self, loop=self._loop, hostname="post.test")

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for transport in list(self._connections):
            transport.abort()
        await asyncio.sleep(0)


def _read(to: str, helo: str, content: bytes) -> Mail:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    assert body is not None
    seen = OutboxMessage(to=to, subject="", text=body.get_content(), html="")
    return Mail(to, time.monotonic(), helo, seen.code or "", seen.link or "")
