"""The pages of the step by passkey, and the passkeys' part of step-up."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import Passkeys
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.page_forms import filled, press_login, press_on
from tests.features.passkeys.people import JO, KIM, enroll, make_passkey_site
from tests.support import BASE, Site, led_to, said

pytestmark = pytest.mark.anyio

STEP, NEW = "/auth/step/passkey", "/auth/step/passkey/new"


def strict_site(folder: Path) -> Site:
    """Make a site on which nobody gets in without a passkey."""
    return make_passkey_site(folder, passkeys=Passkeys(required=True))


async def test_from_a_mailed_code_to_the_first_passkey_and_in(tmp_path: Path) -> None:
    site, phone = strict_site(tmp_path), Authenticator()
    jo = site.browser()
    await jo.ask(JO, next="/there")
    assert led_to(await jo.type_code(site.mail(JO).code)) == NEW
    assert await jo.who() is None
    page = await jo.get(NEW)
    assert "Create a passkey" in said(page)
    assert "JavaScript is off" in said(page)
    assert led_to(await jo.get(STEP)) == NEW, "the login's own page"
    assert led_to(await press_on(jo, NEW, phone, creates=True)) == "/there"
    assert await jo.who() == JO

    again = site.browser()
    assert led_to(await again.sign_in(JO)) == STEP
    assert "Use your passkey" in said(await again.get(STEP))
    assert led_to(await press_on(again, STEP, phone)) == "/"
    assert await again.who() == JO
    alone = site.browser()
    await press_login(alone, phone)
    assert await alone.who() == JO, "a passkey needs no mail"


async def test_who_has_one_makes_no_other_in_a_step(tmp_path: Path) -> None:
    site, phone, thief = strict_site(tmp_path), Authenticator(), Authenticator()
    jo, slow = site.browser(), site.browser()
    for browser in (jo, slow):
        assert led_to(await browser.sign_in(JO)) == NEW
    asked = (await slow.post(NEW, {})).json()
    await press_on(jo, NEW, phone, creates=True)
    assert (await slow.get(NEW)).status_code == 410, "begin anew"
    assert led_to(await slow.post(NEW, {})) == NEW, "no options"
    answer = filled(asked, thief.create(asked["options"], origin=BASE))
    assert (await slow.post(NEW, answer)).status_code == 400
    assert await slow.who() is None


async def test_a_bad_answer_is_said_on_the_page_and_five_are_the_end(tmp_path: Path) -> None:
    site, phone, kims = strict_site(tmp_path), Authenticator(), Authenticator()
    for email, authenticator in ((JO, phone), (KIM, kims)):
        browser = site.browser()
        await browser.sign_in(email)
        await press_on(browser, NEW, authenticator, creates=True)
    jo = site.browser()
    await jo.sign_in(JO)
    for _ in range(5):
        asked = (await jo.post(STEP, {})).json()
        credential = kims.get({**asked["options"], "allowCredentials": []}, origin=BASE)
        answer = await jo.post(STEP, filled(asked, credential))
        assert answer.status_code == 400
        assert "This passkey does not work here." in said(answer)
    asked = (await jo.post(STEP, {})).json()
    answer = await jo.post(STEP, filled(asked, phone.get(asked["options"], origin=BASE)))
    assert answer.status_code == 429
    assert await jo.who() is None


async def test_without_a_pending_login_there_is_no_step(tmp_path: Path) -> None:
    stranger = strict_site(tmp_path).browser()
    for path in (STEP, NEW):
        assert (await stranger.get(path)).status_code == 410
        assert (await stranger.post(path, {})).status_code == 410


async def test_step_up_by_passkey_leads_back(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    jo, phone = await enroll(site)
    here = "/auth/step/up?within=300&strength=phishing_resistant&next=/there"
    page = await jo.get(here)
    assert "Use your passkey" in page.text
    assert "Email me a code" not in page.text
    assert "JavaScript is off" in page.text, "else nothing would stand there without a script"
    both = await jo.get("/auth/step/up?next=/there")
    assert both.text.index("Use your passkey") < both.text.index("Email me a code")
    assert "JavaScript is off" not in both.text
    assert led_to(await press_on(jo, here, phone, method="passkey")) == "/there"
    assert led_to(await jo.get(here)) == "/there", "it is fresh now"

    kim = site.browser()
    await kim.sign_in(KIM)
    assert "Use your passkey" not in (await kim.get("/auth/step/up?next=/there")).text
    assert led_to(await kim.post(here, {"method": "passkey"})).startswith("/auth/step/up")


async def test_anothers_passkey_confirms_nobody(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    jo, _ = await enroll(site)
    _, kims = await enroll(site, KIM)
    here = "/auth/step/up?next=/there"
    asked = (await jo.post(here, {"method": "passkey"})).json()
    credential = kims.get({**asked["options"], "allowCredentials": []}, origin=BASE)
    answer = await jo.post(here, filled(asked, credential, method="passkey"))
    assert answer.status_code == 400
    assert "This passkey does not work here." in said(answer)
    assert "Email me a code" in said(answer), "another way"
