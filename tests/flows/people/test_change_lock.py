"""One change of a person at a time, in whichever process, and none kept out for good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from secrets import token_hex

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.errors import StoreError, StoreTimeout
from pwless_middleware.flows.people.change_lock import ChangeLock
from pwless_middleware.stores.base import Store
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.stores.redis import RedisStore
from pwless_middleware.stores.sql import SQLStore
from tests.support import Clock

pytestmark = pytest.mark.anyio
REALM = "https://app.example.com\x00pwless"


class World:
    """Two processes, and a clock that goes on while they wait."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self.clock = Clock()
        self.waited = 0.0
        self.locks = [
            ChangeLock(store, REALM, lambda: self.clock() + int(self.waited), pause=self.pause)
            for store in stores
        ]

    async def pause(self, seconds: float) -> None:
        """Let the time pass, and the others go on."""
        self.waited += seconds
        await asyncio.sleep(0)


@pytest.fixture(params=["memory", "redis", "sql"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A world over each kind of store."""
    if request.param == "memory":
        yield World([MemoryStore()] * 2)
        return
    stores: list[Store]
    if request.param == "redis":
        url, prefix = request.getfixturevalue("redis_url"), f"test-{token_hex(8)}"
        stores = [RedisStore(url, prefix=prefix) for _ in range(2)]
    else:
        stores = [SQLStore(Database(f"sqlite:///{tmp_path}/pwless.db")) for _ in range(2)]
    for store in stores:
        await store.open()
    yield World(stores)
    for store in stores:
        await store.aclose()


async def test_changes_of_one_person_follow_one_another_in_whichever_process(world: World) -> None:
    order: list[int] = []
    is_changing = False
    both = asyncio.Barrier(2)

    async def change(process: int) -> None:
        nonlocal is_changing
        await both.wait()
        async with world.locks[process].hold("jo", seconds=60):
            assert not is_changing
            is_changing = True
            async with world.locks[1 - process].hold(f"another {process}"):
                order.append(process)
            is_changing = False

    await asyncio.gather(change(0), change(1))
    assert sorted(order) == [0, 1]


async def test_a_process_that_died_in_a_change_delays_the_next_one_and_refuses_nothing(
    world: World,
) -> None:
    died = world.locks[0].hold("jo")
    await died.__aenter__()
    async with world.locks[1].hold("jo"):
        assert 4 <= world.waited < 6


async def test_a_change_that_took_too_long_does_not_release_the_next_ones_lock(
    world: World,
) -> None:
    hung = world.locks[0].hold("jo")
    await hung.__aenter__()
    async with world.locks[1].hold("jo", seconds=60):
        await hung.__aexit__(None, None, None)
        with pytest.raises(StoreError, match="another change of the same person goes on"):
            async with world.locks[0].hold("jo"):
                raise AssertionError("two at once")
    waited = world.waited
    async with world.locks[0].hold("jo"):
        assert world.waited == waited, "what is released is free at once"


async def test_a_change_that_hangs_is_ended_before_its_lock_is() -> None:
    world = World([MemoryStore()])
    with pytest.raises(StoreTimeout, match="the change did not end in time"):
        async with world.locks[0].hold("jo", seconds=0):
            await asyncio.Event().wait()
    async with world.locks[0].hold("jo"):
        assert world.waited == 0
