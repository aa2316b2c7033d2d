"""The events of a database: how fast they are written, and how long a page takes among many."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Iterator

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import first_number, format_event_id
from pwless_middleware.core.events.event_kinds import KINDS
from pwless_middleware.core.events.event_search import EventFilter, StoredEvent
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import SQLEvents
from pwless_middleware.flows.events.event_writer import BATCH
from tests.benchmarks.figures import Options, Samples, Table

_NOW = 1_800_000_000
_DAYS = 90
_MONTH = 30 * 86400
_PEOPLE = 100_000


def _batches(count: int) -> Iterator[list[StoredEvent]]:
    """Make events of ninety days: of five to a login, one a hundredth of an organization's."""
    kinds, chance = list(KINDS), random.Random(1)  # the same events in every run
    batch: list[StoredEvent] = []
    for number in range(count):
        at = _NOW - _DAYS * 86400 + number * _DAYS * 86400 // count
        person = chance.randrange(_PEOPLE)
        event = Event(
            at=at,
            kind=kinds[number % 5] if number % 1000 else "event.dropped",
            id=format_event_id(at, number),
            attempt=f"a-{number // 5}",
            user_id=f"u-{person}" if number % 3 == 0 else None,
            organization=f"o-{person % 50}" if number % 100 == 0 else None,
            address=f"d-{person}" if number % 2 else None,
            caller="browser",
            client=f"c-{person % 1000}",
            device="Firefox on Linux",
        )
        batch.append(StoredEvent(event, f"p{person}@example.com" if number % 2 else None))
        if len(batch) == BATCH:
            yield batch
            batch = []


async def measure(options: Options) -> list[Table]:
    """Fill each kind of database, and ask it what an operator asks."""
    count = options.outstanding * 10
    table = Table(
        f"{count:,} events",
        ("", "SQLite", "PostgreSQL"),
        f"Milliseconds by the wall clock, median (quartiles); batches of {BATCH}.",
    )
    columns: list[dict[str, Samples]] = []
    for url in (f"sqlite:///{options.place.folder}/events.db", options.place.postgres_url):
        options.say(f"events in {url.partition(':')[0]}")
        database = Database(url)
        columns.append(await _measure(SQLEvents(database), count, options.rounds))
        await database.aclose()
    for name in columns[0]:
        table.add(name, *(column[name].told(2) for column in columns))
    return [table]


async def _measure(events: SQLEvents, count: int, rounds: int) -> dict[str, Samples]:
    found = {"a batch is written": Samples()}
    for batch in _batches(count):
        began = time.perf_counter()
        await events.write(batch)
        found["a batch is written"].add((time.perf_counter() - began) * 1000)
    middle = first_number(_NOW - _DAYS * 43200)
    asked: dict[str, Callable[[], Awaitable[object]]] = {
        "the newest 100": lambda: events.find(EventFilter()),
        "100 from the middle": lambda: events.find(EventFilter(), before=middle),
        "of one person, by id or address": lambda: events.find(
            EventFilter(user_id="u-77", addresses=("d-77",))
        ),
        "of one login": lambda: events.find(EventFilter(attempt="a-77")),
        "100 of a rare kind": lambda: events.find(EventFilter(kinds=("event.dropped",))),
        "100 of one organization": lambda: events.find(EventFilter(organization="o-7")),
        "a month's chart, by days": lambda: events.count(_NOW - _MONTH, _NOW, step=86400),
        "250 of the oldest are deleted": lambda: events.delete_before(_NOW - 86400),
    }
    for name, ask in asked.items():
        found[name] = Samples()
        for _ in range(rounds):
            began = time.perf_counter()
            await ask()
            found[name].add((time.perf_counter() - began) * 1000)
    return found
