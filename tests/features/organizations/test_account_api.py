"""One's own organizations as JSON: for a browser by its cookie, for an app by its token."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from pwless_middleware import SecondFactors
from tests.features.organizations.scene import (
    API,
    BO,
    JO,
    add_member,
    make_organization,
    make_scene,
    place_of,
    sign_in_to,
)
from tests.features.second_factors.people import STEP_API, App
from tests.organizations import floor_of
from tests.support import Browser, Site, error_code

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_scene(tmp_path)


async def token_of(site: Site, email: str) -> str:
    """Sign in as an app's own server would, and return the session token."""
    backend = site.backend()
    sent = (await backend.send(email)).json()
    done = await backend.verify(sent["auth_request_id"], code=site.mail(email).code)
    return str(done.json()["session_token"])


async def enter(browser: Browser, organization: object, **headers: str) -> httpx.Response:
    body = {"organization": organization}
    return await browser.request("POST", API, json=body, headers=headers)


async def test_they_are_listed_with_what_may_be_joined(site: Site) -> None:
    acme = await make_organization(site, "Acme")
    await add_member(site, acme.id, JO, role="admin")
    beta = await make_organization(site, "Beta")
    await floor_of(site).invitations.create(beta.id, JO, mail=False)
    await make_organization(site, "Gamma", BO)
    jo = await sign_in_to(site, JO)
    row = {"id": acme.id, "name": "Acme", "role": "admin", "current": True, "invited": False}
    other = {"id": beta.id, "name": "Beta", "role": "", "current": False, "invited": True}
    assert (await jo.get(API)).json() == {"organizations": [row], "offers": [other]}


async def test_a_browser_switches_and_gets_a_new_cookie(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    beta = await make_organization(site, "Beta", JO)
    jo = await sign_in_to(site, JO, acme.id)
    old = jo.cookie()
    answer = await enter(jo, beta.id)
    assert (answer.status_code, answer.json()["email"]) == (200, JO)
    assert jo.cookie() != old
    assert await place_of(site, jo) == "Beta"


async def test_an_app_switches_and_gets_a_new_token(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    beta = await make_organization(site, "Beta", JO)
    token = await token_of(site, JO)
    app = site.browser(headers={"authorization": f"Bearer {token}"})
    for organization in (acme.id, beta.id):
        answer = await enter(app, organization)
        assert answer.status_code == 200, answer.text
        assert "set-cookie" not in answer.headers
        app.headers["authorization"] = f"Bearer {answer.json()['session_token']}"
    rows = (await app.get(API)).json()["organizations"]
    assert [row["name"] for row in rows if row["current"]] == ["Beta"]
    old = site.browser(headers={"authorization": f"Bearer {token}"})
    assert (await old.get(API)).status_code == 401


async def test_a_switch_that_asks_for_more_says_so(tmp_path: Path) -> None:
    site = make_scene(tmp_path, SecondFactors())
    weak = await make_organization(site, "Weak", JO)
    strict = await make_organization(site, "Strict", JO, mfa="required")
    jo = await sign_in_to(site, JO, weak.id)
    answer = await enter(jo, strict.id)
    assert (answer.status_code, error_code(answer)) == (403, "STEP_REQUIRED")
    assert await place_of(site, jo) == "Weak"


async def test_an_app_does_the_step_that_its_switch_asks_for(tmp_path: Path) -> None:
    site = make_scene(tmp_path, SecondFactors())
    weak = await make_organization(site, "Weak", JO, BO)
    strict = await make_organization(site, "Strict", JO, mfa="required")
    app = site.browser(headers={"authorization": f"Bearer {await token_of(site, JO)}"})
    entered = await enter(app, weak.id)
    app.headers["authorization"] = f"Bearer {entered.json()['session_token']}"
    asked = await enter(app, strict.id)
    login_id = asked.json()["details"][0]["login_id"]
    step = {"login_id": login_id, "method": "totp"}
    thief = site.browser(headers={"authorization": f"Bearer {await token_of(site, BO)}"})
    for stranger in (thief, site.browser(), site.backend().browser):
        answer = await stranger.request("POST", f"{STEP_API}/enroll", json=step)
        assert (answer.status_code, error_code(answer)) == (410, "REQUEST_EXPIRED")
        assert (await stranger.get(f"{STEP_API}?login_id={login_id}")).status_code == 410
    shown = await app.get(f"{STEP_API}?login_id={login_id}")
    assert (shown.status_code, shown.json()["enrolls"]) == (200, True)
    begun = (await app.request("POST", f"{STEP_API}/enroll", json=step)).json()
    code = App(site, begun["secret"]).next_code()
    proof = {**step, "enrollment_id": begun["enrollment_id"], "code": code}
    done = await app.request("POST", STEP_API, json=proof)
    assert done.status_code == 200, done.text
    app.headers["authorization"] = f"Bearer {done.json()['session_token']}"
    session = (await app.get("/auth/api/v1/session")).json()["session"]
    assert (session["organization"], session["methods"]) == (strict.id, ["email_code", "totp"])


@pytest.mark.parametrize("wanted", ["org_AhVYWQw2o6mzunDOx_bV4A", "\x00", "beta"])
async def test_nobody_enters_what_they_are_no_member_of(site: Site, wanted: str) -> None:
    await floor_of(site).organizations.create("Beta", external_id="beta")
    jo = await sign_in_to(site, JO)
    answer = await enter(jo, wanted)
    assert (answer.status_code, error_code(answer)) == (403, "LOGIN_DENIED")


@pytest.mark.parametrize("wanted", ["", None, 7, "x" * 101])
async def test_a_bad_body_is_named(site: Site, wanted: object) -> None:
    jo = await sign_in_to(site, JO)
    answer = await enter(jo, wanted)
    assert (answer.status_code, error_code(answer)) == (400, "INVALID_ARGUMENT")
    assert "organization" in answer.text


async def test_a_page_of_another_site_switches_nobody(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    jo = await sign_in_to(site, JO)
    answer = await enter(jo, acme.id, origin="https://evil.example")
    assert (answer.status_code, error_code(answer)) == (403, "FORBIDDEN_ORIGIN")


async def test_nobody_is_told_or_moved_without_a_session(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    stranger = site.browser()
    assert (await stranger.get(API)).status_code == 401
    assert (await enter(stranger, acme.id)).status_code == 401
    key = site.backend().browser  # an API key is no person
    assert (await key.get(API)).status_code == 401


async def test_leaving_ends_the_sessions_in_it(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    jo = await sign_in_to(site, JO)
    assert (await jo.request("DELETE", f"{API}/{acme.id}")).status_code == 204
    assert jo.cookie() is None
    jo = await sign_in_to(site, JO)
    assert (await jo.request("DELETE", f"{API}/{acme.id}")).status_code == 404
    site.clock.advance(301)
    answer = await jo.request("DELETE", f"{API}/{acme.id}")
    assert (answer.status_code, error_code(answer)) == (403, "STEP_UP_REQUIRED")


async def test_a_server_names_the_organization_that_a_login_enters(site: Site) -> None:
    organizations = floor_of(site).organizations
    acme = await organizations.create("Acme", external_id="customer-1", language="de")
    await add_member(site, acme.id, JO, role="admin")
    await make_organization(site, "Beta", JO)
    backend = site.backend()
    sent = (await backend.send(JO, organization="customer-1")).json()
    assert "Ihr Anmeldecode für Acme" in site.mail(JO).subject
    done = await backend.verify(sent["auth_request_id"], code=site.mail(JO).code)
    app = site.browser(headers={"authorization": f"Bearer {done.json()['session_token']}"})
    answer = (await app.get("/auth/api/v1/session")).json()
    assert answer["session"]["organization"] == acme.id
    assert answer["user"]["role"] == "admin"
    refused = await backend.send(JO, organization="customer-2")
    assert (refused.status_code, error_code(refused)) == (403, "LOGIN_DENIED")


async def test_the_hosts_own_code_names_it_too(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    await make_organization(site, "Beta", JO)
    sent = await site.passwordless.send(JO, organization=acme.id)
    code = site.mail(JO).code
    done = await site.passwordless.verify(auth_request_id=sent.auth_request_id, code=code)
    assert done.session.organization == acme.id


@pytest.mark.parametrize(("asked", "word"), [(None, "anmelden"), ("en", "Sign in"), ("xx", "Sign")])
async def test_a_mail_is_in_the_language_asked_for_else_the_organizations(
    site: Site, asked: str | None, word: str
) -> None:
    acme = await floor_of(site).organizations.create("Acme", language="de")
    await site.passwordless.send(JO, organization=acme.id, language=asked)
    assert word in site.mail(JO).text
