"""Log lines about a database that cannot be asked, and about the end of that."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

logger = logging.getLogger("pwless.database")

_EVERY: Final = 10.0
"""Seconds between two lines of one cause."""


class Outage:
    """Log the cause of a failure, at most every ten seconds, and once that it is over.

    Args:
        what: does not work, e.g. "written".
        clock: monotonic seconds.
    """

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._reason = ""
        self._logged_at = 0.0
        self.is_on = False
        """Whether the last try has failed."""

    def begin(self, reason: str) -> None:
        """Log a failure."""
        now = self._clock()
        if self.is_on and reason == self._reason and now - self._logged_at < _EVERY:
            return
        self.is_on, self._reason, self._logged_at = True, reason, now
        logger.error(
            "the database cannot be %s: %s",
            self._what,
            reason,
            extra={"event": "database_down", "reason": reason},
        )

    def end(self) -> None:
        """Log that it works again, if it did not."""
        if self.is_on:
            self.is_on = False
            logger.warning(
                "the database can be %s again", self._what, extra={"event": "database_recovered"}
            )
