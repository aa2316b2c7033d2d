"""What the processes of the load test share, what goes wrong with it, and what stands in it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import redis.asyncio

from pwless_middleware import Database
from pwless_middleware.core.keys.keyring import MAC_BYTES
from pwless_middleware.core.storage.format_v1 import unpack_session
from pwless_middleware.database.statement import Statement
from tests.postgres_server import PostgresServer
from tests.redis_server import Server

Fault = tuple[str, Callable[[], Awaitable[None]]]

SESSIONS = Statement("SELECT value FROM pwless_entries WHERE listed LIKE '%}l' AND until > $1")


class SharedStore(Protocol):
    """What the processes share."""

    @property
    def url(self) -> str:
        """Where it is."""
        ...

    def faults(self) -> tuple[Fault, Fault, Fault]:
        """What goes wrong with it, each in words: it goes away, it hangs, its feed is cut."""
        ...

    async def sessions(self) -> Counter[str]:
        """Count the sessions that stand there, by address, also those nobody has the cookie of."""
        ...

    def close(self) -> None:
        """End it."""
        ...


def make_store(kind: str, folder: Path) -> SharedStore:
    """Return a store of this kind, running."""
    if kind == "redis":
        return SharedRedis()
    return SharedFile(folder / "pwless.db") if kind == "sqlite" else SharedPostgres()


def by_address(records: Iterable[bytes]) -> Counter[str]:
    """Count session records by whose they are."""
    return Counter(unpack_session("", record[MAC_BYTES:]).email for record in records)


class SharedRedis:
    """One Redis, which keeps acknowledged writes."""

    def __init__(self) -> None:
        self._server = Server({"appendonly": "yes", "appendfsync": "always"})
        self.url = self._server.url

    def faults(self) -> tuple[Fault, Fault, Fault]:
        """Kill, freeze, cut."""
        return (
            ("Redis killed and restarted", self._restart),
            ("Redis frozen for 3 s", self._freeze),
            ("every revocation feed cut", self._cut_feeds),
        )

    async def sessions(self) -> Counter[str]:
        """Count them."""
        client: Any = redis.asyncio.Redis.from_url(self.url)
        found = Counter[str]()
        async for listed in client.scan_iter("pwless:{*}l", count=1000):
            for key in await client.zrange(listed, 0, -1):
                if record := await client.get(b"pwless:" + key):
                    found += by_address((record[4:],))
        await client.connection_pool.disconnect()
        return found

    def close(self) -> None:
        """End it."""
        self._server.close()

    async def _restart(self) -> None:
        self._server.kill()
        await asyncio.sleep(1)
        await asyncio.to_thread(self._server.start)

    async def _freeze(self) -> None:
        self._server.freeze()
        await asyncio.sleep(3)
        self._server.thaw()

    async def _cut_feeds(self) -> None:
        client = redis.asyncio.Redis.from_url(self.url)
        await client.client_kill_filter(_type="pubsub")
        await client.connection_pool.disconnect()


class SharedPostgres:
    """One PostgreSQL, which waits for the disk at each commit."""

    def __init__(self) -> None:
        self._server = PostgresServer()
        self.url = self._server.url

    def faults(self) -> tuple[Fault, Fault, Fault]:
        """Kill, freeze, end the connections, those of the feeds too."""
        return (
            ("PostgreSQL killed and restarted", self._restart),
            ("PostgreSQL frozen for 3 s", self._freeze),
            ("every connection ended", self._end_connections),
        )

    async def sessions(self) -> Counter[str]:
        """Count them."""
        return await _sessions_in(self.url)

    def close(self) -> None:
        """End it."""
        self._server.close()

    async def _restart(self) -> None:
        await asyncio.to_thread(self._server.stop)
        await asyncio.sleep(1)
        await asyncio.to_thread(self._server.start)

    async def _freeze(self) -> None:
        self._server.freeze()
        await asyncio.sleep(3)
        self._server.thaw()

    async def _end_connections(self) -> None:
        await asyncio.to_thread(self._server.terminate_connections)


class SharedFile:
    """One SQLite file, whose commits outlast a power cut.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.url = f"sqlite:///{path}"

    def faults(self) -> tuple[Fault, Fault, Fault]:
        """Lock it: for writers by another program, thrice; there is no server to go away."""
        name = "the file locked by another program for 3 s"
        return (name, self._lock), (name, self._lock), (name, self._lock)

    async def sessions(self) -> Counter[str]:
        """Count them."""
        return await _sessions_in(self.url)

    def close(self) -> None:
        """Do nothing: the folder goes."""

    async def _lock(self) -> None:
        other = sqlite3.connect(self._path, isolation_level=None, timeout=10)
        other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(3)
        other.execute("ROLLBACK")
        other.close()


async def _sessions_in(url: str) -> Counter[str]:
    database = Database(url)
    rows = await database.fetch(SESSIONS(int(time.time())))
    await database.aclose()
    return by_address(value for (value,) in rows)
