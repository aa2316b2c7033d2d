"""Text messages in the delivery queue: places, health, events and log lines of their own.

What may have been taken is not handed over for ever: it costs (security rule 47).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from pwless_middleware.core.events.event import EventFields
from pwless_middleware.delivery.base import MaybeDelivered, RecipientDeferred, RecipientRefused
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.delivery.queue.queue import Deliveries
from pwless_middleware.delivery.queue.tries import Pace
from pwless_middleware.errors import DeliveryError
from pwless_middleware.pytest_plugin.clock import Clock
from pwless_middleware.stores.memory_jobs import MemoryJobs

pytestmark = pytest.mark.anyio

JO, MAIL = "+4915112345678", "jo@example.com"


class Way:
    """A `deliver` whose payload is whom to: numbers get text messages, addresses mails.

    Mails go out; what becomes of the text messages is `sms`'s to say.
    """

    def __init__(self, sms: Callable[[], Awaitable[None]]) -> None:
        self.sms = sms
        self.begun: list[str] = []
        self.sent: list[str] = []

    async def __call__(self, payload: bytes) -> Outcome | Delivery:
        to = payload.decode()
        if to == "expired":
            return Outcome.TEXT_EXPIRED
        if to == "superseded":
            return Delivery(JO, None, b"12345678", "superseded", channel="sms")

        async def send() -> None:
            self.begun.append(to)
            if to.startswith("+"):
                await self.sms()
            self.sent.append(to)

        return Delivery(to, send, b"12345678", channel="sms" if to[0] == "+" else "mail")


class Told:
    """Keep what is recorded."""

    def __init__(self) -> None:
        self.events: list[tuple[str, EventFields]] = []

    def __call__(self, kind: str, caller: object = None, /, **given: object) -> None:
        self.events.append((kind, given))  # type: ignore[arg-type] # the recorder's own fields

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.events]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(clock: Clock) -> MemoryJobs:
    return MemoryJobs(most=1000)


def failing(error: Exception) -> Callable[[], Awaitable[None]]:
    async def fail() -> None:
        raise error

    return fail


async def nothing() -> None:
    pass


@contextlib.asynccontextmanager
async def running(deliveries: Deliveries) -> AsyncIterator[None]:
    task = asyncio.create_task(deliveries.run())
    try:
        async with asyncio.timeout(30):
            yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 # the worker is another task of this loop
        await asyncio.sleep(0)


# Events and log lines


@pytest.mark.parametrize(
    ("to", "error", "kind", "given"),
    [
        (JO, None, "sms.sent", {"tries": 1}),
        (JO, DeliveryError("down"), "sms.deferred", {"reason": "down", "wait": 1, "tries": 1}),
        (JO, DeliveryError("no", permanent=True), "sms.failed", {"reason": "no", "tries": 1}),
        ("superseded", None, "sms.suppressed", {"reason": "superseded"}),
        (MAIL, None, "mail.sent", {"tries": 1}),
    ],
)
async def test_each_end_of_a_text_message_is_an_event_of_its_channel(
    jobs: MemoryJobs,
    clock: Clock,
    to: str,
    error: Exception | None,
    kind: str,
    given: dict[str, object],
) -> None:
    told = Told()
    way = Way(nothing if error is None else failing(error))
    jobs.add(to.encode(), now=clock.now)
    clock.advance(3)
    await Deliveries(
        jobs,
        way,
        clock=clock,
        pace=Pace(jitter=lambda: 0.5),
        record=told,
        server_on=lambda channel: f"{channel}.acme.example",
    ).run_due()

    if not kind.endswith("suppressed"):
        server = f"{kind.partition('.')[0]}.acme.example"
        given = {**given, "details": {"server": server, "seconds": 3}}
    assert told.events == [(kind, {"attempt": b"12345678", **given})]


@pytest.mark.parametrize(
    ("to", "error", "event"),
    [
        (JO, DeliveryError("down"), "sms_delayed"),
        (JO, DeliveryError("no", permanent=True), "sms_not_delivered"),
        (JO, ValueError(JO), "sms_try_crashed"),
        ("expired", None, "sms_not_delivered"),
    ],
)
async def test_log_lines_name_the_channel_and_no_number(
    jobs: MemoryJobs,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    to: str,
    error: Exception | None,
    event: str,
) -> None:
    caplog.set_level("DEBUG", "pwless.delivery")
    jobs.add(to.encode(), now=clock.now)
    way = Way(nothing if error is None else failing(error))
    await Deliveries(jobs, way, clock=clock).run_due()

    assert vars(caplog.records[0])["event"] == event
    assert JO not in f"{[vars(record) for record in caplog.records]}{caplog.text}"


@pytest.mark.parametrize("permanent", [False, True])
@pytest.mark.parametrize("quoted", [JO, JO[1:], "+49 151 1234-5678", "123456 is your code", MAIL])
async def test_what_a_sender_of_the_host_quotes_is_told_to_nobody(
    jobs: MemoryJobs,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    quoted: str,
    permanent: bool,
) -> None:
    caplog.set_level("DEBUG", "pwless.delivery")
    told = Told()
    error = DeliveryError(f"error 30007: cannot send {quoted!r}", permanent=permanent)
    jobs.add(JO.encode(), now=clock.now)
    await Deliveries(jobs, Way(failing(error)), clock=clock, record=told).run_due()

    (event,) = told.events
    buried = [job.reason for job in jobs.dead]
    reasons = [event[1]["reason"], vars(caplog.records[0])["reason"], *buried]
    assert len(reasons) == 2 + permanent
    assert all(str(reason).startswith("error 30007: cannot send") for reason in reasons)
    assert not [reason for reason in reasons if quoted in str(reason) or "123456" in str(reason)]
    assert quoted not in caplog.text


async def test_a_text_message_that_is_not_needed_any_more_takes_no_turn_and_no_time(
    jobs: MemoryJobs, clock: Clock
) -> None:
    """Whoever waits for one is known to be somebody: there is nothing to hide."""
    jobs.add(b"superseded", now=clock.now)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await Deliveries(jobs, Way(nothing), clock=clock, pace=Pace(usual=60)).run_due()

    assert loop.time() - begun < 30
    assert len(jobs) == 0


@pytest.mark.parametrize("is_late", [False, True])
async def test_a_gateway_that_takes_text_messages_and_does_not_answer_gets_each_three_times(
    jobs: MemoryJobs, clock: Clock, is_late: bool
) -> None:
    """It may send, and bill, each of them, for the five minutes that a code is good."""
    told = Told()

    async def take() -> None:
        if is_late:
            await asyncio.Event().wait()
        raise MaybeDelivered("no answer")

    way = Way(take)
    jobs.add(JO.encode(), now=clock.now)
    pace = Pace(deadline=0.01)
    deliveries = Deliveries(jobs, way, clock=clock, pace=pace, record=told)
    for _ in range(300):
        clock.advance(1)
        await deliveries.run_due()

    assert way.begun == [JO] * 3
    assert told.kinds == ["sms.deferred", "sms.deferred", "sms.failed"]
    assert deliveries.are_texts_failing
    assert len(jobs) == 0


async def test_a_slow_gateway_is_not_handed_a_text_message_by_every_request(
    jobs: MemoryJobs, clock: Clock
) -> None:
    """Each request delivers for a while (`delivery="inline"`), and anybody can make many."""

    async def take() -> None:
        await asyncio.Event().wait()

    way = Way(take)
    jobs.add(JO.encode(), now=clock.now)
    told = Told()
    deliveries = Deliveries(jobs, way, clock=clock, record=told)
    for _ in range(8):
        jobs.add(MAIL.encode(), now=clock.now)
        await deliveries.run_for(0.02)
        clock.advance(5)

    assert way.begun.count(JO) == 3
    assert way.sent == [MAIL] * 8
    assert told.kinds.count("sms.failed") == 1
    assert len(jobs) == 0


async def test_a_mail_that_may_have_been_taken_is_tried_as_long_as_it_is_good(
    jobs: MemoryJobs, clock: Clock
) -> None:
    tries = 0

    async def deliver(payload: bytes) -> Delivery:
        return Delivery(MAIL, fail)

    async def fail() -> None:
        nonlocal tries
        tries += 1
        raise MaybeDelivered("no answer")

    jobs.add(b"", now=clock.now)
    deliveries = Deliveries(jobs, deliver, clock=clock)
    for _ in range(300):
        clock.advance(1)
        await deliveries.run_due()
    assert tries > 5


# Health


async def test_a_gateway_that_is_down_does_not_make_mail_look_down(
    jobs: MemoryJobs, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "pwless.delivery")
    way = Way(failing(DeliveryError("down")))
    deliveries = Deliveries(jobs, way, clock=clock)
    for _ in range(3):
        jobs.add(JO.encode(), now=clock.now)
        await deliveries.run_due()
    assert deliveries.are_texts_failing
    assert not deliveries.is_failing

    jobs.add(MAIL.encode(), now=clock.now)
    await deliveries.run_due()
    assert deliveries.are_texts_failing  # a mail that goes out says nothing about the gateway

    way.sms = nothing
    clock.advance(100)
    await deliveries.run_due()
    assert not deliveries.are_texts_failing
    assert len(jobs) == 0
    assert "sms_recovered" in [vars(record)["event"] for record in caplog.records]


async def test_a_mail_server_that_is_down_does_not_make_the_gateway_look_down(
    jobs: MemoryJobs, clock: Clock
) -> None:
    async def deliver(payload: bytes) -> Delivery:
        return Delivery(MAIL, failing(DeliveryError("down")))

    deliveries = Deliveries(jobs, deliver, clock=clock)
    for _ in range(3):
        jobs.add(b"", now=clock.now)
        await deliveries.run_due()

    assert deliveries.is_failing
    assert not deliveries.are_texts_failing


async def test_a_number_that_is_not_had_now_is_no_outage(jobs: MemoryJobs, clock: Clock) -> None:
    deliveries = Deliveries(jobs, Way(failing(RecipientDeferred("queue full"))), clock=clock)
    for _ in range(5):
        jobs.add(JO.encode(), now=clock.now)
        await deliveries.run_due()
    assert not deliveries.are_texts_failing


@pytest.mark.parametrize(
    ("error", "is_failing"),
    [
        (RecipientRefused("error 21211"), False),
        (DeliveryError("error 21606", permanent=True), True),
    ],
)
async def test_a_gateway_that_refuses_all_for_good_is_an_outage_and_wrong_numbers_are_none(
    jobs: MemoryJobs, clock: Clock, error: Exception, is_failing: bool
) -> None:
    """A sender's name that is not registered, or an account that may not send, spoils each."""
    deliveries = Deliveries(jobs, Way(failing(error)), clock=clock)
    for _ in range(3):
        jobs.add(JO.encode(), now=clock.now)
        await deliveries.run_due()
    assert deliveries.are_texts_failing is is_failing
    assert len(jobs) == 0
    assert deliveries.last_error_at == clock.now


@pytest.mark.parametrize(("asked", "wait"), [(None, 1), (0, 1), (17, 17), (86_400, 60)])
async def test_the_next_try_waits_as_long_as_the_gateway_asks_for_up_to_a_minute(
    jobs: MemoryJobs, clock: Clock, asked: int | None, wait: int
) -> None:
    told = Told()
    way = Way(failing(DeliveryError("429", retry_after=asked)))
    jobs.add(JO.encode(), now=clock.now)
    await Deliveries(jobs, way, clock=clock, pace=Pace(jitter=lambda: 0.5), record=told).run_due()

    assert told.events[0][1]["wait"] == wait


# Places


async def test_text_messages_that_hang_delay_no_mail(jobs: MemoryJobs, clock: Clock) -> None:
    gate = asyncio.Event()

    async def hang() -> None:
        await gate.wait()

    way = Way(hang)
    for n in range(60):
        jobs.add(f"+49151{n:08}".encode(), now=clock.now)
    for n in range(20):
        jobs.add(f"jo{n}@d{n}.example".encode(), now=clock.now)
    deliveries = Deliveries(jobs, way, clock=clock, parallel=2, parallel_texts=lambda: 3)
    async with running(deliveries):
        await until(lambda: len(way.sent) == 20)
        assert len([to for to in way.begun if to.startswith("+")]) == 3
        gate.set()
        clock.advance(30)
        await until(lambda: len(way.sent) == 80)


@pytest.mark.parametrize("ahead", [0, 100])
async def test_mails_that_hang_delay_no_text_message(
    jobs: MemoryJobs, clock: Clock, ahead: int
) -> None:
    """Neither those that have the places nor those that stand before it in the queue."""
    gate = asyncio.Event()
    texts: list[str] = []
    mails: list[str] = []

    async def deliver(payload: bytes) -> Delivery:
        to = payload.decode()

        async def send() -> None:
            if to.startswith("+"):
                texts.append(to)
            else:
                mails.append(to)
                await gate.wait()

        return Delivery(to, send, channel="sms" if to.startswith("+") else "mail")

    for n in range(4):
        jobs.add(f"jo@d{n}.example".encode(), now=clock.now)
    deliveries = Deliveries(jobs, deliver, clock=clock, parallel=4, parallel_texts=lambda: 3)
    async with running(deliveries):
        await until(lambda: len(mails) == 4)
        for n in range(ahead):
            jobs.add(f"jo@e{n}.example".encode(), now=clock.now)
        jobs.add(JO.encode(), now=clock.now)
        await until(lambda: texts == [JO])
        gate.set()


async def test_so_many_text_messages_go_out_at_a_time_and_no_more(
    jobs: MemoryJobs, clock: Clock
) -> None:
    now = most = 0

    async def count() -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1

    for n in range(30):
        jobs.add(f"+49151{n:08}".encode(), now=clock.now)
    way = Way(count)
    await Deliveries(jobs, way, clock=clock, parallel_texts=lambda: 5).run_due()

    assert len(way.sent) == 30
    assert most == 5
