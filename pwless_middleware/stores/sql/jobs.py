"""The delivery queue in the database: a table of jobs, claimed by whoever asks first.

    accepted ──▶ lane 0 ──claim──▶ claimed ──complete──▶ gone
                                     │  ├──bury──▶ dead list (the newest 1,000)
                 lane 1 ◀───retry────┘

A process that holds jobs says so every 1.5 s. When it dies it says nothing; 5 s later, by the clock
of the database, the next `claim` of any process takes its jobs over. A job that its own process
does not settle within `CLAIM_SECONDS` is given up in the same way.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from pwless_middleware.core.job import CLAIM_SECONDS, Job
from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Steps
from pwless_middleware.errors import StoreError
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.stores.batches import Batches
from pwless_middleware.stores.sql.statements import (
    BURY,
    CLAIM,
    COMPLETE,
    DEAD,
    DELETE_CLAIMED,
    FORGET_DEAD,
    GIVE_BACK,
    HAS_DUE,
    HOLD,
    RETRY,
)

DEAD_AFTER: Final = 5
"""Seconds without a heartbeat after which a process counts as dead and its jobs go to others."""
_HEARTBEAT: Final = 1.5
_POLL: Final = 0.4
_BURIED: Final = 1000


class _Worker:
    """What one event loop has of the queue: its name, the jobs that it holds, its heartbeat."""

    def __init__(self, complete: Callable[[Sequence[str]], Awaitable[Sequence[None]]]) -> None:
        self.completed: Batches[str, None] = Batches(complete, under_way=1)
        self.name = secrets.token_hex(8)
        self.held: set[str] = set()
        self.wake = asyncio.Event()
        self.heart: asyncio.Task[None] | None = None


class SQLJobs:
    """Queue jobs in a database (`core.job.Jobs` has the promises).

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._workers: PerLoop[_Worker] = PerLoop(lambda: _Worker(self._complete))

    def wake(self) -> None:
        """Wake the waiters of this event loop: a job was accepted."""
        self._workers.here().wake.set()

    async def claim(self, *, now: int, limit: int) -> Sequence[Job]:
        """Hand out jobs that are due, also those whose worker has died."""
        worker = self._workers.here()
        worker.wake.clear()
        if not await self._database.fetch(HAS_DUE(now, DEAD_AFTER)):
            return []
        query = CLAIM(worker.name, now + CLAIM_SECONDS, now, DEAD_AFTER, limit)
        rows = await self._database.execute(query)
        jobs = [
            Job(id=str(id), payload=payload, tries=tries)
            for _, _, id, payload, tries in sorted(rows)
        ]
        worker.held.update(job.id for job in jobs)
        if jobs and (worker.heart is None or worker.heart.done()):
            worker.heart = asyncio.get_running_loop().create_task(self._beat(worker))
        if len(jobs) == limit:
            worker.wake.set()  # there may be more
        return jobs

    async def complete(self, job: Job) -> None:
        """Forget a job; those that end while one call is under way share the next."""
        await self._workers.here().completed.ask(job.id)

    async def _complete(self, ids: Sequence[str]) -> Sequence[None]:
        await self._database.execute(COMPLETE(_dumps(ids)))
        self._workers.here().held.difference_update(ids)
        return [None] * len(ids)

    async def retry(self, job: Job, *, at: int) -> None:
        """Make a job claimable again from `at`."""
        worker = self._workers.here()
        query = RETRY(at, job.tries + 1, int(job.id), worker.name)
        await self._database.execute(query)
        worker.held.discard(job.id)

    async def bury(self, job: Job, *, reason: str) -> None:
        """Move a job to the dead list."""
        worker = self._workers.here()
        await self._database.transact(lambda: _bury(job, worker.name, reason), locks=())
        worker.held.discard(job.id)

    async def dead(self) -> Sequence[tuple[Job, str]]:
        """Return the last jobs that were buried, each with its reason, oldest first."""
        rows = await self._database.fetch(DEAD())
        return [
            (Job(id=str(id), payload=payload, tries=tries), reason)
            for id, payload, tries, reason in rows
        ]

    async def wait(self, *, timeout: float) -> None:  # noqa: ASYNC109  # the protocol's own bound
        """Return when a job was accepted here, or after 0.2 to 0.4 s: then `claim` is the look.

        Nobody wakes the workers of other processes: theirs look several times a second anyway, for
        retries that become due and workers that have died, and a look is one read.
        """
        poll = _POLL * random.uniform(0.5, 1)  # noqa: S311  # only spreads the load
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(timeout, poll)):
                await self._workers.here().wake.wait()

    async def aclose(self) -> None:
        """Give back the jobs that this event loop holds, so that others take them at once."""
        worker = self._workers.pop()
        if worker is None:
            return
        worker.held.clear()  # ends the heartbeat even where Python 3.11 loses a cancellation
        if worker.heart is not None:
            worker.heart.cancel()
            await asyncio.gather(worker.heart, return_exceptions=True)
            # Also what it does not know of: a claim whose answer was lost. Without the database
            # its silence does the same, a little later.
            with contextlib.suppress(StoreError):
                await self._database.execute(GIVE_BACK(worker.name))

    async def _beat(self, worker: _Worker) -> None:
        """Say that the worker lives, until it holds nothing."""
        while worker.held:
            await asyncio.sleep(_HEARTBEAT)
            with contextlib.suppress(StoreError):
                await self._database.execute(HOLD(worker.name, _dumps(worker.held)))


def _dumps(ids: Iterable[str]) -> str:
    return json.dumps([int(id) for id in ids])


def _bury(job: Job, worker: str, reason: str) -> Steps[None]:
    rows = yield DELETE_CLAIMED(int(job.id), worker)
    for (payload,) in rows:
        yield BURY(int(job.id), payload, job.tries, reason)
        yield FORGET_DEAD(_BURIED)
