"""Log why requests are answered 503; the pages name no cause."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from pwless_middleware.errors import ApiError, Unavailable

logger = logging.getLogger("pwless.unavailable")

_EVERY: Final = 10.0
"""Seconds between two lines of one cause: an outage answers 503 to every request."""
_MOST: Final = 100
"""Causes that are told apart at a time."""


class Outages:
    """Log the cause of each 503: at once, then every ten seconds with the number of answers.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._logged: dict[str, tuple[float, int]] = {}

    def note(self, error: ApiError) -> None:
        """Log an error that is about to be shown, if it hides its cause from the visitor."""
        if not isinstance(error, Unavailable):
            return
        reason, now = str(error), self._clock()
        logged_at, silent = self._logged.get(reason, (now - _EVERY, 0))
        if now - logged_at < _EVERY:
            self._logged[reason] = (logged_at, silent + 1)
            return
        if len(self._logged) >= _MOST:
            self._logged.clear()
        self._logged[reason] = (now, 0)
        since = f" (and {silent} times more since the last line)" if silent else ""
        logger.warning(
            "a request was answered 503: %s%s",
            reason,
            since,
            extra={"event": "unavailable", "reason": reason},
        )
