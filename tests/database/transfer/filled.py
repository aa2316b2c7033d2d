"""A database with rows in every table that is moved, of all that its columns can hold."""

from __future__ import annotations

from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Steps, Value
from pwless_middleware.database.transfer.rows import TableRow, read_rows
from pwless_middleware.database.transfer.table import Table
from pwless_middleware.database.transfer.tables import TABLES

ROWS = 7
_TEXTS = (
    "plain",
    'quoted "\\',
    "Zürich\n\t",
    "\U0001f600",
    "'; DROP TABLE pwless_people --",
    " ",
    "Z",
)
_NUMBERS = (0, 1, -1, 2**63 - 1, -(2**62), 1800000000, 7)


def make_row(table: Table, number: int) -> dict[str, Value]:
    """Return one of `ROWS` rows, no two of which have a column in common where that is no flag."""
    row: dict[str, Value] = {}
    for place, (column, kind) in enumerate(table.columns.items()):
        which = (number + place) % ROWS
        if kind.endswith("?") and which == 0:
            row[column] = None
        elif kind.startswith("bytes"):
            row[column] = bytes(range(256)) + bytes([number, place])
        elif kind.startswith("int"):
            row[column] = _NUMBERS[which]
        else:
            row[column] = f"{_TEXTS[which]}{number}"
    return row


def _fill() -> Steps[None]:
    for table in TABLES:
        for number in range(ROWS):
            row = make_row(table, number)
            yield table.insert(*row.values())


async def fill(url: str) -> None:
    """Write the rows of every table."""
    database = Database(url)
    await database.transact(_fill)
    await database.aclose()


async def read_all(url: str) -> dict[str, list[dict[str, Value]]]:
    """Return all rows by table."""
    database = Database(url)
    found: dict[str, list[dict[str, Value]]] = {table.name: [] for table in TABLES}
    async for row in read_rows(database):
        assert isinstance(row, TableRow)
        found[row.table.name].append(row.values)
    await database.aclose()
    return found
