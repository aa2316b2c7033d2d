"""The delivery queue of the memory store: jobs in this process, a bounded number of them."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Sequence
from threading import RLock

from pwless_middleware.core.job import CLAIM_SECONDS, Job

_BURIED = 1000
"""Jobs that the dead list keeps, the newest ones."""


class MemoryJobs:
    """Queue jobs in this process (`core.job.Jobs` has the promises).

    Args:
        most: jobs that may wait, claimed ones included.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._lock = RLock()
        self._due: list[tuple[int, int, Job]] = []
        self._again: list[tuple[int, int, Job]] = []  # put back: behind what was never tried
        self._claimed: dict[str, tuple[int, Job]] = {}
        self._dead: deque[tuple[Job, str]] = deque(maxlen=_BURIED)
        self._numbers = itertools.count(1)
        self._waiters: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._has_new = False

    def __len__(self) -> int:
        """Return the number of jobs that are not settled."""
        return len(self._due) + len(self._again) + len(self._claimed)

    def has_room(self, number: int = 1) -> bool:
        """Whether so many more jobs stay within the bound."""
        return len(self) + number <= self._most

    @property
    def dead(self) -> Sequence[tuple[Job, str]]:
        """The last jobs that were buried, each with its reason, oldest first."""
        return tuple(self._dead)

    def add(self, payload: bytes, *, now: int) -> None:
        """Accept a job and wake who waits; the caller has asked `has_room` under its own lock."""
        with self._lock:
            number = next(self._numbers)
            heapq.heappush(self._due, (now, number, Job(id=str(number), payload=payload, tries=0)))
            self._has_new = True
            for loop, event in list(self._waiters):
                if not loop.is_closed():
                    loop.call_soon_threadsafe(event.set)

    async def claim(self, *, now: int, limit: int) -> Sequence[Job]:
        """Hand out jobs that are due, also those whose claim has lapsed."""
        with self._lock:
            self._has_new = False
            for id, (until, job) in list(self._claimed.items()):
                if until <= now:
                    del self._claimed[id]
                    heapq.heappush(self._due, (until, next(self._numbers), job))
            claimed: list[Job] = []
            for heap in (self._due, self._again):
                while heap and heap[0][0] <= now and len(claimed) < limit:
                    job = heapq.heappop(heap)[2]
                    self._claimed[job.id] = (now + CLAIM_SECONDS, job)
                    claimed.append(job)
            self._has_new = any(heap and heap[0][0] <= now for heap in (self._due, self._again))
            return claimed

    async def complete(self, job: Job) -> None:
        """Forget a job."""
        with self._lock:
            self._claimed.pop(job.id, None)

    async def retry(self, job: Job, *, at: int) -> None:
        """Make a job claimable again from `at`."""
        with self._lock:
            if self._claimed.pop(job.id, None) is not None:
                again = Job(id=job.id, payload=job.payload, tries=job.tries + 1)
                heapq.heappush(self._again, (at, next(self._numbers), again))

    async def bury(self, job: Job, *, reason: str) -> None:
        """Move a job to the dead list."""
        with self._lock:
            if self._claimed.pop(job.id, None) is not None:
                self._dead.append((job, reason))

    async def wait(self, *, timeout: float) -> None:  # noqa: ASYNC109  # the protocol's own bound
        """Return when a job comes in or one is due already, or after `timeout` seconds."""
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if self._has_new:
                return
            self._waiters.add(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter[1].wait()
        except TimeoutError:
            pass
        finally:
            self._waiters.discard(waiter)
