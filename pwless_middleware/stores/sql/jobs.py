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
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from pwless_middleware.core.storage.job import CLAIM_SECONDS, Job, JobCount, JobState, ListedJob
from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Steps
from pwless_middleware.errors import StoreError
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.stores.batches import Batches
from pwless_middleware.stores.sql.statements import (
    ADD_AGAIN,
    BRING_FORWARD,
    BURY,
    CLAIM,
    COMPLETE,
    COUNT_ALL_JOBS,
    DELETE_CLAIMED,
    DROP_WAITING,
    FORGET_DEAD,
    GIVE_BACK,
    HAS_DUE,
    HOLD,
    LIST_DEAD,
    LIST_WAITING,
    RETRY,
    TAKE_DEAD,
)

DEAD_AFTER: Final = 5
"""Seconds without a heartbeat after which a process counts as dead and its jobs go to others."""
_HEARTBEAT: Final = 1.5
_POLL: Final = 0.4
_BURIED: Final = 1000
_DEAD: Final = "d"
"""Before the number of a dead job in its id: the two tables number by themselves."""
_LAST: Final = 2**63 - 1
_NUMBER: Final = re.compile(r"[0-9]{1,18}")


class _Worker:
    """What one event loop has of the queue: its name, the jobs that it holds, its heartbeat."""

    def __init__(self, complete: Callable[[Sequence[str]], Awaitable[Sequence[None]]]) -> None:
        self.completed: Batches[str, None] = Batches(complete, under_way=1)
        self.name = secrets.token_hex(8)
        self.held: set[str] = set()
        self.wake = asyncio.Event()
        self.heart: asyncio.Task[None] | None = None


class SQLJobs:
    """Queue jobs in a database (`core.storage.job.Jobs` has the promises).

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
            Job(id=str(id), payload=payload, tries=tries, queued_at=queued, reason=reason)
            for _, _, id, payload, tries, queued, reason in sorted(rows)
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

    async def retry(self, job: Job, *, at: int, reason: str = "") -> None:
        """Make a job claimable again from `at`."""
        worker = self._workers.here()
        query = RETRY(at, job.tries + 1, reason, int(job.id), worker.name)
        await self._database.execute(query)
        worker.held.discard(job.id)

    async def bury(self, job: Job, *, reason: str, at: int) -> None:
        """Move a job to the dead list."""
        worker = self._workers.here()
        await self._database.transact(lambda: _bury(job, worker.name, reason, at), locks=())
        worker.held.discard(job.id)

    async def wait(self, *, timeout: float) -> None:  # noqa: ASYNC109  # the protocol's own bound
        """Return when a job was accepted here, or after 0.2 to 0.4 s: then `claim` is the look.

        Nobody wakes the workers of other processes: theirs look several times a second anyway, for
        retries that become due and workers that have died, and a look is one read.
        """
        poll = _POLL * random.uniform(0.5, 1)  # noqa: S311  # only spreads the load
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(timeout, poll)):
                await self._workers.here().wake.wait()

    # --- for people ----------------------------------------------------------------------------

    async def count(self, *, now: int) -> JobCount:
        """Return how many jobs there are."""
        [(waiting, due, oldest, dead)] = await self._database.fetch(COUNT_ALL_JOBS(now, DEAD_AFTER))
        return JobCount(waiting=waiting, due=due, dead=dead, oldest=oldest)

    async def list(
        self, state: JobState, *, now: int, after: str = "", limit: int
    ) -> Sequence[ListedJob]:
        """Return some of the jobs."""
        place = _number(after) if after else None
        if state == "dead":
            query = LIST_DEAD(_LAST if place is None else place, limit)
            rows = [(*row, False) for row in await self._database.fetch(query)]
        else:
            query = LIST_WAITING(place or 0, limit, now, DEAD_AFTER)
            rows = [tuple(row) for row in await self._database.fetch(query)]
        prefix = _DEAD if state == "dead" else ""
        return [
            ListedJob(
                Job(f"{prefix}{id}", payload, tries, queued_at=queued, reason=reason),
                at=at,
                is_claimed=bool(is_claimed),
                place=str(id),
            )
            for id, payload, tries, queued, reason, at, is_claimed in rows
        ]

    async def revive(self, ids: Sequence[str], *, now: int) -> int:
        """Have jobs tried at once that are dead, or wait for a later try."""
        revived = await self._database.transact(lambda: _revive(*_split(ids), now), locks=())
        if revived:
            self.wake()
        return revived

    async def drop(self, ids: Sequence[str]) -> int:
        """Remove jobs, dead or waiting."""
        return await self._database.transact(lambda: _drop(*_split(ids)), locks=())

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


def _bury(job: Job, worker: str, reason: str, at: int) -> Steps[None]:
    rows = yield DELETE_CLAIMED(int(job.id), worker)
    for payload, queued in rows:
        yield BURY(int(job.id), payload, job.tries, reason, queued, at)
        yield FORGET_DEAD(_BURIED)


def _number(text: str) -> int:
    """Return the number of a row.

    Raises:
        ValueError: it is none.
    """
    if not _NUMBER.fullmatch(text):
        raise ValueError("no number of a job")
    return int(text)


def _split(ids: Iterable[str]) -> tuple[str, str]:
    """Return the numbers of waiting and of dead jobs, as the statements take them."""
    waiting: list[int] = []
    dead: list[int] = []
    for id in ids:
        number = id.removeprefix(_DEAD)
        if _NUMBER.fullmatch(number):
            (waiting if number == id else dead).append(int(number))
    return json.dumps(waiting), json.dumps(dead)


def _revive(waiting: str, dead: str, now: int) -> Steps[int]:
    forward = yield BRING_FORWARD(now, waiting)
    taken = yield TAKE_DEAD(dead)
    for _, payload, queued in sorted(taken):
        yield ADD_AGAIN(payload, now, queued)
    return len(forward) + len(taken)


def _drop(waiting: str, dead: str) -> Steps[int]:
    dropped = yield DROP_WAITING(waiting)
    taken = yield TAKE_DEAD(dead)
    return len(dropped) + len(taken)
