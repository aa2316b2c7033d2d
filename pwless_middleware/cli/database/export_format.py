"""The file of `pwless export`, version 1: NDJSON, in ASCII.

    {"pwless_export": 1, "schema": 5, "at": 1800000000}
    {"table": "people", "row": {"id": "…", "email": "jo@example.com", …}}
    {"table": "peppers", "row": {"name": "…", "value": "<base64>"}}
    {"end": {"people": 1, "peppers": 1}}

The first line says what follows, the last one how much there was: a file without it was cut off.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.database.migrations import MIGRATIONS
from pwless_middleware.database.statement import Value
from pwless_middleware.database.transfer.rows import TableRow
from pwless_middleware.database.transfer.table import Table
from pwless_middleware.database.transfer.tables import TABLES

VERSION: Final = 1

_BY_NAME: Final = {table.name: table for table in TABLES}


def write_header(now: int) -> str:
    """Return the first line."""
    return _line({"pwless_export": VERSION, "schema": len(MIGRATIONS), "at": now})


def write_row(row: TableRow) -> str:
    """Return the line of a row."""
    values = {
        column: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for column, value in row.values.items()
    }
    return _line({"table": row.table.name, "row": values})


def write_end(counts: dict[str, int]) -> str:
    """Return the last line."""
    return _line({"end": counts})


def _line(value: object) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


def read(lines: Iterable[bytes]) -> Iterator[TableRow]:
    """Return the rows of a file.

    Raises:
        UsageError: it is none, it is of another version, a line is wrong, or the end is missing;
            names the line, and shows no value.
    """
    counts: dict[str, int] = {}
    number = 0
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise UsageError(f"line {number}: is no JSON object: is the file complete?")
        if number == 1:
            _check_header(value)
            continue
        if "end" in value:
            if value["end"] != counts:
                raise UsageError(f"line {number}: there are other rows than it counts")
            for _ in lines:
                raise UsageError(f"line {number + 1}: stands behind the end")
            return
        try:
            row = _read_row(value, number)
        except ValueError as error:
            raise UsageError(f"line {number}: {error}") from None
        counts[row.table.name] = counts.get(row.table.name, 0) + 1
        yield row
    raise UsageError(
        f"line {number + 1}: the file ends without its last line, so it was cut off"
        if number
        else "the file is empty"
    )


def _check_header(value: dict[str, Any]) -> None:
    if "pwless_export" not in value:
        raise UsageError("line 1: the file is none of `pwless export`")
    if value["pwless_export"] != VERSION:
        raise UsageError(f"line 1: the file is of another version than {VERSION}")
    schema = value.get("schema")
    if schema != len(MIGRATIONS):
        raise UsageError(
            f"line 1: the file holds tables of version {schema}, and this pwless-middleware has "
            f"{len(MIGRATIONS)}: import it with the version that exported it, then update"
        )


def _read_row(value: dict[str, Any], number: int) -> TableRow:
    table, row = _BY_NAME.get(str(value.get("table"))), value.get("row")
    if table is None or not isinstance(row, dict):
        raise ValueError("is no row of a table that is known")
    values = {str(column): _decode(table, column, each) for column, each in row.items()}
    table.check(values)
    return TableRow(table, values, number)


def _decode(table: Table, column: str, value: Any) -> Value:
    if table.columns.get(column) in ("bytes", "bytes?") and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"{column} of {table.name} is no base64") from None
    decoded: Value = value
    return decoded
