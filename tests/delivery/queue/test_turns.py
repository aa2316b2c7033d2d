"""The places of a worker: shared by domain, in order, and none of them lost."""

from __future__ import annotations

import asyncio

import pytest

from pwless_middleware.delivery.queue.turns import MOST_WAITING, WAITING, Turns

pytestmark = pytest.mark.anyio


async def waits(turns: Turns, lane: str, **options: float) -> asyncio.Task[bool]:
    """Ask for a place that is not there, and wait."""
    before = turns.waiting
    task = asyncio.create_task(turns.take(lane, **options))
    await asyncio.sleep(0)
    assert turns.waiting == before + 1
    return task


async def test_a_domain_has_half_of_the_places_and_others_the_rest() -> None:
    turns = Turns(4)
    assert await turns.take("a")
    assert await turns.take("a")
    third = await waits(turns, "a")
    assert await turns.take("b")
    assert await turns.take("c")
    late = await waits(turns, "d")
    turns.give("b")
    assert await late
    assert not third.done()
    turns.give("a")
    assert await third


async def test_one_place_is_enough_for_one_at_a_time() -> None:
    turns = Turns(1)
    assert await turns.take("a")
    other = await waits(turns, "b")
    turns.give("a")
    assert await other


async def test_who_waits_comes_before_who_arrives() -> None:
    turns = Turns(2)
    assert await turns.take("a")
    first, second = await waits(turns, "a"), await waits(turns, "a")
    turns.give("a")
    await asyncio.sleep(0)
    assert (first.done(), second.done()) == (True, False)
    turns.give("a")
    assert await second


async def test_patience_ends() -> None:
    turns = Turns(2)
    assert await turns.take("a")
    assert not await turns.take("a", patience=0.001)
    assert turns.waiting == 0
    turns.give("a")
    assert await turns.take("a", patience=0)


async def test_a_row_that_is_too_long_is_not_joined() -> None:
    turns = Turns(2)
    assert await turns.take("a")
    row = [await waits(turns, "a") for _ in range(WAITING)]
    assert not await turns.take("a")
    assert await turns.take("b")
    for task in row:
        task.cancel()
    await asyncio.wait(row)
    assert turns.waiting == 0


async def test_a_row_that_moves_quickly_may_be_longer() -> None:
    """Put back, a mail would wait for a whole second; here its turn comes long before."""
    turns = Turns(2)
    for _ in range(50):
        assert await turns.take("a")
        turns.give("a", seconds=0.0005)
    assert await turns.take("a")
    row = [await waits(turns, "a") for _ in range(MOST_WAITING)]
    assert not await turns.take("a")
    for _ in row:
        turns.give("a", seconds=0.0005)
    assert all(await asyncio.gather(*row))


async def test_a_row_that_has_become_slow_is_not_joined() -> None:
    turns = Turns(2)
    for _ in range(50):
        assert await turns.take("a")
        turns.give("a", seconds=0.0005)
    assert await turns.take("a")
    row = [await waits(turns, "a") for _ in range(WAITING + 1)]
    turns.give("a", seconds=30)
    assert not await turns.take("a")
    for task in row:
        task.cancel()
    await asyncio.wait(row)


async def test_who_leaves_takes_no_place_along() -> None:
    """Also where the place comes in the same moment."""
    turns = Turns(2)
    assert await turns.take("a")
    leaves, stays = await waits(turns, "a"), await waits(turns, "a")
    turns.give("a")
    leaves.cancel()
    await asyncio.wait([leaves])
    assert await stays

    leaves, stays = await waits(turns, "a"), await waits(turns, "a")
    leaves.cancel()
    turns.give("a")
    await asyncio.wait([leaves])
    assert await stays


async def test_a_place_that_comes_as_patience_ends_is_taken() -> None:
    turns = Turns(2)
    assert await turns.take("a")
    task = await waits(turns, "a", patience=0.01)
    # The loop is busy until after the time is up, and the place comes first.
    asyncio.get_running_loop().call_soon(turns.give, "a")
    assert await task


async def test_what_is_put_back_comes_at_the_pace_of_its_domain() -> None:
    now = 100.0
    turns = Turns(8, timer=lambda: now)
    for _ in range(4):
        assert await turns.take("a")
    for _ in range(60):
        turns.give("a", seconds=4.0)
        assert await turns.take("a")
    waits = [turns.postpone("a") for _ in range(60)]
    assert waits[:3] == pytest.approx([1, 2, 3], abs=0.01)
    assert waits[-1] == 30
    now += 30
    assert turns.postpone("a") == pytest.approx(1, abs=0.01)


async def test_what_is_put_back_while_its_domain_has_no_place_at_all_comes_at_once() -> None:
    turns = Turns(2)
    assert await turns.take("a")
    assert await turns.take("b")
    assert not await turns.take("c", patience=0.001)
    assert turns.postpone("c") == 0
