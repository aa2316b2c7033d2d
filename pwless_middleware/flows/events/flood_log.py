"""Log lines of what a flood repeats: the first at once, then one a minute with the number of more.

A refused request must cost an attacker more than it costs the log; and an operator must still see
how large the flood is.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

SECONDS = 60.0


class FloodLog:
    """Log warnings, each text at most once in a minute; what was held back is counted and told.

    Args:
        logger: takes the lines.
        clock: monotonic seconds.
    """

    def __init__(self, logger: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._clock = clock
        self._held: dict[str, tuple[float, int]] = {}

    def warning(self, text: str, **extra: str) -> None:
        """Log a text of a closed vocabulary, in the running event loop; nothing a client typed.

        Args:
            text: the line.
            extra: fields of the record; of one text always the same.
        """
        now = self._clock()
        since, count = self._held.get(text, (now, -1))
        if count >= 0 and now - since < SECONDS:
            self._held[text] = (since, count + 1)
            return
        if count > 0:  # the loop whose timer would have told it has ended
            self._tell(text, extra)
        self._held[text] = (now, 0)
        self._logger.warning("%s", text, extra=extra)
        asyncio.get_running_loop().call_later(SECONDS, self._end, text, now, extra)

    def _end(self, text: str, since: float, extra: dict[str, str]) -> None:
        """End a minute, if it is still this one."""
        if self._held.get(text, (None, 0))[0] == since:
            self._tell(text, extra)

    def _tell(self, text: str, extra: dict[str, str]) -> None:
        _, count = self._held.pop(text)
        if count:
            more = extra | {"more": str(count)}
            self._logger.warning("%s, %d times more in a minute", text, count, extra=more)
