"""The tables, in the order in which they came: numbered steps, each of which runs exactly once.

A new step goes to the end of `MIGRATIONS`, and is never changed once it was released. All tables
carry the prefix `pwless_`, so that they can stand in a database that is somebody else's.
"""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.base import Engine
from pwless_middleware.database.migrations.api_keys import API_KEYS
from pwless_middleware.database.migrations.events import EVENTS
from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.migrations.people import PEOPLE
from pwless_middleware.database.migrations.settings import SETTINGS
from pwless_middleware.database.migrations.store import STORE
from pwless_middleware.database.statement import Statement, Steps
from pwless_middleware.errors import ConfigError

MIGRATIONS: Final[tuple[Migration, ...]] = (PEOPLE, EVENTS, STORE, SETTINGS, API_KEYS)
"""All steps; the number of one is its place, from 1."""

_MAKE_SCHEMA = Statement("CREATE TABLE IF NOT EXISTS pwless_schema (version BIGINT PRIMARY KEY)")
_VERSION = Statement("SELECT COALESCE(MAX(version), 0) FROM pwless_schema")
_DONE = Statement("INSERT INTO pwless_schema (version) VALUES ($1)")


async def migrate(engine: Engine) -> None:
    """Bring the tables up to date, exactly once however many processes start together.

    Raises:
        ConfigError: the tables are of a newer version of this package.
        StoreError: the database cannot be asked.
    """
    await engine.transact(_migrate, locks=["schema"])


def _migrate() -> Steps[None]:
    yield _MAKE_SCHEMA()
    [(version,)] = yield _VERSION()
    if version > len(MIGRATIONS):
        raise ConfigError(
            "database", f"its tables are of version {version}, newer than this package knows"
        )
    for number, migration in enumerate(MIGRATIONS[version:], version + 1):
        for statement in migration.statements:
            yield statement()
        yield _DONE(number)
