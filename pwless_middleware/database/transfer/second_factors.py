"""The tables of second factors as they are moved. Secrets stay encrypted, digests stay digests."""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.statement import Statement
from pwless_middleware.database.transfer.table import FIRST_TEXT, Table

FACTORS: Final = Table(
    name="factors",
    columns={
        "id": "text",
        "user_id": "text",
        "kind": "text",
        "name": "text",
        "secret": "bytes",
        "phone": "text",
        "created_at": "int",
        "used_at": "int?",
    },
    key=1,
    first=(FIRST_TEXT,),
    page=Statement(
        "SELECT id, user_id, kind, name, secret, phone, created_at, used_at FROM "
        "pwless_factors WHERE id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_factors (id, user_id, kind, name, secret, phone, created_at, "
        "used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_factors (id, user_id, kind, name, secret, phone, created_at, "
        "used_at) SELECT id, user_id, kind, name, decode(secret, 'base64'), phone, "
        "created_at, used_at FROM json_to_recordset($1::json) AS row (id text, user_id "
        "text, kind text, name text, secret text, phone text, created_at bigint, used_at "
        "bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_factors LIMIT 1"),
    delete=Statement("DELETE FROM pwless_factors"),
)

FACTOR_GENERATIONS: Final = Table(
    name="factor_generations",
    columns={
        "user_id": "text",
        "generation": "int",
    },
    key=1,
    first=(FIRST_TEXT,),
    page=Statement(
        "SELECT user_id, generation FROM pwless_factor_generations WHERE user_id > $1 "
        "ORDER BY user_id LIMIT $2"
    ),
    insert=Statement("INSERT INTO pwless_factor_generations (user_id, generation) VALUES ($1, $2)"),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_factor_generations (user_id, generation) SELECT user_id, "
        "generation FROM json_to_recordset($1::json) AS row (user_id text, generation "
        "bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_factor_generations LIMIT 1"),
    delete=Statement("DELETE FROM pwless_factor_generations"),
)

RECOVERY_CODES: Final = Table(
    name="recovery_codes",
    columns={
        "user_id": "text",
        "digest": "bytes",
        "created_at": "int",
        "used_at": "int?",
    },
    key=2,
    first=(FIRST_TEXT, b""),
    page=Statement(
        "SELECT user_id, digest, created_at, used_at FROM pwless_recovery_codes WHERE "
        "(user_id, digest) > ($1, $2) ORDER BY user_id, digest LIMIT $3"
    ),
    insert=Statement(
        "INSERT INTO pwless_recovery_codes (user_id, digest, created_at, used_at) VALUES "
        "($1, $2, $3, $4)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_recovery_codes (user_id, digest, created_at, used_at) SELECT "
        "user_id, decode(digest, 'base64'), created_at, used_at FROM "
        "json_to_recordset($1::json) AS row (user_id text, digest text, created_at "
        "bigint, used_at bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_recovery_codes LIMIT 1"),
    delete=Statement("DELETE FROM pwless_recovery_codes"),
)

TRUSTED_BROWSERS: Final = Table(
    name="trusted_browsers",
    columns={
        "id": "bytes",
        "user_id": "text",
        "address": "bytes",
        "device": "text",
        "created_at": "int",
        "expires_at": "int",
        "used_at": "int?",
    },
    key=1,
    first=(b"",),
    page=Statement(
        "SELECT id, user_id, address, device, created_at, expires_at, used_at FROM "
        "pwless_trusted_browsers WHERE id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_trusted_browsers (id, user_id, address, device, created_at, "
        "expires_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_trusted_browsers (id, user_id, address, device, created_at, "
        "expires_at, used_at) SELECT decode(id, 'base64'), user_id, decode(address, "
        "'base64'), device, created_at, expires_at, used_at FROM "
        "json_to_recordset($1::json) AS row (id text, user_id text, address text, device "
        "text, created_at bigint, expires_at bigint, used_at bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_trusted_browsers LIMIT 1"),
    delete=Statement("DELETE FROM pwless_trusted_browsers"),
)

FACTOR_RESETS: Final = Table(
    name="factor_resets",
    columns={
        "id": "bytes",
        "user_id": "text",
        "asked_by": "text",
        "asked_at": "int",
        "due_at": "int",
        "objected_at": "int?",
        "done_at": "int?",
    },
    key=1,
    first=(b"",),
    page=Statement(
        "SELECT id, user_id, asked_by, asked_at, due_at, objected_at, done_at FROM "
        "pwless_factor_resets WHERE id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_factor_resets (id, user_id, asked_by, asked_at, due_at, "
        "objected_at, done_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_factor_resets (id, user_id, asked_by, asked_at, due_at, "
        "objected_at, done_at) SELECT decode(id, 'base64'), user_id, asked_by, asked_at, "
        "due_at, objected_at, done_at FROM json_to_recordset($1::json) AS row (id text, "
        "user_id text, asked_by text, asked_at bigint, due_at bigint, objected_at "
        "bigint, done_at bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_factor_resets LIMIT 1"),
    delete=Statement("DELETE FROM pwless_factor_resets"),
)
