"""What is published is heard, and the answer to a question says that all of it was."""

from __future__ import annotations

import pytest

from pwless_middleware.database.base import Listener
from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Statement, Steps
from tests.postgres_server import PostgresServer

pytestmark = pytest.mark.anyio

NOTIFY = Statement("SELECT 1", postgres="SELECT pg_notify($1, $2)")


def publish(text: str, fault: Exception | None = None) -> Steps[None]:
    yield NOTIFY("pwless_test", text)
    if fault is not None:
        raise fault


async def listen(database: Database, heard: list[str]) -> Listener:
    listener = await database.listen("pwless_test", heard.append)
    assert listener is not None
    return listener


async def test_an_answer_says_all_was_heard(database: Database, server: PostgresServer) -> None:
    heard: list[str] = []
    listener, other = await listen(database, heard), Database(server.url)
    expected = []
    for number in range(50):
        await other.execute(NOTIFY("pwless_test", f"{number}"))
        expected.append(f"{number}")
        assert await listener.ask(1.0)
        assert heard == expected
    await other.aclose()
    await listener.aclose()
    assert not await listener.ask(1.0)


async def test_what_was_undone_is_not_heard(database: Database) -> None:
    heard: list[str] = []
    listener = await listen(database, heard)
    with pytest.raises(ValueError, match="no"):
        await database.transact(lambda: publish("a", ValueError("no")))
    await database.transact(lambda: publish("b"))
    assert await listener.ask(1.0)
    assert heard == ["b"]
    await listener.aclose()


async def test_one_whose_server_hangs_is_broken(database: Database, server: PostgresServer) -> None:
    listener = await listen(database, [])
    server.freeze()
    assert not await listener.ask(0.05)
    assert listener.is_broken
    server.thaw()
    again = await listen(database, [])
    assert await again.ask(1.0)
    await again.aclose()


async def test_one_whose_connection_was_ended_is_broken(
    database: Database, server: PostgresServer
) -> None:
    listener = await listen(database, [])
    server.terminate_connections()
    assert not await listener.ask(1.0)
    assert listener.is_broken
