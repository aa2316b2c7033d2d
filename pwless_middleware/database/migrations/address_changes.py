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

ADDRESS_REQUESTS = Migration(
    "address requests",
    (
        Statement(
            """
            CREATE TABLE pwless_address_requests (
                id BYTEA PRIMARY KEY,
                user_id TEXT NOT NULL UNIQUE,
                old_email TEXT NOT NULL,
                new_email TEXT NOT NULL,
                asked_by TEXT NOT NULL,
                asked_at BIGINT NOT NULL,
                language TEXT NOT NULL
            )
            """
        ),
        Statement(
            "CREATE INDEX pwless_address_requests_asked ON pwless_address_requests (asked_at)"
        ),
    ),
)
"""Changes of address that somebody else has asked for, and that wait to be confirmed."""
