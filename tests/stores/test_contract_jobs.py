"""The delivery queue's contract, on every store: handed out once, never lost, bounded."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest

from pwless_middleware.core.storage.job import CLAIM_SECONDS, Job
from pwless_middleware.errors import QueueFull
from pwless_middleware.stores.base import Drop, Put, Store, Writes

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
_numbers = itertools.count()


async def queue(store: Store, *payloads: bytes, now: int = NOW) -> None:
    for payload in payloads:
        key = f"k{next(_numbers)}"
        put = Put(key, b"v", now + 300)
        answer = await store.admit([], put, job=payload, replaces=None, now=now, op=key)
        assert answer.ok


async def claim(store: Store, limit: int = 99, now: int = NOW) -> list[Job]:
    return list(await store.jobs.claim(now=now, limit=limit))


async def dead(store: Store) -> list[tuple[bytes, int, str]]:
    """What was buried, oldest first."""
    listed = await store.jobs.list("dead", now=NOW, limit=9999)
    return [(each.job.payload, each.job.tries, each.job.reason) for each in reversed(listed)]


async def test_an_empty_queue_hands_out_nothing(store: Store) -> None:
    assert await claim(store) == []


async def test_jobs_come_as_they_were_accepted_and_at_most_as_many_as_asked(store: Store) -> None:
    payloads = [b"a:1\n", bytes(range(256)), b"", b"d"]
    await queue(store, *payloads)
    first, rest = await claim(store, limit=3), await claim(store)
    assert [job.payload for job in first + rest] == payloads
    assert [job.tries for job in first + rest] == [0] * 4
    assert len({job.id for job in first + rest}) == 4


async def test_a_payload_is_not_shown(store: Store) -> None:
    await queue(store, b"payload")
    assert "payload" not in repr((await claim(store))[0])


async def test_a_job_is_handed_to_one_of_many(processes: list[Store]) -> None:
    await queue(processes[0], *(b"%d" % n for n in range(60)))
    claims = await asyncio.gather(*(claim(store, 7) for store in processes * 5))
    payloads = [job.payload for jobs in claims for job in jobs]
    assert sorted(payloads) == sorted(b"%d" % n for n in range(60))


async def test_a_completed_job_is_gone(store: Store) -> None:
    await queue(store, b"a")
    (job,) = await claim(store)
    await store.jobs.complete(job)
    await store.jobs.complete(job)
    assert await claim(store, now=NOW + 9999) == []


async def test_a_claim_lapses(store: Store) -> None:
    await queue(store, b"a", b"b")
    (first,) = await claim(store, limit=1)
    assert [job.payload for job in await claim(store, now=NOW + CLAIM_SECONDS - 1)] == [b"b"]
    (again,) = await claim(store, now=NOW + CLAIM_SECONDS)
    assert (again.payload, again.tries) == (first.payload, 0)
    await store.jobs.complete(again)
    assert [j.payload for j in await claim(store, now=NOW + 2 * CLAIM_SECONDS)] == [b"b"]


async def test_a_retry_comes_at_its_second_with_one_try_more(store: Store) -> None:
    await queue(store, b"a\n:1")
    for tries in range(3):
        at = NOW + 10 * tries
        (job,) = await claim(store, now=at)
        assert (job.payload, job.tries) == (b"a\n:1", tries)
        await store.jobs.retry(job, at=at + 10)
        assert await claim(store, now=at + 9) == []


async def test_a_retry_takes_its_tries_from_the_argument(store: Store) -> None:
    await queue(store, b"a")
    (job,) = await claim(store)
    await store.jobs.retry(Job(job.id, job.payload, job.tries - 1), at=NOW)
    assert [job.tries for job in await claim(store)] == [0]


async def test_what_was_put_back_comes_behind_what_was_never_tried(store: Store) -> None:
    """Nobody's mail waits behind the retries for a mail server that is down."""
    await queue(store, *(b"down%d" % n for n in range(20)))
    for job in await claim(store):
        await store.jobs.retry(job, at=NOW + 1)
    later = NOW + 60
    await queue(store, b"new1", b"new2", now=later)
    first = await claim(store, limit=1, now=later)
    rest = await claim(store, limit=3, now=later)
    assert [job.payload for job in first + rest] == [b"new1", b"new2", b"down0", b"down1"]
    assert [job.tries for job in first + rest] == [0, 0, 1, 1]
    assert len(await claim(store, now=later)) == 18
    assert await claim(store, now=later) == []


async def test_a_retry_is_due_also_where_nothing_else_ever_was(store: Store) -> None:
    await queue(store, b"a")
    (job,) = await claim(store)
    await store.jobs.retry(job, at=NOW + 1)
    assert await claim(store) == []
    assert [job.payload for job in await claim(store, now=NOW + 1)] == [b"a"]


async def test_settling_twice_settles_once(store: Store) -> None:
    await queue(store, b"a")
    (job,) = await claim(store)
    await store.jobs.retry(job, at=NOW + 1)
    await store.jobs.retry(job, at=NOW + 1)
    await store.jobs.bury(job, reason="late", at=NOW)
    assert len(await claim(store, now=NOW + 1)) == 1
    assert await dead(store) == []


async def test_a_buried_job_stays_where_a_person_can_look(store: Store) -> None:
    await queue(store, b"\xff", b"b")
    for job in await claim(store):
        await store.jobs.bury(job, reason=f"no {job.tries}", at=NOW)
    assert await claim(store, now=NOW + 9999) == []
    assert await dead(store) == [(b"\xff", 0, "no 0"), (b"b", 0, "no 0")]


async def test_what_is_claimed_or_delayed_counts_towards_the_bound(store: Store) -> None:
    await queue(store, *[b"j"] * 100)
    for job in await claim(store, limit=10):
        await store.jobs.retry(job, at=NOW + 60)
    await claim(store, limit=10)
    with pytest.raises(QueueFull):
        await queue(store, b"one too many")
    for job in await claim(store, limit=10):
        await store.jobs.complete(job)
    await queue(store, *[b"j"] * 10)
    with pytest.raises(QueueFull):
        await queue(store, b"one too many")


async def test_of_many_at_once_the_bound_holds(processes: list[Store]) -> None:
    await queue(processes[0], *[b"j"] * 70)
    answers = await asyncio.gather(
        *(queue(store, b"j") for store in processes * 15), return_exceptions=True
    )
    assert sum(answer is None for answer in answers) == 30


class TestWrites:
    """Write this and queue that: one write."""

    async def test_jobs_are_queued_with_a_write_in_their_order(self, store: Store) -> None:
        puts = (Put("k", b"v", NOW + 9), Put("{a}k", b"v", NOW + 9))
        await store.write(Writes(puts, jobs=(b"a", bytes(range(256)))), now=NOW, op="1")
        assert [job.payload for job in await claim(store)] == [b"a", bytes(range(256))]
        assert [await store.read(put.key, now=NOW) for put in puts] == [b"v", b"v"]
        await store.write(Writes(jobs=(b"alone",)), now=NOW, op="2")
        assert [job.payload for job in await claim(store)] == [b"alone"]

    async def test_jobs_are_queued_by_who_takes_the_record(self, processes: list[Store]) -> None:
        await processes[0].write(Writes((Put("k", b"v", NOW + 9),)), now=NOW, op="1")
        then = Writes((Put("n", b"v", NOW + 9),), jobs=(b"j",))
        wins = await asyncio.gather(
            *(store.take("k", then, now=NOW, op=f"t{n}") for n, store in enumerate(processes))
        )
        assert sum(wins) == 1
        assert [job.payload for job in await claim(processes[0])] == [b"j"]

    async def test_a_call_that_comes_twice_queues_once(self, store: Store) -> None:
        await store.write(Writes((Put("k", b"v", NOW + 9),)), now=NOW, op="0")
        then = Writes((Put("n", b"v", NOW + 9),), jobs=(b"w",))
        for _ in range(2):
            await store.write(then, now=NOW, op="1")
            assert await store.take("k", Writes(jobs=(b"t",)), now=NOW, op="2")
        assert sorted(job.payload for job in await claim(store)) == [b"t", b"w"]

    async def test_the_first_answer_comes_again_also_once_the_queue_is_full(
        self, store: Store
    ) -> None:
        await store.write(Writes((Put("k", b"v", NOW + 9),)), now=NOW, op="0")
        then = Writes((Put("n", b"v", NOW + 9),), jobs=(b"j",))
        await store.write(then, now=NOW, op="1")
        assert await store.take("k", then, now=NOW, op="2")
        await store.write(Writes(jobs=(b"j",) * 98), now=NOW, op="3")
        await store.write(then, now=NOW, op="1")
        assert await store.take("k", then, now=NOW, op="2")

    async def test_where_the_queue_has_no_room_for_all_nothing_is_done(self, store: Store) -> None:
        puts = (Put("k", b"v", NOW + 9), Put("{a}k", b"v", NOW + 9))
        await store.write(Writes(puts, jobs=(b"j",) * 99), now=NOW, op="0")
        two = Writes((Put("n", b"v", NOW + 9),), (Drop("{a}k"),), jobs=(b"x", b"y"))
        with pytest.raises(QueueFull):
            await store.write(two, now=NOW, op="1")
        with pytest.raises(QueueFull):
            await store.take("k", two, now=NOW, op="2")
        assert not await store.take("absent", two, now=NOW, op="3")
        for key, value in (("k", b"v"), ("{a}k", b"v"), ("n", None)):
            assert await store.read(key, now=NOW) == value
        # What was refused has not happened, and may be asked again.
        await store.jobs.complete((await claim(store, limit=1))[0])
        assert await store.take("k", two, now=NOW, op="2")
        assert len(await claim(store, limit=200)) == 100

    async def test_a_waiting_worker_wakes(self, store: Store) -> None:
        waiting = asyncio.create_task(store.jobs.wait(timeout=50))
        await asyncio.sleep(0)
        await store.write(Writes(jobs=(b"a",)), now=NOW, op="1")
        async with asyncio.timeout(30):  # of 50; a busy machine may take a while
            await waiting


class TestWait:
    async def test_ends_after_its_time(self, store: Store) -> None:
        begun = time.monotonic()
        await store.jobs.wait(timeout=0.05)
        assert time.monotonic() - begun < 30

    async def test_does_not_sleep_over_a_job_that_is_there(self, store: Store) -> None:
        assert await claim(store) == []
        await queue(store, b"a")
        async with asyncio.timeout(30):  # of 50; a busy machine may take a while
            await store.jobs.wait(timeout=50)

    async def test_ends_when_a_job_comes(self, store: Store) -> None:
        waiting = asyncio.create_task(store.jobs.wait(timeout=50))
        await asyncio.sleep(0)
        await queue(store, b"a")
        async with asyncio.timeout(30):  # of 50; a busy machine may take a while
            await waiting

    async def test_sees_a_job_of_another_process_within_a_second(
        self, processes: list[Store]
    ) -> None:
        async def work() -> list[Job]:
            while not (jobs := await claim(processes[0])):
                await processes[0].jobs.wait(timeout=50)
            return jobs

        worker = asyncio.create_task(work())
        await asyncio.sleep(0)
        await queue(processes[1], b"a")
        async with asyncio.timeout(30):  # a second is promised; the machine may be busy
            assert [job.payload for job in await worker] == [b"a"]

    async def test_more_than_was_asked_for_is_not_slept_over(self, store: Store) -> None:
        await queue(store, b"a", b"b")
        await claim(store, limit=1)
        async with asyncio.timeout(30):  # of 50; a busy machine may take a while
            await store.jobs.wait(timeout=50)
