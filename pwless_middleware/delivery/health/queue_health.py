"""Whether the delivery queue can be asked, and the log lines about it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from pwless_middleware.errors import StoreError
from pwless_middleware.tracebacks import traceback_without_text

_log = logging.getLogger("pwless.delivery")

_EVERY: Final = 10
"""Seconds between two lines about outages that come and go, as with a lock on the database."""


class QueueHealth:
    """Log the beginning and the end of an outage of the store.

    Args:
        clock: whole unix seconds.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self.down_since: int | None = None
        """Since when the store is out of reach, unix seconds; `None` where it is not."""
        self.last_error_at: int | None = None
        """When it last was, unix seconds; `None` when it has not been yet."""
        self._told_at: int | None = None
        self._is_told = False

    @property
    def is_down(self) -> bool:
        """Whether the store is out of reach."""
        return self.down_since is not None

    def note_down(self, error: Exception) -> None:
        """Log the store's first error of an outage, and a defect of ours each time."""
        now = self.last_error_at = self._clock()
        if not self.is_down:
            self.down_since = now
        # A clock that was stepped back silences nothing.
        is_recent = self._told_at is not None and 0 <= now - self._told_at < _EVERY
        is_news = not self._is_told and not is_recent
        if not isinstance(error, StoreError):
            self._is_told = True
            _log.error(
                "delivery queue failed unexpectedly:\n%s",
                traceback_without_text(error),
                extra={"event": "mail_queue_crashed"},
            )
        elif is_news:
            self._told_at, self._is_told = now, True
            _log.error(
                "delivery queue out of reach: %s",
                error,
                extra={"event": "mail_queue_down", "reason": str(error)},
            )

    def note_up(self) -> None:
        """Log the end of an outage of the store that was told."""
        if self._is_told:
            _log.info("delivery queue is back", extra={"event": "mail_queue_up"})
        self.down_since, self._is_told = None, False
