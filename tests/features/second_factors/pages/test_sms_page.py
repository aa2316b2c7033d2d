"""The account's page of a phone number, and the step's page by text message."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pwless_middleware import TextOutbox
from tests.features.second_factors.pages.browsing import (
    ACCOUNT,
    JO,
    STEP,
    come_to_step,
    connect,
    make_codes,
    make_page_site,
    type_code,
)
from tests.features.second_factors.sms.people import Phones
from tests.features.test_step_up import fields_of
from tests.own_account import signed_in
from tests.support import Browser, Site, led_to, retry_after, said, wrong

pytestmark = pytest.mark.anyio

SMS = f"{ACCOUNT}/sms"
NUMBER = {"country": "DE", "phone": "01512 3456789"}
BY_SMS = f"{STEP}?method=sms"


@pytest.fixture
def phones() -> Phones:
    """Return the phones of all people."""
    return Phones()


@pytest.fixture
def site(tmp_path: Path, phones: Phones) -> Site:
    """Return a site that sends text messages."""
    return make_page_site(tmp_path, sms=phones, sms_countries=["DE", "AT"])


async def with_phone(site: Site, phones: Phones) -> Browser:
    """Return somebody with an app and a number."""
    jo = await signed_in(site, JO)
    await connect(jo)
    await make_codes(jo)
    page = await jo.get(led_to(await jo.post(SMS, NUMBER)))
    done = led_to(await type_code(jo, page, phones.code()))
    assert done == f"{ACCOUNT}?done=sms"
    return jo


async def test_a_number_is_added_by_the_code_that_comes_to_it(site: Site, phones: Phones) -> None:
    jo = await signed_in(site, JO)
    await connect(jo)
    page = await jo.get(SMS)
    assert re.findall(r'<option value="(\w+)"', page.text) == ["AT", "DE"], "by their names"
    assert '<option value="DE" selected>Germany (&lrm;+49)' in page.text, "the first that is named"
    page = await jo.get(led_to(await jo.post(SMS, NUMBER)))
    assert "+49 1512 3456789" in said(page)
    bad = await type_code(jo, page, wrong(phones.code()))
    assert bad.status_code == 400
    assert "4 tries left" in said(bad)
    page = await jo.get(led_to(await type_code(jo, bad, phones.code())))
    assert "Your phone number is added." in said(page)
    assert "Text message \u2066•••• 89\u2069" in said(page)
    assert "3456789" not in page.text


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ({"country": "DE", "phone": "030 123456"}, "mobile"),
        ({"country": "DE", "phone": "x"}, "number"),
        ({"country": "DE", "phone": "+1 202 555 0100"}, "countr"),
        ({}, "number"),
    ],
)
async def test_a_bad_number_stands_beside_its_field(
    site: Site, phones: Phones, typed: dict[str, str], text: str
) -> None:
    jo = await signed_in(site, JO)
    await connect(jo)
    page = await jo.post(SMS, typed)
    assert page.status_code == 400
    error = re.findall(r'id="phone-error"[^>]*>([^<]+)<', page.text)[0]
    assert text in error
    assert f'value="{typed.get("phone", "")}"' in page.text
    assert phones.messages == []


async def test_a_number_alone_is_not_added(site: Site, phones: Phones) -> None:
    """Security rule 47."""
    jo = await signed_in(site, JO)
    page = await jo.get(ACCOUNT)
    assert "beside another second factor" in said(page)
    assert f'href="{SMS}"' not in page.text
    refused = await jo.post(SMS, NUMBER)
    assert refused.status_code == 400
    assert phones.messages == []


async def test_asking_twice_within_a_minute_is_told_with_its_wait(site: Site) -> None:
    jo = await signed_in(site, JO)
    await connect(jo)
    page = await jo.get(led_to(await jo.post(SMS, NUMBER)))
    action, fields = fields_of(page, "Send the text message again")
    refused = await jo.post(action, fields)
    assert refused.status_code == 429
    assert retry_after(refused) == 60
    assert "Too many text messages were asked for." in said(refused)
    assert 'name="code"' in refused.text, "the code that was sent is still good"
    site.clock.advance(61)
    assert (await jo.post(action, fields)).status_code == 303


async def test_the_step_sends_a_code_only_when_asked(site: Site, phones: Phones) -> None:
    await with_phone(site, phones)
    site.clock.advance(61)
    count, other = len(phones.messages), site.browser()
    await come_to_step(other, next="/there")
    page = await other.get(BY_SMS)
    assert "•••• 89" in said(page)
    assert len(phones.messages) == count, "looking sends nothing (security rule 5)"
    action, fields = fields_of(page, "Text me a code")
    sent = led_to(await other.post(action, fields))
    assert sent == BY_SMS
    page = await other.get(sent)
    assert len(phones.messages) == count + 1
    again = await other.post(*fields_of(page, "Send the text message again"))
    assert again.status_code == 429
    assert "Too many text messages were asked for." in said(again)
    assert "email" not in said(again)
    assert led_to(await type_code(other, again, phones.code())) == "/there"
    assert await other.who() == JO


async def test_where_the_tries_are_spent_no_way_is_shown_that_shares_them(
    site: Site, phones: Phones
) -> None:
    await with_phone(site, phones)
    other = site.browser()
    page = await come_to_step(other)
    assert f'href="{BY_SMS}"' in page.text
    for _ in range(6):
        page = await type_code(other, page, "000000")
    assert page.status_code == 429
    assert f'href="{BY_SMS}"' not in page.text
    assert f'href="{STEP}?method=recovery_code"' in page.text


async def test_it_renews_a_session_too(site: Site, phones: Phones) -> None:
    jo = await with_phone(site, phones)
    site.clock.advance(301)
    asked = led_to(await jo.get(SMS))
    page = await jo.get(asked)
    action, fields = fields_of(page, "Text me a code")
    page = await jo.get(led_to(await jo.post(action, fields)))
    action, fields = fields_of(page, 'id="sms-code"')
    assert led_to(await jo.post(action, {**fields, "code": phones.code()})) == SMS


async def test_who_has_two_numbers_chooses(site: Site, phones: Phones) -> None:
    jo = await with_phone(site, phones)
    site.clock.advance(61)
    page = await jo.get(led_to(await jo.post(SMS, {"phone": "+49 177 1234567"})))
    await type_code(jo, page, phones.code("+491771234567"))
    site.clock.advance(61)
    other = site.browser()
    await come_to_step(other)
    page = await other.get(BY_SMS)
    assert "Which phone" in said(page)
    action, fields = fields_of(page, "•••• 67")
    page = await other.get(led_to(await other.post(action, fields)))
    assert "We’ve sent a code to •••• 67" in said(page)
    assert led_to(await type_code(other, page, phones.code("+491771234567"))) == "/"


async def test_a_number_that_is_no_longer_allowed_is_no_way(tmp_path: Path, phones: Phones) -> None:
    site = make_page_site(tmp_path, sms=phones, sms_countries=["DE"])
    await with_phone(site, phones)
    later = make_page_site(tmp_path, sms=TextOutbox(), sms_countries=["AT"])
    page = await come_to_step(later.browser())
    assert "method=sms" not in page.text
    assert "Code from the app" in said(page)


async def test_a_fresh_proof_shows_what_is_on_its_way_and_lists_the_rest(
    site: Site, phones: Phones
) -> None:
    jo = await with_phone(site, phones)
    site.clock.advance(301)
    page = await jo.get(led_to(await jo.get(SMS)))
    assert ways_on(page.text) == ["Text message", "Recovery code"], "the app is the best way"
    page = await jo.get(led_to(await jo.post(*fields_of(page, "Text me a code"))))
    assert ways_on(page.text) == ["Authenticator app", "Recovery code"]
    action, fields = fields_of(page, 'id="recovery-code"')
    page = await jo.post(action, {**fields, "code": "x"})
    assert page.status_code == 400
    assert "Authenticator app" in ways_on(page.text)
    assert 'id="recovery-code-error"' in page.text


def ways_on(text: str) -> list[str]:
    """Return the ways that a page lists, folded up, beside the one that it shows."""
    return re.findall(r"<summary>([^<]+)</summary>", text)
