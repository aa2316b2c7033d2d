"""A small app on bare ASGI: every kind of answer that a server can carry, and no framework."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from typing import Any

from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from pwless_middleware import PasswordlessMiddleware, SMTPMailer
from tests.apps.served.options import FOLDER, options

BLOCK = b"0123456789abcdef" * 4096  # 64 KiB

# What the app has seen, for `/seen`. One process, one loop.
seen: dict[str, Any] = {
    "lifespan": [],
    "disconnects": 0,
    "chunks": 0,
    "left": 0,
    "floods": 0,
}
go_on = asyncio.Event()


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer by the last part of the path."""
    if scope["type"] == "lifespan":
        await _live(scope, receive, send)
    elif scope["type"] == "websocket":
        name = scope["path"].rsplit("/", 1)[-1]
        await {"patient": _count_messages, "flood": _flood}.get(name, _talk)(scope, receive, send)
    else:
        name = scope["path"].rsplit("/", 1)[-1]
        await {
            "upload": _count,
            "download": _download,
            "stream": _stream,
            "endless": _endless,
            "events": _events,
            "head": _head,
            "go": _go,
            "unread": _unread,
            "poll": _poll,
        }.get(name, _tell)(scope, receive, send)


async def _live(scope: Scope, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        seen["lifespan"].append(message["type"])
        if message["type"] == "lifespan.startup":
            if "state" in scope:
                scope["state"]["pool"] = "a pool made at start"
            await send({"type": "lifespan.startup.complete"})
        else:
            with open(f"{FOLDER}/shut_down", "w") as file:  # noqa: ASYNC230 - the end
                file.write("yes")
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _answer(
    send: Send, body: bytes, *headers: tuple[bytes, bytes], status: int = 200, more: bool = False
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _tell(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what the app was told."""
    user = scope["user"]
    told = {
        "user": user.email if user.is_authenticated else None,
        "state": sorted(scope["state"]),
        "pool": scope["state"].get("pool"),
        "path": scope["path"],
        "raw_path": scope.get("raw_path", b"").decode(),
        "root_path": scope["root_path"],
        "query": scope["query_string"].decode(),
        "headers": [[k.decode("latin-1"), v.decode("latin-1")] for k, v in scope["headers"]],
        "seen": seen,
    }
    cookie = (b"set-cookie", b"own=of-the-app; Path=/")
    await _answer(send, json.dumps(told).encode(), (b"content-type", b"application/json"), cookie)


async def _count(scope: Scope, receive: Receive, send: Send) -> None:
    """Count the bytes of an upload."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await _answer(send, str(size).encode())


async def _unread(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without reading the body."""
    await _answer(send, b"not read", (b"content-length", b"8"))


async def _download(scope: Scope, receive: Receive, send: Send) -> None:
    """Send 8 MiB in 128 pieces, with a length."""
    size = (b"content-length", str(len(BLOCK) * 128).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [size]})
    for number in range(128):
        more = number < 127
        await send({"type": "http.response.body", "body": BLOCK, "more_body": more})


async def _head(scope: Scope, receive: Receive, send: Send) -> None:
    body = b"" if scope["method"] == "HEAD" else b"twelve bytes"
    await _answer(send, body, (b"content-length", b"12"), (b"etag", b'"v1"'))


async def _stream(scope: Scope, receive: Receive, send: Send) -> None:
    """Send one event, and the second only when `/go` was asked for."""
    go_on.clear()
    await _answer(send, b"data: 1\n\n", (b"content-type", b"text/event-stream"), more=True)
    await asyncio.wait_for(go_on.wait(), 30)
    await send({"type": "http.response.body", "body": b"data: 2\n\n", "more_body": False})


async def _go(scope: Scope, receive: Receive, send: Send) -> None:
    go_on.set()
    await _answer(send, b"gone on")


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    seen["disconnects"] += 1


async def _endless(scope: Scope, receive: Receive, send: Send) -> None:
    """Send until the client has gone, as `http.disconnect` tells."""

    listener = asyncio.create_task(_until_gone(receive))
    await _answer(send, b"", more=True)
    try:
        while not listener.done():
            await send({"type": "http.response.body", "body": b"tick\n", "more_body": True})
            await asyncio.sleep(0.01)
    except OSError:
        await listener


async def _events(scope: Scope, receive: Receive, send: Send) -> None:
    """Send events until the client has gone."""
    await _answer(send, b"", (b"content-type", b"text/event-stream"), more=True)
    listener = asyncio.create_task(_until_gone(receive))
    try:
        while not listener.done():
            await send({"type": "http.response.body", "body": b"data: tick\n\n", "more_body": True})
            await asyncio.sleep(0.05)
    except OSError:
        await listener
    finally:
        listener.cancel()


async def _poll(scope: Scope, receive: Receive, send: Send) -> None:
    """Be a long poll: wait until the client has left, and look for that now and then."""
    request = Request(scope, receive)
    await request.body()
    while not await request.is_disconnected():  # noqa: ASYNC110  # what a handler does
        await asyncio.sleep(0.02)
    seen["left"] += 1


async def _count_messages(scope: Scope, receive: Receive, send: Send) -> None:
    """Wait for each message with a short timeout, and say which came until `end`."""
    socket = WebSocket(scope, receive, send)
    await socket.accept()
    came: list[str] = []
    while came[-1:] != ["end"]:
        with contextlib.suppress(TimeoutError):
            came.append(await asyncio.wait_for(socket.receive_text(), 0.002))
    await socket.send_text(",".join(came[:-1]))
    await socket.close()


async def _flood(scope: Scope, receive: Receive, send: Send) -> None:
    """Send to a client that may read nothing, until that fails."""
    socket = WebSocket(scope, receive, send)
    await socket.accept()
    seen["floods"] += 1
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await socket.send_bytes(BLOCK)
    seen["floods"] -= 1


async def _talk(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell who is there and which subprotocol was taken, then echo; `bye` closes with 4000."""
    await receive()
    subprotocols = scope.get("subprotocols") or [None]
    await send({"type": "websocket.accept", "subprotocol": subprotocols[-1]})
    user = scope["user"]
    name = user.email if user.is_authenticated else "nobody"
    await send({"type": "websocket.send", "text": name})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "bye":
            await send({"type": "websocket.close", "code": 4000})
            return
        echo: Message = {"type": "websocket.send"}
        if message.get("text") is not None:
            echo["text"] = message["text"]
        else:
            echo["bytes"] = message["bytes"]
        await send(echo)


app = PasswordlessMiddleware(bare, **options(public=["/open", "/open/*"]))
ending = PasswordlessMiddleware(bare, **options(end_streams=True))
# Real mail; the test's own SMTP server takes it.
mailing = PasswordlessMiddleware(
    bare,
    **options(
        mailer=SMTPMailer(
            os.environ.get("PWLESS_TEST_SMTP", "smtp://localhost:1025"), sender="login@example.com"
        )
    ),
)
