"""The worker's side of the delivery queue: claim, deliver, settle, and never die.

Theory. The store hands out jobs (`core.jobs`); `deliver`, supplied by the flows above, turns one
payload into a mail and says how that ended. This module knows neither challenges nor mail servers
nor stores; it owns the policy:

    SENT, DROPPED              complete, in silence: nobody may learn from a log which it was
    EXPIRED                    complete, and log that a mail was accepted and not delivered
    NOT_OURS                   again in a second, uncounted, so that a process with the key takes it
    DeliveryError, permanent   bury, and log
    anything else              again after 1, 2, 4, … 60 s (± 20 %), until `deliver` says EXPIRED

Each delivery may take 45 s, less than a claim lasts (`CLAIM_SECONDS`), so that a slow one is not
handed out a second time while the first still runs. Cancellation settles nothing: the claim lapses
and another worker takes over. What is logged has a stable `event`, and its reason in the message;
never an address, a code, a link, a payload, or the text of an exception that is not ours
(SECURITY rule 13).
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from enum import Enum
from typing import Final

from pwless_middleware.core.jobs import Job, Jobs
from pwless_middleware.errors import DeliveryError, StoreError, where

_log = logging.getLogger("pwless.delivery")

DELIVERY_SECONDS: Final = 45.0
"""How long one delivery may take; leaves 15 s of its claim for settling it."""

_LONGEST_BACKOFF: Final = 60  # seconds; a challenge lives 60 to 600 s (SECURITY, "Numbers")
_LONGEST_OUTAGE_PAUSE: Final = 5.0  # seconds; a store that is back should soon be noticed
_WAIT: Final = 1.0  # seconds on `Jobs.wait` at a time: the finest step of the back-off
_SETTLE_TRIES: Final = 4  # with pauses of 1, 2 and 4 s: inside what the claim has left
_FAILING_AFTER: Final = 3  # tries in a row; one greylisted recipient is no outage
_NOT_FOR_LOGS = re.compile(r"\S*(?:@|://)\S*")


class Outcome(Enum):
    """Say how one delivery ended, where it did not fail."""

    SENT = "sent"
    """The mailer took it."""
    DROPPED = "dropped"
    """There is nothing to send any more: nobody to serve, used, or expired untried."""
    EXPIRED = "expired"
    """It was still failing when its challenge expired."""
    NOT_OURS = "not_ours"
    """The key it was made under is unknown in this process."""


def _told(reason: str) -> str:
    """Strike addresses and links from a reason: a mailer of the host's may have quoted one."""
    return _NOT_FOR_LOGS.sub("…", reason)


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
        deliver: turns a payload into a mail, sends it and says how that ended. Raises
            `DeliveryError` when the mailer does; any other exception counts as temporary.
        clock: whole unix seconds.
        parallel: deliveries at a time in one event loop.
        jitter: a number in [0, 1), evenly spread, so that retries do not come in step.
        deadline: seconds for one delivery; below `CLAIM_SECONDS`.
        pause: sleeps through a store's outage.
    """

    def __init__(
        self,
        jobs: Jobs,
        deliver: Callable[[bytes], Awaitable[Outcome]],
        *,
        clock: Callable[[], int],
        parallel: int = 8,
        jitter: Callable[[], float] = random.random,
        deadline: float = DELIVERY_SECONDS,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._jobs = jobs
        self._deliver = deliver
        self._clock = clock
        self._parallel = parallel
        self._jitter = jitter
        self._deadline = deadline
        self._pause = pause
        self._running: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._is_store_down = False
        self._last_error_at: int | None = None

    @property
    def is_failing(self) -> bool:
        """True while the store is out of reach, or the last three tries or more all failed."""
        return self._is_store_down or self._failures >= _FAILING_AFTER

    @property
    def last_error_at(self) -> int | None:
        """When something last went wrong, unix seconds; `None` when nothing has yet."""
        return self._last_error_at

    async def run(self) -> None:
        """Deliver until cancelled. Start it as a task, one in each event loop."""
        outages = 0
        mine: set[asyncio.Task[None]] = set()
        # On cancellation the group cancels its deliveries and waits until they have stopped.
        async with asyncio.TaskGroup() as group:
            while True:
                _end_if_cancelled()
                if len(mine) >= self._parallel:
                    await asyncio.wait(mine, return_when=asyncio.FIRST_COMPLETED)
                    continue
                try:
                    jobs = await self._jobs.claim(
                        now=self._clock(), limit=self._parallel - len(mine)
                    )
                    self._note_store_up()
                    outages = 0
                    if not jobs:
                        await self._jobs.wait(timeout=_WAIT)
                except Exception as error:
                    self._note_store_down(error)
                    await self._pause(min(_LONGEST_OUTAGE_PAUSE, 2.0 ** min(outages, 3)))
                    outages += 1
                    continue
                for job in jobs:
                    task = group.create_task(self._handle(job))
                    for tasks in (mine, self._running):
                        tasks.add(task)
                        task.add_done_callback(tasks.discard)

    async def run_due(self) -> int:
        """Deliver what is due at this second and return how many jobs that were.

        What fails is put back for a later second, and so is not tried twice in one call.

        Raises:
            StoreError: the queue could not be asked.
        """
        now = self._clock()
        handled = 0
        while jobs := await self._jobs.claim(now=now, limit=self._parallel):
            self._note_store_up()
            await asyncio.gather(*(self._handle(job) for job in jobs))
            handled += len(jobs)
        return handled

    async def drain(self, timeout: float) -> None:  # noqa: ASYNC109 # an upper bound, no error
        """Deliver what is due before the process ends; call it, then cancel `run`.

        Args:
            timeout: seconds; what is left then, or waits for its next try, stays in the queue.
        """
        try:
            async with asyncio.timeout(timeout):
                await self.run_due()
                loop = asyncio.get_running_loop()
                if here := [task for task in self._running if task.get_loop() is loop]:
                    await asyncio.wait(here)
        except TimeoutError:
            _log.warning(
                "mails left in the queue at shutdown: not sent within %g s",
                timeout,
                extra={"event": "mail_drain_timeout"},
            )
        except Exception as error:
            self._note_store_down(error)

    async def _handle(self, job: Job) -> None:
        """Deliver one job and settle it. Raises nothing but what ends the task."""
        try:
            async with asyncio.timeout(self._deadline):
                outcome = await self._deliver(job.payload)
        except DeliveryError as error:
            if error.permanent:
                reason = _told(str(error))
                self._last_error_at = self._clock()
                self._report(job, reason)
                await self._settle(lambda: self._jobs.bury(job, reason=reason))
            else:
                await self._again(job, _told(str(error)))
        except StoreError as error:
            self._note_store_down(error)
            await self._again(job, "the store could not be asked")
        except TimeoutError:
            await self._again(job, f"no end after {self._deadline:g} s")
        except Exception as error:
            _log.error(
                "delivery failed unexpectedly:\n%s",
                where(error),
                extra={"event": "mail_try_crashed", "tries": job.tries},
            )
            await self._again(job, type(error).__name__)
        else:
            await self._conclude(job, outcome)

    async def _conclude(self, job: Job, outcome: Outcome) -> None:
        """Settle a job whose delivery did not fail."""
        if outcome is Outcome.NOT_OURS:
            uncounted = replace(job, tries=job.tries - 1)
            await self._settle(lambda: self._jobs.retry(uncounted, at=self._clock() + 1))
            return
        if outcome is Outcome.EXPIRED:
            self._report(job, "expired before it could be delivered")
        elif outcome is Outcome.SENT:
            self._note_sent()
        await self._settle(lambda: self._jobs.complete(job))

    async def _again(self, job: Job, reason: str) -> None:
        """Put a job back, later each time."""
        backoff = min(_LONGEST_BACKOFF, 2 ** min(job.tries, 6))
        # Whole seconds, as all time in the store: the spread shows from the third try on.
        delay = max(1, round(backoff * (0.8 + 0.4 * self._jitter())))
        self._last_error_at = self._clock()
        self._failures += 1
        _log.log(
            # Once loudly as an outage begins, not for each mail that waits in it.
            logging.WARNING if self._failures == _FAILING_AFTER else logging.INFO,
            "mail delayed, next try in %d s: %s",
            delay,
            reason,
            extra={"event": "mail_delayed", "reason": reason, "tries": job.tries + 1},
        )
        await self._settle(lambda: self._jobs.retry(job, at=self._clock() + delay))

    async def _settle(self, verb: Callable[[], Awaitable[None]]) -> None:
        """Tell the store how a job ended, through a short outage too.

        A mail that went out and could not be marked so would go out again when its claim lapses.
        """
        for attempt in range(_SETTLE_TRIES):
            if attempt:
                await self._pause(2.0 ** (attempt - 1))
            try:
                await verb()
            except Exception as error:
                self._note_store_down(error)
            else:
                self._note_store_up()
                return

    def _report(self, job: Job, reason: str) -> None:
        """Log that an accepted mail will not be delivered."""
        _log.warning(
            "mail not delivered after %d tries: %s",
            job.tries + 1,
            reason,
            extra={"event": "mail_not_delivered", "reason": reason, "tries": job.tries + 1},
        )

    def _note_sent(self) -> None:
        if self._failures >= _FAILING_AFTER:
            _log.info("mails are delivered again", extra={"event": "mail_recovered"})
        self._failures = 0

    def _note_store_down(self, error: Exception) -> None:
        """Log the store's first error of an outage, and a defect of ours each time."""
        self._last_error_at = self._clock()
        is_news = not self._is_store_down
        self._is_store_down = True
        if not isinstance(error, StoreError):
            _log.error(
                "delivery queue failed unexpectedly:\n%s",
                where(error),
                extra={"event": "mail_queue_crashed"},
            )
        elif is_news:
            _log.error(
                "delivery queue out of reach: %s",
                error,
                extra={"event": "mail_queue_down", "reason": str(error)},
            )

    def _note_store_up(self) -> None:
        if self._is_store_down:
            _log.info("delivery queue is back", extra={"event": "mail_queue_up"})
        self._is_store_down = False
