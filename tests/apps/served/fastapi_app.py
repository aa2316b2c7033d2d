"""A FastAPI app as people write them, wrapped in both ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, UploadFile, WebSocket
from fastapi.responses import FileResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.authentication import requires
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.websockets import WebSocketDisconnect

from pwless_middleware import PasswordlessMiddleware, User
from tests.apps.served.options import FOLDER, options

static = Path(FOLDER) / "static"
static.mkdir(exist_ok=True)
(static / "site.css").write_text("body { color: black }" * 1000)


def signed_in(request: Request) -> User:
    """Return the user: the dependency of the guide's recipe."""
    user: User = request.state.user
    return user


Reader = Annotated[User, Depends(signed_in)]


def administrator(user: Reader) -> User:
    """Return the user, if it is one of ours."""
    if not user.email.endswith("@staff.example.com"):
        raise HTTPException(403, "not one of ours")
    return user


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """Open what handlers find in `request.state`."""
    yield {"pool": "a pool made at start"}


def make() -> FastAPI:
    """Make the app, which knows nothing of us but where its user stands."""
    app = FastAPI(title="Orders", lifespan=lifespan)
    notes: list[str] = []
    go_on = asyncio.Event()

    @app.get("/", name="home")
    async def site(request: Request) -> dict[str, str]:
        return {"login": str(request.url_for("hello")), "sub": str(app.url_path_for("hello"))}

    @app.get("/hello", name="hello")
    async def hello(user: Reader, greeting: str = "hello", n: str = "") -> dict[str, str]:
        return {"says": f"{greeting}, {user.email}", "id": user.id, "n": n}

    @app.get("/starlette")
    @requires("authenticated")
    async def starlette(request: Request) -> dict[str, Any]:
        return {"user": request.user.display_name, "pool": request.state.pool}

    @app.get("/admin")
    async def admin(user: Annotated[User, Depends(administrator)]) -> str:
        return user.email

    @app.get("/set-cookie")
    async def set_cookie() -> PlainTextResponse:
        response = PlainTextResponse("set")
        response.set_cookie("own", "of-the-app")
        return response

    @app.get("/cookies")
    async def cookies(request: Request) -> dict[str, str]:
        return dict(request.cookies)

    @app.get("/old")
    async def old(request: Request) -> RedirectResponse:
        return RedirectResponse(request.url_for("hello"))

    @app.get("/file")
    async def file() -> FileResponse:
        return FileResponse(static / "site.css")

    @app.post("/upload")
    async def upload(file: UploadFile) -> PlainTextResponse:
        return PlainTextResponse(str(len(await file.read())))

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            go_on.clear()
            yield "first\n"
            await asyncio.wait_for(go_on.wait(), 30)
            yield "second\n"

        return StreamingResponse(pieces(), media_type="text/plain")

    @app.get("/go-on")
    async def release() -> str:
        go_on.set()
        return "gone on"

    @app.post("/notes")
    async def note(user: Reader, tasks: BackgroundTasks) -> str:
        tasks.add_task(notes.append, f"written after the answer for {user.email}")
        return "later"

    @app.get("/notes")
    async def all_notes() -> list[str]:
        return notes

    @app.websocket("/ws")
    async def ws(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(socket.state.user.email)
        try:
            while True:
                await socket.send_text(await socket.receive_text())
        except WebSocketDisconnect:
            return

    sub = FastAPI()

    @sub.get("/who")
    async def who(request: Request) -> dict[str, str]:
        return {"user": request.user.email, "root_path": request.scope["root_path"]}

    app.mount("/sub", sub)
    app.mount("/static", StaticFiles(directory=static), name="static")
    return app


bare = make()
app = PasswordlessMiddleware(make(), **options())

added = make()
added.add_middleware(PasswordlessMiddleware, **options())

# A front end on another origin: `CORSMiddleware` outside ours, or the app's own within.
FRONT = "http://front.localhost:3000"
CORS: dict[str, Any] = {
    "allow_origins": [FRONT],
    "allow_credentials": True,
    "allow_methods": ["*"],
    "allow_headers": ["x-shown"],
}
cors_outside = CORSMiddleware(
    PasswordlessMiddleware(make(), **options(allowed_origins=[FRONT])), **CORS
)
within = make()
within.add_middleware(CORSMiddleware, **CORS)
cors_within = PasswordlessMiddleware(within, **options(allowed_origins=[FRONT], preflight=True))
