"""The token endpoint: OAuth 2.0 client credentials over the API keys (RFC 6749 §4.4)."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from tests.support import API_KEY, OTHER_KEY, Site, error_code, make_site

pytestmark = pytest.mark.anyio

OTHER = "pwk_" + "Another0Key1Of2Thirty3Two4Chars5"
GOOD = {"grant_type": "client_credentials", "client_id": "backend", "client_secret": API_KEY}


async def _ask(site: Site, form: dict[str, str], **headers: str) -> httpx.Response:
    """Ask for a token as a server does: no cookie, no origin."""
    content = urlencode(form).encode()
    types = {"content-type": "application/x-www-form-urlencoded", "origin": "", **headers}
    browser = site.browser(ip="198.51.100.1")
    return await browser.request("POST", "/auth/oauth/token", content=content, headers=types)


def _basic(id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{quote(id)}:{quote(secret)}".encode()).decode()


async def _token(site: Site) -> str:
    response = await _ask(site, GOOD)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    assert response.headers["cache-control"] == "no-store"
    return str(answer["access_token"])


async def test_a_token_stands_for_its_key_in_all_three_calls() -> None:
    site = make_site()
    backend = site.backend(await _token(site))
    sent = (await backend.send("jo@example.com")).json()
    # The challenge is the key's, whichever of the two is presented.
    again = (await site.backend().resend(sent["auth_request_id"])).json()
    done = await backend.verify(again["auth_request_id"], code=site.mail().code)
    assert done.status_code == 200
    assert done.json()["session_token"].startswith("pws_")


async def test_credentials_may_come_by_http_basic() -> None:
    form = {"grant_type": "client_credentials"}
    response = await _ask(make_site(), form, authorization=_basic("backend", API_KEY))
    assert response.status_code == 200


async def test_a_token_ends_after_its_hour() -> None:
    site = make_site()
    token = await _token(site)
    site.clock.advance(3599)
    assert (await site.backend(token).send("jo@example.com")).status_code == 200
    site.clock.advance(1)
    response = await site.backend(token).send("jo@example.com")
    assert (response.status_code, error_code(response)) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("keys", [{}, {"backend": OTHER}, {"other": API_KEY}])
async def test_a_token_ends_with_its_key(keys: dict[str, str]) -> None:
    token = await _token(make_site())
    response = await make_site(api_keys=keys).backend(token).send("jo@example.com")
    assert response.status_code == 401


async def test_a_token_of_another_secret_key_or_of_another_kind_is_none() -> None:
    site = make_site()
    token = await _token(make_site(secret_key=OTHER_KEY))
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    cookie = next(value for name, value in jo.cookies.items() if name.endswith("pwless"))
    for bad in (token, f"pwt_{cookie}", token + "x", "pwt_", "pwt_a.b"):
        assert (await site.backend(bad).send("jo@example.com")).status_code == 401


async def test_a_token_of_a_server_opens_no_session() -> None:
    site = make_site(bearer=True)
    headers = {"authorization": f"Bearer {await _token(site)}"}
    response = await site.browser(headers=headers).request("GET", "/auth/api/v1/session")
    assert response.status_code == 401
    response = await site.browser(headers=headers).request("GET", "/private")
    assert response.status_code == 401


@pytest.mark.parametrize(
    "form",
    [
        {**GOOD, "client_id": "Backend"},
        {**GOOD, "client_id": ""},
        {**GOOD, "client_secret": OTHER},
        {**GOOD, "client_secret": ""},
        {"grant_type": "client_credentials"},
    ],
)
async def test_wrong_credentials_are_an_invalid_client(form: dict[str, str]) -> None:
    response = await _ask(make_site(), form)
    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"
    assert response.headers["www-authenticate"] == "Basic"


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xfe").decode(),
        "Basic " + base64.b64encode(b"backend").decode(),
        f"Bearer {API_KEY}",
        _basic("backend", OTHER),
    ],
)
async def test_a_header_that_proves_nothing_is_an_invalid_client(authorization: str) -> None:
    form = {"grant_type": "client_credentials"}
    response = await _ask(make_site(), form, authorization=authorization)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


async def test_two_ways_of_authenticating_are_refused() -> None:
    response = await _ask(make_site(), GOOD, authorization=_basic("backend", API_KEY))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_id": "backend", "client_secret": API_KEY}, "invalid_request"),
        ({**GOOD, "grant_type": "password"}, "unsupported_grant_type"),
        ({**GOOD, "grant_type": "authorization_code"}, "unsupported_grant_type"),
    ],
)
async def test_another_grant_is_refused(form: dict[str, str], error: str) -> None:
    response = await _ask(make_site(), form)
    assert (response.status_code, response.json()["error"]) == (400, error)


async def test_a_form_that_cannot_be_read_is_an_invalid_request() -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for content in (b"grant_type=client_credentials&grant_type=x", b"\xff=1", b"a"):
        response = (
            await make_site()
            .browser()
            .request("POST", "/auth/oauth/token", content=content, headers=headers)
        )
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    response = await make_site().browser().request("POST", "/auth/oauth/token", json={})
    assert response.status_code == 415
