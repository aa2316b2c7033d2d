"""Browsers that are trusted for some days, and everything that ends it (security rule 45)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pwless_middleware import EmailLogin, Organizations, TextOutbox
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.errors import NotFound
from pwless_middleware.features.second_factors import SecondFactors
from pwless_middleware.features.second_factors.flow import SecondFactorFlow
from tests.features.second_factors.people import (
    JO,
    KIM,
    App,
    by_mail,
    do_step,
    enroll,
    id_of,
    make_factor_site,
    newest_event,
    sign_in,
    verbs_of,
    wait_for_step,
)
from tests.organizations import floor_of, set_policy
from tests.own_account import change, press_undo
from tests.support import ROOMY, Browser, Site, error_code

pytestmark = pytest.mark.anyio
DAY, DAYS = 86400, 30


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_factor_site(tmp_path, second_factors=SecondFactors(trusted_days=DAYS))


def flow_of(site: Site) -> SecondFactorFlow:
    return verbs_of(site)._flow


async def trust(browser: Browser, email: str = JO, *, generation: int | None = None) -> bool:
    """Trust a browser, for who is signed in there, as a page does with the browser's answer."""
    site, user_id = browser.home, await id_of(browser.home, email)
    browsers = flow_of(site).browsers
    if generation is None:
        generation = await browsers.generation(user_id)
    await browser.who()
    session = site.inner.scope["state"]["session"]
    cookies = site.passwordless.cookies
    header = [(b"cookie", "; ".join(f"{k}={v}" for k, v in browser.cookies.items()).encode())]
    caller = Caller(device="Firefox on Linux", trusted=cookies.trust_ids(header))
    set_cookie = await browsers.trust(session, caller, generation=generation)
    if set_cookie is None:
        return False
    name, _, value = set_cookie.partition(";")[0].partition("=")
    browser.cookies[name] = value
    return True


async def make_trusted(site: Site, email: str = JO) -> tuple[Browser, App]:
    """Return a browser in which a person is not asked, and their app."""
    app, browser = await enroll(site, email), site.browser()
    assert (await sign_in(browser, app, email)).status_code == 200
    assert await trust(browser, email)
    return browser, app


async def is_asked(browser: Browser, email: str = JO) -> bool:
    """Whether a login by mail is asked for a second factor in a browser."""
    answer = await by_mail(browser, email)
    if answer.status_code == 200:
        return False
    assert error_code(answer) == "STEP_REQUIRED", answer.text
    return True


async def test_nobody_is_asked_in_it_for_its_days(site: Site) -> None:
    jo, _ = await make_trusted(site)
    assert not await is_asked(jo)
    assert newest_event(site, "step.skipped").user_id == await id_of(site)
    assert newest_event(site, "browser.trusted").by == "person"
    (browser,) = await verbs_of(site).trusted_browsers(await id_of(site))
    assert browser.used_at == site.clock.now
    assert await is_asked(site.browser()), "another browser"
    site.clock.advance(DAYS * DAY - 60)
    assert not await is_asked(jo)
    site.clock.advance(60)
    assert await is_asked(jo)


async def test_what_such_a_login_is_worth_is_one_factor(site: Site) -> None:
    jo, _ = await make_trusted(site)
    await by_mail(jo)
    await jo.who()
    assert site.inner.scope["state"]["session"].strength == "any"


async def test_it_is_off_where_nothing_is_set(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path)
    app, jo = await enroll(site), site.browser()
    await sign_in(jo, app)
    assert not await trust(jo)


async def test_a_session_without_a_second_factor_trusts_nothing(site: Site) -> None:
    jo = site.browser()
    await by_mail(jo)
    assert not await trust(jo)


async def test_a_recovery_code_trusts_nothing(site: Site) -> None:
    await enroll(site)
    code, *_ = await verbs_of(site).make_recovery_codes(await id_of(site))
    jo = site.browser()
    asked = await wait_for_step(jo)
    done = await do_step(jo, asked["login_id"], code, method="recovery_code")
    assert done.status_code == 200
    assert not await trust(jo)
    refused = await jo.request("POST", "/auth/api/v1/factors/trusted-browsers")
    assert error_code(refused) == "REQUEST_EXPIRED"


async def test_another_account_is_asked_in_it(site: Site) -> None:
    jo, _ = await make_trusted(site)
    await enroll(site, KIM)
    assert await is_asked(jo, KIM)


async def test_it_is_trusted_by_its_person_and_not_by_their_address(site: Site) -> None:
    """Who has the address after somebody else has not trusted their browser."""
    await make_trusted(site)
    (browser,) = await verbs_of(site).trusted_browsers(await id_of(site))
    login = Login(
        user_id=await id_of(site),
        email=JO,
        is_new=False,
        authentications=(),
        caller="browser",
        trusted=(browser.id,),
    )
    browsers = flow_of(site).browsers
    assert await browsers.admits(login, days=30, methods=["totp"])
    assert not await browsers.admits(login, days=30, methods=["sms"])
    assert not await browsers.admits(replace(login, user_id="u-2"), days=30, methods=["totp"])


async def test_three_people_may_trust_one_browser(site: Site) -> None:
    jo, _ = await make_trusted(site)
    for email in (KIM, "lee@example.com", "ann@example.com"):
        app = await enroll(site, email)
        await sign_in(jo, app, email)
        assert await trust(jo, email)
        assert not await is_asked(jo, email)
    assert not await is_asked(jo, KIM)
    assert await is_asked(jo, JO), "the newest three"


async def test_a_forged_cookie_is_nobodys(site: Site) -> None:
    jo, _ = await make_trusted(site)
    name = jo.cookie_name("trusted")
    kept = jo.cookies[name]
    jo.cookies[name] = kept[:-2] + ("xx" if kept[-2:] != "xx" else "yy")
    assert await is_asked(jo)


async def test_one_or_all_of_them_can_be_forgotten(site: Site) -> None:
    jo, app = await make_trusted(site)
    other, user_id = site.browser(), await id_of(site)
    await sign_in(other, app)
    assert await trust(other)
    newest, oldest = await verbs_of(site).trusted_browsers(user_id)
    await verbs_of(site).distrust(user_id, oldest.id)
    assert await is_asked(jo)
    assert not await is_asked(other)
    assert newest_event(site, "browser.distrusted").details == {"count": 1}
    with pytest.raises(NotFound):
        await verbs_of(site).distrust(await id_of(site, KIM), newest.id)
    assert await verbs_of(site).distrust_all(user_id) == 1
    assert await is_asked(other)


async def test_the_removal_of_a_factor_ends_it(site: Site) -> None:
    jo, app = await make_trusted(site)
    other = await enroll(site)
    await verbs_of(site).remove(await id_of(site), app.id)
    assert await is_asked(jo)
    assert (await sign_in(jo, other)).status_code == 200


async def test_whoever_is_signed_out_everywhere_is_asked_again_everywhere(site: Site) -> None:
    jo, app = await make_trusted(site)
    site.clock.advance(1)
    await site.passwordless.sign_out(JO)
    assert await is_asked(jo)
    assert await verbs_of(site).trusted_browsers(await id_of(site)) == []
    site.clock.advance(1)
    await sign_in(jo, app)
    assert await trust(jo)
    assert not await is_asked(jo)


async def test_whoever_was_disabled_is_asked_again(site: Site) -> None:
    jo, _ = await make_trusted(site)
    site.clock.advance(1)
    user_id = await id_of(site)
    await site.passwordless.people.disable(user_id, by="operator:u-1")
    await site.passwordless.people.enable(user_id, by="operator:u-1")
    assert await is_asked(jo)


async def test_another_address_ends_it(site: Site) -> None:
    jo, _ = await make_trusted(site)
    site.clock.advance(60)
    await change(jo, KIM)
    assert await is_asked(jo, KIM)
    undo = site.mail(JO).link
    await press_undo(site.browser(), undo)
    assert await is_asked(jo), "an undo signs out everywhere"


async def test_who_forgets_all_in_that_very_moment_forgets_this_one_too(site: Site) -> None:
    app, jo, user_id = await enroll(site), site.browser(), await id_of(site)
    generation = await flow_of(site).browsers.generation(user_id)  # before the proof
    await sign_in(jo, app)
    await verbs_of(site).distrust_all(user_id)
    assert not await trust(jo, generation=generation)
    assert await is_asked(jo)


async def test_it_is_trusted_only_where_the_factor_counts_by_which_it_was(tmp_path: Path) -> None:
    """Who has taken over a phone number trusts no browser where an app is asked for."""
    factors = SecondFactors(trusted_days=DAYS, sms=TextOutbox(), sms_countries=["DE"])
    features = [EmailLogin(send_limits=ROOMY), factors, Organizations()]
    site = make_factor_site(tmp_path, features=features)
    jo, _ = await make_trusted(site)
    user_id, floor, kept = await id_of(site), floor_of(site), site.passwordless._kit.repositories
    assert kept is not None
    phone = Factor(id="p" * 22, user_id=user_id, kind="sms", secret=b"x", created_at=1)
    assert await kept.factors.add(phone, most=10, may_be_alone=True) == "added"
    acme = await floor.organizations.create("Acme")
    await floor.members.put(acme.id, user_id)
    assert not await is_asked(jo)
    for counted, asks in (({"sms", "passkey"}, True), ({"sms", "totp"}, False)):
        await set_policy(floor, acme.id, second_factors=frozenset(counted), mfa="required")
        assert await is_asked(jo) is asks


async def test_a_session_that_is_held_to_a_policy_enters_by_no_trust(tmp_path: Path) -> None:
    """It would be signed out by the switch: whether a session goes on, no browser is asked."""
    features = [EmailLogin(send_limits=ROOMY), SecondFactors(trusted_days=DAYS), Organizations()]
    site = make_factor_site(tmp_path, features=features)
    jo, app = await make_trusted(site)
    user_id, floor = await id_of(site), floor_of(site)
    weak, strict = [await floor.organizations.create(name) for name in ("Weak", "Strict")]
    for one in (weak, strict):
        await floor.members.put(one.id, user_id)
    await set_policy(floor, strict.id, mfa="required")
    site.clock.advance(60)
    assert (await by_mail(jo)).status_code == 200
    await floor.organizations.apply_now(strict.id)
    enters = {"organization": strict.id}
    answer = await jo.request("POST", "/auth/api/v1/account/organizations", json=enters)
    assert error_code(answer) == "STEP_REQUIRED"
    assert await jo.who() == JO
    site.clock.advance(60)
    login_id = answer.json()["details"][0]["login_id"]
    assert (await do_step(jo, login_id, app.next_code())).status_code == 200
    assert await jo.who() == JO
    assert site.inner.scope["state"]["session"].organization_id == strict.id


async def test_fewer_days_hold_for_those_that_are_trusted_already(
    tmp_path: Path,
) -> None:
    site = make_factor_site(tmp_path)
    await site.passwordless.settings.set({"second_factors.trusted_days": DAYS}, by="operator:u-1")
    jo, _ = await make_trusted(site)
    site.clock.advance(DAY)
    await site.passwordless.settings.set({"second_factors.trusted_days": 1}, by="operator:u-1")
    assert await is_asked(jo)
    await site.passwordless.settings.set({"second_factors.trusted_days": 2}, by="operator:u-1")
    assert not await is_asked(jo)
    await site.passwordless.settings.set({"second_factors.trusted_days": 0}, by="operator:u-1")
    assert await is_asked(jo)
