"""The feed on SQLite: where something may have been missed, that is said."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Statement, Steps
from pwless_middleware.stores.base import Drop, Writes
from pwless_middleware.stores.sql import SQLStore
from tests.redis_server import until

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
TELL = Statement("INSERT INTO pwless_drops (key) VALUES ('b'), ('c')")
FORGET = Statement("DELETE FROM pwless_drops WHERE id < (SELECT MAX(id) FROM pwless_drops)")


async def tell(store: SQLStore, *keys: str) -> None:
    for key in keys:
        drops = (Drop(key, publish=True),)
        await store.write(Writes(drops=drops), now=NOW, op=os.urandom(8).hex())


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/pwless.db"


async def test_what_was_told_while_nobody_looked_may_be_missing(url: str) -> None:
    """The rows behind the last look are gone: then whoever keeps records throws all away."""
    here, there = SQLStore(Database(url)), SQLStore(Database(url))
    heard: list[str | None] = []
    await here.open()
    await until(here.feed.is_live)
    here.feed.subscribe(heard.append)
    await tell(there, "a")
    await until(lambda: heard == ["a"])
    other = Database(url)
    await other.open()

    def tell_and_forget() -> Steps[None]:
        yield TELL()
        yield FORGET()

    await other.transact(tell_and_forget)
    await until(lambda: None in heard)
    assert "b" not in heard
    await tell(there, "d")
    await until(lambda: "d" in heard)
    for each in (here, there, other):
        await each.aclose()


async def test_is_not_live_outside_of_an_event_loop(url: str) -> None:
    store = SQLStore(Database(url))
    assert not await asyncio.to_thread(store.feed.is_live)
    await store.aclose()
