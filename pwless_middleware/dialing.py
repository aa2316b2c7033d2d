"""Connect to a host that has several addresses, the first of which may be dead (RFC 8305)."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

ATTEMPT_DELAY: Final = 0.25
"""Seconds until the next address is tried beside those before it (RFC 8305 §8)."""

_Address = tuple[int, int, int, str, Any]
"""As `getaddrinfo` has them: family, kind, protocol, canonical name, and where to connect to."""


async def dial(host: str, port: int) -> socket.socket:
    """Return a socket that is connected to the first address of a host to answer.

    Raises:
        OSError: the name has no address, or none of them answered; of the first of them.
    """
    loop = asyncio.get_running_loop()
    waiting = deque(_interleave(await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    trying: set[asyncio.Task[socket.socket]] = set()
    errors: list[BaseException] = []
    try:
        while waiting or trying:
            if waiting:
                trying.add(loop.create_task(_connect(waiting.popleft())))
            done, trying = await asyncio.wait(
                trying,
                timeout=ATTEMPT_DELAY if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                error = task.exception()
                if error is None:
                    trying |= done - {task}
                    return task.result()
                errors.append(error)
    finally:
        for task in trying:
            task.cancel()
        for late in await asyncio.gather(*trying, return_exceptions=True):
            if isinstance(late, socket.socket):
                late.close()
    raise errors[0] if errors else OSError("the name has no address")


def _interleave(addresses: Sequence[_Address]) -> list[_Address]:
    """Put the families in turn, beginning with that of the first (RFC 8305 §4)."""
    first = [each for each in addresses if each[0] == addresses[0][0]]
    others = [each for each in addresses if each[0] != addresses[0][0]]
    turns: list[_Address] = []
    while first or others:
        turns += first[:1] + others[:1]
        first, others = first[1:], others[1:]
    return turns


async def _connect(address: _Address) -> socket.socket:
    family, kind, protocol, _, at = address
    made = socket.socket(family, kind, protocol)
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, at)
    except BaseException:
        made.close()
        raise
    return made
