"""What was dropped: rows of a table, at which every process looks again and again.

So it is on SQLite, and on PostgreSQL behind a pooler that cannot listen. A drop that is to be told
is a row of `pwless_drops`, written in the transaction of the drop itself. Its numbers only grow, in
the order of the commits, and the newest row always stands. So a look that begins at the row seen
last finds that row, and behind it exactly what was told since. Where it is missing, the file was
replaced, or so much was told meanwhile that it was thrown away: then anything may be missing.

A look on SQLite costs some 10 µs. It sees whatever was committed before it began.
"""

from __future__ import annotations

from pwless_middleware.database.database import Database
from pwless_middleware.stores.sql.feed import Publish
from pwless_middleware.stores.sql.statements import DROPS_FROM, LAST_DROP


class DropTable:
    """Look for new rows (`feed.Watch`).

    Args:
        database: where.
        publish: called with each drop, and with `None` where any may be missing.
    """

    def __init__(self, database: Database, publish: Publish) -> None:
        self._database = database
        self._publish = publish
        self._last: int | None = None

    async def look(self, *, proves: bool) -> None:
        """Hand on the rows behind the one that was seen last: proof in any case."""
        if self._last is not None:
            rows = await self._database.fetch(DROPS_FROM(self._last))
            if rows and rows[0][0] == self._last:
                for id, key in rows[1:]:
                    self._last = id
                    self._publish(key)
                return
        [(self._last,)] = await self._database.fetch(LAST_DROP())
        self._publish(None)

    async def aclose(self) -> None:
        """Do nothing: it holds nothing."""
