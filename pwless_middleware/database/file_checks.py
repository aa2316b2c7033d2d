"""The checks of a database's file: where it stands, who may read it, and how full its disk is."""

from __future__ import annotations

import os
import shutil
import stat
from typing import Final

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.database.sqlite.file import NOT_OURS, check_folder
from pwless_middleware.errors import ConfigError
from pwless_middleware.text import Text

_MEGABYTE: Final = 1_000_000
_LITTLE: Final = 200 * _MEGABYTE
_TOO_LITTLE: Final = 20 * _MEGABYTE
"""Free bytes of a disk. The log of changes alone grows by 4 MB before it is used again."""


def check_file(path: str) -> list[Finding]:
    """Look at where a file stands, and who may read it; the last finding is of `database` where
    there is no file, or cannot be one.
    """
    folder = os.path.dirname(os.path.realpath(path))
    try:
        check_folder(folder)
        free = shutil.disk_usage(folder).free
    except ConfigError as error:
        return [Finding("fail", "database", error.problem)]
    findings = [check_disk(folder, free)]
    try:
        found = os.stat(path)
    except FileNotFoundError:
        text = Text("%(path)s is made as the app starts", path=path)
        return [*findings, Finding("ok", "database", text)]
    mode = f"{stat.S_IMODE(found.st_mode):04o}"
    if os.name == "posix" and found.st_mode & NOT_OURS:
        text = Text(
            "%(path)s has mode %(mode)s, so others of the machine can read sessions: chmod 600",
            path=path,
            mode=mode,
        )
        return [*findings, Finding("warn", "file_mode", text)]
    text = Text("%(path)s is for its owner alone", path=path)
    return [*findings, Finding("ok", "file_mode", text)]


def check_disk(folder: str, free: int) -> Finding:
    """Check how much room is left.

    Args:
        folder: of the database.
        free: bytes.
    """
    values = {"folder": folder, "free": f"{free // _MEGABYTE:,}"}
    if free < _TOO_LITTLE:
        text = Text(
            "%(folder)s has %(free)s MB free: make room, or nobody can sign in soon", **values
        )
        return Finding("fail", "disk", text)
    if free < _LITTLE:
        text = Text("%(folder)s has %(free)s MB free: make room", **values)
        return Finding("warn", "disk", text)
    return Finding("ok", "disk", Text("%(folder)s has %(free)s MB free", **values))
