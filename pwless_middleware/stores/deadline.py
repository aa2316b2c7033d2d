"""A time limit for a store, which a busy event loop does not use up.

A thousand requests that come together keep the loop busy for a second or two. A plain timer is due
by then, although the answer it waits for lies in the socket since the first millisecond. So time is
counted in ticks here: each is at most 50 ms, however late the loop comes to it.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final

_TICK: Final = 0.05


class Deadline:
    """Raise `TimeoutError` after so many seconds in which the event loop ran; `async with` it.

    Args:
        seconds: at 0 or below, what is inside is ended at its first pause.
    """

    def __init__(self, seconds: float) -> None:
        self._left = max(0.0, seconds)
        self._timeout = asyncio.timeout(None)

    @property
    def left(self) -> float:
        """Seconds that are left, the running tick taken off as far as it has gone."""
        since = self._loop.time() - self._armed_at
        return max(0.0, self._left - min(self._step, since))

    async def __aenter__(self) -> Deadline:
        await self._timeout.__aenter__()
        self._loop = asyncio.get_running_loop()
        self._arm()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._handle.cancel()
        await self._timeout.__aexit__(kind, exc, tb)

    def _arm(self) -> None:
        self._armed_at = self._loop.time()
        self._step = min(_TICK, self._left)
        self._handle = self._loop.call_later(self._step, self._tick)

    def _tick(self) -> None:
        self._left -= self._step
        if self._left > 0:
            self._arm()
        else:
            self._step = 0.0
            # What has come in meanwhile goes first: the end is queued behind it.
            self._timeout.reschedule(self._loop.time())
