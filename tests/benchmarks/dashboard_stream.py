"""An answer that is read chunk by chunk, as it is sent: an export, a live tail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

from tests.support import Browser, Site


class Stream(AsyncGenerator[bytes, None]):
    """Read an answer as it comes; at most a few chunks wait.

    Attributes:
        status: of the answer; 0 before it has begun.
    """

    def __init__(self, site: Site, browser: Browser, path: str) -> None:
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=4)
        self._gone = asyncio.Event()
        self.status = 0
        self._task = asyncio.ensure_future(self._run(site, browser, path))

    async def _run(self, site: Site, browser: Browser, path: str) -> None:
        parts = urlsplit(path)
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        host = urlsplit(site.base_url).netloc.encode()
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "https",
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(b"host", host), (b"cookie", cookies.encode())],
            "client": ("203.0.113.7", 50123),
            "server": ("app.example.com", 443),
        }
        is_read = False

        async def receive() -> dict[str, Any]:
            nonlocal is_read
            if is_read:
                await self._gone.wait()
                return {"type": "http.disconnect"}
            is_read = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
            elif message["type"] == "http.response.body" and message.get("body"):
                await self._chunks.put(message["body"])

        try:
            await site.app(scope, receive, send)
        finally:
            await self._chunks.put(None)

    async def asend(self, value: None) -> bytes:
        """Return the next chunk."""
        chunk = await self._chunks.get()
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def athrow(self, *args: Any) -> bytes:
        """End reading."""
        await self.aclose()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Go away, as a browser does that is closed."""
        self._gone.set()
        self._task.cancel()
        await asyncio.wait((self._task,))
