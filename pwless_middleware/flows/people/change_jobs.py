"""Jobs that are queued before the change of which they tell, so that nothing happens in silence."""

from __future__ import annotations

from typing import Final

from pwless_middleware.delivery.queue.outcomes import Outcome
from pwless_middleware.flows.capabilities.topics import LONGEST, QueuedJob

UNDER_WAY: Final = 60
"""Seconds that a change may take; after that it did not come about, and is not told."""


def wait_for_change(job: QueuedJob, *, now: int) -> Outcome:
    """Have a job read again while what it tells of may still be under way; then drop it.

    Args:
        job: one whose change has not come about so far; it was queued to wait for a day.
        now: unix seconds.
    """
    return Outcome.NOT_YET if now < job.until - LONGEST + UNDER_WAY else Outcome.DROPPED
