"""The jobs of the delivery queue, and what a store promises about them.

Theory. Accepting a send writes a job; a worker *claims* it, tries to deliver it, and *settles* it
in one of three ways: `complete` (nothing is left to do), `retry` (again from a given second) or
`bury` (never again, but kept where a person can look). A worker that dies settles nothing, so a
claim lapses by itself and another worker takes the job. The result is delivery at least once: a
mail may come twice after a crash, with the same code and link, but is never lost in silence.

The payload names a challenge, its generation and its end, and nothing more; code and link are
derived as the mail is made (security rule 13).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Final, Protocol

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
    """

    id: str
    payload: bytes = field(repr=False)
    tries: int


class Jobs(Protocol):
    """The delivery queue. Every verb may raise `StoreError` when the store cannot be asked."""

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

    async def retry(self, job: Job, *, at: int) -> None:
        """Make a job claimable again from `at` (unix seconds), with `job.tries + 1`.

        The count comes from the argument, not from what is stored: a worker that does not want
        this delivery to count passes the job with one try less.
        """
        ...

    async def bury(self, job: Job, *, reason: str) -> None:
        """Move a job to the dead list, which is bounded.

        Args:
            job: one that this worker has claimed.
            reason: for the person who looks; never holds an address or a secret.
        """
        ...

    async def wait(self, *, timeout: float) -> None:  # noqa: ASYNC109 # an upper bound, no error
        """Return when something may be due, or after `timeout` seconds.

        Level-triggered: returns at once where a job is due already, so that one which was put
        between an empty `claim` and this call is not slept over. Returning too early is allowed.
        """
        ...
