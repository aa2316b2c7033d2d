"""Attacks that go around a rule instead of against it: each once worked, or nearly.

Most go around the budgets (security rule 4).
"""

from __future__ import annotations

import asyncio
import logging

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Message, Receive, Scope, Send

from pwless_middleware import ConfigError, EmailLogin, MemoryStore, User
from pwless_middleware.errors import RateLimited
from pwless_middleware.flows.people.stable_users import StableUsers
from tests.security.factor import Factor
from tests.support import BASE, ROOMY, Site, error_code, make_site, wrong

pytestmark = pytest.mark.anyio


class Table:
    """A user table in a dict."""

    def __init__(self) -> None:
        self.rows: dict[str, User] = {}

    async def find(self, email: str) -> User | None:
        return self.rows.get(email)

    async def create(self, email: str) -> User | None:
        self.rows[email] = User(id=str(len(self.rows) + 1), email=email)
        return self.rows[email]

    async def load(self, user_id: str) -> User | None:
        return next((user for user in self.rows.values() if user.id == user_id), None)


async def wrong_guess(site: Site, address: str, *, ip: str = "203.0.113.7") -> int:
    """Ask for a mail to an address in a new browser, and type a wrong code."""
    browser = site.browser(ip=ip)
    assert (await browser.ask(address)).status_code == 303
    return (await browser.type_code(wrong(site.mail(address).code))).status_code


# --- tries are given back once ------------------------------------------------------------------


async def test_signing_up_in_the_same_second_gives_back_no_wrong_guess() -> None:
    site = make_site(features=[EmailLogin(send_limits=ROOMY)], users=Table())
    statuses = []
    for n in range(40):
        statuses.append(await wrong_guess(site, f"victim{n}@example.com"))
        if statuses[-1] == 429:
            break
        if n < 29:  # the right code of the 31st try would be refused like any other
            await site.browser().sign_in(f"mine{n}@example.org")
        site.clock.advance(1)
    assert statuses.index(429) == 30  # security numbers: 30 wrong tries per client


# --- device cookies are bound to the exact address ----------------------------------------------


async def test_a_device_cookie_of_a_tagged_address_is_no_budget_for_the_plain_one() -> None:
    site = make_site(roomy=True)
    for n in range(3):
        # Where tags are not folded, somebody else owns this mailbox.
        mallory = site.browser(ip=f"198.51.100.{n}")
        await mallory.sign_in("jo+mallory@example.com")
        for _ in range(4):
            await mallory.ask("jo@example.com")
            answer = await mallory.type_code(wrong(site.mail("jo@example.com").code))
    assert answer.status_code == 429


async def test_a_device_cookie_counts_for_its_own_address_under_attack() -> None:
    site = make_site(roomy=True)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    for n in range(12):
        await wrong_guess(site, "jo@example.com", ip=f"198.51.100.{n}")
    assert await wrong_guess(site, "jo@example.com", ip="198.51.100.99") == 429
    await jo.sign_in("jo@example.com")
    assert await jo.who() == "jo@example.com"


# --- backends are not locked out by the pages ---------------------------------------------------


async def test_wrong_codes_in_browsers_do_not_lock_out_a_backend_s_people() -> None:
    site = make_site(roomy=True)
    for n in range(12):
        await wrong_guess(site, "jo@example.com", ip=f"198.51.100.{n}")
    backend = site.backend()
    sent = (await backend.send("jo@example.com")).json()
    done = await backend.verify(sent["auth_request_id"], code=site.mail().code)
    assert done.status_code == 200


async def test_a_backend_has_the_same_numbers_for_an_address() -> None:
    site = make_site(roomy=True)
    backend = site.backend()
    statuses = []
    for _ in range(3):
        sent = (await backend.send("jo@example.com")).json()
        for n in range(4):
            code = wrong(site.mail().code, n)
            answer = await backend.verify(sent["auth_request_id"], code=code)
            statuses.append(answer.status_code)
    assert statuses == [400] * 10 + [429] * 2


# --- what opens late still ends -----------------------------------------------------------------


class Door:
    """An app that accepts its socket, or begins its stream, only when the test says so."""

    def __init__(self) -> None:
        self.is_here = asyncio.Event()
        self.may_begin = asyncio.Event()
        self.fault: OSError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.is_here.set()
        await self.may_begin.wait()
        try:
            if scope["type"] == "websocket":
                await send({"type": "websocket.accept"})
                while (await receive())["type"] != "websocket.disconnect":
                    pass
                return
            headers = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            while (await receive())["type"] != "http.disconnect":
                pass
        except OSError as fault:
            self.fault = fault


@pytest.mark.parametrize("kind", ["websocket", "http"])
async def test_what_begins_after_its_session_was_revoked_is_ended(kind: str) -> None:
    door = Door()
    site = make_site(door, end_streams=True)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    messages: list[Message] = []
    ended = asyncio.Event()

    async def send(message: Message) -> None:
        messages.append(message)
        if message["type"] == "websocket.close" or message.get("more_body") is False:
            ended.set()

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    cookie = f"{jo.cookie_name()}={jo.cookie()}".encode()
    scope = {"type": kind, "method": "GET", "path": "/", "query_string": b"", "raw_path": b"/",
             "headers": [(b"cookie", cookie)], "client": ("203.0.113.7", 1)}  # fmt: skip
    serving = asyncio.create_task(site.app(scope, receive, send))
    await door.is_here.wait()
    user = (await jo.get("/auth/api/v1/session")).json()["user"]["id"]
    await site.passwordless.sessions.revoke_all(user)
    if kind == "websocket":
        await asyncio.wait_for(ended.wait(), 30)  # refused before it was accepted
        door.may_begin.set()
    else:
        door.may_begin.set()
        await asyncio.wait_for(ended.wait(), 30)
    await asyncio.wait_for(serving, 30)
    assert [m for m in messages if m["type"] == "websocket.accept"] == []


# --- logs ---------------------------------------------------------------------------------------


async def test_an_address_in_a_database_s_error_does_not_reach_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Quoting(Table):
        async def find(self, email: str) -> User | None:
            if self.rows:
                raise RuntimeError(f"Key (email)=({email}) already exists")
            return None

    caplog.set_level(logging.DEBUG)
    table = Quoting()
    site = make_site(users=table)
    jo = site.browser()
    await jo.ask("jo@example.com")
    table.rows["other"] = User(id="1", email="other@example.com")
    assert (await jo.type_code(site.mail().code)).status_code == 503
    assert "users.py" in caplog.text
    assert "jo@example.com" not in caplog.text


# --- a root path that the visitor writes --------------------------------------------------------


@pytest.mark.parametrize("tenant", ["/evil.example", "%5cevil.example", "..", "ü%C5%93", "%2Fx"])
async def test_a_root_path_from_the_url_leads_to_no_other_host(tenant: str) -> None:
    site = make_site()
    outer = Starlette(routes=[Mount("/{tenant:path}/app", app=site.app)])
    site.app = outer  # type: ignore[assignment]
    visitor = site.browser()
    for headers in ({"accept": "text/html"}, {"hx-request": "true"}):
        answer = await visitor.get(f"/{tenant}/app/private", headers=headers)
        target = answer.headers.get("location") or answer.headers.get("hx-redirect") or "/"
        assert answer.status_code in (303, 401, 404)
        target = target.removeprefix(BASE)
        assert target.startswith("/")
        assert not target.startswith(("//", "/\\"))
    page = await visitor.get(f"/{tenant}/app/auth/login")
    assert "//evil" not in page.text
    assert "/\\evil" not in page.text


@pytest.mark.parametrize("tenant", ["/evil.example", "%5cevil.example"])
async def test_the_step_up_form_posts_a_code_to_no_other_host(tenant: str) -> None:
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    outer = Starlette(routes=[Mount("/{tenant:path}/app", app=site.app)])
    site.app = outer  # type: ignore[assignment]
    jo = site.browser(cookies=jo.cookies)
    page = await jo.get(f"/{tenant}/app/auth/step/up?next=/x")
    assert page.status_code == 200
    assert 'action="/auth/step/up"' in page.text
    sent = await jo.post(f"/{tenant}/app/auth/step/up", {"method": "email"})
    assert sent.headers["location"] == f"{BASE}/auth/step/up"


# --- memory -------------------------------------------------------------------------------------


async def test_large_records_fill_the_memory_store_sooner() -> None:
    store = MemoryStore(max_entries=100)
    site = make_site(store=store, features=[EmailLogin(send_limits=ROOMY)])
    backend, statuses = site.backend(), []
    for n in range(40):
        answer = await backend.send(f"jo{n}@example.com", state="\U0001f600" * 1000)
        statuses.append(answer.status_code)
    assert statuses[0] == 200
    assert statuses[-1] == 503
    assert len(store) < 60


# --- pending logins -----------------------------------------------------------------------------


async def test_revoke_all_ends_the_logins_that_wait_for_a_step() -> None:
    site = make_site(features=[EmailLogin(), Factor()])
    jo = site.browser()
    await jo.ask("jo@example.com")
    assert (await jo.type_code(site.mail().code)).status_code == 303
    assert len(site.pending) == 1
    user = await StableUsers().find("jo@example.com")
    assert user is not None
    await site.passwordless.sessions.revoke_all(user.id)
    assert site.pending == []


# --- Python verbs -------------------------------------------------------------------------------


async def test_a_login_in_python_ends_the_session_that_the_host_names() -> None:
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    old = site.passwordless.sessions
    (session,) = await old.list((await jo.get("/auth/api/v1/session")).json()["user"]["id"])
    sent = await site.passwordless.send("jo@example.com")
    code = site.mail().code
    await site.passwordless.verify(auth_request_id=sent.auth_request_id, code=code, ends=session)
    assert await jo.who() is None
    assert site.sessions == 1


async def test_limits_hold_for_the_verbs_in_python_too() -> None:
    site = make_site()
    await site.passwordless.send("jo@example.com")
    await site.passwordless.send("jo@example.com")
    with pytest.raises(RateLimited):
        await site.passwordless.send("jo@example.com")


# --- configuration ------------------------------------------------------------------------------


def test_everybody_is_no_proxy() -> None:
    with pytest.raises(ConfigError, match="everybody"):
        make_site(trusted_proxies=["0.0.0.0/0"])


async def test_a_second_session_cookie_in_a_header_of_any_size_is_no_session() -> None:
    """A sister domain pads a header with hundreds of cookies; it is read like any other."""
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    own = f"{jo.cookie_name()}={jo.cookie()}"
    flood = "; a=b" * 500
    padded = site.browser(headers={"cookie": own + flood})
    assert await padded.who() == "jo@example.com"
    headers = [("cookie", f"{jo.cookie_name()}=planted{flood}"), ("cookie", own)]
    for lines in (headers, headers[::-1]):
        answer = await site.browser().get("/private", headers=lines)
        assert error_code(answer) == "UNAUTHENTICATED"
