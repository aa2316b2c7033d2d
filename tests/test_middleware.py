"""What a pure ASGI middleware owes the app behind it, one test for each promise."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import json
import pickle
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi import Request as FastAPIRequest
from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from pwless_middleware import Outbox, PasswordlessMiddleware, requires_fresh
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.flows import store_deadline
from pwless_middleware.stores.memory import MemoryStore
from tests.support import (
    BASE,
    KEY,
    Browser,
    Site,
    Slow,
    cookie_header,
    http_scope,
    led_to,
    make_site,
    run,
    socket_scope,
)

pytestmark = pytest.mark.anyio


async def inside(app: ASGIApp, **options: Any) -> tuple[Site, Browser]:
    """Put an app behind the login, and sign somebody in."""
    site = make_site(app, **options)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    return site, jo


async def ok(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer everything with an empty 200."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


# --- scope types ---------------------------------------------------------------------------------


class Watched(Outbox):
    """A mailer that knows whether it was closed."""

    closed = 0

    async def aclose(self) -> None:
        self.closed += 1


class WatchedStore(MemoryStore):
    """A store that knows whether it was opened and closed."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []

    async def open(self) -> None:
        self.events.append("open")

    async def aclose(self) -> None:
        self.events.append("close")


async def test_lifespan_passes_and_opens_and_closes_what_is_ours() -> None:
    events: list[str] = []
    mailer, store = Watched(), WatchedStore()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "lifespan"
        assert "method" not in scope
        scope["state"]["db"] = "connected"
        events.append((await receive())["type"])
        events.append(f"store {store.events}")
        await send({"type": "lifespan.startup.complete"})
        events.append((await receive())["type"])
        await send({"type": "lifespan.shutdown.complete"})

    site = make_site(app, outbox=mailer, store=store)
    scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    sent = await run(site.app, scope)
    assert events == ["lifespan.startup", "store []", "lifespan.shutdown"]
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert scope["state"] == {"db": "connected"}, "the very scope of the server went through"
    assert store.events[0] == "open"
    assert store.events[-1] == "close"
    assert mailer.closed == 1


async def test_a_failed_startup_and_a_failed_shutdown_pass() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    store = WatchedStore()
    sent = await run(make_site(app, store=store).app, {"type": "lifespan"})
    assert sent == [{"type": "lifespan.startup.failed", "message": "no database"}]
    assert store.events == []

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.failed", "message": "stuck"})

    sent = await run(make_site(late, store=store).app, {"type": "lifespan"})
    assert sent[-1] == {"type": "lifespan.shutdown.failed", "message": "stuck"}
    assert store.events[-1] == "close"


@pytest.mark.parametrize("breaks", [False, True])
async def test_what_is_ours_is_closed_once_though_the_app_ends_without_a_word(breaks: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if breaks:
            raise RuntimeError("while it ends")

    mailer = Watched()
    with pytest.raises(RuntimeError) if breaks else nullcontext():
        await run(make_site(app, outbox=mailer).app, {"type": "lifespan"})
    assert mailer.closed == 1


async def test_a_store_that_is_set_up_wrongly_fails_the_startup() -> None:
    class Wrong(MemoryStore):
        async def open(self) -> None:
            raise ConfigError("store", "set maxmemory-policy noeviction")

    closed: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            closed.append("the app's database")

    app = make_site(Starlette(lifespan=lifespan), store=Wrong()).app
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(ConfigError, match="noeviction"):
        await app({"type": "lifespan"}, receive, send)
    assert sent == [
        {"type": "lifespan.startup.failed", "message": "store: set maxmemory-policy noeviction"}
    ]
    assert closed == ["the app's database"]


@pytest.mark.parametrize("says_so", [True, False])
async def test_around_an_app_without_lifespan_what_is_ours_is_opened_all_the_same(
    says_so: bool,
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http" or not says_so, "no lifespan here"

    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    store = WatchedStore()
    with pytest.raises(AssertionError, match="no lifespan here") if says_so else nullcontext():
        await make_site(app, store=store).app({"type": "lifespan"}, receive, send)
    assert (store.events[:1], sent) == (["open"], []), "and the server hears what it would without"

    site = make_site(app, base_url="https://app.example.com", mailer=Outbox())
    with pytest.raises(ConfigError, match="an Outbox sends nothing"):
        await site.app({"type": "lifespan"}, receive, send)
    assert [message["type"] for message in sent] == ["lifespan.startup.failed"]


async def test_an_unknown_scope_type_is_refused() -> None:
    """See tests/security/test_paths.py for the case in which everything is public."""
    site = make_site()
    with pytest.raises(ValueError, match="'mqtt'"):
        await run(site.app, {"type": "mqtt"})
    assert site.inner.scopes == []


async def test_a_socket_is_refused_before_accept_and_accepted_with_a_session() -> None:
    site = make_site()
    refused = await run(site.app, socket_scope())
    assert [message["type"] for message in refused] == ["websocket.close"]
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    sent = await run(site.app, socket_scope(headers=cookie_header(jo), subprotocols=["chat"]))
    assert [message["type"] for message in sent] == [
        "websocket.accept",
        "websocket.send",
        "websocket.close",
    ]
    assert sent[1]["text"] == "jo@example.com"
    assert site.inner.scope["subprotocols"] == ["chat"]


# --- scope and messages --------------------------------------------------------------------------


class Frozen(dict[str, Any]):
    """A scope or message that does not let itself be changed."""

    def _refuse(self, *args: object) -> Any:
        raise AssertionError("the middleware changed what is not its own")

    __setitem__ = __delitem__ = clear = popitem = _refuse
    update = pop = setdefault = _refuse  # type: ignore[assignment]


class Seen(Frozen):
    """A scope that lets itself be told what middlewares outside may know, and nothing else."""

    MAY = frozenset({"state", "user", "auth", "endpoint", "route", "path_params", "router", "app",
                     "fastapi", "route_handler", "path_template"})  # fmt: skip

    def __setitem__(self, key: str, value: Any) -> None:  # type: ignore[override]
        assert key in self.MAY, key
        dict.__setitem__(self, key, value)


@pytest.mark.parametrize("path", ["/x", "/auth/login", "/auth/static/none", "/public"])
@pytest.mark.parametrize("kind", [http_scope, socket_scope])
async def test_of_the_callers_scope_nothing_else_is_changed(path: str, kind: Any) -> None:
    """Whatever the app does to its own: neither headers nor paths, nor the server's state."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["path"] = scope["root_path"] = scope["query_string"] = "changed"
        scope["headers"].append((b"x-app", b"1"))
        scope.update(raw_path=b"changed", method="PATCH", session={}, new_key=1)
        scope["state"]["of_the_app"] = 1
        await ok(scope, receive, send)

    site, jo = await inside(app, public=["/public"])
    for headers in ([], cookie_header(jo)):
        scope = Seen(kind(path, headers=headers, state=Frozen(a=1)))
        before = dict(scope)
        state = before.pop("state")
        await run(site.app, scope)
        assert {key: scope[key] for key in before} == before
        assert state == {"a": 1}


async def test_an_app_may_copy_its_scope_deeply_and_hand_it_to_another_process() -> None:
    kept: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        kept[:] = [scope, copy.deepcopy(scope), pickle.loads(pickle.dumps(scope))]
        await ok(scope, receive, send)

    @requires_fresh(300)
    async def fresh(request: Request) -> str:
        return "fresh"

    site, jo = await inside(app, public=["/public"])
    for headers in (cookie_header(jo), []):
        await run(site.app, http_scope("/public", headers=headers))
        scope, copied, elsewhere = kept
        assert copied["state"] == elsewhere["state"] == scope["state"]
        assert copied["auth"].scopes == elsewhere["auth"].scopes == scope["auth"].scopes
        with pytest.raises(ConfigError, match="requires_fresh"):
            await fresh(Request(elsewhere))  # nobody there can ask for a proof
        if headers:
            assert await fresh(Request(copied)) == "fresh"


async def test_the_apps_messages_are_never_changed() -> None:
    start = Frozen(type="http.response.start", status=200, headers=[(b"a", b"b")], trailers=True)
    body = Frozen(type="http.response.body", body=b"x")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start)
        await send(body)

    site, jo = await inside(app)
    sent = await run(site.app, http_scope(headers=cookie_header(jo)))
    assert start["headers"] == [(b"a", b"b")]
    assert sent[0]["trailers"] is True, "what we do not know is kept"
    assert sent[1] is body


async def test_a_start_message_used_twice_gets_its_headers_once() -> None:
    """Starlette PR #1200: a changed message doubled the headers of the second response."""
    start: Message = {"type": "http.response.start", "status": 200, "headers": []}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    site, jo = await inside(app)
    answers = [await run(site.app, http_scope(headers=cookie_header(jo))) for _ in range(3)]
    assert len({len(sent[0]["headers"]) for sent in answers}) == 1


@pytest.mark.parametrize("shape", ["missing", "generator", "tuple"])
async def test_a_start_without_headers_or_with_a_generator_is_fine(shape: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        start: MutableMapping[str, Any] = {"type": "http.response.start", "status": 204}
        if shape != "missing":
            pairs = [(b"x-a", b"1"), (b"x-b", b"2")]
            start["headers"] = (pair for pair in pairs) if shape == "generator" else tuple(pairs)
        await send(start)
        await send({"type": "http.response.body"})

    site, jo = await inside(app)
    sent = await run(site.app, http_scope(headers=cookie_header(jo)))
    expected = [] if shape == "missing" else [(b"x-a", b"1"), (b"x-b", b"2")]
    assert list(sent[0]["headers"])[: len(expected)] == expected
    assert (b"vary", b"Cookie") in list(sent[0]["headers"])


@pytest.mark.parametrize("headers", [None, 5, [5], [()], [("a", "b")], [(b"a",)]])
async def test_a_malformed_start_is_the_servers_to_judge(headers: Any) -> None:
    start = {"type": "http.response.start", "status": 200, "headers": headers}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start)

    site, jo = await inside(app)
    sent = await run(site.app, http_scope(headers=cookie_header(jo)))
    assert sent[0]["status"] == 200
    assert start["headers"] is headers


async def test_streams_pass_chunk_by_chunk_and_the_start_is_not_held_back() -> None:
    """slowapi PR #225: a start that waits for the first chunk broke streaming."""
    events: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        events.append("app starts")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for n in range(3):
            events.append(f"app sends {n}")
            await send({"type": "http.response.body", "body": b"x", "more_body": n < 2})
        for kind in ("http.response.trailers", "http.response.debug", "http.response.pathsend"):
            await send({"type": kind, "extra": object()})

    site, jo = await inside(app)
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)
        events.append(f"server gets {message['type'].rpartition('.')[2]}")

    async def receive() -> Message:
        raise AssertionError("nobody asked for the body")

    await site.app(http_scope(headers=cookie_header(jo)), receive, send)
    assert events[:3] == ["app starts", "server gets start", "app sends 0"]
    assert events[3:8:2] == ["server gets body"] * 3
    assert events[-3:] == ["server gets trailers", "server gets debug", "server gets pathsend"]
    assert len(messages) == 7


async def test_the_request_body_is_untouched() -> None:
    """The very `receive` of the server reaches the app; nothing is read before it."""
    got: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        got.append(receive)
        await ok(scope, receive, send)

    site, jo = await inside(app, public=["/open"])

    async def receive() -> Message:
        raise AssertionError("the body was read")

    async def send(message: Message) -> None: ...

    for path, headers in (("/x", cookie_header(jo)), ("/open", [])):
        await site.app(http_scope(path, method="POST", headers=headers), receive, send)
    assert got == [receive, receive]
    # Nor is it read to refuse somebody.
    await site.app(http_scope("/x", method="POST"), receive, send)


# --- what middlewares outside see ----------------------------------------------------------------


class Outside:
    """A middleware outside ours: it reads the scope when the answer starts, and when it is over."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.seen: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def seeing(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                self.look(scope)
            await send(message)

        try:
            await self.app(scope, receive, seeing)
        finally:
            if scope["type"] != "lifespan":
                self.look(scope)

    def look(self, scope: Scope) -> None:
        self.seen.append({**scope, "state": dict(scope.get("state", ()))})

    @property
    def routes(self) -> list[object]:
        """Return the paths of the routes that it has seen."""
        return [getattr(seen.get("route"), "path", None) for seen in self.seen]


async def fail(request: Request) -> PlainTextResponse:
    request.state.step = "nearly"
    raise RuntimeError("a bug")


def routed() -> Starlette:
    """Make an app whose routes have parameters, also below a mount."""

    async def item(request: Request) -> PlainTextResponse:
        request.state.items = 1
        return PlainTextResponse("item")

    inner = Mount("/shop", routes=[Route("/items/{id}", item)])
    return Starlette(
        routes=[inner, Route("/fail/{id}", fail), WebSocketRoute("/ws/{id}", echo)],
    )


def fast_routed() -> FastAPI:
    app, router = FastAPI(), APIRouter(prefix="/shop")

    @router.get("/items/{id}")
    async def item(id: str, request: FastAPIRequest) -> str:
        request.state.items = 1
        return id

    @app.get("/fail/{id}")
    async def failing(id: str, request: FastAPIRequest) -> None:
        await fail(request)

    app.include_router(router)
    app.websocket("/ws/{id}")(echo)
    return app


@pytest.mark.parametrize("end_streams", [False, True])
@pytest.mark.parametrize("is_public", [False, True])
@pytest.mark.parametrize(
    ("make", "template"), [(routed, "/items/{id}"), (fast_routed, "/shop/items/{id}")]
)
async def test_middlewares_outside_see_the_route_the_state_and_who_it_is(
    make: Any, template: str, is_public: bool, end_streams: bool
) -> None:
    """Metrics and access logs were blind: the app writes into a scope of its own."""
    public = ["*"] if is_public else []
    site, jo = await inside(make(), public=public, end_streams=end_streams)
    outside = Outside(site.app)
    headers = [] if is_public else cookie_header(jo)
    scope = http_scope("/shop/items/7", headers=headers, state={"of_the_server": 1})
    state = scope["state"]
    await run(outside, scope)
    plain = Outside(make())
    await run(plain, http_scope("/shop/items/7"))
    assert outside.routes == plain.routes
    if template in plain.routes:  # as the framework itself has it
        assert outside.routes == [template] * 2
    for seen in outside.seen:
        assert seen["path_params"]["id"] == "7"
        assert seen["endpoint"].__name__ == "item"
        assert seen["state"]["items"] == seen["state"]["of_the_server"] == 1
        user = seen["state"]["user"]
        assert user is seen["user"]
        assert user.is_authenticated is not is_public
        assert (seen["state"]["session"] is None) is is_public
        assert ("authenticated" in seen["auth"].scopes) is not is_public
        assert seen["headers"] is headers
        assert (seen["path"], seen["root_path"]) == ("/shop/items/7", "")
    assert state == {"of_the_server": 1}, "a server may share it between requests"


@pytest.mark.parametrize("make", [routed, fast_routed])
async def test_middlewares_outside_see_the_route_of_what_failed(make: Any) -> None:
    site, jo = await inside(make())
    outside = Outside(site.app)
    with pytest.raises(RuntimeError, match="a bug"):
        await run(outside, http_scope("/fail/3", headers=cookie_header(jo)))
    assert outside.routes[-1] == "/fail/{id}"
    assert outside.seen[-1]["state"]["step"] == "nearly"


@pytest.mark.parametrize("make", [routed, fast_routed])
async def test_middlewares_outside_see_the_route_of_a_socket(make: Any) -> None:
    site, jo = await inside(make())
    outside = Outside(site.app)
    ends: list[Message] = [
        {"type": "websocket.connect"},
        {"type": "websocket.disconnect", "code": 1000},
    ]
    await run(outside, socket_scope("/ws/9", headers=cookie_header(jo)), ends)
    assert outside.routes == ["/ws/{id}"] * 2
    assert outside.seen[0]["state"]["user"].email == "jo@example.com"


async def test_middlewares_outside_see_state_that_the_app_put_in_place_of_ours() -> None:
    """And who it is stays our word, whatever the app calls its own user."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"user": "the app's own", "request_id": 5}
        await ok(scope, receive, send)
        scope["state"]["late"] = 6

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = None
        await ok(scope, receive, send)

    site, jo = await inside(app)
    scope = http_scope(headers=cookie_header(jo))
    await run(site.app, scope)
    assert scope["state"]["user"].email == "jo@example.com"
    assert (scope["state"]["request_id"], scope["state"]["late"]) == (5, 6)
    site.app.app = broken
    await run(site.app, scope)
    assert scope["state"]["user"].email == "jo@example.com"


@pytest.mark.parametrize(
    ("path", "status"), [("/x", 401), ("/auth/login", 200), ("/auth/api/v1/session", 401)]
)
async def test_middlewares_outside_find_nobody_where_the_app_is_not_called(
    path: str, status: int
) -> None:
    """A log line that names `request.state.user` failed at the login page, and at every 401."""
    site = make_site(ok)
    scope = http_scope(path, user="forged", state={"user": "forged"})
    sent = await run(site.app, scope)
    assert sent[0]["status"] == status
    assert not scope["state"]["user"].is_authenticated
    assert scope["state"]["session"] is None
    assert scope["user"] is scope["state"]["user"]
    assert scope["auth"].scopes == []


async def test_middlewares_outside_find_nobody_while_the_store_is_down() -> None:
    store = Slow(MemoryStore())
    _, jo = await inside(ok, store=store)

    async def fail() -> None:
        raise StoreError("down")

    store.before["read"] = fail
    scope = http_scope(headers=cookie_header(jo))
    sent = await run(
        make_site(ok, store=store).app, scope
    )  # another process, which holds no record
    assert sent[0]["status"] == 503
    assert not scope["state"]["user"].is_authenticated


async def test_what_the_app_writes_over_our_user_is_not_who_it_is_outside() -> None:
    async def renames(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] |= {"user": "the app's own", "session": None, "request_id": 5}
        await ok(scope, receive, send)

    async def clears(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"].clear()
        scope["state"] = {"request_id": 5}
        await ok(scope, receive, send)

    site, jo = await inside(ok)
    for app in (renames, clears):
        site.app.app = app
        scope = http_scope(headers=cookie_header(jo))
        await run(site.app, scope)
        assert scope["state"]["user"].email == "jo@example.com"
        assert scope["state"]["session"] is not None
        assert scope["state"]["request_id"] == 5


async def test_a_user_of_the_scope_that_is_not_ours_to_write_stays_outside_too() -> None:
    site, jo = await inside(ok, set_scope_user=False)
    scope = http_scope(headers=cookie_header(jo), user="of another middleware")
    await run(site.app, scope)
    assert scope["user"] == "of another middleware"
    assert "auth" not in scope
    assert scope["state"]["user"].email == "jo@example.com"


async def test_of_two_instances_the_outer_one_says_outside_who_it_is() -> None:
    inner = make_site(routed(), prefix="/staff", cookie_name="staff", public=["*"])
    site, jo = await inside(inner.app)
    outside = Outside(site.app)
    await run(outside, http_scope("/shop/items/7", headers=cookie_header(jo)))
    assert outside.seen[-1]["state"]["user"].email == "jo@example.com"
    assert outside.seen[-1]["user"].email == "jo@example.com"
    assert outside.seen[-1]["state"]["items"] == 1
    assert outside.seen[-1]["path_params"] == {"id": "7"}


# --- paths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_root_in_path", [True, False])
async def test_both_forms_of_root_path_find_our_pages_and_lead_back(has_root_in_path: bool) -> None:
    """uvicorn and granian put the root path into `path`, hypercorn and daphne do not."""
    site = make_site(base_url=BASE + "/app")
    front = "/app" if has_root_in_path else ""

    async def get(path: str, *headers: tuple[bytes, bytes]) -> Message:
        scope = http_scope(front + path, root_path="/app", headers=list(headers))
        return (await run(site.app, scope))[0]

    assert (await get("/auth/login"))["status"] == 200
    denied = await get("/x", (b"accept", b"text/html"))
    assert dict(denied["headers"])[b"location"] == f"{BASE}/app/auth/login?next=%2Fapp%2Fx".encode()
    site.base_url = BASE
    jo = site.browser(root_path="/app")
    asked = await jo.post(front + "/auth/login", {"email": "jo@example.com", "next": "/app/x"})
    assert led_to(asked) == "/app/auth/verify"
    assert str(site.mail().link).startswith(BASE + "/app/auth/link?")
    done = await jo.post(front + "/auth/verify", {"code": str(site.mail().code)})
    assert led_to(done) == "/app/x"
    assert (await get("/x", *cookie_header(jo)))["status"] == 200
    # Without a `next` the way leads to the app's own root, not to the server's.
    site.clock.advance(60)
    await jo.post(front + "/auth/login", {"email": "jo@example.com"})
    done = await jo.post(front + "/auth/verify", {"code": str(site.mail().code)})
    assert led_to(done) == "/app/"


@pytest.mark.parametrize("front", ["/app/", "/app", ""], ids=["uvicorn", "kept", "hypercorn"])
async def test_a_root_path_with_a_slash_at_its_end_opens_what_was_judged(front: str) -> None:
    """Starlette would read `/app/x` below `/app/` as `/app/x`, which is another handler."""

    async def named(request: Request) -> JSONResponse:
        return JSONResponse(request.scope["endpoint"].__name__)

    async def open_one(request: Request) -> JSONResponse:
        return await named(request)

    async def private(request: Request) -> JSONResponse:
        return await named(request)

    routes = [Route("/x", open_one), Route("/app/x", private), Route("/app/app/x", private)]
    app = Starlette(routes=routes)
    site = make_site(app, base_url=BASE + "/app", public=["/x"])

    async def get(path: str, **more: Any) -> list[Message]:
        raw = (front + path).encode()
        return await run(
            site.app, http_scope(front + path, root_path="/app/", raw_path=raw, **more)
        )

    opened = await get("/x")
    assert opened[0]["status"] == 200
    assert json.loads(opened[1]["body"]) == "open_one"
    assert (await get("/auth/login"))[0]["status"] == 200
    for path in ("/app/x", "//x", "/app//x", "///x"):
        answer = await get(path)
        assert answer[0]["status"] == 401 or json.loads(answer[1]["body"]) == "open_one"
    denied = await get("/y?a=b", headers=[(b"accept", b"text/html")])
    assert dict(denied[0]["headers"])[b"location"].startswith(
        f"{BASE}/app/auth/login?next=%2Fapp%2Fy".encode()
    )


async def test_a_root_path_with_a_slash_needs_no_raw_path() -> None:
    site = make_site(public=["/x"])
    scope = http_scope("/app//x", root_path="/app/", raw_path=None)
    assert (await run(site.app, scope))[0]["status"] == 200
    assert site.inner.scope["path"] == "/app/x"
    assert site.inner.scope["root_path"] == "/app"


async def test_a_root_path_is_taken_off_at_a_slash_only() -> None:
    """Starlette #2599: `/product` ate `/products`."""
    site = make_site(public=["/s"])
    sent = await run(site.app, http_scope("/products", root_path="/product"))
    assert sent[0]["status"] == 401
    assert (await run(site.app, http_scope("/auth", root_path="/auth")))[0]["status"] == 401


def who(request: Request) -> JSONResponse:
    return JSONResponse({"email": request.state.user.email, "url": str(request.url_for("who"))})


def sign_in(client: TestClient, outbox: Outbox, prefix: str = "/auth") -> None:
    """Sign in through Starlette's TestClient."""
    headers = {"origin": "http://localhost:8000"}
    client.post(f"{prefix}/login", data={"email": "jo@example.com"}, headers=headers)
    code = outbox.messages[-1].code or ""
    done = client.post(
        f"{prefix}/verify", data={"code": code}, headers=headers, follow_redirects=False
    )
    assert done.status_code == 303, done.text


def options(outbox: Outbox) -> dict[str, Any]:
    return {"secret_key": KEY, "base_url": "http://localhost:8000", "mailer": outbox}


def client_of(app: ASGIApp) -> TestClient:
    return TestClient(app, base_url="http://localhost:8000")


def test_inside_a_mount_there_is_no_lifespan_and_it_works_all_the_same() -> None:
    outbox = Outbox()
    inner = Starlette(routes=[Route("/who", lambda r: JSONResponse({"email": r.user.email}))])
    outer = Starlette(
        routes=[Mount("/shop", PasswordlessMiddleware(inner, **options(outbox))), Route("/", who)]
    )
    client = client_of(outer)
    assert client.get("/shop/who").status_code == 401
    sign_in(client, outbox, "/shop/auth")
    assert client.get("/shop/who").json() == {"email": "jo@example.com"}


def test_the_apps_url_for_is_intact() -> None:
    """A Router in front would write its own `router` into the scope."""
    outbox = Outbox()
    app = Starlette(routes=[Mount("/a", routes=[Route("/b/{c}", who, name="deep")]),
                            Route("/who", who, name="who")])  # fmt: skip
    client = client_of(PasswordlessMiddleware(app, **options(outbox)))
    sign_in(client, outbox)
    client.get("/auth/sessions")
    assert client.get("/who").json()["url"] == "http://localhost:8000/who"


# --- exceptions and context ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [RuntimeError("a bug"), KeyboardInterrupt(), asyncio.CancelledError()]
)
async def test_the_apps_exceptions_propagate(error: BaseException) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    site, jo = await inside(app, public=["/open"])
    for path, headers in (("/x", cookie_header(jo)), ("/open", [])):
        for kind in (http_scope, socket_scope):
            with pytest.raises(type(error)) as raised:
                await run(site.app, kind(path, headers=headers))
            assert raised.value is error


async def test_our_own_errors_raised_by_an_app_are_the_apps() -> None:
    """Only our routes turn our errors into responses."""
    from pwless_middleware.errors import NotFound

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise NotFound

    site, jo = await inside(app)
    with pytest.raises(NotFound):
        await run(site.app, http_scope(headers=cookie_header(jo)))


async def test_contextvars_go_both_ways() -> None:
    """`BaseHTTPMiddleware` does not see what the endpoint set; pure ASGI runs in the same task."""
    var: contextvars.ContextVar[str] = contextvars.ContextVar("var", default="unset")
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(var.get())
        var.set("set by the app")
        await ok(scope, receive, send)

    site, jo = await inside(app)
    var.set("set outside")
    await run(site.app, http_scope(headers=cookie_header(jo)))
    assert seen == ["set outside"]
    assert var.get() == "set by the app"


async def test_our_time_limit_does_not_follow_the_app_into_its_own_work() -> None:
    """A socket that lives for hours may call our verbs as often as it likes.

    The 1.5 seconds are one request's; a handler that goes on has not spent them.
    """

    left: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        left.append(store_deadline._left.get())
        await ok(scope, receive, send)

    site, jo = await inside(app, store=Slow(MemoryStore()))
    site.forget_sessions()
    await run(site.app, http_scope(headers=cookie_header(jo)))
    assert left == [None]


# --- ways to put it on ---------------------------------------------------------------------------


@requires("authenticated")
async def guarded(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.user.display_name)


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(f"{socket.state.user.email}: {text}")


async def numbers() -> AsyncIterator[bytes]:
    for n in range(3):
        yield str(n).encode()


async def stream(request: Request) -> StreamingResponse:
    return StreamingResponse(numbers())


def starlette_app(**more: Any) -> Starlette:
    return Starlette(
        routes=[
            Route("/who", who, name="who"),
            Route("/guarded", guarded),
            Route("/stream", stream),
            WebSocketRoute("/echo", echo),
        ],
        **more,
    )


def added(outbox: Outbox) -> ASGIApp:
    app = starlette_app()
    app.add_middleware(PasswordlessMiddleware, **options(outbox))
    return app


def wrapped(outbox: Outbox) -> ASGIApp:
    return PasswordlessMiddleware(starlette_app(), **options(outbox))


def listed(outbox: Outbox) -> ASGIApp:
    return starlette_app(middleware=[Middleware(PasswordlessMiddleware, **options(outbox))])


def fast(outbox: Outbox) -> ASGIApp:
    app = FastAPI()
    app.add_middleware(PasswordlessMiddleware, **options(outbox))

    def user_of(request: FastAPIRequest) -> str:
        return str(request.state.user.email)

    @app.get("/who", name="who")
    def get_who(request: FastAPIRequest, email: str = Depends(user_of)) -> dict[str, str]:
        return {"email": email, "url": str(request.url_for("who"))}

    @app.get("/guarded")
    @requires("authenticated")
    async def get_guarded(request: FastAPIRequest) -> PlainTextResponse:
        return PlainTextResponse(request.user.display_name)

    @app.get("/stream")
    async def get_stream() -> StreamingResponse:
        return StreamingResponse(numbers())

    app.websocket("/echo")(echo)
    return app


WAYS = [added, wrapped, listed, fast]


def everything_works(client: TestClient, outbox: Outbox) -> None:
    assert client.get("/who").status_code == 401
    sign_in(client, outbox)
    answer = client.get("/who").json()
    assert answer == {"email": "jo@example.com", "url": "http://localhost:8000/who"}
    assert client.get("/guarded").text == "jo@example.com"
    assert client.get("/stream").text == "012"
    with client.websocket_connect("ws://localhost:8000/echo") as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "jo@example.com: hello"
    client.post("/auth/logout", headers={"origin": "http://localhost:8000"})
    assert client.get("/who").status_code == 401


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_put_it_on_works_under_the_test_client(way: Any) -> None:
    """Without `with`, an event loop lives for one request; with it, for all of them."""
    outbox = Outbox()
    app = way(outbox)
    everything_works(client_of(app), outbox)
    with client_of(app) as client:
        outbox.clear()
        # The limits still count: another address.
        headers = {"origin": "http://localhost:8000"}
        client.post("/auth/login", data={"email": "kim@example.com"}, headers=headers)
        code = outbox.messages[-1].code or ""
        client.post("/auth/verify", data={"code": code}, headers=headers)
        assert client.get("/who").json()["email"] == "kim@example.com"


def test_the_lifespan_of_the_app_runs_and_its_state_reaches_the_handlers() -> None:
    outbox = Outbox()
    log: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, str]]:
        log.append("up")
        yield {"db": "connected"}
        log.append("down")

    async def db(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{request.state.db} {request.state.user.email}")

    app = Starlette(routes=[Route("/db", db)], lifespan=lifespan)
    with client_of(PasswordlessMiddleware(app, **options(outbox))) as client:
        sign_in(client, outbox)
        assert client.get("/db").text == "connected jo@example.com"
    assert log == ["up", "down"]


def test_one_instance_serves_several_event_loops() -> None:
    site = make_site()
    jo = site.browser()
    asyncio.run(jo.sign_in("jo@example.com"))
    for _ in range(3):
        assert asyncio.run(jo.who()) == "jo@example.com"

    async def again() -> str | None:
        return await jo.who()

    with asyncio.Runner() as first, asyncio.Runner() as second:
        for runner in (first, second, first, second):
            assert runner.run(again()) == "jo@example.com"


def test_a_worker_starts_in_every_loop_and_ends_with_it() -> None:
    """A mailer that does not deliver inline: the worker is a task of each loop."""
    delivered: list[str] = []
    came = contextvars.ContextVar[None]("came")

    class Post:
        async def send(self, message: Any) -> None:
            delivered.append(message.to)

        async def aclose(self) -> None: ...

    site = make_site(mailer=Post())
    assert came

    async def ask(email: str) -> None:
        await site.browser().ask(email)
        for _ in range(200):
            if email in delivered:
                break
            await asyncio.sleep(0.005)

    for n in range(2):
        asyncio.run(ask(f"jo{n}@example.com"))
    assert delivered == ["jo0@example.com", "jo1@example.com"]


async def test_a_shutdown_delivers_what_is_due() -> None:
    delivered: list[str] = []

    class Post:
        async def send(self, message: Any) -> None:
            delivered.append(message.to)

        async def aclose(self) -> None:
            delivered.append("closed")

    site = make_site(mailer=Post())
    await site.passwordless.lifetime.open()
    await site.browser().ask("jo@example.com")
    await site.passwordless.lifetime.close()
    assert delivered == ["jo@example.com", "closed"]


def _two() -> Iterator[tuple[dict[str, Any], str]]:
    yield {"passwordless": True, "public": ["/"]}, "public"
    yield {"passwordless": True, "secret_key": KEY, "mailer": None}, "mailer, secret_key"
    yield (
        {"base_url": BASE, "mailer": Outbox()},
        "secret_key: this option is required; `python -m",
    )
    yield {"secret_key": KEY, "mailer": Outbox()}, "base_url: this option is required"
    yield {"secret_key": KEY, "base_url": BASE}, "mailer: this option is required"


@pytest.mark.parametrize(("given", "told"), list(_two()))
def test_options_are_given_in_one_place_and_the_needed_ones_are_named(
    given: dict[str, Any], told: str
) -> None:
    if "passwordless" in given:
        given = {**given, "passwordless": make_site().passwordless}
    with pytest.raises(ConfigError, match=told):
        PasswordlessMiddleware(ok, **given)
