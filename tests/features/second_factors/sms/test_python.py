"""Codes by text message in Python, for hosts with pages of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware.errors import (
    InvalidArgument,
    InvalidCode,
    PersonNotFound,
    RateLimited,
    RequestExpired,
    StepRequired,
)
from pwless_middleware.features.second_factors import SecondFactors
from tests.features.second_factors.people import App
from tests.features.second_factors.sms.people import JO, PHONE, TextSite
from tests.support import wrong

pytestmark = pytest.mark.anyio


async def wait_in_python(site: TextSite) -> str:
    """Return the id of a login that waits for its step."""
    sent = await site.site.passwordless.send(JO)
    code = site.site.mail(JO).code or ""
    with pytest.raises(StepRequired) as asked:
        await site.site.passwordless.verify(auth_request_id=sent.auth_request_id, code=code)
    return asked.value.login_id


async def test_a_host_adds_a_number_and_signs_its_person_in_by_it(tmp_path: Path) -> None:
    site = TextSite(tmp_path)
    verbs, user_id = site.site.passwordless.verbs(SecondFactors), await site.user_id()
    begun = await verbs.begin_totp(user_id)
    app = App(site.site, begun.secret)
    await verbs.confirm_totp(user_id, enrollment_id=begun.enrollment_id, code=app.next_code())

    new = await verbs.begin_sms(user_id, "0151 23456789", country="DE", client="203.0.113.9")
    code = wrong(site.phones.code())
    with pytest.raises(InvalidCode):
        await verbs.confirm_sms(user_id, enrollment_id=new.enrollment_id, code=code)
    factor = await verbs.confirm_sms(
        user_id, enrollment_id=new.enrollment_id, code=site.phones.code(), name="Mine"
    )
    assert (factor.kind, factor.phone, factor.name) == ("sms", PHONE, "Mine")

    site.clock.now += 60
    login_id = await wait_in_python(site)
    asked = (await verbs.ask(login_id)).methods["sms"]
    assert asked == {"phones": [{"factor_id": factor.id, "phone_ending": "89"}]}
    sent = await verbs.send(login_id, factor_id=factor.id)
    assert sent.phone == "•••• 89"
    with pytest.raises(RateLimited):
        await verbs.send(login_id)
    done = await verbs.verify(login_id, method="sms", code=site.phones.code())
    assert done.email == JO
    assert "sms" in done.session.methods


async def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    site = TextSite(tmp_path)
    verbs, user_id = site.site.passwordless.verbs(SecondFactors), await site.user_id()
    with pytest.raises(PersonNotFound):
        await verbs.begin_sms("nobody", PHONE)
    with pytest.raises(InvalidArgument, match="too weak"):
        await verbs.begin_sms(user_id, PHONE)
    with pytest.raises(InvalidArgument):
        await verbs.begin_sms(user_id, 49)  # type: ignore[arg-type]  # hosts do so
    with pytest.raises(RequestExpired):
        await verbs.send("x" * 60)
    await site.add_phone(user_id)
    login_id = await wait_in_python(site)
    with pytest.raises(InvalidArgument, match="sms"):
        await verbs.send(login_id, method="totp")
    with pytest.raises(InvalidArgument, match="no such phone"):
        await verbs.send(login_id, factor_id="g" * 22)
    with pytest.raises(InvalidArgument):
        await verbs.send(login_id, client="nowhere")
    assert site.phones.messages == []


async def test_without_text_messages_python_says_so(tmp_path: Path) -> None:
    site = TextSite(tmp_path, sms=None, sms_countries=())
    verbs, user_id = site.site.passwordless.verbs(SecondFactors), await site.user_id()
    for verb in (
        verbs.begin_sms(user_id, PHONE),
        verbs.confirm_sms(user_id, enrollment_id="x", code="123456"),
        verbs.send("x" * 60),
    ):
        with pytest.raises(InvalidArgument, match="cannot be added here"):
            await verb
