"""The migrations as SQL, for those whose app may not create tables."""

from __future__ import annotations

from textwrap import dedent

from pwless_middleware.database.base import Dialect
from pwless_middleware.database.migrations import MIGRATIONS
from pwless_middleware.database.migrations.migrate import DONE, MAKE_SCHEMA
from pwless_middleware.database.statement import Statement


def write_script(dialect: Dialect, *, since: int = 0) -> str:
    """Return the SQL that makes the tables, or brings them up to date, in one transaction.

    Args:
        dialect: of the database.
        since: the version of the tables that are there; 0 for none.

    Returns:
        An empty text where nothing is missing.
    """
    if since >= len(MIGRATIONS):
        return ""
    lines = ["BEGIN;", _text(MAKE_SCHEMA, dialect)]
    for number, migration in enumerate(MIGRATIONS[since:], since + 1):
        lines += ["", f"-- {number}: {migration.name}"]
        lines += [_text(statement, dialect) for statement in migration.statements]
        lines.append(_text(DONE, dialect, str(number), f"'{migration.name}'"))
    return "\n".join([*lines, "", "COMMIT;", ""])


def _text(statement: Statement, dialect: Dialect, *values: str) -> str:
    """Return a statement with constants of ours in its places."""
    text = statement.sqlite if dialect == "sqlite" else statement.postgres
    for number, value in enumerate(values, 1):
        text = text.replace("?" if dialect == "sqlite" else f"${number}", value, 1)
    return f"{dedent(text).strip()};"
