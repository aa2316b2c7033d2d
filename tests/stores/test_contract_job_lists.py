"""What people see of the delivery queue and do in it, on every store."""

from __future__ import annotations

import asyncio

import pytest

from pwless_middleware.core.storage.job import CLAIM_SECONDS, Job, JobCount, JobState, ListedJob
from pwless_middleware.stores.base import Store, Writes

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
STATES: tuple[JobState, ...] = ("waiting", "dead")


async def queue(store: Store, *payloads: bytes, now: int = NOW) -> None:
    await store.write(Writes(jobs=payloads), now=now, op=f"{now}{payloads!r}")


async def claim(store: Store, limit: int = 99, now: int = NOW) -> list[Job]:
    return list(await store.jobs.claim(now=now, limit=limit))


async def listed(store: Store, state: JobState, now: int = NOW, size: int = 2) -> list[ListedJob]:
    """Everything, page by page."""
    found: list[ListedJob] = []
    while page := await store.jobs.list(
        state, now=now, after=found[-1].place if found else "", limit=size
    ):
        assert len(page) <= size
        found += page
    return found


def payloads(found: list[ListedJob]) -> list[bytes]:
    return [each.job.payload for each in found]


async def fill(store: Store) -> None:
    """Two that wait, two to be tried again later, two dead, one claimed."""
    await queue(store, b"dead1", b"dead2", b"later1", b"later2:\n/", b"claimed", b"new1", b"new2")
    jobs = await claim(store, 5)
    for job in jobs[:2]:
        await store.jobs.bury(job, reason=f"550: {job.payload.decode()}", at=NOW + 3)
    for number, job in enumerate(jobs[2:4]):
        await store.jobs.retry(job, at=NOW + 60 + number, reason="451: ä later")


class TestCount:
    async def test_of_nothing(self, store: Store) -> None:
        assert await store.jobs.count(now=NOW) == JobCount(0, 0, 0, None)
        assert await listed(store, "waiting") == await listed(store, "dead") == []

    async def test_of_all_kinds(self, store: Store) -> None:
        await fill(store)
        await queue(store, b"old", now=NOW - 90)
        assert await store.jobs.count(now=NOW) == JobCount(6, 3, 2, NOW - 90)

    async def test_of_what_was_put_back_is_due_in_time_and_as_old_as_before(
        self, store: Store
    ) -> None:
        await queue(store, b"a")
        for at in (NOW, NOW + 10):
            (job,) = await claim(store, now=at)
            await store.jobs.retry(job, at=at + 10)
            assert await store.jobs.count(now=at + 9) == JobCount(1, 0, 0, NOW)
            assert await store.jobs.count(now=at + 10) == JobCount(1, 1, 0, NOW)
        (job,) = await claim(store, now=NOW + 20)
        assert job.queued_at == NOW
        await store.jobs.complete(job)
        assert await store.jobs.count(now=NOW) == JobCount(0, 0, 0, None)


class TestList:
    async def test_tells_all_that_is_known(self, store: Store) -> None:
        await fill(store)
        waiting = {each.job.payload: each for each in await listed(store, "waiting")}
        assert sorted(waiting) == [b"claimed", b"later1", b"later2:\n/", b"new1", b"new2"]
        assert [name for name, each in waiting.items() if each.is_claimed] == [b"claimed"]
        later = waiting[b"later2:\n/"]
        assert (later.at, later.job.tries, later.job.reason) == (NOW + 61, 1, "451: ä later")
        assert (waiting[b"new1"].at, waiting[b"new1"].job.reason) == (NOW, "")
        dead = await listed(store, "dead", size=1)
        assert payloads(dead) == [b"dead2", b"dead1"]
        assert [each.job.reason for each in dead] == ["550: dead2", "550: dead1"]
        assert [each.at for each in dead] == [NOW + 3] * 2
        assert [each.job.queued_at for each in [*waiting.values(), *dead]] == [NOW] * 7

    async def test_the_last_reason_comes_back_with_the_job(self, store: Store) -> None:
        await queue(store, b"a")
        await store.jobs.retry((await claim(store))[0], at=NOW + 1, reason="451 4.7.1: later/soon")
        (job,) = await claim(store, now=NOW + 1)
        assert job.reason == "451 4.7.1: later/soon"

    async def test_goes_on_behind_a_place_that_is_gone(self, store: Store) -> None:
        await queue(store, *(b"%d" % n for n in range(7)))
        page = await store.jobs.list("waiting", now=NOW, limit=3)
        await store.jobs.drop([page[-1].job.id])
        rest = await store.jobs.list("waiting", now=NOW, after=page[-1].place, limit=9)
        assert payloads([*page, *rest]) == [b"%d" % n for n in range(7)]

    async def test_many_of_one_second_come_once_each(self, store: Store) -> None:
        names = [b"%02d" % n for n in range(25)]
        await queue(store, *names)
        for job in await claim(store):
            await store.jobs.retry(job, at=NOW + 5)
        assert sorted(payloads(await listed(store, "waiting", size=3))) == names

    async def test_a_lapsed_claim_is_none(self, store: Store) -> None:
        await queue(store, b"a")
        await claim(store)
        (before,) = await listed(store, "waiting")
        assert before.is_claimed
        if type(store).__name__ == "RedisStore":
            return  # there a worker that lives holds on, until it gives up its claim itself
        (after,) = await listed(store, "waiting", now=NOW + CLAIM_SECONDS)
        assert not after.is_claimed
        assert (await store.jobs.count(now=NOW + CLAIM_SECONDS)).due == 1

    async def test_a_place_that_is_none_is_refused(self, store: Store) -> None:
        for place in ("x", "-1", "1.5", "s", "d1/2", "b/1-1", "9" * 40, "' OR 1=1", "1\n", "²"):
            for state in STATES:
                with pytest.raises(ValueError, match=r"^no "):
                    await store.jobs.list(state, now=NOW, after=place, limit=1)


class TestRevive:
    async def test_what_is_dead_or_later_is_tried_at_once_behind_what_is_new(
        self, store: Store
    ) -> None:
        await fill(store)
        every = [each.job.id for state in STATES for each in await listed(store, state)]
        assert await store.jobs.revive(every, now=NOW) == 4
        assert await store.jobs.revive(every, now=NOW) == 0
        assert await store.jobs.count(now=NOW) == JobCount(7, 6, 0, NOW)
        jobs = await claim(store)
        names = [job.payload for job in jobs]
        assert names[:2] == [b"new1", b"new2"]
        assert sorted(names[2:]) == [b"dead1", b"dead2", b"later1", b"later2:\n/"]
        assert {job.tries for job in jobs} == {0}
        assert {job.queued_at for job in jobs} == {NOW}

    async def test_which_may_die_again(self, store: Store) -> None:
        await queue(store, b"a")
        for number in range(2):
            (job,) = await claim(store)
            await store.jobs.bury(job, reason=f"no {number}", at=NOW)
            (dead,) = await listed(store, "dead")
            assert dead.job.reason == f"no {number}"
            assert await store.jobs.revive([dead.job.id], now=NOW) == 1

    async def test_wakes_a_worker(self, store: Store) -> None:
        await queue(store, b"a")
        await store.jobs.bury((await claim(store))[0], reason="no", at=NOW)
        waiting = asyncio.create_task(store.jobs.wait(timeout=50))
        await asyncio.sleep(0)
        (dead,) = await listed(store, "dead")
        await store.jobs.revive([dead.job.id], now=NOW)
        async with asyncio.timeout(30):
            await waiting

    async def test_of_many_who_revive_one_job_one_does(self, processes: list[Store]) -> None:
        await fill(processes[0])
        ids = [each.job.id for each in await listed(processes[0], "dead")]
        done = await asyncio.gather(*(each.jobs.revive(ids, now=NOW) for each in processes * 3))
        assert sum(done) == 2
        names = [job.payload for job in await claim(processes[0], now=NOW + 99)]
        assert sorted(names) == sorted({*names})

    async def test_goes_beyond_the_bound_of_the_queue(self, store: Store) -> None:
        """Nobody's mail is lost for there being no room, and a thousand are not many."""
        await fill(store)
        await queue(store, *(b"%d" % n for n in range(95)))
        ids = [each.job.id for each in await listed(store, "dead")]
        assert await store.jobs.revive(ids, now=NOW) == 2
        assert (await store.jobs.count(now=NOW)).waiting == 102


class TestDrop:
    async def test_whatever_state_it_is_in(self, store: Store) -> None:
        await fill(store)
        every = [*await listed(store, "waiting"), *await listed(store, "dead")]
        gone = [each.job.id for each in every if b"2" in each.job.payload]
        gone += [each.job.id for each in every if each.is_claimed]
        assert await store.jobs.drop(gone) == 4
        assert await store.jobs.drop(gone) == 0
        assert await store.jobs.count(now=NOW) == JobCount(2, 1, 1, NOW)
        assert payloads(await listed(store, "dead")) == [b"dead1"]
        assert [job.payload for job in await claim(store, now=NOW + 999)] == [b"new1", b"later1"]

    async def test_of_one_that_is_under_way_nothing_comes_back(self, store: Store) -> None:
        await queue(store, b"a", b"b", b"c")
        jobs = await claim(store)
        assert await store.jobs.drop([job.id for job in jobs]) == 3
        await store.jobs.complete(jobs[0])
        await store.jobs.retry(jobs[1], at=NOW)
        await store.jobs.bury(jobs[2], reason="no", at=NOW)
        assert await store.jobs.count(now=NOW + 999) == JobCount(0, 0, 0, None)
        assert await claim(store, now=NOW + 999) == []

    async def test_makes_room(self, store: Store) -> None:
        await queue(store, *[b"j"] * 100)
        ids = [each.job.id for each in await listed(store, "waiting", size=100)]
        await store.jobs.drop(ids[:3])
        await queue(store, b"x", b"y", b"z")
        assert (await store.jobs.count(now=NOW)).waiting == 100

    async def test_an_id_that_is_none_changes_nothing(self, store: Store) -> None:
        await fill(store)
        before = await store.jobs.count(now=NOW)
        ids = ["", "x", "0", "d0", "999999", "d999999", "1-1", "-1", "'", "9" * 40, "\0", "ü"]
        assert await store.jobs.revive(ids, now=NOW) == 0
        assert await store.jobs.drop(ids) == 0
        assert await store.jobs.revive([], now=NOW) == await store.jobs.drop([]) == 0
        assert await store.jobs.count(now=NOW) == before
