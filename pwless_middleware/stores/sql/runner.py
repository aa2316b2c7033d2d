"""Run verbs in transactions of SQLite, where they are one after the other anyway."""

from __future__ import annotations

import json
from typing import Final, TypeVar

from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Steps
from pwless_middleware.stores.sql.entries import Entries
from pwless_middleware.stores.sql.statements import (
    ADD_JOB,
    COUNT_JOBS,
    DELETE,
    DROPPED,
    PUT,
    READ_ENTRIES,
    READ_ENTRY,
)
from pwless_middleware.stores.sql.verbs import Verb

A = TypeVar("A")

_dumps: Final = json.JSONEncoder(separators=(",", ":")).encode


class TransactionRunner:
    """Run each verb as the steps of one transaction.

    Args:
        database: where.
        max_jobs: how many jobs may wait.
    """

    def __init__(self, database: Database, max_jobs: int) -> None:
        self._database = database
        self._max_jobs = max_jobs

    async def run(self, verb: Verb[A]) -> A:
        """Run a verb and return its answer.

        Raises:
            StoreError: the database cannot be asked; the verb may or may not have happened.
            QueueFull: as the verb has it; nothing has happened.
        """
        return await self._database.transact(lambda: _steps(verb, self._max_jobs))


def _steps(verb: Verb[A], max_jobs: int) -> Steps[A]:
    keys = verb.keys
    rows = yield (READ_ENTRY(keys[0]) if len(keys) == 1 else READ_ENTRIES(_dumps(keys)))
    waiting = 0
    if verb.queues:
        [(waiting,)] = yield COUNT_JOBS(max_jobs)
    entries = Entries(rows, waiting=waiting, max_jobs=max_jobs)
    answer = verb.decide(entries)
    for key, entry in entries.changes.items():
        if entry is not None:
            yield PUT(key, entry.value, entry.until, entry.listed)
        elif entries.was_there(key):
            yield DELETE(key)
    for payload, due in entries.jobs:
        yield ADD_JOB(payload, due)
    for key in entries.published:
        yield DROPPED(key)
    return answer
