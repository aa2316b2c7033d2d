"""Apps that do it wrong, once as they are (below `/bare/`) and once behind the middleware."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import options

App = Callable[[Scope, Receive, Send], Awaitable[None]]
gone: dict[str, int] = {"bare": 0, "behind": 0}


def start(**more: Any) -> Message:
    """Return a good start message, and what is to be wrong with it."""
    headers = [(b"x-app", b"yes"), (b"content-type", b"text/plain")]
    return {"type": "http.response.start", "status": 200, "headers": headers, **more}


def body(text: bytes, *, more: bool = False) -> Message:
    """Return a body message."""
    return {"type": "http.response.body", "body": text, "more_body": more}


def sends(*messages: Message, then: BaseException | None = None) -> App:
    """Make an app that sends these and then raises, or returns."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        if then is not None:
            raise then

    return app


async def crashes(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("before the start")


async def exits(scope: Scope, receive: Receive, send: Send) -> None:
    raise asyncio.CancelledError


async def never(scope: Scope, receive: Receive, send: Send) -> None:
    """Never answer; count who gave up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    gone["bare" if "/bare/" in scope["path"] else "behind"] += 1


async def generates(scope: Scope, receive: Receive, send: Send) -> None:
    """Return the headers as a generator, which can be read once."""
    await send(start(headers=(each for each in [(b"x-app", b"once")])))
    await send(body(b"fine"))


async def socket_crashes(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    raise RuntimeError("before accept")


async def socket_closes(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "one"})
    await send({"type": "websocket.close", "code": 4321, "reason": "enough"})


async def socket_breaks(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "one"})
    raise RuntimeError("after accept")


async def socket_refuses(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1008})


async def tell_gone(scope: Scope, receive: Receive, send: Send) -> None:
    await send(start())
    await send(body(f"{gone['bare']} {gone['behind']}".encode()))


APPS: dict[str, App] = {
    "crashes": crashes,
    "exits": exits,
    "crashes-after-start": sends(start(), then=RuntimeError("after the start")),
    "crashes-in-the-body": sends(
        start(), body(b"half", more=True), then=RuntimeError("in the body")
    ),
    "returns-without-answer": sends(),
    "returns-after-start": sends(start()),
    "returns-in-the-body": sends(start(), body(b"half", more=True)),
    "promises-more-bytes": sends(start(headers=[(b"content-length", b"100")]), body(b"few")),
    "sends-more-bytes": sends(start(headers=[(b"content-length", b"3")]), body(b"too many")),
    "no-headers-key": sends(
        {"type": "http.response.start", "status": 200}, body(b"no headers at all")
    ),
    "headers-of-a-generator": generates,
    "header-lists": sends(start(headers=[[b"x-app", b"lists"]]), body(b"fine")),
    "headers-of-text": sends(start(headers=[("x-app", "text")]), body(b"text")),
    "headers-of-three": sends(start(headers=[(b"x-app", b"a", b"b")]), body(b"three")),
    "headers-none": sends(start(headers=None), body(b"none")),
    "header-with-newline": sends(start(headers=[(b"x-app", b"a\r\nx-evil: b")]), body(b"split")),
    "no-status": sends({"type": "http.response.start", "headers": []}, body(b"no status")),
    "status-of-text": sends(start(status="200"), body(b"text")),
    "status-999": sends(start(status=999), body(b"status")),
    "body-first": sends(body(b"body first")),
    "body-of-text": sends(start(), {"type": "http.response.body", "body": "text"}),
    "starts-twice": sends(start(), start(status=404), body(b"twice")),
    "body-after-the-end": sends(start(), body(b"all"), body(b"and more")),
    "unknown-message": sends({"type": "http.response.unknown"}, start(), body(b"x")),
    "no-type": sends({"status": 200}, start(), body(b"x")),
    "own-cache-control": sends(
        start(headers=[(b"Cache-Control", b"public"), (b"Vary", b"Accept")]), body(b"mine")
    ),
    "never": never,
    "gone": tell_gone,
    "socket-crashes": socket_crashes,
    "socket-closes": socket_closes,
    "socket-breaks": socket_breaks,
    "socket-refuses": socket_refuses,
}


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    """Be the app that the path's last part names."""
    if scope["type"] == "lifespan":
        raise RuntimeError("this app knows no lifespan")
    await APPS[scope["path"].rsplit("/", 1)[-1]](scope, receive, send)


behind = PasswordlessMiddleware(inner, **options())


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Show both: what is below `/bare/` never meets the middleware."""
    one: ASGIApp = inner if scope.get("path", "").startswith("/bare/") else behind
    await one(scope, receive, send)


async def bare_unready(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail to start, and say why."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "the database is away"})


behind_unready = PasswordlessMiddleware(bare_unready, **options())
