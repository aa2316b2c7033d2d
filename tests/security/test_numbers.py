"""Every security number at its edge: what holds one second or one try before, and after."""

from __future__ import annotations

import re

import pytest

from pwless_middleware import EmailLogin, SendLimits, SessionPolicy, TryLimits
from pwless_middleware.core.challenges.codes import HIGH_ALPHABET
from pwless_middleware.errors import ConfigError
from tests.support import (
    ROOMY,
    START,
    Browser,
    Site,
    error_code,
    make_site,
    retry_after,
    token_of,
    wrong,
)

pytestmark = pytest.mark.anyio
DAY = 86400


async def wrong_codes(site: Site, email: str, count: int, *, ip: str) -> list[int]:
    """Type wrong codes for an address, five to a challenge; give the statuses."""
    statuses: list[int] = []
    while len(statuses) < count:
        eve = site.browser(ip=ip)
        assert (await eve.ask(email)).status_code == 303
        code = site.mail(email).code
        guesses = [wrong(code, n) for n in range(min(5, count - len(statuses)))]
        statuses += [(await eve.type_code(guess)).status_code for guess in guesses]
    return statuses


def roomy(**options: object) -> Site:
    return make_site(features=[EmailLogin(send_limits=ROOMY, **options)])  # type: ignore[arg-type]


# --- the code ------------------------------------------------------------------------------------


async def test_the_standard_code_is_six_digits() -> None:
    site = roomy()
    codes = set()
    for n in range(40):
        await site.browser().ask(f"jo{n}@example.com")
        codes.add(str(site.mail().code))
    assert all(re.fullmatch("[0-9]{6}", code) for code in codes)
    assert len(codes) > 35


async def test_the_high_code_is_eight_letters_shown_in_two_groups() -> None:
    site = roomy(code="high")
    jo = site.browser()
    await jo.ask("jo@example.com")
    code = str(site.mail().code)
    assert re.fullmatch(f"[{HIGH_ALPHABET}]{{4}}-[{HIGH_ALPHABET}]{{4}}", code)
    assert HIGH_ALPHABET == "BCDFGHJKLMNPQRSTVWXZ"
    assert (await jo.type_code(code.lower().replace("-", " "))).status_code == 303


@pytest.mark.parametrize("typed", ["{}", " {} ", "{0[0]}{0[1]}{0[2]}-{0[3]}{0[4]}{0[5]}"])
async def test_a_code_may_be_typed_with_spaces_and_dashes(typed: str) -> None:
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    assert (await jo.type_code(typed.format(site.mail().code))).status_code == 303


# --- life ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["code", "link"])
@pytest.mark.parametrize(("after", "status"), [(299, 303), (300, 410)])
async def test_a_challenge_lives_300_seconds(by: str, after: int, status: int) -> None:
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    mail = site.mail()
    site.clock.advance(after)
    done = await (jo.type_code(mail.code) if by == "code" else jo.press_link(mail.link))
    assert done.status_code == status


@pytest.mark.parametrize(("after", "status"), [(899, 303), (900, 410)])
async def test_a_resend_works_until_900_seconds_after_the_first_send(
    after: int, status: int
) -> None:
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    site.clock.advance(after)
    assert (await jo.post("/auth/resend", {})).status_code == status
    assert len(site.outbox.messages) == (2 if status == 303 else 1)


async def test_resending_the_same_secrets_stretches_their_life_to_600_seconds_and_no_further() -> (
    None
):
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    code = site.mail().code
    for _ in range(2):
        site.clock.advance(290)
        await jo.post("/auth/resend", {})
        assert site.mail().code == code
    late = site.browser(cookies=jo.cookies)
    site.clock.now = START + 600
    assert (await jo.type_code(code)).status_code == 410
    site.clock.now = START + 599
    assert (await late.type_code(code)).status_code == 303


@pytest.mark.parametrize(
    ("kind", "lifetime", "is_good"),
    [
        ("LINK_OTP", 59, False),
        ("LINK_OTP", 60, True),
        ("LINK_OTP", 600, True),
        ("LINK_OTP", 601, False),
        ("OTP", 601, False),
        ("LINK", 3600, True),
        ("LINK", 3601, False),
    ],
)
def test_lifetimes_have_a_range(kind: str, lifetime: int, is_good: bool) -> None:
    make = {"kind": kind, "lifetime": lifetime, "max_lifetime": max(lifetime, 600)}
    if is_good:
        EmailLogin(**make)  # type: ignore[arg-type]
    else:
        with pytest.raises(ConfigError, match="lifetime"):
            EmailLogin(**make)  # type: ignore[arg-type]


# --- wrong tries ---------------------------------------------------------------------------------


async def test_a_challenge_bears_five_wrong_tries_then_the_right_one_is_too_late() -> None:
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    mail = site.mail()
    for n in range(5):
        answer = await jo.type_code(wrong(mail.code, n))
        assert answer.status_code == 400
        assert ("4 tries left" in answer.text) is (n == 0)
        assert ("1 try left" in answer.text) is (n == 3)
    answer = await jo.type_code(mail.code)
    assert answer.status_code == 429
    assert retry_after(answer) > 0
    assert (await jo.press_link(mail.link)).status_code == 303, "the link still works"


async def test_a_challenge_that_saw_four_wrong_tries_takes_the_right_code() -> None:
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    mail = site.mail()
    for n in range(4):
        await jo.type_code(wrong(mail.code, n))
    assert (await jo.type_code(mail.code)).status_code == 303


async def test_the_fifth_wrong_code_says_no_tries_left_in_json_and_the_next_is_429() -> None:
    site = roomy()
    backend = site.backend()
    request_id = (await backend.send("jo@example.com")).json()["auth_request_id"]
    code, left = site.mail().code, []
    for n in range(5):
        answer = await backend.verify(request_id, code=wrong(code, n))
        assert (answer.status_code, error_code(answer)) == (400, "INVALID_CODE")
        left.append(answer.json()["details"][0]["attempts_left"])
    assert left == [4, 3, 2, 1, 0]
    answer = await backend.verify(request_id, code=code)
    assert (answer.status_code, error_code(answer)) == (429, "TOO_MANY_ATTEMPTS")
    assert answer.json()["details"][0]["attempts_left"] == 0


@pytest.mark.parametrize("attempts", [3, 10])
async def test_another_number_of_tries_can_be_set(attempts: int) -> None:
    site = roomy(attempts=attempts)
    jo = site.browser()
    await jo.ask("jo@example.com")
    code = site.mail().code
    answers = [(await jo.type_code(wrong(code, n % 9))).status_code for n in range(attempts + 1)]
    assert answers == [400] * attempts + [429]


@pytest.mark.parametrize("attempts", [2, 11, 0, True, "5", 5.0])
def test_fewer_than_three_or_more_than_ten_tries_are_refused(attempts: object) -> None:
    with pytest.raises(ConfigError, match="attempts"):
        EmailLogin(attempts=attempts)  # type: ignore[arg-type]


async def test_an_address_bears_ten_wrong_tries_in_fifteen_minutes_over_all_challenges() -> None:
    site = roomy()
    assert await wrong_codes(site, "jo@example.com", 5, ip="203.0.113.1") == [400] * 5
    assert await wrong_codes(site, "jo@example.com", 5, ip="203.0.113.2") == [400] * 5
    kim = site.browser(ip="203.0.113.3")
    await kim.ask("jo@example.com")
    mail = site.mail()
    answer = await kim.type_code(wrong(mail.code))
    assert (answer.status_code, retry_after(answer)) == (429, 900)
    assert (await kim.type_code(mail.code)).status_code == 429, "nor is the right one judged"
    site.clock.advance(899)
    await kim.ask("jo@example.com")
    assert (await kim.type_code(site.mail().code)).status_code == 429
    site.clock.advance(1)
    assert (await kim.type_code(site.mail().code)).status_code == 303


async def test_an_address_bears_twenty_wrong_tries_a_day() -> None:
    site = roomy()
    assert set(await wrong_codes(site, "jo@example.com", 10, ip="203.0.113.1")) == {400}
    site.clock.advance(900)
    assert set(await wrong_codes(site, "jo@example.com", 10, ip="203.0.113.2")) == {400}
    site.clock.advance(900)
    assert await wrong_codes(site, "jo@example.com", 1, ip="203.0.113.3") == [429]
    site.clock.now = START + DAY - 1
    assert await wrong_codes(site, "jo@example.com", 1, ip="203.0.113.3") == [429]
    site.clock.now = START + DAY
    assert await wrong_codes(site, "jo@example.com", 1, ip="203.0.113.3") == [400]


async def test_one_client_gets_at_most_half_of_an_addresss_tries_of_a_day() -> None:
    site = roomy()
    assert set(await wrong_codes(site, "jo@example.com", 10, ip="203.0.113.1")) == {400}
    site.clock.advance(900)
    assert await wrong_codes(site, "jo@example.com", 1, ip="203.0.113.1") == [429]
    assert await wrong_codes(site, "jo@example.com", 1, ip="203.0.113.2") == [400]


async def test_the_link_still_works_while_the_codes_of_an_address_are_locked() -> None:
    site = roomy()
    await wrong_codes(site, "jo@example.com", 10, ip="203.0.113.1")
    jo = site.browser(ip="203.0.113.9")
    await jo.ask("jo@example.com")
    mail = site.mail()
    assert (await jo.type_code(mail.code)).status_code == 429
    assert (await jo.press_link(mail.link)).status_code == 303


async def test_one_client_gets_thirty_wrong_tries_in_ten_minutes() -> None:
    site = roomy()
    for n in range(6):
        assert set(await wrong_codes(site, f"jo{n}@example.com", 5, ip="203.0.113.1")) == {400}
    assert await wrong_codes(site, "kim@example.com", 1, ip="203.0.113.1") == [429]
    assert await wrong_codes(site, "kim@example.com", 1, ip="203.0.113.2") == [400]
    site.clock.advance(599)
    assert await wrong_codes(site, "kim@example.com", 1, ip="203.0.113.1") == [429]
    site.clock.advance(1)
    assert await wrong_codes(site, "kim@example.com", 1, ip="203.0.113.1") == [400]


@pytest.mark.parametrize(
    ("option", "most"), [("per_quarter", 10), ("per_day", 20), ("client_per_ten_minutes", 30)]
)
def test_the_limits_on_tries_can_only_be_made_lower(option: str, most: int) -> None:
    TryLimits(**{option: 1})
    TryLimits(**{option: most})
    for bad in (most + 1, 0, -1, None, 5.0, True):
        with pytest.raises(ConfigError, match=rf"try_limits\.{option}"):
            TryLimits(**{option: bad})  # type: ignore[arg-type]


# --- sends ---------------------------------------------------------------------------------------


async def ask(site: Site, email: str, ip: str) -> int:
    return (await site.browser(ip=ip).ask(email)).status_code


async def test_an_address_gets_two_mails_a_minute_five_in_a_quarter_and_twenty_a_day() -> None:
    site = make_site()
    sent: list[int] = []

    def may(now: int) -> bool:
        windows = ((60, 2), (900, 5), (DAY, 20))
        return all(sum(at > now - window for at in sent) < most for window, most in windows)

    # One knock every ten seconds, each from another client, against the rule written plainly.
    for step in range(0, DAY + 2000, 10):
        near = may(START + step) or (step < 2000) or step % 9000 == 0
        if not near:
            continue
        site.clock.now = START + step
        expected = 303 if may(site.clock.now) else 429
        ip = f"198.51.{step // 250 % 250}.{step % 250}"
        assert await ask(site, "jo@example.com", ip) == expected, step
        if expected == 303:
            sent.append(site.clock.now)
    assert len(site.outbox.messages) == len(sent) > 20


async def test_a_resend_counts_like_a_send() -> None:
    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com")
    assert (await jo.post("/auth/resend", {})).status_code == 303
    answer = await jo.post("/auth/resend", {})
    assert (answer.status_code, retry_after(answer)) == (429, 60)
    assert await ask(site, "jo@example.com", "203.0.113.8") == 429


async def test_one_client_gets_at_most_half_of_an_addresss_mails_of_a_day() -> None:
    site = make_site()
    for _ in range(10):
        assert await ask(site, "jo@example.com", "203.0.113.1") == 303
        site.clock.advance(300)
    site.clock.advance(900)
    assert await ask(site, "jo@example.com", "203.0.113.1") == 429
    assert await ask(site, "jo@example.com", "203.0.113.2") == 303


@pytest.mark.parametrize("email", ["jo+1@example.com", "JO@example.com"])
async def test_spellings_of_one_mailbox_share_its_mails(email: str) -> None:
    site = make_site()
    assert await ask(site, "jo@example.com", "203.0.113.1") == 303
    assert await ask(site, email, "203.0.113.2") == 303
    assert await ask(site, email, "203.0.113.3") == 429


async def test_one_client_sends_twenty_a_minute_and_two_hundred_an_hour() -> None:
    site = make_site()
    sent = 0
    for minute in range(10):
        for n in range(20):
            assert await ask(site, f"jo{minute}-{n}@example.com", "203.0.113.1") == 303
            sent += 1
        assert await ask(site, "kim@example.com", "203.0.113.1") == 429
        site.clock.advance(60)
    assert sent == 200
    answer = await site.browser(ip="203.0.113.1").ask("kim@example.com")
    assert (answer.status_code, retry_after(answer)) == (429, 3000)
    site.clock.now = START + 3599
    assert await ask(site, "kim@example.com", "203.0.113.1") == 429
    site.clock.now = START + 3600
    assert await ask(site, "kim@example.com", "203.0.113.1") == 303


async def test_sends_overall_are_limited_where_a_number_is_set() -> None:
    site = make_site(features=[EmailLogin(send_limits=SendLimits(overall_per_hour=3))])
    answers = [await ask(site, f"jo{n}@example.com", f"203.0.113.{n}") for n in range(5)]
    assert answers == [303, 303, 303, 429, 429]
    site.clock.advance(3600)
    assert await ask(site, "jo@example.com", "203.0.113.9") == 303


@pytest.mark.parametrize(
    "option",
    ["per_minute", "per_quarter", "per_day", "client_per_minute", "client_per_hour",
     "overall_per_hour"],
)  # fmt: skip
def test_limits_on_sends_are_numbers_from_one(option: str) -> None:
    SendLimits(**{option: 1})
    for bad in (0, -1, 60_001, 2.0, True, "2"):
        with pytest.raises(ConfigError, match=rf"send_limits\.{option}"):
            SendLimits(**{option: bad})  # type: ignore[arg-type]


async def test_ipv6_clients_count_by_64_and_by_48_at_ten_times_the_number() -> None:
    site = make_site()
    for n in range(20):
        assert await ask(site, f"a{n}@example.com", f"2001:db8:1:1::{n:x}") == 303
    assert await ask(site, "b@example.com", "2001:db8:1:1:ffff::1") == 429, "the same /64"
    for n in range(180):
        assert await ask(site, f"c{n}@example.com", f"2001:db8:1:{n + 2:x}::1") == 303
    assert await ask(site, "d@example.com", "2001:db8:1:ffff::1") == 429, "the same /48"
    assert await ask(site, "d@example.com", "2001:db8:2:1::1") == 303


# --- resends -------------------------------------------------------------------------------------


async def test_a_resend_brings_the_same_code_and_link_at_most_three_times() -> None:
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    for _ in range(3):
        assert (await jo.post("/auth/resend", {})).status_code == 303
    answer = await jo.post("/auth/resend", {})
    assert (answer.status_code, retry_after(answer)) == (429, 900)
    assert len(site.outbox.messages) == 4
    assert len({(m.code, m.link) for m in site.outbox.messages}) == 1


async def test_with_rotation_a_resend_kills_what_was_sent_before() -> None:
    site = roomy(rotate_on_resend=True)
    jo = site.browser()
    await jo.ask("jo@example.com")
    old = site.mail()
    await jo.post("/auth/resend", {})
    new = site.mail()
    assert old.code != new.code
    assert (await jo.type_code(old.code)).status_code == 400
    assert (await jo.press_link(old.link)).status_code == 410
    assert (await jo.type_code(new.code)).status_code == 303


async def test_a_resend_of_an_expired_challenge_always_brings_new_secrets() -> None:
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    old = site.mail()
    site.clock.advance(300)
    await jo.post("/auth/resend", {})
    new = site.mail()
    assert old.code != new.code
    assert (await jo.press_link(old.link)).status_code == 410
    assert (await jo.type_code(old.code)).status_code == 400
    site.clock.advance(299)
    assert (await jo.type_code(new.code)).status_code == 303


# --- handles and cookies -------------------------------------------------------------------------


async def test_a_link_token_has_128_bits_of_mac_and_at_most_100_characters() -> None:
    import base64

    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    token = token_of(site.mail().link)
    assert len(token) <= 100
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    # 16 bytes of address, 12 random, 1 generation; the rest is MAC.
    assert len(raw) - 29 >= 16
    for position in range(len(raw)):
        changed = bytes([*raw[:position], raw[position] ^ 1, *raw[position + 1 :]])
        text = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        assert (await jo.post("/auth/link", {"link_token": text})).status_code == 410
    assert (await jo.post("/auth/link", {"link_token": token})).status_code == 303


def set_cookies(answer: object) -> dict[str, str]:
    lines = answer.headers.get_list("set-cookie")  # type: ignore[attr-defined]
    return {line.partition("=")[0]: line for line in lines}


async def test_cookies_carry_every_flag_and_stay_below_400_bytes() -> None:
    site = roomy()
    jo = site.browser()
    lines = {}
    for n in range(4):  # the longest flow and device cookies
        lines.update(set_cookies(await jo.ask(f"jo{n}@example.com")))
    done = await jo.type_code(site.mail().code)
    flow = lines["__Host-pwless-flow"]
    lines.update(set_cookies(done))
    for n in range(4):
        jo.cookies.pop("__Host-pwless", None)
        lines.update(set_cookies(await jo.sign_in(f"jo{n}@example.com")))
    lines["__Host-pwless-flow"] = flow
    assert lines.keys() == {"__Host-pwless", "__Host-pwless-flow", "__Host-pwless-device"}
    for line in lines.values():
        parts = line.split("; ")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(parts)
        assert "domain" not in line.lower()
        assert len(parts[0]) < 400
    ages = {name: int(re.search(r"Max-Age=(\d+)", line)[1]) for name, line in lines.items()}  # type: ignore[index]
    assert ages["__Host-pwless"] == 30 * DAY
    assert ages["__Host-pwless-device"] == 365 * DAY
    assert ages["__Host-pwless-flow"] == 900 + 600, "as long as its challenge can live"


async def test_the_flow_cookie_holds_the_three_newest_challenges() -> None:
    site = roomy()
    jo = site.browser()
    mails = []
    for n in range(4):
        await jo.ask(f"jo{n}@example.com")
        mails.append(site.mail())
    answers = []
    for mail in mails:
        tab = site.browser(cookies=jo.cookies)
        answers.append(
            (await tab.post("/auth/link", {"link_token": token_of(mail.link)})).status_code
        )
    assert answers == [403, 303, 303, 303]


async def test_over_http_on_localhost_the_cookie_has_no_prefix_and_no_secure() -> None:
    site = make_site(base_url="http://localhost:8000")
    jo = site.browser(ip="127.0.0.1")
    line = set_cookies(await jo.sign_in("jo@example.com"))[jo.cookie_name()]
    assert jo.cookie_name().startswith("pwless-")
    assert "Secure" not in line
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(line.split("; "))


def test_http_is_for_localhost_only() -> None:
    for url in (
        "http://localhost",
        "http://127.0.0.1:8000",
        "http://[::1]:80",
        "http://a.localhost",
    ):
        make_site(base_url=url)
    for url in ("http://example.com", "http://localhost.example.com", "http://10.0.0.1"):
        with pytest.raises(ConfigError, match="base_url"):
            make_site(base_url=url)


# --- sessions ------------------------------------------------------------------------------------


async def visits(site: Site, jo: Browser, every: int, until: int) -> None:
    while site.clock.now + every < START + until:
        site.clock.advance(every)
        assert await jo.who() is not None, site.clock.now - START


@pytest.mark.parametrize(
    ("policy", "idle", "absolute"),
    [(SessionPolicy(), 7 * DAY, 30 * DAY), (SessionPolicy.strict(), 1800, 12 * 3600)],
)
async def test_a_session_ends_when_idle_and_at_its_absolute_end(
    policy: SessionPolicy, idle: int, absolute: int
) -> None:
    site = make_site(sessions=policy)
    jo, kim = site.browser(ip="203.0.113.1"), site.browser(ip="203.0.113.2")
    await jo.sign_in("jo@example.com")
    await kim.sign_in("kim@example.com")
    site.clock.advance(idle - 1)
    assert await jo.who() == "jo@example.com"
    site.clock.advance(1)
    assert await kim.who() is None, "idle"
    await visits(site, jo, idle // 2, absolute)
    site.clock.now = START + absolute - 1
    assert await jo.who() == "jo@example.com"
    site.clock.advance(1)
    assert await jo.who() is None, "over"


@pytest.mark.parametrize(
    ("idle", "absolute", "named"),
    [
        (59, 3600, "idle"),
        (3601, 3600, "idle"),
        (60, 59, "absolute"),
        (60, 400 * DAY + 1, "absolute"),
        (60.0, 3600, "idle"),
        (True, 3600, "idle"),
    ],
)
def test_session_lives_have_a_range(idle: int, absolute: int, named: str) -> None:
    SessionPolicy(idle=60, absolute=400 * DAY)
    SessionPolicy(idle=60, absolute=60)
    with pytest.raises(ConfigError, match=rf"sessions\.{named}"):
        SessionPolicy(idle=idle, absolute=absolute)
