"""Proof that the server which is asked is a primary, takes writes, and still has our data.

A server that was demoted by a failover goes on answering reads, from data in which nobody's session
ends any more. So does a replica that has lost its primary. And who holds records in process does
not notice that all of them were thrown away (FLUSHALL). One short script tells all three
(`lua/primary.lua`), once a second while the store is used, and before a question if the last look
is older than two seconds:

    answers, marker as before       well; what is held may be served under a lease
    marker missing or another       the data is gone: forget all that is held, go on and read
    READONLY, MASTERDOWN            no answer may be trusted: 503, and connect anew
    full, or cannot save (MISCONF)  a primary with our data all the same: reads go on
    no answer                       no proof: 503 for who asks, no lease

What it cannot tell is a partition: an old primary that some processes still reach and that takes
their writes is a primary to them.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextvars import Context
from time import monotonic
from typing import Final

from pwless_middleware.deadline import Deadline
from pwless_middleware.errors import StoreError
from pwless_middleware.stores.redis.errors import FAULTS, explain, is_demoted, refusal
from pwless_middleware.stores.redis.plans import Plan
from pwless_middleware.stores.redis.scripts import PRIMARY
from pwless_middleware.stores.redis.server import DEADLINE, RedisServer

LOOK_EVERY: Final = 1.0
GOOD_FOR: Final = 2.0
"""Seconds that a look is good for, from when it began: one may come late."""
_REFUSED_FOR: Final = 0.2
"""Seconds for which a refusal is repeated unasked: each look at a demoted server connects anew."""
_MARKER_SECONDS: Final = 86400


class RedisPrimary:
    """Look at the server, at most one look at a time in each event loop.

    Args:
        server: whom to look at.
        prefix: what every key begins with, its colon included.
        emptied: called when the data was thrown away since the last look of this process.
    """

    def __init__(self, server: RedisServer, prefix: str, emptied: Callable[[], None]) -> None:
        self._server = server
        self._prefix = prefix
        self._emptied = emptied
        self._marker: str | None = None

    def is_sure(self) -> bool:
        """Whether the last look is recent enough. On a cluster nobody looks: its replicas refuse
        reads by themselves, and nothing is held under a lease there."""
        return self._server.is_cluster or monotonic() - self._server.link().good_from < GOOD_FOR

    async def be_sure(self) -> None:
        """Return if the server may be trusted; who asks at the same time shares one look.

        Raises:
            StoreError: it may not, or does not answer.
        """
        link = self._server.link()
        if link.refused is not None and monotonic() - link.refused_at < _REFUSED_FOR:
            raise StoreError(str(link.refused))
        if link.looking is None or link.looking.done():
            task = asyncio.get_running_loop().create_task(self.look(), context=Context())
            link.looking = task
        error = await asyncio.shield(link.looking)
        if error is not None:
            raise type(error)(str(error)) from error.__cause__

    async def look(self, channel: str = "", echo: str = "") -> StoreError | None:
        """Look at the server.

        Args:
            channel: where to publish `echo`; empty for nowhere.
            echo: what to publish to the caller's subscription, as proof that it is at the same
                server.

        Returns:
            Why the server may not be trusted, or `None` if it may.
        """
        link, begun = self._server.link(), monotonic()
        plan = Plan(self._prefix, 0).set(ttl=_MARKER_SECONDS)
        plan.key("marker")
        for value in (secrets.token_hex(8), channel, echo):
            plan.value(value)
        try:
            async with Deadline(DEADLINE):
                marker, refused = await self._server.run(PRIMARY, plan)
        except FAULTS as fault:
            error: StoreError | None = explain(fault)
        else:
            error = refusal(refused.decode())
        if error is not None:
            if is_demoted(error):
                link.refused, link.refused_at = error, monotonic()
                await self._server.renew()
            return error
        self._compare(marker.decode())
        link.refused, link.good_from = None, max(link.good_from, begun)
        return None

    def _compare(self, marker: str) -> None:
        before, self._marker = self._marker, marker
        if before is not None and before != marker:
            self._emptied()
