"""A store that can go down for writes, so that what is written in two places is cut off halfway."""

from __future__ import annotations

from pwless_middleware.errors import StoreError
from pwless_middleware.stores.base import Writes
from pwless_middleware.stores.memory import MemoryStore


class BreakableStore(MemoryStore):
    """Keep everything in memory, and refuse `write` while `is_down`."""

    is_down = False

    async def write(self, writes: Writes, *, now: int, op: str) -> None:
        """Do these writes, where it is not down."""
        if self.is_down:
            raise StoreError("down")
        await super().write(writes, now=now, op=op)
