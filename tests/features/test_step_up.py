"""Step-up: who is signed in proves once more who they are, by a code that serves nothing else."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pwless_middleware import EmailLogin, Kit, Mounted, User
from pwless_middleware.web.routing.routes import Route
from tests.support import Browser, Site, led_to, make_site, said

pytestmark = pytest.mark.anyio

PAGE = "/auth/step/up"
WITHIN = 300


class Vault:
    """Mount a page and an operation that need a fresh proof."""

    def __init__(self, **wanted: Any) -> None:
        self.wanted = {"fresh_within": WITHIN, **wanted}

    def mount(self, kit: Kit) -> Mounted:
        """Add both."""
        self._kit = kit
        return Mounted(
            routes=(
                Route("/account/vault", {"GET": self._page, "POST": self._page}),
                Route("/api/v1/vault", {"GET": self._api}, "api"),
            )
        )

    async def _page(self, request: Request) -> Response:
        account = await self._kit.accounts.require(request, back="/account/vault", **self.wanted)
        return Response(f"the vault of {account.user.email}")

    async def _api(self, request: Request) -> Response:
        account = await self._kit.accounts.require(request, **self.wanted)
        return JSONResponse({"vault": account.user.id})


def make_vault(**options: Any) -> Site:
    """Make a site whose vault needs a fresh proof."""
    wanted = options.pop("wanted", {})
    return make_site(features=[EmailLogin(), Vault(**wanted)], **options)


async def stale(site: Site, email: str = "jo@example.com") -> Browser:
    """Sign in, and let the proof grow old."""
    jo = site.browser()
    await jo.sign_in(email)
    site.clock.advance(WITHIN + 61)
    return jo


def fields_of(page: httpx.Response, containing: str) -> tuple[str, dict[str, str]]:
    """Return the action and the hidden fields of the form with a text in it."""
    forms = re.findall(r'<form[^>]* action="([^"]*)"[^>]*>(.*?)</form>', page.text, re.DOTALL)
    action, form = next((a, f) for a, f in forms if containing in f)
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    return action.replace("&amp;", "&"), dict(hidden)


async def ask(jo: Browser, url: str = PAGE) -> httpx.Response:
    """Ask for a code on the page, and give the page that waits for it."""
    action, fields = fields_of(await jo.get(url), "Email me a code")
    answer = await jo.post(action, fields)
    assert answer.status_code == 303, answer.text
    return await jo.get(led_to(answer))


async def enter(jo: Browser, page: httpx.Response, code: str) -> httpx.Response:
    """Type a code."""
    action, fields = fields_of(page, 'name="code"')
    return await jo.post(action, {**fields, "code": code})


def wrong(code: str | None) -> str:
    """Return another code than the right one."""
    return "111111" if code == "000000" else "000000"


async def test_a_page_that_needs_a_fresh_proof_asks_and_is_come_back_to() -> None:
    site = make_vault()
    jo = await stale(site)
    answer = await jo.get("/auth/account/vault?a=b%26c")
    assert answer.status_code == 303
    url = led_to(answer)
    assert urlsplit(url).path == PAGE
    assert parse_qs(urlsplit(url).query) == {"within": ["300"], "next": ["/auth/account/vault"]}
    page = await ask(jo, url)
    assert "We’ve sent a code to jo@example.com" in said(page)
    mail = site.mail("jo@example.com")
    assert "Confirm that it is you" in mail.subject
    assert mail.link is None
    assert "sign out everywhere" in " ".join(mail.text.split())
    before = jo.cookie()
    done = await enter(jo, page, str(mail.code))
    assert led_to(done) == "/auth/account/vault"
    assert "clear-site-data" not in done.headers
    assert (await jo.get("/auth/account/vault")).text == "the vault of jo@example.com"
    assert jo.cookie() != before
    copy = site.browser(cookies={jo.cookie_name(): str(before)})
    assert await copy.who() is None, "the old id ended with the new one's begin"
    assert site.sessions == 1


async def test_a_fresh_login_is_asked_nothing() -> None:
    site = make_vault()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    assert (await jo.get("/auth/account/vault")).status_code == 200
    there = f"{PAGE}?within=300&next=/auth/account/vault"
    assert led_to(await jo.get(there)) == "/auth/account/vault"
    assert (await jo.get(PAGE)).status_code == 200, "asked for without a time, it asks"


async def test_a_stranger_signs_in_and_is_through() -> None:
    site = make_vault()
    jo = site.browser()
    answer = await jo.get(f"{PAGE}?within=300&next=/a")
    login = led_to(answer)
    assert login.startswith("/auth/login?next=%2Fauth%2Fstep%2Fup")
    next = parse_qs(urlsplit(login).query)["next"][0]
    await jo.ask("jo@example.com", next=next)
    done = await jo.type_code(site.mail().code)
    assert led_to(done) == f"{PAGE}?within=300&next=/a"
    assert led_to(await jo.get(led_to(done))) == "/a"


async def test_programs_are_told_where_a_person_can_confirm() -> None:
    site = make_vault()
    jo = await stale(site)
    answer = await jo.get("/auth/api/v1/vault")
    assert answer.status_code == 403
    body = answer.json()
    assert body["code"] == 7
    detail = body["details"][0]
    assert detail["error_code"] == "STEP_UP_REQUIRED"
    page = await ask(jo, detail["step_url"])
    assert (await enter(jo, page, str(site.mail().code))).status_code == 303
    assert (await jo.get("/auth/api/v1/vault")).status_code == 200
    assert (await site.browser().get("/auth/api/v1/vault")).status_code == 401


async def test_a_wrong_code_is_told_and_five_end_it() -> None:
    site = make_vault()
    jo = await stale(site)
    page = await ask(jo, f"{PAGE}?next=/a")
    code = site.mail().code
    for left in (4, 3, 2, 1):
        page = await enter(jo, page, wrong(code))
        assert page.status_code == 400
        assert f"{left} tr" in said(page)
        assert "<title>Error: Confirm it" in page.text
    page = await enter(jo, page, wrong(code))
    assert page.status_code == 400
    assert 'name="code"' not in page.text
    action, fields = fields_of(page, "Email me a code")
    assert parse_qs(urlsplit(action).query)["next"] == ["/a"], "the way is kept"
    assert "request_id" not in fields, "it starts anew"
    assert (await jo.get("/auth/account/vault")).status_code == 303


async def test_a_code_that_has_expired_is_sent_anew() -> None:
    site = make_vault()
    jo = await stale(site)
    page = await ask(jo)
    old = str(site.mail().code)
    site.clock.advance(301)
    late = await enter(jo, page, old)
    assert late.status_code == 410
    assert "has expired" in said(late)
    assert "has expired" in said(await jo.get(PAGE))
    page = await ask(jo)
    assert (await enter(jo, page, str(site.mail().code))).status_code == 303


async def test_it_can_be_sent_again_within_the_limits_of_every_mail() -> None:
    site = make_vault()
    jo = await stale(site)
    page = await ask(jo)
    statuses = []
    for _ in range(4):
        action, fields = fields_of(page, "Send the email again")
        answer = await jo.post(action, fields)
        statuses.append(answer.status_code)
        page = await jo.get(PAGE)
    assert statuses[0] == 303
    assert statuses[-1] == 429
    assert answer.headers["retry-after"].isdigit()
    assert len(site.outbox.messages) < 6
    assert (await jo.ask("jo@example.com")).status_code == 429, "a login draws on the same"


# --- what a code is good for -------------------------------------------------------------------


async def test_a_code_for_step_up_signs_nobody_in() -> None:
    site = make_vault()
    jo = await stale(site)
    await ask(jo)
    code = str(site.mail().code)
    thief = site.browser(cookies={jo.cookie_name("flow"): str(jo.cookie("flow"))})
    answer = await thief.type_code(code)
    assert answer.status_code == 410
    assert thief.cookie() is None
    assert led_to(await thief.get("/auth/verify")) == "/auth/login"


async def test_a_code_for_a_login_is_no_step_up() -> None:
    site = make_vault()
    jo = await stale(site)
    await ask(jo)
    page = await jo.get(PAGE)
    _, fields = fields_of(page, 'name="code"')
    site.clock.advance(61)
    await jo.ask("jo@example.com")
    code = str(site.mail().code)
    waiting = await jo.get("/auth/verify")
    _, login = fields_of(waiting, 'name="code"')
    for request_id in (login["request_id"], fields["request_id"]):
        form = {"method": "email", "request_id": request_id, "code": code}
        assert (await jo.post(PAGE, form)).status_code in (400, 410)
    assert (await jo.get("/auth/account/vault")).status_code == 303


async def test_a_code_is_good_for_the_session_that_asked_alone() -> None:
    site = make_vault()
    jo = await stale(site)
    page = await ask(jo)
    code = str(site.mail().code)
    other = site.browser(ip="203.0.113.9")
    await other.sign_in("jo@example.com")
    site.clock.advance(200)
    other.cookies[jo.cookie_name("flow")] = str(jo.cookie("flow"))
    assert (await enter(other, page, code)).status_code == 410
    kim = site.browser(ip="203.0.113.10")
    await kim.sign_in("kim@example.com")
    kim.cookies[jo.cookie_name("flow")] = str(jo.cookie("flow"))
    assert (await enter(kim, page, code)).status_code == 410
    assert await kim.who() == "kim@example.com"


async def test_the_code_goes_to_the_users_address_of_now() -> None:
    class Table:
        user = User(id="1", email="jo@example.com")

        async def find(self, email: str) -> User | None:
            return self.user if email == self.user.email else None

        async def create(self, email: str) -> User | None:
            return None

        async def load(self, user_id: str) -> User | None:
            return self.user

    table = Table()
    site = make_vault(users=table)
    jo = await stale(site)
    table.user = User(id="1", email="joanna@example.com")
    page = await ask(jo)
    assert "joanna@example.com" in said(page)
    mail = site.mail("joanna@example.com")
    assert (await enter(jo, page, str(mail.code))).status_code == 303


async def test_nobody_is_led_away() -> None:
    site = make_vault()
    jo = await stale(site)
    page = await ask(jo, f"{PAGE}?next=//evil.example&within=x&strength=none")
    assert led_to(await enter(jo, page, str(site.mail().code))) == "/"


async def test_a_foreign_page_cannot_have_a_code_sent() -> None:
    site = make_vault()
    jo = await stale(site)
    mails = len(site.outbox.messages)
    headers = {"origin": "https://evil.example"}
    assert (await jo.post(PAGE, {"method": "email"}, headers=headers)).status_code == 403
    assert len(site.outbox.messages) == mails


async def test_what_no_method_can_prove_is_said_plainly() -> None:
    site = make_vault(wanted={"strength": "phishing_resistant"})
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    url = led_to(await jo.get("/auth/account/vault"))
    assert parse_qs(urlsplit(url).query)["strength"] == ["phishing_resistant"]
    page = await jo.get(url)
    assert page.status_code == 200
    assert "needs a stronger proof" in said(page)
    assert (await jo.post(url, {"method": "email"})).status_code == 200
    assert len(site.outbox.messages) == 1
