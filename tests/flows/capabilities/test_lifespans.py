"""Lifespans of features: entered once for each loop, left in reverse, and closed if they fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from pwless_middleware.errors import ConfigError, Unavailable
from pwless_middleware.flows.capabilities.lifespans import AGAIN, PATIENCE, Lifespan, Lifespans
from tests.virtual_time import in_virtual_time


class Diary:
    """Lifespans that write down what happens to them."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.problems: dict[str, Exception] = {}

    def of(self, name: str, *, before: float = 0, after: float = 0) -> Lifespan:
        @asynccontextmanager
        async def lifespan() -> AsyncIterator[None]:
            await asyncio.sleep(before)
            if name in self.problems:
                raise self.problems[name]
            task = asyncio.current_task()
            self.lines.append(f"enter {name}")
            yield
            assert asyncio.current_task() is task, "task groups want one task"
            await asyncio.sleep(after)
            self.lines.append(f"leave {name}")

        return lifespan


def made(diary: Diary, *names: str) -> Lifespans:
    lifespans = Lifespans()
    for name in names:
        lifespans.add(name, diary.of(name))
    return lifespans


def test_they_are_entered_once_and_left_in_reverse() -> None:
    diary = Diary()
    lifespans = made(diary, "a", "b")

    async def main() -> None:
        await lifespans.open()
        lifespans.start()
        await lifespans.require("a")
        assert diary.lines == ["enter a", "enter b"]
        await lifespans.close()
        await lifespans.close()

    in_virtual_time(main)
    assert diary.lines == ["enter a", "enter b", "leave b", "leave a"]


def test_each_event_loop_has_its_own_also_without_a_startup() -> None:
    diary = Diary()
    lifespans = made(diary, "a")

    async def main() -> None:
        lifespans.start()
        await lifespans.require("a")

    in_virtual_time(main)
    in_virtual_time(main)
    assert diary.lines.count("enter a") == 2


def test_one_that_fails_stops_the_startup_by_name_and_leaves_the_others() -> None:
    diary = Diary()
    diary.problems["b"] = OSError("no route")
    lifespans = made(diary, "a", "b", "c")

    async def main() -> None:
        with pytest.raises(ConfigError, match="the lifespan of b failed: OSError: no route"):
            await lifespans.open()

    in_virtual_time(main)
    assert sorted(diary.lines) == ["enter a", "enter c", "leave a", "leave c"]


def test_one_that_fails_later_closes_its_feature_until_another_try_works(
    caplog: pytest.LogCaptureFixture,
) -> None:
    diary = Diary()
    diary.problems["a"] = OSError("secret text")
    lifespans = made(diary, "a", "b")

    async def main() -> None:
        lifespans.start()
        await lifespans.require("b")
        for _ in range(2):
            with pytest.raises(Unavailable):
                await lifespans.require("a")
        assert len(caplog.records) == 1
        diary.problems.clear()
        await asyncio.sleep(AGAIN)
        await lifespans.require("a")

    in_virtual_time(main)
    assert "the lifespan of a failed" in caplog.text
    assert "secret text" not in caplog.text


def test_a_request_waits_for_it_but_not_forever() -> None:
    diary = Diary()
    lifespans = Lifespans()
    lifespans.add("slow", diary.of("slow", before=PATIENCE + 1))

    async def main() -> None:
        with pytest.raises(Unavailable):
            await lifespans.require("slow")
        await lifespans.require("slow")  # it went on meanwhile

    in_virtual_time(main)
    assert diary.lines == ["enter slow"]


def test_one_that_does_not_end_keeps_no_shutdown(caplog: pytest.LogCaptureFixture) -> None:
    diary = Diary()
    lifespans = Lifespans()
    lifespans.add("stuck", diary.of("stuck", after=3600))

    async def main() -> float:
        await lifespans.open()
        begun = asyncio.get_running_loop().time()
        await lifespans.close()
        return asyncio.get_running_loop().time() - begun

    assert in_virtual_time(main) == PATIENCE
    assert "the lifespan of stuck did not end" in caplog.text


def test_what_a_lifespan_raises_as_it_is_left_is_told(caplog: pytest.LogCaptureFixture) -> None:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        yield
        raise OSError

    make: Callable[[], AbstractAsyncContextManager[None]] = lifespan
    lifespans = Lifespans()
    lifespans.add("a", make)

    async def main() -> None:
        await lifespans.open()
        await lifespans.close()

    in_virtual_time(main)
    assert "the lifespan of a failed" in caplog.text
