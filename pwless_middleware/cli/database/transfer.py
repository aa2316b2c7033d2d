"""`export` and `import`: everything that a database holds, as a file, for another of any kind.

pwless export --database sqlite:///pwless.db --output pwless.ndjson
pwless import pwless.ndjson --database postgresql://…
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.installation import add_arguments, find_database
from pwless_middleware.errors import StoreError

if TYPE_CHECKING:
    from pwless_middleware.database.database import Database
    from pwless_middleware.database.transfer.rows import Import, TableRow


def add_to(commands: Any) -> None:
    """Add the two commands to the parser's."""
    export = commands.add_parser(
        "export",
        help="write everything in the database to a file",
        description="Write everything that the database holds as NDJSON. It is personal, and as "
        "secret as the database.",
    )
    export.add_argument(
        "--output",
        metavar="FILE",
        help="a new file, readable for its owner alone; without it, the standard output",
    )
    export.set_defaults(command=run_export)
    add_arguments(export)
    imported = commands.add_parser(
        "import",
        help="write an exported file to a database",
        description="Write what `pwless export` wrote to an empty database, all or nothing. Stop "
        "the app meanwhile.",
    )
    imported.add_argument("file", metavar="FILE", help="- is the standard input")
    imported.add_argument(
        "--replace", action="store_true", help="delete what the database holds, if it is not empty"
    )
    imported.set_defaults(command=run_import)
    add_arguments(imported)


def run_export(options: argparse.Namespace) -> int:
    """Write the file, and on stderr how much it holds.

    Raises:
        UsageError: the file is there already, or cannot be written.
        ConfigError, StoreError: of the database.
    """
    database = find_database(options)
    try:
        with _create(options.output) as file:
            counts = asyncio.run(_export(database, file))
    except OSError as error:
        raise UsageError(f"{options.output or 'standard output'}: {error.strerror}") from None
    print(f"pwless: exported {_describe(counts)}", file=sys.stderr)
    return 0


async def _export(database: Database, file: IO[str]) -> dict[str, int]:
    from pwless_middleware.cli.database.export_format import write_end, write_header, write_row
    from pwless_middleware.database.transfer.rows import read_rows

    counts: dict[str, int] = {}
    try:
        await database.open()
        file.write(write_header(int(time.time())))
        async for row in read_rows(database):
            file.write(write_row(row))
            counts[row.table.name] = counts.get(row.table.name, 0) + 1
        file.write(write_end(counts))
        file.flush()
    finally:
        await database.aclose()
    return counts


@contextmanager
def _create(path: str | None) -> Iterator[IO[str]]:
    """Open a new file for its owner alone; one that is not finished is removed."""
    if path is None:
        yield sys.stdout
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            yield file
    except BaseException:
        os.unlink(path)
        raise


def run_import(options: argparse.Namespace) -> int:
    """Write the file to the database, and on stderr how much it was.

    Raises:
        UsageError: the file is wrong, or the database is not empty.
        ConfigError, StoreError: of the database.
    """
    from pwless_middleware.database.transfer.rows import Import

    database = find_database(options, may_make=True)
    source = _Source(options.file)
    importing = Import(database, source.read, replace=options.replace)
    try:
        filled = asyncio.run(_import(database, importing))
    except StoreError as error:
        first, last = importing.lines
        where = f"line {first}: " if first == last else f"lines {first} to {last}: "
        raise UsageError(f"nothing was imported: {where if first else ''}{error}") from None
    if filled is not None:
        raise UsageError(
            f"there are {filled} in the database: name an empty one, or --replace what it holds"
        )
    print(f"pwless: imported {_describe(importing.counts)}", file=sys.stderr)
    return 0


async def _import(database: Database, importing: Import) -> str | None:
    try:
        await database.open()
        return await importing.run()
    finally:
        await database.aclose()


class _Source:
    """The lines of a file, from its beginning each time; the standard input has one beginning."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._is_spent = False

    def read(self) -> Iterator[TableRow]:
        """Return its rows.

        Raises:
            UsageError: it cannot be read, or a line is wrong.
        """
        from pwless_middleware.cli.database.export_format import read

        if self._path == "-":
            if self._is_spent:
                raise UsageError("the connection was lost: nothing was imported, run it again")
            self._is_spent = True
            yield from read(sys.stdin.buffer)
            return
        try:
            with open(self._path, "rb") as file:
                yield from read(file)
        except OSError as error:
            raise UsageError(f"{self._path}: {error.strerror}") from None


def _describe(counts: dict[str, int]) -> str:
    rows = sum(counts.values())
    tables = ", ".join(f"{number} {name}" for name, number in counts.items())
    return f"{rows} rows: {tables}" if rows else "nothing: it is empty"
