"""The revocation feed when its connection is frozen or cut: not live, and nothing is missed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable

import pytest
import redis.asyncio

from pwless_middleware.errors import StoreError
from pwless_middleware.stores.base import Drop, Put, Writes
from pwless_middleware.stores.redis import RedisStore
from tests.redis_proxy import Proxy
from tests.redis_server import Server, until

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
LEASE = 0.1
Stores = Callable[..., RedisStore]
_ops = itertools.count()


class Reader:
    """Keep what is read, as the sessions' cache does, by the feed's rules."""

    def __init__(self, store: RedisStore) -> None:
        self.store = store
        self.kept: dict[str, bytes | None] = {}
        store.feed.subscribe(self._heard)

    def _heard(self, key: str | None) -> None:
        if key is None:
            self.kept.clear()
        else:
            self.kept.pop(key, None)

    async def read(self, key: str) -> bytes | None:
        if not self.store.feed.is_live():
            self.kept.clear()
        elif key in self.kept:
            return self.kept[key]
        epoch = self.store.feed.epoch
        value = await self.store.read(key, now=NOW)
        if self.store.feed.is_live() and self.store.feed.epoch == epoch:
            self.kept[key] = value
        return value

    async def hold(self, key: str) -> None:
        """Read until the record is kept: between two leases it is not."""
        async with asyncio.timeout(30):
            while key not in self.kept:
                assert await self.read(key) == b"v"


async def put(store: RedisStore, key: str) -> None:
    op = f"op{next(_ops)}"
    await store.write(Writes(puts=(Put(key, b"v", NOW + 99),)), now=NOW, op=op)


async def revoke(store: RedisStore, key: str) -> None:
    op = f"op{next(_ops)}"
    await store.write(Writes(drops=(Drop(key, publish=True),)), now=NOW, op=op)


@pytest.fixture
async def proxy(servers: Callable[[], Server]) -> AsyncIterator[Proxy]:
    """Stand between the reader and its server."""
    server = servers()
    async with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
async def reader(proxy: Proxy, redis_stores: Stores) -> Reader:
    """A process that reads through the proxy, its feed live."""
    reader = Reader(redis_stores(proxy.url))
    await reader.store.open()
    await until(reader.store.feed.is_live)
    return reader


@pytest.fixture
async def revoker(proxy: Proxy, redis_stores: Stores) -> RedisStore:
    """Another process, with a good connection."""
    store = redis_stores(proxy.direct)
    await store.open()
    return store


async def test_a_kept_record_costs_no_round_trip_and_dies_within_100_ms(
    reader: Reader, revoker: RedisStore
) -> None:
    for n in range(20):
        key = f"s{n}"
        await put(revoker, key)
        await reader.hold(key)
        await revoke(revoker, key)
        revoked = begun = time.monotonic()
        # Told by when a read began: a busy machine can delay this test, never fail it.
        while await reader.read(key) is not None:
            assert begun - revoked < LEASE
            await asyncio.sleep(0.001)
            begun = time.monotonic()


async def test_a_frozen_feed_is_not_live_after_100_ms(
    reader: Reader, revoker: RedisStore, proxy: Proxy
) -> None:
    await put(revoker, "s")
    assert await reader.read("s") == b"v"
    proxy.freeze()
    frozen = time.monotonic()
    await revoke(revoker, "s")
    asked = frozen
    while reader.store.feed.is_live():
        assert asked - frozen < LEASE + 0.05
        await asyncio.sleep(0.001)
        asked = time.monotonic()
    proxy.thaw()
    assert await reader.read("s") is None
    await until(reader.store.feed.is_live)
    assert await reader.read("s") is None


async def test_a_feed_that_stays_frozen_is_made_anew(
    reader: Reader, revoker: RedisStore, proxy: Proxy
) -> None:
    epoch = reader.store.feed.epoch
    proxy.freeze()
    # Nobody asks meanwhile; the quiet feed's own ping must find out.
    await until(lambda: reader.store.feed.epoch > epoch)
    proxy.thaw()
    await until(reader.store.feed.is_live)
    await revoke(revoker, "s")
    epoch = reader.store.feed.epoch
    await until(lambda: reader.store.feed.epoch > epoch or "s" not in reader.kept)


async def test_a_cut_feed_throws_everything_away_and_comes_back(
    reader: Reader, revoker: RedisStore, proxy: Proxy
) -> None:
    await put(revoker, "s")
    assert await reader.read("s") == b"v"
    epoch = reader.store.feed.epoch
    proxy.cut()
    await until(lambda: not reader.kept)
    assert reader.store.feed.epoch > epoch
    await revoke(revoker, "s")
    await until(reader.store.feed.is_live)
    with contextlib.suppress(StoreError):  # its pooled connection was cut as well, which
        await reader.read("s")  # redis-py 5 finds out by using it
    assert await reader.read("s") is None


async def test_a_quiet_feed_still_hears(reader: Reader, revoker: RedisStore, proxy: Proxy) -> None:
    heard: list[str | None] = []
    reader.store.feed.subscribe(heard.append)
    client = redis.asyncio.Redis.from_url(proxy.direct)

    async def pings() -> int:
        stats = await client.info("commandstats")
        return int(stats["cmdstat_ping"]["calls"])

    await asyncio.sleep(1.2)  # nobody asks for a second: that is what makes it quiet
    before = await pings()
    await asyncio.sleep(0.3)
    assert await pings() - before <= 1
    await revoker.ping()
    await revoke(revoker, "s")
    await until(lambda: "s" in heard)
    assert heard == ["s"]
    await until(reader.store.feed.is_live)
    await client.connection_pool.disconnect()


async def test_a_busy_loop_loses_its_lease_and_nothing_else(
    reader: Reader, revoker: RedisStore
) -> None:
    await put(revoker, "s")
    assert await reader.read("s") == b"v"
    epoch = reader.store.feed.epoch
    time.sleep(0.15)  # noqa: ASYNC251  # the point: a handler that blocks the loop
    assert not reader.store.feed.is_live()
    await until(reader.store.feed.is_live)
    assert reader.store.feed.epoch == epoch


async def test_a_killed_subscription_comes_back(reader: Reader, proxy: Proxy) -> None:
    client = redis.asyncio.Redis.from_url(proxy.direct)
    for _ in range(3):
        epoch = reader.store.feed.epoch
        await client.client_kill_filter(_type="pubsub")
        await until(lambda: reader.store.feed.epoch > epoch)  # noqa: B023
        await until(reader.store.feed.is_live)
    await client.connection_pool.disconnect()


async def test_a_drop_that_comes_while_it_subscribes_is_no_interruption(
    reader: Reader, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    drop = b"*3\r\n$7\r\nmessage\r\n$12\r\npwless:drops\r\n$1\r\ns\r\n"
    proxy.rewrites = {b":drops\r\n:1\r\n": b":drops\r\n:1\r\n" + drop}
    epoch = reader.store.feed.epoch
    proxy.cut()
    await until(lambda: reader.store.feed.epoch > epoch)
    await until(reader.store.feed.is_live)
    said = [record.getMessage() for record in caplog.records if record.name == "pwless.store"]
    assert len(said) == 1, said  # of the cut
    assert "cannot be reached" in said[0]


def test_nobody_is_live_outside_an_event_loop() -> None:
    assert not RedisStore("redis://localhost").feed.is_live()
