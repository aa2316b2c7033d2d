"""Throw away what has ended, in batches, beside the requests.

A pass begins with a write, at most every ten seconds, and goes on until nothing that has ended is
left. What ended less than `KEPT_FOR` ago stays: a process whose clock runs ahead throws nothing
away that still lives for the others.
"""

from __future__ import annotations

import asyncio
import contextlib
from time import monotonic
from typing import Final

from pwless_middleware.database.database import Database
from pwless_middleware.errors import StoreError
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.stores.sql.statements import SWEEP, SWEEP_DROPS

KEPT_FOR: Final = 600
"""Seconds for which an entry stays after its end."""
_EVERY: Final = 10.0
_BATCH: Final = 1000
"""Entries of one transaction: about 4 ms on SQLite, for which other writes wait."""
_DROPS_KEPT: Final = 10_000


class _Passes:
    """What one event loop has of the sweep: the pass under way, and when the next may begin."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.next_at = 0.0


class Sweep:
    """Remove ended entries and old drops.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._passes: PerLoop[_Passes] = PerLoop(_Passes)

    def note(self, now: int) -> None:
        """Begin a pass beside the caller, if it is time for one; never waits.

        Args:
            now: the caller's time, unix seconds.
        """
        passes = self._passes.here()
        begun = monotonic()
        if begun < passes.next_at or (passes.task is not None and not passes.task.done()):
            return
        passes.next_at = begun + _EVERY
        passes.task = asyncio.get_running_loop().create_task(self._sweep(now))

    async def run(self, now: int) -> int:
        """Remove all that has ended by `now`, batch by batch; return how many entries that were.

        Raises:
            StoreError: the database cannot be asked.
        """
        removed = 0
        while True:
            batch = len(await self._database.execute(SWEEP(now - KEPT_FOR, _BATCH)))
            removed += batch
            if batch < _BATCH:
                await self._database.execute(SWEEP_DROPS(_DROPS_KEPT))
                return removed

    async def aclose(self) -> None:
        """End the pass of the running event loop."""
        passes = self._passes.pop()
        if passes is not None and passes.task is not None:
            passes.task.cancel()
            await asyncio.gather(passes.task, return_exceptions=True)

    async def _sweep(self, now: int) -> None:
        # Whoever needs the database says so; the next pass does what this one could not.
        with contextlib.suppress(StoreError):
            await self.run(now)
