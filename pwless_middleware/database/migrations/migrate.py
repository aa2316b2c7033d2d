"""Bring the tables of a database up to date.

All steps that are missing are done in one transaction, so that one that fails leaves nothing. Who
finds the tables up to date writes nothing, and needs no right to create any: `pwless schema` prints
the SQL for whoever has it.
"""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.base import Engine
from pwless_middleware.database.migrations import MIGRATIONS
from pwless_middleware.database.statement import Statement, Steps
from pwless_middleware.errors import ConfigError

MAKE_SCHEMA: Final = Statement(
    "CREATE TABLE IF NOT EXISTS pwless_schema "
    "(version BIGINT PRIMARY KEY, name TEXT NOT NULL, at BIGINT NOT NULL)"
)
DONE: Final = Statement(
    "INSERT INTO pwless_schema (version, name, at) "
    "VALUES ($1, $2, CAST(strftime('%s', 'now') AS INTEGER))",
    postgres="INSERT INTO pwless_schema (version, name, at) "
    "VALUES ($1, $2, CAST(EXTRACT(EPOCH FROM now()) AS BIGINT))",
)
_FIND_SCHEMA = Statement(
    "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'pwless_schema'",
    postgres="SELECT 1 WHERE to_regclass('pwless_schema') IS NOT NULL",
)
_VERSION = Statement("SELECT COALESCE(MAX(version), 0) FROM pwless_schema")


async def migrate(engine: Engine) -> None:
    """Bring the tables up to date, exactly once however many processes start together.

    Raises:
        ConfigError: the tables are of a newer version of this package.
        StoreError: the database cannot be asked.
    """
    if is_up_to_date(await find_version(engine)):
        return
    await engine.transact(_migrate, locks=["schema"], is_long=True)


async def find_version(engine: Engine) -> int:
    """Return the version of the tables; 0 where there are none.

    Raises:
        StoreError: the database cannot be asked.
    """
    if not await engine.fetch(_FIND_SCHEMA()):
        return 0
    [(version,)] = await engine.fetch(_VERSION())
    return int(version)


def _migrate() -> Steps[None]:
    yield MAKE_SCHEMA()
    [(version,)] = yield _VERSION()
    if is_up_to_date(version):  # by another process, meanwhile
        return
    for number, migration in enumerate(MIGRATIONS[version:], version + 1):
        for statement in migration.statements:
            yield statement()
        yield DONE(number, migration.name)


def is_up_to_date(version: int) -> bool:
    """Whether tables of a version are those of this package.

    Raises:
        ConfigError: they are of a newer one.
    """
    if version > len(MIGRATIONS):
        raise ConfigError(
            "database",
            f"its tables are of version {version}, and this pwless-middleware knows them up to "
            f"{len(MIGRATIONS)}: install the version that made them, or a newer one",
        )
    return version == len(MIGRATIONS)
