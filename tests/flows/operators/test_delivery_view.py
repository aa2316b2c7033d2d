"""What features see of delivery: how much waits, and since when nothing goes out."""

from __future__ import annotations

import asyncio

import pytest

from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.storage.job import JobCount
from pwless_middleware.delivery.outbox import Outbox
from pwless_middleware.delivery.queue.outcomes import Delivery
from pwless_middleware.delivery.queue.queue import Deliveries
from pwless_middleware.delivery.texts.outbox import TextOutbox
from pwless_middleware.delivery.texts.senders import TextSenders
from pwless_middleware.errors import DeliveryError, StoreTimeout
from pwless_middleware.flows.capabilities.topics import Topics
from pwless_middleware.flows.operators import delivery_view
from pwless_middleware.flows.operators.delivery_view import DeliveryView
from pwless_middleware.pytest_plugin.clock import Clock
from pwless_middleware.stores.base import Writes
from pwless_middleware.stores.memory_jobs import MemoryJobs
from tests.support import KEY, Site, make_site

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Hanging(MemoryJobs):
    """A queue that does not answer."""

    async def count(self, *, now: int) -> JobCount:
        await asyncio.sleep(60)
        raise AssertionError


def view(
    jobs: MemoryJobs, clock: Clock, *, senders: TextSenders | None = None
) -> tuple[DeliveryView, Deliveries]:
    async def fail() -> None:
        raise DeliveryError("no")

    async def deliver(payload: bytes) -> Delivery:
        return Delivery("+4915112345678", fail, channel="sms")

    deliveries = Deliveries(jobs, deliver, clock=clock)
    topics = Topics(Keyring(KEY, realm=""), clock)
    seen = DeliveryView(jobs, deliveries, Outbox(), senders or TextSenders(), topics, clock)
    return seen, deliveries


async def test_text_messages_never_fail_where_nobody_sends_any(clock: Clock) -> None:
    jobs, senders = MemoryJobs(most=9), TextSenders()
    seen, deliveries = view(jobs, clock, senders=senders)
    begun = clock.now
    for _ in range(3):
        jobs.add(b"", now=clock.now)
        clock.now += 60
        await deliveries.run_due()
    assert seen.down_since("sms") is None
    senders.add(TextOutbox())
    assert seen.down_since("sms") == begun + 60
    assert seen.down_since() is seen.queue_down_since is None


async def test_a_queue_that_does_not_answer_keeps_nobody_for_more_than_a_second(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_view, "SECONDS", 0.01)
    seen, _ = view(Hanging(most=9), clock)
    with pytest.raises(StoreTimeout):
        await seen.count()


async def test_the_kit_counts_what_waits() -> None:
    site: Site = make_site()
    await site.store.write(Writes(jobs=(b"",)), now=site.clock.now, op="1")
    assert await site.passwordless._kit.delivery.count() == JobCount(1, 1, 0, site.clock.now)
