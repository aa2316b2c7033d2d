"""The store of the contract on a database (`stores.base`)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from pwless_middleware.core.challenges.budget import Draw
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.database.database import Database
from pwless_middleware.errors import ConfigError
from pwless_middleware.stores.base import Admission, Attempt, Put, Writes
from pwless_middleware.stores.sql import verbs
from pwless_middleware.stores.sql.drop_channel import DropChannel
from pwless_middleware.stores.sql.drop_table import DropTable
from pwless_middleware.stores.sql.feed import SQLFeed
from pwless_middleware.stores.sql.jobs import SQLJobs
from pwless_middleware.stores.sql.runner import VerbRunner
from pwless_middleware.stores.sql.statements import DELETE, READ, READ_LIST
from pwless_middleware.stores.sql.sweep import Sweep
from pwless_middleware.stores.sql.verbs import Verb

A = TypeVar("A")


@named_options()
class SQLStore:
    """Keep challenges, budgets, sessions and the queue in a database.

    `Passwordless(database=...)` makes one by itself. A SQLite file is shared by the processes of
    one machine; nothing in it ends with them.

    Args:
        database: `Database("sqlite:///pwless.db")`. It is closed with the store, and opened again
            by whoever asks it next.
        max_jobs: mails waiting for delivery, at least 1; default 10,000; then 503.

    Raises:
        ConfigError: this is no `Database`, or a bound below 1.
    """

    def __init__(self, database: Database, *, max_jobs: int = 10_000) -> None:
        if not isinstance(database, Database):
            raise ConfigError("store", 'pass SQLStore(Database("sqlite:///pwless.db"))')
        if type(max_jobs) is not int or max_jobs < 1:
            raise ConfigError("store.max_jobs", "set a whole number of at least 1")
        self._database = database
        self.place = database.place
        """Says of two stores that they are one."""
        self._runner = VerbRunner(database, max_jobs)
        self._sweep = Sweep(database)
        watch = DropTable if database.dialect == "sqlite" else DropChannel
        self.feed = SQLFeed(partial(watch, database))
        self.jobs = SQLJobs(database)

    def __repr__(self) -> str:
        return f"<SQLStore {self._database.dialect}>"

    # --- records -------------------------------------------------------------------------------

    async def read(self, key: str, *, now: int) -> bytes | None:
        """Return a record's value, or `None` if it is absent."""
        rows = await self._database.fetch(READ(key, now))
        return rows[0][0] if rows else None

    async def read_list(self, listed: str, *, now: int) -> Sequence[tuple[str, bytes]]:
        """Return the live records of a list."""
        rows = await self._database.fetch(READ_LIST(listed, now))
        return [(key, value) for key, value in rows]

    async def admit(
        self,
        draws: Sequence[Draw],
        put: Put,
        *,
        job: bytes | None,
        replaces: bytes | None,
        now: int,
        op: str,
    ) -> Admission:
        """Enter an event in every budget and write a record, with a job, if all limits hold."""
        answer = await self._run(verbs.admit(draws, put, job, replaces, now, op), now)
        if job is not None and answer.ok:
            self.jobs.wake()
        return answer

    async def attempt(self, draws: Sequence[Draw], key: str, *, now: int, op: str) -> Attempt:
        """Enter an event in every budget and read a record, if it is there and all limits hold."""
        return await self._run(verbs.attempt(draws, key, now, op), now)

    async def take(self, key: str, then: Writes, *, now: int, op: str) -> bool:
        """Remove a record and, if it was there, do these writes; return whether it was there."""
        return await self._writing(then, verbs.take(key, then, now, op), now)

    async def write(self, writes: Writes, *, now: int, op: str) -> None:
        """Do these writes."""
        await self._writing(writes, verbs.write(writes, now, op), now)

    async def swap(self, put: Put, *, replaces: bytes, now: int) -> bool:
        """Write a record if exactly `replaces` stands there."""
        return await self._run(verbs.swap(put, replaces, now), now)

    # --- life ----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Open the database and start the feed, in the running event loop."""
        await self._database.open()
        self.feed.start()

    async def ping(self) -> None:
        """Return if the database can be asked, and the store's own table can be written.

        It removes what is not there: a lock on the table, a right that is missing or a table that
        is gone would else be found by visitors alone, and not by who looks after the health.
        """
        await self._database.ping()
        await self._database.execute(DELETE(""))

    async def aclose(self) -> None:
        """Give back the running event loop's jobs, and close its feed and its database."""
        await self.jobs.aclose()
        await self.feed.aclose()
        await self._sweep.aclose()
        await self._runner.aclose()
        await self._database.aclose()

    # --- how a verb is run ---------------------------------------------------------------------

    async def _run(self, verb: Verb[A], now: int) -> A:
        self._sweep.note(now)
        return await self._runner.run(verb)

    async def _writing(self, writes: Writes, verb: Verb[A], now: int) -> A:
        """Publish drops in this process at once, and once more when they are done.

        Without the second time, a reader that notes the feed's epoch after the first and asks
        before the transaction would keep what is then gone.
        """
        published = [drop.key for drop in writes.drops if drop.publish]
        for key in published:
            self.feed.publish(key)
        try:
            return await self._run(verb, now)
        finally:
            for key in published:
                self.feed.publish(key)
            if writes.jobs:
                self.jobs.wake()  # perhaps for nothing, which costs one look
