"""The table of templates, as it is moved."""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.statement import Statement
from pwless_middleware.database.transfer.table import FIRST_INT, FIRST_TEXT, Table

MAIL_TEMPLATES: Final = Table(
    name="mail_templates",
    columns={
        "name": "text",
        "language": "text",
        "version": "int",
        "at": "int",
        "made_by": "text",
        "is_ours": "int",
        "subject": "text",
        "plain": "text",
        "html": "text",
    },
    key=3,
    first=(FIRST_TEXT, FIRST_TEXT, FIRST_INT),
    page=Statement(
        "SELECT name, language, version, at, made_by, is_ours, subject, plain, html FROM "
        "pwless_mail_templates WHERE (name, language, version) > ($1, $2, $3) ORDER BY name, "
        "language, version LIMIT $4"
    ),
    insert=Statement(
        "INSERT INTO pwless_mail_templates (name, language, version, at, made_by, is_ours, "
        "subject, plain, html) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_mail_templates (name, language, version, at, made_by, "
        "is_ours, subject, plain, html) SELECT name, language, version, at, made_by, is_ours, "
        "subject, plain, html FROM json_to_recordset($1::json) AS row (name text, language text, "
        "version bigint, at bigint, made_by text, is_ours bigint, subject text, plain text, html "
        "text)",
    ),
    find=Statement("SELECT 1 FROM pwless_mail_templates LIMIT 1"),
    delete=Statement("DELETE FROM pwless_mail_templates"),
)
