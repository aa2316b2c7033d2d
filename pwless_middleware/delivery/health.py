"""Whether mails go out, seen from the tries of a process, and the log lines about it.

An outage is a fault of the way out: three tries in a row that failed at the connection, the login
or the sender, or a store that cannot be asked. What a mail server says about one recipient (a 4xx
reply, as greylisting gives) is none; three recipients in a row of whom none was taken are, since a
relay that has had enough of us says so to each of them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from pwless_middleware.errors import StoreError
from pwless_middleware.tracebacks import traceback_without_text

_log = logging.getLogger("pwless.delivery")

_FAILING_AFTER: Final = 3
"""Tries in a row, or recipients."""


class Health:
    """Keep count of what fails, and log the beginning and the end of an outage.

    Args:
        clock: whole unix seconds.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._failures = 0
        self._deferred: set[int] = set()
        self._is_store_down = False
        self.last_error_at: int | None = None
        """When something last went wrong, unix seconds; `None` when nothing has yet."""

    @property
    def is_failing(self) -> bool:
        """Whether the store is out of reach, or mails do not go out."""
        return self._is_store_down or self._is_mail_down

    @property
    def _is_mail_down(self) -> bool:
        return max(self._failures, len(self._deferred)) >= _FAILING_AFTER

    def note_error(self) -> None:
        """Note that something went wrong, and no more."""
        self.last_error_at = self._clock()

    def note_failure(
        self, reason: str, *, tries: int, delay: int, recipient: str | None = None
    ) -> None:
        """Note a try that failed and will be repeated.

        Args:
            reason: for the log.
            tries: how many the mail has had.
            delay: seconds until the next.
            recipient: whom the server did not want now; `None` where that was not the reason.
        """
        was_down = self._is_mail_down
        self.note_error()
        if recipient is None:
            self._failures += 1
        elif len(self._deferred) < _FAILING_AFTER:
            self._deferred.add(hash(recipient))
        _log.log(
            # Once loudly as an outage begins, not for each mail that waits in it.
            logging.WARNING if self._is_mail_down and not was_down else logging.INFO,
            "delivery delayed, next try in %d s: %s",
            delay,
            reason,
            extra={"event": "mail_delayed", "reason": reason, "tries": tries},
        )

    def note_sent(self) -> None:
        """Note that a mail was taken."""
        if self._is_mail_down:
            _log.info("deliveries succeed again", extra={"event": "mail_recovered"})
        self._failures = 0
        self._deferred.clear()

    def note_store_down(self, error: Exception) -> None:
        """Log the store's first error of an outage, and a defect of ours each time."""
        self.note_error()
        is_news = not self._is_store_down
        self._is_store_down = True
        if not isinstance(error, StoreError):
            _log.error(
                "delivery queue failed unexpectedly:\n%s",
                traceback_without_text(error),
                extra={"event": "mail_queue_crashed"},
            )
        elif is_news:
            _log.error(
                "delivery queue out of reach: %s",
                error,
                extra={"event": "mail_queue_down", "reason": str(error)},
            )

    def note_store_up(self) -> None:
        """Log the end of the store's outage."""
        if self._is_store_down:
            _log.info("delivery queue is back", extra={"event": "mail_queue_up"})
        self._is_store_down = False
