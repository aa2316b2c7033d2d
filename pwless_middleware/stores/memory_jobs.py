"""The delivery queue of the memory store: jobs in this process, a bounded number of them."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from threading import RLock

from pwless_middleware.core.storage.job import CLAIM_SECONDS, Job, JobCount, JobState, ListedJob

_BURIED = 1000
"""Jobs that the dead list keeps, the newest ones."""

_Entry = tuple[int, int, Job]
"""From when it is due, its number, and the job."""


class MemoryJobs:
    """Queue jobs in this process (`core.storage.job.Jobs` has the promises).

    Args:
        most: jobs that may wait, claimed ones included.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._lock = RLock()
        self._due: list[_Entry] = []
        self._again: list[_Entry] = []  # put back: behind what was never tried
        self._claimed: dict[str, tuple[int, Job]] = {}
        self._dead: dict[str, ListedJob] = {}  # in the order of their burial
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
    def dead(self) -> Sequence[Job]:
        """The last jobs that were buried, oldest first."""
        return tuple(each.job for each in self._dead.values())

    def add(self, payload: bytes, *, now: int) -> None:
        """Accept a job and wake who waits; the caller has asked `has_room` under its own lock."""
        with self._lock:
            number = next(self._numbers)
            job = Job(id=str(number), payload=payload, tries=0, queued_at=now)
            heapq.heappush(self._due, (now, number, job))
            self._wake()

    def _wake(self) -> None:
        self._has_new = True
        for loop, event in list(self._waiters):
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    # --- for workers ---------------------------------------------------------------------------

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

    async def retry(self, job: Job, *, at: int, reason: str = "") -> None:
        """Make a job claimable again from `at`."""
        with self._lock:
            if self._claimed.pop(job.id, None) is not None:
                again = replace(job, tries=job.tries + 1, reason=reason)
                heapq.heappush(self._again, (at, next(self._numbers), again))

    async def bury(self, job: Job, *, reason: str, at: int) -> None:
        """Move a job to the dead list."""
        with self._lock:
            if self._claimed.pop(job.id, None) is not None:
                buried, place = replace(job, reason=reason), str(next(self._numbers))
                self._dead[job.id] = ListedJob(buried, at, is_claimed=False, place=place)
                while len(self._dead) > _BURIED:
                    del self._dead[next(iter(self._dead))]

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

    # --- for people ----------------------------------------------------------------------------

    async def count(self, *, now: int) -> JobCount:
        """Return how many jobs there are."""
        with self._lock:
            waiting = self._waiting(now)
            return JobCount(
                waiting=len(waiting),
                due=sum(each.at <= now and not each.is_claimed for each in waiting),
                dead=len(self._dead),
                oldest=min((each.job.queued_at for each in waiting), default=None),
            )

    async def list(
        self, state: JobState, *, now: int, after: str = "", limit: int
    ) -> Sequence[ListedJob]:
        """Return some of the jobs."""
        if not re.fullmatch("[0-9]{0,18}", after):
            raise ValueError("no place of a job")
        place = int(after or 0)
        with self._lock:
            if state == "dead":
                dead = reversed(self._dead.values())
                found = [each for each in dead if not place or int(each.place) < place]
            else:
                waiting = sorted(self._waiting(now), key=lambda each: int(each.place))
                found = [each for each in waiting if int(each.place) > place]
        return found[:limit]

    async def revive(self, ids: Sequence[str], *, now: int) -> int:
        """Have jobs tried at once that are dead, or wait for a later try."""
        wanted = set(ids)
        with self._lock:
            later = [each for each in self._again if each[0] > now and each[2].id in wanted]
            self._again = [each for each in self._again if each not in later]
            revived = [job for _, _, job in later]
            revived += [self._dead.pop(id).job for id in wanted & self._dead.keys()]
            for job in sorted(revived, key=lambda job: int(job.id)):
                again = replace(job, tries=0, reason="")
                self._again.append((now, next(self._numbers), again))
            heapq.heapify(self._again)
            if revived:
                self._wake()
            return len(revived)

    async def drop(self, ids: Sequence[str]) -> int:
        """Remove jobs, dead or waiting."""
        wanted = set(ids)
        with self._lock:
            before = len(self) + len(self._dead)
            for heap in (self._due, self._again):
                heap[:] = [each for each in heap if each[2].id not in wanted]
                heapq.heapify(heap)
            for id in wanted:
                self._claimed.pop(id, None)
                self._dead.pop(id, None)
            return before - len(self) - len(self._dead)

    def _waiting(self, now: int) -> Sequence[ListedJob]:
        waiting = [(at, job, False) for heap in (self._due, self._again) for at, _, job in heap]
        waiting += [(job.queued_at, job, until > now) for until, job in self._claimed.values()]
        return [ListedJob(job, at, is_claimed, job.id) for at, job, is_claimed in waiting]
