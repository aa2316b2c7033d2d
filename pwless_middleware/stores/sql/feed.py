"""The revocation feed over a database: what was dropped anywhere, and proof that that is all.

Theory. A *watch* looks for drops: in a table (`drop_table`), or by a question on a connection that
listens (`drop_channel`). A look that has ended well has handed on all that was published before it
began. From that follows a *lease*: until 100 ms after a look began, on the monotonic clock, nothing
was published more than 100 ms ago that has not been heard here.

    quiet, a look every 0.5 s ──is_live() asked──▶ a look every 40 ms ──not asked for 1 s──▶ quiet
      any ──a look fails──▶ interrupted, until a look ends well

Whoever keeps records throws all of them away at each interruption (`on_drop(None)`), and whenever a
look finds that something may be missing. A lease that merely ran out (a slow disk, a busy process)
is no interruption: the next look brings everything.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from time import monotonic
from typing import Final, Protocol

from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.stores.feed_outages import FeedOutages

LEASE: Final = 0.1
"""Seconds that one look is good for, from when it began (security numbers)."""
_LOOK_EVERY: Final = 0.04
_QUIET_LOOK_EVERY: Final = 0.5
_ASKED_WITHIN: Final = 1.0

Publish = Callable[[str | None], None]


class Watch(Protocol):
    """Looks for what was dropped; one for each event loop."""

    async def look(self, *, proves: bool) -> None:
        """Hand on all that was published before this call, and say where something may be missing.

        Args:
            proves: whether somebody relies on it; otherwise it may be a cheaper one.

        Raises:
            StoreError: it cannot be told what was published.
        """
        ...

    async def aclose(self) -> None:
        """Stop."""
        ...


class _Poller:
    """What one event loop has of the feed: its watch and its task, its lease, when it was last
    asked, and whether its last look has failed."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.task: asyncio.Task[None] | None = None
        self.wake = asyncio.Event()
        self.lease = 0.0
        self.asked_at = 0.0
        self.has_failed = False


class SQLFeed:
    """Hear what is dropped in any process (`stores.base.Feed` has the promises).

    Args:
        make_watch: makes what looks, in the event loop in which it is to look; it is given what to
            call with each drop.
    """

    def __init__(self, make_watch: Callable[[Publish], Watch]) -> None:
        self.epoch = 0
        self._subscribers: list[Publish] = []
        self._outages = FeedOutages()
        self._pollers: PerLoop[_Poller] = PerLoop(lambda: _Poller(make_watch(self.publish)))

    def is_live(self) -> bool:
        """Whether the lease holds; asking keeps it up."""
        try:
            poller = self.start()
        except RuntimeError:  # no event loop runs here
            return False
        now = monotonic()
        if now - poller.asked_at > _ASKED_WITHIN:
            poller.wake.set()
        poller.asked_at = now
        return poller.lease > now

    def subscribe(self, on_drop: Publish) -> None:
        """Call `on_drop(key)` for each published drop; `None` says that any may be missing."""
        self._subscribers.append(on_drop)

    def publish(self, key: str | None) -> None:
        """Publish a drop, or with `None` an interruption, to the listeners of this process."""
        self.epoch += 1
        for on_drop in self._subscribers:
            on_drop(key)

    def start(self) -> _Poller:
        """Begin to look in the running event loop, if that was not done.

        Where it was cancelled from outside, as `asyncio.run` does with all tasks, it is not begun
        again: the loop is ending, and a task of what cleans up now would never be waited for.
        """
        poller = self._pollers.here()
        if poller.task is None or (poller.task.done() and not poller.task.cancelled()):
            poller.task = asyncio.get_running_loop().create_task(self._keep(poller))
        return poller

    async def aclose(self) -> None:
        """Stop looking in the running event loop."""
        poller = self._pollers.pop()
        if poller is not None and poller.task is not None:
            poller.task.cancel()
            await asyncio.gather(poller.task, return_exceptions=True)

    async def _keep(self, poller: _Poller) -> None:
        """Look for as long as the loop runs."""
        try:
            while True:
                begun = monotonic()
                is_asked = begun - poller.asked_at < _ASKED_WITHIN
                try:
                    await poller.watch.look(proves=is_asked)
                except (StoreError, ConfigError) as error:
                    self._interrupt(poller, error)
                else:
                    poller.lease, poller.has_failed = begun + LEASE if is_asked else 0.0, False
                    self._outages.end()
                poller.wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY if is_asked else _QUIET_LOOK_EVERY):
                        await poller.wake.wait()
        finally:
            poller.lease = 0.0
            self.publish(None)
            await poller.watch.aclose()

    def _interrupt(self, poller: _Poller, error: Exception) -> None:
        poller.lease = 0.0
        self._outages.note(error)
        if not poller.has_failed:  # once for each outage, not for each look
            poller.has_failed = True
            self.publish(None)
