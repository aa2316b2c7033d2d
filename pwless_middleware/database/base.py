"""The contract of a database: what repositories and `SQLStore` may rely on, whichever it is.

    rows = await database.fetch(FIND(user_id))
    renamed = await database.transact(lambda: rename(user_id, "Jo"))

- `fetch` reads what was committed. It is one question, and no transaction.
- `transact` is atomic against every other one, in this process and in all others: of what its steps
  yield all is done, or nothing. A transaction that has returned lasts (`Durability`).
- It is as if one transaction came after the other. SQLite has one at a time. PostgreSQL has many
  (SERIALIZABLE), and does the steps again where they did not go together.
- Where that costs too much, steps say by name what they lock: `transact(make, locks=["budget:a"])`.
  They then exclude only those with a name in common, and are not done again (READ COMMITTED): each
  statement reads what is committed when it begins. So a lock stands for the rows that the steps
  decide on, and all that write those take it. With `locks=()` the steps lock nothing but the rows
  they write, which is right where nothing that they read decides what they write.
- `execute` is one query that writes, alone: a transaction without locks, in one round trip.
- Where it cannot be asked: `StoreError`, within two seconds. The transaction may or may not have
  happened; its steps are written so that running them again does no harm, or tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, Protocol, TypeVar

from pwless_middleware.database.statement import Query, Row, Steps

T = TypeVar("T")

Dialect = Literal["sqlite", "postgresql"]


class Listener(Protocol):
    """Hears what is published on a channel, while its connection stands.

    A publication is a query (`SELECT pg_notify($1, $2)`), and made when its transaction is. All
    transactions that publish come one after the other, commit included: so none on a hot path does.
    """

    @property
    def is_broken(self) -> bool:
        """Whether it hears no longer; something may have been missed, and another is to be made."""
        ...

    async def ask(self, within: float) -> bool:
        """Whether all that was published before this question has been heard; one at a time.

        False is also the answer of a server that is no primary, and a listener that has given it
        is broken.

        Args:
            within: seconds for the answer.
        """
        ...

    async def aclose(self) -> None:
        """Stop."""
        ...


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

    async def execute(self, query: Query) -> list[Row]:
        """Run one query that writes, as a transaction of its own, and return its rows."""
        ...

    async def transact(
        self,
        make: Callable[[], Steps[T]],
        *,
        locks: Iterable[str] | None = None,
        is_long: bool = False,
    ) -> T:
        """Run steps in one transaction, and return what they return.

        Args:
            make: makes the steps; called again where the transaction has to be repeated. What the
                steps raise ends the transaction without a trace, and is raised here.
            locks: names of what the steps lock; `None` excludes every other transaction that also
                has `None`.
            is_long: whether it may take longer than a request may.
        """
        ...

    async def listen(self, channel: str, on_payload: Callable[[str], None]) -> Listener | None:
        """Listen on a channel; `None` where the database has none, and tables have to be read.

        Args:
            channel: a name of ours.
            on_payload: called in the event loop with each text that is published there.
        """
        ...

    async def ping(self) -> None:
        """Return if it can be asked and can write."""
        ...

    async def aclose(self) -> None:
        """Close what belongs to the running event loop; may be called twice."""
        ...
