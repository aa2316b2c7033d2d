"""A Starlette app that has a login of its own, with passwords, before and after ours came.

`app` is the guide's recipe: both logins stand side by side, and a person who signs in our way is
the same account. `mounted` shows the middleware inside a `Mount`, where no lifespan reaches it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import options

# The app's own table, as it stood before: an address and a password each.
ACCOUNTS: dict[str, dict[str, str]] = {
    "old@example.com": {"name": "Olga Old", "password": "correct horse"},
    "mover@example.com": {"name": "Mo Mover", "password": "battery staple"},
}
go_on = asyncio.Event()


def account(request: Request) -> dict[str, str] | None:
    """Return who is signed in, our way or the app's old way: the one function of the recipe."""
    if request.state.user.is_authenticated:
        return ACCOUNTS.get(request.state.user.email)
    return ACCOUNTS.get(request.session.get("email", ""))


async def site(request: Request) -> Response:
    """Greet, whoever it is; a public page."""
    found = account(request)
    return JSONResponse({"name": found["name"] if found else None, "url": str(request.url)})


async def orders(request: Request) -> Response:
    """Show a private page; the app itself decides, with both logins in mind."""
    found = account(request)
    if found is None:
        return RedirectResponse(request.url_for("old_login"), 303)
    return JSONResponse({"orders of": found["name"]})


async def old_login(request: Request) -> Response:
    """Sign in by password, as ever."""
    if request.method == "GET":
        return PlainTextResponse("address and password, please")
    async with request.form() as form:
        found = ACCOUNTS.get(str(form["email"]))
        if found is None or found["password"] != form["password"]:
            return PlainTextResponse("no", 403)
        request.session["email"] = str(form["email"])
    return RedirectResponse(request.url_for("orders"), 303)


async def old_logout(request: Request) -> Response:
    """Sign out of the old login."""
    request.session.clear()
    return RedirectResponse(request.url_for("home"), 303)


async def basket(request: Request) -> Response:
    """Count in the app's own session."""
    request.session["basket"] = request.session.get("basket", 0) + 1
    return PlainTextResponse(str(request.session["basket"]))


beside = Starlette(
    routes=[
        Route("/", site, name="home"),
        Route("/orders", orders, name="orders"),
        Route("/login", old_login, methods=["GET", "POST"], name="old_login"),
        Route("/logout", old_logout, name="old_logout"),
        Route("/basket", basket),
    ],
    middleware=[Middleware(SessionMiddleware, secret_key="the app's own secret")],
)

# The one line, before everybody has moved: all paths stay open to the app, which decides.
app = PasswordlessMiddleware(beside, **options(public=["*"]))
# The last step: nobody uses passwords any more, and the gate closes.
closed = PasswordlessMiddleware(beside, **options())


# --- inside a Mount ---------------------------------------------------------------------------


async def hello(request: Request) -> Response:
    """Greet the reader."""
    told: dict[str, Any] = {
        "user": request.user.email,
        "here": str(request.url_for("members:hello")),
        "root_path": request.scope["root_path"],
    }
    return JSONResponse(told)


async def set_cookie(request: Request) -> Response:
    """Set a cookie of the app's own."""
    response = PlainTextResponse("set")
    response.set_cookie("own", "of-the-app")
    return response


async def cookies(request: Request) -> Response:
    """Show which cookies reach the app."""
    return JSONResponse(dict(request.cookies))


async def upload(request: Request) -> Response:
    """Count an upload."""
    async with request.form() as form:
        file = form["file"]
        assert isinstance(file, UploadFile)
        return PlainTextResponse(str(len(await file.read())))


async def stream(request: Request) -> Response:
    """Stream two lines, the second after `/go-on`."""

    async def pieces() -> AsyncIterator[str]:
        go_on.clear()
        yield "first\n"
        await asyncio.wait_for(go_on.wait(), 30)
        yield "second\n"

    return StreamingResponse(pieces())


async def release(request: Request) -> Response:
    """Let the stream go on."""
    go_on.set()
    return PlainTextResponse("gone on")


async def ws(socket: WebSocket) -> None:
    """Tell who speaks, and echo."""
    await socket.accept()
    await socket.send_text(socket.user.email)
    async for text in socket.iter_text():
        await socket.send_text(text)


members = Starlette(
    routes=[
        Route("/", hello),
        Route("/hello", hello, name="hello"),
        Route("/set-cookie", set_cookie),
        Route("/cookies", cookies),
        Route("/upload", upload, methods=["POST"]),
        Route("/stream", stream),
        Route("/go-on", release),
        WebSocketRoute("/ws", ws),
    ]
)
mounted = Starlette(
    routes=[
        Route("/", lambda request: PlainTextResponse("open to all")),
        # `Mount`'s own option, so that `url_for("members:hello")` still finds the routes within.
        Mount(
            "/members",
            app=members,
            name="members",
            middleware=[Middleware(PasswordlessMiddleware, **options())],
        ),
    ]
)
