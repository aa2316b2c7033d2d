"""python-socketio, in front of a small Starlette app."""

from __future__ import annotations

import os
from typing import Any

import socketio
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import options

sio = socketio.AsyncServer(async_mode="asgi")


@sio.event
async def connect(sid: str, environ: dict[str, Any]) -> None:
    """Keep who speaks, as the guide's recipe does."""
    user = environ["asgi.scope"]["state"]["user"]
    await sio.save_session(sid, {"email": user.email, "cookie": environ.get("HTTP_COOKIE", "")})


@sio.event
async def who(sid: str, greeting: str) -> list[str]:
    """Answer who speaks, to a call."""
    session = await sio.get_session(sid)
    return [f"{greeting}, {session['email']}", session["cookie"]]


@sio.event
async def file(sid: str, content: bytes) -> None:
    """Send a file back in an event of its own."""
    await sio.emit("file back", content, to=sid)


# python-socketio has no eye for `root_path`: its path is what stands in the scope.
prefix = os.environ.get("PWLESS_TEST_PREFIX_IN_PATH", "")
page = Starlette(routes=[Route("/", lambda request: PlainTextResponse("a page"))])
inner = socketio.ASGIApp(sio, page, socketio_path=f"{prefix}/socket.io")

app = PasswordlessMiddleware(inner, **options())
