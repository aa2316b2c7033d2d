"""Set-up links in the database: each is opened once, and ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, Protocol

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.organization import SetupLink
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import insert_event, new_stand_in
from pwless_middleware.database.organizations.organization_steps import IS_ORGANIZATION
from pwless_middleware.database.statement import Query, Row, Statement, Steps

MOST: Final = 100
"""Set-up links of one organization, at most; those that are over go first."""

SetupLinkAdded = Literal["added", "full", "gone"]
"""What became of a new link: it is kept; the organization has `MOST`; or there is none."""


class SetupLinkRepository(Protocol):
    """Keep set-up links. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    `audit` is the event of a change, written with it or not at all; `None` writes none.
    """

    async def find(self, id: str) -> SetupLink | None:
        """Return the link with this id, opened or over or not, or `None`."""
        ...

    async def list(self, organization: str) -> Sequence[SetupLink]:
        """Return all links of an organization, the newest first."""
        ...

    async def add(self, link: SetupLink, *, audit: Event | None = None) -> SetupLinkAdded:
        """Keep a link."""
        ...

    async def open(self, id: str, *, at: int, audit: Event | None = None) -> SetupLink | None:
        """Open a link, once however many try at the same time.

        Returns:
            The link as it is then; `None` if it was opened before, is over, or is gone.
        """
        ...

    async def finish(self, id: str, *, at: int, audit: Event | None = None) -> bool:
        """Note that all is set up by a link that was opened; false if it was before, or is gone."""
        ...

    async def revoke(self, organization: str, id: str, *, audit: Event | None = None) -> bool:
        """Forget a link, opened or not; false if the organization has none with this id."""
        ...

    async def erase(self, user_id: str) -> None:
        """Forget who has made links, where it was this person."""
        ...


class SQLSetupLinks:
    """Keep set-up links in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, id: str) -> SetupLink | None:
        """Return the link with this id, or `None`."""
        rows = await self._database.fetch(_FIND(id))
        return _link(rows[0]) if rows else None

    async def list(self, organization: str) -> Sequence[SetupLink]:
        """Return all links of an organization, the newest first."""
        return [_link(row) for row in await self._database.fetch(_LIST(organization, MOST))]

    async def add(self, link: SetupLink, *, audit: Event | None = None) -> SetupLinkAdded:
        """Keep a link."""
        return await self._database.transact(lambda: _add(link, audit))

    async def open(self, id: str, *, at: int, audit: Event | None = None) -> SetupLink | None:
        """Open a link, once."""
        rows = await self._database.transact(lambda: _change(_OPEN(id, at), audit))
        return _link(rows[0]) if rows else None

    async def finish(self, id: str, *, at: int, audit: Event | None = None) -> bool:
        """Note that all is set up by a link that was opened."""
        return bool(await self._database.transact(lambda: _change(_FINISH(id, at), audit)))

    async def revoke(self, organization: str, id: str, *, audit: Event | None = None) -> bool:
        """Forget a link, opened or not."""
        query = _REVOKE(organization, id)
        return bool(await self._database.transact(lambda: _change(query, audit)))

    async def erase(self, user_id: str) -> None:
        """Forget who has made links, where it was this person."""
        by, stand_in = f"operator:{user_id}", f"operator:{new_stand_in()}"
        await self._database.transact(lambda: _change(_SCRUB(by, stand_in), None))


def _add(link: SetupLink, audit: Event | None) -> Steps[SetupLinkAdded]:
    organization = link.organization
    if not (yield IS_ORGANIZATION(organization)):
        return "gone"
    if len((yield _LIST(organization, MOST))) >= MOST:
        yield _FORGET_OVER(organization, link.created_at)
        if len((yield _LIST(organization, MOST))) >= MOST:
            return "full"
    yield _ADD(
        *(link.id, organization, link.created_at, link.expires_at, link.by),
        *(link.opened_at, link.finished_at),
    )
    if audit is not None:
        yield from insert_event(audit)
    return "added"


def _change(query: Query, audit: Event | None) -> Steps[list[Row]]:
    rows = yield query
    if rows and audit is not None:
        yield from insert_event(audit)
    return rows


def _link(row: Row) -> SetupLink:
    id, organization, created_at, expires_at, by, opened_at, finished_at = row
    return SetupLink(
        id=id,
        organization=organization,
        created_at=created_at,
        expires_at=expires_at,
        by=by,
        opened_at=opened_at,
        finished_at=finished_at,
    )


_FIND = Statement(
    "SELECT id, organization, created_at, expires_at, made_by, opened_at, finished_at "
    "FROM pwless_setup_links WHERE id = $1"
)
_LIST = Statement(
    "SELECT id, organization, created_at, expires_at, made_by, opened_at, finished_at "
    "FROM pwless_setup_links WHERE organization = $1 ORDER BY created_at DESC, id DESC LIMIT $2"
)
_ADD = Statement(
    "INSERT INTO pwless_setup_links (id, organization, created_at, expires_at, made_by, "
    "opened_at, finished_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
)
_FORGET_OVER = Statement(
    "DELETE FROM pwless_setup_links WHERE organization = $1 AND expires_at <= $2"
)
_OPEN = Statement(
    "UPDATE pwless_setup_links SET opened_at = $2 WHERE id = $1 AND opened_at IS NULL "
    "AND expires_at > $2 "
    "RETURNING id, organization, created_at, expires_at, made_by, opened_at, finished_at"
)
_FINISH = Statement(
    "UPDATE pwless_setup_links SET finished_at = $2 WHERE id = $1 AND opened_at IS NOT NULL "
    "AND finished_at IS NULL "
    "RETURNING id, organization, created_at, expires_at, made_by, opened_at, finished_at"
)
_REVOKE = Statement(
    "DELETE FROM pwless_setup_links WHERE organization = $1 AND id = $2 "
    "RETURNING id, organization, created_at, expires_at, made_by, opened_at, finished_at"
)
_SCRUB = Statement("UPDATE pwless_setup_links SET made_by = $2 WHERE made_by = $1")
