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

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import NEWEST, first_number
from pwless_middleware.core.events.event_search import (
    HOUR,
    EventCount,
    EventFilter,
    StoredEvent,
    counted_as,
)
from pwless_middleware.database.database import Database
from pwless_middleware.database.events import attempt_statements
from pwless_middleware.database.events import event_statements as sql
from pwless_middleware.database.events.attempts import write_attempts
from pwless_middleware.database.events.event_counters import count_steps, erase_active
from pwless_middleware.database.events.event_row import number_of, pack_event, unpack_event
from pwless_middleware.database.events.lookback import Lead, find_way
from pwless_middleware.database.statement import Query, Row, Steps, Value

AT_ONCE: Final = 250
"""Rows that one transaction scrubs or deletes: about 30 ms on SQLite with a million of them."""


@dataclass(frozen=True, slots=True)
class FoundEvents:
    """Some of the events that were looked for.

    Attributes:
        events: the newest first; there may be none although older ones follow.
        next: for `before` of the next page; `None` where there are no more.
        is_cut: whether the search stopped before the page was full, to go on by `next`.
    """

    events: Sequence[StoredEvent]
    next: int | None
    is_cut: bool = False


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

    async def find_recent(self, after: int, limit: int) -> list[int]:
        """Return the numbers of the newest events whose ids have a greater one, the newest first.

        What comes late has an older id than what is there: who follows looks back some seconds.
        """
        ...

    async def load(self, numbers: Sequence[int]) -> list[StoredEvent]:
        """Return the events with these numbers that there are, the oldest first."""
        ...

    async def look_back(
        self, wanted: EventFilter, *, before: int | None = None, limit: int = 50
    ) -> FoundEvents:
        """Return events, the newest first, in bounded time (`database.events.lookback`).

        Args:
            wanted: which.
            before: only those whose id has a smaller number; `None` for all.
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
        ValueError: it has no id: `flows.events.events.Events.make` makes such events.
    """
    return write_steps([StoredEvent(event)])


def change_with_event(query: Query, audit: Event | None) -> Steps[bool]:
    """Change one row, and write the event that tells of it; whether there was anything to change.

    Args:
        query: returns a row of what it has changed.
        audit: is written if it has; `None` writes none.
    """
    is_done = bool((yield query))
    if is_done and audit is not None:
        yield from insert_event(audit)
    return is_done


def write_steps(batch: Sequence[StoredEvent]) -> Steps[None]:
    """Write events that are not there yet, and count them."""
    by_number = {number_of(stored.event): stored for stored in batch}
    rows = yield sql.WRITE(json.dumps([pack_event(stored) for stored in by_number.values()]))
    counts = Counter(
        counted for (number,) in rows for counted in counted_as(by_number[number].event)
    )
    yield from write_attempts([by_number[number] for (number,) in rows])
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
        low, high = _bounds(wanted, before, after)
        leads = _choices(wanted)[0]
        return await self._find(
            wanted, leads, low, high, limit=limit, is_newest_first=after is None
        )

    async def look_back(
        self, wanted: EventFilter, *, before: int | None = None, limit: int = 50
    ) -> FoundEvents:
        """See `EventRepository.look_back`."""
        low, high = _bounds(wanted, before, None)
        way = await find_way(self._database, sql.REACH, _choices(wanted), low=low, high=high)
        found = await self._find(wanted, way.leads, way.low, high, limit=limit + 1)
        if len(found) > limit:
            return FoundEvents(found[:limit], number_of(found[limit - 1].event))
        return FoundEvents(found, None if way.is_whole else way.low + 1, not way.is_whole)

    async def _find(
        self,
        wanted: EventFilter,
        leads: Sequence[Lead],
        low: int,
        high: int,
        *,
        limit: int,
        is_newest_first: bool = True,
    ) -> list[StoredEvent]:
        statements = sql.NEWEST_FIRST if is_newest_first else sql.OLDEST_FIRST
        kinds = f",{','.join(wanted.kinds)}," if wanted.kinds else ""
        values: tuple[Value, ...] = (
            *(low, high, wanted.attempt or "", wanted.organization or "", kinds),
            *(wanted.method or "", wanted.country or "", limit),
        )
        ids: set[int] = set()
        for column, value in leads:
            given = (*values, value) if column else values
            rows = await self._database.fetch(statements[column](*given))
            ids.update(number for (number,) in rows)
        chosen = sorted(ids, reverse=is_newest_first)[:limit]
        found = await self.load(chosen)
        return found[::-1] if is_newest_first else found

    async def find_recent(self, after: int, limit: int) -> list[int]:
        """See `EventRepository.find_recent`."""
        rows = await self._database.fetch(sql.RECENT(after, limit))
        return [number for (number,) in rows]

    async def load(self, numbers: Sequence[int]) -> list[StoredEvent]:
        """See `EventRepository.load`."""
        if not numbers:
            return []
        rows = await self._database.fetch(sql.READ(json.dumps(list(numbers))))
        return [unpack_event(row) for row in rows]

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
            while await self._database.transact(partial(_scrub_some, search, user_id, stand_in)):
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
        first = first_number(at)
        gone = await self._database.transact(lambda: _run(sql.DELETE_SOME(first, AT_ONCE)))
        theirs = attempt_statements.DELETE_SOME(first, AT_ONCE)
        attempts = await self._database.transact(lambda: _run(theirs))
        return AT_ONCE in (len(gone), len(attempts))

    async def delete_counts_before(self, at: int) -> None:
        """See `EventRepository.delete_counts_before`."""
        await self._database.transact(lambda: _run(sql.DELETE_COUNTS(at)))


def new_stand_in() -> str:
    """Make what stands in the place of an erased user's id."""
    return f"erased-{secrets.token_hex(8)}"


def _bounds(wanted: EventFilter, before: int | None, after: int | None) -> tuple[int, int]:
    """Return the numbers between which those of the events are that are wanted."""
    first = first_number(wanted.since) - 1 if wanted.since is not None else -1
    last = first_number(wanted.until) if wanted.until is not None else NEWEST
    low = max(first, after if after is not None else -1)
    return low, min(last, before if before is not None else NEWEST)


def _choices(wanted: EventFilter) -> list[list[Lead]]:
    """Return what may lead, the best guess first; of somebody's, or of one login, there are few."""
    if wanted.session is not None:
        return [[("session", wanted.session)]]
    somebody: list[Lead] = [("address", address) for address in wanted.addresses]
    if wanted.user_id is not None:
        somebody.append(("user_id", wanted.user_id))
    if somebody or wanted.attempt is not None:
        return [somebody or [("attempt", wanted.attempt or "")]]
    choices: list[list[Lead]] = [[("kind", kind) for kind in wanted.kinds]] if wanted.kinds else []
    for column in ("organization", "method", "country"):
        value: str | None = getattr(wanted, column)
        if value is not None:
            choices.append([(column, value)])
    return choices or [[("", "")]]


def _scrub_some(search: Query, user_id: str, stand_in: str) -> Steps[bool]:
    rows = yield search
    if rows:
        ids = json.dumps([number for (number,) in rows])
        yield attempt_statements.SCRUB(ids, user_id, stand_in)
        yield sql.SCRUB_ATTEMPTS(ids)
        yield sql.SCRUB(ids, stand_in)
    return bool(rows)


def _run(query: Query) -> Steps[list[Row]]:
    return (yield query)
