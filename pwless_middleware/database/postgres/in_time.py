"""A time limit that holds for a server that hangs.

Such a server does not answer a cancellation either, and asyncpg waits for that answer: with the
server stopped, `asyncio.timeout(1.2)` returned after 2.4 s. So who asks does it in a task, which is
left to itself when its time is over, and its connection is terminated, which ends the task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from math import inf
from typing import Any, Final, TypeVar

from asyncpg import Connection

from pwless_middleware.deadline import Deadline

T = TypeVar("T")

DEADLINE: Final = 1.2
"""Seconds for one question or transaction, connecting included; the flows' own bound is 1.5."""


async def in_time(
    work: Coroutine[Any, Any, T],
    held: Sequence[Connection[Any]],
    *,
    within: float | None = None,
    is_long: bool = False,
) -> T:
    """Do this, for so long at most, and return what it returns.

    Args:
        work: is ended also where who waits for it is cancelled.
        held: the connections that it holds then, which are terminated.
        within: seconds in which the event loop ran; `None` is `DEADLINE`.
        is_long: without end.

    Raises:
        TimeoutError: the time is over. What `work` raises is raised as it is.
    """
    task = asyncio.ensure_future(work)
    try:
        async with Deadline(inf if is_long else DEADLINE if within is None else within):
            return await asyncio.shield(task)
    finally:
        if not task.done():
            for connection in held:
                connection.terminate()
            task.cancel()
            task.add_done_callback(_take_result)


def _take_result(task: asyncio.Task[Any]) -> None:
    """Look at how a task that was left to itself has ended: nobody else does."""
    if not task.cancelled():
        task.exception()
