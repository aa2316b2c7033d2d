"""The table of test addresses."""

from __future__ import annotations

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

TEST_ADDRESSES = Migration(
    "test addresses",
    (
        # Addresses are compared and sorted byte by byte; SQLite does so by itself.
        Statement(
            """
            CREATE TABLE pwless_test_addresses (
                id TEXT PRIMARY KEY,
                email TEXT NOT NULL UNIQUE,
                secret BYTEA NOT NULL,
                networks TEXT NOT NULL,
                note TEXT NOT NULL,
                made_at BIGINT NOT NULL,
                made_by TEXT NOT NULL,
                ends_at BIGINT NOT NULL,
                user_id TEXT,
                used_at BIGINT
            )
            """,
            postgres="""
            CREATE TABLE pwless_test_addresses (
                id TEXT COLLATE "C" PRIMARY KEY,
                email TEXT COLLATE "C" NOT NULL UNIQUE,
                secret BYTEA NOT NULL,
                networks TEXT NOT NULL,
                note TEXT NOT NULL,
                made_at BIGINT NOT NULL,
                made_by TEXT NOT NULL,
                ends_at BIGINT NOT NULL,
                user_id TEXT,
                used_at BIGINT
            )
            """,
        ),
    ),
)
