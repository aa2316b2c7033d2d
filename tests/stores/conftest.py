"""The stores under the contract: each test runs on every one of them."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import redis.asyncio

from pwless_middleware.database.database import Database
from pwless_middleware.errors import StoreError
from pwless_middleware.stores.base import Store
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.stores.redis import RedisStore
from pwless_middleware.stores.redis import server as redis_server
from pwless_middleware.stores.sql import SQLStore
from tests.databases import DATABASES
from tests.redis_cluster import disconnect
from tests.redis_server import Server


@pytest.fixture
def prefix() -> str:
    """Give the test a part of the shared server to itself."""
    return "test-" + secrets.token_hex(6)


@pytest.fixture
async def redis_stores(redis_url: str, prefix: str) -> AsyncIterator[Callable[..., RedisStore]]:
    """Make stores on the session's server that are closed after the test."""
    made: list[RedisStore] = []

    def make(server: object = redis_url, **options: object) -> RedisStore:
        made.append(RedisStore(server, **{"prefix": prefix, **options}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for store in made:
        await store.aclose()


async def connected(store: RedisStore) -> None:
    """Connect before the test: on a busy machine a cluster's client may need several tries."""
    for _ in range(10):
        with contextlib.suppress(StoreError):
            return await store.ping()
    return await store.ping()


@pytest.fixture(params=["memory", "sqlite", "postgresql", "redis", "cluster"])
async def processes(
    request: pytest.FixtureRequest,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[list[Store]]:
    """Four stores that keep the same data, as four processes would have them."""
    # The contract says nothing of time, and a busy machine may take more than a request would.
    monkeypatch.setattr(redis_server, "DEADLINE", 20)
    if request.param == "memory":
        yield [MemoryStore(max_jobs=100)] * 4
        return
    if request.param in DATABASES:
        url = request.getfixturevalue("make_database_url")(request.param)
        on_file = [SQLStore(Database(url), max_jobs=100) for _ in range(4)]
        yield list(on_file)
        for each in on_file:
            await each.aclose()
        return
    clients: list[Any] = []
    if request.param == "redis":
        servers: list[object] = [request.getfixturevalue("redis_url")] * 4
    else:
        port = request.getfixturevalue("redis_cluster").nodes[0].port
        clients = [redis.asyncio.RedisCluster(host="127.0.0.1", port=port) for _ in range(4)]
        for client in clients:
            await client.initialize()  # outside of our deadline, which a busy machine may pass
        servers = list(clients)
    stores = [RedisStore(server, prefix=prefix, max_jobs=100) for server in servers]
    for store in stores:
        await connected(store)
    yield list(stores)
    for store in stores:
        await store.aclose()
    for client in clients:
        await disconnect(client)


@pytest.fixture
def store(processes: list[Store]) -> Store:
    """One store; the first of the four."""
    return processes[0]


@pytest.fixture
def servers(redis_url: str) -> Iterator[Callable[..., Server]]:
    """Start servers of the test's own."""
    started: list[Server] = []

    def start(options: dict[str, str] | None = None, **more: Any) -> Server:
        started.append(Server(options, **more))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
async def admin(redis_url: str) -> AsyncIterator[Any]:
    """Talk to the session's server directly."""
    client = redis.asyncio.Redis.from_url(redis_url)
    yield client
    await client.connection_pool.disconnect()
