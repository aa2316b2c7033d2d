"""The offer of a passkey after a mailed login."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import Passkeys
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.page_forms import (
    OFFER,
    browser_of,
    come_with_authenticator,
    created,
    press_login,
)
from tests.features.passkeys.people import ask, enroll, make_passkey_site, newest_event
from tests.support import led_to, said

pytestmark = pytest.mark.anyio

TO_OFFER = "/auth/passkeys/offer?next=%2F"
DAY = 86400


async def test_once_per_browser_and_again_after_thirty_days(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    jo = site.browser()
    assert led_to(await come_with_authenticator(jo)) == TO_OFFER
    page = await jo.get(TO_OFFER)
    assert "Next time, just your fingerprint" in said(page)
    assert "form-action" not in page.headers["content-security-policy"], "it leads on, anywhere"
    assert led_to(await jo.sign_in("jo@example.com")) == "/", "it was shown"
    site.clock.advance(29 * DAY)
    assert led_to(await jo.post(OFFER, {"next": "/x", "later": "yes"})) == "/x"
    site.clock.advance(29 * DAY)
    assert led_to(await jo.sign_in("jo@example.com")) == "/"
    site.clock.advance(DAY)
    assert led_to(await jo.sign_in("jo@example.com")) == TO_OFFER
    nonce = browser_of(jo).nonce  # type: ignore[union-attr] # it is there
    assert led_to(await jo.post(OFFER, {"next": "/x", "never": "yes"})) == "/x"
    site.clock.advance(1000 * DAY)
    assert led_to(await jo.sign_in("jo@example.com")) == "/"
    await jo.get(TO_OFFER)
    assert led_to(await jo.sign_in("jo@example.com")) == "/", "never stays never"
    assert browser_of(jo).nonce == nonce  # type: ignore[union-attr]


async def test_the_passkey_is_made_and_the_login_goes_on(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    jo, phone = site.browser(), Authenticator()
    await come_with_authenticator(jo)
    await jo.get(TO_OFFER)
    done = await jo.post(OFFER, await created(jo, phone, next="/there?a=b"))
    assert led_to(done) == "/there?a=b"
    assert newest_event(site, "passkey.added").user_id
    other = site.browser()
    await press_login(other, phone)
    assert await other.who() == "jo@example.com"


async def test_nobody_is_asked_who_cannot_or_need_not(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    plain = site.browser()
    await ask(plain, platform_authenticator=False)
    assert led_to(await plain.sign_in("kim@example.com")) == "/", "no authenticator"
    assert led_to(await site.browser().sign_in("kim@example.com")) == "/", "no script"
    jo, authenticator = await enroll(site)
    assert led_to(await come_with_authenticator(jo)) == "/", "has one already"
    await ask(jo, platform_authenticator=True)
    assert led_to(await press_login(jo, authenticator)) == "/", "came by one"
    assert led_to(await jo.get(OFFER + "?next=/x")) == "/x"
    off = make_passkey_site(tmp_path / "off", passkeys=Passkeys(offer=False))
    assert led_to(await come_with_authenticator(off.browser())) == "/", "switched off"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    (tmp_path / "off").mkdir()


async def test_it_is_never_a_dead_end(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    stranger = site.browser()
    assert led_to(await stranger.get(OFFER + "?next=/x")) == "/x"
    assert led_to(await stranger.post(OFFER, {"next": "/x", "later": "yes"})) == "/x"
    jo = site.browser()
    await come_with_authenticator(jo)
    page = await jo.get(OFFER + "?next=/there%3Fa%3Db")
    assert (
        '<noscript><meta http-equiv="refresh" content="0;url=/there?a=b"></noscript>' in page.text
    )
    form = await created(jo, Authenticator(), next="/x")
    bad = await jo.post(OFFER, {**form, "credential": "{}"})
    assert bad.status_code == 400
    for name in ("Create a passkey", "Not now", "Don’t ask again"):
        assert name in said(bad)
    assert 'name="next" value="/x"' in bad.text
    assert "data-quietly" not in bad.text, "nothing is tried anew by itself"
    site.clock.advance(301)
    assert led_to(await jo.post(OFFER, form)) == "/x", "too late to add one without more"


@pytest.mark.parametrize("next", ["//evil.example", "https://evil.example", "/\\evil.example", ""])
async def test_it_leads_to_paths_of_ours_alone(tmp_path: Path, next: str) -> None:
    jo = make_passkey_site(tmp_path).browser()
    await come_with_authenticator(jo)
    assert led_to(await jo.post(OFFER, {"next": next, "later": "yes"})) == "/"
    page = await jo.get(f"{OFFER}?next={next}")
    assert "evil.example" not in page.text
