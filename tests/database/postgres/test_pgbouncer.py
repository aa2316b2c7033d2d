"""Behind a pgbouncer in transaction mode, which gives each transaction another session."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Statement, Steps
from pwless_middleware.errors import ConfigError
from tests.needs import need_command
from tests.ports import free_port
from tests.postgres_server import PostgresServer, as_its_user

pytestmark = pytest.mark.anyio

ADD = Statement("INSERT INTO pwless_test (id) VALUES ($1)")
COUNT = Statement("SELECT COUNT(*) FROM pwless_test WHERE id >= $1")


@pytest.fixture(scope="module")
def pooled_url(package_server: PostgresServer) -> Iterator[str]:
    """The URL of a pgbouncer with two sessions, before the server of these tests."""
    need_command("pgbouncer")
    port = free_port()
    configuration = Path(package_server.folder, "pgbouncer.ini")
    configuration.write_text(
        f"[databases]\npwless = host=127.0.0.1 port={package_server.port} user=pwless\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        "auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n"
    )
    process = subprocess.Popen(
        ["pgbouncer", "-q", str(configuration)], stderr=subprocess.DEVNULL, **as_its_user()
    )
    try:
        _wait_for(port)
        yield f"postgresql://pwless@127.0.0.1:{port}/pwless"
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def add_one(id: int) -> Steps[None]:
    yield COUNT(0)
    yield ADD(id)


async def test_every_question_is_a_transaction(
    pooled_url: str, server: PostgresServer, database: Database
) -> None:
    """Two statements with as many values, of clients that share two sessions, are not mixed up."""
    pooled = Database(f"{pooled_url}?pgbouncer=true")
    # First, so that pgbouncer has a connection; and few, for the deadline of a busy machine.
    assert await pooled.fetch(COUNT(0)) == [(0,)]
    await asyncio.gather(
        *(pooled.transact(partial(add_one, number)) for number in range(3)),
        *(pooled.transact(partial(add_one, number), locks=["pooled"]) for number in range(3, 5)),
        *(pooled.execute(ADD(number)) for number in range(5, 8)),
        *(pooled.fetch(COUNT(number)) for number in range(3)),
    )
    assert await pooled.fetch(COUNT(0)) == [(8,)]
    assert await pooled.listen("pwless_test", lambda payload: None) is None
    await pooled.aclose()


async def test_without_the_parameter_it_is_named(pooled_url: str, database: Database) -> None:
    plain = Database(pooled_url)
    with pytest.raises(ConfigError, match=r"add \?pgbouncer=true to the URL"):
        await plain.open()
    await plain.aclose()
