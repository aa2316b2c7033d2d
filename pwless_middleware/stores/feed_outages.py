"""Log lines about a feed that is interrupted: one for each outage, and no flood of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Final

_log = logging.getLogger("pwless.store")

_EVERY: Final = 10.0
"""Seconds between two lines, also where a connection comes and goes twenty times in one."""


class FeedOutages:
    """Log each outage of a feed once, and at most one line in ten seconds.

    An outage that began within the ten seconds and lasts is logged at their end.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._logged_at = -inf
        self._is_told = False

    def note(self, reason: Exception) -> None:
        """Note that the feed does not work: an outage begins, or goes on."""
        now = self._clock()
        if self._is_told or now - self._logged_at < _EVERY:
            return
        self._is_told, self._logged_at = True, now
        _log.warning(
            "the revocation feed is interrupted: %s", reason, extra={"event": "feed_interrupted"}
        )

    def end(self) -> None:
        """Note that it works: the next one is another outage."""
        self._is_told = False
