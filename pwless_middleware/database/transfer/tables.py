"""The tables that are moved from one database to another, and those that are not.

Whoever makes a table adds it here, in the order in which its rows are written; a test fails for a
table or a column that stands in neither list. Sessions go along, so that a move signs nobody out;
challenges, so that a code that was mailed before works after; budgets, since a move would give
tries back; mails that wait, and those that were given up, but not who has claimed them.
"""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.statement import Statement
from pwless_middleware.database.transfer.events import (
    ACTIVE_PEOPLE,
    ATTEMPTS,
    EVENT_COUNTERS,
    EVENT_COUNTS,
    EVENTS,
)
from pwless_middleware.database.transfer.mail_templates import MAIL_TEMPLATES
from pwless_middleware.database.transfer.organizations import (
    CONNECTIONS,
    DOMAINS,
    IDENTITIES,
    INVITATIONS,
    MEMBERS,
    ORGANIZATIONS,
    SETUP_LINKS,
)
from pwless_middleware.database.transfer.second_factors import (
    FACTOR_GENERATIONS,
    FACTOR_RESETS,
    FACTORS,
    RECOVERY_CODES,
    TRUSTED_BROWSERS,
)
from pwless_middleware.database.transfer.table import FIRST_INT, FIRST_TEXT, Table
from pwless_middleware.database.transfer.webhooks import WEBHOOK_DELIVERIES, WEBHOOKS

LEFT_BEHIND: Final = {
    "schema": "the other database has its own",
    "drops": "what is told to processes that run; none do while a database is moved",
}
"""Tables of which nothing is moved, and why."""

LEFT_COLUMNS: Final = {"jobs": {"id", "worker", "until", "seen"}, "dead_jobs": {"id"}}
"""Columns of moved tables that are not moved: who has claimed a job, and numbers given anew."""

PEOPLE: Final = Table(
    name="people",
    columns={
        "id": "text",
        "email": "text?",
        "name": "text",
        "language": "text",
        "created_at": "int",
        "seen_at": "int?",
        "disabled_at": "int?",
    },
    key=1,
    first=(FIRST_TEXT,),
    page=Statement(
        "SELECT id, email, name, language, created_at, seen_at, disabled_at FROM pwless_people "
        "WHERE id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_people (id, email, name, language, created_at, seen_at, disabled_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_people (id, email, name, language, created_at, seen_at, "
        "disabled_at) "
        "SELECT id, email, name, language, created_at, seen_at, disabled_at FROM "
        "json_to_recordset($1::json) AS row (id text, email text, name text, language text, "
        "created_at bigint, seen_at bigint, disabled_at bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_people LIMIT 1"),
    delete=Statement("DELETE FROM pwless_people"),
)

DELETED_PEOPLE: Final = Table(
    name="deleted_people",
    columns={"digest": "bytes"},
    key=1,
    first=(b"",),
    page=Statement(
        "SELECT digest FROM pwless_deleted_people WHERE digest > $1 ORDER BY digest LIMIT $2"
    ),
    insert=Statement("INSERT INTO pwless_deleted_people (digest) VALUES ($1)"),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_deleted_people (digest) SELECT decode(digest, 'base64') FROM "
        "json_to_recordset($1::json) AS row (digest text)",
    ),
    find=Statement("SELECT 1 FROM pwless_deleted_people LIMIT 1"),
    delete=Statement("DELETE FROM pwless_deleted_people"),
)

PEPPERS: Final = Table(
    name="peppers",
    columns={"name": "text", "value": "bytes"},
    key=1,
    first=(FIRST_TEXT,),
    page=Statement("SELECT name, value FROM pwless_peppers WHERE name > $1 ORDER BY name LIMIT $2"),
    insert=Statement("INSERT INTO pwless_peppers (name, value) VALUES ($1, $2)"),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_peppers (name, value) SELECT name, decode(value, 'base64') "
        "FROM "
        "json_to_recordset($1::json) AS row (name text, value text)",
    ),
    find=Statement("SELECT 1 FROM pwless_peppers LIMIT 1"),
    delete=Statement("DELETE FROM pwless_peppers"),
)

ADDRESS_CHANGES: Final = Table(
    name="address_changes",
    columns={
        "id": "bytes",
        "user_id": "text",
        "number": "int",
        "old_email": "text",
        "new_email": "text",
        "changed_at": "int",
        "device": "text",
        "language": "text",
        "undone_at": "int?",
    },
    key=1,
    first=(b"",),
    page=Statement(
        "SELECT id, user_id, number, old_email, new_email, changed_at, device, language, undone_at "
        "FROM pwless_address_changes WHERE id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_address_changes (id, user_id, number, old_email, new_email, "
        "changed_at, device, language, undone_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_address_changes (id, user_id, number, old_email, new_email, "
        "changed_at, device, language, undone_at) SELECT decode(id, 'base64'), user_id, number, "
        "old_email, new_email, changed_at, device, language, undone_at FROM "
        "json_to_recordset($1::json) AS row (id text, user_id text, number bigint, "
        "old_email text, new_email text, changed_at bigint, device text, language text, "
        "undone_at bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_address_changes LIMIT 1"),
    delete=Statement("DELETE FROM pwless_address_changes"),
)

ADDRESS_REQUESTS: Final = Table(
    name="address_requests",
    columns={
        "id": "bytes",
        "user_id": "text",
        "old_email": "text",
        "new_email": "text",
        "asked_by": "text",
        "asked_at": "int",
        "language": "text",
    },
    key=1,
    first=(b"",),
    page=Statement(
        "SELECT id, user_id, old_email, new_email, asked_by, asked_at, language "
        "FROM pwless_address_requests WHERE id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_address_requests (id, user_id, old_email, new_email, asked_by, "
        "asked_at, language) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_address_requests (id, user_id, old_email, new_email, "
        "asked_by, asked_at, language) SELECT decode(id, 'base64'), user_id, old_email, "
        "new_email, asked_by, asked_at, language FROM json_to_recordset($1::json) AS row "
        "(id text, user_id text, old_email text, new_email text, asked_by text, "
        "asked_at bigint, language text)",
    ),
    find=Statement("SELECT 1 FROM pwless_address_requests LIMIT 1"),
    delete=Statement("DELETE FROM pwless_address_requests"),
)

USER_HANDLES: Final = Table(
    name="user_handles",
    columns={"user_id": "text", "handle": "bytes"},
    key=1,
    first=(FIRST_TEXT,),
    page=Statement(
        "SELECT user_id, handle FROM pwless_user_handles WHERE user_id > $1 ORDER BY user_id "
        "LIMIT $2"
    ),
    insert=Statement("INSERT INTO pwless_user_handles (user_id, handle) VALUES ($1, $2)"),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_user_handles (user_id, handle) SELECT user_id, "
        "decode(handle, 'base64') FROM json_to_recordset($1::json) AS row (user_id text, "
        "handle text)",
    ),
    find=Statement("SELECT 1 FROM pwless_user_handles LIMIT 1"),
    delete=Statement("DELETE FROM pwless_user_handles"),
)

PASSKEYS: Final = Table(
    name="passkeys",
    columns={
        "id": "bytes",
        "user_id": "text",
        "public_key": "bytes",
        "sign_count": "int",
        "aaguid": "text",
        "transports": "text",
        "is_synced": "int",
        "is_backed_up": "int",
        "rp_id": "text",
        "name": "text",
        "created_at": "int",
        "used_at": "int?",
    },
    key=1,
    first=(b"",),
    page=Statement(
        "SELECT id, user_id, public_key, sign_count, aaguid, transports, is_synced, is_backed_up, "
        "rp_id, name, created_at, used_at FROM pwless_passkeys WHERE id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_passkeys (id, user_id, public_key, sign_count, aaguid, transports, "
        "is_synced, is_backed_up, rp_id, name, created_at, used_at) VALUES ($1, $2, $3, $4, $5, "
        "$6, $7, $8, $9, $10, $11, $12)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_passkeys (id, user_id, public_key, sign_count, aaguid, "
        "transports, is_synced, is_backed_up, rp_id, name, created_at, used_at) SELECT "
        "decode(id, 'base64'), user_id, decode(public_key, 'base64'), sign_count, aaguid, "
        "transports, is_synced, is_backed_up, rp_id, name, created_at, used_at FROM "
        "json_to_recordset($1::json) AS row (id text, user_id text, public_key text, "
        "sign_count bigint, aaguid text, transports text, is_synced bigint, is_backed_up bigint, "
        "rp_id text, name text, created_at bigint, used_at bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_passkeys LIMIT 1"),
    delete=Statement("DELETE FROM pwless_passkeys"),
)

SETTINGS: Final = Table(
    name="settings",
    columns={"version": "int", "at": "int", "made_by": "text", "record": "text"},
    key=1,
    first=(FIRST_INT,),
    page=Statement(
        "SELECT version, at, made_by, record FROM pwless_settings WHERE version > $1 ORDER BY "
        "version LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_settings (version, at, made_by, record) VALUES ($1, $2, $3, $4)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_settings (version, at, made_by, record) SELECT version, at, "
        "made_by, "
        "record FROM json_to_recordset($1::json) AS row (version bigint, at bigint, made_by text, "
        "record text)",
    ),
    find=Statement("SELECT 1 FROM pwless_settings LIMIT 1"),
    delete=Statement("DELETE FROM pwless_settings"),
)

API_KEYS: Final = Table(
    name="api_keys",
    columns={
        "id": "text",
        "name": "text",
        "generation": "int",
        "digest": "bytes",
        "scopes": "text",
        "created_at": "int",
        "made_by": "text",
        "expires_at": "int?",
        "revoked_at": "int?",
        "used_at": "int?",
    },
    key=1,
    first=(FIRST_TEXT,),
    page=Statement(
        "SELECT id, name, generation, digest, scopes, created_at, made_by, expires_at, revoked_at, "
        "used_at FROM pwless_api_keys WHERE id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_api_keys (id, name, generation, digest, scopes, created_at, made_by, "
        "expires_at, revoked_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_api_keys (id, name, generation, digest, scopes, created_at, "
        "made_by, "
        "expires_at, revoked_at, used_at) SELECT id, name, generation, decode(digest, 'base64'), "
        "scopes, created_at, made_by, expires_at, revoked_at, used_at FROM "
        "json_to_recordset($1::json) AS row (id text, name text, generation bigint, digest text, "
        "scopes text, created_at bigint, made_by text, expires_at bigint, revoked_at bigint, "
        "used_at bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_api_keys LIMIT 1"),
    delete=Statement("DELETE FROM pwless_api_keys"),
)

TEST_ADDRESSES: Final = Table(
    name="test_addresses",
    columns={
        "id": "text",
        "email": "text",
        "secret": "bytes",
        "networks": "text",
        "note": "text",
        "made_at": "int",
        "made_by": "text",
        "ends_at": "int",
        "user_id": "text?",
        "used_at": "int?",
    },
    key=1,
    first=(FIRST_TEXT,),
    page=Statement(
        "SELECT id, email, secret, networks, note, made_at, made_by, ends_at, user_id, used_at "
        "FROM pwless_test_addresses WHERE id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_test_addresses (id, email, secret, networks, note, made_at, made_by, "
        "ends_at, user_id, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_test_addresses (id, email, secret, networks, note, made_at, "
        "made_by, ends_at, user_id, used_at) SELECT id, email, decode(secret, 'base64'), networks, "
        "note, made_at, made_by, ends_at, user_id, used_at FROM json_to_recordset($1::json) AS row "
        "(id text, email text, secret text, networks text, note text, made_at bigint, "
        "made_by text, ends_at bigint, user_id text, used_at bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_test_addresses LIMIT 1"),
    delete=Statement("DELETE FROM pwless_test_addresses"),
)

OPERATORS: Final = Table(
    name="operators",
    columns={
        "user_id": "text",
        "role": "text",
        "added_at": "int",
        "made_by": "text",
        "removed_at": "int?",
    },
    key=1,
    first=(FIRST_TEXT,),
    page=Statement(
        "SELECT user_id, role, added_at, made_by, removed_at FROM pwless_operators "
        "WHERE user_id > $1 ORDER BY user_id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_operators (user_id, role, added_at, made_by, removed_at) VALUES "
        "($1, $2, $3, $4, $5)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_operators (user_id, role, added_at, made_by, removed_at) "
        "SELECT user_id, role, added_at, made_by, removed_at FROM json_to_recordset($1::json) "
        "AS row (user_id text, role text, added_at bigint, made_by text, removed_at bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_operators LIMIT 1"),
    delete=Statement("DELETE FROM pwless_operators"),
)

ENTRIES: Final = Table(
    name="entries",
    columns={"key": "text", "value": "bytes", "until": "int", "listed": "text?"},
    key=1,
    first=(FIRST_TEXT,),
    page=Statement(
        "SELECT key, value, until, listed FROM pwless_entries WHERE key > $1 ORDER BY key LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_entries (key, value, until, listed) VALUES ($1, $2, $3, $4)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_entries (key, value, until, listed) SELECT key, decode(value, "
        "'base64'), until, listed FROM json_to_recordset($1::json) AS row (key text, value text, "
        "until bigint, listed text)",
    ),
    find=Statement("SELECT 1 FROM pwless_entries LIMIT 1"),
    delete=Statement("DELETE FROM pwless_entries"),
)

JOBS: Final = Table(
    name="jobs",
    columns={
        "payload": "bytes",
        "lane": "int",
        "due": "int",
        "tries": "int",
        "queued": "int",
        "reason": "text",
    },
    key=1,
    first=(FIRST_INT,),
    page=Statement(
        "SELECT id, payload, lane, due, tries, queued, reason FROM pwless_jobs WHERE id > $1 "
        "ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_jobs (payload, lane, due, tries, queued, reason) "
        "VALUES ($1, $2, $3, $4, $5, $6)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_jobs (payload, lane, due, tries, queued, reason) "
        "SELECT decode(payload, 'base64'), lane, due, tries, queued, reason "
        "FROM json_to_recordset($1::json) AS row (payload text, lane bigint, due "
        "bigint, tries bigint, queued bigint, reason text)",
    ),
    find=Statement("SELECT 1 FROM pwless_jobs LIMIT 1"),
    delete=Statement("DELETE FROM pwless_jobs"),
    is_renumbered=True,
)

DEAD_JOBS: Final = Table(
    name="dead_jobs",
    columns={
        "job": "int",
        "payload": "bytes",
        "tries": "int",
        "reason": "text",
        "queued": "int",
        "buried": "int",
    },
    key=1,
    first=(FIRST_INT,),
    page=Statement(
        "SELECT id, job, payload, tries, reason, queued, buried FROM pwless_dead_jobs "
        "WHERE id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_dead_jobs (job, payload, tries, reason, queued, buried) "
        "VALUES ($1, $2, $3, $4, $5, $6)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_dead_jobs (job, payload, tries, reason, queued, buried) "
        "SELECT job, decode(payload, 'base64'), tries, reason, queued, buried "
        "FROM json_to_recordset($1::json) AS row (job bigint, payload "
        "text, tries bigint, reason text, queued bigint, buried bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_dead_jobs LIMIT 1"),
    delete=Statement("DELETE FROM pwless_dead_jobs"),
    is_renumbered=True,
)

TABLES: Final = (
    PEOPLE,
    DELETED_PEOPLE,
    PEPPERS,
    ADDRESS_CHANGES,
    ADDRESS_REQUESTS,
    USER_HANDLES,
    PASSKEYS,
    FACTORS,
    FACTOR_GENERATIONS,
    RECOVERY_CODES,
    TRUSTED_BROWSERS,
    FACTOR_RESETS,
    SETTINGS,
    MAIL_TEMPLATES,
    API_KEYS,
    OPERATORS,
    TEST_ADDRESSES,
    WEBHOOKS,
    WEBHOOK_DELIVERIES,
    ORGANIZATIONS,
    DOMAINS,
    CONNECTIONS,
    IDENTITIES,
    MEMBERS,
    INVITATIONS,
    SETUP_LINKS,
    EVENTS,
    ATTEMPTS,
    EVENT_COUNTS,
    EVENT_COUNTERS,
    ACTIVE_PEOPLE,
    ENTRIES,
    JOBS,
    DEAD_JOBS,
)
"""What is moved, in this order."""
