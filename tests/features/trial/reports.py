"""Trial features: two that have work to do later, in one queue with the mails."""

from __future__ import annotations

from pwless_middleware.kit import Kit, Mounted, Outcome, QueuedJob


class Weekly:
    """Write a report each week, by a job."""

    def __init__(self, topic: str = "reports") -> None:
        self.topic = topic
        self.written: list[bytes] = []

    def mount(self, kit: Kit) -> Mounted:
        """Return who writes the reports."""
        self.kit = kit
        return Mounted(jobs={self.topic: self._write})

    async def _write(self, job: QueuedJob) -> Outcome:
        self.written.append(job.body)
        return Outcome.DONE


class Monthly(Weekly):
    """Write a report each month."""
