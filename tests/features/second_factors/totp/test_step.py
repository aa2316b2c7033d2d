"""The step by an authenticator app, as whoever has the mailbox and no phone would attack it."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from pwless_middleware import MemoryStore
from pwless_middleware.features.second_factors.totp.codes import PERIOD
from tests.features.second_factors.people import (
    JO,
    KIM,
    STEP_API,
    App,
    confirm_by_mail,
    do_step,
    enroll,
    id_of,
    make_factor_site,
    make_instances,
    newest_event,
    sign_in,
    verbs_of,
    wait_for_step,
)
from tests.support import OTHER_KEY, Site, Slow, error_code, holds, retry_after, wrong

pytestmark = pytest.mark.anyio
QUARTER, DAY = 900, 86400


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_factor_site(tmp_path)


async def test_a_login_ends_with_a_code_of_the_app(site: Site) -> None:
    app, jo = await enroll(site), site.browser()
    asked = await wait_for_step(jo)
    assert asked["steps"] == ["totp"]
    assert await jo.who() is None
    told = (await jo.get(STEP_API)).json()
    assert told["methods"] == [{"method": "totp", "strength": "second_factor", "digits": 6}]
    assert told["enrolls"] is False
    done = await do_step(jo, asked["login_id"], app.next_code())
    assert done.status_code == 200, done.text
    assert await jo.who() == JO
    session = site.inner.scope["state"]["session"]
    assert session.methods == ("email_code", "totp")
    assert session.strength == "second_factor"
    (factor,) = await verbs_of(site).list(await id_of(site))
    assert factor.used_at == site.clock.now


async def test_a_code_of_an_app_that_is_removed_meanwhile_lets_nobody_in(tmp_path: Path) -> None:
    """Security rule 46: what is under way as the app is removed ends there."""
    store = Slow(MemoryStore())
    site = make_factor_site(tmp_path, store=store)
    app, jo = await enroll(site), site.browser()
    asked = await wait_for_step(jo)
    user_id = await id_of(site)
    (factor,) = await verbs_of(site).list(user_id)

    async def remove() -> None:
        store.before.clear()
        await verbs_of(site).remove(user_id, factor.id)

    store.before["take"] = remove
    done = await do_step(jo, asked["login_id"], app.next_code())
    assert (done.status_code, error_code(done)) == (410, "REQUEST_EXPIRED")
    assert await jo.who() is None
    left = await site.passwordless.sessions.list(user_id)
    assert "totp" not in {method for session in left for method in session.methods}


@pytest.mark.parametrize("typed", ["{0} {1}", "{0}-{1}", "Code: {0}{1}", "\u200b{0}{1}"])
async def test_a_code_is_read_as_it_may_be_typed(site: Site, typed: str) -> None:
    app, jo = await enroll(site), site.browser()
    asked = await wait_for_step(jo)
    code = app.next_code()
    done = await do_step(jo, asked["login_id"], typed.format(code[:3], code[3:]))
    assert done.status_code == 200, done.text


@pytest.mark.parametrize("store", ["sqlite", "redis"])
async def test_of_twenty_who_bring_one_code_to_four_instances_one_gets_in(
    tmp_path: Path, store: str, request: pytest.FixtureRequest
) -> None:
    """Four that share nothing but database and store, as four processes do."""
    url = request.getfixturevalue("redis_url") if store == "redis" else ""
    sites = make_instances(tmp_path, 4, redis_url=url)
    app = await enroll(sites[0])
    browsers = [site.browser(ip=f"203.0.113.{n}") for n, site in enumerate(sites)]
    logins = [(await wait_for_step(browser))["login_id"] for browser in browsers]
    code = app.next_code()
    answers = await asyncio.gather(
        *(do_step(b, id, code) for b, id in zip(browsers, logins, strict=True) for _ in range(5))
    )
    assert Counter(answer.status_code for answer in answers)[200] == 1
    assert [await browser.who() for browser in browsers].count(JO) == 1
    for site in sites:
        await site.store.aclose()


async def test_a_code_is_good_once_in_every_login_and_window(site: Site) -> None:
    app, jo = await enroll(site), site.browser()
    code = app.next_code()
    asked = await wait_for_step(jo)
    assert (await do_step(jo, asked["login_id"], code)).status_code == 200
    await jo.post("/auth/logout", {})
    for _ in range(2):  # right away, and in the next window, in which it would be good
        thief = site.browser(ip="198.51.100.9")
        asked = await wait_for_step(thief)
        assert error_code(await do_step(thief, asked["login_id"], code)) == "INVALID_CODE"
        assert error_code(await do_step(jo, asked["login_id"], code)) == "REQUEST_EXPIRED"
        site.clock.advance(PERIOD)


async def test_a_used_code_is_remembered_for_as_long_as_it_would_be_good(site: Site) -> None:
    app, jo = await enroll(site), site.browser()
    site.clock.advance(3 * PERIOD - site.clock.now % PERIOD)
    code = app.code(1)  # the first second of the 90 in which it is good
    asked = await wait_for_step(jo)
    assert (await do_step(jo, asked["login_id"], code)).status_code == 200
    for seconds in (2 * PERIOD, PERIOD - 1):
        site.clock.advance(seconds)
        thief = site.browser(ip="198.51.100.9")
        asked = await wait_for_step(thief)
        assert error_code(await do_step(thief, asked["login_id"], code)) == "INVALID_CODE"


async def test_a_code_that_was_shown_before_a_used_one_is_used_as_well(site: Site) -> None:
    """Security rule 41: the counter is greater than the last one used."""
    app, jo, thief = await enroll(site), site.browser(), site.browser(ip="198.51.100.9")
    site.clock.advance(2 * PERIOD)
    seen, shown = app.code(-1), app.code(1)
    asked = await wait_for_step(jo)
    assert (await do_step(jo, asked["login_id"], shown)).status_code == 200
    asked = await wait_for_step(thief)
    for code in (seen, app.code(0), shown):
        assert error_code(await do_step(thief, asked["login_id"], code)) == "INVALID_CODE"


async def test_the_code_that_confirmed_an_app_signs_nobody_in(site: Site) -> None:
    app, thief = await enroll(site), site.browser()
    asked = await wait_for_step(thief)
    for late in (0, -1):
        assert error_code(await do_step(thief, asked["login_id"], app.code(late))) == "INVALID_CODE"


async def test_of_several_apps_each_is_good_and_nobody_elses(site: Site) -> None:
    phone, tablet, kims = await enroll(site), await enroll(site), await enroll(site, KIM)
    for app in (phone, tablet):
        assert (await sign_in(site.browser(), app)).status_code == 200
    assert error_code(await sign_in(site.browser(), kims)) == "INVALID_CODE"


# --- how often one may be wrong ------------------------------------------------------------------


async def guess(site: Site, app: App, tries: int) -> list[str]:
    """Try wrong codes in one new login, and return how each was answered."""
    browser = site.browser()
    asked = await wait_for_step(browser)
    code = wrong(app.code())
    answers = [await do_step(browser, asked["login_id"], code) for _ in range(tries)]
    return [error_code(answer) for answer in answers]


async def test_wrong_codes_are_counted_over_all_logins_and_lock_the_factors(site: Site) -> None:
    """Security rule 42: 5 a login, 10 in 15 minutes, 20 a day; the right one is no exception."""
    app = await enroll(site)
    site.clock.advance(10 * PERIOD)
    answers = [await guess(site, app, 4) for _ in range(3)]
    flat = [answer for of_login in answers for answer in of_login]
    assert flat == ["INVALID_CODE"] * 10 + ["TOO_MANY_ATTEMPTS"] * 2
    jo = site.browser()
    asked = await wait_for_step(jo)
    locked = await do_step(jo, asked["login_id"], app.next_code())
    assert error_code(locked) == "TOO_MANY_ATTEMPTS"
    assert 0 < retry_after(locked) <= QUARTER
    site.clock.advance(retry_after(locked))
    assert (await sign_in(site.browser(), app)).status_code == 200
    flat = [answer for _ in range(3) for answer in await guess(site, app, 4)]
    assert flat.count("INVALID_CODE") == 10
    locked = await sign_in(site.browser(), app)
    assert error_code(locked) == "TOO_MANY_ATTEMPTS"
    assert retry_after(locked) > QUARTER, "the day is spent as well"
    site.clock.advance(retry_after(locked))
    assert (await sign_in(site.browser(), app)).status_code == 200


async def test_a_login_takes_five_tries(site: Site) -> None:
    app = await enroll(site)
    assert await guess(site, app, 6) == ["INVALID_CODE"] * 5 + ["TOO_MANY_ATTEMPTS"]


async def test_right_codes_give_their_own_try_back(site: Site) -> None:
    app = await enroll(site)
    for _ in range(12):
        assert (await sign_in(site.browser(), app)).status_code == 200


async def test_a_lock_is_anothers_business(site: Site) -> None:
    app, kims = await enroll(site), await enroll(site, KIM)
    for _ in range(3):
        await guess(site, app, 4)
    assert (await sign_in(site.browser(), kims, KIM)).status_code == 200


@pytest.mark.parametrize("typed", ["", "x" * 101])
async def test_what_can_be_no_code_is_named_and_not_counted(site: Site, typed: str) -> None:
    await enroll(site)
    jo = site.browser()
    asked = await wait_for_step(jo)
    before = site.snapshot()
    answer = await do_step(jo, asked["login_id"], typed)
    assert error_code(answer) == "INVALID_ARGUMENT"
    assert site.snapshot() == before


@pytest.mark.parametrize(
    "typed", ["12345", "\u0967\u0968\u0969\u096a\u096b\u2465", "abcdef", "0" * 12]
)
async def test_what_is_no_code_is_a_wrong_one(site: Site, typed: str) -> None:
    await enroll(site)
    jo = site.browser()
    asked = await wait_for_step(jo)
    answer = await do_step(jo, asked["login_id"], typed)
    assert error_code(answer) == "INVALID_CODE"
    assert answer.json()["message"] == "That code is not right."


# --- a live session ------------------------------------------------------------------------------


async def test_a_fresh_code_is_worth_a_second_factor_by_itself(site: Site) -> None:
    app, jo = await enroll(site), site.browser()
    await sign_in(jo, app)
    site.clock.advance(3600)
    user_id = await id_of(site)
    (session,) = await site.passwordless.sessions.list(user_id)
    now = site.clock.now
    assert not session.is_fresh(now=now, within=300, strength="any")
    assert (await do_step(jo, None, app.next_code())).status_code == 200
    (session,) = await site.passwordless.sessions.list(user_id)
    assert session.is_fresh(now=site.clock.now, within=300, strength="second_factor")
    assert not session.is_fresh(now=site.clock.now, within=300, strength="phishing_resistant")
    assert await jo.who() == JO


async def test_a_session_that_a_mail_renews_is_not_fresh_by_a_second_factor(site: Site) -> None:
    app, jo = await enroll(site), site.browser()
    await sign_in(jo, app)
    site.clock.advance(3600)
    assert (await confirm_by_mail(jo)).status_code == 303
    (session,) = await site.passwordless.sessions.list(await id_of(site))
    assert session.is_fresh(now=site.clock.now, within=300)
    assert not session.is_fresh(now=site.clock.now, within=300, strength="second_factor")


# --- who cannot be asked -------------------------------------------------------------------------


async def test_a_secret_whose_key_is_gone_is_wrong_and_told_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = await enroll(make_factor_site(tmp_path))
    site = make_factor_site(tmp_path, secret_key=OTHER_KEY)
    app._site = site
    assert error_code(await sign_in(site.browser(), app)) == "INVALID_CODE"
    (record,) = [r for r in caplog.records if r.name == "pwless.second_factors"]
    assert "pwless rewrap" in record.getMessage()
    assert app._secret not in caplog.text


async def test_events_tell_of_the_step_and_of_no_code(site: Site) -> None:
    app, jo = await enroll(site), site.browser()
    asked = await wait_for_step(jo)
    code = app.next_code()
    await do_step(jo, asked["login_id"], wrong(code))
    await do_step(jo, asked["login_id"], code)
    assert newest_event(site, "step.wrong").method == "totp"
    assert newest_event(site, "step.verified").method == "totp"
    told = " ".join(str(event.to_dict()) for event in site.passwordless.events.recent())
    assert not holds(told, code)
