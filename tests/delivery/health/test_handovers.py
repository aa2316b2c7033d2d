"""Events name the server that took a message, and health knows how each one does."""

from __future__ import annotations

import asyncio

import pytest

from pwless_middleware.core.events.event import EventFields
from pwless_middleware.delivery.base import (
    Mailer,
    Message,
    RecipientDeferred,
    RecipientRefused,
)
from pwless_middleware.delivery.fallback import FallbackMailer
from pwless_middleware.delivery.health.handovers import MOST_CHARACTERS, server_of
from pwless_middleware.delivery.health.server_health import ServerHealth
from pwless_middleware.delivery.outbox import Outbox
from pwless_middleware.delivery.queue.outcomes import Delivery
from pwless_middleware.delivery.queue.queue import Deliveries
from pwless_middleware.delivery.queue.tries import Pace
from pwless_middleware.delivery.smtp.mailer import SMTPMailer
from pwless_middleware.delivery.texts.fallback import FallbackTexts
from pwless_middleware.delivery.texts.outbox import TextOutbox
from pwless_middleware.delivery.texts.senders import TextSenders
from pwless_middleware.delivery.texts.twilio import TwilioTexts
from pwless_middleware.errors import DeliveryError
from pwless_middleware.pytest_plugin.clock import Clock
from pwless_middleware.stores.memory_jobs import MemoryJobs

pytestmark = pytest.mark.anyio

JO = "jo@example.org"


class Relay:
    """A mailer of the host's own, with a name, that fails as it is told to."""

    def __init__(self, server: str, error: Exception | None = None, *, hangs: bool = False) -> None:
        self.server = server
        self.error = error
        self.hangs = hangs

    async def send(self, message: Message) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error


class Post:
    """Mails that wait, sent through one mailer; what is recorded is kept."""

    def __init__(self, mailer: Mailer, *, deadline: float = 45) -> None:
        self.clock = Clock()
        self.jobs = MemoryJobs(most=100)
        self.mailer = mailer
        self.told: list[tuple[str, EventFields]] = []
        self.deliveries = Deliveries(
            self.jobs,
            self._read,
            clock=self.clock,
            pace=Pace(deadline=deadline, jitter=lambda: 0.5),
            record=self._record,
            server_on=lambda channel: server_of(mailer),
        )

    async def _read(self, payload: bytes) -> Delivery:
        return Delivery(JO, lambda: self.mailer.send(Message(JO, "s", "t", "h")))

    def _record(self, kind: str, caller: object = None, /, **given: object) -> None:
        self.told.append((kind, given))  # type: ignore[arg-type] # the recorder's own fields

    async def send(self, *, after: int = 0) -> None:
        self.jobs.add(b"", now=self.clock.now)
        self.clock.advance(after)
        await self.deliveries.run_due()

    @property
    def last(self) -> tuple[str, object, object]:
        kind, given = self.told[-1]
        details = given["details"] or {}
        return kind, details.get("server"), details.get("seconds")

    def health(self, server: str) -> ServerHealth:
        (found,) = [each for each in self.deliveries.servers.all() if each.server == server]
        return found


DOWN = DeliveryError("the server cannot be reached")


async def test_the_one_that_took_it_is_named_and_how_long_it_took() -> None:
    post = Post(Relay("relay.acme.example:25"))
    await post.send(after=7)
    assert post.last == ("mail.sent", "relay.acme.example:25", 7)
    assert post.health("relay.acme.example:25") == ServerHealth(
        "relay.acme.example:25", "mail", taken=1, taken_at=post.clock.now
    )


async def test_of_two_the_second_is_named_and_the_first_is_known_to_fail() -> None:
    post = Post(FallbackMailer(Relay("one", DOWN), Relay("two")))
    begun = post.clock.now
    for _ in range(3):
        await post.send(after=1)
    assert post.last == ("mail.sent", "two", 1)
    assert not post.deliveries.is_failing
    one, two = post.health("one"), post.health("two")
    assert (one.taken, one.refused, one.failing_since, one.is_down) == (0, 3, begun + 1, True)
    assert (one.error, one.error_at) == ("the server cannot be reached", begun + 3)
    assert (two.taken, two.refused, two.is_down) == (3, 0, False)


async def test_one_behind_the_other_is_named_however_deep() -> None:
    inner = FallbackMailer(Relay("two", ValueError("jo@example.org 123456")), Relay("three"))
    post = Post(FallbackMailer(Relay("one", DOWN), inner))
    await post.send()
    assert post.last == ("mail.sent", "three", 0)
    assert [each.server for each in post.deliveries.servers.all()] == ["one", "three", "two"]
    assert post.health("two").error == "ValueError", "the text of a foreign exception is not told"


@pytest.mark.parametrize(
    ("error", "kind", "failures"),
    [
        (DOWN, "mail.deferred", 1),
        (DeliveryError("554 suspended", permanent=True), "mail.failed", 1),
        (RecipientRefused("550"), "mail.failed", 0),
        (RecipientDeferred("451 greylisted"), "mail.deferred", 0),
        (RuntimeError(), "mail.deferred", 1),
    ],
)
async def test_what_was_not_taken_names_the_server_and_who_is_at_fault(
    error: Exception, kind: str, failures: int
) -> None:
    post = Post(Relay("one", error))
    await post.send(after=2)
    assert post.last == (kind, "one", 2)
    one = post.health("one")
    assert (one.refused, one.failures, one.failing_since is not None) == (
        1,
        failures,
        failures == 1,
    )


async def test_one_that_takes_mail_again_does_well_again() -> None:
    relay = Relay("one", DOWN)
    post = Post(relay)
    for _ in range(3):
        await post.send(after=1)
    assert post.health("one").is_down
    relay.error = None
    await post.send(after=60)
    one = post.health("one")
    assert (one.is_down, one.failing_since, one.failures) == (False, None, 0)
    assert one.error, "what it said last is still known"


async def test_one_that_never_ends_is_at_fault() -> None:
    post = Post(FallbackMailer(Relay("one", DOWN), Relay("two", hangs=True)), deadline=0.01)
    await post.send()
    assert post.last == ("mail.deferred", "two", 0)
    two = post.health("two")
    assert (two.refused, two.error) == (1, "no end after 0.01 s")


async def test_a_process_that_ends_says_nothing_about_a_server() -> None:
    post = Post(Relay("one", hangs=True))
    post.jobs.add(b"", now=post.clock.now)
    task = asyncio.create_task(post.deliveries.run())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert post.deliveries.servers.all() == ()


async def test_what_says_its_number_in_an_error_is_not_repeated() -> None:
    post = Post(Relay("one", DeliveryError("no mailbox jo@example.org at https://a.example/?t=1")))
    await post.send()
    assert post.health("one").error == "no mailbox … at …"


async def test_a_name_that_is_new_each_time_does_not_fill_the_memory() -> None:
    relay = Relay("")
    post = Post(relay)
    for number in range(60):
        relay.server = f"relay-{number}"
        await post.send()
    known = post.deliveries.servers.all()
    assert len(known) == 50
    assert "relay-59" in {each.server for each in known}


def test_each_sender_has_a_name_without_a_secret() -> None:
    smtp = SMTPMailer("smtp://user:secret@mail.acme.example:2525", sender="a@acme.example")
    assert server_of(smtp) == "mail.acme.example:2525"
    local = SMTPMailer("smtp://[::1]:25", sender="a@acme.example")
    assert server_of(local) == "[::1]:25"
    twilio = TwilioTexts(account_sid="AC" + "0" * 32, auth_token="token", sender="+15005550006")
    assert server_of(twilio) == "Twilio"
    assert server_of(Outbox()) == "Outbox"
    assert server_of(Relay("x" * 500)) == "x" * MOST_CHARACTERS
    assert server_of(Relay("")) == "Relay"


def test_several_senders_of_text_messages_have_no_name_together() -> None:
    senders = TextSenders()
    assert senders.server == ""
    senders.add(TextOutbox())
    assert senders.server == "TextOutbox"
    senders.add(FallbackTexts(TextOutbox(), TextOutbox()))
    assert senders.server == ""
