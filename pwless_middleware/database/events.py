"""Events in the database: written in batches or with the change that they tell of, and searched.

An event has its id from where it was recorded, so that writing it again changes nothing, neither
its row nor the counts. A batch is one transaction with its counts, which are therefore exact.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Final, Protocol

from pwless_middleware.core.event import Event
from pwless_middleware.core.event_id import NEWEST, first_number
from pwless_middleware.core.event_search import (
    HOUR,
    EventCount,
    EventFilter,
    StoredEvent,
    counted_as,
)
from pwless_middleware.database import event_statements as sql
from pwless_middleware.database.database import Database
from pwless_middleware.database.event_counters import count_steps, erase_active
from pwless_middleware.database.event_row import number_of, pack_event, unpack_event
from pwless_middleware.database.statement import Query, Row, Steps, Value

AT_ONCE: Final = 250
"""Rows that one transaction scrubs or deletes: about 30 ms on SQLite with a million of them."""


class EventRepository(Protocol):
    """Keep events, and find them again.

    Every verb raises `StoreError` where the database cannot be asked.
    """

    async def write(self, batch: Sequence[StoredEvent]) -> None:
        """Write events and count them, all or none. What is there already is not written again."""
        ...

    async def find(
        self,
        wanted: EventFilter,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> list[StoredEvent]:
        """Return events: the newest first, or with `after` the oldest first.

        Args:
            wanted: which.
            before: only those whose id has a smaller number; `None` for all.
            after: only those whose id has a greater number; `None` for all.
            limit: how many at most.
        """
        ...

    async def count(
        self, since: int, until: int, *, step: int = HOUR, organization: str | None = None
    ) -> list[EventCount]:
        """Return counts of the hours that begin from `since` on and before `until`, in order.

        The work is a row for each hour, kind, organization and method, however many events.

        Args:
            since: unix seconds.
            until: unix seconds.
            step: seconds that are counted together; whole hours.
            organization: of one organization; `None` counts those of all together.
        """
        ...

    async def erase(self, user_id: str, addresses: Sequence[str] = ()) -> None:
        """Leave nothing in the events that names a person (security rule 70).

        What happened stays, under a random id in the place of the user's, the same in all of this
        person's events; address, client, device and session go, and so do details. Counts stay.

        Args:
            user_id: of the person.
            addresses: keyed digests of the person's addresses, for events that name no user.
        """
        ...

    def export(self, user_id: str, addresses: Sequence[str] = ()) -> AsyncIterator[StoredEvent]:
        """Go through everything about a person, the oldest first; see `erase` for what is given."""
        ...

    async def delete_before(self, at: int) -> bool:
        """Delete some of the events before a unix second; return whether there are perhaps more."""
        ...

    async def delete_counts_before(self, at: int) -> None:
        """Delete the counts of the hours that began before a unix second."""
        ...


def insert_event(event: Event) -> Steps[None]:
    """Write an audit event in the transaction of the change that it tells of, and count it.

        def rename(id: str, name: str, audit: Event | None) -> Steps[None]:
            yield RENAME(name, id)
            if audit is not None:
                yield from insert_event(audit)

    Raises:
        ValueError: it has no id: `flows.events.Events.make` makes such events.
    """
    return write_steps([StoredEvent(event)])


def write_steps(batch: Sequence[StoredEvent]) -> Steps[None]:
    """Write events that are not there yet, and count them."""
    by_number = {number_of(stored.event): stored for stored in batch}
    rows = yield sql.WRITE(json.dumps([pack_event(stored) for stored in by_number.values()]))
    counts = Counter(
        counted for (number,) in rows for counted in counted_as(by_number[number].event)
    )
    # In one order, so that two transactions cannot wait for each other.
    if counts:
        yield sql.COUNT(json.dumps([(*sort, count) for sort, count in sorted(counts.items())]))
        yield from count_steps(by_number[number].event for (number,) in rows)


class SQLEvents:
    """Keep events in a database; see `EventRepository`.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, batch: Sequence[StoredEvent]) -> None:
        """See `EventRepository.write`."""
        if batch:
            await self._database.transact(partial(write_steps, batch))

    async def find(
        self,
        wanted: EventFilter,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> list[StoredEvent]:
        """See `EventRepository.find`."""
        ids: set[int] = set()
        for query in _searches(wanted, before, after, limit):
            ids.update(number for (number,) in await self._database.fetch(query))
        is_newest_first = after is None
        chosen = sorted(ids, reverse=is_newest_first)[:limit]
        rows = await self._database.fetch(sql.READ(json.dumps(chosen))) if chosen else []
        found = [unpack_event(row) for row in rows]
        return found[::-1] if is_newest_first else found

    async def count(
        self, since: int, until: int, *, step: int = HOUR, organization: str | None = None
    ) -> list[EventCount]:
        """See `EventRepository.count`."""
        rows = await self._database.fetch(sql.COUNTS(since, until, step, organization or ""))
        return [
            EventCount(start, kind, method or None, count) for start, kind, method, count in rows
        ]

    async def erase(self, user_id: str, addresses: Sequence[str] = ()) -> None:
        """See `EventRepository.erase`."""
        stand_in = new_stand_in()
        searches = [sql.SOME_OF_USER(user_id, AT_ONCE)]
        searches += [sql.SOME_OF_ADDRESS(address, AT_ONCE) for address in addresses]
        for search in searches:
            while await self._database.transact(partial(_scrub_some, search, stand_in)):
                pass
        await self._database.transact(
            lambda: _run(sql.SCRUB_OPERATOR(f"operator:{user_id}", f"operator:{stand_in}"))
        )
        await self._database.transact(partial(erase_active, user_id))

    async def export(
        self, user_id: str, addresses: Sequence[str] = ()
    ) -> AsyncIterator[StoredEvent]:
        """See `EventRepository.export`."""
        wanted, after = EventFilter(user_id=user_id, addresses=tuple(addresses)), 0
        while found := await self.find(wanted, after=after, limit=AT_ONCE):
            for stored in found:
                yield stored
            after = number_of(found[-1].event)

    async def delete_before(self, at: int) -> bool:
        """See `EventRepository.delete_before`."""
        query = sql.DELETE_SOME(first_number(at), AT_ONCE)
        return len(await self._database.transact(lambda: _run(query))) == AT_ONCE

    async def delete_counts_before(self, at: int) -> None:
        """See `EventRepository.delete_counts_before`."""
        await self._database.transact(lambda: _run(sql.DELETE_COUNTS(at)))


def new_stand_in() -> str:
    """Make what stands in the place of an erased user's id."""
    return f"erased-{secrets.token_hex(8)}"


def _searches(
    wanted: EventFilter, before: int | None, after: int | None, limit: int
) -> list[Query]:
    """Return the queries whose ids together are those that are wanted, and some more."""
    first = first_number(wanted.since) - 1 if wanted.since is not None else -1
    last = first_number(wanted.until) if wanted.until is not None else NEWEST
    low = max(first, after if after is not None else -1)
    high = min(last, before if before is not None else NEWEST)
    leads: list[tuple[str, str]] = [("address", address) for address in wanted.addresses]
    if wanted.user_id is not None:
        leads.append(("user_id", wanted.user_id))
    if not leads and wanted.attempt is not None:
        leads = [("attempt", wanted.attempt)]
    if not leads and wanted.kinds:
        leads = [("kind", kind) for kind in wanted.kinds]
    if not leads and wanted.organization is not None:
        leads = [("organization", wanted.organization)]
    statements = sql.NEWEST_FIRST if after is None else sql.OLDEST_FIRST
    kinds = f",{','.join(wanted.kinds)}," if wanted.kinds else ""
    values: tuple[Value, ...] = (
        *(low, high, wanted.attempt or "", wanted.organization or "", kinds, limit),
    )
    if not leads:
        return [statements[""](*values)]
    return [statements[column](*values, value) for column, value in leads]


def _scrub_some(search: Query, stand_in: str) -> Steps[bool]:
    rows = yield search
    if rows:
        ids = json.dumps([number for (number,) in rows])
        yield sql.SCRUB_ATTEMPTS(ids)
        yield sql.SCRUB(ids, stand_in)
    return bool(rows)


def _run(query: Query) -> Steps[list[Row]]:
    return (yield query)
