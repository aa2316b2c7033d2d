"""Store down means closed, and full means 503 (security rule 15).

Nobody is let in or logged out by it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from pwless_middleware import EmailLogin, User
from pwless_middleware.errors import StoreError
from pwless_middleware.stores.memory import MemoryStore
from tests.support import (
    ROOMY,
    Browser,
    Site,
    Slow,
    cookie_header,
    error_code,
    http_scope,
    make_site,
    run,
    socket_scope,
    wrong,
)

pytestmark = pytest.mark.anyio


class Broken(Slow):
    """A store that can be switched off; its feed does not vouch for anything then."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())

    def is_live(self) -> bool:
        return not self.before

    def off(self) -> None:
        async def fail() -> None:
            raise StoreError("no connection")

        for verb in ("read", "admit", "attempt", "take", "write", "swap", "read_list", "ping"):
            self.before[verb] = fail
        self.store.feed.is_live = lambda: False  # type: ignore[method-assign]

    def on(self) -> None:
        self.before.clear()
        del self.store.feed.is_live


def breakable(**options: Any) -> tuple[Site, Broken]:
    store = Broken()
    return make_site(store=store, features=[EmailLogin(send_limits=ROOMY)], **options), store


async def test_with_the_store_down_nobody_is_let_in_and_nobodys_cookie_is_cleared() -> None:
    site, store = breakable(public=["/open"])
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    assert await jo.who() == "jo@example.com"
    cookies = dict(jo.cookies)
    seen = len(site.inner.scopes)
    store.off()
    for path in ("/private", "/open", "/auth/sessions", "/auth/logout", "/auth/api/v1/session"):
        answer = await jo.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2"), path
        assert "set-cookie" not in answer.headers
    for path, form in (
        ("/auth/login", {"email": "jo@example.com"}),
        ("/auth/logout", {}),
        ("/auth/sessions/revoke", {"all": "1"}),
    ):
        answer = await jo.post(path, form)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2"), path
    scope = socket_scope(headers=cookie_header(jo), extensions={"websocket.http.response": {}})
    assert (await run(site.app, scope))[0]["status"] == 503
    closed = await run(site.app, socket_scope(headers=cookie_header(jo)))
    assert closed[0]["reason"] == "STORE_UNAVAILABLE"
    assert jo.cookies == cookies
    assert len(site.inner.scopes) == seen
    store.on()
    assert await jo.who() == "jo@example.com"


async def test_with_the_store_down_a_login_in_progress_is_not_lost() -> None:
    site, store = breakable()
    jo = site.browser()
    await jo.ask("jo@example.com")
    mail = site.mail()
    store.off()
    for answer in (await jo.type_code(mail.code), await jo.press_link(mail.link),
                   await jo.post("/auth/resend", {}), await jo.get("/auth/verify")):  # fmt: skip
        assert answer.status_code == 503
        assert "set-cookie" not in answer.headers
    backend = site.backend()
    answer = await backend.send("jo@example.com")
    assert (answer.status_code, error_code(answer)) == (503, "STORE_UNAVAILABLE")
    store.on()
    assert (await jo.type_code(mail.code)).status_code == 303


async def test_what_needs_no_store_still_works() -> None:
    site, store = breakable(public=["/open"])
    store.off()
    visitor = site.browser()
    assert (await visitor.get("/auth/login")).status_code == 200
    assert (await visitor.get("/open")).status_code == 200
    assert (await visitor.get("/private")).status_code == 401
    forged = site.browser(cookies={visitor.cookie_name(): "forged"})
    assert (await forged.get("/private")).status_code == 401
    health = await visitor.get("/auth/health")
    assert (health.status_code, health.json()["status"]) == (503, "down")
    store.on()
    assert (await visitor.get("/auth/health")).json()["status"] == "down"  # looked at once a second
    site.clock.advance(1)
    assert (await visitor.get("/auth/health")).json()["status"] == "ok"


async def test_a_store_that_hangs_answers_503_within_two_seconds() -> None:
    """Once in real time; the wait for everything of a request together is 1.5 s."""
    store = Slow(MemoryStore())
    site = make_site(store=store)
    jo = site.browser()
    await jo.ask("jo@example.com")

    async def hang() -> None:
        await asyncio.sleep(3600)

    store.before["attempt"] = store.before["admit"] = hang
    loop = asyncio.get_running_loop()
    started = loop.time()
    answers = await asyncio.gather(
        jo.type_code("000000"), site.browser(ip="203.0.113.9").ask("kim@example.com")
    )
    assert [answer.status_code for answer in answers] == [503, 503]
    assert 1.4 <= loop.time() - started < 20  # a busy machine adds to it


async def test_a_full_store_refuses_the_new_and_keeps_what_is_others() -> None:
    site = make_site(store=MemoryStore(max_entries=40), roomy=True)
    jo = site.browser()
    await jo.ask("jo@example.com")
    mail = site.mail()
    statuses = [
        (await site.browser(ip=f"203.0.{n}.1").ask(f"flood{n}@example.com")).status_code
        for n in range(60)
    ]
    assert set(statuses) == {303, 503}
    assert statuses[-1] == 503
    assert (await jo.type_code(mail.code)).status_code == 303
    site.clock.advance(86400)
    assert (await site.browser().ask("late@example.com")).status_code == 303


async def test_a_store_that_sends_have_filled_still_tries_every_code_and_signs_everybody_in() -> (
    None
):
    """70 clients fill the default store in 17 hours; who has a code by then can use it."""
    site = make_site(store=MemoryStore(max_entries=300), roomy=True)
    waiting: list[tuple[Browser, str | None]] = []
    while True:
        someone = site.browser(ip=f"203.0.{len(waiting)}.1")
        if (await someone.ask(f"jo{len(waiting)}@example.com")).status_code == 503:
            break
        waiting.append((someone, site.mail().code))
    assert len(waiting) > 20
    for someone, code in waiting:
        for n in range(4):
            assert (await someone.type_code(wrong(code, n))).status_code == 400
    for number, (someone, code) in enumerate(waiting):
        assert (await someone.type_code(code)).status_code == 303
        assert await someone.who() == f"jo{number}@example.com"
    assert len(site.store) <= 300  # type: ignore[arg-type]
    kim = site.browser(ip="198.51.100.2")
    site.clock.advance(86400)
    await kim.sign_in("kim@example.com")


async def test_a_flood_of_addresses_pushes_out_nobodys_live_challenge_or_session() -> None:
    site = make_site(store=MemoryStore(max_entries=60), roomy=True)
    kim: Browser = site.browser(ip="198.51.100.2")
    await kim.sign_in("kim@example.com")
    jo = site.browser(ip="198.51.100.1")
    await jo.ask("jo@example.com")
    mail = site.mail("jo@example.com")
    for n in range(100):
        await site.browser(ip=f"203.0.{n}.1").ask(f"flood{n}@example.com")
    assert await kim.who() == "kim@example.com"
    assert (await jo.press_link(mail.link)).status_code == 303
    assert len(site.store) <= 60  # type: ignore[arg-type]


class Directory:
    """A user table whose database can go away."""

    is_down = False

    async def _answer(self, user: User | None) -> User | None:
        if self.is_down:
            raise ConnectionError("the database is away")
        return user

    async def find(self, email: str) -> User | None:
        return await self._answer(User(id="1", email=email))

    async def create(self, email: str) -> User | None:
        raise AssertionError("nobody is new")

    async def load(self, user_id: str) -> User | None:
        return await self._answer(User(id=user_id, email="jo@example.com"))


async def test_a_directory_that_fails_lets_nobody_in_and_spends_nothing() -> None:
    directory = Directory()
    site = make_site(users=directory)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    kim = site.browser(ip="203.0.113.9")
    await kim.ask("jo@example.com")
    mail = site.mail()
    directory.is_down = True
    assert (await jo.get("/private")).status_code == 503
    assert (await kim.type_code(mail.code)).status_code == 503
    assert site.sessions == 1
    directory.is_down = False
    assert (await jo.get("/private")).status_code == 200
    assert (await kim.type_code(mail.code)).status_code == 303


async def test_a_record_of_a_later_version_lets_nobody_in_and_throws_nobody_out() -> None:
    """A process that is not yet rolled out reads what a newer one wrote, under the same key."""
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    keyring, records = site.keeper._keyring, site.store._records  # type: ignore[attr-defined]
    for key, put in records.items():
        value = keyring.bind("session", key, b'[2,"newer"]', key_id=keyring.current)
        records[key] = replace(put, value=value)
    site.forget_sessions()
    sent = await run(site.app, http_scope(headers=cookie_header(jo)))
    assert sent[0]["status"] == 503
    assert len(site.inner.scopes) == 0


async def test_a_record_that_is_not_ours_lets_nobody_in_and_a_new_login_does(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is as if there were none: an error would keep the person out as long as it stands."""
    site = make_site(roomy=True)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    records = site.store._records  # type: ignore[attr-defined]
    for key, put in records.items():
        records[key] = replace(put, value=b'["not", "ours"]')
    site.forget_sessions()
    assert await jo.who() is None
    assert len(site.inner.scopes) == 0
    assert "changed or moved" in caplog.text
    await jo.sign_in("jo@example.com")
    assert await jo.who() == "jo@example.com"
