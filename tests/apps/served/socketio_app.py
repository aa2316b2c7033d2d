"""python-socketio, in front of a small Starlette app: the guide's recipe, with more events."""

from __future__ import annotations

import os

import socketio
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import options
from tests.apps.served.recipe import recipe

sio = recipe("frameworks", "Socket.IO").sio


@sio.event
async def cookie(sid: str) -> str:
    """Answer which cookies reach the app."""
    return str(sio.get_environ(sid).get("HTTP_COOKIE", ""))


@sio.event
async def file(sid: str, content: bytes) -> None:
    """Send a file back in an event of its own."""
    await sio.emit("file back", content, to=sid)


# python-socketio has no eye for `root_path`: its path is what stands in the scope.
prefix = os.environ.get("PWLESS_TEST_PREFIX_IN_PATH", "")
page = Starlette(routes=[Route("/", lambda request: PlainTextResponse("a page"))])
inner = socketio.ASGIApp(sio, page, socketio_path=f"{prefix}/socket.io")

app = PasswordlessMiddleware(inner, **options())
