"""What goes wrong during the load test, and when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from tests.failures.post import Post
from tests.failures.served import Process
from tests.load.events import Record
from tests.load.stores import Fault


class Faults:
    """Let things go wrong, one after the other, evenly spread.

    Attributes:
        done: what was done, in words.
    """

    def __init__(
        self,
        of_store: tuple[Fault, Fault, Fault],
        post: Post,
        processes: Sequence[Process],
        record: Record,
    ) -> None:
        self._of_store = of_store
        self._post = post
        self._processes = processes
        self._record = record
        self.done: list[str] = []

    async def run(self, seconds: float) -> None:
        """Do all of it, in this time."""
        away, hangs, feed_cut = self._of_store
        plan: list[Fault] = [
            away,
            hangs,
            ("a worker killed and replaced", lambda: self._replace(0, kill=True)),
            feed_cut,
            ("mail server away for 5 s", self._shut_post),
            away,
            ("a worker killed and replaced", lambda: self._replace(1, kill=True)),
            ("a worker replaced by a deployment", lambda: self._replace(2, kill=False)),
        ]
        for name, fault in plan:
            await asyncio.sleep(seconds / (len(plan) + 1))
            print(f"  {name}", flush=True)
            await fault()
            self.done.append(name)

    async def _replace(self, number: int, *, kill: bool) -> None:
        process = self._processes[number]
        since = time.monotonic()
        await asyncio.to_thread(process.kill if kill else process.close)
        await asyncio.to_thread(process.spawn)
        await asyncio.to_thread(process.ready)
        self._record.gone.append((process.name, since, time.monotonic()))

    async def _shut_post(self) -> None:
        self._post.shut()
        await asyncio.sleep(5)
        self._post.open()
