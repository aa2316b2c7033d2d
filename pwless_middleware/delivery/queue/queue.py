"""The worker's side of the delivery queue: claim, deliver, settle, and never die.

Theory. The store hands out jobs (`core.storage.job`). `deliver`, supplied by the flows above, reads
one payload and answers either how that ended, or a `Delivery`, which then waits for its turn
(`turns`). This module knows neither challenges nor mail servers nor stores; it owns the policy:

    SENT, DROPPED              complete, in silence: nobody may learn from a log which it was
    EXPIRED, TEXT_EXPIRED      complete, and log that a message was accepted and not delivered
    NOT_YET                    again after 1, 2, 4, 8, 16 s, in silence
    NOT_OURS                   again in a second, uncounted, so that a process with the key takes it
    no turn                    again when its domain should have a place, uncounted
    DeliveryError, permanent   bury, and log
    MaybeDelivered, a text     again as below, three tries in all: each may cost as much as one sent
    anything else              again after 1, 2, 4, … 60 s (± 20 %), until `deliver` says EXPIRED

A job is *held* from its claim until it is settled. Whoever ends (a worker that is cancelled, a
process that shuts down, a request that has to answer) waits for the claim under way, and gives back
at once what it holds; a text message that is just being sent counts as tried. Where that is not
possible either, the claim lapses.

Each delivery may take 45 s, less than a claim lasts (`CLAIM_SECONDS`), so that a slow one is not
handed out a second time while the first still runs. What is logged has a stable `event`,
and its reason in the message; never an address, a code, a link, a payload, or the text of an
exception that is not ours.

Emails and text messages (`Delivery.channel`) are one queue, and have places, health and events of
their own: a gateway that is down or slow takes nothing from the mails, nor the other way round.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Final

from pwless_middleware.core.events.event import Recorder, record_nothing
from pwless_middleware.core.spans import Spans
from pwless_middleware.core.storage.job import WorkerJobs
from pwless_middleware.delivery.base import PARALLEL
from pwless_middleware.delivery.health.health import Health
from pwless_middleware.delivery.health.queue_health import QueueHealth
from pwless_middleware.delivery.health.server_health import ServerHealths
from pwless_middleware.delivery.queue.outcomes import Channel, Deliver
from pwless_middleware.delivery.queue.tries import Pace, Tries
from pwless_middleware.delivery.queue.worker import Places, Worker
from pwless_middleware.per_loop import PerLoop

_log = logging.getLogger("pwless.delivery")

_LONGEST_OUTAGE_PAUSE: Final = 5.0  # seconds; a store that is back should soon be noticed
_WAIT: Final = 1.0  # seconds on `Jobs.wait` at a time: the finest step of the back-off
_SHARE_OF_DELIVERY: Final = 0.85  # of a limited time; the rest is for giving back


def _end_if_cancelled() -> None:
    """Raise `CancelledError` where the running task was cancelled and something lost that.

    `asyncio.wait_for` before Python 3.12 forgets a cancellation that comes in the same moment as
    the result (python/cpython#86296), and redis-py writes with it; the shutdown would wait forever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Deliveries:
    """Deliver what is queued.

    Args:
        jobs: the queue.
        deliver: see `Deliver`. Raises `DeliveryError` when the mailer does; any other exception
            counts as temporary.
        clock: whole unix seconds.
        parallel: deliveries at a time in one event loop, of which a recipient's domain has at most
            half, and mails for nobody as well.
        parallel_texts: returns how many text messages at a time; asked as an event loop begins. 0
            where nobody is known to send any.
        pace: how long deliveries take and wait; `None` is the ordinary one.
        record: records how each delivery ended.
        spans: are told of each handover; `None` for nobody.
        server_on: returns what a channel's server is called in events where whoever handed a
            message over has not said it; empty for no name.
    """

    def __init__(
        self,
        jobs: WorkerJobs,
        deliver: Deliver,
        *,
        clock: Callable[[], int],
        parallel: int = PARALLEL,
        parallel_texts: Callable[[], int] = lambda: 0,
        pace: Pace | None = None,
        record: Recorder = record_nothing,
        server_on: Callable[[Channel], str] = lambda channel: "",
        spans: Spans | None = None,
    ) -> None:
        self._jobs = jobs
        self._clock = clock
        self._pace = pace or Pace()
        self._queue_health = QueueHealth(clock)
        self._healths: dict[Channel, Health] = {
            "mail": Health(clock, "mail"),
            "sms": Health(clock, "sms"),
        }
        self.servers = ServerHealths(clock)
        """How each server does that messages were handed to."""
        self._tries = Tries(
            jobs,
            deliver,
            clock=clock,
            healths=self._healths,
            queue_health=self._queue_health,
            pace=self._pace,
            record=record,
            servers=self.servers,
            server_on=server_on,
            spans=spans,
        )
        self._places: PerLoop[Places] = PerLoop(lambda: Places(parallel, parallel_texts()))
        self._started: set[asyncio.Task[None]] = set()

    @property
    def is_failing(self) -> bool:
        """Whether the store is out of reach, or mails do not go out (`health`)."""
        return self._queue_health.is_down or self._healths["mail"].is_down

    @property
    def are_texts_failing(self) -> bool:
        """Whether the store is out of reach, or text messages do not go out."""
        return self._queue_health.is_down or self._healths["sms"].is_down

    @property
    def queue_down_since(self) -> int | None:
        """Since when the store is out of reach, unix seconds; `None` where it is not."""
        return self._queue_health.down_since

    def down_since(self, channel: Channel = "mail") -> int | None:
        """Return since when messages do not go out on a channel, unix seconds, whatever the cause.

        `None` where they do, as far as this process has seen.
        """
        known = (self._queue_health.down_since, self._healths[channel].down_since)
        return min((at for at in known if at is not None), default=None)

    @property
    def last_error_at(self) -> int | None:
        """When something last went wrong, unix seconds; `None` when nothing has yet."""
        known = [self._queue_health.last_error_at]
        known += [health.last_error_at for health in self._healths.values()]
        return max((at for at in known if at is not None), default=None)

    async def run(self) -> None:
        """Deliver until cancelled or drained. Start it as a task, one in each event loop."""
        places = self._places.here()
        worker = self._worker(places)
        outages = 0
        try:
            while not places.draining.is_set():
                _end_if_cancelled()
                try:
                    claimed = await worker.claim(self._clock())
                    self._queue_health.note_up()
                    outages = 0
                    if not claimed and not places.draining.is_set():
                        await self._jobs.wait(timeout=_WAIT)
                except Exception as error:
                    self._queue_health.note_down(error)
                    await self._pace.pause(min(_LONGEST_OUTAGE_PAUSE, 2.0 ** min(outages, 3)))
                    outages += 1
            await worker.finish()  # as long as `drain` lets it: to leave now would cut it off
        finally:
            await self._leave(worker)

    async def run_due(self) -> int:
        """Deliver what is due at this second and return how many jobs that were.

        What fails is put back for a later second, and so is not tried twice in one call. Where the
        call is cancelled, what it has claimed and not finished is given back at once.

        Raises:
            StoreError: the queue could not be asked.
        """
        worker = self._worker(self._places.here())
        now = self._clock()
        try:
            try:
                while await worker.claim(now):
                    self._queue_health.note_up()
            except Exception:
                await worker.finish()  # what is claimed can be sent all the same
                raise
            await worker.finish()
        finally:
            await self._leave(worker)
        return worker.begun

    async def run_for(self, seconds: float) -> None:
        """Deliver what is due, and return after `seconds`, neither sooner nor later.

        What is not handed over by then is given back, in the last part of that time. A store that
        cannot be asked is logged: the mail is in the queue.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        task = loop.create_task(self._run_due_quietly(), context=Context())
        self._started.add(task)
        task.add_done_callback(self._started.discard)
        try:
            await asyncio.wait((task,), timeout=seconds * _SHARE_OF_DELIVERY)
        finally:
            task.cancel()
        await asyncio.sleep(end - loop.time())

    async def drain(self, timeout: float) -> None:  # noqa: ASYNC109 # an upper bound, no error
        """Deliver what is due before the process ends; call it, then cancel `run`.

        What this event loop has claimed is finished, or given back for the next worker.

        Args:
            timeout: seconds; what is left then, or waits for its next try, stays in the queue.
        """
        places = self._places.here()
        places.draining.set()
        try:
            async with asyncio.timeout(timeout):
                for worker in list(places.workers):
                    await worker.finish_claim()
                await self._run_due_quietly()
                for worker in list(places.workers):
                    await worker.finish()
        except TimeoutError:
            _log.warning(
                "jobs left in the queue at shutdown: not done within %g s",
                timeout,
                extra={"event": "mail_drain_timeout"},
            )
        finally:
            for worker in list(places.workers):
                await self._leave(worker)
            self._places.pop()

    # Claims, and what becomes of them

    async def _run_due_quietly(self) -> None:
        with self._noting_store_faults():
            await self.run_due()

    def _worker(self, places: Places) -> Worker:
        return Worker(places, self._jobs, self._tries.handle, self._tries.give_back)

    async def _leave(self, worker: Worker) -> None:
        with self._noting_store_faults():
            await worker.leave()

    @contextmanager
    def _noting_store_faults(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._queue_health.note_down(error)
