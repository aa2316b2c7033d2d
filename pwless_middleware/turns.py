"""A bound on how many requests ask a store at a time; the others wait in line.

Waiting in line is not the store's fault, so it does not count against its time limit. When a
question was not answered in time, though, the store hangs, and those in line need not find out one
after the other: all of them are told.
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Final

from pwless_middleware.deadline import Deadline
from pwless_middleware.errors import StoreError, StoreTimeout

_LONGEST: Final = 10.0
"""Seconds in line while the store answers; then it is too slow for what is asked of it."""


class Turns:
    """Let so many in at a time, in the order in which they came; `async with` it.

    Args:
        most: at a time, at least 1.

    Raises:
        StoreError: on entering: the store hangs, or the line did not move fast enough.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._line: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            async with Deadline(_LONGEST):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._next()  # it was given and is not taken
            if isinstance(error, TimeoutError):
                raise StoreError("more is asked of the store than it can answer") from error
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if isinstance(exc, StoreTimeout):
            line, self._line = self._line, deque()
            for turn in line:
                if not turn.done():
                    turn.set_exception(StoreTimeout(str(exc)))
        self._next()

    def _next(self) -> None:
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
