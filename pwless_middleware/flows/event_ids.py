"""The ids of the events that this process records."""

from __future__ import annotations

import os
import secrets

from pwless_middleware.core.event_id import SERIALS, format_event_id


class EventIds:
    """Give ids, from a random start in each process.

    A server may make the app before it forks: the children would else give the same ids.
    """

    def __init__(self) -> None:
        self._process = -1
        self._start = 0

    def format(self, at: int, count: int) -> str:
        """Return the id of this process's event of this count, at this unix second."""
        if self._process != os.getpid():
            self._process, self._start = os.getpid(), secrets.randbelow(SERIALS)
        return format_event_id(at, self._start + count)
