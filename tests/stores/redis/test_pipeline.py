"""Commands that come together share a round trip, and none spoils another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import redis.asyncio

from pwless_middleware.errors import StoreError
from pwless_middleware.stores.base import Put, Writes
from pwless_middleware.stores.redis import RedisStore
from tests.redis_server import Server

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
Stores = Callable[..., RedisStore]


async def test_a_crowd_of_reads_takes_a_few_round_trips(
    servers: Callable[..., Server], redis_stores: Stores
) -> None:
    server = servers()
    store, client = redis_stores(server.url), redis.asyncio.Redis.from_url(server.url)
    await store.open()
    before = (await client.info("stats"))["total_reads_processed"]
    await asyncio.gather(*(store.read("k", now=NOW) for _ in range(30)))
    assert (await client.info("stats"))["total_reads_processed"] - before - 1 <= 3
    await client.connection_pool.disconnect()


@pytest.mark.parametrize("options", [{}, {"single_connection_client": True}])
async def test_a_command_that_fails_spoils_no_other_of_its_pipeline(
    redis_url: str, redis_stores: Stores, prefix: str, admin: Any, options: dict[str, Any]
) -> None:
    client = redis.asyncio.Redis.from_url(redis_url, **options)
    store = redis_stores(client)
    await admin.lpush(f"{prefix}:alien", "x")
    await store.write(Writes(puts=(Put("k", b"v", NOW + 9),)), now=NOW, op="1")
    answers = await asyncio.gather(
        *(store.read(key, now=NOW) for key in ("k", "alien", "k")), return_exceptions=True
    )
    assert isinstance(answers[1], StoreError)
    assert [answers[0], answers[2]] == [b"v", b"v"]
    await store.aclose()
    await client.aclose()
