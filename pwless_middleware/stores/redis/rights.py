"""Which commands of ours the server's ACL forbids; asked before a visitor finds it out.

An ACL that lets logins in and no email be queued would else be well by every look at the server.
"""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import Final

from redis.exceptions import NoPermissionError

from pwless_middleware.stores.redis.errors import forbidden
from pwless_middleware.stores.redis.plans import Plan
from pwless_middleware.stores.redis.scripts import RIGHTS
from pwless_middleware.stores.redis.server import RedisServer

_CHECK_EVERY: Final = 60.0
"""Seconds from a look that found all allowed to the next one: a dozen writes each."""


class RedisRights:
    """Look what the user may do.

    Args:
        server: where.
        prefix: what every key of ours begins with, its colon included.
        channel: that of the feed.
    """

    def __init__(self, server: RedisServer, prefix: str, channel: str) -> None:
        self._server = server
        self._prefix = prefix
        self._channel = channel
        self._checked_at = -inf

    async def check(self) -> None:
        """Return if no command is forbidden; looks once a minute.

        Raises:
            StoreError: names all that are, and the rules to add.
        """
        if monotonic() - self._checked_at < _CHECK_EVERY:
            return
        plan = Plan(self._prefix, 0).set(channel=self._channel)
        plan.key("rights")
        refused = [name.decode() for name in await self._server.run(RIGHTS, plan)]
        try:  # sent only where a script is not known yet, and so forbidden unnoticed
            await self._server.command("EVAL", "return 1", 1, f"{self._prefix}rights")
        except NoPermissionError:
            refused.append("EVAL")
        if refused:
            raise forbidden(refused)
        self._checked_at = monotonic()
