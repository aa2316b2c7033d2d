"""A Litestar app; a dependency reads the user."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import Litestar, MediaType, Request, Response, WebSocket, get, post, websocket
from litestar.datastructures import UploadFile
from litestar.di import Provide
from litestar.enums import RequestEncodingType
from litestar.exceptions import WebSocketDisconnect
from litestar.params import Body
from litestar.response import Stream

from pwless_middleware import PasswordlessMiddleware, User
from tests.apps.served.options import options

go_on = asyncio.Event()


async def reader(request: Request[Any, Any, Any]) -> User:
    """Return who is signed in: the guide's recipe."""
    user: User = request.scope["state"]["user"]
    return user


@get("/")
async def site(reader: User) -> str:
    """Greet."""
    return reader.email


@get("/hello")
async def hello(reader: User, greeting: str, request: Request[Any, Any, Any]) -> dict[str, str]:
    """Greet with what the query says; Litestar's own `request.user` is ours too."""
    return {"says": f"{greeting}, {reader.email}", "own": request.user.email}


@get("/set-cookie")
async def set_cookie() -> Response[str]:
    """Set a cookie of the app's own."""
    response = Response("set")
    response.set_cookie("own", "of-the-app")
    return response


@get("/cookies")
async def cookies(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Show which cookies reach the app."""
    return dict(request.cookies)


@post("/upload", media_type=MediaType.TEXT)
async def upload(
    data: Annotated[dict[str, UploadFile], Body(media_type=RequestEncodingType.MULTI_PART)],
) -> str:
    """Count an upload."""
    return str(len(await data["file"].read()))


@get("/stream")
async def stream() -> Stream:
    """Stream two lines, the second after `/go-on`."""

    async def pieces() -> AsyncIterator[str]:
        go_on.clear()
        yield "first\n"
        await asyncio.wait_for(go_on.wait(), 30)
        yield "second\n"

    return Stream(pieces())


@get("/go-on")
async def release() -> str:
    """Let the stream go on."""
    go_on.set()
    return "gone on"


@websocket("/ws")
async def ws(socket: WebSocket[Any, Any, Any]) -> None:
    """Tell who speaks, and echo."""
    await socket.accept()
    await socket.send_text(socket.scope["state"]["user"].email)
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return


inner = Litestar(
    [site, hello, set_cookie, cookies, upload, stream, release, ws],
    dependencies={"reader": Provide(reader)},
    request_max_body_size=None,
)
app = PasswordlessMiddleware(inner, **options())
