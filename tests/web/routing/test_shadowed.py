"""Paths below our prefix: ours by a closed list of first segments, the app's otherwise."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from pwless_middleware import PasswordlessMiddleware
from pwless_middleware.core.paths import first_segment
from pwless_middleware.web.routing.routes import FEATURES
from pwless_middleware.web.routing.shadowed import find_shadowed
from tests.support import BASE, cookie_header, http_scope, make_site, run, socket_scope

pytestmark = pytest.mark.anyio
HTML = {"accept": "text/html"}

SPELLINGS = [
    "/{}", "/{}/x", "//{}", "///{}//", "/{}//", "/./{}", "/x/../{}", "/../{}", "/%2f{}", "/%2F{}/x",
    "/x%2f..%2f{}", "/%2e/{}", "/%5c{}", "/\\{}", "\\{}", "%2f{}", "%5C{}", "/%252f{}",
    "/{}%0a", "/{}\n", "/ {}", "/{}\x00", "/{}\\x",
]  # fmt: skip


@pytest.mark.parametrize("feature", sorted(FEATURES))
async def test_every_spelling_of_a_features_first_segment_stays_ours(feature: str) -> None:
    site = make_site(public=["*"])
    for spelling in SPELLINGS:
        for name in (feature, feature.upper()):
            path = "/auth" + spelling.format(name)
            if not path.startswith("/auth/"):
                continue  # not below the prefix: the app's own, and never public
            # A path of ours may be there, or ask for something; none of them is the app's.
            await run(site.app, http_scope(path))
            assert await run(site.app, socket_scope(path))
            assert site.inner.scopes == [], path


@pytest.mark.parametrize("path", ["/auth/sso/x", "/auth/metrics", "/auth//login", "/auth/LOGIN"])
async def test_what_is_ours_and_not_there_is_404(path: str) -> None:
    site = make_site()
    answer = await site.browser().get(path)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "path", ["/auth/callback", "/auth/jwt/login", "/auth/x/y", "/auth/", "/auth", "/auth/loginx"]
)
async def test_other_paths_below_the_prefix_are_the_apps_behind_the_gate(path: str) -> None:
    """The path of fastapi-users' and OAuth's documentation answered 404 in silence."""
    site = make_site()
    jo = site.browser()
    stopped = await jo.get(path, headers=HTML)
    assert stopped.status_code == 303
    assert stopped.headers["location"].startswith(("/auth/login?next=", f"{BASE}/auth/login?next="))
    assert (await jo.get(path)).status_code == 401
    assert (await jo.post(path, {})).status_code == 401
    assert [m["type"] for m in await run(site.app, socket_scope(path))] == ["websocket.close"]
    assert site.inner.scopes == []
    await jo.sign_in("jo@example.com")
    assert (await jo.get(path)).json()["path"] == path
    sent = await run(site.app, socket_scope(path, headers=cookie_header(jo)))
    assert sent[1]["text"] == "jo@example.com"


async def test_a_path_below_the_prefix_is_public_if_it_is_listed_and_no_other() -> None:
    site = make_site(public=["/auth/callback", "/auth/docs/*"])
    jo = site.browser()
    assert (await jo.get("/auth/callback")).status_code == 200
    assert (await jo.get("/auth/docs/a")).status_code == 200
    assert (await jo.get("/auth/callback/x")).status_code == 401
    assert (await jo.get("/auth/docs/..%2fcallback")).status_code == 401


async def test_the_login_leads_back_to_a_path_below_the_prefix() -> None:
    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com", next="/auth/callback?code=1")
    done = await jo.type_code(site.mail().code)
    assert done.headers["location"].endswith("/auth/callback?code=1")


@pytest.mark.parametrize("path", ["/auth/login/", "/auth/health/", "/auth/verify/"])
async def test_a_slash_at_the_end_of_our_own_page_is_that_page(path: str) -> None:
    jo = make_site().browser()
    answer, plain = await jo.get(path), await jo.get(path.rstrip("/"))
    # But the menu of languages comes back to the address that is shown.
    assert (answer.status_code, answer.text.replace(path, path.rstrip("/"))) == (
        plain.status_code,
        plain.text,
    )


async def test_a_form_posted_with_a_slash_at_its_end_arrives_and_needs_our_origin() -> None:
    site = make_site()
    jo = site.browser()
    foreign = {"origin": "https://evil.example"}
    refused = await jo.post("/auth/login/", {"email": "jo@example.com"}, headers=foreign)
    assert refused.status_code == 403
    assert (await jo.post("/auth/login/", {"email": "jo@example.com"})).status_code == 303
    assert site.mail().to == "jo@example.com"


@pytest.mark.parametrize("path", ["/auth/login//", "/auth/api/v1/session/", "/auth/static/"])
async def test_only_one_slash_and_only_pages(path: str) -> None:
    assert (await make_site().browser().get(path)).status_code == 404


@pytest.mark.parametrize(("path", "segment"), [("", ""), ("/", ""), ("/a/b", "a"), ("/..", "")])
def test_the_first_segment_of_a_path(path: str, segment: str) -> None:
    assert first_segment(path) == segment


# --- an app whose routes we shadow ---------------------------------------------------------------


async def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse("the app's")


def starlette() -> Any:
    below = Mount("/auth", routes=[Route("/login", answer), Route("/callback", answer)])
    return Starlette(routes=[Route("/", answer), below, WebSocketRoute("/auth/api/x", answer)])


def fast() -> Any:
    app, router, outer = FastAPI(), APIRouter(prefix="/auth"), APIRouter()
    for path in ("/login", "/jwt/login", "/register"):
        router.get(path)(lambda: "")
    outer.include_router(router)
    app.include_router(outer)
    app.get("/auth/logout")(lambda: "")
    return app


@pytest.mark.parametrize(
    ("make", "paths"),
    [(starlette, ["/auth/api/x", "/auth/login"]), (fast, ["/auth/login", "/auth/logout"])],
)
async def test_the_start_names_routes_of_the_app_that_never_get_a_request(
    make: Any, paths: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    site = make_site(make())
    await run(site.app, {"type": "lifespan", "state": {}})
    lines = [r for r in caplog.records if r.name == "pwless.startup"]
    assert [r.levelno for r in lines] == [logging.WARNING]
    assert ", ".join(paths) in lines[0].getMessage()
    assert "set prefix=" in lines[0].getMessage()


async def test_it_names_a_few_of_many_and_says_nothing_where_there_are_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    many = Starlette(routes=[Route(f"/auth/login/{n}", answer) for n in range(9)])
    await run(make_site(many).app, {"type": "lifespan", "state": {}})
    assert "/auth/login/4, …" in caplog.text
    assert "/auth/login/5" not in caplog.text
    caplog.clear()
    await run(
        make_site(Starlette(routes=[Route("/auth/callback", answer)])).app, {"type": "lifespan"}
    )
    assert not [r for r in caplog.records if r.name == "pwless.startup"]


async def test_it_looks_through_wrappers_and_at_apps_that_tell_nothing() -> None:
    class Wrapper:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    class Odd:
        routes: Any = "/auth/login"
        path: Any = 5

    routes = make_site().passwordless.routes
    [told] = find_shadowed(Wrapper(Wrapper(starlette())), prefix="/auth", routes=routes)
    assert "/auth/api/x, /auth/login never" in told
    assert find_shadowed(Odd(), prefix="/auth", routes=routes) == []
    odd = Odd()
    odd.routes = [odd]
    assert find_shadowed(odd, prefix="/auth", routes=routes) == []
    assert find_shadowed(object(), prefix="/auth", routes=routes) == []
    assert isinstance(make_site(Wrapper(starlette())).app, PasswordlessMiddleware)
