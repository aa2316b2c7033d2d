"""What goes wrong during the load test, and when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import redis.asyncio

from tests.failures.post import Post
from tests.failures.served import Process
from tests.load.events import Record
from tests.redis_server import Server


class Faults:
    """Let things go wrong, one after the other, evenly spread.

    Attributes:
        done: what was done, in words.
    """

    def __init__(
        self, redis: Server, post: Post, processes: Sequence[Process], record: Record
    ) -> None:
        self._redis = redis
        self._post = post
        self._processes = processes
        self._record = record
        self.done: list[str] = []

    async def run(self, seconds: float) -> None:
        """Do all of it, in this time."""
        plan: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("Redis killed and restarted", self._restart_redis),
            ("Redis frozen for 3 s", self._freeze_redis),
            ("a worker killed and replaced", lambda: self._replace(0, kill=True)),
            ("every revocation feed cut", self._cut_feeds),
            ("mail server away for 5 s", self._shut_post),
            ("Redis killed and restarted", self._restart_redis),
            ("a worker killed and replaced", lambda: self._replace(1, kill=True)),
            ("a worker replaced by a deployment", lambda: self._replace(2, kill=False)),
        ]
        for name, fault in plan:
            await asyncio.sleep(seconds / (len(plan) + 1))
            print(f"  {name}", flush=True)
            await fault()
            self.done.append(name)

    async def _restart_redis(self) -> None:
        self._redis.kill()
        await asyncio.sleep(1)
        await asyncio.to_thread(self._redis.start)

    async def _freeze_redis(self) -> None:
        self._redis.freeze()
        await asyncio.sleep(3)
        self._redis.thaw()

    async def _replace(self, number: int, *, kill: bool) -> None:
        process = self._processes[number]
        since = time.monotonic()
        await asyncio.to_thread(process.kill if kill else process.close)
        await asyncio.to_thread(process.spawn)
        await asyncio.to_thread(process.ready)
        self._record.gone.append((process.name, since, time.monotonic()))

    async def _cut_feeds(self) -> None:
        client = redis.asyncio.Redis.from_url(self._redis.url)
        await client.client_kill_filter(_type="pubsub")
        await client.connection_pool.disconnect()

    async def _shut_post(self) -> None:
        self._post.shut()
        await asyncio.sleep(5)
        self._post.open()
