"""Attempts in the database: written with the events that tell of them, and looked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, Protocol

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.attempt import Attempt, AttemptFilter, fold_attempts
from pwless_middleware.core.events.event_id import NEWEST, first_number
from pwless_middleware.core.events.event_search import StoredEvent
from pwless_middleware.database.database import Database
from pwless_middleware.database.events import attempt_statements as sql
from pwless_middleware.database.events.event_row import clean, number_of
from pwless_middleware.database.events.lookback import Lead, find_way
from pwless_middleware.database.statement import Row, Steps, Value


@dataclass(frozen=True, slots=True)
class FoundAttempts:
    """Some of the attempts that were looked for.

    Attributes:
        attempts: the newest first; there may be none although older ones follow.
        next: for `before` of the next page; `None` where there are no more.
        is_cut: whether the search stopped before the page was full, to go on by `next`.
    """

    attempts: Sequence[Attempt]
    next: int | None
    is_cut: bool = False


class AttemptRepository(Protocol):
    """Find attempts; who writes events writes them along.

    Every verb raises `StoreError` where the database cannot be asked.
    """

    async def find(
        self, wanted: AttemptFilter, *, before: int | None = None, limit: int = 50
    ) -> FoundAttempts:
        """Return attempts, the newest first, in bounded time (`database.events.lookback`).

        Args:
            wanted: which.
            before: only those that began before this number; `None` for all.
            limit: how many at most.
        """
        ...

    async def load(self, name: str) -> Attempt | None:
        """Return one attempt, or `None` if there is none of that name."""
        ...


def write_attempts(batch: Sequence[StoredEvent]) -> Steps[None]:
    """Write what events that are new say of their attempts."""
    found = fold_attempts((number_of(stored.event), stored) for stored in batch)
    if found:  # in one order, so that two transactions cannot wait for each other
        yield sql.WRITE(json.dumps([_pack(found[name]) for name in sorted(found)]))


class SQLAttempts:
    """Find attempts in a database; see `AttemptRepository`.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self, wanted: AttemptFilter, *, before: int | None = None, limit: int = 50
    ) -> FoundAttempts:
        """See `AttemptRepository.find`."""
        low = first_number(wanted.since) - 1 if wanted.since is not None else -1
        high = first_number(wanted.until) if wanted.until is not None else NEWEST
        high = min(high, before if before is not None else NEWEST)
        way = await find_way(self._database, sql.REACH, _choices(wanted), low=low, high=high)
        values: tuple[Value, ...] = (
            *(way.low, high, wanted.outcome or "", wanted.organization or ""),
            *(wanted.method or "", wanted.country or "", limit + 1),
        )
        rows: dict[int, Row] = {}
        for column, value in way.leads:
            given = (*values, value) if column else values
            found = await self._database.fetch(sql.SEARCH[column](*given))
            rows.update((row[1], row) for row in found)
        page = [_unpack(rows[first]) for first in sorted(rows, reverse=True)[:limit]]
        if len(rows) > limit:
            return FoundAttempts(page, page[-1].first)
        return FoundAttempts(page, None if way.is_whole else way.low + 1, not way.is_whole)

    async def load(self, name: str) -> Attempt | None:
        """See `AttemptRepository.load`."""
        rows = await self._database.fetch(sql.READ(name))
        return _unpack(rows[0]) if rows else None


_COLUMNS: Final = ("outcome", "organization", "country")


def _choices(wanted: AttemptFilter) -> list[list[Lead]]:
    """Return what may lead; of somebody's there are few."""
    somebody: list[Lead] = [("address", address) for address in wanted.addresses]
    if wanted.user_id is not None:
        somebody.append(("user_id", wanted.user_id))
    if somebody:
        return [somebody]
    named = [(column, getattr(wanted, column)) for column in _COLUMNS]
    choices: list[list[Lead]] = [[(column, value)] for column, value in named if value is not None]
    if wanted.method is not None:
        choices.append([("method", wanted.method), ("step", wanted.method)])
    return choices or [[("", "")]]


def _pack(attempt: Attempt) -> tuple[Value, ...]:
    return (
        clean(attempt.name),
        attempt.first,
        attempt.last,
        attempt.outcome,
        clean(attempt.reason),
        attempt.weight,
        attempt.decided_by,
        clean(attempt.user_id),
        clean(attempt.organization),
        attempt.address,
        clean(attempt.email),
        clean(attempt.caller),
        clean(attempt.method),
        clean(attempt.step),
        attempt.country,
        clean(attempt.device),
    )


def _unpack(row: Row) -> Attempt:
    return Attempt(
        name=row[0],
        first=row[1],
        last=row[2],
        outcome=row[3],
        reason=row[4],
        weight=row[5],
        decided_by=row[6],
        user_id=row[7],
        organization=row[8],
        address=row[9],
        email=row[10],
        caller=row[11],
        method=row[12],
        step=row[13],
        country=row[14],
        device=row[15],
    )
