"""The pages on which a login that asks for a second factor adds the first one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import Passkeys
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.page_forms import press_on
from tests.features.second_factors.pages.browsing import (
    CODES,
    CONNECT,
    JO,
    NEW,
    STEP,
    App,
    begin,
    come_to_step,
    connect,
    make_page_site,
    type_code,
)
from tests.support import led_to, said

pytestmark = pytest.mark.anyio

TOTP = f"{NEW}/totp"
PASSKEY = "/auth/step/passkey/new"


async def test_the_only_way_is_shown_at_once_and_ends_the_login(tmp_path: Path) -> None:
    site = make_page_site(tmp_path, mfa="required")
    jo = site.browser()
    await jo.ask(JO, next="/there")
    assert led_to(await jo.type_code(site.mail(JO).code)) == NEW
    assert led_to(await jo.get(NEW)) == TOTP
    page = await begin(jo, TOTP)
    assert await jo.who() is None
    app = App(jo, page)
    wrong = await type_code(jo, page, "000000")
    assert wrong.status_code == 400
    assert "4 tries left" in said(wrong)
    assert App(jo, wrong).secret == app.secret, "the same one is shown again"
    done = await type_code(jo, wrong, app.code())
    assert await jo.who() == JO
    assert led_to(done) == f"{CODES}?next=%2Fthere", "the codes are offered once"
    page = await jo.get(led_to(done))
    assert "Save your recovery codes" in said(page)
    assert "Not now" in said(page)
    assert 'href="/there"' in page.text

    again = site.browser()
    assert led_to(await again.sign_in(JO)) == STEP
    assert led_to(await type_code(again, await again.get(STEP), app.next_code())) == "/"


async def test_one_chooses_where_there_are_several(tmp_path: Path) -> None:
    site = make_page_site(tmp_path, mfa="required", others=(Passkeys(offer=False),))
    jo, phone = site.browser(), Authenticator()
    page = await come_to_step(jo)
    assert f'href="{TOTP}"' in page.text
    assert f'href="{PASSKEY}"' in page.text
    assert f'href="{NEW}"' in (await jo.get(PASSKEY)).text, "and back"
    assert led_to(await press_on(jo, PASSKEY, phone, creates=True)) == "/"
    assert await jo.who() == JO


async def test_looking_begins_nothing(tmp_path: Path) -> None:
    """Security rule 5: a form alone makes a secret."""
    site = make_page_site(tmp_path, mfa="required")
    jo = site.browser()
    await come_to_step(jo)
    before = site.snapshot()
    assert "secret" not in (await jo.get(TOTP)).text
    assert site.snapshot() == before


async def test_who_has_one_by_now_adds_no_other_in_a_login(tmp_path: Path) -> None:
    site = make_page_site(tmp_path, mfa="required")
    jo, slow = site.browser(), site.browser()
    for browser in (jo, slow):
        await come_to_step(browser)
    late = await begin(slow, TOTP)
    thief = App(slow, late)
    page = await begin(jo, TOTP)
    await type_code(jo, page, App(jo, page).code())
    assert await jo.who() == JO
    assert (await slow.get(TOTP)).status_code == 410
    assert (await slow.post(TOTP, {})).status_code == 410
    assert (await type_code(slow, late, thief.code())).status_code == 410
    assert await slow.who() is None


async def test_another_logins_enrollment_is_not_shown(tmp_path: Path) -> None:
    site = make_page_site(tmp_path, mfa="required")
    jo, other = site.browser(), site.browser()
    for browser in (jo, other):
        await come_to_step(browser)
    page = await begin(jo, TOTP)
    id = page.text.split('name="enrollment_id" value="')[1].split('"')[0]
    shown = await other.get(f"{TOTP}?enrollment_id={id}")
    assert "Begin again" in said(shown)
    assert App(jo, page).secret not in shown.text.replace(" ", "")
    assert (await jo.get(CONNECT)).status_code == 303, "a pending login has no account"


async def test_an_expired_one_is_begun_anew(tmp_path: Path) -> None:
    site = make_page_site(tmp_path, mfa="required")
    jo = site.browser()
    await come_to_step(jo)
    page = await begin(jo, TOTP)
    site.clock.advance(601)
    assert (await type_code(jo, page, App(jo, page).code())).status_code == 410
    await come_to_step(jo)
    await connect(jo, TOTP)
    assert await jo.who() == JO
