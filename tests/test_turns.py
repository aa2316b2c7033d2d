"""So many questions at a time: order, hang-ups, a store that hangs or is too slow."""

from __future__ import annotations

import asyncio

import pytest

from pwless_middleware.errors import StoreError, StoreTimeout
from pwless_middleware.turns import Turns
from tests.virtual_time import in_virtual_time


def test_so_many_at_a_time_and_in_order() -> None:
    async def main() -> tuple[int, list[int]]:
        turns, inside, most, order = Turns(3), 0, 0, []

        async def ask(number: int) -> None:
            nonlocal inside, most
            async with turns:
                inside += 1
                most = max(most, inside)
                order.append(number)
                await asyncio.sleep(0.1)
                inside -= 1

        await asyncio.gather(*(ask(number) for number in range(20)))
        return most, order

    assert in_virtual_time(main) == (3, list(range(20)))


def test_who_hangs_up_in_line_takes_nobodys_turn() -> None:
    async def main() -> None:
        turns = Turns(1)

        async def ask() -> None:
            async with turns:
                await asyncio.sleep(0.1)

        tasks = [asyncio.create_task(ask()) for _ in range(4)]
        await asyncio.sleep(0.05)
        tasks[1].cancel()  # waiting
        await asyncio.sleep(0.05)  # the first leaves and gives its turn to the third...
        tasks[2].cancel()  # ...who hangs up before taking it, or while asking
        await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(1):
            await ask()

    in_virtual_time(main)


def test_a_turn_that_is_given_to_who_just_hung_up_is_passed_on() -> None:
    async def main() -> None:
        turns = Turns(1)
        await turns.__aenter__()

        async def ask() -> None:
            async with turns:
                pass

        first, second = asyncio.create_task(ask()), asyncio.create_task(ask())
        await asyncio.sleep(0)
        await turns.__aexit__(None, None, None)  # given to the first
        first.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        assert first.cancelled()
        assert not second.cancelled()
        await ask()

    in_virtual_time(main)


def test_a_store_that_hangs_is_told_to_the_line_and_asked_again_by_who_comes_later() -> None:
    async def main() -> None:
        turns = Turns(1)
        await turns.__aenter__()

        async def ask() -> str:
            async with turns:
                return "answered"

        waiting = [asyncio.create_task(ask()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        fault = StoreTimeout("it hangs")
        await turns.__aexit__(StoreTimeout, fault, None)
        told = await asyncio.gather(*waiting[1:], return_exceptions=True)
        assert [str(each) for each in told] == ["it hangs", "it hangs"]
        assert all(isinstance(each, StoreTimeout) for each in told)
        assert await ask() == "answered"

    in_virtual_time(main)


def test_a_line_that_moves_too_slowly_ends_after_ten_seconds() -> None:
    async def main() -> float:
        turns = Turns(1)
        await turns.__aenter__()
        with pytest.raises(StoreError, match="more is asked"):
            await turns.__aenter__()
        return asyncio.get_running_loop().time()

    assert in_virtual_time(main) == pytest.approx(10)
