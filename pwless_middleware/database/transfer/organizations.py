"""The tables of organizations as they are moved. Secrets stay encrypted."""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.statement import Statement
from pwless_middleware.database.transfer.table import FIRST_TEXT, Table

ORGANIZATIONS: Final = Table(
    name="organizations",
    columns={
        "id": "text",
        "name": "text",
        "sort_name": "text",
        "external_id": "text?",
        "policy": "text",
        "logo": "text?",
        "color": "text?",
        "language": "text",
        "created_at": "int",
        "version": "int",
        "enforced_at": "int",
    },
    key=1,
    first=(FIRST_TEXT,),
    page=Statement(
        "SELECT id, name, sort_name, external_id, policy, logo, color, language, created_at, "
        "version, enforced_at FROM pwless_organizations WHERE id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_organizations (id, name, sort_name, external_id, policy, logo, color, "
        "language, created_at, version, enforced_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
        "$10, $11)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_organizations (id, name, sort_name, external_id, policy, "
        "logo, color, language, created_at, version, enforced_at) SELECT id, name, sort_name, "
        "external_id, policy, logo, color, language, created_at, version, enforced_at FROM "
        "json_to_recordset($1::json) AS row (id text, name text, sort_name text, external_id "
        "text, policy text, logo text, color text, language text, created_at bigint, version "
        "bigint, enforced_at bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_organizations LIMIT 1"),
    delete=Statement("DELETE FROM pwless_organizations"),
)

DOMAINS: Final = Table(
    name="domains",
    columns={
        "organization": "text",
        "name": "text",
        "token": "text",
        "created_at": "int",
        "verified_at": "int?",
        "checked_at": "int?",
        "failing_since": "int?",
    },
    key=2,
    first=(FIRST_TEXT, FIRST_TEXT),
    page=Statement(
        "SELECT organization, name, token, created_at, verified_at, checked_at, failing_since "
        "FROM pwless_domains WHERE (organization, name) > ($1, $2) ORDER BY organization, name "
        "LIMIT $3"
    ),
    insert=Statement(
        "INSERT INTO pwless_domains (organization, name, token, created_at, verified_at, "
        "checked_at, failing_since) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_domains (organization, name, token, created_at, verified_at, "
        "checked_at, failing_since) SELECT organization, name, token, created_at, verified_at, "
        "checked_at, failing_since FROM json_to_recordset($1::json) AS row (organization text, "
        "name text, token text, created_at bigint, verified_at bigint, checked_at bigint, "
        "failing_since bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_domains LIMIT 1"),
    delete=Statement("DELETE FROM pwless_domains"),
)

CONNECTIONS: Final = Table(
    name="connections",
    columns={
        "id": "text",
        "organization": "text",
        "kind": "text",
        "name": "text",
        "is_enabled": "int",
        "config": "text",
        "secret": "bytes?",
        "scim_digest": "bytes?",
        "tested_at": "int?",
        "created_at": "int",
        "version": "int",
    },
    key=1,
    first=(FIRST_TEXT,),
    page=Statement(
        "SELECT id, organization, kind, name, is_enabled, config, secret, scim_digest, tested_at, "
        "created_at, version FROM pwless_connections WHERE id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_connections (id, organization, kind, name, is_enabled, config, "
        "secret, scim_digest, tested_at, created_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, "
        "$8, $9, $10, $11)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_connections (id, organization, kind, name, is_enabled, "
        "config, secret, scim_digest, tested_at, created_at, version) SELECT id, organization, "
        "kind, name, is_enabled, config, decode(secret, 'base64'), decode(scim_digest, 'base64'), "
        "tested_at, created_at, version FROM json_to_recordset($1::json) AS row (id text, "
        "organization text, kind text, name text, is_enabled bigint, config text, secret text, "
        "scim_digest text, tested_at bigint, created_at bigint, version bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_connections LIMIT 1"),
    delete=Statement("DELETE FROM pwless_connections"),
)

IDENTITIES: Final = Table(
    name="identities",
    columns={
        "connection": "text",
        "subject": "text",
        "user_id": "text",
        "email": "text",
        "created_at": "int",
        "seen_at": "int",
    },
    key=2,
    first=(FIRST_TEXT, FIRST_TEXT),
    page=Statement(
        "SELECT connection, subject, user_id, email, created_at, seen_at FROM pwless_identities "
        "WHERE (connection, subject) > ($1, $2) ORDER BY connection, subject LIMIT $3"
    ),
    insert=Statement(
        "INSERT INTO pwless_identities (connection, subject, user_id, email, created_at, seen_at) "
        "VALUES ($1, $2, $3, $4, $5, $6)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_identities (connection, subject, user_id, email, created_at, "
        "seen_at) SELECT connection, subject, user_id, email, created_at, seen_at FROM "
        "json_to_recordset($1::json) AS row (connection text, subject text, user_id text, email "
        "text, created_at bigint, seen_at bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_identities LIMIT 1"),
    delete=Statement("DELETE FROM pwless_identities"),
)

MEMBERS: Final = Table(
    name="members",
    columns={
        "organization": "text",
        "user_id": "text",
        "role": "text",
        "origin": "text",
        "external_id": "text?",
        "is_active": "int",
        "created_at": "int",
    },
    key=2,
    first=(FIRST_TEXT, FIRST_TEXT),
    page=Statement(
        "SELECT organization, user_id, role, origin, external_id, is_active, created_at FROM "
        "pwless_members WHERE (organization, user_id) > ($1, $2) ORDER BY organization, user_id "
        "LIMIT $3"
    ),
    insert=Statement(
        "INSERT INTO pwless_members (organization, user_id, role, origin, external_id, is_active, "
        "created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_members (organization, user_id, role, origin, external_id, "
        "is_active, created_at) SELECT organization, user_id, role, origin, external_id, "
        "is_active, created_at FROM json_to_recordset($1::json) AS row (organization text, "
        "user_id text, role text, origin text, external_id text, is_active bigint, created_at "
        "bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_members LIMIT 1"),
    delete=Statement("DELETE FROM pwless_members"),
)

INVITATIONS: Final = Table(
    name="invitations",
    columns={
        "id": "text",
        "organization": "text",
        "email": "text",
        "role": "text",
        "created_at": "int",
        "expires_at": "int",
        "made_by": "text",
        "accepted_at": "int?",
    },
    key=1,
    first=(FIRST_TEXT,),
    page=Statement(
        "SELECT id, organization, email, role, created_at, expires_at, made_by, accepted_at FROM "
        "pwless_invitations WHERE id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_invitations (id, organization, email, role, created_at, expires_at, "
        "made_by, accepted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_invitations (id, organization, email, role, created_at, "
        "expires_at, made_by, accepted_at) SELECT id, organization, email, role, created_at, "
        "expires_at, made_by, accepted_at FROM json_to_recordset($1::json) AS row (id text, "
        "organization text, email text, role text, created_at bigint, expires_at bigint, made_by "
        "text, accepted_at bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_invitations LIMIT 1"),
    delete=Statement("DELETE FROM pwless_invitations"),
)

SETUP_LINKS: Final = Table(
    name="setup_links",
    columns={
        "id": "text",
        "organization": "text",
        "created_at": "int",
        "expires_at": "int",
        "made_by": "text",
        "opened_at": "int?",
        "finished_at": "int?",
    },
    key=1,
    first=(FIRST_TEXT,),
    page=Statement(
        "SELECT id, organization, created_at, expires_at, made_by, opened_at, finished_at FROM "
        "pwless_setup_links WHERE id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_setup_links (id, organization, created_at, expires_at, made_by, "
        "opened_at, finished_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_setup_links (id, organization, created_at, expires_at, "
        "made_by, opened_at, finished_at) SELECT id, organization, created_at, expires_at, "
        "made_by, opened_at, finished_at FROM json_to_recordset($1::json) AS row (id text, "
        "organization text, created_at bigint, expires_at bigint, made_by text, opened_at bigint, "
        "finished_at bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_setup_links LIMIT 1"),
    delete=Statement("DELETE FROM pwless_setup_links"),
)
