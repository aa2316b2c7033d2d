"""The database, by its URL: the object that repositories and `SQLStore` are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from pwless_middleware.core.keys.digest import digest
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.database.base import Dialect, Listener
from pwless_middleware.database.statement import Query, Row, Steps
from pwless_middleware.database.url import make_engine
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.per_loop import PerLoop

T = TypeVar("T")


@named_options()
class Database:
    """Keep lasting data in a file on this machine or in PostgreSQL.

    Nothing is opened or imported before the first use, in the process and event loop of that use.

    Args:
        url: `sqlite:///pwless.db` (a path from where the process runs; four slashes for one from
            the root), or `postgresql://user:password@host:port/name`; `database.url` has the rest.

    Raises:
        ConfigError: it is no such URL.
    """

    def __init__(self, url: str) -> None:
        self._engine = make_engine(url)
        self.place = digest("database", self.path or url)
        """Says of two objects that they are one database, without its URL."""
        self._opened: PerLoop[list[bool]] = PerLoop(lambda: [False])

    @property
    def dialect(self) -> Dialect:
        """Which of the two databases it is."""
        return self._engine.dialect

    @property
    def path(self) -> str | None:
        """The file of a SQLite database; `None` where it is not one."""
        return getattr(self._engine, "path", None)

    async def find_version(self) -> int:
        """Return the version of its tables, which are left as they are; 0 where there are none.

        Raises:
            ConfigError: it can be reached, and can never be used so.
            StoreError: it cannot be reached now.
        """
        from pwless_middleware.database.migrations.migrate import find_version

        await self._engine.open()
        return await find_version(self._engine)

    async def open(self) -> None:
        """Connect and bring the tables up to date; may be called again.

        Raises:
            ConfigError: it can be reached, and can never be used so.
            StoreError: it cannot be reached now.
        """
        is_open = self._opened.here()
        if not is_open[0]:
            await self._engine.open()
            from pwless_middleware.database.migrations.migrate import migrate

            await migrate(self._engine)
            is_open[0] = True

    async def fetch(self, query: Query) -> list[Row]:
        """Return the rows of a query that reads.

        Raises:
            StoreError: it cannot be asked.
        """
        if not self._opened.here()[0]:
            await self._open_for_use()
        return await self._engine.fetch(query)

    async def execute(self, query: Query) -> list[Row]:
        """Run one query that writes, as a transaction of its own, and return its rows.

        Raises:
            StoreError: it cannot be asked; the query may or may not have been done.
        """
        if not self._opened.here()[0]:
            await self._open_for_use()
        return await self._engine.execute(query)

    async def transact(
        self,
        make: Callable[[], Steps[T]],
        *,
        locks: Iterable[str] | None = None,
        is_long: bool = False,
    ) -> T:
        """Run steps in one transaction, and return what they return (`base.Engine.transact`).

        Args:
            make: makes the steps, which may be run more than once.
            locks: names of what the steps lock, where they need not exclude all others; `None`
                is always right (`base`).
            is_long: whether it may take longer than a request may: migrations, imports.

        Raises:
            StoreError: it cannot be asked; the transaction may or may not have happened.
        """
        if not self._opened.here()[0]:
            await self._open_for_use()
        return await self._engine.transact(make, locks=locks, is_long=is_long)

    async def listen(self, channel: str, on_payload: Callable[[str], None]) -> Listener | None:
        """Listen on a channel; `None` where the database has none (`base.Engine.listen`).

        Raises:
            StoreError: it cannot be asked.
        """
        if not self._opened.here()[0]:
            await self._open_for_use()
        return await self._engine.listen(channel, on_payload)

    async def ping(self) -> None:
        """Return if it can be asked and can write.

        Raises:
            StoreError: it cannot, and why.
        """
        await self.open()
        await self._engine.ping()

    async def aclose(self) -> None:
        """Close what belongs to the running event loop; may be called twice."""
        self._opened.pop()
        await self._engine.aclose()

    async def _open_for_use(self) -> None:
        """Open, for who has no use for the difference between "not now" and "never so"."""
        try:
            await self.open()
        except ConfigError as error:
            raise StoreError(str(error)) from error
