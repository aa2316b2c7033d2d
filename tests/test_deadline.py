"""A time limit that a busy event loop does not use up."""

from __future__ import annotations

import asyncio

import pytest
import uvloop

from pwless_middleware.deadline import Deadline
from tests.virtual_time import VirtualLoop, in_virtual_time


def now() -> float:
    return asyncio.get_running_loop().time()


def busy(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.busy(seconds)


def test_what_takes_too_long_is_ended_in_time() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with Deadline(1.2):
                await asyncio.Event().wait()
        return now()

    assert in_virtual_time(main) == pytest.approx(1.2)


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_no_time_ends_what_pauses_at_once(seconds: float) -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with Deadline(seconds):
                await asyncio.sleep(1)
        return now()

    assert in_virtual_time(main) == 0


def test_a_loop_that_was_blocked_for_longer_has_lost_one_tick_of_it() -> None:
    async def main() -> float:
        async with Deadline(1.2) as deadline:
            for _ in range(5):
                busy(3)
                await asyncio.sleep(0)
            return deadline.left

    assert 0.9 <= in_virtual_time(main) < 1.2


def test_an_answer_that_came_while_the_loop_was_blocked_counts() -> None:
    """It lies there by the time the loop comes to the timer."""

    async def main() -> str:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, answer.set_result, "here")
        async with Deadline(0.05):
            busy(9)
            return await answer

    assert in_virtual_time(main) == "here"


def test_what_is_left_counts_what_has_passed() -> None:
    async def main() -> tuple[float, float]:
        deadline = Deadline(1)
        async with deadline:
            await asyncio.sleep(0.42)
        return deadline.left, now()

    left, passed = in_virtual_time(main)
    assert left == pytest.approx(1 - passed)


def test_a_cancellation_from_outside_stays_one() -> None:
    async def main() -> None:
        async def inside() -> None:
            async with Deadline(9):
                await asyncio.Event().wait()

        task = asyncio.create_task(inside())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    in_virtual_time(main)


def test_uvloop_whose_due_timers_are_no_timers() -> None:
    """What is due at once is called soon there, by a handle that does not know when."""

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with Deadline(0), Deadline(5):
                await asyncio.sleep(60)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
