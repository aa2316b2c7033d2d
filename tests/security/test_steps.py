"""Steps, with a factor and a policy that live in the tests (security rules 20, 24, 40 and 42)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.core.keys.keyring import MAC_BYTES
from pwless_middleware.core.logins.login import PENDING_LIFETIME
from tests.security.factor import RIGHT, Factor, Policy
from tests.support import (
    ROOMY,
    Browser,
    Site,
    cookie_header,
    error_code,
    holds,
    led_to,
    make_site,
    retry_after,
    said,
    token_of,
    wrong,
)

pytestmark = pytest.mark.anyio
STEP = "/auth/step/secret"


def guarded(*more: object, **options: Any) -> tuple[Site, Factor]:
    factor = Factor()
    site = make_site(features=[EmailLogin(send_limits=ROOMY), factor, *more], **options)
    return site, factor


async def pending(site: Site, by: str = "code", email: str = "jo@example.com") -> Browser:
    """Return a browser whose login waits for the step."""
    jo = site.browser()
    await jo.ask(email)
    mail = site.mail(email)
    done = await (jo.type_code(mail.code) if by == "code" else jo.press_link(mail.link))
    assert (done.status_code, led_to(done)) == (303, STEP)
    return jo


def login_id_of(browser: Browser) -> str:
    """Take a pending login's id out of its cookie, as whoever sees its JSON answer has it."""
    login_id = browser.home.passwordless.cookies.pending(cookie_header(browser))
    assert login_id is not None
    return login_id


@pytest.mark.parametrize("by", ["code", "link"])
async def test_no_session_exists_before_the_factor_under_any_cookie_or_path(by: str) -> None:
    site, factor = guarded(bearer=True)
    jo = await pending(site, by)
    assert [login.methods for login in factor.asked] == [(f"email_{by}",)]
    assert site.sessions == 0
    assert site.pending, "the pending login is kept"
    value = jo.cookie("pending")
    assert value is not None
    assert jo.cookie() is None
    # The pending cookie and the bare handle, tried as every cookie and as a token.
    handle = value.rpartition(".")[0]
    for text in (value, handle):
        for part in ("", "flow", "device", "pending"):
            thief = site.browser(cookies={jo.cookie_name(part): text})
            for path in ("/private", "/", "/auth/sessions", "/auth/api/v1/session"):
                assert (await thief.get(path)).status_code in (303, 401)
        for prefix in ("", "pws_"):
            bearer = {"authorization": f"Bearer {prefix}{text}"}
            for path in ("/private", "/auth/api/v1/session", "/auth/api/v1/sessions"):
                assert (await jo.get(path, headers=bearer)).status_code == 401
    assert site.sessions == 0


@pytest.mark.parametrize("by", ["code", "link"])
async def test_the_factor_opens_the_door_that_code_and_link_did_not(by: str) -> None:
    site, _ = guarded()
    jo = await pending(site, by)
    done = await jo.post(STEP, {"secret": RIGHT})
    assert (done.status_code, led_to(done)) == (303, "/")
    assert jo.cookie("pending") is None
    assert await jo.who() == "jo@example.com"
    session = (await jo.get("/auth/api/v1/session")).json()["session"]
    assert session["methods"] == [f"email_{by}", "secret"]


async def test_the_factor_is_asked_of_a_backend_too_and_is_never_a_200() -> None:
    site, _ = guarded()
    backend = site.backend()
    request_id = (await backend.send("jo@example.com")).json()["auth_request_id"]
    answer = await backend.verify(request_id, code=site.mail().code)
    assert (answer.status_code, error_code(answer)) == (403, "STEP_REQUIRED")
    detail = answer.json()["details"][0]
    assert detail["steps"] == ["secret"]
    assert detail["expires_at"] == str(site.clock.now + PENDING_LIFETIME)
    text = answer.text
    assert "jo@example.com" not in text
    assert "session_token" not in text
    assert "user_id" not in text
    assert "set-cookie" not in answer.headers
    assert site.sessions == 0
    body = {"login_id": detail["login_id"], "secret": RIGHT}
    done = await backend.browser.request("POST", "/auth/api/v1/step/secret", json=body)
    assert done.status_code == 200
    assert done.json()["session_token"].startswith("pws_")


async def test_a_browser_api_caller_gets_the_step_in_a_cookie_and_goes_on_with_it() -> None:
    site, _ = guarded()
    jo = site.browser()
    sent = await jo.call("send", {"email": "jo@example.com"})
    body = {"auth_request_id": sent.json()["auth_request_id"], "code": site.mail().code}
    answer = await jo.call("verify", body)
    assert (answer.status_code, error_code(answer)) == (403, "STEP_REQUIRED")
    assert jo.cookie() is None
    step = {"login_id": answer.json()["details"][0]["login_id"], "secret": RIGHT}
    done = await jo.request("POST", "/auth/api/v1/step/secret", json=step)
    assert done.status_code == 200
    assert await jo.who() == "jo@example.com"


async def test_another_browser_cannot_go_on_with_a_stolen_login_id() -> None:
    site, _ = guarded()
    jo = await pending(site)
    login_id = login_id_of(jo)
    thief = site.browser()
    body = {"secret": RIGHT, "login_id": login_id}
    assert (await thief.post(STEP, body)).status_code == 410
    other = await pending(site, email="eve@example.com")  # has a pending login of its own
    assert (await other.post(STEP, body)).status_code == 410
    assert site.sessions == 0
    assert (await jo.post(STEP, {"secret": RIGHT})).status_code == 303


async def test_a_backend_cannot_go_on_with_a_browsers_login_nor_another_key_with_its() -> None:
    second = "pwk_" + "q" * 32
    from tests.support import API_KEY

    site, _ = guarded(api_keys={"backend": API_KEY, "second": second})
    jo = await pending(site)
    stolen = {"login_id": login_id_of(jo), "secret": RIGHT}
    path = "/auth/api/v1/step/secret"
    backend, other = site.backend(), site.backend(second)
    assert (await backend.browser.request("POST", path, json=stolen)).status_code == 410
    request_id = (await backend.send("kim@example.com")).json()["auth_request_id"]
    refused = await backend.verify(request_id, code=site.mail().code)
    theirs = {"login_id": refused.json()["details"][0]["login_id"], "secret": RIGHT}
    assert (await other.browser.request("POST", path, json=theirs)).status_code == 410
    assert (await site.browser().request("POST", path, json=theirs)).status_code == 410
    assert (await backend.browser.request("POST", path, json=theirs)).status_code == 200


async def test_a_forged_login_id_opens_nothing() -> None:
    site, _ = guarded()
    jo = await pending(site)
    for forged in ("", "x" * 60, "é", str(jo.cookie("flow"))):
        answer = await jo.post(STEP, {"secret": RIGHT, "login_id": forged or "A"})
        assert answer.status_code == 410


@pytest.mark.parametrize(
    ("after", "status"), [(PENDING_LIFETIME - 1, 303), (PENDING_LIFETIME, 410)]
)
async def test_a_pending_login_lives_600_seconds(after: int, status: int) -> None:
    site, _ = guarded()
    jo = await pending(site)
    site.clock.advance(after)
    assert (await jo.post(STEP, {"secret": RIGHT})).status_code == status


async def test_the_sixth_try_at_a_step_is_not_judged() -> None:
    site, factor = guarded()
    jo = await pending(site)
    for left in range(4, -1, -1):
        answer = await jo.post(STEP, {"secret": "wrong"})
        assert answer.status_code == 400
        assert left >= 0
    answer = await jo.post(STEP, {"secret": RIGHT})
    assert answer.status_code == 429
    assert retry_after(answer) <= PENDING_LIFETIME
    assert factor.checked == 5
    assert site.sessions == 0


async def test_tries_at_a_step_are_counted_per_user_not_per_login() -> None:
    """Logging in again does not give the tries back: the attacker who owns the mailbox."""
    site, factor = guarded()
    for _ in range(2):
        jo = await pending(site)
        statuses = [(await jo.post(STEP, {"secret": "wrong"})).status_code for _ in range(5)]
        assert statuses == [400] * 5
        site.clock.advance(60)
    again = await pending(site)
    assert (await again.post(STEP, {"secret": "wrong"})).status_code == 429
    assert (await again.post(STEP, {"secret": RIGHT})).status_code == 429
    assert factor.checked == 10


async def test_a_lock_on_tries_ends_by_itself_and_the_day_has_one_of_its_own() -> None:
    site, factor = guarded()
    judged = [5, 10, 15, 20, 20, 25]
    for at, seconds in enumerate((60, 840, 60, 840, 86400 - 1740, 0)):
        jo = await pending(site)
        for _ in range(5):
            await jo.post(STEP, {"secret": "wrong"})
        assert factor.checked == judged[at]
        site.clock.advance(seconds)
    assert site.sessions == 0


async def test_a_right_step_gives_back_its_own_try_and_no_other() -> None:
    site, _ = guarded()
    for _ in range(2):
        jo = await pending(site)
        for _ in range(4):
            await jo.post(STEP, {"secret": "wrong"})
        assert (await jo.post(STEP, {"secret": RIGHT})).status_code == 303
    again = await pending(site)
    statuses = [(await again.post(STEP, {"secret": "wrong"})).status_code for _ in range(3)]
    assert statuses == [400, 400, 429]


async def test_two_factors_are_asked_one_after_the_other_and_in_their_order() -> None:
    site, _ = guarded(Factor("word"))
    jo = await pending(site)
    # The second one first: the login waits for the first.
    assert (await jo.post("/auth/step/word", {"secret": RIGHT})).status_code == 410
    assert site.sessions == 0
    first = await jo.post(STEP, {"secret": RIGHT})
    assert led_to(first) == "/auth/step/word"
    assert site.sessions == 0
    assert led_to(await jo.post("/auth/step/word", {"secret": RIGHT})) == "/"
    methods = (await jo.get("/auth/api/v1/session")).json()["session"]["methods"]
    assert methods == ["email_code", "secret", "word"]


async def test_a_pending_login_is_used_up_by_its_step() -> None:
    site, _ = guarded()
    jo = await pending(site)
    replayed = site.browser(cookies=jo.cookies)
    assert (await jo.post(STEP, {"secret": RIGHT})).status_code == 303
    assert (await replayed.post(STEP, {"secret": RIGHT})).status_code == 410
    assert site.sessions == 1


async def test_the_steps_page_shows_only_this_browsers_pending_login() -> None:
    site, _ = guarded()
    jo = await pending(site)
    assert (await jo.get(STEP)).status_code == 200
    assert (await site.browser().get(STEP)).status_code == 410


async def test_who_is_not_asked_for_the_factor_goes_straight_in() -> None:
    site = make_site(features=[EmailLogin(), Factor(only={"boss@example.com"})])
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    assert await jo.who() == "jo@example.com"
    boss = await pending(site, email="boss@example.com")
    assert await boss.who() is None


async def test_the_factor_comes_before_the_session_of_a_host_that_calls_python() -> None:
    from pwless_middleware.errors import StepRequired

    site, _ = guarded()
    sent = await site.passwordless.send("jo@example.com")
    with pytest.raises(StepRequired):
        await site.passwordless.verify(auth_request_id=sent.auth_request_id, code=site.mail().code)
    assert site.sessions == 0


# --- policies ------------------------------------------------------------------------------------


async def test_a_policy_refuses_a_domain_before_any_mail_and_counts_nothing() -> None:
    policy = Policy(domain="sso.example")
    site = make_site(features=[EmailLogin(), policy])
    before = site.snapshot()
    answer = await site.browser().ask("jo@sso.example")
    assert answer.status_code == 403
    assert "You cannot sign in here" in said(answer)
    answer = await site.backend().send("jo@sso.example")
    assert (answer.status_code, error_code(answer)) == (403, "LOGIN_DENIED")
    assert site.snapshot() == before
    assert site.outbox.messages == []


async def test_before_challenge_sees_the_domain_and_nothing_else() -> None:
    """So that the time of an answer cannot tell one address from another."""
    policy = Policy()
    site = make_site(features=[EmailLogin(), policy])
    await site.browser().ask("Jo+tag@Example.com")
    (context,) = policy.saw
    assert (context.domain, context.next) == ("example.com", "/")
    assert "jo" not in repr(context).lower()
    assert "jo" not in context.hint.lower() or len(context.hint) > 100, "sealed"


async def test_a_policy_sends_a_browser_to_another_sign_in() -> None:
    policy = Policy(domain="sso.example", leads_to="/sso")
    site = make_site(features=[EmailLogin(), policy])
    answer = await site.browser().ask("jo@sso.example")
    assert (answer.status_code, led_to(answer)) == (303, "/auth/sso")


@pytest.mark.parametrize("by", ["code", "link"])
async def test_a_policy_refuses_after_the_proof_and_there_is_no_session(by: str) -> None:
    policy = Policy(address="jo@example.com")
    site = make_site(features=[EmailLogin(), policy])
    jo = site.browser()
    await jo.ask("jo@example.com")
    mail = site.mail()
    answer = await (jo.type_code(mail.code) if by == "code" else jo.press_link(mail.link))
    assert answer.status_code == 403
    assert jo.cookie() is None
    assert site.sessions == 0
    # The proof is spent: the policy cannot be asked again and again with one mail.
    answer = await (jo.type_code(mail.code) if by == "code" else jo.press_link(mail.link))
    assert answer.status_code == 410


async def test_a_policy_after_the_proof_may_send_a_browser_elsewhere() -> None:
    policy = Policy(address="jo@example.com", leads_to="/sso")
    site = make_site(features=[EmailLogin(), policy])
    jo = site.browser()
    await jo.ask("jo@example.com")
    answer = await jo.type_code(site.mail().code)
    assert (answer.status_code, led_to(answer)) == (303, "/auth/sso")
    assert site.sessions == 0


async def test_a_policy_refuses_before_the_factor_is_asked() -> None:
    site, _ = guarded(Policy(address="jo@example.com"))
    jo = site.browser()
    await jo.ask("jo@example.com")
    assert (await jo.type_code(site.mail().code)).status_code == 403
    assert site.pending == []


async def test_a_rule_that_crashes_lets_nobody_in() -> None:
    class Broken(Policy):
        async def _session(self, login: object) -> None:
            raise RuntimeError("a bug")

    site = make_site(features=[EmailLogin(), Broken()])
    jo = site.browser()
    await jo.ask("jo@example.com")
    with pytest.raises(RuntimeError, match="a bug"):
        await jo.type_code(site.mail().code)
    assert site.sessions == 0


async def test_a_wrong_code_asks_no_rule() -> None:
    site, factor = guarded()
    jo = site.browser()
    await jo.ask("jo@example.com")
    assert (await jo.type_code(wrong(site.mail().code))).status_code == 400
    assert factor.asked == []


async def test_a_pending_login_is_written_without_any_secret() -> None:
    site, _ = guarded()
    jo = await pending(site)
    (key,) = site.pending
    value = await site.store.read(key, now=site.clock.now)
    text = json.dumps([key, (value or b"")[MAC_BYTES:].decode()])
    assert token_of(site.mail().link) not in text
    assert not holds(text, str(site.mail().code))
    assert login_id_of(jo) not in text
    assert str(jo.cookie("pending")) not in text
