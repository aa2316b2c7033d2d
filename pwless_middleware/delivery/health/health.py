"""Whether messages go out on one channel, seen from the tries of a process, and the log lines.

An outage is a fault of the way out: three tries in a row that failed at the connection, the login
or the sender; of text messages also three that were refused for good, as a gateway does whose
account may not send. What a mail server says about one recipient (a 4xx reply, as greylisting
gives) is none; three recipients in a row of whom none was taken are, since a relay that has had
enough of us says so to each of them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from pwless_middleware.delivery.queue.outcomes import Channel

_log = logging.getLogger("pwless.delivery")

FAILING_AFTER: Final = 3
"""Tries in a row, or recipients."""
_OF: Final[dict[Channel, str]] = {"mail": "", "sms": " of a text message"}


class Health:
    """Keep count of what fails on a channel, and log the beginning and the end of an outage.

    Args:
        clock: whole unix seconds.
        channel: which.
    """

    def __init__(self, clock: Callable[[], int], channel: Channel = "mail") -> None:
        self._clock = clock
        self._channel = channel
        self._failures = 0
        self._deferred: set[int] = set()
        self._failing_since: int | None = None
        self.last_error_at: int | None = None
        """When something last went wrong, unix seconds; `None` when nothing has yet."""

    @property
    def is_down(self) -> bool:
        """Whether messages do not go out."""
        return max(self._failures, len(self._deferred)) >= FAILING_AFTER

    @property
    def down_since(self) -> int | None:
        """Since when messages do not go out, unix seconds; `None` where they do.

        Since the first of the tries in a row that failed, not since the third.
        """
        return self._failing_since if self.is_down else None

    def note_error(self) -> None:
        """Note that something went wrong, and no more."""
        self.last_error_at = self._clock()

    def _note_failing(self) -> None:
        self.note_error()
        if self._failing_since is None:
            self._failing_since = self.last_error_at

    def note_failure(
        self, reason: str, *, tries: int, delay: int, recipient: str | None = None
    ) -> None:
        """Note a try that failed and will be repeated.

        Args:
            reason: for the log.
            tries: how many the message has had.
            delay: seconds until the next.
            recipient: whom the server did not want now; `None` where that was not the reason.
        """
        was_down = self.is_down
        self._note_failing()
        if recipient is None:
            self._failures += 1
        elif len(self._deferred) < FAILING_AFTER:
            self._deferred.add(hash(recipient))
        _log.log(
            # Once loudly as an outage begins, not for each message that waits in it.
            logging.WARNING if self.is_down and not was_down else logging.INFO,
            "delivery%s delayed, next try in %d s: %s",
            _OF[self._channel],
            delay,
            reason,
            extra={"event": f"{self._channel}_delayed", "reason": reason, "tries": tries},
        )

    def note_refusal(self) -> None:
        """Note that a message was refused for good, and not for its recipient's sake."""
        self._note_failing()
        self._failures += 1

    def note_sent(self) -> None:
        """Note that a message was taken."""
        if self.is_down:
            _log.info(
                "deliveries%s succeed again",
                " of text messages" if self._channel == "sms" else "",
                extra={"event": f"{self._channel}_recovered"},
            )
        self._failures = 0
        self._deferred.clear()
        self._failing_since = None

    def report_undelivered(self, reason: str, *, tries: int) -> None:
        """Log that an accepted message is given up: it does not go out.

        Args:
            reason: for the log.
            tries: how many it has had.
        """
        _log.warning(
            "%snot delivered after %d tries: %s",
            "text message " if self._channel == "sms" else "",
            tries,
            reason,
            extra={"event": f"{self._channel}_not_delivered", "reason": reason, "tries": tries},
        )
