"""A PostgreSQL that cannot be asked: closed within two seconds, and well again by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.stores.sql import SQLStore
from tests.failures.scene import Scene, an_address, scene
from tests.postgres_server import PostgresServer
from tests.redis_server import until
from tests.support import wrong

pytestmark = pytest.mark.anyio


@pytest.fixture
def server(module_postgres: PostgresServer) -> Iterator[PostgresServer]:
    """It, up and running again after the test."""
    yield module_postgres
    if module_postgres.is_running:
        module_postgres.thaw()
    else:
        module_postgres.start()


@pytest.fixture
async def at(server: PostgresServer) -> AsyncIterator[Scene]:
    async with scene(SQLStore(Database(server.url))) as made:
        yield made


async def assert_everything_closed(at: Scene) -> None:
    at.assert_closed(await at.writers())
    at.assert_closed(await at.readers())
    await at.assert_socket_refused()
    await at.assert_public_still_works()
    assert await at.health() == (503, ["store"])


async def assert_all_goes_on(at: Scene) -> None:
    await at.recovers()
    await at.assert_still_in()
    await at.assert_login_can_be_finished()


async def test_killed_and_started_again(at: Scene, server: PostgresServer) -> None:
    """Nobody listens: 503 at once. After a crash it has all that it acknowledged, budgets too."""
    for n in range(2):
        assert (await at.waiting.type_code(wrong(at.code, n))).status_code == 400
    server.stop()
    await assert_everything_closed(at)
    at.assert_closed(await at.enders())
    server.start()
    await at.recovers()
    tries = [(await at.waiting.type_code(wrong(at.code, n))).status_code for n in range(2, 4)]
    assert tries == [400, 400]
    await assert_all_goes_on(at)


async def test_hanging(at: Scene, server: PostgresServer) -> None:
    """Connections stay open and nothing answers: 503 within two seconds, each."""
    server.freeze()
    await assert_everything_closed(at)
    server.thaw()
    await assert_all_goes_on(at)


async def test_its_connections_are_ended(at: Scene, server: PostgresServer) -> None:
    """As by an administrator, or a proxy: nobody notices."""
    server.terminate_connections()
    assert (await at.waiting.type_code(wrong(at.code, 0))).status_code == 400
    server.terminate_connections()
    await at.assert_still_in()
    await until(at.site.store.feed.is_live)
    server.terminate_connections()
    assert (await at.stranger.ask(an_address())).status_code == 303
    await at.assert_login_can_be_finished()


async def test_read_only(at: Scene, server: PostgresServer) -> None:
    """A standby, or a primary that was told so, takes no writes: nobody signs in."""
    server.run("ALTER DATABASE pwless SET default_transaction_read_only = on")
    server.terminate_connections()
    at.assert_closed(await at.writers())
    assert await at.health() == (503, ["store"])
    server.run("ALTER DATABASE pwless RESET default_transaction_read_only", database="postgres")
    server.terminate_connections()
    await assert_all_goes_on(at)
