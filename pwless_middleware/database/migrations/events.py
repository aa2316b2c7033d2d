"""Events, and how many there were in each hour."""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

EVENTS: Final = Migration(
    "events",
    (
        Statement(
            "CREATE TABLE pwless_events ("
            " id BIGINT PRIMARY KEY,"
            " at BIGINT NOT NULL,"
            " kind TEXT NOT NULL,"
            " attempt TEXT,"
            " user_id TEXT,"
            " organization TEXT,"
            " address TEXT,"
            " email TEXT,"
            " performed_by TEXT,"
            " caller TEXT,"
            " client TEXT,"
            " device TEXT,"
            " method TEXT,"
            " session TEXT,"
            " reason TEXT,"
            " numbers TEXT,"
            " details TEXT)"
        ),
        Statement("CREATE INDEX pwless_events_by_kind ON pwless_events (kind, id)"),
        Statement(
            "CREATE INDEX pwless_events_by_attempt ON pwless_events (attempt, id)"
            " WHERE attempt IS NOT NULL"
        ),
        Statement(
            "CREATE INDEX pwless_events_by_user ON pwless_events (user_id, id)"
            " WHERE user_id IS NOT NULL"
        ),
        Statement(
            "CREATE INDEX pwless_events_by_address ON pwless_events (address, id)"
            " WHERE address IS NOT NULL"
        ),
        Statement(
            "CREATE INDEX pwless_events_by_organization ON pwless_events (organization, id)"
            " WHERE organization IS NOT NULL"
        ),
        Statement(
            "CREATE TABLE pwless_event_counts ("
            " organization TEXT NOT NULL,"
            " hour BIGINT NOT NULL,"
            " kind TEXT NOT NULL,"
            " method TEXT NOT NULL,"
            " count BIGINT NOT NULL,"
            " PRIMARY KEY (organization, hour, kind, method))"
        ),
    ),
)
