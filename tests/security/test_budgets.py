"""Rule 4: nothing that a client holds or does gives tries back, and nobody locks another out."""

from __future__ import annotations

import pytest

from pwless_middleware import EmailLogin
from tests.support import ROOMY, Browser, House, house, retry_after, wrong

pytestmark = pytest.mark.anyio


def roomy(**options: object) -> House:
    return house(features=[EmailLogin(send_limits=ROOMY, **options)])  # type: ignore[arg-type]


async def spend(browser: Browser, tries: int) -> None:
    for n in range(tries):
        answer = await browser.type_code(wrong(browser.home.mail().code, n))
        assert answer.status_code == 400, n


async def exhausted(home: House) -> Browser:
    jo = home.browser()
    await jo.ask("jo@example.com")
    await spend(jo, 5)
    assert (await jo.type_code(home.mail().code)).status_code == 429
    return jo


@pytest.mark.parametrize("rotate", [False, True])
async def test_a_resend_gives_no_tries_back(rotate: bool) -> None:
    home = roomy(rotate_on_resend=rotate)
    jo = await exhausted(home)
    assert (await jo.post("/auth/resend", {})).status_code == 303
    assert (await jo.type_code(home.mail().code)).status_code == 429


async def test_a_resend_after_the_expiry_gives_no_tries_back() -> None:
    home = roomy()
    jo = await exhausted(home)
    home.clock.advance(400)
    assert (await jo.post("/auth/resend", {})).status_code == 303
    assert (await jo.type_code(home.mail().code)).status_code == 429


async def test_a_cookie_rolled_back_gives_no_tries_back() -> None:
    home = roomy()
    jo = home.browser()
    await jo.ask("jo@example.com")
    saved = dict(jo.cookies)
    await spend(jo, 5)
    again = home.browser(cookies=saved)
    assert (await again.type_code(home.mail().code)).status_code == 429


async def test_another_client_address_gives_no_tries_back() -> None:
    home = roomy()
    jo = await exhausted(home)
    moved = home.browser(cookies=jo.cookies, ip="198.51.100.77")
    assert (await moved.type_code(home.mail().code)).status_code == 429


async def test_new_requests_give_an_address_no_tries_back() -> None:
    home = roomy()
    for _ in range(2):
        jo = home.browser()
        await jo.ask("jo@example.com")
        await spend(jo, 5)
    fresh = home.browser(ip="198.51.100.77")
    await fresh.ask("jo@example.com")
    assert (await fresh.type_code(home.mail().code)).status_code == 429


async def test_a_success_elsewhere_gives_no_tries_back() -> None:
    """Eve signs in as herself, and as her victim by the link, between guesses."""
    home = roomy()
    eve = home.browser()
    await eve.ask("jo@example.com")
    await spend(eve, 5)
    own = home.browser()
    await own.sign_in("eve@example.com")
    await eve.ask("jo@example.com")
    await spend(eve, 5)
    jo = home.browser()
    await jo.sign_in("jo@example.com", by="link")
    late = home.browser(ip="198.51.100.77")
    await late.ask("jo@example.com")
    assert (await late.type_code(home.mail().code)).status_code == 429


async def test_a_right_code_undoes_its_own_count_and_no_other() -> None:
    """Nine wrong ones, then twenty right ones: each right one still finds the tenth place."""
    home = roomy()
    for count in (5, 4):
        eve = home.browser()
        await eve.ask("jo@example.com")
        await spend(eve, count)
    for _ in range(20):
        jo = home.browser()
        await jo.sign_in("jo@example.com")
    eve = home.browser()
    await eve.ask("jo@example.com")
    await spend(eve, 1)
    assert (await eve.type_code(wrong(home.mail().code, 1))).status_code == 429


async def test_signing_in_often_uses_no_tries_up() -> None:
    """A whole office behind one address, forty logins in ten minutes."""
    home = roomy()
    for n in range(40):
        await home.browser().sign_in(f"jo{n}@example.com")


async def test_a_code_of_the_wrong_shape_costs_no_try() -> None:
    home = roomy()
    jo = home.browser()
    await jo.ask("jo@example.com")
    for text in ("", "12345", "1234567", "abcdef", "１２３４５６", "12345٣", "12_345", "+12345"):
        assert (await jo.type_code(text)).status_code == 400
    await spend(jo, 5)


async def test_guessing_at_nothing_costs_nothing_and_tells_nothing() -> None:
    home = roomy()
    jo = home.browser()
    await jo.ask("jo@example.com")
    mail = home.mail()
    await jo.type_code(mail.code)
    replay = home.browser(cookies=jo.cookies)
    before = home.snapshot()
    assert (await replay.type_code(mail.code)).status_code == 410
    assert home.snapshot() == before


# --- nobody is locked out ------------------------------------------------------------------------


async def returning(home: House) -> Browser:
    """Give a browser that has signed in before and has signed out since."""
    jo = home.browser(ip="198.51.100.1")
    await jo.sign_in("jo@example.com")
    await jo.post("/auth/logout", {})
    assert await jo.who() is None
    assert jo.cookie("device") is not None
    return jo


async def attack(home: House) -> None:
    """Spend everything that strangers can spend of an address: its tries and its mails."""
    for n in range(4):
        eve = home.browser(ip=f"203.0.113.{n}")
        if (await eve.ask("jo@example.com")).status_code == 303:
            for guess in range(5):
                await eve.type_code(wrong(home.mail().code, guess))


async def test_an_attacker_cannot_stop_a_returning_user() -> None:
    home = house()
    jo = await returning(home)
    home.clock.advance(60)
    await attack(home)
    assert (await home.browser(ip="203.0.113.99").ask("jo@example.com")).status_code == 429
    await jo.sign_in("jo@example.com")
    assert await jo.who() == "jo@example.com"


async def test_a_returning_users_own_budget_is_of_the_same_size() -> None:
    home = roomy()
    jo = await returning(home)
    for _ in range(2):
        await jo.ask("jo@example.com")
        await spend(jo, 5)
    await jo.ask("jo@example.com")
    answer = await jo.type_code(home.mail().code)
    assert (answer.status_code, retry_after(answer)) == (429, 900)


async def test_a_device_cookie_counts_for_its_own_address_only() -> None:
    home = roomy()
    eve = home.browser(ip="203.0.113.66")
    await eve.sign_in("eve@example.com")
    for count in (5, 5):
        other = home.browser(ip=f"203.0.113.{count}")
        await other.ask("jo@example.com")
        await spend(other, count)
    await eve.ask("jo@example.com")
    assert (await eve.type_code(home.mail().code)).status_code == 429


async def test_a_device_cookie_lets_nobody_in() -> None:
    home = roomy()
    jo = home.browser()
    await jo.sign_in("jo@example.com")
    device = {jo.cookie_name("device"): str(jo.cookie("device"))}
    thief = home.browser(cookies=device)
    assert await thief.who() is None
    assert (await thief.get("/auth/verify")).headers["location"] == "/auth/login"
    relabelled = home.browser(cookies={jo.cookie_name(): str(jo.cookie("device"))})
    assert await relabelled.who() is None


async def test_a_forged_device_cookie_draws_on_everybodys_budget() -> None:
    home = roomy()
    jo = home.browser()
    await jo.sign_in("jo@example.com")
    value = str(jo.cookie("device"))
    forged = ("A" if value[0] != "A" else "B") + value[1:]
    await attack(home)
    await attack(home)
    eve = home.browser(cookies={jo.cookie_name("device"): forged}, ip="203.0.113.200")
    await eve.ask("jo@example.com")
    assert (await eve.type_code(home.mail().code)).status_code == 429


async def test_three_people_share_a_browser_and_each_keeps_a_budget() -> None:
    home = house()
    family = home.browser(ip="198.51.100.1")
    names = ["a@example.com", "b@example.com", "c@example.com"]
    for name in names:
        await family.sign_in(name)
        await family.post("/auth/logout", {})
    home.clock.advance(3600)
    for name in names:
        for n in range(2):
            assert (await home.browser(ip=f"203.0.113.{n}").ask(name)).status_code == 303
        assert (await home.browser(ip="203.0.113.9").ask(name)).status_code == 429
        await family.sign_in(name)


async def test_one_noisy_client_leaves_half_of_the_day_to_the_others() -> None:
    """The address's owner, on a new device, on the day of an attack from one place."""
    home = house()
    for _ in range(30):
        await home.browser(ip="203.0.113.1").ask("jo@example.com")
        home.clock.advance(300)
    jo = home.browser(ip="198.51.100.1")
    home.clock.advance(900)
    await jo.ask("jo@example.com")
    assert (await jo.press_link(home.mail().link)).status_code == 303
