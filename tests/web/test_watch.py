"""What stays open ends with its session. On real servers: tests/apps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from pwless_middleware import SessionPolicy
from pwless_middleware.errors import StoreError
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.web.watch import Watch
from tests.support import Browser, House, Slow, cookie_header, house, http_scope, socket_scope

pytestmark = pytest.mark.anyio


class Open:
    """One connection that stays open, seen from the server's side and from the app's."""

    def __init__(self, kind: str, *, content_type: bytes = b"text/event-stream") -> None:
        self.kind = kind
        self.content_type = content_type
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[Message] = []
        self.got: list[Message] = []
        self.broken = False
        self.after: Exception | None = None
        self.send: Send

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.send = send
        headers = [(b"Content-Type", self.content_type)]
        begin: Message = {"type": "http.response.start", "status": 200, "headers": headers}
        if self.kind == "websocket":
            await receive()
            begin = {"type": "websocket.accept"}
        await send(begin)
        while True:
            message = await receive()
            self.got.append(message)
            if message["type"].endswith("disconnect"):
                break
        try:
            await send({"type": "websocket.send", "text": "one more"})
        except OSError as error:
            self.after = error
        self.got.append(await receive())

    async def to_server(self, message: Message) -> None:
        if self.broken and message["type"] == "websocket.close":
            raise RuntimeError("the transport is gone")
        self.sent.append(message)


class Looks:
    """Let the watch look when the test says so."""

    def __init__(self) -> None:
        self.gate = asyncio.Semaphore(0)
        self.seen = 0

    async def pause(self, seconds: float) -> None:
        assert seconds <= 0.5, "within a second of the session's end"
        self.seen += 1
        await self.gate.acquire()

    async def look(self) -> None:
        """Let one look be taken, and whatever follows from it at once."""
        self.gate.release()
        for _ in range(100):
            await asyncio.sleep(0)


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110  # the app has no event that a test could await
            await asyncio.sleep(0)


async def opened(
    kind: str = "websocket", **options: Any
) -> tuple[House, Browser, Open, Looks, asyncio.Task[None]]:
    connection, looks = Open(kind), Looks()
    home = house(connection.app, end_streams=True, roomy=True, **options)
    home.passwordless.watch = Watch(home.passwordless.sessions, pause=looks.pause)
    jo = home.browser()
    await jo.sign_in("jo@example.com")
    scope = socket_scope() if kind == "websocket" else http_scope()
    scope["headers"] = cookie_header(jo)
    if kind == "websocket":
        connection.incoming.put_nowait({"type": "websocket.connect"})
    task = asyncio.create_task(home.app(scope, connection.incoming.get, connection.to_server))
    await until(lambda: bool(connection.sent) and looks.seen > 0)
    return home, jo, connection, looks, task


async def test_a_socket_is_closed_with_its_session() -> None:
    home, jo, socket, looks, task = await opened()
    await looks.look()
    assert [message["type"] for message in socket.sent] == ["websocket.accept"]
    await jo.post("/auth/logout", {})
    await looks.look()
    await task
    assert socket.sent[-1] == {"type": "websocket.close", "code": 4401, "reason": "signed out"}
    assert socket.got == [socket.got[0]] * 2, "and so it is told, however often it asks"
    assert (socket.got[0]["type"], socket.got[0]["code"]) == ("websocket.disconnect", 4401)
    assert isinstance(socket.after, OSError)
    assert home.sessions == 0


async def test_a_transport_that_is_gone_is_no_failure_of_ours() -> None:
    _, jo, socket, looks, task = await opened()
    socket.broken = True
    await jo.post("/auth/logout", {})
    await looks.look()
    await task
    assert socket.got[0]["code"] == 4401


async def test_an_event_stream_is_ended_with_its_session() -> None:
    _, jo, stream, looks, task = await opened("http")
    await jo.post("/auth/logout", {})
    await looks.look()
    await task
    assert stream.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert stream.got[0] == {"type": "http.disconnect"}


async def test_a_download_goes_on_to_its_end() -> None:
    """It began before the session ended, and half of it helps nobody."""
    connection, looks = Open("http", content_type=b"application/zip"), Looks()
    home = house(connection.app, end_streams=True)
    home.passwordless.watch = Watch(home.passwordless.sessions, pause=looks.pause)
    jo = home.browser()
    await jo.sign_in("jo@example.com")
    scope = http_scope(headers=cookie_header(jo))
    task = asyncio.create_task(home.app(scope, connection.incoming.get, connection.to_server))
    await until(lambda: bool(connection.sent))
    await jo.post("/auth/logout", {})
    await looks.look()
    await connection.send({"type": "http.response.body", "body": b"rest", "more_body": False})
    assert connection.sent[-1]["body"] == b"rest"
    connection.incoming.put_nowait({"type": "http.disconnect"})
    connection.incoming.put_nowait({"type": "http.disconnect"})
    await task


async def test_messages_pass_both_ways_while_the_session_lives() -> None:
    _, _, socket, looks, task = await opened()
    text = {"type": "websocket.receive", "text": "hello"}
    socket.incoming.put_nowait(text)
    await until(lambda: socket.got == [text])
    await socket.send({"type": "websocket.send", "text": "back"})
    assert socket.sent[-1] == {"type": "websocket.send", "text": "back"}
    await looks.look()
    for _ in range(2):
        socket.incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await task
    assert socket.got[-1]["code"] == 1000


async def test_a_socket_that_speaks_keeps_its_session_awake_and_a_silent_one_does_not() -> None:
    policy = SessionPolicy(idle=1000, absolute=86400)
    home, jo, socket, looks, task = await opened(sessions=policy)
    for _ in range(3):
        home.clock.advance(900)
        socket.incoming.put_nowait({"type": "websocket.receive", "text": "here"})
        await until(lambda: socket.got[-1:] == [{"type": "websocket.receive", "text": "here"}])
        await looks.look()
        socket.got.clear()
    home.clock.advance(900)
    await looks.look()
    home.clock.advance(100)
    await looks.look()
    await task
    assert socket.sent[-1]["code"] == 4401
    assert await jo.who() is None


async def test_while_the_store_is_away_connections_stay() -> None:
    store: Any = Slow(MemoryStore())
    home, jo, socket, looks, task = await opened(store=store)

    async def fail() -> None:
        raise StoreError("no connection")

    store.before["read"] = fail
    home.passwordless.sessions._forget(None)
    await looks.look()
    assert len(socket.sent) == 1
    store.before.clear()
    await jo.post("/auth/logout", {})
    await looks.look()
    await task
    assert socket.sent[-1]["code"] == 4401


async def test_two_connections_are_looked_at_by_one_task() -> None:
    home, jo, socket, looks, task = await opened()
    second = Open("websocket")
    second.incoming.put_nowait({"type": "websocket.connect"})
    scope = socket_scope(headers=cookie_header(jo))
    other = asyncio.create_task(home.app(scope, second.incoming.get, second.to_server))
    await until(lambda: bool(second.sent))
    assert looks.seen == 1
    await jo.post("/auth/logout", {})
    await looks.look()
    await asyncio.gather(task, other)
    assert socket.sent[-1]["code"] == second.sent[-1]["code"] == 4401
