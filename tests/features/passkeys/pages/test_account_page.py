"""The page of a person's own passkeys."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import Passkeys
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.page_forms import PAGE, created, press_login
from tests.features.passkeys.people import enroll, id_of, make_passkey_site
from tests.own_account import make_kept_site
from tests.support import Browser, led_to, said

pytestmark = pytest.mark.anyio


async def signals_on(browser: Browser) -> dict[str, Any]:
    """Return what the page tells the browser about its own list."""
    found = re.findall(r'data-signals="([^"]+)"', (await browser.get(PAGE)).text)
    return dict(json.loads(unescape(found[0]))) if found else {}


async def test_a_list_with_what_keeps_them_where_and_when(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    page = said(await jo.get(PAGE))
    assert "jo@example.com has none yet" in page
    assert "This browser can’t use passkeys, or JavaScript is off in it." in page
    assert await signals_on(jo) == {}
    phone, key = Authenticator(), Authenticator(is_synced=False, aaguid=bytes(16))
    done = await jo.post(PAGE, await created(jo, phone))
    assert "Your passkey is added." in said(await jo.get(led_to(done)))
    site.clock.advance(3 * 86400)
    await press_login(jo, phone)
    await jo.post(PAGE, await created(jo, key))
    text = said(await jo.get(PAGE))
    assert text.index("Google Password Manager") < text.index("Synced to your devices")
    assert text.index("Added 3 days ago") < text.index("Last used just now")
    assert text.index("Last used") < text.index("On one device only") < text.index("Not used yet")
    assert 'href="/auth/account/passkeys" aria-current="page"' in (await jo.get(PAGE)).text
    told = await signals_on(jo)
    accepted = told["signalAllAcceptedCredentials"]
    assert accepted["allAcceptedCredentialIds"] == [id_of(phone), id_of(key)]
    assert accepted["rpId"] == "app.example.com"
    details = told["signalCurrentUserDetails"]
    assert details["name"] == "jo@example.com"
    assert details["userId"] == accepted["userId"]


async def test_renaming(tmp_path: Path) -> None:
    jo, authenticator = await enroll(make_passkey_site(tmp_path))
    form = {"id": id_of(authenticator), "name": " Jo’s <b>key</b> "}
    done = await jo.post(f"{PAGE}/rename", form)
    page = await jo.get(led_to(done))
    assert "The passkey has its new name." in said(page)
    assert "Jo’s &lt;b&gt;key&lt;/b&gt;" in page.text
    bad = await jo.post(f"{PAGE}/rename", {**form, "name": "x" * 61})
    assert bad.status_code == 400
    assert f'value="{"x" * 61}"' in bad.text
    assert "<details open>" in bad.text
    assert "Jo’s &lt;b&gt;key&lt;/b&gt;" in bad.text
    kim, _ = await enroll(jo.home, "kim@example.com")
    assert (await kim.post(f"{PAGE}/rename", form)).status_code == 404, "another person's"


async def test_a_mail_alone_neither_adds_a_second_one_nor_removes_the_first(
    tmp_path: Path,
) -> None:
    jo, authenticator = await enroll(make_passkey_site(tmp_path))
    page = await jo.get(PAGE)
    to_step_up = "/auth/step/up?within=300&strength=phishing_resistant&next="
    assert unescape(page.text).count(f'href="{to_step_up}%2Fauth%2Faccount%2Fpasskeys"') == 1
    assert "data-passkey=" not in page.text
    remove = f"{PAGE}/remove?id={id_of(authenticator)}"
    assert led_to(await jo.get(remove)).startswith(to_step_up)
    answer = await jo.post(f"{PAGE}/remove", {"id": id_of(authenticator)})
    assert led_to(answer) == to_step_up + "%2Fauth%2Faccount%2Fpasskeys"
    await press_login(jo, authenticator)
    assert (await jo.get(remove)).status_code == 200
    assert 'data-passkey="create"' in (await jo.get(PAGE)).text


async def test_removing_and_signing_out_everywhere_else(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    jo, phone = await enroll(site)
    other, by_passkey = site.browser(), site.browser()
    await other.sign_in("jo@example.com")
    await press_login(by_passkey, phone)
    await press_login(jo, phone)
    key = Authenticator()
    await jo.post(PAGE, await created(jo, key))
    done = await jo.post(f"{PAGE}/remove", {"id": id_of(key)})
    assert "The passkey is removed." in said(await jo.get(led_to(done)))
    assert await other.who() == "jo@example.com"
    assert await by_passkey.who() is None
    accepted = (await signals_on(jo))["signalAllAcceptedCredentials"]
    assert accepted["allAcceptedCredentialIds"] == [id_of(phone)]
    again = await jo.post(f"{PAGE}/remove", {"id": id_of(key)})
    assert led_to(again) == led_to(done), "pressed twice"
    done = await jo.post(f"{PAGE}/remove", {"id": id_of(phone), "others": "yes"})
    assert "all other browsers are signed out" in said(await jo.get(led_to(done)))
    assert await other.who() is None
    assert await jo.who() == "jo@example.com"
    accepted = (await signals_on(jo))["signalAllAcceptedCredentials"]
    assert accepted["allAcceptedCredentialIds"] == []
    assert (await jo.get(f"{PAGE}/remove?id={id_of(phone)}")).status_code == 404


async def test_those_for_a_former_rp_id_leave_room_for_a_new_one(tmp_path: Path) -> None:
    old = make_passkey_site(tmp_path)
    await enroll(old)
    passkeys = Passkeys(rp_id="example.com", max_per_user=1)
    new = make_passkey_site(tmp_path, passkeys=passkeys, clock=old.clock, outbox=old.outbox)
    jo = new.browser()
    await jo.sign_in("jo@example.com")
    page = said(await jo.get(PAGE))
    assert "Made for app.example.com" in page
    assert "there is no room for more" not in page
    assert "Add a passkey" in page


async def test_the_last_way_in_stays_and_a_full_list_says_so(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path, passkeys=Passkeys(max_per_user=1))
    jo, authenticator = await enroll(site)
    await press_login(jo, authenticator)
    page = said(await jo.get(PAGE))
    assert "there is no room for more" in page
    assert "This browser can’t use passkeys" not in page
    assert "Add a passkey" not in page
    alone = make_kept_site(tmp_path, features=[Passkeys()])
    jo = alone.browser()
    await press_login(jo, authenticator)
    for answer in (
        await jo.get(f"{PAGE}/remove?id={id_of(authenticator)}"),
        await jo.post(f"{PAGE}/remove", {"id": id_of(authenticator)}),
    ):
        assert "Nothing else lets you in." in said(answer)
        assert "Remove the passkey" not in said(answer)
    assert (await signals_on(jo))["signalAllAcceptedCredentials"]["allAcceptedCredentialIds"]


async def test_a_bad_answer_is_said_on_the_page(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    form = await created(jo, Authenticator())
    for credential in ("", "{}", "{"):
        bad = await jo.post(PAGE, {**form, "credential": credential})
        assert bad.status_code == 400, credential
        assert 'role="alert"' in bad.text
    site.clock.advance(299)
    assert led_to(await jo.post(PAGE, form)) == f"{PAGE}?done=added"
    again = await jo.post(PAGE, form)
    assert again.status_code in (303, 400), "answered once"
    assert (
        len((await signals_on(jo))["signalAllAcceptedCredentials"]["allAcceptedCredentialIds"]) == 1
    )


async def test_strangers_sign_in_first(tmp_path: Path) -> None:
    stranger = make_passkey_site(tmp_path).browser()
    assert led_to(await stranger.get(PAGE)).startswith("/auth/login?next=")
    for path in (PAGE, f"{PAGE}/rename", f"{PAGE}/remove"):
        assert led_to(await stranger.post(path, {})).startswith("/auth/login?next=")
