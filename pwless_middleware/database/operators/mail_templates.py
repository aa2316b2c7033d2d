"""Templates in the database: one row for each version, and the newest of a mail is what holds.

Versions are only ever added (security rule 63).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.operators.mail_template import MailTemplate, TemplateVersion
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import insert_event, new_stand_in
from pwless_middleware.database.statement import Row, Statement, Steps


class MailTemplateRepository(Protocol):
    """Keep templates, all their versions. Raises `StoreError` where it cannot be asked.

    No version's texts are ever changed or removed.
    """

    async def newest(self) -> Sequence[TemplateVersion]:
        """Return the newest version of each template that was ever changed, by name."""
        ...

    async def find(self, name: str, language: str, version: int) -> MailTemplate | None:
        """Return a version with its texts, or `None`."""
        ...

    async def add(self, template: MailTemplate, *, audit: Event | None = None) -> bool:
        """Make a version the one that holds, if it is the next one.

        Args:
            template: the whole template.
            audit: what the change is told by, written with it or not at all.

        Returns:
            Whether it was; false where somebody else has made that version.
        """
        ...

    async def list(
        self, name: str, language: str, *, before: int = 0, limit: int = 50
    ) -> Sequence[TemplateVersion]:
        """Return versions of a template, the newest first.

        Args:
            name, language: which template.
            before: the last one of the page before; 0 begins.
            limit: how many at most.
        """
        ...

    async def erase(self, user_id: str) -> None:
        """Forget who made the versions that an operator with this id has made."""
        ...


class SQLMailTemplates:
    """Keep templates in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self) -> Sequence[TemplateVersion]:
        """Return the newest version of each template."""
        return [_version(row) for row in await self._database.fetch(_NEWEST())]

    async def find(self, name: str, language: str, version: int) -> MailTemplate | None:
        """Return a version with its texts, or `None`."""
        rows = await self._database.fetch(_FIND(name, language, version))
        if not rows:
            return None
        *head, subject, text, html = rows[0]
        return MailTemplate(version=_version(tuple(head)), subject=subject, text=text, html=html)

    async def add(self, template: MailTemplate, *, audit: Event | None = None) -> bool:
        """Make a version the one that holds, if it is the next one."""
        return await self._database.transact(lambda: _add(template, audit))

    async def list(
        self, name: str, language: str, *, before: int = 0, limit: int = 50
    ) -> Sequence[TemplateVersion]:
        """Return versions of a template, the newest first."""
        rows = await self._database.fetch(_LIST(name, language, before, limit))
        return [_version(row) for row in rows]

    async def erase(self, user_id: str) -> None:
        """Forget who made the versions that an operator with this id has made."""
        await self._database.execute(_SCRUB(f"operator:{user_id}", f"operator:{new_stand_in()}"))


def _add(template: MailTemplate, audit: Event | None) -> Steps[bool]:
    head = template.version
    rows = yield _LAST(head.name, head.language)
    if head.version != (rows[0][0] if rows else 0) + 1:
        return False
    added = yield _ADD(
        *(head.name, head.language, head.version, head.at, head.by, int(head.is_ours)),
        *(template.subject, template.text, template.html),
    )
    if added and audit is not None:
        yield from insert_event(audit)
    return bool(added)


def _version(row: Row) -> TemplateVersion:
    name, language, version, at, by, is_ours = row
    return TemplateVersion(
        name=name, language=language, version=version, at=at, by=by, is_ours=bool(is_ours)
    )


_NEWEST = Statement(
    "SELECT one.name, one.language, one.version, one.at, one.made_by, one.is_ours "
    "FROM pwless_mail_templates AS one JOIN (SELECT name, language, MAX(version) AS version "
    "FROM pwless_mail_templates GROUP BY name, language) AS newest ON newest.name = one.name "
    "AND newest.language = one.language AND newest.version = one.version "
    "ORDER BY one.name, one.language"
)
_LAST = Statement(
    "SELECT version FROM pwless_mail_templates WHERE name = $1 AND language = $2 "
    "ORDER BY version DESC LIMIT 1"
)
_FIND = Statement(
    "SELECT name, language, version, at, made_by, is_ours, subject, plain, html "
    "FROM pwless_mail_templates WHERE name = $1 AND language = $2 AND version = $3"
)
_LIST = Statement(
    "SELECT name, language, version, at, made_by, is_ours FROM pwless_mail_templates "
    "WHERE name = $1 AND language = $2 AND (version < $3 OR $3 = 0) "
    "ORDER BY version DESC LIMIT $4"
)
# Name, language and version are the key: of two that make the same one, the second adds nothing.
_ADD = Statement(
    "INSERT INTO pwless_mail_templates (name, language, version, at, made_by, is_ours, subject, "
    "plain, html) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
    "ON CONFLICT DO NOTHING RETURNING version"
)
_SCRUB = Statement("UPDATE pwless_mail_templates SET made_by = $2 WHERE made_by = $1")
