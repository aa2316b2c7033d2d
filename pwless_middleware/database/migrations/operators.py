"""The table of the operators of the dashboard."""

from __future__ import annotations

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

OPERATORS = Migration(
    "operators",
    (
        # Ids are compared and sorted byte by byte; SQLite does so by itself.
        Statement(
            """
            CREATE TABLE pwless_operators (
                user_id TEXT PRIMARY KEY,
                role TEXT NOT NULL,
                added_at BIGINT NOT NULL,
                made_by TEXT NOT NULL,
                removed_at BIGINT
            )
            """,
            postgres="""
            CREATE TABLE pwless_operators (
                user_id TEXT COLLATE "C" PRIMARY KEY,
                role TEXT NOT NULL,
                added_at BIGINT NOT NULL,
                made_by TEXT NOT NULL,
                removed_at BIGINT
            )
            """,
        ),
        Statement(
            "CREATE INDEX pwless_operators_by_removal ON pwless_operators (removed_at, user_id)"
        ),
    ),
)
