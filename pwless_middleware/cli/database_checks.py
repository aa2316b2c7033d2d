"""The checks of the database: reachable, writable, its tables, and for a file where it stands.

Nothing is changed there: no file and no table is made or brought up to date, which is for the app,
as its own user.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from typing import Final

from pwless_middleware.cli.findings import Finding
from pwless_middleware.database.database import Database
from pwless_middleware.database.migrations import MIGRATIONS
from pwless_middleware.database.sqlite.file import NOT_OURS, check_folder
from pwless_middleware.errors import ConfigError, StoreError

PATIENCE: Final = 15.0
_MEGABYTE: Final = 1_000_000
_LITTLE: Final = 200 * _MEGABYTE
_TOO_LITTLE: Final = 20 * _MEGABYTE
"""Free bytes of a disk. The log of changes alone grows by 4 MB before it is used again."""


async def database(database: Database | None) -> tuple[list[Finding], bool]:
    """Look at a database, if there is one.

    Returns:
        What was found, and whether the app can be asked without changing it.
    """
    if database is None:
        return [], True
    findings: list[Finding] = []
    if database.path is not None:
        findings = _file(database.path)
        if findings[-1].check == "database":
            return findings, False
    found, is_up_to_date = await _ask(database)
    return [*findings, found], is_up_to_date


async def _ask(database: Database) -> tuple[Finding, bool]:
    try:
        async with asyncio.timeout(PATIENCE):
            version = await database.find_version()
            if version == len(MIGRATIONS):
                await database.ping()
    except (StoreError, ConfigError) as error:
        return Finding("fail", "database", str(error).removeprefix("database: ")), False
    finally:
        await database.aclose()
    if version > len(MIGRATIONS):
        text = f"its tables are of version {version}, and this package knows them up to "
        text += f"{len(MIGRATIONS)}: install the version that made them, or a newer one"
        return Finding("fail", "database", text), False
    if version < len(MIGRATIONS):
        text = f"answers; its tables ({version} of {len(MIGRATIONS)}) are brought up to date as "
        text += "the app starts, or by the SQL of `pwless schema`"
        return Finding("ok", "database", text), False
    kind = "SQLite, with a write-ahead log" if database.path is not None else "PostgreSQL"
    text = f"answers and can be written ({kind}, version {version})"
    return Finding("ok", "database", text), True


def _file(path: str) -> list[Finding]:
    """Look at where a file stands, and who may read it."""
    folder = os.path.dirname(os.path.realpath(path))
    try:
        check_folder(folder)
        free = shutil.disk_usage(folder).free
    except ConfigError as error:
        return [Finding("fail", "database", error.problem)]
    findings = [_disk(folder, free)]
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return [*findings, Finding("ok", "database", f"{path} is made as the app starts")]
    if os.name == "posix" and found.st_mode & NOT_OURS:
        mode = stat.S_IMODE(found.st_mode)
        text = f"{path} has mode {mode:04o}, so others of the machine can read sessions: chmod 600"
        return [*findings, Finding("warn", "file_mode", text)]
    return [*findings, Finding("ok", "file_mode", f"{path} is for its owner alone")]


def _disk(folder: str, free: int) -> Finding:
    text = f"{folder} has {free // _MEGABYTE:,} MB free"
    if free < _TOO_LITTLE:
        return Finding("fail", "disk", f"{text}: make room, or nobody can sign in soon")
    if free < _LITTLE:
        return Finding("warn", "disk", f"{text}: make room")
    return Finding("ok", "disk", text)
