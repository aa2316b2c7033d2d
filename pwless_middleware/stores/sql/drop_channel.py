"""What was dropped, on PostgreSQL: notifications, heard on a connection that does nothing else.

A drop that is to be told is notified by the transaction of the drop itself. A look is a question on
the listening connection, which is answered after everything that was published before it.

That holds for the server at which we listen. So while anybody asks for proof, each second something
of our own is published the way drops are, over the pool; if it is not heard, the two ways lead to
two servers (a failover behind one name), or a pooler stands between that hands no notifications on.
"""

from __future__ import annotations

import secrets
from time import monotonic
from typing import Final

from pwless_middleware.database.base import Listener
from pwless_middleware.database.database import Database
from pwless_middleware.errors import StoreError
from pwless_middleware.stores.sql.drop_table import DropTable
from pwless_middleware.stores.sql.feed import Publish
from pwless_middleware.stores.sql.statements import PUBLISH_ECHO

CHANNEL: Final = "pwless_drops"
"""As `statements.WRITE_ALL` has it."""
_ANSWERS_WITHIN: Final = 1.0
_ECHO_EVERY: Final = 1.0


class DropChannel:
    """Listen, and ask whether everything was heard (`feed.Watch`); read the table where nobody can.

    Args:
        database: a PostgreSQL.
        publish: called with each drop, and with `None` where any may be missing.
    """

    def __init__(self, database: Database, publish: Publish) -> None:
        self._database = database
        self._publish = publish
        self._table = DropTable(database, publish)
        self._listener: Listener | None = None
        # No key begins with a colon (`core.storage.store_keys`).
        self._own = f":{secrets.token_hex(8)}:"
        self._heard = ""
        self._echo_at = 0.0

    async def look(self, *, proves: bool) -> None:
        """Ask on the listening connection; a new one may have missed what came before it."""
        listener = self._listener
        if listener is None or listener.is_broken:
            self._listener = None
            listener = self._listener = await self._database.listen(CHANNEL, self._hear)
            if listener is None:
                return await self._table.look(proves=proves)
            self._echo_at = 0.0
            self._publish(None)
        echo, begun = "", monotonic()
        if proves and begun - self._echo_at >= _ECHO_EVERY:
            echo = self._own + secrets.token_hex(8)
            await self._database.execute(PUBLISH_ECHO(echo))
        if not await listener.ask(_ANSWERS_WITHIN):
            raise StoreError("PostgreSQL: the connection that listens does not answer")
        if echo:
            if self._heard != echo:
                await self.aclose()
                raise StoreError(
                    "PostgreSQL: what is published is not heard: set pgbouncer=true in the "
                    "URL of a pooler in transaction mode"
                )
            self._echo_at = begun
        return None

    async def aclose(self) -> None:
        """Stop listening."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.aclose()

    def _hear(self, payload: str) -> None:
        if not payload.startswith(":"):
            self._publish(payload)
        elif payload.startswith(self._own):
            self._heard = payload
