"""The queue in a database: what a worker held that is gone, others deliver."""

from __future__ import annotations

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Statement
from pwless_middleware.stores.base import Writes
from pwless_middleware.stores.sql import SQLStore
from pwless_middleware.stores.sql.jobs import _BURIED, DEAD_AFTER, SQLJobs

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
AGE = Statement("UPDATE pwless_jobs SET seen = seen - $1")
SEEN = Statement("SELECT seen FROM pwless_jobs")


async def queue(store: SQLStore, *payloads: bytes) -> None:
    await store.write(Writes(jobs=payloads), now=NOW, op="/".join(map(str, payloads)))


async def test_what_a_dead_worker_held_goes_to_another(database: Database) -> None:
    store, other = SQLStore(database), SQLJobs(database)
    await queue(store, b"a")
    (job,) = await store.jobs.claim(now=NOW, limit=9)
    assert await other.claim(now=NOW, limit=9) == []
    await database.execute(AGE(DEAD_AFTER))  # it has said nothing for so long
    (again,) = await other.claim(now=NOW, limit=9)
    assert again == job
    await store.jobs.retry(job, at=NOW)  # it lives after all; the job is no longer its own
    await store.jobs.bury(job, reason="late", at=NOW)
    assert await store.jobs.claim(now=NOW, limit=9) == []
    assert await store.jobs.list("dead", now=NOW, limit=9) == []
    await other.complete(again)
    await database.execute(AGE(999))
    assert await other.claim(now=NOW, limit=9) == []


async def test_a_worker_that_lives_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pwless_middleware.stores.sql.jobs._HEARTBEAT", 0.01)
    store = SQLStore(database)
    await queue(store, b"a")
    (job,) = await store.jobs.claim(now=NOW, limit=9)
    await database.execute(AGE(999))
    [(old,)] = await database.fetch(SEEN())
    while (await database.fetch(SEEN()))[0][0] == old:
        await store.jobs.wait(timeout=0.01)
    heart = store.jobs._workers.here().heart
    assert heart is not None
    await store.jobs.complete(job)
    await heart  # who holds nothing says nothing


async def test_a_worker_that_takes_its_leave_gives_back_what_it_held(database: Database) -> None:
    store, other = SQLStore(database), SQLJobs(database)
    await queue(store, b"a", b"b")
    await store.jobs.claim(now=NOW, limit=1)
    await store.jobs.aclose()
    assert [job.payload for job in await other.claim(now=NOW, limit=9)] == [b"a", b"b"]


async def test_the_dead_list_keeps_the_newest(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pwless_middleware.stores.sql.jobs._BURIED", 3)
    assert _BURIED == 1000
    store = SQLStore(database)
    await queue(store, *(b"%d" % n for n in range(5)))
    for job in await store.jobs.claim(now=NOW, limit=9):
        await store.jobs.bury(job, reason="no", at=NOW)
    dead = await store.jobs.list("dead", now=NOW, limit=9)
    assert [each.job.payload for each in dead] == [b"4", b"3", b"2"]
