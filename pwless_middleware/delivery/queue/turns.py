"""Who may deliver next: the places of one worker, shared out among the recipients' domains.

A domain whose mails are slow to hand over has at most half of the places, and so never all. What
finds no place waits, in the order of arrival among those of its domain; what would wait for long is
put back into the queue instead, for when its turn should come, so that it keeps nobody behind it
from being looked at.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

PATIENCE: Final = 5.0
"""Seconds that a claimed mail waits for a place; its claim lasts 60, its delivery up to 45."""
WAITING: Final = 32
"""Mails of one domain that wait for a place in one worker, however slow it is."""
MOST_WAITING: Final = 512
"""And where it is quick, so that the last one's turn comes within `SOON`."""
SOON: Final = 0.5
"""Seconds; a mail that is put back waits for one at least, since the queue counts in whole ones."""
_LONGEST: Final = 30.0  # seconds that a mail is put back for; a challenge lives 60 at least
_SMOOTHING: Final = 0.2


@dataclass(slots=True)
class _Lane:
    """Count what one domain has: places, mails that wait for one, and when those put back come."""

    taken: int = 0
    queued: int = 0
    clear_at: float = 0.0


class Turns:
    """Hand out the places of one worker, in one event loop.

    Args:
        places: deliveries at a time.
        share: how many of them one domain may have; `None` is half.
        on_wait: called when a mail begins to wait.
        timer: seconds that only go forward.
    """

    def __init__(
        self,
        places: int,
        *,
        share: int | None = None,
        on_wait: Callable[[], object] = lambda: None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free = self._places = places
        self._on_wait = on_wait
        self._share = share or max(1, places // 2)
        self._timer = timer
        self._lanes: dict[str, _Lane] = {}
        self._waiting: dict[asyncio.Future[None], str] = {}  # in the order of arrival
        self._seconds = 0.1  # what a delivery takes, smoothed

    @property
    def free(self) -> int:
        """How many places nobody has."""
        return self._free

    @property
    def taken(self) -> int:
        """How many have a place."""
        return self._places - self._free

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._waiting)

    async def take(self, name: str, *, patience: float = PATIENCE) -> bool:
        """Wait for a place and return whether there was one; who got one calls `give`.

        Args:
            name: the domain.
            patience: seconds to wait at most.
        """
        lane = self._lanes.setdefault(name, _Lane())
        if self._may_go(lane) and not lane.queued:
            self._free -= 1
            lane.taken += 1
            return True
        if lane.queued >= (MOST_WAITING if self._wait_of(lane) < SOON else WAITING):
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[turn] = name
        lane.queued += 1
        self._on_wait()
        try:
            async with asyncio.timeout(patience):
                await turn
        except TimeoutError:
            return self._came(turn, name)
        except BaseException:
            if self._came(turn, name):
                self.give(name)
            raise
        return True

    def give(self, name: str, *, seconds: float | None = None) -> None:
        """Give a place back.

        Args:
            name: as it was taken.
            seconds: how long it was held, where that tells what a delivery takes.
        """
        if seconds is not None:
            self._seconds += _SMOOTHING * (seconds - self._seconds)
        self._free += 1
        self._lanes[name].taken -= 1
        for turn, other in self._waiting.items():
            # One that was cancelled takes itself out of the row in a moment.
            if not turn.done() and self._may_go(self._lanes[other]):
                self._free -= 1
                self._lanes[other].taken += 1
                self._forget(turn, other)
                turn.set_result(None)
                break
        self._drop_if_unused(name)

    def postpone(self, name: str) -> float:
        """Return in how many seconds a mail that found no place should be looked at again.

        Each gets a later time than the one before, at the pace of the domain, so that a long row of
        them is not claimed and put back over and over.
        """
        lane = self._lanes.get(name)
        if lane is None:
            return 0.0
        now = self._timer()
        pace = self._seconds / self._share
        clear_at = max(lane.clear_at, now + self._wait_of(lane)) + pace
        lane.clear_at = min(clear_at, now + _LONGEST)
        return lane.clear_at - now

    def _wait_of(self, lane: _Lane) -> float:
        """Return in how many seconds those that wait have had their turn, at the usual pace."""
        return lane.queued * self._seconds / self._share

    def _may_go(self, lane: _Lane) -> bool:
        return self._free > 0 and lane.taken < self._share

    def _came(self, turn: asyncio.Future[None], name: str) -> bool:
        """Stop waiting; return whether the place came in the same moment."""
        if turn not in self._waiting:
            return True
        self._forget(turn, name)
        self._drop_if_unused(name)
        return False

    def _forget(self, turn: asyncio.Future[None], name: str) -> None:
        del self._waiting[turn]
        self._lanes[name].queued -= 1

    def _drop_if_unused(self, name: str) -> None:
        lane = self._lanes[name]
        if not lane.taken and not lane.queued:
            del self._lanes[name]
