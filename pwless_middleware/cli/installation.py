"""Which installation a command works on: its database alone, or its whole configuration.

    add_arguments(parser)                     # --app, --factory, --database, --secret-key-file
    database = find_database(options)         # for what needs no more
    passwordless = find_passwordless(options) # for what also needs the keys and the store
    async with serve_nobody(passwordless): ...

The configuration is that of the app, as `check` finds it, or that of the `PWLESS_…` variables, as
`run` reads it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from pwless_middleware.cli.importing import UsageError, load
from pwless_middleware.errors import ConfigError

if TYPE_CHECKING:
    from pwless_middleware.database.database import Database
    from pwless_middleware.passwordless import Passwordless

WHICH = (
    "say which installation: --app module:app, or PWLESS_BASE_URL and what else `pwless run` reads"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that name an installation to a command's parser."""
    group = parser.add_argument_group("the installation")
    group.add_argument(
        "--app",
        metavar="module:app",
        help="the app, as for check; without it the PWLESS_… variables say everything, as for run",
    )
    group.add_argument("--factory", action="store_true", help="module:app makes the app")
    group.add_argument(
        "--database",
        metavar="URL",
        help="its database; better in the variable, if there is a password [PWLESS_DATABASE_URL]",
    )
    group.add_argument("--secret-key-file", metavar="FILE", help="as for run")


def find_database(options: argparse.Namespace, *, may_make: bool = False) -> Database:
    """Return the database, for a command that needs nothing else.

    Args:
        options: the command's, with those of `add_arguments`.
        may_make: whether a SQLite file that is not there is made. What only reads does not: a
            slip in the name would be an empty database, and whoever runs the command its owner.

    Raises:
        UsageError: neither a URL nor an app was named, or the file is missing.
        ConfigError: it is no URL of a database, or an option of the app is wrong.
        AppFailed: the app's own code raised.
    """
    url = _database_url(options)
    if url is not None:
        from pwless_middleware.database.database import Database

        return _existing(Database(url), may_make)
    if options.app is None:
        raise UsageError("say which database: --database URL, PWLESS_DATABASE_URL, or --app")
    return _existing(_require_database(find_passwordless(options), options.app), may_make)


def _existing(database: Database, may_make: bool) -> Database:
    if database.path is not None and not may_make and not os.path.exists(database.path):
        raise UsageError(
            f"there is no database {os.path.abspath(database.path)}: name its file, "
            "or start the app, which makes it"
        )
    return database


def find_passwordless(options: argparse.Namespace) -> Passwordless:
    """Return what serves the installation; it has begun nothing.

    Raises:
        UsageError: no installation is named, there is no login in the app, or there are several.
        ConfigError: an option is missing or wrong.
        AppFailed: the app's own code raised.
    """
    if options.app is None:
        return _build(options)
    from pwless_middleware.discovery import find

    app = load(options.app, factory=options.factory)
    several: dict[int, Passwordless] = {}
    for found in find(app):
        several.setdefault(id(found.middleware.passwordless), found.middleware.passwordless)
    if len(several) != 1:
        raise UsageError(
            f"there is no PasswordlessMiddleware in {options.app}: name the object that your "
            "server serves"
            if not several
            else f"there are {len(several)} logins in {options.app}: name the object of one"
        )
    (passwordless,) = several.values()
    if options.database is not None:
        raise UsageError("--database: the app says which database it has; leave one of them out")
    return passwordless


BY: Final = "command_line"
"""Who did it, in the events."""
OUT_OF_REACH: Final = (
    "pwless: sessions are in the memory of the app's process, out of reach: restart it, or give it "
    "a store that others can reach"
)
UNHEARD: Final = (
    "pwless: the store is in the memory of the app's process, which cannot be told: it looks again "
    "within 30 seconds"
)


def note_unheard(passwordless: Passwordless) -> None:
    """Say so where running processes cannot be told at once what a command has changed."""
    from pwless_middleware.stores.memory import MemoryStore

    if isinstance(passwordless.store, MemoryStore):
        print(UNHEARD, file=sys.stderr)


@asynccontextmanager
async def serve_nobody(passwordless: Passwordless) -> AsyncIterator[Passwordless]:
    """Hold store and database open for a command: nothing is delivered and nothing begins.

    Raises:
        ConfigError: store or database can never be used as they are set up.
        StoreError: one of them cannot be reached.
    """
    passwordless.lifetime.serve_only()
    try:
        if passwordless.database is not None:
            await passwordless.database.open()
        await passwordless.store.open()
        yield passwordless
        await passwordless.lifetime.flush_events()
    finally:
        await passwordless.store.aclose()
        if passwordless.database is not None:
            await passwordless.database.aclose()


def _build(options: argparse.Namespace) -> Passwordless:
    from pwless_middleware.cli.run import build
    from pwless_middleware.cli.settings import Settings, complete

    environ = dict(os.environ)
    if options.database is not None:
        environ["PWLESS_DATABASE_URL"] = options.database
    if not environ.get("PWLESS_BASE_URL"):
        raise UsageError(WHICH)
    complete(environ, key_file=options.secret_key_file)
    # The app behind the login is not looked at.
    return build(Settings.read({"PWLESS_APP": "-", **environ}))


def _database_url(options: argparse.Namespace) -> str | None:
    if options.database is not None:
        return str(options.database)
    if options.app is not None:
        return None
    return os.environ.get("PWLESS_DATABASE_URL", "").strip() or None


def _require_database(passwordless: Passwordless, app: str) -> Database:
    if passwordless.database is None:
        raise ConfigError("database", f'{app} has none: add database="sqlite:///pwless.db"')
    return passwordless.database
