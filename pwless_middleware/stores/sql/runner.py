"""Run verbs in transactions, each without anybody else between its reading and its writing.

SQLite has one transaction at a time anyway. On PostgreSQL each verb locks the keys that it reads
and may change, so that only those wait for each other which have one in common. The queue's bound
is no key: counting under a lock would make all sends one line. So that lock is taken once the queue
is half full; until then no number of transactions under way at a time can overfill it.
"""

from __future__ import annotations

import json
from typing import Final, TypeVar, cast

from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Query, Steps
from pwless_middleware.stores.sql.entries import Entries
from pwless_middleware.stores.sql.statements import (
    ADD_JOB,
    COUNT_JOBS,
    DELETE,
    DROPPED,
    PUT,
    READ_ENTRIES,
    READ_ENTRY,
    WRITE_ALL,
)
from pwless_middleware.stores.sql.verbs import Verb

A = TypeVar("A")

_QUEUE: Final = ":queue"
_HALF_FULL: Final = object()

_dumps: Final = json.JSONEncoder(separators=(",", ":")).encode


class VerbRunner:
    """Run each verb as the steps of one transaction.

    Args:
        database: where.
        max_jobs: how many jobs may wait.
    """

    def __init__(self, database: Database, max_jobs: int) -> None:
        self._database = database
        self._max_jobs = max_jobs
        self._is_one_at_a_time = database.dialect == "sqlite"
        self._is_half_full = False

    async def run(self, verb: Verb[A]) -> A:
        """Run a verb and return its answer.

        Raises:
            StoreError: the database cannot be asked; the verb may or may not have happened.
            QueueFull: as the verb has it; nothing has happened.
        """
        locks_queue = verb.queues and (self._is_one_at_a_time or self._is_half_full)
        locks = (*verb.keys, _QUEUE) if locks_queue else verb.keys
        answer = await self._database.transact(
            lambda: self._steps(verb, locks_queue=locks_queue), locks=locks
        )
        if answer is _HALF_FULL:
            self._is_half_full = True
            return await self.run(verb)
        return cast("A", answer)

    def _steps(self, verb: Verb[A], *, locks_queue: bool) -> Steps[A | object]:
        keys = verb.keys
        rows = yield (READ_ENTRY(keys[0]) if len(keys) == 1 else READ_ENTRIES(_dumps(keys)))
        waiting = 0
        if verb.queues:
            [(waiting,)] = yield COUNT_JOBS(self._max_jobs)
            is_half_full = waiting * 2 >= self._max_jobs
            if is_half_full and not locks_queue:
                return _HALF_FULL
            self._is_half_full = is_half_full
        entries = Entries(rows, waiting=waiting, max_jobs=self._max_jobs)
        answer = verb.decide(entries)
        yield from _write_each(entries) if self._is_one_at_a_time else _write_all(entries)
        return answer


def _write_each(entries: Entries) -> Steps[None]:
    """Write by a statement for each change: on SQLite a statement costs no round trip."""
    for key, entry in entries.changes.items():
        if entry is not None:
            yield PUT(key, entry.value, entry.until, entry.listed)
        elif entries.was_there(key):
            yield DELETE(key)
    for payload, due in entries.jobs:
        yield ADD_JOB(payload, due)
    for key in entries.published:
        yield DROPPED(key)


def _write_all(entries: Entries) -> Steps[None]:
    """Write by one statement."""
    query = _write_query(entries)
    if query is not None:
        yield query


def _write_query(entries: Entries) -> Query | None:
    puts, removed = [], []
    for key, entry in entries.changes.items():
        if entry is not None:
            put = {"key": key, "value": entry.value.hex(), "until": entry.until}
            puts.append({**put, "listed": entry.listed})
        elif entries.was_there(key):
            removed.append(key)
    jobs = [(payload.hex(), due) for payload, due in entries.jobs]
    if not (puts or removed or jobs or entries.published):
        return None
    return WRITE_ALL(*map(_dumps, (puts, removed, jobs, entries.published)))
