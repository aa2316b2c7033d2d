"""The verbs as script calls: one on a single Redis, one for each hash slot on a Redis Cluster.

On a cluster attempts are counted before anything is read: the budgets of other slots come first
(side by side), then the slot of the record, then the queue. What was counted first stays
counted if a later part refuses, and a take comes before what it writes elsewhere: closed, never
open. Each part remembers the operation in its own slot, so the whole may be repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from pwless_middleware.core.challenges.budget import Draw, Refund
from pwless_middleware.errors import QueueFull
from pwless_middleware.stores.base import Admission, Attempt, Drop, Put, Writes
from pwless_middleware.stores.redis.job_lists import DELAYED, STREAM
from pwless_middleware.stores.redis.plans import Plan, by_slot, slots_of, unless_expired
from pwless_middleware.stores.redis.scripts import ADMIT, ATTEMPT, PING, READ_LIST, SWAP, WRITE
from pwless_middleware.stores.redis.server import RedisServer

T = TypeVar("T")

_OK, _REFUSED, _CONFLICT, _QUEUE_FULL = 0, 1, 2, 3
"""What `lua/admit.lua` and `lua/attempt.lua` answer first; `lua/write.lua` has the last one too."""


class RedisVerbs:
    """Ask the verbs of the store contract, without a deadline.

    Args:
        server: whom to ask.
        prefix: what every key begins with, its colon included.
        channel: where drops are published.
        max_jobs: the queue's bound.
    """

    def __init__(self, server: RedisServer, prefix: str, channel: str, max_jobs: int) -> None:
        self._server = server
        self._prefix = prefix
        self._channel = channel
        self._max_jobs = max_jobs

    def _plan(self, now: int) -> Plan:
        return Plan(self._prefix, now)

    def _slot(self, key: str) -> Hashable:
        return self._server.slot_of(self._prefix + key)

    async def ping(self) -> None:
        """Write a key and publish an empty message, to see that the server takes both."""
        plan = self._plan(0).set(channel=self._channel)
        plan.key("ping")
        await self._server.run(PING, plan)

    async def read(self, key: str, now: int) -> bytes | None:
        """Read a record."""
        return unless_expired(await self._server.command("GET", self._prefix + key), now)

    async def read_list(self, listed: str, now: int) -> Sequence[tuple[str, bytes]]:
        """Read a list: in one script, or on a cluster the list and then its records."""
        if not self._server.is_cluster:
            plan = self._plan(now).set(prefix=self._prefix)
            plan.key(listed)
            found = iter(await self._server.run(READ_LIST, plan))
            return [(key.decode(), value) for key, value in zip(found, found, strict=True)]
        members = await self._server.command("ZRANGE", self._prefix + listed, 0, -1)
        keys = [member.decode() for member in members]
        records = await _all(self._server.command("GET", self._prefix + key) for key in keys)
        gone = [key for key, record in zip(keys, records, strict=True) if record is None]
        if gone:
            await self._server.command("ZREM", self._prefix + listed, *gone)
        values = [(key, unless_expired(r, now)) for key, r in zip(keys, records, strict=True)]
        return [(key, value) for key, value in values if value is not None]

    async def admit(
        self,
        draws: Sequence[Draw],
        put: Put,
        job: bytes | None,
        replaces: bytes | None,
        now: int,
        op: str,
    ) -> Admission:
        """Count, write and queue."""
        groups = by_slot(draws, self._slot)
        home = self._slot(put.key)
        here = groups.pop(home, [])

        foreign = [
            self._admit_part(self._counting("a", part, now, op), numbers)
            for numbers, part in _parts(groups, draws)
        ]
        answers = await _all(foreign)
        refused = _find_refusal(answers)
        if refused:
            return refused

        plan = self._plan(now).draws(draws[n] for n in here).put(put, replaces)
        if put.listed is not None and self._slot(put.listed) == home:
            plan.add(put)
        queue_is_here = job is not None and self._slot(STREAM) == home
        if job is not None and queue_is_here:
            plan.jobs(STREAM, DELAYED, (job,), self._max_jobs)
        if replaces is not None:
            plan.op("a", put.key, op)
        answer = await self._admit_part(plan, here)
        if not answer.ok:
            return answer

        if put.listed is not None and self._slot(put.listed) != home:
            await self._write_part(Writes(puts=(put,)), self._slot(put.listed), put.listed, now, op)
        if job is not None and not queue_is_here:
            queue = self._plan(now).jobs(STREAM, DELAYED, (job,), self._max_jobs)
            queue.op("a", STREAM, op)
            try:
                await self._admit_part(queue, [])
            except QueueFull:
                await self._undo(draws, put, replaces, now, op)
                raise
        return Admission(ok=True, wait=max((a.wait for a in (*answers, answer)), default=0))

    def _counting(
        self, verb: str, draws: Sequence[Draw], now: int, op: str, *, near: str = ""
    ) -> Plan:
        """Plan these draws; the operation is remembered where anything is entered."""
        plan = self._plan(now).draws(draws)
        if any(draw.enters for draw in draws):
            plan.op(verb, near or draws[0].key, op)
        return plan

    async def _admit_part(self, plan: Plan, numbers: Sequence[int]) -> Admission:
        status, by, wait = await self._server.run(ADMIT, plan)
        if status == _OK:
            return Admission(ok=True, wait=wait)
        if status == _REFUSED:
            return Admission(ok=False, refused_by=numbers[by], wait=wait)
        if status == _CONFLICT:
            return Admission(ok=False, conflict=True)
        raise QueueFull

    async def _undo(
        self, draws: Sequence[Draw], put: Put, replaces: bytes | None, now: int, op: str
    ) -> None:
        """Take back what a cluster's other slots were given before the queue was found full."""
        refunds = Refund.of_all(draws, now)
        if replaces is None:
            writes = Writes(drops=(Drop(put.key, listed=put.listed),), refunds=refunds)
        else:
            old = Put(put.key, replaces, put.until, put.listed)
            writes = Writes(puts=(old,), refunds=refunds)
        await self.write(writes, now, op)

    async def attempt(self, draws: Sequence[Draw], key: str, now: int, op: str) -> Attempt:
        """Count and read."""
        groups = by_slot(draws, self._slot)
        here = groups.pop(self._slot(key), [])
        answers: list[Attempt] = await _all(
            self._attempt_part(self._counting("t", part, now, op), numbers)
            for numbers, part in _parts(groups, draws)
        )
        refused = max((a for a in answers if a.refused_by is not None), key=_wait, default=None)
        if refused:
            return refused
        plan = self._counting("t", [draws[n] for n in here], now, op, near=key)
        answer = await self._attempt_part(plan.set(record=plan.key(key)), here)
        if answer.value is not None and 0 not in here and draws:
            first = next(n for n, (numbers, _) in enumerate(_parts(groups, draws)) if 0 in numbers)
            return Attempt(value=answer.value, left=answers[first].left)
        return answer

    async def _attempt_part(self, plan: Plan, numbers: Sequence[int]) -> Attempt:
        status, by, wait, left, value = await self._server.run(ATTEMPT, plan)
        if status == _OK:
            return Attempt(value=value, left=left)
        if status == _REFUSED:
            return Attempt(value=None, refused_by=numbers[by], wait=wait)
        return Attempt(value=None)

    async def take(self, key: str, then: Writes, now: int, op: str) -> bool:
        """Remove a record and, if that was won, write; first what lies in the record's own slot."""
        home = self._slot(key)
        slots = self._slots(then)
        slots.pop(home, None)
        is_full = bool(slots) and await self._is_queue_full(then)
        if not await self._write_part(then, home, key, now, op, take=key, is_full=is_full):
            return False
        await _all(self._write_part(then, slot, near, now, op) for slot, near in slots.items())
        return True

    async def write(self, writes: Writes, now: int, op: str) -> None:
        """Do these writes; on a cluster every slot by itself, side by side."""
        slots = self._slots(writes)
        is_full = len(slots) > 1 and await self._is_queue_full(writes)
        await _all(
            self._write_part(writes, slot, near, now, op, is_full=is_full)
            for slot, near in slots.items()
        )

    def _slots(self, writes: Writes) -> dict[Hashable, str]:
        slots = slots_of(writes, self._slot)
        if writes.jobs:
            slots.setdefault(self._slot(STREAM), STREAM)
        return slots

    async def _is_queue_full(self, writes: Writes) -> bool:
        """Whether these jobs find no room; asked on a cluster before what lies in other slots."""
        if not writes.jobs:
            return False
        waiting = await _all(
            self._server.command(command, self._prefix + key)
            for command, key in (("XLEN", STREAM), ("ZCARD", DELAYED))
        )
        return int(sum(waiting)) + len(writes.jobs) > self._max_jobs

    async def _write_part(
        self,
        writes: Writes,
        slot: Hashable,
        near: str,
        now: int,
        op: str,
        *,
        take: str | None = None,
        is_full: bool = False,
    ) -> bool:
        plan = self._plan(now).op("w" if take is None else "k", near, op)
        if take is not None:
            plan.set(take=plan.key(take))
        plan.writes(writes, self._channel, slot=slot, slot_of=self._slot)
        if writes.jobs and self._slot(STREAM) == slot:
            plan.jobs(STREAM, DELAYED, writes.jobs, self._max_jobs)
        if is_full:
            plan.set(full=True)
        status = await self._server.run(WRITE, plan)
        if status == _QUEUE_FULL:
            raise QueueFull
        return bool(status)

    async def swap(self, put: Put, replaces: bytes, now: int) -> bool:
        """Write a record if exactly `replaces` stands there, or `put` does already."""
        plan = self._plan(now).put(put, replaces)
        listed_here = put.listed is not None and self._slot(put.listed) == self._slot(put.key)
        if listed_here:
            plan.add(put)
        swapped = bool(await self._server.run(SWAP, plan))
        if swapped and put.listed is not None and not listed_here:
            # Entering the list again is harmless, so the record's own state is operation id enough.
            op = f"{put.key}:{put.until}"
            await self._write_part(Writes(puts=(put,)), self._slot(put.listed), put.listed, now, op)
        return swapped


def _parts(
    groups: dict[Hashable, list[int]], draws: Sequence[Draw]
) -> list[tuple[list[int], list[Draw]]]:
    return [(numbers, [draws[n] for n in numbers]) for numbers in groups.values()]


def _wait(answer: Admission | Attempt) -> int:
    return answer.wait


def _find_refusal(answers: Sequence[Admission]) -> Admission | None:
    return max((a for a in answers if not a.ok), key=_wait, default=None)


async def _all(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Do these side by side and wait for all of them, also if one fails; then raise its fault."""
    works = list(works)
    if len(works) == 1:  # no task for the usual case
        return [await works[0]]
    done: list[T] = []
    for each in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(each, BaseException):
            raise each
        done.append(each)
    return done
