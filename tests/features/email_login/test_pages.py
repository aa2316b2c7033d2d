"""The pages of the login as a person meets them: states, words, waits. The look: tests/browser."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest

from pwless_middleware import DeliveryError, EmailLogin, User
from pwless_middleware.errors import StoreError
from pwless_middleware.flows.logins import door
from pwless_middleware.stores.memory import MemoryStore
from tests.redis_server import until
from tests.security.factor import RIGHT, Factor, Policy
from tests.support import ROOMY, Site, Slow, led_to, make_site, retry_after, said, wrong

pytestmark = pytest.mark.anyio


def roomy(**options: object) -> Site:
    return make_site(features=[EmailLogin(send_limits=ROOMY, **options)])  # type: ignore[arg-type]


async def test_the_login_page_keeps_what_was_typed_and_says_what_is_wrong() -> None:
    jo = make_site().browser()
    page = await jo.post("/auth/login", {"email": "jo@exa mple.com", "next": "/a?b=c"})
    assert page.status_code == 400
    assert 'value="jo@exa mple.com"' in page.text
    assert 'name="next" value="/a?b=c"' in page.text
    assert "Enter one email address" in said(page)
    assert 'aria-invalid="true"' in page.text


async def test_a_hostile_address_is_shown_as_text() -> None:
    jo = make_site().browser()
    page = await jo.post("/auth/login", {"email": '"><script>alert(1)</script>'})
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in page.text


async def test_too_many_mails_say_how_long_to_wait() -> None:
    jo = make_site().browser()
    for _ in range(2):
        await jo.ask("jo@example.com")
    page = await jo.ask("jo@example.com")
    assert (page.status_code, retry_after(page)) == (429, 60)
    assert "Too many emails were asked for. Try again in 60 seconds ." in said(page)
    assert "aria-invalid" not in page.text, "the address is a good one"


async def test_a_store_that_is_down_is_no_mistake_in_the_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Slow(MemoryStore())
    site = make_site(store=store)
    jo = site.browser()
    await jo.ask("jo@example.com")

    where = "/auth/login"

    async def fail() -> None:
        raise StoreError(f"Redis: it cannot be reached for {where}")

    store.before = dict.fromkeys(("admit", "attempt", "read"), fail)
    page = await jo.post("/auth/login", {"email": "jo@example.com", "next": "/a"})
    assert (page.status_code, retry_after(page)) == (503, 2)
    assert "not available right now" in said(page)
    assert "Redis" not in page.text
    assert "aria-invalid" not in page.text
    assert 'value="jo@example.com"' in page.text
    assert 'name="next" value="/a"' in page.text
    for path in ("/auth/verify", "/auth/resend"):
        where = path
        again = await jo.post(path, {"code": "123456"})
        assert again.status_code == 503
        assert f"cannot be reached for {path}" in caplog.text
        assert 'href="/auth/verify">Try again' in again.text, "and not back to the start"
    page = await jo.get("/auth/verify")
    assert (page.status_code, 'href="">Try again' in page.text) == (503, True)


async def test_who_mistyped_an_address_finds_it_in_the_form_and_keeps_the_way() -> None:
    """It is read from the challenge: neither a cookie nor a URL holds an address."""
    site = make_site()
    jo = site.browser()
    await jo.post("/auth/login", {"email": "jo@gmial.com", "next": "/a?b=c"})
    page = await jo.get("/auth/verify")
    assert 'href="/auth/login?another"' in page.text
    form = await jo.get("/auth/login?another")
    assert 'value="jo@gmial.com"' in form.text
    assert 'name="next" value="/a?b=c"' in form.text
    assert "gmial" not in str(jo.cookies)
    assert "gmial" not in (await jo.get("/auth/login")).text
    stranger = await site.browser().get("/auth/login?another&next=/x")
    assert 'name="email" type="email" value=""' in stranger.text
    assert 'name="next" value="/x"' in stranger.text


async def test_a_likely_slip_is_hinted_and_neither_refused_nor_mended() -> None:
    site = make_site()
    jo = site.browser()
    answer = await jo.post("/auth/login", {"email": "jo@gmial.com", "next": "/a"})
    assert answer.status_code == 303
    assert [m.to for m in site.outbox.messages] == ["jo@gmial.com"]
    page = await jo.get("/auth/verify")
    assert "Did you mean jo@gmail.com ?" in said(page)
    assert 'name="email" value="jo@gmail.com"' in page.text
    assert "Did you mean" not in said(await _asked(site, "jo@gmail.com"))
    assert "Did you mean" not in said(await _asked(site, "jo@example.com"))


async def test_a_large_providers_mailbox_is_one_click_away() -> None:
    site = make_site()
    page = await _asked(site, "jo@gmail.com")
    [link] = re.findall(r'<a class="button quiet" href="https://mail.google.com[^>]*>', page.text)
    assert 'target="_blank" rel="noopener noreferrer"' in link
    assert "Open Gmail" in said(page)
    assert "Open" not in said(await _asked(site, "jo@example.com"))


async def _asked(site: Site, email: str) -> httpx.Response:
    jo = site.browser(ip="198.51.100.9")
    await jo.ask(email)
    return await jo.get("/auth/verify")


async def test_without_enforcement_the_links_button_says_as_whom() -> None:
    site = roomy(same_browser=False)
    await site.browser().ask("jo@example.com")
    link = str(site.mail().link)
    stranger = site.browser()
    page = await stranger.get(link)
    assert "Sign in as jo@example.com" in said(page)
    assert (await stranger.press_link(link)).status_code == 303
    used = await site.browser().get(link)
    assert (used.status_code, "jo@example.com" in used.text) == (410, False)


async def test_with_enforcement_a_strangers_browser_hears_no_address() -> None:
    site = roomy()
    await site.browser().ask("jo@example.com")
    assert "jo@example.com" not in (await site.browser().get(str(site.mail().link))).text


async def test_leaving_can_be_cancelled() -> None:
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    page = await jo.get("/auth/logout?next=/bye")
    assert '<a class="button quiet" href="/">Cancel</a>' in page.text


async def test_in_development_the_page_says_where_the_mailbox_is() -> None:
    local = make_site(base_url="http://localhost:8000")
    assert "See the console for the mailbox" in said(await _asked(local, "jo@example.com"))


async def test_the_code_page_without_a_login_in_progress_goes_to_the_login() -> None:
    answer = await make_site().browser().get("/auth/verify")
    assert (answer.status_code, led_to(answer)) == (303, "/auth/login")


async def test_the_code_page_counts_the_wait_of_its_resend_button() -> None:
    site = make_site()
    jo = site.browser()

    async def wait() -> int:
        found = re.search(
            r'clock="resend" data-seconds="(\d+)"', (await jo.get("/auth/verify")).text
        )
        return int(found[1]) if found else 0

    await jo.ask("jo@example.com")
    assert await wait() == 0, "two a minute"
    await jo.post("/auth/resend", {})
    assert await wait() == 60
    site.clock.advance(59)
    assert await wait() == 1
    site.clock.advance(1)
    assert await wait() == 0
    await jo.post("/auth/resend", {})
    site.clock.advance(60)
    await jo.post("/auth/resend", {})
    assert await wait() == 900 - 120, "its three are spent"
    early = await jo.post("/auth/resend", {})
    assert (early.status_code, retry_after(early)) == (429, 780)


async def test_an_expired_sign_in_offers_a_new_mail_to_the_same_address() -> None:
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    site.clock.advance(300)
    page = await jo.get("/auth/verify")
    assert "Your code has expired" in said(page)
    assert 'id="code"' not in page.text
    link = await jo.get(str(site.mail().link))
    assert link.status_code == 410
    assert "Ask for a new email" in said(link)
    assert 'action="/auth/resend"' in link.text


async def test_with_links_alone_there_is_no_code_field() -> None:
    site = roomy(kind="LINK", lifetime=1800, max_lifetime=3600)
    jo = site.browser()
    await jo.ask("jo@example.com")
    page = await jo.get("/auth/verify")
    assert 'id="code"' not in page.text
    elsewhere = await site.browser().get(str(site.mail().link))
    assert "Open this link where you asked for it" in said(elsewhere)
    site.clock.advance(900)
    late = await jo.post("/auth/resend", {})
    assert late.status_code == 410, "900 seconds, though the link still lives"
    assert (await jo.press_link(site.mail().link)).status_code == 303


async def test_with_codes_alone_the_page_speaks_of_no_link() -> None:
    site = roomy(kind="OTP")
    jo = site.browser()
    await jo.ask("jo@example.com")
    assert "open the link" not in said(await jo.get("/auth/verify"))


async def test_after_the_last_try_the_page_offers_the_link_and_no_field() -> None:
    site = roomy()
    jo = site.browser()
    await jo.ask("jo@example.com")
    for n in range(5):
        page = await jo.type_code(wrong(site.mail().code, n))
    for status in (400, 429):
        assert page.status_code == status
        assert 'id="code"' not in page.text
        assert "No more codes can be tried here" in said(page)
        assert "Too many wrong codes." not in said(page), "one message, not two"
        page = await jo.type_code(site.mail().code)
    assert (await jo.press_link(site.mail().link)).status_code == 303


async def test_a_refusal_is_told_on_a_page_with_the_way_back() -> None:
    site = make_site(features=[EmailLogin(), Policy(address="jo@example.com")])
    jo = site.browser()
    await jo.ask("jo@example.com")
    page = await jo.type_code(site.mail().code)
    assert page.status_code == 403
    assert "You can’t sign in here" in said(page)
    assert "ask whoever runs this site" in said(page)
    assert 'href="/auth/login">Use another address' in page.text


async def test_a_new_user_whom_a_policy_refuses_has_no_session() -> None:
    class Table:
        def __init__(self) -> None:
            self.made: list[str] = []

        async def find(self, email: str) -> User | None:
            return None

        async def create(self, email: str) -> User | None:
            self.made.append(email)
            return User(id="9", email=email)

        async def load(self, user_id: str) -> User | None:
            return None

    site = make_site(users=Table(), features=[EmailLogin(), Policy(address="jo@example.com")])
    jo = site.browser()
    await jo.ask("jo@example.com")
    assert (await jo.type_code(site.mail().code)).status_code == 403
    assert (await jo.type_code(site.mail().code)).status_code == 410
    assert site.sessions == 0


class OneUser:
    """A user table with one user, until that one is gone."""

    gone = False

    async def find(self, email: str) -> User | None:
        return User(id="1", email=email)

    create = find

    async def load(self, user_id: str) -> User | None:
        return None if self.gone else User(id=user_id, email="jo@example.com")


async def test_a_user_who_goes_while_a_step_is_asked_is_not_let_in() -> None:
    table, factor = OneUser(), Factor()
    site = make_site(users=table, features=[EmailLogin(send_limits=ROOMY), factor])
    jo = site.browser()
    await jo.ask("jo@example.com")
    await jo.type_code(site.mail().code)
    table.gone = True
    assert (await jo.post("/auth/step/secret", {"secret": RIGHT})).status_code == 410
    assert site.sessions == 0
    assert factor.checked == 0


async def test_the_sessions_page_is_for_who_is_signed_in_and_still_there() -> None:
    table = OneUser()
    site = make_site(users=table)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    assert (await jo.get("/auth/sessions")).status_code == 200
    table.gone = True
    assert (await jo.get("/auth/sessions")).status_code == 303
    nobody = await site.browser().get("/auth/sessions")
    assert led_to(nobody).startswith("/auth/login")
    assert "You are signed out" in said(await site.browser().get("/auth/logout"))


async def test_a_secret_whose_cookie_looks_like_a_token_is_drawn_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once in 16 million with the real prefix; with a shorter one often enough to be seen."""
    monkeypatch.setattr(door, "TOKEN_PREFIX", "p")
    site = make_site(roomy=True)
    drawn = []
    for n in range(400):
        sent = await site.passwordless.send(f"jo{n}@example.com")
        request_id, code = sent.auth_request_id, site.mail().code
        done = await site.passwordless.verify(auth_request_id=request_id, code=code)
        drawn.append(done.set_cookie.partition("=")[2])
    assert not [value for value in drawn if value.startswith("p")]


async def test_health_is_asked_of_the_store_once_a_second() -> None:
    store = Slow(MemoryStore())
    site = make_site(store=store)
    visitor = site.browser()
    for _ in range(5):
        assert (await visitor.get("/auth/health")).status_code == 200
    assert store.calls.count("ping") == 1
    site.clock.advance(1)
    await visitor.get("/auth/health")
    assert store.calls.count("ping") == 2


async def test_health_asked_two_hundred_times_at_once_asks_the_store_once() -> None:
    store = Slow(MemoryStore())
    going_on = asyncio.Event()
    store.before["ping"] = going_on.wait  # type: ignore[assignment]
    site = make_site(store=store)
    asked = [asyncio.create_task(site.browser().get("/auth/health")) for _ in range(200)]
    await asyncio.sleep(0)
    site.clock.advance(5)
    asked += [asyncio.create_task(site.browser().get("/auth/health")) for _ in range(200)]
    await until(lambda: store.calls.count("ping") > 0)
    asked[0].cancel()  # who hangs up takes nobody's answer away
    going_on.set()
    answers = await asyncio.gather(*asked[1:])
    assert {answer.status_code for answer in answers} == {200}
    assert store.calls.count("ping") == 1


async def test_strangers_do_not_hear_of_the_mail_queue_and_api_keys_do() -> None:
    """Whether one's own mail joined a queue that stands would tell whose address is a user's."""

    class Down:
        delivers_inline = True

        async def send(self, message: object) -> None:
            raise DeliveryError("down")

    site = make_site(mailer=Down())
    for _ in range(3):
        await site.browser().ask("jo@example.com")
        site.clock.advance(60)
    bad = {"authorization": "Bearer pwk_nobodys-key-aaaaaaaaaaaa"}
    for headers in ({}, bad, {"authorization": "Basic YTpi"}):
        answer = await site.browser().get("/auth/health", headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "down": []})
    answer = await site.backend().browser.get("/auth/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "down", "down": ["delivery"]}
