"""The delivery queue over Redis: a stream with one consumer group, read by every process.

    accepted ──▶ stream ──claim──▶ pending ──complete──▶ gone
                   ▲                 │  ├──bury──▶ dead list (the newest 1,000)
                   └─due─ delayed ◀─retry

A process that holds jobs says so every 1.5 s (XCLAIM to itself, which resets their idle time). When
it dies, its jobs are idle; 5 s later the next `claim` of any process takes them over, and every
process claims several times a second, with or without traffic. A job that its own process does not
settle within `CLAIM_SECONDS` is given up in the same way.

The payload is opaque and holds no secret; nothing else is in the stream but the number of tries.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
import secrets
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from time import monotonic
from typing import Final

from pwless_middleware.core.storage.job import CLAIM_SECONDS, Job, JobCount, JobState, ListedJob
from pwless_middleware.errors import StoreError
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.stores.batches import Batches
from pwless_middleware.stores.redis.job_lists import (
    DEAD,
    DEAD_AFTER,
    DELAYED,
    GROUP,
    STREAM,
    RedisJobLists,
    pack_reason,
    read_job,
)
from pwless_middleware.stores.redis.plans import Plan
from pwless_middleware.stores.redis.scripts import CLAIM, COMPLETE, HOLD, LEAVE, SETTLE
from pwless_middleware.stores.redis.server import RedisServer

_HEARTBEAT: Final = 1.5
_POLL: Final = 0.4
_TIDY_EVERY: Final = 60.0
_FORGOTTEN_AFTER: Final = 600.0
_BURIED: Final = 1000


class _Worker:
    """What one event loop has of the queue: its consumer and the jobs that it holds."""

    def __init__(self, complete: Callable[[Sequence[str]], Awaitable[Sequence[None]]]) -> None:
        self.completed: Batches[str, None] = Batches(complete, under_way=1)
        self.consumer = secrets.token_hex(8)
        self.held: dict[str, tuple[int, float]] = {}  # id → until: caller's now, monotonic
        self.wake = asyncio.Event()
        self.heart: asyncio.Task[None] | None = None
        self.tidied = 0.0


class RedisJobs:
    """Queue jobs in Redis (`core.storage.job.Jobs` has the promises).

    Args:
        server: where.
        prefix: what every key begins with, its colon included.
    """

    def __init__(self, server: RedisServer, prefix: str) -> None:
        self._server = server
        self._prefix = prefix
        self._lists = RedisJobLists(server, prefix)
        self._workers: PerLoop[_Worker] = PerLoop(lambda: _Worker(self._complete))

    def wake(self) -> None:
        """Wake the waiters of this event loop: a job was accepted."""
        self._workers.here().wake.set()

    async def claim(self, *, now: int, limit: int) -> Sequence[Job]:
        """Hand out jobs that are due, also those whose worker has died."""
        worker = self._workers.here()
        worker.wake.clear()
        late = [id for id, (until, _) in worker.held.items() if until <= now]
        for id in late:
            del worker.held[id]
        plan = self._plan(worker, now).set(limit=limit, dead_after=int(DEAD_AFTER * 1000))
        plan.key(DELAYED)
        for id in late:
            plan.value(id)
        if monotonic() - worker.tidied > _TIDY_EVERY:
            worker.tidied = monotonic()
            plan.set(tidy=int(_FORGOTTEN_AFTER * 1000))
        reply = await self._server.within(lambda: self._server.run(CLAIM, plan))
        each = iter(reply)
        jobs = [read_job(*fields) for fields in zip(each, each, each, each, each, strict=True)]
        for job in jobs:
            worker.held[job.id] = (now + CLAIM_SECONDS, monotonic() + CLAIM_SECONDS)
        if jobs and (worker.heart is None or worker.heart.done()):
            worker.heart = asyncio.get_running_loop().create_task(self._beat(worker))
        if len(jobs) == limit:
            worker.wake.set()  # there may be more
        return jobs

    async def complete(self, job: Job) -> None:
        """Forget a job; those that end while one call is under way share the next."""
        await self._workers.here().completed.ask(job.id)

    async def _complete(self, ids: Sequence[str]) -> Sequence[None]:
        worker = self._workers.here()
        plan = self._plan(worker, 0)
        for id in ids:
            plan.value(id)
        await self._server.within(lambda: self._server.run(COMPLETE, plan))
        for id in ids:
            worker.held.pop(id, None)
        return [None] * len(ids)

    async def retry(self, job: Job, *, at: int, reason: str = "") -> None:
        """Make a job claimable again from `at`."""
        plan = self._plan(self._workers.here(), 0).set(at=at, tries=job.tries + 1)
        plan.set(queued=job.queued_at, reason=pack_reason(reason))
        plan.value(job.payload)
        await self._settle(job, plan)

    async def bury(self, job: Job, *, reason: str, at: int) -> None:
        """Move a job to the dead list."""
        plan = self._plan(self._workers.here(), 0).set(dead=_BURIED)
        payload = base64.b64encode(job.payload).decode()
        plan.value(json.dumps([job.id, payload, job.tries, reason, job.queued_at, at]))
        await self._settle(job, plan)

    async def wait(self, *, timeout: float) -> None:  # noqa: ASYNC109  # the protocol's own bound
        """Return when a job was accepted here, or after 0.2 to 0.4 s: then `claim` is the look.

        A blocking read would hold a connection for each process, and would not see retries that
        become due or workers that have died; a claim of nothing costs 0.1 ms.
        """
        poll = _POLL * random.uniform(0.5, 1)  # noqa: S311  # only spreads the load
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(timeout, poll)):
                await self._workers.here().wake.wait()

    # --- for people ----------------------------------------------------------------------------

    async def count(self, *, now: int) -> JobCount:
        """Return how many jobs there are."""
        return await self._server.within(lambda: self._lists.count(now=now))

    async def list(
        self, state: JobState, *, now: int, after: str = "", limit: int
    ) -> Sequence[ListedJob]:
        """Return some of the jobs."""
        return await self._server.within(
            lambda: self._lists.list(state, now=now, after=after, limit=limit)
        )

    async def revive(self, ids: Sequence[str], *, now: int) -> int:
        """Have jobs tried at once that are dead, or wait for a later try."""
        return await self._server.within(lambda: self._lists.revive(ids, now=now))

    async def drop(self, ids: Sequence[str]) -> int:
        """Remove jobs, dead or waiting."""
        return await self._server.within(lambda: self._lists.drop(ids))

    async def aclose(self) -> None:
        """Give back the jobs that this event loop holds, so that others take them at once."""
        worker = self._workers.pop()
        if worker is None:
            return
        worker.held.clear()  # ends the heartbeat even where Python 3.11 loses a cancellation
        if worker.heart is not None:
            worker.heart.cancel()
            await asyncio.gather(worker.heart, return_exceptions=True)
        plan = self._plan(worker, 0)
        # Without Redis the jobs' idle time does the same, a little later.
        with contextlib.suppress(StoreError):
            await self._server.within(lambda: self._server.run(LEAVE, plan))

    def _plan(self, worker: _Worker, now: int) -> Plan:
        plan = Plan(self._prefix, now).set(group=GROUP, consumer=worker.consumer)
        plan.key(STREAM)
        return plan

    async def _settle(self, job: Job, plan: Plan) -> None:
        plan.key(DELAYED)
        plan.key(DEAD)
        await self._server.within(lambda: self._server.run(SETTLE, plan.set(id=job.id)))
        self._workers.here().held.pop(job.id, None)

    async def _beat(self, worker: _Worker) -> None:
        """Renew the claims of what is held here, until nothing is."""
        while worker.held:
            await asyncio.sleep(_HEARTBEAT)
            now = monotonic()
            ids = [id for id, (_, until) in worker.held.items() if until > now]
            plan = self._plan(worker, 0)
            for id in ids:
                plan.value(id)
            with contextlib.suppress(StoreError):
                await self._server.within(partial(self._server.run, HOLD, plan))
