"""On a Redis Cluster and behind Sentinel: few round trips, and right through a failover."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import redis.asyncio
from redis.asyncio.sentinel import Sentinel
from redis.crc import key_slot

from pwless_middleware.core.challenges.budget import Draw, Limit, Refund
from pwless_middleware.errors import QueueFull, StoreError
from pwless_middleware.stores.base import Drop, Put, Writes
from pwless_middleware.stores.redis import RedisStore
from tests.ports import free_port
from tests.redis_cluster import Cluster, disconnect
from tests.redis_server import Server, until

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
LIMIT = (Limit(9, 60),)
Stores = Callable[..., RedisStore]
Servers = Callable[..., Server]
_ops = itertools.count()


def op() -> str:
    return f"op{next(_ops)}"


@pytest.fixture
async def cluster_client(redis_cluster: Cluster) -> AsyncIterator[Any]:
    """A client of the session's cluster."""
    client = redis.asyncio.RedisCluster(host="127.0.0.1", port=redis_cluster.nodes[0].port)
    yield client
    await disconnect(client)


async def test_a_url_of_a_node_is_refused(redis_cluster: Cluster, redis_stores: Stores) -> None:
    for node in redis_cluster.nodes[:3]:
        with pytest.raises(StoreError, match="RedisCluster client"):
            await redis_stores(node.url).open()


async def test_round_trips(cluster_client: Any, redis_stores: Stores) -> None:
    """Send 3, resend 4 with its read, wrong code 2, right code 4 (a single server: 1, 2, 1, 2)."""
    store = redis_stores(cluster_client)
    draws = [Draw("{a}l", LIMIT), Draw("client", LIMIT)]
    refunds = tuple(Refund.of(draw, NOW) for draw in draws)
    session = Put("{user}s", b"s", NOW + 99, "{user}")

    async def scripts() -> int:
        answers = await cluster_client.info("commandstats", target_nodes="primaries")
        return sum(
            stats.get(f"cmdstat_{name}", {"calls": 0})["calls"]
            for stats in answers.values()
            for name in ("evalsha", "get")
            if name == "evalsha"
        )

    async def verbs(key: str) -> list[int]:
        def admit(replaces: bytes | None) -> Awaitable[object]:
            put = Put(key, b"w" if replaces else b"v", NOW + 99)
            return store.admit(draws, put, job=b"j", replaces=replaces, now=NOW, op=op())

        counts = []
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: admit(None),
            lambda: admit(b"v"),
            lambda: store.attempt(draws, key, now=NOW, op=op()),
            lambda: store.take(key, Writes((session,), (), refunds), now=NOW, op=op()),
        ]
        for call in calls:
            before = await scripts()
            await call()
            counts.append(await scripts() - before)
        return counts

    await verbs("{a}1")  # the servers learn the scripts
    admit, readmit, attempt, take = await verbs("{a}2")
    assert [admit, readmit, attempt] == [3, 3, 2]
    # The record's slot, then the client's and the user's side by side: two round trips.
    assert take == 3


async def test_a_full_queue_takes_back_what_other_slots_were_given(
    cluster_client: Any, redis_stores: Stores
) -> None:
    store = redis_stores(cluster_client, max_jobs=2)
    draws = [Draw("{a}l", (Limit(1, 60),)), Draw("client", (Limit(1, 60),))]
    for key in ("{b}1", "{b}2"):
        await store.admit([], Put(key, b"v", NOW + 9), job=b"j", replaces=None, now=NOW, op=op())
    put = Put("{a}k", b"v", NOW + 99, "li")
    with pytest.raises(QueueFull):
        await store.admit(draws, put, job=b"j", replaces=None, now=NOW, op=op())
    assert await store.read("{a}k", now=NOW) is None
    assert list(await store.read_list("li", now=NOW)) == []
    await store.write(Writes(puts=(put,)), now=NOW, op=op())
    new = Put("{a}k", b"w", NOW + 99, "li")
    with pytest.raises(QueueFull):
        await store.admit(draws, new, job=b"j", replaces=b"v", now=NOW, op=op())
    assert await store.read("{a}k", now=NOW) == b"v"
    answer = await store.admit(
        draws, Put("{a}2", b"", NOW + 9), job=None, replaces=None, now=NOW, op=op()
    )
    assert answer.ok


async def test_another_slots_budget_refuses_before_anything_is_counted_here(
    cluster_client: Any, redis_stores: Stores
) -> None:
    store = redis_stores(cluster_client)
    own, client, wide = (Draw(key, (Limit(1, 60),)) for key in ("{a}l", "c", "w"))
    put = Put("{a}k", b"v", NOW + 99)
    answer = await store.admit([client], put, job=None, replaces=None, now=NOW, op=op())
    assert answer.ok
    again = Put("{a}n", b"v", NOW + 99)
    refused = await store.admit(
        [own, client, wide], again, job=None, replaces=None, now=NOW, op=op()
    )
    assert (refused.ok, refused.refused_by, refused.wait) == (False, 1, 60)
    tried = await store.attempt([own, client], "{a}k", now=NOW, op=op())
    assert (tried.value, tried.refused_by) == (None, 1)
    assert (await store.attempt([own], "{a}k", now=NOW, op=op())).value == b"v"


async def test_what_is_left_is_told_of_a_first_draw_elsewhere(
    cluster_client: Any, redis_stores: Stores
) -> None:
    store = redis_stores(cluster_client)
    put = Put("{a}k", b"v", NOW + 99)
    await store.admit([], put, job=None, replaces=None, now=NOW, op=op())
    draws = [Draw("c", (Limit(3, 60),)), Draw("{a}l", LIMIT)]
    left = [(await store.attempt(draws, "{a}k", now=NOW, op=op())).left for _ in range(2)]
    assert left == [2, 1]


async def test_a_failure_of_one_slot_fails_the_verb(
    cluster_client: Any, redis_stores: Stores, prefix: str
) -> None:
    store = redis_stores(cluster_client)
    await cluster_client.lpush(f"{prefix}:alien", "x")
    refunds = Refund("alien", NOW), Refund("c", NOW)
    with pytest.raises(StoreError, match="another type"):
        await store.write(Writes(refunds=refunds), now=NOW, op=op())


async def test_a_failover_in_mid_login(redis_stores: Stores, prefix: str) -> None:
    """The node that holds the challenge dies; closed until its replica takes over, then right."""
    cluster = Cluster(node_timeout=1000)
    client = redis.asyncio.RedisCluster(host="127.0.0.1", port=cluster.nodes[1].port)
    store = redis_stores(client)
    try:
        draw, put = Draw("{a}t", (Limit(5, 600),)), Put("{a}k", b"v", NOW + 600)
        await store.admit([], put, job=None, replaces=None, now=NOW, op=op())
        assert (await store.attempt([draw], "{a}k", now=NOW, op=op())).left == 4
        await client.execute_command("WAIT", 1, 1000, target_nodes="primaries")
        owner = client.nodes_manager.get_node_from_slot(key_slot(f"{prefix}:{{a}}k".encode()))
        node = next(each for each in cluster.nodes if each.port == owner.port)
        node.kill()
        killed = time.monotonic()
        faults = 0
        while True:
            begun = time.monotonic()
            try:
                attempt = await store.attempt([draw], "{a}k", now=NOW, op="during")
                break
            except StoreError:
                faults += 1
                assert time.monotonic() - begun < 20  # two seconds are promised
                assert begun - killed < 40
        assert faults
        assert (attempt.value, attempt.left) == (b"v", 3)
        wins = await asyncio.gather(
            *(store.take("{a}k", Writes(), now=NOW, op=op()) for _ in range(9))
        )
        assert sum(wins) == 1
    finally:
        await store.aclose()
        await disconnect(client)
        cluster.close()


async def test_behind_sentinel_through_a_failover(servers: Servers, redis_stores: Stores) -> None:
    primary = servers()
    replica = servers({"replicaof": f"127.0.0.1 {primary.port}"})
    watcher = SentinelServer(primary.port)
    sentinel = Sentinel([("127.0.0.1", watcher.port)], socket_timeout=1)  # type: ignore[no-untyped-call]
    client = sentinel.master_for("us", socket_timeout=1)
    store = redis_stores(client)
    heard: list[str | None] = []
    store.feed.subscribe(heard.append)
    try:
        await store.open()
        await until(store.feed.is_live)
        await store.write(Writes(puts=(Put("s", b"v", NOW + 600),)), now=NOW, op=op())
        await client.execute_command("WAIT", 1, 2000)
        await watcher.knows_replica()
        heard.clear()
        primary.kill()
        async with asyncio.timeout(30):
            while True:
                try:
                    value = await store.read("s", now=NOW)
                    await store.write(Writes(drops=(Drop("s", publish=True),)), now=NOW, op="drop")
                    break
                except StoreError:
                    await asyncio.sleep(0.1)
        assert value == b"v"
        assert await store.read("s", now=NOW) is None
        assert None in heard
        await until(store.feed.is_live)
        assert (await client.info("server"))["tcp_port"] == replica.port
    finally:
        await store.aclose()
        await client.connection_pool.disconnect()
        for each in sentinel.sentinels:
            await each.connection_pool.disconnect()
        watcher.close()


class SentinelServer(Server):
    """Watch a primary; alone, with a quorum of one, and after a second of silence."""

    def __init__(self, primary_port: int) -> None:
        port = free_port()
        config = (
            f"port {port}\nbind 127.0.0.1\nsentinel monitor us 127.0.0.1 {primary_port} 1\n"
            "sentinel down-after-milliseconds us 1000\nsentinel failover-timeout us 3000\n"
        )
        super().__init__(port=port, sentinel_config=config)

    async def knows_replica(self) -> None:
        """Wait until a failover would have somewhere to go."""
        client: Any = redis.asyncio.Redis(port=self.port)
        async with asyncio.timeout(30):
            while not await client.execute_command("SENTINEL", "REPLICAS", "us"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await client.connection_pool.disconnect()
