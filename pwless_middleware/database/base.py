"""The contract of a database: what repositories and `SQLStore` may rely on, whichever it is.

    rows = await database.fetch(FIND(user_id))
    renamed = await database.transact(lambda: rename(user_id, "Jo"))

- `fetch` reads what was committed. It is one question, and no transaction.
- `transact` is atomic against every other one, in this process and in all others: of what its steps
  yield all is done, or nothing. A transaction that has returned lasts (`Durability`).
- Where it cannot be asked: `StoreError`, within two seconds. The transaction may or may not have
  happened; its steps are written so that running them again does no harm, or tells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, TypeVar

from pwless_middleware.database.statement import Query, Row, Steps

T = TypeVar("T")

Dialect = Literal["sqlite", "postgresql"]


class Engine(Protocol):
    """What `Database` needs of a kind of database. Every verb raises `StoreError`, and only that,
    where the database cannot be asked."""

    @property
    def dialect(self) -> Dialect:
        """Which of the two texts of a statement it takes."""
        ...

    async def open(self) -> None:
        """Connect, in this process and event loop; may be called again.

        Raises:
            ConfigError: it can be reached, and can never be used so: the file's folder is missing,
                the password is wrong, it stands on a network file system.
        """
        ...

    async def fetch(self, query: Query) -> list[Row]:
        """Return the rows of a query that reads."""
        ...

    async def transact(self, make: Callable[[], Steps[T]]) -> T:
        """Run steps in one transaction, and return what they return.

        Args:
            make: makes the steps; called again where the transaction has to be repeated. What the
                steps raise ends the transaction without a trace, and is raised here.
        """
        ...

    async def ping(self) -> None:
        """Return if it can be asked and can write."""
        ...

    async def aclose(self) -> None:
        """Close what belongs to the running event loop; may be called twice."""
        ...
