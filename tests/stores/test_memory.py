"""What only the memory store has: a bound, a heap of ends, callers in several threads."""

from __future__ import annotations

import asyncio
import itertools
import threading

import pytest

from pwless_middleware.core.challenges.budget import Draw, Limit
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.stores.base import Drop, Put, Writes
from pwless_middleware.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
_ops = itertools.count()


def op() -> str:
    return f"op{next(_ops)}"


async def put(store: MemoryStore, key: str, until: int = NOW + 300, now: int = NOW) -> None:
    await store.write(Writes(puts=(Put(key, b"v", until),)), now=now, op=op())


@pytest.mark.parametrize("option", ["max_entries", "max_jobs"])
@pytest.mark.parametrize("value", [0, -1, True, 1.5, "9"])
def test_bounds_are_whole_numbers(option: str, value: object) -> None:
    with pytest.raises(ConfigError, match=option):
        MemoryStore(**{option: value})  # type: ignore[arg-type]


async def test_full_refuses_what_is_new_and_forgets_nothing() -> None:
    """200,000 addresses of an attacker push out nobody's live challenge (security rule 15)."""
    store = MemoryStore(max_entries=3)
    for key in ("a", "b", "c"):
        await put(store, key)
    draw = Draw("l", (Limit(9, 60),))
    new = Put("d", b"v", NOW + 9)
    for call in (
        store.write(Writes(puts=(new,)), now=NOW, op=op()),
        store.admit([], new, job=b"j", replaces=None, now=NOW, op=op()),
        store.attempt([draw], "a", now=NOW, op=op()),
        store.take("a", Writes(puts=(new, Put("e", b"v", NOW + 9))), now=NOW, op=op()),
    ):
        with pytest.raises(StoreError, match="max_entries"):
            await call
    assert [await store.read(key, now=NOW) for key in "abc"] == [b"v"] * 3
    assert await store.jobs.claim(now=NOW, limit=9) == []
    await put(store, "a", NOW + 400)
    assert await store.take("b", Writes(puts=(new,)), now=NOW, op=op())
    assert await store.read("d", now=NOW) == b"v"


async def test_full_of_what_has_ended_makes_room() -> None:
    store = MemoryStore(max_entries=20)
    for n in range(20):
        await put(store, f"k{n}", NOW + 5)
    assert "20 of 20" in repr(store)
    new = tuple(Put(f"n{n}", b"v", NOW + 99) for n in range(15))
    await store.write(Writes(puts=new), now=NOW + 5, op=op())
    assert len(store) == 15


async def test_what_has_ended_leaves_by_and_by() -> None:
    store = MemoryStore()
    draw = Draw("l", (Limit(9, 60),))
    for n in range(100):
        await store.admit(
            [draw], Put(f"k{n}", b"v", NOW + 9, "li"), job=None, replaces=None, now=NOW, op=op()
        )
        if n == 8:
            break
    await put(store, "k1", NOW + 500)  # lives longer than its entry in the heap says
    for n in range(20):
        await put(store, f"n{n}", NOW + 500, now=NOW + 100)
    assert len(store) == 21
    assert await store.read("k1", now=NOW + 100) == b"v"


async def test_records_that_come_and_go_leave_no_trail() -> None:
    store = MemoryStore()
    for n in range(3000):
        await put(store, f"k{n}")
        await store.write(Writes(drops=(Drop(f"k{n}"),)), now=NOW, op=op())
    await store.admit(
        [Draw("l", (Limit(9, 60),))],
        Put("k", b"v", NOW + 9),
        job=None,
        replaces=None,
        now=NOW,
        op=op(),
    )
    assert len(store) == 2
    assert len(store._ends) < 1100


async def test_answers_are_remembered_for_a_minute_and_in_bounds() -> None:
    store = MemoryStore()
    await put(store, "k")
    draw = Draw("l", (Limit(9, 600),))
    first = await store.attempt([draw], "k", now=NOW, op="same")
    assert await store.attempt([draw], "k", now=NOW + 59, op="same") == first
    assert await store.attempt([draw], "k", now=NOW + 60, op="same") != first
    for _ in range(5000):
        await store.write(Writes(), now=NOW, op=op())
    assert len(store._answers) <= 4096


def test_one_of_many_threads_takes() -> None:
    store = MemoryStore()
    asyncio.run(put(store, "k"))
    won: list[bool] = []

    def take() -> None:
        won.append(asyncio.run(store.take("k", Writes(), now=NOW, op=op())))

    threads = [threading.Thread(target=take) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(won) == 1


async def test_a_waiter_of_a_loop_that_has_ended_is_no_harm() -> None:
    """A test client's loop may end while its worker waits."""
    store = MemoryStore()
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(store.jobs.wait(timeout=60))
    await asyncio.get_running_loop().run_in_executor(
        None, lambda: loop.run_until_complete(asyncio.sleep(0))
    )
    loop._ready.clear()  # type: ignore[attr-defined]  # as if it had been torn down mid-way
    loop.close()
    put_ = Put("k", b"v", NOW + 9)
    answer = await store.admit([], put_, job=b"j", replaces=None, now=NOW, op=op())
    assert answer.ok
    waiting._log_destroy_pending = False  # type: ignore[attr-defined]
