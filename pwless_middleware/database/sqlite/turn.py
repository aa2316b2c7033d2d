"""Whose turn it is to write, among the processes of a machine.

SQLite lets one write at a time, and has the others sleep and look again: under load the unlucky
wait for a second. The lock of a file beside it (`flock`) wakes them as soon as it is free; the
longest wait of four busy processes is then some 20 ms. It is given back by the system where its
process ends, however it ends. SQLite's own lock still holds beneath it, against other programs,
and alone where there is no `flock` (Windows).
"""

from __future__ import annotations

import os
import sys
from types import TracebackType

if sys.platform != "win32":
    import fcntl


class Turn:
    """Hold the lock of a file: `with turn:`. It waits for as long as another holds it.

    Args:
        path: of the file, which is made if it is missing, for its owner alone.
        beside: the database, whose owner it gets; a command that root runs locks nobody out.

    Raises:
        OSError: the file cannot be opened or made.
    """

    def __init__(self, path: str, *, beside: str) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if sys.platform != "win32" and os.geteuid() == 0:
            owner = os.stat(beside)
            os.fchown(self._descriptor, owner.st_uid, owner.st_gid)

    def __enter__(self) -> None:
        if sys.platform != "win32":
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        # Said, not left to closing: a process that was forked meanwhile holds the same lock.
        if sys.platform != "win32":
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
