"""One time limit around a request's store steps; the real 1.5 s is in tests/security.

Time is the loop's own here (`tests.virtual_time`): nothing is waited for, no load is too much.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pwless_middleware.core.challenges.budget import Draw, Limit
from pwless_middleware.errors import StoreError, StoreTimeout
from pwless_middleware.flows.store_deadline import DeadlineStore, request_deadline
from pwless_middleware.stores.base import Put, Store, Writes
from pwless_middleware.stores.memory import MemoryStore
from tests.support import START, Slow
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.anyio
PUT = Put("k", b"v", until=START + 60)


def calls(store: Store) -> dict[str, Any]:
    """Return every verb of a store as a call that is ready to be awaited."""
    draws = (Draw("d", (Limit(9, 60),)),)
    now: dict[str, int] = {"now": START}
    return {
        "admit": lambda: store.admit(draws, PUT, job=None, replaces=None, op="1", **now),
        "attempt": lambda: store.attempt(draws, "k", op="2", **now),
        "read": lambda: store.read("k", **now),
        "read_list": lambda: store.read_list("l", **now),
        "swap": lambda: store.swap(PUT, replaces=b"v", **now),
        "take": lambda: store.take("k", Writes(), op="3", **now),
        "write": lambda: store.write(Writes(puts=(PUT,)), op="4", **now),
        "open": store.open,
        "ping": store.ping,
    }


async def forever() -> None:
    await asyncio.Event().wait()


async def test_every_verb_passes_on_and_answers_as_the_store_does() -> None:
    plain, wrapped = calls(MemoryStore()), calls(DeadlineStore(MemoryStore()))
    for verb in plain:
        assert await wrapped[verb]() == await plain[verb](), verb


@pytest.mark.parametrize("verb", calls(MemoryStore()))
def test_every_verb_that_hangs_is_a_store_error_after_a_second_and_a_half(verb: str) -> None:
    async def main() -> float:
        slow: Any = Slow(MemoryStore())
        slow.before[verb] = forever
        with request_deadline(), pytest.raises(StoreTimeout, match="in time"):
            await calls(DeadlineStore(slow))[verb]()
        return asyncio.get_running_loop().time()

    assert in_virtual_time(main) == pytest.approx(1.5)


def test_the_steps_of_one_request_share_its_time() -> None:
    async def main() -> None:
        slow: Any = Slow(MemoryStore())

        async def nap() -> None:
            await asyncio.sleep(0.8)

        slow.before["read"] = nap
        store = DeadlineStore(slow)
        with request_deadline():
            await store.read("k", now=START)
            with pytest.raises(StoreError):
                await store.read("k", now=START)
        with request_deadline():  # the next request has its own
            await store.read("k", now=START)
        for _ in range(3):  # and outside of one, each step has
            await store.read("k", now=START)

    in_virtual_time(main)


def test_a_crowd_waits_for_its_turn_and_the_wait_does_not_count() -> None:
    """A thousand requests at once, of which a store serves 24 at a time in 0.1 s each."""

    async def main() -> list[bytes | None]:
        slow: Any = Slow(MemoryStore())

        async def nap() -> None:
            await asyncio.sleep(0.1)

        slow.before["read"] = nap
        store = DeadlineStore(slow)

        async def request() -> bytes | None:
            with request_deadline():
                return await store.read("k", now=START)

        return await asyncio.gather(*(request() for _ in range(1000)))

    assert in_virtual_time(main) == [None] * 1000


def test_a_store_that_hangs_tells_the_whole_line_at_once() -> None:
    async def main() -> float:
        slow: Any = Slow(MemoryStore())
        slow.before["read"] = forever
        store = DeadlineStore(slow)
        asked = (store.read("k", now=START) for _ in range(1000))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(answer, StoreTimeout) for answer in answers)
        return asyncio.get_running_loop().time()

    assert in_virtual_time(main) == pytest.approx(1.5, abs=0.1)


async def test_a_cancelled_request_is_cancelled_and_no_store_error() -> None:
    slow: Any = Slow(MemoryStore())
    slow.before["read"] = forever
    task = asyncio.create_task(calls(DeadlineStore(slow))["read"]())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_closing_has_the_time_it_needs_and_feed_and_queue_are_the_stores_own() -> None:
    inner = MemoryStore()
    store = DeadlineStore(inner)
    assert store.feed is inner.feed
    assert store.jobs is inner.jobs
    await store.aclose()
