"""SMTP servers on the test's own loop: aiosmtpd for what is ordinary, a script for what breaks."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from pwless_middleware.delivery.base import Message
from tests.ports import free_port


@pytest.fixture
def message() -> Message:
    """A mail as the flows would render it."""
    return Message(
        to="ann@example.org",
        subject="Sign in to Acme",
        text="Your code:\n\n123456\n",
        html="<p>Your code: <b>123456</b></p>\n",
    )


@dataclass
class Recorder:
    """Keep what an aiosmtpd server accepts."""

    envelopes: list[Envelope] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)
    is_tls: list[bool] = field(default_factory=list)
    helos: list[str] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        self.connections.add(session.peer)
        self.is_tls.append(session.ssl is not None)
        self.helos.append(str(session.host_name))
        return "250 2.0.0 taken"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        """Accept the one login that the tests use."""
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(
            success=data == LoginPassword(b"us:er", b"p@ss/w\xc3\xb6rd"), handled=False
        )


@dataclass
class Script:
    """Speak SMTP by a table of verb → reply.

    The reply `hang` answers nothing and keeps the connection open, `close` hangs up without a word.

    `GREETING` is what is said first, `MESSAGE` the answer to the final dot. A list is used up one
    reply after the other, its last one for good.
    """

    replies: dict[str, str | list[str]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    seen: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def _reply(self, verb: str, default: str) -> str:
        reply = self.replies.get(verb, default)
        if isinstance(reply, list):
            return reply.pop(0) if len(reply) > 1 else reply[0]
        return reply

    async def _say(self, writer: asyncio.StreamWriter, reply: str) -> bool:
        """Answer; return whether the conversation goes on."""
        if reply == "hang":
            await asyncio.Event().wait()
        if reply == "close":
            return False
        writer.write(reply.encode() + b"\r\n")
        await writer.drain()
        return True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one conversation."""
        self.connections += 1
        self._writers.append(writer)
        defaults = {"DATA": "354 go on", "QUIT": "221 bye", "EHLO": "250 script"}
        try:
            goes_on = await self._say(writer, self._reply("GREETING", "220 script"))
            while goes_on and (line := await reader.readline()):
                command = line.decode("latin-1").strip()
                verb = command.partition(" ")[0].upper()
                self.commands.append(command)
                self.seen.set()
                reply = self._reply(verb, defaults.get(verb, "250 ok"))
                goes_on = await self._say(writer, reply)
                if goes_on and reply.startswith("354"):
                    self.messages.append(await reader.readuntil(b"\r\n.\r\n"))
                    goes_on = await self._say(writer, self._reply("MESSAGE", "250 taken"))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def hang_up(self) -> None:
        """Drop every connection, as a server does that is restarted."""
        for writer in self._writers:
            writer.transport.abort()


StartSMTP = Callable[..., Awaitable[int]]
StartScript = Callable[..., Awaitable[Script]]


@pytest.fixture
def recorder() -> Recorder:
    """What an aiosmtpd server is given to keep mails in."""
    return Recorder()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority of our own."""
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A server's context, with a certificate for localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A client's context that trusts our authority and no other."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def unused_tcp_port() -> int:
    """A port of this machine on which nobody listens."""
    return free_port()


@pytest.fixture
def script() -> Script:
    """A scripted server that is not started, for tests that bring their own loop."""
    return Script()


@pytest.fixture
async def start_smtp() -> AsyncIterator[StartSMTP]:
    """Start aiosmtpd servers on this loop, and stop them afterwards; gives the port."""
    servers: list[asyncio.Server] = []
    made: list[SMTP] = []

    async def start(
        recorder: Recorder, *, implicit_tls: ssl.SSLContext | None = None, **options: Any
    ) -> int:
        def make() -> SMTP:
            smtp = SMTP(recorder, hostname="localhost", **options)
            made.append(smtp)
            return smtp

        loop = asyncio.get_running_loop()
        server = await loop.create_server(make, "127.0.0.1", 0, ssl=implicit_tls)
        servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    yield start
    for server in servers:
        server.close()
    for smtp in made:
        if smtp.transport is not None:
            cast(asyncio.WriteTransport, smtp.transport).abort()
    for server in servers:
        await server.wait_closed()
    await asyncio.sleep(0)


@pytest.fixture
async def start_script() -> AsyncIterator[StartScript]:
    """Start scripted servers on this loop, and stop them afterwards."""
    servers: list[asyncio.Server] = []
    tasks: set[asyncio.Task[None]] = set()

    async def start(**replies: str | list[str]) -> Script:
        script = Script(replies=dict(replies))

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await script.serve(reader, writer)
            except asyncio.CancelledError:
                pass  # the end of the test; asyncio's streams would report it as an error
            finally:
                tasks.discard(task)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        script.port = server.sockets[0].getsockname()[1]
        return script

    yield start
    for server in servers:
        server.close()
    for task in list(tasks):
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for server in servers:
        await server.wait_closed()
