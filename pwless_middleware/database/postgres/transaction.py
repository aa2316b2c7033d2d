"""Steps in one transaction of PostgreSQL, and again where others were in their way."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

from asyncpg import InvalidCachedStatementError, UniqueViolationError

from pwless_middleware.database.postgres.connections import Connection
from pwless_middleware.database.postgres.errors import AGAIN
from pwless_middleware.database.statement import Query, Row, Steps

T = TypeVar("T")

_TRIES: Final = 6
_ALONE_FROM: Final = 3
_PAUSE: Final = 0.005
"""Seconds at most before a transaction is done again, times the tries so far."""
_TOGETHER: Final = "BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE pwless_schema IN ROW SHARE MODE"
_ALONE: Final = "BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE pwless_schema IN EXCLUSIVE MODE"
"""While nobody is in the other: so what met others twice is done at the third time. `LOCK TABLE`
comes before the transaction's snapshot is taken, other than a lock that a query takes."""
_UNBOUNDED: Final = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0"
_BOUNDED: Final = (
    "SET LOCAL lock_timeout = 1500; SET LOCAL idle_in_transaction_session_timeout = 3000"
)


class Transaction(Generic[T]):
    """Do steps in one transaction.

    Args:
        make: makes the steps.
        locks: names of what they lock; `None` excludes all that also have `None`.
        is_long: whether it may take its time.
        is_pooled: whether the session is not ours alone, and has no settings of ours.
    """

    def __init__(
        self,
        make: Callable[[], Steps[T]],
        locks: Iterable[str] | None,
        *,
        is_long: bool = False,
        is_pooled: bool = False,
    ) -> None:
        self._make = make
        self._locks = None if locks is None else _begin_locked(locks)
        self._settings = _UNBOUNDED if is_long else _BOUNDED if is_pooled else ""
        self._is_committing = False

    def is_repeatable(self) -> bool:
        """Whether it cannot have happened yet."""
        return not self._is_committing

    async def run(self, connection: Connection) -> T:
        """Do it, and return what the steps return."""
        tries = 0
        while True:
            tries += 1
            self._is_committing = False
            try:
                return await self._try(connection, tries)
            except AGAIN as fault:
                await connection.execute("ROLLBACK")
                if isinstance(fault, InvalidCachedStatementError):
                    await connection.reload_schema_state()
                if tries >= _TRIES:
                    raise
            except BaseException as fault:
                if not connection.is_closed():
                    await connection.execute("ROLLBACK")
                # Who saw no such row may still meet one that came meanwhile; alone, nobody does.
                is_met = isinstance(fault, UniqueViolationError) and self._locks is None
                if not is_met or tries >= _ALONE_FROM or connection.is_closed():
                    raise
            await asyncio.sleep(random.random() * _PAUSE * tries)  # noqa: S311  # no secret

    async def _try(self, connection: Connection, tries: int) -> T:
        await connection.execute(self._begin(tries))
        steps = self._make()
        try:
            query = next(steps)
            while True:
                query = steps.send(await run(connection, query))
        except StopIteration as end:
            self._is_committing = True
            await connection.execute("COMMIT")
            result: T = end.value
            return result
        finally:
            steps.close()

    def _begin(self, tries: int) -> str:
        begin = self._locks
        if begin is None:
            begin = _TOGETHER if tries < _ALONE_FROM else _ALONE
        if not self._settings:
            return begin
        head, separator, rest = begin.partition(";")
        return f"{head}; {self._settings}{separator}{rest}"


async def run(connection: Connection, query: Query) -> list[Row]:
    """Return the rows of a query."""
    return [tuple(row) for row in await connection.fetch(query.statement.postgres, *query.values)]


def _begin_locked(locks: Iterable[str]) -> str:
    """Return the SQL that begins and takes locks, in an order that is everybody's.

    Each statement behind it sees what is committed when it begins, hence all that was done under
    these locks before.
    """
    numbers = sorted({_number(name) for name in locks})
    if not numbers:
        return "BEGIN"
    listed = ", ".join(map(str, numbers))
    numbered = f"unnest(ARRAY[{listed}]::bigint[]) AS number"
    return f"BEGIN; SELECT COUNT(pg_advisory_xact_lock(number)) FROM {numbered}"  # noqa: S608  # integers


def _number(name: str) -> int:
    digest = hashlib.blake2b(name.encode(), digest_size=8, person=b"pwless").digest()
    return int.from_bytes(digest, "big", signed=True)
