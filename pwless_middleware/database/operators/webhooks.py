"""Webhooks in the database: where events are sent; of secrets what is encrypted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, Protocol

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.operators.webhook import Webhook
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import insert_event, new_stand_in
from pwless_middleware.database.statement import Query, Row, Statement, Steps

MOST: Final = 50
"""Webhooks that there can be at a time: each event is compared with all of them."""

WebhookChange = Literal["done", "stale", "full"]
"""What became of a change: it is made; somebody else has changed the row first; or there are `MOST`
webhooks."""


class WebhookRepository(Protocol):
    """Keep webhooks. Every verb is atomic, and raises `StoreError` where it cannot be asked."""

    async def list(self) -> Sequence[Webhook]:
        """Return all that are not deleted, in the order in which they were made."""
        ...

    async def find(self, id: str) -> Webhook | None:
        """Return the webhook with this id, if it is not deleted."""
        ...

    async def put(
        self, webhook: Webhook, *, seen: int | None, audit: Event | None = None
    ) -> WebhookChange:
        """Keep a webhook; since when it fails is not taken from it where there is one already.

        Args:
            webhook: the whole row.
            seen: the version that stood there; `None` for a new one.
            audit: what the change is told by, written with it or not at all.
        """
        ...

    async def note_failure(self, id: str, *, at: int) -> None:
        """Note that a try failed: since then, if it was the first one since a success."""
        ...

    async def note_success(self, id: str) -> None:
        """Note that a try succeeded."""
        ...

    async def list_deleted(self) -> Sequence[str]:
        """Return the ids of those that are deleted, and still have a row."""
        ...

    async def drop(self, id: str) -> None:
        """Forget the row of one that is deleted, once its deliveries are gone."""
        ...

    async def erase(self, user_id: str) -> None:
        """Forget who has made webhooks, where it was this person."""
        ...


class SQLWebhooks:
    """Keep webhooks in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self) -> Sequence[Webhook]:
        """Return all that are not deleted."""
        return [_webhook(row) for row in await self._database.fetch(_LIST(MOST))]

    async def find(self, id: str) -> Webhook | None:
        """Return the webhook with this id, if it is not deleted."""
        rows = await self._database.fetch(_FIND(id))
        return _webhook(rows[0]) if rows else None

    async def put(
        self, webhook: Webhook, *, seen: int | None, audit: Event | None = None
    ) -> WebhookChange:
        """Keep a webhook."""
        return await self._database.transact(lambda: _put(webhook, seen, audit))

    async def note_failure(self, id: str, *, at: int) -> None:
        """Note that a try failed."""
        await self._database.transact(lambda: _run(_NOTE_FAILURE(id, at)))

    async def note_success(self, id: str) -> None:
        """Note that a try succeeded."""
        await self._database.transact(lambda: _run(_NOTE_SUCCESS(id)))

    async def list_deleted(self) -> Sequence[str]:
        """Return the ids of those that are deleted, and still have a row."""
        return [id for (id,) in await self._database.fetch(_LIST_DELETED(MOST))]

    async def drop(self, id: str) -> None:
        """Forget the row of one that is deleted."""
        await self._database.transact(lambda: _run(_DROP(id)))

    async def erase(self, user_id: str) -> None:
        """Forget who has made webhooks, where it was this person."""
        by, stand_in = f"operator:{user_id}", f"operator:{new_stand_in()}"
        await self._database.transact(lambda: _run(_SCRUB(by, stand_in)))


def _run(query: Query) -> Steps[None]:
    yield query


def _put(webhook: Webhook, seen: int | None, audit: Event | None) -> Steps[WebhookChange]:
    values = (
        *(webhook.url, webhook.description, " ".join(webhook.kinds), webhook.off_reason),
        *(webhook.secret, webhook.old_secret, webhook.old_until, webhook.version),
        webhook.deleted_at,
    )
    if seen is None:
        if len((yield _LIST(MOST))) >= MOST:
            return "full"
        done = yield _ADD(webhook.id, *values, webhook.created_at, webhook.by)
    else:
        done = yield _CHANGE(webhook.id, *values, seen)
    if not done:
        return "stale"
    if audit is not None:
        yield from insert_event(audit)
    return "done"


def _webhook(row: Row) -> Webhook:
    id, url, description, kinds, off_reason, secret, old_secret, old_until, *more = row
    created_at, by, version, failing_since, deleted_at = more
    return Webhook(
        id=id,
        url=url,
        description=description,
        kinds=tuple(kinds.split()),
        off_reason=off_reason,
        secret=secret,
        old_secret=old_secret,
        old_until=old_until,
        created_at=created_at,
        by=by,
        version=version,
        failing_since=failing_since,
        deleted_at=deleted_at,
    )


_LIST = Statement(
    "SELECT id, url, description, kinds, off_reason, secret, old_secret, old_until, created_at, "
    "made_by, version, failing_since, deleted_at FROM pwless_webhooks WHERE deleted_at IS NULL "
    "ORDER BY created_at, id LIMIT $1"
)
_FIND = Statement(
    "SELECT id, url, description, kinds, off_reason, secret, old_secret, old_until, created_at, "
    "made_by, version, failing_since, deleted_at FROM pwless_webhooks "
    "WHERE id = $1 AND deleted_at IS NULL"
)
_ADD = Statement(
    "INSERT INTO pwless_webhooks (id, url, description, kinds, off_reason, secret, old_secret, "
    "old_until, version, deleted_at, created_at, made_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
    "$9, $10, $11, $12) ON CONFLICT DO NOTHING RETURNING id"
)
_CHANGE = Statement(
    "UPDATE pwless_webhooks SET url = $2, description = $3, kinds = $4, off_reason = $5, "
    "secret = $6, old_secret = $7, old_until = $8, version = $9, deleted_at = $10, "
    "failing_since = CASE WHEN $5 IS NULL AND off_reason IS NOT NULL THEN NULL "
    "ELSE failing_since END WHERE id = $1 AND version = $11 AND deleted_at IS NULL RETURNING id",
    postgres="UPDATE pwless_webhooks SET url = $2, description = $3, kinds = $4, "
    "off_reason = $5::text, secret = $6, old_secret = $7, old_until = $8, version = $9, "
    "deleted_at = $10, failing_since = CASE WHEN $5::text IS NULL AND off_reason IS NOT NULL "
    "THEN NULL ELSE failing_since END "
    "WHERE id = $1 AND version = $11 AND deleted_at IS NULL RETURNING id",
)
_NOTE_FAILURE = Statement(
    "UPDATE pwless_webhooks SET failing_since = $2 WHERE id = $1 AND failing_since IS NULL"
)
_NOTE_SUCCESS = Statement(
    "UPDATE pwless_webhooks SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL"
)
_LIST_DELETED = Statement("SELECT id FROM pwless_webhooks WHERE deleted_at IS NOT NULL LIMIT $1")
_DROP = Statement("DELETE FROM pwless_webhooks WHERE id = $1 AND deleted_at IS NOT NULL")
_SCRUB = Statement("UPDATE pwless_webhooks SET made_by = $2 WHERE made_by = $1")
