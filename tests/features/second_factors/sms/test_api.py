"""Adding a phone number by the JSON API: who may, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.features.second_factors.enrolled import prove_again, sign_in
from tests.features.second_factors.people import App
from tests.features.second_factors.sms.people import JO, PHONE, STEP, TextSite
from tests.support import Browser, error_code, holds

pytestmark = pytest.mark.anyio

API = "/auth/api/v1/factors"


async def with_app(site: TextSite) -> tuple[Browser, App]:
    """Return a browser whose person has an authenticator app, freshly proven."""
    jo = site.browser()
    await jo.sign_in(JO)
    begun = (await jo.request("POST", f"{API}/totp")).json()
    app = App(site.site, begun["secret"])
    body = {"enrollment_id": begun["enrollment_id"], "code": app.next_code()}
    added = await jo.request("POST", f"{API}/totp/confirm", json=body)
    assert added.status_code == 201, added.text
    return jo, app


async def begin(browser: Browser, phone: str = PHONE, **more: str) -> httpx.Response:
    return await browser.request("POST", f"{API}/sms", json={"phone": phone, **more})


async def confirm(browser: Browser, id: str, code: str) -> httpx.Response:
    body = {"enrollment_id": id, "code": code, "name": "My phone"}
    return await browser.request("POST", f"{API}/sms/confirm", json=body)


async def test_a_person_adds_a_number_and_signs_in_by_it(tmp_path: Path) -> None:
    site = TextSite(tmp_path)
    jo, _ = await with_app(site)
    begun = await begin(jo, "0151 23456789", country="DE")
    assert begun.status_code == 200, begun.text
    assert begun.json()["phone"] == "+49 1512 3456789"
    assert not holds(begun.text, site.phones.code())
    added = await confirm(jo, begun.json()["enrollment_id"], site.phones.code())
    assert added.status_code == 201, added.text
    assert added.json()["factor"]["phone_ending"] == "89"
    assert PHONE not in added.text
    assert await jo.who() == JO  # by the renewed session
    assert site.site.mail(JO).subject

    site.clock.now += 60
    other, login_id = await site.begin_login()
    methods = (await other.get(f"{STEP}?login_id={login_id}")).json()["methods"]
    assert [one["method"] for one in methods] == ["totp", "sms"]
    assert PHONE not in str(methods)
    await site.send(other, login_id)
    assert (await site.answer(other, login_id, site.phones.code())).status_code == 200


async def test_it_takes_another_factor_and_a_fresh_proof_by_it(tmp_path: Path) -> None:
    site = TextSite(tmp_path)
    jo = site.browser()
    assert (await begin(jo)).status_code == 401
    await jo.sign_in(JO)
    refused = await begin(jo)
    assert error_code(refused) == "INVALID_ARGUMENT"
    assert "too weak" in refused.text
    jo, app = await with_app(site)
    site.clock.now += 301
    assert error_code(await begin(jo)) == "STEP_UP_REQUIRED"
    assert site.phones.messages == []
    await prove_again(jo, app)
    assert (await begin(jo)).status_code == 200


@pytest.mark.parametrize(
    ("phone", "rule"),
    [
        ("+1 900 555 1234", "mobile"),
        ("+49 32 221234567", "mobile"),
        ("+33 6 12 34 56 78", "country"),
        ("+49 151 23456789 ext. 12", "phone"),
        ("", "length"),
        ("0" * 41, "length"),
    ],
)
async def test_a_number_that_is_not_good_is_named_as_the_field(
    tmp_path: Path, phone: str, rule: str
) -> None:
    site = TextSite(tmp_path)
    jo, _ = await with_app(site)
    refused = await begin(jo, phone)
    assert refused.status_code == 400
    (violation,) = refused.json()["details"][0]["validation_error_info"]["field_violations"]
    assert (violation["field"], violation["constraint"]) == ("phone", rule)
    assert phone == "" or phone not in refused.text


async def test_the_last_other_factor_stays_while_there_is_a_number(tmp_path: Path) -> None:
    site = TextSite(tmp_path)
    jo, _ = await with_app(site)
    begun = (await begin(jo)).json()
    await confirm(jo, begun["enrollment_id"], site.phones.code())
    factors = {one["kind"]: one["id"] for one in (await jo.get(API)).json()["factors"]}
    refused = await jo.request("DELETE", f"{API}/{factors['totp']}")
    assert error_code(refused) == "INVALID_ARGUMENT"
    assert (await jo.request("DELETE", f"{API}/{factors['sms']}")).status_code == 204
    assert (await jo.request("DELETE", f"{API}/{factors['totp']}")).status_code in (204, 403)


async def test_a_removed_number_ends_what_it_had_proven(tmp_path: Path) -> None:
    site = TextSite(tmp_path)
    jo, app = await with_app(site)
    begun = (await begin(jo)).json()
    await confirm(jo, begun["enrollment_id"], site.phones.code())
    site.clock.now += 60
    other, login_id = await site.begin_login()
    await site.send(other, login_id)
    await site.answer(other, login_id, site.phones.code())
    third, pending = await site.begin_login()
    await site.send(third, pending)
    code = site.phones.code()
    await prove_again(jo, app)
    assert (await jo.request("DELETE", f"{API}/{begun['enrollment_id']}")).status_code == 204
    site.site.forget_sessions()
    strength = (await other.get("/auth/api/v1/session")).json()
    assert "second_factor" not in str(strength)
    assert (await site.answer(third, pending, code)).status_code in (400, 410)


async def test_the_countries_are_listed_in_the_language_of_the_request(tmp_path: Path) -> None:
    site = TextSite(tmp_path)
    jo = site.browser(headers={"accept-language": "de"})
    assert (await jo.get(f"{API}/sms")).status_code == 401
    await jo.sign_in(JO)
    listed = (await jo.get(f"{API}/sms")).json()["countries"]
    assert listed[0] == {"code": "DE", "name": "Deutschland", "calling_code": "49"}
    assert [one["code"] for one in listed] == ["DE", "US", "GB"]


async def test_without_text_messages_there_is_nothing_of_them(tmp_path: Path) -> None:
    site = TextSite(tmp_path, sms=None, sms_countries=())
    jo, app = await with_app(site)
    assert (await begin(jo)).status_code in (404, 405)
    other = site.browser()
    await sign_in(other, app)
    assert (await site.send(other, None)).status_code == 404
