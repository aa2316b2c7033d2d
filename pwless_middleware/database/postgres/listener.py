"""What is published on a channel, over a connection of its own, and whether all of it was heard.

PostgreSQL delivers what was published to a connection that listens before it answers the next
question there. So one that was sent after a publication was acknowledged is answered after it was
delivered: a *lease* can be built on that (`stores.base.Feed`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pwless_middleware.database.postgres.connections import Connection, leave
from pwless_middleware.database.postgres.errors import FAULTS
from pwless_middleware.database.postgres.in_time import in_time

_IS_PRIMARY = "SELECT NOT pg_is_in_recovery()"


class PostgresListener:
    """Hand on what is published on one channel (`base.Listener` has the promises).

    Args:
        connection: that nobody else uses.
        on_payload: called in the event loop for each publication.
    """

    def __init__(self, connection: Connection, on_payload: Callable[[str], None]) -> None:
        self._connection = connection
        self._on_payload = on_payload

    async def listen(self, channel: str) -> None:
        """Begin."""
        await self._connection.add_listener(channel, self._hear)

    def _hear(self, connection: Any, pid: int, channel: str, payload: object) -> None:
        self._on_payload(str(payload))

    @property
    def is_broken(self) -> bool:
        """Whether the connection is gone; another has to be made."""
        return self._connection.is_closed()

    async def ask(self, within: float) -> bool:
        """Whether all that was published before this question has been heard.

        Args:
            within: seconds for the answer; without one the connection is given up.
        """
        if self.is_broken:
            return False
        question = self._connection.fetchval(_IS_PRIMARY)
        try:
            if await in_time(question, [self._connection], within=within):
                return True
        except FAULTS:
            pass
        self._connection.terminate()
        return False

    async def aclose(self) -> None:
        """Stop."""
        await leave(self._connection)
