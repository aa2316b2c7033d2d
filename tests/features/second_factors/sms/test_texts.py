"""The text message: what it says, in one part, and whether it is still sent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import Brand
from pwless_middleware.errors import DeliveryError
from pwless_middleware.rendering.mail_templates.template import Texts
from tests.features.second_factors.sms.people import JO, KIM, OTHER_PHONE, PHONE, TextSite

pytestmark = pytest.mark.anyio

# GSM 03.38, table 6.2.1: what one part of 160 characters can be written in.
GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)


async def waiting(site: TextSite) -> tuple[Any, str]:
    """Return a browser whose text message waits in the queue, and its login."""
    await site.add_phone(await site.user_id())
    site.phones.error = DeliveryError("the gateway is down")
    jo, login_id = await site.begin_login()
    assert (await site.send(jo, login_id)).status_code == 200
    return jo, login_id


async def deliver(site: TextSite, *, after: int = 60) -> list[str]:
    """Let the gateway come back, and return why text messages were not sent."""
    site.phones.error = None
    site.clock.now += after
    await site.site.passwordless.deliveries.run_due()
    await asyncio.sleep(0)
    ended = [*site.kinds("sms.suppressed"), *site.kinds("sms.failed")]
    return [str(event.reason) for event in ended]


@pytest.mark.parametrize("language", ["en", "de"])
async def test_it_fits_into_one_part_and_ends_in_the_line_that_binds_it(
    tmp_path: Path, language: str
) -> None:
    site = TextSite(tmp_path, languages=[language], brand=Brand("Musterfirma & Söhne"))
    await site.add_phone(await site.user_id())
    jo, login_id = await site.begin_login()
    await site.send(jo, login_id)
    body = site.phones.last().body
    code = site.phones.code()
    assert body.startswith(f"{code} ")
    assert body.endswith(f"\n\n@app.example.com #{code}")
    assert "Musterfirma & Söhne" in body
    assert len(body) <= 160
    assert set(body) <= GSM


async def test_it_is_written_in_the_language_of_the_page_and_that_of_the_person_goes_first(
    tmp_path: Path,
) -> None:
    site = TextSite(tmp_path)
    user_id = await site.user_id()
    await site.add_phone(user_id)
    jo, login_id = await site.begin_login(headers={"accept-language": "de"})
    await site.send(jo, login_id)
    assert "Ihr Code" in site.phones.last().body
    people = site.site.passwordless.people
    assert people is not None
    await people.set_profile(user_id, language="en")
    site.clock.now += 60
    await site.send(jo, login_id)
    assert "your code" in site.phones.last().body


async def test_once_its_code_was_superseded_it_is_not_sent(tmp_path: Path) -> None:
    site = TextSite(tmp_path)
    jo, login_id = await waiting(site)
    user_id = await site.user_id()
    await site.add_phone(user_id, OTHER_PHONE, id="g" * 22)
    await site.send(jo, login_id, factor_id="g" * 22)
    assert await deliver(site) == ["superseded"]
    assert [message.to for message in site.phones.messages] == [OTHER_PHONE]


async def test_a_code_that_waits_twice_is_sent_once(tmp_path: Path) -> None:
    site = TextSite(tmp_path)
    jo, login_id = await waiting(site)
    site.clock.now += 60
    assert (await site.send(jo, login_id)).status_code == 200
    assert await deliver(site) == ["superseded"]
    assert len(site.phones.messages) == 1
    assert (await site.answer(jo, login_id, site.phones.code())).status_code == 200


async def test_once_its_code_was_used_it_is_not_sent(tmp_path: Path) -> None:
    site = TextSite(tmp_path)
    await site.add_phone(await site.user_id())
    jo, login_id = await site.begin_login()
    await site.send(jo, login_id)
    site.clock.now += 60
    site.phones.error = DeliveryError("the gateway is down")
    await site.send(jo, login_id)
    assert (await site.answer(jo, login_id, site.phones.code())).status_code == 200
    assert await deliver(site) == ["used"]
    assert len(site.phones.messages) == 1


async def test_once_its_code_has_expired_it_is_not_sent(tmp_path: Path) -> None:
    site = TextSite(tmp_path)
    await waiting(site)
    assert await deliver(site, after=300) == ["expired"]
    assert site.phones.messages == []
    assert len(site.site.passwordless.store.jobs) == 0  # type: ignore[arg-type]  # the memory's


async def test_once_its_number_or_person_has_gone_it_is_not_sent(tmp_path: Path) -> None:
    site = TextSite(tmp_path)
    await waiting(site)
    user_id = await site.user_id(KIM)
    await site.add_phone(user_id, OTHER_PHONE, id="k" * 22)
    kim, login_id = await site.begin_login(KIM)
    assert (await site.send(kim, login_id)).status_code == 200
    people = site.site.passwordless.people
    assert people is not None
    await people.disable((await people.find(JO)).id)  # type: ignore[union-attr]  # there is one
    assert (await site.factors.remove_all(user_id)) == 1
    assert await deliver(site) == ["removed", "removed"]
    assert site.phones.messages == []


async def test_a_number_that_the_gateway_refuses_is_given_up_and_named_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = TextSite(tmp_path)
    await site.add_phone(await site.user_id())
    site.phones.error = DeliveryError("the number cannot be reached", permanent=True)
    jo, login_id = await site.begin_login()
    await site.send(jo, login_id)
    await asyncio.sleep(0)
    assert [event.reason for event in site.kinds("sms.failed")] == ["the number cannot be reached"]
    assert PHONE not in caplog.text


async def test_what_an_operator_has_written_is_sent_and_the_binding_line_is_ours(
    tmp_path: Path,
) -> None:
    """Its lines are as they were typed, however long they are."""
    site = TextSite(tmp_path)
    templates = site.site.passwordless._kit.mail_templates
    assert templates is not None
    text = "Hi! {{ brand.name }} sends you {{ code }}, which is for you alone. " + "Bye. " * 10
    await templates.save("sms_code", "en", Texts("", text, ""), seen=0, by="operator:u-1")
    await site.add_phone(await site.user_id())
    jo, login_id = await site.begin_login()
    await site.send(jo, login_id)
    code = site.phones.code()
    said = text.replace("{{ brand.name }}", "app.example.com").replace("{{ code }}", code).strip()
    assert site.phones.last().body == f"{said}\n\n@app.example.com #{code}"
    await templates._current.load()
    templates._current.leave_out("sms_code", "en")
    site.clock.now += 60
    await site.send(jo, login_id)
    assert "your code" in site.phones.last().body
