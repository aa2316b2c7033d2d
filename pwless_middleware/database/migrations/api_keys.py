"""The table of API keys."""

from __future__ import annotations

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

API_KEYS = Migration(
    "API keys",
    (
        # Names are compared and sorted byte by byte; SQLite does so by itself.
        Statement(
            """
            CREATE TABLE pwless_api_keys (
                id TEXT PRIMARY KEY,
                name TEXT NOT NULL,
                generation BIGINT NOT NULL,
                digest BYTEA NOT NULL,
                scopes TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                made_by TEXT NOT NULL,
                expires_at BIGINT,
                revoked_at BIGINT,
                used_at BIGINT,
                UNIQUE (name, generation)
            )
            """,
            postgres="""
            CREATE TABLE pwless_api_keys (
                id TEXT COLLATE "C" PRIMARY KEY,
                name TEXT COLLATE "C" NOT NULL,
                generation BIGINT NOT NULL,
                digest BYTEA NOT NULL,
                scopes TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                made_by TEXT NOT NULL,
                expires_at BIGINT,
                revoked_at BIGINT,
                used_at BIGINT,
                UNIQUE (name, generation)
            )
            """,
        ),
    ),
)
