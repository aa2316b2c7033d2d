"""The checks of the database: reachable, writable, its tables, and for a file where it stands.

Nothing is changed there: no file and no table is made or brought up to date, which is for the app,
as its own user.
"""

from __future__ import annotations

import asyncio
from typing import Final

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.database.database import Database
from pwless_middleware.database.file_checks import check_file
from pwless_middleware.database.migrations import MIGRATIONS
from pwless_middleware.errors import ConfigError, StoreError

PATIENCE: Final = 15.0


async def database(database: Database | None) -> tuple[list[Finding], bool]:
    """Look at a database, if there is one.

    Returns:
        What was found, and whether the app can be asked without changing it.
    """
    if database is None:
        return [], True
    findings: list[Finding] = []
    if database.path is not None:
        findings = check_file(database.path)
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
