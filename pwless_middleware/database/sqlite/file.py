"""The file: made for its owner alone, refused where it cannot be kept, and known again.

Sessions and addresses stand in it, so nobody else of the machine may read it (security rule 70).
SQLite gives its two companions, `-wal` and `-shm`, the mode of the file itself.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from pwless_middleware.database.sqlite.mounts import find_network_file_system
from pwless_middleware.errors import ConfigError, StoreError

LOCK: Final = "-lock"
_LOG: Final = ("-wal", "-shm")
"""What is committed stands in the first until SQLite moves it to the file; the second is its index.
Both stand there for as long as anybody has the file open."""
_COMPANIONS: Final = (*_LOG, LOCK)
NOT_OURS: Final = 0o077
"""What group and others may do."""


class File:
    """Name one file, and tell whether it is still the one that was opened.

    Args:
        path: of the file; a relative one counts from where the process is now.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        self._identity: tuple[int, int] | None = None
        self._log: dict[str, tuple[int, int]] = {}

    @property
    def is_known(self) -> bool:
        """Whether it was opened before, by this object."""
        return self._identity is not None

    def prepare(self) -> None:
        """See that the file is there, and private.

        Raises:
            ConfigError: it cannot be kept there, and what to do.
            StoreError: the disk is full or broken.
        """
        self.path = path = os.path.realpath(self.path)
        check_folder(os.path.dirname(path))
        try:
            _make(path)
            _see_to(path)
        except PermissionError as error:
            raise ConfigError(
                "database", f"{error.filename or path} may not be used: {_advice(path)}"
            ) from error
        except OSError as error:
            if error.errno == errno.EROFS:
                raise ConfigError("database", f"{path} is on a read-only file system") from error
            raise StoreError(f"the database {path}: {error.strerror}") from error

    def know(self) -> None:
        """Take the file that is there now for ours."""
        self._identity = _identity(self.path)

    def know_log(self) -> None:
        """Take the log that is there now for ours: a transaction has begun, which opens it."""
        if not self._log:
            self._log = {path: _identity(path) for path in (self.path + each for each in _LOG)}

    def forget_log(self) -> None:
        """Let the log go, which may be removed and made anew while nothing of ours is open."""
        self._log = {}

    def check(self) -> None:
        """Return if file and log are those that were opened. Else what is written would be lost.

        Raises:
            StoreError: one was deleted, moved or replaced.
        """
        try:
            found = _identity(self.path)
        except OSError as error:
            raise StoreError(
                f"the database {self.path} was deleted or moved while it was in use: "
                "put it back, or restart"
            ) from error
        if self._identity != found:
            raise StoreError(f"the database {self.path} was replaced while it was in use: restart")
        for path, opened in self._log.items():
            if _find_identity(path) != opened:
                raise StoreError(
                    f"the log {path} was deleted or replaced while it was in use: stop all "
                    "processes, then start them"
                )


def _identity(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _find_identity(path: str) -> tuple[int, int] | None:
    try:
        return _identity(path)
    except OSError:
        return None


def check_folder(folder: str) -> None:
    """Return if a database can be kept in a folder.

    Raises:
        ConfigError: it is missing, or on a network file system.
    """
    if not os.path.isdir(folder):
        raise ConfigError("database", f"its folder {folder} is missing: make it")
    network = find_network_file_system(folder)
    if network is not None:
        raise ConfigError(
            "database",
            f"{folder} is a network file system ({network}), where SQLite's locks do not hold: "
            "keep it on a disk of this machine, or take PostgreSQL",
        )


def _make(path: str) -> None:
    """Make the file, unless it is there.

    It is opened for that alone: to close an open file of a database would drop all locks that this
    process has on it (https://www.sqlite.org/howtocorrupt.html, 2.2).
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return


def _see_to(path: str) -> None:
    """Take from group and others what they may do with an older file.

    Raises:
        ConfigError: it is no file, or may not be written.
        PermissionError: it is somebody else's.
    """
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError("database", f"{path} is no file: name one")
    if not os.access(path, os.R_OK | os.W_OK) or not os.access(os.path.dirname(path), os.W_OK):
        raise ConfigError("database", f"{path} may not be written: {_advice(path)}")
    if os.name != "posix":
        return
    for each in (path, *(path + ending for ending in _COMPANIONS)):
        try:
            if os.stat(each).st_mode & NOT_OURS:
                os.chmod(each, 0o600)
        except FileNotFoundError:
            continue


def _advice(path: str) -> str:
    folder = os.path.dirname(path)
    return f"file and folder ({folder}) must belong to the user that the app runs as, mode 0600"
