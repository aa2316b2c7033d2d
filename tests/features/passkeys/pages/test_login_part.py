"""The passkeys' part of the login page."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from pwless_middleware import EmailLogin, Passkeys
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.page_forms import filled, press_login
from tests.features.passkeys.people import ask, enroll, id_of, make_passkey_site
from tests.own_account import make_kept_site
from tests.support import BASE, led_to, said

pytestmark = pytest.mark.anyio


def parts_of(page: str) -> tuple[str, str]:
    """Return a page without, and what stands in, the parts that wait for a script."""
    hidden = re.findall(r"<div data-scripted hidden>.*?</div>", page, re.DOTALL)
    return re.sub(r"<div data-scripted hidden>.*?</div>", "", page, flags=re.DOTALL), "".join(
        hidden
    )


async def test_without_a_script_the_page_says_nothing_of_passkeys(tmp_path: Path) -> None:
    page = (await make_passkey_site(tmp_path).browser().get("/auth/login?next=/x")).text
    shown, hidden = parts_of(page)
    body = re.sub(r"<script[^>]*>", "", shown).partition("<body>")[2]
    assert "passkey" not in body.lower()
    assert "Sign in with a passkey" in hidden
    assert 'autocomplete="username webauthn"' in shown
    assert re.search(r"/auth/static/passkeys\.[0-9a-f]{8}\.js", page)


async def test_who_offers_passkeys_alone_says_what_a_browser_needs(tmp_path: Path) -> None:
    for features, is_said in (([Passkeys()], True), ([Passkeys(), EmailLogin()], False)):
        page = (await make_kept_site(tmp_path, features=features).browser().get("/auth/login")).text
        assert ("JavaScript is off" in page) is is_said
        assert ("data-autofill" in page) is not is_said, "there is no field to fill"


async def test_the_form_signs_in_and_leads_on_as_a_code_does(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    _, authenticator = await enroll(site)
    phone = site.browser()
    done = await press_login(phone, authenticator, next="/there?a=b#c")
    assert led_to(done) == "/there?a=b#c"
    assert await phone.who() == "jo@example.com"
    assert led_to(await press_login(site.browser(), authenticator, next="//evil.example")) == "/"


async def test_a_bad_answer_is_said_on_the_page_and_nothing_begins_anew(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    _, authenticator = await enroll(site)
    answer = await press_login(site.browser(), authenticator, next="/x", signature=b"false")
    assert answer.status_code == 400
    assert "Error: Sign in" in said(answer)
    assert "This passkey does not work here." in said(answer)
    assert "data-autofill" not in answer.text
    assert "data-signals" not in answer.text, "it is somebody's"
    assert 'name="next" value="/x"' in answer.text
    asked = await ask(phone := site.browser())
    for credential in ("", "{", '{"id": 1}', "[]", '{"id":"a","id":"b"}'):
        form = {"ceremony_id": asked["ceremony_id"], "credential": credential}
        assert (await phone.post("/auth/login", form)).status_code == 400, credential
    site.clock.advance(300)
    late = authenticator.get(asked["options"], origin=BASE)
    answer = await phone.post("/auth/login", filled(asked, late))
    assert "That took too long" in said(answer)


async def test_a_browser_is_told_of_a_passkey_that_is_nobodys(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    jo, authenticator = await enroll(site)
    gone = await jo.request("DELETE", f"/auth/api/v1/passkeys/{id_of(authenticator)}")
    assert gone.status_code == 403, "made by mail, removed by passkey"
    await press_login(jo, authenticator)
    gone = await jo.request("DELETE", f"/auth/api/v1/passkeys/{id_of(authenticator)}")
    assert gone.status_code == 204
    answer = await press_login(site.browser(), authenticator)
    (signals,) = re.findall(r'data-signals="([^"]+)"', answer.text)
    told = {"rpId": "app.example.com", "credentialId": id_of(authenticator)}
    assert json.loads(unescape(signals)) == {"signalUnknownCredential": told}


async def test_a_browser_that_keeps_no_cookies_hears_of_that(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    _, authenticator = await enroll(site)
    asked = await ask(phone := site.browser())
    phone.cookies.clear()
    form = filled(asked, authenticator.get(asked["options"], origin=BASE), next="/x")
    answer = await phone.post("/auth/login", form)
    assert led_to(answer) == "/auth/login?check=1&next=%2Fx"
    phone.cookies.clear()
    assert "cookies" in said(await phone.get(led_to(answer)))


async def test_a_foreign_page_posts_nothing(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    _, authenticator = await enroll(site)
    asked = await ask(phone := site.browser())
    form = filled(asked, authenticator.get(asked["options"], origin=BASE))
    answer = await phone.post("/auth/login", form, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert await phone.who() is None


async def test_who_is_signed_in_may_use_another_passkey(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    jo, _ = await enroll(site)
    _, kims = await enroll(site, "kim@example.com", Authenticator())
    page = await jo.get("/auth/login")
    assert "Sign in with a passkey" in page.text
    assert "data-autofill" not in page.text, "nobody is signed out by a field's autofill"
    await press_login(jo, kims)
    assert await jo.who() == "kim@example.com"
