"""What an error of SQLite means: for who asked, and for the connection that it came from.

https://www.sqlite.org/rescode.html; a code's last byte is its kind.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from pwless_middleware.errors import StoreError

BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_HARMLESS: Final = BUSY | {
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_RANGE,
    sqlite3.SQLITE_TOOBIG,
}
"""A connection can go on after these; after any other, a new one is safer."""
_ADVICE: Final = {
    sqlite3.SQLITE_BUSY: "another program holds it locked: end its transaction",
    sqlite3.SQLITE_LOCKED: "another program holds it locked: end its transaction",
    sqlite3.SQLITE_FULL: "the disk is full: make room",
    sqlite3.SQLITE_READONLY: "it may not be written: see to the owner and mode of file and folder",
    sqlite3.SQLITE_PERM: "it may not be read: see to the owner and mode of file and folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: see to the owner and mode of file and folder",
    sqlite3.SQLITE_IOERR: "the disk does not read or write, or is full",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: stop all processes and restore a backup",
    sqlite3.SQLITE_NOTADB: "the file is no SQLite database",
}


def kind_of(error: sqlite3.Error) -> int:
    """Return the kind of an error, a primary result code; 0 where Python itself raised it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_harmless(error: sqlite3.Error) -> bool:
    """Whether the connection that raised it can be used again."""
    return kind_of(error) in _HARMLESS


def store_error(error: sqlite3.Error, path: str) -> StoreError:
    """Return what callers are told, and what an operator can do, where there is something.

    Args:
        error: of SQLite; its text names tables and columns, no values.
        path: of the file.
    """
    advice = _ADVICE.get(kind_of(error))
    reason = f"{error}" if advice is None else f"{advice} ({error})"
    told = StoreError(f"the database {path}: {reason}")
    told.__cause__ = error
    return told
