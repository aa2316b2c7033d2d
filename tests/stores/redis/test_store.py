"""What is published and listed where several processes, with clocks of their own, share a Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from pwless_middleware.stores.base import Drop, Put, Writes
from pwless_middleware.stores.redis import RedisStore
from tests.redis_server import Server

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000


async def test_a_drop_is_published_here_before_it_is_done_and_again_after(
    servers: Callable[[], Server],
) -> None:
    """A read that began in between may have found the record still: it must not be kept."""
    store, here = RedisStore(servers().url), asyncio.current_task()
    await store.write(Writes(puts=(Put("s", b"v", NOW + 99),)), now=NOW, op="put")
    heard: list[str | None] = []

    def hear(key: str | None) -> None:
        if asyncio.current_task() is here:  # what the subscription brings comes in another task
            heard.append(key)

    store.feed.subscribe(hear)
    await store.write(Writes(drops=(Drop("s", publish=True),)), now=NOW, op="drop")
    assert heard == ["s", "s"]
    await store.aclose()


async def test_a_clock_that_runs_ahead_unlists_nothing_that_lives(
    servers: Callable[[], Server],
) -> None:
    """What is off the list cannot be revoked with the others; a day's lead is borne."""
    store = RedisStore(servers().url)
    early, late = Put("s1", b"v", NOW + 90, "li"), Put("s2", b"v", NOW + 90_000, "li")
    await store.write(Writes(puts=(early,)), now=NOW, op="right")
    await store.write(Writes(puts=(late,)), now=NOW + 86_000, op="ahead")
    found = sorted(key for key, _ in await store.read_list("li", now=NOW))
    assert found == ["s1", "s2"]
    await store.aclose()
