"""The account resource of the JSON API, the change of address among it."""

from __future__ import annotations

from pathlib import Path

import httpx
import jsonschema_rs
import pytest

from tests.features.account.test_sessions_api import token_for, with_token
from tests.features.email_login.test_api import check_error
from tests.own_account import ACCOUNT_API, JO, NEW, make_kept_site, press_undo, signed_in
from tests.support import START, error_code, make_site

pytestmark = pytest.mark.anyio
ADDRESS_API = f"{ACCOUNT_API}/address"


async def test_the_account_is_read_and_changed(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    body = (await jo.get(ACCOUNT_API)).json()
    id = body.pop("id")
    assert body == {"email": JO, "name": "", "language": "", "created_at": str(START)}
    changed = await jo.request("PATCH", ACCOUNT_API, json={"name": "Jo", "language": "de"})
    assert changed.json() == {**body, "id": id, "name": "Jo", "language": "de"}
    left = await jo.request("PATCH", ACCOUNT_API, json={"name": "", "language": None})
    assert (left.json()["name"], left.json()["language"]) == ("", "de")


@pytest.mark.parametrize(
    "body", [{"name": "x" * 101}, {"name": 1}, {"language": "tlh"}, {"name": "a\u202eb"}]
)
async def test_what_cannot_be_kept_is_400(tmp_path: Path, body: object) -> None:
    jo = await signed_in(make_kept_site(tmp_path))
    check_error(await jo.request("PATCH", ACCOUNT_API, json=body), 400, 3, "INVALID_ARGUMENT")


async def test_a_browser_changes_its_address(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    before = jo.cookie()
    sent = await jo.request("POST", ADDRESS_API, json={"email": NEW})
    assert sent.status_code == 200
    body = sent.json()
    assert (body["passwordless_type"], body["expires_in"]) == ("OTP", 300)
    confirm = {"auth_request_id": body["auth_request_id"], "code": site.mail(NEW).code}
    done = await jo.request("POST", f"{ADDRESS_API}/confirm", json=confirm)
    assert (done.status_code, done.json()["email"]) == (200, NEW)
    assert "session_token" not in done.json()
    assert jo.cookie() != before
    assert await jo.who() == NEW
    again = await jo.request("POST", f"{ADDRESS_API}/confirm", json=confirm)
    check_error(again, 410, 9, "REQUEST_EXPIRED")
    assert (await press_undo(site.browser(), site.mail(JO).link)).status_code == 200


async def test_an_app_with_a_session_token_gets_a_new_one(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path, bearer=True)
    token = await token_for(site)
    app, browser = with_token(site, token), await signed_in(site)
    sent = await app.request("POST", ADDRESS_API, json={"email": NEW})
    assert "set-cookie" not in sent.headers
    body = {"auth_request_id": sent.json()["auth_request_id"], "code": site.mail(NEW).code}
    stolen = await browser.request("POST", f"{ADDRESS_API}/confirm", json=body)
    check_error(stolen, 410, 9, "REQUEST_EXPIRED")
    done = await app.request("POST", f"{ADDRESS_API}/confirm", json=body)
    assert done.status_code == 200, done.text
    assert "set-cookie" not in done.headers
    assert await app.who() is None, "the old token is over"
    assert await with_token(site, done.json()["session_token"]).who() == NEW
    assert await browser.who() is None


async def test_what_hurts_needs_a_fresh_proof(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    site.clock.advance(301)
    for answer in (
        await jo.request("POST", ADDRESS_API, json={"email": NEW}),
        await jo.get(f"{ACCOUNT_API}/export"),
        await jo.request("DELETE", ACCOUNT_API),
    ):
        check_error(answer, 403, 7, "STEP_UP_REQUIRED")
        assert "step_url" in answer.json()["details"][0]
    assert (await jo.get(ACCOUNT_API)).status_code == 200


async def test_export_and_deletion(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    assert (await jo.get(f"{ACCOUNT_API}/export")).json()["person"]["email"] == JO
    done = await jo.request("DELETE", ACCOUNT_API)
    assert (done.status_code, done.headers["clear-site-data"]) == (204, '"cache"')
    assert jo.cookie() is None
    assert site.mail(JO).subject.endswith("was deleted")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ACCOUNT_API),
        ("PATCH", ACCOUNT_API),
        ("DELETE", ACCOUNT_API),
        ("GET", f"{ACCOUNT_API}/export"),
        ("POST", ADDRESS_API),
        ("POST", f"{ADDRESS_API}/confirm"),
    ],
)
async def test_nobody_and_pages_of_other_sites_get_nothing(
    tmp_path: Path, method: str, path: str
) -> None:
    site = make_kept_site(tmp_path)
    json = {"email": NEW, "auth_request_id": "x", "code": "000000"} if method != "GET" else None
    nobody = await site.browser().request(method, path, json=json)
    assert error_code(nobody) == "UNAUTHENTICATED"
    if method != "GET":
        jo = await signed_in(site)
        foreign = await jo.request(
            method, path, json=json, headers={"origin": "https://evil.example"}
        )
        assert error_code(foreign) == "FORBIDDEN_ORIGIN"
        assert await jo.who() == JO


async def test_the_answers_are_those_of_the_document(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    paths = (await jo.get("/auth/api/v1/openapi.json")).json()["paths"]

    def check(answer: httpx.Response, body: object = None) -> None:
        request = answer.request
        told = paths[request.url.path][request.method.lower()]
        response = told["responses"][str(answer.status_code)]
        schema = response["content"]["application/json"]["schema"]
        jsonschema_rs.validate(schema, answer.json())
        if body is not None:
            sent = told["requestBody"]["content"]["application/json"]["schema"]
            jsonschema_rs.validate(sent, body)

    check(await jo.get(ACCOUNT_API))
    check(await jo.get(f"{ACCOUNT_API}/export"))
    profile = {"name": "Jo", "language": ""}
    check(await jo.request("PATCH", ACCOUNT_API, json=profile), profile)
    sent = await jo.request("POST", ADDRESS_API, json={"email": NEW})
    check(sent, {"email": NEW})
    body = {"auth_request_id": sent.json()["auth_request_id"], "code": site.mail(NEW).code}
    check(await jo.request("POST", f"{ADDRESS_API}/confirm", json=body), body)


async def test_without_a_database_there_is_no_such_resource() -> None:
    jo = await signed_in(make_site())
    check_error(await jo.get(ACCOUNT_API), 404, 5, "NOT_FOUND")
