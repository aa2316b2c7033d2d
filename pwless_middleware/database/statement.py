"""SQL, written once for both databases: constant text, and the values that it is given.

    FIND = Statement("SELECT email, name FROM pwless_people WHERE id = $1")

    rows = await database.fetch(FIND(user_id))

A statement is a constant of its module; what comes from outside is a value, never part of the text
(security rule 71). It keeps to what SQLite 3.35 and PostgreSQL 13 both speak; where that is not
enough, it has a second text.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import field
from typing import Any, LiteralString, TypeVar

from pwless_middleware.core.dataclass import dataclass

Value = int | str | bytes | None
"""What a statement can be given. Times are whole unix seconds, flags 0 and 1."""
Row = tuple[Any, ...]
"""One line of a result, its columns in the order of the statement."""

T = TypeVar("T")

_PLACE = re.compile(r"\$([1-9]\d?)")


class Statement:
    """Constant SQL, with `$1`, `$2` … where its values stand.

    Args:
        text: for both databases, or for SQLite alone where `postgres` is given.
        postgres: for PostgreSQL; `None` takes `text`.

    Attributes:
        sqlite: as SQLite takes it, with `?` in the place of each `$n`.
        postgres: as PostgreSQL takes it.
    """

    __slots__ = ("_order", "postgres", "sqlite")

    def __init__(self, text: LiteralString, *, postgres: LiteralString | None = None) -> None:
        places = [int(number) - 1 for number in _PLACE.findall(text)]
        self.sqlite: str = _PLACE.sub("?", text)
        self.postgres: str = text if postgres is None else postgres
        # `None` where the values stand in their order, each once: then they are taken as they are.
        self._order = None if places == list(range(len(places))) else tuple(places)

    def __call__(self, *values: Value) -> Query:
        """Return the statement with its values."""
        return Query(self, values)

    def order(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        """Return the values as the places of `sqlite` want them."""
        return values if self._order is None else tuple(values[place] for place in self._order)


@dataclass(frozen=True, slots=True)
class Query:
    """A statement with its values.

    Attributes:
        statement: constant SQL.
        values: for `$1`, `$2` …; not shown, since they may be secret or personal.
    """

    statement: Statement
    values: tuple[Value, ...] = field(default=(), repr=False)


Steps = Generator[Query, list[Row], T]
"""What a transaction does, without I/O of its own: it yields a query and is given its rows.

    def rename(id: str, name: str) -> Steps[bool]:
        rows = yield FIND(id)
        if not rows:
            return False
        yield RENAME(name, id)
        return True

So the same steps run in SQLite's writing thread and on a connection to PostgreSQL. They may be run
again from their beginning, so they change nothing but what they yield.
"""
