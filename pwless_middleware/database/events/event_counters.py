"""What is counted of events as they are written: by method, reason and time, and active people.

Counting is part of the transaction that writes the events, so every event counts once, and each
person once in a day, a week and a month, in however many processes they are served.
"""

from __future__ import annotations

import json
from collections import Counter as Sum
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final, Protocol

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_counters import (
    SPANS,
    Counter,
    CounterName,
    Span,
    active_in,
    active_person,
    counters_of,
    forgotten_before,
)
from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Query, Row, Statement, Steps

AT_ONCE: Final = 2_000
"""Rows that one transaction deletes."""


class EventCounterRepository(Protocol):
    """Read what is counted of events; it is written with them (`database.events.events`).

    Every verb raises `StoreError` where the database cannot be asked.
    """

    async def read(self, span: Span, since: int, until: int) -> list[Counter]:
        """Return the counters that begin from `since` on and before `until`, in order.

        Args:
            span: those of hours, days, weeks or months.
            since: unix seconds.
            until: unix seconds.
        """
        ...

    async def note_active(self, seen: Mapping[str, int]) -> None:
        """Count people who were there: id to unix seconds. Each counts once, however often."""
        ...

    async def list_active(self, user_id: str) -> list[tuple[Span, int]]:
        """Return the spans in which a person is known to be counted as active, in order."""
        ...

    async def erase(self, user_id: str) -> None:
        """Forget when a person was active (security rule 70); counts stay."""
        ...

    async def forget(self, now: int) -> bool:
        """Forget some of who was active in spans that are over; counts stay.

        Args:
            now: unix seconds.

        Returns:
            Whether there are perhaps more.
        """
        ...

    async def delete_before(self, at: int) -> None:
        """Delete the counters that began before a unix second."""
        ...


def count_steps(events: Iterable[Event]) -> Steps[None]:
    """Count events that were written just now, in the same transaction."""
    counters: Sum[CounterName] = Sum()
    active: set[tuple[str, int]] = set()
    for event in events:
        counters.update(counters_of(event))
        person = active_person(event)
        if person is not None:
            active.add(person)
    yield from note_active(active, counters)


def note_active(
    people: Iterable[tuple[str, int]], others: Sum[CounterName] | None = None
) -> Steps[None]:
    """Count people who were there, each once in a day, a week and a month.

    Args:
        people: their ids, and when they were there.
        others: what else is to be counted; `None` for nothing.
    """
    counters = Sum() if others is None else others.copy()
    # In one order, so that two transactions cannot wait for each other.
    found = sorted({(id, span, start) for id, at in people for span, start in active_in(at)})
    if found:
        for span, start in (yield _ADD_ACTIVE(json.dumps(found))):
            counters[CounterName(span, start, "", "people", "")] += 1
    if counters:
        rows = [
            (name.span, name.start, name.kind, name.label, name.value, count)
            for name, count in sorted(counters.items())
        ]
        yield _COUNT(json.dumps(rows))


def erase_active(user_id: str) -> Steps[None]:
    """Forget when a person was active; how many there were stays."""
    yield _ERASE_ACTIVE(user_id)


class SQLEventCounters:
    """Read the counters of a database; see `EventCounterRepository`.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, span: Span, since: int, until: int) -> list[Counter]:
        """See `EventCounterRepository.read`."""
        return [
            Counter(CounterName(span, start, kind, label, value), count)
            for start, kind, label, value, count in await self._database.fetch(
                _READ(span, since, until)
            )
        ]

    async def note_active(self, seen: Mapping[str, int]) -> None:
        """See `EventCounterRepository.note_active`."""
        await self._database.transact(partial(note_active, seen.items()))

    async def list_active(self, user_id: str) -> list[tuple[Span, int]]:
        """See `EventCounterRepository.list_active`."""
        return [(span, start) for span, start in await self._database.fetch(_LIST_ACTIVE(user_id))]

    async def erase(self, user_id: str) -> None:
        """See `EventCounterRepository.erase`."""
        await self._database.transact(partial(erase_active, user_id))

    async def forget(self, now: int) -> bool:
        """See `EventCounterRepository.forget`."""
        is_more = False
        for span in SPANS[1:]:
            query = _FORGET(span, forgotten_before(span, now), AT_ONCE)
            is_more |= len(await self._database.transact(partial(_run, query))) == AT_ONCE
        return is_more

    async def delete_before(self, at: int) -> None:
        """See `EventCounterRepository.delete_before`."""
        for span in SPANS:
            await self._database.transact(partial(_run, _DELETE(span, at)))


def _run(query: Query) -> Steps[Sequence[Row]]:
    return (yield query)


_ADD_ACTIVE = Statement(
    "INSERT INTO pwless_active_people (user_id, span, start)"
    " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')"
    " FROM json_each($1) WHERE true ON CONFLICT (user_id, span, start) DO NOTHING"
    " RETURNING span, start",
    postgres="INSERT INTO pwless_active_people (user_id, span, start)"
    " SELECT r->>0, r->>1, CAST(r->>2 AS BIGINT)"
    " FROM json_array_elements(CAST(CAST($1 AS TEXT) AS JSON)) AS r"
    " ON CONFLICT (user_id, span, start) DO NOTHING RETURNING span, start",
)
_COUNT = Statement(
    "INSERT INTO pwless_event_counters (span, start, kind, label, value, count)"
    " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),"
    " json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]')"
    " FROM json_each($1) WHERE true ON CONFLICT (span, start, kind, label, value)"
    " DO UPDATE SET count = pwless_event_counters.count + excluded.count",
    postgres="INSERT INTO pwless_event_counters (span, start, kind, label, value, count)"
    " SELECT r->>0, CAST(r->>1 AS BIGINT), r->>2, r->>3, r->>4, CAST(r->>5 AS BIGINT)"
    " FROM json_array_elements(CAST(CAST($1 AS TEXT) AS JSON)) AS r"
    " ON CONFLICT (span, start, kind, label, value)"
    " DO UPDATE SET count = pwless_event_counters.count + excluded.count",
)
_READ = Statement(
    "SELECT start, kind, label, value, count FROM pwless_event_counters"
    " WHERE span = $1 AND start >= $2 AND start < $3 ORDER BY start, kind, label, value"
)
_LIST_ACTIVE = Statement(
    "SELECT span, start FROM pwless_active_people WHERE user_id = $1 ORDER BY span, start"
)
_FORGET = Statement(
    "DELETE FROM pwless_active_people WHERE (user_id, span, start) IN (SELECT user_id, span, start"
    " FROM pwless_active_people WHERE span = $1 AND start < $2 LIMIT $3) RETURNING start"
)
_ERASE_ACTIVE = Statement("DELETE FROM pwless_active_people WHERE user_id = $1")
_DELETE = Statement("DELETE FROM pwless_event_counters WHERE span = $1 AND start < $2")
