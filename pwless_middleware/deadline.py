"""A time limit for a store, which a busy event loop does not use up.

A thousand requests that come together keep the loop busy for a second or two. A plain timer is due
by then, although the answer it waits for lies in the socket since the first millisecond. So time is
counted in ticks here: each is at most 50 ms, however late the loop comes to it.

One timer in each event loop ticks for all deadlines, since a timer of its own for each, as
`asyncio.timeout` has, costs as much as half a question to the store.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final

from pwless_middleware.per_loop import PerLoop

_TICK: Final = 0.05
_ROUNDS: Final = 3
"""Rounds of the loop from the end of the time to the cancellation: an answer that has come in
meanwhile passes from the socket to its reader, and from there to who asked."""


class Deadline:
    """Raise `TimeoutError` after so many seconds in which the event loop ran; `async with` it.

    Args:
        seconds: at 0 or below, what is inside is ended at its first pause.
    """

    __slots__ = ("_cancelling", "_is_over", "_left", "_since", "_task", "_ticker")

    def __init__(self, seconds: float) -> None:
        self._left = max(0.0, seconds)
        self._task: asyncio.Task[object] | None = None
        self._is_over = False

    @property
    def left(self) -> float:
        """Seconds that are left, the running tick taken off as far as it has gone."""
        if self._task is None:
            return self._left
        return max(0.0, self._left - min(_TICK, self._ticker.loop.time() - self._since))

    async def __aenter__(self) -> Deadline:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline is for a task")
        self._cancelling = task.cancelling()
        self._task = task
        self._ticker = _tickers.here()
        self._since = self._ticker.loop.time()
        self._ticker.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        task, self._left = self._task, self.left
        self._task = None
        self._ticker.discard(self)
        # As `asyncio.timeout` does: a cancellation from outside stays one.
        if (
            self._is_over
            and task is not None
            and task.uncancel() <= self._cancelling
            and kind is asyncio.CancelledError
        ):
            raise TimeoutError from exc

    def spend(self, now: float) -> float:
        """Take the tick that ends now off, and return what is left."""
        self._left -= min(_TICK, now - self._since)
        self._since = now
        return self._left

    def end(self, rounds: int = _ROUNDS) -> None:
        """Cancel what is inside, after so many rounds of the loop; what has come in goes first."""
        if self._task is None:
            return
        if rounds:
            self._ticker.loop.call_soon(self.end, rounds - 1)
        else:
            self._is_over = True
            self._task.cancel()


class _Ticker:
    """Tick for all deadlines of one event loop, while there are any."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._deadlines: set[Deadline] = set()
        self._timer: asyncio.Handle | None = None
        # Kept here: what uvloop gives for a timer that is due at once does not know it.
        self._at = 0.0

    def add(self, deadline: Deadline) -> None:
        """Count for this one."""
        self._deadlines.add(deadline)
        at = self.loop.time() + min(_TICK, deadline.left)
        if self._timer is not None and self._at > at:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer, self._at = self.loop.call_at(at, self._tick), at

    def discard(self, deadline: Deadline) -> None:
        """Count for this one no longer."""
        self._deadlines.discard(deadline)

    def _tick(self) -> None:
        now, least = self.loop.time(), _TICK
        for deadline in list(self._deadlines):
            left = deadline.spend(now)
            if left > 0:
                least = min(least, left)
            else:
                self._deadlines.discard(deadline)
                deadline.end()
        self._at = now + least
        self._timer = self.loop.call_at(self._at, self._tick) if self._deadlines else None


_tickers: Final = PerLoop(_Ticker)
"""The one thing of this package that a process has only once: with a ticker for each holder of
deadlines, each question to the store would start a timer again. It holds no more than its loops."""
