"""A SQLite file in one process and in several: loops, threads, forks, and the end."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Statement
from pwless_middleware.errors import StoreError
from tests.database.sqlite.conftest import ROOT
from tests.database.sqlite.tables import COUNTED, add, ids, make_table

pytestmark = pytest.mark.anyio


_others: set[threading.Thread] = set()


@pytest.fixture(autouse=True)
def _not_of_this_test() -> None:
    """Note the threads of databases that tests before have left to the garbage collector."""
    _others.clear()
    _others.update(threading.enumerate())


def threads() -> list[str]:
    """Return the writing threads that have begun in this test."""
    begun = set(threading.enumerate()) - _others
    return [each.name for each in begun if each.name == "pwless-database"]


async def test_what_was_written_is_there_after_closing(database: Database, path: Path) -> None:
    await database.transact(lambda: add(1))
    await database.aclose()
    assert sorted(each.name for each in path.parent.iterdir()) == ["pwless.db", "pwless.db-lock"]
    assert await ids(database) == [1]


async def test_it_is_closed_with_the_last_loop_that_uses_it(database: Database) -> None:
    def other() -> None:
        asyncio.run(use())

    async def use() -> None:
        await database.transact(lambda: add(2))
        await database.aclose()

    await asyncio.to_thread(other)
    assert threads()
    assert await ids(database) == [2]
    await database.aclose()
    assert not threads()


def test_a_loop_that_never_closes_leaves_it_to_the_next(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    asyncio.run(database.open())
    asyncio.run(database.transact(make_table))
    asyncio.run(database.transact(lambda: add(3)))
    assert asyncio.run(ids(database)) == [3]
    del database
    gc.collect()
    assert not threads()
    assert not path.with_name("pwless.db-wal").exists()


async def test_threads_that_read_and_write_at_once_each_see_what_they_wrote(
    database: Database,
) -> None:
    async def use(first: int) -> None:
        for id in range(first, first + 30):
            await database.transact(lambda id=id: add(id))  # type: ignore[misc]
            assert id in await ids(database)

    def run(first: int) -> None:
        asyncio.run(use(first))

    await asyncio.gather(*(asyncio.to_thread(run, 100 * n) for n in range(4)))
    assert len(await ids(database)) == 120


async def test_a_loop_that_ends_in_mid_write_harms_nobody(database: Database) -> None:
    async def leave() -> None:
        tasks = [asyncio.ensure_future(database.transact(lambda: add(1))) for _ in range(10)]
        await asyncio.wait(tasks, timeout=0)

    await asyncio.to_thread(lambda: asyncio.run(leave()))
    assert await database.transact(lambda: add(20)) == 20


async def test_a_query_that_writes_is_refused(database: Database) -> None:
    with pytest.raises(StoreError):
        await database.fetch(Statement("DELETE FROM pwless_test RETURNING id")())


async def test_a_mistake_in_a_statement_ends_nothing(database: Database) -> None:
    with pytest.raises(StoreError, match="no such table"):
        await database.fetch(Statement("SELECT 1 FROM pwless_missing")())
    await database.transact(lambda: add(4))
    with pytest.raises(StoreError, match="UNIQUE"):
        await database.transact(lambda: add(4))
    assert await ids(database) == [4]


def test_ping_writes_and_changes_nothing(path: Path) -> None:
    asyncio.run(Database(f"sqlite:///{path}").ping())


FORKING = """
import asyncio, os, sys
from pwless_middleware.database.database import Database
from tests.database.sqlite.tables import add, ids, make_table
database = Database(sys.argv[1])
asyncio.run(database.transact(make_table))
asyncio.run(database.transact(lambda: add(1)))
child = os.fork()
if child == 0:
    assert asyncio.run(ids(database)) == [1]
    asyncio.run(database.transact(lambda: add(2)))
    asyncio.run(database.aclose())
    sys.exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, status
asyncio.run(database.transact(lambda: add(3)))
assert asyncio.run(ids(database)) == [1, 2, 3]
"""


def test_a_forked_process_opens_its_own(path: Path) -> None:
    """As under gunicorn with --preload, where the app was used before the fork."""
    command = [sys.executable, "-W", "error", "-c", FORKING, f"sqlite:///{path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert not path.with_name("pwless.db-wal").exists()


async def test_processes_that_count_together_lose_nothing(
    database: Database, start: Callable[..., subprocess.Popen[str]]
) -> None:
    started = [start("count", "200") for _ in range(3)]
    for each in started:
        await asyncio.to_thread(each.communicate)
        assert each.returncode == 0
    assert await database.fetch(COUNTED()) == [("600",)]
