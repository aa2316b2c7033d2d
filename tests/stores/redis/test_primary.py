"""Whether the server asked is a primary with our data: emptied, demoted, full, cannot save."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import redis.asyncio

from pwless_middleware.errors import StoreError
from pwless_middleware.stores.base import Drop, Put, Writes
from pwless_middleware.stores.redis import RedisStore
from tests.failures.feed_proxy import FeedProxy
from tests.ports import free_port
from tests.redis_proxy import Proxy
from tests.redis_server import Server, until

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
Stores = Callable[..., RedisStore]
Servers = Callable[..., Server]


class Held:
    """Listen to a store's feed as the sessions do, and keep it asked for."""

    def __init__(self, store: RedisStore) -> None:
        self.store = store
        self.interruptions = 0
        store.feed.subscribe(self._heard)

    def _heard(self, key: str | None) -> None:
        self.interruptions += key is None

    async def live(self, seconds: float = 30) -> None:
        """Wait until the lease holds."""
        await until(self.store.feed.is_live, seconds)

    async def dead(self, seconds: float = 30) -> None:
        """Wait until the lease has ended, while somebody asks for it."""
        await until(lambda: not self.store.feed.is_live(), seconds)

    async def stays_dead(self, seconds: float) -> None:
        """Hold the lease to: gone, and not back for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert not self.store.feed.is_live()
            await asyncio.sleep(0.005)

    async def forgets(self, before: int) -> None:
        """Wait until all that is held was thrown away, while somebody asks for the lease."""

        def has_forgotten() -> bool:
            self.store.feed.is_live()
            return self.interruptions > before

        await until(has_forgotten)

    async def stays_live(self, seconds: float) -> None:
        """Hold the lease to: never gone for longer than a busy machine takes it away."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await self.live()
            await asyncio.sleep(0.02)


@pytest.fixture
async def admin_of() -> AsyncIterator[Callable[[Server], Any]]:
    """Talk to servers directly."""
    made: list[Any] = []

    def connect(server: Server) -> Any:
        made.append(redis.asyncio.Redis(port=server.port))
        return made[-1]

    yield connect
    for client in made:
        await client.connection_pool.disconnect()


async def put(store: RedisStore, key: str = "k") -> None:
    await store.write(Writes(puts=(Put(key, b"v", NOW + 99),)), now=NOW, op=f"put{key}")


async def recovers(store: RedisStore, key: str = "new") -> None:
    """Wait until the store takes writes and reads again, by itself."""
    async with asyncio.timeout(30):
        while True:
            try:
                await put(store, key)
                assert await store.read(key, now=NOW) == b"v"
            except StoreError:
                await asyncio.sleep(0.05)
            else:
                return


async def test_after_flushall_every_process_throws_away_what_it_holds(
    servers: Servers, redis_stores: Stores, admin_of: Any
) -> None:
    server = servers()
    held = [Held(redis_stores(server.url)) for _ in range(2)]
    for each in held:
        await put(each.store)
        await each.live()
    before = [each.interruptions for each in held]
    await admin_of(server).flushall()
    await asyncio.gather(*(each.forgets(n) for each, n in zip(held, before, strict=True)))
    for each in held:
        assert await each.store.read("k", now=NOW) is None
        await each.live()
    before = [each.interruptions for each in held]
    for each in held:
        await each.stays_live(2.5)
    assert [each.interruptions for each in held] == before  # told once, not at every look


async def test_flushall_is_noticed_by_a_question_too(
    servers: Servers, redis_stores: Stores, admin_of: Any
) -> None:
    """Nobody asked for the lease, so nobody looked; the first question looks."""
    server = servers()
    held = Held(redis_stores(server.url))
    await put(held.store)
    await admin_of(server).flushall()
    held.store._server.link().good_from = 0.0
    before = held.interruptions
    assert await held.store.read("k", now=NOW) is None
    assert held.interruptions > before


async def test_a_demoted_primary_answers_nothing_and_is_trusted_again_when_it_is_one(
    servers: Servers, redis_stores: Stores, admin_of: Any
) -> None:
    server = servers()
    held, admin = Held(redis_stores(server.url)), admin_of(server)
    await put(held.store)
    await held.live()
    await admin.execute_command("REPLICAOF", "127.0.0.1", free_port())
    await held.dead()
    with pytest.raises(StoreError, match="read-only replica"):
        await held.store.read("k", now=NOW)
    with pytest.raises(StoreError, match="read-only replica"):  # the refusal is repeated for a bit
        await held.store.read("k", now=NOW)
    with pytest.raises(StoreError, match="read-only replica"):
        await held.store.take("absent", Writes(), now=NOW, op="1")
    await asyncio.sleep(0.3)
    assert not held.store.feed.is_live()
    await admin.execute_command("REPLICAOF", "NO", "ONE")
    await recovers(held.store)
    await held.live()


async def test_a_write_that_is_refused_by_a_replica_ends_the_lease_at_once(
    servers: Servers, redis_stores: Stores, admin_of: Any
) -> None:
    server = servers()
    held = Held(redis_stores(server.url))
    await put(held.store)
    await held.live()
    await admin_of(server).execute_command("REPLICAOF", "127.0.0.1", free_port())
    with pytest.raises(StoreError, match="primary"):
        await put(held.store, "other")
    assert not held.store.feed.is_live()


@pytest.mark.parametrize("how", ["url", "client"])
async def test_after_a_failover_behind_one_name_everything_connects_anew(
    servers: Servers, redis_stores: Stores, admin_of: Any, how: str
) -> None:
    """Old connections lead to the demoted primary as long as nobody closes them."""
    old, new = servers(), servers()
    to_old, to_new = admin_of(old), admin_of(new)
    async with Proxy(old.port) as name:
        client = redis.asyncio.Redis(port=name.port) if how == "client" else None
        held = Held(redis_stores(client or name.url))
        await asyncio.gather(*(put(held.store, f"k{n}") for n in range(8)))  # several connections
        await held.live()
        await to_old.execute_command("REPLICAOF", "127.0.0.1", new.port)
        name.target = new.port
        await recovers(held.store)
        await held.live()
        # Told by a third process at the new primary, and heard here.
        other = redis_stores(new.url)
        epoch = held.store.feed.epoch
        await other.write(Writes(drops=(Drop("new", publish=True),)), now=NOW, op="drop")
        await until(lambda: held.store.feed.epoch > epoch)
        assert await to_new.exists(f"{held.store._prefix}marker")
        if client is not None:
            await held.store.aclose()
            await client.connection_pool.disconnect()


async def test_who_only_reads_finds_the_promoted_server_too(
    servers: Servers, redis_stores: Stores, admin_of: Any
) -> None:
    old, new = servers(), servers()
    async with Proxy(old.port) as name:
        store = redis_stores(name.url)
        await put(store)
        await put(redis_stores(new.url, prefix=store._prefix[:-1]), "promoted")
        await admin_of(old).execute_command("REPLICAOF", "127.0.0.1", free_port())
        name.target = new.port
        async with asyncio.timeout(30):
            while True:
                try:
                    if await store.read("promoted", now=NOW) == b"v":
                        break
                except StoreError:
                    pass
                await asyncio.sleep(0.05)


async def test_a_feed_at_another_server_than_the_questions_has_no_lease(
    servers: Servers, redis_stores: Stores, admin_of: Any
) -> None:
    """Its PONGs prove nothing about what is told where sessions are ended."""
    one, other = servers(), servers()
    async with Proxy(one.port) as name:
        held = Held(redis_stores(name.url))
        await put(held.store)
        await held.live()
        name.target = other.port
        await admin_of(one).client_kill_filter(_type="pubsub")
        await held.dead()
        await held.stays_dead(2)
        name.target = one.port
        await held.live()


async def test_a_feed_at_a_replica_has_no_lease_although_it_hears_our_own_word(
    servers: Servers, redis_stores: Stores, admin_of: Any
) -> None:
    """A replica is behind: its PONG does not prove that all that was told has been heard."""
    primary = servers()
    replica = servers({"replicaof": f"127.0.0.1 {primary.port}"})
    to_replica = admin_of(replica)
    async with asyncio.timeout(30):
        while (await to_replica.info("replication"))["master_link_status"] != "up":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    async with Proxy(primary.port) as name:
        held = Held(redis_stores(name.url))
        await put(held.store)
        await held.live()
        name.target = replica.port
        await admin_of(primary).client_kill_filter(_type="pubsub")
        await held.dead()
        epoch = held.store.feed.epoch
        await until(lambda: bool(held.store.feed.epoch > epoch))  # it listens again
        await held.stays_dead(2)


async def test_a_replica_that_lost_its_primary_is_named(
    servers: Servers, redis_stores: Stores
) -> None:
    orphan = servers({"replicaof": f"127.0.0.1 {free_port()}", "replica-serve-stale-data": "no"})
    with pytest.raises(StoreError, match="primary"):
        await redis_stores(orphan.url).read("k", now=NOW)


async def test_a_full_server_keeps_its_lease(
    servers: Servers, redis_stores: Stores, admin_of: Any
) -> None:
    server = servers()
    held, admin = Held(redis_stores(server.url)), admin_of(server)
    await put(held.store)
    await held.live()
    await admin.config_set("maxmemory", "1")
    before = held.interruptions
    await held.stays_live(2.5)
    assert await held.store.read("k", now=NOW) == b"v"
    assert held.interruptions == before


async def test_a_full_server_without_our_marker_is_still_read(
    servers: Servers, redis_stores: Stores, admin_of: Any
) -> None:
    server = servers()
    await admin_of(server).config_set("maxmemory", "1")
    held = Held(redis_stores(server.url))
    assert await held.store.read("k", now=NOW) is None
    await held.live()


async def test_a_server_that_cannot_save_keeps_its_lease_and_answers_reads(
    servers: Servers, redis_stores: Stores, admin_of: Any
) -> None:
    """It refuses writes, and PING as well, on a subscription too."""
    server = servers({"save": "3600 1"})
    held, admin = Held(redis_stores(server.url)), admin_of(server)
    await put(held.store)
    await held.live()
    shutil.rmtree(server.folder)
    await admin.bgsave()
    async with asyncio.timeout(30):
        while (await admin.info("persistence"))["rdb_last_bgsave_status"] == "ok":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    with pytest.raises(StoreError, match="cannot save"):
        await held.store.ping()
    before = held.interruptions
    await held.stays_live(2.5)
    assert await held.store.read("k", now=NOW) == b"v"
    assert held.interruptions == before


async def test_without_an_answer_to_the_look_the_lease_ends(
    servers: Servers, redis_stores: Stores
) -> None:
    """The subscription lives on and its PONGs come, but the questions' connections hang."""
    server = servers()
    proxy = FeedProxy(server.port)
    async with proxy:
        held = Held(redis_stores(proxy.url))
        await put(held.store)
        await held.live()
        proxy.hold_questions()
        async with asyncio.timeout(30):
            # A look may have been answered just now, and a busy machine takes a lease at any time.
            while held.store._server.link().proved_until > time.monotonic():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await held.stays_dead(1)
        proxy.release_questions()
        await held.live()


async def test_the_lease_counts_from_when_the_question_was_sent(
    servers: Servers, redis_stores: Stores
) -> None:
    """PONGs that take 150 ms prove nothing about the last 100."""
    server = servers()
    async with Proxy(server.port) as proxy:
        held = Held(redis_stores(proxy.url))
        await held.store.open()
        await held.live()
        proxy.late = 0.15
        await held.dead()
        await held.stays_dead(1)
        proxy.late = 0.0
        await held.live()


async def test_a_drop_is_told_here_before_and_after_it_is_done(
    servers: Servers, redis_stores: Stores
) -> None:
    """Who read between the two has what is gone by now; the feed may be late."""
    server = servers()
    proxy = FeedProxy(server.port)
    async with proxy:
        store = redis_stores(proxy.url)
        await put(store)
        await until(store.feed.is_live)
        proxy.hold()
        proxy.hold_questions()
        heard: list[str | None] = []
        store.feed.subscribe(heard.append)
        drop = store.write(Writes(drops=(Drop("k", publish=True),)), now=NOW, op="drop")
        dropping = asyncio.create_task(drop)
        await until(lambda: bool(heard))
        assert heard == ["k"]
        proxy.release_questions()
        await dropping
        assert heard == ["k", "k"]
