"""The page of a person's own second factors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.features.second_factors.pages.browsing import (
    ACCOUNT,
    CODES,
    CONNECT,
    JO,
    STEP,
    App,
    begin,
    codes_on,
    come_to_step,
    connect,
    make_codes,
    make_page_site,
    type_code,
)
from tests.features.test_step_up import fields_of
from tests.own_account import signed_in
from tests.support import Browser, Site, led_to, said

pytestmark = pytest.mark.anyio


def ids_on(text: str) -> list[str]:
    """Return the ids of the factors that a page lists."""
    return re.findall(r"/remove\?id=([\w-]+)", text)


async def test_the_first_app_is_added_and_the_codes_are_offered(tmp_path: Path) -> None:
    site = make_page_site(tmp_path)
    jo = await signed_in(site, JO)
    page = await jo.get(ACCOUNT)
    assert "has none yet" in said(page)
    assert "Recovery codes" not in said(page), "they would open nothing"
    page = await begin(jo)
    assert 'href="otpauth://totp/' in page.text
    assert page.headers["cache-control"] == "no-store"
    assert 'id="name"' not in page.text, "the first one needs no name"
    assert led_to(await type_code(jo, page, App(jo, page).code())) == CODES
    page = await jo.get(ACCOUNT)
    assert len(ids_on(page.text)) == 1
    assert "Make codes" in said(page)
    second = await begin(jo)
    assert led_to(await type_code(jo, second, App(jo, second).code(), name="Tablet")) == CODES
    await make_codes(jo)
    third = await begin(jo)
    done = led_to(await type_code(jo, third, App(jo, third).code()))
    assert done == f"{ACCOUNT}?done=totp"
    page = await jo.get(done)
    assert "Your authenticator app is added." in said(page)
    assert "Tablet" in said(page)


async def test_one_that_waits_is_shown_again_after_a_fresh_proof(tmp_path: Path) -> None:
    """Installing an app takes longer than a proof is fresh."""
    site = make_page_site(tmp_path)
    jo = await signed_in(site, JO)
    page = await begin(jo)
    site.clock.advance(301)
    asked = led_to(await type_code(jo, page, App(jo, page).code()))
    assert asked.startswith("/auth/step/up?")
    assert "enrollment_id" in asked
    assert led_to(await jo.post(CONNECT, {})).startswith("/auth/step/up?")


async def test_another_persons_enrollment_is_not_shown(tmp_path: Path) -> None:
    site = make_page_site(tmp_path)
    jo, kim = await signed_in(site, JO), await signed_in(site, "kim@example.com")
    page = await begin(jo)
    id = page.text.split('name="enrollment_id" value="')[1].split('"')[0]
    shown = await kim.get(f"{CONNECT}?enrollment_id={id}")
    assert "Begin again" in said(shown)
    posted = await kim.post(CONNECT, {"enrollment_id": id, "code": App(jo, page).code()})
    assert posted.status_code == 410


async def with_app(folder: Path, **options: Any) -> tuple[Site, Browser, App]:
    """Return somebody with an app."""
    site = make_page_site(folder, **options)
    jo = await signed_in(site, JO)
    return site, jo, await connect(jo)


async def test_a_factor_is_renamed_and_a_bad_name_stands_beside_its_field(tmp_path: Path) -> None:
    _, jo, _ = await with_app(tmp_path)
    (id,) = ids_on((await jo.get(ACCOUNT)).text)
    bad = await jo.post(f"{ACCOUNT}/rename", {"id": id, "name": "x" * 61})
    assert bad.status_code == 400
    assert "<details open>" in bad.text
    assert 'aria-describedby="name-1-error"' in bad.text
    done = await jo.post(f"{ACCOUNT}/rename", {"id": id, "name": "<b>Work</b> phone"})
    page = await jo.get(led_to(done))
    assert "<bdi>&lt;b&gt;Work&lt;/b&gt; phone</bdi>" in page.text


async def test_a_factor_is_removed_after_a_question_and_a_fresh_proof(tmp_path: Path) -> None:
    site, jo, app = await with_app(tmp_path)
    await make_codes(jo)
    (id,) = ids_on((await jo.get(ACCOUNT)).text)
    remove = f"{ACCOUNT}/remove?id={id}"
    page = await jo.get(remove)
    assert "It is your last second factor" in said(page)
    assert ids_on((await jo.get(ACCOUNT)).text) == [id], "looking removes nothing"
    site.clock.advance(301)
    for answer in (await jo.get(remove), await jo.post(f"{ACCOUNT}/remove", {"id": id})):
        assert led_to(answer).startswith("/auth/step/up?within=300&strength=second_factor")
    page = await jo.get(led_to(await jo.get(remove)))
    assert "Code from the app" in said(page)
    back = led_to(await type_code(jo, page, app.next_code()))
    assert back == remove
    done = led_to(await jo.post(f"{ACCOUNT}/remove", {"id": id}))
    assert done == f"{ACCOUNT}?done=removed"
    page = await jo.get(done)
    assert ids_on(page.text) == []
    asked = led_to(await jo.get(remove))
    assert asked.startswith("/auth/step/up?"), "what it had proven counts no more"
    assert led_to(await site.browser().sign_in(JO)) == "/"


async def test_the_last_one_stays_where_it_is_required(tmp_path: Path) -> None:
    site = make_page_site(tmp_path, mfa="required")
    jo = site.browser()
    await come_to_step(jo)
    await connect(jo, f"{STEP}/new/totp")
    (id,) = ids_on((await jo.get(ACCOUNT)).text)
    kept = await jo.post(f"{ACCOUNT}/remove", {"id": id})
    assert kept.status_code == 400
    assert "Add another one before you remove this one" in said(kept)
    assert 'action="/auth/account/second-factors/remove"' not in kept.text
    assert ids_on((await jo.get(ACCOUNT)).text) == [id]


@pytest.mark.parametrize("how", ["one", "all"])
async def test_trusted_browsers_are_listed_and_forgotten(tmp_path: Path, how: str) -> None:
    site, jo, app = await with_app(tmp_path, trusted_days=30)
    other = site.browser()
    await type_code(other, await come_to_step(other), app.next_code(), trust="yes")
    assert "This browser" in said(await other.get(ACCOUNT))
    page = await jo.get(ACCOUNT)
    assert "Trusted browsers" in said(page)
    assert "This browser" not in said(page)
    id = re.findall(r'distrust">\s*<input type="hidden" name="id" value="([^"]+)"', page.text)[0]
    site.clock.advance(301)
    form = {"id": id} if how == "one" else {"all": "yes"}
    done = led_to(await jo.post(f"{ACCOUNT}/distrust", form))
    page = await jo.get(done)
    assert "forgotten" in said(page)
    assert "Trusted browsers" not in said(page)
    await other.post("/auth/logout", {})
    assert led_to(await other.sign_in(JO)) == STEP
    assert led_to(await jo.post(f"{ACCOUNT}/distrust", {"id": "x"})) == f"{ACCOUNT}?done=distrusted"


async def test_new_recovery_codes_void_the_old_ones(tmp_path: Path) -> None:
    site, jo, _ = await with_app(tmp_path)
    old, new = await make_codes(jo), await make_codes(jo)
    assert len(set(old + new)) == 20
    page = await jo.get(ACCOUNT)
    assert "10 of 10 are left" in said(page)
    assert not [code for code in old + new if code in page.text + (await jo.get(CODES)).text]
    other = site.browser()
    await come_to_step(other)
    form = {"method": "recovery_code"}
    assert (await other.post(STEP, {**form, "code": old[0]})).status_code == 400
    assert led_to(await other.post(STEP, {**form, "code": new[0]})) == "/"
    assert "9 of 10 are left" in said(await jo.get(ACCOUNT))


async def test_codes_that_were_just_shown_stay_good_when_their_page_is_loaded_anew(
    tmp_path: Path,
) -> None:
    site, jo, _ = await with_app(tmp_path)
    action, fields = fields_of(await jo.get(CODES), "codes")
    codes = codes_on(await jo.post(action, fields))
    again = await jo.post(action, fields)
    assert codes_on(again) == []
    assert "Your codes were made, and shown that once." in said(again)
    other = site.browser()
    await come_to_step(other)
    form = {"method": "recovery_code", "code": codes[0]}
    assert led_to(await other.post(STEP, form)) == "/"


async def test_who_has_no_factor_makes_no_codes(tmp_path: Path) -> None:
    site = make_page_site(tmp_path)
    jo = await signed_in(site, JO)
    for answer in (await jo.get(CODES), await jo.post(CODES, {})):
        assert led_to(answer) == ACCOUNT


async def test_where_there_are_no_recovery_codes_nothing_speaks_of_them(tmp_path: Path) -> None:
    _, jo, _ = await with_app(tmp_path, recovery_codes=False)
    assert "Recovery codes" not in said(await jo.get(ACCOUNT))
    assert (await jo.get(CODES)).status_code == 404


async def test_a_foreign_page_leads_nowhere_after_the_codes(tmp_path: Path) -> None:
    """Security rule 8."""
    _, jo, _ = await with_app(tmp_path)
    page = await jo.get(f"{CODES}?next=https://evil.example/")
    assert "evil.example" not in re.sub(r'action="[^"]*"', "", page.text)
