"""The tables of organizations: domains, connections, identities, members, invitations, links."""

from __future__ import annotations

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

ORGANIZATIONS = Migration(
    "organizations",
    (
        # Ids and names are compared and sorted byte by byte; SQLite does so by itself.
        Statement(
            """
            CREATE TABLE pwless_organizations (
                id TEXT PRIMARY KEY,
                name TEXT NOT NULL,
                sort_name TEXT NOT NULL,
                external_id TEXT,
                policy TEXT NOT NULL,
                logo TEXT,
                color TEXT,
                language TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                version BIGINT NOT NULL,
                enforced_at BIGINT NOT NULL
            )
            """,
            postgres="""
            CREATE TABLE pwless_organizations (
                id TEXT COLLATE "C" PRIMARY KEY,
                name TEXT NOT NULL,
                sort_name TEXT COLLATE "C" NOT NULL,
                external_id TEXT COLLATE "C",
                policy TEXT NOT NULL,
                logo TEXT,
                color TEXT,
                language TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                version BIGINT NOT NULL,
                enforced_at BIGINT NOT NULL
            )
            """,
        ),
        Statement(
            """
            CREATE TABLE pwless_domains (
                organization TEXT NOT NULL,
                name TEXT NOT NULL,
                token TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                verified_at BIGINT,
                checked_at BIGINT,
                failing_since BIGINT,
                PRIMARY KEY (organization, name)
            )
            """,
            postgres="""
            CREATE TABLE pwless_domains (
                organization TEXT COLLATE "C" NOT NULL,
                name TEXT COLLATE "C" NOT NULL,
                token TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                verified_at BIGINT,
                checked_at BIGINT,
                failing_since BIGINT,
                PRIMARY KEY (organization, name)
            )
            """,
        ),
        Statement(
            """
            CREATE TABLE pwless_connections (
                id TEXT PRIMARY KEY,
                organization TEXT NOT NULL,
                kind TEXT NOT NULL,
                name TEXT NOT NULL,
                is_enabled BIGINT NOT NULL,
                config TEXT NOT NULL,
                secret BYTEA,
                scim_digest BYTEA,
                tested_at BIGINT,
                created_at BIGINT NOT NULL,
                version BIGINT NOT NULL
            )
            """,
            postgres="""
            CREATE TABLE pwless_connections (
                id TEXT COLLATE "C" PRIMARY KEY,
                organization TEXT COLLATE "C" NOT NULL,
                kind TEXT NOT NULL,
                name TEXT NOT NULL,
                is_enabled BIGINT NOT NULL,
                config TEXT NOT NULL,
                secret BYTEA,
                scim_digest BYTEA,
                tested_at BIGINT,
                created_at BIGINT NOT NULL,
                version BIGINT NOT NULL
            )
            """,
        ),
        Statement(
            """
            CREATE TABLE pwless_identities (
                connection TEXT NOT NULL,
                subject TEXT NOT NULL,
                user_id TEXT NOT NULL,
                email TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                seen_at BIGINT NOT NULL,
                PRIMARY KEY (connection, subject)
            )
            """,
            postgres="""
            CREATE TABLE pwless_identities (
                connection TEXT COLLATE "C" NOT NULL,
                subject TEXT COLLATE "C" NOT NULL,
                user_id TEXT NOT NULL,
                email TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                seen_at BIGINT NOT NULL,
                PRIMARY KEY (connection, subject)
            )
            """,
        ),
        Statement(
            """
            CREATE TABLE pwless_members (
                organization TEXT NOT NULL,
                user_id TEXT NOT NULL,
                role TEXT NOT NULL,
                origin TEXT NOT NULL,
                external_id TEXT,
                is_active BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                PRIMARY KEY (organization, user_id)
            )
            """,
            postgres="""
            CREATE TABLE pwless_members (
                organization TEXT COLLATE "C" NOT NULL,
                user_id TEXT COLLATE "C" NOT NULL,
                role TEXT NOT NULL,
                origin TEXT NOT NULL,
                external_id TEXT COLLATE "C",
                is_active BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                PRIMARY KEY (organization, user_id)
            )
            """,
        ),
        Statement(
            """
            CREATE TABLE pwless_invitations (
                id TEXT PRIMARY KEY,
                organization TEXT NOT NULL,
                email TEXT NOT NULL,
                role TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL,
                made_by TEXT NOT NULL,
                accepted_at BIGINT
            )
            """,
            postgres="""
            CREATE TABLE pwless_invitations (
                id TEXT COLLATE "C" PRIMARY KEY,
                organization TEXT COLLATE "C" NOT NULL,
                email TEXT COLLATE "C" NOT NULL,
                role TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL,
                made_by TEXT NOT NULL,
                accepted_at BIGINT
            )
            """,
        ),
        Statement(
            """
            CREATE TABLE pwless_setup_links (
                id TEXT PRIMARY KEY,
                organization TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL,
                made_by TEXT NOT NULL,
                opened_at BIGINT,
                finished_at BIGINT
            )
            """,
            postgres="""
            CREATE TABLE pwless_setup_links (
                id TEXT COLLATE "C" PRIMARY KEY,
                organization TEXT COLLATE "C" NOT NULL,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL,
                made_by TEXT NOT NULL,
                opened_at BIGINT,
                finished_at BIGINT
            )
            """,
        ),
        Statement(
            "CREATE UNIQUE INDEX pwless_organizations_by_external_id ON pwless_organizations "
            "(external_id) WHERE external_id IS NOT NULL"
        ),
        Statement(
            "CREATE INDEX pwless_organizations_by_name ON pwless_organizations (sort_name, id)"
        ),
        Statement(
            "CREATE UNIQUE INDEX pwless_domains_verified ON pwless_domains (name) WHERE "
            "verified_at IS NOT NULL"
        ),
        Statement("CREATE INDEX pwless_domains_by_name ON pwless_domains (name, organization)"),
        Statement(
            "CREATE INDEX pwless_domains_failing ON pwless_domains (failing_since, name, "
            "organization) WHERE failing_since IS NOT NULL"
        ),
        Statement(
            "CREATE INDEX pwless_connections_by_organization ON pwless_connections (organization, "
            "created_at, id)"
        ),
        Statement("CREATE INDEX pwless_identities_by_user ON pwless_identities (user_id)"),
        Statement("CREATE INDEX pwless_members_by_user ON pwless_members (user_id, organization)"),
        Statement(
            "CREATE UNIQUE INDEX pwless_members_by_external_id ON pwless_members (organization, "
            "external_id) WHERE external_id IS NOT NULL"
        ),
        Statement(
            "CREATE INDEX pwless_invitations_by_organization ON pwless_invitations (organization, "
            "created_at, id)"
        ),
        Statement("CREATE INDEX pwless_invitations_by_email ON pwless_invitations (email)"),
        Statement(
            "CREATE INDEX pwless_setup_links_by_organization ON pwless_setup_links (organization, "
            "created_at, id)"
        ),
    ),
)
