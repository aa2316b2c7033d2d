"""The tables of people."""

from __future__ import annotations

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

PEOPLE = Migration(
    "people",
    (
        # An address is compared and sorted byte by byte; SQLite does so by itself.
        Statement(
            """
            CREATE TABLE pwless_people (
                id TEXT PRIMARY KEY,
                email TEXT UNIQUE,
                name TEXT NOT NULL,
                language TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                seen_at BIGINT,
                disabled_at BIGINT
            )
            """,
            postgres="""
            CREATE TABLE pwless_people (
                id TEXT COLLATE "C" PRIMARY KEY,
                email TEXT COLLATE "C" UNIQUE,
                name TEXT NOT NULL,
                language TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                seen_at BIGINT,
                disabled_at BIGINT
            )
            """,
        ),
        Statement("CREATE TABLE pwless_deleted_people (digest BYTEA PRIMARY KEY)"),
        Statement("CREATE TABLE pwless_peppers (name TEXT PRIMARY KEY, value BYTEA NOT NULL)"),
    ),
)

PEOPLE_LISTS = Migration(
    "lists of people",
    (
        Statement("CREATE INDEX pwless_people_created ON pwless_people (created_at, id)"),
        Statement(
            "CREATE INDEX pwless_people_disabled ON pwless_people (email) "
            "WHERE disabled_at IS NOT NULL"
        ),
    ),
)
"""Who came last, and who is disabled: found among all without reading all."""
