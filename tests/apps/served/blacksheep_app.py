"""A BlackSheep app; handlers read the user from the ASGI scope."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

from blacksheep import (
    Application,
    Content,
    Cookie,
    FromFiles,
    Request,
    Response,
    StreamedContent,
    WebSocket,
    WebSocketDisconnectError,
    json,
    text,
)

from pwless_middleware import PasswordlessMiddleware, User
from tests.apps.served.options import options

go_on = asyncio.Event()
# BlackSheep has no eye for `root_path` but its own setting for a prefix.
os.environ["APP_ROUTE_PREFIX"] = os.environ.get("PWLESS_TEST_PREFIX_IN_PATH", "")
inner = Application()
get, post, ws = inner.router.get, inner.router.post, inner.router.ws


def reader(connection: Request | WebSocket) -> User:
    """Return who is signed in: the guide's recipe."""
    scope: Any = connection.scope  # its type knows no `state`
    user: User = scope["state"]["user"]
    return user


@get("/")
async def site(request: Request) -> Response:
    """Greet."""
    return text(reader(request).email)


@get("/hello")
async def hello(request: Request, greeting: str) -> Response:
    """Greet with what the query says."""
    return json({"says": f"{greeting}, {reader(request).email}"})


@get("/set-cookie")
async def set_cookie() -> Response:
    """Set a cookie of the app's own."""
    response = text("set")
    response.set_cookie(Cookie("own", "of-the-app", path="/"))
    return response


@get("/cookies")
async def cookies(request: Request) -> Response:
    """Show which cookies reach the app."""
    return json(dict(request.cookies))


@post("/upload")
async def upload(files: FromFiles) -> Response:
    """Count an upload."""
    return text(str(len(files.value[0].data)))


@get("/stream")
async def stream() -> Response:
    """Stream two lines, the second after `/go-on`."""

    async def pieces() -> AsyncIterator[bytes]:
        go_on.clear()
        yield b"first\n"
        await asyncio.wait_for(go_on.wait(), 30)
        yield b"second\n"

    content: Content = StreamedContent(b"text/plain", pieces)
    return Response(200, content=content)


@get("/go-on")
async def release() -> Response:
    """Let the stream go on."""
    go_on.set()
    return text("gone on")


@ws("/ws")
async def talk(websocket: WebSocket) -> None:
    """Tell who speaks, and echo."""
    await websocket.accept()
    await websocket.send_text(reader(websocket).email)
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnectError:
        return


app = PasswordlessMiddleware(inner, **options())
