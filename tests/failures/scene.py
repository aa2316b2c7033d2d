"""Who is there when something breaks: one who is in, one with a mail, a stranger, a backend.

Each of them asks for whatever needs the store, all at once; `assert_closed` holds
the answers to security rule 15.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field

import httpx

from pwless_middleware import EmailLogin, Outbox
from pwless_middleware.stores.redis import RedisStore
from pwless_middleware.stores.sql.store import SQLStore
from tests.redis_server import until
from tests.support import (
    Browser,
    Clock,
    Site,
    cookie_header,
    led_to,
    make_site,
    run,
    socket_scope,
    token_of,
)

WITHIN = 20.0
"""Seconds in which a store that does not answer is a 503: two, and what a busy machine adds."""
LINK_PAGE = "https://front.example.com/link"
_PAGE = {"accept": "text/html", "sec-fetch-mode": "navigate"}
_names = itertools.count()


def an_address() -> str:
    """Return an address that no test has used."""
    return f"person{next(_names)}@example.com"


@dataclass
class Scene:
    """Hold one wrapped app and four visitors."""

    site: Site
    inside: Browser
    inside_as: str
    waiting: Browser
    code: str
    link: str
    backend_request: str
    slowest: float = 0.0
    stranger: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.stranger = self.site.browser()

    async def health(self) -> tuple[int, list[str]]:
        """Ask how it is, as a load balancer does; it looks once in a second of the clock."""
        self.site.clock.advance(1)
        answer = await self.site.browser().get("/auth/health")
        return answer.status_code, answer.json()["down"]

    async def recovers(self, seconds: float = 30) -> None:
        """Wait until the store is found again, by itself."""
        async with asyncio.timeout(seconds):
            while (await self.health())[0] != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def writers(self) -> dict[str, httpx.Response]:
        """Ask for everything that has to write to the store, all at the same time."""
        waiting, stranger = self.waiting, self.stranger
        backend = self.site.backend()
        return await self._all(
            {
                "right code": waiting.post("/auth/verify", {"code": self.code}),
                "wrong code": waiting.post("/auth/verify", {"code": "1" + self.code[1:]}),
                "resend": waiting.post("/auth/resend", {}),
                "send": stranger.post("/auth/login", {"email": an_address()}),
                "JSON send": backend.send(an_address()),
                "JSON resend": backend.resend(self.backend_request),
                "JSON verify": backend.verify(self.backend_request, code="000000"),
                "browser JSON send": stranger.call("send", {"email": an_address()}),
            }
        )

    async def readers(self) -> dict[str, httpx.Response]:
        """Ask for what has to read a session."""
        inside = self.inside
        return await self._all(
            {
                "request": inside.get("/private"),
                "page": inside.get("/private", headers=_PAGE),
                "post": inside.post("/private", {"a": "b"}),
                "own sessions": inside.get("/auth/sessions", headers=_PAGE),
                "JSON session": inside.get("/auth/api/v1/session"),
                "JSON sessions": inside.get("/auth/api/v1/sessions"),
            }
        )

    async def enders(self) -> dict[str, httpx.Response]:
        """Press the link, and ask for sessions to be ended."""
        inside, token = self.inside, token_of(self.link)
        return await self._all(
            {
                "link": self.waiting.post("/auth/link", {"link_token": token}),
                "revoke all": inside.post("/auth/sessions/revoke", {"all": "1"}),
                "JSON end": inside.request("DELETE", "/auth/api/v1/session"),
                "JSON end others": inside.request("DELETE", "/auth/api/v1/sessions"),
                "logout": inside.post("/auth/logout", {}),
            }
        )

    async def _all(self, asked: dict[str, Awaitable[httpx.Response]]) -> dict[str, httpx.Response]:
        async def timed(call: Awaitable[httpx.Response]) -> httpx.Response:
            begun = time.monotonic()
            answer = await call
            self.slowest = max(self.slowest, time.monotonic() - begun)
            return answer

        answers = await asyncio.gather(*(timed(call) for call in asked.values()))
        return dict(zip(asked, answers, strict=True))

    def assert_closed(self, answers: dict[str, httpx.Response]) -> None:
        """Hold answers to: 503 with `Retry-After`, in time, nobody let in, no cookie touched."""
        told = {name: answer.status_code for name, answer in answers.items()}
        assert set(told.values()) == {503}, told
        for name, answer in answers.items():
            assert int(answer.headers["retry-after"]) > 0, name
            assert "set-cookie" not in answer.headers, name
        assert self.slowest < WITHIN
        self.slowest = 0.0

    async def assert_socket_refused(self) -> None:
        """Hold a websocket of the one who is in to: refused before accept, in time."""
        headers = [*cookie_header(self.inside), (b"origin", self.inside.origin.encode())]
        begun = time.monotonic()
        sent = await run(self.site.app, socket_scope(headers=headers))
        assert time.monotonic() - begun < WITHIN
        assert [message["type"] for message in sent] == ["websocket.close"]

    async def assert_public_still_works(self) -> None:
        """Hold what needs no store to: as ever. A forged cookie is nobody's, without a question."""
        stranger = self.site.browser(cookies={"__Host-pwless": "forged"})
        assert (await stranger.get("/auth/login")).status_code == 200
        stopped = await stranger.get("/private", headers=_PAGE)
        assert stopped.status_code == 303
        assert led_to(stopped).startswith("/auth/login")
        assert (await self.site.browser().get("/private")).status_code == 401

    async def assert_still_in(self) -> None:
        """Hold the one who was in to: still in, with the same cookie."""
        assert await self.inside.who() == self.inside_as

    async def assert_login_can_be_finished(self) -> None:
        """Hold the one with a mail to: what was typed in vain was no try, nor spent the code."""
        done = await self.waiting.type_code(self.code)
        assert done.status_code == 303, done.text
        assert await self.waiting.who() is not None

    async def assert_a_login_works(self) -> None:
        """Hold a stranger to: a whole login works, from the start."""
        new, address = self.site.browser(ip="203.0.113.99"), an_address()
        await new.sign_in(address)
        assert await new.who() == address


@contextlib.asynccontextmanager
async def scene(server: object, *, is_fed: bool = True) -> AsyncIterator[Scene]:
    """Make a scene on a Redis or another store, with everybody in place; closed at the end.

    Args:
        server: URL or client, as `RedisStore` takes it; or a `SQLStore`.
        is_fed: wait until the revocation feed is live, as it is in daily business.
    """
    clock = Clock(int(time.time()))
    store: RedisStore | SQLStore
    if isinstance(server, SQLStore):
        store = server
    else:
        store = RedisStore(server, prefix=f"scene{next(_names)}")
    site = make_site(
        store=store,
        clock=clock,
        outbox=Outbox(max_messages=1000),
        features=[EmailLogin(link_uris=[LINK_PAGE])],
    )
    try:
        inside_as = an_address()
        inside = site.browser(ip="203.0.113.1")
        await inside.sign_in(inside_as)
        waiting, waiting_as = site.browser(ip="203.0.113.2"), an_address()
        await waiting.ask(waiting_as)
        mail = site.mail(waiting_as)
        sent = await site.backend().send(an_address())
        if is_fed:
            await until(store.feed.is_live)
        yield Scene(
            site,
            inside,
            inside_as,
            waiting,
            mail.code or "",
            mail.link or "",
            sent.json()["auth_request_id"],
        )
    finally:
        await site.passwordless.lifetime.close()
