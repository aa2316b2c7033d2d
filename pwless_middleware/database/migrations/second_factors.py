"""The tables of second factors, recovery codes, trusted browsers, and resets."""

from __future__ import annotations

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

SECOND_FACTORS = Migration(
    "second factors",
    (
        # Ids are compared and sorted byte by byte; SQLite does so by itself.
        Statement(
            """
            CREATE TABLE pwless_factors (
                id TEXT PRIMARY KEY,
                user_id TEXT NOT NULL,
                kind TEXT NOT NULL,
                name TEXT NOT NULL,
                secret BYTEA NOT NULL,
                phone TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                used_at BIGINT
            )
            """,
            postgres="""
            CREATE TABLE pwless_factors (
                id TEXT COLLATE "C" PRIMARY KEY,
                user_id TEXT NOT NULL,
                kind TEXT NOT NULL,
                name TEXT NOT NULL,
                secret BYTEA NOT NULL,
                phone TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                used_at BIGINT
            )
            """,
        ),
        Statement("CREATE INDEX pwless_factors_user ON pwless_factors (user_id)"),
        Statement(
            """
            CREATE TABLE pwless_factor_generations (
                user_id TEXT PRIMARY KEY,
                generation BIGINT NOT NULL
            )
            """
        ),
        Statement(
            """
            CREATE TABLE pwless_recovery_codes (
                user_id TEXT NOT NULL,
                digest BYTEA NOT NULL,
                created_at BIGINT NOT NULL,
                used_at BIGINT,
                PRIMARY KEY (user_id, digest)
            )
            """
        ),
        Statement(
            """
            CREATE TABLE pwless_trusted_browsers (
                id BYTEA PRIMARY KEY,
                user_id TEXT NOT NULL,
                address BYTEA NOT NULL,
                device TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL,
                used_at BIGINT
            )
            """
        ),
        Statement("CREATE INDEX pwless_trusted_browsers_user ON pwless_trusted_browsers (user_id)"),
        Statement(
            "CREATE INDEX pwless_trusted_browsers_end ON pwless_trusted_browsers (expires_at)"
        ),
        Statement(
            """
            CREATE TABLE pwless_factor_resets (
                id BYTEA PRIMARY KEY,
                user_id TEXT NOT NULL,
                asked_by TEXT NOT NULL,
                asked_at BIGINT NOT NULL,
                due_at BIGINT NOT NULL,
                objected_at BIGINT,
                done_at BIGINT
            )
            """
        ),
        Statement("CREATE INDEX pwless_factor_resets_user ON pwless_factor_resets (user_id)"),
        # A user has one open reset at most, and those that are due are looked for often.
        Statement(
            "CREATE UNIQUE INDEX pwless_factor_resets_open ON pwless_factor_resets (user_id) "
            "WHERE objected_at IS NULL AND done_at IS NULL"
        ),
        Statement(
            "CREATE INDEX pwless_factor_resets_due ON pwless_factor_resets (due_at) "
            "WHERE objected_at IS NULL AND done_at IS NULL"
        ),
    ),
)
