"""Tell who has waited too long for an answer, by one timer in each event loop.

All wait as long, so who began first has waited longest, and one timer for that one is enough. A
timer for each, which almost never rings, makes a write take a twentieth longer (our measurement).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class Patience:
    """Count how long futures of the running event loop are waited for.

    Args:
        seconds: how long each of them may take.
        give_up: called with each that takes longer; may be done by then.
    """

    def __init__(self, seconds: float, give_up: Callable[[asyncio.Future[Any]], None]) -> None:
        self._seconds = seconds
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self._ends: dict[asyncio.Future[Any], float] = {}
        """When the patience with each ends, by the loop's clock; the first that began is first."""
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, future: asyncio.Future[Any]) -> None:
        """Count from now on."""
        at = self._ends[future] = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_at(at, self._ring)

    def end(self, future: asyncio.Future[Any]) -> None:
        """Count no longer; nothing where it was not counted, or was given up."""
        # The timer stays: it finds out for itself who is still waited for.
        self._ends.pop(future, None)

    def _ring(self) -> None:
        now, self._timer = self._loop.time(), None
        while self._ends:
            future, at = next(iter(self._ends.items()))
            if at > now:
                self._timer = self._loop.call_at(at, self._ring)
                return
            del self._ends[future]
            # Each by itself: a log handler of the host that fails keeps the others from nothing.
            self._loop.call_soon(self._give_up, future)
