"""The load: `python -m tests.benchmarks.load PORT CONNECTIONS SECONDS`, a process of its own.

Reads a `Cookie` header and the expected body from the standard input, a line each. Every connection
asks again as soon as it has its answer; every answer is compared. Prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast


class Accounts(asyncio.Protocol):
    """Ask the same thing over and over on one connection.

    Args:
        request: the bytes to send.
        expected: what the answer's body must be; also how its end is found.
        until: when to stop, on the clock of `time.perf_counter`.
    """

    def __init__(self, request: bytes, expected: bytes, until: float) -> None:
        self.times: list[float] = []
        self.wrong = 0
        self.done = asyncio.get_running_loop().create_future()
        self._request = request
        self._ending = b"\r\n\r\n" + expected
        self._until = until
        self._came = b""
        self._asked = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        assert self._transport is not None
        self._came = b""
        self._asked = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Look whether the answer is whole."""
        self._came += data
        if not self._came.endswith(self._ending):
            return
        now = time.perf_counter()
        self.times.append(now - self._asked)
        self.wrong += not self._came.startswith(b"HTTP/1.1 200 ")
        if now < self._until:
            self._ask()
        elif self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop; an answer that never came is a wrong one."""
        self.wrong += time.perf_counter() < self._until
        self.done.set_result(None)


async def load(port: int, connections: int, seconds: float, cookie: str, expected: str) -> str:
    """Put the load on a server, and tell what came of it."""
    request = (
        f"GET / HTTP/1.1\r\nHost: localhost:8000\r\nUser-Agent: Mozilla/5.0 (load)\r\n"
        f"Accept: text/html\r\nAccept-Encoding: gzip\r\nAccept-Language: en\r\n"
        f"Cookie: {cookie}\r\n\r\n"
    ).encode()
    started = time.perf_counter()
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(
            lambda: Accounts(request, expected.encode(), started + seconds), "127.0.0.1", port
        )
        for _ in range(connections)
    ]
    async with asyncio.timeout(seconds + 30):
        await asyncio.gather(*(asker.done for _, asker in made))
    took = time.perf_counter() - started
    times = sorted(t for _, asker in made for t in asker.times)
    return json.dumps(
        {
            "requests": len(times),
            "wrong": sum(asker.wrong for _, asker in made),
            "per_second": len(times) / took,
            "p50": times[len(times) // 2] * 1e3,
            "p99": times[len(times) * 99 // 100] * 1e3,
        }
    )


if __name__ == "__main__":
    cookie, expected = sys.stdin.read().splitlines()
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    print(asyncio.run(load(port, connections, seconds, cookie, expected)))
