"""Sessions: rolling, seen, listed, ended, held in process and never brought back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pwless_middleware import SessionPolicy
from pwless_middleware.errors import StoreError
from pwless_middleware.flows.sessions import session_cache as module
from pwless_middleware.stores.memory import MemoryStore
from tests.support import (
    KEY,
    OTHER_KEY,
    Browser,
    Site,
    Slow,
    cookie_header,
    http_scope,
    led_to,
    make_site,
    run,
)

pytestmark = pytest.mark.anyio
DAY = 86400


async def entered(**options: Any) -> tuple[Site, Browser, Slow]:
    store = Slow(MemoryStore())
    site = make_site(store=store, roomy=True, **options)
    site.store = store.store
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    store.calls.clear()
    return site, jo, store


async def test_a_session_rolls_on_without_another_set_cookie() -> None:
    site, jo, _ = await entered()
    for _ in range(40):
        site.clock.advance(DAY // 2)
        answer = await jo.get("/private")
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers


async def test_being_seen_is_written_at_most_once_in_a_twenty_fourth_of_the_idle_time() -> None:
    site, jo, store = await entered()
    for _ in range(7 * DAY // 600):  # a week, a request every ten minutes
        site.clock.advance(600)
        assert (await jo.get("/private")).status_code == 200
    writes = [call for call in store.calls if call in ("swap", "write", "take", "admit")]
    assert writes == ["swap"] * 24


async def test_an_ordinary_request_asks_the_store_for_nothing() -> None:
    site, jo, store = await entered()
    await jo.get("/private")
    assert store.calls == ["read"]
    for _ in range(10):
        await jo.get("/private")
    assert store.calls == ["read"]
    await site.browser().get("/private")
    await site.browser(cookies={jo.cookie_name(): "forged"}).get("/private")
    assert store.calls == ["read"]


async def test_a_session_used_in_another_process_does_not_fall_asleep_here() -> None:
    """What looks idle here is read again before it is refused."""
    site, jo, _ = await entered(sessions=SessionPolicy(idle=1000, absolute=DAY))
    other = make_site(
        store=site.store, clock=site.clock, sessions=SessionPolicy(idle=1000, absolute=DAY)
    )
    there = other.browser(cookies=jo.cookies)
    await jo.who()
    for _ in range(5):
        site.clock.advance(900)
        assert await there.who() == "jo@example.com"
    assert await jo.who() == "jo@example.com"


async def test_a_revoked_session_is_dead_at_once_everywhere_in_the_process() -> None:
    site, jo, _ = await entered()
    same_store = make_site(store=site.store, clock=site.clock)
    there = same_store.browser(cookies=jo.cookies)
    assert await jo.who() == await there.who() == "jo@example.com"
    user_id = site.inner.scope["user"].id
    assert await site.passwordless.sessions.revoke_all(user_id) == 1
    assert await jo.who() is None
    assert await there.who() is None
    assert await site.passwordless.sessions.revoke_all(user_id) == 0


async def test_a_session_whose_end_is_not_surely_written_is_asked_for_again() -> None:
    """The store may have ended it and its answer be lost: nobody is let in unasked any more."""
    site, jo, store = await entered()
    assert await jo.who() == "jo@example.com"
    session = site.inner.scope["state"]["session"]

    async def fail() -> None:
        raise StoreError("no connection")

    store.before["write"] = fail
    with pytest.raises(StoreError):
        await site.passwordless.sessions.end(session)
    store.before.clear()
    store.calls.clear()
    await jo.who()
    assert store.calls == ["read"]


async def test_a_read_in_flight_does_not_bring_a_revoked_session_back() -> None:
    """The stale fill, by hand: the record is read, then revoked, and then the read answers."""
    site, jo, store = await entered()
    has_read, may_go_on = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        has_read.set()
        await may_go_on.wait()

    store.after["read"] = pause
    scope = http_scope(headers=cookie_header(jo))
    in_flight = asyncio.create_task(run(site.app, scope))
    await has_read.wait()
    del store.after["read"]
    sessions = site.passwordless.sessions
    (session,) = await sessions.list((await sessions.find(str(jo.cookie()))).user_id)  # type: ignore[union-attr]
    await sessions.end(session)
    may_go_on.set()
    await in_flight
    assert await jo.who() is None


async def test_being_seen_does_not_bring_a_revoked_session_back() -> None:
    site, jo, store = await entered()
    await jo.who()
    site.clock.advance(DAY)
    has_read, may_go_on = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        has_read.set()
        await may_go_on.wait()

    store.before["swap"] = pause
    late = asyncio.create_task(jo.who())
    await has_read.wait()
    await site.passwordless.sessions.revoke_all(site.inner.scope["user"].id)
    may_go_on.set()
    assert await late is None
    assert await jo.who() is None
    assert site.sessions == 0


async def test_two_that_see_a_session_at_once_are_both_let_in() -> None:
    site, jo, store = await entered()
    site.clock.advance(DAY)

    async def turn() -> None:
        await asyncio.sleep(0)

    store.before["swap"] = store.after["read"] = turn
    assert await asyncio.gather(*(jo.who() for _ in range(5))) == ["jo@example.com"] * 5


async def test_what_is_held_in_process_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 5)
    site, _, _ = await entered()
    visitors = []
    for n in range(12):
        visitor = site.browser(ip=f"203.0.113.{n}")
        await visitor.sign_in(f"jo{n}@example.com")
        assert await visitor.who() == f"jo{n}@example.com"
        visitors.append(visitor)
    sessions = site.keeper
    assert len(sessions._held) == 5
    assert len(sessions._cache._signed_by_key) <= 5
    for n, visitor in enumerate(visitors):
        assert await visitor.who() == f"jo{n}@example.com"
    assert len(sessions._held) == 5


async def test_without_a_live_feed_every_request_asks_the_store() -> None:
    site, jo, store = await entered()
    site.store.feed.is_live = lambda: False  # type: ignore[method-assign]
    for _ in range(3):
        assert await jo.who() == "jo@example.com"
    assert store.calls == ["read"] * 3
    assert site.keeper._held == {}


async def test_an_interrupted_feed_forgets_everything() -> None:
    site, jo, _ = await entered()
    await jo.who()
    assert len(site.keeper._held) == 1
    for forget in site.store.feed._subscribers:  # type: ignore[attr-defined]
        forget(None)
    assert site.keeper._held == {}
    assert site.keeper._cache._signed_by_key == {}
    assert await jo.who() == "jo@example.com"


# --- list and revoke -----------------------------------------------------------------------------


async def three(site: Site) -> list[Browser]:
    agents = ["Firefox/1 Linux", "Safari/1 iPhone", "curl"]
    found = []
    for n, agent in enumerate(agents):
        browser = site.browser(ip=f"203.0.113.{n}", headers={"user-agent": agent})
        site.clock.advance(3600)
        await browser.sign_in("jo@example.com")
        found.append(browser)
    return found


async def test_a_person_sees_the_own_sessions_newest_first_with_this_one_marked() -> None:
    site = make_site(roomy=True)
    linux, phone, curl = await three(site)
    await site.browser(ip="203.0.113.99").sign_in("kim@example.com")
    rows = (await phone.get("/auth/api/v1/sessions")).json()["sessions"]
    assert [row["device"] for row in rows] == [
        "an unknown browser", "Safari on iPhone", "Firefox on Linux",
    ]  # fmt: skip
    assert [row["current"] for row in rows] == [False, True, False]
    page = (await phone.get("/auth/sessions")).text
    assert page.count("Firefox on Linux") == 1
    assert "1 hour ago" in page
    assert "This browser" in page
    for browser in (linux, curl):
        assert await browser.who() == "jo@example.com"


async def test_revoke_one_others_and_all() -> None:
    site = make_site(roomy=True)
    linux, phone, curl = await three(site)
    rows = (await phone.get("/auth/api/v1/sessions")).json()["sessions"]
    oldest = rows[-1]["id"]
    done = await phone.post("/auth/sessions/revoke", {"id": oldest})
    assert led_to(done).startswith("/auth/sessions?")
    assert [await b.who() is not None for b in (linux, phone, curl)] == [False, True, True]
    assert (await phone.post("/auth/sessions/revoke", {"id": oldest})).status_code == 404
    await phone.post("/auth/sessions/revoke", {"others": "1"})
    assert [await b.who() is not None for b in (linux, phone, curl)] == [False, True, False]
    done = await phone.post("/auth/sessions/revoke", {"all": "1"})
    assert led_to(done) == "/auth/logout?done=everywhere"
    assert await phone.who() is None
    assert phone.cookie() is None
    gone = await phone.post("/auth/sessions/revoke", {"all": "1"})
    assert led_to(gone).startswith("/auth/login")


CLEARED = '"cache"'


@pytest.mark.parametrize("way", ["logout", "logout to", "all", "own", "api", "api own"])
async def test_after_the_end_of_its_session_a_browser_keeps_no_page_for_back(way: str) -> None:
    """Security rule 22."""
    site = make_site(roomy=True)
    jo = site.browser()
    signed_in = await jo.sign_in("jo@example.com")
    assert "clear-site-data" not in signed_in.headers
    own = (await jo.get("/auth/api/v1/session")).json()["session"]["id"]
    answer = await {
        "logout": lambda: jo.post("/auth/logout", {}),
        "logout to": lambda: jo.post("/auth/logout", {"next": "/bye"}),
        "all": lambda: jo.post("/auth/sessions/revoke", {"all": "1"}),
        "own": lambda: jo.post("/auth/sessions/revoke", {"id": own}),
        "api": lambda: jo.request("DELETE", "/auth/api/v1/session"),
        "api own": lambda: jo.request("DELETE", f"/auth/api/v1/sessions/{own}"),
    }[way]()
    assert answer.headers["clear-site-data"] == CLEARED
    assert jo.cookie() is None


async def test_the_end_of_another_session_clears_nothing_here() -> None:
    site = make_site(roomy=True)
    linux, phone, _ = await three(site)
    rows = (await phone.get("/auth/api/v1/sessions")).json()["sessions"]
    one = await phone.post("/auth/sessions/revoke", {"id": rows[-1]["id"]})
    others = await phone.request("DELETE", "/auth/api/v1/sessions")
    for answer in (one, others):
        assert "clear-site-data" not in answer.headers
    assert await phone.who() == "jo@example.com"
    assert await linux.who() is None


@pytest.mark.parametrize("kind", ["page", "api"])
async def test_a_login_that_ends_another_session_clears_what_it_left(kind: str) -> None:
    site = make_site(roomy=True)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    if kind == "page":
        done = await jo.sign_in("kim@example.com")
    else:
        sent = (await jo.call("send", {"email": "kim@example.com"})).json()
        code = {"auth_request_id": sent["auth_request_id"], "code": site.mail().code}
        done = await jo.call("verify", code)
    assert await jo.who() == "kim@example.com"
    assert done.headers["clear-site-data"] == CLEARED


async def test_revoking_ones_own_session_by_its_id_signs_out() -> None:
    site = make_site(roomy=True)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    own = (await jo.get("/auth/api/v1/session")).json()["session"]["id"]
    done = await jo.post("/auth/sessions/revoke", {"id": own})
    assert led_to(done).startswith("/auth/logout")
    assert jo.cookie() is None


async def test_nobody_ends_anothers_session() -> None:
    site = make_site(roomy=True)
    jo, eve = site.browser(), site.browser(ip="203.0.113.6")
    await jo.sign_in("jo@example.com")
    await eve.sign_in("eve@example.com")
    mine = (await jo.get("/auth/api/v1/session")).json()["session"]["id"]
    assert (await eve.post("/auth/sessions/revoke", {"id": mine})).status_code == 404
    assert (await eve.request("DELETE", f"/auth/api/v1/sessions/{mine}")).status_code == 404
    for path in ("/auth/api/v1/sessions", "/auth/api/v1/session"):
        await eve.request("DELETE", path)
    assert await jo.who() == "jo@example.com"


async def test_a_logout_ends_the_session_and_not_only_the_cookie() -> None:
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    copy = site.browser(cookies=jo.cookies)
    assert (await jo.get("/auth/logout")).text.count("jo@example.com") == 1
    done = await jo.post("/auth/logout", {"next": "/bye"})
    assert led_to(done) == "/bye"
    assert jo.cookie() is None
    assert await copy.who() is None
    assert site.sessions == 0


async def test_ended_sessions_leave_the_list_and_the_store() -> None:
    site = make_site(roomy=True, sessions=SessionPolicy(idle=1000, absolute=2000))
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    site.clock.advance(999)
    kim = site.browser(ip="203.0.113.9")
    await kim.sign_in("jo@example.com")
    site.clock.advance(1)
    rows = (await kim.get("/auth/api/v1/sessions")).json()["sessions"]
    assert len(rows) == 1
    site.clock.advance(10_000)
    assert site.sessions == 0


# --- key rotation --------------------------------------------------------------------------------


async def test_a_key_is_rotated_without_logging_anyone_out_or_killing_a_login() -> None:
    """`[old]`, `[new, old]`, `[old, new]`, `[new]`: each step is a restart of every process."""
    store = MemoryStore()
    sites = [
        make_site(secret_key=keys, store=store, roomy=True)
        for keys in ([KEY], [OTHER_KEY, KEY], [KEY, OTHER_KEY], [OTHER_KEY])
    ]
    jo, waiting = sites[0].browser(), sites[0].browser(ip="203.0.113.9")
    await jo.sign_in("jo@example.com")
    await waiting.ask("kim@example.com")
    mail = sites[0].mail()
    for site in sites[1:3]:
        assert await site.browser(cookies=jo.cookies).who() == "jo@example.com"
        page = await site.browser(cookies=waiting.cookies).get("/auth/verify")
        assert page.status_code == 200
    late = sites[2].browser(cookies=waiting.cookies)
    assert (await late.type_code(mail.code)).status_code == 303
    assert await late.who() == "kim@example.com"
    assert await sites[3].browser(cookies=late.cookies).who() == "kim@example.com", "new key"
    assert await sites[3].browser(cookies=jo.cookies).who() is None, "the old key is gone"


async def test_a_resend_under_the_new_key_brings_new_secrets_where_the_old_key_is_gone() -> None:
    store = MemoryStore()
    before = make_site(secret_key=[KEY, OTHER_KEY], store=store, roomy=True)
    backend = before.backend()
    request_id = (await backend.send("jo@example.com")).json()["auth_request_id"]
    # The request id was made by the newest key, the challenge too; now that key alone remains.
    after = make_site(secret_key=[OTHER_KEY], store=store, clock=before.clock, roomy=True)
    answer = await after.backend().resend(request_id)
    assert answer.status_code == 200
    assert after.mail().code == before.mail().code
    gone = make_site(secret_key=["n" + OTHER_KEY], store=store, clock=before.clock, roomy=True)
    assert (await gone.backend().resend(request_id)).status_code == 410


@pytest.mark.parametrize(
    ("policy", "used_at", "ends"),
    [
        (SessionPolicy(idle=600, absolute=5000), 0, 600),
        (SessionPolicy(idle=900, absolute=901), 450, 901),
    ],
)
async def test_what_stays_open_ends_with_the_life_of_its_session(
    policy: SessionPolicy, used_at: int, ends: int
) -> None:
    """Idle or absolute, held in process or read from the store, which may keep a record longer."""
    site, jo, _ = await entered(sessions=policy)
    sessions, signed = site.keeper, str(jo.cookie())
    site.clock.advance(used_at)
    assert await jo.who() == "jo@example.com"
    site.clock.advance(ends - used_at - 1)
    assert sessions.look_held(signed)
    assert await sessions.look(signed)
    site.clock.advance(1)
    assert not sessions.look_held(signed)
    assert not await sessions.look(signed)
    site.forget_sessions()
    assert not await sessions.look(signed)


class Late(MemoryStore):
    """A store whose server drops what has expired a while late."""

    async def read(self, key: str, *, now: int) -> bytes | None:
        return await super().read(key, now=now - 100)


async def test_a_record_that_the_store_keeps_too_long_lets_nobody_in() -> None:
    policy = SessionPolicy(idle=600, absolute=5000)
    site = make_site(store=Late(), roomy=True, sessions=policy)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    signed = str(jo.cookie())
    site.clock.advance(600)
    assert not await site.keeper.look(signed)
    assert await jo.who() is None
