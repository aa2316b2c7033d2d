"""A Quart app; views read the user from the ASGI scope."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from quart import Quart, Response, request, websocket

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import options

go_on = asyncio.Event()
inner = Quart(__name__)
inner.config["MAX_CONTENT_LENGTH"] = None


def reader() -> Any:
    """Return who is signed in: the guide's recipe."""
    return request.scope["state"]["user"]


@inner.get("/")
async def site() -> str:
    """Greet."""
    return str(reader().email)


@inner.get("/hello")
async def hello() -> dict[str, str]:
    """Greet with what the query says."""
    return {"says": f"{request.args['greeting']}, {reader().email}"}


@inner.get("/set-cookie")
async def set_cookie() -> Response:
    """Set a cookie of the app's own."""
    response = Response("set")
    response.set_cookie("own", "of-the-app")
    return response


@inner.get("/cookies")
async def cookies() -> dict[str, str]:
    """Show which cookies reach the app."""
    return dict(request.cookies)


@inner.post("/upload")
async def upload() -> str:
    """Count an upload."""
    files = await request.files
    return str(len(files["file"].read()))


@inner.get("/stream")
async def stream() -> Response:
    """Stream two lines, the second after `/go-on`."""

    async def pieces() -> AsyncIterator[bytes]:
        go_on.clear()
        yield b"first\n"
        await asyncio.wait_for(go_on.wait(), 30)
        yield b"second\n"

    return Response(pieces(), content_type="text/plain")


@inner.get("/go-on")
async def release() -> str:
    """Let the stream go on."""
    go_on.set()
    return "gone on"


@inner.websocket("/ws")
async def ws() -> None:
    """Tell who speaks, and echo."""
    await websocket.accept()
    await websocket.send(websocket.scope["state"]["user"].email)
    while True:
        await websocket.send(await websocket.receive())


app = PasswordlessMiddleware(inner, **options())
