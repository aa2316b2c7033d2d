"""A running session is asked about again (security rule 25): rules bind it, not only logins."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.websockets import WebSocket

from pwless_middleware import EmailLogin, Kit, Mounted, Session, SessionPolicy, User
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.keys.digest import digest
from pwless_middleware.database.database import Database
from pwless_middleware.errors import LoginDenied
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.web.connections import open_connections
from tests.support import Browser, Site, Slow, cookie_header, make_site, socket_scope

pytestmark = pytest.mark.anyio

ID_OF_JO = b64(digest("user", "jo@acme.example"))


class House:
    """Lets nobody stay whose address is on its list, and narrows the others' sessions."""

    def __init__(self, policy: SessionPolicy | None = None) -> None:
        self.unwanted: set[str] = set()
        self.policy = policy
        self.asked = 0

    def mount(self, kit: Kit) -> Mounted:
        self.kit = kit
        return Mounted(on_session=(self.rule,))

    async def rule(self, session: Session, user: User) -> SessionPolicy | None:
        self.asked += 1
        if user.email in self.unwanted:
            raise LoginDenied
        return self.policy


def redeploy(site: Site, login: EmailLogin, **options: Any) -> Site:
    """Start the same deployment again, with another configuration, on the same store."""
    return make_site(store=site.store, clock=site.clock, features=[login], **options)


async def test_who_is_taken_off_the_allow_list_is_out_and_the_others_stay() -> None:
    site = make_site()
    jo, kim = site.browser(), site.browser()
    await jo.sign_in("jo@acme.example")
    await kim.sign_in("kim@partner.example")
    narrower = redeploy(site, EmailLogin(allow=["*@acme.example"]))
    assert await narrower.browser(cookies=jo.cookies).who() == "jo@acme.example"
    assert await narrower.browser(cookies=kim.cookies).who() is None
    api = await narrower.browser(cookies=kim.cookies).get("/auth/api/v1/session")
    assert api.status_code == 401
    # A slip in the list has signed nobody out for good.
    assert await redeploy(site, EmailLogin()).browser(cookies=kim.cookies).who() is not None


async def test_a_rule_that_changes_its_mind_is_heard_within_a_minute() -> None:
    house = House()
    site = make_site(features=[EmailLogin(), house])
    jo = site.browser()
    await jo.sign_in("jo@acme.example")
    for _ in range(20):
        assert await jo.who() == "jo@acme.example"
    assert house.asked == 1
    house.unwanted.add("jo@acme.example")
    site.clock.advance(60)
    assert await jo.who() is None
    assert await site.passwordless.sessions.find(jo.cookies[jo.cookie_name()]) is None
    assert not await site.passwordless.sessions.lives(jo.cookies[jo.cookie_name()])
    house.unwanted.clear()
    site.clock.advance(60)
    assert await jo.who() == "jo@acme.example"


async def test_with_a_signal_it_is_heard_at_once() -> None:
    house = House()
    site = make_site(features=[EmailLogin(), house])
    jo = site.browser()
    await jo.sign_in("jo@acme.example")
    await jo.who()
    house.unwanted.add("jo@acme.example")
    [session] = await site.passwordless.sessions.list(ID_OF_JO)
    await house.kit.signals.tell_user(session.user_id)
    assert await jo.who() is None


async def test_a_rule_narrows_a_session_that_runs() -> None:
    house = House(SessionPolicy(idle=600, absolute=3600))
    site = make_site(features=[EmailLogin(), house])
    jo = site.browser()
    await jo.sign_in("jo@acme.example")
    site.clock.advance(599)
    assert await jo.who() is not None
    for _ in range(10):
        site.clock.advance(400)
        await jo.who()
    assert await jo.who() is None


@pytest.fixture
def _no_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nobody look at open connections as time goes by."""
    monkeypatch.setattr(open_connections, "LOOK_SECONDS", 3600)


class Socket:
    """An app of one socket that stays open, and who has it open."""

    def __init__(self) -> None:
        self.accepted, self.closed = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        socket = WebSocket(scope, receive, send)
        await socket.accept()
        self.accepted.set()
        await socket.receive()

    async def open(self, site: Site, jo: Browser) -> asyncio.Task[None]:
        """Open it in a browser, and return the task that serves it."""
        scope = socket_scope(headers=[*cookie_header(jo), (b"origin", jo.origin.encode())])
        serving = asyncio.create_task(site.app(scope, self._receive, self._send))
        await self.accepted.wait()
        return serving

    async def closes_at_once(self) -> None:
        """Wait for its close, which may not wait for the next look: see `_no_looks`."""
        async with asyncio.timeout(30):
            await self.closed.wait()

    async def _receive(self) -> Any:
        if not self.accepted.is_set():
            return {"type": "websocket.connect"}
        return await asyncio.get_running_loop().create_future()  # for ever

    async def _send(self, message: Any) -> None:
        if message["type"] == "websocket.close":
            self.closed.set()


@pytest.mark.usefixtures("_no_looks")
async def test_a_socket_ends_at_once_when_a_rule_refuses_its_session() -> None:
    house, socket = House(), Socket()
    site = make_site(socket, features=[EmailLogin(), house])
    jo = site.browser()
    await jo.sign_in("jo@acme.example")
    serving = await socket.open(site, jo)
    house.unwanted.add("jo@acme.example")
    [session] = await site.passwordless.sessions.list(ID_OF_JO)
    await house.kit.signals.tell_user(session.user_id)
    await socket.closes_at_once()
    serving.cancel()


@pytest.mark.usefixtures("_no_looks")
async def test_a_socket_ends_at_once_when_an_operator_takes_its_person_off_the_list(
    tmp_path: Path,
) -> None:
    socket = Socket()
    site = make_site(socket, database=f"sqlite:///{tmp_path}/pwless.db")
    jo = site.browser()
    await jo.sign_in("jo@acme.example")
    serving = await socket.open(site, jo)
    await site.passwordless.settings.set({"email_login.allow": ["*@partner.example"]})
    await socket.closes_at_once()
    serving.cancel()
    await site.passwordless.lifetime.close()


@pytest.mark.usefixtures("_no_looks")
async def test_a_socket_ends_at_once_when_another_process_disables_its_person(
    tmp_path: Path,
) -> None:
    socket, database = Socket(), Database(f"sqlite:///{tmp_path}/pwless.db")
    site = make_site(socket, store=MemoryStore(), database=database)
    other = make_site(store=site.store, clock=site.clock, database=database)
    jo = site.browser()
    await jo.sign_in("jo@acme.example")
    serving = await socket.open(site, jo)
    await other.passwordless.people.disable("jo@acme.example")
    await socket.closes_at_once()
    serving.cancel()
    await database.aclose()


async def test_not_before_ends_every_session_that_began_before_and_no_other() -> None:
    store = Slow(MemoryStore())
    site = make_site(store=store)
    jo, kim = site.browser(), site.browser()
    await jo.sign_in("jo@acme.example")
    site.clock.advance(10)
    closed = redeploy(site, EmailLogin(), sessions=SessionPolicy(not_before=int(site.clock())))
    assert await closed.browser(cookies=jo.cookies).who() is None
    assert await closed.passwordless.sessions.list(ID_OF_JO) == []
    late = closed.browser(cookies=kim.cookies)
    await late.sign_in("kim@acme.example")
    for _ in range(3):
        assert await late.who() == "kim@acme.example"
