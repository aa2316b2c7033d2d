"""What stays open ends with its session. On real servers: tests/apps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from pwless_middleware import SessionPolicy, User
from pwless_middleware.errors import StoreError
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.web.connections import connection as connections
from pwless_middleware.web.connections import open_connections
from tests.support import Browser, Site, Slow, cookie_header, http_scope, make_site, socket_scope

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
        self.stalls = False
        self.hangs = 0
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
        if self.stalls:
            self.hangs += 1
            await asyncio.get_running_loop().create_future()
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
    async with asyncio.timeout(30):
        while not done():  # noqa: ASYNC110  # the app has no event that a test could await
            await asyncio.sleep(0)


async def anybody(scope: Scope, receive: Receive, send: Send) -> None:
    """Be the app; each connection of a test brings its own along."""
    await scope["extensions"]["app"](scope, receive, send)


async def beside(
    site: Site,
    connection: Open,
    *,
    jo: Browser | None = None,
    email: str = "jo@example.com",
    app: ASGIApp | None = None,
) -> tuple[Browser, asyncio.Task[None]]:
    """Open a connection, of a browser that is signed in or that signs in as `email`."""
    if jo is None:
        jo = site.browser()
        await jo.sign_in(email)
    is_socket = connection.kind == "websocket"
    scope = (socket_scope if is_socket else http_scope)(
        headers=cookie_header(jo), extensions={"app": app or connection.app}
    )
    if is_socket:
        connection.incoming.put_nowait({"type": "websocket.connect"})
    task = asyncio.create_task(site.app(scope, connection.incoming.get, connection.to_server))
    await until(lambda: bool(connection.sent))
    return jo, task


async def opened(
    kind: str = "websocket",
    *,
    app: ASGIApp | None = None,
    content_type: bytes = b"text/event-stream",
    **options: Any,
) -> tuple[Site, Browser, Open, Looks, asyncio.Task[None]]:
    connection, looks = Open(kind, content_type=content_type), Looks()
    site = make_site(anybody, end_streams=True, roomy=True, **options)
    site.passwordless.open_connections._pause = looks.pause
    jo, task = await beside(site, connection, app=app)
    await until(lambda: looks.seen > 0)
    return site, jo, connection, looks, task


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a close that cannot go out be given up soon."""
    monkeypatch.setattr(connections, "END_SECONDS", 0.01)


async def done(*tasks: asyncio.Task[None]) -> None:
    """Wait until the app has returned."""
    async with asyncio.timeout(30):
        await asyncio.gather(*tasks)


async def test_a_socket_is_closed_with_its_session() -> None:
    site, jo, socket, looks, task = await opened()
    await looks.look()
    assert [message["type"] for message in socket.sent] == ["websocket.accept"]
    await jo.post("/auth/logout", {})
    await looks.look()
    await task
    assert socket.sent[-1] == {"type": "websocket.close", "code": 4401, "reason": "signed out"}
    assert socket.got == [socket.got[0]] * 2, "and so it is told, however often it asks"
    assert (socket.got[0]["type"], socket.got[0]["code"]) == ("websocket.disconnect", 4401)
    assert isinstance(socket.after, OSError)
    assert site.sessions == 0


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
    _, jo, download, looks, task = await opened("http", content_type=b"application/zip")
    await jo.post("/auth/logout", {})
    await looks.look()
    await download.send({"type": "http.response.body", "body": b"rest", "more_body": False})
    assert download.sent[-1]["body"] == b"rest"
    download.incoming.put_nowait({"type": "http.disconnect"})
    download.incoming.put_nowait({"type": "http.disconnect"})
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
    site, jo, socket, looks, task = await opened(sessions=policy)
    for _ in range(3):
        site.clock.advance(900)
        socket.incoming.put_nowait({"type": "websocket.receive", "text": "here"})
        await until(lambda: socket.got[-1:] == [{"type": "websocket.receive", "text": "here"}])
        await looks.look()
        socket.got.clear()
    site.clock.advance(900)
    await looks.look()
    site.clock.advance(100)
    await looks.look()
    await task
    assert socket.sent[-1]["code"] == 4401
    assert await jo.who() is None


async def test_while_the_store_is_away_connections_stay() -> None:
    store: Any = Slow(MemoryStore())
    site, jo, socket, looks, task = await opened(store=store)

    async def fail() -> None:
        raise StoreError("no connection")

    store.before["read"] = fail
    site.forget_sessions()
    await looks.look()
    assert len(socket.sent) == 1
    store.before.clear()
    await jo.post("/auth/logout", {})
    await looks.look()
    await task
    assert socket.sent[-1]["code"] == 4401


async def test_a_clock_that_is_wrong_for_a_while_ends_no_looking() -> None:
    site, jo, connection, looks, task = await opened()
    now, site.clock.now = site.clock.now, -1
    await looks.look()
    assert not task.done(), "neither in nor out"
    site.clock.now = now
    assert (await jo.post("/auth/logout", {})).status_code == 303
    await looks.look()
    await until(task.done)
    assert connection.sent[-1]["code"] == 4401


async def test_two_connections_are_looked_at_by_one_task() -> None:
    site, jo, socket, looks, task = await opened()
    second = Open("websocket")
    _, other = await beside(site, second, jo=jo)
    assert looks.seen == 1
    await jo.post("/auth/logout", {})
    await looks.look()
    await asyncio.gather(task, other)
    assert socket.sent[-1]["code"] == second.sent[-1]["code"] == 4401


async def test_looking_ends_with_the_last_connection_and_begins_again_with_the_next() -> None:
    site, jo, socket, looks, task = await opened()
    for _ in range(2):
        socket.incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await done(task)
    await looks.look()
    assert looks.seen == 1
    another = Open("websocket")
    _, task = await beside(site, another, jo=jo)
    await until(lambda: looks.seen == 2)
    await jo.post("/auth/logout", {})
    await looks.look()
    await done(task)
    assert another.sent[-1]["code"] == 4401


async def test_a_response_that_has_not_begun_ends_as_soon_as_it_is_a_stream() -> None:
    begin = asyncio.Event()
    stream = Open("http")

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        stream.sent.append({"type": "called"})
        await begin.wait()
        await stream.app(scope, receive, send)

    site, jo, _, looks, first = await opened()
    _, task = await beside(site, stream, jo=jo, app=late)
    await jo.post("/auth/logout", {})
    await looks.look()
    await done(first)
    begin.set()
    await until(lambda: len(stream.sent) == 2)
    await looks.look()
    await done(task)
    assert stream.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


@pytest.mark.parametrize("headers", [None, 5, [5], [(b"content-type",)], [("a", "b")]])
async def test_a_malformed_start_is_the_servers_to_judge_here_too(headers: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        assert (await receive())["type"] == "http.disconnect"

    _, _, response, _, task = await opened("http", app=app)
    response.incoming.put_nowait({"type": "http.disconnect"})
    await done(task)
    assert response.sent[0]["status"] == 200


async def test_headers_that_are_a_generator_reach_the_server_from_a_stream() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = (pair for pair in [(b"content-type", b"Text/Event-Stream; charset=utf-8")])
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        assert (await receive())["type"] == "http.disconnect"

    _, jo, stream, looks, task = await opened("http", app=app)
    assert (b"content-type", b"Text/Event-Stream; charset=utf-8") in stream.sent[0]["headers"]
    await jo.post("/auth/logout", {})
    await looks.look()
    await done(task)
    assert stream.sent[-1]["more_body"] is False


# --- each ends by itself -------------------------------------------------------------------------


async def test_a_peer_that_reads_nothing_keeps_no_other_connection_open(short: None) -> None:
    site, jo, stalled, looks, task = await opened()
    socket = Open("websocket")
    kim, other = await beside(site, socket, email="kim@example.com")
    stalled.stalls = True
    await jo.post("/auth/logout", {})
    await kim.post("/auth/logout", {})
    await looks.look()
    await done(other)
    assert socket.sent[-1]["code"] == 4401
    await done(task)
    assert stalled.got[0]["code"] == 4401, "its app hears of the end all the same"
    assert stalled.sent == [{"type": "websocket.accept"}]


@pytest.mark.parametrize("kind", ["websocket", "http"])
async def test_an_app_that_hangs_in_send_is_let_go_with_its_session(kind: str, short: None) -> None:
    raised: list[OSError] = []
    connection = Open(kind)
    piece: Message = {"type": "http.response.body", "body": b"x", "more_body": True}
    if kind == "websocket":
        piece = {"type": "websocket.send", "text": "x"}

    async def floods(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        start: Message = {"type": "http.response.start", "status": 200, "headers": headers}
        await send(start if kind == "http" else {"type": "websocket.accept"})
        connection.stalls = True
        try:
            await send(piece)
        except OSError as error:
            raised.append(error)

    site, jo, _, looks, first = await opened()
    _, task = await beside(site, connection, jo=jo, app=floods)
    await until(lambda: connection.hangs == 1)
    await jo.post("/auth/logout", {})
    await looks.look()
    await done(task, first)
    assert len(raised) == 1


@pytest.mark.parametrize("record", [b"\xff no record", b"[1]"])
async def test_an_unreadable_record_keeps_no_other_connection_open(record: bytes) -> None:
    """What its own connection hears is what a request would: nobody in, or not known now."""
    site, _, _, looks, task = await opened()
    assert isinstance(site.store, MemoryStore)
    (key,) = site._keys("s", 22)
    other = Open("websocket")
    kim, ended = await beside(site, other, email="kim@example.com")
    site.store._records[key] = replace(site.store._records[key], value=record)
    site.forget_sessions()
    await kim.post("/auth/logout", {})
    await looks.look()
    await done(ended)
    assert other.sent[-1]["code"] == 4401
    task.cancel()


class Partly(Slow):
    """A store that cannot be asked for some keys, and counts the questions under way."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.bad: dict[str, Callable[[], Any]] = {}
        self.asking = self.most = self.reads = 0

    async def read(self, key: str, *, now: int) -> bytes | None:
        self.asking += 1
        self.reads += 1
        self.most = max(self.most, self.asking)
        try:
            await asyncio.sleep(0)
            if key in self.bad:
                await self.bad[key]()
            return await self.store.read(key, now=now)
        finally:
            self.asking -= 1


async def hangs() -> None:
    await asyncio.get_running_loop().create_future()


async def fails() -> None:
    raise StoreError("this shard is away")


async def breaks() -> None:
    email = "jo@example.com"
    raise ValueError(email)


@pytest.mark.parametrize(("fault", "ends"), [(hangs, False), (fails, False), (breaks, True)])
async def test_a_store_that_does_not_answer_for_one_is_asked_for_the_others(
    fault: Any, ends: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that cannot be asked says neither in nor out; any other error lets nobody in."""
    inner = MemoryStore()
    store = Partly(inner)
    site, _, socket, looks, task = await opened(store=store)
    (record,) = [key for key in inner._records if "}s" in key]
    other = Open("websocket")
    kim, ended = await beside(site, other, email="kim@example.com")
    store.bad[record] = fault
    site.forget_sessions()
    await kim.post("/auth/logout", {})
    for _ in range(3):
        await looks.look()
    await done(ended)
    assert other.sent[-1]["code"] == 4401
    assert [message.get("code") for message in socket.sent] == [None, 4401][: 1 + ends]
    logged = [r for r in caplog.records if r.name == "pwless.connections"]
    assert [r.levelname for r in logged] == ["ERROR"] * ends
    assert "jo@example.com" not in "".join(r.getMessage() for r in logged)
    task.cancel()


async def test_few_questions_are_asked_of_the_store_at_a_time_and_one_for_each_session() -> None:
    store = Partly(MemoryStore())
    site, jo, _, looks, first = await opened(store=store)
    others = [await beside(site, Open("websocket"), jo=jo) for _ in range(3)]
    for n in range(70):
        others += [await beside(site, Open("websocket"), email=f"p{n}@example.com")]
    site.forget_sessions()
    store.most = store.reads = 0
    await looks.look()
    await until(lambda: store.asking == 0)
    assert 1 < store.most <= 32
    assert store.reads == 71
    for task in (first, *(task for _, task in others)):
        task.cancel()


# --- deleted users -------------------------------------------------------------------------------


class Table:
    """A user table that counts how often it is asked for a user."""

    def __init__(self) -> None:
        self.gone: set[str] = set()
        self.loads: list[str] = []
        self.fault: Exception | None = None
        self.answer: Any = None
        self.hangs = False

    async def find(self, email: str) -> User | None:
        return User(id=email, email=email)

    create = find

    async def load(self, user_id: str) -> User | None:
        self.loads.append(user_id)
        if self.fault is not None:
            raise self.fault
        if self.hangs:
            await hangs()
        if self.answer is not None:
            return self.answer  # type: ignore[no-any-return]  # a mistake of the host's
        return None if user_id in self.gone else User(id=user_id, email=user_id)


async def rounds(looks: Looks, number: int = 1) -> None:
    """Let so many rounds of loading pass."""
    for _ in range(3 * number):
        await looks.look()


async def test_a_deleted_users_sockets_end_though_the_session_stands() -> None:
    table = Table()
    site, jo, socket, looks, task = await opened(users=table)
    second, other = Open("websocket"), Open("websocket")
    _, both = await beside(site, second, jo=jo)
    _, stays = await beside(site, other, email="kim@example.com")
    table.gone.add("jo@example.com")
    table.loads.clear()
    await rounds(looks)
    await done(task, both)
    assert socket.sent[-1]["code"] == second.sent[-1]["code"] == 4401
    assert len(other.sent) == 1
    assert site.sessions == 2, "its sessions are the host's to revoke"
    assert sorted(table.loads) == ["jo@example.com", "kim@example.com"], "once for each user"
    stays.cancel()


@pytest.mark.parametrize("fault", ["raises", "hangs"])
async def test_while_the_user_table_is_away_connections_stay(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_connections, "STORE_SECONDS", 0.01)
    table = Table()
    _, _, socket, looks, task = await opened(users=table)
    table.fault = ConnectionError("the database is away") if fault == "raises" else None
    table.hangs = fault == "hangs"
    table.loads.clear()
    await rounds(looks)
    assert table.loads
    assert len(socket.sent) == 1
    await asyncio.sleep(0.05)
    table.fault, table.hangs = None, False
    table.gone.add("jo@example.com")
    await rounds(looks)
    await done(task)
    assert socket.sent[-1]["code"] == 4401


async def test_a_table_that_answers_with_no_user_lets_nobody_in() -> None:
    table = Table()
    _, _, socket, looks, task = await opened(users=table)
    table.answer = {"id": "jo@example.com"}
    await rounds(looks)
    await done(task)
    assert socket.sent[-1]["code"] == 4401


async def test_a_round_loads_a_bounded_number_of_users_and_begins_with_the_longest_unseen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(open_connections, "LOADS_PER_ROUND", 2)
    table = Table()
    site, _, _, looks, first = await opened(users=table)
    names = ("ana", "bo", "cy")
    others = [await beside(site, Open("websocket"), email=f"{n}@example.com") for n in names]
    table.loads.clear()
    await rounds(looks)
    assert table.loads == ["jo@example.com", "ana@example.com"]
    await rounds(looks)
    assert table.loads[2:] == ["bo@example.com", "cy@example.com"]
    for task in (first, *(task for _, task in others)):
        task.cancel()


async def test_a_round_waits_for_the_one_before_it() -> None:
    table = Table()
    _, _, _, looks, task = await opened(users=table)
    table.loads.clear()
    table.hangs = True
    await rounds(looks, 3)
    assert len(table.loads) == 1
    task.cancel()


# --- no message is lost, and a client that left is noticed ---------------------------------------


async def test_a_message_that_comes_as_a_handler_gives_up_waiting_is_the_next_ones() -> None:
    """`asyncio.wait_for` cancels what it waits for; the message may be on its way by then."""
    got: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        await socket.accept()
        while len(got) < 200:
            try:
                got.append(await asyncio.wait_for(socket.receive_text(), 0.001))
            except TimeoutError:
                continue

    async def slow_receive() -> Message:
        """Be a server whose messages are lost where a call is cancelled between two steps."""
        message = await incoming.get()
        await asyncio.sleep(0.001)
        return message

    site, jo, _, _, first = await opened()
    incoming: asyncio.Queue[Message] = asyncio.Queue()
    incoming.put_nowait({"type": "websocket.connect"})
    for n in range(200):
        incoming.put_nowait({"type": "websocket.receive", "text": str(n)})
    scope = socket_scope(headers=cookie_header(jo), extensions={"app": app})
    await done(asyncio.create_task(site.app(scope, slow_receive, Open("websocket").to_server)))
    assert got == [str(n) for n in range(200)]
    first.cancel()


async def test_two_that_receive_at_once_get_one_message_each() -> None:
    got: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        await socket.accept()
        got.extend(await asyncio.gather(socket.receive_text(), socket.receive_text()))

    _, _, socket, _, task = await opened(app=app)
    for text in ("a", "b"):
        socket.incoming.put_nowait({"type": "websocket.receive", "text": text})
    await done(task)
    assert sorted(got) == ["a", "b"]


async def test_the_session_ends_for_all_that_receive() -> None:
    ended: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        await socket.accept()

        async def wait() -> None:
            try:
                await socket.receive_text()
            except WebSocketDisconnect as gone:
                ended.append(gone.code)

        await asyncio.gather(wait(), wait(), wait())

    _, jo, _, looks, task = await opened(app=app)
    await jo.post("/auth/logout", {})
    await looks.look()
    await done(task)
    assert ended == [4401] * 3


async def test_nothing_waits_at_the_server_once_the_app_has_returned() -> None:
    waits: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(receive(), 0.3)
        assert waits == ["begins"]

    site, jo, _, _, first = await opened()
    incoming = [{"type": "websocket.connect"}]

    async def receive() -> Message:
        if incoming:
            return incoming.pop()
        waits.append("begins")
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            waits.append("given up")
            raise ConnectionError("as some servers do")

    scope = socket_scope(headers=cookie_header(jo), extensions={"app": app})
    await site.app(scope, receive, Open("websocket").to_server)
    await until(lambda: waits == ["begins", "given up"])
    first.cancel()


@pytest.mark.parametrize("kind", ["websocket", "http"])
@pytest.mark.parametrize("verb", ["receive", "send"])
@pytest.mark.parametrize("error", [TimeoutError("the server's own"), RuntimeError("closed")])
async def test_what_the_server_raises_reaches_the_app_as_it_is(
    kind: str, verb: str, error: Exception
) -> None:
    raised: list[Exception] = []

    async def broken(*_: Message) -> Message:
        raise error

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await (receive() if verb == "receive" else send({"type": "websocket.send"}))
        except Exception as caught:
            raised.append(caught)

    site, jo, _, _, first = await opened()
    scope = (socket_scope if kind == "websocket" else http_scope)(
        headers=cookie_header(jo), extensions={"app": app}
    )
    await site.app(scope, broken, broken)  # type: ignore[arg-type]
    assert raised == [error]
    first.cancel()


async def test_a_long_poll_sees_at_once_that_its_client_has_left() -> None:
    """Starlette looks with a scope that is cancelled already: only what is there at once counts."""
    seen: list[bool] = []
    left = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        seen.append(await request.is_disconnected())
        left.set()
        seen.append(await request.is_disconnected())

    site, jo, _, _, first = await opened()
    body: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if body:
            return body.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    scope = http_scope(headers=cookie_header(jo), extensions={"app": app})
    await site.app(scope, receive, Open("http").to_server)
    assert seen == [False, True]
    first.cancel()
