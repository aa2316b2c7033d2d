"""Log lines about a database that cannot be asked, and about the end of that."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

logger = logging.getLogger("pwless.database")

_EVERY: Final = 10.0
"""Seconds between two lines of one cause, also where it goes and comes, or two take turns."""
_MOST: Final = 20
"""Causes that are remembered."""


class Outage:
    """Log each cause of a failure, at most every ten seconds, and once that what was told is over.

    Args:
        what: does not work, e.g. "written".
        clock: monotonic seconds.
    """

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._logged: dict[str, float] = {}
        self._is_told = False
        self.is_on = False
        """Whether the last try has failed."""

    def begin(self, reason: str) -> None:
        """Log a failure."""
        now, self.is_on = self._clock(), True
        if now - self._logged.get(reason, now - _EVERY) < _EVERY:
            return
        if len(self._logged) >= _MOST:
            self._logged.clear()
        self._logged[reason], self._is_told = now, True
        logger.error(
            "the database cannot be %s: %s",
            self._what,
            reason,
            extra={"event": "database_down", "reason": reason},
        )

    def end(self) -> None:
        """Log that it works again, if it was told that it does not."""
        self.is_on = False
        if self._is_told:
            self._is_told = False
            logger.warning(
                "the database can be %s again", self._what, extra={"event": "database_recovered"}
            )
