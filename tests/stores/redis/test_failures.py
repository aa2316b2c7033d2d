"""What happens when Redis hangs, restarts, is full, is a replica, or its replies are lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from pwless_middleware.core.challenges.budget import Draw, Limit
from pwless_middleware.errors import StoreError
from pwless_middleware.stores.base import Drop, Put, Writes
from pwless_middleware.stores.redis import RedisStore
from tests.redis_proxy import Proxy
from tests.redis_server import Server, until

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
WITHIN = 20
"""Seconds in which a server that hangs is an error: two, and what a busy machine adds."""
T = TypeVar("T")
Stores = Callable[..., RedisStore]
Servers = Callable[..., Server]


async def refusal(store: RedisStore) -> str:
    """Return what the store says when it is opened; its cause must be chained."""
    with pytest.raises(StoreError) as caught:
        await store.open()
    return str(caught.value)


@pytest.mark.parametrize("how", ["url", "client"])
async def test_a_server_that_hangs_is_an_error_in_time(
    servers: Servers, redis_stores: Stores, how: str
) -> None:
    server = servers()
    client = redis.asyncio.Redis.from_url(server.url) if how == "client" else None
    store = redis_stores(client or server.url)
    await store.open()
    await until(store.feed.is_live)
    server.freeze()
    begun = time.monotonic()
    asked = await asyncio.gather(
        *(store.read("k", now=NOW) for _ in range(50)), return_exceptions=True
    )
    assert time.monotonic() - begun < WITHIN
    assert all(isinstance(each, StoreError) for each in asked)
    assert not store.feed.is_live()
    server.thaw()
    assert await store.read("k", now=NOW) is None
    await until(store.feed.is_live)
    await store.aclose()
    if client:
        await client.connection_pool.disconnect()


async def test_a_server_that_hangs_while_connecting(servers: Servers, redis_stores: Stores) -> None:
    server = servers()
    server.freeze()
    begun = time.monotonic()
    assert "in time" in await refusal(redis_stores(server.url))
    assert time.monotonic() - begun < WITHIN


async def test_a_restart_is_survived_and_everything_is_gone(
    servers: Servers, redis_stores: Stores
) -> None:
    server = servers()
    store = redis_stores(server.url)
    heard: list[str | None] = []
    store.feed.subscribe(heard.append)
    put = Put("k", b"v", NOW + 9)
    await store.admit([], put, job=b"j", replaces=None, now=NOW, op="1")
    assert len(await store.jobs.claim(now=NOW, limit=9)) == 1
    await until(store.feed.is_live)
    epoch = store.feed.epoch
    server.kill()
    with pytest.raises(StoreError, match="cannot be reached"):
        await store.read("k", now=NOW)
    await until(lambda: None in heard[1:])
    assert store.feed.epoch > epoch
    assert not store.feed.is_live()
    server.start()
    assert await store.read("k", now=NOW) is None
    assert not await store.take("k", Writes(), now=NOW, op="2")
    assert await store.jobs.claim(now=NOW, limit=9) == []
    await store.admit([], put, job=b"k", replaces=None, now=NOW, op="3")
    assert [job.payload for job in await store.jobs.claim(now=NOW, limit=9)] == [b"k"]
    await until(store.feed.is_live)


async def test_a_replica_is_not_for_us(servers: Servers, redis_stores: Stores) -> None:
    primary = servers()
    replica = servers({"replicaof": f"127.0.0.1 {primary.port}"})
    store = redis_stores(replica.url)
    assert "primary" in await refusal(store)
    with pytest.raises(StoreError):
        await store.write(Writes(drops=(Drop("s", publish=True),)), now=NOW, op="1")
    await asyncio.sleep(0.2)
    assert not store.feed.is_live()


async def test_a_full_server_refuses_what_is_new_and_finishes_what_is_begun(
    servers: Servers, redis_stores: Stores
) -> None:
    server = servers()
    client = redis.asyncio.Redis.from_url(server.url)
    store = redis_stores(server.url)
    for key in ("k", "s"):
        await store.write(Writes(puts=(Put(key, b"v", NOW + 99),)), now=NOW, op=key)
    await client.config_set("maxmemory", "1")
    draw = Draw("l", (Limit(1, 60),))
    with pytest.raises(StoreError, match="full"):
        await store.admit([draw], Put("n", b"v", NOW + 9), job=None, replaces=None, now=NOW, op="1")
    with pytest.raises(StoreError, match="full"):
        await store.attempt([draw], "k", now=NOW, op="2")
    with pytest.raises(StoreError, match="full"):
        await store.ping()
    await store.write(Writes(drops=(Drop("s", publish=True),)), now=NOW, op="3")
    assert await store.take("k", Writes(puts=(Put("t", b"t", NOW + 9),)), now=NOW, op="4")
    assert await store.read("s", now=NOW) is None
    assert await store.read("t", now=NOW) == b"t"
    await client.config_set("maxmemory", "0")
    assert (await store.attempt([draw], "t", now=NOW, op="5")).value == b"t"
    await client.connection_pool.disconnect()


async def test_a_lost_reply_is_retried_without_harm(servers: Servers, redis_stores: Stores) -> None:
    """redis-py's retries run a script twice: that costs no try, and what is won stays won."""
    server = servers()
    async with Proxy(server.port) as proxy:
        client = redis.asyncio.Redis.from_url(
            proxy.url,
            retry=Retry(NoBackoff(), 3),
            retry_on_error=[redis.exceptions.ConnectionError],
        )
        store = redis_stores(client)
        await store.open()
        draw, own = Draw("l", (Limit(3, 60),)), Draw("o", (Limit(9, 60),))

        async def twice(call: Awaitable[T]) -> T:
            proxy.drops = 2
            answer = await call
            assert proxy.drops == 0
            return answer

        def put(value: bytes) -> Put:
            return Put("k", value, NOW + 99)

        first = store.admit([own], put(b"v"), job=b"j", replaces=None, now=NOW, op="1")
        assert (await twice(first)).ok
        again = store.admit([own], put(b"w"), job=b"j", replaces=b"v", now=NOW, op="2")
        assert (await twice(again)).ok
        assert len(await store.jobs.claim(now=NOW, limit=9)) == 2
        tried = [await store.attempt([draw], "k", now=NOW, op="3")]
        tried.append(await twice(store.attempt([draw], "k", now=NOW, op="4")))
        assert [each.left for each in tried] == [2, 1]
        assert await twice(store.swap(put(b"x"), replaces=b"w", now=NOW))
        then = Writes(puts=(Put("s", b"s", NOW + 9),))
        assert await twice(store.take("k", then, now=NOW, op="5"))
        assert not await store.take("k", then, now=NOW, op="6")
        await store.aclose()
        await client.connection_pool.disconnect()


async def test_a_lost_reply_to_our_own_client_is_an_error_that_may_be_repeated(
    servers: Servers, redis_stores: Stores
) -> None:
    server = servers()
    async with Proxy(server.port) as proxy:
        store = redis_stores(proxy.url)
        await store.write(Writes(puts=(Put("k", b"v", NOW + 9),)), now=NOW, op="1")
        proxy.drops = 1
        with pytest.raises(StoreError):
            await store.take("k", Writes(), now=NOW, op="2")
        assert await store.take("k", Writes(), now=NOW, op="2")
        await store.aclose()
