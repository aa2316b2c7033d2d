"""The worker: every outcome, back-off, outages of store and mail server, shutdown; nothing lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from pwless_middleware.core.storage.job import CLAIM_SECONDS, Job, WorkerJobs
from pwless_middleware.delivery.base import RecipientDeferred
from pwless_middleware.delivery.health.queue_health import QueueHealth
from pwless_middleware.delivery.queue import tries as one_try
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.delivery.queue.queue import Deliveries
from pwless_middleware.delivery.queue.tries import DELIVERY_SECONDS, LONGEST_HOLD, Pace
from pwless_middleware.delivery.queue.turns import PATIENCE, WAITING
from pwless_middleware.errors import DeliveryError, StoreError
from pwless_middleware.pytest_plugin.clock import Clock
from pwless_middleware.stores.memory_jobs import MemoryJobs
from tests.support import holds

pytestmark = pytest.mark.anyio

SECRET = b"ann@example.org 123456 https://a.example/link?link_token=t"


class ListJobs:
    """The promises of `core.storage.job.WorkerJobs` over two lists, with an outage to switch on."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.due: list[tuple[int, Job]] = []
        self.claimed: list[tuple[int, Job]] = []
        self.dead: list[tuple[Job, str]] = []
        self.outage: Exception | None = None
        self.outage_calls = 0
        self.changed = asyncio.Event()

    def put(self, payload: bytes = SECRET, *, tries: int = 0) -> None:
        self.due.append((self.clock.now, Job(f"{len(self.due)}", payload, tries)))
        self.changed.set()

    def _reach(self) -> None:
        if self.outage is not None:
            self.outage_calls += 1
            raise self.outage

    def _settle(self, job: Job) -> None:
        self._reach()
        self.claimed = [kept for kept in self.claimed if kept[1].id != job.id]
        self.changed.set()

    async def claim(self, *, now: int, limit: int) -> Sequence[Job]:
        self._reach()
        lapsed = [job for until, job in self.claimed if until <= now]
        self.claimed = [kept for kept in self.claimed if kept[0] > now]
        self.due += [(now, job) for job in lapsed]
        ready = [entry for entry in self.due if entry[0] <= now][:limit]
        self.due = [entry for entry in self.due if entry not in ready]
        self.claimed += [(now + CLAIM_SECONDS, job) for _, job in ready]
        self.changed.clear()
        return [job for _, job in ready]

    async def complete(self, job: Job) -> None:
        self._settle(job)

    async def retry(self, job: Job, *, at: int, reason: str = "") -> None:
        self._settle(job)
        again = replace(job, tries=job.tries + 1, reason=reason)
        self.due.append((at, again))

    async def bury(self, job: Job, *, reason: str, at: int) -> None:
        self._settle(job)
        self.dead.append((job, reason))

    async def wait(self, *, timeout: float) -> None:  # noqa: ASYNC109 # the protocol's
        self._reach()
        await self.changed.wait()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(clock: Clock) -> ListJobs:
    return ListJobs(clock)


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "pwless.delivery")
    return caplog


def events(log: pytest.LogCaptureFixture) -> list[str]:
    """The events that were logged, none of which may tell an address, a code or a link."""
    for record in log.records:
        everything = f"{vars(record)} {record.getMessage()}"
        for secret in ("ann@", "123456", "link_token"):
            assert not holds(everything, secret)
    return [vars(record)["event"] for record in log.records]


def answers(outcome: Outcome | Exception) -> Callable[[bytes], Awaitable[Outcome]]:
    """A `deliver` that always ends in one way."""

    async def deliver(payload: bytes) -> Outcome:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return deliver


def worker(
    jobs: WorkerJobs, outcome: Outcome | Exception, clock: Clock, *, jitter: float = 0.5
) -> Deliveries:
    return Deliveries(jobs, answers(outcome), clock=clock, pace=Pace(jitter=lambda: jitter))


# One delivery


async def test_the_payload_is_delivered(jobs: ListJobs, clock: Clock) -> None:
    seen: list[bytes] = []

    async def deliver(payload: bytes) -> Outcome:
        seen.append(payload)
        return Outcome.SENT

    jobs.put(b"one")
    jobs.put(b"two")

    assert await Deliveries(jobs, deliver, clock=clock).run_due() == 2
    assert seen == [b"one", b"two"]


@pytest.mark.parametrize("outcome", [Outcome.SENT, Outcome.DROPPED])
async def test_sent_and_dropped_look_the_same_from_outside(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture, outcome: Outcome
) -> None:
    jobs.put()
    await worker(jobs, outcome, clock).run_due()

    assert (jobs.due, jobs.claimed, jobs.dead) == ([], [], [])
    assert events(log) == []


async def test_an_expired_mail_is_an_event_in_the_log(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    jobs.put(tries=4)
    await worker(jobs, Outcome.EXPIRED, clock).run_due()

    assert (jobs.due, jobs.claimed, jobs.dead) == ([], [], [])
    assert events(log) == ["mail_not_delivered"]
    assert log.records[0].levelno == logging.WARNING
    assert vars(log.records[0])["tries"] == 5


async def test_a_job_of_another_key_is_left_to_another_process_uncounted(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    jobs.put(tries=3)
    await worker(jobs, Outcome.NOT_OURS, clock).run_due()

    assert [(at - clock.now, job.tries) for at, job in jobs.due] == [(1, 3)]
    assert events(log) == []


async def test_a_permanent_failure_is_buried_and_logged(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    jobs.put()
    deliveries = worker(jobs, DeliveryError("550 5.1.1", permanent=True), clock)
    await deliveries.run_due()

    assert [reason for _, reason in jobs.dead] == ["550 5.1.1"]
    assert jobs.due == []
    assert events(log) == ["mail_not_delivered"]
    assert not deliveries.is_failing  # one bad recipient is no outage
    assert deliveries.last_error_at == clock.now


@pytest.mark.parametrize("permanent", [True, False])
async def test_an_address_or_link_in_a_mailers_reason_is_struck_out(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture, permanent: bool
) -> None:
    told = "550 <ann@example.org> see https://a.example/?link_token=t please"
    jobs.put()
    await worker(jobs, DeliveryError(told, permanent=permanent), clock).run_due()

    events(log)
    assert vars(log.records[0])["reason"] == "550 … see … please"
    assert [reason for _, reason in jobs.dead] == (["550 … see … please"] if permanent else [])


# Back-off


@pytest.mark.parametrize(
    ("jitter", "expected"),
    [
        (0.5, [1, 2, 4, 8, 16, 32, 60, 60, 60]),
        (0.0, [1, 2, 3, 6, 13, 26, 48, 48, 48]),
        (0.999, [1, 2, 5, 10, 19, 38, 72, 72, 72]),
    ],
)
async def test_each_try_waits_twice_as_long_up_to_a_minute_spread_by_a_fifth(
    jobs: ListJobs, clock: Clock, jitter: float, expected: list[int]
) -> None:
    jobs.put()
    deliveries = worker(jobs, DeliveryError("down"), clock, jitter=jitter)
    waits = []
    for tries in range(1, 10):
        assert await deliveries.run_due() == 1
        ((at, job),) = jobs.due
        assert job.tries == tries
        waits.append(at - clock.now)
        clock.now = at - 1
        assert await deliveries.run_due() == 0
        clock.now = at

    assert waits == expected


async def test_the_wait_has_no_overflow_after_very_many_tries(jobs: ListJobs, clock: Clock) -> None:
    jobs.put(tries=100_000)
    await worker(jobs, DeliveryError("down"), clock).run_due()

    assert jobs.due[0][0] == clock.now + 60


async def test_an_unexpected_exception_is_temporary_and_its_traceback_logged_without_its_text(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    jobs.put()
    await worker(jobs, ValueError(SECRET.decode()), clock).run_due()

    assert jobs.due[0][1].tries == 1
    assert events(log) == ["mail_try_crashed", "mail_delayed"]
    crash = log.records[0].getMessage()
    assert "builtins.ValueError" in crash
    assert "in deliver" in crash


async def test_a_delivery_that_does_not_end_is_cut_off_before_its_claim_lapses(
    jobs: ListJobs, clock: Clock
) -> None:
    async def deliver(payload: bytes) -> Outcome:
        await asyncio.Event().wait()
        return Outcome.SENT

    jobs.put()
    await Deliveries(jobs, deliver, clock=clock, pace=Pace(deadline=0.01)).run_due()

    assert jobs.due[0][1].tries == 1
    assert PATIENCE < DELIVERY_SECONDS
    assert DELIVERY_SECONDS + 1 + 2 + 4 < CLAIM_SECONDS


# Health


async def test_health_fails_after_three_tries_in_a_row_and_recovers_with_a_mail(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    down: list[Outcome | Exception] = [DeliveryError("down")]
    outcomes = down * 4 + [Outcome.SENT, Outcome.SENT]

    async def deliver(payload: bytes) -> Outcome:
        outcome = outcomes.pop(0)
        return await answers(outcome)(payload)

    jobs.put()
    deliveries = Deliveries(jobs, deliver, clock=clock, pace=Pace(jitter=lambda: 0.5))
    assert deliveries.last_error_at is None
    failing, since, begun = [], [], clock.now
    for _ in range(5):
        await deliveries.run_due()
        failing.append(deliveries.is_failing)
        since.append(deliveries.down_since("mail"))
        clock.now += 60
    jobs.put()
    await deliveries.run_due()

    assert failing == [False, False, True, True, False]
    assert since == [None, None, begun, begun, None]
    assert (deliveries.down_since("sms"), deliveries.queue_down_since) == (None, None)
    assert deliveries.last_error_at == clock.now - 120
    assert events(log) == ["mail_delayed"] * 4 + ["mail_recovered"]
    levels = [record.levelno for record in log.records]
    assert levels.count(logging.WARNING) == 1


def recipients(*names: str, error: Exception) -> Callable[[bytes], Awaitable[Delivery]]:
    """A `deliver` whose mails, to one after the other, all fail."""
    turn = iter(names)

    async def send() -> None:
        raise error

    async def deliver(payload: bytes) -> Delivery:
        return Delivery(next(turn), send)

    return deliver


async def test_what_is_under_way_is_looked_at_again_and_says_nothing_of_a_server(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    jobs.put()
    deliveries = Deliveries(jobs, answers(Outcome.NOT_YET), clock=clock)
    waits = []
    for _ in range(7):
        before = clock.now
        await deliveries.run_due()
        ((at, job),) = jobs.due
        assert job.reason == "what it tells of is under way"
        waits.append(at - before)
        clock.now = at
    assert waits == [1, 2, 4, 8, 16, 16, 16]
    assert not deliveries.is_failing
    assert events(log) == []


@pytest.mark.parametrize(
    ("names", "is_failing"),
    [
        (["ann@a.example"] * 9, False),
        (["ann@a.example", "bea@a.example"] * 4, False),
        (["ann@a.example", "bea@a.example", "cleo@a.example", "dora@a.example"], True),
    ],
)
async def test_what_a_server_says_about_one_recipient_is_no_outage(
    jobs: ListJobs, clock: Clock, names: list[str], is_failing: bool
) -> None:
    deliver = recipients(*names, error=RecipientDeferred("451 4.7.1"))
    deliveries = Deliveries(jobs, deliver, clock=clock)
    for _ in names:
        jobs.put()
        await deliveries.run_due()
        jobs.due.clear()

    assert deliveries.is_failing is is_failing
    assert deliveries.last_error_at == clock.now


async def test_connections_that_fail_are_an_outage_whoever_the_mail_is_for(
    jobs: ListJobs, clock: Clock
) -> None:
    deliver = recipients(*["ann@a.example"] * 3, error=DeliveryError("no connection"))
    deliveries = Deliveries(jobs, deliver, clock=clock)
    for _ in range(3):
        jobs.put()
        await deliveries.run_due()
        jobs.due.clear()

    assert deliveries.is_failing


async def test_a_deferral_that_names_no_recipient_counts_as_any_failure(
    jobs: ListJobs, clock: Clock
) -> None:
    deliveries = worker(jobs, RecipientDeferred("451"), clock)
    for _ in range(3):
        jobs.put()
        await deliveries.run_due()
        jobs.due.clear()

    assert deliveries.is_failing


# Turns, and mails for nobody


class Line:
    """A `deliver` by which mails to `slow@…` take until `gate` opens, and `nobody@…` is not served.

    A payload is an address.
    """

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun: list[str] = []
        self.sent: list[str] = []

    async def __call__(self, payload: bytes) -> Delivery:
        to = payload.decode()

        async def send() -> None:
            self.begun.append(to)
            if to.startswith("slow"):
                await self.gate.wait()
            self.sent.append(to)

        return Delivery(to, None if to.startswith("nobody") else send)


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


async def test_one_slow_domain_delays_nobody_else(jobs: ListJobs, clock: Clock) -> None:
    line = Line()
    for n in range(100):
        jobs.put(f"slow{n}@mx{n}.slow.example".encode())
    for n in range(20):
        jobs.put(f"jo{n}@fast{n}.example".encode())
    async with running(Deliveries(jobs, line, clock=clock, parallel=8)):
        await until(lambda: len(line.sent) == 20)
        assert len(line.begun) - len(line.sent) == 4  # half of the places, no more
        await until(lambda: len(jobs.claimed) == 4 + WAITING)  # the rest is put back
        assert {job.tries for _, job in jobs.due} == {0}
        assert all(at > clock.now for at, _ in jobs.due)
        line.gate.set()
        clock.now += 30
        await until(lambda: len(line.sent) == 120)


async def test_mails_of_one_domain_come_in_the_order_in_which_they_were_asked_for(
    jobs: ListJobs, clock: Clock
) -> None:
    line = Line()
    asked = [f"slow{n}@a.example" for n in range(9)]
    for each in asked:
        jobs.put(each.encode())
    async with running(Deliveries(jobs, line, clock=clock, parallel=2)):
        await until(lambda: len(line.begun) == 1)
        line.gate.set()
        await until(lambda: len(line.sent) == 9)

    assert line.sent == asked


async def test_a_mail_that_waits_for_its_turn_is_given_back_at_the_end(
    jobs: ListJobs, clock: Clock
) -> None:
    line = Line()
    for n in range(9):
        jobs.put(f"slow{n}@a.example".encode())
    async with running(Deliveries(jobs, line, clock=clock, parallel=2)):
        await until(lambda: len(jobs.claimed) == 9)

    assert jobs.claimed == []
    assert len(jobs.due) == 9
    assert {job.tries for _, job in jobs.due} == {0}


async def test_a_mail_for_nobody_keeps_its_place_as_long_as_a_recent_one_did(
    jobs: ListJobs, clock: Clock
) -> None:
    """With sign-up off, the time of the mails behind it would tell who has an account."""
    line, now = Line(), 0.0

    def timer() -> float:
        nonlocal now
        now += 0.05  # each delivery asks twice
        return now

    jobs.put(b"jo@a.example")
    deliveries = Deliveries(jobs, line, clock=clock, parallel=2, pace=Pace(usual=60, timer=timer))
    assert await deliveries.run_due() == 1

    loop = asyncio.get_running_loop()
    jobs.put(b"nobody@a.example")
    jobs.put(b"jo@a.example")
    begun = loop.time()
    async with running(deliveries):
        await until(lambda: len(line.sent) == 2)
        assert loop.time() - begun >= 0.05


async def test_before_there_was_a_mail_one_for_nobody_takes_the_usual_time_but_two_seconds_at_most(
    jobs: ListJobs, clock: Clock
) -> None:
    line, loop = Line(), asyncio.get_running_loop()
    for usual, expected in ((0.05, 0.05), (60.0, LONGEST_HOLD)):
        jobs.put(b"nobody@a.example")
        begun = loop.time()
        await Deliveries(jobs, line, clock=clock, pace=Pace(usual=usual)).run_due()
        assert loop.time() - begun >= expected
        assert (jobs.due, jobs.claimed) == ([], [])


async def test_mails_for_nobody_have_at_most_half_of_the_places(
    jobs: ListJobs, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_try, "LONGEST_HOLD", 60.0)  # longer than this test waits
    line = Line()
    for n in range(50):
        jobs.put(f"nobody@d{n}.example".encode())
    jobs.put(b"jo@a.example")
    async with running(Deliveries(jobs, line, clock=clock, parallel=4, pace=Pace(usual=60))):
        await until(lambda: line.sent == ["jo@a.example"] and len(jobs.claimed) == 2)


async def test_no_mail_for_nobody_holds_up_the_end(jobs: ListJobs, clock: Clock) -> None:
    line, loop = Line(), asyncio.get_running_loop()
    jobs.put(b"nobody@a.example")
    deliveries = Deliveries(jobs, line, clock=clock, pace=Pace(usual=60))
    task = asyncio.create_task(deliveries.run())
    await until(lambda: len(jobs.claimed) == 1)
    jobs.put(b"nobody@b.example")
    begun = loop.time()
    await deliveries.drain(5)
    assert loop.time() - begun < LONGEST_HOLD
    task.cancel()
    await asyncio.wait([task])

    assert (jobs.due, jobs.claimed) == ([], [])


# The store's outages


async def test_the_loop_outlives_a_store_outage_and_logs_it_once(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []
    begun = clock.now

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        assert deliveries.is_failing
        assert deliveries.last_error_at == clock.now
        assert deliveries.queue_down_since == deliveries.down_since("sms") == begun
        clock.now += 1
        if len(pauses) == 5:
            jobs.outage = None

    deliveries = Deliveries(jobs, answers(Outcome.SENT), clock=clock, pace=Pace(pause=pause))
    jobs.put()
    jobs.outage = StoreError()
    running = asyncio.create_task(deliveries.run())
    async with asyncio.timeout(30):
        await settled(jobs)
    assert deliveries.queue_down_since is None
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert pauses == [1, 2, 4, 5, 5]
    assert not deliveries.is_failing
    assert events(log) == ["mail_queue_down", "mail_queue_up"]


async def test_a_defect_of_the_store_does_not_kill_the_loop_and_is_logged_each_time(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    async def pause(seconds: float) -> None:
        if jobs.outage_calls == 3:
            jobs.outage = None

    jobs.put()
    jobs.outage = TypeError(SECRET.decode())
    running = asyncio.create_task(
        Deliveries(jobs, answers(Outcome.SENT), clock=clock, pace=Pace(pause=pause)).run()
    )
    async with asyncio.timeout(30):
        await settled(jobs)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert events(log) == ["mail_queue_crashed"] * 3 + ["mail_queue_up"]


def test_an_outage_that_comes_and_goes_is_told_once_in_ten_seconds(
    clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    health = QueueHealth(clock)
    for _ in range(10):
        health.note_down(StoreError("locked"))
        assert health.is_down
        clock.now += 1
        health.note_up()
        assert not health.is_down
    assert events(log) == ["mail_queue_down", "mail_queue_up"]
    health.note_down(StoreError("locked"))
    assert events(log)[2:] == ["mail_queue_down"]


async def settled(jobs: ListJobs) -> None:
    while jobs.due or jobs.claimed:  # noqa: ASYNC110 # the worker is another task of this loop
        await asyncio.sleep(0)


async def test_a_sent_mail_is_marked_so_through_a_short_outage(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []

    async def deliver(payload: bytes) -> Outcome:
        jobs.outage = StoreError()
        return Outcome.SENT

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            jobs.outage = None

    jobs.put()
    await Deliveries(jobs, deliver, clock=clock, pace=Pace(pause=pause)).run_due()

    assert pauses == [1, 2, 4]
    assert jobs.claimed == []
    assert events(log) == ["mail_queue_down", "mail_queue_up"]


async def test_a_job_that_cannot_be_settled_stays_claimable(jobs: ListJobs, clock: Clock) -> None:
    async def deliver(payload: bytes) -> Outcome:
        jobs.outage = StoreError()
        return Outcome.SENT

    async def pause(seconds: float) -> None:
        await asyncio.sleep(0)

    jobs.put()
    with pytest.raises(StoreError):
        await Deliveries(jobs, deliver, clock=clock, pace=Pace(pause=pause)).run_due()
    assert jobs.outage_calls == 4 + 1
    jobs.outage = None

    assert await worker(jobs, Outcome.SENT, clock).run_due() == 0
    clock.now += CLAIM_SECONDS
    assert await worker(jobs, Outcome.SENT, clock).run_due() == 1


async def test_a_delivery_that_cannot_ask_the_store_is_temporary(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    jobs.put()
    await worker(jobs, StoreError(), clock).run_due()

    assert jobs.due[0][1].tries == 1
    assert events(log) == ["mail_queue_down", "mail_delayed", "mail_queue_up"]


# The loop


async def test_the_loop_delivers_what_comes_in_and_no_more_than_it_may_at_a_time(
    jobs: ListJobs, clock: Clock
) -> None:
    gate, full = asyncio.Event(), asyncio.Event()
    now_running = most = done = 0

    async def deliver(payload: bytes) -> Outcome:
        nonlocal now_running, most, done
        now_running += 1
        most = max(most, now_running)
        if now_running == 3:
            full.set()
        await gate.wait()
        now_running -= 1
        done += 1
        return Outcome.SENT

    running = asyncio.create_task(Deliveries(jobs, deliver, clock=clock, parallel=3).run())
    await asyncio.sleep(0)
    for _ in range(8):
        jobs.put()
    async with asyncio.timeout(30):
        await full.wait()
        gate.set()
        await settled(jobs)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert (most, done) == (3, 8)


async def test_cancelling_the_loop_gives_a_job_in_flight_back_at_once_and_uncounted(
    jobs: ListJobs, clock: Clock
) -> None:
    started = asyncio.Event()
    was_cancelled = False

    async def deliver(payload: bytes) -> Outcome:
        nonlocal was_cancelled
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            was_cancelled = True
            raise
        return Outcome.SENT

    jobs.put()
    running = asyncio.create_task(Deliveries(jobs, deliver, clock=clock).run())
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert was_cancelled
    assert jobs.claimed == []
    assert [job.tries for _, job in jobs.due] == [0]
    assert await worker(jobs, Outcome.SENT, clock).run_due() == 1


async def test_a_job_that_is_claimed_again_before_its_first_try_has_an_answer_is_held_anew(
    clock: Clock,
) -> None:
    """The store has put it back, and says so late: by then the same worker is at its next try."""
    answer, second = asyncio.Event(), asyncio.Event()

    class LateAnswer(ListJobs):
        async def retry(self, job: Job, *, at: int, reason: str = "") -> None:
            await super().retry(job, at=clock.now, reason=reason)
            if job.tries == 0:
                await answer.wait()

    jobs, tries = LateAnswer(clock), 0

    async def deliver(payload: bytes) -> Outcome:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise DeliveryError("busy")
        second.set()
        await asyncio.Event().wait()
        return Outcome.SENT

    jobs.put()
    running = asyncio.create_task(Deliveries(jobs, deliver, clock=clock).run())
    await second.wait()
    answer.set()
    for _ in range(5):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert jobs.claimed == []  # given back, uncounted: it is not left to its claim's end
    assert [job.tries for _, job in jobs.due] == [1]


async def test_run_due_tries_nothing_twice_even_while_time_goes_on(
    jobs: ListJobs, clock: Clock
) -> None:
    tries = 0

    async def deliver(payload: bytes) -> Outcome:
        nonlocal tries
        tries += 1
        clock.now += 30
        raise DeliveryError("slow and failing")

    jobs.put()
    assert await Deliveries(jobs, deliver, clock=clock).run_due() == 1
    assert tries == 1


async def test_run_due_empties_a_queue_longer_than_one_batch(jobs: ListJobs, clock: Clock) -> None:
    for _ in range(20):
        jobs.put()

    assert await worker(jobs, Outcome.SENT, clock).run_due() == 20


async def test_the_loop_serves_the_memory_stores_queue(
    clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    delivered = asyncio.Event()
    seen: list[bytes] = []

    async def deliver(payload: bytes) -> Outcome:
        seen.append(payload)
        if len(seen) == 2:
            delivered.set()
        return Outcome.SENT

    queue = MemoryJobs(most=10)
    running = asyncio.create_task(Deliveries(queue, deliver, clock=clock).run())
    queue.add(b"at once", now=clock.now)
    await asyncio.sleep(0)
    queue.add(b"woken for", now=clock.now)
    async with asyncio.timeout(30):
        await delivered.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert seen == [b"at once", b"woken for"]
    assert events(log) == []


# Shutdown


async def test_drain_delivers_what_is_due_and_leaves_what_waits_for_its_next_try(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    jobs.put()
    jobs.due.append((clock.now + 5, Job("later", b"", 3)))
    await worker(jobs, Outcome.SENT, clock).drain(5)

    assert [job.id for _, job in jobs.due] == ["later"]
    assert events(log) == []


async def test_drain_waits_for_what_the_loop_has_in_flight(jobs: ListJobs, clock: Clock) -> None:
    started, gate = asyncio.Event(), asyncio.Event()
    delivered: list[bytes] = []

    async def deliver(payload: bytes) -> Outcome:
        started.set()
        delivered.append(payload)
        await gate.wait()
        return Outcome.SENT

    jobs.put()
    deliveries = Deliveries(jobs, deliver, clock=clock)
    running = asyncio.create_task(deliveries.run())
    await started.wait()
    draining = asyncio.create_task(deliveries.drain(5))
    for _ in range(9):
        await asyncio.sleep(0)
        jobs.changed.set()  # the worker looks again, and finds that it is to end
    assert not draining.done()
    gate.set()
    await draining
    assert len(delivered) == 1, "not cut off, and begun again"
    async with asyncio.timeout(30):
        await running  # there is nothing left to do in this event loop

    assert (jobs.due, jobs.claimed) == ([], [])


class SlowToClaim(ListJobs):
    """A store some way off: a claim is decided there before its answer is here."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.decided, self.answer = asyncio.Event(), asyncio.Event()

    async def claim(self, *, now: int, limit: int) -> Sequence[Job]:
        jobs = await super().claim(now=now, limit=limit)
        if jobs:
            self.decided.set()
            await self.answer.wait()
        return jobs


async def test_drain_waits_for_the_claim_under_way(clock: Clock) -> None:
    slow = SlowToClaim(clock)
    slow.put()
    deliveries = worker(slow, Outcome.SENT, clock)
    running = asyncio.create_task(deliveries.run())
    await slow.decided.wait()
    draining = asyncio.create_task(deliveries.drain(5))
    for _ in range(9):
        await asyncio.sleep(0)
    assert not draining.done()
    slow.answer.set()
    await draining
    running.cancel()
    await asyncio.wait([running])

    assert (slow.due, slow.claimed) == ([], [])


async def test_what_a_cancelled_loop_was_claiming_is_given_back(clock: Clock) -> None:
    slow = SlowToClaim(clock)
    slow.put()

    async def deliver(payload: bytes) -> Outcome:
        await asyncio.Event().wait()
        return Outcome.SENT

    running = asyncio.create_task(Deliveries(slow, deliver, clock=clock).run())
    await slow.decided.wait()
    running.cancel()
    await asyncio.sleep(0)
    slow.answer.set()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert slow.claimed == []
    assert [job.tries for _, job in slow.due] == [0]


async def test_a_claim_that_never_answers_does_not_hold_up_the_end(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pwless_middleware.delivery.queue.worker.LEAVE_SECONDS", 0.01)
    slow = SlowToClaim(clock)
    slow.put()
    running = asyncio.create_task(worker(slow, Outcome.SENT, clock).run())
    await slow.decided.wait()
    running.cancel()
    async with asyncio.timeout(30):
        await asyncio.wait([running])

    assert running.cancelled()
    assert len(slow.claimed) == 1  # until it lapses


async def test_a_mail_that_went_out_is_marked_so_by_a_loop_that_is_cancelled(
    clock: Clock,
) -> None:
    class SlowToComplete(ListJobs):
        async def complete(self, job: Job) -> None:
            if not completing.is_set():
                completing.set()
                await asyncio.Event().wait()
            await super().complete(job)

    completing = asyncio.Event()
    slow = SlowToComplete(clock)
    slow.put()
    running = asyncio.create_task(worker(slow, Outcome.SENT, clock).run())
    await completing.wait()
    running.cancel()
    await asyncio.wait([running])

    assert (slow.due, slow.claimed) == ([], [])


@pytest.mark.parametrize("fault", [StoreError(), None])
async def test_a_store_that_cannot_be_told_does_not_hold_up_the_end(
    clock: Clock,
    log: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    fault: StoreError | None,
) -> None:
    monkeypatch.setattr("pwless_middleware.delivery.queue.worker.LEAVE_SECONDS", 0.01)

    class NotReached(ListJobs):
        async def retry(self, job: Job, *, at: int, reason: str = "") -> None:
            if fault is not None:
                raise fault
            await asyncio.Event().wait()

    async def deliver(payload: bytes) -> Outcome:
        started.set()
        await asyncio.Event().wait()
        return Outcome.SENT

    started = asyncio.Event()
    queue = NotReached(clock)
    queue.put()
    running = asyncio.create_task(Deliveries(queue, deliver, clock=clock).run())
    await started.wait()
    running.cancel()
    async with asyncio.timeout(30):
        await asyncio.wait([running])

    assert running.cancelled()
    assert events(log) == ["mail_queue_down"]


async def test_ends_when_the_store_loses_its_cancellation(clock: Clock) -> None:
    """As `asyncio.wait_for` in redis-py does, when the reply comes in the same moment."""

    class Losing(ListJobs):
        waits = 0

        async def wait(self, *, timeout: float) -> None:  # noqa: ASYNC109 # the protocol's
            self.waits += 1
            self.changed.set()
            with contextlib.suppress(asyncio.CancelledError if self.waits == 1 else StoreError):
                await asyncio.Event().wait()

    losing = Losing(clock)
    running = asyncio.create_task(worker(losing, Outcome.SENT, clock).run())
    await losing.changed.wait()
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=30)

    assert done
    assert running.cancelled()


async def test_drain_ends_in_time_and_leaves_the_rest_in_the_queue(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    async def deliver(payload: bytes) -> Outcome:
        await asyncio.Event().wait()
        return Outcome.SENT

    jobs.put()
    await Deliveries(jobs, deliver, clock=clock).drain(0.01)

    assert jobs.claimed == []
    assert [job.tries for _, job in jobs.due] == [0]
    assert events(log) == ["mail_drain_timeout"]


async def test_drain_ends_what_a_store_outage_lets_it_end(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    started, gate = asyncio.Event(), asyncio.Event()

    async def deliver(payload: bytes) -> Outcome:
        started.set()
        await gate.wait()
        jobs.outage = None
        return Outcome.SENT

    jobs.put()
    deliveries = Deliveries(jobs, deliver, clock=clock)
    running = asyncio.create_task(deliveries.run())
    await started.wait()
    jobs.outage = StoreError()
    draining = asyncio.create_task(deliveries.drain(5))
    while not jobs.outage_calls:  # noqa: ASYNC110 # the worker is another task of this loop
        await asyncio.sleep(0)
    gate.set()
    await draining
    running.cancel()
    await asyncio.wait([running])

    assert (jobs.due, jobs.claimed) == ([], [])


# A limited time


async def given_back(jobs: ListJobs) -> None:
    async with asyncio.timeout(30):
        while jobs.claimed:  # noqa: ASYNC110 # given back by a task of this loop
            await asyncio.sleep(0)


async def test_run_for_answers_after_its_time_whatever_there_is_to_do(clock: Clock) -> None:
    async def deliver(payload: bytes) -> Outcome:
        if payload == b"slow":
            await asyncio.Event().wait()
        return Outcome.SENT

    for payloads in ((), (b"fast",), (b"slow",), (b"slow", b"fast")):
        jobs = ListJobs(clock)
        for payload in payloads:
            jobs.put(payload)
        begun = asyncio.get_running_loop().time()
        await Deliveries(jobs, deliver, clock=clock).run_for(0.2)
        assert asyncio.get_running_loop().time() - begun >= 0.2
        await given_back(jobs)
        assert [(j.payload, j.tries) for _, j in jobs.due] == [(b"slow", 0)] * (b"slow" in payloads)


async def test_run_for_answers_also_where_the_store_hangs_or_is_away(
    clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    slow = SlowToClaim(clock)
    slow.put()
    await worker(slow, Outcome.SENT, clock).run_for(0.05)
    away = ListJobs(clock)
    away.outage = StoreError()
    await worker(away, Outcome.SENT, clock).run_for(0.05)

    assert events(log) == ["mail_queue_down"]


async def test_a_client_that_leaves_cuts_run_for_short_and_loses_nothing(clock: Clock) -> None:
    started = asyncio.Event()

    async def deliver(payload: bytes) -> Outcome:
        started.set()
        await asyncio.Event().wait()
        return Outcome.SENT

    jobs = ListJobs(clock)
    jobs.put()
    request = asyncio.create_task(Deliveries(jobs, deliver, clock=clock).run_for(60))
    await started.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await given_back(jobs)

    assert [job.tries for _, job in jobs.due] == [0]


async def test_drain_gives_up_quietly_when_the_store_is_down(
    jobs: ListJobs, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    jobs.outage = StoreError()
    await worker(jobs, Outcome.SENT, clock).drain(5)

    assert events(log) == ["mail_queue_down"]


def test_a_job_does_not_show_its_payload() -> None:
    assert "ann@" not in repr(Job("1", SECRET, 0))
