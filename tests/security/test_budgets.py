"""Nothing that a client holds or does gives tries back (security rule 4).

Nor can anybody use up the tries of somebody else.
"""

from __future__ import annotations

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.errors import ApiError, TooManyAttempts
from tests.support import (
    API_KEY,
    ROOMY,
    Browser,
    Site,
    led_to,
    make_site,
    retry_after,
    token_of,
    wrong,
)

pytestmark = pytest.mark.anyio


def roomy(**options: object) -> Site:
    return make_site(features=[EmailLogin(send_limits=ROOMY, **options)])  # type: ignore[arg-type]


async def spend(browser: Browser, tries: int) -> None:
    for n in range(tries):
        answer = await browser.type_code(wrong(browser.home.mail().code, n))
        assert answer.status_code == 400, n


async def exhausted(site: Site) -> Browser:
    jo = site.browser()
    await jo.ask("jo@example.com")
    await spend(jo, 5)
    assert (await jo.type_code(site.mail().code)).status_code == 429
    return jo


@pytest.mark.parametrize("rotate", [False, True])
async def test_a_resend_gives_no_tries_back(rotate: bool) -> None:
    site = roomy(rotate_on_resend=rotate)
    jo = await exhausted(site)
    assert (await jo.post("/auth/resend", {})).status_code == 303
    assert (await jo.type_code(site.mail().code)).status_code == 429


async def test_a_resend_after_the_expiry_gives_no_tries_back() -> None:
    site = roomy()
    jo = await exhausted(site)
    site.clock.advance(400)
    assert (await jo.post("/auth/resend", {})).status_code == 303
    assert (await jo.type_code(site.mail().code)).status_code == 429


async def test_a_cookie_rolled_back_gives_no_tries_back() -> None:
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    saved = dict(jo.cookies)
    await spend(jo, 5)
    again = site.browser(cookies=saved)
    assert (await again.type_code(site.mail().code)).status_code == 429


async def test_another_client_address_gives_no_tries_back() -> None:
    site = roomy()
    jo = await exhausted(site)
    moved = site.browser(cookies=jo.cookies, ip="198.51.100.77")
    assert (await moved.type_code(site.mail().code)).status_code == 429


async def test_new_requests_give_an_address_no_tries_back() -> None:
    site = roomy()
    for _ in range(2):
        jo = site.browser()
        await jo.ask("jo@example.com")
        await spend(jo, 5)
    fresh = site.browser(ip="198.51.100.77")
    await fresh.ask("jo@example.com")
    assert (await fresh.type_code(site.mail().code)).status_code == 429


async def test_a_success_elsewhere_gives_no_tries_back() -> None:
    """Eve signs in as herself, and as her victim by the link, between guesses."""
    site = roomy()
    eve = site.browser()
    await eve.ask("jo@example.com")
    await spend(eve, 5)
    own = site.browser()
    await own.sign_in("eve@example.com")
    await eve.ask("jo@example.com")
    await spend(eve, 5)
    jo = site.browser()
    await jo.sign_in("jo@example.com", by="link")
    late = site.browser(ip="198.51.100.77")
    await late.ask("jo@example.com")
    assert (await late.type_code(site.mail().code)).status_code == 429


async def test_a_right_code_undoes_its_own_count_and_no_other() -> None:
    """Nine wrong ones, then twenty right ones: each right one still finds the tenth place."""
    site = roomy()
    for count in (5, 4):
        eve = site.browser()
        await eve.ask("jo@example.com")
        await spend(eve, count)
    for _ in range(20):
        jo = site.browser()
        await jo.sign_in("jo@example.com")
    eve = site.browser()
    await eve.ask("jo@example.com")
    await spend(eve, 1)
    assert (await eve.type_code(wrong(site.mail().code, 1))).status_code == 429


async def test_signing_in_often_uses_no_tries_up() -> None:
    """A whole office behind one address, forty logins in ten minutes."""
    site = roomy()
    for n in range(40):
        await site.browser().sign_in(f"jo{n}@example.com")


async def test_a_code_of_the_wrong_shape_costs_no_try() -> None:
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    for text in (
        "",
        "12345",
        "1234567",
        "abcdef",
        "¹²³⁴⁵⁶",
        "12345³",
        "12345x",
        "12_345",
        "+12345",
    ):
        assert (await jo.type_code(text)).status_code == 400
    await spend(jo, 5)


async def test_guessing_at_nothing_costs_nothing_and_tells_nothing() -> None:
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    mail = site.mail()
    await jo.type_code(mail.code)
    replay = site.browser(cookies=jo.cookies)
    before = site.snapshot()
    assert (await replay.type_code(mail.code)).status_code == 410
    assert site.snapshot() == before


# --- nobody is locked out ------------------------------------------------------------------------


async def returning(site: Site) -> Browser:
    """Return a browser that has signed in before and has signed out since."""
    jo = site.browser(ip="198.51.100.1")
    await jo.sign_in("jo@example.com")
    await jo.post("/auth/logout", {})
    assert await jo.who() is None
    assert jo.cookie("device") is not None
    return jo


async def spend_for(site: Site, email: str, tries: int) -> None:
    """Spend so many anonymous tries of an address, from several clients."""
    for n in range(tries // 5):
        eve = site.browser(ip=f"203.0.113.{100 + n}")
        await eve.ask(email)
        await spend(eve, 5)


async def attack(site: Site) -> None:
    """Spend everything that strangers can spend of an address: its tries and its mails."""
    for n in range(4):
        eve = site.browser(ip=f"203.0.113.{n}")
        if (await eve.ask("jo@example.com")).status_code == 303:
            for guess in range(5):
                await eve.type_code(wrong(site.mail().code, guess))


async def test_an_attacker_cannot_stop_a_returning_user() -> None:
    site = make_site()
    jo = await returning(site)
    site.clock.advance(60)
    await attack(site)
    assert (await site.browser(ip="203.0.113.99").ask("jo@example.com")).status_code == 429
    await jo.sign_in("jo@example.com")
    assert await jo.who() == "jo@example.com"


async def test_a_returning_users_own_budget_is_of_the_same_size() -> None:
    site = roomy()
    jo = await returning(site)
    for _ in range(2):
        await jo.ask("jo@example.com")
        await spend(jo, 5)
    await jo.ask("jo@example.com")
    answer = await jo.type_code(site.mail().code)
    assert (answer.status_code, retry_after(answer)) == (429, 900)


@pytest.mark.parametrize("step", ["mails", "codes"])
async def test_sixteen_device_cookies_multiply_no_budget(step: str) -> None:
    """All devices of an address share 60 mails and 60 tries a day."""
    site = make_site() if step == "mails" else roomy()
    devices = []
    for n in range(16):
        site.clock.advance(7200)
        devices.append(site.browser(ip=f"198.51.100.{n}"))
        await devices[-1].sign_in("jo@example.com")
    site.clock.advance(86400)
    counts = {"mails": 0, "codes": 0}
    for _ in range(4):
        for jo in devices:
            counts["mails"] += (await jo.ask("jo@example.com")).status_code == 303
            code = site.mail().code
            answers = [
                await jo.type_code(wrong(code, n)) for n in range(5 if step != "mails" else 0)
            ]
            counts["codes"] += sum(answer.status_code == 400 for answer in answers)
        site.clock.advance(901)
    assert counts[step] == 60


async def test_devices_and_strangers_never_draw_on_each_other() -> None:
    site = roomy()
    jo = await returning(site)
    for _ in range(2):
        await jo.ask("jo@example.com")
        await spend(jo, 5)
    await jo.ask("jo@example.com")
    assert (await jo.type_code(site.mail().code)).status_code == 429
    await spend_for(site, "jo@example.com", 10)
    site.clock.advance(900)
    await jo.sign_in("jo@example.com")


async def test_a_device_does_not_depend_on_its_client() -> None:
    """An office or a carrier's NAT, in which one person has asked and guessed all day."""
    site = make_site()
    jo = site.browser(ip="198.51.100.1")
    await jo.sign_in("jo@example.com")
    site.clock.advance(60)
    for n in range(20):
        assert (await site.browser(ip="198.51.100.1").ask(f"eve{n}@example.com")).status_code == 303
    assert (await site.browser(ip="198.51.100.1").ask("eve@example.com")).status_code == 429
    await jo.post("/auth/logout", {})
    await jo.sign_in("jo@example.com")
    assert (await jo.ask("someone-else@example.com")).status_code == 429, "as whom it is no device"


async def test_a_device_types_its_code_where_its_clients_tries_are_spent() -> None:
    site = roomy()
    jo = await returning(site)
    for n in range(6):
        eve = site.browser(ip="198.51.100.1")
        await eve.ask(f"eve{n}@example.com")
        await spend(eve, 5)
    kim = site.browser(ip="198.51.100.1")
    await kim.ask("kim@example.com")
    assert (await kim.type_code(site.mail().code)).status_code == 429
    await jo.sign_in("jo@example.com")


async def test_signing_in_again_renews_no_devices_budget() -> None:
    site = roomy()
    jo = await returning(site)
    for _ in range(4):
        await jo.ask("jo@example.com")
        await spend(jo, 2)
        await jo.sign_in("jo@example.com", by="link")
    await jo.ask("jo@example.com")
    await spend(jo, 2)
    assert (await jo.type_code(site.mail().code)).status_code == 429


@pytest.mark.parametrize("by", ["host", "page"])
async def test_revoking_all_sessions_makes_older_device_cookies_strangers(by: str) -> None:
    site = make_site()
    lost = await returning(site)
    jo = site.browser(ip="198.51.100.2")
    await jo.sign_in("jo@example.com")
    site.clock.advance(100)
    if by == "page":
        await jo.post("/auth/sessions/revoke", {"all": "1"})
    else:
        await jo.who()
        await site.passwordless.sessions.revoke_all(site.inner.scope["user"].id)
    assert await jo.who() is None
    site.clock.advance(86400)
    await attack(site)
    assert (await site.browser(ip="203.0.113.99").ask("jo@example.com")).status_code == 429
    for device in (lost, jo):
        assert (await device.ask("jo@example.com")).status_code == 429
    site.clock.advance(86400)
    await jo.sign_in("jo@example.com")
    site.clock.advance(60)
    await attack(site)
    await jo.post("/auth/logout", {})
    await jo.sign_in("jo@example.com")
    assert (await lost.ask("jo@example.com")).status_code == 429, "still a stranger"


async def test_a_revoked_device_cookie_types_its_code_as_a_stranger() -> None:
    site = roomy()
    jo = await returning(site)
    await jo.ask("jo@example.com")
    code = site.mail().code
    other = site.browser()
    await other.sign_in("jo@example.com", by="link")
    await other.post("/auth/sessions/revoke", {"all": "1"})
    await spend_for(site, "jo@example.com", 10)
    answer = await jo.type_code(code)
    assert (answer.status_code, retry_after(answer)) == (429, 900)
    site.clock.advance(86400)
    await jo.sign_in("jo@example.com")


async def test_a_device_cookie_of_the_second_of_a_revocation_is_older_than_it() -> None:
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    await jo.post("/auth/sessions/revoke", {"all": "1"})
    site.clock.advance(86400)
    await attack(site)
    assert (await jo.ask("jo@example.com")).status_code == 429


async def test_pages_keys_and_python_have_ten_wrong_codes_each_and_twenty_together() -> None:
    site = make_site(
        features=[EmailLogin(send_limits=ROOMY)],
        api_keys={"first": API_KEY, "second": API_KEY + "2"},
    )
    backends = site.backend(), site.backend(API_KEY + "2")

    async def by_page() -> int:
        jo = site.browser(ip=f"203.0.113.{len(site.outbox.messages)}")
        await jo.ask("jo@example.com")
        return (await jo.type_code(wrong(site.mail().code))).status_code

    async def by_key(number: int) -> int:
        sent = (await backends[number].send("jo@example.com")).json()["auth_request_id"]
        return (await backends[number].verify(sent, code=wrong(site.mail().code))).status_code

    async def by_python() -> int:
        sent = await site.passwordless.send("jo@example.com")
        try:
            await site.passwordless.verify(
                auth_request_id=sent.auth_request_id, code=wrong(site.mail().code)
            )
        except ApiError as error:
            return error.status
        raise AssertionError

    assert [await by_key(0) for _ in range(11)] == [400] * 10 + [429], "one interface"
    assert [await by_page() for _ in range(6)] == [400] * 6
    assert [await by_python() for _ in range(5)] == [400] * 4 + [429]
    assert [await by_page(), await by_key(1)] == [429, 429], "all interfaces together"
    site.clock.advance(900)
    assert [await by_key(1) for _ in range(11)] == [400] * 10 + [429]
    assert [await by_python() for _ in range(11)] == [400] * 10 + [429]
    site.clock.advance(900)
    assert [await by_page(), await by_key(0), await by_key(1), await by_python()] == [429] * 4
    site.clock.advance(86400 - 1800)
    assert await by_page() == 400


async def test_all_interfaces_together_send_forty_mails_a_day() -> None:
    keys = {f"key{n}": f"{API_KEY}{n}" for n in range(4)}
    site = make_site(api_keys=keys)
    sent = 0
    for _ in range(16):
        for key in keys.values():
            answer = await site.backend(key).send("jo@example.com")
            sent += answer.status_code == 200
        site.clock.advance(901)
    assert sent == 40


async def test_a_device_cookie_counts_for_its_own_address_only() -> None:
    site = roomy()
    eve = site.browser(ip="203.0.113.66")
    await eve.sign_in("eve@example.com")
    for count in (5, 5):
        other = site.browser(ip=f"203.0.113.{count}")
        await other.ask("jo@example.com")
        await spend(other, count)
    await eve.ask("jo@example.com")
    assert (await eve.type_code(site.mail().code)).status_code == 429


async def test_a_device_cookie_lets_nobody_in() -> None:
    site = roomy()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    device = {jo.cookie_name("device"): str(jo.cookie("device"))}
    thief = site.browser(cookies=device)
    assert await thief.who() is None
    assert led_to(await thief.get("/auth/verify")) == "/auth/login"
    relabelled = site.browser(cookies={jo.cookie_name(): str(jo.cookie("device"))})
    assert await relabelled.who() is None


async def test_a_forged_device_cookie_draws_on_everybodys_budget() -> None:
    site = roomy()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    value = str(jo.cookie("device"))
    forged = ("A" if value[0] != "A" else "B") + value[1:]
    await attack(site)
    await attack(site)
    eve = site.browser(cookies={jo.cookie_name("device"): forged}, ip="203.0.113.200")
    await eve.ask("jo@example.com")
    assert (await eve.type_code(site.mail().code)).status_code == 429


async def test_three_people_share_a_browser_and_each_keeps_a_budget() -> None:
    site = make_site()
    family = site.browser(ip="198.51.100.1")
    names = ["a@example.com", "b@example.com", "c@example.com"]
    for name in names:
        await family.sign_in(name)
        await family.post("/auth/logout", {})
    site.clock.advance(3600)
    for name in names:
        for n in range(2):
            assert (await site.browser(ip=f"203.0.113.{n}").ask(name)).status_code == 303
        assert (await site.browser(ip="203.0.113.9").ask(name)).status_code == 429
        await family.sign_in(name)


async def test_one_noisy_client_leaves_half_of_the_day_to_the_others() -> None:
    """The address's owner, on a new device, on the day of an attack from one place."""
    site = make_site()
    for _ in range(30):
        await site.browser(ip="203.0.113.1").ask("jo@example.com")
        site.clock.advance(300)
    jo = site.browser(ip="198.51.100.1")
    site.clock.advance(900)
    await jo.ask("jo@example.com")
    assert (await jo.press_link(site.mail().link)).status_code == 303


# --- callers without cookies ----------------------------------------------------------------------


async def test_a_backend_with_a_device_token_is_not_locked_out_by_strangers() -> None:
    site = make_site()
    backend = site.backend()
    sent = (await backend.send("jo@example.com")).json()["auth_request_id"]
    done = (await backend.verify(sent, code=site.mail().code)).json()
    token = done["device_token"]
    site.clock.advance(86400)
    for _ in range(20):
        await backend.send("jo@example.com")
        site.clock.advance(301)
    assert (await backend.send("jo@example.com")).status_code == 429
    for bad in ("", "x", token[:-1], token[::-1], "é"):
        assert (await backend.send("jo@example.com", device_token=bad)).status_code == 429
    answer = await backend.send("eve@example.com", device_token=token)
    assert answer.status_code == 200, "another address"
    answer = await backend.send("jo@example.com", device_token=token)
    assert answer.status_code == 200
    sent = answer.json()["auth_request_id"]
    answer = await site.backend().browser.call(
        "resend", {"auth_request_id": sent, "device_token": token}
    )
    assert answer.status_code == 200
    sent = answer.json()["auth_request_id"]
    answer = await backend.verify(sent, code=site.mail().code, device_token=token)
    assert answer.status_code == 200
    assert answer.json()["device_token"] != token, "it says when"
    await site.passwordless.sessions.revoke_all(answer.json()["user_id"])
    token = answer.json()["device_token"]
    answer = await backend.send("jo@example.com", device_token=token)
    assert answer.status_code == 429, "older than the revocation"


async def test_python_with_a_device_token_types_codes_where_strangers_have_spent_theirs() -> None:
    site = roomy()
    login = site.passwordless
    sent = await login.send("jo@example.com", client="192.0.2.1")
    done = await login.verify(
        auth_request_id=sent.auth_request_id, code=site.mail().code, client="192.0.2.1"
    )
    for attempt in range(2):
        for n in range(10):
            sent = await login.send("jo@example.com", client=f"192.0.2.{n}")
            with pytest.raises(ApiError):
                await login.verify(
                    auth_request_id=sent.auth_request_id,
                    code=wrong(site.mail().code),
                    device_token="foreign" if attempt else None,
                )
    sent = await login.send("jo@example.com")
    code = site.mail().code
    with pytest.raises(TooManyAttempts):
        await login.verify(auth_request_id=sent.auth_request_id, code=code)
    again = await login.resend(sent.auth_request_id, device_token=done.device_token)
    done = await login.verify(
        auth_request_id=again.auth_request_id, code=code, device_token=done.device_token
    )
    assert done.user.email == "jo@example.com"
    assert done.device_token not in repr(done)


async def test_a_browsers_device_token_in_json_is_ignored() -> None:
    site = make_site()
    backend = site.backend()
    sent = (await backend.send("jo@example.com")).json()["auth_request_id"]
    token = (await backend.verify(sent, code=site.mail().code)).json()["device_token"]
    await attack(site)
    jo = site.browser(ip="203.0.113.250")
    answer = await jo.call("send", {"email": "jo@example.com", "device_token": token})
    assert answer.status_code == 429


async def test_a_proxy_that_nobody_configured_sends_ten_times_what_one_client_may() -> None:
    site = make_site()
    answers = []
    for n in range(201):
        somebody = site.browser(ip="10.0.0.5", headers={"x-forwarded-for": f"198.51.100.{n}"})
        answers.append((await somebody.ask(f"jo{n}@example.com")).status_code)
    assert answers == [303] * 200 + [429]


# --- who has the email need not wait --------------------------------------------------------------


async def locked(site: Site) -> Browser:
    """Return a new browser that has asked after strangers had spent all tries; it has a mail."""
    await spend_for(site, "jo@example.com", 10)
    jo = site.browser(ip="198.51.100.1")
    await jo.ask("jo@example.com")
    assert (await jo.type_code(site.mail().code)).status_code == 429
    return jo


async def test_with_codes_alone_the_email_of_a_locked_address_has_a_link_that_gives_tries() -> None:
    site = roomy(kind="OTP")
    first = site.browser()
    await first.ask("jo@example.com")
    assert site.mail().link is None, "nothing is locked"
    jo = await locked(site)
    mail = site.mail()
    page = await jo.get(str(mail.link))
    assert (page.status_code, "Go on to the code" in page.text) == (200, True)
    assert jo.cookie("device") is None, "GET changes nothing"
    pressed = await jo.post("/auth/link", {"link_token": token_of(mail.link)})
    assert (pressed.status_code, led_to(pressed)) == (303, "/auth/verify")
    assert await jo.who() is None
    assert (await jo.type_code(wrong(mail.code))).status_code == 400
    assert (await jo.type_code(mail.code)).status_code == 303
    assert await jo.who() == "jo@example.com"


async def test_such_a_link_gives_five_tries_in_24_hours_however_often_it_is_pressed() -> None:
    site = roomy(kind="OTP")
    jo = await locked(site)
    link = site.mail().link
    for n in range(5):
        await jo.press_link(link)
        if n == 3:  # another challenge, whose own five tries are fresh
            await jo.ask("jo@example.com")
        assert (await jo.type_code(wrong(site.mail().code, n))).status_code == 400
    await jo.press_link(link)
    answer = await jo.type_code(site.mail().code)
    assert answer.status_code == 429
    site.clock.advance(86400)
    await spend_for(site, "jo@example.com", 10)
    await jo.ask("jo@example.com")
    assert (await jo.type_code(site.mail().code)).status_code == 429, "its day is over"


async def test_such_a_link_works_in_the_browser_that_asked_alone_and_signs_nobody_in() -> None:
    site = roomy(kind="OTP")
    jo = await locked(site)
    link = site.mail().link
    eve = site.browser(ip="203.0.113.1")
    assert (await eve.press_link(link)).status_code == 403
    here = await eve.post("/auth/link", {"link_token": token_of(link), "here": "1"})
    assert (here.status_code, led_to(here)) == (303, "/auth/login")
    await eve.ask("jo@example.com")
    assert (await eve.type_code(site.mail().code)).status_code == 429
    assert await eve.who() is None
    answer = await site.backend().browser.call("verify", {"link_token": token_of(link)})
    assert answer.status_code == 400
    assert (await jo.press_link(link)).status_code == 303


@pytest.mark.parametrize("by", ["code", "link"])
async def test_a_link_that_arrived_lets_a_new_browser_ask_where_strangers_have_spent_all(
    by: str,
) -> None:
    site = make_site()
    for n, pause in enumerate((0, 0, 61, 0, 61)):
        site.clock.advance(pause)
        await site.browser(ip=f"203.0.113.{n}").ask("jo@example.com")
    link = site.mail().link
    phone = site.browser(ip="198.51.100.1")
    assert (await phone.ask("jo@example.com")).status_code == 429
    page = await phone.get(str(link))
    assert token_of(link) not in page.text.partition("<body")[2]
    assert phone.cookies == {}
    pressed = await phone.post(str(link), {"here": "1"})
    assert (pressed.status_code, led_to(pressed)) == (303, "/auth/login")
    assert await phone.who() is None
    await phone.sign_in("jo@example.com", by=by)
    assert (await phone.ask("kim@example.com")).status_code == 303, "another address"


async def test_a_link_that_gives_nothing_is_answered_the_same() -> None:
    site = roomy()
    asker = site.browser()
    await asker.ask("jo@example.com")
    link = str(site.mail().link)
    answers = [await site.browser().post(link, {"here": "1"})]
    site.clock.advance(300)
    answers.append(await site.browser().post(link, {"here": "1"}))
    answers.append(await site.browser().post("/auth/link", {"here": "1", "link_token": "x"}))
    answers.append(await site.browser().post("/auth/link", {"here": "1"}))
    shown = [
        (a.status_code, a.headers["location"], len(a.headers["set-cookie"]), a.text)
        for a in answers
    ]
    assert len(set(shown)) == 1
    evil = await site.browser().post(link, {"here": "1"}, headers={"origin": "https://evil.test"})
    assert evil.status_code == 403


async def device_of_nothing(site: Site) -> str | None:
    """Return the device cookie of a browser whose link gave it nothing."""
    nobody = site.browser()
    await nobody.post("/auth/link", {"here": "1", "link_token": "x"})
    return nobody.cookie("device")


async def test_the_link_of_an_expired_email_gives_no_budget() -> None:
    site = roomy()
    await site.browser().ask("jo@example.com")
    link = str(site.mail().link)
    nothing = await device_of_nothing(site)
    early, late = site.browser(), site.browser()
    await early.post(link, {"here": "1"})
    assert early.cookie("device") != nothing
    site.clock.advance(300)
    await late.post(link, {"here": "1"})
    assert late.cookie("device") == nothing


async def test_the_link_of_a_servers_email_gives_a_browser_no_budget() -> None:
    page = "https://www.example.com/magic"
    site = roomy(link_uris=[page])
    answer = await site.backend().send("jo@example.com", magiclink_auth_uri=page)
    assert answer.status_code == 200
    phone = site.browser()
    await phone.post("/auth/link", {"here": "1", "link_token": token_of(site.mail().link)})
    assert phone.cookie("device") == await device_of_nothing(site)


async def test_with_codes_alone_a_link_gives_nothing_once_a_code_can_be_typed_again() -> None:
    site = roomy(kind="OTP")
    await spend_for(site, "jo@example.com", 10)
    site.clock.advance(700)
    jo = site.browser(ip="198.51.100.1")
    await jo.ask("jo@example.com")
    link, code = site.mail().link, site.mail().code
    assert link is not None
    site.clock.advance(201)
    await jo.press_link(link)
    assert jo.cookie("device") is None
    assert (await jo.type_code(code)).status_code == 303


async def test_a_servers_email_with_a_code_alone_never_gets_a_link_to_our_page() -> None:
    site = roomy(kind="OTP")
    await spend_for(site, "jo@example.com", 10)
    assert (await site.backend().send("jo@example.com")).status_code == 200
    assert site.mail().code is not None
    assert site.mail().link is None


async def test_the_24_hours_of_such_a_budget_begin_with_the_email_not_with_the_press() -> None:
    site = roomy()
    await site.browser().ask("jo@example.com")
    link = str(site.mail().link)
    site.clock.advance(299)
    phone = site.browser(ip="198.51.100.1")
    await phone.post(link, {"here": "1"})
    site.clock.advance(86400 - 299)
    await spend_for(site, "jo@example.com", 10)
    await phone.ask("jo@example.com")
    assert (await phone.type_code(site.mail().code)).status_code == 429


async def test_a_known_browser_keeps_its_own_budget_where_it_opens_such_a_link() -> None:
    site = roomy()
    jo = await returning(site)
    await site.browser().ask("jo@example.com")
    link = str(site.mail().link)
    await jo.post(link, {"here": "1"})
    for _ in range(2):
        await jo.ask("jo@example.com")
        await spend(jo, 5)
    await jo.post(link, {"here": "1"})
    await jo.ask("jo@example.com")
    assert (await jo.type_code(site.mail().code)).status_code == 429


async def test_a_revoked_device_gets_the_small_budget_from_a_link() -> None:
    site = roomy()
    jo = await returning(site)
    other = site.browser()
    await other.sign_in("jo@example.com")
    await other.post("/auth/sessions/revoke", {"all": "1"})
    await spend_for(site, "jo@example.com", 10)
    await jo.ask("jo@example.com")
    code = site.mail().code
    assert (await jo.type_code(code)).status_code == 429
    await jo.post(str(site.mail().link), {"here": "1"})
    assert (await jo.type_code(code)).status_code == 303


async def test_all_such_budgets_stay_inside_what_the_devices_of_an_address_have() -> None:
    site = roomy()
    wrong_ones = 0
    for n in range(16):
        await site.browser(ip=f"203.0.113.{n}").ask("jo@example.com")
        phone = site.browser(ip=f"198.51.100.{n}")
        await phone.post(str(site.mail().link), {"here": "1"})
        await phone.ask("jo@example.com")
        code = site.mail().code
        answers = [await phone.type_code(wrong(code, guess)) for guess in range(5)]
        wrong_ones += sum(answer.status_code == 400 for answer in answers)
    assert wrong_ones == 60


async def test_who_owns_a_tag_of_an_address_spends_nothing_of_its_devices() -> None:
    """`jo+x@` is another mailbox where tags are not folded; both share the anonymous ledger."""
    site = roomy()
    jo = await returning(site)
    for n in range(16):
        eve = site.browser(ip=f"203.0.113.{n}")
        await eve.sign_in("jo+x@example.com", by="link")
        await eve.ask("jo+x@example.com")
        await spend(eve, 5) if n < 12 else None
    await jo.sign_in("jo@example.com")
