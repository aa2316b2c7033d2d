"""The three calls, field by field."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from pwless_middleware import EmailLogin, LoginDenied
from pwless_middleware.errors import QueueFull, StoreError
from pwless_middleware.stores.memory import MemoryStore
from tests.security.factor import RIGHT, Factor, Policy
from tests.support import (
    JSON_BASE,
    ROOMY,
    START,
    Backend,
    Site,
    Slow,
    error_code,
    make_site,
    retry_after,
    token_of,
    wrong,
)

pytestmark = pytest.mark.anyio

PAGE = "https://www.example.com/magic?from=mail"
ERROR_TYPE = "type.googleapis.com/scalekit.v1.errdetails.ErrorInfo"


def roomy(**options: Any) -> Site:
    """Make a site with room for many sends and one page for links."""
    return make_site(features=[EmailLogin(send_limits=ROOMY, link_uris=[PAGE], **options)])


def check_error(response: httpx.Response, status: int, grpc: int, code: str) -> dict[str, Any]:
    """See that an error has Scalekit's shape, and give its detail."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert ("retry-after" in response.headers) == (status in (429, 503))
    body = response.json()
    assert set(body) == {"code", "message", "details"}
    assert body["code"] == grpc
    assert body["message"]
    (detail,) = body["details"]
    assert detail["@type"] == ERROR_TYPE
    assert detail["error_code"] == code
    return dict(detail)


async def started(backend: Backend, email: str = "jo@example.com", **fields: object) -> str:
    """Send, and give the request id."""
    response = await backend.send(email, **fields)
    assert response.status_code == 200, response.text
    return str(response.json()["auth_request_id"])


# --- send --------------------------------------------------------------------------------------


async def test_send_answers_as_the_contract_says() -> None:
    site = roomy()
    response = await site.backend().send("jo@example.com")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in response.headers
    body = response.json()
    assert 1 <= len(body.pop("auth_request_id")) <= 200
    assert body == {
        "expires_at": str(START + 300),
        "expires_in": 300,
        "passwordless_type": "OTP",
        "resend_after": 0,
    }


async def test_a_server_without_a_page_for_the_link_gets_a_code_alone() -> None:
    site = roomy()
    await started(site.backend())
    assert site.mail().code is not None
    assert site.mail().link is None


async def test_a_server_with_a_page_gets_both_and_the_token_is_appended() -> None:
    site = roomy()
    response = await site.backend().send("jo@example.com", magiclink_auth_uri=PAGE)
    assert response.json()["passwordless_type"] == "LINK_OTP"
    parts = urlsplit(site.mail().link or "")
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://www.example.com/magic"
    assert [name for name, _ in parse_qsl(parts.query)] == ["from", "link_token"]


@pytest.mark.parametrize(
    "uri",
    [
        PAGE + "/",
        PAGE + "&x=1",
        PAGE.upper(),
        "https://www.example.com/magic",
        "https://www.example.com.evil.example/magic?from=mail",
        "//www.example.com/magic?from=mail",
        "javascript:alert(1)",
        " " + PAGE,
    ],
)
async def test_a_page_that_is_not_listed_exactly_is_refused(uri: str) -> None:
    site = roomy()
    for who in (site.backend().browser, site.browser()):
        body = {"email": "jo@example.com", "magiclink_auth_uri": uri}
        detail = check_error(await who.call("send", body), 400, 3, "INVALID_ARGUMENT")
        (violation,) = detail["validation_error_info"]["field_violations"]
        assert violation["field"] == "magiclink_auth_uri"
    assert not site.outbox.messages


async def test_links_alone_need_a_page_from_a_server_but_not_from_a_browser() -> None:
    site = roomy(kind="LINK")
    response = await site.backend().send("jo@example.com")
    detail = check_error(response, 400, 3, "INVALID_ARGUMENT")
    assert detail["validation_error_info"]["field_violations"][0]["field"] == "magiclink_auth_uri"
    response = await site.backend().send("jo@example.com", magiclink_auth_uri=PAGE)
    assert response.json()["passwordless_type"] == "LINK"
    response = await site.browser().call("send", {"email": "jo@example.com"})
    assert response.json()["passwordless_type"] == "LINK"
    assert (site.mail().link or "").startswith("https://app.example.com/auth/link?link_token=")


@pytest.mark.parametrize("seconds", [60, 61, 300.0, 600])
async def test_a_life_in_the_range_is_taken(seconds: float) -> None:
    body = (await roomy().backend().send("jo@example.com", expires_in=seconds)).json()
    assert repr(body["expires_in"]) == str(int(seconds))
    assert body["expires_at"] == str(START + int(seconds))


async def test_the_template_picks_the_wording() -> None:
    site = roomy()
    await started(site.backend(), template="SIGNUP")
    assert "Confirm your address" in site.mail().subject
    await started(site.backend(), template="SIGNIN")
    assert "sign-in" in site.mail().subject


@pytest.mark.parametrize(
    "text", ["evil.example", "evil.example/path", "jo@evil.example", "tel:+123", "e。example"]
)
async def test_a_mail_client_finds_no_link_in_a_variable(text: str, tmp_path: Any) -> None:
    (tmp_path / "email").mkdir()
    for ending in ("txt", "html"):
        (tmp_path / "email" / f"signin.{ending}").write_text(
            "{% extends 'pwless/email/signin." + ending + "' %}"
            "{% block extra %}<<{{ team }}>>{% endblock %}"
        )
    site = make_site(templates=tmp_path)
    await started(site.backend(), template_variables={"team": text + " <b>&"})
    mail = site.mail()
    assert text not in mail.text
    assert text not in mail.html
    assert f"<<{text} <b>&>>" in mail.text.replace("\u2060", "")
    assert "<b>" not in mail.html.partition("<<")[2].partition(">>")[0]


async def test_a_browser_may_not_put_words_into_a_mail() -> None:
    site = roomy()
    for variables in ({}, {"name": "Jo"}):
        body = {"email": "jo@example.com", "template_variables": variables}
        response = await site.browser().call("send", body)
        check_error(response, 400, 3, "INVALID_ARGUMENT")
    assert not site.outbox.messages


async def test_a_rule_may_refuse_a_domain() -> None:
    site = make_site(features=[EmailLogin(), Policy(domain="sso.example")])
    check_error(await site.backend().send("jo@sso.example"), 403, 7, "LOGIN_DENIED")
    assert not site.outbox.messages


async def test_unknown_and_refused_addresses_get_the_same_answer() -> None:
    site = roomy(allow=["*@known.example"])
    one = await site.backend().send("jo@known.example")
    other = await site.backend().send("jo@other.example")
    assert [m.to for m in site.outbox.messages] == ["jo@known.example"]
    assert one.status_code == other.status_code == 200
    assert len(one.content) == len(other.content)
    request_id = other.json()["auth_request_id"]
    detail = check_error(
        await site.backend().verify(request_id, code="123456"), 400, 3, "INVALID_CODE"
    )
    assert detail["attempts_left"] == 4


async def test_sends_beyond_the_limit_are_429_and_say_how_long() -> None:
    site = make_site()
    backend = site.backend()
    first = await backend.send("jo@example.com")
    second = await backend.send("jo@example.com")
    assert [r.json()["resend_after"] for r in (first, second)] == [0, 60]
    response = await backend.send("jo@example.com")
    check_error(response, 429, 8, "RATE_LIMITED")
    assert retry_after(response) == 60
    assert len(site.outbox.messages) == 2
    site.clock.advance(60)
    assert (await backend.send("jo@example.com")).status_code == 200


async def test_a_server_has_no_limit_by_client_and_a_browser_has() -> None:
    site = make_site()
    for n in range(21):
        assert (await site.backend().send(f"a{n}@example.com")).status_code == 200
    answers = [
        (await site.browser().call("send", {"email": f"b{n}@example.com"})).status_code
        for n in range(21)
    ]
    assert answers == [200] * 20 + [429]


# --- resend ------------------------------------------------------------------------------------


async def test_resend_sends_the_same_code_and_answers_as_send() -> None:
    site = roomy()
    backend = site.backend()
    request_id = await started(backend)
    code = site.mail().code
    site.clock.advance(100)
    response = await backend.resend(request_id)
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {
        "auth_request_id", "expires_at", "expires_in", "passwordless_type", "resend_after",
    }  # fmt: skip
    assert body["expires_in"] == 300
    assert body["expires_at"] == str(START + 400)
    assert len(site.outbox.messages) == 2
    assert site.mail().code == code
    done = await backend.verify(body["auth_request_id"], code=code)
    assert done.status_code == 200


async def test_an_expired_request_is_sent_again_with_new_secrets_until_900_seconds() -> None:
    site = roomy()
    backend = site.backend()
    request_id = await started(backend)
    old = site.mail().code
    site.clock.advance(899)
    check_error(await backend.verify(request_id, code=old), 410, 9, "REQUEST_EXPIRED")
    response = await backend.resend(request_id)
    assert response.status_code == 200
    new = site.mail().code
    assert new != old
    request_id = response.json()["auth_request_id"]
    check_error(await backend.verify(request_id, code=old), 400, 3, "INVALID_CODE")
    assert (await backend.verify(request_id, code=new)).status_code == 200


async def test_after_900_seconds_there_is_no_resend() -> None:
    site = roomy()
    request_id = await started(site.backend())
    site.clock.advance(900)
    check_error(await site.backend().resend(request_id), 410, 9, "REQUEST_EXPIRED")


async def test_a_fourth_resend_is_429() -> None:
    site = roomy()
    backend = site.backend()
    request_id = await started(backend)
    waits = []
    for _ in range(3):
        response = await backend.resend(request_id)
        assert response.status_code == 200
        waits.append(response.json()["resend_after"])
    assert waits == [0, 0, 900]
    response = await backend.resend(request_id)
    check_error(response, 429, 8, "RATE_LIMITED")
    assert retry_after(response) == 900


async def test_a_resend_gives_no_tries_back() -> None:
    site = roomy()
    backend = site.backend()
    request_id = await started(backend)
    for left in (4, 3):
        response = await backend.verify(request_id, code=wrong(site.mail().code))
        assert response.json()["details"][0]["attempts_left"] == left
    request_id = (await backend.resend(request_id)).json()["auth_request_id"]
    response = await backend.verify(request_id, code=wrong(site.mail().code))
    assert response.json()["details"][0]["attempts_left"] == 2


@pytest.mark.parametrize("request_id", ["x", "A" * 60, "A" * 200, "ü", "a b", "../.."])
async def test_an_id_that_is_not_ours_is_unknown(request_id: str) -> None:
    site = roomy()
    for who in (site.backend().browser, site.browser()):
        for verb, more in (("resend", {}), ("verify", {"code": "123456"})):
            body = {"auth_request_id": request_id, **more}
            check_error(await who.call(verb, body), 410, 9, "REQUEST_EXPIRED")


# --- verify ------------------------------------------------------------------------------------


async def test_a_server_s_verify_answers_with_user_and_token_and_sets_no_cookie() -> None:
    site = roomy()
    request_id = await started(site.backend(), state="cart-42", template="SIGNUP")
    response = await site.backend().verify(request_id, code=site.mail().code)
    assert response.status_code == 200
    assert "set-cookie" not in response.headers
    body = response.json()
    assert body.pop("session_token").startswith("pws_")
    assert body.pop("user_id")
    assert body == {
        "email": "jo@example.com",
        "state": "cart-42",
        "template": "SIGNUP",
        "passwordless_type": "OTP",
        "is_new_user": False,
        "session_expires_at": str(START + 30 * 86400),
        "device_token": body["device_token"],
    }


async def test_a_browser_s_verify_sets_the_cookie_and_gives_no_token() -> None:
    site = roomy()
    browser = site.browser()
    sent = (await browser.call("send", {"email": "jo@example.com", "state": "s"})).json()
    assert sent["passwordless_type"] == "LINK_OTP"
    assert browser.cookie("flow") is not None
    body = {"auth_request_id": sent["auth_request_id"], "code": site.mail().code}
    response = await browser.call("verify", body)
    assert set(response.json()) == {
        "email", "state", "template", "passwordless_type", "user_id", "is_new_user",
    }  # fmt: skip
    assert await browser.who() == "jo@example.com"
    assert (await browser.call("verify", body)).status_code == 410


@pytest.mark.parametrize(
    "state", ["", " ", "a\x00b", "\u202e\U0001f600é", '{"a":"\\\\u0041"}', "<b>&amp;", "\n" * 1000]
)
async def test_state_comes_back_unchanged_and_is_shown_nowhere_else(state: str) -> None:
    site = roomy()
    request_id = await started(site.backend(), state=state)
    mail = site.mail()
    if len(state) > 1 and state.strip():
        assert state not in mail.text + mail.html + mail.subject
    response = await site.backend().verify(request_id, code=mail.code)
    assert response.json()["state"] == state


async def test_a_state_that_was_not_sent_is_absent() -> None:
    site = roomy()
    request_id = await started(site.backend())
    response = await site.backend().verify(request_id, code=site.mail().code)
    assert "state" not in response.json()


async def test_the_fifth_wrong_code_has_none_left_and_the_next_is_429() -> None:
    site = roomy()
    backend = site.backend()
    request_id = await started(backend)
    for left in (4, 3, 2, 1, 0):
        response = await backend.verify(request_id, code=wrong(site.mail().code, left))
        assert check_error(response, 400, 3, "INVALID_CODE")["attempts_left"] == left
    # The right one is too late as well.
    response = await backend.verify(request_id, code=site.mail().code)
    assert check_error(response, 429, 8, "TOO_MANY_ATTEMPTS")["attempts_left"] == 0
    assert retry_after(response) > 0
    assert site.sessions == 0


async def test_a_code_works_once() -> None:
    site = roomy()
    request_id = await started(site.backend())
    code = site.mail().code
    assert (await site.backend().verify(request_id, code=code)).status_code == 200
    check_error(await site.backend().verify(request_id, code=code), 410, 9, "REQUEST_EXPIRED")
    check_error(await site.backend().resend(request_id), 410, 9, "REQUEST_EXPIRED")
    assert site.sessions == 1


async def test_a_code_may_be_typed_with_spaces_and_dashes() -> None:
    site = roomy()
    request_id = await started(site.backend())
    code = site.mail().code or ""
    spaced = f" {code[:3]}-{code[3:]} "
    assert (await site.backend().verify(request_id, code=spaced)).status_code == 200


async def test_a_server_verifies_by_link_with_the_id_beside_it() -> None:
    site = roomy()
    request_id = await started(site.backend(), magiclink_auth_uri=PAGE)
    token = token_of(site.mail().link)
    other = await started(site.backend(), "ann@example.com", magiclink_auth_uri=PAGE)
    response = await site.backend().verify(other, link_token=token)
    check_error(response, 410, 9, "REQUEST_EXPIRED")
    response = await site.backend().verify(request_id, link_token="A" * 60)
    check_error(response, 410, 9, "REQUEST_EXPIRED")
    response = await site.backend().verify(request_id, link_token=token)
    assert response.json()["email"] == "jo@example.com"
    assert response.json()["passwordless_type"] == "LINK_OTP"


async def test_without_same_browser_a_link_token_is_enough() -> None:
    site = roomy(same_browser=False)
    await started(site.backend(), magiclink_auth_uri=PAGE)
    body = {"link_token": token_of(site.mail().link)}
    check_error(await site.browser().call("verify", body), 410, 9, "REQUEST_EXPIRED")
    response = await site.backend().browser.call("verify", body)
    assert response.status_code == 200


async def test_a_browser_s_link_belongs_to_the_browser_that_asked() -> None:
    site = roomy()
    browser = site.browser()
    sent = (await browser.call("send", {"email": "jo@example.com"})).json()
    body = {
        "auth_request_id": sent["auth_request_id"],
        "link_token": token_of(site.mail().link),
    }
    check_error(await site.browser().call("verify", body), 403, 7, "OTHER_BROWSER")
    assert (await browser.call("verify", body)).status_code == 200


# --- a further step ----------------------------------------------------------------------------


async def test_a_further_step_is_a_403_that_can_be_gone_on_with() -> None:
    site = make_site(features=[EmailLogin(), Factor()])
    backend = site.backend()
    request_id = await started(backend, state="kept")
    response = await backend.verify(request_id, code=site.mail().code)
    detail = check_error(response, 403, 7, "STEP_REQUIRED")
    login_id = detail.pop("login_id")
    assert detail == {
        "@type": ERROR_TYPE,
        "error_code": "STEP_REQUIRED",
        "steps": ["secret"],
        "expires_at": str(START + 600),
    }
    assert "jo@example.com" not in response.text
    assert "pws_" not in response.text
    assert site.sessions == 0
    step = "/auth/api/v1/step/secret"

    # The handle is of this key: a browser that has it has nothing.
    body = {"login_id": login_id, "secret": RIGHT}
    check_error(await site.browser().request("POST", step, json=body), 410, 9, "REQUEST_EXPIRED")
    wrong_word = {"login_id": login_id, "secret": "no"}
    response = await backend.browser.request("POST", step, json=wrong_word)
    assert check_error(response, 400, 3, "INVALID_CODE")["attempts_left"] == 4
    response = await backend.browser.request("POST", step, json=body)
    assert response.status_code == 200
    assert response.json()["state"] == "kept"
    assert response.json()["session_token"].startswith("pws_")
    assert site.sessions == 1


async def test_a_browser_goes_on_by_its_cookie() -> None:
    site = make_site(features=[EmailLogin(), Factor()])
    browser = site.browser()
    sent = (await browser.call("send", {"email": "jo@example.com"})).json()
    body = {"auth_request_id": sent["auth_request_id"], "code": site.mail().code}
    response = await browser.call("verify", body)
    detail = check_error(response, 403, 7, "STEP_REQUIRED")
    assert browser.cookie() is None
    assert browser.cookie("pending") is not None
    assert await browser.who() is None
    body = {"login_id": detail["login_id"], "secret": RIGHT}
    response = await browser.request("POST", "/auth/api/v1/step/secret", json=body)
    assert response.status_code == 200
    assert await browser.who() == "jo@example.com"
    assert browser.cookie("pending") is None


async def test_a_rule_may_refuse_before_the_session() -> None:
    policy = Policy(address="jo@example.com", error=LoginDenied("Not today."))
    site = make_site(features=[EmailLogin(), policy])
    request_id = await started(site.backend())
    response = await site.backend().verify(request_id, code=site.mail().code)
    check_error(response, 403, 7, "LOGIN_DENIED")
    assert response.json()["message"] == "Not today."
    assert error_code(await site.backend().resend(request_id)) == "REQUEST_EXPIRED"


# --- when the store is down --------------------------------------------------------------------


@pytest.mark.parametrize("error", [StoreError, QueueFull])
async def test_a_store_that_is_down_is_503_and_nothing_is_decided(
    error: type[StoreError | QueueFull],
) -> None:
    store = Slow(MemoryStore())
    site = make_site(store=store)
    browser = site.browser()
    await browser.sign_in("jo@example.com")
    sent = (await browser.call("send", {"email": "jo@example.com"})).json()
    held = dict(browser.cookies)
    body = {"auth_request_id": sent["auth_request_id"], "code": site.mail().code}

    async def down() -> None:
        raise error

    verbs = ("read", "read_list", "admit", "attempt", "take", "write", "swap")
    store.before.update(dict.fromkeys(verbs, down))
    calls = [
        ("POST", f"{JSON_BASE}/send", {"email": "ann@example.com"}),
        ("POST", f"{JSON_BASE}/resend", {"auth_request_id": sent["auth_request_id"]}),
        ("POST", f"{JSON_BASE}/verify", body),
        ("DELETE", "/auth/api/v1/session", None),
        ("GET", "/auth/api/v1/sessions", None),
        ("DELETE", "/auth/api/v1/sessions", None),
        ("DELETE", "/auth/api/v1/sessions/x", None),
    ]
    for method, path, content in calls:
        response = await browser.request(method, path, json=content)
        check_error(response, 503, 14, "STORE_UNAVAILABLE")
        assert retry_after(response) == 2
        assert "set-cookie" not in response.headers
    store.before.clear()
    assert browser.cookies == held
    assert (await browser.call("verify", body)).status_code == 200
