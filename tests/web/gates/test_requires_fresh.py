"""`requires_fresh` in the host's own handlers: with Starlette, and as FastAPI dependency."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import JSONResponse as FastAPIResponse
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Message
from starlette.websockets import WebSocket

from pwless_middleware import ConfigError, Session, requires_fresh
from tests.support import Browser, Site, led_to, make_site, said

pytestmark = pytest.mark.anyio

NAVIGATION = {"accept": "text/html", "sec-fetch-mode": "navigate"}


@requires_fresh(300)
async def asynchronous(request: Request) -> Response:
    return PlainTextResponse("in")


@requires_fresh(300)
def synchronous(request: Request) -> Response:
    return PlainTextResponse("in")


class Endpoint(HTTPEndpoint):
    @requires_fresh(300)
    async def get(self, request: Request) -> Response:
        return PlainTextResponse("in")


@requires_fresh(300)
async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("in")
    await websocket.close()


def starlette_app() -> ASGIApp:
    inner = [Route("/vault", asynchronous)]
    return Starlette(
        routes=[
            Route("/vault", asynchronous, methods=["GET", "POST"]),
            Route("/sync", synchronous),
            Route("/endpoint", Endpoint),
            Mount("/below", routes=inner),
            WebSocketRoute("/socket", socket),
        ]
    )


Fresh = Annotated[Session, Depends(requires_fresh(300))]


def fastapi_app() -> ASGIApp:
    app = FastAPI()

    @app.get("/vault")
    @app.post("/vault")
    async def vault(session: Fresh) -> dict[str, str]:
        return {"methods": ",".join(session.methods)}

    @app.get("/decorated")
    @requires_fresh(300)
    async def decorated(request: Request, word: str) -> dict[str, str]:
        return {"word": word}

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, "short and stout")

    @app.websocket("/socket")
    async def talk(websocket: WebSocket, session: Fresh) -> None:
        await websocket.accept()
        await websocket.close()

    @app.exception_handler(HTTPException)
    async def own(request: Request, error: HTTPException) -> Response:
        return FastAPIResponse({"own": error.detail}, error.status_code)

    return app


APPS = [
    pytest.param(starlette_app, "/vault", id="starlette"),
    pytest.param(starlette_app, "/sync", id="starlette-sync"),
    pytest.param(starlette_app, "/endpoint", id="starlette-endpoint"),
    pytest.param(starlette_app, "/below/vault", id="starlette-mounted"),
    pytest.param(fastapi_app, "/vault", id="fastapi"),
    pytest.param(fastapi_app, "/decorated?word=a", id="fastapi-decorated"),
]


async def signed_in(site: Site, *, root_path: str = "") -> Browser:
    jo = site.browser(root_path=root_path)
    await jo.sign_in("jo@example.com")
    return jo


async def confirm(site: Site, jo: Browser, url: str) -> str:
    """Confirm on the page, and give where it leads."""
    await jo.post(url, {"method": "email"})
    page = await jo.get(url)
    request_id = re.findall(r'name="request_id" value="([^"]+)"', page.text)[0]
    code = str(site.mail().code)
    return led_to(await jo.post(url, {"method": "email", "request_id": request_id, "code": code}))


@pytest.mark.parametrize(("make", "path"), APPS)
async def test_a_page_load_confirms_and_comes_back(make: Callable[[], ASGIApp], path: str) -> None:
    site = make_site(make())
    jo = await signed_in(site)
    assert (await jo.get(path, headers=NAVIGATION)).status_code == 200
    site.clock.advance(301)
    answer = await jo.get(path, headers=NAVIGATION)
    assert answer.status_code == 303
    url = led_to(answer)
    assert urlsplit(url).path == "/auth/step/up"
    assert parse_qs(urlsplit(url).query) == {"within": ["300"], "next": [path]}
    assert await confirm(site, jo, url) == path
    assert (await jo.get(path, headers=NAVIGATION)).status_code == 200


@pytest.mark.parametrize(("make", "path"), APPS)
async def test_a_program_is_told_where_to_confirm(make: Callable[[], ASGIApp], path: str) -> None:
    site = make_site(make())
    jo = await signed_in(site)
    site.clock.advance(301)
    answer = await jo.get(path)
    assert answer.status_code == 403
    assert answer.json()["details"][0] == {
        "@type": "type.googleapis.com/scalekit.v1.errdetails.ErrorInfo",
        "error_code": "STEP_UP_REQUIRED",
        "step_url": "/auth/step/up?within=300",
    }
    assert "own" not in answer.json()


@pytest.mark.parametrize(("make", "path"), APPS)
async def test_a_stranger_is_answered_as_by_the_gate(
    make: Callable[[], ASGIApp], path: str
) -> None:
    site = make_site(make(), public=["*"])
    closed = make_site(make())
    for headers in ({}, NAVIGATION):
        answer = await site.browser().get(path, headers=headers)
        gate = await closed.browser().get(path, headers=headers)
        assert answer.status_code == gate.status_code
        assert answer.content == gate.content
        assert answer.headers.get("location") == gate.headers.get("location")


@pytest.mark.parametrize("make", [starlette_app, fastapi_app])
async def test_a_form_is_not_lost(make: Callable[[], ASGIApp]) -> None:
    site = make_site(make())
    jo = await signed_in(site)
    assert (await jo.post("/vault", {}, headers=NAVIGATION)).status_code == 200
    site.clock.advance(301)
    answer = await jo.post("/vault", {}, headers=NAVIGATION)
    assert answer.status_code == 403
    assert "then send it again from this page" in said(answer)
    assert 'href="/auth/step/up?within=300"' in answer.text


async def test_the_way_back_has_the_root_path() -> None:
    site = make_site(starlette_app())
    jo = await signed_in(site, root_path="/app")
    site.clock.advance(301)
    answer = await jo.get("/app/below/vault?a=1", headers=NAVIGATION)
    url = urlsplit(led_to(answer))
    assert url.path == "/app/auth/step/up"
    assert parse_qs(url.query)["next"] == ["/app/below/vault?a=1"]


async def test_htmx_goes_to_the_page_and_back_to_where_it_was() -> None:
    site = make_site(starlette_app())
    jo = await signed_in(site)
    site.clock.advance(301)
    here = {"hx-request": "true", "hx-current-url": "https://app.example.com/board?a=1"}
    answer = await jo.get("/vault", headers=here)
    assert answer.status_code == 403
    assert parse_qs(urlsplit(answer.headers["hx-redirect"]).query)["next"] == ["/board?a=1"]


@pytest.mark.parametrize("make", [starlette_app, fastapi_app])
async def test_a_socket_is_refused_before_it_opens(make: Callable[[], ASGIApp]) -> None:
    site = make_site(make())
    jo = await signed_in(site)
    for seconds, kinds in ((0, "websocket.accept"), (301, "websocket.close")):
        site.clock.advance(seconds)
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            sent.append(message)  # noqa: B023  # awaited within the round

        cookie = f"{jo.cookie_name()}={jo.cookie()}".encode()
        headers = [(b"cookie", cookie), (b"origin", b"https://app.example.com")]
        await site.app(
            {
                "type": "websocket",
                "path": "/socket",
                "raw_path": b"/socket",
                "query_string": b"",
                "headers": headers,
                "subprotocols": [],
            },
            receive,
            send,
        )
        assert sent[0]["type"] == kinds


async def test_an_apps_own_handler_of_exceptions_stays_its_own() -> None:
    site = make_site(fastapi_app())
    jo = await signed_in(site)
    site.clock.advance(301)
    assert (await jo.get("/vault")).status_code == 403
    assert (await jo.get("/teapot")).json() == {"own": "short and stout"}


async def test_a_stronger_proof_is_asked_for_by_name() -> None:
    @requires_fresh(300, strength="second_factor")
    async def vault(request: Request) -> Response:
        return PlainTextResponse("in")

    site = make_site(Starlette(routes=[Route("/vault", vault)]))
    jo = await signed_in(site)
    url = (await jo.get("/vault")).json()["details"][0]["step_url"]
    assert parse_qs(urlsplit(url).query)["strength"] == ["second_factor"]


def test_what_is_wrong_is_told_at_once() -> None:
    for seconds in (0, -1, 1.5, "300", True):
        with pytest.raises(ConfigError, match="whole seconds"):
            requires_fresh(seconds)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="phishing_resistant"):
        requires_fresh(300, strength="strong")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="<lambda> takes no argument request"):
        requires_fresh(300)(lambda: None)


async def test_outside_of_the_middleware_it_lets_nobody_in() -> None:
    scope = {"type": "http", "path": "/", "headers": [], "query_string": b""}
    with pytest.raises(ConfigError, match="wrap the app in PasswordlessMiddleware"):
        requires_fresh(300)(HTTPConnection(scope))
