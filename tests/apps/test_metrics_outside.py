"""Metrics and access logs outside the login see the app's routes, and who asked."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pwless_middleware import PasswordlessMiddleware
from tests.apps.places import needs
from tests.support import Browser, Site, make_site

needs("litestar", "prometheus_client", "starlette_exporter")

from litestar import Litestar  # noqa: E402
from litestar import get as litestar_get  # noqa: E402
from prometheus_client import REGISTRY  # noqa: E402
from starlette_exporter import PrometheusMiddleware  # noqa: E402

pytestmark = pytest.mark.anyio


async def item(request: Request) -> PlainTextResponse:
    return PlainTextResponse("an item")


def starlette() -> Starlette:
    return Starlette(routes=[Mount("/shop", routes=[Route("/items/{id}", item)])])


def fastapi() -> FastAPI:
    app = FastAPI()
    app.add_api_route("/shop/items/{id}", item)
    return app


def put_on(app: Any, site: Site, way: str, **options: Any) -> ASGIApp:
    """Put the exporter outside the login, as the framework does it or by hand."""
    if way == "wrapped":
        guarded = PasswordlessMiddleware(app, passwordless=site.passwordless)
        return PrometheusMiddleware(guarded, **options)
    app.add_middleware(PasswordlessMiddleware, passwordless=site.passwordless)
    app.add_middleware(PrometheusMiddleware, **options)
    return app  # type: ignore[no-any-return]


async def signed_in(site: Site, app: ASGIApp) -> Browser:
    site.app = app  # type: ignore[assignment]  # what stands outside the login
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    return jo


@pytest.mark.parametrize("way", ["added", "wrapped"])
@pytest.mark.parametrize("make", [starlette, fastapi])
async def test_an_exporter_counts_by_the_route_s_template(make: Any, way: str) -> None:
    name = f"{make.__name__}_{way}"
    site = make_site()
    jo = await signed_in(site, put_on(make(), site, way, app_name=name, prefix=name))
    for number in range(3):
        assert (await jo.get(f"/shop/items/{number}")).status_code == 200
    counted = {
        sample.labels["path"]: sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == f"{name}_requests_total"
    }
    assert counted == {"/shop/items/{id}": 3}


class AccessLog(BaseHTTPMiddleware):
    """An access log as people write them: with `request.state.user`, and no `if`."""

    lines: list[str]

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        route = request.scope.get("route")
        user = request.state.user
        who = user.email if user.is_authenticated else "-"
        self.lines.append(f"{who} {getattr(route, 'path', '-')} {response.status_code}")
        return response


async def test_an_access_log_names_who_asked_and_fails_at_no_page() -> None:
    site = make_site()
    log = AccessLog(PasswordlessMiddleware(starlette(), passwordless=site.passwordless))
    log.lines = []
    jo = await signed_in(site, log)
    await jo.get("/shop/items/7")
    await jo.get("/nowhere")
    await site.browser().get("/shop/items/7")
    assert log.lines == [
        "- - 303",
        "- - 303",
        "jo@example.com /items/{id} 200",
        "jo@example.com - 404",
        "- - 401",
    ]


class Templates:
    """Metrics for Litestar: the template of the path, as its own middlewares read it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.seen: list[object] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.seen += [scope.get("path_template"), scope["user"].email]
            await send(message)

        await self.app(scope, receive, sending)


async def test_metrics_outside_a_litestar_app_see_its_template() -> None:
    @litestar_get("/shop/items/{id:int}")
    async def show() -> str:
        return "an item"

    site = make_site()
    app: Any = Litestar([show], logging_config=None)  # which would set up the root logger
    outside = Templates(PasswordlessMiddleware(app, passwordless=site.passwordless))
    jo = await signed_in(site, outside)
    outside.seen.clear()
    assert (await jo.get("/shop/items/7")).status_code == 200
    assert outside.seen == ["/shop/items/{id}", "jo@example.com"]
