"""The JSON resource of second factors: a person's own, a server's, and whoever tries to reach them.

Security rules 43, 45 and 46.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.database.factors.factors import SQLFactors
from tests.factors import make_phone
from tests.features.second_factors.enrolled import (
    API,
    add_app,
    enroll,
    events_of,
    factors_of,
    make_factor_site,
    prove_again,
    sign_in,
    user_id_of,
)
from tests.features.second_factors.people import JO, KIM, App, id_of, newest_event, verbs_of
from tests.support import API_KEY, Browser, Site, error_code, led_to, our_paths

pytestmark = pytest.mark.anyio

USERS = "/auth/api/v1/users"
TRUSTED = f"{API}/trusted-browsers"
FIVE_MINUTES = 300
FIREFOX = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_factor_site(tmp_path, trusted_days=30, bearer=True)


async def begin(browser: Browser) -> dict[str, Any]:
    """Begin to add an app."""
    begun = await browser.request("POST", f"{API}/totp")
    assert begun.status_code == 200, begun.text
    return dict(begun.json())


async def app_of_server(site: Site, app: App) -> dict[str, str]:
    """Sign in by a server with an API key; gives the headers of the session's token."""
    server = site.backend()
    sent = (await server.send(JO)).json()["auth_request_id"]
    asked = (await server.verify(sent, code=site.mail(JO).code)).json()
    login_id = asked["details"][0]["login_id"]
    body = {"login_id": login_id, "method": "totp", "code": app.next_code()}
    done = await server.browser.request("POST", "/auth/api/v1/step", json=body)
    return {"authorization": f"Bearer {done.json()['session_token']}"}


# --- one's own -----------------------------------------------------------------------------------


async def test_an_app_is_added_by_its_code_and_the_session_is_worth_more(site: Site) -> None:
    jo = site.browser()
    await jo.sign_in(JO)
    old = dict(jo.cookies)
    begun = await begin(jo)
    assert set(begun) == {"enrollment_id", "secret", "uri", "expires_at"}
    app = App(site, begun["secret"])
    body = {"enrollment_id": begun["enrollment_id"], "code": app.next_code(), "name": "My phone"}
    done = await jo.request("POST", f"{API}/totp/confirm", json=body)
    assert done.status_code == 201
    now = str(site.clock.now)
    assert done.json() == {
        "factor": {
            "id": done.json()["factor"]["id"],
            "kind": "totp",
            "name": "My phone",
            "created_at": now,
            "used_at": now,
        }
    }
    session = (await jo.get("/auth/api/v1/session")).json()["session"]
    assert session["methods"] == ["email_code", "totp"]
    assert await site.browser(cookies=old).who() is None  # renewed: it has another id
    assert [one["name"] for one in (await factors_of(jo))["factors"]] == ["My phone"]


async def test_a_program_gets_its_renewed_session_as_a_token(site: Site) -> None:
    _, app = await enroll(site)
    headers = await app_of_server(site, app)
    program = site.browser()
    begun = (await program.request("POST", f"{API}/totp", headers=headers)).json()
    body = {"enrollment_id": begun["enrollment_id"], "code": App(site, begun["secret"]).next_code()}
    done = await program.request("POST", f"{API}/totp/confirm", json=body, headers=headers)
    assert done.status_code == 201, done.text
    assert "set-cookie" not in done.headers
    renewed = {"authorization": f"Bearer {done.json()['session_token']}"}
    assert (await program.get(API, headers=headers)).status_code == 401
    assert len((await program.get(API, headers=renewed)).json()["factors"]) == 2


async def test_a_wrong_code_adds_nothing_and_a_right_one_only_once(site: Site) -> None:
    jo = site.browser()
    await jo.sign_in(JO)
    begun = await begin(jo)
    body = {"enrollment_id": begun["enrollment_id"], "code": "000000"}
    wrong = await jo.request("POST", f"{API}/totp/confirm", json=body)
    assert (wrong.status_code, error_code(wrong)) == (400, "INVALID_CODE")
    assert (await factors_of(jo))["factors"] == []
    body["code"] = App(site, begun["secret"]).next_code()
    assert (await jo.request("POST", f"{API}/totp/confirm", json=body)).status_code == 201
    again = await jo.request("POST", f"{API}/totp/confirm", json=body)
    assert (again.status_code, error_code(again)) == (410, "REQUEST_EXPIRED")


async def test_an_enrollment_is_its_own_session_s(site: Site) -> None:
    jo, other, kim = (site.browser() for _ in range(3))
    for browser, email in ((jo, JO), (other, JO), (kim, KIM)):
        await browser.sign_in(email)
    begun = await begin(jo)
    body = {"enrollment_id": begun["enrollment_id"], "code": App(site, begun["secret"]).next_code()}
    for browser in (other, kim):
        tried = await browser.request("POST", f"{API}/totp/confirm", json=body)
        assert error_code(tried) == "REQUEST_EXPIRED"


async def test_another_name_is_given_without_a_fresh_proof(site: Site) -> None:
    jo, app = await enroll(site)
    site.clock.now += FIVE_MINUTES + 1
    named = await jo.request("PATCH", f"{API}/{app.id}", json={"name": "Old phone"})
    assert (named.status_code, named.json()["name"]) == (200, "Old phone")
    for name in ("", " ", "x" * 61, "a\nb", 7, None):
        refused = await jo.request("PATCH", f"{API}/{app.id}", json={"name": name})
        assert (refused.status_code, error_code(refused)) == (400, "INVALID_ARGUMENT")


async def test_one_is_removed(site: Site) -> None:
    jo, app = await enroll(site)
    assert (await jo.request("DELETE", f"{API}/{app.id}")).status_code == 204
    assert (await factors_of(jo))["factors"] == []
    assert error_code(await jo.request("DELETE", f"{API}/{app.id}")) == "NOT_FOUND"
    assert led_to(await site.browser().sign_in(JO)) == "/"


async def test_recovery_codes_are_told_once(site: Site) -> None:
    jo, _ = await enroll(site)
    made = (await jo.request("POST", f"{API}/recovery-codes")).json()["recovery_codes"]
    assert len(set(made)) == 10
    listed = await jo.get(API)
    assert listed.json()["recovery_codes_left"] == listed.json()["recovery_codes"] == 10
    assert not any(code in listed.text for code in made)
    again = (await jo.request("POST", f"{API}/recovery-codes")).json()["recovery_codes"]
    assert not set(again) & set(made)


async def test_who_has_no_factor_has_no_recovery_codes(site: Site) -> None:
    jo = site.browser()
    await jo.sign_in(JO)
    refused = await jo.request("POST", f"{API}/recovery-codes")
    assert (refused.status_code, error_code(refused)) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/totp"), ("POST", "/totp/confirm"), ("POST", "/recovery-codes"), ("DELETE", "/{}")],
)
async def test_a_change_asks_for_a_fresh_second_factor(site: Site, method: str, path: str) -> None:
    jo, app = await enroll(site)
    body = {"enrollment_id": "x", "code": "123456"}
    url = API + path.format(app.id)
    site.clock.now += FIVE_MINUTES + 1
    refused = await jo.request(method, url, json=body)
    assert (refused.status_code, error_code(refused)) == (403, "STEP_UP_REQUIRED")
    assert len((await factors_of(jo))["factors"]) == 1
    await prove_again(jo, app)
    assert error_code_or_none(await jo.request(method, url, json=body)) != "STEP_UP_REQUIRED"


def error_code_or_none(answer: Any) -> str | None:
    return error_code(answer) if answer.status_code >= 400 else None


async def test_a_stolen_session_cannot_add_the_second_factor_of_who_has_one(site: Site) -> None:
    """It began by the mail alone, before the first was added."""
    old = site.browser()
    await old.sign_in(JO)
    await enroll(site)
    for path in ("/totp", "/recovery-codes"):
        assert error_code(await old.request("POST", API + path)) == "STEP_UP_REQUIRED"


async def test_what_is_another_s_is_not_there(site: Site) -> None:
    _, app = await enroll(site)
    kim, _ = await enroll(site, KIM)
    for id in (app.id, "A" * 22, "totp.", "x" * 300):
        for method, body in (("PATCH", {"name": "Mine"}), ("DELETE", None)):
            tried = await kim.request(method, f"{API}/{id}", json=body)
            assert (tried.status_code, error_code(tried)) == (404, "NOT_FOUND")
    assert [one.id for one in await verbs_of(site).list(await id_of(site))] == [app.id]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", "/totp"),
        ("POST", "/totp/confirm"),
        ("POST", "/recovery-codes"),
        ("PATCH", "/x"),
        ("DELETE", "/x"),
        ("GET", "/trusted-browsers"),
        ("POST", "/trusted-browsers"),
        ("DELETE", "/trusted-browsers"),
        ("DELETE", "/trusted-browsers/x"),
    ],
)
async def test_nobody_but_a_session_reaches_it(site: Site, method: str, path: str) -> None:
    """Not an API key, not a login that waits for its step, not a page of another site."""
    jo, _ = await enroll(site)
    waiting = site.browser()
    await waiting.sign_in(JO)
    for browser in (site.browser(), waiting, site.backend().browser):
        answer = await browser.request(method, API + path, json={} if method != "GET" else None)
        assert (answer.status_code, error_code(answer)) == (401, "UNAUTHENTICATED"), answer.text
    if method != "GET":
        foreign = {"origin": "https://evil.example"}
        answer = await jo.request(method, API + path, json={}, headers=foreign)
        assert (answer.status_code, error_code(answer)) == (403, "FORBIDDEN_ORIGIN")


# --- trusted browsers ----------------------------------------------------------------------------


async def test_a_browser_is_trusted_listed_and_distrusted(site: Site) -> None:
    jo, app = await enroll(site, headers=FIREFOX)
    assert (await jo.request("POST", TRUSTED)).status_code == 204
    other = site.browser()
    await sign_in(other, app)
    for browser, is_current in ((jo, True), (other, False)):
        (listed,) = (await browser.get(TRUSTED)).json()["trusted_browsers"]
        assert (listed["device"], listed["is_current"]) == ("Firefox on Linux", is_current)
        assert int(listed["expires_at"]) - int(listed["created_at"]) == 30 * 86400
    assert "used_at" not in listed
    assert led_to(await jo.sign_in(JO)) == "/"
    (used,) = (await jo.get(TRUSTED)).json()["trusted_browsers"]
    assert used["used_at"] == str(site.clock.now)
    assert (await other.request("DELETE", f"{TRUSTED}/{listed['id']}")).status_code == 204
    assert "/step/" in led_to(await jo.sign_in(JO))


async def test_all_browsers_are_distrusted_at_once(site: Site) -> None:
    jo, _ = await enroll(site)
    await jo.request("POST", TRUSTED)
    assert (await jo.request("DELETE", TRUSTED)).status_code == 204
    assert (await jo.get(TRUSTED)).json() == {"trusted_browsers": []}
    assert "/step/" in led_to(await jo.sign_in(JO))


async def test_only_a_second_factor_lately_proven_makes_a_browser_trusted(site: Site) -> None:
    plain = site.browser()
    await plain.sign_in(JO)
    jo = site.browser(cookies=plain.cookies)
    assert error_code(await jo.request("POST", TRUSTED)) == "STEP_UP_REQUIRED"
    app = await add_app(jo)
    site.clock.now += FIVE_MINUTES + 1
    assert error_code(await jo.request("POST", TRUSTED)) == "STEP_UP_REQUIRED"
    await prove_again(jo, app)
    assert (await jo.request("POST", TRUSTED)).status_code == 204


async def test_a_trusted_browser_is_its_person_s_alone(site: Site) -> None:
    jo, _ = await enroll(site)
    await jo.request("POST", TRUSTED)
    (listed,) = (await jo.get(TRUSTED)).json()["trusted_browsers"]
    kim, _ = await enroll(site, KIM)
    for id in (listed["id"], b64(bytes(16)), "é", "="):
        assert error_code(await kim.request("DELETE", f"{TRUSTED}/{id}")) == "NOT_FOUND"
    assert (await kim.request("DELETE", TRUSTED)).status_code == 204
    assert len((await jo.get(TRUSTED)).json()["trusted_browsers"]) == 1


async def test_the_id_of_a_trusted_browser_is_no_cookie(site: Site) -> None:
    jo, _ = await enroll(site)
    await jo.request("POST", TRUSTED)
    (listed,) = (await jo.get(TRUSTED)).json()["trusted_browsers"]
    thief = site.browser(cookies={jo.cookie_name("trusted"): listed["id"]})
    assert "/step/" in led_to(await thief.sign_in(JO))


async def test_a_program_is_no_browser(site: Site) -> None:
    _, app = await enroll(site)
    headers = await app_of_server(site, app)
    refused = await site.browser().request("POST", TRUSTED, headers=headers)
    assert (refused.status_code, error_code(refused)) == (401, "UNAUTHENTICATED")


async def test_where_no_browser_is_trusted_it_says_so(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path)
    jo, _ = await enroll(site)
    refused = await jo.request("POST", TRUSTED)
    assert (refused.status_code, error_code(refused)) == (400, "INVALID_ARGUMENT")
    assert jo.cookie("trusted") is None


# --- for servers ---------------------------------------------------------------------------------


async def test_a_server_sees_a_user_s_factors(site: Site) -> None:
    jo, app = await enroll(site)
    await jo.request("POST", f"{API}/recovery-codes")
    url = f"{USERS}/{await user_id_of(jo)}/factors"
    told = (await site.backend().browser.get(url)).json()
    assert [one["id"] for one in told["factors"]] == [app.id]
    assert told["recovery_codes_left"] == 10
    assert "reset_due_at" not in told


async def test_a_server_resets_them(site: Site) -> None:
    jo, _ = await enroll(site)
    url = f"{USERS}/{await user_id_of(jo)}/factors"
    done = await site.backend().browser.request("DELETE", url)
    assert (done.status_code, done.json()) == (200, {"is_done": True, "removed": 1})
    assert await jo.who() is None
    assert newest_event(site, "factor.reset").by == "server:backend"


async def test_a_server_waits_as_long_as_the_deployment_wants_it(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path, reset_wait=3600)
    jo, _ = await enroll(site)
    url = f"{USERS}/{await user_id_of(jo)}/factors"
    server = site.backend().browser
    due_at = str(site.clock.now + 3600)
    for _ in range(2):
        asked = await server.request("DELETE", url)
        assert asked.json() == {"is_done": False, "removed": 0, "due_at": due_at}
    assert (await server.get(url)).json()["reset_due_at"] == due_at
    assert await jo.who() == JO


@pytest.mark.parametrize(
    ("scope", "reads", "writes"),
    [("users", 200, 200), ("users:read", 200, 403), ("passwordless", 403, 403)],
)
async def test_a_key_does_what_it_is_for(site: Site, scope: str, reads: int, writes: int) -> None:
    jo, _ = await enroll(site)
    url = f"{USERS}/{await user_id_of(jo)}/factors"
    made = await site.passwordless.api_keys.create("key", scopes=[scope])
    headers = {"authorization": f"Bearer {made.text}"}
    assert (await site.browser().get(url, headers=headers)).status_code == reads
    done = await site.browser().request("DELETE", url, headers=headers)
    assert done.status_code == writes
    assert (await jo.who() is None) is (writes == 200)


async def test_no_session_is_a_server(site: Site) -> None:
    """Not even the person's own: a session cannot do what takes an operator."""
    jo, app = await enroll(site)
    token = await app_of_server(site, app)
    url = f"{USERS}/{await user_id_of(jo)}/factors"
    for method in ("GET", "DELETE"):
        for headers in ({}, token, {"authorization": "Bearer pwk_" + "x" * 24}):
            answer = await jo.request(method, url, headers=headers)
            assert (answer.status_code, error_code(answer)) == (401, "UNAUTHENTICATED")
    assert len((await factors_of(jo))["factors"]) == 1


async def test_nobody_is_nobody(site: Site) -> None:
    await enroll(site)
    server = site.backend().browser
    for id in ("nobody", JO, "x" * 300):
        for method in ("GET", "DELETE"):
            answer = await server.request(method, f"{USERS}/{id}/factors")
            assert (answer.status_code, error_code(answer)) == (404, "NOT_FOUND"), id
    assert events_of(site, "factor.reset") == []


# --- secrets -------------------------------------------------------------------------------------


async def test_no_secret_is_in_any_answer_nor_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Every path that answers a GET, to the person and to a server, and the whole export."""
    caplog.set_level(logging.DEBUG)
    site = make_factor_site(tmp_path, trusted_days=30, bearer=True)
    jo, app = await enroll(site)
    codes = (await jo.request("POST", f"{API}/recovery-codes")).json()["recovery_codes"]
    await jo.request("POST", TRUSTED)
    user_id = await user_id_of(jo)
    assert site.passwordless.database is not None
    factors = SQLFactors(site.passwordless.database)
    phone = make_phone(user_id, 2, phone="+4915112345678")
    assert await factors.add(phone, most=10, may_be_alone=True) == "added"
    stored = b64((await factors.state(user_id)).factors[-1].secret)
    secrets = (app._secret, stored, *codes, jo.cookie("trusted") or "")
    answers = []
    for path, route in our_paths(site.passwordless).items():
        if "GET" in route.methods:
            for browser in (jo, site.backend().browser):
                url = "/auth" + path.replace("/x", f"/{user_id}")
                answers.append(await browser.get(url))
    assert sum(answer.status_code == 200 for answer in answers) > 15
    exported = await site.passwordless.people.export(user_id, by="python")
    texts = [*(answer.text for answer in answers), json.dumps(exported, default=str), caplog.text]
    for secret in secrets:
        assert secret
        assert not any(secret in text for text in texts)
    told = [answer for answer in answers if "/export" not in str(answer.request.url)]
    assert not any("+4915112345678" in answer.text for answer in told)
    assert any(app.id in text for text in texts)


async def test_the_key_of_a_server_is_a_server_s_alone(site: Site) -> None:
    """A key beside a session cookie is the key's request, and reads nobody's own factors."""
    jo, _ = await enroll(site)
    headers = {"authorization": f"Bearer {API_KEY}"}
    assert (await jo.get(API, headers=headers)).status_code == 401
