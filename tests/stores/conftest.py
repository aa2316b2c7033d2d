"""The stores under the contract: each test runs on every one of them."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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

MakeStores = Callable[[int], Awaitable[list[Store]]]
"""Makes so many stores that keep the same data."""


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
async def make_stores(
    request: pytest.FixtureRequest,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[MakeStores]:
    """Return a function that makes stores that keep the same data, as many processes have them.

    As few as a test needs: a client of a cluster takes 50 ms of CPU.
    """
    # The contract says nothing of time, and a busy machine may take more than a request would.
    monkeypatch.setattr(redis_server, "DEADLINE", 20)
    kind: str = request.param
    in_memory = MemoryStore(max_jobs=100)
    made: list[SQLStore | RedisStore] = []
    clients: list[Any] = []
    where = ""
    if kind in DATABASES:
        where = request.getfixturevalue("make_database_url")(kind)
    elif kind == "redis":
        where = request.getfixturevalue("redis_url")

    async def make() -> Store:
        if kind == "memory":
            return in_memory
        if kind in DATABASES:
            made.append(SQLStore(Database(where), max_jobs=100))
            return made[-1]
        server: object = where
        if kind == "cluster":
            port = request.getfixturevalue("redis_cluster").nodes[0].port
            server = redis.asyncio.RedisCluster(host="127.0.0.1", port=port)
            clients.append(server)
            await clients[-1].initialize()  # outside of our deadline, which a busy machine may pass
        store = RedisStore(server, prefix=prefix, max_jobs=100)
        made.append(store)
        await connected(store)
        return store

    async def make_several(count: int) -> list[Store]:
        return [await make() for _ in range(count)]

    yield make_several
    for each in made:
        await each.aclose()
    for client in clients:
        await disconnect(client)


@pytest.fixture
async def processes(make_stores: MakeStores) -> list[Store]:
    """Four stores that keep the same data, as four processes would have them."""
    return await make_stores(4)


@pytest.fixture
async def store(make_stores: MakeStores) -> Store:
    """One store."""
    (store,) = await make_stores(1)
    return store


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
