"""The table of templates."""

from __future__ import annotations

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

MAIL_TEMPLATES = Migration(
    "mail_templates",
    (
        Statement(
            """
            CREATE TABLE pwless_mail_templates (
                name TEXT NOT NULL,
                language TEXT NOT NULL,
                version BIGINT NOT NULL,
                at BIGINT NOT NULL,
                made_by TEXT NOT NULL,
                is_ours BIGINT NOT NULL,
                subject TEXT NOT NULL,
                plain TEXT NOT NULL,
                html TEXT NOT NULL,
                PRIMARY KEY (name, language, version)
            )
            """
        ),
    ),
)
