"""Search many rows in bounded time: by the index that helps most, and only so far back.

What a log is asked for may match one row in a million, or none. So a page looks through `ROWS` rows
of an index, at most, and then says where to go on; nobody waits longer, whatever is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Statement

ROWS: Final = 2_000
"""Rows of one index that a page looks through: 1 to 20 ms among a million."""

Lead = tuple[str, str]
"""A column with an index, and the value that is looked for; an empty column is time alone."""


@dataclass(frozen=True, slots=True)
class Way:
    """How to search.

    Attributes:
        leads: whose rows together are all that can match.
        low: rows with a greater number are looked at.
        is_whole: whether nothing older can match.
    """

    leads: Sequence[Lead]
    low: int
    is_whole: bool


async def find_way(
    database: Database,
    statements: Mapping[str, Statement],
    choices: Sequence[Sequence[Lead]],
    *,
    low: int,
    high: int,
) -> Way:
    """Return the way that reaches furthest back within `ROWS` rows.

    Args:
        database: where.
        statements: by column, find the row that is so many places before another.
        choices: leads that would each do by themselves.
        low, high: only rows with numbers between them are wanted.

    Raises:
        StoreError: the database cannot be asked.
    """
    best: Way | None = None
    for leads in choices:
        reached = low
        for column, value in leads:
            values = (low, high, ROWS, value) if column else (low, high, ROWS)
            rows = await database.fetch(statements[column](*values))
            # All of its leads must have been looked through as far back.
            reached = max(reached, rows[0][0] - 1) if rows else reached
        way = Way(leads, reached, reached == low)
        if way.is_whole:
            return way
        if best is None or way.low < best.low:
            best = way
    assert best is not None, "time alone is always a way"
    return best
