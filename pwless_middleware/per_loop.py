"""Keep one object for each running event loop.

Connections and tasks belong to the loop that they were made in, and an app may have several loops
(a test client makes one for each request).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Keep one `T` for each event loop, made when it is first asked for.

    Args:
        make: makes it; called inside the loop.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._kept: dict[asyncio.AbstractEventLoop, T] = {}

    def __len__(self) -> int:
        """Return how many there are; those of closed loops go as the next one is made."""
        return len(self._kept)

    def __iter__(self) -> Iterator[T]:
        """Go through those of all event loops."""
        return iter(list(self._kept.values()))

    def here(self) -> T:
        """Return the running loop's own, made now if there is none."""
        loop = asyncio.get_running_loop()
        try:
            return self._kept[loop]
        except KeyError:
            for closed in [each for each in list(self._kept) if each.is_closed()]:
                self._kept.pop(closed, None)
            made = self._kept[loop] = self._make()
            return made

    def find(self) -> T | None:
        """Return the running loop's own, or `None` if none was made."""
        return self._kept.get(asyncio.get_running_loop())

    def pop(self) -> T | None:
        """Forget the running loop's own and return it, or `None` if none was made."""
        return self._kept.pop(asyncio.get_running_loop(), None)
