"""The jobs of the delivery queue, and what a store promises about them.

Theory. Accepting a send writes a job; a worker *claims* it, tries to deliver it, and *settles* it
in one of three ways: `complete` (nothing is left to do), `retry` (again from a given second) or
`bury` (never again, but kept where a person can look). A worker that dies settles nothing, so a
claim lapses by itself and another worker takes the job. The result is delivery at least once: a
mail may come twice after a crash, with the same code and link, but is never lost in silence.

The payload names a challenge, its generation and its end, and nothing more; code and link are
derived as the mail is made (security rule 13).

Beside the workers there are people who look: how many jobs there are, which, and why one was given
up. They may have a job tried again at once, or drop it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Final, Literal, Protocol

from pwless_middleware.core.dataclass import dataclass

CLAIM_SECONDS: Final = 60
"""How long a claimed job belongs to its worker; longer than a worker spends on one delivery."""


@dataclass(frozen=True, slots=True)
class Job:
    """One entry of the delivery queue.

    Attributes:
        id: the store's name for the entry; opaque to the worker.
        payload: what to deliver; opaque to the store. Not in `repr`, since it names a challenge.
        tries: deliveries that were tried and failed before this one; 0 at first.
        queued_at: when it was accepted, unix seconds; 0 where the store does not know.
        reason: why it was put back or buried the last time; empty where it was not.
    """

    id: str
    payload: bytes = field(repr=False)
    tries: int
    queued_at: int = 0
    reason: str = ""


JobState = Literal["waiting", "dead"]
"""Not settled, claimed ones included; or buried."""


@dataclass(frozen=True, slots=True)
class ListedJob:
    """A job as a person sees it.

    Attributes:
        job: its id is good for `Jobs.revive` and `Jobs.drop`, not for a worker's verbs.
        at: unix seconds; of one that waits, from when it is due; of a dead one, when it was buried,
            0 where the store does not know.
        is_claimed: whether a worker has it now.
        place: its place in the list, for the `after` of the next page.
    """

    job: Job
    at: int
    is_claimed: bool
    place: str


@dataclass(frozen=True, slots=True)
class JobCount:
    """How many jobs a queue has.

    Attributes:
        waiting: those that are not settled, claimed ones and later tries included.
        due: those of them that a worker could claim now.
        dead: those that were buried; at most as many as the dead list keeps.
        oldest: when the one was accepted that waits longest, unix seconds; `None` where none does.
            Where more than a thousand wait, perhaps only of the thousand that come next.
    """

    waiting: int
    due: int
    dead: int
    oldest: int | None


class WorkerJobs(Protocol):
    """The delivery queue as a worker has it. Every verb may raise `StoreError`."""

    async def claim(self, *, now: int, limit: int) -> Sequence[Job]:
        """Hand out at most `limit` jobs that are due at `now`, each to one caller only.

        What was put back by `retry` comes behind what was never put back, however long it has been
        due: an outage of one mail server must not delay the mails for all the others.
        A job that is not settled within `CLAIM_SECONDS` may be claimed again, by anyone.

        Args:
            now: unix seconds.
            limit: at least 1.
        """
        ...

    async def complete(self, job: Job) -> None:
        """Forget a job. One that is no longer there is not an error."""
        ...

    async def retry(self, job: Job, *, at: int, reason: str = "") -> None:
        """Make a job claimable again from `at` (unix seconds), with `job.tries + 1`.

        The count comes from the argument, not from what is stored: a worker that does not want
        this delivery to count passes the job with one try less.

        Args:
            job: one that this worker has claimed.
            at: unix seconds.
            reason: for the person who looks; never holds an address or a secret. Empty (default)
                where there is none to tell.
        """
        ...

    async def bury(self, job: Job, *, reason: str, at: int) -> None:
        """Move a job to the dead list, which keeps the newest thousand.

        Args:
            job: one that this worker has claimed.
            reason: as of `retry`.
            at: now, unix seconds.
        """
        ...

    async def wait(self, *, timeout: float) -> None:  # noqa: ASYNC109 # an upper bound, no error
        """Return when something may be due, or after `timeout` seconds.

        Level-triggered: returns at once where a job is due already, so that one which was put
        between an empty `claim` and this call is not slept over. Returning too early is allowed.
        """
        ...


class Jobs(WorkerJobs, Protocol):
    """The delivery queue. Every verb may raise `StoreError` when the store cannot be asked."""

    async def count(self, *, now: int) -> JobCount:
        """Return how many jobs there are; the work is bounded by the queue's own bound."""
        ...

    async def list(
        self, state: JobState, *, now: int, after: str = "", limit: int
    ) -> Sequence[ListedJob]:
        """Return some of the jobs; dead ones in the order of their burial, the newest first.

        One that changes its place meanwhile may be listed twice, or not at all.

        Args:
            state: which.
            now: unix seconds.
            after: only those behind this place (`ListedJob.place`); empty (default) for the first.
            limit: how many at most.

        Raises:
            ValueError: `after` is no place of such a list.
        """
        ...

    async def revive(self, ids: Sequence[str], *, now: int) -> int:
        """Have jobs tried at once that are dead, or wait for a later try; return how many were.

        They count as never tried, and come behind what was never put back. What is due already, or
        claimed, stays as it is. The queue's bound does not hold for them: there are no more dead
        ones than the dead list keeps.
        """
        ...

    async def drop(self, ids: Sequence[str]) -> int:
        """Remove jobs, dead or waiting; return how many were there.

        Of one that is claimed, the try under way goes on, and is the last.
        """
        ...
