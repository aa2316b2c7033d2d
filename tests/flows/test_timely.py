"""One time limit around a request's store steps; the real 1.5 s is in tests/security."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from pwless_middleware.core.budgets import Draw, Limit
from pwless_middleware.errors import StoreError
from pwless_middleware.flows import timely
from pwless_middleware.flows.timely import TimelyStore, one_request
from pwless_middleware.stores.base import Put, Store, Writes
from pwless_middleware.stores.memory import MemoryStore
from tests.support import START, Slow

pytestmark = pytest.mark.anyio
PUT = Put("k", b"v", until=START + 60)


def calls(store: Store) -> dict[str, Any]:
    """Give every verb of a store as a call that is ready to be awaited."""
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
    plain, wrapped = calls(MemoryStore()), calls(TimelyStore(MemoryStore()))
    for verb in plain:
        assert await wrapped[verb]() == await plain[verb](), verb


@pytest.mark.parametrize("verb", calls(MemoryStore()))
async def test_every_verb_that_hangs_is_a_store_error(
    verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timely, "STORE_SECONDS", 0.02)
    slow: Any = Slow(MemoryStore())
    slow.before[verb] = forever
    with one_request(), pytest.raises(StoreError, match="in time"):
        await calls(TimelyStore(slow))[verb]()


async def test_the_steps_of_one_request_share_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is the test's; only a time that is used up ends a step at once."""
    monkeypatch.setattr(timely, "STORE_SECONDS", 60)
    passed = 0.0
    monkeypatch.setattr(timely, "time", SimpleNamespace(monotonic=lambda: passed))
    slow: Any = Slow(MemoryStore())

    async def nap() -> None:
        nonlocal passed
        passed += 40
        await asyncio.sleep(0)

    slow.before["read"] = nap
    store = TimelyStore(slow)
    with one_request():
        await store.read("k", now=START)  # leaves 20 s
        await store.read("k", now=START)  # leaves none
        with pytest.raises(StoreError, match="in time"):
            await store.read("k", now=START)
    with one_request():  # the next request has its own
        await store.read("k", now=START)
    for _ in range(3):  # and outside of one, each step has
        await store.read("k", now=START)


async def test_a_cancelled_request_is_cancelled_and_no_store_error() -> None:
    slow: Any = Slow(MemoryStore())
    slow.before["read"] = forever
    task = asyncio.create_task(calls(TimelyStore(slow))["read"]())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_closing_has_the_time_it_needs_and_feed_and_queue_are_the_stores_own() -> None:
    inner = MemoryStore()
    store = TimelyStore(inner)
    assert store.feed is inner.feed
    assert store.jobs is inner.jobs
    await store.aclose()
