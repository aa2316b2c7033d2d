"""Read again what a process keeps of the database: when a signal says so, and now and then.

Now and then for the change whose signal was lost. Each event loop of a process reads for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

LOOK_SECONDS: Final = 30.0
"""Seconds after which it is read again, whether or not there was a signal."""
AGAIN_SECONDS: Final = 1.0
"""Seconds until a database that could not be asked is asked again."""


class Refresh:
    """Have something read again.

    Args:
        load: reads it, and returns whether it could.
    """

    def __init__(self, load: Callable[[], Awaitable[bool]]) -> None:
        self._load = load
        self._looks: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def look(self) -> None:
        """Have every event loop of this process read it soon; from any thread."""
        for loop, event in tuple(self._looks):
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(event.set)

    async def run(self) -> None:
        """Keep it current in the running event loop, until cancelled."""
        look = asyncio.Event()
        ours = (asyncio.get_running_loop(), look)
        self._looks.append(ours)
        try:
            while True:
                wait = LOOK_SECONDS if await self._load() else AGAIN_SECONDS
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await look.wait()
                look.clear()
        finally:
            self._looks.remove(ours)
