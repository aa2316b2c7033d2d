"""Writes that share a commit: each is all or nothing by itself, and answered after the commit."""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Statement, Steps
from pwless_middleware.errors import StoreError
from tests.database.sqlite.tables import add, add_and_fail, ids

pytestmark = pytest.mark.anyio

BAD = Statement("INSERT INTO pwless_missing (id) VALUES ($1)")


@contextmanager
def turn_of_another(path: Path) -> Iterator[None]:
    """Hold the turn, as a process does that is writing."""
    with Path(f"{path}-lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def bad() -> Steps[None]:
    yield BAD(1)


async def test_what_waits_is_done_together_and_one_that_fails_alone_is_undone(
    database: Database, path: Path
) -> None:
    with turn_of_another(path):
        tasks = [
            asyncio.ensure_future(each)
            for each in (
                database.transact(lambda: add(1)),  # the thread has this one; the rest wait
                database.transact(lambda: add(2)),
                database.transact(lambda: add_and_fail(3)),
                database.transact(bad),
                database.transact(lambda: add(2)),
                database.transact(lambda: add(4)),
            )
        ]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in tasks)
    one, two, three, missing, again, four = await asyncio.gather(*tasks, return_exceptions=True)
    assert (one, two, four) == (1, 2, 4)
    assert isinstance(three, LookupError)
    assert isinstance(missing, StoreError)
    assert isinstance(again, StoreError)
    assert await ids(database) == [1, 2, 4]


async def test_who_is_answered_finds_it_committed(database: Database, path: Path) -> None:
    other = sqlite3.connect(path)
    for id in range(20):
        await database.transact(lambda id=id: add(id))  # type: ignore[misc]
        assert other.execute("SELECT count(*) FROM pwless_test").fetchone() == (id + 1,)
    other.close()


async def test_what_nobody_waits_for_is_not_begun(database: Database, path: Path) -> None:
    """A process that was stopped in mid-write holds the turn: answers come in time, and are no."""
    with turn_of_another(path):
        first = asyncio.ensure_future(database.transact(lambda: add(1)))
        cancelled = asyncio.ensure_future(database.transact(lambda: add(2)))
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(StoreError, match=r"within 1\.2 s"):
            await first
        assert await ids(database) == []
    assert await database.transact(lambda: add(3)) == 3
    assert 2 not in await ids(database)
