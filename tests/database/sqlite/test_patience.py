"""Who waits too long is given up, each after the same time, whoever else waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pwless_middleware.database.sqlite.patience import Patience
from tests.virtual_time import in_virtual_time

Begin = Callable[[], asyncio.Future[None]]


def given_up(wait: Callable[[Patience, Begin], Awaitable[None]]) -> list[tuple[float, int]]:
    """Return when each was given up who waited too long, and its number in the order of beginning.

    Args:
        wait: is given the patience, of two seconds, and what begins one more wait.
    """
    told: list[tuple[float, int]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        began: list[asyncio.Future[None]] = []
        patience = Patience(2.0, lambda future: told.append((loop.time(), began.index(future))))

        def begin() -> asyncio.Future[None]:
            began.append(loop.create_future())
            patience.begin(began[-1])
            return began[-1]

        await wait(patience, begin)
        await asyncio.sleep(10)

    in_virtual_time(main)
    return told


def test_each_is_given_up_once_its_own_time_is_over() -> None:
    async def wait(patience: Patience, begin: Begin) -> None:
        for _ in range(3):
            begin()
            await asyncio.sleep(0.5)

    assert given_up(wait) == [(2.0, 0), (2.5, 1), (3.0, 2)]


def test_who_was_answered_is_not_given_up_and_keeps_nobody_else_waiting() -> None:
    async def wait(patience: Patience, begin: Begin) -> None:
        first = begin()
        await asyncio.sleep(0.5)
        begin()
        patience.end(first)

    assert given_up(wait) == [(2.5, 1)]


def test_who_begins_after_all_were_answered_has_the_whole_time() -> None:
    async def wait(patience: Patience, begin: Begin) -> None:
        patience.end(begin())
        await asyncio.sleep(1.5)  # the first one's timer still runs
        begin()
        await asyncio.sleep(5)  # and now none does
        begin()

    assert given_up(wait) == [(3.5, 1), (8.5, 2)]


def test_who_was_given_up_may_end() -> None:
    async def wait(patience: Patience, begin: Begin) -> None:
        future = begin()
        await asyncio.sleep(3)
        patience.end(future)

    assert given_up(wait) == [(2.0, 0)]


def test_where_giving_up_fails_the_others_are_given_up() -> None:
    failed: list[object] = []

    async def main() -> int:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failed.append(context["exception"]))
        patience = Patience(2.0, lambda future: future.set_exception(LookupError()))
        answered, waiting = loop.create_future(), loop.create_future()
        answered.set_result(None)
        patience.begin(answered)
        patience.begin(waiting)
        try:
            await waiting
        except LookupError:
            return 1
        return 0

    assert in_virtual_time(main) == 1
    assert [type(each) for each in failed] == [asyncio.InvalidStateError]
