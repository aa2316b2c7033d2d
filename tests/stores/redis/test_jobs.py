"""The queue in Redis when a worker dies, hangs or leaves: others take over within seconds."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from pwless_middleware.core.storage.job import Job, JobCount
from pwless_middleware.errors import StoreError
from pwless_middleware.stores.base import Put
from pwless_middleware.stores.redis import RedisStore
from pwless_middleware.stores.redis import jobs as redis_jobs
from tests.redis_server import Server, until

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
Stores = Callable[..., RedisStore]
_ops = itertools.count()

WORKER = """
import asyncio, sys
from pwless_middleware.stores.redis import RedisStore

async def main(url, prefix):
    jobs = await RedisStore(url, prefix=prefix).jobs.claim(now=1_700_000_000, limit=9)
    print(len(jobs), flush=True)
    await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


async def queue(store: RedisStore, *payloads: bytes) -> None:
    for payload in payloads:
        key = f"k{next(_ops)}"
        put = Put(key, b"v", NOW + 300)
        await store.admit([], put, job=payload, replaces=None, now=NOW, op=key)


async def take_over(store: RedisStore, seconds: float) -> list[Job]:
    """Claim as a worker does, until there is something."""
    async with asyncio.timeout(seconds):
        while not (jobs := await store.jobs.claim(now=NOW, limit=9)):
            await store.jobs.wait(timeout=1)
    return list(jobs)


async def test_a_killed_process_loses_nothing(
    redis_stores: Stores, redis_url: str, prefix: str
) -> None:
    """SIGKILL between accepting and sending; no new mail comes, and another process sends it."""
    store = redis_stores()
    await queue(store, b"a", b"b")
    command = [sys.executable, "-c", WORKER, redis_url, prefix]
    worker = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert worker.stdout is not None
        assert await worker.stdout.readline() == b"2\n"
    finally:
        worker.kill()
        await worker.communicate()
    assert [job.payload for job in await take_over(store, 30)] == [b"a", b"b"]


async def test_a_slow_worker_that_lives_keeps_its_jobs(
    redis_stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_jobs, "DEAD_AFTER", 2.0)
    monkeypatch.setattr(redis_jobs, "_HEARTBEAT", 0.2)
    busy, other = redis_stores(), redis_stores()
    await queue(busy, b"a")
    (job,) = await busy.jobs.claim(now=NOW, limit=9)
    with pytest.raises(TimeoutError):
        await take_over(other, 3)
    await busy.jobs.complete(job)


async def test_a_worker_that_leaves_hands_over_at_once(
    redis_stores: Stores, admin: Any, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_jobs, "DEAD_AFTER", 3600)
    leaving, other = redis_stores(), redis_stores()
    await queue(leaving, b"a")
    await leaving.jobs.claim(now=NOW, limit=9)
    await leaving.aclose()
    (job,) = await take_over(other, 30)
    assert job.payload == b"a"
    consumers = await admin.xinfo_consumers(f"{prefix}:{{jobs}}:stream", "workers")
    assert [each["pending"] for each in consumers if each["pending"]] == [1]
    assert len(consumers) == 2  # the one who left is gone; "left" held its jobs for a moment
    await other.jobs.complete(job)


async def test_a_claim_whose_answer_was_lost_is_handed_over_at_once_too(
    redis_stores: Stores, admin: Any, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim that is cancelled as the process ends is decided in Redis all the same."""
    monkeypatch.setattr(redis_jobs, "DEAD_AFTER", 3600)
    leaving, other = redis_stores(), redis_stores()
    assert await leaving.jobs.claim(now=NOW, limit=1) == []
    consumer = leaving.jobs._workers.here().consumer
    await queue(leaving, b"a")
    stream = f"{prefix}:{{jobs}}:stream"
    await admin.xgroup_create(stream, "workers", "0")
    await admin.xreadgroup("workers", consumer, {stream: ">"}, count=1)
    await leaving.aclose()
    assert [job.payload for job in await take_over(other, 30)] == [b"a"]


async def test_leaving_without_anything_or_without_redis_is_quiet(
    redis_stores: Stores, servers: Callable[..., Server]
) -> None:
    store = redis_stores()
    assert await store.jobs.claim(now=NOW, limit=1) == []
    await store.jobs.aclose()
    server = servers()
    store = redis_stores(server.url)
    await queue(store, b"a")
    await store.jobs.claim(now=NOW, limit=1)
    server.kill()
    await store.jobs.aclose()


async def test_leaving_a_queue_that_nobody_read(redis_stores: Stores) -> None:
    store, other = redis_stores(), redis_stores()
    await other.jobs.wait(timeout=0.01)
    await queue(store, b"a")
    await other.jobs.aclose()
    assert len(await store.jobs.claim(now=NOW, limit=1)) == 1


async def test_consumers_that_died_are_forgotten_but_not_what_they_held(
    redis_stores: Stores, admin: Any, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = f"{prefix}:{{jobs}}:stream"
    await queue(redis_stores(), b"a", b"b")
    await redis_stores().jobs.claim(now=NOW, limit=1)
    await admin.xgroup_createconsumer(stream, "workers", "idle")
    await admin.xreadgroup("workers", "holds-b", {stream: ">"}, count=1)

    async def names() -> set[bytes]:
        return {each["name"] for each in await admin.xinfo_consumers(stream, "workers")}

    await redis_stores().jobs.claim(now=NOW, limit=1)
    assert {b"idle", b"holds-b"} < await names()
    monkeypatch.setattr(redis_jobs, "_FORGOTTEN_AFTER", -1)
    await redis_stores().jobs.claim(now=NOW, limit=1)
    assert b"idle" not in await names()
    assert b"holds-b" in await names()


async def test_an_entry_that_somebody_deleted_is_no_job(
    redis_stores: Stores, admin: Any, prefix: str
) -> None:
    store = redis_stores()
    await queue(store, b"a", b"b")
    first, second = await store.jobs.claim(now=NOW, limit=9)
    await admin.xdel(f"{prefix}:{{jobs}}:stream", first.id)
    again = await store.jobs.claim(now=NOW + 60, limit=9)
    assert [job.id for job in again] == [second.id]


async def test_the_heart_stops_when_nothing_is_held(redis_stores: Stores, admin: Any) -> None:
    store = redis_stores()
    await queue(store, b"a")
    (job,) = await store.jobs.claim(now=NOW, limit=9)
    heart = store.jobs._workers.here().heart
    assert heart is not None
    await asyncio.sleep(0)
    await store.jobs.complete(job)
    await until(heart.done)


async def test_nothing_but_payload_tries_and_time_is_in_the_stream(
    redis_stores: Stores, admin: Any, prefix: str
) -> None:
    store = redis_stores()
    await queue(store, b"payload")
    ((_, fields),) = await admin.xrange(f"{prefix}:{{jobs}}:stream")
    assert fields == {b"p": b"payload", b"t": b"0", b"q": b"%d" % NOW}


async def test_what_an_older_release_has_left_is_read_and_listed(
    redis_stores: Stores, admin: Any, prefix: str
) -> None:
    """A rolling deployment: until then the queue knew payload and tries only."""
    store, place = redis_stores(), f"{prefix}:{{jobs}}"
    await admin.xadd(f"{place}:stream", {"p": b"new", "t": 0}, id="1700000000123-0")
    await admin.zadd(f"{place}:delayed", {b"1699999990123-0:2:again:\n": NOW + 5})
    await admin.lpush(f"{place}:dead", json.dumps(["1699999980123-0", "YQ==", 3, "late"]))
    assert await store.jobs.count(now=NOW) == JobCount(2, 1, 1, NOW - 10)
    (dead,) = await store.jobs.list("dead", now=NOW, limit=9)
    assert dead.job == Job("1699999980123-0", b"a", 3, NOW - 20, "late")
    assert await store.jobs.revive([dead.job.id], now=NOW) == 1
    jobs = await store.jobs.claim(now=NOW + 5, limit=9)
    assert [(job.payload, job.tries) for job in jobs] == [
        (b"new", 0),
        (b"a", 0),
        (b"again:\n", 2),
    ]
    assert [job.queued_at for job in jobs[:2]] == [NOW, NOW - 20]


async def test_what_is_no_job_is_told_and_not_quoted(
    redis_stores: Stores, admin: Any, prefix: str
) -> None:
    await admin.zadd(f"{prefix}:{{jobs}}:delayed", {b"secret": NOW})
    with pytest.raises(StoreError, match="no job") as caught:
        await redis_stores().jobs.list("waiting", now=NOW, limit=9)
    assert "secret" not in str(caught.value)
