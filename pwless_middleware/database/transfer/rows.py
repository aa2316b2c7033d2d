"""Read all rows of a database, and write them to another, with as much memory as a few rows take.

Rows are read by pages and not in one transaction, so that nobody waits meanwhile: what is changed
while it runs may be in it or not. They are written in one, all or nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.database.base import Dialect
from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Steps, Value
from pwless_middleware.database.transfer.table import Table
from pwless_middleware.database.transfer.tables import TABLES

_PAGE: Final = 500
_BATCH: Final = 200
"""Rows in one statement on PostgreSQL, where each costs a round trip."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row on its way.

    Attributes:
        table: whose.
        values: by column; not shown, they are personal.
        line: where it stands in what is imported, from 1; 0 for none.
    """

    table: Table
    values: dict[str, Value]
    line: int = 0


async def read_rows(database: Database) -> AsyncIterator[TableRow]:
    """Return all rows that are moved, table by table.

    Raises:
        StoreError: the database cannot be asked.
    """
    for table in TABLES:
        key = table.first
        while True:
            rows = await database.fetch(table.page(*key, _PAGE))
            for row in rows:
                moved = row[table.key :] if table.is_renumbered else row
                yield TableRow(table, dict(zip(table.columns, moved, strict=True)))
            if len(rows) < _PAGE:
                break
            key = rows[-1][: table.key]


class Import:
    """Write rows to a database, all or nothing.

    Args:
        database: an empty one, unless what it holds is replaced.
        read: makes the rows, again where the transaction has to be repeated.
        replace: delete what the database holds.

    Attributes:
        lines: those of the rows that are written just now, for errors.
        counts: rows by table.
    """

    def __init__(
        self, database: Database, read: Callable[[], Iterable[TableRow]], *, replace: bool
    ) -> None:
        self._database = database
        self._read = read
        self._replace = replace
        self.lines = (0, 0)
        self.counts: dict[str, int] = {}

    async def run(self) -> str | None:
        """Write them; return the table that holds something already, if nothing was written.

        Raises:
            StoreError: the database cannot be written, or refuses a row of `lines`.
        """
        return await self._database.transact(self._steps, locks=["import"], is_long=True)

    def _steps(self) -> Steps[str | None]:
        self.lines, self.counts = (0, 0), {}
        for table in TABLES:
            if self._replace:
                yield table.delete()
            elif (yield table.find()):
                return table.name
        for batch in _batches(self._read(), self._database.dialect):
            self.lines = batch[0].line, batch[-1].line
            table = batch[0].table
            if self._database.dialect == "sqlite":
                for row in batch:
                    yield table.insert(*(row.values[column] for column in table.columns))
            else:
                yield table.insert_many(_encode(batch))
            self.counts[table.name] = self.counts.get(table.name, 0) + len(batch)
        self.lines = (0, 0)
        return None


def _batches(rows: Iterable[TableRow], dialect: Dialect) -> Iterator[list[TableRow]]:
    most = 1 if dialect == "sqlite" else _BATCH
    batch: list[TableRow] = []
    for row in rows:
        if batch and (len(batch) == most or batch[0].table is not row.table):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _encode(batch: list[TableRow]) -> str:
    return json.dumps([{name: _plain(each) for name, each in row.values.items()} for row in batch])


def _plain(value: Value) -> Value:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
