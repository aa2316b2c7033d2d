"""Questions that come together are asked together, and each gets its own answer.

What is asked in one round of the event loop is one batch. While as many batches are under way as
there may be, what comes waits for the next one. So a busy process pays once for a dozen questions
what a round trip costs, and a quiet one waits for nothing.

Each question keeps its own answer and its own fault. Who is cancelled takes back only its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Final, Generic, TypeVar

from pwless_middleware.errors import StoreError

Q = TypeVar("Q")
A = TypeVar("A")

_LONGEST: Final = 64
"""Questions of one batch, so that a crowd does not hold up who comes behind it."""


class Batches(Generic[Q, A]):
    """Collect the questions of one event loop.

    Args:
        send: asks a batch; returns for each question its answer, or the exception that it gets.
        under_way: batches at a time.
    """

    def __init__(
        self, send: Callable[[Sequence[Q]], Awaitable[Sequence[A | Exception]]], *, under_way: int
    ) -> None:
        self._send = send
        self._most = under_way
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way = 0
        self._is_about_to_send = False

    def ask(self, question: Q) -> asyncio.Future[A]:
        """Ask with the next batch; await what is returned for the answer."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[A] = loop.create_future()
        self._waiting.append((question, answer))
        if not self._is_about_to_send and self._under_way < self._most:
            self._is_about_to_send = True
            # In a context of its own: it is sent for several requests.
            task = loop.create_task(self._send_all(), context=Context())
            self._tasks.add(task)
            task.add_done_callback(self._end)
        return answer

    async def aclose(self) -> None:
        """End the batches under way; who waits for them is told that there is no answer."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():  # perhaps before it began
            self._is_about_to_send = False

    async def _send_all(self) -> None:
        self._is_about_to_send = False
        self._under_way += 1
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_LONGEST], self._waiting[_LONGEST:]
                # Who has gone meanwhile asks nothing any more.
                batch = [each for each in batch if not each[1].done()]
                if batch:
                    await self._send_batch(batch)
        finally:
            self._under_way -= 1  # here, and not when the task ends: who asks between would hang

    async def _send_batch(self, batch: Sequence[tuple[Q, asyncio.Future[A]]]) -> None:
        answers: Sequence[A | Exception]
        try:
            answers = await self._send([question for question, _ in batch])
        except Exception as fault:
            answers = [fault] * len(batch)
        except BaseException:
            _answer(batch, [StoreError("the event loop ends")] * len(batch))
            raise
        _answer(batch, answers)


def _answer(batch: Sequence[tuple[Q, asyncio.Future[A]]], answers: Sequence[A | Exception]) -> None:
    for (_, answer), found in zip(batch, answers, strict=True):
        if answer.done():
            continue
        if isinstance(found, Exception):
            answer.set_exception(found)
            answer.exception()  # nobody misses it where who asked is cancelled in this moment
        else:
            answer.set_result(found)
