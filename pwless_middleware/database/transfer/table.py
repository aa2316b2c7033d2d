"""One table as it is moved: its columns, and the SQL that reads and writes its rows."""

from __future__ import annotations

from typing import Final, Literal

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.database.statement import Statement, Value

Kind = Literal["text", "text?", "int", "int?", "bytes", "bytes?"]
"""What a column holds; with a question mark, nothing as well."""

_LEAST, _MOST = -(2**63), 2**63 - 1

FIRST_TEXT: Final = ""
FIRST_INT: Final = _LEAST


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is moved.

    Attributes:
        name: without the prefix.
        columns: what is moved, and what it holds, in the order of the statements.
        key: how many columns at the beginning order the rows. They are not moved where the numbers
            of rows are given anew.
        first: before every key.
        is_renumbered: whether the key stands before the columns, and stays behind.
        page: the rows behind a key, so many at most.
        insert: one row.
        insert_many: many, on PostgreSQL: a JSON array of objects; bytes are base64.
        find: one row, if there is any.
        delete: all.
    """

    name: str
    columns: dict[str, Kind]
    key: int
    first: tuple[Value, ...]
    page: Statement
    insert: Statement
    insert_many: Statement
    find: Statement
    delete: Statement
    is_renumbered: bool = False

    def check(self, row: dict[str, Value]) -> None:
        """Refuse a row that is none of this table.

        Raises:
            ValueError: why, for people; shows no value.
        """
        if row.keys() != self.columns.keys():
            other = sorted(row.keys() ^ self.columns.keys())
            raise ValueError(f"{self.name} has other columns: {', '.join(other)}")
        for column, kind in self.columns.items():
            if not _is_of(kind, row[column]):
                raise ValueError(f"{column} of {self.name} is no {kind.rstrip('?')}")


def _is_of(kind: Kind, value: object) -> bool:
    if value is None:
        return kind.endswith("?")
    if kind.startswith("bytes"):
        return isinstance(value, bytes)
    if kind.startswith("int"):
        return type(value) is int and _LEAST <= value <= _MOST
    return isinstance(value, str) and _can_be_kept(value)


def _can_be_kept(text: str) -> bool:
    """Whether both databases keep this text: PostgreSQL refuses U+0000, and half a character."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False
