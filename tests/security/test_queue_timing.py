"""Security rule 14 in the mail queue: when a mail arrives does not tell who else has an account."""

from __future__ import annotations

import asyncio
import time

import pytest

from pwless_middleware import EmailLogin, User
from pwless_middleware.delivery.base import Message
from tests.security.test_same_answer import Table
from tests.support import ROOMY, make_site

pytestmark = pytest.mark.anyio

SECONDS = 0.2


class Members(Table):
    """Two rows: the person who is asked about, and the one who asks."""

    async def find(self, email: str) -> User | None:
        is_asker = email == "curious@example.com"
        return User(id="2", email=email) if is_asker else await super().find(email)


class SlowPost:
    """A mailer that takes its time, for one mail after the other."""

    parallel = 1

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}

    async def send(self, message: Message) -> None:
        await asyncio.sleep(SECONDS)
        self.sent[message.to] = time.monotonic()


@pytest.mark.parametrize("asked_about", ["known@example.com", "nobody@example.com"])
async def test_ones_own_mail_comes_as_late_behind_a_strangers_as_behind_a_members(
    asked_about: str,
) -> None:
    post = SlowPost()
    feature = EmailLogin(allow=["*@example.com"], signup=False, send_limits=ROOMY)
    site = make_site(features=[feature], users=Members(), mailer=post)
    curious = site.browser()
    try:
        await curious.ask("curious@example.com")
        await arrival(post, "curious@example.com")
        post.sent.clear()
        begun = time.monotonic()
        await site.browser().ask(asked_about)
        await curious.ask("curious@example.com")
        assert await arrival(post, "curious@example.com") - begun >= 2 * SECONDS
        assert ("known@example.com" in post.sent) is (asked_about == "known@example.com")
    finally:
        await site.passwordless.lifetime.close()


async def arrival(post: SlowPost, address: str) -> float:
    """Wait for a mail, and return when it was sent."""
    async with asyncio.timeout(30):
        while address not in post.sent:  # noqa: ASYNC110 # the worker is another task of this loop
            await asyncio.sleep(0.005)
    return post.sent[address]


async def test_serverless_answers_come_after_one_fixed_time_whoever_the_mail_is_for() -> None:
    post = SlowPost()
    feature = EmailLogin(allow=["*@example.com"], signup=False)
    site = make_site(features=[feature], users=Members(), mailer=post, delivery="inline")
    addresses = ["known@example.com", "nobody@example.com", "known@example.net"]

    async def seconds(address: str) -> float:
        begun = time.monotonic()
        answer = await site.browser().ask(address)
        assert answer.status_code == 303
        return time.monotonic() - begun

    for took in await asyncio.gather(*(seconds(address) for address in addresses)):
        assert took >= 2
    assert list(post.sent) == ["known@example.com"]
    await site.passwordless.lifetime.close()


async def test_what_a_serverless_request_cannot_send_in_time_is_sent_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pwless_middleware.flows.lifetime.INLINE_SECONDS", SECONDS / 2)
    post = SlowPost()
    site = make_site(mailer=post, delivery="inline", roomy=True)
    assert (await site.browser().ask("jo@example.com")).status_code == 303
    assert post.sent == {}
    monkeypatch.setattr("pwless_middleware.flows.lifetime.INLINE_SECONDS", 6 * SECONDS)
    site.clock.advance(1)
    assert (await site.browser().ask("kim@example.net")).status_code == 303
    async with asyncio.timeout(30):
        while set(post.sent) != {"jo@example.com", "kim@example.net"}:
            await site.browser().ask("lee@example.net")
    await site.passwordless.lifetime.close()
