"""The feed on PostgreSQL: a connection that is gone, or hears nothing, vouches for nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from pwless_middleware.database.base import Listener
from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Statement
from pwless_middleware.stores.base import Drop, Writes
from pwless_middleware.stores.sql import SQLStore
from tests.redis_server import until

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
END_LISTENERS = Statement(
    "",
    postgres="SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE query LIKE '%pg_is_in_recovery%' AND pid <> pg_backend_pid()",
)


class Pooled(Database):
    """A database behind a pooler in transaction mode: who listens there hears nothing."""

    async def listen(self, channel: str, on_payload: Callable[[str], None]) -> Listener | None:
        return await super().listen(f"{channel}_elsewhere", on_payload)


async def test_a_listener_that_is_ended_is_replaced(postgres_url: str) -> None:
    store, admin = SQLStore(Database(postgres_url)), Database(postgres_url)
    heard: list[str | None] = []
    await store.open()
    await until(store.feed.is_live)
    store.feed.subscribe(heard.append)
    await admin.execute(END_LISTENERS())
    await until(lambda: None in heard)
    await until(store.feed.is_live)
    drops = (Drop("s", publish=True),)
    await SQLStore(admin).write(Writes(drops=drops), now=NOW, op="1")
    await until(lambda: "s" in heard)
    for each in (store, admin):
        await each.aclose()


async def test_where_nothing_is_heard_it_is_never_live_and_the_log_says_why(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = SQLStore(Pooled(postgres_url))
    with caplog.at_level(logging.WARNING, "pwless.store"):
        await store.open()
        assert not store.feed.is_live()
        await until(lambda: "pgbouncer=true" in caplog.text)
        assert not store.feed.is_live()
    await store.aclose()


async def test_behind_a_pooler_it_is_heard_from_the_table(postgres_url: str) -> None:
    direct, pooled = (SQLStore(Database(postgres_url + end)) for end in ("", "?pgbouncer=true"))
    heard: dict[SQLStore, list[str | None]] = {direct: [], pooled: []}
    # Between two tests the table was emptied, which in a deployment it never is.
    await direct.write(Writes(drops=(Drop("first", publish=True),)), now=NOW, op="first")
    for store, keys in heard.items():
        await store.open()
        await until(store.feed.is_live)
        store.feed.subscribe(keys.append)
    for n, store in enumerate((direct, pooled, direct)):
        drops = (Drop(f"s{n}", publish=True), Drop(f"t{n}", publish=True))
        await store.write(Writes(drops=drops), now=NOW, op=f"{n}")
    told = {f"{letter}{n}" for letter in "st" for n in range(3)}
    await until(lambda: all(told <= set(keys) for keys in heard.values()))
    assert pooled.feed.is_live()
    for store in heard:
        await store.aclose()
