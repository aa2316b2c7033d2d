"""Clients: from a URL, once more for another event loop, over an address that is dead."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis.asyncio
import uvloop
from redis.asyncio.connection import BlockingConnectionPool, ConnectionPool
from redis.asyncio.sentinel import Sentinel

from pwless_middleware.errors import StoreError
from pwless_middleware.stores.base import Put, Writes
from pwless_middleware.stores.redis import RedisStore
from pwless_middleware.stores.redis.clients import copy_of
from tests.redis_server import until

NOW = 1_700_000_000
Stores = Callable[..., RedisStore]


async def used(store: RedisStore, number: int) -> bytes | None:
    """Write, wait for the lease, read."""
    put = Put("k", b"%d" % number, NOW + 9)
    await store.write(Writes(puts=(put,)), now=NOW, op=str(number))
    await until(store.feed.is_live)
    return await store.read("k", now=NOW)


@pytest.mark.parametrize("pool", [None, BlockingConnectionPool, ConnectionPool])
def test_a_client_that_is_passed_in_serves_several_event_loops(
    redis_url: str, prefix: str, pool: Any
) -> None:
    """A test client makes a loop for each request, and connections belong to their loop."""
    if pool is None:
        client = redis.asyncio.Redis.from_url(redis_url, decode_responses=True)
    else:
        client = redis.asyncio.Redis(connection_pool=pool.from_url(redis_url))
    store = RedisStore(client, prefix=prefix)
    assert [asyncio.run(used(store, n)) for n in range(3)] == [b"0", b"1", b"2"]


def test_the_event_loop_of_uvicorn_standard_is_served_too(redis_url: str, prefix: str) -> None:
    """uvloop knows nothing of asyncio's `happy_eyeballs_delay`."""
    store = RedisStore(redis_url, prefix=prefix)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(used(store, 1)) == b"1"


def test_a_client_that_was_used_in_another_loop_before_is_left_after_one_error(
    redis_url: str, prefix: str
) -> None:
    client = redis.asyncio.Redis.from_url(redis_url)
    asyncio.run(client.ping())  # type: ignore[arg-type]
    store = RedisStore(client, prefix=prefix)

    async def main() -> bytes | None:
        with pytest.raises(StoreError, match="another event loop"):
            await store.read("k", now=NOW)
        return await used(store, 1)

    assert asyncio.run(main()) == b"1"
    with warnings.catch_warnings():  # the first loop's connection is nobody's to close any more
        warnings.simplefilter("ignore", ResourceWarning)
        client.connection_pool.reset()  # type: ignore[no-untyped-call]
        gc.collect()


@pytest.mark.anyio
async def test_a_client_that_cannot_be_copied_says_what_to_do() -> None:
    class OwnPool(ConnectionPool):
        def __init__(self, name: str) -> None:
            super().__init__()

    cluster = redis.asyncio.RedisCluster(host="127.0.0.1", port=1)
    sentinel = Sentinel([("127.0.0.1", 1)])  # type: ignore[no-untyped-call]
    for client in (
        cluster,
        sentinel.master_for("us"),
        redis.asyncio.Redis(connection_pool=OwnPool("x")),
    ):
        with pytest.raises(StoreError, match="pass a URL"):
            copy_of(client)


def test_a_store_whose_client_belongs_to_another_loop_is_an_error_and_no_lease() -> None:
    sentinel = Sentinel([("127.0.0.1", 1)])  # type: ignore[no-untyped-call]
    store = RedisStore(sentinel.master_for("us"))

    async def ask() -> str:
        with pytest.raises(StoreError) as caught:
            await store.read("k", now=NOW)
        assert not store.feed.is_live()
        await store.aclose()
        return str(caught.value)

    asyncio.run(ask())
    assert "another event loop" in asyncio.run(ask())


def test_a_defect_in_a_client_of_ones_own_is_not_taken_for_that(redis_url: str) -> None:
    class Broken(redis.asyncio.Redis):
        async def execute_command(self, *args: Any, **options: Any) -> Any:
            raise RuntimeError("a defect")

    store = RedisStore(Broken.from_url(redis_url))

    async def main() -> None:
        with pytest.raises(RuntimeError, match="a defect"):
            await store.read("k", now=NOW)
        await store.aclose()

    asyncio.run(main())


@contextlib.contextmanager
def black_hole(port: int) -> Iterator[None]:
    """Let [::1]:port neither accept nor refuse: its queue is full."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.socket(socket.AF_INET6))
        listener.bind(("::1", port))
        listener.listen(0)
        for _ in range(4):
            one = held.enter_context(socket.socket(socket.AF_INET6))
            one.setblocking(False)
            one.connect_ex(("::1", port))
        yield


@pytest.fixture
def two_addresses(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> Iterator[str]:
    """Return the URL of a host that has a dead address and, behind it, the server's."""
    port = int(redis_url.rpartition(":")[2].partition("/")[0])
    real = socket.getaddrinfo

    def both(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in ("store.test", b"store.test"):
            return real(host, *args, **kwargs)
        stream = socket.SOCK_STREAM
        return [
            (socket.AF_INET6, stream, 6, "", ("::1", port, 0, 0)),
            (socket.AF_INET, stream, 6, "", ("127.0.0.1", port)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with black_hole(port):
        yield redis_url.replace("127.0.0.1", "store.test")


@pytest.mark.anyio
async def test_a_host_whose_first_address_is_dead_is_reached_at_the_second(
    two_addresses: str, redis_stores: Stores
) -> None:
    """RFC 8305: the next address is tried beside the first, a quarter of a second later."""
    store = redis_stores(two_addresses)
    assert await store.read("k", now=NOW) is None
    await until(store.feed.is_live)
