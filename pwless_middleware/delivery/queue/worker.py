"""The jobs that a worker has claimed and not settled; it gives them back when it ends.

A cancelled claim is a claim whose answer nobody took: its jobs would be lost to everybody until the
claim lapses. So a claim runs in a task of its own, and who ends waits for it, and then gives back
what it holds. A cancelled task of `asyncio` may never have begun, so that it is the worker that
gives back, not the delivery.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from pwless_middleware.core.storage.job import Job, WorkerJobs
from pwless_middleware.delivery.queue.outcomes import Channel
from pwless_middleware.delivery.queue.turns import MOST_WAITING, Turns
from pwless_middleware.errors import StoreError

LEAVE_SECONDS: Final = 2.0
"""How long a worker that ends waits for a claim under way, and again for giving back."""

Verb = Callable[[], Awaitable[None]]


class Places:
    """What the workers of one event loop share: so many deliveries at a time, all together.

    Args:
        parallel: so many mails.
        parallel_texts: so many text messages, which keep no mail back, nor the other way round;
            0 where nobody is known to send any.
    """

    def __init__(self, parallel: int, parallel_texts: int = 0) -> None:
        self.parallel = parallel
        self.changed = asyncio.Event()
        wake = self.changed.set
        self.turns: Mapping[Channel, Turns] = {
            "mail": Turns(parallel, on_wait=wake),
            "sms": Turns(max(1, parallel_texts), share=max(1, parallel_texts), on_wait=wake),
        }
        self._has_texts = parallel_texts > 0
        self.draining = asyncio.Event()
        self.workers: set[Worker] = set()
        self.holds = 0
        """Places that mails for nobody have."""

    @property
    def free(self) -> int:
        """How many jobs may be claimed: those that wait for their turn keep nobody back.

        Nobody knows what a job is before it is read. So where all places of the mails are taken,
        mails are read all the same as long as a text message behind them could go out; they wait
        for their turn, a bounded number of them.
        """
        mails, texts = self.turns["mail"], self.turns["sms"]
        tasks = sum(len(worker.tasks) for worker in self.workers)
        busy = tasks - mails.waiting - texts.waiting - texts.taken
        if busy < self.parallel or not self._has_texts:
            return max(0, self.parallel - busy)
        read = busy - mails.taken
        return max(0, min(texts.free, MOST_WAITING - mails.waiting) - read)

    async def one(self) -> int:
        """Wait until a job may be claimed, and return how many."""
        while not (free := self.free):
            self.changed.clear()
            await self.changed.wait()
        return free


@dataclass(eq=False, slots=True)
class Worker:
    """Claim jobs and see to them until they are settled, or given back.

    Attributes:
        places: the event loop's.
        jobs: the queue.
        handle: delivers one job and settles it.
        give_back: makes a job claimable at once.
        tasks: the deliveries that run, each with the job's id.
        held: job id to what the store is told about it if this worker has to leave now.
        begun: how many deliveries have been begun.
    """

    places: Places
    jobs: WorkerJobs
    handle: Callable[[Worker, Job], Awaitable[None]]
    give_back: Callable[[Job], Awaitable[None]]
    tasks: dict[asyncio.Future[None], str] = field(default_factory=dict)
    held: dict[str, Verb] = field(default_factory=dict)
    begun: int = 0
    _claims: set[asyncio.Task[int]] = field(default_factory=set)

    async def claim(self, now: int) -> int:
        """Begin to deliver what is due at `now` and finds a place; return how many jobs.

        Raises:
            StoreError: the queue could not be asked.
        """
        limit = await self.places.one()
        self.places.workers.add(self)
        # In a context of its own: a request's time limit is not the delivery's.
        claim = asyncio.get_running_loop().create_task(self._claim(now, limit), context=Context())
        self._claims.add(claim)
        claim.add_done_callback(self._claims.discard)
        return await asyncio.shield(claim)

    async def finish_claim(self) -> None:
        """Wait for the claim under way, if there is one."""
        if self._claims:
            await asyncio.wait(self._claims)

    async def finish(self) -> None:
        """Wait for the claim under way and for the deliveries that run."""
        while waited := self._claims | self.tasks.keys():
            await asyncio.wait(waited)

    async def leave(self) -> None:
        """End what runs, and tell the store what it has to know about what was claimed.

        Raises:
            StoreError: it could not be told; the claims will lapse.
        """
        if self._claims:
            _, late = await asyncio.wait(self._claims, timeout=LEAVE_SECONDS)
            for claim in late:
                claim.cancel()
        running = list(self.tasks)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        self.places.workers.discard(self)
        verbs, self.held = list(self.held.values()), {}
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                answers = await asyncio.gather(*(verb() for verb in verbs), return_exceptions=True)
        except TimeoutError as error:
            raise StoreError("the store did not answer in time") from error
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer

    async def _claim(self, now: int, limit: int) -> int:
        jobs = await self.jobs.claim(now=now, limit=limit)
        for job in jobs:
            self.held[job.id] = partial(self.give_back, job)
            task = asyncio.ensure_future(self.handle(self, job))
            self.tasks[task] = job.id
            task.add_done_callback(self._end)
        self.begun += len(jobs)
        return len(jobs)

    def _end(self, task: asyncio.Future[None]) -> None:
        del self.tasks[task]
        self.places.changed.set()
