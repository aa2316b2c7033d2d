"""The table of changed addresses."""

from __future__ import annotations

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

ADDRESS_CHANGES = Migration(
    "address changes",
    (
        Statement(
            """
            CREATE TABLE pwless_address_changes (
                id BYTEA PRIMARY KEY,
                user_id TEXT NOT NULL,
                number BIGINT NOT NULL,
                old_email TEXT NOT NULL,
                new_email TEXT NOT NULL,
                changed_at BIGINT NOT NULL,
                device TEXT NOT NULL,
                language TEXT NOT NULL,
                undone_at BIGINT,
                UNIQUE (user_id, number)
            )
            """
        ),
        Statement("CREATE INDEX pwless_address_changes_old ON pwless_address_changes (old_email)"),
    ),
)
