"""The table that tests of the engine write, as a program also writes it from other processes.

python -m tests.database.sqlite.tables URL write     pairs of rows, until it is killed
python -m tests.database.sqlite.tables URL count N   adds 1 N times, in four tasks
python -m tests.database.sqlite.tables URL open      opens it as nobody, and says what is wrong
"""

from __future__ import annotations

import asyncio
import os
import sys

from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Statement, Steps
from pwless_middleware.errors import PwlessError

MAKE = Statement("CREATE TABLE IF NOT EXISTS pwless_test (id BIGINT PRIMARY KEY, text TEXT)")
ADD = Statement("INSERT INTO pwless_test (id, text) VALUES ($1, $2)")
ALL = Statement("SELECT id FROM pwless_test ORDER BY id")
COUNT = Statement(
    "INSERT INTO pwless_test (id, text) VALUES (0, '1') ON CONFLICT (id) "
    "DO UPDATE SET text = CAST(CAST(pwless_test.text AS INTEGER) + 1 AS TEXT)"
)
COUNTED = Statement("SELECT text FROM pwless_test WHERE id = 0")
NOBODY = 65534


def make_table() -> Steps[None]:
    yield MAKE()


def add(id: int, text: str = "") -> Steps[int]:
    yield ADD(id, text)
    return id


def add_pair(id: int) -> Steps[None]:
    yield ADD(2 * id, "a")
    yield ADD(2 * id + 1, "b")


def add_and_fail(id: int) -> Steps[None]:
    yield ADD(id, "")
    raise LookupError("no")


def count() -> Steps[None]:
    yield COUNT()


async def ids(database: Database) -> list[int]:
    """Return the ids of all rows."""
    return [id for (id,) in await database.fetch(ALL())]


async def _write(database: Database) -> None:
    id = 0
    while True:
        await database.transact(lambda id=id: add_pair(id))  # type: ignore[misc]
        print(id, flush=True)
        id += 1


async def _count(database: Database, times: int) -> None:
    async def each() -> None:
        for _ in range(times // 4):
            await database.transact(count)

    await asyncio.gather(*(each() for _ in range(4)))
    await database.aclose()


async def _open(database: Database) -> None:
    try:
        await database.open()
    except PwlessError as error:
        print(f"{type(error).__name__}: {error}")
    await database.aclose()


def main() -> None:
    database = Database(sys.argv[1])
    match sys.argv[2]:
        case "write":
            asyncio.run(_write(database))
        case "count":
            asyncio.run(_count(database, int(sys.argv[3])))
        case "open":
            if os.getuid() == 0:
                os.setuid(NOBODY)
            asyncio.run(_open(database))


if __name__ == "__main__":
    main()
