"""Resolve names, in threads of its own.

A name server that somebody chose can take half a minute for its answer, and nothing ends the thread
that waits for it. Those of the event loop are the whole app's.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from ipaddress import ip_address
from typing import Final

from pwless_middleware.safe_http.public_addresses import IPAddress

_THREADS: Final = 4

Resolve = Callable[[str], Awaitable[Sequence[IPAddress]]]
"""Returns the addresses of a name, the preferred one first; raises `OSError` where it has none."""


class Resolver:
    """Ask the system for the addresses of a name."""

    async def __call__(self, name: str) -> Sequence[IPAddress]:
        """Return all addresses of a name, the preferred one first, each once.

        Raises:
            OSError: the name has none, or cannot be looked up.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _look_up, name)

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_THREADS, thread_name_prefix="pwless-resolver")

    def close(self) -> None:
        """End the threads, once each has its answer."""
        if "_threads" in self.__dict__:
            self._threads.shutdown(wait=False, cancel_futures=True)
            del self.__dict__["_threads"]


def _look_up(name: str) -> Sequence[IPAddress]:
    # Port 443 and not the service's: what is resolved is the name.
    found = socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(at[0]).partition("%")[0]) for *_, at in found))
