"""What the delivery queue says to people: since when a job waits, and why it was put back."""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

JOBS: Final = Migration(
    "jobs",
    (
        Statement("ALTER TABLE pwless_jobs ADD COLUMN queued BIGINT NOT NULL DEFAULT 0"),
        Statement("ALTER TABLE pwless_jobs ADD COLUMN reason TEXT NOT NULL DEFAULT ''"),
        Statement("ALTER TABLE pwless_dead_jobs ADD COLUMN queued BIGINT NOT NULL DEFAULT 0"),
        Statement("ALTER TABLE pwless_dead_jobs ADD COLUMN buried BIGINT NOT NULL DEFAULT 0"),
    ),
)
