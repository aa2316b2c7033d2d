"""The tables of webhooks, and of what is sent to them."""

from __future__ import annotations

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

WEBHOOKS = Migration(
    "webhooks",
    (
        # Ids are compared and sorted byte by byte; SQLite does so by itself.
        Statement(
            """
            CREATE TABLE pwless_webhooks (
                id TEXT PRIMARY KEY,
                url TEXT NOT NULL,
                description TEXT NOT NULL,
                kinds TEXT NOT NULL,
                off_reason TEXT,
                secret BYTEA NOT NULL,
                old_secret BYTEA,
                old_until BIGINT,
                created_at BIGINT NOT NULL,
                made_by TEXT NOT NULL,
                version BIGINT NOT NULL,
                failing_since BIGINT,
                deleted_at BIGINT
            )
            """,
            postgres="""
            CREATE TABLE pwless_webhooks (
                id TEXT COLLATE "C" PRIMARY KEY,
                url TEXT NOT NULL,
                description TEXT NOT NULL,
                kinds TEXT NOT NULL,
                off_reason TEXT,
                secret BYTEA NOT NULL,
                old_secret BYTEA,
                old_until BIGINT,
                created_at BIGINT NOT NULL,
                made_by TEXT NOT NULL,
                version BIGINT NOT NULL,
                failing_since BIGINT,
                deleted_at BIGINT
            )
            """,
        ),
        Statement(
            """
            CREATE TABLE pwless_webhook_deliveries (
                webhook_id TEXT NOT NULL,
                event_id TEXT NOT NULL,
                kind TEXT NOT NULL,
                at BIGINT NOT NULL,
                body TEXT NOT NULL,
                user_id TEXT,
                performed_by TEXT,
                state TEXT NOT NULL,
                tries BIGINT NOT NULL,
                tries_left BIGINT NOT NULL,
                next_at BIGINT,
                tried_at BIGINT,
                status BIGINT,
                fault TEXT NOT NULL,
                answer TEXT NOT NULL,
                milliseconds BIGINT,
                PRIMARY KEY (webhook_id, event_id)
            )
            """,
            postgres="""
            CREATE TABLE pwless_webhook_deliveries (
                webhook_id TEXT COLLATE "C" NOT NULL,
                event_id TEXT COLLATE "C" NOT NULL,
                kind TEXT NOT NULL,
                at BIGINT NOT NULL,
                body TEXT NOT NULL,
                user_id TEXT,
                performed_by TEXT,
                state TEXT NOT NULL,
                tries BIGINT NOT NULL,
                tries_left BIGINT NOT NULL,
                next_at BIGINT,
                tried_at BIGINT,
                status BIGINT,
                fault TEXT NOT NULL,
                answer TEXT NOT NULL,
                milliseconds BIGINT,
                PRIMARY KEY (webhook_id, event_id)
            )
            """,
        ),
        Statement(
            "CREATE INDEX pwless_webhook_deliveries_by_state "
            "ON pwless_webhook_deliveries (webhook_id, state, event_id)"
        ),
        Statement(
            "CREATE INDEX pwless_webhook_deliveries_due "
            "ON pwless_webhook_deliveries (next_at) WHERE next_at IS NOT NULL"
        ),
        Statement(
            "CREATE INDEX pwless_webhook_deliveries_by_user "
            "ON pwless_webhook_deliveries (user_id, webhook_id, event_id) WHERE user_id IS NOT NULL"
        ),
        Statement(
            "CREATE INDEX pwless_webhook_deliveries_by_performer "
            "ON pwless_webhook_deliveries (performed_by) WHERE performed_by IS NOT NULL"
        ),
    ),
)
