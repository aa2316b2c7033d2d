"""The guide's table "When something is down", SMTP: a test for each row.

No state of the mail server is seen in an answer: a mail is accepted, 303, and who is in stays in.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from pwless_middleware import EmailLogin, FallbackMailer, Mailer, SMTPMailer
from pwless_middleware.stores.redis import RedisStore
from tests.failures.post import TAKEN, Post
from tests.failures.scene import an_address
from tests.redis_server import Server, until
from tests.support import ROOMY, Clock, Site, make_site

pytestmark = pytest.mark.anyio

PATIENCE = 30
"""Seconds after which a test gives up: no measure of anything, and enough on a busy machine."""


@pytest.fixture
def post() -> Iterator[Post]:
    """A mail server, open."""
    post = Post()
    post.open()
    yield post
    post.close()


def mailer(post: Post, *, timeout: float = 10) -> SMTPMailer:
    """Send through it."""
    return SMTPMailer(post.url, sender="login@example.com", timeout=timeout)


@contextlib.asynccontextmanager
async def home_on(server: Server, way_out: Mailer) -> AsyncIterator[Site]:
    """A site on Redis whose mails really go out."""
    store = RedisStore(server.url, prefix=an_address().partition("@")[0])
    features = [EmailLogin(send_limits=ROOMY)]
    clock = Clock(int(time.time()))
    site = make_site(store=store, features=features, clock=clock, mailer=way_out)
    try:
        yield site
    finally:
        await site.passwordless.lifetime.close()


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the events in the log."""
    return [str(getattr(record, "event", "")) for record in caplog.records]


async def passing(site: Site, is_so: Any, *, step: int = 1) -> None:
    """Let the injected time go on, so that back-off passes, until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            await asyncio.sleep(0.05)
            site.clock.advance(step)


async def health(site: Site) -> tuple[int, list[str]]:
    """Ask how it is, as an operator with an API key."""
    site.clock.advance(1)
    answer = await site.backend().browser.get("/auth/health")
    return answer.status_code, answer.json()["down"]


async def asked(site: Site, address: str) -> Any:
    """Ask for a mail, which must be answered as ever."""
    jo = site.browser()
    answer = await jo.ask(address)
    assert answer.status_code == 303
    return jo


async def signs_in(site: Site, post: Post, jo: Any, address: str) -> None:
    """Type the code that came."""
    assert (await jo.type_code(post.mails(address)[-1].code)).status_code == 303
    assert await jo.who() == address


async def test_refused(server: Server, post: Post, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody listens: the mail waits, health names delivery with 200, and it goes out later."""
    caplog.set_level(logging.INFO, "pwless")
    post.shut()
    async with home_on(server, mailer(post)) as site:
        address = an_address()
        jo = await asked(site, address)
        await passing(site, lambda: site.passwordless.deliveries.is_failing)
        assert await health(site) == (200, ["delivery"])
        post.open()
        await passing(site, lambda: post.mails(address), step=3)
        await signs_in(site, post, jo, address)
        assert await health(site) == (200, [])
        assert "mail_not_delivered" not in events(caplog)
        assert "mail_recovered" in events(caplog)
        assert address not in caplog.text


async def test_slow(server: Server, post: Post) -> None:
    """A server that takes its time slows neither the answers nor those who are in."""
    goes_on = threading.Event()

    async def late(to: str, helo: str) -> str:
        while not goes_on.is_set():  # noqa: ASYNC110 # set in the test's thread
            await asyncio.sleep(0.01)
        return TAKEN

    async with home_on(server, mailer(post, timeout=60)) as site:
        first = an_address()
        jo = await asked(site, first)
        await until(lambda: bool(post.mails(first)))
        await signs_in(site, post, jo, first)
        post.answer = late
        addresses = [an_address() for _ in range(6)]
        people = await asyncio.gather(*(asked(site, each) for each in addresses))
        assert await jo.who() == first
        assert len(post.taken) == 1  # all this was answered while no mail could go out
        goes_on.set()
        await passing(site, lambda: len(post.taken) == 7)
        for person, address in zip(people, addresses, strict=True):
            assert len(post.mails(address)) == 1
            await signs_in(site, post, person, address)


async def test_hanging(server: Server, post: Post) -> None:
    """One that never answers is given up after the mailer's timeout and tried again."""
    answers = iter([None])

    async def hangs_once(to: str, helo: str) -> str:
        if next(answers, TAKEN) is None:
            await asyncio.Event().wait()
        return TAKEN

    post.answer = hangs_once
    async with home_on(server, mailer(post, timeout=1)) as site:
        address = an_address()
        jo = await asked(site, address)
        await passing(site, lambda: post.mails(address))
        assert len(post.asked) >= 2
        await signs_in(site, post, jo, address)


async def test_greylisting(server: Server, post: Post) -> None:
    """4xx, then ok: the mail comes at a later try, once, and no outage is reported."""

    async def grey(to: str, helo: str) -> str:
        return "451 4.7.1 try again later" if len(post.asked) < 3 else TAKEN

    post.answer = grey
    async with home_on(server, mailer(post)) as site:
        address = an_address()
        jo = await asked(site, address)
        await until(lambda: len(post.asked) == 1)
        assert await health(site) == (200, [])
        await passing(site, lambda: post.mails(address))
        assert len(post.mails(address)) == 1
        await signs_in(site, post, jo, address)


async def test_dead_for_good(server: Server, post: Post, caplog: pytest.LogCaptureFixture) -> None:
    """A mail that cannot go out before its challenge expires is reported, and not sent late."""
    caplog.set_level(logging.INFO, "pwless")
    post.shut()
    async with home_on(server, mailer(post)) as site:
        address = an_address()
        jo = await asked(site, address)
        await passing(site, lambda: "mail_not_delivered" in events(caplog), step=10)
        post.open()
        site.clock.advance(120)
        fresh = an_address()
        await asked(site, fresh)
        await passing(site, lambda: post.mails(fresh))
        assert post.mails(address) == []
        assert (await jo.type_code("123456")).status_code == 410
        assert address not in caplog.text


async def test_a_mail_that_nobody_looked_at_for_an_hour_is_reported(
    server: Server, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    """All processes, or Redis, were away for longer than a challenge is kept."""
    caplog.set_level(logging.INFO, "pwless")
    post.shut()
    async with home_on(server, mailer(post)) as site:
        await asked(site, an_address())
        await until(lambda: "mail_delayed" in events(caplog))
        site.clock.advance(3600)
        await asked(site, fresh := an_address())
        post.open()
        await passing(site, lambda: post.mails(fresh))
        assert "mail_not_delivered" in events(caplog)


async def test_refused_for_good(
    server: Server, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    """5xx: not tried again, reported at once, and kept in the dead list."""
    caplog.set_level(logging.INFO, "pwless")

    async def never(to: str, helo: str) -> str:
        return "554 5.7.1 no"

    post.answer = never
    async with home_on(server, mailer(post)) as site:
        await asked(site, an_address())
        await until(lambda: "mail_not_delivered" in events(caplog))
        await until(lambda: len(post.asked) == 1)
        store: Any = site.store
        async with asyncio.timeout(PATIENCE):
            while not (await store.jobs.count(now=0)).dead:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_a_second_mailer_takes_over(server: Server, post: Post) -> None:
    """With `FallbackMailer` the mail comes at once, by the second."""
    dead = Post()
    try:
        async with home_on(server, FallbackMailer(mailer(dead), mailer(post))) as site:
            address = an_address()
            jo = await asked(site, address)
            await until(lambda: bool(post.mails(address)))
            await signs_in(site, post, jo, address)
            assert await health(site) == (200, [])
    finally:
        dead.close()


async def test_a_mail_is_not_sent_after_its_challenge_was_used(server: Server, post: Post) -> None:
    """The same code came by resend and was used; what still waits is dropped."""
    async with home_on(server, mailer(post)) as site:
        address = an_address()
        jo = await asked(site, address)
        await until(lambda: bool(post.mails(address)))
        code = post.mails(address)[0].code
        post.shut()
        site.clock.advance(61)
        assert (await jo.post("/auth/resend", {})).status_code == 303
        assert (await jo.type_code(code)).status_code == 303
        post.open()
        site.clock.advance(120)
        fresh = an_address()
        await asked(site, fresh)
        await passing(site, lambda: post.mails(fresh))
        assert len(post.mails(address)) == 1


async def test_redis_and_mail_are_down(server: Server, post: Post) -> None:
    """Health names both."""
    async with home_on(server, mailer(post)) as site:
        await asked(site, an_address())
        await until(lambda: len(post.taken) == 1)
        server.kill()
        await until(lambda: site.passwordless.deliveries.is_failing, PATIENCE)
        assert await health(site) == (503, ["store", "delivery"])
        server.start()
        async with asyncio.timeout(PATIENCE):
            while await health(site) != (200, []):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
