"""`schema`: print the SQL of the tables, for a database where the app may not create any.

    pwless schema --dialect postgresql | psql 'host=… user=owner dbname=…'

Once they are there, at the version of this package, the app needs no right to create: SELECT,
INSERT, UPDATE and DELETE on the tables whose names begin with `pwless_` are enough.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.errors import StoreError

if TYPE_CHECKING:
    from pwless_middleware.database.base import Engine


def add_to(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "schema",
        help="print the SQL of the database's tables",
        description="Print the SQL that makes the tables, or with a database what it still lacks, "
        "for whoever may create tables where the app may not.",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--database",
        metavar="URL",
        help="print what this one still lacks; no table is made [PWLESS_DATABASE_URL]",
    )
    which.add_argument(
        "--dialect", choices=["sqlite", "postgresql"], help="print everything, for such a database"
    )
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print the SQL, and on stderr what there is to say about it.

    Raises:
        UsageError: no database is named, or it cannot be asked.
        ConfigError: it is no URL of one, can never be used so, or is of a newer version.
    """
    from pwless_middleware.database.migrations.migrate import is_up_to_date
    from pwless_middleware.database.migrations.script import write_script
    from pwless_middleware.database.url import make_engine

    if options.dialect is not None:
        print(write_script(options.dialect), end="")
        return 0
    url = options.database or os.environ.get("PWLESS_DATABASE_URL", "").strip()
    if not url:
        raise UsageError("say for which: --dialect postgresql, --database URL, PWLESS_DATABASE_URL")
    engine = make_engine(url)
    try:
        version = asyncio.run(_find_version(engine))
    except StoreError as error:
        raise UsageError(str(error)) from None
    if not is_up_to_date(version):
        print(write_script(engine.dialect, since=version), end="")
    else:
        print(f"pwless: the tables are up to date (version {version})", file=sys.stderr)
    return 0


async def _find_version(engine: Engine) -> int:
    from pwless_middleware.database.migrations.migrate import find_version

    try:
        return await find_version(engine)
    finally:
        await engine.aclose()
