"""What is counted of events by method, reason and time, and which people were active."""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

EVENT_COUNTERS: Final = Migration(
    "event counters",
    (
        # Sorted byte by byte, as SQLite does by itself.
        Statement(
            "CREATE TABLE pwless_event_counters ("
            " span TEXT NOT NULL,"
            " start BIGINT NOT NULL,"
            " kind TEXT NOT NULL,"
            " label TEXT NOT NULL,"
            " value TEXT NOT NULL,"
            " count BIGINT NOT NULL,"
            " PRIMARY KEY (span, start, kind, label, value))",
            postgres="CREATE TABLE pwless_event_counters ("
            ' span TEXT COLLATE "C" NOT NULL,'
            " start BIGINT NOT NULL,"
            ' kind TEXT COLLATE "C" NOT NULL,'
            ' label TEXT COLLATE "C" NOT NULL,'
            ' value TEXT COLLATE "C" NOT NULL,'
            " count BIGINT NOT NULL,"
            " PRIMARY KEY (span, start, kind, label, value))",
        ),
        Statement(
            "CREATE TABLE pwless_active_people ("
            " user_id TEXT NOT NULL,"
            " span TEXT NOT NULL,"
            " start BIGINT NOT NULL,"
            " PRIMARY KEY (user_id, span, start))",
            postgres="CREATE TABLE pwless_active_people ("
            ' user_id TEXT COLLATE "C" NOT NULL,'
            ' span TEXT COLLATE "C" NOT NULL,'
            " start BIGINT NOT NULL,"
            " PRIMARY KEY (user_id, span, start))",
        ),
        Statement("CREATE INDEX pwless_active_people_start ON pwless_active_people (span, start)"),
        # What was counted by the hour until now.
        Statement(
            "INSERT INTO pwless_event_counters (span, start, kind, label, value, count)"
            " SELECT 'day', hour - hour % 86400, kind, 'method', method, CAST(SUM(count) AS BIGINT)"
            " FROM pwless_event_counts WHERE organization = ''"
            " GROUP BY hour - hour % 86400, kind, method"
        ),
    ),
)
