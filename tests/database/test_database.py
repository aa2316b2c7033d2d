"""A database by its URL: what is done together, and what is left when it is not done."""

from __future__ import annotations

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
