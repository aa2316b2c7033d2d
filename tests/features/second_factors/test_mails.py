"""The mails that tell of second factors: in the person's language, with no text of others.

Security rules 16, 43, 44 and 46.
"""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from pwless_middleware.database.factors.factors import SQLFactors
from pwless_middleware.errors import PersonDisabled
from pwless_middleware.flows.people.change_jobs import UNDER_WAY
from tests.factors import make_phone
from tests.features.second_factors.enrolled import (
    API,
    add_app,
    do_step,
    enroll,
    factors_of,
    make_factor_site,
    user_id_of,
)
from tests.features.second_factors.people import JO, KIM, App, id_of, verbs_of
from tests.support import Browser, Site, error_code, holds

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_factor_site(tmp_path)


def words(site: Site) -> str:
    """Return all that the newest mail to Jo says, as text and as HTML."""
    mail = site.mail(JO)
    return " ".join(f"{mail.subject} {mail.text} {mail.html}".split())


def fill_queue(site: Site) -> None:
    """Let the queue take nothing more."""
    site.store.jobs._most = 0  # type: ignore[attr-defined]  # the memory store's


async def make_codes(browser: Browser) -> list[str]:
    """Make recovery codes."""
    made = await browser.request("POST", f"{API}/recovery-codes")
    assert made.status_code == 200, made.text
    return list(made.json()["recovery_codes"])


async def confirm(browser: Browser) -> httpx.Response:
    """Add an app, and return what came of it."""
    begun = (await browser.request("POST", f"{API}/totp")).json()
    code = App(browser.home, begun["secret"]).next_code()
    body = {"enrollment_id": begun["enrollment_id"], "code": code}
    return await browser.request("POST", f"{API}/totp/confirm", json=body)


# --- what they tell ------------------------------------------------------------------------------


async def test_an_app_that_was_added_and_one_that_is_gone(site: Site) -> None:
    jo, app = await enroll(site)
    assert "added to your account" in site.mail(JO).subject
    for text in (site.mail(JO).text, site.mail(JO).html):
        assert "authenticator app was added" in " ".join(text.split())
    assert (site.mail(JO).code, site.mail(JO).link) == (None, None)
    assert (await jo.request("DELETE", f"{API}/{app.id}")).status_code == 204
    assert "removed from your account" in site.mail(JO).subject
    assert "authenticator app was removed" in words(site)


async def test_of_a_phone_number_the_last_digits(site: Site) -> None:
    jo, _ = await enroll(site)
    user_id = await user_id_of(jo)
    assert site.passwordless.database is not None
    phone = make_phone(user_id, 2, phone="+4915112345678")
    factors = SQLFactors(site.passwordless.database)
    assert await factors.add(phone, most=10, may_be_alone=True) == "added"
    await verbs_of(site).remove(user_id, phone.id)
    assert "ends in 78 was removed" in words(site)
    for number in ("5678", "12345678"):
        assert not holds(words(site), number)


async def test_new_recovery_codes_but_none_of_them(site: Site) -> None:
    jo, _ = await enroll(site)
    codes = await make_codes(jo)
    assert "new recovery codes" in site.mail(JO).subject
    for code in codes:
        assert code not in words(site)


async def test_a_recovery_code_that_was_used_and_how_many_are_left(site: Site) -> None:
    jo, _ = await enroll(site)
    codes = await make_codes(jo)
    other = site.browser(cookies={jo.cookie_name("device"): jo.cookie("device") or ""})
    await other.sign_in(JO)
    told = len(site.outbox.messages)
    assert error_code(await do_step(other, "recovery_code", "AAAA-AAAA-AAAA-AAAA"))
    assert len(site.outbox.messages) == told
    assert (await do_step(other, "recovery_code", codes[0])).status_code == 200
    assert "recovery code was used" in site.mail(JO).subject
    assert "left: 9." in words(site)
    assert codes[0] not in words(site)


async def test_nothing_that_somebody_has_typed(site: Site) -> None:
    jo = site.browser()
    await jo.sign_in(JO)
    app = await add_app(jo, name="see https://evil.example now")
    assert "evil" not in words(site)
    await jo.request("DELETE", f"{API}/{app.id}")
    assert "evil" not in words(site)


async def test_no_secret(site: Site) -> None:
    _, app = await enroll(site)
    assert app._secret not in words(site)


async def test_in_the_language_of_the_page(site: Site) -> None:
    await enroll(site, headers={"accept-language": "de"})
    assert "Neuer zweiter Faktor" in site.mail(JO).subject


# --- in silence nothing --------------------------------------------------------------------------


async def test_nothing_is_added_while_no_mail_can_be_queued(site: Site) -> None:
    jo = site.browser()
    await jo.sign_in(JO)
    fill_queue(site)
    assert (await confirm(jo)).status_code == 503
    assert (await factors_of(jo))["factors"] == []


async def test_nothing_is_removed_while_no_mail_can_be_queued(site: Site) -> None:
    jo, app = await enroll(site)
    fill_queue(site)
    assert (await jo.request("DELETE", f"{API}/{app.id}")).status_code == 503
    assert len((await factors_of(jo))["factors"]) == 1


async def test_no_codes_are_made_while_no_mail_can_be_queued(site: Site) -> None:
    jo, _ = await enroll(site)
    fill_queue(site)
    assert (await jo.request("POST", f"{API}/recovery-codes")).status_code == 503
    assert (await factors_of(jo))["recovery_codes"] == 0


async def test_no_code_opens_anything_while_no_mail_can_be_queued(site: Site) -> None:
    jo, _ = await enroll(site)
    codes = await make_codes(jo)
    other = site.browser(cookies={jo.cookie_name("device"): jo.cookie("device") or ""})
    await other.sign_in(JO)
    fill_queue(site)
    assert (await do_step(other, "recovery_code", codes[0])).status_code == 503
    assert await other.who() is None


# --- what is not so is not told ------------------------------------------------------------------


async def test_of_what_did_not_come_about_nothing(tmp_path: Path) -> None:
    """The last factor stays where one is required, and the database refuses an eleventh."""
    site = make_factor_site(tmp_path, mfa="required", max_per_user=1, recovery_codes=False)
    jo = site.browser()
    await jo.sign_in(JO)
    asked = (await jo.get("/auth/api/v1/step")).json()
    body = {"login_id": asked["login_id"], "method": "totp"}
    begun = (await jo.request("POST", "/auth/api/v1/step/enroll", json=body)).json()
    app = App(site, begun["secret"])
    body |= {"enrollment_id": begun["enrollment_id"], "code": app.next_code()}
    assert (await jo.request("POST", "/auth/api/v1/step", json=body)).status_code == 200
    assert "added to your account" in site.mail(JO).subject
    told = len(site.outbox.messages)
    (factor,) = (await factors_of(jo))["factors"]
    assert (await jo.request("DELETE", f"{API}/{factor['id']}")).status_code == 400
    assert (await jo.request("POST", f"{API}/recovery-codes")).status_code == 400
    for _ in range(3):
        site.clock.now += UNDER_WAY
        await site.browser().ask(KIM)  # what waits in the queue is tried again
    assert [mail.to for mail in site.outbox.messages[told:]] == [KIM] * 3


async def test_of_a_person_who_is_disabled_meanwhile_nothing_is_kept_or_told(site: Site) -> None:
    """The mails were queued already, as the database refused."""
    _, _ = await enroll(site)
    user_id = await id_of(site)
    begun = await verbs_of(site).begin_totp(user_id)
    told = len(site.outbox.messages)
    await site.passwordless.people.disable(user_id, by="python")
    code = App(site, begun.secret).next_code()
    with pytest.raises(PersonDisabled):
        await verbs_of(site).confirm_totp(user_id, enrollment_id=begun.enrollment_id, code=code)
    with pytest.raises(PersonDisabled):
        await verbs_of(site).make_recovery_codes(user_id)
    await site.passwordless.people.enable(user_id, by="python")
    for _ in range(3):
        site.clock.now += UNDER_WAY
        await site.browser().ask(KIM)
    assert [mail.to for mail in site.outbox.messages[told:]] == [KIM] * 3


async def test_nobody_is_there_to_be_told(site: Site) -> None:
    jo, _ = await enroll(site)
    user_id = await user_id_of(jo)
    told = len(site.outbox.messages)
    await site.passwordless.people.delete(user_id, by="python")
    factor = make_phone(user_id, 2)
    await verbs_of(site)._flow.mails.queue_removed(factor, None)
    await site.browser().ask(KIM)
    assert [mail.to for mail in site.outbox.messages[told:] if "factor" in mail.subject] == []
