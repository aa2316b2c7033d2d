"""One for each event loop, and none kept for a loop that is closed."""

from __future__ import annotations

import asyncio

from pwless_middleware.per_loop import PerLoop


def test_each_loop_has_one_of_its_own_and_always_the_same() -> None:
    kept: PerLoop[list[int]] = PerLoop(list)

    async def same() -> list[int]:
        assert kept.here() is kept.here()
        return kept.here()

    first, other = asyncio.run(same()), asyncio.run(same())
    assert first is not other


def test_those_of_closed_loops_go_as_the_next_is_made() -> None:
    kept: PerLoop[list[int]] = PerLoop(list)

    async def use() -> None:
        kept.here()

    for _ in range(3):
        asyncio.run(use())
    assert len(kept) == 1


async def _find_and_pop() -> None:
    kept: PerLoop[list[int]] = PerLoop(list)
    assert kept.find() is None
    assert kept.pop() is None
    made = kept.here()
    assert kept.find() is made
    assert kept.pop() is made
    assert kept.find() is None


def test_what_was_not_made_is_not_made_by_looking_for_it() -> None:
    asyncio.run(_find_and_pop())
