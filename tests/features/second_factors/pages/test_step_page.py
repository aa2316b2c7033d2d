"""The page of a login's step."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import Passkeys
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.page_forms import PAGE, created, press_on
from tests.features.second_factors.pages.browsing import (
    CODES,
    JO,
    STEP,
    App,
    come_to_step,
    connect,
    make_codes,
    make_page_site,
    type_code,
)
from tests.own_account import signed_in
from tests.support import Site, led_to, retry_after, said

pytestmark = pytest.mark.anyio


async def enroll(site: Site) -> App:
    """Return the app of somebody who has signed in elsewhere."""
    return await connect(await signed_in(site, JO))


async def test_a_code_of_the_app_goes_on_to_where_the_login_leads(tmp_path: Path) -> None:
    site = make_page_site(tmp_path)
    app, jo = await enroll(site), site.browser()
    page = await come_to_step(jo, next="/there")
    assert "Code from the app" in said(page)
    assert await jo.who() is None
    assert led_to(await type_code(jo, page, app.next_code())) == "/there"
    assert await jo.who() == JO


async def test_wrong_codes_are_counted_down_and_the_other_ways_stay_open(tmp_path: Path) -> None:
    site = make_page_site(tmp_path)
    jo = await signed_in(site, JO)
    app, codes = await connect(jo), await make_codes(jo)
    other = site.browser()
    page = await come_to_step(other)
    for left in (4, 3, 2, 1, 0):
        page = await type_code(other, page, "000000")
        assert page.status_code == 400
        assert f"{left} tr" in said(page)
        assert 'aria-invalid="true"' in page.text
    page = await type_code(other, page, app.next_code())
    assert page.status_code == 429
    assert retry_after(page) > 0
    assert 'name="code"' not in page.text, "no field for what is not taken"
    assert '<details class="foot" open>' in page.text
    assert f'href="{STEP}?method=recovery_code"' in page.text
    page = await other.get(f"{STEP}?method=recovery_code")
    assert led_to(await type_code(other, page, codes[0].lower())) == "/"
    assert await other.who() == JO


@pytest.mark.parametrize("method", ["sms", "email", "totp&method=x", "passkey"])
async def test_a_way_that_is_not_offered_shows_the_best_one(tmp_path: Path, method: str) -> None:
    site = make_page_site(tmp_path)
    app, jo = await enroll(site), site.browser()
    await come_to_step(jo)
    assert "Code from the app" in said(await jo.get(f"{STEP}?method={method}"))
    answer = await jo.post(STEP, {"method": method, "code": app.next_code()})
    assert answer.status_code == 200
    assert await jo.who() is None


@pytest.mark.parametrize("wants", [True, False])
async def test_a_browser_is_trusted_only_if_that_is_wanted(tmp_path: Path, wants: bool) -> None:
    site = make_page_site(tmp_path, trusted_days=3)
    app, jo = await enroll(site), site.browser()
    page = await come_to_step(jo)
    assert "Don’t ask again in this browser for 3 days" in said(page)
    more = {"trust": "yes"} if wants else {}
    await type_code(jo, page, app.next_code(), **more)
    await jo.post("/auth/logout", {})
    assert led_to(await jo.sign_in(JO)) == ("/" if wants else STEP)


async def test_a_recovery_code_makes_no_browser_trusted(tmp_path: Path) -> None:
    site = make_page_site(tmp_path, trusted_days=3)
    jo = await signed_in(site, JO)
    await connect(jo)
    codes, other = await make_codes(jo), site.browser()
    await come_to_step(other)
    page = await other.get(f"{STEP}?method=recovery_code")
    assert "Don’t ask again" not in said(page)
    await type_code(other, page, codes[0], trust="yes")
    assert await other.who() == JO
    await other.post("/auth/logout", {})
    assert led_to(await other.sign_in(JO)) == STEP


async def test_without_trusted_days_nobody_is_asked_and_a_forged_answer_trusts_nothing(
    tmp_path: Path,
) -> None:
    site = make_page_site(tmp_path)
    app, jo = await enroll(site), site.browser()
    page = await come_to_step(jo)
    assert "Don’t ask again" not in said(page)
    await type_code(jo, page, app.next_code(), trust="yes")
    await jo.post("/auth/logout", {})
    assert led_to(await jo.sign_in(JO)) == STEP


async def test_a_passkey_is_a_way_and_comes_first(tmp_path: Path) -> None:
    site, phone = make_page_site(tmp_path, others=(Passkeys(offer=False),)), Authenticator()
    jo = await signed_in(site, JO)
    await jo.post(PAGE, await created(jo, phone))
    other = site.browser()
    page = await come_to_step(other)
    assert "Use your passkey" in said(page)
    assert "JavaScript is off" in said(page)
    url = f"{STEP}?method=passkey"
    done = await press_on(other, url, phone, method="passkey")
    assert led_to(done) == "/"
    assert await other.who() == JO


async def test_who_has_no_pending_login_is_led_to_a_new_one(tmp_path: Path) -> None:
    site = make_page_site(tmp_path)
    app, jo = await enroll(site), site.browser()
    assert (await jo.get(STEP)).status_code == 410
    page = await come_to_step(jo)
    site.clock.advance(601)
    assert (await type_code(jo, page, app.code())).status_code == 410
    assert await jo.who() is None


async def test_the_last_recovery_codes_are_told_after_the_login(tmp_path: Path) -> None:
    site = make_page_site(tmp_path)
    jo = await signed_in(site, JO)
    await connect(jo)
    codes = await make_codes(jo)
    for n, code in enumerate(codes):
        other = site.browser()
        await come_to_step(other)
        done = await type_code(other, await other.get(f"{STEP}?method=recovery_code"), code)
        is_low = n >= 7
        assert led_to(done) == (f"{CODES}?next=%2F" if is_low else "/")
        if n == 7:
            page = await other.get(led_to(done))
            assert "2 of 10 are left" in said(page)
            assert "Not now" in said(page)
        site.clock.advance(86400)
