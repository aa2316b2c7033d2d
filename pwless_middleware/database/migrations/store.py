"""The tables of the store (`stores.sql`): entries, the delivery queue, what was dropped."""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

STORE: Final = Migration(
    "store",
    (
        Statement(
            "CREATE TABLE pwless_entries (key TEXT PRIMARY KEY, value BYTEA NOT NULL,"
            " until BIGINT NOT NULL, listed TEXT) WITHOUT ROWID",
            postgres='CREATE TABLE pwless_entries (key TEXT COLLATE "C" PRIMARY KEY,'
            ' value BYTEA NOT NULL, until BIGINT NOT NULL, listed TEXT COLLATE "C")',
        ),
        Statement("CREATE INDEX pwless_entries_until ON pwless_entries (until)"),
        Statement(
            "CREATE INDEX pwless_entries_listed ON pwless_entries (listed) WHERE listed IS NOT NULL"
        ),
        # Numbers never come again: a late `complete` must not meet another job.
        Statement(
            "CREATE TABLE pwless_jobs (id INTEGER PRIMARY KEY AUTOINCREMENT,"
            " payload BYTEA NOT NULL, lane BIGINT NOT NULL DEFAULT 0, due BIGINT NOT NULL,"
            " tries BIGINT NOT NULL DEFAULT 0, worker TEXT, until BIGINT NOT NULL DEFAULT 0,"
            " seen BIGINT NOT NULL DEFAULT 0)",
            postgres="CREATE TABLE pwless_jobs ("
            "id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
            " payload BYTEA NOT NULL, lane BIGINT NOT NULL DEFAULT 0, due BIGINT NOT NULL,"
            " tries BIGINT NOT NULL DEFAULT 0, worker TEXT, until BIGINT NOT NULL DEFAULT 0,"
            " seen BIGINT NOT NULL DEFAULT 0)",
        ),
        Statement("CREATE INDEX pwless_jobs_due ON pwless_jobs (lane, due)"),
        Statement(
            "CREATE TABLE pwless_dead_jobs (id INTEGER PRIMARY KEY AUTOINCREMENT,"
            " job BIGINT NOT NULL, payload BYTEA NOT NULL, tries BIGINT NOT NULL,"
            " reason TEXT NOT NULL)",
            postgres="CREATE TABLE pwless_dead_jobs ("
            "id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
            " job BIGINT NOT NULL, payload BYTEA NOT NULL, tries BIGINT NOT NULL,"
            " reason TEXT NOT NULL)",
        ),
        # The newest row always stands, so that the next number is always a new one.
        Statement(
            "CREATE TABLE pwless_drops (id INTEGER PRIMARY KEY, key TEXT NOT NULL)",
            postgres="CREATE TABLE pwless_drops (id BIGINT PRIMARY KEY, key TEXT NOT NULL)",
        ),
        Statement("INSERT INTO pwless_drops (id, key) VALUES (1, '')"),
    ),
)
