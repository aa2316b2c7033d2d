"""What one verb has read, what it changes, and what it sees of its own changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.stores.base import Put


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: a record, a budget's ledger, or the answer to an operation.

    Attributes:
        value: what.
        until: unix seconds at which it is absent again.
        listed: the list to which it belongs; `None` for none.
    """

    value: bytes = field(repr=False)
    until: int
    listed: str | None = None


class Entries:
    """Hold the entries of one verb, or of several that are done together.

    Args:
        rows: what stands in the database: key, value, until, listed.
        waiting: how many jobs wait in the queue; 0 where the verb adds none.
        max_jobs: how many may.

    Attributes:
        changes: what the verb has written; `None` for what is removed.
        jobs: payload and second of what it has queued.
        published: the drops to tell on the feed.
    """

    def __init__(
        self, rows: Iterable[tuple[str, bytes, int, str | None]], *, waiting: int, max_jobs: int
    ) -> None:
        self._read = {row[0]: Entry(row[1], row[2], row[3]) for row in rows}
        self._room = max_jobs - waiting
        self.changes: dict[str, Entry | None] = {}
        self.jobs: list[tuple[bytes, int]] = []
        self.published: list[str] = []

    def find(self, key: str) -> Entry | None:
        """Return what stands under a key, whether or not it has ended."""
        return self.changes[key] if key in self.changes else self._read.get(key)

    def find_live(self, key: str, now: int) -> Entry | None:
        """Return what stands under a key, or `None` if it is absent at `now`."""
        entry = self.find(key)
        return entry if entry is not None and entry.until > now else None

    def value(self, key: str, now: int) -> bytes | None:
        """Return a record's value, or `None` if it is absent at `now`."""
        entry = self.find_live(key, now)
        return None if entry is None else entry.value

    def was_there(self, key: str) -> bool:
        """Whether a row stood under a key when the verb began."""
        return key in self._read

    def put(self, put: Put, now: int) -> None:
        """Write a record; one that has ended already is removed instead."""
        if put.until > now:
            self.changes[put.key] = Entry(put.value, put.until, put.listed)
        else:
            self.remove(put.key)

    def set(self, key: str, value: bytes, until: int) -> None:
        """Write what is no record: a ledger, an answer."""
        self.changes[key] = Entry(value, until)

    def remove(self, key: str) -> None:
        """Remove what stands under a key, if anything does."""
        self.changes[key] = None

    def has_room(self, jobs: int) -> bool:
        """Whether the queue can take so many more."""
        return len(self.jobs) + jobs <= self._room
