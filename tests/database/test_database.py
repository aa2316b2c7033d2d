"""A database by its URL: what is done together, and what is left when it is not done."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Statement, Steps

pytestmark = pytest.mark.anyio

MAKE = Statement("CREATE TABLE pwless_test (id TEXT PRIMARY KEY, number BIGINT)")
ADD = Statement("INSERT INTO pwless_test (id, number) VALUES ($2, $1)")
ALL = Statement("SELECT id, number FROM pwless_test ORDER BY id")


@pytest.fixture
async def table(database: Database) -> Database:
    await database.transact(make_table)
    return database


def make_table() -> Steps[None]:
    yield MAKE()


def add_two() -> Steps[str]:
    yield ADD(1, "a")
    rows = yield ALL()
    yield ADD(2, "b")
    return f"{len(rows)}"


def add_and_fail() -> Steps[None]:
    yield ADD(3, "c")
    raise ValueError("no")


async def test_steps_see_what_they_wrote_and_return(table: Database) -> None:
    assert await table.transact(add_two) == "1"
    assert await table.fetch(ALL()) == [("a", 1), ("b", 2)]


async def test_steps_that_raise_leave_no_trace(table: Database) -> None:
    with pytest.raises(ValueError, match="no"):
        await table.transact(add_and_fail)
    assert await table.fetch(ALL()) == []


GET = Statement("SELECT number FROM pwless_test WHERE id = $1")
SET = Statement("UPDATE pwless_test SET number = $2 WHERE id = $1")


def count(id: str) -> Steps[None]:
    [(number,)] = yield GET(id)
    yield SET(id, number + 1)


@pytest.mark.parametrize("locks", [None, ["a"]])
async def test_steps_that_read_before_they_write_lose_nothing(
    table: Database, locks: list[str] | None
) -> None:
    await table.execute(ADD(0, "a"))
    counts = (table.transact(lambda: count("a"), locks=locks) for _ in range(20))
    await asyncio.gather(*counts)
    assert await table.fetch(GET("a")) == [(20,)]


def add_if_fewer_than(most: int, id: str) -> Steps[bool]:
    if len((yield ALL())) >= most:
        return False
    yield ADD(1, id)
    return True


async def test_steps_see_also_what_others_add_beside_them(table: Database) -> None:
    adds = (table.transact(partial(add_if_fewer_than, 3, f"{number}")) for number in range(10))
    assert sorted(await asyncio.gather(*adds)) == [False] * 7 + [True] * 3


async def test_one_query_that_writes_returns_its_rows(table: Database) -> None:
    insert = Statement("INSERT INTO pwless_test (id, number) VALUES ($1, $2) RETURNING number")
    assert await table.execute(insert("a", 7)) == [(7,)]
    assert await table.fetch(ALL()) == [("a", 7)]


def test_two_ways_to_name_a_file_are_one_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named = Database("sqlite:///pwless.db"), Database(f"sqlite:///{tmp_path}/pwless.db")
    assert named[0].place == named[1].place != Database("sqlite:///other.db").place
