"""The store contract: every verb, on every store, for a record that is absent, present, expired,
and asked for by many at once. What a test says here, the flows rely on."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from pwless_middleware.core.challenges.budget import NEVER, Draw, Limit, Refund
from pwless_middleware.errors import QueueFull
from pwless_middleware.stores.base import Admission, Attempt, Drop, Put, Store, Writes

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
KEY = "{a}:c:1"
_ops = itertools.count()


def op() -> str:
    return f"op{next(_ops)}"


def put(
    key: str = KEY, value: bytes = b"v", until: int = NOW + 300, listed: str | None = None
) -> Put:
    return Put(key, value, until, listed)


def draw(
    count: int = 5, window: int = 60, key: str = "{a}:l", tag: int = 0, quantum: int = 1
) -> Draw:
    return Draw(key, (Limit(count, window),), tag, quantum)


async def admit(store: Store, *draws: Draw, record: Put | None = None, now: int = NOW) -> Admission:
    return await store.admit(
        draws, record or put(f"k{next(_ops)}"), job=None, replaces=None, now=now, op=op()
    )


class TestRead:
    async def test_absent_is_none(self, store: Store) -> None:
        assert await store.read(KEY, now=NOW) is None

    async def test_any_bytes_come_back(self, store: Store) -> None:
        value = bytes(range(256)) + b"\r\n$-1\r\n"
        await store.write(Writes(puts=(put(value=value),)), now=NOW, op=op())
        assert await store.read(KEY, now=NOW) == value

    async def test_an_empty_value_is_a_record(self, store: Store) -> None:
        await store.write(Writes(puts=(put(value=b""),)), now=NOW, op=op())
        assert await store.read(KEY, now=NOW) == b""

    async def test_a_record_is_absent_from_its_until_on(self, store: Store) -> None:
        await store.write(Writes(puts=(put(until=NOW + 9),)), now=NOW, op=op())
        assert await store.read(KEY, now=NOW + 8) == b"v"
        assert await store.read(KEY, now=NOW + 9) is None

    async def test_a_record_that_has_ended_already_removes_the_old_one(self, store: Store) -> None:
        await store.write(Writes(puts=(put(),)), now=NOW, op=op())
        await store.write(Writes(puts=(put(value=b"w", until=NOW),)), now=NOW, op=op())
        assert await store.read(KEY, now=NOW) is None


class TestAdmit:
    async def test_writes_and_counts(self, store: Store) -> None:
        answer = await admit(store, draw(2), record=put())
        assert answer == Admission(ok=True)
        assert await store.read(KEY, now=NOW) == b"v"
        assert await admit(store, draw(2)) == Admission(ok=True, wait=60)

    async def test_a_refusal_names_the_draw_that_waits_longest_and_changes_nothing(
        self, store: Store
    ) -> None:
        draws = draw(9, key="{a}:1"), draw(1, 60, key="{a}:2"), draw(1, 90, key="{a}:3")
        assert (await admit(store, *draws)).ok
        answer = await admit(store, *draws, record=put(), now=NOW + 10)
        assert answer == Admission(ok=False, refused_by=2, wait=80)
        assert await store.read(KEY, now=NOW) is None
        assert (await admit(store, draw(9, key="{a}:1"))).ok
        left = [await store.attempt([d], "{a}none", now=NOW, op=op()) for d in draws]
        assert left == [Attempt(None)] * 3

    async def test_what_was_refused_is_counted_nowhere(self, store: Store) -> None:
        assert (await admit(store, draw(1, key="{a}:full"))).ok
        for _ in range(5):
            answer = await admit(store, draw(2, key="{a}:free"), draw(1, key="{a}:full"))
            assert answer.refused_by == 1
        assert (await admit(store, draw(2, key="{a}:free"))).ok
        assert (await admit(store, draw(2, key="{a}:free"))).ok
        assert not (await admit(store, draw(2, key="{a}:free"))).ok

    async def test_a_limit_of_none_admits_none(self, store: Store) -> None:
        assert await admit(store, draw(0)) == Admission(ok=False, refused_by=0, wait=60)

    async def test_without_draws_it_writes(self, store: Store) -> None:
        assert await admit(store, record=put()) == Admission(ok=True)

    async def test_a_key_that_is_taken_is_a_conflict(self, store: Store) -> None:
        assert (await admit(store, draw(1), record=put())).ok
        answer = await admit(store, draw(9), record=put(value=b"w"))
        assert answer == Admission(ok=False, conflict=True)
        assert await store.read(KEY, now=NOW) == b"v"

    async def test_an_expired_record_is_no_conflict(self, store: Store) -> None:
        assert (await admit(store, record=put(until=NOW + 5))).ok
        assert (await admit(store, record=put(value=b"w"), now=NOW + 5)).ok
        assert await store.read(KEY, now=NOW + 5) == b"w"

    async def test_replaces_only_what_it_names(self, store: Store) -> None:
        async def replace(old: bytes, new: bytes) -> Admission:
            return await store.admit(
                [draw(2)], put(value=new), job=None, replaces=old, now=NOW, op=op()
            )

        assert (await replace(b"v", b"w")).conflict
        await admit(store, record=put())
        assert (await replace(b"x", b"w")).conflict
        assert (await replace(b"v", b"w")).ok
        assert (await replace(b"v", b"x")).conflict
        assert await store.read(KEY, now=NOW) == b"w"
        assert (await replace(b"w", b"v")).ok
        assert (await replace(b"v", b"w")).refused_by == 0

    async def test_a_repeated_call_counts_once_and_gets_the_same_answer(self, store: Store) -> None:
        for replaces, value in ((None, b"v"), (b"v", b"w")):
            name = op()
            answers = [
                await store.admit(
                    [draw(2)], put(value=value), job=b"j", replaces=replaces, now=NOW, op=name
                )
                for _ in range(3)
            ]
            assert answers[0].ok
            assert answers == [answers[0]] * 3
        assert not (await admit(store, draw(2))).ok
        assert len(await store.jobs.claim(now=NOW, limit=9)) == 2

    async def test_of_many_at_once_exactly_the_limit_is_admitted(
        self, processes: list[Store]
    ) -> None:
        answers = await asyncio.gather(
            *(admit(store, draw(7)) for store, _ in zip(processes * 15, range(60), strict=True))
        )
        assert sum(answer.ok for answer in answers) == 7

    async def test_of_many_at_once_one_replaces(self, processes: list[Store]) -> None:
        await admit(processes[0], record=put())
        answers = await asyncio.gather(
            *(
                store.admit(
                    [draw(99)], put(value=b"%d" % n), job=None, replaces=b"v", now=NOW, op=op()
                )
                for n, store in enumerate(processes * 13)
            )
        )
        assert sum(answer.ok for answer in answers) == 1
        assert all(answer.conflict for answer in answers if not answer.ok)


class TestAttempt:
    async def test_absent_counts_nothing(self, store: Store) -> None:
        for _ in range(3):
            assert await store.attempt([draw(1)], KEY, now=NOW, op=op()) == Attempt(None)
        assert (await admit(store, draw(1))).ok

    async def test_expired_counts_nothing(self, store: Store) -> None:
        await admit(store, record=put(until=NOW + 5))
        assert await store.attempt([draw(1)], KEY, now=NOW + 5, op=op()) == Attempt(None)
        assert (await admit(store, draw(1))).ok

    async def test_reads_and_counts_down(self, store: Store) -> None:
        await admit(store, record=put())
        answers = [await store.attempt([draw(2)], KEY, now=NOW, op=op()) for _ in range(3)]
        assert answers == [
            Attempt(b"v", left=1),
            Attempt(b"v", left=0),
            Attempt(None, refused_by=0, wait=60),
        ]

    async def test_left_is_of_the_first_draw(self, store: Store) -> None:
        await admit(store, record=put())
        draws = draw(5, key="{a}:1"), draw(1, key="{a}:2")
        assert (await store.attempt(draws, KEY, now=NOW, op=op())).left == 4
        answer = await store.attempt(draws, KEY, now=NOW + 20, op=op())
        assert answer == Attempt(None, refused_by=1, wait=40)

    async def test_without_draws_it_reads(self, store: Store) -> None:
        await admit(store, record=put())
        assert await store.attempt([], KEY, now=NOW, op=op()) == Attempt(b"v")

    async def test_a_repeated_call_costs_one_try(self, store: Store) -> None:
        await admit(store, record=put())
        name = op()
        answers = [await store.attempt([draw(2)], KEY, now=NOW, op=name) for _ in range(4)]
        assert answers == [Attempt(b"v", left=1)] * 4
        assert (await store.attempt([draw(2)], KEY, now=NOW, op=op())).left == 0

    async def test_of_many_at_once_exactly_the_limit_may_read(self, processes: list[Store]) -> None:
        await admit(processes[0], record=put())
        answers = await asyncio.gather(
            *(store.attempt([draw(5)], KEY, now=NOW, op=op()) for store in processes * 15)
        )
        assert sum(answer.value == b"v" for answer in answers) == 5


class TestBudgets:
    async def test_the_window_slides(self, store: Store) -> None:
        for at in (0, 30):
            assert (await admit(store, draw(2), now=NOW + at)).ok
        assert await admit(store, draw(2), now=NOW + 59) == Admission(False, 0, 1)
        assert (await admit(store, draw(2), now=NOW + 60)).ok
        assert await admit(store, draw(2), now=NOW + 61) == Admission(False, 0, 29)

    async def test_one_tag_may_be_limited_alone(self, store: Store) -> None:
        def by(tag: int) -> Draw:
            return Draw("{a}:l", (Limit(4, 60), Limit(2, 600, mask=0xFFFFFFFF)), tag)

        assert [(await admit(store, by(2**32 - 1))).ok for _ in range(3)] == [True, True, False]
        assert [(await admit(store, by(1))).ok for _ in range(3)] == [True, True, False]
        assert (await admit(store, by(2))).refused_by == 0

    async def test_a_quantum_rounds_down_and_merges(self, store: Store) -> None:
        for at in range(5):
            assert (await admit(store, draw(5, 60, quantum=10), now=NOW + at)).ok
        answer = await admit(store, draw(5, 60, quantum=10), now=NOW + 9)
        assert answer == Admission(False, 0, 51)

    async def test_some_bits_of_a_tag_may_be_limited_together(self, store: Store) -> None:
        def by(tag: int) -> Draw:
            return Draw("{a}:l", (Limit(9, 60), Limit(2, 600, mask=0xFFF00000)), tag)

        first, second = (0xFFF00001, 0xFFF00002, 0xFFF00003), (0, 1, 0xFFFFF)
        assert [(await admit(store, by(tag))).ok for tag in first] == [True, True, False]
        assert [(await admit(store, by(tag))).ok for tag in second] == [True, True, False]

    async def test_a_draw_that_only_looks_refuses_and_enters_nothing(self, store: Store) -> None:
        look = Draw("{a}:l", (Limit(1, 60),), enters=False)
        for _ in range(3):
            assert await admit(store, look, draw(9, key="{a}:m")) == Admission(ok=True)
        await store.write(Writes(puts=(put(),)), now=NOW, op=op())
        assert (await store.attempt([look], KEY, now=NOW, op=op())).value == b"v"
        assert (await admit(store, draw(1))).ok
        assert await admit(store, look) == Admission(ok=False, refused_by=0, wait=60)
        answer = await store.attempt([look], KEY, now=NOW + 1, op=op())
        assert answer == Attempt(None, refused_by=0, wait=59)

    @pytest.mark.parametrize("key", ["{a}:mark", "elsewhere"])
    async def test_a_mark_refuses_what_is_not_later_than_it(self, store: Store, key: str) -> None:
        def since(at: int) -> list[Draw]:
            return [Draw.unless(key, since=at), draw(9, key="{a}:m")]

        await store.write(Writes(puts=(put(),)), now=NOW, op=op())
        assert await admit(store, *since(NOW)) == Admission(ok=True)
        mark = put(key, NOW.to_bytes(4, "big"), NOW + 60)
        await store.write(Writes(puts=(mark,)), now=NOW, op=op())
        assert await admit(store, *since(NOW + 1)) == Admission(ok=True)
        assert await admit(store, *since(NOW)) == Admission(False, 0, NEVER)
        tried = [await store.attempt(since(NOW + n), KEY, now=NOW, op=op()) for n in (-1, 0, 1)]
        assert [attempt.refused_by for attempt in tried] == [0, 0, None]
        assert await admit(store, *since(NOW), now=NOW + 60) == Admission(ok=True), "it has ended"

    async def test_a_clock_that_steps_back_waits_no_longer_than_the_window(
        self, store: Store
    ) -> None:
        assert (await admit(store, draw(1), now=NOW + 1000)).ok
        assert await admit(store, draw(1), now=NOW) == Admission(False, 0, 60)

    async def test_a_refund_undoes_exactly_one_event_of_its_own(self, store: Store) -> None:
        mine, other = draw(3, tag=1), draw(3, tag=2)
        for each in (mine, mine, other):
            assert (await admit(store, each)).ok
        for refund in (Refund("{a}:l", NOW, 3), Refund("{a}:l", NOW + 1, 1), Refund("x", NOW)):
            await store.write(Writes(refunds=(refund,)), now=NOW, op=op())
            assert not (await admit(store, mine)).ok
        await store.write(Writes(refunds=(Refund.of(mine, NOW),)), now=NOW, op=op())
        assert [(await admit(store, other)).ok for _ in range(2)] == [True, False]

    async def test_a_refund_of_the_only_event_empties_the_budget(self, store: Store) -> None:
        assert (await admit(store, draw(1))).ok
        await store.write(Writes(refunds=(Refund.of(draw(1), NOW),)), now=NOW, op=op())
        assert (await admit(store, draw(1))).ok

    async def test_a_repeated_refund_undoes_one(self, store: Store) -> None:
        for _ in range(2):
            assert (await admit(store, draw(2))).ok
        name = op()
        for _ in range(3):
            await store.write(Writes(refunds=(Refund.of(draw(2), NOW),)), now=NOW, op=name)
        assert [(await admit(store, draw(2))).ok for _ in range(2)] == [True, False]


class TestTake:
    async def test_absent_is_false_and_writes_nothing(self, store: Store) -> None:
        assert not await store.take(KEY, Writes(puts=(put("x"),)), now=NOW, op=op())
        assert await store.read("x", now=NOW) is None

    async def test_expired_is_absent(self, store: Store) -> None:
        await admit(store, record=put(until=NOW + 5))
        assert not await store.take(KEY, Writes(puts=(put("x"),)), now=NOW + 5, op=op())
        assert await store.read("x", now=NOW) is None

    async def test_present_is_removed_and_all_writes_are_done(self, store: Store) -> None:
        await admit(store, draw(1), record=put())
        await store.write(Writes(puts=(put("old"),)), now=NOW, op=op())
        then = Writes((put("x"), put("y")), (Drop("old"),), (Refund.of(draw(1), NOW),))
        assert await store.take(KEY, then, now=NOW, op=op())
        values = [await store.read(key, now=NOW) for key in (KEY, "old", "x", "y")]
        assert values == [None, None, b"v", b"v"]
        assert (await admit(store, draw(1))).ok

    async def test_a_repeated_call_stays_won_and_writes_once(self, store: Store) -> None:
        for _ in range(2):
            assert (await admit(store, draw(2))).ok
        await store.write(Writes(puts=(put(),)), now=NOW, op=op())
        name, then = op(), Writes(refunds=(Refund.of(draw(2), NOW),))
        assert [await store.take(KEY, then, now=NOW, op=name) for _ in range(3)] == [True] * 3
        assert not await store.take(KEY, then, now=NOW, op=op())
        assert [(await admit(store, draw(2))).ok for _ in range(2)] == [True, False]

    async def test_an_operation_of_another_verb_does_not_win(self, store: Store) -> None:
        name = op()
        await store.write(Writes(puts=(put(),)), now=NOW, op=name)
        assert (await store.attempt([], KEY, now=NOW, op=name)).value == b"v"
        assert not await store.take("none", Writes(), now=NOW, op=name)

    async def test_of_many_at_once_exactly_one_wins(self, processes: list[Store]) -> None:
        await admit(processes[0], record=put())
        wins = await asyncio.gather(
            *(
                store.take(KEY, Writes(puts=(put(f"s{n}"),)), now=NOW, op=op())
                for n, store in enumerate(processes * 15)
            )
        )
        assert sum(wins) == 1
        reads = [await processes[0].read(f"s{n}", now=NOW) for n in range(60)]
        assert [read is not None for read in reads] == wins

    async def test_taking_and_dropping_at_once_gives_it_to_one(
        self, processes: list[Store]
    ) -> None:
        await admit(processes[0], record=put())
        took, _ = await asyncio.gather(
            processes[0].take(KEY, Writes(puts=(put("s"),)), now=NOW, op=op()),
            processes[1].write(Writes(drops=(Drop(KEY),)), now=NOW, op=op()),
        )
        assert (await processes[2].read("s", now=NOW) is not None) == took


class TestWrite:
    async def test_a_put_replaces(self, store: Store) -> None:
        for value in (b"v", b"w"):
            await store.write(Writes(puts=(put(value=value),)), now=NOW, op=op())
        assert await store.read(KEY, now=NOW) == b"w"

    async def test_a_repeated_call_does_not_bring_back_what_was_dropped(self, store: Store) -> None:
        name = op()
        await store.write(Writes(puts=(put(),)), now=NOW, op=name)
        await store.write(Writes(drops=(Drop(KEY),)), now=NOW, op=op())
        await store.write(Writes(puts=(put(),)), now=NOW, op=name)
        assert await store.read(KEY, now=NOW) is None

    async def test_dropping_what_is_absent_is_nothing(self, store: Store) -> None:
        await store.write(Writes(drops=(Drop(KEY, listed="li", publish=True),)), now=NOW, op=op())
        assert await store.read(KEY, now=NOW) is None

    async def test_nothing_is_written_by_nothing(self, store: Store) -> None:
        await store.write(Writes(), now=NOW, op=op())


class TestSwap:
    async def test_absent_stays_absent(self, store: Store) -> None:
        assert not await store.swap(put(), replaces=b"", now=NOW)
        assert await store.read(KEY, now=NOW) is None

    async def test_expired_stays_absent(self, store: Store) -> None:
        await admit(store, record=put(until=NOW + 5))
        assert not await store.swap(put(value=b"w"), replaces=b"v", now=NOW + 5)
        assert await store.read(KEY, now=NOW + 5) is None

    async def test_swaps_what_it_names_and_nothing_else(self, store: Store) -> None:
        await admit(store, record=put())
        assert not await store.swap(put(value=b"w"), replaces=b"x", now=NOW)
        assert await store.read(KEY, now=NOW) == b"v"
        assert await store.swap(put(value=b"w", until=NOW + 600), replaces=b"v", now=NOW)
        assert await store.read(KEY, now=NOW + 500) == b"w"

    async def test_a_repeated_call_is_still_true(self, store: Store) -> None:
        await admit(store, record=put())
        for _ in range(2):
            assert await store.swap(put(value=b"w"), replaces=b"v", now=NOW)

    async def test_never_brings_back_what_is_dropped_at_once(self, processes: list[Store]) -> None:
        for _ in range(20):
            await processes[0].write(Writes(puts=(put(),)), now=NOW, op=op())
            await asyncio.gather(
                processes[1].swap(put(value=b"w"), replaces=b"v", now=NOW),
                processes[2].write(Writes(drops=(Drop(KEY),)), now=NOW, op=op()),
            )
            assert await processes[3].read(KEY, now=NOW) is None

    async def test_of_many_at_once_one_swaps(self, processes: list[Store]) -> None:
        await admit(processes[0], record=put())
        swaps = await asyncio.gather(
            *(
                store.swap(put(value=b"%d" % n), replaces=b"v", now=NOW)
                for n, store in enumerate(processes * 13)
            )
        )
        assert sum(swaps) == 1


class TestLists:
    async def test_absent_is_empty(self, store: Store) -> None:
        assert list(await store.read_list("li", now=NOW)) == []

    async def test_gives_what_lives(self, store: Store) -> None:
        records = [put(f"s{n}", b"%d" % n, NOW + 10 * n, "li") for n in range(1, 5)]
        await store.write(Writes(puts=tuple(records)), now=NOW, op=op())
        await store.write(Writes(drops=(Drop("s4", listed="li"),)), now=NOW, op=op())
        found = sorted(await store.read_list("li", now=NOW + 10))
        assert found == [("s2", b"2"), ("s3", b"3")]
        assert list(await store.read_list("li", now=NOW + 30)) == []

    async def test_what_was_taken_or_dropped_without_its_list_is_not_in_it(
        self, store: Store
    ) -> None:
        records = tuple(put(f"s{n}", listed="li") for n in range(3))
        await store.write(Writes(puts=records), now=NOW, op=op())
        await store.take("s0", Writes(), now=NOW, op=op())
        await store.write(Writes(drops=(Drop("s1"),)), now=NOW, op=op())
        assert list(await store.read_list("li", now=NOW)) == [("s2", b"v")]
        assert list(await store.read_list("li", now=NOW)) == [("s2", b"v")]

    async def test_a_reader_whose_clock_runs_ahead_unlists_nothing(self, store: Store) -> None:
        await store.write(Writes(puts=(put(listed="li"),)), now=NOW, op=op())
        assert list(await store.read_list("li", now=NOW + 9999)) == []
        assert list(await store.read_list("li", now=NOW)) == [(KEY, b"v")]

    async def test_swap_keeps_it_listed_for_its_new_time(self, store: Store) -> None:
        await store.write(Writes(puts=(put(until=NOW + 5, listed="li"),)), now=NOW, op=op())
        await store.swap(put(value=b"w", until=NOW + 500, listed="li"), replaces=b"v", now=NOW)
        assert list(await store.read_list("li", now=NOW + 400)) == [(KEY, b"w")]

    async def test_admit_and_take_list_what_they_put(self, store: Store) -> None:
        assert (await admit(store, record=put(listed="li"))).ok
        await store.take(KEY, Writes(puts=(put("s", listed="li"),)), now=NOW, op=op())
        assert list(await store.read_list("li", now=NOW)) == [("s", b"v")]

    async def test_many_at_once_are_all_listed(self, processes: list[Store]) -> None:
        await asyncio.gather(
            *(
                store.write(Writes(puts=(put(f"s{n}", listed="li"),)), now=NOW, op=op())
                for n, store in enumerate(processes * 13)
            )
        )
        assert len(await processes[0].read_list("li", now=NOW)) == 52


class TestLife:
    async def test_open_ping_and_close_may_come_again(self, store: Store) -> None:
        for _ in range(2):
            await store.open()
            await store.ping()
        await store.write(Writes(puts=(put(),)), now=NOW, op=op())
        for _ in range(2):
            await store.aclose()
        assert await store.read(KEY, now=NOW) == b"v"
        assert isinstance(store, Store)
        assert "v" not in repr(store).replace("evict", "")


class TestJobsOfAdmit:
    async def test_a_full_queue_counts_and_writes_nothing(self, store: Store) -> None:
        for n in range(100):
            await store.admit([], put(f"k{n}"), job=b"j", replaces=None, now=NOW, op=op())
        with pytest.raises(QueueFull):
            await store.admit([draw(1)], put(), job=b"j", replaces=None, now=NOW, op=op())
        assert await store.read(KEY, now=NOW) is None
        assert (await admit(store, draw(1), record=put())).ok
