"""Routes at the root of the host: what others look for at `/.well-known/` (RFC 8615)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route as AppRoute

from pwless_middleware import EmailLogin, Kit, Mounted
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.routing.routes import Route
from tests.support import (
    API_KEY,
    BASE,
    Site,
    cookie_header,
    http_scope,
    make_site,
    run,
    socket_scope,
)

pytestmark = pytest.mark.anyio

PATH = "/.well-known/webauthn"
CONTENT = {"origins": ["https://example.com"]}


async def show(request: Request) -> Response:
    return json_response(CONTENT)


class AtRoot:
    """A feature with one route at the root."""

    def __init__(self, route: Route | None = None) -> None:
        self._route = route or Route(PATH, {"GET": show}, "api", at_root=True)

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(routes=(self._route,))


def make(app: Any = None, **options: Any) -> Site:
    return make_site(app, features=[EmailLogin(), AtRoot()], **options)


async def status_of(site: Site, path: str, **given: Any) -> int:
    status: int = (await run(site.app, http_scope(path, **given)))[0]["status"]
    return status


async def test_it_is_found_by_anybody_and_the_app_is_not_asked() -> None:
    site = make()
    jo = site.browser()
    answer = await jo.get(PATH)
    assert (answer.status_code, answer.json()) == (200, CONTENT)
    assert answer.headers["content-type"] == "application/json"
    assert "set-cookie" not in answer.headers
    await jo.sign_in("jo@example.com")
    assert (await jo.get(PATH)).json() == CONTENT
    head = await jo.request("HEAD", PATH)
    assert (head.status_code, head.text) == (200, "")
    assert site.inner.scopes == []


@pytest.mark.parametrize(
    "path",
    [
        *("/auth" + PATH, PATH + "/", PATH + "/x", PATH + "x", "/" + PATH, PATH + "\n"),
        *("/.well-known/other", "/.well-known//webauthn", "/x/../.well-known/webauthn"),
        PATH.upper(),
    ],
)
async def test_no_other_path_is_opened_by_it(path: str) -> None:
    site = make()
    assert await status_of(site, path) == 401
    assert site.inner.scopes == []


async def test_without_such_a_route_the_path_is_the_app_s() -> None:
    site = make_site(public=[PATH])
    assert (await site.browser().get(PATH)).json()["path"] == PATH
    assert await status_of(make_site(), PATH) == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_it_is_read_and_never_written(method: str) -> None:
    site = make()
    answer = await site.browser().request(method, PATH)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.json()["details"][0]["error_code"] == "METHOD_NOT_ALLOWED"
    sent = await run(site.app, socket_scope(PATH))
    assert sent[0]["type"] != "websocket.accept"
    assert site.inner.scopes == []


@pytest.mark.parametrize("front", ["/app", ""], ids=["uvicorn", "hypercorn"])
@pytest.mark.parametrize("root", ["/app", "/app/"])
async def test_below_a_root_path_it_is_found_in_both_forms(front: str, root: str) -> None:
    site = make(base_url=BASE + "/app")
    path = front + ("/" if front and root.endswith("/") else "") + PATH
    assert await status_of(site, path, root_path=root, raw_path=path.encode()) == 200


async def test_who_hands_on_the_path_of_the_base_url_finds_it_as_well() -> None:
    site = make(base_url=BASE + "/app")
    assert [await status_of(site, front + PATH) for front in ("", "/app")] == [200, 200]
    assert await status_of(site, "/application" + PATH) == 401


async def test_it_sees_no_session_and_an_error_of_it_is_json() -> None:
    seen: list[object] = []

    async def fail(request: Request) -> Response:
        seen.append(request.state.user.is_authenticated)
        raise StoreError("down")

    route = Route(PATH, {"GET": fail}, "api", at_root=True)
    site = make_site(features=[EmailLogin(), AtRoot(route)])
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    headers = [*cookie_header(jo), (b"accept", b"text/html")]
    start, body = await run(site.app, http_scope(PATH, headers=headers))
    assert (start["status"], seen) == (503, [False])
    assert json.loads(body["body"])["details"][0]["error_code"] == "STORE_UNAVAILABLE"


async def test_the_app_s_own_route_is_told_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    async def own(request: Request) -> Response:
        return PlainTextResponse("the app's")

    paths = (PATH, "/.well-known/security.txt", "/auth/login")
    app = Starlette(routes=[AppRoute(path, own) for path in paths])
    await run(make(app).app, {"type": "lifespan", "state": {}})
    below, at_root = [r.getMessage() for r in caplog.records if r.name == "pwless.startup"]
    assert "own /auth/login never" in below
    assert "own /.well-known/webauthn never gets a request" in at_root


@pytest.mark.parametrize(
    "route",
    [
        Route("/webauthn", {"GET": show}, "api", at_root=True),
        Route("/.well-known/{name}", {"GET": show}, "api", at_root=True),
        Route(PATH, {"GET": show, "POST": show}, "api", at_root=True),
        Route(PATH, {"GET": show}, at_root=True),
    ],
    ids=["elsewhere", "named", "written", "page"],
)
def test_a_route_that_may_not_be_at_the_root_is_refused(route: Route) -> None:
    with pytest.raises(ConfigError, match=r"AtRoot mounts .* at the root"):
        make_site(features=[AtRoot(route)])


def test_two_features_do_not_share_a_path_at_the_root() -> None:
    class Other(AtRoot):
        pass

    with pytest.raises(ConfigError, match=r"AtRoot mounts .* and Other mounts"):
        make_site(features=[AtRoot(), Other()])


async def test_it_is_in_no_description_of_the_api() -> None:
    made = await make().browser().get("/auth/api/v1/openapi.json", headers={"x": API_KEY})
    assert not any("well-known" in path for path in made.json()["paths"])
