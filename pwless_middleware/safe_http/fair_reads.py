"""Read what a server sends in small parts, so that others have their turn, and no more than fits.

A parser that is given 64 KiB at once works through thousands of chunks of one byte, or of interim
answers (RFC 9110 section 15.2), before anybody else in the event loop is served: a server that
wants to can so hold up every login of the process (security rule 53).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from pwless_middleware.errors import RequestFailed

AT_ONCE: Final = 4096
"""Bytes that are read before others have their turn."""
_AROUND: Final = 65_536
"""Bytes for the head of an answer."""
_CONNECTED: Final = ("connection.connect_tcp.complete", "connection.start_tls.complete")


class FairReads:
    """Bound what one request reads; `trace` is its extension of that name.

    Args:
        most_bytes: of the body.
    """

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes + most_bytes // 4 + _AROUND  # a quarter for what frames chunks

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Take hold of the connection as soon as there is one."""
        if event not in _CONNECTED:
            return
        stream = info["return_value"]
        read = stream.read

        # The signature of what it stands in for.
        async def read_some(max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
            if self._left <= 0:
                raise RequestFailed("broken")
            await asyncio.sleep(0)
            found: bytes = await read(min(max_bytes, AT_ONCE), timeout)
            self._left -= len(found)
            return found

        stream.read = read_some
