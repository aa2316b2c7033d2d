"""The tables of webhooks as they are moved. Secrets stay encrypted."""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.statement import Statement
from pwless_middleware.database.transfer.table import FIRST_TEXT, Table

WEBHOOKS: Final = Table(
    name="webhooks",
    columns={
        "id": "text",
        "url": "text",
        "description": "text",
        "kinds": "text",
        "off_reason": "text?",
        "secret": "bytes",
        "old_secret": "bytes?",
        "old_until": "int?",
        "created_at": "int",
        "made_by": "text",
        "version": "int",
        "failing_since": "int?",
        "deleted_at": "int?",
    },
    key=1,
    first=(FIRST_TEXT,),
    page=Statement(
        "SELECT id, url, description, kinds, off_reason, secret, old_secret, old_until, "
        "created_at, made_by, version, failing_since, deleted_at FROM pwless_webhooks WHERE "
        "id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_webhooks (id, url, description, kinds, off_reason, secret, "
        "old_secret, old_until, created_at, made_by, version, failing_since, deleted_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_webhooks (id, url, description, kinds, off_reason, secret, "
        "old_secret, old_until, created_at, made_by, version, failing_since, deleted_at) "
        "SELECT id, url, description, kinds, off_reason, decode(secret, 'base64'), "
        "decode(old_secret, 'base64'), old_until, created_at, made_by, version, "
        "failing_since, deleted_at FROM json_to_recordset($1::json) AS row (id text, url "
        "text, description text, kinds text, off_reason text, secret text, old_secret text, "
        "old_until bigint, created_at bigint, made_by text, version bigint, failing_since "
        "bigint, deleted_at bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_webhooks LIMIT 1"),
    delete=Statement("DELETE FROM pwless_webhooks"),
)

WEBHOOK_DELIVERIES: Final = Table(
    name="webhook_deliveries",
    columns={
        "webhook_id": "text",
        "event_id": "text",
        "kind": "text",
        "at": "int",
        "body": "text",
        "user_id": "text?",
        "performed_by": "text?",
        "state": "text",
        "tries": "int",
        "tries_left": "int",
        "next_at": "int?",
        "tried_at": "int?",
        "status": "int?",
        "fault": "text",
        "answer": "text",
        "milliseconds": "int?",
    },
    key=2,
    first=(
        FIRST_TEXT,
        FIRST_TEXT,
    ),
    page=Statement(
        "SELECT webhook_id, event_id, kind, at, body, user_id, performed_by, state, tries, "
        "tries_left, next_at, tried_at, status, fault, answer, milliseconds FROM "
        "pwless_webhook_deliveries WHERE (webhook_id, event_id) > ($1, $2) ORDER BY "
        "webhook_id, event_id LIMIT $3"
    ),
    insert=Statement(
        "INSERT INTO pwless_webhook_deliveries (webhook_id, event_id, kind, at, body, "
        "user_id, performed_by, state, tries, tries_left, next_at, tried_at, status, fault, "
        "answer, milliseconds) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "
        "$13, $14, $15, $16)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_webhook_deliveries (webhook_id, event_id, kind, at, body, "
        "user_id, performed_by, state, tries, tries_left, next_at, tried_at, status, fault, "
        "answer, milliseconds) SELECT webhook_id, event_id, kind, at, body, user_id, "
        "performed_by, state, tries, tries_left, next_at, tried_at, status, fault, answer, "
        "milliseconds FROM json_to_recordset($1::json) AS row (webhook_id text, event_id "
        "text, kind text, at bigint, body text, user_id text, performed_by text, state text, "
        "tries bigint, tries_left bigint, next_at bigint, tried_at bigint, status bigint, "
        "fault text, answer text, milliseconds bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_webhook_deliveries LIMIT 1"),
    delete=Statement("DELETE FROM pwless_webhook_deliveries"),
)
