"""Questions that come together are asked together; each keeps its answer, its fault, its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from pwless_middleware.errors import StoreError
from pwless_middleware.stores.batches import Batches
from tests.virtual_time import in_virtual_time

Answers = Sequence[str | Exception]


class Asked:
    """Take batches of texts, a second for each batch, and answer in capitals."""

    def __init__(self, *, under_way: int = 1) -> None:
        self.batches: list[list[str]] = []
        self.asking: Batches[str, str] = Batches(self._send, under_way=under_way)

    async def _send(self, texts: Sequence[str]) -> Answers:
        self.batches.append(list(texts))
        await asyncio.sleep(1)
        if "fail" in texts:
            raise OSError("all of them")
        return [ValueError(text) if text.startswith("bad") else text.upper() for text in texts]


def run(main: Callable[[Asked], Awaitable[Any]], *, under_way: int = 1) -> list[list[str]]:
    """Run this in virtual time, and return the batches that were sent."""

    async def inside() -> list[list[str]]:
        asked = Asked(under_way=under_way)
        await main(asked)
        return asked.batches

    return in_virtual_time(inside)


def test_what_comes_together_is_one_batch_and_what_comes_meanwhile_the_next() -> None:
    async def main(asked: Asked) -> None:
        first = [asked.asking.ask(text) for text in "ab"]
        await asyncio.sleep(0.5)
        later = [asked.asking.ask(text) for text in "cd"]
        assert await asyncio.gather(*first, *later) == ["A", "B", "C", "D"]

    assert run(main) == [["a", "b"], ["c", "d"]]


def test_as_many_are_under_way_as_may_be() -> None:
    async def main(asked: Asked) -> None:
        answers = []
        for text in "abc":
            answers.append(asked.asking.ask(text))
            await asyncio.sleep(0.25)
        assert len(asked.batches) == 2
        await asyncio.gather(*answers)

    assert run(main, under_way=2) == [["a"], ["b"], ["c"]]


def test_who_asks_in_the_moment_in_which_a_batch_ends_is_answered() -> None:
    async def main(asked: Asked) -> None:
        async with asyncio.timeout(9):
            for text in "abc":
                assert await asked.asking.ask(text) == text.upper()

    assert run(main) == [["a"], ["b"], ["c"]]


def test_each_has_its_own_fault_unless_all_fail() -> None:
    async def main(asked: Asked) -> None:
        gathered = asyncio.gather(*map(asked.asking.ask, ("bad", "good")), return_exceptions=True)
        fault, answer = await gathered
        assert isinstance(fault, ValueError)
        assert answer == "GOOD"
        faults = await asyncio.gather(
            *map(asked.asking.ask, ("fail", "good")), return_exceptions=True
        )
        assert [type(fault) for fault in faults] == [OSError, OSError]

    run(main)


def test_who_is_cancelled_takes_back_only_its_own() -> None:
    async def main(asked: Asked) -> None:
        async def ask(text: str) -> str:
            return await asked.asking.ask(text)

        first, gone, other = (asyncio.create_task(ask(text)) for text in ("first", "gone", "other"))
        await asyncio.sleep(0.5)
        unsent, sent = (asyncio.create_task(ask(text)) for text in ("unsent", "sent"))
        await asyncio.sleep(0)
        gone.cancel()
        unsent.cancel()
        assert [await task for task in (first, other, sent)] == ["FIRST", "OTHER", "SENT"]

    assert run(main) == [["first", "gone", "other"], ["sent"]]


def test_what_is_under_way_ends_as_it_is_closed_and_who_waits_is_told() -> None:
    async def main(asked: Asked) -> None:
        async def ask(text: str) -> str:
            return await asked.asking.ask(text)

        waiting = asyncio.create_task(ask("a"))
        await asyncio.sleep(0.5)
        await asked.asking.aclose()
        with pytest.raises(StoreError):
            await waiting
        await asked.asking.aclose()
        assert await ask("b") == "B"  # of a client that was passed in, and goes on

    assert run(main) == [["a"], ["b"]]


def test_a_crowd_is_cut_into_batches_of_64() -> None:
    async def main(asked: Asked) -> None:
        await asyncio.gather(*(asked.asking.ask("x") for _ in range(150)))

    assert [len(batch) for batch in run(main)] == [64, 64, 22]
