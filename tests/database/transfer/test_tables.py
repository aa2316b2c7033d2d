"""Every table that a migration makes is moved, with every column, or said to stay behind."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.transfer.table import Table
from pwless_middleware.database.transfer.tables import LEFT_BEHIND, LEFT_COLUMNS, TABLES
from tests.database.transfer.filled import make_row

pytestmark = pytest.mark.anyio


async def test_no_table_and_no_column_is_forgotten(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/pwless.db")
    await database.open()
    await database.aclose()
    moved = {table.name: {*table.columns} for table in TABLES}
    with sqlite3.connect(tmp_path / "pwless.db") as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'pwless%'"
        ).fetchall()
        names = {name.removeprefix("pwless_") for (name,) in tables}
        assert names == {*moved, *LEFT_BEHIND}, "add it to database/transfer/tables.py"
        for name, columns in moved.items():
            found = {row[1] for row in connection.execute(f"PRAGMA table_info(pwless_{name})")}
            told = "add the column to database/transfer/tables.py"
            assert found == columns | LEFT_COLUMNS.get(name, set()), told
    connection.close()


@pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])
def test_a_row_of_another_shape_is_refused(table: Table) -> None:
    good = make_row(table, 1)
    table.check(good)
    column, kind = next(iter(table.columns.items()))
    for bad in ({**good, "other": 1}, {k: v for k, v in good.items() if k != column}):
        with pytest.raises(ValueError, match="has other columns"):
            table.check(bad)
    wrong = {"text": ("\0", "\ud800", 1, None), "int": (True, 2**63, "1", 1.0), "bytes": ("a", 1)}
    for value in wrong[kind.rstrip("?")]:
        with pytest.raises(ValueError, match=f"{column} of {table.name} is no"):
            table.check({**good, column: value})  # type: ignore[dict-item]
