"""PostgreSQL that hangs, ends, restarts or refuses: closed, told, and well again by itself."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from functools import partial
from time import monotonic

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.postgres import engine, in_time, transaction
from pwless_middleware.database.statement import Query, Row, Statement, Steps
from pwless_middleware.errors import ConfigError, StoreError, StoreTimeout
from tests.postgres_server import PostgresServer

pytestmark = pytest.mark.anyio

ADD = Statement("INSERT INTO pwless_test (id) VALUES ($1)")
ALL = Statement("SELECT id FROM pwless_test ORDER BY id")
SLEEP = Statement("", postgres="SELECT 1 FROM pg_sleep(30)")


@contextlib.contextmanager
def too_late(match: str | None = None) -> Iterator[None]:
    """Expect that there is no answer in time, and do not wait for the real deadline."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_time, "DEADLINE", 0.3)
        with pytest.raises(StoreTimeout, match=match):
            yield


def add(*ids: int) -> Steps[None]:
    for id in ids:
        yield ADD(id)


async def add_until_refused(database: Database) -> None:
    """A setting reaches a session some time after it was reloaded."""
    for number in range(1000):
        await database.execute(ADD(number))


def add_next() -> Steps[None]:
    rows = yield ALL()
    yield ADD(len(rows))


def one(query: Query) -> Steps[None]:
    yield query


async def test_one_that_hangs_is_left_in_time_and_is_well_at_once(
    database: Database, server: PostgresServer
) -> None:
    """Those in line are told as well: twenty questions take no longer than one."""
    runs = []

    def count() -> Steps[None]:
        runs.append(1)
        yield ADD(7)

    server.freeze()
    begun = monotonic()
    questions = [database.fetch(ALL()) for _ in range(20)]
    answers = await asyncio.gather(*questions, database.transact(count), return_exceptions=True)
    assert monotonic() - begun < 20  # two seconds are promised; the machine may be busy
    assert {type(answer) for answer in answers} == {StoreTimeout}
    server.thaw()
    assert await database.fetch(ALL()) == []
    assert len(runs) <= 1  # and not again, when nobody waits for it


async def test_one_that_hangs_in_the_middle_of_a_transaction(
    database: Database, server: PostgresServer
) -> None:
    def steps() -> Steps[None]:
        yield ADD(1)
        server.freeze()
        yield ADD(2)

    with too_late("does not answer in time"):
        await database.transact(steps)
    server.thaw()
    await database.transact(partial(add, 3))
    assert await database.fetch(ALL()) == [(3,)]


async def test_connections_that_hang_are_left_together(
    database: Database, server: PostgresServer
) -> None:
    """As behind a firewall that forgets them: they are not tried one after the other."""
    await asyncio.gather(*(database.fetch(ALL()) for _ in range(8)))
    server.freeze_connections()
    with too_late():
        await database.fetch(ALL())
    assert await database.fetch(ALL()) == []
    server.thaw()


async def test_who_leaves_early_gives_the_connection_back(database: Database) -> None:
    """A request that is cancelled does not wait for the server, and costs nobody a connection."""
    for _ in range(10):
        begun = monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await database.fetch(SLEEP())
        assert monotonic() - begun < 20
    assert await database.fetch(ALL()) == []


async def test_connections_that_were_ended_are_not_noticed(
    database: Database, server: PostgresServer
) -> None:
    await asyncio.gather(*(database.fetch(ALL()) for _ in range(8)))
    server.terminate_connections()
    assert await database.fetch(ALL()) == []
    server.terminate_connections()
    await database.transact(partial(add, 1))
    assert await database.fetch(ALL()) == [(1,)]


async def test_a_transaction_whose_connection_is_ended_is_done_again(
    database: Database, server: PostgresServer
) -> None:
    runs = []

    def steps() -> Steps[None]:
        runs.append(1)
        yield ADD(1)
        if len(runs) == 1:
            server.terminate_connections()
        yield ADD(2)

    await database.transact(steps)
    assert await database.fetch(ALL()) == [(1,), (2,)]
    assert len(runs) == 2


async def test_a_restart_is_over_when_it_is(database: Database, server: PostgresServer) -> None:
    await database.execute(ADD(1))
    server.stop(signal.SIGINT)
    with pytest.raises(StoreError, match="is it running, and is the URL right"):
        await database.fetch(ALL())
    server.start()
    assert await database.fetch(ALL()) == [(1,)]


async def test_a_crash_loses_nothing_that_was_acknowledged(
    database: Database, server: PostgresServer
) -> None:
    await database.transact(partial(add, 1, 2))
    server.stop(signal.SIGQUIT)
    server.start()
    assert await database.fetch(ALL()) == [(1,), (2,)]


async def test_a_server_that_becomes_read_only_is_refused_until_it_is_not(
    database: Database, server: PostgresServer
) -> None:
    """As one that is a primary no longer: also what it would still answer is not asked."""
    await database.fetch(ALL())
    server.run("ALTER SYSTEM SET default_transaction_read_only = on")
    server.run("SELECT pg_reload_conf()")
    try:
        with pytest.raises(StoreError, match="no primary, or one that is read-only"):
            await add_until_refused(database)
        with pytest.raises(StoreError, match="no primary"):
            await database.fetch(ALL())
        with pytest.raises(StoreError, match="no primary"):
            await database.ping()
    finally:
        server.run("SET default_transaction_read_only = off", "ALTER SYSTEM RESET ALL")
        server.run("SELECT pg_reload_conf()")
    for _ in range(1000):
        with contextlib.suppress(StoreError):
            await database.fetch(ALL())
            break
    else:
        pytest.fail("it is still refused")


async def test_the_primary_of_two_is_found_also_behind_one_that_hangs(
    database: Database, server: PostgresServer
) -> None:
    mute = socket.create_server(("127.0.0.1", 0))
    port = mute.getsockname()[1]
    where = f"postgresql://pwless@127.0.0.1:{port},127.0.0.1:{server.port}/pwless"
    both = Database(where)
    with too_late():
        await both.fetch(ALL())
    assert await both.fetch(ALL()) == []
    await both.aclose()
    mute.close()


async def test_steps_are_done_again_until_they_go_together(database: Database) -> None:
    """Each reads all rows and adds one: no two of them go together."""

    await asyncio.gather(*(database.transact(add_next) for _ in range(24)))
    assert await database.fetch(ALL()) == [(number,) for number in range(24)]


async def test_a_lock_is_waited_for_no_longer_than_anything_else(
    database: Database, server: PostgresServer
) -> None:
    """And leaves no session behind that waits on for nobody."""
    other = Database(server.url)
    holding, done = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        def steps() -> Steps[None]:
            holding.set()
            yield SLEEP()

        with pytest.raises(StoreError):
            await other.transact(steps, locks=["a"])
        done.set()

    task = asyncio.create_task(hold())
    await holding.wait()
    await database.transact(partial(add, 1), locks=["b"])
    with too_late():
        await database.transact(partial(add, 2), locks=["b", "a"])
    await task
    await other.aclose()
    assert await database.fetch(ALL()) == [(1,)]


async def test_what_is_long_has_no_time_limit(database: Database) -> None:
    nap = Statement("", postgres="SELECT 1 FROM pg_sleep(1.5)")
    with too_late():
        await database.fetch(nap())
    await database.transact(lambda: one(nap()), locks=(), is_long=True)


async def test_a_value_that_is_refused_is_not_shown(database: Database) -> None:
    """PostgreSQL quotes it: "Key (email)=(jo@example.com) already exists"."""
    await database.execute(ADD(712345))
    with pytest.raises(StoreError, match="UniqueViolationError 23505 on pwless_test_pkey") as twice:
        await database.execute(ADD(712345))
    with pytest.raises(StoreError) as wrong:
        await database.execute(ADD("jo@example.com"))
    for raised in (twice, wrong):
        assert "712345" not in str(raised.value)
        assert "jo@" not in str(raised.value)
        assert raised.value.__cause__ is None
        assert raised.value.__suppress_context__
    assert await database.fetch(ALL()) == [(712345,)]


def test_connections_end_with_the_loop_where_nobody_closes(server: PostgresServer) -> None:
    """As under a test client, which has a loop for each request."""
    database = Database(f"{server.url}?application_name=loops")

    async def use() -> None:
        await database.fetch(Statement("SELECT 1")())
        await database.listen("pwless_test", lambda payload: None)

    for _ in range(3):
        asyncio.run(use())
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'loops'"
    assert any(server.run(count) == "0" for _ in range(50))  # a session takes a while to end


def test_the_limits_of_a_session_are_known_to_the_server(server: PostgresServer) -> None:
    async def ask() -> str:
        database = Database(f"{server.url}?synchronous_commit=off")
        [(found,)] = await database.fetch(
            Statement(
                "",
                postgres="SELECT concat_ws(' ', current_setting('synchronous_commit'), "
                "current_setting('lock_timeout'), current_setting('application_name'))",
            )()
        )
        await database.aclose()
        return str(found)

    assert asyncio.run(ask()) == "off 1500ms pwless"


async def test_a_user_who_may_not_create_tables_needs_no_more_than_to_use_them(
    database: Database, server: PostgresServer
) -> None:
    """Also for steps that are done again, alone, which lock a table for that."""
    server.run(
        "DROP ROLE IF EXISTS user_of_tables",
        "CREATE USER user_of_tables",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO user_of_tables",
    )
    theirs = Database(server.url.replace("pwless@", "user_of_tables@"))
    await theirs.open()

    await asyncio.gather(*(theirs.transact(add_next) for _ in range(12)))
    assert len(await theirs.fetch(ALL())) == 12
    await theirs.aclose()
    server.run("DROP OWNED BY user_of_tables", "DROP ROLE user_of_tables")


async def test_a_connection_in_use_while_all_are_closed_is_closed_after_it(
    server: PostgresServer,
) -> None:
    database = Database(f"{server.url}?application_name=late")
    await database.open()
    nap = Statement("", postgres="SELECT 1 FROM pg_sleep(0.05)")
    asking = asyncio.create_task(database.fetch(nap()))
    for _ in range(5):  # rounds of the loop, until it has a connection
        await asyncio.sleep(0)
    await database.aclose()
    assert await asking == [(1,)]
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'late'"
    assert any(server.run(count) == "0" for _ in range(50))


async def test_a_table_that_another_process_has_changed_is_read_as_it_is_now(
    database: Database, server: PostgresServer
) -> None:
    """A statement that was prepared before is of no use then; the steps are done again."""
    every_column = Statement("SELECT * FROM pwless_test")

    def read() -> Steps[list[Row]]:
        return (yield every_column())

    await database.execute(ADD(1))
    assert await database.transact(read) == [(1,)]
    server.run("ALTER TABLE pwless_test ADD COLUMN more BIGINT DEFAULT 7")
    assert await database.transact(read) == [(1, 7)]
    server.run("ALTER TABLE pwless_test ADD COLUMN most BIGINT DEFAULT 8")
    assert await database.fetch(every_column()) == [(1, 7, 8)]


async def test_steps_that_never_go_together_are_given_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "_TRIES", 1)

    adds = (database.transact(add_next) for _ in range(24))
    answers = await asyncio.gather(*adds, return_exceptions=True)
    told = {str(answer) for answer in answers if answer is not None}
    assert told == {"PostgreSQL: too many write the same at once"}


async def test_one_that_hangs_is_not_listened_to(
    database: Database, server: PostgresServer
) -> None:
    server.freeze()
    with too_late():
        await database.listen("pwless_test", lambda payload: None)
    server.thaw()


async def test_a_server_that_is_too_old_is_refused(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_OLDEST", 99)
    with pytest.raises(ConfigError, match="has to be 99"):
        await Database(server.url).open()
