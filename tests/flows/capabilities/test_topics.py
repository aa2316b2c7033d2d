"""Jobs reach the feature whose topic they have; what nobody can read is told in the end."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

from pwless_middleware import ConfigError, EmailLogin, Kit, Mounted
from pwless_middleware.delivery.base import Message
from pwless_middleware.delivery.queue.outcomes import Outcome
from pwless_middleware.errors import QueueFull
from pwless_middleware.flows.capabilities.topics import LONGEST, QueuedJob
from pwless_middleware.stores.memory import MemoryStore
from tests.support import KEY, OTHER_KEY, Clock, Site, make_site

pytestmark = pytest.mark.anyio


class Reports:
    """A feature that has something to do later."""

    def __init__(self, topic: str = "reports") -> None:
        self.topic = topic
        self.read: list[QueuedJob] = []
        self.problems: list[Exception] = []

    def mount(self, kit: Kit) -> Mounted:
        self.kit = kit
        return Mounted(jobs={self.topic: self._read})

    async def _read(self, job: QueuedJob) -> Outcome:
        if self.problems:
            raise self.problems.pop()
        self.read.append(job)
        return Outcome.DONE


class Post:
    """A mailer that leaves the delivery to the worker."""

    async def send(self, message: Message) -> None:
        raise AssertionError("no mail is sent here")


class Sync(Reports):
    """Another one."""


def site_of(*features: object, store: MemoryStore, clock: Clock, **options: Any) -> Site:
    """Make one process of several that share a store; its worker runs when the test says."""
    site = make_site(features=features, store=store, clock=clock, mailer=Post(), **options)
    site.passwordless.lifetime.start = lambda: None  # type: ignore[method-assign]
    return site


def waiting(site: Site) -> int:
    assert isinstance(site.store, MemoryStore)
    return len(site.store.jobs)


async def test_a_job_is_read_by_the_feature_that_put_it_and_by_no_other() -> None:
    reports, sync = Reports(), Sync("sync")
    site = make_site(features=[EmailLogin(), reports, sync])
    await reports.kit.jobs.put("reports", b"weekly", ttl=60)
    assert [(job.body, job.until) for job in reports.read] == [(b"weekly", site.clock.now + 60)]
    await site.browser().ask("jo@example.com")
    assert site.mail().code is not None
    assert len(reports.read) == 1
    assert sync.read == []
    assert waiting(site) == 0


def test_two_features_with_one_topic_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="Reports and Sync both read the jobs of topic 'reports'"):
        make_site(features=[Reports(), Sync()])
    with pytest.raises(ConfigError, match=r"EmailLogin and Reports both .* 'mail'"):
        make_site(features=[EmailLogin(), Reports("mail")])


@pytest.mark.parametrize("topic", ["", "Mail", "a b", "é", "1a", "x" * 33, 5, b"mail"])
def test_what_is_no_topic_is_refused_with_its_feature(topic: str) -> None:
    with pytest.raises(ConfigError, match="Reports mounts jobs of"):
        make_site(features=[Reports(topic)])


async def test_a_feature_queues_nothing_for_another_one() -> None:
    reports = Reports()
    site = make_site(features=[EmailLogin(), reports])
    for topic in ("mail", "unknown"):
        with pytest.raises(ConfigError, match=f"Reports mounts no jobs of topic '{topic}'"):
            await reports.kit.jobs.put(topic, b"")
    for ttl in (0, LONGEST + 1):
        with pytest.raises(ValueError, match="ttl"):
            await reports.kit.jobs.put("reports", b"", ttl=ttl)
    assert waiting(site) == 0


async def test_a_full_queue_is_told() -> None:
    reports = Reports()
    site_of(reports, store=MemoryStore(max_jobs=1), clock=Clock())
    await reports.kit.jobs.put("reports", b"one")
    with pytest.raises(QueueFull):
        await reports.kit.jobs.put("reports", b"two")


async def test_a_job_that_fails_is_tried_again() -> None:
    reports, clock = Reports(), Clock()
    site = site_of(reports, store=MemoryStore(), clock=clock)
    reports.problems = [OSError("not now")]
    await reports.kit.jobs.put("reports", b"weekly")
    await site.passwordless.deliveries.run_due()
    assert reports.read == []
    clock.advance(2)
    await site.passwordless.deliveries.run_due()
    assert [job.body for job in reports.read] == [b"weekly"]


@pytest.mark.parametrize("lacks", ["feature", "key"])
async def test_a_job_is_left_to_the_process_that_can_read_it(lacks: str) -> None:
    store, clock, reports, elsewhere = MemoryStore(), Clock(), Reports(), Reports()
    one = site_of(reports, store=store, clock=clock, secret_key=KEY)
    other = site_of(
        *([EmailLogin()] if lacks == "feature" else [elsewhere]),
        store=store,
        clock=clock,
        secret_key=OTHER_KEY if lacks == "key" else KEY,
    )
    await reports.kit.jobs.put("reports", b"weekly", ttl=60)
    await other.passwordless.deliveries.run_due()
    assert elsewhere.read == []
    assert waiting(one) == 1
    clock.advance(1)
    await one.passwordless.deliveries.run_due()
    assert [job.body for job in reports.read] == [b"weekly"]


async def test_a_job_that_nobody_could_read_is_told_when_its_time_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, clock, reports = MemoryStore(), Clock(), Reports()
    site_of(reports, store=store, clock=clock)
    left = site_of(EmailLogin(), store=store, clock=clock)
    await reports.kit.jobs.put("reports", b"weekly", ttl=60)
    clock.advance(59)
    await left.passwordless.deliveries.run_due()
    assert caplog.records == []
    clock.advance(1)
    await left.passwordless.deliveries.run_due()
    assert waiting(left) == 0
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "topic 'reports' was dropped" in record.getMessage()


@pytest.mark.parametrize("at", [0, 1, 8, 20, 24, 26, 30], ids=str)
async def test_a_job_that_was_changed_in_the_store_is_read_by_nobody(at: int) -> None:
    store, clock, reports = MemoryStore(), Clock(), Reports()
    site = site_of(reports, store=store, clock=clock)
    await reports.kit.jobs.put("reports", b"abc", ttl=60)
    (job,) = await store.jobs.claim(now=clock.now, limit=9)
    await store.jobs.complete(job)
    changed = bytearray(job.payload)
    assert len(changed) == 1 + 7 + 16 + 3 + 4
    changed[at] ^= 1
    store.jobs.add(bytes(changed), now=clock.now)
    await site.passwordless.deliveries.run_due()
    clock.advance(LONGEST + 1)
    await site.passwordless.deliveries.run_due()
    assert reports.read == []
    assert waiting(site) == 0


async def test_a_job_of_one_topic_is_none_of_another(caplog: pytest.LogCaptureFixture) -> None:
    store, clock, reports, sync = MemoryStore(), Clock(), Reports("one"), Sync("two")
    site = site_of(reports, sync, store=store, clock=clock)
    await reports.kit.jobs.put("one", b"abc", ttl=60)
    (job,) = await store.jobs.claim(now=clock.now, limit=9)
    store.jobs.add(job.payload.replace(b"one", b"two"), now=clock.now)
    clock.advance(61)
    await site.passwordless.deliveries.run_due()
    assert sync.read == []


@pytest.mark.parametrize(
    "payload", [b"", b"\x00", b"\xff", b"\x05ab", b"\x02\r\nxxxx", b"\x01\xff"]
)
async def test_noise_in_the_queue_leaves_it_and_forges_no_log_line(
    payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    store, clock = MemoryStore(), Clock()
    site = site_of(Reports(), store=store, clock=clock)
    store.jobs.add(payload, now=clock.now)
    await site.passwordless.deliveries.run_due()
    assert waiting(site) == 0
    (record,) = caplog.records
    assert re.fullmatch(r"a job of topic '[a-z?]+' was dropped: [a-z ,]+", record.getMessage())
