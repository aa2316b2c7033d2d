"""A Falcon app; resources read the user from the ASGI scope."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import falcon
import falcon.asgi
from falcon.errors import WebSocketDisconnected

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import options

go_on = asyncio.Event()


class Hello:
    """Greet; and say who speaks, and echo, on a socket."""

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        user = req.scope["state"]["user"]
        resp.media = {"says": f"{req.params.get('greeting')}, {user.email}"}

    async def on_websocket(self, req: falcon.asgi.Request, ws: falcon.asgi.WebSocket) -> None:
        await ws.accept()
        await ws.send_text(req.scope["state"]["user"].email)
        try:
            while True:
                await ws.send_text(await ws.receive_text())
        except WebSocketDisconnected:
            return


class Cookies:
    """Set and show cookies."""

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.media = dict(req.cookies)

    async def on_get_set(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.set_cookie("own", "of-the-app", secure=False)


class Upload:
    """Count an upload."""

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        async for part in await req.get_media():
            resp.text = str(len(await part.stream.read()))


class Stream:
    """Stream two lines, the second after `/go-on`."""

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            go_on.clear()
            yield b"first\n"
            await asyncio.wait_for(go_on.wait(), 30)
            yield b"second\n"

        resp.stream = pieces()

    async def on_get_release(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        go_on.set()


# Falcon has no eye for `root_path`: its routes are what stands in the scope.
prefix = os.environ.get("PWLESS_TEST_PREFIX_IN_PATH", "")
inner = falcon.asgi.App()
handler = falcon.media.MultipartFormHandler()
handler.parse_options.max_body_part_buffer_size = 8 * 1024 * 1024
inner.req_options.media_handlers[falcon.MEDIA_MULTIPART] = handler
hello, cookies, streams = Hello(), Cookies(), Stream()
inner.add_route(f"{prefix}/", hello)
inner.add_route(f"{prefix}/hello", hello)
inner.add_route(f"{prefix}/ws", hello)
inner.add_route(f"{prefix}/cookies", cookies)
inner.add_route(f"{prefix}/set-cookie", cookies, suffix="set")
inner.add_route(f"{prefix}/upload", Upload())
inner.add_route(f"{prefix}/stream", streams)
inner.add_route(f"{prefix}/go-on", streams, suffix="release")

app = PasswordlessMiddleware(inner, **options())
