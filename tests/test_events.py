"""Every kind of event comes out of a real story over HTTP, with the fields that the table says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pwless_middleware import (
    DeliveryError,
    EmailLogin,
    Event,
    Message,
    SendLimits,
    TryLimits,
    User,
)
from pwless_middleware.core.event import KINDS
from pwless_middleware.pytest_plugin.mailbox import Mailbox
from tests.support import ROOMY, Browser, Site, make_site, wrong

pytestmark = pytest.mark.anyio

EMAIL = "jo@example.com"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


class Story:
    """Hold a site whose events are kept, and who visits it."""

    def __init__(self, **options: Any) -> None:
        self.told: list[Event] = []
        options.setdefault("features", [EmailLogin(send_limits=ROOMY)])
        self.site: Site = make_site(on_event=self.told.append, **options)
        self.jo: Browser = self.site.browser(headers={"user-agent": FIREFOX})

    async def events(self) -> list[Event]:
        """Give what has been told by now."""
        await asyncio.sleep(0)
        return self.told

    async def kinds(self) -> list[str]:
        """Give the kinds, in order."""
        return [event.kind for event in await self.events()]

    @property
    def code(self) -> str:
        return self.site.mail().code or ""


class Flaky(Mailbox):
    """Refuse messages as long as there is an error to refuse them with."""

    error: Exception | None = None

    async def send(self, message: Message) -> None:
        if self.error is not None:
            raise self.error
        await super().send(message)


class Table:
    """Be a user table that knows nobody."""

    async def find(self, email: str) -> Any:
        return None

    create = load = find


async def a_login() -> Story:
    story = Story()
    await story.jo.ask(EMAIL)
    await story.jo.type_code(wrong(story.code))
    await story.jo.post("/auth/resend", {})
    await story.jo.type_code(story.code)
    return story


async def a_send_too_many() -> Story:
    few = SendLimits(per_minute=1, client_per_minute=2, overall_per_hour=3)
    story = Story(features=[EmailLogin(send_limits=few)])
    for address, ip in (("a", 1), ("a", 1), ("b", 1), ("c", 1), ("d", 2), ("e", 3)):
        await story.site.browser(ip=f"203.0.113.{ip}").ask(f"{address}@example.com")
    return story


async def a_resend_too_many() -> Story:
    story = Story()
    await story.jo.ask(EMAIL)
    for _ in range(4):
        await story.jo.post("/auth/resend", {})
    return story


async def a_code_too_many() -> Story:
    story = Story(
        features=[
            EmailLogin(
                send_limits=ROOMY, try_limits=TryLimits(client_per_ten_minutes=12), attempts=5
            )
        ]
    )
    for _ in range(3):
        await story.jo.ask(EMAIL)
        for n in range(6):
            await story.jo.type_code(wrong(story.code, n))
    for other in ("a", "b"):
        await story.jo.ask(f"{other}@example.com")
        for n in range(4):
            await story.jo.type_code(wrong(story.code, n))
    return story


async def mails_that_fail() -> Story:
    flaky = Flaky()
    story = Story(mailer=flaky)
    flaky.error = DeliveryError("greylisted")
    await story.jo.ask(EMAIL)
    flaky.error = DeliveryError("no such mailbox", permanent=True)
    story.site.clock.advance(2)
    await story.site.browser().ask("other@example.com")
    flaky.error = None
    return story


async def mails_too_late() -> Story:
    flaky = Flaky()
    story = Story(mailer=flaky)
    flaky.error = DeliveryError("greylisted")
    await story.jo.ask(EMAIL)
    story.site.clock.advance(301)
    await story.site.browser().ask("other@example.com")
    return story


async def nobody_to_serve() -> Story:
    story = Story(users=Table(), features=[EmailLogin(signup=False, allow=["*@example.com"])])
    await story.jo.ask(EMAIL)
    await story.jo.ask("jo@elsewhere.example")
    return story


async def a_user_table_that_refuses() -> Story:
    class Confused(Table):
        async def find(self, email: str) -> Any:
            return User(id="u-1", email="other@example.com")

    story = Story(users=Confused())
    await story.jo.ask(EMAIL)
    return story


async def a_mail_that_is_not_needed() -> Story:
    flaky = Flaky()
    story = Story(mailer=flaky, features=[EmailLogin(send_limits=ROOMY, rotate_on_resend=True)])
    flaky.error = DeliveryError("greylisted")
    await story.jo.ask(EMAIL)
    flaky.error = None
    story.site.clock.advance(2)
    await story.jo.post("/auth/resend", {})
    return story


async def a_link_elsewhere() -> Story:
    story = Story()
    await story.jo.ask(EMAIL)
    link = story.site.mail().link or ""
    phone = story.site.browser(headers={"user-agent": FIREFOX, "accept": "text/html"})
    await phone.get(link)
    scanner = story.site.browser(headers={"user-agent": FIREFOX, "accept": "*/*"})
    await scanner.get(link)
    return story


async def a_code_too_late() -> Story:
    story = Story()
    await story.jo.ask(EMAIL)
    code = story.code
    story.site.clock.advance(301)
    await story.jo.type_code(code)
    await story.jo.post("/auth/link", {"link_token": "a" * 96})
    return story


async def strange_calls() -> Story:
    story = Story()
    foreign = {"origin": "https://evil.example", "user-agent": FIREFOX}
    await story.jo.call("send", {"email": EMAIL}, headers=foreign)
    key = {"authorization": "Bearer pwk_" + "x" * 24, "user-agent": FIREFOX}
    await story.jo.call("send", {"email": EMAIL}, headers=key)
    return story


STORIES: list[Callable[[], Awaitable[Story]]] = [
    a_login,
    a_send_too_many,
    a_resend_too_many,
    a_code_too_many,
    mails_that_fail,
    mails_too_late,
    nobody_to_serve,
    a_user_table_that_refuses,
    a_mail_that_is_not_needed,
    a_link_elsewhere,
    a_code_too_late,
    strange_calls,
]


async def test_every_kind_and_reason_happens_with_the_fields_of_the_table() -> None:
    fields: dict[str, set[str]] = {kind: set() for kind in KINDS}
    reasons: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for tell in STORIES:
        for event in await (await tell()).events():
            told = event.to_dict()
            assert list(told)[:2] == ["at", "kind"]
            fields[event.kind] |= told.keys() - {"at", "kind"}
            if event.reason is not None:
                reasons[event.kind].add(event.reason)
    for name, kind in KINDS.items():
        assert fields[name] == set(kind.fields), name
        if kind.reasons:
            assert reasons[name] == set(kind.reasons), name


async def test_a_form_of_a_foreign_page_is_refused_and_recorded() -> None:
    story = Story()
    await story.jo.post("/auth/login", {"email": EMAIL}, headers={"origin": "https://evil.example"})
    (event,) = await story.events()
    assert (event.kind, event.reason) == ("caller.refused", "foreign_origin")


async def test_a_login_is_one_story() -> None:
    """From the email to the session, `attempt` is the same; another login has another."""
    story = await a_login()
    events = await story.events()
    assert [event.kind for event in events] == [
        "send.requested",
        "mail.sent",
        "code.wrong",
        "resend.requested",
        "mail.sent",
    ]
    assert len({event.attempt for event in events}) == 1
    assert {event.at for event in events} == {story.site.clock.now}
    await story.site.browser().ask(EMAIL)
    assert (await story.events())[-1].attempt != events[0].attempt
    assert (await story.events())[-2].address == events[0].address
