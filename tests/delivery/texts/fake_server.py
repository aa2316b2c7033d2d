"""An HTTP server on loopback that answers as it is told to, also as no server should."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The form of the body, strictly in UTF-8."""
        found = parse_qs(self.body.decode("ascii"), strict_parsing=True, errors="strict")
        assert all(len(values) == 1 for values in found.values())
        return {name: values[0] for name, values in found.items()}


Reply = bytes | list[bytes | float | None]
"""What is written: bytes; a list may hold seconds to wait, and `None` to wait for ever."""


def reply(status: int, body: str | bytes = b"", **headers: Any) -> bytes:
    """Return an answer of HTTP."""
    content = body.encode() if isinstance(body, str) else body
    given = {"content-length": len(content), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + content


@dataclass
class FakeServer:
    """Keep what was asked, and answer by a function."""

    answer: Callable[[Seen], Reply]
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    scheme: str = "http"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self.scheme}://localhost:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one connection."""
        self.connections += 1
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                first, *lines = head.split("\r\n")[:-2]
                headers = {n.lower(): v for n, v in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                method, target, _ = first.split(" ")
                self.seen.append(Seen(method, target, headers, body))
                said = self.answer(self.seen[-1])
                for part in said if isinstance(said, list) else [said]:
                    if part is None:
                        await asyncio.Event().wait()
                    elif isinstance(part, float):
                        await asyncio.sleep(part)
                    else:
                        writer.write(part)
                        await writer.drain()
                if isinstance(said, list):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


_TURNS = 10


@asynccontextmanager
async def serving(
    answer: Callable[[Seen], Reply], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[FakeServer]:
    """Have a server answer for as long as the context lasts."""
    fake = FakeServer(answer, scheme="http" if tls is None else "https")
    tasks: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(fake.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(lambda _: writer.close())  # one may end before it has begun

    server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=tls)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        # What was just being accepted gets its task some turns of the loop later, by a server that
        # is still there (else asyncio leaves its socket open), and what is closed needs some to go.
        for listening in server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        for _ in range(_TURNS):
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0)
        server.close()
