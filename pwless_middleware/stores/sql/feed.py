"""The revocation feed on SQLite: a table of drops, looked at again and again.

Theory. A drop that is to be told is a row of `pwless_drops`, written in the transaction of the drop
itself. Its numbers only grow, and the newest row always stands. So a look that begins at the row
that was seen last finds that row, and behind it exactly what was told since; where it is missing,
the file was replaced, or so much was told meanwhile that it was thrown away: then anything may be
missing (`on_drop(None)`). A look sees whatever was committed before it began, and from that follows
a *lease*: until 100 ms after it began, nothing was told more than 100 ms ago that was not heard.

    quiet, a look every 0.5 s ──is_live() asked──▶ a look every 40 ms ──not asked for 1 s──▶ quiet

A look costs some 10 µs. One that fails ends the lease, and the store is asked on every request.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from time import monotonic
from typing import Final

from pwless_middleware.database.database import Database
from pwless_middleware.errors import StoreError
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.stores.sql.statements import DROPS_FROM, LAST_DROP

LEASE: Final = 0.1
"""Seconds that one look is good for, from when it began (security numbers)."""
_LOOK_EVERY: Final = 0.04
_QUIET_LOOK_EVERY: Final = 0.5
_ASKED_WITHIN: Final = 1.0

_log = logging.getLogger("pwless.store")


class _Looker:
    """What one event loop has of the feed: its task, the last row that it has seen, its lease, when
    it was last asked, and whether its last look has failed."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.wake = asyncio.Event()
        self.last: int | None = None
        self.lease = 0.0
        self.asked_at = 0.0
        self.has_failed = False


class PollingFeed:
    """Look for what is dropped in any process (`stores.base.Feed` has the promises).

    Args:
        database: a SQLite file.
    """

    def __init__(self, database: Database) -> None:
        self.epoch = 0
        self._database = database
        self._subscribers: list[Callable[[str | None], None]] = []
        self._lookers: PerLoop[_Looker] = PerLoop(_Looker)

    def is_live(self) -> bool:
        """Whether the lease holds; asking keeps it up."""
        try:
            looker = self.start()
        except RuntimeError:  # no event loop runs here
            return False
        now = monotonic()
        if now - looker.asked_at > _ASKED_WITHIN:
            looker.wake.set()
        looker.asked_at = now
        return looker.lease > now

    def subscribe(self, on_drop: Callable[[str | None], None]) -> None:
        """Call `on_drop(key)` for each published drop; `None` says that any may be missing."""
        self._subscribers.append(on_drop)

    def publish(self, key: str | None) -> None:
        """Publish a drop, or with `None` an interruption, to the listeners of this process."""
        self.epoch += 1
        for on_drop in self._subscribers:
            on_drop(key)

    def start(self) -> _Looker:
        """Begin to look in the running event loop, if that was not done."""
        looker = self._lookers.here()
        if looker.task is None or looker.task.done():
            looker.task = asyncio.get_running_loop().create_task(self._keep(looker))
        return looker

    async def aclose(self) -> None:
        """Stop looking in the running event loop."""
        looker = self._lookers.pop()
        if looker is not None and looker.task is not None:
            looker.task.cancel()
            await asyncio.gather(looker.task, return_exceptions=True)

    async def _keep(self, looker: _Looker) -> None:
        """Look for as long as the loop runs."""
        try:
            while True:
                begun = monotonic()
                try:
                    await self._look(looker)
                except StoreError as error:
                    self._interrupt(looker, error)
                else:
                    looker.has_failed = False
                    if self._database.dialect == "sqlite":  # rows of PostgreSQL prove nothing
                        looker.lease = begun + LEASE
                is_asked = begun - looker.asked_at < _ASKED_WITHIN
                looker.wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY if is_asked else _QUIET_LOOK_EVERY):
                        await looker.wake.wait()
        finally:
            looker.lease = 0.0
            self.publish(None)

    async def _look(self, looker: _Looker) -> None:
        if looker.last is None:
            [(looker.last,)] = await self._database.fetch(LAST_DROP())
            return self.publish(None)
        rows = await self._database.fetch(DROPS_FROM(looker.last))
        if not rows or rows[0][0] != looker.last:
            looker.last = None
            return await self._look(looker)
        for id, key in rows[1:]:
            looker.last = id
            self.publish(key)
        return None

    def _interrupt(self, looker: _Looker, error: StoreError) -> None:
        looker.lease = 0.0
        if not looker.has_failed:  # once for each outage, not for each look
            looker.has_failed = True
            _log.warning(
                "the revocation feed is interrupted: %s",
                error,
                extra={"event": "feed_interrupted"},
            )
            self.publish(None)
