"""What one process has open of a file: connections that read, and the thread that writes."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import Final, TypeVar

from pwless_middleware.database.sqlite.errors import (
    BUSY,
    DAMAGED,
    is_harmless,
    kind_of,
    store_error,
)
from pwless_middleware.database.sqlite.file import File
from pwless_middleware.database.sqlite.outage import Outage
from pwless_middleware.database.sqlite.readers import Readers
from pwless_middleware.database.sqlite.writer import Writer
from pwless_middleware.database.statement import Query, Row
from pwless_middleware.errors import StoreError

T = TypeVar("T")

_LOOK_SECONDS: Final = 1.0
"""How often reads look whether the file is still there; each write does."""


class OpenFile:
    """Read and write a file from this process, in any of its threads and event loops.

    Args:
        path: of the file, absolute.
        is_durable: a commit outlasts a power cut.
    """

    def __init__(self, path: str, *, is_durable: bool) -> None:
        self._pid = os.getpid()
        self._file = File(path)
        self._readers = Readers()
        self._outage = Outage("read")
        self._look_at = 0.0
        self._writer = Writer(self._file, is_durable=is_durable, on_stop=self._readers.close)
        self.write = self._writer.run

    def is_of_this_process(self) -> bool:
        """Whether it was not inherited in a fork."""
        return self._pid == os.getpid()

    def is_usable(self) -> bool:
        """Whether it is of this process, and the file was opened once."""
        return self._file.is_known and self._pid == os.getpid()

    def read(self, query: Query) -> list[Row] | None:
        """Return the rows of a query, or `None` where it would have to wait for them.

        Raises:
            StoreError: it cannot be read.
        """
        try:
            if self._writer.damage is not None:
                raise StoreError(self._writer.damage)
            now = time.monotonic()
            if now >= self._look_at:
                self._file.check()
                self._look_at = now + _LOOK_SECONDS
            rows = self._readers.read(self._file.path, query)
        except StoreError as error:
            self._outage.begin(str(error))
            raise
        except sqlite3.Error as error:
            if kind_of(error) in BUSY:
                return None
            told = store_error(error, self._file.path)
            if not is_harmless(error):
                self._outage.begin(str(told))
            if kind_of(error) in DAMAGED:
                self._writer.damage = str(told)
            raise told from error
        if self._outage.is_on:
            self._outage.end()
        return rows

    def close(self, seconds: float) -> None:
        """Close everything once what was asked for is done; wait so long for that, at most."""
        if self.is_of_this_process():
            self._writer.stop()
            self._writer.join(seconds)
