"""The tables of passkeys, and of the handles by which authenticators know their users."""

from __future__ import annotations

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

PASSKEYS = Migration(
    "passkeys",
    (
        Statement(
            """
            CREATE TABLE pwless_user_handles (
                user_id TEXT PRIMARY KEY,
                handle BYTEA NOT NULL UNIQUE
            )
            """
        ),
        Statement(
            """
            CREATE TABLE pwless_passkeys (
                id BYTEA PRIMARY KEY,
                user_id TEXT NOT NULL,
                public_key BYTEA NOT NULL,
                sign_count BIGINT NOT NULL,
                aaguid TEXT NOT NULL,
                transports TEXT NOT NULL,
                is_synced BIGINT NOT NULL,
                is_backed_up BIGINT NOT NULL,
                rp_id TEXT NOT NULL,
                name TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                used_at BIGINT
            )
            """
        ),
        Statement("CREATE INDEX pwless_passkeys_user ON pwless_passkeys (user_id)"),
    ),
)
