"""The table of settings."""

from __future__ import annotations

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

SETTINGS = Migration(
    "settings",
    (
        Statement(
            """
            CREATE TABLE pwless_settings (
                version BIGINT PRIMARY KEY,
                at BIGINT NOT NULL,
                made_by TEXT NOT NULL,
                record TEXT NOT NULL
            )
            """
        ),
    ),
)
