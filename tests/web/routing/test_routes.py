"""What stands between a request and the handler of a feature, whoever wrote it."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from pwless_middleware import EmailLogin, Kit, Mounted
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.routing.routes import Route
from tests.support import API_KEY, Browser, Site, make_site

pytestmark = pytest.mark.anyio

FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {},
]


class Careless:
    """A feature whose handlers check nothing, and act on whatever cookie comes along."""

    def __init__(self) -> None:
        self.acted: list[tuple[str, str | None]] = []

    def mount(self, kit: Kit) -> Mounted:
        async def act(request: Request) -> Any:
            caller = kit.callers.browser(request)
            session = await kit.sessions.find(caller.session) if caller.session else None
            self.acted.append((request.url.path, session.email if session else None))
            return json_response({"cookies": sorted(request.cookies), **request.path_params})

        verbs = {"GET": act, "POST": act, "PUT": act, "DELETE": act}
        return Mounted(
            routes=(
                Route("/orgs/{id}/members/{member}", verbs),
                Route("/orgs/{id}/members", verbs),
                Route("/api/v1/orgs", verbs, "api"),
                Route("/sso/saml/{connection}", verbs, cross_site="cookieless"),
                Route("/api/v1/hook", verbs, "api", cross_site="cookieless"),
            )
        )


async def signed_in() -> tuple[Site, Careless, Browser]:
    feature = Careless()
    site = make_site(features=[EmailLogin(), feature])
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    return site, feature, jo


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/orgs/5/members", "/api/v1/orgs"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_write_from_another_site_reaches_no_handler(
    method: str, path: str, headers: dict[str, str]
) -> None:
    _, feature, jo = await signed_in()
    answer = await jo.request(method, f"/auth{path}", headers={"origin": "", **headers})
    assert answer.status_code in (401, 403)
    assert feature.acted == []
    assert (await jo.request(method, f"/auth{path}")).status_code == 200
    assert [email for _, email in feature.acted] == ["jo@example.com"]


async def test_an_allowed_origin_may_write_to_the_api_and_to_no_page() -> None:
    feature = Careless()
    site = make_site(features=[feature], allowed_origins=["https://www.example.com"])
    headers = {"origin": "https://www.example.com"}
    jo = site.browser()
    assert (await jo.post("/auth/api/v1/orgs", {}, headers=headers)).status_code == 200
    assert (await jo.post("/auth/orgs/5/members", {}, headers=headers)).status_code == 403


@pytest.mark.parametrize("credential", [API_KEY, "pws_x"])
async def test_a_bearer_credential_needs_no_origin_at_an_api(credential: str) -> None:
    site = make_site(features=[Careless()])
    headers = {"authorization": f"Bearer {credential}", "origin": ""}
    jo = site.browser()
    assert (await jo.post("/auth/api/v1/orgs", {}, headers=headers)).status_code == 200
    assert (await jo.post("/auth/orgs/5/members", {}, headers=headers)).status_code == 403


@pytest.mark.parametrize("headers", FOREIGN[:-1])
async def test_a_bearer_credential_from_another_site_brings_no_cookie(
    headers: dict[str, str],
) -> None:
    """An app that allows it by CORS lets any page send one, worth nothing, with the cookie."""
    _, feature, jo = await signed_in()
    headers = {"origin": "", "authorization": "Bearer x", **headers}
    assert (await jo.post("/auth/api/v1/orgs", {}, headers=headers)).status_code == 200
    assert feature.acted == [("/auth/api/v1/orgs", None)]
    own = {"authorization": "Bearer x", "origin": "https://app.example.com"}
    await jo.post("/auth/api/v1/orgs", {}, headers=own)
    assert feature.acted[1:] == [("/auth/api/v1/orgs", "jo@example.com")]


async def test_a_credential_that_browsers_send_by_themselves_does() -> None:
    """HTTP Basic, remembered for the host, goes along with a foreign page's form."""
    _, feature, jo = await signed_in()
    headers = {"authorization": "Basic am86eA==", "origin": "https://evil.example"}
    answer = await jo.post("/auth/api/v1/orgs", {}, headers=headers)
    assert answer.status_code == 403
    assert feature.acted == []


@pytest.mark.parametrize("path", ["/sso/saml/acme", "/api/v1/hook"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_cookieless_route_takes_writes_from_anywhere_and_sees_no_cookie_of_ours(
    path: str, method: str
) -> None:
    _, feature, jo = await signed_in()
    await jo.ask("kim@example.com")
    assert len(jo.cookies) == 3
    jo.cookies["theirs"] = "1"
    answer = await jo.request(method, f"/auth{path}", headers={"origin": "https://idp.example"})
    assert answer.status_code == 200
    assert answer.json()["cookies"] == ["theirs"]
    assert feature.acted == [(f"/auth{path}", None)]


async def test_names_in_a_path_come_decoded() -> None:
    _, _, jo = await signed_in()
    answer = await jo.get("/auth/orgs/a%20b/members/jo%40example.com")
    assert answer.json()["id"] == "a b"
    assert answer.json()["member"] == "jo@example.com"
    assert (await jo.get("/auth/orgs/5/members/")).json()["id"] == "5"  # as a CDN may add it


@pytest.mark.parametrize(
    "path", ["/orgs/5", "/orgs//members", "/orgs/5%0a/members", "/orgs/5/members/6/7", "/orgs/5/x"]
)
async def test_another_path_below_a_feature_is_not_found(path: str) -> None:
    _, feature, jo = await signed_in()
    assert (await jo.get(f"/auth{path}")).status_code == 404
    assert feature.acted == []
