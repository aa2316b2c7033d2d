"""Run verbs in transactions, each without anybody else between its reading and its writing.

SQLite has one transaction at a time anyway. On PostgreSQL verbs lock the keys that they read and
may change, so that only those wait for each other which have one in common. Those that come
together share a transaction there: it costs four round trips and a wait for the disk, which a busy
process so pays once for a dozen verbs, and a quiet one waits for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, TypeVar, cast

from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Query, Steps
from pwless_middleware.errors import QueueFull
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.stores.batches import Batches
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
_DROPS: Final = ":drops"
"""Held to the end of the transaction, so that the numbers of drops come in the order of commits."""
_UNDER_WAY: Final = 2
"""Transactions at a time and event loop: one waits for the disk while the next is decided. With
more they only get smaller, and wait for each other's locks."""

_dumps: Final = json.JSONEncoder(separators=(",", ":")).encode


class VerbRunner:
    """Run verbs as the steps of transactions: one each on SQLite, which groups them by itself, and
    on PostgreSQL one for all that come together.

    Args:
        database: where.
        max_jobs: how many jobs may wait.
    """

    def __init__(self, database: Database, max_jobs: int) -> None:
        self._database = database
        self._max_jobs = max_jobs
        self._is_one_at_a_time = database.dialect == "sqlite"
        self._is_half_full = False
        self._batches: PerLoop[Batches[Verb[Any], Any]] = PerLoop(
            lambda: Batches(self._run_all, under_way=_UNDER_WAY)
        )

    async def run(self, verb: Verb[A]) -> A:
        """Run a verb and return its answer.

        Raises:
            StoreError: the database cannot be asked; the verb may or may not have happened.
            QueueFull: as the verb has it; nothing has happened.
        """
        if not self._is_one_at_a_time:
            return cast("A", await self._batches.here().ask(verb))
        [answer] = await self._database.transact(lambda: self._steps((verb,)))
        if isinstance(answer, QueueFull):
            raise answer
        return cast("A", answer)

    async def aclose(self) -> None:
        """End what is under way in the running event loop."""
        batches = self._batches.pop()
        if batches is not None:
            await batches.aclose()

    async def _run_all(self, verbs: Sequence[Verb[Any]]) -> Sequence[Any]:
        """Run verbs one after the other in one transaction; the answer of one may be `QueueFull`.

        The queue's bound is no key: counting it under a lock would make all sends one line. So that
        lock is taken once the queue is half full. Until then it is overfilled by no number of
        transactions that may be under way at a time.
        """
        keys = {key for verb in verbs for key in verb.keys}
        if any(verb.publishes for verb in verbs):
            keys.add(_DROPS)
        if not self._is_half_full:
            answers = await self._database.transact(
                lambda: self._steps(verbs, unless_half_full=True), locks=keys
            )
            if answers:
                return answers
        return await self._database.transact(lambda: self._steps(verbs), locks={*keys, _QUEUE})

    def _steps(
        self, verbs: Sequence[Verb[Any]], *, unless_half_full: bool = False
    ) -> Steps[list[Any]]:
        keys = verbs[0].keys if len(verbs) == 1 else {key: 0 for verb in verbs for key in verb.keys}
        rows = yield (READ_ENTRY(*keys) if len(keys) == 1 else READ_ENTRIES(_dumps(list(keys))))
        waiting = 0
        if any(verb.queues for verb in verbs):
            [(waiting,)] = yield COUNT_JOBS(self._max_jobs)
            self._is_half_full = waiting * 2 >= self._max_jobs
            if self._is_half_full and unless_half_full:
                return []
        entries = Entries(rows, waiting=waiting, max_jobs=self._max_jobs)
        answers = [_decide(verb, entries) for verb in verbs]
        yield from _write_each(entries) if self._is_one_at_a_time else _write_all(entries)
        return answers


def _decide(verb: Verb[A], entries: Entries) -> A | QueueFull:
    try:
        return verb.decide(entries)
    except QueueFull as error:
        return error


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
