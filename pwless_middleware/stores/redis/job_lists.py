"""The delivery queue over Redis, as people see it: counted, listed, tried again, dropped.

How each place keeps a job (all of them hold the payload as it is, and no secret):

    stream     fields p payload, t tries, q since when it waits, r why it was put back
    delayed    id/queued/reason:tries:payload, by the second from which it is due
    dead list  [id, payload, tries, reason, queued, at] in JSON, the newest first

Reasons are in base64 but for the last one, so that no colon of theirs ends a field. What an older
release has left lacks what is behind the tries, and its time is the one in its id.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.storage.job import Job, JobCount, JobState, ListedJob
from pwless_middleware.errors import StoreError
from pwless_middleware.stores.redis.plans import Plan
from pwless_middleware.stores.redis.scripts import COUNT, DROP, LIST, REVIVE
from pwless_middleware.stores.redis.server import RedisServer

STREAM: Final = "{jobs}:stream"
DELAYED: Final = "{jobs}:delayed"
DEAD: Final = "{jobs}:dead"
GROUP: Final = "workers"
DEAD_AFTER: Final = 5.0
"""Seconds without a heartbeat after which a process counts as dead and its jobs go to others."""

_LOOK_AT: Final = 1000
"""Of the stream and of `delayed`, how many are looked at for the oldest."""
_MEMBER = re.compile(rb"([0-9]+-[0-9]+)(?:/([0-9]*)/([^:]*))?:([0-9]+):(.*)", re.DOTALL)
_PLACE = re.compile(r"(?:(s)|([db])([0-9]{1,12})/)([0-9]{1,20}-[0-9]{1,20})")

_Order = tuple[int, str]
"""A second and an id, in the order in which Redis sorts `delayed`: ids as text."""
_IN_STREAM: Final = -1
"""The second of what is in the stream, which comes before all that was put back."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A job, and what stands for it in `delayed` or in the dead list."""

    listed: ListedJob
    stored: bytes
    order: _Order


def pack_reason(reason: str) -> str:
    """Return a reason as a stream or a member of `delayed` keeps it."""
    return base64.urlsafe_b64encode(reason.encode()).decode()


def read_job(id: bytes, payload: bytes, tries: bytes, queued: bytes, reason: bytes) -> Job:
    """Return a job of its fields."""
    return Job(
        id=id.decode(),
        payload=payload,
        tries=int(tries),
        queued_at=int(queued) if queued else _time_of(id.decode()),
        reason=base64.urlsafe_b64decode(reason).decode(),
    )


def _time_of(id: str) -> int:
    """Return when an entry was made, unix seconds, by the clock of Redis."""
    return int(id.partition("-")[0]) // 1000


class RedisJobLists:
    """Count, list and change the jobs of a queue (`core.storage.job.Jobs` has the promises).

    Args:
        server: where.
        prefix: what every key begins with, its colon included.
    """

    def __init__(self, server: RedisServer, prefix: str) -> None:
        self._server = server
        self._prefix = prefix

    def _plan(self, now: int) -> Plan:
        plan = Plan(self._prefix, now).set(group=GROUP, dead_after=int(DEAD_AFTER * 1000))
        for key in (STREAM, DELAYED, DEAD):
            plan.key(key)
        return plan

    async def count(self, *, now: int) -> JobCount:
        """Return how many jobs there are."""
        plan = self._plan(now).set(look_at=_LOOK_AT)
        waiting, due, dead, oldest = await self._server.run(COUNT, plan)
        return JobCount(waiting, due, dead, int(oldest) if oldest else None)

    async def list(
        self, state: JobState, *, now: int, after: str = "", limit: int
    ) -> Sequence[ListedJob]:
        """Return some of the jobs."""
        place = _read_place(after, state)
        if state == "dead":
            dead = sorted(await self._dead(), key=lambda kept: kept.order, reverse=True)
            return [kept.listed for kept in dead if place is None or kept.order < place][:limit]
        found: Sequence[ListedJob] = ()
        if place is None or place[0] == _IN_STREAM:
            found = await self._stream(now, place, limit)
            place = (0, "")
        if len(found) < limit:
            later = sorted(await self._read_later(place[0], limit), key=lambda kept: kept.order)
            behind = [kept.listed for kept in later if kept.order > place]
            found = [*found, *behind]
        return found[:limit]

    async def revive(self, ids: Sequence[str], *, now: int) -> int:
        """Have jobs tried at once that are dead, or wait for a later try."""
        wanted, plan = set(ids), self._plan(now)
        kept = [*await self._read_later(), *await self._dead()]
        for each in sorted(kept, key=lambda kept: kept.order[1]):
            job, is_due = each.listed.job, each.stored[:1] != b"[" and each.listed.at <= now
            if job.id in wanted and not is_due:
                plan.value(each.stored)
                plan.value(f"{job.id}/{job.queued_at}/:0:".encode() + job.payload)
        return int(await self._server.run(REVIVE, plan))

    async def drop(self, ids: Sequence[str]) -> int:
        """Remove jobs, dead or waiting."""
        wanted, plan = set(ids), self._plan(0)
        stored = {
            each.listed.job.id: each.stored
            for each in (*await self._read_later(), *await self._dead())
        }
        for id in wanted:
            plan.value(stored.get(id, id))
        return int(await self._server.run(DROP, plan))

    # --- where they stand ----------------------------------------------------------------------

    async def _stream(self, now: int, place: _Order | None, limit: int) -> Sequence[ListedJob]:
        start = "-" if place is None else f"({place[1]}"
        reply = iter(await self._server.run(LIST, self._plan(now).set(start=start, limit=limit)))
        rows = zip(reply, reply, reply, reply, reply, reply, strict=True)
        return [
            ListedJob(job, job.queued_at, is_claimed == 1, f"s{job.id}")
            for is_claimed, *fields in rows
            for job in (read_job(*fields),)
        ]

    async def _read_later(self, at: int | None = None, limit: int = 0) -> Sequence[_Kept]:
        """Return what waits for a later try.

        Args:
            at: all that is due at this second, and some that are later; `None` for all.
            limit: how many later ones.
        """
        plan = self._plan(0) if at is None else self._plan(0).set(at=at, limit=limit)
        reply = iter(await self._server.run(LIST, plan))
        return [_read_delayed(member, score) for member, score in zip(reply, reply, strict=True)]

    async def _dead(self) -> Sequence[_Kept]:
        reply = await self._server.command("LRANGE", self._prefix + DEAD, 0, -1)
        return [_read_dead(stored) for stored in reply]


def _read_delayed(member: bytes, score: bytes) -> _Kept:
    found = _MEMBER.fullmatch(member)
    if found is None:
        raise StoreError("Redis: the queue holds what is no job; is its prefix another app's?")
    id, queued, reason, tries, payload = found.groups(default=b"")
    job, at = read_job(id, payload, tries, queued, reason), int(float(score))
    listed = ListedJob(job, at, is_claimed=False, place=f"d{at}/{job.id}")
    return _Kept(listed, member, (at, job.id))


def _read_dead(stored: bytes) -> _Kept:
    id, payload, tries, reason, *times = json.loads(stored)
    queued, at = times or (_time_of(id), 0)
    job = Job(id, base64.b64decode(payload), tries, queued_at=queued, reason=reason)
    listed = ListedJob(job, at, is_claimed=False, place=f"b{at}/{id}")
    return _Kept(listed, stored, (at, id))


def _read_place(text: str, state: JobState) -> _Order | None:
    """Return what a place says; `None` where there is none.

    Raises:
        ValueError: it is no place of such a list.
    """
    if not text:
        return None
    found = _PLACE.fullmatch(text)
    if found is None or (text[0] == "b") is not (state == "dead"):
        raise ValueError("no place of a job")
    return (_IN_STREAM if found[3] is None else int(found[3])), found[4]
