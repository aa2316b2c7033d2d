"""What has ended leaves the database, and what lives never does."""

from __future__ import annotations

import asyncio

import pytest

from pwless_middleware.core.challenges.budget import Draw, Limit
from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Statement
from pwless_middleware.stores.base import Put, Writes
from pwless_middleware.stores.sql import SQLStore
from pwless_middleware.stores.sql.sweep import KEPT_FOR, Sweep

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
COUNT = Statement("SELECT COUNT(*) FROM pwless_entries")


async def count(database: Database) -> int:
    [(number,)] = await database.fetch(COUNT())
    return int(number)


async def test_what_ended_long_ago_leaves_in_batches(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pwless_middleware.stores.sql.sweep._BATCH", 10)
    store, sweep = SQLStore(database), Sweep(database)
    puts = tuple(Put(f"k{n}", b"v", NOW + 1 + n % 2) for n in range(50))
    await store.write(Writes(puts), now=NOW, op="1")
    await store.write(Writes((Put("lives", b"v", NOW + 9999),)), now=NOW, op="2")
    assert await sweep.run(NOW + KEPT_FOR + 1) == 25 + 2, "with the two operations"
    assert await sweep.run(NOW + KEPT_FOR + 2) == 25
    assert await count(database) == 1
    assert await store.read("lives", now=NOW) == b"v"


async def test_a_clock_that_runs_ahead_throws_away_nothing_that_lives(database: Database) -> None:
    store = SQLStore(database)
    await store.write(Writes((Put("k", b"v", NOW + 60),)), now=NOW, op="1")
    await Sweep(database).run(NOW + KEPT_FOR)
    assert await store.read("k", now=NOW) == b"v"


async def test_an_operation_is_remembered_for_a_minute(database: Database) -> None:
    store = SQLStore(database)
    draw = Draw("b", (Limit(5, 60),))
    await store.write(Writes((Put("k", b"v", NOW + 300),)), now=NOW, op="1")
    first = await store.attempt([draw], "k", now=NOW, op="2")
    await Sweep(database).run(NOW + 59)
    assert await store.attempt([draw], "k", now=NOW + 59, op="2") == first
    assert await Sweep(database).run(NOW + 60) == 2


async def test_a_write_begins_a_pass_and_closing_ends_it(database: Database) -> None:
    store = SQLStore(database)
    await store.write(Writes((Put("old", b"v", NOW + 1),)), now=NOW, op="1")
    await store.aclose()  # so that the next write is the first of its time
    await store.write(Writes((Put("new", b"v", NOW + 9999),)), now=NOW + 2 * KEPT_FOR, op="2")
    async with asyncio.timeout(30):
        while await count(database) != 2:  # noqa: ASYNC110  # the new one, and its operation
            await asyncio.sleep(0)
    await store.aclose()
