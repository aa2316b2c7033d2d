"""How often somebody changes what they sign in with: so often that no mailbox is filled by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.database.database import Database
from pwless_middleware.errors import RateLimited
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.people.change_budget import DAY, PER_DAY, ChangeBudget
from pwless_middleware.stores.base import Store
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.stores.redis import RedisStore
from pwless_middleware.stores.sql import SQLStore
from tests.support import KEY, Clock

pytestmark = pytest.mark.anyio
REALM = "https://app.example.com\x00pwless"


class World:
    """Two processes that count, and a clock."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self.clock = Clock()
        self.told: list[Any] = []
        events = Events(Keyring(KEY, realm=REALM), self.clock)
        events.subscribe(self.told.append)
        self.budgets = [ChangeBudget(store, REALM, self.clock, events) for store in stores]

    async def spend(self, user_id: str = "jo", *, removes: bool = False, process: int = 0) -> int:
        """Change something; return the seconds to wait, or 0 if it may be done."""
        try:
            await self.budgets[process].spend(user_id, removes=removes)
        except RateLimited as error:
            return int(error.retry_after or 0)
        return 0


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


async def test_twenty_in_any_day_and_then_after_a_wait_that_is_told(world: World) -> None:
    for _ in range(PER_DAY):
        assert await world.spend() == 0
        world.clock.advance(60)
    wait = await world.spend()
    assert wait == DAY - PER_DAY * 60
    assert await world.spend("kim") == 0, "each has their own"
    world.clock.advance(wait - 1)
    assert await world.spend() == 1
    world.clock.advance(1)
    assert await world.spend() == 0
    assert await world.spend() > 0


async def test_who_changes_in_parallel_in_two_processes_gets_no_more(world: World) -> None:
    waits = await asyncio.gather(*(world.spend(process=n % 2) for n in range(3 * PER_DAY)))
    assert waits.count(0) == PER_DAY


async def test_a_removal_counts_and_is_never_kept_from_anybody(world: World) -> None:
    """Nobody keeps a stranger's passkey in an account by using up its owner's day."""
    for _ in range(PER_DAY // 2):
        assert await world.spend() == await world.spend(removes=True) == 0
    assert await world.spend() > 0
    for _ in range(PER_DAY):
        assert await world.spend(removes=True) == 0


async def test_who_reaches_it_is_told_to_operators() -> None:
    world = World([MemoryStore()] * 2)
    for _ in range(PER_DAY + 1):
        wait = await world.spend()
    await asyncio.sleep(0)
    (event,) = world.told
    assert (event.kind, event.reason, event.user_id) == ("limit.reached", "change_by_user", "jo")
    assert event.wait == wait == DAY


async def test_it_says_how_long_to_wait_and_speaks_of_changes() -> None:
    world = World([MemoryStore()] * 2)
    for _ in range(PER_DAY):
        await world.spend()
    with pytest.raises(
        RateLimited, match=r"Too many changes in one day\. Try again in 24 hours"
    ) as told:
        await world.budgets[0].spend("jo")
    assert told.value.brief == "Too many changes in one day.", "where a page counts the wait"
