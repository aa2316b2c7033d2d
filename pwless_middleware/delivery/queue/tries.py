"""One try at one job: read it, hand it over in its turn, and settle it by the policy of `queue`."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final, TypedDict, Unpack

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event import Detail, Recorder, record_nothing
from pwless_middleware.core.spans import Spans
from pwless_middleware.core.storage.job import Job, WorkerJobs
from pwless_middleware.delivery.base import MaybeDelivered, RecipientDeferred, RecipientRefused
from pwless_middleware.delivery.health.handovers import (
    collect_handovers,
    current_handovers,
    handing_to,
)
from pwless_middleware.delivery.health.health import Health
from pwless_middleware.delivery.health.queue_health import QueueHealth
from pwless_middleware.delivery.health.reasons import redact
from pwless_middleware.delivery.health.server_health import ServerHealths
from pwless_middleware.delivery.queue.outcomes import Channel, Deliver, Delivery, Outcome
from pwless_middleware.delivery.queue.worker import Places, Verb, Worker
from pwless_middleware.errors import DeliveryError, StoreError
from pwless_middleware.tracebacks import traceback_without_text

_log = logging.getLogger("pwless.delivery")

DELIVERY_SECONDS: Final = 45.0
"""How long one delivery may take; leaves 15 s of its claim for settling it."""
USUAL_SECONDS: Final = 0.2
"""How long a delivery is taken to last before there was one."""
LONGEST_HOLD: Final = 2.0
"""Seconds that a mail for nobody keeps its place, at most."""
MOST_MAYBE: Final = 3
"""Tries after which a text message is given up that may have been taken by each of them."""

_LONGEST_BACKOFF: Final = 60  # seconds; a challenge lives 60 to 600 s
_LONGEST_WAIT: Final = 16  # seconds between two looks at what is under way
_NOT_YET: Final = "what it tells of is under way"
_SETTLE_TRIES: Final = 4  # with pauses of 1, 2 and 4 s: inside what the claim has left
_RECENT: Final = 64  # deliveries whose time is remembered
_EXPIRED: Final[Mapping[Outcome, Channel]] = {Outcome.EXPIRED: "mail", Outcome.TEXT_EXPIRED: "sms"}

Pause = Callable[[float], Awaitable[None]]


class _Given(TypedDict, total=False):
    reason: str
    wait: int


class _NoTurn(Exception):
    """There was no place for a delivery in time."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(delivery.lane)
        self.delivery = delivery


def _reason_of(error: DeliveryError, found: Outcome | Delivery | None) -> str:
    return redact(str(error), is_text=_channel_of(found) == "sms")


def _channel_of(found: Outcome | Delivery | None) -> Channel:
    """Return on which channel a job goes out; one that could not be read counts as a mail."""
    return found.channel if isinstance(found, Delivery) else "mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Set how long deliveries take and wait.

    Attributes:
        deadline: seconds for one delivery; below `CLAIM_SECONDS`.
        usual: seconds that a delivery is taken to last before there was one.
        jitter: a number in [0, 1), evenly spread, so that retries do not come in step.
        pause: sleeps through a store's outage.
        timer: seconds that only go forward.
    """

    deadline: float = DELIVERY_SECONDS
    usual: float = USUAL_SECONDS
    jitter: Callable[[], float] = random.random
    pause: Pause = asyncio.sleep
    timer: Callable[[], float] = time.monotonic


class Tries:
    """Deliver claimed jobs, and settle each by how it ended.

    All but `healths`, `queue_health` and `servers`, which are told how each ended, are explained at
    `Deliveries`.
    """

    def __init__(
        self,
        jobs: WorkerJobs,
        deliver: Deliver,
        *,
        clock: Callable[[], int],
        healths: Mapping[Channel, Health],
        queue_health: QueueHealth,
        pace: Pace,
        record: Recorder = record_nothing,
        servers: ServerHealths,
        server_on: Callable[[Channel], str],
        spans: Spans | None = None,
    ) -> None:
        self._spans = spans or Spans()
        self._jobs = jobs
        self._deliver = deliver
        self._clock = clock
        self._healths = healths
        self._queue_health = queue_health
        self._record = record
        self._servers = servers
        self._server_on = server_on
        self._pace = pace
        self._recent: deque[float] = deque(maxlen=_RECENT)

    async def handle(self, worker: Worker, job: Job) -> None:
        """Deliver one job and settle it. Raises nothing but what ends the task."""
        with collect_handovers():
            await self._handle(worker, job)

    async def _handle(self, worker: Worker, job: Job) -> None:
        found: Outcome | Delivery | None = None
        try:
            async with asyncio.timeout(self._pace.deadline):
                found = await self._deliver(job.payload)
                outcome = (
                    await self._send(worker, job, found) if isinstance(found, Delivery) else found
                )
        except _NoTurn as error:
            turns = worker.places.turns[error.delivery.channel]
            delay = max(1, math.ceil(turns.postpone(error.delivery.lane)))
            await self._retry(worker, replace(job, tries=job.tries - 1), delay)
        except RecipientDeferred as error:
            await self._again(worker, job, _reason_of(error, found), found, is_recipients=True)
        except DeliveryError as error:
            reason = _reason_of(error, found)
            if isinstance(error, MaybeDelivered):
                await self._again_or_give_up(worker, job, reason, found)
            elif error.permanent:
                is_recipients = isinstance(error, RecipientRefused)
                await self._give_up(worker, job, reason, found, is_recipients=is_recipients)
            else:
                await self._again(worker, job, reason, found, retry_after=error.retry_after)
        except StoreError as error:
            self._queue_health.note_down(error)
            await self._again(worker, job, "the store could not be asked")
        except TimeoutError:
            reason = f"no end after {self._pace.deadline:g} s"
            self._servers.note_cut_off(_channel_of(found), current_handovers(), reason)
            await self._again_or_give_up(worker, job, reason, found)
        except Exception as error:
            _log.error(
                "delivery failed unexpectedly:\n%s",
                traceback_without_text(error),
                extra={"event": f"{_channel_of(found)}_try_crashed", "tries": job.tries},
            )
            await self._again(worker, job, type(error).__name__, found)
        else:
            await self._conclude(worker, job, outcome, found)

    async def give_back(self, job: Job) -> None:
        """Make a job claimable at once, without counting the try."""
        uncounted = replace(job, tries=job.tries - 1)
        await self._jobs.retry(uncounted, at=self._clock(), reason=job.reason)

    async def _send(self, worker: Worker, job: Job, delivery: Delivery) -> Outcome:
        """Hand a message over in its turn; a mail for nobody takes its turn and time as well."""
        places = worker.places
        if delivery.send is None and delivery.channel == "sms":
            return Outcome.DROPPED  # whoever waits for a text message is known to be somebody
        turns = places.turns[delivery.channel]
        if not await turns.take(delivery.lane):
            raise _NoTurn(delivery)
        if delivery.channel == "sms":
            places.changed.set()  # it has left the places of the mails
            self._hold_as_tried(worker, job, delivery)
        begun, seconds = self._pace.timer(), None
        try:
            if delivery.send is None:
                await self._hold(places)
                return Outcome.DROPPED
            try:
                with (
                    handing_to(self._server_on(delivery.channel)),
                    self._spans.step("pwless.deliver") as note,
                ):
                    note("pwless.channel", delivery.channel)
                    note("pwless.tries", job.tries + 1)
                    await delivery.send()
            finally:
                self._servers.note(delivery.channel, current_handovers())
                seconds = self._pace.timer() - begun
                if delivery.channel == "mail":
                    self._recent.append(seconds)
            return Outcome.SENT
        finally:
            turns.give(delivery.lane, seconds=seconds)

    def _hold_as_tried(self, worker: Worker, job: Job, delivery: Delivery) -> None:
        """Have a text message count as tried, should the worker leave while it is handed over.

        It may have been taken. Given back without counting, a slow gateway would get it anew from
        each request that delivers for two seconds, whoever sends those.
        """
        at, tries, reason = self._clock() + 2**job.tries, job.tries + 1, "cut off while it was sent"

        async def leave() -> None:
            if tries < MOST_MAYBE:
                await self._jobs.retry(job, at=at, reason=reason)
                return
            await self._jobs.bury(job, reason=reason, at=self._clock())
            self._record_end("failed", job, delivery, reason=reason, tries=tries)

        worker.held[job.id] = leave

    async def _hold(self, places: Places) -> None:
        """Keep the place of a mail for nobody for as long as a recent one took.

        Never more than half of the places, so that a flood of such mails does not stop the others;
        never while the process ends.
        """
        if places.holds >= max(1, places.parallel // 2):
            return
        recent = self._recent or (self._pace.usual,)
        seconds = min(LONGEST_HOLD, recent[int(self._pace.jitter() * len(recent))])
        places.holds += 1
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await places.draining.wait()
        finally:
            places.holds -= 1

    async def _conclude(
        self, worker: Worker, job: Job, outcome: Outcome, found: Outcome | Delivery
    ) -> None:
        """Settle a job whose delivery did not fail."""
        if outcome is Outcome.NOT_OURS:
            await self._retry(worker, replace(job, tries=job.tries - 1), 1)
            return
        if outcome is Outcome.NOT_YET:
            await self._retry(worker, job, min(2**job.tries, _LONGEST_WAIT), _NOT_YET)
            return
        if outcome in _EXPIRED:
            health = self._healths[_EXPIRED[outcome]]
            health.report_undelivered("expired before it could be delivered", tries=job.tries + 1)
        elif outcome is Outcome.SENT:
            self._healths[_channel_of(found)].note_sent()
        if isinstance(found, Delivery):
            if outcome is Outcome.SENT:
                self._record_end("sent", job, found, tries=job.tries + 1)
            elif found.reason:
                kind = f"{found.channel}.suppressed"
                self._record(kind, attempt=found.attempt, reason=found.reason)
        await self._settle(worker, job, lambda: self._jobs.complete(job))

    def _record_end(
        self,
        end: str,
        job: Job,
        delivery: Delivery,
        *,
        tries: int,
        **given: Unpack[_Given],
    ) -> None:
        """Record how a try ended, at which server, and how long after it was asked for."""
        handovers = current_handovers()
        server = handovers[-1].server if handovers else self._server_on(delivery.channel)
        details: dict[str, Detail] = {"server": server} if server else {}
        if job.queued_at:
            details["seconds"] = max(0, self._clock() - job.queued_at)
        kind, attempt = f"{delivery.channel}.{end}", delivery.attempt
        self._record(kind, attempt=attempt, tries=tries, details=details, **given)

    async def _give_up(
        self,
        worker: Worker,
        job: Job,
        reason: str,
        found: Outcome | Delivery | None,
        *,
        is_recipients: bool,
    ) -> None:
        """Bury a job that no other try would help, and log that its message does not go out."""
        channel, tries = _channel_of(found), job.tries + 1
        health = self._healths[channel]
        if channel == "sms" and not is_recipients:
            health.note_refusal()
        else:
            health.note_error()
        health.report_undelivered(reason, tries=tries)
        if isinstance(found, Delivery):
            self._record_end("failed", job, found, reason=reason, tries=tries)
        at = self._clock()
        await self._settle(worker, job, lambda: self._jobs.bury(job, reason=reason, at=at))

    async def _again_or_give_up(
        self, worker: Worker, job: Job, reason: str, found: Outcome | Delivery | None
    ) -> None:
        """Put a job back whose message may be on its way; a text message not for ever.

        Each try may cost what a text message costs, and its person gets as many: whoever got none
        asks for another one, which budgets count.
        """
        if _channel_of(found) == "sms" and job.tries + 1 >= MOST_MAYBE:
            await self._give_up(worker, job, reason, found, is_recipients=False)
        else:
            await self._again(worker, job, reason, found)

    async def _again(
        self,
        worker: Worker,
        job: Job,
        reason: str,
        found: Outcome | Delivery | None = None,
        *,
        is_recipients: bool = False,
        retry_after: int | None = None,
    ) -> None:
        """Put a job back, later each time.

        Args:
            worker, job: whose, and which.
            reason: for the log.
            found: what the job was read as, if it could be.
            is_recipients: whether the server did not want this recipient now.
            retry_after: seconds that the server asks for; `None` leaves the time to us.
        """
        backoff = min(_LONGEST_BACKOFF, 2 ** min(job.tries, 6))
        # Whole seconds, as all time in the store: the spread shows from the third try on.
        delay = max(1, round(backoff * (0.8 + 0.4 * self._pace.jitter())))
        if retry_after is not None:
            delay = max(delay, min(retry_after, _LONGEST_BACKOFF))
        tries = job.tries + 1
        recipient = None
        if isinstance(found, Delivery):
            recipient = found.recipient if is_recipients else None
            self._record_end("deferred", job, found, reason=reason, wait=delay, tries=tries)
        health = self._healths[_channel_of(found)]
        health.note_failure(reason, tries=tries, delay=delay, recipient=recipient)
        await self._retry(worker, job, delay, reason)

    async def _retry(self, worker: Worker, job: Job, delay: int, reason: str | None = None) -> None:
        """Put a job back; without a reason the one that it had stays."""
        at, kept = self._clock() + delay, job.reason if reason is None else reason
        await self._settle(worker, job, lambda: self._jobs.retry(job, at=at, reason=kept))

    async def _settle(self, worker: Worker, job: Job, verb: Verb) -> None:
        """Tell the store how a job ended, through a short outage too.

        A mail that went out and could not be marked so would go out again when its claim lapses.
        """
        worker.held[job.id] = verb
        for attempt in range(_SETTLE_TRIES):
            if attempt:
                await self._pace.pause(2.0 ** (attempt - 1))
            try:
                await verb()
            except Exception as error:
                self._queue_health.note_down(error)
            else:
                self._queue_health.note_up()
                break
        # A job that was put back may have been claimed again by now: that is held anew.
        if worker.held.get(job.id) is verb:
            del worker.held[job.id]
